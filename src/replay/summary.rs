//! `Summary`: the answers of a replay, for the console and the report.

use crate::answer::Status;
use crate::wire::bag::Truncation;

/// One answer, for summary and report.
#[derive(Clone, Debug)]
pub struct AnswerRecord {
    /// The camera; empty when there is one alone.
    pub camera: String,
    /// When the frame was recorded, nanoseconds since the epoch.
    pub log_time: u64,
    /// The command.
    pub command: String,
    /// The noun phrase of the target.
    pub target: String,
    /// The status.
    pub status: Status,
    /// Why it is not found.
    pub reason: String,
    /// The score.
    pub score: f32,
    /// A small image for the report, for some of the answers.
    pub(super) thumbnail: Option<String>,
}

/// The result of a replay.
#[derive(Debug, Default)]
pub struct Summary {
    /// Frames shown.
    pub frames: u64,
    /// The answers, in the order in which they were made.
    pub answers: Vec<AnswerRecord>,
    /// Why the recording could not be read to its end.
    pub truncation: Truncation,
    /// Image messages that could not be read at all.
    pub unreadable: u64,
}

impl Summary {
    /// How many answers have a status.
    pub fn count(&self, status: Status) -> usize {
        self.answers.iter().filter(|answer| answer.status == status).count()
    }
}
