//! `Frame`: one picture as RGB pixels, and `RawImage`, the bytes that a camera sent.
//!
//! A `RawImage` becomes a `Frame` once, at the edge; behind it nobody asks about encodings again.
//! The arithmetic of `step` and byte order lives here, not with ROS, so that it is tested without ROS.

use crate::error::{Error, Result};

/// Sides above this are refused: 16,384 pixels a side is more than any camera here and 0.8 GB of RGB.
pub const MAX_SIDE: u32 = 16_384;

/// A picture: RGB, 3 bytes a pixel, row-major, no padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Frame {
    /// A frame of `width * height * 3` bytes.
    ///
    /// # Errors
    /// When a side is zero or above [`MAX_SIDE`], or the bytes are not as many as that.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self> {
        check_size(width as u64, height as u64)?;
        let expected = width * height * 3;
        if rgb.len() != expected {
            let fact = format!("{} bytes for {width}x{height} RGB; expected {expected}", rgb.len());
            return Err(Error::Image(fact));
        }
        Ok(Frame { width, height, rgb })
    }

    /// Reads a PNG or JPEG file.
    ///
    /// # Errors
    /// When the file can't be read or is no such picture.
    pub fn open(path: &std::path::Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::file(path))?;
        Frame::decode(&bytes).map_err(|error| Error::Image(format!("{path:?}: {error}")))
    }

    /// Reads the bytes of a PNG or JPEG file.
    ///
    /// # Errors
    /// When they are no such picture.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let picture = image::load_from_memory(bytes)
            .map_err(|cause| Error::Image(format!("no readable PNG or JPEG: {cause}")))?;
        let rgb = picture.into_rgb8();
        Frame::new(rgb.width() as usize, rgb.height() as usize, rgb.into_raw())
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
}

/// The pixel layouts that cameras send and we read; the names are ROS's (`sensor_msgs/image_encodings`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Red, green, blue.
    Rgb8,
    /// Blue, green, red.
    Bgr8,
    /// Red, green, blue, alpha; alpha is ignored.
    Rgba8,
    /// Blue, green, red, alpha; alpha is ignored.
    Bgra8,
    /// Grey.
    Mono8,
}

impl Encoding {
    /// Every encoding with the name it has in ROS; the OpenCV names mean the same bytes.
    pub const NAMES: [(&'static str, Encoding); 8] = [
        ("rgb8", Encoding::Rgb8),
        ("bgr8", Encoding::Bgr8),
        ("rgba8", Encoding::Rgba8),
        ("bgra8", Encoding::Bgra8),
        ("mono8", Encoding::Mono8),
        ("8UC3", Encoding::Bgr8),
        ("8UC4", Encoding::Bgra8),
        ("8UC1", Encoding::Mono8),
    ];

    /// The encoding of this name.
    ///
    /// # Errors
    /// When it is none that we read.
    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, encoding)| *encoding).ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.iter().take(5).map(|(name, _)| *name).collect();
            let shown: String = name.chars().take(40).collect();
            Error::Image(format!("unsupported encoding {shown:?}; supported: {}", names.join(", ")))
        })
    }

    /// Bytes a pixel, and where red, green and blue stand in it.
    fn layout(self) -> (usize, [usize; 3]) {
        match self {
            Encoding::Rgb8 => (3, [0, 1, 2]),
            Encoding::Bgr8 => (3, [2, 1, 0]),
            Encoding::Rgba8 => (4, [0, 1, 2]),
            Encoding::Bgra8 => (4, [2, 1, 0]),
            Encoding::Mono8 => (1, [0, 0, 0]),
        }
    }
}

/// A picture as it came: `height` rows of `step` bytes.
///
/// Samples are single bytes, so the sender's byte order changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct RawImage<'a> {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixel layout, by ROS's name.
    pub encoding: &'a str,
    /// Bytes from the start of one row to the next; at least one row's pixels.
    pub step: u32,
    /// At least `step * height` bytes; the last row may lack its padding.
    pub data: &'a [u8],
}

fn check_size(width: u64, height: u64) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(Error::Image(format!("size {width}x{height}; expected at least 1x1")));
    }
    if width.max(height) > u64::from(MAX_SIDE) {
        let fact = format!("size {width}x{height}; sides up to {MAX_SIDE} pixels are supported");
        return Err(Error::Image(fact));
    }
    Ok(())
}

impl TryFrom<RawImage<'_>> for Frame {
    type Error = Error;

    fn try_from(raw: RawImage<'_>) -> Result<Frame> {
        let (depth, places) = Encoding::parse(raw.encoding)?.layout();
        check_size(raw.width.into(), raw.height.into())?;
        let (width, height, step) = (raw.width as usize, raw.height as usize, raw.step as usize);
        let row = width * depth;
        let named = format!("{width}x{height} {}", raw.encoding);
        if step < row {
            let fact = format!("{named} with step {step}; a row needs at least {row} bytes");
            return Err(Error::Image(fact));
        }
        let needed = step as u64 * (height as u64 - 1) + row as u64;
        if (raw.data.len() as u64) < needed {
            let fact =
                format!("{named} with step {step} has {} bytes of data; expected at least {needed}", raw.data.len());
            return Err(Error::Image(fact));
        }
        let mut rgb = Vec::with_capacity(width * height * 3);
        for line in raw.data.chunks(step).take(height) {
            for pixel in line[..row].chunks_exact(depth) {
                rgb.extend(places.map(|place| pixel[place]));
            }
        }
        Frame::new(width, height, rgb)
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
        RawImage { width: 2, height: 2, encoding, step, data }
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
        let empty = RawImage { width: 0, height: 2, encoding: "rgb8", step: 0, data: &[] };
        assert_eq!(message(empty), "image: size 0x2; expected at least 1x1");
        let vast = RawImage { width: u32::MAX, height: u32::MAX, ..raw("rgb8", u32::MAX, &[]) };
        assert!(message(vast).contains("sides up to 16384 pixels"));
    }
}
