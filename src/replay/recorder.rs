//! `Recorder`: writes answers into a recording, and remembers of each what the report shows.

use super::recorded_frame::RecordedFrame;
use super::summary::{AnswerRecord, Pictures};
use crate::answer::{FrameResult, Status};
use crate::drawing::{self, Captions};
use crate::image::{Frame, Rect};
use crate::recordings::bag::{Message, Writer};
use crate::recordings::{Output, ResultMessages};
use crate::report::thumbnail;
use crate::runtime::WorkerHost;
use crate::tracking::FollowedFrame;
use crate::{Error, Result};

/// Boxes that overlap less have moved, IoU.
const MOVED: f32 = 0.5;

/// Writes results into a recording.
pub struct Recorder<'a> {
    writer: &'a mut Writer,
    /// The names of the cameras; empty for one alone.
    cameras: Vec<String>,
    /// What is written on overlays; `None` leaves them out.
    overlays: Option<Captions>,
    /// What was answered last of each camera.
    last: Vec<Option<(Status, String, Rect)>>,
    /// The answers so far.
    pub answers: Vec<AnswerRecord>,
    /// Things in frames into which they were followed.
    pub tracked: u64,
    /// Things in frames in which they were lost.
    pub lost: u64,
    /// Why writing failed.
    pub failed: Option<Error>,
    pictures: Pictures,
}

impl<'a> Recorder<'a> {
    /// For cameras of these names.
    pub fn new(writer: &'a mut Writer, cameras: Vec<String>, overlays: Option<Captions>) -> Recorder<'a> {
        let last = vec![None; cameras.len()];
        let pictures = Pictures::default();
        Recorder { writer, cameras, overlays, last, answers: Vec::new(), tracked: 0, lost: 0, failed: None, pictures }
    }

    /// Writes outputs of a result of a camera, each to the topic that `topic` names.
    fn write(
        &mut self,
        camera: usize,
        log_time: u64,
        topic: fn(Output) -> String,
        messages: &ResultMessages,
        outputs: &[Output],
    ) -> Result<()> {
        for output in outputs.iter().filter(|output| self.overlays.is_some() || **output != Output::OverlayCompressed) {
            let Some(cdr) = messages.cdr(*output)? else { continue };
            let (name, last) = (&self.cameras[camera], topic(*output));
            let topic = if name.is_empty() { format!("/referseg/{last}") } else { format!("/referseg/{name}/{last}") };
            self.writer.write(&Message { topic, kind: output.message_type().into(), log_time, cdr })?;
        }
        Ok(())
    }

    fn record(&mut self, frame: &RecordedFrame, result: &FrameResult) -> Result<()> {
        use Output::{Cloud, Destination, DestinationPose, Mask, Object, OverlayCompressed, Point, Segmentation};
        let (name, view) = (self.cameras[result.camera].clone(), frame.depth());
        let messages = ResultMessages::new(&frame.input.header, &name, result).with_depth(view.as_ref());
        let messages = messages.with_captions(self.overlays.unwrap_or_default());
        let outputs = [Segmentation, Mask, Object, Point, Cloud, Destination, DestinationPose, OverlayCompressed];
        self.write(result.camera, frame.log_time, Output::topic, &messages, &outputs)
    }

    /// Each object as a message, and with depth its place in space; the mask and the overlay of all of them.
    fn record_followed(
        &mut self,
        frame: &RecordedFrame,
        camera: usize,
        image: &Frame,
        followed: &FollowedFrame,
    ) -> Result<()> {
        use Output::{Cloud, Mask, Object, OverlayCompressed, Point, Segmentation};
        let (header, name, view) = (&frame.input.header, self.cameras[camera].clone(), frame.depth());
        for (at, result) in followed.each(camera, image).enumerate() {
            let count = if result.status() == Status::Lost { &mut self.lost } else { &mut self.tracked };
            *count += 1;
            let messages = ResultMessages::new(header, &name, &result).with_depth(view.as_ref());
            // of several objects the best is the one to reach for, as in the node
            let outputs: &[Output] = if at == 0 { &[Segmentation, Object, Point] } else { &[Segmentation, Object] };
            self.write(camera, frame.log_time, Output::track_topic, &messages, outputs)?;
        }
        let together = followed.together(camera, image);
        let messages = ResultMessages::new(header, &name, &together).with_depth(view.as_ref());
        let messages = messages.with_captions(self.overlays.unwrap_or_default());
        self.write(camera, frame.log_time, Output::track_topic, &messages, &[Mask, Cloud, OverlayCompressed])
    }

    /// Whether an answer is another than the one before.
    fn has_changed(&mut self, result: &FrameResult) -> bool {
        let rect = result.shown().map(|(_, rect)| rect).unwrap_or_default();
        let now = (result.status(), result.command.text.clone(), rect);
        let before = self.last[result.camera].replace(now);
        let same = before.is_some_and(|(status, command, before)| {
            let stays = rect == before || rect.iou(before) >= MOVED;
            status == result.status() && command == result.command.text && stays
        });
        !same
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

    fn deliver_followed(&mut self, frame: &RecordedFrame, camera: usize, image: &Frame, followed: &FollowedFrame) {
        if let Err(error) = self.record_followed(frame, camera, image, followed) {
            self.failed.get_or_insert(error);
        }
    }

    fn deliver(&mut self, frame: &RecordedFrame, result: &FrameResult) {
        if let Err(error) = self.record(frame, result) {
            self.failed.get_or_insert(error);
        }
        let is_change = self.has_changed(result);
        let drawn = |frame: &Frame| {
            let canvas = drawing::describe(frame, result, Captions::Line);
            Frame::new(canvas.width(), canvas.height(), canvas.into_rgb()).ok()
        };
        let place = self.answers.len();
        let picture = || thumbnail(&result.frame.and_then(drawn)?);
        self.answers.push(AnswerRecord {
            camera: self.cameras[result.camera].clone(),
            log_time: frame.log_time,
            age: (frame.log_time as i64).saturating_sub(frame.input.header.stamp.nanoseconds()) as f64 / 1e9,
            command: result.command.text.clone(),
            target: result.target().into(),
            status: result.status(),
            reason: result.reason(),
            score: result.score(),
            picture: None,
        });
        if is_change {
            self.pictures.offer(place, picture, &mut self.answers);
        }
    }
}
