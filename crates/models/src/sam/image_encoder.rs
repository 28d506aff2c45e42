//! `ImageEncoder`: SAM's vision transformer on the CPU, fused: attention in windows or, in some blocks, of all places with
//! all, whose logits are made and used a few rows at a time; positions enter by the distance of rows and of columns.
//!
//! candle-transformers' encoder, which is used on other devices, builds all logits of all heads at once.

use super::convolutions::convolved;
use crate::fused::{
    add_linear, affine, borrowed, gelu, linear, norm, product, product_of_rows, softmax_at_distance, Affine, Borrowed,
    Norm, Onto, Rows,
};
use candle_core::{Error, Result, Tensor};
use candle_nn::{LayerNorm, Linear, VarBuilder};
use rayon::prelude::*;

/// What is added to variances (the original's 1e-6).
const EPSILON: f64 = 1e-6;
/// Rows of queries whose logits are made at a time in blocks that see everything.
const QUERIES: usize = 128;

/// What a checkpoint's tensors say of its encoder.
pub struct EncoderSizes {
    /// Model pixels a side of a patch.
    pub patch: usize,
    /// Channels of the image.
    pub colours: usize,
    /// Width of the tokens.
    pub width: usize,
    /// Blocks.
    pub depth: usize,
    /// Channels within the perceptron of a block.
    pub hidden: usize,
    /// Attention heads.
    pub heads: usize,
    /// Places a side.
    pub grid: usize,
    /// Channels of the embedding.
    pub channels: usize,
    /// Places a side of a window.
    pub window: usize,
    /// Blocks that see everything.
    pub global: Vec<usize>,
}

struct Block {
    norm1: LayerNorm,
    qkv: Linear,
    /// By the distance of rows, `[2 * side - 1, depth of a head]`.
    rows: Tensor,
    /// By the distance of columns.
    columns: Tensor,
    proj: Linear,
    norm2: LayerNorm,
    lin1: Linear,
    lin2: Linear,
    /// Places a side of what is seen.
    side: usize,
}

/// The encoder.
pub struct ImageEncoder {
    sizes: EncoderSizes,
    patches: Linear,
    positions: Tensor,
    blocks: Vec<Block>,
    neck1: Linear,
    neck_norm1: LayerNorm,
    /// `[c, 3 * 3 * c]`, the neighbours' channels last.
    neck2: Linear,
    neck_norm2: LayerNorm,
}

/// A block's weights, borrowed.
struct Weights<'a> {
    norm1: Norm<'a>,
    qkv: Affine<'a>,
    rows: Borrowed<'a>,
    columns: Borrowed<'a>,
    proj: Affine<'a>,
    norm2: Norm<'a>,
    lin1: Affine<'a>,
    lin2: Affine<'a>,
    side: usize,
}

fn layer(vb: &VarBuilder, name: &str, inputs: usize, outputs: usize) -> Result<Linear> {
    candle_nn::linear(inputs, outputs, vb.pp(name))
}

impl ImageEncoder {
    /// Loads the encoder at `vb`.
    pub fn new(sizes: EncoderSizes, vb: &VarBuilder) -> Result<ImageEncoder> {
        let (w, c, p) = (sizes.width, sizes.channels, sizes.patch);
        let inputs = sizes.colours * p * p;
        let filters = vb.get((w, sizes.colours, p, p), "patch_embed.proj.weight")?.reshape((w, inputs))?;
        let patches = Linear::new(filters, Some(vb.get(w, "patch_embed.proj.bias")?));
        let depth = w / sizes.heads;
        let block = |index: usize| {
            let vb = vb.pp(format!("blocks.{index}"));
            let side = if sizes.global.contains(&index) { sizes.grid } else { sizes.window };
            let distances = |name: &str| vb.get((2 * side - 1, depth), name);
            Ok(Block {
                norm1: candle_nn::layer_norm(w, EPSILON, vb.pp("norm1"))?,
                qkv: layer(&vb, "attn.qkv", w, 3 * w)?,
                rows: distances("attn.rel_pos_h")?,
                columns: distances("attn.rel_pos_w")?,
                proj: layer(&vb, "attn.proj", w, w)?,
                norm2: candle_nn::layer_norm(w, EPSILON, vb.pp("norm2"))?,
                lin1: layer(&vb, "mlp.lin1", w, sizes.hidden)?,
                lin2: layer(&vb, "mlp.lin2", sizes.hidden, w)?,
                side,
            })
        };
        let blocks = (0..sizes.depth).map(block).collect::<Result<Vec<_>>>()?;
        let neck2 = vb.get((c, c, 3, 3), "neck.2.weight")?.permute((0, 2, 3, 1))?.contiguous()?;
        Ok(ImageEncoder {
            patches,
            positions: vb.get((1, sizes.grid, sizes.grid, w), "pos_embed")?,
            blocks,
            neck1: Linear::new(vb.get((c, w, 1, 1), "neck.0.weight")?.reshape((c, w))?, None),
            neck_norm1: candle_nn::layer_norm(c, EPSILON, vb.pp("neck.1"))?,
            neck2: Linear::new(neck2.reshape((c, 9 * c))?, None),
            neck_norm2: candle_nn::layer_norm(c, EPSILON, vb.pp("neck.3"))?,
            sizes,
        })
    }

    /// Embeds one image, `[1, 3, s, s]` normalised and padded model pixels, to `[1, c, grid, grid]`.
    pub fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let elsewhere = || Error::Msg("the fused encoder's tensors are not f32 on the CPU; this is a bug".into());
        let EncoderSizes { grid, width, channels, patch, .. } = self.sizes;
        let pixels = pixels.contiguous()?;
        let (b, colours, side, _) = pixels.dims4()?;
        if (b, colours, side) != (1, self.sizes.colours, grid * patch) {
            return Err(Error::Msg(format!("{:?} is no image of the encoder", pixels.dims())));
        }
        let image = borrowed(&pixels).ok_or_else(elsewhere)?;
        let patches = affine(&self.patches).ok_or_else(elsewhere)?;
        let mut x = borrowed(&self.positions).ok_or_else(elsewhere)?.to_vec();
        add_linear(&patches, &self.patch_rows(&image), colours * patch * patch, &mut x, threads());
        for block in &self.blocks {
            let weights = block.weights().ok_or_else(elsewhere)?;
            weights.attend(&mut x, grid, self.sizes.heads);
            weights.mlp(&mut x, width);
        }
        let mut narrow = vec![0.0; grid * grid * channels];
        linear(&affine(&self.neck1).ok_or_else(elsewhere)?, &x, width, &mut narrow, channels, threads());
        let normal = |x: &[f32], layer: &LayerNorm| -> Result<Vec<f32>> {
            let normed = norm(layer, EPSILON).ok_or_else(elsewhere)?;
            let mut out = vec![0.0; x.len()];
            normed.apply(x, &mut out);
            Ok(out)
        };
        let narrow = normal(&narrow, &self.neck_norm1)?;
        let embedded = convolved(&self.neck2, &narrow, grid, 1).ok_or_else(elsewhere)?;
        let embedded = normal(&embedded, &self.neck_norm2)?;
        Tensor::from_vec(embedded, (1, grid, grid, channels), pixels.device())?.permute((0, 3, 1, 2))?.contiguous()
    }

    /// The pixels of each patch in a row, `[g * g, 3 * p * p]`.
    fn patch_rows(&self, image: &[f32]) -> Vec<f32> {
        let EncoderSizes { grid, patch, colours, .. } = self.sizes;
        let side = grid * patch;
        let mut rows = Vec::with_capacity(image.len());
        for place in 0..grid * grid {
            for line in 0..colours * patch {
                let row = line / patch * side + place / grid * patch + line % patch;
                rows.extend_from_slice(&image[row * side + place % grid * patch..][..patch]);
            }
        }
        rows
    }
}

fn threads() -> usize {
    rayon::current_num_threads()
}

impl Block {
    fn weights(&self) -> Option<Weights<'_>> {
        Some(Weights {
            norm1: norm(&self.norm1, EPSILON)?,
            qkv: affine(&self.qkv)?,
            rows: borrowed(&self.rows)?,
            columns: borrowed(&self.columns)?,
            proj: affine(&self.proj)?,
            norm2: norm(&self.norm2, EPSILON)?,
            lin1: affine(&self.lin1)?,
            lin2: affine(&self.lin2)?,
            side: self.side,
        })
    }
}

/// Queries, keys and values of a square of places, `[side * side, 3 * w]`, and where its rows of queries come from.
struct Square<'a> {
    qkv: &'a [f32],
    side: usize,
    width: usize,
    heads: usize,
}

/// Buffers of one thread.
#[derive(Default)]
struct Scratch {
    logits: Vec<f32>,
    by_row: Vec<f32>,
    by_column: Vec<f32>,
}

impl Square<'_> {
    /// What some rows of queries find in all places, one head: into `out`, `[queries, depth]`.
    fn attend(
        &self,
        head: usize,
        queries: std::ops::Range<usize>,
        [rows, columns]: [&[f32]; 2],
        out: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let (side, depth, stride) = (self.side, self.width / self.heads, 3 * self.width);
        let places = side * side;
        let scale = (depth as f32).powf(-0.5);
        let (count, distances) = (queries.len(), 2 * side - 1);
        let part = |which: usize, row: usize| Rows {
            values: &self.qkv[row * stride + which * self.width + head * depth..],
            stride,
        };
        let q = part(0, queries.start);
        scratch.logits.resize(count * places, 0.0);
        scratch.by_row.resize(count * distances, 0.0);
        scratch.by_column.resize(count * distances, 0.0);
        let Scratch { logits, by_row, by_column } = scratch;
        product((logits, places), q, part(1, 0), (count, places, depth), Onto::Nothing, 1);
        for (table, found) in [(rows, &mut *by_row), (columns, &mut *by_column)] {
            let table = Rows { values: table, stride: depth };
            product((found, distances), q, table, (count, distances, depth), Onto::Nothing, 1);
        }
        for (index, logits) in logits.chunks_exact_mut(places).enumerate() {
            let (y, x) = ((queries.start + index) / side, (queries.start + index) % side);
            // the table begins with the farthest key behind: distance query - key + side - 1
            let by_row = &by_row[index * distances + y..][..side];
            let by_column = &by_column[index * distances + x..][..side];
            softmax_at_distance(logits, scale, by_row, by_column);
        }
        let logits = Rows { values: logits, stride: places };
        product_of_rows((out, depth), logits, part(2, 0), (count, depth, places), Onto::Nothing, 1);
    }
}

impl Weights<'_> {
    fn attend(&self, x: &mut [f32], grid: usize, heads: usize) {
        let width = self.norm1.gain.len();
        let mut normed = vec![0.0; x.len()];
        self.norm1.apply(x, &mut normed);
        let mut qkv = vec![0.0; 3 * x.len()];
        linear(&self.qkv, &normed, width, &mut qkv, 3 * width, threads());
        let attended = if self.side == grid {
            self.attend_everywhere(&qkv, width, heads)
        } else {
            self.attend_in_windows(&qkv, grid, width, heads)
        };
        add_linear(&self.proj, &attended, width, x, threads());
    }

    /// All places with all: heads and runs of queries are shared out.
    fn attend_everywhere(&self, qkv: &[f32], width: usize, heads: usize) -> Vec<f32> {
        let (side, depth) = (self.side, width / heads);
        let square = Square { qkv, side, width, heads };
        let places = side * side;
        let starts: Vec<(usize, usize)> =
            (0..heads).flat_map(|head| (0..places).step_by(QUERIES).map(move |start| (head, start))).collect();
        let found: Vec<Vec<f32>> = starts
            .par_iter()
            .map_init(Scratch::default, |scratch, (head, start)| {
                let queries = *start..(start + QUERIES).min(places);
                let mut out = vec![0.0; queries.len() * depth];
                square.attend(*head, queries, [&self.rows, &self.columns], &mut out, scratch);
                out
            })
            .collect();
        let mut attended = vec![0.0; places * width];
        for ((head, start), rows) in starts.into_iter().zip(found) {
            for (row, values) in rows.chunks_exact(depth).enumerate() {
                attended[(start + row) * width + head * depth..][..depth].copy_from_slice(values);
            }
        }
        attended
    }

    /// Windows of places, the last ones padded with zeros behind the norm, whose queries, keys and values are the biases.
    fn attend_in_windows(&self, qkv: &[f32], grid: usize, width: usize, heads: usize) -> Vec<f32> {
        let (side, depth) = (self.side, width / heads);
        let across = grid.div_ceil(side);
        let padding: Vec<f32> = self.qkv.bias.as_ref().map_or_else(|| vec![0.0; 3 * width], |bias| bias.to_vec());
        let place = |window: usize, cell: usize| {
            let (y, x) = (window / across * side + cell / side, window % across * side + cell % side);
            (y < grid && x < grid).then_some(y * grid + x)
        };
        let windows: Vec<Vec<f32>> = (0..across * across)
            .into_par_iter()
            .map_init(Scratch::default, |scratch, window| {
                let mut rows = Vec::with_capacity(side * side * 3 * width);
                for cell in 0..side * side {
                    match place(window, cell) {
                        Some(place) => rows.extend_from_slice(&qkv[place * 3 * width..][..3 * width]),
                        None => rows.extend_from_slice(&padding),
                    }
                }
                let square = Square { qkv: &rows, side, width, heads };
                let mut out = vec![0.0; side * side * width];
                for (head, out) in out.chunks_exact_mut(side * side * depth).enumerate() {
                    square.attend(head, 0..side * side, [&self.rows, &self.columns], out, scratch);
                }
                out
            })
            .collect();
        let mut attended = vec![0.0; grid * grid * width];
        for (window, rows) in windows.iter().enumerate() {
            for (at, values) in rows.chunks_exact(depth).enumerate() {
                let (head, cell) = (at / (side * side), at % (side * side));
                if let Some(place) = place(window, cell) {
                    attended[place * width + head * depth..][..depth].copy_from_slice(values);
                }
            }
        }
        attended
    }

    fn mlp(&self, x: &mut [f32], width: usize) {
        let hidden_width = self.lin1.outputs(width);
        let mut normed = vec![0.0; x.len()];
        self.norm2.apply(x, &mut normed);
        let mut hidden = vec![0.0; x.len() / width * hidden_width];
        linear(&self.lin1, &normed, width, &mut hidden, hidden_width, threads());
        hidden.par_chunks_mut(QUERIES * hidden_width).for_each(gelu);
        add_linear(&self.lin2, &hidden, hidden_width, x, threads());
    }
}
