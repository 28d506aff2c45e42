//! `referseg compare`: whether two recordings of answers are the same, or how much of them changed.

use crate::progress::ReadingBar;
use crate::stdout::print_line;
use referseg::files::atomic_file::{refuse_inputs, AtomicFile};
use referseg::recordings::bag::Bag;
use referseg::replay::{compare, comparison_html, AnswerPair, Change, Comparison, Thresholds};
use referseg::{Error, Result};
use std::path::PathBuf;

/// Differences that are printed.
const SHOWN: usize = 20;

#[derive(clap::Args)]
pub struct Arguments {
    /// Recording of the expected answers
    expected: PathBuf,
    /// Recording of the answers to compare
    found: PathBuf,
    /// Minimum IoU of two masks that count as equal [default: 0.99]
    #[arg(long)]
    min_iou: Option<f32>,
    /// Maximum difference of box edges, pixels [default: 1]
    #[arg(long)]
    box_tolerance: Option<usize>,
    /// Accepted changes: YAML with min_iou, box_tolerance, and the shares max_different, max_status_changes, max_missing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["min_iou", "box_tolerance"])]
    thresholds: Option<PathBuf>,
    /// Print JSON: how many answers are equal, different (by kind of difference), and worse (no longer FOUND)
    #[arg(long)]
    json: bool,
    /// Write a report page of what changed, frame by frame
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<u8> {
    let mut thresholds = arguments.thresholds.as_deref().map_or(Ok(Thresholds::default()), Thresholds::open)?;
    if let Some(iou) = arguments.min_iou {
        if !(0.0..=1.0).contains(&iou) {
            return Err(Error::config("--min-iou", format!("{iou} is out of range; expected 0 to 1")));
        }
        thresholds.min_iou = iou;
    }
    thresholds.box_tolerance = arguments.box_tolerance.unwrap_or(thresholds.box_tolerance);
    let inputs = [arguments.expected.as_path(), arguments.found.as_path()];
    if let Some(report) = &arguments.report {
        refuse_inputs(report, &inputs)?;
    }
    let bags = [Bag::open(&arguments.expected)?, Bag::open(&arguments.found)?];
    for warning in bags.iter().filter_map(|bag| bag.warning.as_ref()) {
        eprintln!("referseg: {warning}");
    }
    let bar = ReadingBar::new(&bags, 2);
    let found = compare(&bags[0], &bags[1], thresholds.tolerance(), || bar.show())?;
    drop(bar);
    let names = inputs.map(|path| path.display().to_string());
    let empty: Vec<_> =
        names.iter().zip(found.counts).filter(|(_, count)| *count == 0).map(|(name, _)| name.as_str()).collect();
    if !empty.is_empty() {
        let subject =
            if empty.len() == 2 { "neither recording holds".into() } else { format!("{} does not hold", empty[0]) };
        return Err(Error::config("compare", format!("{subject} answers (referseg/msg/Segmentation)")));
    }
    if arguments.json {
        print_line(found.json())?;
    } else {
        in_words(&found)?;
    }
    if let Some(report) = &arguments.report {
        let page = comparison_html([&names[0], &names[1]], [&bags[0], &bags[1]], &found)?;
        AtomicFile::write(report, &inputs, page.as_bytes())?;
    }
    let exceeded = thresholds.exceeded(&found);
    if arguments.thresholds.is_some() && !arguments.json {
        exceeded.iter().try_for_each(|words| print_line(format_args!("beyond the thresholds: {words}")))?;
    }
    Ok(u8::from(!exceeded.is_empty()))
}

fn in_words(found: &Comparison) -> Result<()> {
    for (second, first) in found.topics.iter().filter(|(second, first)| first != second) {
        print_line(format_args!("{second} is compared with {first}"))?;
    }
    for AnswerPair { key: (topic, stamp, command, _), words, .. } in found.different().take(SHOWN) {
        let (seconds, nanoseconds) = (stamp / 1_000_000_000, stamp % 1_000_000_000);
        print_line(format_args!("{topic} at {seconds}.{nanoseconds:09} {command:?}: {words}"))?;
    }
    let different = found.different().count();
    if different > SHOWN {
        print_line(format_args!("and {} more", different - SHOWN))?;
    }
    for truncation in &found.truncations {
        print_line(format_args!("truncated: {truncation}"))?;
    }
    print_line(format_args!("{} answers are the same, {different} are different", found.count(Change::Same)))
}
