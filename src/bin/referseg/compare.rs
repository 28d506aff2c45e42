//! `referseg compare`: whether two recordings of answers are the same.

use referseg::bag::Bag;
use referseg::replay::compare::{compare, Tolerance};
use referseg::{Error, Result};
use std::path::PathBuf;
use std::process::ExitCode;

/// Differences that are printed.
const SHOWN: usize = 20;

#[derive(clap::Args)]
pub struct Arguments {
    /// The answers as they should be
    expected: PathBuf,
    /// The answers as they are
    found: PathBuf,
    /// Smallest IoU of two masks that count as the same
    #[arg(long, default_value_t = 0.99)]
    min_iou: f32,
    /// Largest distance of the boxes' sides, pixels
    #[arg(long, default_value_t = 1)]
    box_tolerance: u32,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    if !(0.0..=1.0).contains(&arguments.min_iou) {
        return Err(Error::config("--min-iou", format!("{} is out of range; expected 0 to 1", arguments.min_iou)));
    }
    let tolerance = Tolerance { iou: arguments.min_iou, pixels: arguments.box_tolerance };
    let found = compare(&Bag::open(&arguments.expected)?, &Bag::open(&arguments.found)?, tolerance)?;
    for ((topic, stamp, command, _), words) in found.different.iter().take(SHOWN) {
        println!("{topic} at {}.{:09} {command:?}: {words}", stamp / 1_000_000_000, stamp % 1_000_000_000);
    }
    if found.different.len() > SHOWN {
        println!("and {} more", found.different.len() - SHOWN);
    }
    for ended in &found.ended {
        println!("ended early: {ended}");
    }
    println!("{} answers are the same, {} are different", found.same, found.different.len());
    if found.same == 0 && found.different.is_empty() {
        return Err(Error::config("compare", "neither recording holds answers (referseg/msg/Segmentation)"));
    }
    Ok(ExitCode::from(u8::from(!found.is_same())))
}
