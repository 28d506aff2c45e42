//! The player: a recording in, a recording of the answers out, without ROS and without leaving a frame out.
//!
//! The policy and the arithmetic are the node's own ([`Offline`], [`encode`]), so that the same frames get the same
//! answers. The same recording and settings give the same bytes.

use super::bag_index::BagIndex;
use super::commands::Commands;
use super::summary::{AnswerRecord, Summary};
use crate::answer::FrameResult;
use crate::camera::StampMatcher;
use crate::drawing;
use crate::error::{Error, Result};
use crate::grounding::Segmenter;
use crate::image::Frame;
use crate::proposals::GivenProposals;
use crate::runtime::{FrameReader, Mode, Offline, WorkerHost};
use crate::wire::bag::{Bag, Message, Writer};
use crate::wire::{
    encode, header, to_cdr, CompressedImage, GivenMessage, Image, Input, MessageType, Segmentation, Transport,
};

/// Thumbnails that the report shows.
const THUMBNAILS: u64 = 24;

/// How a recording is to be replayed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The image topics; at least one.
    pub images: Vec<String>,
    /// Where the commands come from.
    pub commands: Commands,
    /// The topic with proposals that somebody else found in the images, where they are asked for; for one image topic.
    pub proposals: Option<String>,
    /// When they are answered.
    pub mode: Mode,
    /// Whether overlays are written.
    pub overlays: bool,
}

/// A frame as it was recorded.
struct RecordedFrame {
    input: Input,
    log_time: u64,
    /// What somebody else found in it, or why there is nothing; `None` where that is not asked for.
    given: Option<std::result::Result<GivenMessage, String>>,
}

/// How far the stamps of an image and of its proposals may be apart, nanoseconds: the node's default.
const TOLERANCE: i64 = 20_000_000;

/// Reads recorded frames.
struct Recorded;

impl FrameReader<RecordedFrame> for Recorded {
    fn decode(&self, _: usize, frame: &RecordedFrame) -> Result<Frame> {
        frame.input.frame()
    }

    fn stamp(&self, frame: &RecordedFrame) -> Option<i64> {
        Some(frame.input.header.stamp.nanoseconds())
    }

    fn given(&self, frame: &RecordedFrame) -> Option<std::result::Result<GivenProposals, String>> {
        let given = frame.given.as_ref()?;
        Some(given.as_ref().map_err(String::clone).and_then(|given| given.read().map_err(|error| error.to_string())))
    }
}

/// Writes results into a recording.
struct Recorder<'a> {
    writer: &'a mut Writer,
    cameras: Vec<String>,
    overlays: bool,
    answers: Vec<AnswerRecord>,
    /// Every so many answers have a thumbnail.
    thumbnail_every: u64,
    failed: Option<Error>,
}

impl Recorder<'_> {
    fn write<T: MessageType + serde::Serialize>(
        &mut self,
        camera: usize,
        last: &str,
        at: u64,
        message: &T,
    ) -> Result<()> {
        let name = &self.cameras[camera];
        let topic = if name.is_empty() { format!("/referseg/{last}") } else { format!("/referseg/{name}/{last}") };
        self.writer.write(&Message { topic, kind: T::TYPE.into(), log_time: at, cdr: to_cdr(message)? })
    }

    fn record(&mut self, frame: &RecordedFrame, result: &FrameResult) -> Result<()> {
        let (header, camera, at) = (&frame.input.header, result.camera, frame.log_time);
        let mask = encode::mask(header, result);
        let name = self.cameras[camera].clone();
        let message: Segmentation = encode::segmentation(header, &name, result, &mask, None);
        self.write(camera, "segmentation", at, &message)?;
        let Some(image) = result.frame else { return Ok(()) };
        self.write::<Image>(camera, "mask", at, &mask)?;
        if self.overlays {
            let overlay = encode::overlay(header, image, result);
            self.write::<CompressedImage>(camera, "overlay/compressed", at, &encode::compressed(&overlay)?)?;
        }
        Ok(())
    }
}

impl WorkerHost<RecordedFrame> for Recorder<'_> {
    type Reply = ();

    fn wanted(&self, _: usize) -> bool {
        self.failed.is_none()
    }

    fn problem(&mut self, text: &str) {
        self.failed.get_or_insert(Error::Message(text.into()));
    }

    fn deliver(&mut self, frame: &RecordedFrame, result: &FrameResult) {
        if let Err(error) = self.record(frame, result) {
            self.failed.get_or_insert(error);
        }
        let wanted = (self.answers.len() as u64).is_multiple_of(self.thumbnail_every);
        let drawn = |frame: &Frame| Frame::new(frame.width(), frame.height(), drawing::describe(frame, result)).ok();
        let thumbnail = result.frame.filter(|_| wanted).and_then(drawn).and_then(|drawn| drawing::thumbnail(&drawn));
        self.answers.push(AnswerRecord {
            camera: self.cameras[result.camera].clone(),
            log_time: frame.log_time,
            command: result.command.text.clone(),
            target: result.target().into(),
            status: result.status(),
            reason: result.reason(),
            score: result.score(),
            thumbnail,
        });
    }
}

/// The name of a topic's camera among several: the whole topic, since `/a/b` and `/a_b` are two cameras.
fn camera_name(topic: &str) -> String {
    topic.trim_matches('/').into()
}

/// Replays a recording into another. `on_frame` is called for every frame.
///
/// # Errors
/// When a topic is not there or the answers can't be written.
pub fn replay(
    bag: &Bag,
    index: &BagIndex,
    options: &Options,
    segmenter: Segmenter,
    writer: &mut Writer,
    mut on_frame: impl FnMut(),
) -> Result<Summary> {
    let mut transports = Vec::new();
    for topic in &options.images {
        let kind = index.topics.get(topic).map_or("", |topic| topic.kind.as_str());
        let transport = Transport::of_type(kind).ok_or_else(|| {
            let known = index.image_topics().join(", ");
            Error::config(format!("topic {topic}"), format!("holds no images; topics with images: {known}"))
        })?;
        transports.push(transport);
    }
    let several = options.images.len() > 1;
    let cameras = options.images.iter().map(|topic| if several { camera_name(topic) } else { String::new() });
    let frames: u64 = options.images.iter().filter_map(|topic| index.topics.get(topic)).map(|topic| topic.count).sum();
    let recorder = Recorder {
        writer,
        cameras: cameras.collect(),
        overlays: options.overlays,
        answers: Vec::new(),
        thumbnail_every: frames.div_ceil(THUMBNAILS).max(1),
        failed: None,
    };
    let mut work = Offline::new(segmenter, options.mode, options.images.len(), Recorded, recorder);
    let first = index.first_image.unwrap_or_default();
    let mut schedule = options.commands.schedule(bag, first)?.into_iter().peekable();
    let mut summary = Summary::default();
    let mut waiting: StampMatcher<RecordedFrame, GivenMessage> = StampMatcher::default();
    let without = |matcher: &StampMatcher<RecordedFrame, GivenMessage>, frame: RecordedFrame| {
        let reason = matcher.reason(frame.input.header.stamp.nanoseconds(), TOLERANCE);
        RecordedFrame { given: Some(Err(reason)), ..frame }
    };
    let with = |(frame, given): (RecordedFrame, GivenMessage)| RecordedFrame { given: Some(Ok(given)), ..frame };
    summary.truncation = bag.read(
        |topic, _| options.images.iter().any(|image| image == topic) || options.proposals.as_deref() == Some(topic),
        |message| {
            if options.proposals.as_ref() == Some(&message.topic) {
                let stamp = match header(&message.cdr) {
                    Ok(header) => header.stamp.nanoseconds(),
                    Err(error) => {
                        summary.add_unreadable(&message.topic, error);
                        return Ok(());
                    }
                };
                let Some(given) = GivenMessage::of_type(&message.kind, message.cdr) else {
                    let fact =
                        format!("type {}; expected sensor_msgs/Image or vision_msgs/Detection2DArray", message.kind);
                    summary.add_unreadable(&message.topic, fact);
                    return Ok(());
                };
                let (passed, found) = waiting.given(stamp, given, TOLERANCE);
                let passed: Vec<_> = passed.into_iter().map(|frame| without(&waiting, frame)).collect();
                passed.into_iter().chain(found.map(with)).for_each(|frame| work.show(0, frame));
                return Ok(());
            }
            let Some(camera) = options.images.iter().position(|image| *image == message.topic) else { return Ok(()) };
            while let Some((_, text)) = schedule.next_if(|(at, _)| *at <= message.log_time) {
                work.command(None, text);
            }
            match Input::new(transports[camera], message.cdr) {
                Ok(input) => {
                    let frame = RecordedFrame { input, log_time: message.log_time, given: None };
                    if options.proposals.is_none() {
                        work.show(camera, frame);
                    } else {
                        let stamp = frame.input.header.stamp.nanoseconds();
                        let (found, crowded) = waiting.frame(stamp, frame, TOLERANCE);
                        let crowded = crowded.map(|frame| without(&waiting, frame));
                        crowded.into_iter().chain(found.map(with)).for_each(|frame| work.show(camera, frame));
                    }
                }
                Err(error) => summary.add_unreadable(&message.topic, error),
            }
            summary.frames += 1;
            on_frame();
            Ok(())
        },
    )?;
    for frame in waiting.all_frames() {
        let frame = without(&waiting, frame);
        work.show(0, frame);
    }
    let recorder = work.finish();
    if let Some(error) = recorder.failed {
        return Err(error);
    }
    summary.answers = recorder.answers;
    Ok(summary)
}
