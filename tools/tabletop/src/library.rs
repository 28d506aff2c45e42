//! `Library`: the meshes and surfaces of a folder like `shared/meshes`, each read once.

use crate::mesh::{Mesh, Texture};
use crate::shapes;
use glam::{vec3a, Vec3A};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::path::Path;

/// A line of `set/index.jsonl`, as far as it is used.
#[derive(Deserialize)]
struct Listed {
    noun: String,
    name: String,
    file: String,
    texture: Option<String>,
    #[serde(default)]
    textured: bool,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    colours: serde_json::Value,
}

#[derive(Deserialize)]
struct ListedSurface {
    file: String,
    kind: String,
}

/// An object that may stand on a table.
pub struct Model {
    /// What it is.
    pub noun: String,
    /// Its name in the library.
    pub name: String,
    /// Its triangles, standing on z = 0, centred in x and y.
    pub mesh: Mesh,
    /// Its texture.
    pub texture: Option<Texture>,
    /// Whether its colour was set by hand, so that any other is as good.
    pub is_paintable: bool,
    /// Its commonest colour, where one covers most of it.
    pub colour: Option<String>,
    /// The pattern that was painted on it.
    pub pattern: Option<&'static str>,
    /// Its sides, metres.
    pub size: Vec3A,
}

/// A picture of a surface.
pub struct Surface {
    /// The picture.
    pub texture: Texture,
    /// Metres that it covers.
    pub covers: f32,
    /// What it is of: wood, stone, cloth ...
    pub kind: String,
}

/// Everything that scenes are made of.
pub struct Library {
    /// Objects by noun.
    pub nouns: BTreeMap<String, Vec<Model>>,
    /// Surfaces of tables, floors and walls.
    pub surfaces: Vec<Surface>,
}

/// Part of an object that a colour must cover to be its colour.
const MOSTLY: f64 = 0.6;

fn main_colour(colours: &serde_json::Value) -> Option<String> {
    let entries: Vec<(String, f64)> = match colours {
        serde_json::Value::Object(map) => map
            .iter()
            .filter_map(|(name, value)| {
                let share =
                    value.as_f64().or_else(|| value.get("share")?.as_f64()).or_else(|| value.get(0)?.as_f64())?;
                Some((name.clone(), share))
            })
            .collect(),
        serde_json::Value::Array(list) => list
            .iter()
            .filter_map(|entry| {
                let name = entry.get("name").or_else(|| entry.get("colour")).or_else(|| entry.get(0))?.as_str()?;
                let share = entry.get("share").or_else(|| entry.get(1))?.as_f64()?;
                Some((name.to_string(), share))
            })
            .collect(),
        _ => Vec::new(),
    };
    entries.into_iter().find(|(_, share)| *share >= MOSTLY).map(|(name, _)| name)
}

impl Library {
    /// Reads a folder, adds the shapes that are made, and keeps the models for which `keep` (noun, name, models of the noun) is true.
    ///
    /// # Errors
    /// When an index or a file can't be read.
    pub fn open(folder: &Path, keep: impl Fn(&str, &str, usize) -> bool) -> Result<Library> {
        let lines = |path: &Path| -> Result<Vec<String>> {
            let text =
                std::fs::read_to_string(path).map_err(|cause| Error::other(format!("{}: {cause}", path.display())))?;
            Ok(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_string).collect())
        };
        let parsed = |cause: serde_json::Error| Error::other(cause.to_string());
        let mut nouns: BTreeMap<String, Vec<Model>> = BTreeMap::new();
        let lines_of_set = lines(&folder.join("set/index.jsonl"))?;
        let set = lines_of_set.iter().map(|line| serde_json::from_str(line)).collect::<serde_json::Result<Vec<Listed>>>();
        let (set, made) = (set.map_err(parsed)?, shapes::all());
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let all = set.iter().map(|listed| &listed.noun).chain(made.iter().map(|model| &model.noun));
        all.for_each(|noun| *counts.entry(noun.clone()).or_default() += 1);
        for model in made {
            if keep(&model.noun, &model.name, counts[&model.noun]) {
                nouns.entry(model.noun.clone()).or_default().push(model);
            }
        }
        for listed in set {
            if !keep(&listed.noun, &listed.name, counts[&listed.noun]) {
                continue;
            }
            let mesh = Mesh::open(&folder.join("set").join(&listed.file))?;
            let texture =
                listed.texture.as_ref().map(|file| Texture::open(&folder.join("set").join(file))).transpose()?;
            let (low, high) = mesh
                .points
                .iter()
                .fold((Vec3A::MAX, Vec3A::MIN), |(low, high), point| (low.min(*point), high.max(*point)));
            nouns.entry(listed.noun.clone()).or_default().push(Model {
                noun: listed.noun,
                name: listed.name,
                mesh,
                texture,
                is_paintable: !listed.textured && listed.kind.ends_with("shape"),
                colour: main_colour(&listed.colours),
                pattern: None,
                size: high - low,
            });
        }
        let mut surfaces = Vec::new();
        for line in lines(&folder.join("textures/index.jsonl"))? {
            let listed: ListedSurface = serde_json::from_str(&line).map_err(parsed)?;
            let texture = Texture::open(&folder.join("textures").join(&listed.file))?;
            // small seamless pictures show a few boards or tiles
            let covers = if listed.file.contains("_acgs_") { 0.35 } else { 0.9 };
            surfaces.push(Surface { texture, covers, kind: listed.kind });
        }
        Ok(Library { nouns, surfaces })
    }
}

/// A paint that people call by a name, as linear light, by hue (degrees), saturation and value ranges.
pub fn paints() -> [(&'static str, [(f32, f32); 3]); 11] {
    [
        ("red", [(-9.0, 7.0), (0.7, 1.0), (0.5, 1.0)]),
        ("green", [(88.0, 158.0), (0.4, 1.0), (0.25, 0.9)]),
        ("blue", [(203.0, 248.0), (0.45, 1.0), (0.3, 1.0)]),
        ("yellow", [(47.0, 61.0), (0.6, 1.0), (0.75, 1.0)]),
        ("orange", [(18.0, 36.0), (0.75, 1.0), (0.8, 1.0)]),
        ("purple", [(264.0, 302.0), (0.35, 1.0), (0.3, 0.8)]),
        ("pink", [(316.0, 350.0), (0.2, 0.62), (0.82, 1.0)]),
        ("brown", [(14.0, 34.0), (0.4, 0.9), (0.22, 0.56)]),
        ("white", [(0.0, 360.0), (0.0, 0.06), (0.85, 1.0)]),
        ("black", [(0.0, 360.0), (0.0, 0.25), (0.02, 0.14)]),
        ("gray", [(0.0, 360.0), (0.0, 0.07), (0.32, 0.66)]),
    ]
}

/// Hue in degrees, saturation and value to sRGB 0..1.
pub fn hsv(hue: f32, saturation: f32, value: f32) -> Vec3A {
    let channel = |n: f32| {
        let k = (n + hue / 60.0).rem_euclid(6.0);
        value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
    };
    vec3a(channel(5.0), channel(3.0), channel(1.0))
}
