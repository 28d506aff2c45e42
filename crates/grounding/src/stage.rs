//! `Stage`: the steps of answering, in their order, and what the result of each depends on.

use referseg_files::fingerprint::Fingerprint;

/// What a segmenter is working on, in the order of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// No frame to work on yet.
    Waiting,
    /// The camera's bytes become pixels.
    Decoding,
    /// Regions are proposed.
    Proposals,
    /// The proposals are encoded.
    Features,
    /// The command is encoded and the proposals are scored.
    Scoring,
}

/// The fingerprint of each stage's result, beside its input. What was computed under another one is never reused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageFingerprints {
    /// Mask proposals.
    pub proposals: Fingerprint,
    /// Visual features; includes the proposals.
    pub visual: Fingerprint,
    /// Parsing and text features.
    pub text: Fingerprint,
    /// The scoring terms and their weights.
    pub terms: Fingerprint,
}
