//! `MaskDecoder`: SAM's mask decoder: on the CPU prompt by prompt on all threads, on other devices all prompts at once
//! (`plain_decoding.rs`).
//!
//! SAM 2's is the same but for a token that says how surely there is an object, finer maps of the encoder that are added where places become
//! pixels, and a single mask that gives way to one of the others where it is not stable.
//!
//! On the CPU what prompts share is computed once for an image: the first layer's keys, values and queries of its places. Places
//! attend to the few tokens of a prompt, so their attention is a product with what each token and head would add.

use super::prompt_decoding::{AttentionWeights, Image, LayerWeights, Weights};
use crate::fused::{affine, borrowed, norm, Affine};
use candle_core::{Error, Result, Tensor};
use candle_nn::{LayerNorm, Linear, Module, VarBuilder};
use rayon::prelude::*;

/// What is added to variances: the transformer's, and the upscaling's.
const EPSILON: f64 = 1e-5;
const UPSCALING_EPSILON: f64 = 1e-6;
/// Layers of the perceptrons that predict masks and, in SAM 2, the object.
const LAYERS: usize = 3;
/// A single mask of SAM 2 counts while so much of it lies above this logit as lies above its negative (`dynamic_multimask_*`).
const STABILITY_OFFSET: f32 = 0.05;
const STABLE: f32 = 0.98;

/// The sizes of a decoder.
#[derive(Clone, Copy, Debug)]
pub struct DecoderSizes {
    /// Channels of the embedding.
    pub channels: usize,
    /// Masks beside the single one.
    pub masks: usize,
    /// Heads of all attention.
    pub heads: usize,
    /// Width of the hidden layer of the transformer's perceptrons.
    pub hidden: usize,
    /// Layers and hidden width of the perceptron that predicts the masks' qualities.
    pub quality: (usize, usize),
    /// Whether it is SAM 2's.
    pub is_second: bool,
}

/// An embedding as the decoder reads it.
#[derive(Clone)]
pub struct Features {
    /// `[1, c, g, g]`.
    pub coarse: Tensor,
    /// SAM 2's finer maps, in the order in which places become pixels: `[4 * g * g, c / 4]` and `[16 * g * g, c / 8]`.
    pub fine: Option<[Tensor; 2]>,
}

/// What the decoder finds for `n` prompts.
pub struct Found {
    /// Logits in low pixels, `[n, masks, 4 g, 4 g]`.
    pub low: Tensor,
    /// Qualities of the masks, `[n, masks]`.
    pub quality: Tensor,
    /// SAM 2's logits of there being an object, `[n]`.
    pub object: Option<Tensor>,
}

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
    pub(super) sizes: DecoderSizes,
    /// SAM 2's object's, the quality's token, then one for each mask, `[1 or 2 + masks, c]`.
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
    /// SAM 2's: how surely there is an object.
    pub(super) object: Option<Perceptron>,
    /// SAM 2's: of the encoder's finer maps, to a quarter and an eighth of the channels.
    finer: Option<[Linear; 2]>,
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
    /// Loads the decoder at `vb`.
    pub fn new(sizes: DecoderSizes, vb: &VarBuilder) -> Result<MaskDecoder> {
        let DecoderSizes { channels: c, masks, hidden, quality, .. } = sizes;
        let normed = |vb: &VarBuilder, name: &str| candle_nn::layer_norm(c, EPSILON, vb.pp(name));
        let layer = |index: usize| {
            let vb = vb.pp(format!("transformer.layers.{index}"));
            Ok(Layer {
                own: Attention::new(&vb.pp("self_attn"), c, c)?,
                norm1: normed(&vb, "norm1")?,
                to_image: Attention::new(&vb.pp("cross_attn_token_to_image"), c, c / 2)?,
                norm2: normed(&vb, "norm2")?,
                lin1: candle_nn::linear(c, hidden, vb.pp("mlp.lin1"))?,
                lin2: candle_nn::linear(hidden, c, vb.pp("mlp.lin2"))?,
                norm3: normed(&vb, "norm3")?,
                norm4: normed(&vb, "norm4")?,
                to_tokens: Attention::new(&vb.pp("cross_attn_image_to_token"), c, c / 2)?,
            })
        };
        let mut own = vec![vb.get((1, c), "iou_token.weight")?, vb.get((masks + 1, c), "mask_tokens.weight")?];
        let mask =
            |index: usize| Perceptron::new(&vb.pp(format!("output_hypernetworks_mlps.{index}")), c, c, c / 8, LAYERS);
        let (mut object, mut finer) = (None, None);
        if sizes.is_second {
            own.insert(0, vb.get((1, c), "obj_score_token.weight")?);
            object = Some(Perceptron::new(&vb.pp("pred_obj_score_head"), c, c, 1, LAYERS)?);
            let narrowed = |name: &str, to: usize| {
                let weight = vb.get((to, c, 1, 1), &format!("{name}.weight"))?.flatten_from(1)?;
                Ok::<_, Error>(Linear::new(weight, Some(vb.get(to, &format!("{name}.bias"))?)))
            };
            finer = Some([narrowed("conv_s1", c / 4)?, narrowed("conv_s0", c / 8)?]);
        }
        Ok(MaskDecoder {
            sizes,
            tokens: Tensor::cat(&own, 0)?,
            layers: (0..2).map(layer).collect::<Result<Vec<_>>>()?,
            last: Attention::new(&vb.pp("transformer.final_attn_token_to_image"), c, c / 2)?,
            last_norm: normed(vb, "transformer.norm_final_attn")?,
            upscaling1: upscaling(&vb.pp("output_upscaling.0"), c, c / 4)?,
            upscaling_norm: candle_nn::layer_norm(c / 4, UPSCALING_EPSILON, vb.pp("output_upscaling.1"))?,
            upscaling2: upscaling(&vb.pp("output_upscaling.3"), c / 4, c / 8)?,
            masks: (0..=masks).map(mask).collect::<Result<Vec<_>>>()?,
            quality: Perceptron::new(&vb.pp("iou_prediction_head"), c, quality.1, masks + 1, quality.0)?,
            object,
            finer,
        })
    }

    /// For the CPU; `None` on another device.
    fn weights(&self) -> Option<Weights<'_>> {
        Some(Weights {
            channels: self.sizes.channels,
            heads: self.sizes.heads,
            tokens: borrowed(&self.tokens)?,
            layers: self.layers.iter().map(Layer::weights).collect::<Option<Vec<_>>>()?,
            last: self.last.weights()?,
            last_norm: norm(&self.last_norm, EPSILON)?,
            upscaling1: affine(&self.upscaling1)?,
            upscaling_norm: norm(&self.upscaling_norm, UPSCALING_EPSILON)?,
            upscaling2: affine(&self.upscaling2)?,
            masks: self.masks.iter().map(Perceptron::weights).collect::<Option<Vec<_>>>()?,
            quality: self.quality.weights()?,
            object: match &self.object {
                Some(object) => Some(object.weights()?),
                None => None,
            },
        })
    }

    /// SAM 2's embedding of the encoder's maps `[h * w, c]`, the finest first, of which the last has `no_memory` `[1, 1, c]` added.
    pub fn features(&self, maps: &[Tensor; 3], no_memory: &Tensor) -> Result<Features> {
        let [finest, finer, coarse] = maps;
        let grid = coarse.dim(0)?.isqrt();
        let c = self.sizes.channels;
        let coarse = coarse.broadcast_add(&no_memory.reshape((1, c))?)?;
        let coarse = coarse.t()?.contiguous()?.reshape((1, c, grid, grid))?;
        let Some([to_quarter, to_eighth]) = &self.finer else { return Ok(Features { coarse, fine: None }) };
        let quarter = to_quarter.forward(finer)?;
        // rows of places, each with its 2x2, and each of these again
        let quarter = quarter.reshape(&[grid, 2, grid, 2, c / 4][..])?.permute(vec![0, 2, 1, 3, 4])?.contiguous()?;
        let eighth = to_eighth.forward(finest)?;
        let eighth = eighth.reshape(&[grid, 2, 2, grid, 2, 2, c / 8][..])?.permute(vec![0, 3, 1, 4, 2, 5, 6])?;
        let fine =
            [quarter.reshape((4 * grid * grid, c / 4))?, eighth.contiguous()?.reshape((16 * grid * grid, c / 8))?];
        Ok(Features { coarse, fine: Some(fine) })
    }

    /// Which masks are decoded, and whether of these one is chosen.
    pub(super) fn wanted(&self, multimask: bool) -> (std::ops::Range<usize>, bool) {
        match (multimask, self.sizes.is_second) {
            (true, _) => (1..self.masks.len(), false),
            (false, false) => (0..1, false),
            (false, true) => (0..self.masks.len(), true),
        }
    }

    /// On the CPU: decodes `n` prompts (`sparse` `[n, tokens, c]`, `dense` `[1, c, g, g]`, the same for all) on an embedding whose places
    /// are encoded as `places` `[1, c, g, g]`: the masks beside the first with `multimask`, else one.
    pub fn forward(
        &self,
        embedding: &Features,
        places: &Tensor,
        sparse: &Tensor,
        dense: &Tensor,
        multimask: bool,
    ) -> Result<Found> {
        let elsewhere = || Error::Msg("the fused decoder's tensors are not f32 on the CPU; this is a bug".into());
        let weights = self.weights().ok_or_else(elsewhere)?;
        let (n, prompts, c) = sparse.dims3()?;
        let grid = embedding.coarse.dim(3)?;
        let rows = |x: &Tensor| x.flatten_from(2)?.squeeze(0)?.t()?.contiguous()?.flatten_all()?.to_vec1::<f32>();
        let keys = rows(&embedding.coarse.broadcast_add(dense)?)?;
        let fine = match &embedding.fine {
            Some([quarter, eighth]) => {
                let found = |map| borrowed(map).ok_or_else(elsewhere);
                Some([found(quarter)?, found(eighth)?])
            }
            None => None,
        };
        let image = Image::new(&weights, (keys, rows(places)?), fine, grid);
        let sparse_device = sparse.device();
        let sparse = sparse.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
        let (wanted, is_chosen) = self.wanted(multimask);
        let count = if is_chosen { 1 } else { wanted.len() };
        let pixels = 16 * grid * grid;
        let mut low = vec![0.0; n * count * pixels];
        let (mut qualities, mut objects) = (vec![0.0; n * count], vec![0.0; n]);
        let outputs = low.par_chunks_exact_mut(count * pixels).zip(qualities.par_chunks_exact_mut(count));
        let outputs = outputs.zip(objects.par_iter_mut()).zip(sparse.par_chunks_exact(prompts * c));
        outputs.for_each(|(((low, qualities), object), prompt)| {
            if is_chosen {
                let mut all = vec![0.0; wanted.len() * pixels];
                let (found, own) = weights.decode(&image, prompt, wanted.clone(), &mut all);
                let chosen = chosen(&all[..pixels], &found);
                low.copy_from_slice(&all[chosen * pixels..][..pixels]);
                (qualities[0], *object) = (found[chosen], own);
            } else {
                let (found, own) = weights.decode(&image, prompt, wanted.clone(), low);
                qualities.copy_from_slice(&found[wanted.clone()]);
                *object = own;
            }
        });
        let device = sparse_device;
        let low = Tensor::from_vec(low, (n, count, 4 * grid, 4 * grid), device)?;
        let quality = Tensor::from_vec(qualities, (n, count), device)?;
        let object = self.object.as_ref().map(|_| Tensor::from_vec(objects, n, device)).transpose()?;
        Ok(Found { low, quality, object })
    }
}

/// Of SAM 2's masks for one that is wanted: the single one while it is stable, else the best of the others.
pub(super) fn chosen(single: &[f32], qualities: &[f32]) -> usize {
    let above = |limit: f32| single.iter().filter(|logit| **logit > limit).count() as f32;
    let (inner, outer) = (above(STABILITY_OFFSET), above(-STABILITY_OFFSET));
    if outer == 0.0 || inner / outer >= STABLE {
        return 0;
    }
    // the first of equals, as torch's argmax
    (1..qualities.len()).rev().max_by(|a, b| qualities[*a].total_cmp(&qualities[*b])).unwrap_or(0)
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
