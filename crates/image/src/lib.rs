//! Images in memory: camera frames, raw encodings, masks, rectangles, resampling.
//!
//! Coordinates are *image pixels*: column 0, row 0 is the top left pixel. Nothing here knows ROS, models or language.
#![warn(missing_docs)]

mod bayer;
mod block_means;
mod blur;
mod external_proposals;
mod frame;
mod image_file;
mod inner_point;
mod jpeg_scan;
mod jpeg_tables;
mod label_image;
mod mask;
mod mask_grid;
mod mask_runs;
mod packed16;
mod packed8;
mod pixel_encoding;
mod raw_image;
mod rect;
pub mod resample;
mod rle;
mod size_limit;
mod yuv;

pub use block_means::BlockMeans;
pub use blur::blur;
pub use external_proposals::{DetectedBox, DetectedClass, ExternalProposals};
pub use frame::Frame;
pub use image_file::{decode, open, read, Picture};
pub use inner_point::inner_point;
pub use label_image::LabelImage;
pub use mask::{Mask, WORD};
pub use mask_grid::{area_on_grid, bilinear_on_grid, nearest_on_grid};
pub use mask_runs::Components;
pub use pixel_encoding::{PixelEncoding, RawRows};
pub use raw_image::{is_depth_encoding, plain_name, RawImage, ENCODINGS};
pub use rect::Rect;
pub use rle::Rle;
pub use size_limit::{check_size, MAX_PIXELS, MAX_SIDE};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
