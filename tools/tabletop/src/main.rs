//! Renders tables, shelves and boxes of scanned household objects, with instance masks, for training.

mod library;
mod mesh;
mod scene;
mod shapes;
mod trace;

use clap::Parser;
use glam::Vec3A;
use library::Library;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use scene::{Furniture, Paint, Scene};
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::{BufWriter, Result, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

#[derive(Parser)]
#[command(about = "Render tables of scanned household objects with instance masks")]
struct Arguments {
    /// Folder with set/ and textures/, each with its index.jsonl
    #[arg(long)]
    meshes: PathBuf,
    /// Folder to write: rgb.bin [n, h, w, 3], ids.bin [n, h, w], scenes.jsonl; goes on where it was left
    #[arg(long)]
    out: PathBuf,
    /// Pictures to render
    #[arg(long, default_value_t = 10)]
    count: usize,
    /// The same seed gives the same pictures
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 320)]
    width: usize,
    #[arg(long, default_value_t = 240)]
    height: usize,
    /// Paths per pixel
    #[arg(long, default_value_t = 6)]
    paths: usize,
    /// Times that light is reflected diffusely
    #[arg(long, default_value_t = 2)]
    bounces: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Use the meshes that training leaves out (every fifth of a noun with three or more) instead of the others
    #[arg(long)]
    held_out: bool,
    /// Only these nouns, separated by commas
    #[arg(long, default_value = "")]
    nouns: String,
    /// Also write NNNNNN.png, to look at
    #[arg(long)]
    png: bool,
}

#[derive(Serialize)]
struct Shown {
    id: usize,
    noun: String,
    mesh: String,
    colour: Option<String>,
    metal: bool,
    pattern: Option<&'static str>,
    /// What it is made of, where its paint is the picture of a surface.
    surface: Option<String>,
    /// Whether it stands, lies, is upside down or tilted.
    pose: &'static str,
    /// Pixels, and the part of the object's pixels that nothing hides.
    area: usize,
    visible: f32,
}

#[derive(Serialize)]
struct Record {
    scene: usize,
    width: usize,
    height: usize,
    objects: Vec<Shown>,
}

/// Linear light to bytes, exposed by the picture's own brightness.
fn developed(light: &[Vec3A], rng: &mut Pcg64) -> Vec<u8> {
    let mut brightness: Vec<f32> = light.iter().map(|light| light.element_sum() / 3.0).collect();
    let middle = brightness.len() / 2;
    let (_, median, _) = brightness.select_nth_unstable_by(middle, f32::total_cmp);
    let exposure = rng.random_range(0.14..0.38) / median.max(1e-4);
    let curve = |value: f32| {
        // a soft shoulder, then sRGB
        let value = value * exposure;
        let toned = value * (1.0 + value / 6.0) / (1.0 + value);
        (toned.clamp(0.0, 1.0).powf(1.0 / 2.2) * 255.0 * 1.08).min(255.0) as u8
    };
    light.iter().flat_map(|light| light.to_array().map(curve)).collect()
}

/// Whether a model is left out of training: every fifth of a noun that has three or more, by a hash of its name.
fn is_held_out(name: &str, of_noun: usize) -> bool {
    of_noun >= 3
        && name.bytes().fold(7u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 5 == 0
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let wanted: Vec<&str> = arguments.nouns.split(',').map(str::trim).filter(|noun| !noun.is_empty()).collect();
    let library = Library::open(&arguments.meshes, |noun, name, of_noun| {
        is_held_out(name, of_noun) == arguments.held_out && (wanted.is_empty() || wanted.contains(&noun))
    })?;
    let furniture = Furniture::new();
    std::fs::create_dir_all(&arguments.out)?;
    let known = std::fs::read_to_string(arguments.out.join("scenes.jsonl")).unwrap_or_default();
    let done = known.lines().filter(|line| line.ends_with('}')).count();
    let (pixels, open) = (arguments.width * arguments.height, |name: &str, length: usize| {
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).read(true).open(arguments.out.join(name))?;
        file.set_len(length as u64)?;
        let mut file = file;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
        Ok::<_, std::io::Error>(BufWriter::new(file))
    });
    let whole: usize = known.lines().take(done).map(|line| line.len() + 1).sum();
    let files = (open("rgb.bin", done * pixels * 3)?, open("ids.bin", done * pixels)?, open("scenes.jsonl", whole)?);
    let (next, writing) = (AtomicUsize::new(done), Mutex::new((files, done)));
    let written = std::sync::Condvar::new();
    let worker = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= arguments.count {
                return Ok(());
            }
            let mut rng = Pcg64::seed_from_u64(arguments.seed.wrapping_mul(1_000_003) + number as u64);
            let (scene, picture) = loop {
                let scene = Scene::sample(&library, &furniture, &mut rng);
                if scene.objects == 0 {
                    continue;
                }
                let picture = trace::render(
                    &scene, arguments.width, arguments.height, arguments.paths, arguments.bounces, &mut rng,
                );
                if picture.ids.iter().filter(|id| **id > 0).count() > pixels / 100 {
                    break (scene, picture);
                }
            };
            let rgb = developed(&picture.light, &mut rng);
            let objects = scene.instances[scene.instances.len() - scene.objects..].iter().enumerate().filter_map(
                |(at, instance)| {
                    let area = picture.ids.iter().filter(|id| usize::from(**id) == at + 1).count();
                    let model = instance.model?;
                    (area > 0).then(|| Shown {
                        id: at + 1,
                        noun: model.noun.clone(),
                        mesh: model.name.clone(),
                        colour: instance.colour.clone(),
                        metal: instance.is_metal,
                        pattern: model.pattern.filter(|_| matches!(instance.paint, Paint::Own(_))),
                        surface: match &instance.paint {
                            Paint::Picture(surface, _) => Some(surface.kind.clone()),
                            _ => None,
                        },
                        pose: instance.pose,
                        area,
                        visible: area as f32 / picture.alone[at].max(area) as f32,
                    })
                },
            );
            let record =
                Record { scene: number, width: arguments.width, height: arguments.height, objects: objects.collect() };
            let line = serde_json::to_string(&record).map_err(std::io::Error::other)?;
            if arguments.png {
                let path = arguments.out.join(format!("{number:06}.png"));
                image::save_buffer(
                    path,
                    &rgb,
                    arguments.width as u32,
                    arguments.height as u32,
                    image::ExtendedColorType::Rgb8,
                )
                .map_err(std::io::Error::other)?;
            }
            // in the order of their numbers
            let mut state = writing.lock().map_err(|_| std::io::Error::other("a thread failed"))?;
            while state.1 != number {
                state = written.wait(state).map_err(|_| std::io::Error::other("a thread failed"))?;
            }
            let ((colours, ids, lines), count) = &mut *state;
            colours.write_all(&rgb)?;
            ids.write_all(&picture.ids)?;
            writeln!(lines, "{line}")?;
            if number % 20 == 0 {
                colours.flush()?;
                ids.flush()?;
                lines.flush()?;
            }
            *count += 1;
            written.notify_all();
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads).map(|_| scope.spawn(worker)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| std::io::Error::other("a thread failed"))?)
    })
}
