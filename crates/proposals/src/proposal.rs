//! `Proposal`: a region that may be one thing, whatever its name.

use referseg_image::DetectedClass;
use referseg_image::Mask;

/// A class-agnostic region of a frame, in image pixels, never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Its pixels; as large as the frame.
    pub mask: Mask,
    /// The value that it has in a label image, if it came from one.
    pub label: Option<u32>,
    /// What a detector takes it for, if it came from one.
    pub class: Option<DetectedClass>,
    /// How good its generator thinks it is, 0..1; 1 where a generator does not say.
    pub quality: f32,
}

impl Proposal {
    /// A proposal from outside: nothing but its mask is known.
    pub fn of_mask(mask: Mask) -> Proposal {
        Proposal { mask, label: None, class: None, quality: 1.0 }
    }
}
