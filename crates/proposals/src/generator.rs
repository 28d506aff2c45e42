//! `ProposalGenerator`: what finds proposals in frames.

use super::proposal::Proposal;
use referseg_camera::DepthImage;
use referseg_config::ProposalSettings;
use referseg_files::fingerprint::Fingerprint;
use referseg_files::Result;
use referseg_image::ExternalProposals;
use referseg_image::Frame;

/// A frame with what is known of it: a generator or a feature may keep state for each camera.
#[derive(Clone, Copy, Debug)]
pub struct FrameInput<'a> {
    /// The image.
    pub frame: &'a Frame,
    /// The camera's index.
    pub camera: usize,
    /// When the image was taken, nanoseconds since the epoch; `None` for images without a time.
    pub stamp: Option<i64>,
    /// How far the camera saw each pixel's surface, aligned with the image, where that is known.
    pub depth: Option<&'a DepthImage>,
    /// Its external proposals where the generator needs them, or why there are none.
    pub given: Option<std::result::Result<&'a ExternalProposals, &'a str>>,
}

impl<'a> FrameInput<'a> {
    /// An image that belongs to no sequence.
    pub fn single(frame: &'a Frame) -> FrameInput<'a> {
        FrameInput { frame, camera: 0, stamp: None, depth: None, given: None }
    }
}

/// Finds proposals in frames.
pub trait ProposalGenerator: Send {
    /// The proposals of a frame, at most as many as the settings allow, in an order that depends on nothing but the
    /// frame (and, for generators that follow a sequence, on the camera's frames before it).
    ///
    /// # Errors
    /// When the generator can't work on this frame.
    fn propose(&mut self, input: &FrameInput) -> Result<Vec<Proposal>>;

    /// What its proposals depend on beside the frame: settings, weights, contents of files, its version.
    fn fingerprint(&self) -> Fingerprint;

    /// Takes on other settings; false when they name other weights or files, for which it must be opened again.
    fn reconfigure(&mut self, settings: &ProposalSettings) -> bool;
}
