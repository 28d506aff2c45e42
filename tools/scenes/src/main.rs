//! Renders tabletop scenes with instance maps and referring expressions, for training and evaluation.

mod expression;
mod film;
mod render;
mod scene;
mod shape;
mod spoken;
mod vector;

use clap::{Parser, ValueEnum};
use expression::{Expression, Kind, Symbol};
use rand::seq::IndexedRandom;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use render::Picture;
use scene::{Scene, Variety};
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// rgb.bin and ids.bin, all pictures end to end: what the trainer maps into memory
    Raw,
    /// NNNNNN.png and NNNNNN_ids.png: what `referseg eval` reads
    Png,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wording {
    /// A mix of all kinds, for training
    Mixed,
    /// One of each kind: attribute, position, relation, superlative, command
    Each,
    /// Every kind of `spoken.rs` that fits, in expressions.jsonl: places, orders, relations, exclusions, statuses
    Spoken,
    /// One clear, one absent and one ambiguous, for calibrating the thresholds
    Open,
}

#[derive(Parser)]
#[command(about = "Render tabletop scenes with instance masks and referring expressions")]
struct Arguments {
    /// Folder to write
    #[arg(long)]
    out: PathBuf,
    /// Scenes to render
    #[arg(long, default_value_t = 10)]
    count: usize,
    /// Names the split: the same seed gives the same scenes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 256)]
    width: usize,
    #[arg(long, default_value_t = 192)]
    height: usize,
    /// Rays per pixel along each side
    #[arg(long, default_value_t = 1)]
    rays: usize,
    #[arg(long, value_enum, default_value_t = Format::Png)]
    format: Format,
    #[arg(long, value_enum, default_value_t = Wording::Each)]
    wording: Wording,
    #[arg(long, value_enum, default_value_t = Variety::Narrow)]
    variety: Variety,
    /// Expressions per scene, with `--wording mixed`
    #[arg(long, default_value_t = 48)]
    expressions: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Instead of scenes, --count films of --frames pictures each, in folders, of the kinds of motion in turn, and which thing is
    /// followed in film.json
    #[arg(long, requires = "frames")]
    films: bool,
    /// Instead of all scenes, film the last one with a camera that moves around it: so many frames
    #[arg(long)]
    frames: Option<usize>,
}

#[derive(Serialize)]
struct Record {
    scene: usize,
    width: usize,
    height: usize,
    objects: Vec<Symbol>,
    expressions: Vec<Expression>,
}

fn symbols(scene: &Scene, picture: &Picture) -> Vec<Symbol> {
    let mut sums = vec![(0u32, 0.0f64, 0.0f64); scene.objects.len()];
    for (pixel, id) in picture.ids.iter().enumerate().filter(|(_, id)| **id > 0) {
        let sum = &mut sums[*id as usize - 1];
        sum.0 += 1;
        sum.1 += (pixel % picture.width) as f64 + 0.5;
        sum.2 += (pixel / picture.width) as f64 + 0.5;
    }
    let describe = |(index, (area, x, y)): (usize, (u32, f64, f64))| {
        let object = &scene.objects[index];
        let n = f64::from(area.max(1));
        Symbol {
            id: index as u8 + 1,
            category: object.shape.category,
            colour: object.colour,
            size: object.size,
            centroid: [(x / n / picture.width as f64) as f32, (y / n / picture.height as f64) as f32],
            depth: scene.camera.project(object.at, scene.aspect).2,
            height: object.height(),
            area,
            visible: area as f32 / picture.amodal_area[index].max(1) as f32,
        }
    };
    sums.into_iter().enumerate().map(describe).collect()
}

fn word(wording: Wording, expressions: usize, all: &[Symbol], rng: &mut Pcg64) -> Vec<Expression> {
    const KINDS: [Kind; 5] = [Kind::Attribute, Kind::Position, Kind::Relation, Kind::Superlative, Kind::Command];
    let kinds: Vec<Kind> = match wording {
        Wording::Each => KINDS.to_vec(),
        Wording::Spoken => Vec::new(),
        Wording::Open => vec![Kind::Attribute, Kind::Absent, Kind::Ambiguous],
        Wording::Mixed => {
            let mix: Vec<Kind> = [(0, 7), (1, 10), (2, 6), (3, 7), (4, 14)]
                .iter()
                .flat_map(|(kind, weight)| std::iter::repeat_n(KINDS[*kind], *weight))
                .collect();
            (0..expressions).filter_map(|_| mix.choose(rng).copied()).collect()
        }
    };
    let attempts = if wording == Wording::Mixed { 12 } else { 300 };
    let mut one = |kind: &Kind| (0..attempts).find_map(|_| expression::draw(*kind, all, rng));
    kinds.iter().filter_map(&mut one).collect()
}

/// Draws until a scene shows all its objects well enough.
fn make(arguments: &Arguments, index: usize) -> (Record, Picture, Scene) {
    let (width, height) = (arguments.width, arguments.height);
    let mut rng = Pcg64::seed_from_u64(arguments.seed.wrapping_mul(1_000_003) + index as u64);
    let smallest = (width * height) as f32 * 0.0015;
    loop {
        let Some(scene) = Scene::sample(&mut rng, width as f32 / height as f32, arguments.variety) else { continue };
        let picture = render::render(&scene, width, height, arguments.rays, &mut rng);
        let objects = symbols(&scene, &picture);
        if objects.iter().any(|s| (s.area as f32) < smallest || s.visible < 0.2) {
            continue;
        }
        let expressions = word(arguments.wording, arguments.expressions, &objects, &mut rng);
        return (Record { scene: index, width, height, objects, expressions }, picture, scene);
    }
}

/// The lines of a scene in expressions.jsonl: one of each kind that fits it, with the names of its files.
fn speak(seed: u64, record: &Record) -> Result<String> {
    #[derive(Serialize)]
    struct Line {
        image: String,
        labels: String,
        text: String,
        label: u8,
        #[serde(rename = "type")]
        kind: &'static str,
        want: &'static str,
        never: u8,
    }
    let mut rng = Pcg64::seed_from_u64(seed.wrapping_mul(7_000_003) + record.scene as u64);
    let mut text = String::new();
    for kind in spoken::KINDS {
        let Some(said) = (0..300).find_map(|_| spoken::draw(kind, &record.objects, &mut rng)) else { continue };
        let (image, labels) = (format!("{:06}.png", record.scene), format!("{:06}_ids.png", record.scene));
        let spoken::Spoken { text: words, kind, target, want, never } = said;
        let line = Line { image, labels, text: words, label: target, kind, want, never };
        text += &(serde_json::to_string(&line)? + "\n");
    }
    Ok(text)
}

fn save_png(folder: &Path, index: usize, picture: &Picture) -> Result<()> {
    let (w, h) = (picture.width as u32, picture.height as u32);
    let save = |name: String, bytes: &[u8], kind| {
        image::save_buffer(folder.join(name), bytes, w, h, kind).map_err(std::io::Error::other)
    };
    save(format!("{index:06}.png"), &picture.rgb, image::ColorType::Rgb8)?;
    save(format!("{index:06}_ids.png"), &picture.ids, image::ColorType::L8)
}

/// Films a scene: the camera swings around the table's middle by a third of a radian.
fn film(arguments: &Arguments, frames: usize) -> Result<()> {
    let (record, _, mut scene) = make(arguments, arguments.count.max(1) - 1);
    let mut rng = Pcg64::seed_from_u64(arguments.seed);
    // a clean sensor: the recording has to be small
    (scene.look.noise, scene.look.blur) = (0.0, 0.0);
    let start = scene.camera.clone();
    let target = start.eye + start.forward * ((0.15 - start.eye.y) / start.forward.y);
    for frame in 0..frames {
        let angle = 0.33 * (frame as f32 / frames as f32 - 0.5);
        let (s, c) = angle.sin_cos();
        let d = start.eye - target;
        let eye = target + vector::v(c * d.x + s * d.z, d.y, c * d.z - s * d.x);
        scene.camera = scene::Camera::looking_at(eye, target, 0.0, start.tan_half);
        let picture = render::render(&scene, arguments.width, arguments.height, arguments.rays, &mut rng);
        save_png(&arguments.out, frame, &picture)?;
    }
    std::fs::write(arguments.out.join("scenes.jsonl"), serde_json::to_string(&record)? + "\n")
}

/// Makes films, each in a folder of its own.
fn films(arguments: &Arguments, frames: usize) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= arguments.count {
                return Ok(());
            }
            let motion = film::MOTIONS[number % film::MOTIONS.len()];
            let mut rng = Pcg64::seed_from_u64(arguments.seed.wrapping_mul(9_000_011) + number as u64);
            let mut tried = 0;
            let film = loop {
                let (_, picture, scene) = make(arguments, number + 1000 * tried);
                if let Some(film) = film::Film::new(scene, &picture, motion, &mut rng) {
                    break film;
                }
                tried += 1;
            };
            let folder = arguments.out.join(format!("{number:03}"));
            std::fs::create_dir_all(&folder)?;
            for frame in 0..frames {
                let part = frame as f32 / (frames.max(2) - 1) as f32;
                let picture = film.picture(part, arguments.width, arguments.height, arguments.rays, &mut rng);
                save_png(&folder, frame, &picture)?;
            }
            let about = serde_json::json!({"motion": motion, "label": film.followed + 1, "frames": frames});
            std::fs::write(folder.join("film.json"), about.to_string() + "\n")?;
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|t| t.join().expect("a renderer thread panicked"))
    })
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out)?;
    if let (true, Some(frames)) = (arguments.films, arguments.frames) {
        return films(&arguments, frames);
    }
    if let Some(frames) = arguments.frames {
        return film(&arguments, frames);
    }
    let raw = (arguments.format == Format::Raw)
        .then(|| -> Result<_> {
            let create = |name: &str| File::create(arguments.out.join(name));
            Ok((create("rgb.bin")?, create("ids.bin")?))
        })
        .transpose()?;
    let next = AtomicUsize::new(0);
    let lines = Mutex::new(vec![String::new(); arguments.count]);
    let spoken = Mutex::new(vec![String::new(); arguments.count]);
    let work = || -> Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= arguments.count {
                return Ok(());
            }
            let (record, picture, _) = make(&arguments, index);
            match &raw {
                Some((rgb, ids)) => {
                    rgb.write_all_at(&picture.rgb, (index * picture.rgb.len()) as u64)?;
                    ids.write_all_at(&picture.ids, (index * picture.ids.len()) as u64)?;
                }
                None => save_png(&arguments.out, index, &picture)?,
            }
            if arguments.wording == Wording::Spoken {
                spoken.lock().expect("no thread panics while it holds the lines")[index] =
                    speak(arguments.seed, &record)?;
            }
            let line = serde_json::to_string(&record)?;
            lines.lock().expect("no thread panics while it holds the lines")[index] = line;
            if index % 1000 == 999 {
                eprintln!("{} of {} scenes", index + 1, arguments.count);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|t| t.join().expect("a renderer thread panicked"))
    })?;
    if arguments.wording == Wording::Spoken {
        let text = spoken.into_inner().expect("no thread panicked").concat();
        return std::fs::write(arguments.out.join("expressions.jsonl"), text);
    }
    let mut out = BufWriter::new(File::create(arguments.out.join("scenes.jsonl"))?);
    for line in lines.into_inner().expect("no thread panicked") {
        writeln!(out, "{line}")?;
    }
    out.flush()
}
