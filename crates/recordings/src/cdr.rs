//! CDR: messages to bytes and back, in both byte orders.

use byteorder::{BigEndian, LittleEndian};
use referseg_files::{Error, Result};
use serde::{Deserialize, Serialize};

/// The encapsulation header of plain CDR, little endian (DDSI-RTPS 10.2).
const LITTLE_ENDIAN: [u8; 4] = [0, 1, 0, 0];

/// A message type with its ROS name, `package/msg/Name`.
pub trait MessageType {
    /// The name.
    const TYPE: &'static str;
}

/// A message as ROS sends it.
///
/// # Errors
/// When it can't be expressed: a text with a NUL in it can.
pub fn to_cdr<T: Serialize>(message: &T) -> Result<Vec<u8>> {
    let written = cdr_encoding::to_vec::<T, LittleEndian>(message);
    let body = written.map_err(|cause| Error::Message(format!("can't be written: {cause}")))?;
    Ok([&LITTLE_ENDIAN[..], &body].concat())
}

/// A message that ROS sent; byte arrays stay where they are.
///
/// # Errors
/// When the bytes are cut short, in an unknown representation, or hold a text that is not UTF-8.
pub fn from_cdr<'a, T: Deserialize<'a> + MessageType>(cdr: &'a [u8]) -> Result<T> {
    Ok(with_length(cdr)?.0)
}

/// Bytes to which writers pad a message.
const PADDED_TO: usize = 4;

/// A message that fills the bytes to their end, but for padding.
///
/// # Errors
/// As [`from_cdr`], and when bytes are left over.
pub fn from_whole_cdr<'a, T: Deserialize<'a> + MessageType>(cdr: &'a [u8]) -> Result<T> {
    let (message, length) = with_length::<T>(cdr)?;
    match cdr.len() - length {
        0..PADDED_TO => Ok(message),
        left => Err(Error::Message(format!("not a readable {}: {left} bytes are left over", T::TYPE))),
    }
}

/// A message and its length in bytes, with its header.
fn with_length<'a, T: Deserialize<'a> + MessageType>(cdr: &'a [u8]) -> Result<(T, usize)> {
    let malformed = |cause: &dyn std::fmt::Display| Error::Message(format!("not a readable {}: {cause}", T::TYPE));
    let (header, body) = cdr.split_at_checked(4).ok_or_else(|| malformed(&"shorter than its header"))?;
    let read = match header[1] {
        0 => cdr_encoding::from_bytes::<T, BigEndian>(body),
        1 => cdr_encoding::from_bytes::<T, LittleEndian>(body),
        other => return Err(malformed(&format!("representation {other}; expected plain CDR (0 or 1)"))),
    };
    read.map(|(message, length)| (message, length + 4)).map_err(|cause| malformed(&cause))
}
