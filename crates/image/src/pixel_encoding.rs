//! `PixelEncoding`: one pixel layout that cameras send, and how its rows become RGB.
//!
//! A new layout is one file with an implementation and one line in [`ENCODINGS`](super::ENCODINGS).

/// The rows of a raw image whose step and length were checked.
#[derive(Clone, Copy, Debug)]
pub struct RawRows<'a> {
    /// Columns.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Bytes from the start of one row to the next.
    pub step: usize,
    /// Whether samples of more than one byte have their highest byte first.
    pub big_endian: bool,
    /// The bytes; the last row may lack its padding.
    pub data: &'a [u8],
}

impl<'a> RawRows<'a> {
    /// The first `length` bytes of each of the first `count` rows.
    pub fn rows(&self, count: usize, length: usize) -> impl Iterator<Item = &'a [u8]> {
        self.data.chunks(self.step).take(count).map(move |row| &row[..length])
    }
}

/// A pixel layout of `sensor_msgs/image_encodings`.
pub trait PixelEncoding: Sync {
    /// Its names in ROS; the first is the one that messages to users show.
    fn names(&self) -> &[&'static str];

    /// Bytes that one row of pixels needs.
    fn row_bytes(&self, width: usize) -> usize;

    /// Rows of bytes that `height` rows of pixels need: more than those for layouts with planes behind each other.
    fn byte_rows(&self, height: usize) -> usize {
        height
    }

    /// The pixels as RGB, `width * height * 3` bytes. The rows are long enough and as many as the layout needs.
    fn to_rgb(&self, rows: RawRows) -> Vec<u8>;
}

/// A sample of two bytes, 0..65535, as one of 8 bits: rounded, so that white stays white.
pub fn sample16(bytes: &[u8], big_endian: bool) -> u8 {
    let pair = [bytes[0], bytes[1]];
    let value = if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
    ((u32::from(value) + 128) / 257) as u8
}
