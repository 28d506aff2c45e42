//! `Recorder`: writes answers into a recording, and remembers of each what the report shows.

use super::recorded_frame::RecordedFrame;
use super::summary::{AnswerRecord, Pictures};
use crate::answer::{FrameResult, Status};
use crate::drawing::{self, Captions};
use crate::image::{Frame, Rect};
use crate::recordings::bag::{Message, Writer};
use crate::recordings::{convert, encode, to_cdr, CompressedImage, Image, MessageType, PointStamped, Segmentation};
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
        let seen = frame.depth();
        let object = seen.as_ref().map(|seen| convert::located(header, result, seen));
        let message: Segmentation = encode::segmentation(header, &name, result, &mask, object.as_ref());
        self.write(camera, "segmentation", at, &message)?;
        let Some(image) = result.frame else { return Ok(()) };
        self.write::<Image>(camera, "mask", at, &mask)?;
        if let Some(Ok(object)) = &object {
            self.write(camera, "object", at, object)?;
            self.write(camera, "point", at, &PointStamped { header: object.header.clone(), point: object.point })?;
        }
        if let Some(cloud) = seen.and_then(|seen| convert::cloud(header, result, seen.as_ref().ok()?)) {
            self.write(camera, "cloud", at, &cloud)?;
        }
        if let Some(captions) = self.overlays {
            let overlay = encode::overlay(header, image, result, captions);
            self.write::<CompressedImage>(camera, "overlay/compressed", at, &encode::compressed(&overlay)?)?;
        }
        Ok(())
    }

    /// Each thing as a message, and with depth its place in space; the mask and the overlay of all of them.
    fn record_followed(
        &mut self,
        frame: &RecordedFrame,
        camera: usize,
        image: &Frame,
        followed: &FollowedFrame,
    ) -> Result<()> {
        let (header, at, name) = (&frame.input.header, frame.log_time, self.cameras[camera].clone());
        let seen = frame.depth();
        for result in followed.each(camera, image) {
            let count = if result.status() == Status::Lost { &mut self.lost } else { &mut self.tracked };
            *count += 1;
            let object = seen.as_ref().map(|seen| convert::located(header, &result, seen));
            let mask = encode::mask(header, &result);
            let message: Segmentation = encode::segmentation(header, &name, &result, &mask, object.as_ref());
            self.write(camera, "track", at, &message)?;
            if let Some(Ok(object)) = &object {
                self.write(camera, "track/object", at, object)?;
            }
        }
        let together = followed.together(camera, image);
        self.write::<Image>(camera, "track/mask", at, &encode::mask(header, &together))?;
        if let Some(cloud) = seen.and_then(|seen| convert::cloud(header, &together, seen.as_ref().ok()?)) {
            self.write(camera, "track/cloud", at, &cloud)?;
        }
        if let Some(captions) = self.overlays {
            let overlay = encode::overlay(header, image, &together, captions);
            self.write::<CompressedImage>(camera, "track/overlay/compressed", at, &encode::compressed(&overlay)?)?;
        }
        Ok(())
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
