//! The vision transformer on the CPU: the same features by the fused blocks, without what does not matter.
//!
//! Tokens that a mask multiplies by 0 are all alike, so one stands for all of them; and of the last block only the class
//! token's row is computed, which is all that is read. `None` from these functions means another device than the CPU.

use super::vision_transformer::VisionTransformer;
use crate::fused::{borrowed, run, Attention, Batch, Readout};
use candle_core::{Result, Tensor};

impl VisionTransformer {
    /// Tokens `[b * t, w]` before the first block.
    fn fused_embed(&self, pixels: &Tensor) -> Result<Option<Vec<f32>>> {
        let pixels = pixels.contiguous()?;
        let (Some(values), Some(weights), side) = (borrowed(&pixels), self.embedding(), pixels.dim(3)?) else {
            return Ok(None);
        };
        let Some(stem) = self.stem() else {
            return Ok(Some(weights.embed(&values, side, self.grid(), self.patch_size())));
        };
        let Some(map) = stem.fused(&values, side) else { return Ok(None) };
        Ok(Some(weights.embed(&map, side / stem.reduction(), self.grid(), self.patch_on_map())))
    }

    pub(super) fn fused_features(&self, pixels: &Tensor) -> Result<Option<Tensor>> {
        let (Some(tokens), Some(blocks)) = (self.fused_embed(pixels)?, self.weights(0..self.depth())) else {
            return Ok(None);
        };
        let images = pixels.dim(0)?;
        let lengths = vec![1 + self.grid() * self.grid(); images];
        let batch = Batch { lengths: &lengths, kept: None, attention: Attention::All };
        let class = run(&blocks, tokens, &batch, Readout::One(&vec![0; images]));
        let width = class.len() / images.max(1);
        self.project(&Tensor::from_vec(class, (images, width), pixels.device())?).map(Some)
    }

    pub(super) fn fused_tokens_before(&self, masked: usize, pixels: &Tensor) -> Result<Option<Tensor>> {
        let range = 0..self.depth().saturating_sub(masked);
        let (Some(tokens), Some(blocks)) = (self.fused_embed(pixels)?, self.weights(range)) else { return Ok(None) };
        let (images, length) = (pixels.dim(0)?, 1 + self.grid() * self.grid());
        let lengths = vec![length; images];
        let batch = Batch { lengths: &lengths, kept: None, attention: Attention::All };
        let tokens = run(&blocks, tokens, &batch, Readout::All);
        Tensor::from_vec(tokens, (images, length, ()), pixels.device()).map(Some)
    }

    pub(super) fn fused_masked_features(
        &self,
        masked: usize,
        tokens: &Tensor,
        masks: &Tensor,
    ) -> Result<Option<Tensor>> {
        let range = self.depth().saturating_sub(masked)..self.depth();
        let tokens = tokens.contiguous()?;
        let (Some(values), Some(blocks)) = (borrowed(&tokens), self.weights(range)) else { return Ok(None) };
        let (_, length, width) = tokens.dims3()?;
        let token = |index: usize| &values[index * width..][..width];
        let (mut x, mut factors, mut lengths, mut absent) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for mask in masks.to_vec2::<f32>()? {
            let before = factors.len();
            x.extend_from_slice(token(0));
            factors.push(1.0);
            for (patch, factor) in mask.iter().enumerate().filter(|(_, factor)| **factor != 0.0) {
                x.extend_from_slice(token(patch + 1));
                factors.push(*factor);
            }
            lengths.push(factors.len() - before);
            absent.push(length - lengths[lengths.len() - 1]);
        }
        let kept = Some((&factors[..], &absent[..]));
        let batch = Batch { lengths: &lengths, kept, attention: Attention::All };
        let class = run(&blocks, x, &batch, Readout::One(&vec![0; lengths.len()]));
        self.project(&Tensor::from_vec(class, (lengths.len(), width), tokens.device())?).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::config::{Activation, StemStage, TransformerConfig, TransformerSizes};
    use candle_core::{DType, Device};
    use candle_nn::{VarBuilder, VarMap};

    fn error(found: &Tensor, expected: &Tensor) -> f32 {
        let gap = (found - expected).unwrap().sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        (gap / expected.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()).sqrt()
    }

    /// Masks of four kinds: soft, 0 or 1, all of one, nothing.
    fn masks(patches: usize) -> Tensor {
        let value = |mask: usize, patch: usize| match mask {
            0 => patch as f32 / patches as f32,
            1 => f32::from(u8::from(patch.is_multiple_of(3))),
            2 => 1.0,
            _ => 0.0,
        };
        let values: Vec<f32> = (0..4 * patches).map(|at| value(at / patches, at % patches)).collect();
        Tensor::from_vec(values, (4, patches), &Device::Cpu).unwrap()
    }

    #[test]
    fn the_fused_transformer_gives_what_the_plain_one_gives() {
        for activation in [Activation::QuickGelu, Activation::Gelu] {
            let sizes = TransformerSizes { width: 48, hidden: 100, blocks: 4, heads: 3, activation, epsilon: 1e-5 };
            let stem = match activation {
                Activation::QuickGelu => vec![StemStage { channels: 5, pairs: 0 }, StemStage { channels: 8, pairs: 2 }],
                _ => Vec::new(),
            };
            // what a stem halves must be whole
            let side = if stem.is_empty() { 70 } else { 72 };
            let config = TransformerConfig { sizes, image_size: side, patch_size: 16, stem };
            let variables = VarMap::new();
            let vb = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
            let vit = VisionTransformer::new(&config, 20, DType::F32, vb).unwrap();
            let pixels = Tensor::randn(0f32, 1.0, (5, 3, side, side), &Device::Cpu).unwrap();
            let found = vit.fused_features(&pixels).unwrap().expect("the CPU");
            assert!(error(&found, &vit.plain_features(&pixels).unwrap()) < 1e-5);
            let one = pixels.narrow(0, 0, 1).unwrap();
            let tokens = vit.plain_tokens_before(3, &one).unwrap();
            assert!(error(&vit.fused_tokens_before(3, &one).unwrap().expect("the CPU"), &tokens) < 1e-5);
            let masks = masks(16);
            let found = vit.fused_masked_features(3, &tokens, &masks).unwrap().expect("the CPU");
            assert!(error(&found, &vit.plain_masked_features(3, &tokens, &masks).unwrap()) < 1e-5);
        }
    }
}
