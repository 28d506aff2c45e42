//! `AttentionPooling`: one learned query looks at all patches of an image and becomes its feature.
//!
//! The query is the same for every image, so its products with the key layer are made once, and values are made of what it
//! pooled rather than of every patch; both are exact up to rounding, for softmax does not see what is added to all logits,
//! and its weights sum to 1.

use crate::tensor_math::{apply, product};
use crate::transformer::{Perceptron, TransformerSizes};
use candle_core::{DType, Result, Tensor, D};
use candle_nn::{linear, ops, LayerNorm, Linear, Module, VarBuilder};

/// The pooling head of a vision tower.
pub struct AttentionPooling {
    /// The query of each head against tokens: `[heads, w]`.
    keys: Tensor,
    /// `[heads, w, depth]`.
    values: Tensor,
    /// `[w]`.
    value_bias: Tensor,
    out: Linear,
    norm: LayerNorm,
    perceptron: Perceptron,
}

impl AttentionPooling {
    /// Of the tensors at `head`, computed in f32.
    pub fn new(sizes: &TransformerSizes, vb: VarBuilder) -> Result<AttentionPooling> {
        let (w, heads) = (sizes.width, sizes.heads);
        let depth = w / heads;
        let attention = vb.pp("attention");
        let probe = vb.get((1, 1, w), "probe")?.reshape((1, w))?;
        let weights = attention.get((3 * w, w), "in_proj_weight")?;
        let bias = attention.get(3 * w, "in_proj_bias")?;
        let part = |index: usize| weights.narrow(0, index * w, w);
        let query = probe.matmul(&part(0)?.t()?)?.broadcast_add(&bias.narrow(0, 0, w)?)?;
        let query = (query * (depth as f64).powf(-0.5))?.reshape((heads, 1, depth))?;
        Ok(AttentionPooling {
            keys: query.matmul(&part(1)?.reshape((heads, depth, w))?)?.reshape((heads, w))?,
            values: part(2)?.reshape((heads, depth, w))?.transpose(1, 2)?.contiguous()?,
            value_bias: bias.narrow(0, 2 * w, w)?.contiguous()?,
            out: linear(w, w, attention.pp("out_proj"))?,
            norm: candle_nn::layer_norm(w, sizes.epsilon, vb.pp("layernorm"))?,
            perceptron: Perceptron::new(sizes, vb.pp("mlp"))?,
        })
    }

    /// Features `[n, w]`, not normalised, of tokens `[n, t, w]`; `bias` `[n, t]` is added to each head's logits.
    pub fn pool(&self, tokens: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let (n, t, w) = tokens.dims3()?;
        let heads = self.keys.dim(0)?;
        let logits = tokens.reshape((n * t, w))?.matmul(&self.keys.t()?)?.reshape((n, t, heads))?;
        let mut logits = logits.transpose(1, 2)?.contiguous()?; // [n, heads, t]
        if let Some(bias) = bias {
            logits = logits.broadcast_add(&bias.unsqueeze(1)?)?;
        }
        let pooled = product(&ops::softmax_last_dim(&logits)?, tokens)?; // [n, heads, w]
        let values = product(&pooled.transpose(0, 1)?.contiguous()?, &self.values)?; // [heads, n, depth]
        let values = values.transpose(0, 1)?.reshape((n, w))?.broadcast_add(&self.value_bias)?;
        let x = apply(&self.out, &values)?;
        &x + self.perceptron.forward(&self.norm.forward(&x)?)?
    }
}

/// What keeps a query off the patches outside masks `[n, t]`, 0..1: the logarithm of each value, as a patch that is half
/// inside weighs half. A mask that has no patch at all is open everywhere.
pub fn open_inside(masks: &Tensor) -> Result<Tensor> {
    let none = masks.max_keepdim(D::Minus1)?.le(0.0)?.to_dtype(DType::F32)?;
    masks.broadcast_add(&none)?.log()
}
