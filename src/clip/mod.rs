//! `Clip`: the vision and text transformers that share one feature space.
//!
//! Tensors only: no frames, no commands. Weights are computed with in f32, whatever their type on disk.
//! Letters in shapes: `b` batch, `n` proposals, `t` tokens, `w` width, `d` feature, `s` image side,
//! `g` patches a side.

mod checkpoint;
pub mod pixels;
mod text;
mod tokenizer;
mod transformer;
mod vision;

pub use text::TextEncoder;
pub use tokenizer::Tokenizer;
pub use vision::VisionEncoder;

use crate::error::Result;
use candle_core::Device;
use std::path::Path;

/// A loaded CLIP.
pub struct Clip {
    /// Pictures to features.
    pub vision: VisionEncoder,
    /// Token ids to features.
    pub text: TextEncoder,
    /// The factor on cosine similarities, `exp(logit_scale)`.
    pub logit_scale: f32,
}

impl Clip {
    /// Loads a folder in Hugging Face layout: `config.json` and `model.safetensors`.
    ///
    /// # Errors
    /// When a file is absent, damaged, or describes a model of another kind.
    pub fn load(folder: &Path, device: &Device) -> Result<Clip> {
        let checkpoint = checkpoint::Checkpoint::open(folder, device)?;
        let config = &checkpoint.config;
        let projection = config.projection_dim;
        Ok(Clip {
            vision: checkpoint.build(|weights| VisionEncoder::new(&config.vision_config, projection, weights))?,
            text: checkpoint.build(|weights| TextEncoder::new(&config.text_config, projection, weights))?,
            logit_scale: checkpoint.logit_scale()?.exp(),
        })
    }
}
