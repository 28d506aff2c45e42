//! MCAP files, chunked and compressed or not, as far as they go.

use super::message::{Taken, MAX_LENGTH};
use super::sink::{Sink, Topic, MOST_DESCRIBED};
use mcap::records::Record;
use mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};
use referseg_files::catch_panic::caught;
use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;

/// Opcodes and magic of the format (mcap.dev/spec).
const MAGIC: usize = 8;
const SCHEMA: u8 = 0x03;
const CHANNEL: u8 = 0x04;
const MESSAGE: u8 = 0x05;
const CHUNK: u8 = 0x06;
const DATA_END: u8 = 0x0f;

pub fn read(mut file: impl Read, sink: &mut Sink) -> Taken {
    let options = LinearReaderOptions::default().with_validate_chunk_crcs(true).with_record_length_limit(MAX_LENGTH);
    let mut reader = LinearReader::new_with_options(options);
    let mut schemas = HashMap::new();
    let mut channels: HashMap<u16, Topic> = HashMap::new();
    let (mut position, mut messages, mut described) = (0u64, 0u64, 0);
    let ended = loop {
        // the crate trusts the sizes that a chunk claims in one place (0.26, linear_reader.rs:745: it subtracts below 0)
        let event = match caught(|| reader.next_event()) {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(ControlFlow::Continue(())),
            Err(_) => break "a chunk's sizes contradict each other".into(),
        };
        let (data, opcode) = match event {
            Ok(LinearReadEvent::ReadRequest(length)) => {
                match file.read(reader.insert(length)) {
                    Ok(read) => {
                        position += read as u64;
                        reader.notify_read(read);
                    }
                    Err(cause) => break cause.to_string(),
                }
                continue;
            }
            Ok(LinearReadEvent::Record { data, opcode }) => (data, opcode),
            Err(cause) => break cause.to_string(),
        };
        if !is_read(opcode) {
            continue;
        }
        if !holds_its_parts(opcode, data) {
            break "a record ends within one of its parts".into();
        }
        match mcap::parse_record(opcode, data) {
            Ok(Record::Schema { header, data }) => {
                described += data.len();
                if described > MOST_DESCRIBED {
                    break format!("more than {} MB of schemas", MOST_DESCRIBED >> 20);
                }
                schemas.entry(header.id).or_insert_with(|| (header.name, header.encoding, data.into_owned()));
            }
            // chunks repeat their channels
            Ok(Record::Channel(channel)) if channels.contains_key(&channel.id) => {}
            Ok(Record::Channel(channel)) => {
                let (schema, language, definition) = schemas
                    .get(&channel.schema_id)
                    .map_or(("", "", &[][..]), |(name, language, data)| (name, language.as_str(), data));
                let encoding = message_encoding(&channel.message_encoding, language);
                match sink.topic(&channel.topic, encoding, schema, definition) {
                    Ok(topic) => channels.insert(channel.id, topic),
                    Err(fact) => break fact,
                };
            }
            Ok(Record::Message { header, data }) => {
                messages += 1;
                if let Some(topic) = channels.get(&header.channel_id) {
                    if sink.message(topic, header.log_time, data)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            Ok(_) => {}
            Err(cause) => break cause.to_string(),
        }
    };
    Err(format!("truncated or damaged near byte {position}, after {messages} messages: {ended}"))
}

/// How a channel's messages are written. Some writers say `cdr` of ROS 1's messages, or the other way round, or nothing: the language of
/// the schema (mcap.dev/spec/registry) tells these apart.
fn message_encoding<'a>(channel: &'a str, language: &str) -> &'a str {
    match (channel, language) {
        ("cdr" | "ros1" | "", "ros1msg") => "ros1",
        ("cdr" | "ros1" | "", "ros2msg" | "ros2idl") => "cdr",
        ("", "protobuf") => "protobuf",
        ("", "jsonschema") => "json",
        _ => channel,
    }
}

/// Whether a record tells something that is needed.
fn is_read(opcode: u8) -> bool {
    [SCHEMA, CHANNEL, MESSAGE].contains(&opcode)
}

/// Takes bytes with their length before them from the front.
fn part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *bytes = rest;
    Some(part)
}

/// Whether the texts of a record end within it: the parser makes room for what their lengths claim (4 GB) before it looks.
fn holds_its_parts(opcode: u8, record: &[u8]) -> bool {
    let walked = |numbers: usize| {
        let mut rest = record.get(numbers..)?;
        let (_, _, mut last) = (part(&mut rest)?, part(&mut rest)?, part(&mut rest)?);
        // a channel's last part are texts again
        while opcode == CHANNEL && !last.is_empty() {
            part(&mut last)?;
        }
        Some(())
    };
    match opcode {
        SCHEMA => walked(2).is_some(),
        CHANNEL => walked(4).is_some(),
        _ => true,
    }
}

/// How a file's chunks are compressed: as its first one is; `None` when unknown.
pub fn compression(mut file: impl Read) -> Option<String> {
    std::io::copy(&mut (&mut file).take(MAGIC as u64), &mut std::io::sink()).ok()?;
    loop {
        let mut head = [0; 9];
        file.read_exact(&mut head).ok()?;
        let (opcode, length) = (head[0], u64::from_le_bytes(head[1..].try_into().ok()?));
        if opcode == CHUNK {
            // times of start and end, size, checksum, then the name
            let mut chunk = [0; 8 + 8 + 8 + 4 + 4];
            file.read_exact(&mut chunk).ok()?;
            let length = u32::from_le_bytes(chunk[28..].try_into().ok()?).min(16);
            let mut name = String::new();
            file.take(length.into()).read_to_string(&mut name).ok()?;
            return Some(if name.is_empty() { "none".into() } else { name });
        }
        if opcode == MESSAGE || opcode == DATA_END {
            return Some("none".into());
        }
        let passed = std::io::copy(&mut (&mut file).take(length), &mut std::io::sink()).ok()?;
        if passed < length {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schemas_language_tells_what_a_channel_says_wrongly() {
        for (channel, language, expected) in [
            ("cdr", "ros1msg", "ros1"),
            ("ros1", "ros2msg", "cdr"),
            ("", "jsonschema", "json"),
            ("json", "ros2msg", "json"),
            ("cdr", "", "cdr"),
        ] {
            assert_eq!(message_encoding(channel, language), expected);
        }
    }

    #[test]
    fn the_compression_of_chunks_is_told_and_damage_is_not_guessed_at() {
        let record = |opcode: u8, body: &[u8]| [&[opcode][..], &(body.len() as u64).to_le_bytes(), body].concat();
        let chunk =
            |name: &str| record(CHUNK, &[&[0; 28][..], &(name.len() as u32).to_le_bytes(), name.as_bytes()].concat());
        let file = |records: &[Vec<u8>]| [&b"\x89MCAP0\r\n"[..], &records.concat()].concat();
        let compression_of = |bytes: Vec<u8>| compression(&bytes[..]);
        assert_eq!(compression_of(file(&[record(1, b"header"), chunk("zstd")])).as_deref(), Some("zstd"));
        assert_eq!(compression_of(file(&[record(1, b"header"), chunk("")])).as_deref(), Some("none"));
        assert_eq!(compression_of(file(&[record(3, b"schema"), record(MESSAGE, b"")])).as_deref(), Some("none"));
        assert_eq!(compression_of(file(&[vec![1, 255, 255, 255, 255, 255, 255, 255, 255]])), None);
        assert_eq!(compression_of(Vec::new()), None);
    }
}
