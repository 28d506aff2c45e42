//! `Sink`: where the readers of all formats put what they find: topics, and their messages as CDR.

use super::decompress;
use super::message::{Message, Taken, MAX_LENGTH};
use super::serialization::Serialization;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;

/// Messages of a topic that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Their type, or the name of their schema.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many there are.
    pub count: u64,
    /// Why the first could not be read.
    pub reason: String,
}

/// What is done with the messages of a topic.
#[derive(Debug)]
enum Use {
    Given(Serialization),
    /// Nobody asked for them.
    PassedOver,
    /// They can't be read, for this reason.
    Unreadable(String),
}

/// A topic of a file.
#[derive(Debug)]
pub struct Topic {
    name: String,
    kind: String,
    used: Use,
}

/// Bytes of the names, types and definitions of all topics of a file at most; robots have hundreds of topics and definitions of a few
/// kilobytes.
pub const MOST_DESCRIBED: usize = 64 << 20;

/// Takes topics and messages.
pub struct Sink<'a> {
    /// Which topics are asked for, by name and type.
    pub wanted: &'a mut dyn FnMut(&str, &str) -> bool,
    /// Who takes the messages.
    pub take: &'a mut dyn FnMut(Message) -> Taken,
    /// What can't be read, by topic.
    pub unread: &'a mut BTreeMap<String, Unread>,
    /// The type of each topic, whether it has messages or not.
    pub declared: &'a mut BTreeMap<String, String>,
    /// Whether messages were compressed one by one.
    pub has_compressed: &'a mut bool,
    /// Bytes of files that were read.
    pub position: &'a AtomicU64,
    /// Bytes in which the file's topics are described so far.
    pub described: usize,
}

impl Sink<'_> {
    /// Takes a topic; encoding, schema and definition as in [`Serialization::of`].
    ///
    /// # Errors
    /// When all topics together are described in more bytes than recordings have.
    pub fn topic(&mut self, name: &str, encoding: &str, schema: &str, definition: &[u8]) -> Result<Topic, String> {
        self.described += name.len() + schema.len() + definition.len() + size_of::<Topic>();
        if self.described > MOST_DESCRIBED {
            return Err(format!("its topics are described in more than {} MB", MOST_DESCRIBED >> 20));
        }
        let (kind, used) = match Serialization::of(encoding, schema, definition) {
            Ok((serialization, kind)) if (self.wanted)(name, &kind) => (kind, Use::Given(serialization)),
            Ok((_, kind)) => (kind, Use::PassedOver),
            Err(reason) => (schema.into(), Use::Unreadable(reason)),
        };
        self.declared.entry(name.into()).or_insert_with(|| kind.clone());
        Ok(Topic { name: name.into(), kind, used })
    }

    /// Takes a message. One that can't be read is counted, and costs itself alone.
    pub fn message(&mut self, topic: &Topic, log_time: u64, bytes: Cow<[u8]>) -> Taken {
        let read = match &topic.used {
            Use::PassedOver => return Ok(ControlFlow::Continue(())),
            Use::Unreadable(reason) => Err(reason.clone()),
            Use::Given(_) if bytes.len() > MAX_LENGTH => Err(format!("a message of {} bytes", bytes.len())),
            Use::Given(serialization) => {
                let (plain, was_compressed) = decompress::message(bytes.into_owned())
                    .map_or_else(|cause| (Err(cause), true), |(plain, was_compressed)| (Ok(plain), was_compressed));
                *self.has_compressed |= was_compressed;
                plain.and_then(|plain| serialization.cdr(plain))
            }
        };
        match read {
            Ok(cdr) => (self.take)(Message { topic: topic.name.clone(), kind: topic.kind.clone(), log_time, cdr }),
            Err(reason) => {
                let unread = self.unread.entry(topic.name.clone());
                unread.or_insert_with(|| Unread { kind: topic.kind.clone(), count: 0, reason }).count += 1;
                Ok(ControlFlow::Continue(()))
            }
        }
    }
}
