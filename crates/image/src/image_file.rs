//! Image files to frames: PNG, JPEG, WebP, BMP, TIFF and PNM, their size checked before a pixel is decoded.

use super::frame::Frame;
use super::jpeg_tables::with_tables;
use super::size_limit::check_size;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use referseg_files::catch_panic::caught;
use referseg_files::foreign_file::ForeignFile;
use referseg_files::{Error, Result};
use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;

/// JPEG's markers of a scan and of the end.
const SCAN: [u8; 2] = [0xff, 0xda];
const END: [u8; 2] = [0xff, 0xd9];

/// A picture as it is looked at.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Upright.
    pub frame: Frame,
    /// Whether it is stored another way and was turned or mirrored as its EXIF orientation says.
    pub turned: bool,
}

/// Reads an image file, upright.
///
/// # Errors
/// When the file can't be read or holds no such image.
pub fn open(path: &Path) -> Result<Frame> {
    let bytes = std::fs::read(path).map_err(Error::file(path))?;
    Ok(read(&bytes).map_err(|error| error.about(path.display()))?.frame)
}

/// Reads the bytes of an image file, upright.
///
/// # Errors
/// When they are not such an image, or it is larger than the limit, or cut.
pub fn read(bytes: &[u8]) -> Result<Picture> {
    let (mut image, orientation) = decoded(bytes)?;
    image.apply_orientation(orientation);
    Ok(Picture { frame: frame_of(image)?, turned: orientation != Orientation::NoTransforms })
}

/// Reads the bytes of an image as it is stored, as cameras and datasets mean it.
///
/// # Errors
/// As [`read`].
pub fn decode(bytes: &[u8]) -> Result<Frame> {
    frame_of(decoded(bytes)?.0)
}

fn frame_of(image: DynamicImage) -> Result<Frame> {
    let rgb = image.into_rgb8();
    Frame::new(rgb.width() as usize, rgb.height() as usize, rgb.into_raw())
}

fn decoded(bytes: &[u8]) -> Result<(DynamicImage, Orientation)> {
    // decoders assert what a damaged or unusual file does not keep
    caught(|| decoded_by_the_library(bytes)).unwrap_or_else(|_| {
        Err(Error::Image(
            "not a readable PNG, JPEG, WebP, BMP, TIFF or PNM: the decoder failed; convert it to PNG".into(),
        ))
    })
}

fn decoded_by_the_library(bytes: &[u8]) -> Result<(DynamicImage, Orientation)> {
    let is_jpeg = bytes.starts_with(&[0xff, 0xd8]);
    let bytes = if is_jpeg { with_tables(bytes) } else { Cow::Borrowed(bytes) };
    let bytes = bytes.as_ref();
    let unreadable = |cause: &dyn std::fmt::Display| {
        let fact = ForeignFile::of(bytes).map_or_else(|| cause.to_string(), |other| other.fact().to_string());
        Error::Image(format!("not a readable PNG, JPEG, WebP, BMP, TIFF or PNM: {fact}"))
    };
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|cause| unreadable(&cause))?;
    let format = reader.format();
    let mut decoder = reader.into_decoder().map_err(|cause| unreadable(&cause))?;
    let (width, height) = decoder.dimensions();
    check_size(width.into(), height.into())?;
    if format == Some(ImageFormat::Jpeg) && !is_whole_jpeg(bytes) {
        return Err(unreadable(&"the JPEG is cut: its end is missing"));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(|cause| unreadable(&cause))?;
    Ok((image, orientation))
}

/// Whether a JPEG goes on to its end: decoders fill what is missing with grey, and a grey half is no picture to answer on.
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|pair| pair == marker);
    // thumbnails before the scan have ends of their own
    last(SCAN).zip(last(END)).is_some_and(|(scan, end)| end > scan)
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
            assert!(decode(bytes).unwrap_err().to_string().contains("not a readable PNG, JPEG"));
        }
    }

    /// Red above blue, as a file.
    fn file(format: ImageFormat) -> Vec<u8> {
        let picture =
            image::RgbImage::from_fn(16, 24, |_, y| image::Rgb(if y < 12 { [200, 20, 30] } else { [20, 30, 200] }));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_format_gives_the_picture() {
        let formats = [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::WebP,
            ImageFormat::Bmp,
            ImageFormat::Tiff,
            ImageFormat::Pnm,
        ];
        for format in formats {
            let frame = decode(&file(format)).unwrap_or_else(|error| panic!("{format:?}: {error}"));
            // JPEG is a little off
            let near = |pixel: [u8; 3], expected: [u8; 3]| pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 8);
            assert_eq!((frame.width(), frame.height()), (16, 24), "{format:?}");
            assert!(near(frame.pixel(3, 2), [200, 20, 30]) && near(frame.pixel(12, 22), [20, 30, 200]), "{format:?}");
        }
    }

    #[test]
    fn a_jpeg_or_png_that_is_cut_within_its_pixels_is_refused() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let whole = file(format);
            for part in [0.3, 0.7, 0.9] {
                let cut = &whole[..(whole.len() as f64 * part) as usize];
                assert!(decode(cut).is_err(), "{format:?} {part}");
            }
        }
    }

    #[test]
    fn a_pictures_own_orientation_is_applied_when_it_is_looked_at_and_not_when_a_camera_sends_it() {
        let jpeg = file(ImageFormat::Jpeg);
        // EXIF with one entry, orientation 6: turn it to the right
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        let mut segment = vec![0xff, 0xe1];
        segment.extend((exif.len() as u16 + 2).to_be_bytes());
        segment.append(&mut exif);
        let turned = [&jpeg[..2], &segment, &jpeg[2..]].concat();
        let seen = read(&turned).unwrap();
        assert!(seen.turned);
        assert_eq!((seen.frame.width(), seen.frame.height()), (24, 16));
        assert!(seen.frame.pixel(22, 8)[0] > 150 && seen.frame.pixel(2, 8)[2] > 150, "above is at the right now");
        assert!(!read(&jpeg).unwrap().turned);
        assert_eq!(decode(&turned).unwrap(), decode(&jpeg).unwrap());
    }
}
