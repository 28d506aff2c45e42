//! `Stem`: convolutions that make a smaller map of a picture before a vision transformer takes patches of it. Small transformers
//! learn far more of few pictures behind one (Xiao et al. 2021, "Early convolutions help transformers see better"). The shipped
//! model has one; its batch normalisations are folded in when it is exported.

use super::config::StemStage;
use crate::fused::{add_to_rows, affine, convolved};
use candle_core::{Result, Tensor};
use candle_nn::{Conv2d, Conv2dConfig, Linear, Module, VarBuilder};
use rayon::prelude::*;

/// A 3x3 convolution with a bias.
struct Convolution {
    plain: Conv2d,
    /// The same as rows `[outputs, 9 * inputs]`, the channels of a neighbour side by side.
    rows: Linear,
    stride: usize,
}

impl Convolution {
    fn new(inputs: usize, outputs: usize, stride: usize, vb: VarBuilder) -> Result<Convolution> {
        let weight = vb.get((outputs, inputs, 3, 3), "weight")?;
        let bias = vb.get(outputs, "bias")?;
        let rows = weight.permute((0, 2, 3, 1))?.contiguous()?.reshape((outputs, 9 * inputs))?;
        let config = Conv2dConfig { stride, padding: 1, ..Default::default() };
        Ok(Convolution {
            plain: Conv2d::new(weight, Some(bias.clone()), config),
            rows: Linear::new(rows, Some(bias)),
            stride,
        })
    }

    /// Places `[side * side, inputs]` to `[ceil(side / stride)^2, outputs]`; `None` on another device than the CPU.
    fn fused(&self, x: &[f32], side: usize) -> Option<Vec<f32>> {
        Some(convolved(&affine(&self.rows)?, x, side, self.stride))
    }
}

/// Halves the picture, then adds to it what pairs of convolutions find.
struct Stage {
    down: Convolution,
    pairs: Vec<[Convolution; 2]>,
}

/// The convolutions before the patches.
pub struct Stem {
    stages: Vec<Stage>,
    channels: usize,
}

fn relu(x: &mut [f32]) {
    x.iter_mut().for_each(|value| *value = value.max(0.0));
}

impl Stem {
    pub(super) fn new(stages: &[StemStage], vb: VarBuilder) -> Result<Stem> {
        let mut channels = 3;
        let stage = |(number, of): (usize, &StemStage)| {
            let vb = vb.pp(format!("stages.{number}"));
            let down = Convolution::new(channels, of.channels, 2, vb.pp("down"))?;
            channels = of.channels;
            let convolution = |pair: usize, name: &str| {
                Convolution::new(channels, channels, 1, vb.pp(format!("pairs.{pair}.{name}")))
            };
            let pairs = (0..of.pairs).map(|pair| Ok([convolution(pair, "conv1")?, convolution(pair, "conv2")?]));
            Ok(Stage { down, pairs: pairs.collect::<Result<_>>()? })
        };
        let stages = stages.iter().enumerate().map(stage).collect::<Result<_>>()?;
        Ok(Stem { stages, channels })
    }

    /// Channels of the map.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Pixels along each side of a place of the map.
    pub fn reduction(&self) -> usize {
        1 << self.stages.len()
    }

    /// Normalised pixels `[b, 3, s, s]` to a map `[b, c, s / reduction, s / reduction]`.
    pub fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let mut x = pixels.clone();
        for stage in &self.stages {
            x = stage.down.plain.forward(&x)?.relu()?;
            for [first, second] in &stage.pairs {
                let found = second.plain.forward(&first.plain.forward(&x)?.relu()?)?;
                x = (x + found)?.relu()?;
            }
        }
        Ok(x)
    }

    /// The same on the CPU, row-major values; `None` on another device.
    pub fn fused(&self, pixels: &[f32], side: usize) -> Option<Vec<f32>> {
        let one = |picture: &[f32]| {
            let mut side = side;
            let mut x: Vec<f32> =
                (0..side * side).flat_map(|at| (0..3).map(move |c| picture[c * side * side + at])).collect();
            for stage in &self.stages {
                x = stage.down.fused(&x, side)?;
                side = side.div_ceil(2);
                relu(&mut x);
                for [first, second] in &stage.pairs {
                    let mut inner = first.fused(&x, side)?;
                    relu(&mut inner);
                    let found = second.fused(&inner, side)?;
                    add_to_rows(&mut x, &found);
                    relu(&mut x);
                }
            }
            // channels first, as patches are taken
            let places = side * side;
            Some(
                (0..self.channels * places)
                    .map(|at| x[at % places * self.channels + at / places])
                    .collect::<Vec<f32>>(),
            )
        };
        let maps = pixels.par_chunks_exact(3 * side * side).map(one).collect::<Option<Vec<_>>>()?;
        Some(maps.concat())
    }
}
