//! `referseg bag info`: what a recording holds.

use crate::stdout::print_line;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use referseg::replay::{BagIndex, BagTopic};
use referseg::wire::bag::Bag;
use referseg::Result;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show the topics of a recording: types, counts, rates, what images are like, time, what could not be read. Exit status: 0 whole,
    /// 1 incomplete, 2 error
    Info {
        /// A folder of rosbag2, an .mcap or a .db3 file (also .zstd)
        bag: PathBuf,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Action::Info { bag: path, json } = &arguments.action;
    let bag = Bag::open(path)?;
    if let Some(warning) = &bag.warning {
        eprintln!("referseg: {warning}");
    }
    let bar = ProgressBar::new_spinner();
    bar.set_style(
        ProgressStyle::with_template("{spinner} {pos} messages").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    let index = BagIndex::of(&bag, || bar.inc(1))?;
    bar.finish_and_clear();
    if *json {
        print_line(serde_json::to_string(&index).map_err(|cause| referseg::Error::Message(cause.to_string()))?)?;
    } else {
        in_words(&index)?;
    }
    Ok(if index.truncation.is_none() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn in_words(index: &BagIndex) -> Result<()> {
    let times = index.topics.values().flat_map(|topic| [topic.first, topic.last]);
    if let (Some(first), Some(last)) = (times.clone().min(), times.max()) {
        let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
        let count: u64 = index.topics.values().map(|topic| topic.count).sum();
        let bytes: u64 = index.topics.values().map(|topic| topic.bytes).sum();
        print_line(format_args!(
            "{count} messages, {:.1} MB, {:.3} s from {:.3}",
            bytes as f64 / 1e6,
            seconds(last - first),
            seconds(first)
        ))?;
    }
    for (name, topic) in &index.topics {
        let BagTopic { kind, count, bytes, image, .. } = topic;
        let rate = topic.rate().map_or(String::new(), |rate| format!(", {rate:.1} Hz"));
        let image = image.as_ref().map_or(String::new(), |image| format!(", {image}"));
        print_line(format_args!("{name}: {kind}, {count} messages{rate}, {:.1} MB{image}", *bytes as f64 / 1e6))?;
    }
    if let Some(lost) = &index.truncation {
        print_line(format_args!("not all could be read: {lost}"))?;
    }
    Ok(())
}
