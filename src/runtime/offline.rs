//! `Offline`: commands and frames worked on at once, one after the other, none left out. For recordings, where time
//! does not press; who is answered on which frame is the same policy as the [`Worker`](super::Worker)'s.

use super::answering::{Answering, Control};
use super::host::{FrameReader, WorkerHost};
use super::mode::Mode;
use super::queue::Queue;
use crate::error::Result;
use crate::grounding::Segmenter;

/// A segmenter that answers every frame as it is shown.
pub struct Offline<I, F: FrameReader<I>, H: WorkerHost<I>> {
    answering: Answering,
    queue: Queue<I, H::Reply>,
    reader: F,
    host: H,
}

impl<I: Send + Sync, F: FrameReader<I>, H: WorkerHost<I>> Offline<I, F, H> {
    /// For so many cameras.
    pub fn new(segmenter: Segmenter, mode: Mode, cameras: usize, reader: F, host: H) -> Self {
        Offline { answering: Answering::new(segmenter, cameras), queue: Queue::new(mode, cameras), reader, host }
    }

    /// Takes a command, for one camera or all, as [`Worker::command`](super::Worker::command) does.
    pub fn command(&mut self, camera: Option<usize>, text: Result<String>) -> u32 {
        self.queue.command(camera, text)
    }

    /// Shows a camera's frame and answers all who wait for one.
    pub fn show(&mut self, camera: usize, input: I) {
        self.queue.offer_frame(camera, input);
        while let Some(job) = self.queue.next_job(|camera| self.host.wanted(camera)) {
            let control = Control { stop: &|| false, current: &|_| true, look_ahead: None };
            // only requests want more frames, and there are none
            self.answering.answer(job, &self.reader, &mut self.host, &control);
        }
    }

    /// Ends the work and gives back its host and its segmenter.
    pub fn finish(self) -> (H, Segmenter) {
        (self.host, self.answering.into_segmenter())
    }
}
