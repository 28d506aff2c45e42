//! `TextTower`: SigLIP's text transformer, which reads all tokens of a padded text, padding included, and is read at the
//! last one.

use super::config::TextConfig;
use crate::fused::{borrowed, run, Attention, Batch, Readout};
use crate::transformer::{blocks, Block};
use candle_core::{DType, IndexOp, Module, Result, Tensor};
use candle_nn::{embedding, layer_norm, linear, Embedding, LayerNorm, Linear, VarBuilder};

/// SigLIP's text transformer.
pub struct TextTower {
    token_embedding: Embedding,
    position_embedding: Tensor,
    blocks: Vec<Block>,
    final_layer_norm: LayerNorm,
    head: Linear,
}

impl TextTower {
    /// Of the tensors at `text_model`; products of the blocks are computed in `dtype`.
    pub fn new(config: &TextConfig, dtype: DType, vb: VarBuilder) -> Result<TextTower> {
        let tower = vb.pp("text_model");
        let (sizes, embeddings) = (&config.sizes, tower.pp("embeddings"));
        Ok(TextTower {
            token_embedding: embedding(config.vocabulary, sizes.width, embeddings.pp("token_embedding"))?,
            position_embedding: embeddings.get((config.context, sizes.width), "position_embedding.weight")?,
            blocks: blocks(sizes, dtype, &tower)?,
            final_layer_norm: layer_norm(sizes.width, sizes.epsilon, tower.pp("final_layer_norm"))?,
            head: linear(sizes.width, config.projection, tower.pp("head"))?,
        })
    }

    /// Features `[b, d]`, not normalised, of token ids (u32 `[b, context]`).
    pub fn features(&self, ids: &Tensor) -> Result<Tensor> {
        let mut x = self.token_embedding.forward(ids)?.broadcast_add(&self.position_embedding)?;
        let last = match self.fused_last(&x)? {
            Some(last) => last,
            None => {
                for block in &self.blocks {
                    x = block.forward(&x, None)?;
                }
                x.i((.., x.dim(1)? - 1))?.contiguous()?
            }
        };
        self.head.forward(&self.final_layer_norm.forward(&last)?)
    }

    /// The last tokens `[b, w]` of embedded texts `[b, t, w]` after all blocks; `None` on a device other than the CPU.
    fn fused_last(&self, embedded: &Tensor) -> Result<Option<Tensor>> {
        let blocks: Option<Vec<_>> = self.blocks.iter().map(Block::weights).collect();
        let (Some(values), Some(blocks)) = (borrowed(embedded), blocks) else { return Ok(None) };
        let (b, t, w) = embedded.dims3()?;
        let batch = Batch { lengths: &vec![t; b], kept: None, attention: Attention::All };
        let last = run(&blocks, values.to_vec(), &batch, Readout::One(&vec![t - 1; b]));
        Tensor::from_vec(last, (b, w), embedded.device()).map(Some)
    }
}
