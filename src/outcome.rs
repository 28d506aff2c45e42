//! `Outcome`: what became of one command on one frame, and who had asked.

use crate::error::Error;
use crate::frame::Frame;
use crate::mask::{BoundingBox, Mask};
use crate::scoring::Status;
use crate::segmenter::{Answer, Query, Scene};

/// The way by which a command came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Said to all who listen; the answer is for all.
    Topic,
    /// Asked in one call; the answer is the caller's.
    Service,
    /// A goal pursued over several frames; the answer is the caller's.
    Action,
}

/// A command with what tells it from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The text as it was given, without NUL.
    pub text: String,
    /// Running number over all ways; the first is 1.
    pub number: u32,
    /// The way by which it came.
    pub way: Way,
    /// The caller's own name for it; empty on topics.
    pub id: String,
}

/// What became of one command on one frame.
pub struct Outcome<'a> {
    /// The camera's index.
    pub camera: usize,
    /// The command.
    pub asked: &'a Asked,
    /// The frame; absent when it could not be read.
    pub frame: Option<&'a Frame>,
    /// The answer with what it was made from.
    pub result: Result<(&'a Scene, &'a Query, &'a Answer), &'a Error>,
}

impl Outcome<'_> {
    /// The status.
    pub fn status(&self) -> Status {
        self.result.as_ref().map_or(Status::Error, |(_, _, answer)| answer.status)
    }

    /// Why the status is not found, in words; empty when it is.
    pub fn reason(&self) -> String {
        match &self.result {
            Ok((_, _, answer)) => answer.reason.clone(),
            Err(error) => error.to_string(),
        }
    }

    /// The noun phrase of the thing meant; empty when it was not looked for.
    pub fn target(&self) -> &str {
        self.result.as_ref().map_or("", |(_, query, _)| query.target.as_str())
    }

    /// Score of the best proposal; 0 without one.
    pub fn score(&self) -> f32 {
        self.result.as_ref().map_or(0.0, |(_, _, answer)| answer.score)
    }

    /// The thing shown, if any, in image pixels.
    pub fn shown(&self) -> Option<(&Mask, BoundingBox)> {
        let (scene, _, answer) = self.result.as_ref().ok()?;
        answer.mask(scene)
    }
}
