//! `FusedDecoder`: SAM's mask decoder on the CPU, prompt by prompt on all threads.
//!
//! What prompts share is computed once for an image: the first layer's keys, values and queries of its places. Places attend to
//! the few tokens of a prompt, so their attention is a product with what each token and head would add. candle-transformers'
//! decoder, which is used on other devices, repeats the image for each prompt.

use crate::models::fused::{
    add_linear, affine, borrowed, gelu, layer_norm, linear, norm, product, product_of_columns, product_of_rows,
    softmax, softmax_of_columns, Affine, Borrowed, Norm, Onto, Rows,
};
use candle_core::{Error, Result, Tensor};
use candle_nn::{LayerNorm, Linear, VarBuilder};
use rayon::prelude::*;

/// Heads of all attention in the decoder.
const HEADS: usize = 8;
/// Width of the hidden layer of the transformer's perceptrons.
const HIDDEN: usize = 2048;
/// What is added to variances: the transformer's, and the upscaling's.
const EPSILON: f64 = 1e-5;
const UPSCALING_EPSILON: f64 = 1e-6;
/// Places whose pixels are made at a time, few enough for the cache.
const PLACES: usize = 128;

struct Attention {
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
}

struct Layer {
    own: Attention,
    norm1: LayerNorm,
    to_image: Attention,
    norm2: LayerNorm,
    lin1: Linear,
    lin2: Linear,
    norm3: LayerNorm,
    norm4: LayerNorm,
    to_tokens: Attention,
}

/// A perceptron with ReLU between its layers.
struct Perceptron(Vec<Linear>);

/// The decoder.
pub struct FusedDecoder {
    channels: usize,
    /// The quality's token, then one for each mask, `[1 + masks, c]`.
    tokens: Tensor,
    layers: Vec<Layer>,
    last: Attention,
    last_norm: LayerNorm,
    /// To four places of a quarter of the channels: `[4 * c / 4, c]`.
    upscaling1: Linear,
    upscaling_norm: LayerNorm,
    /// To four places of an eighth: `[4 * c / 8, c / 4]`.
    upscaling2: Linear,
    masks: Vec<Perceptron>,
    quality: Perceptron,
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

impl FusedDecoder {
    /// Loads the decoder at `vb` for embeddings of `channels`, with `masks` masks beside the first and a perceptron of
    /// `quality` = (layers, hidden width) for their quality.
    pub fn new(channels: usize, masks: usize, quality: (usize, usize), vb: &VarBuilder) -> Result<FusedDecoder> {
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
        Ok(FusedDecoder {
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

    /// Decodes `n` prompts (`sparse` `[n, tokens, c]`, `dense` `[1, c, g, g]`, the same for all) on an embedding `[1, c, g, g]`
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
        let (n, prompts, c) = sparse.dims3()?;
        let grid = embedding.dim(3)?;
        let rows = |x: &Tensor| x.flatten_from(2)?.squeeze(0)?.t()?.contiguous()?.flatten_all()?.to_vec1::<f32>();
        let keys = rows(&embedding.broadcast_add(dense)?)?;
        let weights = self.weights().ok_or_else(elsewhere)?;
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

struct AttentionWeights<'a> {
    q: Affine<'a>,
    k: Affine<'a>,
    v: Affine<'a>,
    out: Affine<'a>,
}

struct LayerWeights<'a> {
    own: AttentionWeights<'a>,
    norm1: Norm<'a>,
    to_image: AttentionWeights<'a>,
    norm2: Norm<'a>,
    lin1: Affine<'a>,
    lin2: Affine<'a>,
    norm3: Norm<'a>,
    norm4: Norm<'a>,
    to_tokens: AttentionWeights<'a>,
}

struct Weights<'a> {
    channels: usize,
    tokens: Borrowed<'a>,
    layers: Vec<LayerWeights<'a>>,
    last: AttentionWeights<'a>,
    last_norm: Norm<'a>,
    upscaling1: Affine<'a>,
    upscaling_norm: Norm<'a>,
    upscaling2: Affine<'a>,
    masks: Vec<Vec<Affine<'a>>>,
    quality: Vec<Affine<'a>>,
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

/// Keys, values and queries of an image's places in one layer, each `[places, c / 2]`.
#[derive(Clone, Default)]
struct Projected {
    keys: Vec<f32>,
    values: Vec<f32>,
    queries: Vec<f32>,
}

/// What all prompts of an image share.
struct Image {
    grid: usize,
    /// The embedding with the dense prompt, `[places, c]`.
    keys: Vec<f32>,
    /// What the first layer makes of it.
    first: Projected,
    /// For the layers behind and the last attention, what the places' encoding adds to keys and queries.
    encoded: Vec<Projected>,
}

fn through(layer: &Affine, x: &[f32], inputs: usize, threads: usize) -> Vec<f32> {
    let outputs = layer.outputs(inputs);
    let mut out = vec![0.0; x.len() / inputs * outputs];
    linear(layer, x, inputs, &mut out, outputs, threads);
    out
}

fn plus(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn normed(x: &[f32], norm: &Norm) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    layer_norm(x, &norm.gain, &norm.bias, norm.epsilon, &mut out);
    out
}

/// `x * weight^T` onto `onto`, without the layer's bias.
fn onto(layer: &Affine, x: &[f32], inputs: usize, mut onto: Vec<f32>) -> Vec<f32> {
    let outputs = layer.outputs(inputs);
    let sizes = (x.len() / inputs, outputs, inputs);
    let left = Rows { values: x, stride: inputs };
    product((&mut onto, outputs), left, Rows { values: &layer.weight, stride: inputs }, sizes, Onto::Sum, 1);
    onto
}

fn perceive(layers: &[Affine], x: &[f32]) -> Vec<f32> {
    let mut x = x.to_vec();
    for (index, layer) in layers.iter().enumerate() {
        x = through(layer, &x, x.len(), 1);
        if index + 1 < layers.len() {
            x.iter_mut().for_each(|value| *value = value.max(0.0));
        }
    }
    x
}

impl Image {
    fn new(weights: &Weights, keys: Vec<f32>, places: Vec<f32>, grid: usize) -> Image {
        let (c, threads) = (weights.channels, rayon::current_num_threads());
        let placed = plus(&keys, &places);
        let first = &weights.layers[0];
        let encode = |to_image: &AttentionWeights, to_tokens: Option<&AttentionWeights>| Projected {
            keys: through(&to_image.k, &places, c, threads),
            values: Vec::new(),
            queries: to_tokens.map(|to_tokens| through(&to_tokens.q, &places, c, threads)).unwrap_or_default(),
        };
        let mut encoded: Vec<Projected> =
            weights.layers[1..].iter().map(|layer| encode(&layer.to_image, Some(&layer.to_tokens))).collect();
        encoded.push(encode(&weights.last, None));
        Image {
            grid,
            first: Projected {
                keys: through(&first.to_image.k, &placed, c, threads),
                values: through(&first.to_image.v, &keys, c, threads),
                queries: through(&first.to_tokens.q, &placed, c, threads),
            },
            encoded,
            keys,
        }
    }
}

impl AttentionWeights<'_> {
    /// What tokens `queries` (`[t, c]`) find in keys and values that are already projected, `[m, inside]`: `[t, c]`.
    fn find(&self, queries: &[f32], keys: &[f32], values: &[f32], c: usize) -> Vec<f32> {
        let inside = self.q.outputs(c);
        let (depth, tokens, m) = (inside / HEADS, queries.len() / c, keys.len() / inside);
        let q = through(&self.q, queries, c, 1);
        let mut found = vec![0.0; tokens * inside];
        let mut logits = vec![0.0; tokens * m];
        for head in 0..HEADS {
            let at = |x: &'_ [f32]| head * depth..x.len();
            let rows = |x| Rows { values: x, stride: inside };
            let (q, k) = (rows(&q[at(&q)]), rows(&keys[at(keys)]));
            product((&mut logits, m), q, k, (tokens, m, depth), Onto::Nothing, 1);
            logits.chunks_exact_mut(m).for_each(|row| softmax(row, (depth as f32).powf(-0.5)));
            let weights = Rows { values: &logits, stride: m };
            let out = (&mut found[head * depth..], inside);
            product_of_rows(out, weights, rows(&values[at(values)]), (tokens, depth, m), Onto::Nothing, 1);
        }
        through(&self.out, &found, inside, 1)
    }

    /// Adds to places `x` (`[m, c]`), whose queries are `q` (`[m, inside]`), what they find in tokens: keys of `keyed` and
    /// values of `tokens`, `[t, c]` each.
    fn add_found(&self, q: &[f32], keyed: &[f32], tokens: &[f32], x: &mut [f32], c: usize) {
        let inside = self.q.outputs(c);
        let (depth, t, m) = (inside / HEADS, tokens.len() / c, q.len() / inside);
        let (keys, values) = (through(&self.k, keyed, c, 1), through(&self.v, tokens, c, 1));
        let mut weights = vec![0.0; HEADS * t * m];
        let mut adds = vec![0.0; HEADS * t * c];
        for head in 0..HEADS {
            let part = |x, stride| Rows { values: x, stride };
            let own = &mut weights[head * t * m..][..t * m];
            let (k, q) = (part(&keys[head * depth..], inside), part(&q[head * depth..], inside));
            product((own, m), k, q, (t, m, depth), Onto::Nothing, 1);
            softmax_of_columns(own, m, (depth as f32).powf(-0.5));
            let (v, out) = (part(&values[head * depth..], inside), part(&self.out.weight[head * depth..], inside));
            product((&mut adds[head * t * c..][..t * c], c), v, out, (t, c, depth), Onto::Nothing, 1);
        }
        if let Some(bias) = &self.out.bias {
            x.chunks_exact_mut(c).for_each(|row| row.iter_mut().zip(&bias[..]).for_each(|(x, bias)| *x += bias));
        }
        product_of_columns(
            (x, c),
            Rows { values: &weights, stride: m },
            Rows { values: &adds, stride: c },
            (m, c, HEADS * t),
        );
    }
}

impl Weights<'_> {
    /// Decodes one prompt: the logits of the wanted masks into `low`, `[masks, 4 g, 4 g]`; returns the quality of every mask.
    fn decode(&self, image: &Image, prompt: &[f32], wanted: std::ops::Range<usize>, low: &mut [f32]) -> Vec<f32> {
        let c = self.channels;
        let encoded = [&self.tokens[..], prompt].concat();
        let (mut tokens, mut keys) = (encoded.clone(), image.keys.clone());
        for (index, layer) in self.layers.iter().enumerate() {
            let placed = if index == 0 { tokens.clone() } else { plus(&tokens, &encoded) };
            let own_keys = through(&layer.own.k, &placed, c, 1);
            let own_values = through(&layer.own.v, &tokens, c, 1);
            let found = layer.own.find(&placed, &own_keys, &own_values, c);
            tokens = normed(&if index == 0 { found } else { plus(&tokens, &found) }, &layer.norm1);
            let projected = match index.checked_sub(1) {
                None => &image.first,
                Some(behind) => &image.encoded[behind].project(layer, &keys, c),
            };
            let found = layer.to_image.find(&plus(&tokens, &encoded), &projected.keys, &projected.values, c);
            tokens = normed(&plus(&tokens, &found), &layer.norm2);
            let mut hidden = through(&layer.lin1, &tokens, c, 1);
            hidden.iter_mut().for_each(|value| *value = value.max(0.0));
            let hidden_width = layer.lin1.outputs(c);
            add_linear(&layer.lin2, &hidden, hidden_width, &mut tokens, 1);
            tokens = normed(&tokens, &layer.norm3);
            let keyed = plus(&tokens, &encoded);
            layer.to_tokens.add_found(&projected.queries, &keyed, &tokens, &mut keys, c);
            keys = normed(&keys, &layer.norm4);
        }
        let behind = &image.encoded[image.encoded.len() - 1];
        let last_keys = onto(&self.last.k, &keys, c, behind.keys.clone());
        let last_values = through(&self.last.v, &keys, c, 1);
        let found = self.last.find(&plus(&tokens, &encoded), &last_keys, &last_values, c);
        tokens = normed(&plus(&tokens, &found), &self.last_norm);
        let own: Vec<f32> =
            wanted.clone().flat_map(|mask| perceive(&self.masks[mask], &tokens[(1 + mask) * c..][..c])).collect();
        self.paint(&keys, &own, wanted.len(), image.grid, low);
        perceive(&self.quality, &tokens[..c])
    }

    /// The logits of `count` masks, whose pixels are the products of `masks` `[count, c / 8]` with the upscaled places.
    fn paint(&self, keys: &[f32], masks: &[f32], count: usize, grid: usize, low: &mut [f32]) {
        let c = self.channels;
        let side = 4 * grid;
        for first in (0..grid * grid).step_by(PLACES) {
            let places = &keys[first * c..(first + PLACES).min(grid * grid) * c];
            // each place becomes 2x2, and each of these again, in this order
            let doubled = through(&self.upscaling1, places, c, 1);
            let mut doubled = normed(&doubled, &self.upscaling_norm);
            gelu(&mut doubled);
            let mut pixels = through(&self.upscaling2, &doubled, c / 4, 1);
            gelu(&mut pixels);
            let rows = pixels.len() / (c / 8);
            let mut logits = vec![0.0; rows * count];
            let (left, right) = (Rows { values: &pixels, stride: c / 8 }, Rows { values: masks, stride: c / 8 });
            product((&mut logits, count), left, right, (rows, count, c / 8), Onto::Nothing, 1);
            for (at, logits) in logits.chunks_exact(count).enumerate() {
                let (place, outer, inner) = (first + at / 16, at / 4 % 4, at % 4);
                let y = place / grid * 4 + outer / 2 * 2 + inner / 2;
                let x = place % grid * 4 + outer % 2 * 2 + inner % 2;
                for (mask, logit) in logits.iter().enumerate() {
                    low[(mask * side + y) * side + x] = *logit;
                }
            }
        }
    }
}

impl Projected {
    /// The keys, values and queries of places `x` in a layer, whose encoding added what is here.
    fn project(&self, layer: &LayerWeights, x: &[f32], c: usize) -> Projected {
        Projected {
            keys: onto(&layer.to_image.k, x, c, self.keys.clone()),
            values: through(&layer.to_image.v, x, c, 1),
            queries: onto(&layer.to_tokens.q, x, c, self.queries.clone()),
        }
    }
}
