//! `Summary`: the answers of a replay, for the console and the report.

use crate::answer::Status;
use crate::recordings::bag::Truncation;
use crate::{Error, Result};
use serde_json::json;
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
    /// Seconds from the image's stamp to its recording.
    pub age: f64,
    /// A small picture for the report, where something changed: a `data:` address.
    pub picture: Option<String>,
}

/// Most pictures of a report: about 2 MB.
const PICTURES: usize = 200;

/// Pictures of changes, so many that a page can hold them: when there are too many, every second goes and from then on they must
/// be twice as far apart.
#[derive(Debug)]
pub(super) struct Pictures {
    /// Answers that have one.
    places: Vec<usize>,
    /// Answers between two of them at least.
    apart: usize,
}

impl Default for Pictures {
    fn default() -> Self {
        Pictures { places: Vec::new(), apart: 1 }
    }
}

impl Pictures {
    /// Takes the answer at a place of the list, and its picture if there is room.
    pub fn offer(&mut self, place: usize, picture: impl FnOnce() -> Option<String>, answers: &mut [AnswerRecord]) {
        if self.places.last().is_some_and(|last| place - last < self.apart) {
            return;
        }
        answers[place].picture = picture();
        self.places.push(place);
        if self.places.len() > PICTURES {
            self.apart *= 2;
            let mut kept = 0..;
            self.places.retain(|place| {
                let is_kept = kept.next().is_some_and(|number: usize| number.is_multiple_of(2));
                if !is_kept {
                    answers[*place].picture = None;
                }
                is_kept
            });
        }
    }
}

/// The result of a replay.
#[derive(Debug, Default)]
pub struct Summary {
    /// Frames shown.
    pub frames: u64,
    /// The answers, in the order in which they were made.
    pub answers: Vec<AnswerRecord>,
    /// Frames into which things were followed, counted for each thing, and those in which it was lost.
    pub tracked: u64,
    /// See `tracked`.
    pub lost: u64,
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

    /// For programs: what the summary says, and the statuses of each command.
    ///
    /// # Errors
    /// None of its own.
    pub fn json(&self) -> Result<String> {
        let mut commands: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for answer in &self.answers {
            *commands.entry(&answer.command).or_default().entry(answer.status.name()).or_default() += 1;
        }
        let statuses: BTreeMap<&str, usize> =
            Status::ALL.into_iter().map(|status| (status.name(), self.count(status))).collect();
        let errors: Vec<_> =
            self.errors().into_iter().map(|(reason, count)| json!({"reason": reason, "count": count})).collect();
        let summary = json!({
            "frames": self.frames,
            "answers": self.answers.len(),
            "tracked": self.tracked,
            "lost": self.lost,
            "statuses": statuses,
            "commands": commands,
            "errors": errors,
            "truncation": self.truncation,
            "unreadable": self.unreadable,
            "complete": self.is_complete(),
        });
        serde_json::to_string_pretty(&summary).map_err(|cause| Error::Message(cause.to_string()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_bounded_and_stay_spread_over_all_answers() {
        let record = AnswerRecord {
            camera: String::new(),
            log_time: 0,
            command: String::new(),
            target: String::new(),
            status: Status::Found,
            reason: String::new(),
            score: 0.0,
            age: 0.0,
            picture: None,
        };
        let mut answers = vec![record; 10_000];
        let mut pictures = Pictures::default();
        (0..10_000).for_each(|place| pictures.offer(place, || Some("x".into()), &mut answers));
        let places: Vec<usize> = (0..10_000).filter(|place| answers[*place].picture.is_some()).collect();
        assert!((PICTURES / 3..=PICTURES).contains(&places.len()), "{}", places.len());
        let widest = places.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(places[0] == 0 && widest < 200 && places.last().unwrap() + 200 > 10_000, "{widest}");
    }
}
