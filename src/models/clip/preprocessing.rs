//! A checkpoint's own preprocessing: mean, standard deviation and interpolation, from `preprocessor_config.json`
//! (Hugging Face) or `preprocess_cfg` (OpenCLIP). OpenAI CLIP's where a checkpoint says nothing.

use crate::error::{Error, Result};
use crate::image::resample::Filter;
use crate::models::family::Preprocessing;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// OpenAI CLIP's mean and standard deviation (github.com/openai/CLIP, clip.py `_transform`).
const MEAN: [f32; 3] = [0.48145466, 0.4578275, 0.40821073];
#[allow(clippy::excessive_precision)] // as published
const STD: [f32; 3] = [0.26862954, 0.26130258, 0.27577711];

const HUGGING_FACE: &str = "preprocessor_config.json";

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
}

/// The preprocessing of the checkpoint in `folder`, whose configuration is `config_file`.
///
/// # Errors
/// When it is stated and can't be used.
pub fn read(folder: &Path, config_file: &Path, image_size: usize) -> Result<Preprocessing> {
    let beside = folder.join(HUGGING_FACE);
    let file = if beside.is_file() { beside.as_path() } else { config_file };
    let refused = |fact: String| Error::model(file, fact);
    let text = std::fs::read_to_string(file).map_err(Error::file(file))?;
    let whole: Value = serde_json::from_str(&text).map_err(|cause| refused(cause.to_string()))?;
    let stated = if file == config_file { whole.get("preprocess_cfg").cloned() } else { Some(whole) };
    let stated: Stated = match stated.filter(|stated| !stated.is_null()) {
        Some(stated) => serde_json::from_value(stated).map_err(|cause| refused(format!("preprocessing: {cause}")))?,
        None => Stated::default(),
    };
    let numbers = |name: &str, value: Option<Value>, default: [f32; 3], low: f32| match value {
        None | Some(Value::Null) => Ok(default),
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
    let (mean, std) = (numbers("mean", stated.mean, MEAN, 0.0)?, numbers("std", stated.std, STD, 0.001)?);
    Ok(Preprocessing { image_size, mean, std, filter })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Result<Preprocessing> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("config.json", "{}")].iter().chain(files) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        read(folder.path(), &folder.path().join("config.json"), 224)
    }

    #[test]
    fn what_the_checkpoint_states_is_used_in_either_layout() {
        let silent = of(&[]).unwrap();
        assert_eq!((silent.mean, silent.std, silent.filter), (MEAN, STD, Filter::Bicubic));
        let half = [0.5; 3];
        let stated = r#"{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2}"#;
        let stated = of(&[("preprocessor_config.json", stated)]).unwrap();
        assert_eq!((stated.mean, stated.std, stated.filter), (half, half, Filter::Bilinear));
        let open = r#"{"preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "interpolation": "bilinear"}}"#;
        let open = of(&[("config.json", open)]).unwrap();
        assert_eq!((open.mean, open.std, open.filter), (half, STD, Filter::Bilinear));
    }

    #[test]
    fn what_can_not_be_used_is_refused() {
        for (text, words) in [
            (r#"{"image_mean": [0.5, 0.5]}"#, "expected three numbers"),
            (r#"{"image_std": [0.0, 0.5, 0.5]}"#, "expected three numbers"),
            (r#"{"resample": 0}"#, "resample 0"),
        ] {
            let refused = of(&[("preprocessor_config.json", text)]).unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
    }
}
