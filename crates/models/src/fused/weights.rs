//! Weights as slices: borrowed from candle's tensors on the CPU, which keep them.

use super::elementwise::layer_norm;
use candle_core::{DType, Device, Storage, StorageRef, Tensor};
use candle_nn::{LayerNorm, Linear};
use rayon::prelude::*;
use std::ops::Deref;

/// A contiguous f32 tensor's values, borrowed.
pub struct Borrowed<'a> {
    storage: StorageRef<'a>,
    start: usize,
    count: usize,
}

impl Deref for Borrowed<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(values) => {
                values.as_slice::<f32>().map_or(&[][..], |values| &values[self.start..self.start + self.count])
            }
            _ => &[],
        }
    }
}

/// The values of a contiguous f32 tensor on the CPU; `None` of any other.
pub fn borrowed(tensor: &Tensor) -> Option<Borrowed<'_>> {
    let fits = matches!(tensor.device(), Device::Cpu) && tensor.dtype() == DType::F32 && tensor.is_contiguous();
    fits.then(|| {
        let (storage, layout) = tensor.storage_and_layout();
        Borrowed { storage, start: layout.start_offset(), count: tensor.elem_count() }
    })
}

/// A linear layer: `weight` `[outputs, inputs]`, `bias` `[outputs]`.
pub struct Affine<'a> {
    /// Row by row.
    pub weight: Borrowed<'a>,
    /// Absent where the layer has none.
    pub bias: Option<Borrowed<'a>>,
}

/// A layer norm.
pub struct Norm<'a> {
    /// `[w]`.
    pub gain: Borrowed<'a>,
    /// `[w]`.
    pub bias: Borrowed<'a>,
    /// What is added to the variance.
    pub epsilon: f32,
}

/// A linear layer's weights; `None` on another device or of another type.
pub fn affine(linear: &Linear) -> Option<Affine<'_>> {
    let bias = match linear.bias() {
        Some(bias) => Some(borrowed(bias)?),
        None => None,
    };
    Some(Affine { weight: borrowed(linear.weight())?, bias })
}

/// A norm's weights; `None` on another device, of another type or without a bias. candle does not tell the epsilon.
pub fn norm(norm: &LayerNorm, epsilon: f64) -> Option<Norm<'_>> {
    Some(Norm { gain: borrowed(norm.weight())?, bias: borrowed(norm.bias()?)?, epsilon: epsilon as f32 })
}

/// Rows that a thread norms at a time.
const RUN: usize = 128;

impl Norm<'_> {
    /// Norms rows `x` into `out`, runs of rows on all threads.
    pub fn apply(&self, x: &[f32], out: &mut [f32]) {
        let run = RUN * self.gain.len();
        let (gain, bias, epsilon) = (&self.gain[..], &self.bias[..], self.epsilon);
        out.par_chunks_mut(run).zip(x.par_chunks(run)).for_each(|(out, x)| layer_norm(x, gain, bias, epsilon, out));
    }
}

impl Affine<'_> {
    /// Outputs of a layer that takes `inputs`.
    pub fn outputs(&self, inputs: usize) -> usize {
        self.weight.len() / inputs.max(1)
    }
}
