//! The model hub: public checkpoints that Referseg can use, fetched and verified.

mod fetch;
mod manifest;
mod pins;

pub use fetch::{FileState, Hub, OnProgress};
pub use manifest::{Kind, Manifest, Model, ModelFile};
pub use pins::Pins;
