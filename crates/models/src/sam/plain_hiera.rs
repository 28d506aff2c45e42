//! SAM 2's image encoder in candle's operations, for devices other than the CPU.

use super::hiera::{Block, Hiera, Pyramid, STAGES, STRIDE};
use candle_core::{Result, Tensor, D};
use candle_nn::{ops, Module};

/// The largest of each 2x2 places of `[n, side, side, w]`.
fn pooled(x: &Tensor) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    x.reshape(&[n, h / 2, 2, w / 2, 2, c][..])?.max(4)?.max(2)?.contiguous()
}

/// Windows `[n, v, v, w]` of `[1, side, side, w]`, zeros behind the last places.
fn windows(x: &Tensor, v: usize) -> Result<Tensor> {
    let (_, side, _, w) = x.dims4()?;
    let across = side.div_ceil(v);
    let padded = x.pad_with_zeros(1, 0, across * v - side)?.pad_with_zeros(2, 0, across * v - side)?;
    let parted = padded.reshape(&[across, v, across, v, w][..])?.permute(vec![0, 2, 1, 3, 4])?.contiguous()?;
    parted.reshape((across * across, v, v, w))
}

/// The reverse of [`windows`].
fn joined(x: &Tensor, side: usize) -> Result<Tensor> {
    let (n, v, _, w) = x.dims4()?;
    let across = n.isqrt();
    let whole = x.reshape(&[across, across, v, v, w][..])?.permute(vec![0, 2, 1, 3, 4])?.contiguous()?;
    let whole = whole.reshape((1, across * v, across * v, w))?;
    whole.narrow(1, 0, side)?.narrow(2, 0, side)?.contiguous()
}

impl Block {
    /// Places `[1, side, side, w]` through the block.
    fn plain(&self, x: &Tensor) -> Result<Tensor> {
        let side = x.dim(1)?;
        let normed = self.norm1.forward(x)?;
        let residual = match &self.skip {
            Some(skip) => skip.forward(&normed)?,
            None => x.clone(),
        };
        let residual = if self.is_pooled { pooled(&residual)? } else { residual };
        let parts = if self.window == 0 { normed } else { windows(&normed, self.window)? };
        let (n, v, _, _) = parts.dims4()?;
        let qkv = self.qkv.forward(&parts)?;
        let width = qkv.dim(3)? / 3;
        let q = qkv.narrow(3, 0, width)?.contiguous()?;
        let q = if self.is_pooled { pooled(&q)? } else { q };
        let out_v = q.dim(1)?;
        // [n, heads, places, depth]
        let split = |x: &Tensor, side: usize| {
            let x = x.reshape((n, side * side, self.heads, width / self.heads))?;
            x.transpose(1, 2)?.contiguous()
        };
        let (q, k) = (split(&q, out_v)?, split(&qkv.narrow(3, width, width)?.contiguous()?, v)?);
        let values = split(&qkv.narrow(3, 2 * width, width)?.contiguous()?, v)?;
        let scale = ((width / self.heads) as f64).powf(-0.5);
        let logits = (q.matmul(&k.transpose(D::Minus1, D::Minus2)?.contiguous()?)? * scale)?;
        let found = ops::softmax_last_dim(&logits)?.matmul(&values)?;
        let found = found.transpose(1, 2)?.contiguous()?.reshape((n, out_v, out_v, width))?;
        let out_side = if self.is_pooled { side / 2 } else { side };
        let found = if self.window == 0 { found } else { joined(&found, out_side)? };
        let x = (residual + self.out.forward(&found)?)?;
        let hidden = self.lin1.forward(&self.norm2.forward(&x)?)?.gelu_erf()?;
        x + self.lin2.forward(&hidden)?
    }
}

impl Hiera {
    /// As [`Hiera::forward`].
    pub(super) fn plain(&self, pixels: &Tensor) -> Result<Pyramid> {
        let side = self.sizes.image_size / STRIDE;
        let patches = pixels.conv2d(&self.patches, 3, STRIDE, 1, 1)?;
        let patches = match self.patch_bias() {
            Some(bias) => patches.broadcast_add(&bias.reshape((1, (), 1, 1))?)?,
            None => patches,
        };
        let positions = self.positions.reshape((1, side, side, ()))?;
        let mut x = (patches.permute((0, 2, 3, 1))?.contiguous()? + positions)?;
        let mut laterals = Vec::new();
        let mut blocks = self.blocks.iter();
        for stage in 0..STAGES {
            for block in blocks.by_ref().take(self.sizes.blocks[stage]) {
                x = block.plain(&x)?;
            }
            laterals.push(self.laterals[stage].forward(&x)?);
        }
        for stage in (0..STAGES - 1).rev().filter(|stage| self.sizes.top_down.contains(stage)) {
            let (_, h, w, c) = laterals[stage + 1].dims4()?;
            let coarse = laterals[stage + 1].reshape(&[1, h, 1, w, 1, c][..])?;
            let coarse = coarse.broadcast_as(&[1, h, 2, w, 2, c][..])?.contiguous()?.reshape((1, 2 * h, 2 * w, c))?;
            laterals[stage] = (&laterals[stage] + coarse)?;
        }
        let [finest, finer, coarse] = [0, 1, 2].map(|stage| laterals[stage].squeeze(0)?.flatten(0, 1));
        Ok([finest?, finer?, coarse?])
    }
}
