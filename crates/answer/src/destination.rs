//! `FoundDestination`: where the target shall go, as far as it was found in the picture.

use super::status::Status;
use referseg_image::{Mask, Rect};

/// Something that a destination is said by: "the plate" in "between the plate and the can".
#[derive(Clone, Debug, PartialEq)]
pub struct Anchor {
    /// As said.
    pub phrase: String,
    /// Index of its proposal; `None` when it was not found.
    pub proposal: Option<usize>,
    /// Its box, image pixels.
    pub rect: Option<Rect>,
}

/// A place that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct DestinationSpot {
    /// The best point for the thing's foot, `[x, y]` in image pixels.
    pub point: [f32; 2],
    /// The places that would do, image pixels.
    pub region: Mask,
    /// How well the best fits what was said, 0..1.
    pub fit: f32,
}

/// Where the target shall go.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundDestination {
    /// `Found` with a spot; `NotFound` where an anchor or room is missing, `Ambiguous` where several things fit an anchor.
    pub status: Status,
    /// Why it is not `Found`, or what of the words was not judged.
    pub reason: String,
    /// As said: "between the plate and the can".
    pub phrase: String,
    /// How it stands to the anchors, or what else is meant: "between", "free", "back".
    pub relation: String,
    /// The anchors, in the order of the text.
    pub anchors: Vec<Anchor>,
    /// Where, for the best anchors; `None` when there is no such place.
    pub spot: Option<DestinationSpot>,
    /// The robot's frame, when left, right, behind and in front were judged in it; else empty.
    pub reference_frame: String,
}
