//! `Transport`: how a camera sends its images, named as in image_transport.

use super::cdr::MessageType;
use super::ros_messages::{CompressedImage, Image};
use referseg_files::{Error, Result};

/// How a camera sends its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `sensor_msgs/Image`.
    Raw,
    /// `sensor_msgs/CompressedImage`, JPEG or PNG.
    Compressed,
}

impl Transport {
    /// `raw` or `compressed`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(name: &str) -> Result<Transport> {
        match name {
            "raw" => Ok(Transport::Raw),
            "compressed" => Ok(Transport::Compressed),
            _ => {
                let fact = format!("{name:?} is unknown; expected raw or compressed");
                Err(Error::config("image_transport", fact))
            }
        }
    }

    /// The transport of a message type; `None` for types that hold no image.
    pub fn of_type(name: &str) -> Option<Transport> {
        match name {
            <Image as MessageType>::TYPE => Some(Transport::Raw),
            <CompressedImage as MessageType>::TYPE => Some(Transport::Compressed),
            _ => None,
        }
    }

    /// The message type.
    pub fn message_type(self) -> &'static str {
        match self {
            Transport::Raw => Image::TYPE,
            Transport::Compressed => CompressedImage::TYPE,
        }
    }

    /// The topic below a base topic, as image_transport names it.
    pub fn topic(self, base: &str) -> String {
        match self {
            Transport::Raw => base.into(),
            Transport::Compressed => format!("{base}/compressed"),
        }
    }
}

/// The topic without what image_transport adds for a transport.
pub fn base_topic(topic: &str) -> &str {
    let transports = ["/compressedDepth", "/compressed"];
    transports.iter().find_map(|last| topic.strip_suffix(last)).unwrap_or(topic)
}

/// The topic of the same namespace whose last part is `last`: `camera_info` beside `/camera/depth/image_rect`.
pub fn sibling_topic(topic: &str, last: &str) -> String {
    let (folder, _) = topic.rsplit_once('/').unwrap_or(("", topic));
    format!("{folder}/{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camera_info_stands_beside_the_image() {
        assert_eq!(base_topic("/camera/depth/image/compressedDepth"), "/camera/depth/image");
        assert_eq!(base_topic("/camera/image_raw"), "/camera/image_raw");
        assert_eq!(sibling_topic("/camera/depth/image_rect", "camera_info"), "/camera/depth/camera_info");
        assert_eq!(sibling_topic("/depth", "camera_info"), "/camera_info");
    }
}
