//! Proposals from Segment Anything: its automatic mask generator, and asked where regions are.

mod crops;
mod generator;
mod postprocess;
mod prompted;

pub use generator::{Candidate, SamGenerator};
pub use prompted::PromptedSam;
