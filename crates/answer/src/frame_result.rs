//! `FrameResult`: the result of one command on one frame, to be published, recorded or drawn.

use super::answer::{Answer, FoundThing, ScoredProposal};
use super::command_info::CommandInfo;
use super::destination::FoundDestination;
use super::status::Status;
use referseg_files::Error;
use referseg_image::{Frame, Mask, Rect};

/// How a thing was followed into a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Following {
    /// The part of it that looks as it did, 0..1; 0 when it is lost.
    pub quality: f32,
    /// From the stamp of the frame in which it was found last to that of this frame, seconds.
    pub grounding_age: f64,
}

/// One command on one frame, answered or not.
pub struct FrameResult<'a> {
    /// The camera's index.
    pub camera: usize,
    /// The command.
    pub command: &'a CommandInfo,
    /// The frame; absent when it could not be read.
    pub frame: Option<&'a Frame>,
    /// Whether it shows the same as the frame that was encoded before it, whose encoding the answer rests on.
    pub is_static: bool,
    /// Numbers of the tracks of the things found, in their order; fewer, or none, where they are not followed. A lost thing has one, too.
    pub tracks: &'a [u32],
    /// Present when the thing was not looked for in this frame, but followed into it.
    pub following: Option<Following>,
    /// The answer, or why there is none.
    pub answer: Result<&'a Answer, &'a Error>,
}

impl FrameResult<'_> {
    /// The status.
    pub fn status(&self) -> Status {
        self.answer.map_or(Status::Error, |answer| answer.status)
    }

    /// Why the status is not `Found`, and what was not understood, in words; may be empty.
    pub fn reason(&self) -> String {
        match self.answer {
            Ok(answer) => answer.reason.clone(),
            Err(error) => error.to_string(),
        }
    }

    /// The noun phrase of the target; empty without an answer.
    pub fn target(&self) -> &str {
        self.answer.map_or("", |answer| answer.target.as_str())
    }

    /// Score of the best proposal; 0 without one.
    pub fn score(&self) -> f32 {
        self.answer.map_or(0.0, |answer| answer.score)
    }

    /// Margin of the best proposal; 0 without one.
    pub fn margin(&self) -> f32 {
        self.answer.map_or(0.0, |answer| answer.margin)
    }

    /// All that was found as one mask and box, in image pixels.
    pub fn shown(&self) -> Option<(Mask, Rect)> {
        self.answer.ok()?.shown()
    }

    /// The things found, best first.
    pub fn found(&self) -> &[FoundThing] {
        self.answer.map_or(&[], |answer| &answer.found)
    }

    /// Where the target shall go; `None` when the command does not say, or without an answer.
    pub fn destination(&self) -> Option<&FoundDestination> {
        self.answer.ok()?.destination.as_ref()
    }

    /// Number of the first thing's track; 0 without.
    pub fn track(&self) -> u32 {
        self.tracks.first().copied().unwrap_or_default()
    }

    /// Whether near, far, behind, in front or tall was judged by depth.
    pub fn by_depth(&self) -> bool {
        self.answer.is_ok_and(|answer| answer.by_depth)
    }

    /// The robot's frame in which places were judged; empty when in the picture.
    pub fn reference_frame(&self) -> &str {
        self.answer.map_or("", |answer| answer.reference_frame.as_str())
    }

    /// The best proposals with their terms; none without an answer.
    pub fn leading(&self) -> &[ScoredProposal] {
        self.answer.map_or(&[], |answer| &answer.leading)
    }

    /// How the command was understood, in words; empty without an answer.
    pub fn reading(&self) -> &str {
        self.answer.map_or("", |answer| answer.reading.as_str())
    }
}
