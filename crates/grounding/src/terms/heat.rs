//! The heat term: how well a proposal covers the places that are like the target's phrase (HybridGL's coherence).

use super::term::{ScoringTerm, TermInput};
use referseg_config::Config;
use referseg_files::Result;

/// HybridGL's coherence with GEM's heat map.
pub struct Heat;

impl ScoringTerm for Heat {
    fn name(&self) -> &'static str {
        "heat"
    }

    fn version(&self) -> u32 {
        1
    }

    fn weight(&self, config: &Config) -> f32 {
        config.terms.heat
    }

    fn scores(&self, input: &TermInput) -> Result<Vec<f32>> {
        let TermInput { frame, command, config, family, .. } = input;
        Ok(frame.hybrid_guidance(command, config, *family, input.seen()?)?.coherence())
    }

    fn settings(&self, config: &Config) -> String {
        format!("{:?}", config.hybridgl)
    }
}
