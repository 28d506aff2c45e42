//! Thumbnails: small images inside a page of HTML, so that the page needs no other file.

use base64::Engine;
use referseg_image::resample::{resize_like_pillow, Filter};
use referseg_image::Frame;

/// Columns of a thumbnail.
const WIDTH: usize = 480;
/// Most rows of a thumbnail: a frame of one column would fill the page.
const MAX_HEIGHT: usize = 4 * WIDTH;
/// Percent.
const JPEG_QUALITY: u8 = 80;

/// A frame as a small image, a `data:` address; `None` when it has a shape that JPEG can't have.
pub fn thumbnail(frame: &Frame) -> Option<String> {
    let (width, height) = (WIDTH, (WIDTH * frame.height() / frame.width()).clamp(1, MAX_HEIGHT));
    let small = resize_like_pillow(frame, width, height, Filter::Bilinear).ok()?;
    let mut jpeg = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY);
    encoder.encode(small.rgb(), width as u32, height as u32, image::ExtendedColorType::Rgb8).ok()?;
    let jpeg = base64::engine::general_purpose::STANDARD.encode(jpeg);
    Some(format!("data:image/jpeg;base64,{jpeg}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_pixels_gives_a_bounded_thumbnail() {
        let line = Frame::new(1, 16_384, vec![200; 16_384 * 3]).unwrap();
        assert!(thumbnail(&line).unwrap().len() < 100_000);
    }
}
