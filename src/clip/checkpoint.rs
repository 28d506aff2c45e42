//! `Checkpoint`: a folder with a CLIP, its numbers checked before they are used.
//!
//! Two layouts are read: Hugging Face's (`hugging_face.rs`) and OpenCLIP's (`open_clip.rs`). Behind this file
//! there is one description and one set of names, Hugging Face's; a ResNet keeps OpenCLIP's, having no other.

use super::transformer::Activation;
use super::{hugging_face, open_clip};
use crate::error::{Error, Result};
use crate::weights::Weights;
use candle_core::{DType, Device};
use std::path::{Path, PathBuf};

/// What a configuration says of a whole CLIP.
#[derive(Debug)]
pub struct ClipConfig {
    pub projection: usize,
    pub text: TextConfig,
    pub vision: VisionConfig,
}

/// The text tower's sizes.
#[derive(Debug)]
pub struct TextConfig {
    pub sizes: TransformerSizes,
    pub context: usize,
    pub vocabulary: usize,
}

/// A tower of transformer blocks.
#[derive(Clone, Debug)]
pub struct TransformerSizes {
    pub width: usize,
    pub hidden: usize,
    pub heads: usize,
    pub blocks: usize,
    pub activation: Activation,
    pub epsilon: f64,
}

/// The vision tower's kind and sizes.
#[derive(Debug)]
pub enum VisionConfig {
    Transformer(TransformerConfig),
    ResNet(ResNetConfig),
}

/// A vision transformer's sizes.
#[derive(Debug)]
pub struct TransformerConfig {
    pub sizes: TransformerSizes,
    pub image_size: usize,
    pub patch_size: usize,
}

/// A ModifiedResNet's sizes.
#[derive(Debug)]
pub struct ResNetConfig {
    /// Blocks of each stage.
    pub layers: [usize; 4],
    /// Channels behind the stem.
    pub width: usize,
    /// Heads of the attention pool.
    pub heads: usize,
    pub image_size: usize,
}

impl ResNetConfig {
    /// Pixels for each place of the last map: every stage but the first halves, the stem quarters.
    pub const REDUCTION: usize = 32;
}

pub struct Checkpoint {
    pub config: ClipConfig,
    pub weights: Weights,
}

impl Checkpoint {
    pub fn open(folder: &Path, device: &Device) -> Result<Checkpoint> {
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
                (config_file, config, Weights::open(&weights_file, device)?.laid_out(open_clip::place))
            } else {
                let config = hugging_face::read(&hugging_face)?;
                (hugging_face, config, Weights::open(&weights(folder, hugging_face::WEIGHTS), device)?)
            };
        check(&config, &config_file)?;
        Ok(Checkpoint { config, weights })
    }

    pub fn logit_scale(&self, device: &Device) -> Result<f32> {
        let value = self.weights.build(device, |vb| vb.get_unchecked("logit_scale"))?;
        let value = value.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        match value[..] {
            [value] if value.is_finite() => Ok(value),
            _ => {
                let fact = format!("tensor \"logit_scale\" is {value:?}; expected one finite number");
                Err(Error::model(self.weights.path(), fact))
            }
        }
    }
}

/// The first of these files that is there; the first if none is. The hub's older repositories hold pickles alone.
fn weights(folder: &Path, names: [&str; 2]) -> PathBuf {
    let places = names.map(|name| folder.join(name));
    places.iter().find(|place| place.is_file()).unwrap_or(&places[0]).clone()
}

/// Numbers that no model can have, said before anything divides by them.
fn check(config: &ClipConfig, path: &Path) -> Result<()> {
    let mut towers = vec![("the text tower", &config.text.sizes)];
    match &config.vision {
        VisionConfig::Transformer(vision) => {
            towers.push(("the vision tower", &vision.sizes));
            if vision.patch_size == 0 || vision.image_size < vision.patch_size {
                let fact = format!(
                    "image size {} with patch size {}; expected at least one patch",
                    vision.image_size, vision.patch_size
                );
                return Err(Error::model(path, fact));
            }
        }
        VisionConfig::ResNet(vision) => {
            let (heads, width) = (vision.heads, vision.width * ResNetConfig::REDUCTION);
            let whole = heads > 0 && width > 0 && width % heads == 0 && vision.width % 2 == 0;
            if !whole || vision.image_size < ResNetConfig::REDUCTION || vision.image_size % ResNetConfig::REDUCTION != 0
            {
                let fact = format!(
                    "the vision tower has width {}, {heads} heads and image size {}; expected an even width, heads \
                     that divide {width}, and a multiple of {}",
                    vision.width,
                    vision.image_size,
                    ResNetConfig::REDUCTION
                );
                return Err(Error::model(path, fact));
            }
        }
    }
    for (tower, sizes) in towers {
        if sizes.heads == 0 || sizes.width == 0 || sizes.width % sizes.heads != 0 {
            let fact = format!("{tower}'s width {} is not a multiple of its {} heads", sizes.width, sizes.heads);
            return Err(Error::model(path, fact));
        }
    }
    if config.text.context < 3 {
        let fact = format!("the text tower has {} positions; expected at least three", config.text.context);
        return Err(Error::model(path, fact));
    }
    Ok(())
}
