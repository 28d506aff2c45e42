//! YUV encodings, whose colour differences stand for two or four pixels: uyvy and yuyv in one plane, nv12 and nv21 in two.
//!
//! Y from 16 to 235, U and V from 16 to 240 around 128, by BT.601, as drivers for USB cameras send it and OpenCV reads it.

use super::pixel_encoding::{PixelEncoding, RawRows};

/// One pixel of BT.601's limited range.
fn rgb_of(y: u8, u: u8, v: u8) -> [u8; 3] {
    let (y, u, v) = (1.164_383 * (f32::from(y) - 16.0), f32::from(u) - 128.0, f32::from(v) - 128.0);
    [y + 1.596_027 * v, y - 0.391_762 * u - 0.812_968 * v, y + 2.017_232 * u].map(|value| value.round() as u8)
}

/// Two pixels in four bytes.
pub struct Packed422 {
    names: &'static [&'static str],
    /// Where the first and second Y, U and V stand.
    places: [usize; 4],
}

/// U, Y, V, Y.
pub static UYVY: Packed422 = Packed422 { names: &["uyvy", "yuv422"], places: [1, 3, 0, 2] };
/// Y, U, Y, V.
pub static YUYV: Packed422 = Packed422 { names: &["yuyv", "yuv422_yuy2"], places: [0, 2, 1, 3] };

impl PixelEncoding for Packed422 {
    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    fn row_bytes(&self, width: usize) -> usize {
        width.div_ceil(2) * 4
    }

    fn to_rgb(&self, rows: RawRows) -> Vec<u8> {
        let [first, second, u, v] = self.places;
        let mut rgb = Vec::with_capacity(rows.width * rows.height * 3);
        for row in rows.rows(rows.height, self.row_bytes(rows.width)) {
            let pixels =
                row.chunks_exact(4).flat_map(|pair| [first, second].map(|y| rgb_of(pair[y], pair[u], pair[v])));
            rgb.extend(pixels.take(rows.width).flatten());
        }
        rgb
    }
}

/// A plane of Y, and behind it one of U and V for two by two pixels.
pub struct TwoPlanes {
    names: &'static [&'static str],
    /// Where U and V stand in a pair.
    places: [usize; 2],
}

/// U before V.
pub static NV12: TwoPlanes = TwoPlanes { names: &["nv12"], places: [0, 1] };
/// V before U.
pub static NV21: TwoPlanes = TwoPlanes { names: &["nv21"], places: [1, 0] };

impl PixelEncoding for TwoPlanes {
    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    fn row_bytes(&self, width: usize) -> usize {
        width.next_multiple_of(2)
    }

    fn byte_rows(&self, height: usize) -> usize {
        height + height.div_ceil(2)
    }

    fn to_rgb(&self, rows: RawRows) -> Vec<u8> {
        let [u, v] = self.places;
        let bytes = self.row_bytes(rows.width);
        let all: Vec<&[u8]> = rows.rows(self.byte_rows(rows.height), bytes).collect();
        let (luma, chroma) = all.split_at(rows.height);
        let mut rgb = Vec::with_capacity(rows.width * rows.height * 3);
        for (y, row) in luma.iter().enumerate() {
            let pairs = chroma[y / 2];
            let pixel = |x: usize| rgb_of(row[x], pairs[x / 2 * 2 + u], pairs[x / 2 * 2 + v]);
            rgb.extend((0..rows.width).flat_map(pixel));
        }
        rgb
    }
}
