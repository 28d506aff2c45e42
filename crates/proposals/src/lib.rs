//! Mask proposals: class-agnostic regions of a frame (section 3.1 of the paper).
//!
//! A generator is one file (or folder) with an implementation of [`ProposalGenerator`] and one entry in `registry.rs`.
#![warn(missing_docs)]

mod budget;
mod generator;
mod labels;
mod proposal;
mod regions;
mod registry;
mod sam;
mod solo;
mod topic;

pub use budget::{check_budget, PIXEL_BUDGET};
pub use generator::{FrameInput, ProposalGenerator};
pub use labels::{of_labels, Labels};
pub use proposal::Proposal;
pub use regions::Regions;
pub use registry::{check, check_name, open};
pub use sam::{remove_small_regions, Candidate, PromptedSam, SamGenerator, SamRefiner};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
