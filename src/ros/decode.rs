//! Messages in: `sensor_msgs/Image` to a frame, the bytes of `std_msgs/String` to a text.

use crate::error::{Error, Result};
use crate::frame::{Frame, RawImage};
use r2r::sensor_msgs::msg::Image;

/// The picture in an image message.
///
/// # Errors
/// When the encoding, the size, the step or the length is not usable.
pub fn frame(message: &Image) -> Result<Frame> {
    Frame::try_from(RawImage {
        width: message.width,
        height: message.height,
        encoding: &message.encoding,
        step: message.step,
        data: &message.data,
    })
}

/// The text in a serialised `std_msgs/String` (CDR: 4 bytes of header, the length with the final NUL, the
/// bytes). r2r's own conversion turns a text that is not UTF-8 into an empty one, which would mean "clear".
///
/// # Errors
/// When the bytes are cut short or not UTF-8.
pub fn text(cdr: &[u8]) -> Result<String> {
    let malformed = || Error::Command("the message is cut short; expected a serialised std_msgs/String".into());
    let length: [u8; 4] = cdr.get(4..8).and_then(|bytes| bytes.try_into().ok()).ok_or_else(malformed)?;
    // the second header byte: 1 for little endian
    let length = if cdr[1] & 1 == 1 { u32::from_le_bytes(length) } else { u32::from_be_bytes(length) };
    let bytes = cdr.get(8..8 + length as usize).ok_or_else(malformed)?;
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    String::from_utf8(bytes.to_vec())
        .map_err(|cause| Error::Command(format!("the text is not UTF-8 ({cause}); expected UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_is_no_text_is_an_error_and_never_an_empty_text() {
        let message = text(&cdr(1, [3, 0, 0, 0], b"\xff\xfe\0")).unwrap_err().to_string();
        assert!(message.contains("not UTF-8"), "{message}");
        for cut in [&[][..], &[0, 1, 0], &cdr(1, [9, 0, 0, 0], b"mug\0"), &cdr(1, [255; 4], b"")] {
            assert!(text(cut).is_err());
        }
    }
}
