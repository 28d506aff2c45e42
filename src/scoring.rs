//! `Score`: how well a proposal fits the words, and what follows from all of them: the status.

use crate::config::AnswerSettings;
use crate::proposals::Proposal;
use candle_core::{DType, Result, Tensor, D};

/// What became of a command on a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// One thing fits.
    Found,
    /// Nothing fits well enough, or nothing was proposed.
    NotFound,
    /// Several things fit nearly equally.
    Ambiguous,
    /// The question could not be answered.
    Error,
}

/// Vectors along the last dimension, brought to unit length; zero stays zero.
///
/// # Errors
/// When the device fails.
pub fn unit(x: &Tensor) -> Result<Tensor> {
    x.broadcast_div(&x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.maximum(1e-12)?)
}

/// Cosine similarity of features `[n, d]` with a text feature `[d]`: `[n]` f32 values in -1..1.
/// A feature of length zero has similarity 0.
///
/// # Errors
/// When the device fails or the shapes disagree.
pub fn similarities(visual: &Tensor, text: &Tensor) -> Result<Vec<f32>> {
    products(&unit(visual)?, &unit(text)?)
}

/// Dot products of features `[n, d]` with a text feature `[d]`, both as long as they come: `[n]` f32. What the
/// authors do for ResNets, where a longer feature scores higher.
///
/// # Errors
/// When the device fails or the shapes disagree.
pub fn products(visual: &Tensor, text: &Tensor) -> Result<Vec<f32>> {
    visual.matmul(&text.unsqueeze(1)?)?.squeeze(1)?.to_dtype(DType::F32)?.to_vec1()
}

/// The best proposal and its lead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// Index of the proposal.
    pub index: usize,
    /// Its score.
    pub score: f32,
    /// Its lead over the best proposal of another thing; `None` when there is no other thing.
    pub margin: Option<f32>,
}

/// Part of the smaller of two proposals that must be shared for both to count as one thing.
const SAME_THING: f32 = 0.6;

/// The proposal with the highest score, ties to the first; `None` without proposals. Scores that are no
/// numbers are never best. A proposal that mostly overlaps the best is the same thing seen otherwise (a
/// part, a rim, a shadow included), not a rival.
pub fn best(scores: &[f32], proposals: &[Proposal]) -> Option<Best> {
    let mut order: Vec<usize> = (0..scores.len()).filter(|i| !scores[*i].is_nan()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let (&index, others) = order.split_first()?;
    let area = |i: usize| proposals[i].mask.area();
    let rival = others.iter().find(|other| {
        let shared = proposals[index].mask.intersection(&proposals[**other].mask);
        (shared as f32) < SAME_THING * area(index).min(area(**other)) as f32
    });
    let margin = rival.map(|rival| scores[index] - scores[*rival]);
    Some(Best { index, score: scores[index], margin })
}

/// The status of the best proposal and the reason for it, in words.
pub fn judge(best: Option<Best>, settings: &AnswerSettings) -> (Status, String) {
    let Some(best) = best else {
        return (Status::NotFound, "no proposals in this frame".into());
    };
    if best.score < settings.min_score {
        let reason = format!("best score {:.3} is below answer.min_score {:.3}", best.score, settings.min_score);
        return (Status::NotFound, reason);
    }
    match best.margin {
        Some(margin) if margin < settings.min_margin => {
            let reason = format!(
                "another thing scores nearly as well: margin {margin:.4} is below answer.min_margin {:.4}",
                settings.min_margin
            );
            (Status::Ambiguous, reason)
        }
        _ => (Status::Found, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::Mask;
    use candle_core::Device;

    fn proposals(rows: &[&str]) -> Vec<Proposal> {
        let mask = |row: &&str| Mask::new(row.len(), 1, row.chars().map(|c| c == '#').collect());
        rows.iter().map(|row| Proposal { mask: mask(row), label: None }).collect()
    }

    #[test]
    fn similarity_is_the_cosine_and_safe_at_zero() {
        let visual = Tensor::new(&[[3.0f32, 4.0], [0.0, 0.0], [-2.0, 0.0]], &Device::Cpu).unwrap();
        let text = Tensor::new(&[5.0f32, 0.0], &Device::Cpu).unwrap();
        let found = similarities(&visual, &text).unwrap();
        assert!((found[0] - 0.6).abs() < 1e-6);
        assert_eq!(found[1..], [0.0, -1.0]);
    }

    #[test]
    fn the_margin_is_over_another_thing_not_over_a_part_of_the_best() {
        let found = best(&[0.5, 0.49, 0.2], &proposals(&["####..", "##....", "....##"])).unwrap();
        assert_eq!(found.index, 0);
        assert!((found.margin.unwrap() - 0.3).abs() < 1e-6);
    }

    #[test]
    fn nan_is_never_best_and_ties_go_to_the_first() {
        let three = proposals(&["#..", ".#.", "..#"]);
        assert_eq!(best(&[f32::NAN, 0.1, 0.1], &three).unwrap().index, 1);
        assert_eq!(best(&[f32::NAN; 3], &three), None);
        assert_eq!(best(&[], &[]), None);
    }

    #[test]
    fn the_status_follows_from_score_and_margin() {
        let settings = AnswerSettings { min_score: 0.3, min_margin: 0.1 };
        let status = |score, margin| judge(Some(Best { index: 0, score, margin }), &settings).0;
        assert_eq!(status(0.5, Some(0.2)), Status::Found);
        assert_eq!(status(0.5, None), Status::Found);
        assert_eq!(status(0.5, Some(0.05)), Status::Ambiguous);
        assert_eq!(status(0.2, Some(0.2)), Status::NotFound);
        let (status, reason) = judge(None, &settings);
        assert_eq!((status, reason.as_str()), (Status::NotFound, "no proposals in this frame"));
    }
}
