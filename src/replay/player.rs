//! The player: a recording in, a recording of the answers out, without ROS and without leaving a frame out.
//!
//! The policy and the arithmetic are the node's own ([`Offline`], [`encode`](crate::recordings::encode)), so that the same frames get the
//! same answers. The same recording and settings give the same bytes.

use super::bag_index::BagIndex;
use super::commands::Commands;
use super::recorded_frame::{FrameAssembly, RecordedFrame, RecordedFrames};
use super::recorded_transforms::{OtherFrames, RecordedTransforms};
use super::recorder::Recorder;
use super::summary::Summary;
use crate::camera::{CameraModel, DepthGeometry};
use crate::drawing::Captions;
use crate::grounding::Segmenter;
use crate::recordings::bag::{Bag, Message, Writer};
use crate::recordings::{
    convert, from_cdr, header, CameraInfo, DepthMessage, ExternalProposalsMessage, Input, Transport,
};
use crate::runtime::{Mode, Offline};
use crate::{Error, Result};
use std::ops::ControlFlow;

/// How much longer a recording is read for what belongs to the last frame, nanoseconds.
const GRACE: u64 = 1_000_000_000;

/// Which frames are replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Selection {
    /// None before so many seconds after the first image.
    pub start: Option<f64>,
    /// None after so many seconds after the first image.
    pub end: Option<f64>,
    /// Every so many frames of each topic.
    pub every: Option<u64>,
    /// At most so many, of all topics together.
    pub limit: Option<u64>,
}

impl Selection {
    /// The times between which frames are taken, nanoseconds since the epoch.
    fn span(&self, first_image: u64) -> (u64, u64) {
        let at = |seconds: f64| first_image.saturating_add((seconds * 1e9).round() as u64);
        (self.start.map_or(0, at), self.end.map_or(u64::MAX, at))
    }
}

/// The depth of a recording: its topic and that of its camera's calibration.
#[derive(Clone, Debug, PartialEq)]
pub struct DepthTopics {
    /// Images, raw, PNG or compressedDepth.
    pub depth: String,
    /// `sensor_msgs/CameraInfo`.
    pub camera_info: String,
    /// How its values become points.
    pub geometry: DepthGeometry,
}

/// How a recording is to be replayed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The image topics; at least one.
    pub images: Vec<String>,
    /// Where the commands come from.
    pub commands: Commands,
    /// The topic with proposals from another node, if they are used; for one image topic.
    pub proposals: Option<String>,
    /// The depth images aligned with the images; for one image topic.
    pub depth: Option<DepthTopics>,
    /// When commands are answered.
    pub mode: Mode,
    /// On which frames.
    pub selection: Selection,
    /// What is written on overlays; `None` leaves them out.
    pub overlays: Option<Captions>,
    /// Frames beside the images' own, by the recording's transforms.
    pub frames: OtherFrames,
    /// Whether what was found is followed into the frames after it, those between `selection.every` too.
    pub tracking: bool,
}

/// The name of a topic's camera among several: the whole topic, since `/a/b` and `/a_b` are two cameras.
fn camera_name(topic: &str) -> String {
    topic.trim_matches('/').into()
}

/// The first calibration of a camera in a recording: images may stand before it.
fn first_camera_info(bag: &Bag, topic: &str) -> Result<Option<CameraModel>> {
    let mut model = None;
    bag.read_as_stored(
        |name, _| name == topic,
        |message| {
            model = from_cdr::<CameraInfo>(&message.cdr).ok().map(|info| CameraModel::from(&info));
            Ok(if model.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        },
    )?;
    Ok(model)
}

/// A replay while it runs.
struct Player<'a, S: FnMut()> {
    options: &'a Options,
    transports: Vec<Transport>,
    depth_transport: Transport,
    assembly: FrameAssembly,
    transforms: RecordedTransforms,
    work: Offline<RecordedFrame, RecordedFrames, Recorder<'a>>,
    /// The commands that are still to come.
    schedule: std::iter::Peekable<std::vec::IntoIter<(u64, Result<String>)>>,
    summary: Summary,
    /// Times between which frames are taken.
    span: (u64, u64),
    /// Images of each topic so far.
    seen: Vec<u64>,
    /// When all frames had been taken.
    is_over_since: Option<u64>,
    on_frame: S,
}

impl<S: FnMut()> Player<'_, S> {
    fn take(&mut self, message: Message) -> ControlFlow<()> {
        let at = message.log_time;
        let Options { images, proposals, depth, .. } = self.options;
        let topic = message.topic.clone();
        let complete = if let Some(camera) = images.iter().position(|image| *image == topic) {
            self.image(camera, message)
        } else if proposals.as_ref() == Some(&topic) {
            self.proposals(message)
        } else if depth.as_ref().is_some_and(|topics| topics.depth == topic) {
            self.depth(message)
        } else if self.options.frames.topics.contains(&topic) {
            if let Err(fact) = self.transforms.take(&message) {
                self.summary.add_unreadable(&topic, fact);
            }
            Vec::new()
        } else {
            match from_cdr::<CameraInfo>(&message.cdr) {
                Ok(info) => self.assembly.camera_info(CameraModel::from(&info)),
                Err(error) => self.summary.add_unreadable(&topic, error),
            }
            Vec::new()
        };
        self.show(complete, Some(at));
        match self.is_over_since {
            Some(since) if self.assembly.is_idle() && self.transforms.is_idle() || at > since.saturating_add(GRACE) => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn image(&mut self, camera: usize, message: Message) -> Vec<RecordedFrame> {
        let (at, Selection { every, limit, .. }) = (message.log_time, self.options.selection);
        if at > self.span.1 || limit.is_some_and(|limit| self.summary.frames >= limit) {
            self.is_over_since.get_or_insert(at);
            return Vec::new();
        }
        if at < self.span.0 {
            return Vec::new();
        }
        let number = self.seen[camera];
        self.seen[camera] += 1;
        let is_asked = number.is_multiple_of(every.unwrap_or(1));
        if !is_asked && !self.options.tracking {
            return Vec::new();
        }
        if is_asked {
            self.summary.frames += 1;
            (self.on_frame)();
        }
        match Input::new(self.transports[camera], message.cdr) {
            Ok(input) => {
                let frame = RecordedFrame::new(input, camera, at);
                self.assembly.image(if is_asked { frame } else { frame.unasked() })
            }
            Err(error) => {
                self.summary.add_unreadable(&message.topic, error);
                Vec::new()
            }
        }
    }

    fn proposals(&mut self, message: Message) -> Vec<RecordedFrame> {
        let fact = format!("type {}; expected sensor_msgs/Image or vision_msgs/Detection2DArray", message.kind);
        let read = header(&message.cdr).map_err(|error| error.to_string()).and_then(|header| {
            let given = ExternalProposalsMessage::of_type(&message.kind, message.cdr).ok_or(fact)?;
            Ok((header.stamp.nanoseconds(), given))
        });
        match read {
            Ok((stamp, given)) => self.assembly.proposals(stamp, given),
            Err(fact) => {
                self.summary.add_unreadable(&message.topic, fact);
                Vec::new()
            }
        }
    }

    fn depth(&mut self, message: Message) -> Vec<RecordedFrame> {
        let arrival = message.log_time as i64;
        match header(&message.cdr) {
            Ok(header) => {
                let depth = DepthMessage::new(self.depth_transport, message.cdr);
                self.assembly.depth(convert::stamp(&header, arrival), depth)
            }
            Err(error) => {
                self.summary.add_unreadable(&message.topic, error);
                Vec::new()
            }
        }
    }

    /// Shows frames, each after the commands that were given before it was recorded.
    fn show(&mut self, frames: Vec<RecordedFrame>, now: Option<u64>) {
        for frame in self.transforms.place(frames, now) {
            if !frame.is_asked {
                self.work.follow(frame.camera, &frame);
                continue;
            }
            while let Some((_, text)) = self.schedule.next_if(|(at, _)| *at <= frame.log_time) {
                self.work.command(None, text);
            }
            self.work.show(frame.camera, frame);
        }
    }
}

/// Replays a recording into another; gives the segmenter back. `on_frame` is called for every frame.
///
/// # Errors
/// When a topic is not there or the answers can't be written.
pub fn replay(
    bag: &Bag,
    index: &BagIndex,
    options: &Options,
    segmenter: Segmenter,
    writer: &mut Writer,
    on_frame: impl FnMut(),
) -> Result<(Summary, Segmenter)> {
    let transport = |topic: &String| {
        let kind = index.topics.get(topic).map_or("", |topic| topic.kind.as_str());
        Transport::of_type(kind).ok_or_else(|| {
            let known = index.image_topics().join(", ");
            Error::config(format!("topic {topic}"), format!("holds no images; topics with images: {known}"))
        })
    };
    let transports = options.images.iter().map(transport).collect::<Result<Vec<_>>>()?;
    let depth_transport = options.depth.as_ref().map_or(Ok(Transport::Raw), |topics| transport(&topics.depth))?;
    let model = options.depth.as_ref().map_or(Ok(None), |topics| first_camera_info(bag, &topics.camera_info))?;
    let several = options.images.len() > 1;
    let cameras = options.images.iter().map(|topic| if several { camera_name(topic) } else { String::new() });
    let recorder = Recorder::new(writer, cameras.collect(), options.overlays);
    let mut transforms = RecordedTransforms::new(options.frames.clone());
    if !options.frames.is_empty() {
        // what never changes may stand anywhere
        let take = |message: Message| {
            let _ = transforms.take(&message); // read again, and told, when its turn comes
            Ok(ControlFlow::Continue(()))
        };
        bag.read_as_stored(|topic, _| topic == options.frames.topics[1], take)?;
    }
    let first_image = index.first_image.unwrap_or_default();
    let schedule = options.commands.schedule(bag, first_image)?.into_iter().peekable();
    let mut player = Player {
        options,
        transports,
        depth_transport,
        assembly: FrameAssembly::new(
            options.proposals.is_some(),
            options.depth.as_ref().map(|topics| topics.geometry),
            model,
        ),
        transforms,
        work: Offline::new(segmenter, options.mode, options.images.len(), RecordedFrames, recorder, options.tracking),
        schedule,
        summary: Summary::default(),
        span: options.selection.span(first_image),
        seen: vec![0; options.images.len()],
        is_over_since: None,
        on_frame,
    };
    let depth = options.depth.as_ref().map(|topics| [&topics.depth, &topics.camera_info]);
    let tf = options.frames.topics.iter().filter(|_| !options.frames.is_empty());
    let others = depth.into_iter().flatten().chain(tf);
    let wanted: Vec<&String> = options.images.iter().chain(&options.proposals).chain(others).collect();
    let reading =
        bag.read(|topic, _| wanted.iter().any(|wanted| *wanted == topic), |message| Ok(player.take(message)))?;
    let rest = player.assembly.end();
    player.show(rest, None);
    let Player { work, mut summary, .. } = player;
    summary.truncation = reading.truncation;
    for (topic, unread) in reading.unread.iter().filter(|(topic, _)| wanted.contains(topic)) {
        summary.unreadable += unread.count - 1;
        summary.add_unreadable(topic, &unread.reason);
    }
    let (recorder, segmenter) = work.finish();
    if let Some(error) = recorder.failed {
        return Err(error);
    }
    summary.answers = recorder.answers;
    summary.tracked = recorder.tracked;
    summary.lost = recorder.lost;
    Ok((summary, segmenter))
}
