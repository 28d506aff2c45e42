//! `Answer`: which proposal of a frame a command means, and how surely.

use super::status::Status;
use crate::image::{Mask, Rect};
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
}

/// A proposal's score with the terms that it is the weighted sum of.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredProposal {
    /// Index of the proposal.
    pub proposal: usize,
    /// The weighted sum.
    pub score: f32,
    /// Each term's name and value, before its weight.
    pub terms: Vec<(&'static str, f32)>,
}

/// The answer to one command on one frame.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status; never `Error`.
    pub status: Status,
    /// Why it is not `Found`; empty when it is.
    pub reason: String,
    /// The noun phrase of the target.
    pub target: String,
    /// Score of the best proposal: the weighted sum of its terms, with the default weights a cosine similarity in
    /// -1..1 (but for heat maps and `resnet_norms: paper`, which have scales of their own); 0 without proposals.
    pub score: f32,
    /// Margin over the best other thing; the score itself when there is no other.
    pub margin: f32,
    /// The best proposal's index, whatever the status.
    pub best: Option<usize>,
    /// The best proposal's mask, whatever the status.
    pub(crate) best_mask: Option<Mask>,
    /// All scores, one for each proposal.
    pub scores: Vec<f32>,
    /// The best proposals with their terms, best first; at most two.
    pub leading: Vec<ScoredProposal>,
    /// How long the stages took.
    pub times: StageTimes,
}

impl Answer {
    /// The mask and box of the target, in image pixels; `None` when nothing was found. When several
    /// things fit, it is the best of them.
    pub fn shown(&self) -> Option<(&Mask, Rect)> {
        let shown = matches!(self.status, Status::Found | Status::Ambiguous);
        let mask = self.best_mask.as_ref().filter(|_| shown)?;
        Some((mask, mask.bounding_box()?))
    }
}
