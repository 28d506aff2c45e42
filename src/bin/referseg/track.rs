//! `referseg track`: how well and how fast things are followed in films whose true masks are known (`tools/scenes --films`).

use crate::stdout::print_line;
use referseg::image::{self, Frame, LabelImage, Mask};
use referseg::tracking::{Picture, Tracker};
use referseg::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A mask with less IoU than this shows something else, or too little.
const WRONG: f32 = 0.5;

/// True pixels below which a thing counts as not to be seen.
const SEEN: usize = 30;

#[derive(clap::Args)]
pub struct Arguments {
    /// Folder of films: NNN/NNNNNN.png, NNN/NNNNNN_ids.png and NNN/film.json
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A line for each film
    #[arg(long)]
    each: bool,
    /// Write the tracked masks as pictures into this folder
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
}

/// What a film's folder says of it.
#[derive(Deserialize)]
struct Film {
    motion: String,
    label: u32,
    frames: usize,
}

/// What was counted in films.
#[derive(Clone, Default)]
struct Counts {
    films: usize,
    /// Pictures after the first.
    frames: usize,
    /// With a mask.
    tracked: usize,
    /// Sum of the IoU of these.
    iou: f64,
    /// With a mask that is wrong.
    wrong: usize,
    /// Said to be lost although most of the thing was there.
    given_up: usize,
    took: Duration,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.films += other.films;
        self.frames += other.frames;
        self.tracked += other.tracked;
        self.iou += other.iou;
        self.wrong += other.wrong;
        self.given_up += other.given_up;
        self.took += other.took;
    }

    fn line(&self, name: &str) -> String {
        let part = |count: usize| 100.0 * count as f64 / self.frames.max(1) as f64;
        format!(
            "{name:12} {:5} films {:6} frames: mean IoU {:.3}, tracked {:5.1} %, wrong {:4.1} %, lost though visible {:4.1} %, {:6.1} Hz",
            self.films,
            self.frames,
            self.iou / self.tracked.max(1) as f64,
            part(self.tracked),
            part(self.wrong),
            part(self.given_up),
            self.frames as f64 / self.took.as_secs_f64().max(1e-9)
        )
    }
}

fn truth(folder: &Path, frame: usize, label: u32) -> Result<Mask> {
    let labels = LabelImage::open(&folder.join(format!("{frame:06}_ids.png")))?;
    let inside: Vec<bool> = labels.values().iter().map(|value| *value == label).collect();
    Ok(Mask::new(labels.width(), labels.height(), &inside))
}

fn picture(folder: &Path, frame: usize) -> Result<Frame> {
    image::open(&folder.join(format!("{frame:06}.png")))
}

/// Follows the thing of one film.
fn follow(folder: &Path, film: &Film, pictures: Option<&Path>) -> Result<Counts> {
    let start = truth(folder, 0, film.label)?;
    let whole = start.area();
    let Some(mut tracker) = Tracker::new(&Picture::new(&picture(folder, 0)?), &start) else {
        return Err(Error::config(folder.display().to_string(), "label is not in the first picture"));
    };
    let mut counts = Counts { films: 1, ..Counts::default() };
    for number in 1..film.frames {
        let (frame, truth) = (picture(folder, number)?, truth(folder, number, film.label)?);
        let began = Instant::now();
        let sight = tracker.update(&Picture::new(&frame));
        counts.took += began.elapsed();
        counts.frames += 1;
        match &sight {
            Ok(found) => {
                let iou = found.mask.iou(&truth);
                counts.tracked += 1;
                counts.iou += f64::from(iou);
                counts.wrong += usize::from(iou < WRONG);
            }
            Err(_) => counts.given_up += usize::from(truth.area() > SEEN && truth.area() * 10 > whole * 7),
        }
        if let Some(pictures) = pictures {
            let found = sight.ok().and_then(|found| Some((found.mask.bounding_box()?, found.mask)));
            let found = found.as_ref().map(|(rect, mask)| (mask, *rect));
            let name = folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default().into_owned();
            let drawn = referseg::drawing::draw(&frame, found);
            let path = pictures.join(format!("{name}_{number:06}.png"));
            let (width, height) = (frame.width() as u32, frame.height() as u32);
            ::image::save_buffer(&path, &drawn, width, height, ::image::ColorType::Rgb8)
                .map_err(|cause| Error::config(path.display().to_string(), cause.to_string()))?;
        }
    }
    Ok(counts)
}

pub fn run(arguments: &Arguments) -> Result<u8> {
    let entries = std::fs::read_dir(&arguments.data).map_err(Error::file(&arguments.data))?;
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|folder| folder.join("film.json").is_file());
    folders.sort();
    if folders.is_empty() {
        let fact = "holds no films; `cargo run -p scenes -- --films --count 20 --frames 100 --out DIR` makes some";
        return Err(Error::config(arguments.data.display().to_string(), fact));
    }
    if let Some(pictures) = &arguments.pictures {
        std::fs::create_dir_all(pictures).map_err(Error::file(pictures))?;
    }
    let mut kinds: BTreeMap<String, Counts> = BTreeMap::new();
    let mut all = Counts::default();
    for folder in &folders {
        let path = folder.join("film.json");
        let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
        let film: Film = serde_json::from_str(&text)
            .map_err(|cause| Error::config(path.display().to_string(), cause.to_string()))?;
        let counts = follow(folder, &film, arguments.pictures.as_deref())?;
        if arguments.each {
            let name = folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            print_line(counts.line(&format!("{name} {}", film.motion)))?;
        }
        kinds.entry(film.motion).or_default().add(&counts);
        all.add(&counts);
    }
    for (motion, counts) in &kinds {
        print_line(counts.line(motion))?;
    }
    print_line(all.line("all"))?;
    Ok(0)
}
