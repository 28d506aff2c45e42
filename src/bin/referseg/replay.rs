//! `referseg replay`: a recording in, a recording of the answers out.

use crate::ModelArguments;
use indicatif::{ProgressBar, ProgressStyle};
use referseg::bag::{Bag, Writer};
use referseg::replay::{self, Commands, Options, Survey};
use referseg::scoring::Status;
use referseg::segmenter::Segmenter;
use referseg::worker::Mode;
use referseg::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The recording: a folder of rosbag2, an .mcap or a .db3 file (also .zstd)
    bag: PathBuf,
    /// The answers are written here, over what was there
    #[arg(long, value_name = "FILE.mcap")]
    out: PathBuf,
    /// What to find, from the beginning
    #[arg(long, conflicts_with_all = ["timetable", "command_topic"])]
    text: Option<String>,
    /// What to find when: YAML, a list of {at: SECONDS after the first image, say: TEXT}
    #[arg(long, value_name = "FILE", conflicts_with = "command_topic")]
    timetable: Option<PathBuf>,
    /// The topic of the recording that holds the commands [default: /command]
    #[arg(long, value_name = "TOPIC")]
    command_topic: Option<String>,
    /// The image topic, raw or compressed; may be given several times [default: the only one]
    #[arg(long, value_name = "TOPIC")]
    image_topic: Vec<String>,
    /// All image topics
    #[arg(long, conflicts_with = "image_topic")]
    all: bool,
    /// continuous (every frame) or once (the first frame after each command)
    #[arg(long, default_value = "continuous")]
    mode: String,
    /// Leave the overlays out
    #[arg(long)]
    no_overlays: bool,
    /// Write a page with a timeline and pictures here
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mode = Mode::parse(&arguments.mode)?;
    let bag = Bag::open(&arguments.bag)?;
    if let Some(oddity) = &bag.oddity {
        eprintln!("referseg: {oddity}");
    }
    let survey = Survey::of(&bag)?;
    let images = images(arguments, &survey)?;
    let commands = match (&arguments.text, &arguments.timetable) {
        (Some(text), _) => Commands::Text(text.clone()),
        (None, Some(path)) => Commands::timetable(path)?,
        (None, None) => {
            let topic = arguments.command_topic.as_deref().unwrap_or("/command");
            if !survey.topics.contains_key(topic) {
                let fact = "is not in the recording; give --text, --timetable or --command-topic";
                return Err(Error::config(format!("topic {topic}"), fact));
            }
            Commands::Topic(topic.into())
        }
    };
    let frames = images.iter().filter_map(|topic| survey.topics.get(topic)).map(|(_, count)| *count).sum();
    let segmenter = Segmenter::open(arguments.model.config()?)?;
    let bar = ProgressBar::new(frames);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} frames, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let options = Options { images, commands, mode, overlays: !arguments.no_overlays };
    let mut writer = Writer::create(&arguments.out)?;
    let summary = replay::replay(&bag, &survey, &options, segmenter, &mut writer, || bar.inc(1))?;
    writer.finish()?;
    bar.finish_and_clear();
    let statuses = [
        (Status::Found, "found"),
        (Status::Ambiguous, "ambiguous"),
        (Status::NotFound, "not found"),
        (Status::Error, "errors"),
    ];
    let counts = statuses.map(|(status, name)| format!("{} {name}", summary.count(status))).join(", ");
    println!("{} frames, {} answers: {counts}", summary.frames, summary.answers.len());
    if summary.unreadable > 0 {
        eprintln!("referseg: {} image messages could not be read", summary.unreadable);
    }
    if let Some(ended) = &summary.ended {
        eprintln!("referseg: the recording ended early: {ended}");
    }
    if let Some(path) = &arguments.report {
        let title = arguments.bag.file_name().map_or("recording".into(), |name| name.to_string_lossy());
        std::fs::write(path, replay::html(&title, &summary)?).map_err(Error::file(path))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn images(arguments: &Arguments, survey: &Survey) -> Result<Vec<String>> {
    let known = survey.image_topics();
    let named = |bag: &Path, fact: String| Error::Bag { path: bag.into(), fact };
    match (arguments.all, arguments.image_topic.as_slice(), known.as_slice()) {
        (_, _, []) => {
            let ended = survey.ended.as_ref().map_or(String::new(), |ended| format!(" ({ended})"));
            Err(named(&arguments.bag, format!("holds no images{ended}")))
        }
        (true, _, known) => Ok(known.iter().map(|topic| topic.to_string()).collect()),
        (false, [], [only]) => Ok(vec![only.to_string()]),
        (false, [], several) => {
            let fact = format!("has several image topics; choose with --image-topic or --all: {}", several.join(", "));
            Err(named(&arguments.bag, fact))
        }
        (false, chosen, _) => Ok(chosen.to_vec()),
    }
}
