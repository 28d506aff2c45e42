//! `VisionTower`: SigLIP's vision transformer, whole or with its patches masked.
//!
//! There is no class token: a learned query pools the patches of the last block. Seen through a mask, the patches are
//! multiplied by it before each of the last blocks, as the paper does with CLIP's (section 3.2), and the query sees what
//! is inside alone; CLIP's class token, which carries a view of the whole image into those blocks, has no counterpart.

use super::config::VisionConfig;
use super::pooling::{open_inside, AttentionPooling};
use crate::fused::{borrowed, run, Attention, Batch, BlockWeights, Readout};
use crate::transformer::{blocks, Block};
use candle_core::{DType, Module, Result, Tensor};
use candle_nn::{layer_norm, LayerNorm, VarBuilder};

/// SigLIP's vision transformer.
pub struct VisionTower {
    /// Patch filters, flattened: `[w, 3 * p * p]`.
    patch_embedding: Tensor,
    /// The filters' bias and the positions: `[g * g, w]`.
    position_embedding: Tensor,
    blocks: Vec<Block>,
    post_layer_norm: LayerNorm,
    pooling: AttentionPooling,
    image_size: usize,
    patch_size: usize,
}

impl VisionTower {
    /// Of the tensors at `vision_model`; products of the blocks are computed in `dtype`.
    pub fn new(config: &VisionConfig, dtype: DType, vb: VarBuilder) -> Result<VisionTower> {
        let tower = vb.pp("vision_model");
        let (sizes, p) = (&config.sizes, config.patch_size);
        let (w, g) = (sizes.width, config.image_size / p);
        let embeddings = tower.pp("embeddings");
        let bias = embeddings.get(w, "patch_embedding.bias")?;
        let positions = embeddings.get((g * g, w), "position_embedding.weight")?;
        Ok(VisionTower {
            patch_embedding: embeddings.get((w, 3, p, p), "patch_embedding.weight")?.flatten_from(1)?,
            position_embedding: positions.broadcast_add(&bias)?,
            blocks: blocks(sizes, dtype, &tower)?,
            post_layer_norm: layer_norm(w, sizes.epsilon, tower.pp("post_layernorm"))?,
            pooling: AttentionPooling::new(sizes, tower.pp("head"))?,
            image_size: config.image_size,
            patch_size: p,
        })
    }

    /// Patches along each side.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Normalised pixels `[b, 3, s, s]` to tokens `[b, g * g, w]` before the first block.
    fn embed(&self, pixels: &Tensor) -> Result<Tensor> {
        let (b, _, _, _) = pixels.dims4()?;
        let (g, p) = (self.grid(), self.patch_size);
        // a patch convolution is one matrix product over flattened patches; what is left at the edges is not seen
        let patches = pixels
            .narrow(2, 0, g * p)?
            .narrow(3, 0, g * p)?
            .reshape((b, 3, g, p, g, p))?
            .permute((0, 2, 4, 1, 3, 5))? // [b, g, g, 3, p, p]
            .reshape((b * g * g, 3 * p * p))?;
        let patches = patches.matmul(&self.patch_embedding.t()?)?.reshape((b, g * g, ()))?;
        patches.broadcast_add(&self.position_embedding)
    }

    /// Features `[b, w]`, not normalised, of normalised pixels `[b, 3, s, s]`.
    pub fn features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.read_out(&self.tokens_before(0, pixels)?, None)
    }

    /// Tokens `[b, g * g, w]` of normalised pixels after all but the last `masked` blocks.
    pub fn tokens_before(&self, masked: usize, pixels: &Tensor) -> Result<Tensor> {
        let blocks = &self.blocks[..self.blocks.len().saturating_sub(masked)];
        let tokens = self.embed(pixels)?;
        match fused_blocks(blocks, &tokens)? {
            Some(tokens) => Ok(tokens),
            None => plain_blocks(blocks, tokens),
        }
    }

    /// Features `[n, w]`, not normalised, of one image's tokens `[1, g * g, w]` seen through `n` masks `[n, g * g]` with
    /// values in 0..1 in the last `masked` blocks and the pooling.
    pub fn masked_features(&self, masked: usize, tokens: &Tensor, masks: &Tensor) -> Result<Tensor> {
        let blocks = &self.blocks[self.blocks.len().saturating_sub(masked)..];
        let seen = match fused_masked_blocks(blocks, tokens, masks)? {
            Some(seen) => seen,
            None => plain_masked_blocks(blocks, tokens, masks)?,
        };
        self.read_out(&seen, Some(&open_inside(masks)?))
    }

    fn read_out(&self, tokens: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        self.pooling.pool(&self.post_layer_norm.forward(tokens)?, bias)
    }
}

fn plain_blocks(blocks: &[Block], mut x: Tensor) -> Result<Tensor> {
    for block in blocks {
        x = block.forward(&x, None)?;
    }
    Ok(x)
}

fn plain_masked_blocks(blocks: &[Block], tokens: &Tensor, masks: &Tensor) -> Result<Tensor> {
    let (n, t) = masks.dims2()?;
    let keep = masks.unsqueeze(2)?; // [n, t, 1]
    let mut x = tokens.broadcast_as((n, t, tokens.dim(2)?))?.contiguous()?;
    for block in blocks {
        x = block.forward(&x.broadcast_mul(&keep)?, None)?;
    }
    Ok(x)
}

fn weights(blocks: &[Block]) -> Option<Vec<BlockWeights<'_>>> {
    blocks.iter().map(Block::weights).collect()
}

/// As [`plain_blocks`], by the fused blocks; `None` on a device other than the CPU.
fn fused_blocks(blocks: &[Block], tokens: &Tensor) -> Result<Option<Tensor>> {
    let tokens = tokens.contiguous()?;
    let (Some(values), Some(blocks)) = (borrowed(&tokens), weights(blocks)) else { return Ok(None) };
    let (images, length, width) = tokens.dims3()?;
    let lengths = vec![length; images];
    let batch = Batch { lengths: &lengths, kept: None, attention: Attention::All };
    let done = run(&blocks, values.to_vec(), &batch, Readout::All);
    Tensor::from_vec(done, (images, length, width), tokens.device()).map(Some)
}

/// As [`plain_masked_blocks`], by the fused blocks: patches that a mask multiplies by 0 are all alike, so one stands for all
/// of them, and their rows, which the pooling does not see, stay 0. `None` on a device other than the CPU.
fn fused_masked_blocks(blocks: &[Block], tokens: &Tensor, masks: &Tensor) -> Result<Option<Tensor>> {
    let tokens = tokens.contiguous()?;
    let (Some(values), Some(blocks)) = (borrowed(&tokens), weights(blocks)) else { return Ok(None) };
    let (_, length, width) = tokens.dims3()?;
    let masks = masks.to_vec2::<f32>()?;
    if masks.iter().any(|mask| mask.iter().all(|factor| *factor == 0.0)) {
        return Ok(None); // the pooling sees the patches of such a mask all the same
    }
    let (mut x, mut factors, mut places, mut lengths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (image, mask) in masks.iter().enumerate() {
        let before = factors.len();
        for (patch, factor) in mask.iter().enumerate().filter(|(_, factor)| **factor != 0.0) {
            x.extend_from_slice(&values[patch * width..][..width]);
            factors.push(*factor);
            places.push(image * length + patch);
        }
        lengths.push(factors.len() - before);
    }
    let absent: Vec<usize> = lengths.iter().map(|kept| length - kept).collect();
    let batch = Batch { lengths: &lengths, kept: Some((&factors, &absent)), attention: Attention::All };
    let done = run(&blocks, x, &batch, Readout::All);
    let mut whole = vec![0.0; masks.len() * length * width];
    for (row, place) in done.chunks_exact(width).zip(places) {
        whole[place * width..][..width].copy_from_slice(row);
    }
    Tensor::from_vec(whole, (masks.len(), length, width), tokens.device()).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transformer::{Activation, TransformerSizes};
    use candle_core::Device;
    use candle_nn::VarMap;

    fn error(found: &Tensor, expected: &Tensor) -> f32 {
        let length = |x: &Tensor| x.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
        length(&(found - expected).unwrap()) / length(expected)
    }

    #[test]
    fn the_fused_blocks_give_what_the_plain_ones_give_whole_and_masked() {
        let activation = Activation::GeluTanh;
        let sizes = TransformerSizes { width: 48, hidden: 100, blocks: 3, heads: 3, activation, epsilon: 1e-6 };
        let config = VisionConfig { sizes, image_size: 70, patch_size: 16 };
        let variables = VarMap::new();
        let vb = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        let tower = VisionTower::new(&config, DType::F32, vb).unwrap();
        let pixels = Tensor::randn(0f32, 1.0, (2, 3, 70, 70), &Device::Cpu).unwrap();
        let embedded = tower.embed(&pixels).unwrap();
        let fused = fused_blocks(&tower.blocks, &embedded).unwrap().expect("the CPU");
        assert!(error(&fused, &plain_blocks(&tower.blocks, embedded.clone()).unwrap()) < 1e-5);
        let one = embedded.narrow(0, 0, 1).unwrap();
        let values: Vec<f32> = (0..3 * 16).map(|i| [0.0, 1.0, (i % 16) as f32 / 16.0][i / 16]).collect();
        let masks = Tensor::from_vec(values, (3, 16), &Device::Cpu).unwrap();
        let found = tower.masked_features(2, &one, &masks).unwrap();
        assert!(found.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().all(|value| value.is_finite()));
        let masks = masks.narrow(0, 1, 2).unwrap();
        let found = tower.masked_features(2, &one, &masks).unwrap();
        let plain = plain_masked_blocks(&tower.blocks[1..], &one, &masks).unwrap();
        let plain = tower.read_out(&plain, Some(&open_inside(&masks).unwrap())).unwrap();
        assert!(error(&found, &plain) < 1e-5);
        // all patches inside: nothing is masked
        let whole = tower.masked_features(2, &plain_blocks(&tower.blocks[..1], one).unwrap(), &masks).unwrap();
        let all = tower.features(&pixels.narrow(0, 0, 1).unwrap()).unwrap();
        assert!(error(&whole.narrow(0, 0, 1).unwrap(), &all) < 1e-5);
    }
}
