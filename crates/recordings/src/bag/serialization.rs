//! `Serialization`: how a topic's messages are written, and their way to CDR. ROS 1's messages and Foxglove's images become
//! ROS 2's, so that whoever reads a recording knows one form.

use super::foxglove::FoxgloveImage;
use super::message::ros_type;
use super::ros1_message::Ros1Definition;

/// How messages of a topic are written.
#[derive(Debug)]
pub enum Serialization {
    /// ROS 2's own.
    Cdr,
    /// ROS 1's, with the definition that the recording carries.
    Ros1(Ros1Definition),
    /// An image of Foxglove's schemas.
    Foxglove(FoxgloveImage),
}

impl Serialization {
    /// By what a recording says of a topic: its encoding (`cdr`, `ros1`, `protobuf`, `json`), the name of its schema, and the
    /// schema. Gives the type of the messages that come out, `package/msg/Name`.
    ///
    /// # Errors
    /// In words, for messages that can't be read.
    pub fn of(encoding: &str, schema: &str, definition: &[u8]) -> Result<(Serialization, String), String> {
        match encoding {
            "cdr" => Ok((Serialization::Cdr, ros_type(schema))),
            "ros1" => {
                let text = String::from_utf8_lossy(definition);
                let read = Ros1Definition::parse(&text).map_err(|fact| format!("its definition: {fact}"))?;
                Ok((Serialization::Ros1(read), ros_type(schema)))
            }
            "protobuf" | "json" => match FoxgloveImage::of(schema, encoding == "json") {
                Some(image) => {
                    let kind = image.ros_type().into();
                    Ok((Serialization::Foxglove(image), kind))
                }
                None => Err(format!(
                    "schema {schema:?} in {encoding}; of {encoding}, foxglove.RawImage and foxglove.CompressedImage are read"
                )),
            },
            other => Err(format!(
                "schema {schema:?} in serialization {other:?}; read are cdr and ros1, and Foxglove's images in protobuf and json"
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
            Serialization::Ros1(definition) => definition.cdr(&bytes),
            Serialization::Foxglove(image) => image.cdr(&bytes),
        }
    }
}
