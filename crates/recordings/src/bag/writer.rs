//! Writing a recording: one MCAP file as rosbag2 writes it, the same bytes for the same messages.

use super::message::Message;
use crate::definitions;
use mcap::records::MessageHeader;
use mcap::{Compression, WriteOptions};
use referseg_files::atomic_file::AtomicFile;
use referseg_files::{Error, Result};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// An MCAP file that is being written; without `finish` none appears.
pub struct Writer {
    output: AtomicFile,
    file: mcap::Writer<BufWriter<File>>,
    channels: HashMap<String, (u16, u32)>,
}

impl Writer {
    /// Begins a file that will stand at `path`, in place of one that stands there.
    ///
    /// # Errors
    /// When it can't be made, or `path` is one of the `inputs` or inside one.
    pub fn create(path: &Path, inputs: &[&Path]) -> Result<Writer> {
        let output = AtomicFile::create(path, inputs)?;
        let file = BufWriter::new(output.file()?);
        let options = WriteOptions::new().profile("ros2").library("referseg").compression(Some(Compression::Zstd));
        // one thread: the bytes must not depend on the machine
        let file = options.compression_threads(0).create(file).map_err(|cause| failed(path, &cause))?;
        Ok(Writer { output, file, channels: HashMap::new() })
    }

    /// Appends a message.
    ///
    /// # Errors
    /// When its type is none that Referseg writes, or the disk is full.
    pub fn write(&mut self, message: &Message) -> Result<()> {
        let path = self.output.path();
        if !self.channels.contains_key(&message.topic) {
            let definition = definitions::of(&message.kind)
                .ok_or_else(|| unwritten(path, format!("no definition of {}", message.kind)))?;
            let schema = self.file.add_schema(&message.kind, "ros2msg", definition.as_bytes());
            let schema = schema.map_err(|cause| failed(path, &cause))?;
            let channel = self.file.add_channel(schema, &message.topic, "cdr", &BTreeMap::new());
            self.channels.insert(message.topic.clone(), (channel.map_err(|cause| failed(path, &cause))?, 0));
        }
        let Some((channel_id, sequence)) = self.channels.get_mut(&message.topic) else { return Ok(()) };
        *sequence += 1;
        let time = message.log_time;
        let header = MessageHeader { channel_id: *channel_id, sequence: *sequence, log_time: time, publish_time: time };
        self.file.write_to_known_channel(&header, &message.cdr).map_err(|cause| failed(path, &cause))
    }

    /// Completes the file and puts it in its place.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(mut self) -> Result<()> {
        self.file.finish().map_err(|cause| failed(self.output.path(), &cause))?;
        let Writer { output, file, .. } = self;
        drop(file.into_inner());
        output.commit()
    }
}

fn unwritten(path: &Path, fact: impl std::fmt::Display) -> Error {
    Error::Bag { path: path.into(), fact: format!("can't be written: {fact}") }
}

/// With the causes of the cause: MCAP's own words leave out that a disk is full.
fn failed(path: &Path, cause: &dyn std::error::Error) -> Error {
    let causes = std::iter::successors(Some(cause), |cause| cause.source());
    unwritten(path, causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
