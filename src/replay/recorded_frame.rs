//! `RecordedFrame`: an image of a recording with what belongs to it, brought together by stamps as the node does.

use crate::camera::{
    CameraModel, DepthBuffer, DepthGeometry, DepthImage, DepthView, RobotView, Stamp, StampMatcher, TargetFrame,
};
use crate::image::ExternalProposals;
use crate::image::Frame;
use crate::recordings::{convert, DepthMessage, ExternalProposalsMessage, Input};
use crate::runtime::FrameReader;
use crate::Result;
use std::collections::VecDeque;
use std::sync::Arc;

/// How far the stamps of an image and of what belongs to it may be apart: the node's default, nanoseconds and seconds.
const TOLERANCE: i64 = 20_000_000;
const TOLERANCE_SECONDS: f64 = 0.02;

/// Images that wait for their depth: a third of a second at 30 Hz.
const WAITING: usize = 10;

/// A depth message with its camera's calibration, or why there is none.
type Nearest = std::result::Result<(Arc<DepthMessage>, CameraModel), String>;

/// A frame as it was recorded.
pub struct RecordedFrame {
    /// The image message.
    pub input: Input,
    /// Which of the image topics it is of.
    pub camera: usize,
    /// When it was recorded, nanoseconds since the epoch.
    pub log_time: u64,
    /// Whether commands are answered on it; else things are only followed into it.
    pub is_asked: bool,
    /// Its external proposals, or why there are none; `None` where the generator needs none.
    given: Option<std::result::Result<ExternalProposalsMessage, String>>,
    depth: Option<Nearest>,
    geometry: DepthGeometry,
    /// The frame that points are brought to, or why it is not known; `None` for the camera's own.
    target: Option<std::result::Result<TargetFrame, String>>,
    /// The robot's frame, where it is asked for and known.
    robot: Option<TargetFrame>,
}

impl RecordedFrame {
    /// An image alone.
    pub fn new(input: Input, camera: usize, log_time: u64) -> RecordedFrame {
        RecordedFrame {
            input,
            camera,
            log_time,
            is_asked: true,
            given: None,
            depth: None,
            geometry: DepthGeometry::default(),
            target: None,
            robot: None,
        }
    }

    /// The same, for following things into it alone.
    pub fn unasked(self) -> RecordedFrame {
        RecordedFrame { is_asked: false, ..self }
    }

    /// The same, with where its camera stands in other frames.
    pub fn placed(
        self,
        target: Option<std::result::Result<TargetFrame, String>>,
        robot: Option<TargetFrame>,
    ) -> RecordedFrame {
        RecordedFrame { target, robot, ..self }
    }

    /// When the image was taken, nanoseconds since the epoch; 0 when its driver gives no stamps.
    fn stamp(&self) -> i64 {
        self.input.header.stamp.nanoseconds()
    }

    /// The depth image with its camera, or why there is none; `None` for replays without depth.
    pub fn depth(&self) -> Option<std::result::Result<DepthView, String>> {
        let view = self.depth.clone()?.and_then(|(depth, model)| depth.seen_by(&model, self.geometry));
        Some(match &self.target {
            None => view,
            Some(target) => view.and_then(|view| Ok(DepthView { target: Some(target.clone()?), ..view })),
        })
    }
}

/// Reads recorded frames.
pub struct RecordedFrames;

impl FrameReader<RecordedFrame> for RecordedFrames {
    fn image(&self, frame: &RecordedFrame) -> Result<Frame> {
        frame.input.frame()
    }

    fn stamp(&self, frame: &RecordedFrame) -> Option<i64> {
        Some(convert::stamp(&frame.input.header, frame.log_time as i64).nanoseconds)
    }

    fn given(&self, frame: &RecordedFrame) -> Option<std::result::Result<ExternalProposals, String>> {
        let given = frame.given.as_ref()?;
        Some(given.as_ref().map_err(String::clone).and_then(|given| given.read().map_err(|error| error.to_string())))
    }

    fn depth(&self, _: usize, frame: &RecordedFrame) -> Option<DepthImage> {
        let (depth, model) = frame.depth.as_ref()?.as_ref().ok()?;
        let DepthView { depth, camera, .. } = depth.seen_by(model, frame.geometry).ok()?;
        Some(match &frame.robot {
            Some(robot) => depth.in_robots_frame(RobotView { camera, frame: robot.clone() }),
            None => depth,
        })
    }
}

/// What is kept of a recording counts by number alone: none of it may be given up for its size.
const NO_BYTES: usize = 0;

/// Brings images together with others' proposals and with depth. Each step gives back the frames that are complete, in the order
/// of the images.
#[derive(Default)]
pub struct FrameAssembly {
    proposals: Option<StampMatcher<RecordedFrame, ExternalProposalsMessage>>,
    depth: Option<DepthBuffer<Arc<DepthMessage>>>,
    geometry: DepthGeometry,
    waiting: VecDeque<RecordedFrame>,
}

impl FrameAssembly {
    /// For images with proposals or not, and with depth, of a camera of this calibration, or not.
    pub fn new(has_proposals: bool, depth: Option<DepthGeometry>, model: Option<CameraModel>) -> FrameAssembly {
        let geometry = depth.unwrap_or_default();
        let depth = depth.map(|_| {
            let mut depth = DepthBuffer::default();
            model.into_iter().for_each(|model| depth.set_model(model));
            depth
        });
        FrameAssembly {
            proposals: has_proposals.then(StampMatcher::default),
            depth,
            geometry,
            waiting: VecDeque::new(),
        }
    }

    /// Takes an image.
    pub fn image(&mut self, frame: RecordedFrame) -> Vec<RecordedFrame> {
        let Some(matcher) = &mut self.proposals else { return self.with_depth([frame]) };
        let (found, given_up) = matcher.frame(frame.stamp(), NO_BYTES, frame, TOLERANCE);
        let given_up: Vec<_> = given_up.into_iter().map(|frame| without_proposals(matcher, frame)).collect();
        self.with_depth(given_up.into_iter().chain(found.map(with_proposals)))
    }

    /// Takes proposals.
    pub fn proposals(&mut self, stamp: i64, given: ExternalProposalsMessage) -> Vec<RecordedFrame> {
        let Some(matcher) = &mut self.proposals else { return Vec::new() };
        let (passed, found) = matcher.given(stamp, given, TOLERANCE);
        let passed: Vec<_> = passed.into_iter().map(|frame| without_proposals(matcher, frame)).collect();
        self.with_depth(passed.into_iter().chain(found.map(with_proposals)))
    }

    /// Takes a depth image.
    pub fn depth(&mut self, stamp: Stamp, message: DepthMessage) -> Vec<RecordedFrame> {
        if let Some(depth) = &mut self.depth {
            depth.push(stamp, NO_BYTES, Arc::new(message));
        }
        self.with_depth([])
    }

    /// Takes the calibration of the depth camera.
    pub fn camera_info(&mut self, model: CameraModel) {
        if let Some(depth) = &mut self.depth {
            depth.set_model(model);
        }
    }

    /// Gives back what waited in vain.
    pub fn end(&mut self) -> Vec<RecordedFrame> {
        let rest = self.proposals.as_mut().map_or(Vec::new(), |matcher| {
            let frames = matcher.all_frames();
            frames.into_iter().map(|frame| without_proposals(matcher, frame)).collect()
        });
        let mut complete = self.with_depth(rest);
        while let Some(frame) = self.waiting.pop_front() {
            complete.push(self.looked_up(frame));
        }
        complete
    }

    /// Whether no image waits for anything.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.proposals.as_ref().is_some_and(StampMatcher::has_frames)
    }

    /// Takes more frames; gives back those whose depth image is there or can't come any more.
    fn with_depth(&mut self, more: impl IntoIterator<Item = RecordedFrame>) -> Vec<RecordedFrame> {
        self.waiting.extend(more);
        let mut complete = Vec::new();
        while let Some(frame) = self.waiting.pop_front() {
            let stamp = convert::stamp(&frame.input.header, frame.log_time as i64);
            let may_come =
                |depth: &DepthBuffer<_>| depth.nearest(&stamp, TOLERANCE_SECONDS).is_err() && depth.may_come(&stamp);
            if self.waiting.len() < WAITING && self.depth.as_ref().is_some_and(may_come) {
                self.waiting.push_front(frame);
                break;
            }
            complete.push(self.looked_up(frame));
        }
        complete
    }

    fn looked_up(&self, frame: RecordedFrame) -> RecordedFrame {
        let stamp = convert::stamp(&frame.input.header, frame.log_time as i64);
        let depth = self.depth.as_ref().map(|depth| depth.nearest(&stamp, TOLERANCE_SECONDS));
        RecordedFrame { depth, geometry: self.geometry, ..frame }
    }
}

fn with_proposals((frame, given): (RecordedFrame, ExternalProposalsMessage)) -> RecordedFrame {
    RecordedFrame { given: Some(Ok(given)), ..frame }
}

fn without_proposals(
    matcher: &StampMatcher<RecordedFrame, ExternalProposalsMessage>,
    frame: RecordedFrame,
) -> RecordedFrame {
    let reason = matcher.reason(frame.stamp(), TOLERANCE);
    RecordedFrame { given: Some(Err(reason)), ..frame }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::{to_cdr, Header, Image, Time, Transport};

    fn at(milliseconds: i64) -> Header {
        Header { stamp: Time { sec: 5, nanosec: milliseconds as u32 * 1_000_000 }, frame_id: "eye".into() }
    }

    fn image(milliseconds: i64) -> RecordedFrame {
        let message = Image { header: at(milliseconds), ..Default::default() };
        RecordedFrame::new(Input::new(Transport::Raw, to_cdr(&message).unwrap()).unwrap(), 0, milliseconds as u64)
    }

    fn depth(assembly: &mut FrameAssembly, milliseconds: i64) -> Vec<(u64, bool)> {
        told(assembly.depth(convert::stamp(&at(milliseconds), 0), DepthMessage::new(Transport::Raw, Vec::new())))
    }

    /// When each was recorded, and whether it has depth.
    fn told(frames: Vec<RecordedFrame>) -> Vec<(u64, bool)> {
        frames.iter().map(|frame| (frame.log_time, frame.depth.as_ref().is_some_and(|depth| depth.is_ok()))).collect()
    }

    #[test]
    fn an_image_waits_for_its_depth_and_goes_without_once_it_cannot_come() {
        let mut assembly = FrameAssembly::new(false, Some(DepthGeometry::default()), Some(CameraModel::default()));
        assert!(assembly.image(image(0)).is_empty());
        assert_eq!(depth(&mut assembly, 5), [(0, true)]);
        assert!(assembly.image(image(100)).is_empty() && assembly.image(image(200)).is_empty());
        assert_eq!(depth(&mut assembly, 200), [(100, false), (200, true)], "a later one says that none comes");
        assert_eq!(depth(&mut assembly, 300), []);
        assert_eq!(told(assembly.image(image(300))), [(300, true)], "it was there before");
        let waiting: Vec<_> = (4..20).flat_map(|n| told(assembly.image(image(n * 30 + 300)))).collect();
        assert_eq!(waiting.len(), 16 - WAITING);
        assert!(!assembly.is_idle());
        assert_eq!(assembly.end().len(), WAITING);
        assert!(assembly.is_idle());
    }

    #[test]
    fn without_depth_no_image_waits() {
        let mut assembly = FrameAssembly::new(false, None, None);
        let frames = assembly.image(image(0));
        assert!(frames[0].depth().is_none() && assembly.is_idle());
    }
}
