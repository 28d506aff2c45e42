//! `ExternalProposals`: masks or boxes that a detector or tracker on the robot found in a frame.

use crate::LabelImage;

/// Proposals that came beside a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum ExternalProposals {
    /// One for each value but 0.
    Labels(LabelImage),
    /// Boxes, whose masks are still to be found.
    Boxes(Vec<DetectedBox>),
}

/// A box that a detector gave.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectedBox {
    /// Left, top, right and bottom edge, image pixels; it may reach over the image.
    pub corners: [f32; 4],
    /// What the detector takes it for, if it says so.
    pub class: Option<DetectedClass>,
}

/// What a detector takes something for.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectedClass {
    /// Its name for it, such as `cup`.
    pub name: String,
    /// How sure it is, 0..1.
    pub score: f32,
}
