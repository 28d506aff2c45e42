//! The quality term: the logarithm of what the generator itself thinks of a proposal.

use super::term::{ScoringTerm, TermInput};
use referseg_config::Config;
use referseg_files::Result;

/// Qualities below this count as this, so that the logarithm stays finite.
const LEAST: f32 = 1e-3;

/// The generator's own quality.
pub struct Quality;

impl ScoringTerm for Quality {
    fn name(&self) -> &'static str {
        "quality"
    }

    fn version(&self) -> u32 {
        1
    }

    fn weight(&self, config: &Config) -> f32 {
        config.terms.quality
    }

    fn scores(&self, input: &TermInput) -> Result<Vec<f32>> {
        Ok(input.frame.proposals.iter().map(|proposal| proposal.quality.max(LEAST).ln()).collect())
    }

    fn settings(&self, _: &Config) -> String {
        String::new()
    }
}
