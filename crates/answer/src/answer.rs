//! `Answer`: which proposal of a frame a command means, and how surely.

use super::destination::FoundDestination;
use super::question::Question;
use super::status::Status;
use referseg_image::{Mask, Rect};
use referseg_language::Roles;
use std::time::Duration;

/// How long each stage took; zero for what was there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Mask proposals.
    pub proposals: Duration,
    /// Visual features.
    pub visual_features: Duration,
    /// Parsing and text features.
    pub text_features: Duration,
    /// Terms and decision.
    pub scoring: Duration,
    /// Refined masks.
    pub refinement: Duration,
}

impl StageTimes {
    /// Each stage's time, in the order of the work.
    pub fn each(&self) -> [Duration; 5] {
        [self.proposals, self.visual_features, self.text_features, self.scoring, self.refinement]
    }
}

/// A proposal's score with the terms that it is the weighted sum of.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredProposal {
    /// Index of the proposal.
    pub proposal: usize,
    /// Its box, in image pixels.
    pub rect: Rect,
    /// The weighted sum.
    pub score: f32,
    /// Each term's name and value, before its weight; with full guidance probabilities, 0..1.
    pub terms: Vec<(&'static str, f32)>,
}

/// A thing that is part of the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundThing {
    /// Index of its proposal; `None` for a free place.
    pub proposal: Option<usize>,
    /// Its score.
    pub score: f32,
    /// Its pixels.
    pub mask: Mask,
    /// Whether the mask is a refined one, not the proposal's.
    pub refined: bool,
}

/// The answer to one command on one frame.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status; never `Error`, and `Lost` only where a thing was followed.
    pub status: Status,
    /// Why it is not `Found`, and what of the command was not understood or not looked for; empty when there is nothing
    /// to say.
    pub reason: String,
    /// The noun phrase of the target.
    pub target: String,
    /// How the command was understood, in words.
    pub reading: String,
    /// The roles of the command's event, in its words.
    pub roles: Roles,
    /// Score of the best proposal; 0 without proposals. With full guidance how surely it is all that was said, 0..1. Else
    /// the weighted sum of its terms, with the default weights a cosine similarity in -1..1 (but for heat maps and
    /// `resnet_norms: paper`, which have scales of their own).
    pub score: f32,
    /// Margin over the best other thing; the score itself when there is no other. With full guidance as a part of the best
    /// score, 0..1.
    pub margin: f32,
    /// The best proposal's index, whatever the status.
    pub best: Option<usize>,
    /// Where the status is `Ambiguous`, the proposals that may be meant, best first.
    pub rivals: Vec<usize>,
    /// What was found, best first: one thing, or as many as were asked for; when several fit that were not asked for,
    /// the best of them. Empty when nothing was found.
    pub found: Vec<FoundThing>,
    /// Where the target shall go; `None` when the command does not say.
    pub destination: Option<FoundDestination>,
    /// What to ask the speaker, where the answer left that open and somebody looked for a question.
    pub question: Option<Question>,
    /// Whether near, far, behind, in front or tall was judged by depth rather than by the place in the picture.
    pub by_depth: bool,
    /// The robot's frame, when left and right, near and far, or above and below were judged in it; empty when in the picture.
    pub reference_frame: String,
    /// All scores, one for each proposal.
    pub scores: Vec<f32>,
    /// The best proposals with their terms, best first; at most two.
    pub leading: Vec<ScoredProposal>,
    /// Proposals whose crops it rests on; the others could not win.
    pub crops: usize,
    /// How long the stages took.
    pub times: StageTimes,
}

impl Answer {
    /// The mask of the thing that a command moves to its destination; `None` when nothing was found, or a free place itself.
    pub fn moved(&self) -> Option<&Mask> {
        self.found.first().filter(|thing| thing.proposal.is_some()).map(|thing| &thing.mask)
    }

    /// The mask and box of all that was found, in image pixels; `None` when nothing was.
    pub fn shown(&self) -> Option<(Mask, Rect)> {
        let (first, others) = self.found.split_first()?;
        let mask = others.iter().fold(first.mask.clone(), |mask, other| mask.union(&other.mask));
        let rect = mask.bounding_box()?;
        Some((mask, rect))
    }
}
