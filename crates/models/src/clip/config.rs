//! `ClipConfig`: what a configuration file says of a CLIP's towers, whatever its layout.

use crate::transformer::{check_sizes, MAX_SIZE};
pub use crate::transformer::{Activation, TransformerSizes};
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::path::Path;

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

/// The vision tower's kind and sizes.
#[derive(Debug)]
pub enum VisionConfig {
    Transformer(TransformerConfig),
    ResNet(ResNetConfig),
}

impl VisionConfig {
    /// Side of the square input, pixels.
    pub fn image_size(&self) -> usize {
        match self {
            VisionConfig::Transformer(config) => config.image_size,
            VisionConfig::ResNet(config) => config.image_size,
        }
    }
}

/// A vision transformer's sizes.
#[derive(Debug)]
pub struct TransformerConfig {
    pub sizes: TransformerSizes,
    pub image_size: usize,
    pub patch_size: usize,
    /// Convolutions before the patches, ours: each stage halves the picture. Published checkpoints have none.
    pub stem: Vec<StemStage>,
}

/// A stage of the convolutions before a vision transformer's patches.
#[derive(Clone, Debug, Deserialize)]
pub struct StemStage {
    /// Channels of its map.
    pub channels: usize,
    /// Residual pairs of convolutions behind the one that halves the picture.
    pub pairs: usize,
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

/// Numbers that no model can have, said before anything divides by them.
pub fn check(config: &ClipConfig, path: &Path) -> Result<()> {
    let side = match &config.vision {
        VisionConfig::Transformer(vision) => {
            let stem = vision.stem.iter().flat_map(|stage| [stage.channels, stage.pairs]).max().unwrap_or(0);
            // more halvings than a picture's side has bits leave nothing of it
            let halvings = if vision.stem.len() < 16 { 0 } else { usize::MAX };
            vision.image_size.max(vision.patch_size).max(stem).max(halvings)
        }
        VisionConfig::ResNet(vision) => {
            vision.image_size.max(vision.width).max(*vision.layers.iter().max().unwrap_or(&0))
        }
    };
    let largest = side.max(config.projection).max(config.text.context);
    if largest > MAX_SIZE || config.text.vocabulary > u32::MAX as usize {
        let fact =
            format!("a size of {largest}, a vocabulary of {}; expected at most {MAX_SIZE}", config.text.vocabulary);
        return Err(Error::model(path, fact));
    }
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
            let (heads, width) = (vision.heads, vision.width.saturating_mul(ResNetConfig::REDUCTION));
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
        check_sizes(tower, sizes, path)?;
    }
    if config.text.context < 3 {
        let fact = format!("the text tower has {} positions; expected at least three", config.text.context);
        return Err(Error::model(path, fact));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_overflow_are_refused() {
        let sizes = |width| TransformerSizes {
            width,
            hidden: 8,
            heads: 1,
            blocks: 1,
            activation: Activation::Gelu,
            epsilon: 1e-5,
        };
        let text = || TextConfig { sizes: sizes(8), context: 8, vocabulary: 8 };
        let resnet = |width| ResNetConfig { layers: [1; 4], width, heads: 1, image_size: 32 };
        for vision in [
            VisionConfig::ResNet(resnet(usize::MAX / 4)),
            VisionConfig::Transformer(TransformerConfig {
                sizes: sizes(usize::MAX),
                image_size: 32,
                patch_size: 8,
                stem: Vec::new(),
            }),
            VisionConfig::Transformer(TransformerConfig {
                sizes: sizes(8),
                image_size: usize::MAX,
                patch_size: 8,
                stem: Vec::new(),
            }),
        ] {
            let refused = check(&ClipConfig { projection: 8, text: text(), vision }, Path::new("config.json"));
            assert!(refused.unwrap_err().to_string().contains("expected at most"), "refused by its size");
        }
    }
}
