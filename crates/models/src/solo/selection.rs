//! The masks of a SOLO's outputs: candidates by score, hard masks, matrix NMS (the authors' `inference_single_image`).

use super::config::SoloConfig;
use super::network::Outputs;
use candle_core::{DType, Result, Tensor};
use rayon::prelude::*;
use referseg_image::Mask;

/// Candidates whose masks are computed at once: bounds the memory of probabilities.
const CHUNK: usize = 128;

/// A cell that may hold an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Its number, through all levels.
    pub cell: usize,
    pub label: usize,
    /// Category score.
    pub score: f32,
    /// The mask must be larger.
    pub stride: usize,
    /// Level, and cell within it.
    level: usize,
    within: usize,
}

/// A candidate with its mask.
pub struct Selected {
    pub candidate: Candidate,
    /// Which of the candidates it is.
    pub index: usize,
    /// Category score times maskness, after suppression.
    pub score: f32,
    /// In pixels of the mask features.
    pub mask: Mask,
}

/// Scores that are no less than their upper, left and upper-left neighbours; others are 0. `[side * side, classes]`, row-major.
pub fn point_nms(scores: &[f32], side: usize, classes: usize) -> Vec<f32> {
    let at = |row: usize, column: usize, class: usize| scores[(row * side + column) * classes + class];
    let mut kept = vec![0.0; scores.len()];
    for row in 0..side {
        for column in 0..side {
            for class in 0..classes {
                let score = at(row, column, class);
                let mut largest = score;
                for (up, left) in [(1, 0), (0, 1), (1, 1)] {
                    if row >= up && column >= left {
                        largest = largest.max(at(row - up, column - left, class));
                    }
                }
                if score >= largest {
                    kept[(row * side + column) * classes + class] = score;
                }
            }
        }
    }
    kept
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The candidates of all levels, by cell and class.
///
/// # Errors
/// When the device fails.
pub fn candidates(outputs: &Outputs, config: &SoloConfig) -> Result<Vec<Candidate>> {
    let (mut all, mut first) = (Vec::new(), 0);
    for (level, logits) in outputs.categories.iter().enumerate() {
        let (cells, classes) = logits.dims2()?;
        let scores: Vec<f32> =
            logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?.into_iter().map(sigmoid).collect();
        let kept = point_nms(&scores, config.grids[level], classes);
        for (at, score) in kept.into_iter().enumerate().filter(|(_, score)| *score > config.score_thr) {
            let (within, label) = (at / classes, at % classes);
            all.push(Candidate { cell: first + within, label, score, stride: config.strides[level], level, within });
        }
        first += cells;
    }
    Ok(all)
}

/// Mask probabilities of candidates, `[n, h * w]`.
///
/// # Errors
/// When the device fails.
pub fn probabilities(outputs: &Outputs, candidates: &[Candidate]) -> Result<Vec<Vec<f32>>> {
    let (_, masks, h, w) = outputs.mask_features.dims4()?;
    let kernels = candidates.iter().map(|one| outputs.kernels[one.level].narrow(0, one.within, 1));
    let kernels = Tensor::cat(&kernels.collect::<Result<Vec<_>>>()?, 0)?;
    let logits = kernels.matmul(&outputs.mask_features.reshape((masks, h * w))?)?.to_dtype(DType::F32)?;
    let mut rows = logits.to_vec2::<f32>()?;
    rows.par_iter_mut().for_each(|row| row.iter_mut().for_each(|value| *value = sigmoid(*value)));
    Ok(rows)
}

/// The hard masks of candidates that are larger than their stride, by falling score times maskness.
///
/// # Errors
/// When the device fails.
pub fn sorted(outputs: &Outputs, candidates: &[Candidate], config: &SoloConfig) -> Result<Vec<Selected>> {
    let (_, _, h, w) = outputs.mask_features.dims4()?;
    let mut selected = Vec::new();
    for (chunk, of_chunk) in candidates.chunks(CHUNK).enumerate() {
        let rows = probabilities(outputs, of_chunk)?;
        let of_row = |(at, row): (usize, &Vec<f32>)| {
            let inside = |value: &f32| *value > config.mask_thr;
            let area = row.iter().filter(|value| inside(value)).count();
            let candidate = of_chunk[at];
            if area <= candidate.stride {
                return None;
            }
            let maskness = row.iter().filter(|value| inside(value)).sum::<f32>() / area as f32;
            let mask = Mask::from_fn(w, h, |x, y| row[y * w + x] > config.mask_thr);
            Some(Selected { candidate, index: chunk * CHUNK + at, score: candidate.score * maskness, mask })
        };
        selected.extend(rows.par_iter().enumerate().filter_map(of_row).collect::<Vec<_>>());
    }
    selected.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.index.cmp(&b.index)));
    selected.truncate(config.nms_pre);
    Ok(selected)
}

/// The factors of matrix NMS (gaussian) for masks by falling score: masks of one class that overlap a better one decay, less so when that one
/// is itself suppressed.
pub fn matrix_nms(selected: &[Selected], sigma: f32) -> Vec<f32> {
    let iou = |i: usize, j: usize| {
        let (one, other) = (&selected[i], &selected[j]);
        if one.candidate.label == other.candidate.label {
            one.mask.iou(&other.mask)
        } else {
            0.0
        }
    };
    // of each: its overlaps with those before it
    let overlaps: Vec<Vec<f32>> =
        (0..selected.len()).into_par_iter().map(|j| (0..j).map(|i| iou(i, j)).collect()).collect();
    let largest: Vec<f32> = overlaps.iter().map(|row| row.iter().copied().fold(0.0, f32::max)).collect();
    let decay = |overlap: f32, compensation: f32| (-sigma * (overlap * overlap - compensation * compensation)).exp();
    // those behind have no overlap with it and decay by 1 or more; only for the best is that what counts
    overlaps
        .iter()
        .map(|row| row.iter().zip(&largest).map(|(overlap, c)| decay(*overlap, *c)).fold(1.0, f32::min))
        .collect()
}

/// The masks that stay, by falling score.
///
/// # Errors
/// When the device fails.
pub fn select(outputs: &Outputs, config: &SoloConfig) -> Result<Vec<Selected>> {
    let candidates = candidates(outputs, config)?;
    let mut selected = sorted(outputs, &candidates, config)?;
    let factors = matrix_nms(&selected, config.nms_sigma);
    selected.iter_mut().zip(factors).for_each(|(one, factor)| one.score *= factor);
    selected.retain(|one| one.score >= config.update_thr);
    selected.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.index.cmp(&b.index)));
    selected.truncate(config.max_per_img);
    Ok(selected)
}
