//! `Guided`: a command's meaning resolved on one frame.

use super::appearance::Appearance;
use super::resolve::{Reason, Resolved, Resolver};
use super::things::things;
use super::word_bank::WordBank;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::grounding::encoded::{EncodedCommand, EncodedFrame};
use crate::language::{ParsedCommand, Quantity};
use crate::models::ModelFamily;

/// Probabilities below this count as this, so that logarithms stay finite.
const LEAST: f32 = 1e-9;

/// The things of a frame and how surely each is meant.
pub struct Guided {
    /// Proposals in the frame.
    proposals: usize,
    /// The proposals that stand for themselves.
    pub things: Vec<usize>,
    /// The target over the things.
    pub resolved: Resolved,
}

/// How many of an order's first are meant: "the three largest".
fn wanted(parsed: &ParsedCommand) -> usize {
    match parsed.quantity {
        Quantity::Exactly(count) | Quantity::Some(count) => count,
        Quantity::One | Quantity::Any | Quantity::All => 1,
    }
}

impl Guided {
    /// Resolves a command on a frame with at least one proposal.
    ///
    /// # Errors
    /// When the frame has no features that words can be compared with, or the device fails.
    pub fn new(
        frame: &EncodedFrame,
        command: &EncodedCommand,
        config: &Config,
        family: &dyn ModelFamily,
        bank: &WordBank,
    ) -> Result<Guided> {
        let features =
            frame.features.as_ref().ok_or_else(|| Error::Computation("proposals without features".into()))?;
        let seen = features.mixed(config.visual.global_weight)?;
        let similarities = bank.similarities(&seen, &command.own_words)?;
        let appearance = Appearance::new(similarities, &config.words, &command.own_words, family.logit_scale());
        let proposals = frame.proposals.len();
        let things = things(proposals, &appearance, &frame.layout);
        let resolver = Resolver { things: &things, appearance: &appearance, layout: &frame.layout };
        let parsed = &command.parsed;
        let resolved = resolver.resolve(&parsed.target, &parsed.withdrawn, wanted(parsed));
        Ok(Guided { proposals, things, resolved })
    }

    /// For each proposal the logarithm of the product of one reason's factors; the least there is where a proposal
    /// stands for no thing.
    pub fn log_product(&self, reason: Reason) -> Vec<f32> {
        let mut logs = vec![LEAST.ln(); self.proposals];
        for (thing, value) in self.things.iter().zip(self.resolved.product(reason)) {
            logs[*thing] = value.max(LEAST).ln();
        }
        logs
    }
}
