//! Proposals from Segment Anything: its automatic mask generator.

mod crops;
mod generator;
mod postprocess;

pub use generator::{Candidate, SamGenerator};
