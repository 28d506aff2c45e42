//! The decision: the best proposal by its scores, its margin, and the status that follows.

use crate::answer::Status;
use crate::config::AnswerSettings;
use crate::proposals::Proposal;

/// The best proposal and its margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestProposal {
    /// Index of the proposal.
    pub index: usize,
    /// Its score.
    pub score: f32,
    /// Its margin over the best proposal of another thing; `None` when there is no other thing.
    pub margin: Option<f32>,
}

/// Part of the smaller of two proposals that must be shared for both to count as one thing.
const SAME_THING: f32 = 0.6;

/// The proposals by their scores `[n]`, best first, ties in their order; scores that are no numbers are left out.
pub fn best_first(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).filter(|i| !scores[*i].is_nan()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    order
}

/// The proposal with the highest score, ties to the first; `None` without proposals. Scores that are no
/// numbers are never best. A proposal that mostly overlaps the best is the same thing seen otherwise (a
/// part, a rim, a shadow included), not a rival.
pub fn best_proposal(scores: &[f32], proposals: &[Proposal]) -> Option<BestProposal> {
    let order = best_first(scores);
    let (&index, others) = order.split_first()?;
    let area = |i: usize| proposals[i].mask.area();
    let rival = others.iter().find(|other| {
        let shared = proposals[index].mask.intersection(&proposals[**other].mask);
        (shared as f32) < SAME_THING * area(index).min(area(**other)) as f32
    });
    let margin = rival.map(|rival| scores[index] - scores[*rival]);
    Some(BestProposal { index, score: scores[index], margin })
}

/// The status of the best of `proposals` proposals and the reason for it, in words.
pub fn decide_status(best: Option<BestProposal>, proposals: usize, settings: &AnswerSettings) -> (Status, String) {
    let Some(best) = best else {
        if proposals == 0 {
            return (Status::NotFound, "no proposals in this frame".into());
        }
        let reason = format!(
            "none of the {proposals} scores is a number; the model's weights are damaged or do not fit this device"
        );
        return (Status::Error, reason);
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
    use crate::image::drawn;

    fn proposals(rows: &[&str]) -> Vec<Proposal> {
        rows.iter().map(|row| Proposal::of_mask(drawn(&[row]))).collect()
    }

    #[test]
    fn the_margin_is_over_another_thing_not_over_a_part_of_the_best() {
        let found = best_proposal(&[0.5, 0.49, 0.2], &proposals(&["####..", "##....", "....##"])).unwrap();
        assert_eq!(found.index, 0);
        assert!((found.margin.unwrap() - 0.3).abs() < 1e-6);
    }

    #[test]
    fn nan_is_never_best_and_ties_go_to_the_first() {
        let three = proposals(&["#..", ".#.", "..#"]);
        assert_eq!(best_proposal(&[f32::NAN, 0.1, 0.1], &three).unwrap().index, 1);
        assert_eq!(best_proposal(&[f32::NAN; 3], &three), None);
        assert_eq!(best_proposal(&[], &[]), None);
    }

    #[test]
    fn the_status_follows_from_score_and_margin() {
        let settings = AnswerSettings { min_score: 0.3, min_margin: 0.1 };
        let status = |score, margin| decide_status(Some(BestProposal { index: 0, score, margin }), 2, &settings).0;
        assert_eq!(status(0.5, Some(0.2)), Status::Found);
        assert_eq!(status(0.5, None), Status::Found);
        assert_eq!(status(0.5, Some(0.05)), Status::Ambiguous);
        assert_eq!(status(0.2, Some(0.2)), Status::NotFound);
        let (status, reason) = decide_status(None, 0, &settings);
        assert_eq!((status, reason.as_str()), (Status::NotFound, "no proposals in this frame"));
        let (status, reason) = decide_status(best_proposal(&[f32::NAN], &proposals(&["#."])), 1, &settings);
        assert_eq!(status, Status::Error);
        assert!(reason.contains("none of the 1 scores is a number"), "{reason}");
    }
}
