//! `referseg compare`: whether two recordings of answers are the same.

use crate::stdout::print_line;
use referseg::replay::{compare, Tolerance};
use referseg::wire::bag::Bag;
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
    box_tolerance: usize,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    if !(0.0..=1.0).contains(&arguments.min_iou) {
        return Err(Error::config("--min-iou", format!("{} is out of range; expected 0 to 1", arguments.min_iou)));
    }
    let tolerance = Tolerance { iou: arguments.min_iou, pixels: arguments.box_tolerance };
    let found = compare(&Bag::open(&arguments.expected)?, &Bag::open(&arguments.found)?, tolerance)?;
    for ((topic, stamp, command, _), words) in found.different.iter().take(SHOWN) {
        let (seconds, nanoseconds) = (stamp / 1_000_000_000, stamp % 1_000_000_000);
        print_line(format_args!("{topic} at {seconds}.{nanoseconds:09} {command:?}: {words}"))?;
    }
    if found.different.len() > SHOWN {
        print_line(format_args!("and {} more", found.different.len() - SHOWN))?;
    }
    for truncation in &found.truncations {
        print_line(format_args!("truncated: {truncation}"))?;
    }
    print_line(format_args!("{} answers are the same, {} are different", found.same, found.different.len()))?;
    let names = [&arguments.expected, &arguments.found].map(|path| path.display().to_string());
    let empty: Vec<_> =
        names.iter().zip(found.counts).filter(|(_, count)| *count == 0).map(|(name, _)| name.as_str()).collect();
    if !empty.is_empty() {
        let subject =
            if empty.len() == 2 { "neither recording holds".into() } else { format!("{} does not hold", empty[0]) };
        return Err(Error::config("compare", format!("{subject} answers (referseg/msg/Segmentation)")));
    }
    Ok(ExitCode::from(u8::from(!found.is_same())))
}
