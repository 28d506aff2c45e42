//! `RawImage`: the bytes that a camera sent, and the encodings by which they become a [`Frame`].

use super::frame::Frame;
use super::packed8::{BGR8, BGRA8, MONO8, RGB8, RGBA8};
use super::pixel_encoding::{PixelEncoding, RawRows};
use super::size_limit::check_size;
use crate::error::{Error, Result};

/// Every encoding that is read.
pub static ENCODINGS: [&dyn PixelEncoding; 5] = [&RGB8, &BGR8, &RGBA8, &BGRA8, &MONO8];

/// An image as it was sent: rows of `step` bytes.
#[derive(Clone, Copy, Debug)]
pub struct RawImage<'a> {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixel layout, by ROS's name.
    pub encoding: &'a str,
    /// Whether samples of more than one byte have their highest byte first.
    pub big_endian: bool,
    /// Bytes from the start of one row to the next; at least one row's pixels.
    pub step: u32,
    /// All rows; the last one may lack its padding.
    pub data: &'a [u8],
}

/// The encoding of this name.
fn encoding(name: &str) -> Result<&'static dyn PixelEncoding> {
    let known = ENCODINGS.iter().find(|known| known.names().contains(&name));
    known.copied().ok_or_else(|| {
        let names: Vec<_> = ENCODINGS.iter().map(|known| known.names()[0]).collect();
        let shown: String = name.chars().take(40).collect();
        Error::Image(format!("unsupported encoding {shown:?}; supported: {}", names.join(", ")))
    })
}

impl TryFrom<RawImage<'_>> for Frame {
    type Error = Error;

    fn try_from(raw: RawImage<'_>) -> Result<Frame> {
        let encoding = encoding(raw.encoding)?;
        check_size(raw.width.into(), raw.height.into())?;
        let (width, height, step) = (raw.width as usize, raw.height as usize, raw.step as usize);
        let row = encoding.row_bytes(width);
        let named = format!("{width}x{height} {}", raw.encoding);
        if step < row {
            let fact = format!("{named} with step {step}; a row needs at least {row} bytes");
            return Err(Error::Image(fact));
        }
        let needed = step as u64 * (encoding.byte_rows(height) as u64 - 1) + row as u64;
        if (raw.data.len() as u64) < needed {
            let fact =
                format!("{named} with step {step} has {} bytes of data; expected at least {needed}", raw.data.len());
            return Err(Error::Image(fact));
        }
        let rows = RawRows { width, height, step, big_endian: raw.big_endian, data: raw.data };
        Frame::new(width, height, encoding.to_rgb(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows: red, green / blue, white.
    const PICTURE: [[u8; 3]; 4] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];

    fn encoded(places: &[usize], padding: usize) -> (u32, Vec<u8>) {
        let mut data = Vec::new();
        for row in PICTURE.chunks(2) {
            for pixel in row {
                data.extend(places.iter().map(|p| pixel.get(*p).copied().unwrap_or(77)));
            }
            data.extend(std::iter::repeat_n(9, padding));
        }
        ((2 * places.len() + padding) as u32, data)
    }

    fn raw<'a>(encoding: &'a str, step: u32, data: &'a [u8]) -> RawImage<'a> {
        RawImage { width: 2, height: 2, encoding, big_endian: false, step, data }
    }

    #[test]
    fn every_encoding_gives_the_same_picture_packed_or_padded() {
        let layouts: [(&str, &[usize]); 6] = [
            ("rgb8", &[0, 1, 2]),
            ("bgr8", &[2, 1, 0]),
            ("8UC3", &[2, 1, 0]),
            ("rgba8", &[0, 1, 2, 3]),
            ("bgra8", &[2, 1, 0, 3]),
            ("8UC4", &[2, 1, 0, 3]),
        ];
        for (encoding, places) in layouts {
            for padding in [0, 1, 5] {
                let (step, data) = encoded(places, padding);
                let frame = Frame::try_from(raw(encoding, step, &data)).unwrap();
                assert_eq!(frame.rgb(), PICTURE.concat(), "{encoding} with {padding} bytes of padding");
            }
        }
    }

    #[test]
    fn grey_is_the_same_in_all_channels() {
        let frame = Frame::try_from(raw("mono8", 3, &[1, 2, 0, 3, 4, 0])).unwrap();
        assert_eq!(frame.rgb(), [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    }

    #[test]
    fn the_last_row_may_lack_its_padding() {
        let (step, mut data) = encoded(&[0, 1, 2], 4);
        data.truncate(data.len() - 4);
        assert!(Frame::try_from(raw("rgb8", step, &data)).is_ok());
    }

    fn message(image: RawImage) -> String {
        Frame::try_from(image).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_said_in_full() {
        assert_eq!(
            message(raw("bayer_rggb8", 2, &[0; 4])),
            "image: unsupported encoding \"bayer_rggb8\"; supported: rgb8, bgr8, rgba8, bgra8, mono8"
        );
        assert_eq!(message(raw("rgb8", 5, &[0; 12])), "image: 2x2 rgb8 with step 5; a row needs at least 6 bytes");
        assert_eq!(
            message(raw("rgb8", 6, &[0; 11])),
            "image: 2x2 rgb8 with step 6 has 11 bytes of data; expected at least 12"
        );
        let empty = RawImage { width: 0, height: 2, ..raw("rgb8", 0, &[]) };
        assert_eq!(message(empty), "image: size 0x2; expected at least 1x1");
        let vast = RawImage { width: u32::MAX, height: u32::MAX, ..raw("rgb8", u32::MAX, &[]) };
        assert!(message(vast).contains("sides up to 16384 pixels"));
    }
}
