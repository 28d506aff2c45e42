//! `FoxgloveImage`: images of Foxglove's schemas in MCAP, in protobuf or JSON, as ROS 2's.
//!
//! Fields and their numbers are those of foxglove-schemas-protobuf 0.4 (PyPI), `foxglove/RawImage.proto` and
//! `foxglove/CompressedImage.proto`.

use crate::{to_cdr, CompressedImage, Header, Image, MessageType, Time};
use base64::Engine;
use prost::Message;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// Which schema, in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoxgloveImage {
    is_compressed: bool,
    is_json: bool,
}

/// `google.protobuf.Timestamp`, and Foxglove's time in JSON.
#[derive(Clone, Copy, Message, Deserialize)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    #[serde(rename = "sec")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    #[serde(rename = "nsec")]
    nanoseconds: i32,
}

#[derive(Clone, Message, Deserialize)]
struct RawImage {
    #[prost(message, tag = "1")]
    timestamp: Option<Timestamp>,
    #[prost(fixed32, tag = "2")]
    width: u32,
    #[prost(fixed32, tag = "3")]
    height: u32,
    #[prost(string, tag = "4")]
    encoding: String,
    #[prost(fixed32, tag = "5")]
    step: u32,
    #[prost(bytes = "vec", tag = "6")]
    #[serde(deserialize_with = "base64")]
    data: Vec<u8>,
    #[prost(string, tag = "7")]
    #[serde(default)]
    frame_id: String,
}

#[derive(Clone, Message, Deserialize)]
struct CompressedPicture {
    #[prost(message, tag = "1")]
    timestamp: Option<Timestamp>,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "base64")]
    data: Vec<u8>,
    #[prost(string, tag = "3")]
    format: String,
    #[prost(string, tag = "4")]
    #[serde(default)]
    frame_id: String,
}

/// Bytes in JSON.
fn base64<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    base64::engine::general_purpose::STANDARD.decode(text).map_err(serde::de::Error::custom)
}

fn read<T: Message + Default + for<'de> Deserialize<'de>>(bytes: &[u8], is_json: bool) -> Result<T, String> {
    match is_json {
        true => serde_json::from_slice(bytes).map_err(|cause| cause.to_string()),
        false => T::decode(bytes).map_err(|cause| cause.to_string()),
    }
}

/// Foxglove's time and frame as a header; ROS's seconds have 32 bits.
fn header(timestamp: Option<Timestamp>, frame_id: String) -> Result<Header, String> {
    let Timestamp { seconds, nanoseconds } = timestamp.unwrap_or_default();
    match (i32::try_from(seconds), u32::try_from(nanoseconds)) {
        (Ok(sec), Ok(nanosec)) => Ok(Header { stamp: Time { sec, nanosec }, frame_id }),
        _ => Err(format!("timestamp of {seconds} s and {nanoseconds} ns; expected a time of 32 bits")),
    }
}

impl FoxgloveImage {
    /// By the name of a schema; `None` for all but the two of images.
    pub fn of(schema: &str, is_json: bool) -> Option<FoxgloveImage> {
        match schema {
            "foxglove.RawImage" => Some(FoxgloveImage { is_compressed: false, is_json }),
            "foxglove.CompressedImage" => Some(FoxgloveImage { is_compressed: true, is_json }),
            _ => None,
        }
    }

    /// The type that is made of it.
    pub fn ros_type(self) -> &'static str {
        match self.is_compressed {
            true => CompressedImage::TYPE,
            false => Image::TYPE,
        }
    }

    /// A message as CDR.
    ///
    /// # Errors
    /// In words, when the bytes are not of the schema.
    pub fn cdr(self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let written = if self.is_compressed {
            let CompressedPicture { timestamp, data, format, frame_id } = read(bytes, self.is_json)?;
            to_cdr(&CompressedImage { header: header(timestamp, frame_id)?, format, data: Cow::Owned(data) })
        } else {
            let RawImage { timestamp, width, height, encoding, step, data, frame_id } = read(bytes, self.is_json)?;
            let header = header(timestamp, frame_id)?;
            to_cdr(&Image { header, height, width, encoding, is_bigendian: 0, step, data: Cow::Owned(data) })
        };
        written.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_cdr;

    #[test]
    fn both_forms_become_the_same_image() {
        let raw = RawImage {
            timestamp: Some(Timestamp { seconds: 3, nanoseconds: 4 }),
            width: 2,
            height: 1,
            encoding: "rgb8".into(),
            step: 6,
            data: vec![1, 2, 3, 4, 5, 6],
            frame_id: "eye".into(),
        };
        let json = br#"{"timestamp":{"sec":3,"nsec":4},"frame_id":"eye","width":2,"height":1,"encoding":"rgb8","step":6,"data":"AQIDBAUG"}"#;
        let [protobuf, json] = [(raw.encode_to_vec(), false), (json.to_vec(), true)]
            .map(|(bytes, is_json)| FoxgloveImage::of("foxglove.RawImage", is_json).unwrap().cdr(&bytes).unwrap());
        assert_eq!(protobuf, json);
        let image: Image = from_cdr(&json).unwrap();
        assert_eq!((image.header.stamp.nanoseconds(), image.header.frame_id.as_str()), (3_000_000_004, "eye"));
        assert_eq!((image.width, image.height, image.step, &*image.data), (2, 1, 6, &[1, 2, 3, 4, 5, 6][..]));
    }

    #[test]
    fn what_is_of_no_such_schema_is_an_error() {
        let json = FoxgloveImage::of("foxglove.CompressedImage", true).unwrap();
        for wrong in ["", "{}", r#"{"timestamp":null,"format":"png","data":"?"}"#] {
            assert!(json.cdr(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(FoxgloveImage::of("foxglove.RawImage", false).unwrap().cdr(&[0xff; 9]).is_err());
        let late =
            CompressedPicture { timestamp: Some(Timestamp { seconds: 1 << 40, nanoseconds: 0 }), ..Default::default() };
        let refused = FoxgloveImage::of("foxglove.CompressedImage", false).unwrap().cdr(&late.encode_to_vec());
        assert!(refused.unwrap_err().contains("32 bits"));
        assert!(FoxgloveImage::of("foxglove.Grid", true).is_none());
    }
}
