//! Recordings of ROS 1, format 2.0 (wiki.ros.org/Bags/Format/2.0): records with a header of named fields, most of them in chunks.
//!
//! Read from front to back, without the index: one that was not closed (`.bag.active`) or was cut is read as far as it goes. The
//! crate `rosbag` 0.6 maps the file, panics on one without an index and decompresses without a limit, so it does not serve here.

use super::message::{Taken, MAX_LENGTH};
use super::sink::{Sink, Topic};
use std::collections::hash_map::Entry;
use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;

const MAGIC: &[u8] = b"#ROSBAG V2.0\n";

/// Longest header of a record, bytes: it holds a few names and numbers.
const LONGEST_HEADER: usize = 1 << 20;

/// Kinds of records, field `op`.
const MESSAGE: u8 = 0x02;
const HEAD: u8 = 0x03;
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

/// What the first record says of a recording that was closed; zeros in one that was not.
#[derive(Clone, Copy, Default)]
struct Head {
    /// Where the index begins, behind the last chunk, bytes.
    index: u64,
    chunks: u32,
}

/// What was read so far.
#[derive(Default)]
struct Recording {
    head: Head,
    topics: HashMap<[u8; 4], Topic>,
    chunks: u32,
    /// Where the last record ends, bytes.
    records_end: u64,
    messages: u64,
}

/// A file whose bytes are counted.
struct Counted<R> {
    file: R,
    position: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Recording {
    /// Reads records to the end of a file or chunk.
    fn records(&mut self, from: &mut Counted<impl Read>, is_chunk: bool, sink: &mut Sink) -> Taken {
        while let Some(header) = block(from, LONGEST_HEADER)? {
            let fields = Fields::parse(&header)?;
            let data = block(from, MAX_LENGTH)?.ok_or("the file ends within a record")?;
            let taken = match fields.number("op")? {
                [MESSAGE] => self.message(&fields, data, sink)?,
                [CHUNK] if !is_chunk => {
                    let records = chunk(&fields, data)?;
                    let taken = self.of_chunk(&records, sink)?;
                    self.chunks += 1;
                    taken
                }
                [HEAD] => {
                    self.head = Head {
                        index: u64::from_le_bytes(fields.number("index_pos")?),
                        chunks: u32::from_le_bytes(fields.number("chunk_count")?),
                    };
                    ControlFlow::Continue(())
                }
                [CONNECTION] => {
                    // the index repeats them
                    if let Entry::Vacant(place) = self.topics.entry(fields.number("conn")?) {
                        let described = Fields::parse(&data)?;
                        let (topic, kind) = (fields.text("topic")?, described.text("type")?);
                        let definition = described.bytes("message_definition").unwrap_or_default();
                        place.insert(sink.topic(&topic, "ros1", &kind, definition)?);
                    }
                    ControlFlow::Continue(())
                }
                _ => ControlFlow::Continue(()), // the index
            };
            if taken.is_break() {
                return Ok(taken);
            }
            if !is_chunk {
                self.records_end = from.position;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn of_chunk(&mut self, records: &[u8], sink: &mut Sink) -> Taken {
        self.records(&mut Counted { file: records, position: 0 }, true, sink)
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

pub fn read(file: impl Read, sink: &mut Sink) -> Taken {
    let mut file = Counted { file, position: 0 };
    let mut magic = Vec::new();
    (&mut file).take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(|cause| cause.to_string())?;
    if magic != MAGIC {
        return Err("not of ROS 1's format 2.0".into());
    }
    let mut recording = Recording::default();
    let ended = recording.records(&mut file, false, sink);
    let Recording { head, chunks, records_end, messages, .. } = recording;
    // `rosbag reindex` leaves a gap between the last chunk and the index
    let is_gap = ended.is_err() && head.chunks > 0 && chunks == head.chunks && records_end < head.index;
    let ended = if is_gap {
        std::io::copy(&mut file, &mut std::io::sink()).map_err(|cause| cause.to_string())?;
        Ok(ControlFlow::Continue(()))
    } else {
        ended
    };
    match ended {
        Ok(ControlFlow::Continue(())) if file.position < head.index => Err(format!(
            "truncated after {messages} messages: {} bytes of {} before its index",
            file.position, head.index
        )),
        Ok(ControlFlow::Continue(())) if chunks < head.chunks => {
            Err(format!("damaged after {messages} messages: {chunks} chunks; its head says {}", head.chunks))
        }
        Err(cause) => Err(format!("truncated or damaged after {messages} messages: {cause}")),
        taken => taken,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicU64;

    fn block_of(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
    }

    fn record(fields: &[(&str, &[u8])], data: &[u8]) -> Vec<u8> {
        let fields: Vec<u8> =
            fields.iter().flat_map(|(name, value)| block_of(&[name.as_bytes(), b"=", value].concat())).collect();
        [block_of(&fields), block_of(data)].concat()
    }

    /// A recording of one text in one chunk, with so many zeros before its index.
    fn bag(gap: usize, chunks: u32) -> Vec<u8> {
        let number = 0u32.to_le_bytes();
        let described = record(&[("type", b"std_msgs/String"), ("message_definition", b"string data")], b"");
        let described = &described[4..described.len() - 4];
        let connection = record(&[("op", &[CONNECTION]), ("conn", &number), ("topic", b"/said")], described);
        let text = block_of(b"mug");
        let message = record(&[("op", &[MESSAGE]), ("conn", &number), ("time", &[0; 8])], &text);
        let content = [connection.clone(), message].concat();
        let size = (content.len() as u32).to_le_bytes();
        let chunk = record(&[("op", &[CHUNK]), ("compression", b"none"), ("size", &size)], &content);
        let head = |index: u64| {
            let fields: [(&str, &[u8]); 4] = [
                ("op", &[HEAD]),
                ("index_pos", &index.to_le_bytes()),
                ("conn_count", &1u32.to_le_bytes()),
                ("chunk_count", &chunks.to_le_bytes()),
            ];
            record(&fields, &[b' '; 64])
        };
        let before = [MAGIC, &head(0), &chunk, &vec![0; gap]].concat().len() as u64;
        [MAGIC, &head(if chunks == 0 { 0 } else { before }), &chunk, &vec![0; gap], &connection].concat()
    }

    /// How many messages are read, and what is said of the end.
    fn read_whole(bytes: &[u8]) -> (usize, Option<String>) {
        let mut count = 0;
        let mut sink = Sink {
            wanted: &mut |_, _| true,
            take: &mut |_| {
                count += 1;
                Ok(ControlFlow::Continue(()))
            },
            unread: &mut BTreeMap::new(),
            declared: &mut BTreeMap::new(),
            has_compressed: &mut false,
            position: &AtomicU64::new(0),
            described: 0,
        };
        let ended = read(bytes, &mut sink).err();
        (count, ended)
    }

    #[test]
    fn a_gap_before_the_index_is_no_damage() {
        for gap in [0, 1, 64] {
            assert_eq!(read_whole(&bag(gap, 1)), (1, None), "{gap}");
        }
        assert_eq!(read_whole(&bag(0, 0)), (1, None), "not closed");
    }

    #[test]
    fn a_recording_that_was_cut_where_a_record_ends_says_so() {
        let whole = bag(0, 1);
        let head = 13 + whole[13..].windows(64).position(|bytes| bytes == [b' '; 64]).unwrap() + 64;
        let (count, said) = read_whole(&whole[..head]);
        assert_eq!(count, 0);
        assert!(said.unwrap().contains("before its index"));
        assert!(read_whole(&bag(0, 2)).1.unwrap().contains("1 chunks; its head says 2"));
        assert!(read_whole(&whole[..head + 30]).1.is_some());
    }
}
