//! `MaskDecoder`: SAM's mask decoder: on the CPU prompt by prompt on all threads, on other devices all prompts at once
//! (`plain_decoding.rs`).
//!
//! On the CPU what prompts share is computed once for an image: the first layer's keys, values and queries of its places. Places
//! attend to the few tokens of a prompt, so their attention is a product with what each token and head would add.

use super::prompt_decoding::{AttentionWeights, Image, LayerWeights, Weights};
use crate::fused::{affine, borrowed, norm, Affine};
use candle_core::{Error, Result, Tensor};
use candle_nn::{LayerNorm, Linear, VarBuilder};
use rayon::prelude::*;

/// Width of the hidden layer of the transformer's perceptrons.
const HIDDEN: usize = 2048;
/// What is added to variances: the transformer's, and the upscaling's.
const EPSILON: f64 = 1e-5;
const UPSCALING_EPSILON: f64 = 1e-6;

pub(super) struct Attention {
    pub(super) q: Linear,
    pub(super) k: Linear,
    pub(super) v: Linear,
    pub(super) out: Linear,
}

pub(super) struct Layer {
    pub(super) own: Attention,
    pub(super) norm1: LayerNorm,
    pub(super) to_image: Attention,
    pub(super) norm2: LayerNorm,
    pub(super) lin1: Linear,
    pub(super) lin2: Linear,
    pub(super) norm3: LayerNorm,
    pub(super) norm4: LayerNorm,
    pub(super) to_tokens: Attention,
}

/// A perceptron with ReLU between its layers.
pub(super) struct Perceptron(pub(super) Vec<Linear>);

/// The decoder.
pub struct MaskDecoder {
    channels: usize,
    /// The quality's token, then one for each mask, `[1 + masks, c]`.
    pub(super) tokens: Tensor,
    pub(super) layers: Vec<Layer>,
    pub(super) last: Attention,
    pub(super) last_norm: LayerNorm,
    /// To four places of a quarter of the channels: `[4 * c / 4, c]`.
    pub(super) upscaling1: Linear,
    pub(super) upscaling_norm: LayerNorm,
    /// To four places of an eighth: `[4 * c / 8, c / 4]`.
    pub(super) upscaling2: Linear,
    pub(super) masks: Vec<Perceptron>,
    pub(super) quality: Perceptron,
}

impl Attention {
    fn new(vb: &VarBuilder, width: usize, inside: usize) -> Result<Attention> {
        let layer = |name: &str| candle_nn::linear(width, inside, vb.pp(name));
        Ok(Attention {
            q: layer("q_proj")?,
            k: layer("k_proj")?,
            v: layer("v_proj")?,
            out: candle_nn::linear(inside, width, vb.pp("out_proj"))?,
        })
    }

    fn weights(&self) -> Option<AttentionWeights<'_>> {
        Some(AttentionWeights {
            q: affine(&self.q)?,
            k: affine(&self.k)?,
            v: affine(&self.v)?,
            out: affine(&self.out)?,
        })
    }
}

impl Perceptron {
    fn new(vb: &VarBuilder, inputs: usize, hidden: usize, outputs: usize, layers: usize) -> Result<Perceptron> {
        let layer = |index: usize| {
            let from = if index == 0 { inputs } else { hidden };
            let to = if index + 1 == layers { outputs } else { hidden };
            candle_nn::linear(from, to, vb.pp(format!("layers.{index}")))
        };
        (0..layers).map(layer).collect::<Result<Vec<_>>>().map(Perceptron)
    }

    fn weights(&self) -> Option<Vec<Affine<'_>>> {
        self.0.iter().map(affine).collect()
    }
}

/// A transposed convolution of 2x2 with stride 2 as a product: `[inputs, outputs, 2, 2]` to `[4 * outputs, inputs]`.
fn upscaling(vb: &VarBuilder, inputs: usize, outputs: usize) -> Result<Linear> {
    let weight = vb.get((inputs, outputs, 2, 2), "weight")?.permute((2, 3, 1, 0))?.reshape((4 * outputs, inputs))?;
    let bias = vb.get(outputs, "bias")?;
    Ok(Linear::new(weight.contiguous()?, Some(Tensor::cat(&[&bias, &bias, &bias, &bias], 0)?)))
}

impl MaskDecoder {
    /// Loads the decoder at `vb` for embeddings of `channels`, with `masks` masks beside the first and a perceptron of
    /// `quality` = (layers, hidden width) for their quality.
    pub fn new(channels: usize, masks: usize, quality: (usize, usize), vb: &VarBuilder) -> Result<MaskDecoder> {
        let c = channels;
        let normed = |vb: &VarBuilder, name: &str| candle_nn::layer_norm(c, EPSILON, vb.pp(name));
        let layer = |index: usize| {
            let vb = vb.pp(format!("transformer.layers.{index}"));
            Ok(Layer {
                own: Attention::new(&vb.pp("self_attn"), c, c)?,
                norm1: normed(&vb, "norm1")?,
                to_image: Attention::new(&vb.pp("cross_attn_token_to_image"), c, c / 2)?,
                norm2: normed(&vb, "norm2")?,
                lin1: candle_nn::linear(c, HIDDEN, vb.pp("mlp.lin1"))?,
                lin2: candle_nn::linear(HIDDEN, c, vb.pp("mlp.lin2"))?,
                norm3: normed(&vb, "norm3")?,
                norm4: normed(&vb, "norm4")?,
                to_tokens: Attention::new(&vb.pp("cross_attn_image_to_token"), c, c / 2)?,
            })
        };
        let own = [vb.get((1, c), "iou_token.weight")?, vb.get((masks + 1, c), "mask_tokens.weight")?];
        let mask = |index: usize| Perceptron::new(&vb.pp(format!("output_hypernetworks_mlps.{index}")), c, c, c / 8, 3);
        Ok(MaskDecoder {
            channels,
            tokens: Tensor::cat(&own, 0)?,
            layers: (0..2).map(layer).collect::<Result<Vec<_>>>()?,
            last: Attention::new(&vb.pp("transformer.final_attn_token_to_image"), c, c / 2)?,
            last_norm: normed(vb, "transformer.norm_final_attn")?,
            upscaling1: upscaling(&vb.pp("output_upscaling.0"), c, c / 4)?,
            upscaling_norm: candle_nn::layer_norm(c / 4, UPSCALING_EPSILON, vb.pp("output_upscaling.1"))?,
            upscaling2: upscaling(&vb.pp("output_upscaling.3"), c / 4, c / 8)?,
            masks: (0..=masks).map(mask).collect::<Result<Vec<_>>>()?,
            quality: Perceptron::new(&vb.pp("iou_prediction_head"), c, quality.1, masks + 1, quality.0)?,
        })
    }

    /// For the CPU; `None` on another device.
    fn weights(&self) -> Option<Weights<'_>> {
        Some(Weights {
            channels: self.channels,
            tokens: borrowed(&self.tokens)?,
            layers: self.layers.iter().map(Layer::weights).collect::<Option<Vec<_>>>()?,
            last: self.last.weights()?,
            last_norm: norm(&self.last_norm, EPSILON)?,
            upscaling1: affine(&self.upscaling1)?,
            upscaling_norm: norm(&self.upscaling_norm, UPSCALING_EPSILON)?,
            upscaling2: affine(&self.upscaling2)?,
            masks: self.masks.iter().map(Perceptron::weights).collect::<Option<Vec<_>>>()?,
            quality: self.quality.weights()?,
        })
    }

    /// On the CPU: decodes `n` prompts (`sparse` `[n, tokens, c]`, `dense` `[1, c, g, g]`, the same for all) on an embedding `[1, c, g, g]`
    /// whose places are encoded as `places` `[1, c, g, g]`: logits `[n, masks, 4 g, 4 g]` and qualities `[n, masks]`, of the
    /// masks beside the first with `multimask`, else of the first.
    pub fn forward(
        &self,
        embedding: &Tensor,
        places: &Tensor,
        sparse: &Tensor,
        dense: &Tensor,
        multimask: bool,
    ) -> Result<(Tensor, Tensor)> {
        let elsewhere = || Error::Msg("the fused decoder's tensors are not f32 on the CPU; this is a bug".into());
        let weights = self.weights().ok_or_else(elsewhere)?;
        let (n, prompts, c) = sparse.dims3()?;
        let grid = embedding.dim(3)?;
        let rows = |x: &Tensor| x.flatten_from(2)?.squeeze(0)?.t()?.contiguous()?.flatten_all()?.to_vec1::<f32>();
        let keys = rows(&embedding.broadcast_add(dense)?)?;
        let image = Image::new(&weights, keys, rows(places)?, grid);
        let sparse = sparse.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
        let wanted = if multimask { 1..self.masks.len() } else { 0..1 };
        let count = wanted.len();
        let pixels = 16 * grid * grid;
        let mut low = vec![0.0; n * count * pixels];
        let mut qualities = vec![0.0; n * count];
        let outputs = low.par_chunks_exact_mut(count * pixels).zip(qualities.par_chunks_exact_mut(count));
        outputs.zip(sparse.par_chunks_exact(prompts * c)).for_each(|((low, qualities), prompt)| {
            let found = weights.decode(&image, prompt, wanted.clone(), low);
            qualities.copy_from_slice(&found[wanted.clone()]);
        });
        let device = embedding.device();
        let low = Tensor::from_vec(low, (n, count, 4 * grid, 4 * grid), device)?;
        Ok((low, Tensor::from_vec(qualities, (n, count), device)?))
    }
}

impl Layer {
    fn weights(&self) -> Option<LayerWeights<'_>> {
        Some(LayerWeights {
            own: self.own.weights()?,
            norm1: norm(&self.norm1, EPSILON)?,
            to_image: self.to_image.weights()?,
            norm2: norm(&self.norm2, EPSILON)?,
            lin1: affine(&self.lin1)?,
            lin2: affine(&self.lin2)?,
            norm3: norm(&self.norm3, EPSILON)?,
            norm4: norm(&self.norm4, EPSILON)?,
            to_tokens: self.to_tokens.weights()?,
        })
    }
}
