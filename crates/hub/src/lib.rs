//! The model hub: public checkpoints that Referseg can use, fetched and verified.
#![warn(missing_docs)]

mod fetch;
mod manifest;
pub mod model_checks;
mod picture;
mod pins;

pub use fetch::{FileState, Hub, OnProgress};
pub use manifest::{Kind, Manifest, Model, ModelFile, Picture, Published, PublishedIou};
pub use pins::Pins;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
