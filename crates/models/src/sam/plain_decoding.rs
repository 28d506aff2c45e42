//! SAM's mask decoder in candle's operations, all prompts at once: for devices other than the CPU.
//!
//! candle-transformers' own decoder multiplies by a tensor that is not contiguous, which its CUDA backend refuses (0.11).
//! Letters in shapes: `n` prompts, `t` tokens, `p` places of the image, `c` channels.

use super::mask_decoder::{chosen, Attention, Features, Found, MaskDecoder, Perceptron};
use candle_core::{Result, Tensor, D};
use candle_nn::{ops, Module};

impl Attention {
    /// What `queries` (`[n, t, c]`) find where keys are made of `keyed` and values of `valued` (`[n or 1, m, c]`).
    fn attend(&self, heads: usize, queries: &Tensor, keyed: &Tensor, valued: &Tensor) -> Result<Tensor> {
        // [n, m, inside] -> [n, heads, m, depth]
        let split = |x: Tensor| {
            let (n, m, inside) = x.dims3()?;
            x.reshape((n, m, heads, inside / heads))?.transpose(1, 2)?.contiguous()
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
        embedding: &Features,
        places: &Tensor,
        sparse: &Tensor,
        dense: &Tensor,
        multimask: bool,
    ) -> Result<Found> {
        let ((n, _, c), heads) = (sparse.dims3()?, self.sizes.heads);
        let Features { coarse, fine } = embedding;
        let grid = coarse.dim(3)?;
        let rows = |x: &Tensor| x.flatten_from(2)?.transpose(1, 2)?.contiguous(); // [1, p, c]
        let (places, mut keys) = (rows(places)?, rows(&coarse.broadcast_add(dense)?)?);
        let own = self.tokens.unsqueeze(0)?.broadcast_as((n, self.tokens.dim(0)?, c))?;
        let encoded = Tensor::cat(&[&own.contiguous()?, sparse], 1)?;
        let mut tokens = encoded.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            tokens = match index {
                0 => layer.own.attend(heads, &tokens, &tokens, &tokens)?,
                _ => {
                    let placed = (&tokens + &encoded)?;
                    (&tokens + layer.own.attend(heads, &placed, &placed, &tokens)?)?
                }
            };
            tokens = layer.norm1.forward(&tokens)?;
            let placed = keys.broadcast_add(&places)?;
            let found = layer.to_image.attend(heads, &(&tokens + &encoded)?, &placed, &keys)?;
            tokens = layer.norm2.forward(&(&tokens + found)?)?;
            let hidden = layer.lin1.forward(&tokens)?.relu()?;
            tokens = layer.norm3.forward(&(&tokens + layer.lin2.forward(&hidden)?)?)?;
            let keyed = (&tokens + &encoded)?;
            // in the first layer all prompts still share the places
            let placed = placed.broadcast_as((n, grid * grid, c))?.contiguous()?;
            let found = layer.to_tokens.attend(heads, &placed, &keyed, &tokens)?;
            keys = layer.norm4.forward(&keys.broadcast_add(&found)?)?;
        }
        let placed = keys.broadcast_add(&places)?;
        let found = self.last.attend(heads, &(&tokens + &encoded)?, &placed, &keys)?;
        tokens = self.last_norm.forward(&(&tokens + found)?)?;
        let token = |index: usize| tokens.narrow(1, index, 1)?.squeeze(1)?.contiguous();
        let (wanted, is_chosen) = self.wanted(multimask);
        let (first, count) = (wanted.start, wanted.len());
        let behind = usize::from(self.object.is_some());
        let own =
            wanted.map(|mask| self.masks[mask].forward(&token(behind + 1 + mask)?)).collect::<Result<Vec<_>>>()?;
        let low = self.paint(&keys, &Tensor::stack(&own, 1)?, fine.as_ref(), grid)?;
        let quality = self.quality.forward(&token(behind)?)?;
        let Some(object) = &self.object else {
            return Ok(Found { low, quality: quality.narrow(1, first, count)?.contiguous()?, object: None });
        };
        let quality = ops::sigmoid(&quality)?;
        let object = Some(object.forward(&token(0)?)?.squeeze(1)?);
        if !is_chosen {
            return Ok(Found { low, quality: quality.narrow(1, first, count)?.contiguous()?, object });
        }
        let single = low.narrow(1, 0, 1)?.flatten_from(1)?.to_vec2::<f32>()?;
        let chosen = single.iter().zip(quality.to_vec2::<f32>()?).map(|(single, quality)| chosen(single, &quality));
        let (mut lows, mut qualities) = (Vec::new(), Vec::new());
        for (prompt, mask) in chosen.enumerate() {
            lows.push(low.narrow(0, prompt, 1)?.narrow(1, mask, 1)?);
            qualities.push(quality.narrow(0, prompt, 1)?.narrow(1, mask, 1)?);
        }
        Ok(Found { low: Tensor::cat(&lows, 0)?, quality: Tensor::cat(&qualities, 0)?, object })
    }

    /// The logits `[n, masks, 4 g, 4 g]` of masks (`[n, masks, c / 8]`) on places (`[n, p, c]`).
    fn paint(&self, keys: &Tensor, masks: &Tensor, fine: Option<&[Tensor; 2]>, grid: usize) -> Result<Tensor> {
        let (n, p, c) = keys.dims3()?;
        // each place becomes 2x2, and each of these again
        let with = |x: Tensor, which: usize| match fine {
            Some(fine) => x.broadcast_add(&fine[which].unsqueeze(0)?),
            None => Ok(x),
        };
        let doubled = with(self.upscaling1.forward(keys)?.reshape((n, p * 4, c / 4))?, 0)?;
        let doubled = self.upscaling_norm.forward(&doubled)?.gelu_erf()?;
        let pixels = self.upscaling2.forward(&doubled)?.reshape((n, p * 16, c / 8))?;
        let pixels = with(pixels, 1)?.gelu_erf()?;
        let logits = masks.matmul(&pixels.transpose(1, 2)?.contiguous()?)?; // [n, masks, 16 p]
        let count = masks.dim(1)?;
        logits
            .reshape(&[n * count, grid, grid, 2, 2, 2, 2][..])?
            .permute(vec![0, 1, 3, 5, 2, 4, 6])?
            .contiguous()?
            .reshape((n, count, 4 * grid, 4 * grid))
    }
}
