//! Bayer encodings: one colour a pixel, as the sensor has them; the other two are the means of the neighbours that have them.

use super::pixel_encoding::{sample16, PixelEncoding, RawRows};

const RED: usize = 0;
const GREEN: usize = 1;
const BLUE: usize = 2;

/// A mosaic of two by two pixels.
pub struct Bayer {
    name: [&'static str; 1],
    /// The colours of the first row's first two pixels, then of the second row's.
    mosaic: [usize; 4],
    /// Bytes of a pixel: 1 or 2.
    bytes: usize,
}

const RGGB: [usize; 4] = [RED, GREEN, GREEN, BLUE];
const BGGR: [usize; 4] = [BLUE, GREEN, GREEN, RED];
const GBRG: [usize; 4] = [GREEN, BLUE, RED, GREEN];
const GRBG: [usize; 4] = [GREEN, RED, BLUE, GREEN];

macro_rules! mosaics {
    ($($constant:ident = $name:literal, $mosaic:ident, $bytes:literal;)*) => {
        $(#[doc = concat!("`", $name, "`.")]
        pub static $constant: Bayer = Bayer { name: [$name], mosaic: $mosaic, bytes: $bytes };)*
    };
}

mosaics! {
    RGGB8 = "bayer_rggb8", RGGB, 1;
    BGGR8 = "bayer_bggr8", BGGR, 1;
    GBRG8 = "bayer_gbrg8", GBRG, 1;
    GRBG8 = "bayer_grbg8", GRBG, 1;
    RGGB16 = "bayer_rggb16", RGGB, 2;
    BGGR16 = "bayer_bggr16", BGGR, 2;
    GBRG16 = "bayer_gbrg16", GBRG, 2;
    GRBG16 = "bayer_grbg16", GRBG, 2;
}

impl PixelEncoding for Bayer {
    fn names(&self) -> &[&'static str] {
        &self.name
    }

    fn row_bytes(&self, width: usize) -> usize {
        width * self.bytes
    }

    fn to_rgb(&self, rows: RawRows) -> Vec<u8> {
        let (width, height) = (rows.width, rows.height);
        let mut values = Vec::with_capacity(width * height);
        for row in rows.rows(height, self.row_bytes(width)) {
            match self.bytes {
                1 => values.extend_from_slice(row),
                _ => values.extend(row.chunks_exact(2).map(|pair| sample16(pair, rows.big_endian))),
            }
        }
        let colour = |x: usize, y: usize| self.mosaic[y % 2 * 2 + x % 2];
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let (mut sums, mut counts) = ([0u32; 3], [0u32; 3]);
                for v in y.saturating_sub(1)..(y + 2).min(height) {
                    for u in x.saturating_sub(1)..(x + 2).min(width) {
                        let at = colour(u, v);
                        sums[at] += u32::from(values[v * width + u]);
                        counts[at] += 1;
                    }
                }
                let own = colour(x, y);
                rgb.extend([RED, GREEN, BLUE].map(|at| match (at == own, counts[at]) {
                    (true, _) => values[y * width + x],
                    // an image of one row or column lacks a colour
                    (false, 0) => values[y * width + x],
                    (false, count) => ((sums[at] + count / 2) / count) as u8,
                }));
            }
        }
        rgb
    }
}
