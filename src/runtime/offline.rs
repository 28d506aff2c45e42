//! `Offline`: commands and frames worked on at once, one after the other, none left out. For recordings, where time
//! does not press; who is answered on which frame is the same policy as the [`Worker`](super::Worker)'s.

use super::answering::{Answering, Control};
use super::host::WorkerHost;
use super::mode::Mode;
use super::queue::Queue;
use crate::error::Result;
use crate::grounding::Segmenter;

/// A segmenter that answers every frame as it is shown.
pub struct Offline<I, H: WorkerHost<I>> {
    answering: Answering,
    queue: Queue<I, H::Reply>,
    host: H,
}

impl<I, H: WorkerHost<I>> Offline<I, H> {
    /// For so many cameras.
    pub fn new(segmenter: Segmenter, mode: Mode, cameras: usize, host: H) -> Self {
        Offline { answering: Answering::new(segmenter, cameras), queue: Queue::new(mode, cameras), host }
    }

    /// Takes a command, for one camera or all, as [`Worker::command`](super::Worker::command) does.
    pub fn command(&mut self, camera: Option<usize>, text: Result<String>) -> u32 {
        self.queue.command(camera, text)
    }

    /// Shows a camera's frame and answers all who wait for one.
    pub fn show(&mut self, camera: usize, input: I) {
        self.queue.offer_frame(camera, input);
        while let Some(job) = self.queue.next_job(|camera| self.host.wanted(camera)) {
            let control = Control { stop: &|| false, current: &|_| true };
            // only requests want more frames, and there are none
            self.answering.answer(job, &mut self.host, &control);
        }
    }

    /// Ends the work and gives back its host.
    pub fn finish(self) -> H {
        self.host
    }
}
