//! The terms of full guidance: how well a thing fits one kind of reason in what was said, as logarithms of probabilities.

use super::term::{ScoringTerm, TermInput};
use crate::guidance::Reason;
use referseg_config::{Config, Guidance, TermWeights};
use referseg_files::{Error, Result};

/// One kind of reason.
pub struct Reasons {
    pub reason: Reason,
    pub name: &'static str,
    pub weight: fn(&TermWeights) -> f32,
}

/// All kinds.
pub static DESCRIPTION: Reasons =
    Reasons { reason: Reason::Description, name: "description", weight: |w| w.description };
pub static PLACE: Reasons = Reasons { reason: Reason::Place, name: "place", weight: |w| w.place };
pub static ORDER: Reasons = Reasons { reason: Reason::Order, name: "order", weight: |w| w.order };
pub static RELATION: Reasons = Reasons { reason: Reason::Relation, name: "relation", weight: |w| w.relation };
pub static EXCLUSION: Reasons = Reasons { reason: Reason::Exclusion, name: "exclusion", weight: |w| w.exclusion };
pub static LIKENESS: Reasons = Reasons { reason: Reason::Likeness, name: "likeness", weight: |w| w.likeness };

impl ScoringTerm for Reasons {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        1
    }

    fn weight(&self, config: &Config) -> f32 {
        if config.guidance_in_force() == Guidance::Full {
            (self.weight)(&config.terms)
        } else {
            0.0
        }
    }

    fn scores(&self, input: &TermInput) -> Result<Vec<f32>> {
        let guided =
            input.guided.ok_or_else(|| Error::Computation("no guidance was computed; this is a bug".into()))?;
        Ok(guided.log_product(self.reason))
    }

    fn settings(&self, config: &Config) -> String {
        format!("{} {} {:?}", config.visual.global_weight, config.visual.blurred_weight, config.words)
    }
}
