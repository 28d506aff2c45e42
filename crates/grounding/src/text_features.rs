//! `TextFeatures`: a referring expression as CLIP reads it (section 3.3 of the paper).
//!
//! The whole sentence and the target noun phrase, each encoded, then mixed. They depend on the command
//! alone, so they are computed once for each command.

use candle_core::Tensor;
use referseg_files::Result;
use referseg_models::tensor_math::l2_normalize;
use referseg_models::ModelFamily;

/// Features of a sentence and its target's noun phrase, each `[d]` f32: unnormalized beside a vision
/// transformer, of unit length beside a ResNet (section 3.3 of the paper and its code).
#[derive(Clone)]
pub struct TextFeatures {
    sentence: Tensor,
    noun_phrase: Tensor,
}

impl TextFeatures {
    /// Encodes both in one batch, in each of the `templates` ("{}" stands for the words); of several the mean of the unit
    /// features counts, as CLIP's authors do with names of classes (Radford et al. 2021, section 3.1.4).
    ///
    /// # Errors
    /// When the vocabulary can't express the text or the device fails.
    pub fn encode(
        sentence: &str,
        noun_phrase: &str,
        templates: &[String],
        family: &dyn ModelFamily,
    ) -> Result<TextFeatures> {
        let texts: Vec<String> = templates
            .iter()
            .flat_map(|template| [sentence, noun_phrase].map(|words| template.replace("{}", words)))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let features = family.encode_texts(&texts)?;
        let features = match templates.len() {
            1 => features,
            several => {
                let width = features.dim(1)?;
                l2_normalize(&l2_normalize(&features)?.reshape((several, 2, width))?.mean(0)?)?
            }
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use referseg_models::{load, Compute};
    use std::path::Path;

    #[test]
    fn a_wording_is_the_text_with_it_and_several_are_their_mean_direction() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("models/demo");
        let family = load(&folder, &Compute::on_cpu()).unwrap();
        let encode = |sentence: &str, phrase: &str, templates: &[&str]| {
            let templates: Vec<String> = templates.iter().map(|template| template.to_string()).collect();
            let mixed = TextFeatures::encode(sentence, phrase, &templates, &*family).unwrap().mixed(1.0).unwrap();
            mixed.to_vec1::<f32>().unwrap()
        };
        assert_eq!(encode("red ball", "ball", &["a toy {}"]), encode("a toy red ball", "a toy ball", &["{}"]));
        let unit = |mut feature: Vec<f32>| {
            let length = feature.iter().map(|value| value * value).sum::<f32>().sqrt();
            feature.iter_mut().for_each(|value| *value /= length);
            feature
        };
        let (one, other) = (unit(encode("red ball", "ball", &["{}"])), unit(encode("red ball", "ball", &["a toy {}"])));
        let mean = unit(one.iter().zip(&other).map(|(a, b)| a + b).collect());
        let both = encode("red ball", "ball", &["{}", "a toy {}"]);
        let apart = both.iter().zip(&mean).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-5, "{apart}");
    }
}
