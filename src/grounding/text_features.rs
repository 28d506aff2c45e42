//! `TextFeatures`: a referring expression as CLIP reads it (section 3.3 of the paper).
//!
//! The whole sentence and the target noun phrase, each encoded, then mixed. They depend on the command
//! alone, so they are computed once for each command.

use crate::error::Result;
use crate::models::tensor_math::l2_normalize;
use crate::models::ModelFamily;
use candle_core::Tensor;

/// Features of a sentence and its target's noun phrase, each `[d]` f32: unnormalized beside a vision
/// transformer, of unit length beside a ResNet (section 3.3 of the paper and its code).
pub struct TextFeatures {
    sentence: Tensor,
    noun_phrase: Tensor,
}

impl TextFeatures {
    /// Encodes both in one batch.
    ///
    /// # Errors
    /// When the vocabulary can't express the text or the device fails.
    pub fn encode(sentence: &str, noun_phrase: &str, family: &dyn ModelFamily) -> Result<TextFeatures> {
        let features = family.encode_texts(&[sentence, noun_phrase])?;
        let features = if family.normalizes_before_mixing() { l2_normalize(&features)? } else { features };
        Ok(TextFeatures { sentence: features.get(0)?, noun_phrase: features.get(1)? })
    }

    /// `r * sentence + (1 - r) * noun phrase`, `[d]`; equation 6 of the paper.
    ///
    /// # Errors
    /// When the device fails.
    pub fn mixed(&self, sentence_weight: f32) -> Result<Tensor> {
        let r = f64::from(sentence_weight);
        Ok(((&self.sentence * r)? + (&self.noun_phrase * (1.0 - r))?)?)
    }
}
