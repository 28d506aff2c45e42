//! `VisionTransformer`: CLIP's ViT, whole or with its patch tokens masked.

use super::config::TransformerConfig;
use super::stem::Stem;
use crate::fused::{borrowed, norm, BlockWeights, EmbeddingWeights};
use crate::transformer::{blocks, Block};
use candle_core::{DType, IndexOp, Module, Result, Tensor};
use candle_nn::{layer_norm, linear_no_bias, LayerNorm, Linear, VarBuilder};

/// What a region token's attention to a patch outside its mask loses, as a logit (AdaptingCLIP's -100).
const OUTSIDE: f64 = 100.0;

/// CLIP's vision transformer.
pub struct VisionTransformer {
    class_embedding: Tensor,
    stem: Option<Stem>,
    /// Patch filters, flattened: `[w, c * p * p]` of patches of the picture, or of the stem's map.
    patch_embedding: Tensor,
    position_embedding: Tensor,
    pre_layer_norm: LayerNorm,
    blocks: Vec<Block>,
    post_layer_norm: LayerNorm,
    epsilon: f64,
    projection: Linear,
    image_size: usize,
    patch_size: usize,
}

impl VisionTransformer {
    pub(super) fn new(config: &TransformerConfig, projection: usize, dtype: DType, vb: VarBuilder) -> Result<Self> {
        let tower = vb.pp("vision_model");
        let (sizes, p) = (&config.sizes, config.patch_size);
        let (w, g) = (sizes.width, config.image_size / p);
        let embeddings = tower.pp("embeddings");
        let stem = match &config.stem[..] {
            [] => None,
            stages => Some(Stem::new(stages, embeddings.pp("stem"))?),
        };
        let (channels, reduction) = stem.as_ref().map_or((3, 1), |stem| (stem.channels(), stem.reduction()));
        if !p.is_multiple_of(reduction) {
            let stages = config.stem.len();
            candle_core::bail!("a patch of {p} pixels behind {stages} halvings; expected a multiple of {reduction}");
        }
        let filters = embeddings.get((w, channels, p / reduction, p / reduction), "patch_embedding.weight")?;
        Ok(VisionTransformer {
            class_embedding: embeddings.get(w, "class_embedding")?,
            stem,
            patch_embedding: filters.flatten_from(1)?,
            position_embedding: embeddings.get((g * g + 1, w), "position_embedding.weight")?,
            // the misspelling is the checkpoint's
            pre_layer_norm: layer_norm(w, sizes.epsilon, tower.pp("pre_layrnorm"))?,
            blocks: blocks(sizes, dtype, &tower)?,
            post_layer_norm: layer_norm(w, sizes.epsilon, tower.pp("post_layernorm"))?,
            epsilon: sizes.epsilon,
            projection: linear_no_bias(w, projection, vb.pp("visual_projection"))?,
            image_size: config.image_size,
            patch_size: p,
        })
    }

    /// Side of the square input, pixels.
    pub fn image_size(&self) -> usize {
        self.image_size
    }

    /// Patches along each side.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Transformer blocks.
    pub fn depth(&self) -> usize {
        self.blocks.len()
    }

    /// Side of a square patch, pixels.
    pub(super) fn patch_size(&self) -> usize {
        self.patch_size
    }

    /// The convolutions before the patches.
    pub(super) fn stem(&self) -> Option<&Stem> {
        self.stem.as_ref()
    }

    /// Side of a square patch, places of the stem's map, or pixels where there is none.
    pub(super) fn patch_on_map(&self) -> usize {
        self.patch_size / self.stem.as_ref().map_or(1, Stem::reduction)
    }

    /// `[1 + g * g, w]`.
    pub(super) fn position_embedding(&self) -> &Tensor {
        &self.position_embedding
    }

    /// The last `count` blocks, or all.
    pub(super) fn last_blocks(&self, count: usize) -> &[Block] {
        &self.blocks[self.depth().saturating_sub(count)..]
    }

    /// Normalised pixels `[b, 3, s, s]` to tokens `[b, 1 + g * g, w]` before the first block.
    pub(super) fn embed(&self, pixels: &Tensor) -> Result<Tensor> {
        self.embed_with(pixels, self.grid(), &self.position_embedding)
    }

    /// As [`VisionTransformer::embed`] on `grid` patches a side, with positions `[1 + grid * grid, w]`.
    pub(super) fn embed_with(&self, pixels: &Tensor, grid: usize, positions: &Tensor) -> Result<Tensor> {
        let map = self.stem.as_ref().map(|stem| stem.forward(pixels)).transpose()?;
        let pixels = map.as_ref().unwrap_or(pixels);
        let (b, c, _, _) = pixels.dims4()?;
        let (g, p) = (grid, self.patch_on_map());
        let (side, w) = (g * p, self.class_embedding.dim(0)?);
        // a patch convolution is one matrix product over flattened patches
        let patches = pixels
            .narrow(2, 0, side)?
            .narrow(3, 0, side)?
            .reshape((b, c, g, p, g, p))?
            .permute((0, 2, 4, 1, 3, 5))? // [b, g, g, c, p, p]
            .reshape((b * g * g, c * p * p))?;
        let patches = patches.matmul(&self.patch_embedding.t()?)?.reshape((b, g * g, w))?;
        let class = self.class_embedding.broadcast_as((b, 1, w))?;
        let tokens = Tensor::cat(&[&class, &patches], 1)?.broadcast_add(positions)?;
        self.pre_layer_norm.forward(&tokens)
    }

    /// The class token of `[b, t, w]`, projected: `[b, d]`, not normalised.
    pub(super) fn read_out(&self, tokens: &Tensor) -> Result<Tensor> {
        self.project(&tokens.i((.., 0))?.contiguous()?)
    }

    /// Tokens `[.., w]`, projected: `[.., d]`, not normalised.
    pub(super) fn project(&self, tokens: &Tensor) -> Result<Tensor> {
        self.projection.forward(&self.post_layer_norm.forward(tokens)?)
    }

    /// What the fused path needs of the blocks in a range; `None` on a device other than the CPU.
    pub(super) fn weights(&self, range: std::ops::Range<usize>) -> Option<Vec<BlockWeights<'_>>> {
        self.blocks[range].iter().map(Block::weights).collect()
    }

    /// What the fused path needs before the first block.
    pub(super) fn embedding(&self) -> Option<EmbeddingWeights<'_>> {
        Some(EmbeddingWeights {
            class: borrowed(&self.class_embedding)?,
            patches: borrowed(&self.patch_embedding)?,
            positions: borrowed(&self.position_embedding)?,
            norm: norm(&self.pre_layer_norm, self.epsilon)?,
        })
    }

    /// Features `[b, d]` of normalised pixels `[b, 3, s, s]`, not normalised.
    pub fn features(&self, pixels: &Tensor) -> Result<Tensor> {
        match self.fused_features(pixels)? {
            Some(features) => Ok(features),
            None => self.plain_features(pixels),
        }
    }

    pub(super) fn plain_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.read_out(&self.run(self.embed(pixels)?, 0..self.depth())?)
    }

    /// Tokens `[b, 1 + g * g, w]` of normalised pixels after all but the last `masked` blocks.
    pub fn tokens_before(&self, masked: usize, pixels: &Tensor) -> Result<Tensor> {
        match self.fused_tokens_before(masked, pixels)? {
            Some(tokens) => Ok(tokens),
            None => self.plain_tokens_before(masked, pixels),
        }
    }

    pub(super) fn plain_tokens_before(&self, masked: usize, pixels: &Tensor) -> Result<Tensor> {
        self.run(self.embed(pixels)?, 0..self.depth().saturating_sub(masked))
    }

    /// Features `[n, d]` of one image's tokens `[1, 1 + g * g, w]` seen through `n` patch masks
    /// `[n, g * g]` with values in 0..1: the patch tokens are multiplied by the mask before each of the
    /// last `masked` blocks; the class token and the attention stay as they are (section 3.2 of the paper;
    /// the multiplication is repeated before each block as in the authors' code).
    pub fn masked_features(&self, masked: usize, tokens: &Tensor, masks: &Tensor) -> Result<Tensor> {
        match self.fused_masked_features(masked, tokens, masks)? {
            Some(features) => Ok(features),
            None => self.plain_masked_features(masked, tokens, masks),
        }
    }

    pub(super) fn plain_masked_features(&self, masked: usize, tokens: &Tensor, masks: &Tensor) -> Result<Tensor> {
        let (n, _) = masks.dims2()?;
        let (_, t, w) = tokens.dims3()?;
        let class = Tensor::ones((n, 1), masks.dtype(), masks.device())?;
        let keep = Tensor::cat(&[&class, masks], 1)?.unsqueeze(2)?; // [n, t, 1]
        let mut x = tokens.broadcast_as((n, t, w))?.contiguous()?;
        for block in self.last_blocks(masked) {
            x = block.forward(&x.broadcast_mul(&keep)?, None)?;
        }
        self.read_out(&x)
    }

    /// Features `[n, d]`, not normalised, of `n` regions of one image (normalised pixels `[1, 3, s, s]`), each
    /// read by a class token of its own that sees itself and the patches where `inside` (`[n, g * g]`, 0 or 1)
    /// is 1; the patches run as ever (AdaptingCLIP, Li et al. 2022; the mask from the first block on).
    pub fn region_tokens(&self, pixels: &Tensor, inside: &Tensor) -> Result<Tensor> {
        let outside = ((inside - 1.0)? * OUTSIDE)?;
        let mut x = self.embed(pixels)?;
        let (_, t, w) = x.dims3()?;
        let mut regions = x.i((0, 0..1))?.broadcast_as((inside.dim(0)?, w))?.contiguous()?;
        for block in &self.blocks {
            let patches = x.i((0, 1..t))?.contiguous()?;
            regions = block.forward_regions(&regions, &patches, &outside)?;
            x = block.forward(&x, None)?;
        }
        self.project(&regions)
    }

    pub(super) fn run(&self, mut x: Tensor, range: std::ops::Range<usize>) -> Result<Tensor> {
        for block in &self.blocks[range] {
            x = block.forward(&x, None)?;
        }
        Ok(x)
    }
}
