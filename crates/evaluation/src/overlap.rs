//! `Overlap`: how well answers cover the truth: oIoU, mIoU and precision.

use referseg_image::Mask;
use referseg_proposals::Proposal;

/// Pixels of an answer that are right, and pixels of either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct IouCounts {
    /// Pixels of both.
    pub intersection: usize,
    /// Pixels of either.
    pub union: usize,
}

impl IouCounts {
    /// Of an answer and the truth; without an answer the whole truth counts as missed.
    pub fn of(answer: Option<&Mask>, truth: &Mask) -> IouCounts {
        let (intersection, area) = answer.map_or((0, 0), |a| (a.intersection(truth), a.area()));
        IouCounts { intersection, union: truth.area() + area - intersection }
    }

    /// Intersection over union, 0..1; 0 when both are empty.
    pub fn iou(self) -> f64 {
        if self.union == 0 {
            0.0
        } else {
            self.intersection as f64 / self.union as f64
        }
    }
}

/// IoU of two boxes (left, top, right, bottom), 0..1; 0 when they don't meet.
pub fn box_iou(a: [f32; 4], b: [f32; 4]) -> f32 {
    let area = |[left, top, right, bottom]: [f32; 4]| (right - left).max(0.0) * (bottom - top).max(0.0);
    let shared = area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    let either = area(a) + area(b) - shared;
    if either > 0.0 {
        shared / either
    } else {
        0.0
    }
}

/// Overlaps of many answers.
#[derive(Clone, Debug, Default)]
pub struct Overlap(Vec<IouCounts>);

impl Overlap {
    /// Adds an answer.
    pub fn add(&mut self, counts: IouCounts) {
        self.0.push(counts);
    }

    /// Answers.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Mean IoU over expressions, 0..1.
    pub fn mean_iou(&self) -> f64 {
        self.0.iter().map(|counts| counts.iou()).sum::<f64>() / self.0.len().max(1) as f64
    }

    /// Summed intersections over summed unions, 0..1.
    pub fn overall_iou(&self) -> f64 {
        let sum = |part: fn(&IouCounts) -> usize| self.0.iter().map(part).sum::<usize>() as f64;
        sum(|counts| counts.intersection) / sum(|counts| counts.union).max(1.0)
    }

    /// Part of the expressions whose IoU reaches `threshold`, 0..1.
    pub fn precision_at(&self, threshold: f64) -> f64 {
        let right = self.0.iter().filter(|counts| counts.iou() >= threshold).count();
        right as f64 / self.0.len().max(1) as f64
    }
}

/// The proposal that overlaps the truth best.
pub fn oracle<'a>(proposals: &'a [Proposal], truth: &Mask) -> Option<&'a Mask> {
    let masks = proposals.iter().map(|proposal| &proposal.mask);
    masks.max_by(|a, b| a.iou(truth).total_cmp(&b.iou(truth)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(row: &str) -> Mask {
        Mask::drawn(&[row])
    }

    #[test]
    fn boxes_that_only_touch_share_nothing() {
        assert_eq!(box_iou([0.0, 0.0, 2.0, 2.0], [1.0, 0.0, 3.0, 2.0]), 1.0 / 3.0);
        assert_eq!(box_iou([0.0, 0.0, 2.0, 2.0], [2.0, 0.0, 3.0, 2.0]), 0.0);
        assert_eq!(box_iou([1.0; 4], [1.0; 4]), 0.0, "no area");
    }

    #[test]
    fn overlap_follows_the_definitions() {
        let mut overlap = Overlap::default();
        overlap.add(IouCounts::of(Some(&mask("##..")), &mask(".##."))); // 1 of 3
        overlap.add(IouCounts::of(Some(&mask("##..")), &mask("##..")));
        overlap.add(IouCounts::of(None, &mask("#...")));
        assert!((overlap.mean_iou() - (1.0 / 3.0 + 1.0) / 3.0).abs() < 1e-9);
        assert!((overlap.overall_iou() - 3.0 / 6.0).abs() < 1e-9);
        assert!((overlap.precision_at(0.5) - 1.0 / 3.0).abs() < 1e-9);
    }
}
