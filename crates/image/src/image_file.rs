//! Image files to frames: PNG, JPEG, WebP, BMP, TIFF and PNM, their size checked before a pixel is decoded.

use super::frame::Frame;
use super::jpeg_scan::damage;
use super::jpeg_tables::with_tables;
use super::size_limit::check_size;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};
use referseg_files::catch_panic::caught;
use referseg_files::foreign_file::ForeignFile;
use referseg_files::{Error, Result};
use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

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
    if bytes.is_empty() {
        return Err(Error::Image("no bytes; expected a PNG, JPEG, WebP, BMP, TIFF or PNM".into()));
    }
    let unreadable = |cause: &dyn std::fmt::Display| {
        let fact = ForeignFile::of(bytes).map_or_else(|| cause.to_string(), |other| other.fact().to_string());
        Error::Image(format!("not a readable PNG, JPEG, WebP, BMP, TIFF or PNM: {fact}"))
    };
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|cause| unreadable(&cause))?;
    let format = reader.format();
    let mut decoder = reader.into_decoder().map_err(|cause| unreadable(&cause))?;
    let (width, height) = decoder.dimensions();
    check_size(width.into(), height.into())?;
    if let (Some(ImageFormat::Jpeg), Some(fact)) = (format, damage(bytes)) {
        return Err(unreadable(&fact));
    }
    let orientation = orientation(&mut decoder);
    if format == Some(ImageFormat::Jpeg) {
        if let Some(image) = decoded_jpeg(bytes).map_err(|cause| unreadable(&cause))? {
            return Ok((image, orientation));
        }
    }
    let image = DynamicImage::from_decoder(decoder).map_err(|cause| unreadable(&cause))?;
    Ok((image, orientation))
}

/// EXIF's own header, which some writers put into WebP and PNG too, where none belongs.
const EXIF: &[u8] = b"Exif\0\0";
/// The orientation in XMP (Adobe's specification, part 1): an attribute or an element.
const XMP_ORIENTATION: &str = "tiff:Orientation";

/// How a picture is to be turned, by its EXIF, else by its XMP.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    let upright = Orientation::NoTransforms;
    let own = decoder.orientation().unwrap_or(upright);
    if own != upright {
        return own;
    }
    let exif = decoder.exif_metadata().ok().flatten();
    let in_exif =
        exif.as_deref().and_then(|exif| Orientation::from_exif_chunk(exif.strip_prefix(EXIF).unwrap_or(exif)));
    let in_xmp = || {
        let xmp = decoder.xmp_metadata().ok().flatten()?;
        let text = String::from_utf8_lossy(&xmp);
        let (_, after) = text.split_once(XMP_ORIENTATION)?;
        let digit = after.trim_start_matches(['=', '>', '"', '\'', ' ']).chars().next()?.to_digit(10)?;
        Orientation::from_exif(digit as u8)
    };
    in_exif.or_else(in_xmp).unwrap_or(upright)
}

/// Most samples that the scans of a progressive JPEG may go through: ten scans, as encoders write them, of 100 megapixels.
const MOST_SCANNED: usize = 1_000_000_000;
/// Scans of a small one at most.
const MOST_SCANS: usize = 100;
/// What the decoder says of a picture that is whole, but has bytes between its headers.
const STRAY_BYTES: &str = "Extra bytes between headers";

/// A JPEG, whose damage is an error: [`ImageReader`] decodes what it can and leaves the rest grey, without a word. `None` for one that
/// is whole, but unusual.
fn decoded_jpeg(bytes: &[u8]) -> std::result::Result<Option<DynamicImage>, String> {
    let options = |colours: ColorSpace, scans: usize| {
        DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::MAX)
            .set_max_height(usize::MAX)
            .jpeg_set_max_scans(scans)
            .jpeg_set_out_colorspace(colours)
    };
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options(ColorSpace::RGB, MOST_SCANS));
    if decoder.decode_headers().is_err() {
        return Ok(None);
    }
    let Some((width, height)) = decoder.dimensions() else { return Ok(None) };
    let is_usual = matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma));
    if !is_usual {
        return Ok(None);
    }
    decoder.set_options(options(ColorSpace::RGB, (MOST_SCANNED / (width * height).max(1)).clamp(1, MOST_SCANS)));
    match decoder.decode() {
        Ok(pixels) => Ok(RgbImage::from_raw(width as u32, height as u32, pixels).map(DynamicImage::ImageRgb8)),
        Err(cause) if cause.to_string().contains(STRAY_BYTES) => Ok(None),
        Err(cause) => Err(format!("the JPEG is damaged: {cause}")),
    }
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
        assert!(decode(b"").unwrap_err().to_string().contains("no bytes"));
        for bytes in [&b"no image at all"[..], b"\x89PNG\r\n\x1a\n"] {
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
    fn a_jpeg_that_is_damaged_within_its_pixels_is_refused_and_a_whole_one_is_as_the_library_decodes_it() {
        let noisy =
            image::RgbImage::from_fn(96, 80, |x, y| image::Rgb([(x * y % 251) as u8, (x ^ y) as u8, (x * 2) as u8]));
        for picture in [DynamicImage::from(noisy.clone()), DynamicImage::from(DynamicImage::from(noisy).into_luma8())] {
            let mut bytes = Cursor::new(Vec::new());
            picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
            let whole = bytes.into_inner();
            let expected = image::load_from_memory(&whole).unwrap().into_rgb8().into_raw();
            assert_eq!(decode(&whole).unwrap().rgb(), expected);
            let scan = whole.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
            let mut damaged = whole.clone();
            let middle = scan + (whole.len() - scan) / 2;
            damaged[middle..middle + 2].copy_from_slice(&[0xff, 0xd3]);
            let refused = decode(&damaged).unwrap_err().to_string();
            assert!(refused.contains("the JPEG is damaged"), "{refused}");
        }
    }

    /// A chunk of a PNG.
    fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let body = [name, data].concat();
        [&(data.len() as u32).to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat()
    }

    #[test]
    fn an_orientation_is_found_with_exifs_header_and_in_xmp() {
        let png = file(ImageFormat::Png);
        let head = 8 + 25; // signature and IHDR
        let with = |chunk: Vec<u8>| [&png[..head], &chunk, &png[head..]].concat();
        let exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let xmp = |written: &str| {
            let packet = format!("XML:com.adobe.xmp\0\0\0\0\0<rdf:Description {written}");
            chunk(b"iTXt", packet.as_bytes())
        };
        for turned in [
            with(chunk(b"eXIf", exif)),
            with(chunk(b"eXIf", &[EXIF, exif].concat())),
            with(xmp("tiff:Orientation=\"6\"/>")),
            with(xmp("><tiff:Orientation>6</tiff:Orientation>")),
        ] {
            let seen = read(&turned).unwrap();
            assert!(seen.turned);
            assert_eq!((seen.frame.width(), seen.frame.height()), (24, 16));
        }
        assert!(!read(&with(xmp("tiff:Orientation=\"1\"/>"))).unwrap().turned);
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
