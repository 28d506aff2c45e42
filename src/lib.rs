//! Referseg finds the thing that a person named in a picture: zero-shot referring image segmentation.
#![warn(missing_docs)]

pub mod clip;
pub mod config;
pub mod device;
pub mod error;
pub mod frame;
pub mod mask;
pub mod proposals;
pub mod scoring;
pub mod text_features;
pub mod visual_features;

pub use error::{Error, Result};
