//! A checkpoint's own preprocessing: mean, standard deviation and interpolation, from `processor_config.json` or
//! `preprocessor_config.json` (Hugging Face) or `preprocess_cfg` (OpenCLIP), or the family's where a checkpoint says nothing.
//!
//! How pictures that are not square are brought to the square input is the method's: they are squashed, for masks must stay
//! in their places.

use crate::family::Preprocessing;
use referseg_files::{Error, Result};
use referseg_image::resample::{Filter, Normalization};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// A family's mean and standard deviation of pixels, RGB in 0..1.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

/// OpenAI CLIP's (github.com/openai/CLIP, clip.py `_transform`).
#[allow(clippy::excessive_precision)] // as published
pub const OPENAI: Defaults =
    Defaults { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] };

const HUGGING_FACE: &str = "preprocessor_config.json";
/// What transformers 5 writes for all processors together; its `image_processor` comes before the file above.
const PROCESSORS: &str = "processor_config.json";
const IMAGE_PROCESSOR: &str = "image_processor";

/// Keys of both layouts.
#[derive(Default, Deserialize)]
struct Stated {
    #[serde(alias = "image_mean")]
    mean: Option<Value>,
    #[serde(alias = "image_std")]
    std: Option<Value>,
    /// OpenCLIP's name.
    interpolation: Option<String>,
    /// Pillow's number.
    resample: Option<u32>,
    /// Whether mean and standard deviation are applied.
    do_normalize: Option<bool>,
    /// Whether bytes are brought to 0..1, by this factor.
    do_rescale: Option<bool>,
    rescale_factor: Option<f64>,
    /// Of the square input: a number, or an object of them.
    crop_size: Option<Value>,
    size: Option<Value>,
}

/// What bytes are multiplied by.
const RESCALE: f64 = 1.0 / 255.0;

/// The sides that a stated size names.
fn sides(size: &Value) -> Vec<u64> {
    match size {
        Value::Number(side) => side.as_u64().into_iter().collect(),
        Value::Array(sides) => sides.iter().filter_map(Value::as_u64).collect(),
        Value::Object(sides) => sides.values().filter_map(Value::as_u64).collect(),
        _ => Vec::new(),
    }
}

/// The preprocessing of the checkpoint in `folder`, whose configuration is `config_file`.
///
/// # Errors
/// When it is stated and can't be used.
pub fn read(folder: &Path, config_file: &Path, image_size: usize, defaults: Defaults) -> Result<Preprocessing> {
    let json = |file: &Path| -> Result<Value> {
        let text = std::fs::read_to_string(file).map_err(Error::file(file))?;
        serde_json::from_str(&text).map_err(|cause| Error::model(file, cause.to_string()))
    };
    let [processors, beside] = [PROCESSORS, HUGGING_FACE].map(|name| folder.join(name));
    let nested = if processors.is_file() { json(&processors)?.get(IMAGE_PROCESSOR).cloned() } else { None };
    let (file, stated) = match nested.filter(Value::is_object) {
        Some(stated) => (processors.as_path(), Some(stated)),
        None if beside.is_file() => (beside.as_path(), Some(json(&beside)?)),
        None => (config_file, json(config_file)?.get("preprocess_cfg").cloned()),
    };
    let refused = |fact: String| Error::model(file, fact);
    let stated: Stated = match stated.filter(|stated| !stated.is_null()) {
        Some(stated) => serde_json::from_value(stated).map_err(|cause| refused(format!("preprocessing: {cause}")))?,
        None => Stated::default(),
    };
    let numbers = |name: &str, value: Option<Value>, default: [f32; 3], low: f32| match value {
        None | Some(Value::Null) => Ok(default),
        // one number for all three channels, as transformers takes it
        Some(Value::Number(one)) if one.as_f64().is_some_and(|one| (f64::from(low)..=10.0).contains(&one)) => {
            Ok([one.as_f64().unwrap_or_default() as f32; 3])
        }
        Some(value) => match serde_json::from_value::<[f32; 3]>(value.clone()) {
            Ok(three) if three.iter().all(|number| (low..=10.0).contains(number)) => Ok(three),
            _ => Err(refused(format!("preprocessing: {name} is {value}; expected three numbers from {low} to 10"))),
        },
    };
    let filter = match (stated.interpolation.as_deref(), stated.resample) {
        (Some("bicubic"), _) | (None, Some(3) | None) => Filter::Bicubic,
        (Some("bilinear"), _) | (None, Some(2)) => Filter::Bilinear,
        (Some(other), _) => {
            return Err(refused(format!("preprocessing: interpolation {other:?}; supported are bicubic and bilinear")));
        }
        (None, Some(other)) => {
            let fact = format!("preprocessing: resample {other}; supported are 2 (bilinear) and 3 (bicubic)");
            return Err(refused(fact));
        }
    };
    let factor = stated.rescale_factor.unwrap_or(RESCALE);
    if stated.do_rescale == Some(false) || (factor / RESCALE - 1.0).abs() > 1e-3 {
        let fact = format!("preprocessing: do_rescale {:?}, rescale_factor {factor}", stated.do_rescale);
        return Err(refused(format!("{fact}; supported are pixels from 0 to 1, factor 1/255")));
    }
    // the crop decides where there is one: pictures are resized to its side or larger before
    let size = stated.crop_size.filter(|size| !size.is_null()).or(stated.size);
    if let Some(other) = size.iter().flat_map(sides).find(|side| *side != image_size as u64) {
        return Err(refused(format!(
            "preprocessing: the input's side is {other}, in the model's configuration {image_size}; these files belong to different models"
        )));
    }
    let normalization = match stated.do_normalize {
        Some(false) => Normalization { mean: [0.0; 3], std: [1.0; 3] },
        _ => Normalization {
            mean: numbers("mean", stated.mean, defaults.mean, 0.0)?,
            std: numbers("std", stated.std, defaults.std, 0.001)?,
        },
    };
    Ok(Preprocessing { image_size, normalization, filter })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Result<Preprocessing> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("config.json", "{}")].iter().chain(files) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        read(folder.path(), &folder.path().join("config.json"), 224, OPENAI)
    }

    #[test]
    fn what_the_checkpoint_states_is_used_in_either_layout() {
        let silent = of(&[]).unwrap();
        assert_eq!(
            (silent.normalization.mean, silent.normalization.std, silent.filter),
            (OPENAI.mean, OPENAI.std, Filter::Bicubic)
        );
        let half = [0.5; 3];
        let stated = r#"{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2}"#;
        let stated = of(&[("preprocessor_config.json", stated)]).unwrap();
        assert_eq!(
            (stated.normalization.mean, stated.normalization.std, stated.filter),
            (half, half, Filter::Bilinear)
        );
        let raw =
            of(&[("preprocessor_config.json", r#"{"do_normalize": false, "size": {"shortest_edge": 224}}"#)]).unwrap();
        assert_eq!((raw.normalization.mean, raw.normalization.std), ([0.0; 3], [1.0; 3]));
        let nested = r#"{"image_processor": {"image_mean": 0.5, "image_std": [0.5, 0.5, 0.5]}, "processor_class": "CLIPProcessor"}"#;
        let both = of(&[
            ("processor_config.json", nested),
            ("preprocessor_config.json", r#"{"image_mean": [0.1, 0.1, 0.1]}"#),
        ]);
        let both = both.unwrap();
        assert_eq!((both.normalization.mean, both.normalization.std), (half, half), "as transformers 5 reads them");
        let legacy = r#"{"processor_class": "CLIPProcessor"}"#;
        let legacy = of(&[
            ("processor_config.json", legacy),
            ("preprocessor_config.json", r#"{"image_mean": [0.5, 0.5, 0.5]}"#),
        ]);
        assert_eq!(legacy.unwrap().normalization.mean, half);
        let open = r#"{"preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "interpolation": "bilinear"}}"#;
        let open = of(&[("config.json", open)]).unwrap();
        assert_eq!(
            (open.normalization.mean, open.normalization.std, open.filter),
            (half, OPENAI.std, Filter::Bilinear)
        );
    }

    #[test]
    fn what_can_not_be_used_is_refused() {
        for (text, words) in [
            (r#"{"image_mean": [0.5, 0.5]}"#, "expected three numbers"),
            (r#"{"image_std": [0.0, 0.5, 0.5]}"#, "expected three numbers"),
            (r#"{"resample": 0}"#, "resample 0"),
            (r#"{"do_rescale": false}"#, "supported are pixels from 0 to 1"),
            (r#"{"crop_size": {"height": 336, "width": 336}}"#, "the input's side is 336"),
        ] {
            let refused = of(&[("preprocessor_config.json", text)]).unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
    }
}
