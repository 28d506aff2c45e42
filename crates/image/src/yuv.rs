//! YUV encodings: uyvy and yuyv in one plane, nv12, nv21 and nv24 in two, i420 in three; their colour differences stand for one, two or
//! four pixels.
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

/// A plane of Y, and behind it one of U and V for each pixel, in rows twice as long.
pub struct FullPairs;

/// U before V.
pub static NV24: FullPairs = FullPairs;

impl PixelEncoding for FullPairs {
    fn names(&self) -> &'static [&'static str] {
        &["nv24"]
    }

    fn row_bytes(&self, width: usize) -> usize {
        width
    }

    fn byte_rows(&self, height: usize) -> usize {
        3 * height
    }

    fn to_rgb(&self, rows: RawRows) -> Vec<u8> {
        let all: Vec<&[u8]> = rows.rows(self.byte_rows(rows.height), rows.width).collect();
        let (luma, chroma) = all.split_at(rows.height);
        let chroma = chroma.concat();
        let pixels = luma.concat().into_iter().zip(chroma.chunks_exact(2));
        pixels.flat_map(|(y, pair)| rgb_of(y, pair[0], pair[1])).collect()
    }
}

/// A plane of Y, and behind it one of U and one of V, each for two by two pixels.
pub struct ThreePlanes;

/// U before V.
pub static I420: ThreePlanes = ThreePlanes;

impl PixelEncoding for ThreePlanes {
    fn names(&self) -> &'static [&'static str] {
        &["i420", "yuv420p"]
    }

    fn row_bytes(&self, width: usize) -> usize {
        width.next_multiple_of(2)
    }

    fn byte_rows(&self, height: usize) -> usize {
        height + height.div_ceil(2)
    }

    fn to_rgb(&self, rows: RawRows) -> Vec<u8> {
        let bytes = self.row_bytes(rows.width);
        let all: Vec<&[u8]> = rows.rows(self.byte_rows(rows.height), bytes).collect();
        let (luma, chroma) = all.split_at(rows.height);
        let chroma = chroma.concat();
        let (u, v) = chroma.split_at(chroma.len() / 2);
        let pixel = |(at, y): (usize, &u8)| {
            let place = at / rows.width / 2 * (bytes / 2) + at % rows.width / 2;
            rgb_of(*y, u[place], v[place])
        };
        let luma: Vec<u8> = luma.iter().flat_map(|row| &row[..rows.width]).copied().collect();
        luma.iter().enumerate().flat_map(pixel).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_of_every_kind_give_the_pixels_that_pairs_of_bytes_give() {
        // 4x2: Y 50, 60 ... ; the left half has U 90 and V 200, the right half U 140 and V 30
        let luma: Vec<u8> = (0..8).map(|at| 50 + 10 * at).collect();
        let expected: Vec<u8> = (0..8)
            .flat_map(|at| if at % 4 < 2 { rgb_of(luma[at], 90, 200) } else { rgb_of(luma[at], 140, 30) })
            .collect();
        let shown = |encoding: &dyn PixelEncoding, chroma: &[u8]| {
            let data = [&luma[..], chroma].concat();
            encoding.to_rgb(RawRows { width: 4, height: 2, step: 4, big_endian: false, data: &data })
        };
        assert_eq!(shown(&NV12, &[90, 200, 140, 30]), expected);
        assert_eq!(shown(&I420, &[90, 140, 200, 30]), expected);
        let row = [90, 200, 90, 200, 140, 30, 140, 30];
        assert_eq!(shown(&NV24, &[row, row].concat()), expected);
    }
}
