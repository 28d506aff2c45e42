//! `Serialization`: how a topic's messages are written, and their way to CDR. ROS 1's messages and Foxglove's images and
//! calibrations become ROS 2's, so that whoever reads a recording knows one form.

use super::foxglove::{Form, FoxgloveMessage};
use super::message::ros_type;
use super::ros1_message::Ros1Definition;

/// How messages of a topic are written.
#[derive(Debug)]
pub enum Serialization {
    /// ROS 2's own.
    Cdr,
    /// ROS 1's, with the definition that the recording carries; of a Foxglove message, what it becomes.
    Ros1(Ros1Definition, Option<FoxgloveMessage>),
    /// An image or a calibration of Foxglove's schemas.
    Foxglove(FoxgloveMessage),
}

impl Serialization {
    /// By what a recording says of a topic: its encoding (`cdr`, `ros1`, `protobuf`, `json`), the name of its schema, and the
    /// schema. Gives the type of the messages that come out, `package/msg/Name`.
    ///
    /// # Errors
    /// In words, for messages that can't be read.
    pub fn of(encoding: &str, schema: &str, definition: &[u8]) -> Result<(Serialization, String), String> {
        match encoding {
            "cdr" => Ok(match FoxgloveMessage::of(&ros_type(schema), Form::Cdr) {
                Some(message) => (Serialization::Foxglove(message), message.ros_type().into()),
                None => (Serialization::Cdr, ros_type(schema)),
            }),
            "ros1" => {
                let text = String::from_utf8_lossy(definition);
                let read = Ros1Definition::parse(schema, &text).map_err(|fact| format!("its definition: {fact}"))?;
                Ok(match FoxgloveMessage::of(&ros_type(schema), Form::Cdr) {
                    Some(message) => (Serialization::Ros1(read, Some(message)), message.ros_type().into()),
                    None => (Serialization::Ros1(read, None), ros_type(schema)),
                })
            }
            "protobuf" | "json" => {
                let form = if encoding == "json" { Form::Json } else { Form::Protobuf };
                let message = FoxgloveMessage::of(schema, form).ok_or_else(|| {
                    let read = "foxglove.RawImage, foxglove.CompressedImage and foxglove.CameraCalibration";
                    format!("schema {schema:?} in {encoding}; of {encoding}, {read} are read")
                })?;
                Ok((Serialization::Foxglove(message), message.ros_type().into()))
            }
            other => Err(format!(
                "schema {schema:?} in serialization {other:?}; read are cdr and ros1, and Foxglove's images and calibrations in \
                 protobuf and json"
            )),
        }
    }

    /// A message as CDR.
    ///
    /// # Errors
    /// In words, when it is not what its topic says.
    pub fn cdr(&self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        match self {
            Serialization::Cdr => Ok(bytes),
            Serialization::Ros1(definition, None) => definition.cdr(&bytes),
            Serialization::Ros1(definition, Some(message)) => message.cdr(&definition.cdr(&bytes)?),
            Serialization::Foxglove(message) => message.cdr(&bytes),
        }
    }
}
