//! Messages in: the bytes of images and texts to frames and commands.

use super::cdr::{from_cdr, MessageType};
use super::ros_messages::{CompressedImage, Header, Image, Text};
use super::transport::Transport;
use referseg_files::{Error, Result};
use referseg_image::{self, Frame, RawImage};
use serde::Deserialize;

/// An image message as it came, with its header read.
#[derive(Clone, Debug)]
pub struct Input {
    /// The header, which goes onto every output.
    pub header: Header,
    transport: Transport,
    cdr: Vec<u8>,
}

/// The beginning that all stamped messages share.
#[derive(Deserialize)]
struct Stamped {
    header: Header,
}

impl MessageType for Stamped {
    const TYPE: &'static str = "message with a header";
}

/// The header of a message that begins with one.
///
/// # Errors
/// When the bytes are cut short.
pub fn header(cdr: &[u8]) -> Result<Header> {
    Ok(from_cdr::<Stamped>(cdr)?.header)
}

impl Input {
    /// Takes the bytes of an image message.
    ///
    /// # Errors
    /// When not even the header can be read.
    pub fn new(transport: Transport, cdr: Vec<u8>) -> Result<Input> {
        Ok(Input { header: header(&cdr)?, transport, cdr })
    }

    /// How many bytes its message has.
    pub fn bytes(&self) -> usize {
        self.cdr.len()
    }

    /// The image.
    ///
    /// # Errors
    /// When the encoding, the size, the step, the length or the compressed data are not usable.
    pub fn frame(&self) -> Result<Frame> {
        match self.transport {
            Transport::Raw => {
                let image: Image = from_cdr(&self.cdr)?;
                Frame::try_from(RawImage::from(&image))
            }
            Transport::Compressed => {
                let CompressedImage { format, data, .. } = from_cdr(&self.cdr)?;
                check_format(&format)?;
                referseg_image::decode(&data).map_err(|error| error.about(format!("format {:?}", shown(&format))))
            }
        }
    }
}

impl<'a> From<&'a Image<'_>> for RawImage<'a> {
    fn from(image: &'a Image<'_>) -> RawImage<'a> {
        RawImage {
            width: image.width,
            height: image.height,
            encoding: &image.encoding,
            big_endian: image.is_bigendian != 0,
            step: image.step,
            data: &image.data,
        }
    }
}

/// The first bytes of a PNG, up to its header's bit depth and colour type: 16 bits, grey.
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const GREY_OF_16_BITS: [u8; 2] = [16, 0];

/// Whether a CompressedImage is depth: by its format (`16UC1; compressedDepth`, or a depth encoding), or because it is a grey PNG of 16 bits,
/// as cv_bridge writes depth with the format `png`.
pub fn is_depth(image: &CompressedImage) -> bool {
    is_depth_format(&image.format)
        || image.data.starts_with(PNG_SIGNATURE) && image.data.get(24..26) == Some(&GREY_OF_16_BITS)
}

/// Whether the format of a CompressedImage is one of depth.
pub fn is_depth_format(format: &str) -> bool {
    let encoding = format.split_once(';').map_or("", |(encoding, _)| encoding);
    format.contains("compressedDepth") || referseg_image::is_depth_encoding(encoding.trim())
}

/// Refuses depth by the name of its format; what else the text says differs from driver to driver, and the bytes tell.
fn check_format(format: &str) -> Result<()> {
    if is_depth_format(format) {
        let fact = "a depth image; expected a colour or grey image as jpeg or png";
        return Err(Error::Image(format!("unsupported format {:?}: {fact}", shown(format))));
    }
    Ok(())
}

/// As much of a format as a message needs.
fn shown(format: &str) -> String {
    format.chars().take(60).collect()
}

/// The text in a `std_msgs/String`.
///
/// # Errors
/// When the bytes are cut short or not UTF-8.
pub fn text(cdr: &[u8]) -> Result<String> {
    let text: Text = from_cdr(cdr).map_err(|error| Error::Command(format!("{error}; expected UTF-8")))?;
    Ok(text.data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{to_cdr, Time};
    use std::borrow::Cow;

    fn cdr(header: u8, length: [u8; 4], bytes: &[u8]) -> Vec<u8> {
        [&[0, header, 0, 0][..], &length, bytes].concat()
    }

    #[test]
    fn text_is_read_in_both_byte_orders() {
        assert_eq!(text(&cdr(1, [4, 0, 0, 0], b"mug\0")).unwrap(), "mug");
        assert_eq!(text(&cdr(0, [0, 0, 0, 4], b"mug\0")).unwrap(), "mug");
        assert_eq!(text(&cdr(1, [1, 0, 0, 0], b"\0")).unwrap(), "");
    }

    #[test]
    fn what_is_not_a_text_is_an_error_and_never_an_empty_text() {
        let message = text(&cdr(1, [3, 0, 0, 0], b"\xff\xfe\0")).unwrap_err().to_string();
        assert!(message.contains("UTF-8"), "{message}");
        for cut in [&[][..], &[0, 1, 0], &[0, 9, 0, 0], &cdr(1, [9, 0, 0, 0], b"mug\0"), &cdr(1, [255; 4], b"")] {
            assert!(text(cut).is_err());
        }
    }

    fn compressed(format: &str, data: &[u8]) -> Result<Frame> {
        let header = Header { stamp: Time { sec: 3, nanosec: 4 }, frame_id: "eye".into() };
        let message = CompressedImage { header: header.clone(), format: format.into(), data: Cow::Borrowed(data) };
        let input = Input::new(Transport::Compressed, to_cdr(&message)?)?;
        assert_eq!(input.header, header);
        input.frame()
    }

    fn png() -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        ::image::RgbImage::from_fn(4, 2, |x, y| ::image::Rgb([x as u8 * 50, y as u8 * 100, 7]))
            .write_to(&mut bytes, ::image::ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    }

    #[test]
    fn compressed_images_are_read_under_every_name_of_their_format() {
        for format in ["png", "rgb8; png compressed ", "bgr8; png compressed bgr8", "mono8; PNG compressed "] {
            let frame = compressed(format, &png()).unwrap();
            assert_eq!(
                (frame.width(), frame.height(), &frame.rgb()[..6]),
                (4, 2, &[0, 0, 7, 50, 0, 7][..]),
                "{format}"
            );
        }
        // the plugin says jpeg, the bytes are png: the bytes are what counts
        assert!(compressed("bgr8; jpeg compressed bgr8", &png()).is_ok());
    }

    #[test]
    fn depth_is_refused_by_name_and_other_formats_by_their_bytes() {
        for format in ["16UC1; compressedDepth", "16UC1; compressedDepth png", "32FC1; png compressed "] {
            let message = compressed(format, &png()).unwrap_err().to_string();
            assert!(message.contains(&format!("{format:?}: a depth image")), "{message}");
        }
        for format in ["", ".jpg", "image/jpeg", "mjpeg"] {
            assert!(compressed(format, &png()).is_ok(), "{format}: the bytes are a picture");
        }
        let stream = compressed("h264", b"\0\0\0\x01\x67").unwrap_err().to_string();
        assert!(stream.contains("\"h264\"") && stream.contains("not a readable PNG, JPEG"), "{stream}");
        assert!(compressed("png", &[]).unwrap_err().to_string().contains("no bytes"));
        for data in [&png()[..20], b"no picture at all"] {
            assert!(compressed("png", data).unwrap_err().to_string().contains("not a readable PNG, JPEG"));
        }
    }
}
