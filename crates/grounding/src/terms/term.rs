//! `ScoringTerm`: one reason to prefer some proposals over others.

use crate::encoded::{EncodedCommand, EncodedFrame};
use crate::guidance::{Guided, WordBank};
use candle_core::Tensor;
use referseg_config::Config;
use referseg_files::{Error, Result};
use referseg_models::ModelFamily;

/// What a term may look at.
pub struct TermInput<'a> {
    /// The frame's proposals and features; at least one proposal.
    pub frame: &'a EncodedFrame,
    /// The command's meaning and features.
    pub command: &'a EncodedCommand,
    /// The settings in effect.
    pub config: &'a Config,
    /// The model that made the features.
    pub family: &'a dyn ModelFamily,
    /// One feature a proposal, `[n, d]`; absent where the method keeps a map.
    pub seen: Option<&'a Tensor>,
    /// The command's meaning on this frame, with guidance that asks for it.
    pub guided: Option<&'a Guided>,
    /// The words of `words`, where a term asks for them.
    pub bank: Option<&'a WordBank>,
}

impl<'a> TermInput<'a> {
    /// One feature a proposal, `[n, d]`.
    ///
    /// # Errors
    /// When the method keeps a map: a bug.
    pub fn seen(&self) -> Result<&'a Tensor> {
        self.seen.ok_or_else(|| Error::Computation("proposals without features; this is a bug".into()))
    }
}

/// A named reason to prefer some proposals.
pub trait ScoringTerm: Sync {
    /// Its name in the configuration, the answer and the fingerprint.
    fn name(&self) -> &'static str;

    /// Raised when the same input gives other scores.
    fn version(&self) -> u32;

    /// Its weight in the settings.
    fn weight(&self, config: &Config) -> f32;

    /// A log-score for each proposal, `[n]`, in units of the similarity (a logit divided by the model's
    /// logit scale), or with guidance the logarithm of a probability.
    ///
    /// # Errors
    /// When the device fails.
    fn scores(&self, input: &TermInput) -> Result<Vec<f32>>;

    /// The settings beside its weight that its scores depend on, as text.
    fn settings(&self, config: &Config) -> String;
}
