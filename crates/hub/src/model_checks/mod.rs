//! Checks of a checkpoint on the machine at hand: what it gives for a known picture, preprocessing included, beside what is
//! published of it; where nothing is published, whether its answers are finite and agree with each other.

mod finding;
mod image_text;
mod segment_anything;

pub use finding::{all_passed, Finding};
pub use image_text::{agree_with_words, logits};
pub use segment_anything::{agree_with_boxes, predicted_ious};

/// A picture that is always here: a rendered table with a few things, PNG.
pub const BUILT_IN_PICTURE: &[u8] = include_bytes!("../../../../tests/data/scene/000000.png");
