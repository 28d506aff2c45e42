//! `referseg replay`: a recording in, a recording of the answers out.

use crate::progress::{self, ReadingBar};
use crate::segmenters::Segmenters;
use crate::stdout::print_line;
use crate::ModelArguments;
use referseg::answer::Status;
use referseg::camera::{DepthGeometry, Rectified};
use referseg::drawing::Captions;
use referseg::files::atomic_file::{refuse_inputs, AtomicFile};
use referseg::recordings::bag::{Bag, Writer};
use referseg::recordings::{MessageType, Text, TfMessage};
use referseg::replay::{self, BagIndex, Commands, DepthTopics, Options, OtherFrames, Selection};
use referseg::runtime::Mode;
use referseg::{Error, Result};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Reasons of errors that the console shows.
const REASONS: usize = 5;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The recording: a folder of rosbag2, an .mcap or .db3 file (also .zstd), or a .bag of ROS 1
    bag: PathBuf,
    /// Recording of the answers; an existing file is replaced
    #[arg(long, value_name = "FILE.mcap")]
    out: PathBuf,
    /// The command, from the start of the recording
    #[arg(long, conflicts_with_all = ["timetable", "command_topic"])]
    text: Option<String>,
    /// Timetable of commands: YAML, a list of {at: SECONDS after the first image, say: TEXT}
    #[arg(long, value_name = "FILE", conflicts_with = "command_topic")]
    timetable: Option<PathBuf>,
    /// Topic with the commands [default: /command]
    #[arg(long, value_name = "TOPIC")]
    command_topic: Option<String>,
    /// Image topic, raw or compressed; repeatable [default: the only one]
    #[arg(long, value_name = "TOPIC")]
    image_topic: Vec<String>,
    /// Use all image topics
    #[arg(long, conflicts_with = "image_topic")]
    all: bool,
    /// Topic with external proposals, for --proposals topic: label images or Detection2DArray
    #[arg(long, value_name = "TOPIC")]
    proposals_topic: Option<String>,
    /// Topic with depth images aligned with the images: raw, PNG or compressedDepth [default: the only one]
    #[arg(long, value_name = "TOPIC")]
    depth_topic: Option<String>,
    /// Topic with the depth camera's calibration [default: camera_info beside the depth or the image]
    #[arg(long, value_name = "TOPIC", requires = "depth_topic")]
    camera_info_topic: Option<String>,
    /// Metres of one unit of 16-bit depth images
    #[arg(long, value_name = "METRES", default_value_t = DepthGeometry::default().metres_per_unit)]
    depth_scale: f64,
    /// Whether the depth images are rectified: auto (by the topics' names), true or false
    #[arg(long, value_name = "WHETHER", default_value = "auto")]
    rectified: String,
    /// Ignore depth
    #[arg(long, conflicts_with = "depth_topic")]
    no_depth: bool,
    /// Topics of the transforms that change, and of those that never do
    #[arg(long, num_args = 2, value_names = ["TF", "TF_STATIC"], default_values = ["/tf", "/tf_static"])]
    tf_topics: Vec<String>,
    /// Frame of the 3D outputs, by the recording's transforms [default: the image's]
    #[arg(long, value_name = "FRAME")]
    target_frame: Option<String>,
    /// Robot frame (x forward, y left, z up), for words such as 'on your left'
    #[arg(long, value_name = "FRAME")]
    reference_frame: Option<String>,
    /// Skip frames before this time, seconds after the first image
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    start: Option<f64>,
    /// Skip frames after this time, seconds after the first image
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    end: Option<f64>,
    /// Use every N-th frame of each image topic
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    /// Use at most N frames
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// continuous (every frame) or once (the first frame after each command)
    #[arg(long, default_value = "continuous")]
    mode: String,
    /// Track what was found in every frame, also those that --every or --mode once skip, and write ~/track
    #[arg(long)]
    track: bool,
    /// Write no overlays
    #[arg(long)]
    no_overlays: bool,
    /// Text on the overlays: line, or terms (also command, reading and scoring terms, below the image)
    #[arg(long, default_value = "line", conflicts_with = "no_overlays")]
    captions: String,
    /// Write a report page
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Write the counts, also per command, as JSON
    #[arg(long, value_name = "FILE.json")]
    summary: Option<PathBuf>,
    /// Exit with 3 if not all of the recording could be read, or no frame could be answered
    #[arg(long)]
    strict: bool,
}

pub fn run(arguments: &Arguments, segmenters: &mut Segmenters) -> Result<u8> {
    let mode = Mode::parse(&arguments.mode)?;
    let mut inputs = vec![arguments.bag.as_path()];
    inputs.extend(arguments.timetable.as_deref());
    inputs.extend(arguments.model.config.as_deref());
    let outputs = [Some(&arguments.out), arguments.report.as_ref(), arguments.summary.as_ref()];
    for output in outputs.into_iter().flatten() {
        refuse_inputs(output, &inputs)?;
    }
    let bag = Bag::open(&arguments.bag)?;
    if let Some(warning) = &bag.warning {
        eprintln!("referseg: {warning}");
    }
    let bar = ReadingBar::new(std::slice::from_ref(&bag), 1);
    let index = BagIndex::of(&bag, || bar.show())?;
    drop(bar);
    let images = images(arguments, &index)?;
    let commands = match (&arguments.text, &arguments.timetable) {
        (Some(text), _) => Commands::Text(text.clone()),
        (None, Some(path)) => Commands::timetable(path)?,
        (None, None) => {
            let topic = &index.named(arguments.command_topic.as_deref().unwrap_or("/command"));
            if !index.topics.contains_key(topic) {
                let fact = "is not in the recording; give --text, --timetable or --command-topic";
                return Err(Error::config(format!("topic {topic}"), fact));
            }
            let kind = index.topics.get(topic).map_or("", |topic| topic.kind.as_str());
            if kind != Text::TYPE {
                let texts = index.topics.iter().filter(|(_, topic)| topic.kind == Text::TYPE);
                let texts: Vec<&str> = texts.map(|(name, _)| name.as_str()).collect();
                let known = if texts.is_empty() { "none".into() } else { texts.join(", ") };
                let fact = format!("holds {kind}; expected std_msgs/String, topics of the recording with it: {known}");
                return Err(Error::config(format!("topic {topic}"), fact));
            }
            Commands::Topic(topic.clone())
        }
    };
    let selection =
        Selection { start: arguments.start, end: arguments.end, every: arguments.every, limit: arguments.limit };
    let frames: u64 = images.iter().filter_map(|topic| index.topics.get(topic)).map(|topic| topic.count).sum();
    let frames = (frames / arguments.every.unwrap_or(1)).min(arguments.limit.unwrap_or(u64::MAX));
    let depth = depth(arguments, &index, &images)?;
    let config = arguments.model.config()?;
    let proposals = proposals_topic(arguments, &index, config.proposals_follow_from_frames(), images.len())?;
    let settings = [
        ("model", config.model.display().to_string()),
        ("preset", format!("{:?}", config.preset).to_lowercase()),
        ("method", config.method.to_string()),
        ("guidance", format!("{:?}", config.guidance).to_lowercase()),
        ("proposals", config.proposals.generator.to_string()),
        ("thresholds", format!("score {}, margin {}", config.answer.min_score, config.answer.min_margin)),
        ("set", arguments.model.set.join(" ")),
        ("mode", arguments.mode.clone()),
    ];
    let settings = settings.map(|(name, value)| (name.to_string(), value));
    let segmenter = segmenters.take(config)?;
    let bar = progress::bar(frames, "frames");
    let overlays = if arguments.no_overlays { None } else { Some(Captions::parse(&arguments.captions)?) };
    let frames = OtherFrames {
        // tf had a slash before frames
        target: arguments.target_frame.as_deref().unwrap_or_default().trim_start_matches('/').into(),
        reference: arguments.reference_frame.as_deref().unwrap_or_default().trim_start_matches('/').into(),
        topics: [0, 1].map(|at| arguments.tf_topics.get(at).map(|topic| index.named(topic)).unwrap_or_default()),
    };
    if !frames.is_empty() && !frames.topics.iter().any(|topic| index.topics.contains_key(topic)) {
        let others =
            index.topics.iter().filter(|(_, topic)| topic.kind == TfMessage::TYPE).map(|(name, _)| name.as_str());
        let others = others.collect::<Vec<_>>().join(", ");
        let remedy = if others.is_empty() { String::new() } else { format!("; give --tf-topics; there is {others}") };
        let [moving, fixed] = &frames.topics;
        return Err(Error::config(
            "--target-frame or --reference-frame",
            format!("the recording has neither {moving} nor {fixed}{remedy}"),
        ));
    }
    let options =
        Options { images, commands, proposals, depth, mode, selection, overlays, frames, tracking: arguments.track };
    if arguments.report.as_deref().is_some_and(|report| is_same_place(report, &arguments.out)) {
        return Err(Error::config(
            "--report",
            format!("{} is --out, too; give it a path of its own", arguments.out.display()),
        ));
    }
    let mut writer = Writer::create(&arguments.out, &inputs)?;
    // now, so that a report that can't be written does not cost the time of a replay
    let report = arguments.report.as_deref().map(|path| AtomicFile::create(path, &inputs)).transpose()?;
    let (summary, segmenter) = replay::replay(&bag, &index, &options, segmenter, &mut writer, || bar.inc(1))?;
    segmenters.keep(segmenter);
    writer.finish()?;
    bar.finish_and_clear();
    let statuses = [
        (Status::Found, "found"),
        (Status::Ambiguous, "ambiguous"),
        (Status::NotFound, "not found"),
        (Status::Error, "errors"),
    ];
    let counts = statuses.map(|(status, name)| format!("{} {name}", summary.count(status))).join(", ");
    print_line(format_args!("{} frames, {} answers: {counts}", summary.frames, summary.answers.len()))?;
    if arguments.track {
        print_line(format_args!("tracked: {} updates, {} lost", summary.tracked, summary.lost))?;
    }
    if summary.unreadable < summary.frames && summary.answers.is_empty() {
        eprintln!("referseg: no command was given before or while these frames were recorded");
    }
    if summary.unreadable > 0 {
        let why = summary.unreadable_reason.as_deref().unwrap_or_default();
        eprintln!("referseg: {} messages could not be read; the first, {why}", summary.unreadable);
    }
    let errors = summary.errors();
    for (reason, count) in errors.iter().take(REASONS) {
        eprintln!("referseg: {count} errors: {reason}");
    }
    if errors.len() > REASONS {
        eprintln!("referseg: {} other reasons; --report shows them", errors.len() - REASONS);
    }
    if let Some(why) = &summary.truncation {
        eprintln!("referseg: the recording is truncated: {why}");
    }
    if let Some(report) = report {
        let title = arguments.bag.file_name().map_or("recording".into(), |name| name.to_string_lossy());
        let page = replay::html(&title, &settings, &summary)?;
        report.file()?.write_all(page.as_bytes()).map_err(Error::file(report.path()))?;
        report.commit()?;
    }
    if let Some(path) = &arguments.summary {
        AtomicFile::write(path, &inputs, summary.json()?.as_bytes())?;
    }
    let failed = arguments.strict && !(summary.is_complete() && bag.warning.is_none());
    Ok(if failed { 3 } else { 0 })
}

/// The topic of others' proposals; it must be there when they are asked for, and only then.
fn proposals_topic(arguments: &Arguments, index: &BagIndex, own: bool, cameras: usize) -> Result<Option<String>> {
    let wrong = |fact: String| Err(Error::config("--proposals-topic", fact));
    let given = arguments.proposals_topic.as_deref().map(|topic| index.named(topic));
    match (&given, own) {
        (None, true) => Ok(None),
        (None, false) => wrong("is not given; --proposals topic needs it".into()),
        (Some(_), true) => wrong("is read with --proposals topic alone; add it".into()),
        (Some(topic), false) if !index.topics.contains_key(topic) => {
            let known: Vec<&str> = index.topics.keys().map(String::as_str).collect();
            wrong(format!("no topic {topic} in the recording; there is {}", known.join(", ")))
        }
        (Some(_), false) if cameras > 1 => wrong(format!("{cameras} image topics; choose one with --image-topic")),
        (Some(topic), false) => Ok(Some(topic.clone())),
    }
}

/// Seconds on the command line.
fn seconds(text: &str) -> std::result::Result<f64, String> {
    text.parse().ok().filter(|seconds| (0.0..1e9).contains(seconds)).ok_or("expected seconds, 0 or more".into())
}

/// The depth of the recording: what is asked for, or what can only be meant.
fn depth(arguments: &Arguments, index: &BagIndex, images: &[String]) -> Result<Option<DepthTopics>> {
    let wrong = |fact: String| Err(Error::config("--depth-topic", fact));
    // a label image may be written as depth is
    let proposals = arguments.proposals_topic.as_deref().map(|topic| index.named(topic));
    let known: Vec<&str> =
        index.depth_topics().into_iter().filter(|topic| proposals.as_deref() != Some(*topic)).collect();
    let given = arguments.depth_topic.as_deref().map(|topic| index.named(topic));
    let depth = match (given, known.as_slice(), images) {
        _ if arguments.no_depth => return Ok(None),
        (Some(_), _, [_, _, ..]) => {
            return wrong(format!("{} image topics; choose one with --image-topic", images.len()));
        }
        (Some(topic), ..) if !index.topics.contains_key(&topic) => {
            return wrong(format!("no topic {topic} in the recording; topics with depth: {}", known.join(", ")));
        }
        (Some(topic), ..) => topic,
        (None, [], _) => return Ok(None),
        (None, [one], [_]) => (*one).into(),
        (None, several, _) => {
            let cameras = if images.len() > 1 { " and --image-topic" } else { "" };
            eprintln!("referseg: depth is not used; choose with --depth-topic{cameras}: {}", several.join(", "));
            return Ok(None);
        }
    };
    if !(arguments.depth_scale.is_finite() && arguments.depth_scale > 0.0) {
        return Err(Error::config("--depth-scale", format!("{}; expected metres, more than 0", arguments.depth_scale)));
    }
    let geometry = DepthGeometry {
        metres_per_unit: arguments.depth_scale,
        is_rectified: Rectified::parse(&arguments.rectified)?.holds(&[&depth, &images[0]]),
    };
    let info = arguments.camera_info_topic.as_deref().map(|topic| index.named(topic));
    match info.or_else(|| index.camera_info_of(&depth, &images[0])) {
        Some(camera_info) => Ok(Some(DepthTopics { depth, camera_info, geometry })),
        None if arguments.depth_topic.is_some() => {
            Err(Error::config("--camera-info-topic", format!("no camera_info beside {depth}; give its topic")))
        }
        None => {
            eprintln!("referseg: depth of {depth} is not used: no camera_info beside it; give --depth-topic and --camera-info-topic");
            Ok(None)
        }
    }
}

/// Whether two outputs would be written to one place; neither needs to be there.
fn is_same_place(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some((folder.canonicalize().ok()?, path.file_name()?.to_os_string()))
    };
    one == other || whole(one).is_some_and(|one| Some(one) == whole(other))
}

fn images(arguments: &Arguments, index: &BagIndex) -> Result<Vec<String>> {
    // label images are no camera's
    let given = arguments.proposals_topic.as_deref().map(|topic| index.named(topic));
    let is_given = |topic: &&str| given.as_deref() == Some(*topic);
    let known: Vec<&str> = index.image_topics().into_iter().filter(|topic| !is_given(topic)).collect();
    let named = |bag: &Path, fact: String| Error::Bag { path: bag.into(), fact };
    match (arguments.image_topic.as_slice(), known.as_slice()) {
        ([_, ..], _) => Ok(arguments.image_topic.iter().map(|topic| index.named(topic)).collect()),
        ([], []) => {
            let topics = index.topics.iter().map(|(name, topic)| {
                let image = topic.image.as_ref().map_or(String::new(), |image| format!(", {image}"));
                format!("{name} ({}{image})", topic.kind)
            });
            let unread = index.unread.iter().map(|(name, unread)| format!("{name} (not readable: {})", unread.reason));
            let silent = index.without_messages.iter().map(|(name, kind)| format!("{name} ({kind}, no messages)"));
            let topics = topics.chain(unread).chain(silent).collect::<Vec<_>>().join(", ");
            let topics = if topics.is_empty() { "no messages at all".into() } else { topics };
            let truncation = index.truncation.as_ref().map_or(String::new(), |why| format!("; {why}"));
            let fact = format!("holds no colour or grey images; it has {topics}{truncation}");
            Err(named(&arguments.bag, fact))
        }
        ([], known) if arguments.all || known.len() == 1 => Ok(known.iter().map(|topic| topic.to_string()).collect()),
        ([], several) => {
            let fact = format!("has several image topics; choose with --image-topic or --all: {}", several.join(", "));
            Err(named(&arguments.bag, fact))
        }
    }
}
