//! Image files: PNG and JPEG bytes to frames, their size checked before a pixel is decoded.

use super::frame::Frame;
use super::size_limit::check_size;
use crate::error::{Error, Result};
use image::ImageReader;
use std::io::Cursor;
use std::path::Path;

/// Reads a PNG or JPEG file.
///
/// # Errors
/// When the file can't be read or holds no such image.
pub fn open(path: &Path) -> Result<Frame> {
    let bytes = std::fs::read(path).map_err(Error::file(path))?;
    decode(&bytes).map_err(|error| error.about(path.display()))
}

/// Reads the bytes of a PNG or JPEG file.
///
/// # Errors
/// When they are not such an image, or it is larger than the limit.
pub fn decode(bytes: &[u8]) -> Result<Frame> {
    let unreadable = |cause: &dyn std::fmt::Display| Error::Image(format!("not a readable PNG or JPEG: {cause}"));
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let (width, height) =
        reader().map_err(|cause| unreadable(&cause))?.into_dimensions().map_err(|cause| unreadable(&cause))?;
    check_size(width.into(), height.into())?;
    let image = reader().map_err(|cause| unreadable(&cause))?.decode().map_err(|cause| unreadable(&cause))?;
    let rgb = image.into_rgb8();
    Frame::new(rgb.width() as usize, rgb.height() as usize, rgb.into_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG whose header says 20000x20000 and whose data is absent: refused by its header alone.
    #[test]
    fn the_size_is_checked_before_anything_is_decoded() {
        let mut header = b"IHDR".to_vec();
        header.extend(20_000u32.to_be_bytes());
        header.extend(20_000u32.to_be_bytes());
        header.extend([8, 2, 0, 0, 0]);
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
        png.extend(&header);
        png.extend(crc32(&header).to_be_bytes());
        png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
        let refused = decode(&png).unwrap_err().to_string();
        assert!(refused.contains("size 20000x20000; sides up to 16384"), "{refused}");
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        })
    }

    #[test]
    fn other_bytes_are_refused() {
        for bytes in [&b""[..], b"no image at all", b"\x89PNG\r\n\x1a\n"] {
            assert!(decode(bytes).unwrap_err().to_string().contains("not a readable PNG or JPEG"));
        }
    }
}
