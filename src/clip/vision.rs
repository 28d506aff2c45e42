//! `VisionEncoder`: CLIP's picture side, a vision transformer or a ResNet, behind one set of verbs.
//!
//! Both see a picture whole (`features`), or once for all proposals (`shared`) and then through each
//! proposal's mask (`masked_features`).

use super::resnet::ResNet;
use super::vision_transformer::VisionTransformer;
use candle_core::{Result, Tensor};

/// CLIP's picture side.
pub enum VisionEncoder {
    /// ViT: patch tokens.
    Transformer(VisionTransformer),
    /// ModifiedResNet: feature maps and an attention pool.
    ResNet(Box<ResNet>),
}

impl VisionEncoder {
    /// Side of the square input, pixels.
    pub fn image_size(&self) -> usize {
        match self {
            VisionEncoder::Transformer(encoder) => encoder.image_size(),
            VisionEncoder::ResNet(encoder) => encoder.image_size(),
        }
    }

    /// Cells along each side of the grid that masks are brought to: patches, or places of the last map.
    pub fn grid(&self) -> usize {
        match self {
            VisionEncoder::Transformer(encoder) => encoder.grid(),
            VisionEncoder::ResNet(encoder) => encoder.grid(),
        }
    }

    /// Features `[b, d]` of normalised pixels `[b, 3, s, s]`, not normalised.
    pub fn features(&self, pixels: &Tensor) -> Result<Tensor> {
        match self {
            VisionEncoder::Transformer(encoder) => encoder.features(pixels),
            VisionEncoder::ResNet(encoder) => encoder.pooled(&encoder.map(pixels)?),
        }
    }

    /// What all proposals of one picture (normalised pixels `[1, 3, s, s]`) share: the tokens
    /// `[1, 1 + g * g, w]` before the last `masked` blocks, or the last map `[1, w, g, g]` with channels of
    /// unit length at every place.
    pub fn shared(&self, masked: usize, pixels: &Tensor) -> Result<Tensor> {
        match self {
            VisionEncoder::Transformer(encoder) => encoder.tokens_before(masked, pixels),
            VisionEncoder::ResNet(encoder) => ResNet::unit_map(&encoder.map(pixels)?),
        }
    }

    /// Features `[n, d]`, not normalised, of what [`VisionEncoder::shared`] gave, seen through `n` masks
    /// `[n, g * g]` with values in 0..1 (section 3.2 of the paper). `masked` is the same number of blocks; a
    /// ResNet has no use for it.
    pub fn masked_features(&self, masked: usize, shared: &Tensor, masks: &Tensor) -> Result<Tensor> {
        match self {
            VisionEncoder::Transformer(encoder) => encoder.masked_features(masked, shared, masks),
            VisionEncoder::ResNet(encoder) => encoder.masked_features(shared, masks),
        }
    }
}
