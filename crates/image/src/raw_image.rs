//! `RawImage`: the bytes that a camera sent, and the encodings by which they become a [`Frame`].

use super::bayer::{BGGR16, BGGR8, GBRG16, GBRG8, GRBG16, GRBG8, RGGB16, RGGB8};
use super::frame::Frame;
use super::packed16::{BGR16, BGRA16, MONO16, RGB16, RGBA16};
use super::packed8::{BGR8, BGRA8, MONO8, RGB8, RGBA8};
use super::pixel_encoding::{PixelEncoding, RawRows};
use super::size_limit::check_size;
use super::yuv::{I420, NV12, NV21, NV24, UYVY, YUYV};
use referseg_files::{Error, Result};

/// Every encoding that is read.
pub static ENCODINGS: [&dyn PixelEncoding; 24] = [
    &RGB8, &BGR8, &RGBA8, &BGRA8, &MONO8, &RGB16, &BGR16, &RGBA16, &BGRA16, &MONO16, &UYVY, &YUYV, &NV12, &NV21, &NV24,
    &I420, &RGGB8, &BGGR8, &GBRG8, &GRBG8, &RGGB16, &BGGR16, &GBRG16, &GRBG16,
];

/// Encodings of depth (REP 118), which are no colours: millimetres in 16 bits, metres in 32.
const DEPTH_ENCODINGS: [&str; 2] = ["16UC1", "32FC1"];

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
    /// Bytes from the start of one row to the next; at least one row's pixels, or 0 for rows without padding, which some
    /// drivers write.
    pub step: u32,
    /// All rows; the last one may lack its padding.
    pub data: &'a [u8],
}

/// An encoding's name without OpenCV's prefix.
pub fn plain_name(name: &str) -> &str {
    name.strip_prefix("TYPE_").unwrap_or(name)
}

/// Whether an encoding is one of depth.
pub fn is_depth_encoding(name: &str) -> bool {
    DEPTH_ENCODINGS.iter().any(|depth| depth.eq_ignore_ascii_case(plain_name(name)))
}

/// The encoding of this name.
fn encoding(name: &str) -> Result<&'static dyn PixelEncoding> {
    // some drivers write capitals, and OpenCV's names with their prefix
    let name = plain_name(name);
    let known = ENCODINGS.iter().find(|known| known.names().iter().any(|known| known.eq_ignore_ascii_case(name)));
    known.copied().ok_or_else(|| {
        if is_depth_encoding(name) {
            return Error::Image(format!(
                "encoding {name} is depth; expected a colour image here: remap image to the camera's colour topic, and give the \
                 depth on depth"
            ));
        }
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
        let step = if step == 0 { row } else { step };
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
        let layouts: [(&str, &[usize]); 8] = [
            ("rgb8", &[0, 1, 2]),
            ("bgr8", &[2, 1, 0]),
            ("8UC3", &[2, 1, 0]),
            ("rgba8", &[0, 1, 2, 3]),
            ("bgra8", &[2, 1, 0, 3]),
            ("8UC4", &[2, 1, 0, 3]),
            ("TYPE_8UC3", &[2, 1, 0]),
            ("RGB8", &[0, 1, 2]),
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

    /// A picture without hard edges: what two or four pixels share loses little in it.
    fn smooth(width: usize, height: usize) -> Vec<[u8; 3]> {
        let pixel = |at: usize| {
            let (x, y) = ((at % width) as f32 / width as f32, (at / width) as f32 / height as f32);
            [40.0 + 170.0 * x, 210.0 - 150.0 * y, 60.0 + 80.0 * x + 70.0 * y].map(|value| value as u8)
        };
        (0..width * height).map(pixel).collect()
    }

    /// BT.601's limited range.
    fn yuv([r, g, b]: [u8; 3]) -> [u8; 3] {
        let [r, g, b] = [r, g, b].map(f32::from);
        let y = 16.0 + 0.256_788 * r + 0.504_129 * g + 0.097_906 * b;
        let u = 128.0 - 0.148_223 * r - 0.290_993 * g + 0.439_216 * b;
        let v = 128.0 + 0.439_216 * r - 0.367_788 * g - 0.071_427 * b;
        [y, u, v].map(|value| value.round() as u8)
    }

    /// Largest difference to the picture, over all pixels and colours.
    fn largest_difference(encoding: &str, big_endian: bool, step: usize, data: &[u8], picture: &[[u8; 3]]) -> u8 {
        let (width, height) = (WIDE as u32, (picture.len() / WIDE) as u32);
        let raw = RawImage { width, height, encoding, big_endian, step: step as u32, data };
        let frame = Frame::try_from(raw).unwrap_or_else(|error| panic!("{encoding}: {error}"));
        frame.rgb().iter().zip(picture.concat()).map(|(got, expected)| got.abs_diff(expected)).max().unwrap()
    }

    const WIDE: usize = 46;
    const HIGH: usize = 31;

    #[test]
    fn samples_of_16_bits_are_exact_in_either_byte_order() {
        let picture = smooth(WIDE, HIGH);
        let grey: Vec<[u8; 3]> = picture.iter().map(|pixel| [pixel[0]; 3]).collect();
        let layouts: [(&str, &[usize]); 7] = [
            ("rgb16", &[0, 1, 2]),
            ("bgr16", &[2, 1, 0]),
            ("16UC3", &[2, 1, 0]),
            ("rgba16", &[0, 1, 2, 0]),
            ("bgra16", &[2, 1, 0, 0]),
            ("16UC4", &[2, 1, 0, 0]),
            ("mono16", &[0]),
        ];
        for (encoding, places) in layouts {
            for big_endian in [false, true] {
                let sample = |value: u8| {
                    let wide = u16::from(value) * 257;
                    if big_endian {
                        wide.to_be_bytes()
                    } else {
                        wide.to_le_bytes()
                    }
                };
                let mut data = Vec::new();
                for row in picture.chunks(WIDE) {
                    data.extend(row.iter().flat_map(|pixel| places.iter().flat_map(move |at| sample(pixel[*at]))));
                    data.extend([9; 6]);
                }
                let step = WIDE * places.len() * 2 + 6;
                let expected = if places.len() == 1 { &grey } else { &picture };
                assert_eq!(
                    largest_difference(encoding, big_endian, step, &data, expected),
                    0,
                    "{encoding} {big_endian}"
                );
            }
        }
    }

    #[test]
    fn yuv_in_one_plane_or_two_is_the_picture_within_its_rounding() {
        // of a smooth picture: three levels for rounding Y, U and V, up to four for the colour that neighbours share
        let picture = smooth(WIDE, HIGH);
        let of = |x: usize, y: usize| yuv(picture[y.min(HIGH - 1) * WIDE + x]);
        for (encoding, order) in [("uyvy", "uyvy"), ("yuv422", "uyvy"), ("yuyv", "yuyv"), ("yuv422_yuy2", "yuyv")] {
            let mut data = Vec::new();
            for y in 0..HIGH {
                for x in (0..WIDE).step_by(2) {
                    let ([first, u, v], [second, ..]) = (of(x, y), of(x + 1, y));
                    data.extend(if order == "uyvy" { [u, first, v, second] } else { [first, u, second, v] });
                }
            }
            let difference = largest_difference(encoding, false, 0, &data, &picture);
            assert!(difference <= 7, "{encoding}: {difference}");
        }
        for (encoding, order) in [("nv12", [1, 2]), ("nv21", [2, 1])] {
            let padding = [0u8; 4];
            let mut data = Vec::new();
            for y in 0..HIGH {
                data.extend((0..WIDE).map(|x| of(x, y)[0]));
                data.extend(padding);
            }
            for y in (0..HIGH).step_by(2) {
                data.extend((0..WIDE).step_by(2).flat_map(|x| order.map(|at| of(x, y)[at])));
                data.extend(padding);
            }
            let difference = largest_difference(encoding, false, WIDE + 4, &data, &picture);
            assert!(difference <= 11, "{encoding}: {difference}");
        }
    }

    #[test]
    fn a_mosaic_is_the_picture_within_what_neighbours_differ() {
        let picture = smooth(WIDE, HIGH);
        for (name, mosaic) in
            [("rggb", [0, 1, 1, 2]), ("bggr", [2, 1, 1, 0]), ("gbrg", [1, 2, 0, 1]), ("grbg", [1, 0, 2, 1])]
        {
            let value = |at: usize| picture[at][mosaic[at / WIDE % 2 * 2 + at % WIDE % 2]];
            let eight: Vec<u8> = (0..WIDE * HIGH).map(value).collect();
            let difference = largest_difference(&format!("bayer_{name}8"), false, WIDE, &eight, &picture);
            assert!(difference <= 8, "{name}: {difference}");
            let sixteen: Vec<u8> = eight.iter().flat_map(|value| (u16::from(*value) * 257).to_be_bytes()).collect();
            let same = largest_difference(&format!("bayer_{name}16"), true, 2 * WIDE, &sixteen, &picture);
            assert_eq!(same, difference, "{name}");
        }
        // one row has two of the colours
        let raw = RawImage { width: 2, height: 1, encoding: "bayer_rggb8", big_endian: false, step: 2, data: &[9, 5] };
        assert_eq!(Frame::try_from(raw).unwrap().rgb(), [9, 5, 9, 9, 5, 5]);
    }

    fn message(image: RawImage) -> String {
        Frame::try_from(image).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_said_in_full() {
        assert_eq!(
            message(raw("yuv444", 2, &[0; 4])),
            "image: unsupported encoding \"yuv444\"; supported: rgb8, bgr8, rgba8, bgra8, mono8, rgb16, bgr16, rgba16, bgra16, \
             mono16, uyvy, yuyv, nv12, nv21, nv24, i420, bayer_rggb8, bayer_bggr8, bayer_gbrg8, bayer_grbg8, bayer_rggb16, bayer_bggr16, \
             bayer_gbrg16, bayer_grbg16"
        );
        assert!(message(raw("16UC1", 4, &[0; 8])).contains("remap image to the camera's colour topic"));
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
