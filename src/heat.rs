//! Heat maps: two baselines of the paper that score places of the picture and not proposals.
//!
//! A text makes a map `[g, g]` over a ResNet's last map; the map is enlarged to the picture, and a proposal's
//! score is its mean inside the mask (section 4.1 of the paper).

use crate::clip::pixels::{self, Window};
use crate::clip::ResNet;
use crate::proposals::Proposal;
use crate::scoring::unit;
use candle_core::{Result, Tensor, Var};

/// Score Map: the similarity of every place with the text, `[g * g]`. `map`: `[1, w, g, g]`, `text`: `[d]`.
///
/// # Errors
/// When the device fails or the shapes disagree.
pub fn score_map(encoder: &ResNet, map: &Tensor, text: &Tensor) -> Result<Vec<f32>> {
    let places = unit(&encoder.dense(map)?)?;
    places.matmul(&unit(text)?.unsqueeze(1)?)?.flatten_all()?.to_vec1()
}

/// Grad-CAM: how much every place of the map speaks for the text, `[g * g]`: the channels of the map, of unit
/// length, weighted by the mean gradient of `scale` times the cosine. The authors derive the negative cosine;
/// here more heat means more likely. Neither the authors nor we cut off what is negative.
///
/// # Errors
/// When the device fails or the shapes disagree.
pub fn grad_cam(encoder: &ResNet, map: &Tensor, text: &Tensor, scale: f32) -> Result<Vec<f32>> {
    let map = Var::from_tensor(&map.detach())?;
    let pooled = unit(&encoder.pooled(map.as_tensor())?)?;
    let score = (pooled.matmul(&unit(text)?.unsqueeze(1)?)?.sum_all()? * f64::from(scale))?;
    let gradients = score.backward()?;
    let gradient = match gradients.get(map.as_tensor()) {
        Some(gradient) => gradient.clone(),
        None => candle_core::bail!("the map has no gradient"),
    };
    let weights = gradient.mean_keepdim((2, 3))?; // [1, w, 1, 1]
    ResNet::unit_map(&map.detach())?.broadcast_mul(&weights)?.sum(1)?.flatten_all()?.to_vec1()
}

/// The mean of a heat map `[g * g]` inside each proposal, the map enlarged to the picture by the four
/// neighbours of each pixel and, if `stretched`, brought to 0..1.
pub fn inside(heat: &[f32], stretched: bool, proposals: &[Proposal]) -> Vec<f32> {
    let Some(first) = proposals.first() else { return Vec::new() };
    let grid = (heat.len() as f64).sqrt() as usize;
    let window = Window { x: 0, y: 0, width: grid, height: grid };
    let mut heat = pixels::bilinear(grid, window, first.mask.width(), first.mask.height(), |i| heat[i]);
    if stretched {
        let (low, high) = heat.iter().fold((f32::MAX, f32::MIN), |(low, high), h| (low.min(*h), high.max(*h)));
        let range = if high > low { high - low } else { 1.0 };
        heat.iter_mut().for_each(|h| *h = (*h - low) / range);
    }
    let mean = |proposal: &Proposal| {
        let pixels = heat.iter().zip(proposal.mask.pixels()).filter(|(_, inside)| **inside);
        let (sum, count) = pixels.fold((0.0f64, 0u32), |(sum, count), (h, _)| (sum + f64::from(*h), count + 1));
        (sum / f64::from(count.max(1))) as f32
    };
    proposals.iter().map(mean).collect()
}
