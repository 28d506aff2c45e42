//! `Clip`: a vision and a text tower that share one feature space, loaded from a folder.

use super::checkpoint::Checkpoint;
use super::config::{ClipConfig, VisionConfig};
use super::resnet::ResNet;
use super::text::TextEncoder;
use super::tokenizer::Tokenizer;
use super::towers::Towers;
use super::vision_transformer::VisionTransformer;
use crate::compute::Compute;
use crate::family::ModelFamily;
use candle_core::DType;
use referseg_files::Result;
use std::path::Path;
use std::sync::Arc;

/// A loaded CLIP, by the kind of its vision tower.
pub enum Clip {
    /// A ViT: patch tokens.
    Transformer(Towers<VisionTransformer>),
    /// A ModifiedResNet: feature maps and an attention pool.
    ResNet(Towers<Box<ResNet>>),
}

impl Clip {
    /// Loads a folder in Hugging Face layout (`config.json`, `model.safetensors`) or OpenCLIP layout
    /// (`open_clip_config.json`, `open_clip_model.safetensors`), both with `tokenizer.json`.
    ///
    /// # Errors
    /// When a file is absent, damaged, describes a model of another kind, or holds what `compute` can't.
    pub fn load(folder: &Path, compute: &Compute) -> Result<Clip> {
        let mut clip = Clip::load_towers(folder, compute)?;
        let text = clip.text();
        let tokenizer = Tokenizer::load(folder, text.vocabulary(), text.context())?;
        match &mut clip {
            Clip::Transformer(towers) => towers.set_tokenizer(tokenizer),
            Clip::ResNet(towers) => towers.set_tokenizer(tokenizer),
        }
        Ok(clip)
    }

    /// As [`Clip::load`], without the tokenizer: for token ids from elsewhere.
    ///
    /// # Errors
    /// As [`Clip::load`].
    pub fn load_towers(folder: &Path, compute: &Compute) -> Result<Clip> {
        let (checkpoint, weights) = Checkpoint::open(folder)?;
        let ClipConfig { projection, text, vision } = &checkpoint.config;
        let device = &compute.device;
        let dtype = match vision {
            VisionConfig::Transformer(_) => compute.dtype(&weights)?,
            // Grad-CAM's gradients and batch normalisation want the range
            VisionConfig::ResNet(_) => DType::F32,
        };
        let text = weights.build(DType::F32, device, |vb| TextEncoder::new(text, *projection, dtype, vb))?;
        match vision {
            VisionConfig::Transformer(config) => {
                let vision =
                    weights.build(DType::F32, device, |vb| VisionTransformer::new(config, *projection, dtype, vb))?;
                weights.check_all_used()?;
                Ok(Clip::Transformer(Towers::new(vision, text, checkpoint, device, dtype)))
            }
            VisionConfig::ResNet(config) => {
                let vision =
                    weights.build(DType::F32, device, |vb| Ok(Box::new(ResNet::new(config, *projection, vb)?)))?;
                weights.check_all_used()?;
                Ok(Clip::ResNet(Towers::new(vision, text, checkpoint, device, dtype)))
            }
        }
    }

    /// The text tower.
    pub fn text(&self) -> &TextEncoder {
        match self {
            Clip::Transformer(towers) => &towers.text,
            Clip::ResNet(towers) => &towers.text,
        }
    }

    /// The model as the method sees it.
    pub fn family(&self) -> &dyn ModelFamily {
        match self {
            Clip::Transformer(towers) => towers,
            Clip::ResNet(towers) => towers,
        }
    }

    /// The model as the method keeps it.
    pub fn into_family(self) -> Arc<dyn ModelFamily> {
        match self {
            Clip::Transformer(towers) => Arc::new(towers),
            Clip::ResNet(towers) => Arc::new(towers),
        }
    }
}
