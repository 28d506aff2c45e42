//! MCAP files, chunked and compressed or not, as far as they go.

use super::message::{ros_type, Message, Take, MAX_LENGTH};
use mcap::records::Record;
use mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};
use std::collections::HashMap;
use std::io::Read;

struct Channel {
    topic: String,
    kind: String,
    wanted: bool,
}

pub fn read(mut file: impl Read, wanted: &mut dyn FnMut(&str, &str) -> bool, take: Take) -> Result<(), String> {
    let options = LinearReaderOptions::default().with_validate_chunk_crcs(true).with_record_length_limit(MAX_LENGTH);
    let mut reader = LinearReader::new_with_options(options);
    let (mut schemas, mut channels) = (HashMap::new(), HashMap::new());
    let (mut position, mut messages) = (0u64, 0u64);
    let ended = loop {
        let Some(event) = reader.next_event() else { return Ok(()) };
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
        match mcap::parse_record(opcode, data) {
            Ok(Record::Schema { header, .. }) => {
                schemas.insert(header.id, header.name);
            }
            Ok(Record::Channel(channel)) => {
                let kind = schemas.get(&channel.schema_id).map_or_else(String::new, |name: &String| ros_type(name));
                let wanted = channel.message_encoding == "cdr" && wanted(&channel.topic, &kind);
                channels.insert(channel.id, Channel { topic: channel.topic, kind, wanted });
            }
            Ok(Record::Message { header, data }) => {
                messages += 1;
                if let Some(Channel { topic, kind, .. }) = channels.get(&header.channel_id).filter(|c| c.wanted) {
                    take(Message {
                        topic: topic.clone(),
                        kind: kind.clone(),
                        log_time: header.log_time,
                        cdr: data.into_owned(),
                    })?;
                }
            }
            Ok(_) => {}
            Err(cause) => break cause.to_string(),
        }
    };
    Err(format!("truncated or damaged near byte {position}, after {messages} messages: {ended}"))
}
