//! `FoxgloveMessage`: images and calibrations of Foxglove's schemas, in protobuf, JSON or CDR, as ROS 2's.
//!
//! Fields and their numbers are those of foxglove-schemas-protobuf 0.4 (PyPI), `foxglove/RawImage.proto`, `CompressedImage.proto` and
//! `CameraCalibration.proto`; foxglove_msgs has the same fields in another order.

use crate::ros_messages::named;
use crate::{from_cdr, to_cdr, CameraInfo, CompressedImage, Header, Image, MessageType, Time};
use base64::Engine;
use prost::Message;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Protobuf,
    Json,
    /// The schema as a ROS message: foxglove_msgs.
    Cdr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Schema {
    RawImage,
    CompressedImage,
    CameraCalibration,
}

/// Which schema, in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoxgloveMessage {
    schema: Schema,
    form: Form,
}

/// `google.protobuf.Timestamp`, and Foxglove's time in JSON: seconds and nanoseconds, or a text of RFC 3339.
#[derive(Clone, Copy, PartialEq, Message, Deserialize)]
#[serde(from = "TimeInJson")]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanoseconds: i32,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TimeInJson {
    Numbers {
        #[serde(alias = "seconds")]
        sec: i64,
        #[serde(alias = "nanos", alias = "nanosec")]
        nsec: i32,
    },
    Text(chrono::DateTime<chrono::FixedOffset>),
}

impl From<TimeInJson> for Timestamp {
    fn from(time: TimeInJson) -> Timestamp {
        match time {
            TimeInJson::Numbers { sec, nsec } => Timestamp { seconds: sec, nanoseconds: nsec },
            TimeInJson::Text(time) => {
                Timestamp { seconds: time.timestamp(), nanoseconds: time.timestamp_subsec_nanos() as i32 }
            }
        }
    }
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

#[derive(Clone, Message, Deserialize)]
struct CameraCalibration {
    #[prost(message, tag = "1")]
    timestamp: Option<Timestamp>,
    #[prost(fixed32, tag = "2")]
    width: u32,
    #[prost(fixed32, tag = "3")]
    height: u32,
    #[prost(string, tag = "4")]
    #[serde(default)]
    distortion_model: String,
    #[prost(double, repeated, tag = "5")]
    #[serde(rename = "D", default)]
    d: Vec<f64>,
    #[prost(double, repeated, tag = "6")]
    #[serde(rename = "K", default)]
    k: Vec<f64>,
    #[prost(double, repeated, tag = "7")]
    #[serde(rename = "R", default)]
    r: Vec<f64>,
    #[prost(double, repeated, tag = "8")]
    #[serde(rename = "P", default)]
    p: Vec<f64>,
    #[prost(string, tag = "9")]
    #[serde(default)]
    frame_id: String,
}

/// `foxglove_msgs/msg/RawImage`.
#[derive(Deserialize)]
struct RawImageMessage<'a> {
    timestamp: Time,
    frame_id: String,
    width: u32,
    height: u32,
    encoding: String,
    step: u32,
    #[serde(borrow, with = "serde_bytes")]
    data: Cow<'a, [u8]>,
}

/// `foxglove_msgs/msg/CompressedImage`.
#[derive(Deserialize)]
struct CompressedImageMessage<'a> {
    timestamp: Time,
    frame_id: String,
    #[serde(borrow, with = "serde_bytes")]
    data: Cow<'a, [u8]>,
    format: String,
}

/// `foxglove_msgs/msg/CameraCalibration`.
#[derive(Deserialize)]
struct CameraCalibrationMessage {
    timestamp: Time,
    frame_id: String,
    width: u32,
    height: u32,
    distortion_model: String,
    d: Vec<f64>,
    k: [f64; 9],
    r: [f64; 9],
    p: [f64; 12],
}

named! {
    RawImageMessage<'_> => "foxglove_msgs/msg/RawImage",
    CompressedImageMessage<'_> => "foxglove_msgs/msg/CompressedImage",
    CameraCalibrationMessage => "foxglove_msgs/msg/CameraCalibration",
}

/// Bytes in JSON.
fn base64<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    base64::engine::general_purpose::STANDARD.decode(text).map_err(serde::de::Error::custom)
}

fn read<T: Message + Default + for<'de> Deserialize<'de>>(bytes: &[u8], form: Form) -> Result<T, String> {
    match form {
        Form::Json => serde_json::from_slice(bytes).map_err(|cause| cause.to_string()),
        _ => T::decode(bytes).map_err(|cause| cause.to_string()),
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

/// A matrix of a calibration; one that is left out is zero, as ROS has it.
fn matrix<const N: usize>(name: &str, values: Vec<f64>) -> Result<[f64; N], String> {
    match values.len() {
        0 => Ok([0.0; N]),
        length => values.try_into().map_err(|_| format!("{name} of {length} numbers; expected {N}")),
    }
}

impl FoxgloveMessage {
    /// By the name of a schema, `foxglove.RawImage`, or of a type, `foxglove_msgs/msg/RawImage`; `None` for all that hold neither images
    /// nor calibrations.
    pub fn of(schema: &str, form: Form) -> Option<FoxgloveMessage> {
        let prefix = if form == Form::Cdr { "foxglove_msgs/msg/" } else { "foxglove." };
        let schema = match schema.strip_prefix(prefix)? {
            "RawImage" => Schema::RawImage,
            "CompressedImage" => Schema::CompressedImage,
            "CameraCalibration" => Schema::CameraCalibration,
            _ => return None,
        };
        Some(FoxgloveMessage { schema, form })
    }

    /// The type that is made of it.
    pub fn ros_type(self) -> &'static str {
        match self.schema {
            Schema::RawImage => Image::TYPE,
            Schema::CompressedImage => CompressedImage::TYPE,
            Schema::CameraCalibration => CameraInfo::TYPE,
        }
    }

    /// A message as CDR of [`FoxgloveMessage::ros_type`].
    ///
    /// # Errors
    /// In words, when the bytes are not of the schema.
    pub fn cdr(self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let words = |error: referseg_files::Error| error.to_string();
        let written = match (self.schema, self.form) {
            (Schema::RawImage, Form::Cdr) => {
                let RawImageMessage { timestamp, frame_id, width, height, encoding, step, data } =
                    from_cdr(bytes).map_err(words)?;
                let header = Header { stamp: timestamp, frame_id };
                to_cdr(&Image { header, height, width, encoding, is_bigendian: 0, step, data })
            }
            (Schema::RawImage, form) => {
                let RawImage { timestamp, width, height, encoding, step, data, frame_id } = read(bytes, form)?;
                let header = header(timestamp, frame_id)?;
                to_cdr(&Image { header, height, width, encoding, is_bigendian: 0, step, data: Cow::Owned(data) })
            }
            (Schema::CompressedImage, Form::Cdr) => {
                let CompressedImageMessage { timestamp, frame_id, data, format } = from_cdr(bytes).map_err(words)?;
                to_cdr(&CompressedImage { header: Header { stamp: timestamp, frame_id }, format, data })
            }
            (Schema::CompressedImage, form) => {
                let CompressedPicture { timestamp, data, format, frame_id } = read(bytes, form)?;
                to_cdr(&CompressedImage { header: header(timestamp, frame_id)?, format, data: Cow::Owned(data) })
            }
            (Schema::CameraCalibration, Form::Cdr) => {
                let CameraCalibrationMessage { timestamp, frame_id, width, height, distortion_model, d, k, r, p } =
                    from_cdr(bytes).map_err(words)?;
                let header = Header { stamp: timestamp, frame_id };
                to_cdr(&CameraInfo { header, height, width, distortion_model, d, k, r, p, ..CameraInfo::default() })
            }
            (Schema::CameraCalibration, form) => {
                let CameraCalibration { timestamp, width, height, distortion_model, d, k, r, p, frame_id } =
                    read(bytes, form)?;
                let (header, k, r, p) =
                    (header(timestamp, frame_id)?, matrix("K", k)?, matrix("R", r)?, matrix("P", p)?);
                to_cdr(&CameraInfo { header, height, width, distortion_model, d, k, r, p, ..CameraInfo::default() })
            }
        };
        written.map_err(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(schema: &str, form: Form, bytes: &[u8]) -> Result<Vec<u8>, String> {
        FoxgloveMessage::of(schema, form).unwrap().cdr(bytes)
    }

    #[test]
    fn all_forms_become_the_same_image() {
        let raw = RawImage {
            timestamp: Some(Timestamp { seconds: 3, nanoseconds: 4 }),
            width: 2,
            height: 1,
            encoding: "rgb8".into(),
            step: 6,
            data: vec![1, 2, 3, 4, 5, 6],
            frame_id: "eye".into(),
        };
        let json = |time: &str| {
            format!(
                r#"{{"timestamp":{time},"frame_id":"eye","width":2,"height":1,"encoding":"rgb8","step":6,"data":"AQIDBAUG"}}"#
            )
        };
        let pixels = serde_bytes::Bytes::new(&[1, 2, 3, 4, 5, 6]);
        let cdr = to_cdr(&(Time { sec: 3, nanosec: 4 }, "eye", 2u32, 1u32, "rgb8", 6u32, pixels)).unwrap();
        let protobuf = converted("foxglove.RawImage", Form::Protobuf, &raw.encode_to_vec()).unwrap();
        for time in [r#"{"sec":3,"nsec":4}"#, r#""1970-01-01T00:00:03.000000004Z""#] {
            assert_eq!(converted("foxglove.RawImage", Form::Json, json(time).as_bytes()).unwrap(), protobuf, "{time}");
        }
        assert_eq!(converted("foxglove_msgs/msg/RawImage", Form::Cdr, &cdr).unwrap(), protobuf);
        let image: Image = from_cdr(&protobuf).unwrap();
        assert_eq!((image.header.stamp.nanoseconds(), image.header.frame_id.as_str()), (3_000_000_004, "eye"));
        assert_eq!((image.width, image.height, image.step, &*image.data), (2, 1, 6, &[1, 2, 3, 4, 5, 6][..]));
    }

    #[test]
    fn all_forms_become_the_same_calibration() {
        let (k, p) = ([300.0, 0.0, 1.0, 0.0, 300.0, 2.0, 0.0, 0.0, 1.0], [7.0; 12]);
        let calibration = CameraCalibration {
            timestamp: Some(Timestamp { seconds: 3, nanoseconds: 4 }),
            width: 2,
            height: 1,
            distortion_model: "plumb_bob".into(),
            d: vec![0.1, 0.2, 0.0, 0.0, 0.3],
            k: k.to_vec(),
            r: Vec::new(),
            p: p.to_vec(),
            frame_id: "eye".into(),
        };
        let protobuf = converted("foxglove.CameraCalibration", Form::Protobuf, &calibration.encode_to_vec()).unwrap();
        let json = format!(
            r#"{{"timestamp":{{"sec":3,"nsec":4}},"frame_id":"eye","width":2,"height":1,"distortion_model":"plumb_bob","D":{:?},"K":{k:?},"P":{p:?}}}"#,
            calibration.d
        );
        assert_eq!(converted("foxglove.CameraCalibration", Form::Json, json.as_bytes()).unwrap(), protobuf);
        let stamp = Time { sec: 3, nanosec: 4 };
        let cdr = to_cdr(&(stamp, "eye", 2u32, 1u32, "plumb_bob", &calibration.d, k, [0f64; 9], p)).unwrap();
        assert_eq!(converted("foxglove_msgs/msg/CameraCalibration", Form::Cdr, &cdr).unwrap(), protobuf);
        let info: CameraInfo = from_cdr(&protobuf).unwrap();
        assert_eq!((info.width, info.height, info.d.len(), info.k, info.p), (2, 1, 5, k, p));
        let short = CameraCalibration { k: vec![1.0; 4], ..calibration };
        let refused = converted("foxglove.CameraCalibration", Form::Protobuf, &short.encode_to_vec());
        assert!(refused.unwrap_err().contains("K of 4 numbers"));
    }

    #[test]
    fn what_is_of_no_such_schema_is_an_error() {
        for wrong in ["", "{}", r#"{"timestamp":null,"format":"png","data":"?"}"#] {
            assert!(converted("foxglove.CompressedImage", Form::Json, wrong.as_bytes()).is_err(), "{wrong}");
        }
        for form in [Form::Protobuf, Form::Cdr] {
            let name = if form == Form::Cdr { "foxglove_msgs/msg/RawImage" } else { "foxglove.RawImage" };
            assert!(converted(name, form, &[0xff; 9]).is_err());
        }
        let late =
            CompressedPicture { timestamp: Some(Timestamp { seconds: 1 << 40, nanoseconds: 0 }), ..Default::default() };
        let refused = converted("foxglove.CompressedImage", Form::Protobuf, &late.encode_to_vec());
        assert!(refused.unwrap_err().contains("32 bits"));
        assert!(FoxgloveMessage::of("foxglove.Grid", Form::Json).is_none());
    }
}
