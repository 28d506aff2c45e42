//! Packed 16-bit encodings: red, green and blue (or grey) as two bytes each somewhere in each pixel, brought to 8 bits.

use super::pixel_encoding::{sample16, PixelEncoding, RawRows};

/// A pixel of `samples` numbers in which red, green and blue stand at `rgb`; others (alpha) are ignored.
pub struct Packed16 {
    names: &'static [&'static str],
    samples: usize,
    rgb: [usize; 3],
}

/// Red, green, blue.
pub static RGB16: Packed16 = Packed16 { names: &["rgb16"], samples: 3, rgb: [0, 1, 2] };
/// Blue, green, red; OpenCV's three channels.
pub static BGR16: Packed16 = Packed16 { names: &["bgr16", "16UC3"], samples: 3, rgb: [2, 1, 0] };
/// Red, green, blue, alpha.
pub static RGBA16: Packed16 = Packed16 { names: &["rgba16"], samples: 4, rgb: [0, 1, 2] };
/// Blue, green, red, alpha; OpenCV's four channels.
pub static BGRA16: Packed16 = Packed16 { names: &["bgra16", "16UC4"], samples: 4, rgb: [2, 1, 0] };
/// Grey. OpenCV's one channel of 16 bits, 16UC1, is depth (REP 118).
pub static MONO16: Packed16 = Packed16 { names: &["mono16"], samples: 1, rgb: [0, 0, 0] };

impl PixelEncoding for Packed16 {
    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    fn row_bytes(&self, width: usize) -> usize {
        width * self.samples * 2
    }

    fn to_rgb(&self, rows: RawRows) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(rows.width * rows.height * 3);
        for row in rows.rows(rows.height, self.row_bytes(rows.width)) {
            for pixel in row.chunks_exact(self.samples * 2) {
                rgb.extend(self.rgb.map(|place| sample16(&pixel[2 * place..], rows.big_endian)));
            }
        }
        rgb
    }
}
