//! The model hub: public checkpoints that Referseg can use, fetched and verified.

mod fetch;
mod manifest;
mod picture;
mod pins;

pub use fetch::{FileState, Hub, OnProgress};
pub use manifest::{Kind, Manifest, Model, ModelFile, Picture, Published, PublishedIou};
pub use pins::Pins;
