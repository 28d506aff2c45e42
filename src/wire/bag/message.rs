//! `Message`: one recorded message.

/// A recorded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// Its type, `package/msg/Name`.
    pub kind: String,
    /// When it was recorded, nanoseconds since the epoch.
    pub log_time: u64,
    /// CDR with its header.
    pub cdr: Vec<u8>,
}

/// Why a recording could not be read to its end; `None` when it could.
pub type Truncation = Option<String>;

/// Takes the messages of a file; an error ends the reading.
pub type Take<'a> = &'a mut dyn FnMut(Message) -> Result<(), String>;

/// Longest message or record, bytes: anything above is damage or an attack.
pub const MAX_LENGTH: usize = 1 << 30;
