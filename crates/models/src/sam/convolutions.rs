//! Convolutions of places whose channels come last: with one filter a channel, with all, and the inverted residuals of
//! mobile networks. Batch norms behind them are folded in; wide channels are made and used a few image rows at a time.

use crate::fused::{self, add_products, affine, gelu, product, Affine, Onto, Rows};
use candle_core::{Result, Tensor};
use candle_nn::{Linear, VarBuilder};
use rayon::prelude::*;

/// What is added to the variance of a batch norm.
const EPSILON: f64 = 1e-5;
/// Image rows that are made at a time.
pub const STRIPE: usize = 16;

/// A convolution of each channel with its own 3x3 filter, the norm behind it folded in.
pub struct Filters {
    /// `[9, c]`.
    taps: Vec<f32>,
    /// `[c]`.
    bias: Vec<f32>,
}

/// Expands the channels, filters each, and projects them.
pub struct Inverted {
    expand: Linear,
    filters: Filters,
    project: Linear,
    /// Output places are so many input places apart.
    pub stride: usize,
    /// Whether the input is added at the end, before a last activation.
    pub residual: bool,
}

/// A convolution's weights `[outputs, inputs, k, k]` and bias, the norm behind it folded in.
fn folded(vb: &VarBuilder, shape: (usize, usize, usize, usize)) -> Result<(Tensor, Tensor)> {
    let outputs = shape.0;
    let weight = vb.get(shape, "c.weight")?;
    let of_norm = |name: &str| vb.get(outputs, &format!("bn.{name}"));
    let deviation = (of_norm("running_var")? + EPSILON)?.sqrt()?;
    let scale = (of_norm("weight")? / deviation)?;
    let bias = (of_norm("bias")? - (of_norm("running_mean")? * &scale)?)?;
    Ok((weight.broadcast_mul(&scale.reshape((outputs, 1, 1, 1))?)?, bias))
}

/// A convolution as a product with each place's neighbours, whose channels come last.
pub fn convolution(vb: &VarBuilder, inputs: usize, outputs: usize, side: usize) -> Result<Linear> {
    let (weight, bias) = folded(vb, (outputs, inputs, side, side))?;
    let rows = weight.permute((0, 2, 3, 1))?.contiguous()?.reshape((outputs, side * side * inputs))?;
    Ok(Linear::new(rows, Some(bias)))
}

impl Filters {
    /// Loads the filters of `channels` at `vb`.
    pub fn new(vb: &VarBuilder, channels: usize) -> Result<Filters> {
        let (weight, bias) = folded(vb, (channels, 1, 3, 3))?;
        let taps = weight.reshape((channels, 9))?.t()?.contiguous()?.flatten_all()?.to_vec1()?;
        Ok(Filters { taps, bias: bias.to_vec1()? })
    }

    /// Filters image rows `x` of `width` places, of which the first is row `top` of the image, for the output rows `rows` of
    /// an image of `height` rows; zeros beyond the border. Output places are `stride` apart.
    pub fn apply(
        &self,
        x: &[f32],
        top: usize,
        (height, width): (usize, usize),
        rows: std::ops::Range<usize>,
        stride: usize,
    ) -> Vec<f32> {
        let channels = self.bias.len();
        let across = width.div_ceil(stride);
        let mut out = Vec::with_capacity(rows.len() * across * channels);
        for _ in 0..rows.len() * across {
            out.extend_from_slice(&self.bias);
        }
        for (row, out) in rows.zip(out.chunks_exact_mut(across * channels)) {
            for (tap, weights) in self.taps.chunks_exact(channels).enumerate() {
                let Some(y) = (row * stride + tap / 3).checked_sub(1).filter(|y| *y < height) else { continue };
                let line = &x[(y - top) * width * channels..][..width * channels];
                for (place, out) in out.chunks_exact_mut(channels).enumerate() {
                    let Some(at) = (place * stride + tap % 3).checked_sub(1).filter(|at| *at < width) else { continue };
                    let values = &line[at * channels..][..channels];
                    add_products(out, values, weights);
                }
            }
        }
        out
    }
}

impl Inverted {
    /// Loads them at `vb`, without a residual.
    pub fn new(vb: &VarBuilder, inputs: usize, hidden: usize, outputs: usize, stride: usize) -> Result<Inverted> {
        Ok(Inverted {
            expand: convolution(&vb.pp("conv1"), inputs, hidden, 1)?,
            filters: Filters::new(&vb.pp("conv2"), hidden)?,
            project: convolution(&vb.pp("conv3"), hidden, outputs, 1)?,
            stride,
            residual: false,
        })
    }

    /// Places `x` `[h * w, inputs]` of an image of `side` a side to `[h * w / stride^2, outputs]`.
    pub fn forward(&self, x: &[f32], side: usize) -> Option<Vec<f32>> {
        let (expand, project) = (affine(&self.expand)?, affine(&self.project)?);
        let inputs = x.len() / (side * side);
        let (expand, project) = (Layer::of(&expand, inputs), Layer::of(&project, self.filters.bias.len()));
        let out_side = side.div_ceil(self.stride);
        let outputs = project.outputs;
        let mut out = vec![0.0; out_side * out_side * outputs];
        out.par_chunks_mut(STRIPE * out_side * outputs).enumerate().for_each(|(stripe, out)| {
            let rows = stripe * STRIPE..stripe * STRIPE + out.len() / (out_side * outputs);
            let top = (rows.start * self.stride).saturating_sub(1);
            let bottom = ((rows.end - 1) * self.stride + 2).min(side);
            let mut wide = expand.through(&x[top * side * inputs..bottom * side * inputs], inputs);
            gelu(&mut wide);
            let mut filtered = self.filters.apply(&wide, top, (side, side), rows.clone(), self.stride);
            gelu(&mut filtered);
            let found = project.through(&filtered, self.filters.bias.len());
            out.copy_from_slice(&found);
            if self.residual {
                let own = &x[rows.start * side * inputs..rows.end * side * inputs];
                out.iter_mut().zip(own).for_each(|(out, x)| *out += x);
                gelu(out);
            }
        });
        Some(out)
    }
}

/// A linear layer's weights as slices, which threads can share.
#[derive(Clone, Copy)]
pub struct Layer<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
    pub outputs: usize,
}

impl<'a> Layer<'a> {
    /// Of a layer that takes `inputs`.
    pub fn of(layer: &'a Affine, inputs: usize) -> Layer<'a> {
        Layer { weight: &layer.weight, bias: layer.bias.as_deref().unwrap_or_default(), outputs: layer.outputs(inputs) }
    }

    /// Rows `x` of `inputs` values through the layer.
    pub fn through(&self, x: &[f32], inputs: usize) -> Vec<f32> {
        let rows = x.len() / inputs;
        let mut out = match self.bias.is_empty() {
            true => vec![0.0; rows * self.outputs],
            false => self.bias.repeat(rows),
        };
        let sizes = (rows, self.outputs, inputs);
        let (left, right) = (Rows { values: x, stride: inputs }, Rows { values: self.weight, stride: inputs });
        product((&mut out, self.outputs), left, right, sizes, Onto::Sum, 1);
        out
    }
}

/// A 3x3 convolution of places `x` `[side * side, inputs]` whose results are `stride` apart; `None` on another device.
pub fn convolved(layer: &Linear, x: &[f32], side: usize, stride: usize) -> Option<Vec<f32>> {
    Some(fused::convolved(&affine(layer)?, x, side, stride))
}
