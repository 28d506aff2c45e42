//! `Request`: a command that one caller wants answered.

use crate::answer::{FrameResult, Origin};
use crate::grounding::Stage;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// The caller's end of a request. It is dropped when the request is over, answered or not.
pub trait Caller<R>: Send {
    /// Work for this request has reached a stage.
    fn stage(&mut self, stage: Stage);

    /// A result for this request; `Continue` asks for the next frame.
    fn answer(&mut self, result: &FrameResult, reply: R) -> ControlFlow<()>;
}

/// A command that one caller wants answered.
pub struct Request<I, R> {
    /// The command.
    pub text: String,
    /// The noun phrase of the target; `None` to find it in the text.
    pub target: Option<String>,
    /// The camera's index.
    pub camera: usize,
    /// An image to answer on in place of the camera's.
    pub image: Option<I>,
    /// Only on frames that come after the request, rather than on the newest that is there.
    pub next_frame: bool,
    /// Whether a frame into which the thing is followed counts like one that it is looked for in.
    pub by_track: bool,
    /// Threshold in place of the settings' `min_score`.
    pub min_score: Option<f32>,
    /// Threshold in place of the settings' `min_margin`.
    pub min_margin: Option<f32>,
    /// How it came.
    pub origin: Origin,
    /// The caller's own name for it.
    pub id: String,
    /// The conversation that it belongs to: earlier requests of the same name, with their answers; empty for none.
    pub conversation: String,
    /// Set when nobody waits for the answer any more.
    pub cancelled: Arc<AtomicBool>,
    /// Who gets the answers.
    pub caller: Box<dyn Caller<R>>,
}

impl<I, R> Request<I, R> {
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}
