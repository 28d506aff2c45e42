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

pub use referseg_answer as answer;
pub use referseg_answer::drawing;
pub use referseg_camera as camera;
pub use referseg_config as config;
pub use referseg_dialogue as dialogue;
#[cfg(feature = "evaluation")]
pub use referseg_evaluation as evaluation;
pub use referseg_files as files;
pub use referseg_grounding as grounding;
#[cfg(feature = "hub")]
pub use referseg_hub as hub;
pub use referseg_image as image;
pub use referseg_language as language;
pub use referseg_models as models;
pub use referseg_models::device;
pub use referseg_proposals as proposals;
pub use referseg_recordings as recordings;
pub use referseg_report as report;
pub use referseg_tracking as tracking;

pub mod answer_json;
pub mod doctor;
pub mod replay;
#[cfg(feature = "ros")]
pub mod ros;
pub mod runtime;
pub mod warnings;

pub use referseg_files::{Error, Result};
