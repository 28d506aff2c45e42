//! Evaluation: datasets of referring expressions, runs over them, and reports.
//!
//! A dataset (`dataset.rs` and one file for each format) is images with targets and expressions. A run
//! (`run.rs`) answers every expression by every variant of a table and writes a line for each (`results.rs`);
//! proposals and features are kept on disk (`cache.rs`). A report (`report.rs`) is made from the lines alone.
#![warn(missing_docs)]

mod cache;
pub mod dataset;
mod expressions_file;
mod hub;
mod measure;
mod ocid_ref;
mod open_dataset;
mod overlap;
mod parquet_file;
mod parquet_images;
mod phrasecut;
mod published;
mod refcoco;
mod rendered_scenes;
pub mod report;
pub mod results;
mod roborefit;
pub mod run;
pub mod variants;

pub use open_dataset::open;
pub use overlap::{oracle, IouCounts, Overlap};
pub use parquet_images::ParquetImages;
pub use rendered_scenes::{Record, RenderedScenes, SceneExpression};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
