//! `Input`, `FrameReader`, `WorkerHost` and `TrackHost`: what the runtime needs from the world around it.

use super::camera_queue::FrameNumber;
use crate::answer::FrameResult;
use crate::camera::DepthImage;
use crate::image::ExternalProposals;
use crate::image::Frame;
use crate::tracking::FollowedFrame;
use crate::Result;
use std::sync::Arc;

/// A frame as it came, to be encoded.
pub struct Input<I> {
    /// The camera's index.
    pub camera: usize,
    /// The frame's number at its camera; `None` for an image of a request's own.
    pub number: Option<FrameNumber>,
    /// The frame.
    pub input: Arc<I>,
}

/// Makes pixels of frames as they came, `I`. Two threads may ask at once.
pub trait FrameReader<I>: Send + Sync {
    /// The image in an input.
    ///
    /// # Errors
    /// When it can't be read.
    fn image(&self, input: &I) -> Result<Frame>;

    /// The image in a camera's input, which is looked at for a command from now on.
    ///
    /// # Errors
    /// When it can't be read.
    fn decode(&self, camera: usize, input: &I) -> Result<Frame> {
        let _ = camera;
        self.image(input)
    }

    /// When the image in a camera's input was taken, nanoseconds since the epoch.
    fn stamp(&self, input: &I) -> Option<i64>;

    /// Why a camera's input is too old to be answered, in words; `None` when it is not.
    fn too_old(&self, input: &I) -> Option<String> {
        let _ = input;
        None
    }

    /// External proposals for a camera's input, or why there are none; `None` where the generator needs none.
    fn given(&self, input: &I) -> Option<std::result::Result<ExternalProposals, String>> {
        let _ = input;
        None
    }

    /// The depth image that belongs to a camera's input, aligned with its image, if there is one.
    fn depth(&self, camera: usize, input: &I) -> Option<DepthImage> {
        let _ = (camera, input);
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

    /// Takes the things of a camera that were followed into an input, whose image is `frame`; where frames are shown one after the other.
    /// Live, a [`TrackHost`] does.
    fn deliver_followed(&mut self, input: &I, camera: usize, frame: &Frame, followed: &FollowedFrame) {
        let _ = (input, camera, frame, followed);
    }

    /// Reports a failure that no result can carry.
    fn problem(&mut self, text: &str);
}

/// Takes what was followed. Beside a [`WorkerHost`], on another thread.
pub trait TrackHost<I>: Send + Sync {
    /// What a caller gets for a result.
    type Reply;

    /// Whether this camera's tracks have subscribers.
    fn wanted(&self, camera: usize) -> bool;

    /// How many bytes an input holds while it is kept.
    fn bytes(&self, input: &I) -> usize;

    /// Takes the things of a camera that were followed into an input, whose image is `frame`.
    fn deliver(&self, input: &I, camera: usize, frame: &Frame, followed: &FollowedFrame);

    /// What a caller gets for a thing that was followed for him.
    fn reply(&self, input: &I, result: &FrameResult) -> Self::Reply;
}
