//! `Checkpoint`: a folder with a CLIP, its numbers checked before they are used.
//!
//! Two layouts are read: Hugging Face's (`hugging_face.rs`) and OpenCLIP's (`open_clip.rs`). Behind this file
//! there is one description and one set of names, Hugging Face's; a ResNet keeps OpenCLIP's, having no other.

use super::config::{check, ClipConfig};
use super::{hugging_face, open_clip, preprocessing};
use crate::error::{Error, Result};
use crate::fingerprint::{of_optional_file, Fingerprint};
use crate::models::family::Preprocessing;
use crate::models::weights::{Weights, WeightsFile};
use candle_core::{DType, Device};
use std::path::{Path, PathBuf};

/// Raised when the towers compute something else from the same files.
const VERSION: u32 = 1;

/// What the files of a CLIP say beside its weights.
pub struct Checkpoint {
    pub config: ClipConfig,
    pub weights: WeightsFile,
    pub preprocessing: Preprocessing,
    /// The factor on cosine similarities.
    pub logit_scale: f32,
    /// Of the configuration and the tokenizer.
    digests: [String; 2],
}

impl Checkpoint {
    /// Opens the files of a folder; the weights are returned beside, for they are dropped when the towers are built.
    pub fn open(folder: &Path) -> Result<(Checkpoint, Weights)> {
        if !folder.is_dir() {
            return Err(Error::model(
                folder,
                "no such folder; expected one with config.json, model.safetensors and tokenizer.json",
            ));
        }
        // repositories of OpenCLIP models often hold a second, partial model under the other names
        let config_file = folder.join(open_clip::CONFIG);
        let weights_file = weights(folder, open_clip::WEIGHTS);
        let hugging_face = folder.join(hugging_face::CONFIG);
        let (config_file, config, weights) =
            if config_file.is_file() && (weights_file.is_file() || !hugging_face.is_file()) {
                let config = open_clip::read(&config_file)?;
                (config_file, config, Weights::open(&weights_file)?.with_layout(open_clip::source))
            } else {
                let config = hugging_face::read(&hugging_face)?;
                (hugging_face, config, Weights::open(&weights(folder, hugging_face::WEIGHTS))?)
            };
        check(&config, &config_file)?;
        let preprocessing = preprocessing::read(folder, &config_file, config.vision.image_size())?;
        let digests = [config_file, folder.join("tokenizer.json")].map(|file| of_optional_file(&file));
        let (file, logit_scale) = (weights.file().clone(), logit_scale(&weights)?.exp());
        Ok((Checkpoint { config, weights: file, preprocessing, logit_scale, digests }, weights))
    }

    /// What the features of towers of this type depend on.
    pub fn fingerprint(&self, dtype: DType) -> Fingerprint {
        let [config, tokens] = &self.digests;
        let preprocessing = format!("{:?}", self.preprocessing);
        Fingerprint::of("clip", VERSION, &[self.weights.digest.get(), config, tokens, &preprocessing, dtype.as_str()])
    }
}

fn logit_scale(weights: &Weights) -> Result<f32> {
    let value = weights.build(DType::F32, &Device::Cpu, |vb| vb.get_unchecked("logit_scale"))?;
    match value.flatten_all()?.to_vec1::<f32>()?[..] {
        [value] if value.is_finite() => Ok(value),
        ref value => {
            let fact = format!("tensor \"logit_scale\" is {value:?}; expected one finite number");
            Err(Error::model(weights.path(), fact))
        }
    }
}

/// The first of these files that is there; the first if none is. The hub's older repositories hold pickles alone.
fn weights(folder: &Path, names: [&str; 2]) -> PathBuf {
    let places = names.map(|name| folder.join(name));
    places.iter().find(|place| place.is_file()).unwrap_or(&places[0]).clone()
}
