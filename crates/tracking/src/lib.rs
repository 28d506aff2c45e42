//! Tracking: a thing that was found is followed from picture to picture until it is found again.
//!
//! Grounding takes long and cameras are fast. A [`Tracker`] takes the picture and the mask of an answer and moves the mask with the
//! picture: corners inside the mask are followed by optical flow, the mask moves as they do together, and parts that no longer look
//! as they did are left out. Where too little is left it says that the thing is lost, and looks for it where it was. [`Tracks`] are those of
//! one camera, with numbers that outlast answers. Knows neither messages nor models.
#![warn(missing_docs)]

mod patch;
mod similarity;
mod tracker;
mod tracks;

pub use tracker::{Lost, Picture, Sight, TrackedThing, Tracker};
pub use tracks::{FollowedFrame, FollowedThing, TrackNumbers, Tracks};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
