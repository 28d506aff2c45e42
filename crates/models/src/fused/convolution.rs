//! 3x3 convolutions of places whose channels come last, as products with each place's neighbours.

use super::block::linear;
use super::weights::Affine;
use rayon::prelude::*;

/// Places of the result that are made at a time.
const AT_ONCE: usize = 256;

/// A 3x3 convolution of places `x` `[side * side, inputs]` whose results are `stride` apart; zeros beyond the border. `layer` is
/// `[outputs, 9 * inputs]`, the channels of a neighbour side by side.
pub fn convolved(layer: &Affine, x: &[f32], side: usize, stride: usize) -> Vec<f32> {
    let (inputs, out_side) = (x.len() / (side * side), side.div_ceil(stride));
    let outputs = layer.outputs(9 * inputs);
    let rows_at_once = (AT_ONCE / out_side).max(1);
    let mut out = vec![0.0; out_side * out_side * outputs];
    out.par_chunks_mut(rows_at_once * out_side * outputs).enumerate().for_each(|(stripe, out)| {
        let mut rows = vec![0.0; out.len() / outputs * 9 * inputs];
        for (place, row) in rows.chunks_exact_mut(9 * inputs).enumerate() {
            let (y, x_out) = (stripe * rows_at_once + place / out_side, place % out_side);
            for (tap, values) in row.chunks_exact_mut(inputs).enumerate() {
                let (row, column) = (y * stride + tap / 3, x_out * stride + tap % 3);
                if (1..=side).contains(&row) && (1..=side).contains(&column) {
                    values.copy_from_slice(&x[((row - 1) * side + column - 1) * inputs..][..inputs]);
                }
            }
        }
        linear(layer, &rows, 9 * inputs, out, outputs, 1);
    });
    out
}
