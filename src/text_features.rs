//! `TextFeatures`: a referring expression as CLIP reads it (section 3.3 of the paper).
//!
//! The whole sentence and the target noun phrase, each encoded, then mixed. They depend on the command
//! alone, so they are computed once for each command.

use crate::clip::{TextEncoder, Tokenizer};
use crate::error::Result;
use candle_core::{Device, Tensor};

/// `r * sentence + (1 - r) * noun phrase`, `[d]` f32, on features as they come; equation 6 of the paper.
///
/// # Errors
/// When the device fails.
pub fn encode(
    sentence: &str,
    noun_phrase: &str,
    sentence_weight: f32,
    encoder: &TextEncoder,
    tokenizer: &Tokenizer,
    device: &Device,
) -> Result<Tensor> {
    let ids = tokenizer.batch(&[sentence, noun_phrase], device)?;
    let features = encoder.features(&ids)?; // [2, d]
    let r = f64::from(sentence_weight);
    Ok(((features.get(0)? * r)? + (features.get(1)? * (1.0 - r))?)?)
}
