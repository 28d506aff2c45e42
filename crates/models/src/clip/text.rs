//! `TextEncoder`: CLIP's text transformer, token ids to features.

use super::config::TextConfig;
use crate::fused::{borrowed, run, Attention, Batch, Readout};
use crate::transformer::{blocks, Block};
use candle_core::{DType, Module, Result, Tensor};
use candle_nn::{embedding, layer_norm, linear_no_bias, Embedding, LayerNorm, Linear, VarBuilder};

/// CLIP's text transformer.
pub struct TextEncoder {
    token_embedding: Embedding,
    position_embedding: Tensor,
    blocks: Vec<Block>,
    final_layer_norm: LayerNorm,
    projection: Linear,
    context: usize,
}

impl TextEncoder {
    pub(super) fn new(config: &TextConfig, projection: usize, dtype: DType, vb: VarBuilder) -> Result<Self> {
        let tower = vb.pp("text_model");
        let (sizes, context) = (&config.sizes, config.context);
        let w = sizes.width;
        let embeddings = tower.pp("embeddings");
        Ok(TextEncoder {
            token_embedding: embedding(config.vocabulary, w, embeddings.pp("token_embedding"))?,
            position_embedding: embeddings.get((context, w), "position_embedding.weight")?,
            blocks: blocks(sizes, dtype, &tower)?,
            final_layer_norm: layer_norm(w, sizes.epsilon, tower.pp("final_layer_norm"))?,
            projection: linear_no_bias(w, projection, vb.pp("text_projection"))?,
            context,
        })
    }

    /// Most tokens of one text, start and end included.
    pub fn context(&self) -> usize {
        self.context
    }

    /// Tokens in the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.token_embedding.embeddings().dims()[0]
    }

    /// Features `[b, d]`, not normalised, of token ids (u32 `[b, t]`, padded behind the end token with
    /// anything that is no larger). The feature is read at the end token, which has the largest id and
    /// sees only what stands before it, so the padding changes nothing.
    pub fn features(&self, ids: &Tensor) -> Result<Tensor> {
        let (b, t) = ids.dims2()?;
        let embedded = self.token_embedding.forward(ids)?;
        let mut x = embedded.broadcast_add(&self.position_embedding.narrow(0, 0, t)?)?;
        let ends: Vec<usize> = ids.to_vec2::<u32>()?.iter().map(|row| first_largest(row)).collect();
        if let Some(ends) = self.fused_ends(&x, &ends)? {
            return self.projection.forward(&self.final_layer_norm.forward(&ends)?);
        }
        let causal: Vec<f32> =
            (0..t * t).map(|cell| if cell % t > cell / t { f32::NEG_INFINITY } else { 0.0 }).collect();
        let causal = Tensor::from_vec(causal, (t, t), ids.device())?;
        for block in &self.blocks {
            x = block.forward(&x, Some(&causal))?;
        }
        let x = self.final_layer_norm.forward(&x)?;
        let ends: Vec<u32> = ends.iter().enumerate().map(|(row, end)| (row * t + end) as u32).collect();
        let ends = Tensor::from_vec(ends, b, ids.device())?;
        self.projection.forward(&x.flatten_to(1)?.index_select(&ends, 0)?)
    }

    /// The end tokens `[b, w]` of embedded texts `[b, t, w]` after all blocks, by the fused blocks: what stands behind them is
    /// left out. `None` on a device other than the CPU.
    fn fused_ends(&self, embedded: &Tensor, ends: &[usize]) -> Result<Option<Tensor>> {
        let blocks: Option<Vec<_>> = self.blocks.iter().map(Block::weights).collect();
        let (Some(values), Some(blocks)) = (borrowed(embedded), blocks) else { return Ok(None) };
        let (b, t, w) = embedded.dims3()?;
        let lengths: Vec<usize> = ends.iter().map(|end| end + 1).collect();
        let rows = lengths.iter().enumerate().flat_map(|(text, length)| &values[text * t * w..][..length * w]);
        let rows: Vec<f32> = rows.copied().collect();
        let batch = Batch { lengths: &lengths, kept: None, attention: Attention::Causal };
        Tensor::from_vec(run(&blocks, rows, &batch, Readout::One(ends)), (b, w), embedded.device()).map(Some)
    }
}

fn first_largest(row: &[u32]) -> usize {
    let largest = row.iter().max();
    row.iter().position(|id| Some(id) == largest).unwrap_or(0)
}
