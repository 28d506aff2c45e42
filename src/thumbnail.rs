//! Thumbnails: small pictures inside a page of HTML, so that the page needs no other file.

use crate::clip::pixels::{resized, Rgb};
use base64::Engine;
use fast_image_resize::FilterType;

/// Columns of a thumbnail.
const WIDTH: usize = 320;
/// Percent.
const JPEG_QUALITY: u8 = 80;

/// An RGB picture as a small HTML image; `None` when it has a shape that JPEG can't have.
pub fn thumbnail(rgb: &[u8], width: usize, height: usize) -> Option<String> {
    let (to_width, to_height) = (WIDTH, (WIDTH * height / width).max(1));
    let small = resized(Rgb { width, height, bytes: rgb }, to_width, to_height, FilterType::Bilinear);
    let mut jpeg = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY);
    encoder.encode(&small, to_width as u32, to_height as u32, image::ExtendedColorType::Rgb8).ok()?;
    let jpeg = base64::engine::general_purpose::STANDARD.encode(jpeg);
    Some(format!("<img alt=\"\" src=\"data:image/jpeg;base64,{jpeg}\">"))
}
