//! `CameraState`: what is kept for each camera between frames: its last encoded frame, reused while its fingerprint is
//! still the segmenter's and it is still the newest frame, or the newest shows the same.

use super::camera_queue::FrameNumber;
use crate::files::fingerprint::Fingerprint;
use crate::grounding::EncodedFrame;
use crate::image::{BlockMeans, Frame};
use crate::Result;
use std::sync::Arc;

/// A camera's frame as far as it is encoded.
pub struct EncodedInput {
    /// The frame's number at its camera; `None` for an image of a request's own.
    pub number: Option<FrameNumber>,
    /// The image, or why there is none.
    pub frame: Result<Frame>,
    /// The encoding; without a frame, an error that is not shown.
    pub encoded: Result<EncodedFrame>,
    /// What later frames are compared with: the means of the frame that was encoded, where frames are compared at all.
    pub means: Option<Arc<BlockMeans>>,
    /// Whether the encoding was made of an earlier frame that shows the same.
    pub is_static: bool,
}

/// What is kept for one camera.
#[derive(Default)]
pub struct CameraState {
    last: Option<EncodedInput>,
}

impl CameraState {
    /// Takes the last encoded frame out if it is the one of this number, encoded under this fingerprint.
    pub fn take(&mut self, number: Option<FrameNumber>, fingerprint: &Fingerprint) -> Option<EncodedInput> {
        let same = |last: &mut EncodedInput| match &last.encoded {
            Ok(encoded) => encoded.fingerprint == *fingerprint && last.number == number,
            // what failed under other settings may succeed now
            Err(_) => last.frame.is_err() && last.number == number,
        };
        self.last.take_if(same)
    }

    /// Takes the encoding and the means of the last frame out if it was encoded under this fingerprint, and no mean of
    /// `means` is further from its own than `tolerance` levels.
    pub fn take_same_view(
        &mut self,
        means: &BlockMeans,
        tolerance: f32,
        fingerprint: &Fingerprint,
    ) -> Option<(EncodedFrame, Arc<BlockMeans>)> {
        let same = |last: &mut EncodedInput| {
            let encoded = last.encoded.as_ref().is_ok_and(|encoded| encoded.fingerprint == *fingerprint);
            encoded && last.means.as_ref().is_some_and(|known| known.largest_change(means) <= tolerance)
        };
        let last = self.last.take_if(same)?;
        Some((last.encoded.ok()?, last.means?))
    }

    /// Keeps an encoded frame; images of a request's own are not asked again.
    pub fn keep(&mut self, input: EncodedInput) {
        if input.number.is_some() {
            self.last = Some(input);
        }
    }

    /// Discards the frame: time went backwards, or the camera is another.
    pub fn clear(&mut self) {
        *self = CameraState::default();
    }
}
