//! Packed 8-bit encodings: red, green and blue (or grey) stand as single bytes somewhere in each pixel.

use super::pixel_encoding::{PixelEncoding, RawRows};

/// A pixel of `size` bytes in which red, green and blue stand at `rgb`; other bytes (alpha) are ignored.
pub struct Packed8 {
    names: &'static [&'static str],
    size: usize,
    rgb: [usize; 3],
}

/// Red, green, blue.
pub static RGB8: Packed8 = Packed8 { names: &["rgb8"], size: 3, rgb: [0, 1, 2] };
/// Blue, green, red; OpenCV's three channels.
pub static BGR8: Packed8 = Packed8 { names: &["bgr8", "8UC3"], size: 3, rgb: [2, 1, 0] };
/// Red, green, blue, alpha.
pub static RGBA8: Packed8 = Packed8 { names: &["rgba8"], size: 4, rgb: [0, 1, 2] };
/// Blue, green, red, alpha; OpenCV's four channels.
pub static BGRA8: Packed8 = Packed8 { names: &["bgra8", "8UC4"], size: 4, rgb: [2, 1, 0] };
/// Grey.
pub static MONO8: Packed8 = Packed8 { names: &["mono8", "8UC1"], size: 1, rgb: [0, 0, 0] };

impl PixelEncoding for Packed8 {
    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    fn row_bytes(&self, width: usize) -> usize {
        width * self.size
    }

    fn to_rgb(&self, rows: RawRows) -> Vec<u8> {
        let mut rgb = vec![0; rows.width * rows.height * 3];
        let as_it_is = self.size == 3 && self.rgb == [0, 1, 2];
        let packed = rgb.chunks_exact_mut(rows.width * 3);
        for (row, packed) in rows.rows(rows.height, self.row_bytes(rows.width)).zip(packed) {
            if as_it_is {
                packed.copy_from_slice(row);
                continue;
            }
            for (pixel, packed) in row.chunks_exact(self.size).zip(packed.chunks_exact_mut(3)) {
                packed.copy_from_slice(&self.rgb.map(|place| pixel[place]));
            }
        }
        rgb
    }
}
