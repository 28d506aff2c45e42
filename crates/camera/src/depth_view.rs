//! `DepthView`: a depth image with the camera that saw it, and the frame that points are to be given in.

use super::depth_image::DepthImage;
use super::pinhole::Pinhole;
use super::target_frame::TargetFrame;

/// What a camera saw, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct DepthView {
    /// How far each pixel's surface is.
    pub depth: DepthImage,
    /// The camera.
    pub camera: Pinhole,
    /// The frame that 3D outputs are given in; `None` for the camera's optical frame.
    pub target: Option<TargetFrame>,
}
