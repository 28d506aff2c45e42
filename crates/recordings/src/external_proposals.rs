//! `ExternalProposalsMessage`: a detector's or tracker's message of proposals for an image, kept as bytes until it is needed.

use super::cdr::{from_cdr, MessageType};
use super::detected_boxes::detected_boxes;
use super::ros_messages::{Detection2DArray, Image};
use referseg_files::Result;
use referseg_image::ExternalProposals;
use referseg_image::LabelImage;

/// Its kind and its bytes.
#[derive(Clone, Debug)]
pub enum ExternalProposalsMessage {
    /// A label image, `sensor_msgs/msg/Image`.
    Labels(Vec<u8>),
    /// Boxes, `vision_msgs/msg/Detection2DArray`.
    Boxes(Vec<u8>),
}

impl ExternalProposalsMessage {
    /// A message of this type; `None` for types that hold no proposals.
    pub fn of_type(kind: &str, cdr: Vec<u8>) -> Option<ExternalProposalsMessage> {
        match kind {
            kind if kind == Image::TYPE => Some(ExternalProposalsMessage::Labels(cdr)),
            kind if kind == Detection2DArray::TYPE => Some(ExternalProposalsMessage::Boxes(cdr)),
            _ => None,
        }
    }

    /// What it holds.
    ///
    /// # Errors
    /// When it is damaged or no label image.
    pub fn read(&self) -> Result<ExternalProposals> {
        match self {
            ExternalProposalsMessage::Labels(cdr) => {
                let image: Image = from_cdr(cdr)?;
                Ok(ExternalProposals::Labels(LabelImage::read(&(&image).into())?))
            }
            ExternalProposalsMessage::Boxes(cdr) => Ok(ExternalProposals::Boxes(detected_boxes(cdr)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{to_cdr, Header};

    #[test]
    fn labels_of_every_width() {
        let read = |encoding: &str, big: u8, step: u32, data: &[u8]| {
            let image = Image {
                header: Header::default(),
                height: 1,
                width: 2,
                encoding: encoding.into(),
                is_bigendian: big,
                step,
                data: data.into(),
            };
            match ExternalProposalsMessage::Labels(to_cdr(&image).unwrap()).read() {
                Ok(ExternalProposals::Labels(labels)) => Ok(labels.values().to_vec()),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error.to_string()),
            }
        };
        assert_eq!(read("mono8", 0, 4, &[3, 0, 9, 9]).unwrap(), [3, 0]);
        assert_eq!(read("16UC1", 0, 4, &[1, 2, 0, 0]).unwrap(), [0x201, 0]);
        assert_eq!(read("mono16", 1, 4, &[1, 2, 0, 7]).unwrap(), [0x102, 7]);
        let signed = [(-1i32).to_le_bytes(), 70_000i32.to_le_bytes()].concat();
        assert_eq!(read("32SC1", 0, 8, &signed).unwrap(), [0, 70_000], "negative ones count as 0");
        assert_eq!(read("rgb8", 0, 6, &[1, 2, 0, 0, 0, 0]).unwrap(), [0x201, 0], "a colour an object, black none");
        assert_eq!(read("8UC3", 0, 0, &[0, 2, 1, 0, 0, 0]).unwrap(), [0x201, 0]);
        assert!(read("rgba8", 0, 8, &[0; 8]).unwrap_err().contains("supported: mono8, mono16, 32SC1"));
        assert!(read("32SC1", 0, 8, &[0; 5]).unwrap_err().contains("rows of 8 bytes or more"));
        assert!(ExternalProposalsMessage::Labels(vec![1, 2, 3]).read().is_err());
    }
}
