//! HybridGL's encoder: two pictures of each proposal run through one vision transformer, and in the last blocks the
//! stream of one is added to that of the other (Liu and Li, CVPR 2025; order and constants from the authors' program).
//!
//! The *local* picture is the proposal alone, the *global* picture the whole image, blurred outside the proposal.

use super::vision_transformer::VisionTransformer;
use crate::family::HybridReadout;
use candle_core::{DType, Result, Tensor};

/// How strongly one stream is added to the other (the authors' program).
const ADDED: f64 = 2.0;

impl VisionTransformer {
    /// Features `[n, d]`, not normalised, of the local and the global pictures of `n` proposals (normalised pixels
    /// `[n, 3, s, s]` each), whose masks on the patches are `masks` `[n, g * g]`, 0..1. In the last `joined` blocks the
    /// streams meet; before them they run apart.
    pub fn hybrid_features(
        &self,
        readout: HybridReadout,
        joined: usize,
        [local, global]: [&Tensor; 2],
        masks: &Tensor,
    ) -> Result<Tensor> {
        let [local, global] = [self.tokens_before(joined, local)?, self.tokens_before(joined, global)?];
        let limits = limits(masks)?;
        let from_local = || self.local_readout(joined, &local, &global, masks, &limits);
        let from_global = || self.global_readout(joined, &local, &global, &limits);
        match readout {
            HybridReadout::G2l => from_local(),
            HybridReadout::L2g => from_global(),
            HybridReadout::Sum => from_local()? + from_global()?,
        }
    }

    /// The global stream, seen through the mask, is added to the local one, which is read.
    fn local_readout(
        &self,
        joined: usize,
        local: &Tensor,
        global: &Tensor,
        masks: &Tensor,
        limits: &Tensor,
    ) -> Result<Tensor> {
        let class = Tensor::ones((masks.dim(0)?, 1), masks.dtype(), masks.device())?;
        let keep = (Tensor::cat(&[&class, masks], 1)?.unsqueeze(2)? * ADDED)?; // [n, t, 1]
        let (mut local, mut global) = (local.clone(), global.clone());
        for block in self.last_blocks(joined) {
            local = block.forward(&(&local + global.broadcast_mul(&keep)?)?, None)?;
            global = block.forward(&global, Some(limits))?;
        }
        self.read_out(&local)
    }

    /// The global stream is added, whole, to the local one; the former, limited to the mask, is read.
    fn global_readout(&self, joined: usize, local: &Tensor, global: &Tensor, limits: &Tensor) -> Result<Tensor> {
        let (mut local, mut global) = (local.clone(), global.clone());
        for block in self.last_blocks(joined) {
            global = block.forward(&(&local + (&global * ADDED)?)?, Some(limits))?;
            local = block.forward(&local, None)?;
        }
        self.read_out(&global)
    }
}

/// What is added to the attention logits, `[n, 1, t, t]`: the class token does not see patches whose mask is exactly 0;
/// everything else sees everything.
fn limits(masks: &Tensor) -> Result<Tensor> {
    let (n, patches) = masks.dims2()?;
    let (t, device) = (patches + 1, masks.device());
    let shut = Tensor::full(f32::NEG_INFINITY, (n, patches), device)?;
    let open = Tensor::zeros((n, patches), DType::F32, device)?;
    let patches = masks.ne(0.0)?.where_cond(&open, &shut)?;
    let own = Tensor::zeros((n, 1), DType::F32, device)?;
    let class_row = Tensor::cat(&[own, patches], 1)?.unsqueeze(1)?; // [n, 1, t]
    let others = Tensor::zeros((n, t - 1, t), DType::F32, device)?;
    Tensor::cat(&[class_row, others], 1)?.unsqueeze(1)
}
