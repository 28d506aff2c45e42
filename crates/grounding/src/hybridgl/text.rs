//! `HybridText`: what HybridGL encodes of a sentence beside the sentence and its target.

use candle_core::Tensor;
use referseg_files::Result;
use referseg_models::tensor_math::l2_normalize;
use referseg_models::ModelFamily;

/// Features of words, f32.
pub struct HybridText {
    /// The target's phrase, of unit length, `[d]`, for the heat map.
    pub phrase: Tensor,
    /// The mean of the other things' phrases, unnormalized, `[d]`; none without others.
    pub others: Option<Tensor>,
}

impl HybridText {
    /// Encodes the target's phrase and those of the other things, in the authors' wording; a model that knows no other words
    /// than its own (`closed`) gets the phrases alone.
    ///
    /// # Errors
    /// When the vocabulary can't express the text or the device fails.
    pub fn encode(phrase: &str, others: &[String], closed: bool, family: &dyn ModelFamily) -> Result<HybridText> {
        let wording = |before: &str, phrase: &str, after: &str| match closed {
            true => phrase.to_string(),
            false => format!("{before}{phrase}{after}"),
        };
        let mut texts = vec![wording("a photo of a ", phrase, ".")];
        texts.extend(others.iter().map(|other| wording("a photo of ", other, "")));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let features = family.encode_texts(&texts)?;
        let others = (texts.len() > 1).then(|| features.narrow(0, 1, texts.len() - 1)?.mean(0)).transpose()?;
        Ok(HybridText { phrase: l2_normalize(&features.get(0)?)?, others })
    }
}
