//! The size limit: how large an image may be before anything is decoded or allocated for it.

use referseg_files::{Error, Result};

/// Longest side of an image, pixels.
pub const MAX_SIDE: u32 = 16_384;

/// Most pixels of an image: 100 megapixels are 0.3 GB of RGB, more than any camera that robots carry.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Refuses sizes that no image has.
///
/// # Errors
/// When a side is 0 or longer than [`MAX_SIDE`], or there are more than [`MAX_PIXELS`] pixels.
pub fn check_size(width: u64, height: u64) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(Error::Image(format!("size {width}x{height}; expected at least 1x1")));
    }
    if width.max(height) > u64::from(MAX_SIDE) {
        let fact = format!("size {width}x{height}; sides up to {MAX_SIDE} pixels are supported");
        return Err(Error::Image(fact));
    }
    if width * height > MAX_PIXELS {
        let megapixels = MAX_PIXELS / 1_000_000;
        let fact = format!("size {width}x{height}; up to {megapixels} megapixels are supported, scale it down first");
        return Err(Error::Image(fact));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_limited_by_side_and_by_pixels() {
        assert!(check_size(1, 16_384).is_ok());
        assert!(check_size(12_000, 8_000).is_ok());
        for (width, height, words) in
            [(0, 2, "at least 1x1"), (1, 16_385, "sides up to"), (16_384, 16_384, "up to 100 megapixels")]
        {
            assert!(check_size(width, height).unwrap_err().to_string().contains(words));
        }
    }
}
