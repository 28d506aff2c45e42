//! `Summary`: the answers of a replay, for the console and the report.

use crate::answer::Status;
use crate::wire::bag::Truncation;
use std::collections::BTreeMap;

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
    /// Messages that could not be read at all.
    pub unreadable: u64,
    /// Why the first of them could not.
    pub unreadable_reason: Option<String>,
}

impl Summary {
    /// How many answers have a status.
    pub fn count(&self, status: Status) -> usize {
        self.answers.iter().filter(|answer| answer.status == status).count()
    }

    /// The reasons of the answers with status ERROR and how often each was given, the most frequent first.
    pub fn errors(&self) -> Vec<(&str, usize)> {
        let mut counts = BTreeMap::new();
        for answer in self.answers.iter().filter(|answer| answer.status == Status::Error) {
            *counts.entry(answer.reason.as_str()).or_insert(0) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    /// Whether the recording was read whole and a frame of it was answered.
    pub fn is_complete(&self) -> bool {
        let answered = self.count(Status::Error) < self.answers.len();
        self.truncation.is_none() && self.unreadable == 0 && answered
    }

    /// Counts a message that could not be read.
    pub(super) fn add_unreadable(&mut self, topic: &str, why: impl std::fmt::Display) {
        self.unreadable += 1;
        self.unreadable_reason.get_or_insert_with(|| format!("{topic}: {why}"));
    }
}
