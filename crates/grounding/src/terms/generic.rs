//! The generic term: how little a proposal is like everything (score subtraction of FGVP, Yang et al., NeurIPS 2023).
//!
//! Some proposals, such as large ones, are a little like every text. What a proposal has with all nouns of the bank on
//! average says nothing of the one that was asked for, and is taken off. The bank is fixed; FGVP takes captions of the test set.

use super::similarity::keeps_lengths;
use super::term::{ScoringTerm, TermInput};
use referseg_config::{Config, Guidance, Method};
use referseg_files::{Error, Result};
use referseg_models::tensor_math::{dot_products, l2_normalize};

/// The negative mean similarity with the bank's nouns.
pub struct Generic;

impl ScoringTerm for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn version(&self) -> u32 {
        1
    }

    fn weight(&self, config: &Config) -> f32 {
        let has_features = !matches!(config.method, Method::ScoreMap | Method::GradCam);
        match config.guidance_in_force() {
            // it judges against the same words
            Guidance::Full => 0.0,
            _ if has_features => config.terms.generic,
            _ => 0.0,
        }
    }

    fn scores(&self, input: &TermInput) -> Result<Vec<f32>> {
        let bank = input.bank.ok_or_else(|| Error::Computation("no bank of words; this is a bug".into()))?;
        // the mean of dot products is the dot product with the mean
        let mean = bank.mean_noun(&input.config.words)?;
        let alike = match keeps_lengths(input.config, input.family) {
            true => dot_products(input.seen()?, &mean)?,
            false => dot_products(&l2_normalize(input.seen()?)?, &mean)?,
        };
        Ok(alike.into_iter().map(|alike| -alike).collect())
    }

    fn settings(&self, config: &Config) -> String {
        format!("{} {} {:?}", config.visual.global_weight, config.visual.blurred_weight, config.words)
    }
}
