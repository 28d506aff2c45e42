//! Encoded frames and commands: what a frame costs once and a command costs once, so that an answer costs only the
//! scoring.

use super::guidance::{Layout, OwnWords};
use super::text_features::TextFeatures;
use super::visual_features::VisualFeatures;
use crate::fingerprint::Fingerprint;
use crate::language::ParsedCommand;
use crate::proposals::Proposal;
use std::time::Duration;

/// A frame's proposals and their features.
pub struct EncodedFrame {
    /// What was proposed.
    pub proposals: Vec<Proposal>,
    /// Absent without proposals.
    pub features: Option<VisualFeatures>,
    /// Where the proposals are.
    pub layout: Layout,
    /// What it depends on beside the frame; equal to the segmenter's visual fingerprint when it was made.
    pub fingerprint: Fingerprint,
    /// How long the proposals took.
    pub proposals_time: Duration,
    /// How long the visual features took.
    pub features_time: Duration,
}

/// A command's meaning and features.
pub struct EncodedCommand {
    /// The text and its meaning.
    pub parsed: ParsedCommand,
    /// Sentence and noun phrase.
    pub features: TextFeatures,
    /// Words that the bank of words does not have.
    pub own_words: OwnWords,
    /// What it depends on beside the text; equal to the segmenter's text fingerprint when it was made.
    pub fingerprint: Fingerprint,
    /// How long the encoding took.
    pub time: Duration,
}
