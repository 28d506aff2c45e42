//! `Frame`: one camera image as RGB pixels, 8 bits a channel.

use super::rect::Rect;
use super::size_limit::check_size;
use referseg_files::{Error, Result};
use std::sync::Arc;

/// An RGB image: 3 bytes a pixel, row-major, no padding. Clones share the pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    width: usize,
    height: usize,
    rgb: Arc<Vec<u8>>,
}

impl Frame {
    /// A frame of `width * height * 3` bytes.
    ///
    /// # Errors
    /// When the size is above the limit ([`check_size`]) or does not fit the bytes.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self> {
        check_size(width as u64, height as u64)?;
        let expected = width * height * 3;
        if rgb.len() != expected {
            let fact = format!("{} bytes for {width}x{height} RGB; expected {expected}", rgb.len());
            return Err(Error::Image(fact));
        }
        Ok(Frame { width, height, rgb: Arc::new(rgb) })
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The bytes, row-major RGB.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// One pixel's red, green and blue.
    pub fn pixel(&self, column: usize, row: usize) -> [u8; 3] {
        let at = (row * self.width + column) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// The part of the frame inside `rect`, which must lie within it.
    ///
    /// # Errors
    /// When `rect` is empty or reaches outside.
    pub fn cropped(&self, rect: Rect) -> Result<Frame> {
        if rect.right() > self.width || rect.bottom() > self.height {
            let fact = format!("crop {rect:?} of a {}x{} image; expected one inside it", self.width, self.height);
            return Err(Error::Image(fact));
        }
        let rows = self.rgb.chunks_exact(self.width * 3).skip(rect.y).take(rect.height);
        let rgb = rows.flat_map(|row| &row[rect.x * 3..][..rect.width * 3]).copied().collect();
        Frame::new(rect.width, rect.height, rgb)
    }
}
