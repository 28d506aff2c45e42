//! The similarity term: how well a proposal's features fit the words, by the configured method.

use super::term::{ScoringTerm, TermInput};
use crate::encoded::EncodedCommand;
use crate::heat_map;
use crate::visual_features::VisualFeatures;
use candle_core::Tensor;
use referseg_config::{Config, Guidance, Method, ResNetNorms};
use referseg_files::{Error, Result};
use referseg_models::tensor_math::{cosine_similarities, dot_products};
use referseg_models::ModelFamily;

/// Global-Local similarity (sections 3.2 and 3.3 of the paper), or that of one of its baselines.
pub struct Similarity;

/// The text feature that proposals are compared with, `[d]`.
fn words(command: &EncodedCommand, config: &Config) -> Result<Tensor> {
    // the paper's baselines know no noun phrase
    let knows_phrases = matches!(config.method, Method::GlobalLocal | Method::HybridGl);
    command.features.mixed(if knows_phrases { config.text.sentence_weight } else { 1.0 })
}

/// Whether features are compared as long as they are, by dot products and not by cosines: with the paper's norms of a ResNet.
pub fn keeps_lengths(config: &Config, family: &dyn ModelFamily) -> bool {
    family.normalizes_before_mixing() && config.visual.resnet_norms == ResNetNorms::Paper
}

/// How probable it is that each proposal, by its feature `[n, d]`, is what the words say, in the eyes of a model that was
/// trained to tell that; `None` for models that can only compare.
///
/// # Errors
/// When the device fails.
pub fn probabilities(
    seen: &Tensor,
    command: &EncodedCommand,
    config: &Config,
    family: &dyn ModelFamily,
) -> Result<Option<Vec<f32>>> {
    let Some(bias) = family.logit_bias() else { return Ok(None) };
    let cosines = cosine_similarities(seen, &words(command, config)?)?;
    let probability = |cosine: f32| 1.0 / (1.0 + (-(cosine * family.logit_scale() + bias)).exp());
    Ok(Some(cosines.into_iter().map(probability).collect()))
}

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
        let features =
            frame.features.as_ref().ok_or_else(|| Error::Computation("proposals without features".into()))?;
        let words = words(command, config)?;
        if let (VisualFeatures::Map(map), Some(encoder)) = (features, family.dense_encoder()) {
            return Ok(match config.method {
                Method::GradCam => {
                    let heat = heat_map::grad_cam(encoder, map, &words, family.logit_scale())?;
                    heat_map::mean_in_masks(&heat, false, &frame.proposals)
                }
                _ => heat_map::mean_in_masks(&heat_map::score_map(encoder, map, &words)?, true, &frame.proposals),
            });
        }
        let seen = input.seen()?;
        Ok(match keeps_lengths(config, *family) {
            true => dot_products(seen, &words)?,
            false => cosine_similarities(seen, &words)?,
        })
    }

    fn settings(&self, config: &Config) -> String {
        let Config { method, visual, text, .. } = config;
        let weights = format!("{} {} {}", visual.global_weight, visual.blurred_weight, text.sentence_weight);
        format!("{method} {weights} {:?}", visual.resnet_norms)
    }
}
