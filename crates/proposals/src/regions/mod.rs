//! Regions: proposals from the pixels alone.

mod background;
mod candidate;
mod generator;
mod merge_tree;
mod superpixels;

pub use generator::Regions;
