//! `TinyViT`: MobileSAM's image encoder (TinyViT-5M) on the CPU, fused: places row by row, batch norms folded into the
//! convolutions before them, expanded channels made and used a few image rows at a time.
//!
//! candle-transformers' encoder, which is used on other devices, keeps planes and makes every step whole.

use super::convolutions::{convolution, convolved, Filters, Inverted, Layer, STRIPE};
use crate::fused::{
    add_linear, affine, borrowed, gelu, linear, norm, product, product_of_rows, softmax_with, Borrowed, Norm, Onto,
    Rows,
};
use candle_core::{Error, Result, Tensor};
use candle_nn::{LayerNorm, Linear, VarBuilder};
use rayon::prelude::*;

/// Widths, depths, heads and window sides of the four stages, as MobileSAM has them.
const WIDTHS: [usize; 4] = [64, 128, 160, 320];
const DEPTHS: [usize; 4] = [2, 2, 6, 2];
const HEADS: [usize; 4] = [2, 4, 5, 10];
const WINDOWS: [usize; 4] = [7, 7, 14, 7];
/// Channels of the embedding.
const CHANNELS: usize = 256;
/// How much wider the expanded channels and the MLP are.
const EXPANSION: usize = 4;
/// What is added to variances: norms, and those of the neck.
const EPSILON: f64 = 1e-5;
const NECK_EPSILON: f64 = 1e-6;
/// Rows of places that one thread takes through elementwise work at a time.
const RUN: usize = 256;

struct Block {
    norm: LayerNorm,
    qkv: Linear,
    proj: Linear,
    /// What is added to the logits of each head, `[heads, n, n]` for windows of `n` places.
    biases: Tensor,
    heads: usize,
    window: usize,
    local: Filters,
    mlp_norm: LayerNorm,
    fc1: Linear,
    fc2: Linear,
}

/// The encoder.
pub struct TinyVit {
    first: Linear,
    second: Linear,
    inverted: Vec<Inverted>,
    stages: Vec<(Vec<Block>, Option<Inverted>)>,
    neck1: Linear,
    neck_norm1: LayerNorm,
    neck2: Linear,
    neck_norm2: LayerNorm,
}

impl Block {
    fn new(vb: &VarBuilder, width: usize, heads: usize, window: usize) -> Result<Block> {
        let attention = vb.pp("attn");
        let biases = attention.get((heads, window * window), "attention_biases")?;
        Ok(Block {
            norm: candle_nn::layer_norm(width, EPSILON, attention.pp("norm"))?,
            qkv: candle_nn::linear(width, 3 * width, attention.pp("qkv"))?,
            proj: candle_nn::linear(width, width, attention.pp("proj"))?,
            biases: by_distance(&biases, heads, window)?,
            heads,
            window,
            local: Filters::new(&vb.pp("local_conv"), width)?,
            mlp_norm: candle_nn::layer_norm(width, EPSILON, vb.pp("mlp.norm"))?,
            fc1: candle_nn::linear(width, EXPANSION * width, vb.pp("mlp.fc1"))?,
            fc2: candle_nn::linear(EXPANSION * width, width, vb.pp("mlp.fc2"))?,
        })
    }

    /// Places `x` `[side * side, w]` through the block.
    fn forward(&self, x: &mut Vec<f32>, side: usize) -> Option<()> {
        let (norm1, qkv, proj) = (norm(&self.norm, EPSILON)?, affine(&self.qkv)?, affine(&self.proj)?);
        let biases = borrowed(&self.biases)?;
        let width = norm1.gain.len();
        let threads = rayon::current_num_threads();
        let mut projected = vec![0.0; 3 * x.len()];
        linear(&qkv, &normed(x, &norm1), width, &mut projected, 3 * width, threads);
        // the image is padded with zeros before the norm, so that padding is the norm's bias
        let padding = Layer::of(&qkv, width).through(&norm1.bias, width);
        let attended = self.attend(&projected, &padding, &biases, side, width);
        add_linear(&proj, &attended, width, x, threads);
        let mut filtered = vec![0.0; x.len()];
        let places = &*x;
        filtered.par_chunks_mut(STRIPE * side * width).enumerate().for_each(|(stripe, out)| {
            let rows = stripe * STRIPE..stripe * STRIPE + out.len() / (side * width);
            out.copy_from_slice(&self.local.apply(places, 0, (side, side), rows, 1));
        });
        *x = filtered;
        let (mlp_norm, fc1, fc2) = (norm(&self.mlp_norm, EPSILON)?, affine(&self.fc1)?, affine(&self.fc2)?);
        let mut hidden = vec![0.0; EXPANSION * x.len()];
        linear(&fc1, &normed(x, &mlp_norm), width, &mut hidden, EXPANSION * width, threads);
        hidden.par_chunks_mut(RUN * EXPANSION * width).for_each(gelu);
        add_linear(&fc2, &hidden, EXPANSION * width, x, threads);
        Some(())
    }

    fn attend(&self, qkv: &[f32], padding: &[f32], biases: &Borrowed, side: usize, width: usize) -> Vec<f32> {
        let (window, depth) = (self.window, width / self.heads);
        let (n, across, scale) = (window * window, side.div_ceil(window), (depth as f32).powf(-0.5));
        let biases = &biases[..];
        let place = |at: usize, cell: usize| {
            let (y, x) = (at / across * window + cell / window, at % across * window + cell % window);
            (y < side && x < side).then_some(y * side + x)
        };
        let one = |at: usize| {
            let mut rows = Vec::with_capacity(n * 3 * width);
            for cell in 0..n {
                match place(at, cell) {
                    Some(place) => rows.extend_from_slice(&qkv[place * 3 * width..][..3 * width]),
                    None => rows.extend_from_slice(padding),
                }
            }
            let mut logits = vec![0.0; n * n];
            let mut out = vec![0.0; n * width];
            for head in 0..self.heads {
                // queries, keys and values of a head stand together
                let part = |which: usize| Rows { values: &rows[(3 * head + which) * depth..], stride: 3 * width };
                product((&mut logits, n), part(0), part(1), (n, n, depth), Onto::Nothing, 1);
                let of_head = &biases[head * n * n..][..n * n];
                for (row, bias) in logits.chunks_exact_mut(n).zip(of_head.chunks_exact(n)) {
                    softmax_with(row, scale, bias);
                }
                let weights = Rows { values: &logits, stride: n };
                product_of_rows((&mut out[head * depth..], width), weights, part(2), (n, depth, n), Onto::Nothing, 1);
            }
            out
        };
        let windows: Vec<Vec<f32>> = (0..across * across).into_par_iter().map(one).collect();
        let mut attended = vec![0.0; side * side * width];
        for (at, rows) in windows.iter().enumerate() {
            for (cell, row) in rows.chunks_exact(width).enumerate() {
                if let Some(place) = place(at, cell) {
                    attended[place * width..][..width].copy_from_slice(row);
                }
            }
        }
        attended
    }
}

/// Biases by the distance of two places, `[heads, distances]`, for each pair of a window, `[heads, n, n]`. Distances are
/// numbered in the order in which pairs have them.
fn by_distance(biases: &Tensor, heads: usize, window: usize) -> Result<Tensor> {
    let n = window * window;
    let rows: Vec<Vec<f32>> = biases.to_vec2()?;
    // seen from the first place, every distance comes once, row by row
    let number = |a: usize, b: usize| (a / window).abs_diff(b / window) * window + (a % window).abs_diff(b % window);
    let pairs = rows.iter().flat_map(|row| (0..n * n).map(move |pair| row[number(pair / n, pair % n)]));
    Tensor::from_vec(pairs.collect::<Vec<f32>>(), (heads, n, n), biases.device())
}

fn normed(x: &[f32], norm: &Norm) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    norm.apply(x, &mut out);
    out
}

impl TinyVit {
    /// Loads the encoder at `vb`.
    pub fn new(vb: &VarBuilder) -> Result<TinyVit> {
        let stem = vb.pp("patch_embed.seq");
        let block = |index: usize| {
            let vb = vb.pp(format!("layers.0.blocks.{index}"));
            let mut expanded = Inverted::new(&vb, WIDTHS[0], EXPANSION * WIDTHS[0], WIDTHS[0], 1)?;
            expanded.residual = true;
            Ok(expanded)
        };
        let mut inverted = (0..DEPTHS[0]).map(block).collect::<Result<Vec<_>>>()?;
        let merging = |stage: usize| {
            let (from, to) = (WIDTHS[stage], WIDTHS[stage + 1]);
            // MobileSAM keeps the last stage as fine as the third
            let stride = if stage == 2 { 1 } else { 2 };
            Inverted::new(&vb.pp(format!("layers.{stage}.downsample")), from, to, to, stride)
        };
        inverted.push(merging(0)?);
        let stage = |stage: usize| {
            let block = |index: usize| {
                let vb = vb.pp(format!("layers.{stage}.blocks.{index}"));
                Block::new(&vb, WIDTHS[stage], HEADS[stage], WINDOWS[stage])
            };
            let blocks = (0..DEPTHS[stage]).map(block).collect::<Result<Vec<_>>>()?;
            Ok((blocks, (stage < 3).then(|| merging(stage)).transpose()?))
        };
        let neck2 = vb.get((CHANNELS, CHANNELS, 3, 3), "neck.2.weight")?.permute((0, 2, 3, 1))?.contiguous()?;
        let neck1 = vb.get((CHANNELS, WIDTHS[3], 1, 1), "neck.0.weight")?.reshape((CHANNELS, WIDTHS[3]))?;
        Ok(TinyVit {
            first: convolution(&stem.pp("0"), 3, WIDTHS[0] / 2, 3)?,
            second: convolution(&stem.pp("2"), WIDTHS[0] / 2, WIDTHS[0], 3)?,
            inverted,
            stages: (1..4).map(stage).collect::<Result<Vec<_>>>()?,
            neck1: Linear::new(neck1, None),
            neck_norm1: candle_nn::layer_norm(CHANNELS, NECK_EPSILON, vb.pp("neck.1"))?,
            neck2: Linear::new(neck2.reshape((CHANNELS, 9 * CHANNELS))?, None),
            neck_norm2: candle_nn::layer_norm(CHANNELS, NECK_EPSILON, vb.pp("neck.3"))?,
        })
    }

    /// Embeds one image, `[1, 3, s, s]` normalised and padded model pixels, to `[1, 256, s / 16, s / 16]`.
    pub fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let (b, colours, side, _) = pixels.dims4()?;
        if (b, colours) != (1, 3) || side % 16 != 0 {
            return Err(Error::Msg(format!("{:?} is no image of the encoder", pixels.dims())));
        }
        let places = pixels.permute((0, 2, 3, 1))?.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
        let embedded = self.embed(places, side);
        let embedded = embedded
            .ok_or_else(|| Error::Msg("the fused encoder's tensors are not f32 on the CPU; this is a bug".into()))?;
        let grid = side / 16;
        Tensor::from_vec(embedded, (1, grid, grid, CHANNELS), pixels.device())?.permute((0, 3, 1, 2))?.contiguous()
    }

    fn embed(&self, pixels: Vec<f32>, side: usize) -> Option<Vec<f32>> {
        let mut x = convolved(&self.first, &pixels, side, 2)?;
        x.par_chunks_mut(RUN * WIDTHS[0]).for_each(gelu);
        x = convolved(&self.second, &x, side / 2, 2)?;
        let mut side = side / 4;
        for layer in &self.inverted {
            x = layer.forward(&x, side)?;
            side = side.div_ceil(layer.stride);
        }
        for (blocks, merging) in &self.stages {
            for block in blocks {
                block.forward(&mut x, side)?;
            }
            if let Some(merging) = merging {
                x = merging.forward(&x, side)?;
                side = side.div_ceil(merging.stride);
            }
        }
        let neck1 = affine(&self.neck1)?;
        let mut narrow = vec![0.0; side * side * CHANNELS];
        linear(&neck1, &x, WIDTHS[3], &mut narrow, CHANNELS, rayon::current_num_threads());
        let narrow = normed(&narrow, &norm(&self.neck_norm1, NECK_EPSILON)?);
        Some(normed(&convolved(&self.neck2, &narrow, side, 1)?, &norm(&self.neck_norm2, NECK_EPSILON)?))
    }
}
