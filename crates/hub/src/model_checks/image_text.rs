//! Checks of models that put images and texts into one feature space.

use super::finding::{tolerance, Finding};
use crate::{Kind, Published};
use candle_core::Tensor;
use referseg_config::WordSettings;
use referseg_files::Result;
use referseg_image::resample::resize_like_pillow;
use referseg_image::{Frame, Rect};
use referseg_models::device::Device;
use referseg_models::tensor_math::{cosine_similarities, l2_normalize};
use referseg_models::ModelFamily;

/// What the picture shows that models without published values are checked with.
const SHOWN: &str = "cat";

/// A picture as the checkpoint's own processor makes it, `[1, 3, s, s]`: CLIP's cuts the middle square out, SigLIP's squashes.
fn processed(frame: &Frame, family: &dyn ModelFamily, kind: Kind, device: &Device) -> Result<Tensor> {
    let preprocessing = family.preprocessing();
    let side = preprocessing.image_size;
    let square = match kind {
        Kind::Siglip | Kind::Sam => resize_like_pillow(frame, side, side, preprocessing.filter)?,
        Kind::Clip => {
            let (width, height) = (frame.width(), frame.height());
            let shorter = width.min(height);
            // the longer side is cut off to whole pixels, as torchvision and transformers do
            let small =
                resize_like_pillow(frame, side * width / shorter, side * height / shorter, preprocessing.filter)?;
            let middle =
                Rect { x: (small.width() - side) / 2, y: (small.height() - side) / 2, width: side, height: side };
            small.cropped(middle)?
        }
    };
    let pixels = preprocessing.normalization.planes(square.rgb());
    Ok(Tensor::from_vec(pixels, (1, 3, side, side), device)?)
}

/// Unit features of a picture `[d]` and of texts `[n, d]`.
fn features(picture: &Tensor, texts: &[&str], family: &dyn ModelFamily) -> Result<(Tensor, Tensor)> {
    let image = family.encode_images(picture)?.get(0)?;
    let texts = family.encode_texts(texts)?;
    Ok((l2_normalize(&image)?, l2_normalize(&texts)?))
}

/// The logits of a picture with the published texts beside the published logits.
///
/// # Errors
/// When a text can't be encoded or the device fails.
pub fn logits(
    picture: &Frame,
    published: &Published,
    family: &dyn ModelFamily,
    kind: Kind,
    device: &Device,
) -> Result<Vec<Finding>> {
    let texts: Vec<&str> = published.logits.keys().map(String::as_str).collect();
    let (image, of_texts) = features(&processed(picture, family, kind, device)?, &texts, family)?;
    let (scale, bias) = (family.logit_scale(), family.logit_bias().unwrap_or(0.0));
    let tolerance = tolerance(published, family.dtype(), scale);
    let cosines = cosine_similarities(&of_texts, &image)?;
    let found = published.logits.iter().zip(cosines);
    let finding = |((text, expected), cosine): ((&String, &f32), f32)| {
        Finding::near(format!("logit of \"{text}\""), *expected, cosine * scale + bias, tolerance)
    };
    Ok(found.map(finding).collect())
}

/// Whether a model without published values makes sense to itself: its features are finite, and of the nouns the one that the
/// picture shows, if it `shows_cats`, is the most like it, where the model knows that word.
///
/// # Errors
/// When a word can't be encoded or the device fails.
pub fn agree_with_words(
    (picture, shows_cats): (&Frame, bool),
    words: &WordSettings,
    family: &dyn ModelFamily,
    kind: Kind,
    device: &Device,
) -> Result<Vec<Finding>> {
    let texts: Vec<String> = words.nouns.iter().map(|noun| words.template.replace("{}", noun)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (image, of_texts) = features(&processed(picture, family, kind, device)?, &texts, family)?;
    let cosines = cosine_similarities(&of_texts, &image)?;
    let finite = cosines.iter().filter(|cosine| cosine.is_finite()).count();
    let of = cosines.len();
    let mut findings =
        vec![Finding::near(format!("finite similarities with {of} nouns"), of as f32, finite as f32, 0.0)];
    if let Some(shown) = words.nouns.iter().position(|noun| shows_cats && noun == SHOWN) {
        let before = cosines.iter().filter(|cosine| **cosine > cosines[shown]).count();
        let what = format!("place of \"{SHOWN}\" among the nouns, by similarity");
        findings.push(Finding::near(what, 1.0, before as f32 + 1.0, 0.0));
    }
    Ok(findings)
}
