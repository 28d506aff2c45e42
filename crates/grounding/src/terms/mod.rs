//! Scoring terms: each gives every proposal a log-score; a proposal's score is their weighted sum.
//!
//! A term is one file with an implementation of [`ScoringTerm`], one line in `registry.rs` and one weight in the
//! configuration (`terms`).

mod class;
mod generic;
mod heat;
mod meaning;
mod quality;
mod registry;
mod similarity;
mod term;

pub use registry::{fingerprint, scores, TermScores, PROBABILITY};
pub use term::TermInput;
