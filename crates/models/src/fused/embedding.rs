//! Images to the first tokens of a vision transformer.

use super::elementwise::layer_norm;
use super::product::{product, Onto, Rows};
use super::weights::{Borrowed, Norm};
use rayon::prelude::*;

/// What stands before a vision transformer's first block.
pub struct EmbeddingWeights<'a> {
    /// The class token, `[w]`.
    pub class: Borrowed<'a>,
    /// Patch filters, flattened: `[w, c * p * p]`.
    pub patches: Borrowed<'a>,
    /// Positions, the class token's first: `[1 + g * g, w]`.
    pub positions: Borrowed<'a>,
    /// The norm behind them.
    pub norm: Norm<'a>,
}

impl EmbeddingWeights<'_> {
    /// Tokens `[b * (1 + g * g), w]` of images or maps `[b, c, side, side]`, of which `grid * patch` places a side count.
    pub fn embed(&self, pixels: &[f32], side: usize, grid: usize, patch: usize) -> Vec<f32> {
        let (width, length, inputs) = (self.class.len(), 1 + grid * grid, self.patches.len() / self.class.len());
        let channels = inputs / (patch * patch);
        let images = pixels.len() / (channels * side * side);
        let [class, filters, positions] = [&self.class[..], &self.patches[..], &self.positions[..]];
        let (gain, bias, epsilon) = (&self.norm.gain[..], &self.norm.bias[..], self.norm.epsilon);
        let one = |image: &[f32], tokens: &mut [f32]| {
            let mut patches = Vec::with_capacity(grid * grid * inputs);
            for row in 0..grid {
                for column in 0..grid {
                    for line in (0..channels * patch).map(|line| (line / patch) * side + row * patch + line % patch) {
                        patches.extend_from_slice(&image[line * side + column * patch..][..patch]);
                    }
                }
            }
            let mut x = positions.to_vec();
            x.iter_mut().zip(class).for_each(|(x, class)| *x += class);
            let left = Rows { values: &patches, stride: inputs };
            let right = Rows { values: filters, stride: inputs };
            product((&mut x[width..], width), left, right, (grid * grid, width, inputs), Onto::Sum, 1);
            layer_norm(&x, gain, bias, epsilon, tokens);
        };
        let mut tokens = vec![0.0; images * length * width];
        let pairs = tokens.par_chunks_exact_mut(length * width).zip(pixels.par_chunks_exact(channels * side * side));
        pairs.for_each(|(tokens, image)| one(image, tokens));
        tokens
    }
}
