//! `CameraState`: what is kept for each camera between frames: its last encoded frame, reused while it is still the
//! newest and its fingerprint still the segmenter's.

use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::grounding::EncodedFrame;
use crate::image::Frame;

/// A camera's frame as far as it is encoded.
pub struct EncodedInput {
    /// The frame's number at its camera; `None` for an image of a request's own.
    pub number: Option<u64>,
    /// The image, or why there is none.
    pub frame: Result<Frame>,
    /// The encoding; without a frame, an error that is not shown.
    pub encoded: Result<EncodedFrame>,
}

/// What is kept for one camera.
#[derive(Default)]
pub struct CameraState {
    last: Option<EncodedInput>,
}

impl CameraState {
    /// Takes the last encoded frame out if it is the one of this number, encoded under this fingerprint.
    pub fn take(&mut self, number: Option<u64>, fingerprint: &Fingerprint) -> Option<EncodedInput> {
        number?;
        let same = |last: &EncodedInput| match &last.encoded {
            Ok(encoded) => encoded.fingerprint == *fingerprint,
            // what failed under other settings may succeed now
            Err(_) => last.frame.is_err(),
        };
        self.last.take().filter(|last| last.number == number && same(last))
    }

    /// Keeps an encoded frame; images of a request's own are not asked again.
    pub fn keep(&mut self, input: EncodedInput) {
        if input.number.is_some() {
            self.last = Some(input);
        }
    }

    /// Discards the frame: time went backwards, or the camera is another.
    pub fn clear(&mut self) {
        self.last = None;
    }
}
