//! `Input`, `FrameReader` and `WorkerHost`: what the runtime needs from the world around it.

use crate::answer::FrameResult;
use crate::camera::DepthImage;
use crate::error::Result;
use crate::image::Frame;
use crate::proposals::GivenProposals;
use std::sync::Arc;

/// A frame as it came, to be encoded.
pub struct Input<I> {
    /// The camera's index.
    pub camera: usize,
    /// The frame's number at its camera; `None` for an image of a request's own.
    pub number: Option<u64>,
    /// The frame.
    pub input: Arc<I>,
}

/// Makes pixels of frames as they came, `I`. Two threads may ask at once.
pub trait FrameReader<I>: Send + Sync {
    /// The image in a camera's input, which is worked on from now on.
    ///
    /// # Errors
    /// When it can't be read.
    fn decode(&self, camera: usize, input: &I) -> Result<Frame>;

    /// When the image in a camera's input was taken, nanoseconds since the epoch.
    fn stamp(&self, input: &I) -> Option<i64>;

    /// What somebody else found in a camera's input, or why there is nothing; `None` where that is not asked for.
    fn given(&self, input: &I) -> Option<std::result::Result<GivenProposals, String>> {
        let _ = input;
        None
    }

    /// The depth image that belongs to a camera's input, aligned with its image, if there is one.
    fn depth(&self, input: &I) -> Option<DepthImage> {
        let _ = input;
        None
    }
}

/// Takes results.
pub trait WorkerHost<I>: Send {
    /// What a caller gets for a result.
    type Reply;

    /// Whether anybody would receive an answer for all from this camera. Without one its commands go on waiting.
    fn wanted(&self, camera: usize) -> bool;

    /// Takes a result away; makes of it what the caller gets.
    fn deliver(&mut self, input: &I, result: &FrameResult) -> Self::Reply;

    /// Hears of a failure that no result can carry.
    fn problem(&mut self, text: &str);
}
