//! Referseg finds the thing that a person named in a picture: zero-shot referring image segmentation.
#![warn(missing_docs)]

pub mod agreement;
pub mod bag;
pub mod clip;
pub mod command;
pub mod config;
pub mod depth;
pub mod device;
pub mod digest;
pub mod error;
pub mod evaluation;
pub mod frame;
pub mod heat;
pub mod mask;
pub mod messages;
pub mod models;
pub mod noun_phrase;
pub mod object;
pub mod outcome;
pub mod overlay;
pub mod proposals;
pub mod replay;
#[cfg(feature = "ros")]
pub mod ros;
pub mod scoring;
pub mod segmenter;
pub mod text_features;
pub mod thumbnail;
pub mod visual_features;
pub mod weights;
pub mod worker;

pub use error::{Error, Result};
