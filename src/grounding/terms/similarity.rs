//! The similarity term: how well a proposal's features fit the words, by the configured method.

use super::term::{ScoringTerm, TermInput};
use crate::config::{Config, Guidance, Method, ResNetNorms};
use crate::error::{Error, Result};
use crate::grounding::heat_map;
use crate::grounding::visual_features::VisualFeatures;
use crate::models::tensor_math::{cosine_similarities, dot_products};

/// Global-Local similarity (sections 3.2 and 3.3 of the paper), or that of one of its baselines.
pub struct Similarity;

impl ScoringTerm for Similarity {
    fn name(&self) -> &'static str {
        "similarity"
    }

    fn version(&self) -> u32 {
        1
    }

    fn weight(&self, config: &Config) -> f32 {
        if config.guidance_in_force() == Guidance::Full {
            0.0
        } else {
            config.terms.similarity
        }
    }

    fn scores(&self, input: &TermInput) -> Result<Vec<f32>> {
        let TermInput { frame, command, config, family, .. } = input;
        let Config { method, visual, text, .. } = config;
        let features =
            frame.features.as_ref().ok_or_else(|| Error::Computation("proposals without features".into()))?;
        // the paper's baselines know no noun phrase
        let knows_phrases = matches!(method, Method::GlobalLocal | Method::HybridGl);
        let sentence_weight = if knows_phrases { text.sentence_weight } else { 1.0 };
        let words = command.features.mixed(sentence_weight)?;
        if let (VisualFeatures::Map(map), Some(encoder)) = (features, family.dense_encoder()) {
            return Ok(match method {
                Method::GradCam => {
                    let heat = heat_map::grad_cam(encoder, map, &words, family.logit_scale())?;
                    heat_map::mean_in_masks(&heat, false, &frame.proposals)
                }
                _ => heat_map::mean_in_masks(&heat_map::score_map(encoder, map, &words)?, true, &frame.proposals),
            });
        }
        let seen = input.seen()?;
        let unnormalized = family.normalizes_before_mixing() && visual.resnet_norms == ResNetNorms::Paper;
        Ok(match unnormalized {
            true => dot_products(seen, &words)?,
            false => cosine_similarities(seen, &words)?,
        })
    }

    fn settings(&self, config: &Config) -> String {
        let Config { method, visual, text, .. } = config;
        format!("{method} {} {} {:?}", visual.global_weight, text.sentence_weight, visual.resnet_norms)
    }
}
