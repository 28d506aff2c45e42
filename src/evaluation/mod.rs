//! Evaluation: datasets of referring expressions, runs over them, and reports.
//!
//! A dataset (`dataset.rs` and one file for each format) is images with targets and expressions. A run
//! (`run.rs`) answers every expression by every row of a table and writes a line for each (`results.rs`);
//! proposals and features are kept on disk (`cache.rs`). A report (`report.rs`) is made from the lines alone.

mod cache;
mod coco_mask;
pub mod dataset;
mod hub;
mod overlap;
mod phrasecut;
mod published;
mod refcoco;
pub mod report;
pub mod results;
pub mod run;
mod scenes;

pub use coco_mask::Runs;
pub use dataset::Dataset;
pub use overlap::{oracle, Overlap, Shared};
pub use scenes::{Expression, Record, Scenes};
