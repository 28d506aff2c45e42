//! `Status`: whether a command was answered, and how surely.

/// The outcome of a command on a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// One thing fits.
    Found,
    /// Nothing fits well enough, or nothing was proposed.
    NotFound,
    /// Several things fit nearly equally.
    Ambiguous,
    /// The command could not be answered on this frame.
    Error,
    /// A thing that was found is no longer followed; no answer has it.
    Lost,
}

impl Status {
    /// Those that an answer can have.
    pub const ALL: [Status; 4] = [Status::Found, Status::NotFound, Status::Ambiguous, Status::Error];

    /// The name in messages and reports.
    pub fn name(self) -> &'static str {
        match self {
            Status::Found => "FOUND",
            Status::NotFound => "NOT_FOUND",
            Status::Ambiguous => "AMBIGUOUS",
            Status::Error => "ERROR",
            Status::Lost => "LOST",
        }
    }
}
