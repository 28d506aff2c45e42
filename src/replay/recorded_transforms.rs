//! `RecordedTransforms`: what `/tf` and `/tf_static` of a recording say, and the frames that wait for it.

use super::recorded_frame::RecordedFrame;
use crate::camera::{TargetFrame, TransformBuffer};
use crate::recordings::bag::Message;
use crate::recordings::{convert, from_cdr, TfMessage};
use std::collections::VecDeque;

/// How long after a frame was recorded its transforms may come, nanoseconds.
const WAIT: u64 = 500_000_000;
/// Frames that wait at most: half a second at 60 Hz.
const WAITING: usize = 30;

/// The frames that a replay uses beside the images' own; empty for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherFrames {
    /// That of 3D outputs.
    pub target: String,
    /// The robot's, for words of place.
    pub reference: String,
    /// The topic of transforms that change, and that of those that never do.
    pub topics: [String; 2],
}

impl Default for OtherFrames {
    /// None, by the topics that ROS has everywhere.
    fn default() -> OtherFrames {
        OtherFrames { target: String::new(), reference: String::new(), topics: ["/tf".into(), "/tf_static".into()] }
    }
}

impl OtherFrames {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.target.is_empty() && self.reference.is_empty()
    }
}

/// The transforms as they were recorded.
#[derive(Default)]
pub struct RecordedTransforms {
    frames: OtherFrames,
    buffer: TransformBuffer,
    waiting: VecDeque<RecordedFrame>,
}

impl RecordedTransforms {
    /// For these frames.
    pub fn new(frames: OtherFrames) -> RecordedTransforms {
        RecordedTransforms { frames, ..RecordedTransforms::default() }
    }

    /// Takes a message of one of the topics.
    ///
    /// # Errors
    /// In words, when it can't be read, or holds what is no transform.
    pub fn take(&mut self, message: &Message) -> Result<(), String> {
        let read = from_cdr::<TfMessage>(&message.cdr).map_err(|error| error.to_string())?;
        let all = convert::transforms(&read, message.topic == self.frames.topics[1]);
        all.iter().map(|transform| self.buffer.add(transform)).collect::<Result<Vec<()>, String>>().map(drop)
    }

    /// Takes frames; gives back those, in their order, whose transforms are there or can't come any more. `now`: how far the recording
    /// was read; `None` at its end.
    pub fn place(&mut self, more: Vec<RecordedFrame>, now: Option<u64>) -> Vec<RecordedFrame> {
        self.waiting.extend(more);
        let mut placed = Vec::new();
        while let Some(frame) = self.waiting.pop_front() {
            let is_late =
                now.is_none_or(|now| now > frame.log_time.saturating_add(WAIT)) || self.waiting.len() >= WAITING;
            let (source, stamp) = (frame.input.header.frame_id.as_str(), frame.input.header.stamp.nanoseconds());
            let misses = |target: &String| {
                let is_asked = !target.is_empty() && frame.is_asked;
                is_asked
                    && self.buffer.lookup(target, source, stamp).is_err()
                    && self.buffer.may_come(target, source, stamp)
            };
            if !is_late && (misses(&self.frames.target) || misses(&self.frames.reference)) {
                self.waiting.push_front(frame);
                break;
            }
            let find = |target: &String| {
                let found = (!target.is_empty()).then(|| self.buffer.lookup(target, source, stamp));
                found.map(|found| found.map(|from_camera| TargetFrame { frame_id: target.clone(), from_camera }))
            };
            let (target, robot) = (find(&self.frames.target), find(&self.frames.reference));
            placed.push(frame.placed(target, robot.and_then(Result::ok)));
        }
        placed
    }

    /// Whether no frame waits.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }
}
