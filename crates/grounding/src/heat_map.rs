//! Heat maps: two baselines of the paper that score places of the image and not proposals.
//!
//! A text makes a map `[g, g]` over a ResNet's last map; the map is enlarged to the image, and a proposal's
//! score is its mean inside the mask (section 4.1 of the paper).

use candle_core::{Tensor, Var};
use referseg_files::{Error, Result};
use referseg_image::resample::bilinear;
use referseg_image::Rect;
use referseg_models::tensor_math::l2_normalize;
use referseg_models::DenseEncoder;
use referseg_proposals::Proposal;

/// Score Map: the similarity of every place with the text, `[g * g]`. `map`: `[1, w, g, g]`, `text`: `[d]`.
///
/// # Errors
/// When the device fails or the shapes disagree.
pub fn score_map(encoder: &dyn DenseEncoder, map: &Tensor, text: &Tensor) -> Result<Vec<f32>> {
    let places = l2_normalize(&encoder.encode_places(map)?)?;
    Ok(places.matmul(&l2_normalize(text)?.unsqueeze(1)?.to_device(map.device())?)?.flatten_all()?.to_vec1()?)
}

/// Grad-CAM: how much every place of the map speaks for the text, `[g * g]`: the channels of the map, of unit
/// length, weighted by the mean gradient of `scale` times the cosine. The authors derive the negative cosine;
/// here more heat means more likely. Neither the authors nor we cut off what is negative.
///
/// # Errors
/// When the device fails or the shapes disagree.
pub fn grad_cam(encoder: &dyn DenseEncoder, map: &Tensor, text: &Tensor, scale: f32) -> Result<Vec<f32>> {
    let map = Var::from_tensor(&map.detach())?;
    let pooled = l2_normalize(&encoder.pool_map(map.as_tensor())?)?;
    let score =
        (pooled.matmul(&l2_normalize(text)?.unsqueeze(1)?.to_device(map.device())?)?.sum_all()? * f64::from(scale))?;
    let gradients = score.backward()?;
    let gradient = match gradients.get(map.as_tensor()) {
        Some(gradient) => gradient.clone(),
        None => return Err(Error::Computation("the map has no gradient".into())),
    };
    let weights = gradient.mean_keepdim((2, 3))?; // [1, w, 1, 1]
    Ok(encoder.normalize_map(&map.detach())?.broadcast_mul(&weights)?.sum(1)?.flatten_all()?.to_vec1()?)
}

/// The mean of a heat map `[g * g]` inside each proposal, the map enlarged to the image by the four
/// neighbours of each pixel and, if `min_max`, brought to 0..1.
pub fn mean_in_masks(heat: &[f32], min_max: bool, proposals: &[Proposal]) -> Vec<f32> {
    let Some(first) = proposals.first() else { return Vec::new() };
    let grid = (heat.len() as f64).sqrt() as usize;
    let (width, height) = (first.mask.width(), first.mask.height());
    let mut heat = bilinear(Rect::whole(grid, grid), width, height, |x, y| heat[y * grid + x]);
    if min_max {
        let (low, high) = heat.iter().fold((f32::MAX, f32::MIN), |(low, high), h| (low.min(*h), high.max(*h)));
        let range = if high > low { high - low } else { 1.0 };
        heat.iter_mut().for_each(|h| *h = (*h - low) / range);
    }
    let mean = |proposal: &Proposal| {
        let sum: f64 = proposal.mask.inside().map(|(x, y)| f64::from(heat[y * width + x])).sum();
        (sum / proposal.mask.area().max(1) as f64) as f32
    };
    proposals.iter().map(mean).collect()
}
