//! Writing a recording: one MCAP file as rosbag2 writes it, the same bytes for the same messages.

use super::Message;
use crate::error::{Error, Result};
use crate::messages::definitions;
use mcap::records::MessageHeader;
use mcap::{Compression, WriteOptions};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// An MCAP file that is being written; without `finish` it stays incomplete.
pub struct Writer {
    path: PathBuf,
    file: mcap::Writer<BufWriter<File>>,
    channels: HashMap<String, (u16, u32)>,
}

impl Writer {
    /// Makes the file, over one that was there.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn create(path: &Path) -> Result<Writer> {
        let file = BufWriter::new(File::create(path).map_err(Error::file(path))?);
        let options = WriteOptions::new().profile("ros2").library("referseg").compression(Some(Compression::Zstd));
        // one thread: the bytes must not depend on the machine
        let file = options.compression_threads(0).create(file).map_err(|cause| failed(path, &cause))?;
        Ok(Writer { path: path.into(), file, channels: HashMap::new() })
    }

    /// Appends a message.
    ///
    /// # Errors
    /// When its type is none that Referseg writes, or the disk is full.
    pub fn write(&mut self, message: &Message) -> Result<()> {
        let path = &self.path;
        if !self.channels.contains_key(&message.topic) {
            let definition = definitions::of(&message.kind)
                .ok_or_else(|| failed(path, &format!("no definition of {}", message.kind)))?;
            let schema = self.file.add_schema(&message.kind, "ros2msg", definition.as_bytes());
            let schema = schema.map_err(|cause| failed(path, &cause))?;
            let channel = self.file.add_channel(schema, &message.topic, "cdr", &BTreeMap::new());
            self.channels.insert(message.topic.clone(), (channel.map_err(|cause| failed(path, &cause))?, 0));
        }
        let Some((channel_id, sequence)) = self.channels.get_mut(&message.topic) else { return Ok(()) };
        *sequence += 1;
        let time = message.recorded;
        let header = MessageHeader { channel_id: *channel_id, sequence: *sequence, log_time: time, publish_time: time };
        self.file.write_to_known_channel(&header, &message.cdr).map_err(|cause| failed(path, &cause))
    }

    /// Completes the file.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(mut self) -> Result<()> {
        self.file.finish().map_err(|cause| failed(&self.path, &cause))?;
        Ok(())
    }
}

fn failed(path: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::Bag { path: path.into(), fact: format!("can't be written: {cause}") }
}
