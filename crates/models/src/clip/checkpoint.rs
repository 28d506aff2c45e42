//! `Checkpoint`: a folder with a CLIP, its numbers checked before they are used.
//!
//! Two layouts are read: Hugging Face's (`hugging_face.rs`) and OpenCLIP's (`open_clip.rs`). Behind this file
//! there is one description and one set of names, Hugging Face's; a ResNet keeps OpenCLIP's, having no other.

use super::config::{check, ClipConfig, VisionConfig};
use super::{hugging_face, open_clip};
use crate::family::Preprocessing;
use crate::preprocessing::{self, OPENAI};
use crate::weights::{Weights, WeightsFile};
use crate::HUGGING_FACE_CONFIG;
use candle_core::DType;
use referseg_files::fingerprint::{of_optional_file, Fingerprint};
use referseg_files::{Error, Result};
use std::path::Path;

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
        let weights_file = open_clip::weights(folder);
        let hugging_face = folder.join(HUGGING_FACE_CONFIG);
        let (config_file, config, weights) =
            if config_file.is_file() && (weights_file.is_file() || !hugging_face.is_file()) {
                let (config, layout) = open_clip::read(&config_file)?;
                (config_file, config, Weights::open(&weights_file)?.with_layout(layout))
            } else {
                let config = hugging_face::read(&hugging_face)?;
                (hugging_face, config, Weights::open(&hugging_face::weights(folder))?)
            };
        check(&config, &config_file)?;
        check_depth(&config, &weights)?;
        let preprocessing = preprocessing::read(folder, &config_file, config.vision.image_size(), OPENAI)?;
        let digests = [config_file, folder.join("tokenizer.json")].map(|file| of_optional_file(&file));
        let (file, logit_scale) = (weights.file().clone(), weights.number("logit_scale")?.exp());
        Ok((Checkpoint { config, weights: file, preprocessing, logit_scale, digests }, weights))
    }

    /// What the features of towers of this type depend on.
    pub fn fingerprint(&self, dtype: DType) -> Fingerprint {
        let [config, tokens] = &self.digests;
        let preprocessing = format!("{:?}", self.preprocessing);
        Fingerprint::of("clip", VERSION, &[self.weights.digest.get(), config, tokens, &preprocessing, dtype.as_str()])
    }
}

/// Refuses weights with more blocks than the configuration names.
fn check_depth(config: &ClipConfig, weights: &Weights) -> Result<()> {
    weights.check_depth("text_model.encoder.layers", config.text.sizes.blocks)?;
    match &config.vision {
        VisionConfig::Transformer(vision) => weights.check_depth("vision_model.encoder.layers", vision.sizes.blocks),
        VisionConfig::ResNet(vision) => {
            let mut stages = vision.layers.iter().enumerate();
            let deeper =
                stages.find(|(stage, count)| weights.has(&format!("visual.layer{}.{count}.conv1.weight", stage + 1)));
            match deeper {
                Some((stage, count)) => {
                    let fact = format!("it has more than the {count} blocks of stage {} that its configuration names: these files belong to different models", stage + 1);
                    Err(Error::model(weights.path(), fact))
                }
                None => Ok(()),
            }
        }
    }
}
