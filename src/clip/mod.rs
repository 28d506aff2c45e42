//! `Clip`: the vision and text towers that share one feature space.
//!
//! Tensors only: no frames, no commands. Weights are computed with in f32, whatever their type on disk.
//! Letters in shapes: `b` batch, `n` proposals, `t` tokens, `w` width, `d` feature, `s` image side,
//! `g` patches a side.

mod checkpoint;
mod hugging_face;
mod open_clip;
pub mod pixels;
mod resnet;
mod text;
mod tokenizer;
mod transformer;
mod vision;
mod vision_transformer;

pub use resnet::ResNet;
pub use text::TextEncoder;
pub use tokenizer::Tokenizer;
pub use vision::VisionEncoder;
pub use vision_transformer::VisionTransformer;

use crate::error::Result;
use candle_core::Device;
use checkpoint::{Checkpoint, ClipConfig, VisionConfig};
use std::path::{Path, PathBuf};

/// A loaded CLIP.
pub struct Clip {
    /// Pictures to features.
    pub vision: VisionEncoder,
    /// Token ids to features.
    pub text: TextEncoder,
    /// The factor on cosine similarities, `exp(logit_scale)`.
    pub logit_scale: f32,
    /// The file that the weights came from.
    pub weights_file: PathBuf,
}

impl Clip {
    /// Loads a folder in Hugging Face layout (`config.json`, `model.safetensors`) or OpenCLIP layout
    /// (`open_clip_config.json`, `open_clip_model.safetensors`).
    ///
    /// # Errors
    /// When a file is absent, damaged, or describes a model of another kind.
    pub fn load(folder: &Path, device: &Device) -> Result<Clip> {
        let checkpoint = Checkpoint::open(folder, device)?;
        let ClipConfig { projection, text, vision } = &checkpoint.config;
        let vision = checkpoint.weights.build(device, |weights| match vision {
            VisionConfig::Transformer(config) => {
                Ok(VisionEncoder::Transformer(VisionTransformer::new(config, *projection, weights)?))
            }
            VisionConfig::ResNet(config) => {
                Ok(VisionEncoder::ResNet(Box::new(ResNet::new(config, *projection, weights)?)))
            }
        })?;
        let text = checkpoint.weights.build(device, |weights| TextEncoder::new(text, *projection, weights))?;
        let logit_scale = checkpoint.logit_scale(device)?.exp();
        Ok(Clip { vision, text, logit_scale, weights_file: checkpoint.weights.path().into() })
    }
}
