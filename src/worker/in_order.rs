//! `InOrder`: commands and frames worked on at once, one after the other, none left out. For recordings, where time
//! does not press; who is answered on which frame is the same policy as the [`Worker`](super::Worker)'s.

use super::answering::Answering;
use super::queue::Queue;
use super::{Around, Mode};
use crate::error::Result;
use crate::segmenter::Segmenter;

/// A segmenter that answers every frame as it is shown.
pub struct InOrder<I, A: Around<I>> {
    answering: Answering,
    queue: Queue<I, A::Reply>,
    around: A,
}

impl<I, A: Around<I>> InOrder<I, A> {
    /// For so many cameras.
    pub fn new(segmenter: Segmenter, mode: Mode, cameras: usize, around: A) -> Self {
        InOrder { answering: Answering::new(segmenter), queue: Queue::new(mode, cameras), around }
    }

    /// Takes a command, for one camera or all, as [`Worker::command`](super::Worker::command) does.
    ///
    /// # Errors
    /// When too many commands wait already; the command is dropped.
    pub fn command(&mut self, camera: Option<usize>, text: Result<String>) -> Result<u32> {
        self.queue.command(camera, text)
    }

    /// Shows a camera's frame and answers all who wait for one.
    pub fn show(&mut self, camera: usize, input: I) {
        self.queue.offer_frame(camera, input);
        while let Some(job) = self.queue.next_job(|camera| self.around.wanted(camera)) {
            // only requests want more frames, and there are none
            self.answering.answer(job, &mut self.around, || false);
        }
    }

    /// Ends the work and gives back what was around it.
    pub fn finish(self) -> A {
        self.around
    }
}
