//! OCID-Ref (Wang et al., NAACL 2021): sentences on the cluttered tables of OCID, in RGB-D with label images.
//!
//! `SPLIT_expressions.json` is an object of entries by number: `sentence`, `scene_path` (the picture in OCID), `bbox` (a text
//! with left, top, right and bottom), `scene_instance_id` (its value in OCID's label image) and `take_id`, which tells the clutter.

use super::dataset::{Dataset, DatasetOptions, Expression, ImageEntry, ImageSource, Shape, Target};
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// The last take of a scene whose things stand apart, and the last whose things only touch; later they are stacked.
const APART: i64 = 9;
const TOUCHING: i64 = 16;

#[derive(Deserialize)]
struct Entry {
    sentence: String,
    scene_path: String,
    bbox: Corners,
    #[serde(deserialize_with = "number")]
    scene_instance_id: i64,
    #[serde(deserialize_with = "number")]
    take_id: i64,
}

/// A box as a list, or as a text of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Corners {
    List([f32; 4]),
    Text(String),
}

impl Corners {
    fn values(&self) -> std::result::Result<[f32; 4], serde_json::Error> {
        match self {
            Corners::List(values) => Ok(*values),
            Corners::Text(text) => serde_json::from_str(text),
        }
    }
}

/// A number, or a text of one.
fn number<'de, D: serde::Deserializer<'de>>(given: D) -> std::result::Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(i64),
        Text(String),
    }
    match Number::deserialize(given)? {
        Number::Number(value) => Ok(value),
        Number::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// The file that tells the format, where there is one.
pub fn file(options: &DatasetOptions) -> Option<PathBuf> {
    Some(options.data.join(format!("{}_expressions.json", options.split))).filter(|file| file.is_file())
}

/// Reads a split. OCID itself is looked for under `--images`, or beside the file in `OCID-dataset`.
///
/// # Errors
/// When the file can't be read or is something else.
pub fn open(options: &DatasetOptions, file: &Path) -> Result<Dataset> {
    let wrong = |fact: String| Error::config(file.display().to_string(), format!("not OCID-Ref's entries: {fact}"));
    let text = std::fs::read(file).map_err(Error::file(file))?;
    // by number, not as they happen to stand
    let entries: BTreeMap<String, Entry> = serde_json::from_slice(&text).map_err(|cause| wrong(cause.to_string()))?;
    let mut entries: Vec<(u64, Entry)> = entries
        .into_iter()
        .map(|(name, entry)| Ok((name.parse().map_err(|cause| wrong(format!("entry {name:?}: {cause}")))?, entry)))
        .collect::<Result<_>>()?;
    entries.sort_by_key(|(number, _)| *number);
    let beside = options.data.join("OCID-dataset");
    let root = options.images.map_or(if beside.is_dir() { beside } else { options.data.into() }, Path::to_path_buf);
    let mut images: Vec<ImageEntry> = Vec::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    for (number, entry) in entries {
        let corners = entry.bbox.values().map_err(|cause| wrong(format!("bbox of entry {number}: {cause}")))?;
        let other = |folder: &str| root.join(entry.scene_path.replacen("/rgb/", &format!("/{folder}/"), 1));
        let index = *place.entry(entry.scene_path.clone()).or_insert_with(|| {
            let source = ImageSource::File(root.join(&entry.scene_path));
            let depth = Some(other("depth")).filter(|file| file.is_file());
            images.push(ImageEntry { source, size: None, depth, targets: Vec::new(), expressions: Vec::new() });
            images.len() - 1
        });
        let image = &mut images[index];
        let value = u32::try_from(entry.scene_instance_id)
            .map_err(|_| wrong(format!("scene_instance_id {} of entry {number}", entry.scene_instance_id)))?;
        let known = |target: &Target| matches!(target.shape, Shape::Label { value: known, .. } if known == value);
        let target = image.targets.iter().position(known).unwrap_or_else(|| {
            let shape = Shape::Label { file: other("label"), value };
            image.targets.push(Target { shape, corners: Some(corners) });
            image.targets.len() - 1
        });
        let clutter = match entry.take_id {
            take if take <= APART => "free",
            take if take <= TOUCHING => "touching",
            _ => "stacked",
        };
        let asked = Expression::of_target(number.to_string(), entry.sentence, target);
        image.expressions.push(Expression { kind: Some(clutter.into()), ..asked });
    }
    Ok(Dataset { name: "ocid-ref".into(), split: options.split.into(), images, complete: false })
}
