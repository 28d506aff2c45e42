//! Proposals from Segment Anything: its automatic mask generator, and asked where regions are; and the refining of a mask.

mod crops;
mod generator;
mod postprocess;
mod prompted;
mod refiner;

pub use generator::{Candidate, SamGenerator};
pub use postprocess::remove_small_regions;
pub use prompted::PromptedSam;
pub use refiner::SamRefiner;
