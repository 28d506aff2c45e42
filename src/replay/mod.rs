//! Replay: a recording in, a recording of the answers out, without ROS and without leaving a frame out.
//!
//! The policy and the arithmetic are the node's own ([`InOrder`], [`encode`]), so that the same frames get the same
//! answers. The same recording and settings give the same bytes.

pub mod compare;
mod report;

pub use report::html;

use crate::bag::{Bag, Ended, Message, Writer};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::messages::decode::{self, Input, Transport};
use crate::messages::{encode, to_cdr, CompressedImage, Image, Named, Segmentation, Text};
use crate::outcome::Outcome;
use crate::overlay;
use crate::scoring::Status;
use crate::segmenter::Segmenter;
use crate::thumbnail::thumbnail;
use crate::worker::{Around, InOrder, Mode};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Pictures that the report shows.
const PICTURES: u64 = 24;

/// Where the commands come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Commands {
    /// A `std_msgs/String` topic of the recording.
    Topic(String),
    /// Seconds after the first image, and what is said then.
    Timetable(Vec<(f64, String)>),
    /// One, from the beginning.
    Text(String),
}

/// One line of a timetable file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Seconds after the first image.
    at: f64,
    /// The command; empty clears.
    say: String,
}

impl Commands {
    /// Reads a timetable: YAML, a list of `{at: SECONDS, say: TEXT}`.
    ///
    /// # Errors
    /// When the file can't be read or is none.
    pub fn timetable(path: &Path) -> Result<Commands> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        let refused = |fact: String| Error::config(path.display().to_string(), fact);
        let lines: Vec<Line> = serde_yaml::from_str(&text)
            .map_err(|cause| refused(format!("{cause}; expected a list of {{at: SECONDS, say: TEXT}}")))?;
        if let Some(line) = lines.iter().find(|line| !(0.0..1e9).contains(&line.at)) {
            return Err(refused(format!("at: {} is no time; expected seconds after the first image", line.at)));
        }
        let mut lines: Vec<_> = lines.into_iter().map(|line| (line.at, line.say)).collect();
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Commands::Timetable(lines))
    }
}

/// What a recording holds, found by reading it once.
#[derive(Debug, Default)]
pub struct Survey {
    /// Every topic with its type and how many messages it has.
    pub topics: BTreeMap<String, (String, u64)>,
    /// Serialised texts of `std_msgs/String` topics: topic, time, bytes.
    texts: Vec<(String, u64, Vec<u8>)>,
    /// When the first image was recorded.
    first_image: Option<u64>,
    /// How the reading ended.
    pub ended: Ended,
}

impl Survey {
    /// Reads a recording through.
    ///
    /// # Errors
    /// None of its own.
    pub fn of(bag: &Bag) -> Result<Survey> {
        let mut survey = Survey::default();
        survey.ended = bag.read(
            |_, _| true,
            |message| {
                let Message { topic, kind, recorded, cdr } = message;
                if Transport::of_type(&kind).is_some() {
                    survey.first_image = Some(survey.first_image.map_or(recorded, |first| first.min(recorded)));
                }
                if kind == Text::TYPE {
                    survey.texts.push((topic.clone(), recorded, cdr));
                }
                survey.topics.entry(topic).or_insert((kind, 0)).1 += 1;
                Ok(())
            },
        )?;
        Ok(survey)
    }

    /// The topics that hold pictures.
    pub fn image_topics(&self) -> Vec<&str> {
        let images = self.topics.iter().filter(|(_, (kind, _))| Transport::of_type(kind).is_some());
        images.map(|(topic, _)| topic.as_str()).collect()
    }

    /// When which command is said: nanoseconds, and the text or why there is none.
    fn schedule(&self, commands: &Commands) -> Vec<(u64, Result<String>)> {
        let first = self.first_image.unwrap_or_default();
        match commands {
            Commands::Text(text) => vec![(0, Ok(text.clone()))],
            Commands::Timetable(lines) => {
                let at = |seconds: f64| first + (seconds * 1e9).round() as u64;
                lines.iter().map(|(seconds, text)| (at(*seconds), Ok(text.clone()))).collect()
            }
            Commands::Topic(topic) => {
                let said = self.texts.iter().filter(|(known, ..)| known == topic);
                let mut said: Vec<_> = said.map(|(_, at, cdr)| (*at, decode::text(cdr))).collect();
                said.sort_by_key(|(at, _)| *at);
                said
            }
        }
    }
}

/// How a recording is to be replayed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The image topics; at least one.
    pub images: Vec<String>,
    /// Where the commands come from.
    pub commands: Commands,
    /// When they are answered.
    pub mode: Mode,
    /// Whether overlays are written.
    pub overlays: bool,
}

/// One answer, for summary and report.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The camera; empty when there is one alone.
    pub camera: String,
    /// When the frame was recorded, nanoseconds since the epoch.
    pub recorded: u64,
    /// The command.
    pub command: String,
    /// The noun phrase of the thing meant.
    pub target: String,
    /// The status.
    pub status: Status,
    /// Why it is not found.
    pub reason: String,
    /// The score.
    pub score: f32,
    /// A small picture for the report, for some of the answers.
    picture: Option<String>,
}

/// What came of a replay.
#[derive(Debug, Default)]
pub struct Summary {
    /// Frames shown.
    pub frames: u64,
    /// The answers, in the order in which they were made.
    pub answers: Vec<Answered>,
    /// How the reading ended.
    pub ended: Ended,
    /// Image messages that could not be read at all.
    pub unreadable: u64,
}

impl Summary {
    /// How many answers have a status.
    pub fn count(&self, status: Status) -> usize {
        self.answers.iter().filter(|answer| answer.status == status).count()
    }
}

/// A frame as it was recorded.
struct Recorded {
    input: Input,
    at: u64,
}

/// Writes outcomes into a recording.
struct Recorder<'a> {
    writer: &'a mut Writer,
    cameras: Vec<String>,
    overlays: bool,
    answers: Vec<Answered>,
    /// Every so many answers have a picture.
    pictured: u64,
    failed: Option<Error>,
}

impl Recorder<'_> {
    fn write<T: Named + serde::Serialize>(&mut self, camera: usize, last: &str, at: u64, message: &T) -> Result<()> {
        let name = &self.cameras[camera];
        let topic = if name.is_empty() { format!("/referseg/{last}") } else { format!("/referseg/{name}/{last}") };
        self.writer.write(&Message { topic, kind: T::TYPE.into(), recorded: at, cdr: to_cdr(message)? })
    }

    fn record(&mut self, frame: &Recorded, outcome: &Outcome) -> Result<()> {
        let (header, camera, at) = (&frame.input.header, outcome.camera, frame.at);
        let mask = encode::mask(header, outcome);
        let name = self.cameras[camera].clone();
        let message: Segmentation = encode::segmentation(header, &name, outcome, &mask, None);
        self.write(camera, "segmentation", at, &message)?;
        let Some(picture) = outcome.frame else { return Ok(()) };
        self.write::<Image>(camera, "mask", at, &mask)?;
        if self.overlays {
            let overlay = encode::overlay(header, picture, outcome);
            self.write::<CompressedImage>(camera, "overlay/compressed", at, &encode::compressed(&overlay)?)?;
        }
        Ok(())
    }
}

impl Around<Recorded> for Recorder<'_> {
    type Reply = ();

    fn wanted(&self, _: usize) -> bool {
        self.failed.is_none()
    }

    fn decode(&self, _: usize, frame: &Recorded) -> Result<Frame> {
        frame.input.frame()
    }

    fn deliver(&mut self, frame: &Recorded, outcome: &Outcome) {
        if let Err(error) = self.record(frame, outcome) {
            self.failed.get_or_insert(error);
        }
        let wanted = (self.answers.len() as u64).is_multiple_of(self.pictured);
        let picture = outcome
            .frame
            .filter(|_| wanted)
            .and_then(|picture| thumbnail(&overlay::describe(picture, outcome), picture.width(), picture.height()));
        self.answers.push(Answered {
            camera: self.cameras[outcome.camera].clone(),
            recorded: frame.at,
            command: outcome.asked.text.clone(),
            target: outcome.target().into(),
            status: outcome.status(),
            reason: outcome.reason(),
            score: outcome.score(),
            picture,
        });
    }
}

/// The name of a topic's camera among several.
fn camera_name(topic: &str) -> String {
    topic.trim_matches('/').replace('/', "_")
}

/// Replays a recording into another. `shown` is told of every frame.
///
/// # Errors
/// When a topic is not there or the answers can't be written.
pub fn replay(
    bag: &Bag,
    survey: &Survey,
    options: &Options,
    segmenter: Segmenter,
    writer: &mut Writer,
    mut shown: impl FnMut(),
) -> Result<Summary> {
    let mut transports = Vec::new();
    for topic in &options.images {
        let kind = survey.topics.get(topic).map_or("", |(kind, _)| kind.as_str());
        let transport = Transport::of_type(kind).ok_or_else(|| {
            let known = survey.image_topics().join(", ");
            Error::config(format!("topic {topic}"), format!("holds no images; topics with images: {known}"))
        })?;
        transports.push(transport);
    }
    let several = options.images.len() > 1;
    let cameras = options.images.iter().map(|topic| if several { camera_name(topic) } else { String::new() });
    let frames: u64 = options.images.iter().filter_map(|topic| survey.topics.get(topic)).map(|(_, count)| count).sum();
    let recorder = Recorder {
        writer,
        cameras: cameras.collect(),
        overlays: options.overlays,
        answers: Vec::new(),
        pictured: frames.div_ceil(PICTURES).max(1),
        failed: None,
    };
    let mut work = InOrder::new(segmenter, options.mode, options.images.len(), recorder);
    let mut schedule = survey.schedule(&options.commands).into_iter().peekable();
    let mut summary = Summary::default();
    let ended = bag.read(
        |topic, _| options.images.iter().any(|image| image == topic),
        |message| {
            let Some(camera) = options.images.iter().position(|image| *image == message.topic) else { return Ok(()) };
            while let Some((_, text)) = schedule.next_if(|(at, _)| *at <= message.recorded) {
                work.command(None, text)?;
            }
            match Input::new(transports[camera], message.cdr) {
                Ok(input) => work.show(camera, Recorded { input, at: message.recorded }),
                Err(_) => summary.unreadable += 1,
            }
            summary.frames += 1;
            shown();
            Ok(())
        },
    )?;
    let recorder = work.finish();
    if let Some(error) = recorder.failed {
        return Err(error);
    }
    summary.answers = recorder.answers;
    summary.ended = ended;
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timetable(text: &str) -> Result<Commands> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Commands::timetable(file.path())
    }

    #[test]
    fn a_timetable_is_sorted_and_checked() {
        let read = timetable("- {at: 2.5, say: the mug}\n- {at: 0, say: the box}\n").unwrap();
        assert_eq!(read, Commands::Timetable(vec![(0.0, "the box".into()), (2.5, "the mug".into())]));
        for wrong in ["- {at: -1, say: x}", "- {at: .nan, say: x}", "- {when: 1, say: x}", "{at: 1, say: x}"] {
            let said = timetable(wrong).unwrap_err().to_string();
            assert!(said.contains("expected"), "{said}");
        }
    }

    #[test]
    fn a_timetables_times_count_from_the_first_image() {
        let survey = Survey { first_image: Some(1_000_000_000), ..Default::default() };
        let said = survey.schedule(&Commands::Timetable(vec![(0.5, "the mug".into())]));
        assert_eq!(said[0].0, 1_500_000_000);
    }
}
