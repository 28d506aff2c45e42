//! SAM's mask decoder in candle's operations, all prompts at once: for devices other than the CPU.
//!
//! candle-transformers' own decoder multiplies by a tensor that is not contiguous, which its CUDA backend refuses (0.11).
//! Letters in shapes: `n` prompts, `t` tokens, `p` places of the image, `c` channels.

use super::mask_decoder::{Attention, MaskDecoder, Perceptron};
use super::prompt_decoding::HEADS;
use candle_core::{Result, Tensor, D};
use candle_nn::{ops, Module};

impl Attention {
    /// What `queries` (`[n, t, c]`) find where keys are made of `keyed` and values of `valued` (`[n or 1, m, c]`).
    fn attend(&self, queries: &Tensor, keyed: &Tensor, valued: &Tensor) -> Result<Tensor> {
        // [n, m, inside] -> [n, heads, m, depth]
        let split = |x: Tensor| {
            let (n, m, inside) = x.dims3()?;
            x.reshape((n, m, HEADS, inside / HEADS))?.transpose(1, 2)?.contiguous()
        };
        let (q, k, v) =
            (split(self.q.forward(queries)?)?, split(self.k.forward(keyed)?)?, split(self.v.forward(valued)?)?);
        let scale = (q.dim(D::Minus1)? as f64).powf(-0.5);
        let logits = (q.broadcast_matmul(&k.transpose(D::Minus1, D::Minus2)?.contiguous()?)? * scale)?;
        let found = ops::softmax_last_dim(&logits)?.broadcast_matmul(&v)?;
        self.out.forward(&found.transpose(1, 2)?.flatten_from(2)?.contiguous()?)
    }
}

impl Perceptron {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        for (index, layer) in self.0.iter().enumerate() {
            x = layer.forward(&x)?;
            if index + 1 < self.0.len() {
                x = x.relu()?;
            }
        }
        Ok(x)
    }
}

impl MaskDecoder {
    /// As [`MaskDecoder::forward`].
    pub(super) fn plain(
        &self,
        embedding: &Tensor,
        places: &Tensor,
        sparse: &Tensor,
        dense: &Tensor,
        multimask: bool,
    ) -> Result<(Tensor, Tensor)> {
        let (n, _, c) = sparse.dims3()?;
        let grid = embedding.dim(3)?;
        let rows = |x: &Tensor| x.flatten_from(2)?.transpose(1, 2)?.contiguous(); // [1, p, c]
        let (places, mut keys) = (rows(places)?, rows(&embedding.broadcast_add(dense)?)?);
        let own = self.tokens.unsqueeze(0)?.broadcast_as((n, self.tokens.dim(0)?, c))?;
        let encoded = Tensor::cat(&[&own.contiguous()?, sparse], 1)?;
        let mut tokens = encoded.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            tokens = match index {
                0 => layer.own.attend(&tokens, &tokens, &tokens)?,
                _ => {
                    let placed = (&tokens + &encoded)?;
                    (&tokens + layer.own.attend(&placed, &placed, &tokens)?)?
                }
            };
            tokens = layer.norm1.forward(&tokens)?;
            let placed = keys.broadcast_add(&places)?;
            let found = layer.to_image.attend(&(&tokens + &encoded)?, &placed, &keys)?;
            tokens = layer.norm2.forward(&(&tokens + found)?)?;
            let hidden = layer.lin1.forward(&tokens)?.relu()?;
            tokens = layer.norm3.forward(&(&tokens + layer.lin2.forward(&hidden)?)?)?;
            let keyed = (&tokens + &encoded)?;
            // in the first layer all prompts still share the places
            let placed = placed.broadcast_as((n, grid * grid, c))?.contiguous()?;
            let found = layer.to_tokens.attend(&placed, &keyed, &tokens)?;
            keys = layer.norm4.forward(&keys.broadcast_add(&found)?)?;
        }
        let placed = keys.broadcast_add(&places)?;
        let found = self.last.attend(&(&tokens + &encoded)?, &placed, &keys)?;
        tokens = self.last_norm.forward(&(&tokens + found)?)?;
        let token = |index: usize| tokens.narrow(1, index, 1)?.squeeze(1)?.contiguous();
        let wanted = if multimask { 1..self.masks.len() } else { 0..1 };
        let (first, count) = (wanted.start, wanted.len());
        let own = wanted.map(|mask| self.masks[mask].forward(&token(1 + mask)?)).collect::<Result<Vec<_>>>()?;
        let low = self.paint(&keys, &Tensor::stack(&own, 1)?, grid)?;
        let quality = self.quality.forward(&token(0)?)?.narrow(1, first, count)?.contiguous()?;
        Ok((low, quality))
    }

    /// The logits `[n, masks, 4 g, 4 g]` of masks (`[n, masks, c / 8]`) on places (`[n, p, c]`).
    fn paint(&self, keys: &Tensor, masks: &Tensor, grid: usize) -> Result<Tensor> {
        let (n, p, c) = keys.dims3()?;
        // each place becomes 2x2, and each of these again
        let doubled = self.upscaling1.forward(keys)?.reshape((n, p * 4, c / 4))?;
        let doubled = self.upscaling_norm.forward(&doubled)?.gelu_erf()?;
        let pixels = self.upscaling2.forward(&doubled)?.reshape((n, p * 16, c / 8))?.gelu_erf()?;
        let logits = masks.matmul(&pixels.transpose(1, 2)?.contiguous()?)?; // [n, masks, 16 p]
        let count = masks.dim(1)?;
        logits
            .reshape(&[n * count, grid, grid, 2, 2, 2, 2][..])?
            .permute(vec![0, 1, 3, 5, 2, 4, 6])?
            .contiguous()?
            .reshape((n, count, 4 * grid, 4 * grid))
    }
}
