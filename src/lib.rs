//! Referseg finds the thing that a person named in an image: zero-shot referring image segmentation.
//!
//! ```text
//!  wire, ros            image              proposals        grounding                             wire, ros
//!  sensor_msgs/Image -> RawImage -> Frame -> Vec<Proposal> -> visual features --\
//!                                                                                >- terms -> decision -> Answer -> messages
//!  std_msgs/String ---> Command -> ParsedCommand ----------> text features -----/
//!                       language
//! ```
//!
//! Modules in the order of the layers; each uses only those above it (`tests/layers.rs`, ARCHITECTURE.md).
//!
//! ```
//! use referseg::config::{Config, Layer};
//! use referseg::grounding::Segmenter;
//! use referseg::language::Command;
//! use referseg::proposals::FrameInput;
//!
//! # fn main() -> referseg::Result<()> {
//! let mut segmenter = Segmenter::open(Config::from_layers(&[Layer::value("example", "model", "models/demo")])?)?;
//! let frame = referseg::image::open("tests/data/scene/000000.png".as_ref())?;
//! let encoded = segmenter.encode_frame(&FrameInput::single(&frame))?;
//! let command = segmenter.encode_command(&Command::parse("pick up the red ball")?)?;
//! let answer = segmenter.answer(&encoded, &command)?;
//! assert_eq!(answer.target, "the red ball");
//! assert!(answer.shown().is_some_and(|(mask, rect)| mask.area() > 0 && rect.width > 0));
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

pub mod error;
pub mod fingerprint;

pub mod atomic_file;
pub mod config;
mod foreign_file;
mod panics;

pub mod image;

pub mod camera;
pub mod language;

pub mod answer;

pub mod device;
pub mod models;

pub mod model_checks;
pub mod proposals;
pub mod tracking;

pub mod grounding;

pub mod drawing;
pub mod runtime;
pub mod wire;

pub mod doctor;
pub mod evaluation;
pub mod hub;
pub mod replay;
#[cfg(feature = "ros")]
pub mod ros;

pub use error::{Error, Result};
