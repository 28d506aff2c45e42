//! `referseg bag info`: what a recording holds.

use crate::progress::ReadingBar;
use crate::stdout::print_line;
use clap::Subcommand;
use referseg::recordings::bag::{Bag, Order};
use referseg::replay::{BagIndex, BagTopic};
use referseg::Result;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show the topics of a recording: types, counts, rates, image formats, time, unreadable parts. Exit status: 0 whole,
    /// 1 incomplete, 2 error
    Info {
        /// A folder of rosbag2, an .mcap or .db3 file (also .zstd), or a .bag of ROS 1
        bag: PathBuf,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

pub fn run(arguments: &Arguments) -> Result<u8> {
    let Action::Info { bag: path, json } = &arguments.action;
    let bag = Bag::open(path)?;
    if let Some(warning) = &bag.warning {
        eprintln!("referseg: {warning}");
    }
    let bar = ReadingBar::new(std::slice::from_ref(&bag), 1);
    let index = BagIndex::of(&bag, || bar.show())?;
    drop(bar);
    if *json {
        print_line(serde_json::to_string(&index).map_err(|cause| referseg::Error::Message(cause.to_string()))?)?;
    } else {
        in_words(&index)?;
    }
    let is_readable = !index.topics.is_empty() || index.unread.is_empty();
    Ok(if index.truncation.is_none() && is_readable { 0 } else { 1 })
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
    for (name, unread) in &index.unread {
        let referseg::recordings::bag::Unread { kind, count, reason } = unread;
        print_line(format_args!("{name}: {kind}, {count} messages that can't be read: {reason}"))?;
    }
    for (name, kind) in &index.without_messages {
        print_line(format_args!("{name}: {kind}, no messages"))?;
    }
    for file in &index.files {
        let compression = match (file.compression.as_str(), index.has_compressed_messages) {
            ("", _) => "",
            (_, true) => ", zstd messages",
            ("none", false) => ", not compressed",
            (name, false) => &format!(", {name}"),
        };
        let storage = if file.storage.is_empty() { "of no known format" } else { file.storage };
        print_line(format_args!("{}: {storage}{compression}, {:.1} MB", file.path.display(), file.bytes as f64 / 1e6))?;
    }
    match index.order {
        Order::ByTime => {}
        Order::Nearly => print_line("stored nearly in the order of time")?,
        Order::Other => {
            print_line("not stored in the order of time: replay needs a temporary file as large as what it reads")?
        }
    }
    if let Some(lost) = &index.truncation {
        print_line(format_args!("not all could be read: {lost}"))?;
    }
    Ok(())
}
