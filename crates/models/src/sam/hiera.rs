//! `Hiera`: SAM 2's image encoder (Ryali et al. 2023): four stages of transformer blocks in windows, each stage on half the places of the
//! one before, and a feature pyramid over them. On the CPU fused; other devices run `plain_hiera.rs`.

use crate::fused::{add_linear, affine, borrowed, gelu, linear, norm, product};
use crate::fused::{product_of_rows, softmax, Affine, Norm, Onto, Rows};
use candle_core::{Error, Result, Tensor};
use candle_nn::{LayerNorm, Linear, VarBuilder};
use rayon::prelude::*;

/// What is added to variances.
const EPSILON: f64 = 1e-6;
/// Pixels between patches, the patches' side, and how far the outermost reach beyond the picture.
pub(super) const STRIDE: usize = 4;
const KERNEL: usize = 7;
const PADDING: usize = 3;
/// Rows that go through a layer at a time: enough that its weights are arranged seldom, few enough to stay in memory.
const ROWS: usize = 4096;
/// Rows that a thread activates at a time, and queries that it finds the answers of.
const RUN: usize = 128;
/// torch's bicubic coefficient.
const BICUBIC: f64 = -0.75;
/// Stages of the encoder.
pub const STAGES: usize = 4;

/// The sizes of an encoder.
#[derive(Clone, Debug)]
pub struct HieraSizes {
    /// Pixels of the model's input a side.
    pub image_size: usize,
    /// Channels of each stage.
    pub widths: [usize; STAGES],
    /// Blocks of each stage.
    pub blocks: [usize; STAGES],
    /// Heads of each stage.
    pub heads: [usize; STAGES],
    /// Places of a window a side, of each stage.
    pub windows: [usize; STAGES],
    /// Blocks whose places attend to all, counted over the stages.
    pub global: Vec<usize>,
    /// Channels of the pyramid.
    pub channels: usize,
    /// The stages that are added to the ones before in the pyramid; of the others only the own lateral counts.
    pub top_down: Vec<usize>,
}

pub(super) struct Block {
    pub(super) norm1: LayerNorm,
    pub(super) qkv: Linear,
    pub(super) out: Linear,
    /// Where the channels change: of the residual.
    pub(super) skip: Option<Linear>,
    pub(super) norm2: LayerNorm,
    pub(super) lin1: Linear,
    pub(super) lin2: Linear,
    pub(super) heads: usize,
    /// Places of a window a side; 0 for all.
    pub(super) window: usize,
    /// Whether queries and residual are pooled to half the places a side.
    pub(super) is_pooled: bool,
}

/// The encoder.
pub struct Hiera {
    pub(super) sizes: HieraSizes,
    /// `[w, 3, 7, 7]`.
    pub(super) patches: Tensor,
    /// `[w, 7 * 7 * 3]`.
    rows: Linear,
    /// `[side * side, w]`.
    pub(super) positions: Tensor,
    pub(super) blocks: Vec<Block>,
    /// Of each stage, the finest first.
    pub(super) laterals: Vec<Linear>,
}

/// Maps `[h * w, c]` of the pyramid, the finest first: at 1/4, 1/8 and 1/16 of the input's side.
pub type Pyramid = [Tensor; 3];

/// The weights of bicubic interpolation from `from` places to `to`, half-pixel centres, edges clamped: `[to, from]`.
fn bicubic(from: usize, to: usize) -> Vec<f64> {
    let a = BICUBIC;
    let near = |x: f64| ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a;
    let mut weights = vec![0.0; to * from];
    for row in 0..to {
        let place = (row as f64 + 0.5) * from as f64 / to as f64 - 0.5;
        let (low, part) = (place.floor(), place - place.floor());
        for (offset, weight) in [far(part + 1.0), near(part), near(1.0 - part), far(2.0 - part)].into_iter().enumerate()
        {
            let at = (low as isize + offset as isize - 1).clamp(0, from as isize - 1) as usize;
            weights[row * from + at] += weight;
        }
    }
    weights
}

/// Positions `[side * side, w]`: of the whole picture `[1, w, g, g]` made larger, and of a window `[1, w, v, v]` repeated.
fn positions(whole: &Tensor, window: &Tensor, side: usize) -> Result<Tensor> {
    let (_, width, from, _) = whole.dims4()?;
    let v = window.dim(3)?;
    let weights = bicubic(from, side);
    let values: Vec<f32> = whole.flatten_all()?.to_vec1()?;
    let repeated: Vec<f32> = window.flatten_all()?.to_vec1()?;
    let mut out = vec![0f32; side * side * width];
    for channel in 0..width {
        let plane = &values[channel * from * from..][..from * from];
        // rows first
        let tall: Vec<f64> = (0..side * from)
            .map(|at| (0..from).map(|k| weights[at / from * from + k] * f64::from(plane[k * from + at % from])).sum())
            .collect();
        for place in 0..side * side {
            let (y, x) = (place / side, place % side);
            let value: f64 = (0..from).map(|k| weights[x * from + k] * tall[y * from + k]).sum();
            out[place * width + channel] = value as f32 + repeated[(channel * v + y % v) * v + x % v];
        }
    }
    Tensor::from_vec(out, (side * side, width), whole.device())
}

impl Hiera {
    /// Loads the encoder at `vb`, whose tensors have the names of the original.
    pub fn new(sizes: HieraSizes, vb: &VarBuilder) -> Result<Hiera> {
        let (trunk, neck) = (vb.pp("trunk"), vb.pp("neck.convs"));
        let first = sizes.widths[0];
        let patches = trunk.get((first, 3, KERNEL, KERNEL), "patch_embed.proj.weight")?;
        let bias = trunk.get(first, "patch_embed.proj.bias")?;
        let rows = patches.permute((0, 2, 3, 1))?.contiguous()?.reshape((first, KERNEL * KERNEL * 3))?;
        let whole = trunk.get_unchecked("pos_embed")?;
        let window = trunk.get((1, first, sizes.windows[0], sizes.windows[0]), "pos_embed_window")?;
        let mut blocks = Vec::new();
        for stage in 0..STAGES {
            for of_stage in 0..sizes.blocks[stage] {
                let is_first = stage > 0 && of_stage == 0;
                let before = if is_first { stage - 1 } else { stage };
                let (from, to) = (sizes.widths[before], sizes.widths[stage]);
                let vb = trunk.pp(format!("blocks.{}", blocks.len()));
                let normed = |name: &str, width: usize| candle_nn::layer_norm(width, EPSILON, vb.pp(name));
                let layer = |name: &str, from, to| candle_nn::linear(from, to, vb.pp(name));
                let [hidden, _] = vb.get_unchecked("mlp.layers.0.weight")?.dims()[..] else {
                    candle_core::bail!("block {}: no perceptron", blocks.len())
                };
                blocks.push(Block {
                    norm1: normed("norm1", from)?,
                    qkv: layer("attn.qkv", from, 3 * to)?,
                    out: layer("attn.proj", to, to)?,
                    skip: (from != to).then(|| layer("proj", from, to)).transpose()?,
                    norm2: normed("norm2", to)?,
                    lin1: layer("mlp.layers.0", to, hidden)?,
                    lin2: layer("mlp.layers.1", hidden, to)?,
                    heads: sizes.heads[stage],
                    window: if sizes.global.contains(&blocks.len()) { 0 } else { sizes.windows[before] },
                    is_pooled: is_first,
                });
            }
        }
        let lateral = |stage: usize| {
            let vb = neck.pp(format!("{}.conv", STAGES - 1 - stage));
            let weight = vb.get((sizes.channels, sizes.widths[stage], 1, 1), "weight")?;
            Ok(Linear::new(weight.flatten_from(1)?, Some(vb.get(sizes.channels, "bias")?)))
        };
        let side = sizes.image_size / STRIDE;
        Ok(Hiera {
            positions: positions(&whole, &window, side)?,
            rows: Linear::new(rows, Some(bias)),
            patches,
            blocks,
            laterals: (0..STAGES).map(lateral).collect::<Result<Vec<_>>>()?,
            sizes,
        })
    }

    /// The bias of the patches, `[w]`.
    pub(super) fn patch_bias(&self) -> Option<&Tensor> {
        self.rows.bias()
    }

    /// Embeds one image on the CPU, `[1, 3, s, s]` normalised pixels.
    pub fn forward(&self, pixels: &Tensor) -> Result<Pyramid> {
        let elsewhere = || Error::Msg("the fused encoder's tensors are not f32 on the CPU; this is a bug".into());
        let pixels = pixels.contiguous()?;
        let side = self.sizes.image_size;
        if pixels.dims() != [1, 3, side, side] {
            return Err(Error::Msg(format!("{:?} is no image of the encoder", pixels.dims())));
        }
        let image = borrowed(&pixels).ok_or_else(elsewhere)?;
        let mut x = borrowed(&self.positions).ok_or_else(elsewhere)?.to_vec();
        let mut side = side / STRIDE;
        let patches = affine(&self.rows).ok_or_else(elsewhere)?;
        self.add_patches(&patches, &image, &mut x);
        let mut laterals = Vec::new();
        let (mut stage, mut end) = (0, self.sizes.blocks[0]);
        for (number, block) in self.blocks.iter().enumerate() {
            let weights = block.weights().ok_or_else(elsewhere)?;
            x = weights.attend(&x, side);
            side = if block.is_pooled { side / 2 } else { side };
            weights.mlp(&mut x);
            if number + 1 == end {
                let lateral = affine(&self.laterals[stage]).ok_or_else(elsewhere)?;
                laterals.push((through(&lateral, &x, self.sizes.widths[stage]), side));
                stage += 1;
                end += self.sizes.blocks.get(stage).copied().unwrap_or(0);
            }
        }
        let c = self.sizes.channels;
        // the coarsest stage only adds to the one before
        for stage in (0..STAGES - 1).rev() {
            if self.sizes.top_down.contains(&stage) {
                let (coarse, side) = laterals[stage + 1].clone();
                for (place, row) in laterals[stage].0.chunks_exact_mut(c).enumerate() {
                    let (y, x) = (place / (2 * side) / 2, place % (2 * side) / 2);
                    row.iter_mut().zip(&coarse[(y * side + x) * c..][..c]).for_each(|(a, b)| *a += b);
                }
            }
        }
        laterals.truncate(STAGES - 1);
        let tensor = |(rows, side): (Vec<f32>, usize)| Tensor::from_vec(rows, (side * side, c), pixels.device());
        let maps = laterals.into_iter().map(tensor).collect::<Result<Vec<_>>>()?;
        maps.try_into().map_err(|_| elsewhere())
    }

    /// Adds the patches of an image, planes of `image_size` a side, to the places' rows.
    fn add_patches(&self, layer: &Affine, image: &[f32], x: &mut [f32]) {
        let (size, width) = (self.sizes.image_size, self.sizes.widths[0]);
        let side = size / STRIDE;
        const INPUTS: usize = KERNEL * KERNEL * 3;
        x.par_chunks_mut(side * width).enumerate().for_each(|(y, x)| {
            let mut rows = vec![0.0; side * INPUTS];
            for (column, row) in rows.chunks_exact_mut(INPUTS).enumerate() {
                for (at, value) in row.iter_mut().enumerate() {
                    let (tap, colour) = (at / 3, at % 3);
                    let (py, px) = (y * STRIDE + tap / KERNEL, column * STRIDE + tap % KERNEL);
                    if (PADDING..size + PADDING).contains(&py) && (PADDING..size + PADDING).contains(&px) {
                        *value = image[(colour * size + py - PADDING) * size + px - PADDING];
                    }
                }
            }
            add_linear(layer, &rows, INPUTS, x, 1);
        });
    }
}

/// A block's weights, borrowed.
struct Weights<'a> {
    block: &'a Block,
    norm1: Norm<'a>,
    qkv: Affine<'a>,
    out: Affine<'a>,
    skip: Option<Affine<'a>>,
    norm2: Norm<'a>,
    lin1: Affine<'a>,
    lin2: Affine<'a>,
}

impl Block {
    fn weights(&self) -> Option<Weights<'_>> {
        let skip = match &self.skip {
            Some(skip) => Some(affine(skip)?),
            None => None,
        };
        Some(Weights {
            block: self,
            norm1: norm(&self.norm1, EPSILON)?,
            qkv: affine(&self.qkv)?,
            out: affine(&self.out)?,
            skip,
            norm2: norm(&self.norm2, EPSILON)?,
            lin1: affine(&self.lin1)?,
            lin2: affine(&self.lin2)?,
        })
    }
}

fn threads() -> usize {
    rayon::current_num_threads()
}

/// Rows of `inputs` values through a layer.
fn through(layer: &Affine, x: &[f32], inputs: usize) -> Vec<f32> {
    let outputs = layer.outputs(inputs);
    let mut out = vec![0.0; x.len() / inputs * outputs];
    for (out, x) in out.chunks_mut(ROWS * outputs).zip(x.chunks(ROWS * inputs)) {
        linear(layer, x, inputs, out, outputs, threads());
    }
    out
}

/// The largest of each 2x2 places of `[side * side, width]`, where `row` says which row a place has.
fn pooled(side: usize, width: usize, row: impl Fn(usize) -> usize, x: &[f32]) -> Vec<f32> {
    let half = side / 2;
    let mut out = Vec::with_capacity(half * half * width);
    for place in 0..half * half {
        let corner = place / half * 2 * side + place % half * 2;
        let four = [corner, corner + 1, corner + side, corner + side + 1].map(|place| &x[row(place)..][..width]);
        out.extend((0..width).map(|k| four[0][k].max(four[1][k]).max(four[2][k]).max(four[3][k])));
    }
    out
}

/// What some queries `q` `[n, w]` find in the keys and values of rows `[places, 3 * w]`, into `out` `[n, w]`.
fn find(q: &[f32], qkv: &[f32], (width, heads): (usize, usize), logits: &mut Vec<f32>, out: &mut [f32]) {
    let (depth, places, n) = (width / heads, qkv.len() / (3 * width), q.len() / width);
    let scale = (depth as f32).powf(-0.5);
    logits.resize(n * places, 0.0);
    for head in 0..heads {
        let part = |which: usize| Rows { values: &qkv[which * width + head * depth..], stride: 3 * width };
        let queries = Rows { values: &q[head * depth..], stride: width };
        product((logits, places), queries, part(1), (n, places, depth), Onto::Nothing, 1);
        logits.chunks_exact_mut(places).for_each(|row| softmax(row, scale));
        let weights = Rows { values: logits, stride: places };
        product_of_rows((&mut out[head * depth..], width), weights, part(2), (n, depth, places), Onto::Nothing, 1);
    }
}

impl Weights<'_> {
    /// The residual with what places find in each other, `[side * side, w]` or, pooled, of half the side.
    fn attend(&self, x: &[f32], side: usize) -> Vec<f32> {
        let (from, to) = (self.norm1.gain.len(), self.norm2.gain.len());
        let mut places = vec![0.0; x.len()];
        self.norm1.apply(x, &mut places);
        let residual = match &self.skip {
            Some(skip) => through(skip, &places, from),
            None => x.to_vec(),
        };
        let mut residual = match self.block.is_pooled {
            true => pooled(side, to, |place| place * to, &residual),
            false => residual,
        };
        let qkv = through(&self.qkv, &places, from);
        let attended = match self.block.window {
            0 => self.attend_everywhere(&qkv, side, to),
            window => self.attend_in_windows(&qkv, side, window, to),
        };
        add_linear(&self.out, &attended, to, &mut residual, threads());
        residual
    }

    fn attend_everywhere(&self, qkv: &[f32], side: usize, width: usize) -> Vec<f32> {
        let q = match self.block.is_pooled {
            true => pooled(side, width, |place| place * 3 * width, qkv),
            false => qkv.chunks_exact(3 * width).flat_map(|row| &row[..width]).copied().collect(),
        };
        let mut attended = vec![0.0; q.len()];
        let runs = attended.par_chunks_mut(RUN * width).zip(q.par_chunks(RUN * width));
        runs.for_each_init(Vec::new, |logits, (out, q)| find(q, qkv, (width, self.block.heads), logits, out));
        attended
    }

    /// Windows of places, the last ones padded with zeros behind the norm, whose queries, keys and values are the biases.
    fn attend_in_windows(&self, qkv: &[f32], side: usize, window: usize, width: usize) -> Vec<f32> {
        let across = side.div_ceil(window);
        let padding: Vec<f32> = self.qkv.bias.as_ref().map_or_else(|| vec![0.0; 3 * width], |bias| bias.to_vec());
        let halving = if self.block.is_pooled { 2 } else { 1 };
        let (out_window, out_side) = (window / halving, side / halving);
        let windows: Vec<Vec<f32>> = (0..across * across)
            .into_par_iter()
            .map_init(Vec::new, |logits, number| {
                let mut rows = Vec::with_capacity(window * window * 3 * width);
                for cell in 0..window * window {
                    let (y, x) = (number / across * window + cell / window, number % across * window + cell % window);
                    match y < side && x < side {
                        true => rows.extend_from_slice(&qkv[(y * side + x) * 3 * width..][..3 * width]),
                        false => rows.extend_from_slice(&padding),
                    }
                }
                let q = match self.block.is_pooled {
                    true => pooled(window, width, |place| place * 3 * width, &rows),
                    false => rows.chunks_exact(3 * width).flat_map(|row| &row[..width]).copied().collect(),
                };
                let mut out = vec![0.0; q.len()];
                find(&q, &rows, (width, self.block.heads), logits, &mut out);
                out
            })
            .collect();
        let mut attended = vec![0.0; out_side * out_side * width];
        for (number, rows) in windows.iter().enumerate() {
            for (cell, row) in rows.chunks_exact(width).enumerate() {
                let y = number / across * out_window + cell / out_window;
                let x = number % across * out_window + cell % out_window;
                if y < out_side && x < out_side {
                    attended[(y * out_side + x) * width..][..width].copy_from_slice(row);
                }
            }
        }
        attended
    }

    fn mlp(&self, x: &mut [f32]) {
        let width = self.norm2.gain.len();
        let hidden_width = self.lin1.outputs(width);
        let (mut places, mut hidden) = (Vec::new(), Vec::new());
        for x in x.chunks_mut(ROWS * width) {
            places.resize(x.len(), 0.0);
            hidden.resize(x.len() / width * hidden_width, 0.0);
            self.norm2.apply(x, &mut places);
            linear(&self.lin1, &places, width, &mut hidden, hidden_width, threads());
            hidden.par_chunks_mut(RUN * hidden_width).for_each(gelu);
            add_linear(&self.lin2, &hidden, hidden_width, x, threads());
        }
    }
}
