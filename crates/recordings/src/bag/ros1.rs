//! Recordings of ROS 1, format 2.0 (wiki.ros.org/Bags/Format/2.0): records with a header of named fields, most of them in chunks.
//!
//! Read from front to back, without the index: one that was not closed (`.bag.active`) or was cut is read as far as it goes. The
//! crate `rosbag` 0.6 maps the file, panics on one without an index and decompresses without a limit, so it does not serve here.

use super::message::{Taken, MAX_LENGTH};
use super::sink::{Sink, Topic};
use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;

const MAGIC: &[u8] = b"#ROSBAG V2.0\n";

/// Longest header of a record, bytes: it holds a few names and numbers.
const LONGEST_HEADER: usize = 1 << 20;

/// Kinds of records, field `op`.
const MESSAGE: u8 = 0x02;
const CHUNK: u8 = 0x05;
const CONNECTION: u8 = 0x07;

/// A record's header: its fields by name.
struct Fields(HashMap<String, Vec<u8>>);

impl Fields {
    /// Fields: each its length, name, `=`, value.
    fn parse(mut bytes: &[u8]) -> Result<Fields, String> {
        let mut fields = HashMap::new();
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_at_checked(4).ok_or("a header ends within a field")?;
            let length = length.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
            let (field, rest) = rest.split_at_checked(length).ok_or("a header ends within a field")?;
            let equals = field.iter().position(|byte| *byte == b'=').ok_or("a header has a field without a name")?;
            fields.insert(String::from_utf8_lossy(&field[..equals]).into_owned(), field[equals + 1..].to_vec());
            bytes = rest;
        }
        Ok(Fields(fields))
    }

    fn bytes(&self, name: &str) -> Result<&[u8], String> {
        self.0.get(name).map(Vec::as_slice).ok_or(format!("a record without {name}"))
    }

    fn text(&self, name: &str) -> Result<String, String> {
        Ok(String::from_utf8_lossy(self.bytes(name)?).into_owned())
    }

    fn number<const N: usize>(&self, name: &str) -> Result<[u8; N], String> {
        self.bytes(name)?.try_into().map_err(|_| format!("a record whose {name} is not of {N} bytes"))
    }
}

/// Reads bytes with their length before them; `None` at the end of the file.
fn block(file: &mut impl Read, most: usize) -> Result<Option<Vec<u8>>, String> {
    let mut length = Vec::new();
    file.take(4).read_to_end(&mut length).map_err(|cause| cause.to_string())?;
    let length = match <[u8; 4]>::try_from(length.as_slice()) {
        Ok(length) => u32::from_le_bytes(length) as usize,
        Err(_) if length.is_empty() => return Ok(None),
        Err(_) => return Err("the file ends within a length".into()),
    };
    if length > most {
        return Err(format!("a record of {length} bytes; expected at most {most}"));
    }
    let mut bytes = Vec::new();
    let read = file.take(length as u64).read_to_end(&mut bytes).map_err(|cause| cause.to_string())?;
    if read < length {
        return Err(format!("the file ends {} bytes before a record does", length - read));
    }
    Ok(Some(bytes))
}

/// A chunk's records.
fn chunk(fields: &Fields, data: Vec<u8>) -> Result<Vec<u8>, String> {
    let size = u32::from_le_bytes(fields.number("size")?) as usize;
    let compression = fields.text("compression")?;
    if size > MAX_LENGTH {
        return Err(format!("a chunk of {size} bytes; expected at most {MAX_LENGTH}"));
    }
    let most = size as u64 + 1;
    let mut plain = Vec::new();
    let read = match compression.as_str() {
        "none" => return Ok(data),
        "lz4" => lz4::Decoder::new(data.as_slice()).and_then(|decoder| decoder.take(most).read_to_end(&mut plain)),
        "bz2" => bzip2::read::BzDecoder::new(data.as_slice()).take(most).read_to_end(&mut plain),
        other => return Err(format!("a chunk compressed with {other:?}; known are none, lz4 and bz2")),
    };
    read.map_err(|cause| format!("a chunk that can't be decompressed: {cause}"))?;
    if plain.len() != size {
        return Err(format!("a chunk of {} bytes or more that says {size}", plain.len()));
    }
    Ok(plain)
}

/// What was read so far.
#[derive(Default)]
struct Recording {
    topics: HashMap<[u8; 4], Topic>,
    messages: u64,
}

impl Recording {
    /// Reads records to the end of a file or chunk.
    fn records(&mut self, mut from: impl Read, is_chunk: bool, sink: &mut Sink) -> Taken {
        while let Some(header) = block(&mut from, LONGEST_HEADER)? {
            let fields = Fields::parse(&header)?;
            let data = block(&mut from, MAX_LENGTH)?.ok_or("the file ends within a record")?;
            let taken = match fields.number("op")? {
                [MESSAGE] => self.message(&fields, data, sink)?,
                [CHUNK] if !is_chunk => self.records(chunk(&fields, data)?.as_slice(), true, sink)?,
                [CONNECTION] => {
                    let described = Fields::parse(&data)?;
                    let (topic, kind) = (fields.text("topic")?, described.text("type")?);
                    let definition = described.bytes("message_definition").unwrap_or_default();
                    let topic = sink.topic(&topic, "ros1", &kind, definition);
                    self.topics.entry(fields.number("conn")?).or_insert(topic); // the index repeats them
                    ControlFlow::Continue(())
                }
                _ => ControlFlow::Continue(()), // the head and the index
            };
            if taken.is_break() {
                return Ok(taken);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn message(&mut self, fields: &Fields, data: Vec<u8>, sink: &mut Sink) -> Taken {
        self.messages += 1;
        let [seconds, nanoseconds] = [0, 4].map(|at| {
            fields
                .number::<8>("time")
                .map(|time| u64::from(u32::from_le_bytes([time[at], time[at + 1], time[at + 2], time[at + 3]])))
        });
        let log_time = seconds? * 1_000_000_000 + nanoseconds?;
        match self.topics.get(&fields.number("conn")?) {
            Some(topic) => sink.message(topic, log_time, data.into()),
            None => Ok(ControlFlow::Continue(())),
        }
    }
}

pub fn read(mut file: impl Read, sink: &mut Sink) -> Taken {
    let mut magic = Vec::new();
    (&mut file).take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(|cause| cause.to_string())?;
    if magic != MAGIC {
        return Err("not of ROS 1's format 2.0".into());
    }
    let mut recording = Recording::default();
    let ended = recording.records(file, false, sink);
    ended.map_err(|cause| format!("truncated or damaged after {} messages: {cause}", recording.messages))
}

/// How a file's chunks are compressed: as its first one is; `None` when unknown.
pub fn compression(mut file: impl Read) -> Option<String> {
    std::io::copy(&mut (&mut file).take(MAGIC.len() as u64), &mut std::io::sink()).ok()?;
    loop {
        let fields = Fields::parse(&block(&mut file, LONGEST_HEADER).ok()??).ok()?;
        if fields.number("op").ok()? == [CHUNK] {
            return fields.text("compression").ok();
        }
        block(&mut file, MAX_LENGTH).ok()??;
    }
}
