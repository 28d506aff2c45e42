//! `Offline`: commands and frames worked on at once, one after the other, none left out. For recordings, where time
//! does not press; who is answered on which frame is the same policy as the [`Worker`](super::Worker)'s.

use super::answering::{Answering, Control};
use super::catch_panic::guarded;
use super::following::Following;
use super::host::{FrameReader, WorkerHost};
use super::mode::Mode;
use super::queue::{Queue, TakenCommand};
use crate::grounding::Segmenter;
use crate::Result;
use std::sync::Arc;

/// A segmenter that answers every frame as it is shown.
pub struct Offline<I, F: FrameReader<I>, H: WorkerHost<I>> {
    answering: Answering,
    queue: Queue<I, H::Reply>,
    following: Following<I, H::Reply>,
    reader: F,
    host: H,
}

impl<I: Send + Sync, F: FrameReader<I>, H: WorkerHost<I>> Offline<I, F, H> {
    /// For so many cameras; with or without tracking.
    pub fn new(segmenter: Segmenter, mode: Mode, cameras: usize, reader: F, host: H, tracking: bool) -> Self {
        let (answering, queue) = (Answering::new(segmenter, cameras), Queue::new(mode, cameras));
        Offline { answering, queue, following: Following::new(cameras, tracking, None), reader, host }
    }

    /// Takes a command, for one camera or all, as [`Worker::command`](super::Worker::command) does.
    pub fn command(&mut self, camera: Option<usize>, text: Result<String>) -> u32 {
        let TakenCommand { number, ends_tracks } = self.queue.command(camera, text);
        if ends_tracks {
            self.following.clear_commands(camera, number);
        }
        number
    }

    /// Shows a camera's frame, into which what was found before is followed, and nothing more.
    pub fn follow(&mut self, camera: usize, input: &I) {
        let Some(stamp) = self.reader.stamp(input) else { return };
        let mut tracks = self.following.tracks(camera);
        if tracks.is_idle() {
            return;
        }
        let Ok(frame) = guarded(|| self.reader.image(input)) else { return };
        if let Ok(Some(followed)) = guarded(|| Ok(tracks.follow(stamp, &frame, true))) {
            self.host.deliver_followed(input, camera, &frame, &followed);
        }
    }

    /// Shows a camera's frame, into which what was found before is followed, and answers all who wait for one.
    pub fn show(&mut self, camera: usize, input: I) {
        self.follow(camera, &input);
        self.queue.offer_frame(camera, Arc::new(input));
        while let Some(job) = self.queue.next_job(|camera| self.host.wanted(camera)) {
            let control = Control { stop: &|| false, current: &|_| true, is_live: false, following: &self.following };
            // only requests want more frames, and there are none
            self.answering.answer(job, &self.reader, &mut self.host, &control);
        }
    }

    /// Ends the work and gives back its host and its segmenter.
    pub fn finish(self) -> (H, Segmenter) {
        (self.host, self.answering.into_segmenter())
    }
}
