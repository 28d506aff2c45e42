//! `DepthMessage`: a message with a depth image, kept as bytes until it is needed.

use super::cdr::from_cdr;
use super::decode::is_depth;
use super::ros_messages::{CompressedImage, Image};
use super::transport::Transport;
use referseg_camera::{CameraModel, DepthGeometry, DepthImage, DepthView, Pinhole};
use referseg_files::{Error, Result};
use referseg_image::LabelImage;
use std::io::Cursor;

/// compressed_depth_image_transport's header before the PNG: 4 bytes of format and two floats (its `compression_common.hpp`).
const HEADER: usize = 12;

/// Its transport and its bytes.
#[derive(Clone, Debug)]
pub struct DepthMessage {
    transport: Transport,
    cdr: Vec<u8>,
}

impl DepthMessage {
    /// Of the bytes of an image message.
    pub fn new(transport: Transport, cdr: Vec<u8>) -> DepthMessage {
        DepthMessage { transport, cdr }
    }

    /// How many bytes the message has.
    pub fn bytes(&self) -> usize {
        self.cdr.len()
    }

    /// The depth image: raw, in a PNG, or as compressedDepth in a PNG; whole numbers are units of so many metres.
    ///
    /// # Errors
    /// When it is damaged or in another form.
    pub fn read(&self, metres_per_unit: f64) -> Result<DepthImage> {
        let message = match self.transport {
            Transport::Raw => {
                let image: Image = from_cdr(&self.cdr)?;
                return DepthImage::read(&(&image).into(), metres_per_unit);
            }
            Transport::Compressed => from_cdr::<CompressedImage>(&self.cdr)?,
        };
        let shown: String = message.format.chars().take(60).collect();
        let refused = |fact: &str| Error::Image(format!("depth in format {shown:?}: {fact}"));
        if !is_depth(&message) {
            return Err(refused("no format of depth; expected 16UC1 or 32FC1 in a PNG, or compressedDepth"));
        }
        if message.format.to_lowercase().contains("rvl") {
            return Err(refused(
                "RVL is not read; expected compressedDepth in a PNG (parameter .format of its publisher)",
            ));
        }
        let encoding = message.format.split(';').next().unwrap_or_default().trim();
        let is_transport = message.format.contains("compressedDepth");
        let (header, png) = message.data.split_at_checked(if is_transport { HEADER } else { 0 }).unwrap_or_default();
        let values =
            LabelImage::decode(Cursor::new(png), "the depth image").map_err(|error| refused(&error.to_string()))?;
        match (encoding, is_transport) {
            ("32FC1", true) => {
                let float =
                    |at: usize| f32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
                Ok(DepthImage::of_inverse(&values, float(4), float(8)))
            }
            ("32FC1", false) => Err(refused("a PNG can't hold 32FC1")),
            _ => Ok(DepthImage::of_units(&values, metres_per_unit)),
        }
    }

    /// The depth image with the camera of this calibration that saw it; points are in its optical frame.
    ///
    /// # Errors
    /// In words: those of [`DepthMessage::read`] and [`Pinhole::of`].
    pub fn seen_by(&self, model: &CameraModel, geometry: DepthGeometry) -> std::result::Result<DepthView, String> {
        let depth = self.read(geometry.metres_per_unit).map_err(|error| error.to_string())?;
        let camera = Pinhole::of(model, depth.width, depth.height, geometry.is_rectified);
        let camera = camera.map_err(|error| error.to_string())?;
        Ok(DepthView { depth: depth.seen_by(camera), camera, target: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::to_cdr;
    use std::borrow::Cow;

    fn compressed(format: &str, header: &[u8], values: &[u16]) -> Result<DepthImage> {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, values.len() as u32, 1);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Sixteen);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
        let data = Cow::Owned([header, &png].concat());
        let message = CompressedImage { format: format.into(), data, ..Default::default() };
        DepthMessage::new(Transport::Compressed, to_cdr(&message).unwrap()).read(0.001)
    }

    #[test]
    fn depth_is_read_from_pngs_with_and_without_the_transports_header() {
        for (format, header) in [("16UC1; png compressed ", &[][..]), ("16UC1; compressedDepth png", &[0; HEADER])] {
            let depth = compressed(format, header, &[1500, 0]).unwrap();
            assert_eq!((depth.at(0, 0), depth.at(1, 0)), (Some(1.5), None), "{format}");
        }
        // a = 100, b = 0: metres = 100 / value
        let header = [&[0; 4][..], &100f32.to_le_bytes(), &0f32.to_le_bytes()].concat();
        let depth = compressed("32FC1; compressedDepth", &header, &[50, 0]).unwrap();
        assert_eq!((depth.at(0, 0), depth.at(1, 0)), (Some(2.0), None));
    }

    #[test]
    fn other_forms_are_refused_by_name() {
        for (format, words) in [
            ("16UC1; compressedDepth rvl", "RVL"),
            ("rgb8; jpeg compressed bgr8", "no format of depth"),
            ("32FC1; png compressed", "can't hold"),
        ] {
            let refused = compressed(format, &[0; HEADER], &[1]).unwrap_err().to_string();
            assert!(refused.contains(words) || refused.contains("not a readable PNG"), "{refused}");
        }
        let cut = CompressedImage {
            format: "32FC1; compressedDepth".into(),
            data: Cow::Owned(vec![1; 5]),
            ..Default::default()
        };
        assert!(DepthMessage::new(Transport::Compressed, to_cdr(&cut).unwrap()).read(0.001).is_err());
    }
}
