//! `CommandInfo`: a command with what tells it from all others.

/// How a command reached the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A topic; the answer is for all who listen.
    Topic,
    /// A service call; the answer is the caller's.
    Service,
    /// A goal executed over several frames; the answer is the caller's.
    Action,
    /// None of these: a thing that a topic's command found is followed into a frame; for all.
    Track,
}

/// A command's text, number and origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandInfo {
    /// The text as it was given, without NUL.
    pub text: String,
    /// Running number over all origins; the first is 1.
    pub number: u32,
    /// How it came.
    pub origin: Origin,
    /// The caller's own name for it; empty on topics.
    pub id: String,
    /// Name of the conversation that a request belongs to; empty for none.
    pub conversation: String,
}
