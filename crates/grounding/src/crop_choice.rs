//! `CropChoice`: which proposals need their crops encoded before an answer is certain enough.
//!
//! A crop costs most of what a proposal costs, and most proposals can't win whatever their crops look like: the masked
//! whole image, the words and the places say so already. So the crops of the most promising are encoded first; how
//! much they changed their proposals' scores tells how much the others' could change; those that would stay behind
//! in any case are left out. What is left out keeps an estimate: its global feature, moved as the crops moved the others'.

/// Proposals of each claim whose crops are encoded first.
const FIRST: usize = 6;
/// Standard deviations of the change by a crop that a proposal is given the benefit of.
const DEVIATIONS: f32 = 2.5;
/// The least standard deviation that is assumed, logits.
const LEAST_DEVIATION: f32 = 0.3;

/// Something that proposals compete for: being meant, being an anchor, being one of those that are counted.
#[derive(Clone, Debug)]
pub struct Claim {
    /// For each proposal how strong its claim is, in logits.
    pub logits: Vec<f32>,
    /// How far behind the strongest a claim may be and still count.
    pub reach: f32,
}

/// The choice under way.
pub struct CropChoice {
    encoded: Vec<bool>,
    /// The claims before the crops that were chosen last.
    before: Vec<Claim>,
    chosen: Vec<usize>,
    /// Sum of squares and number of the changes that crops made.
    changes: (f32, f32),
}

impl CropChoice {
    /// Among `n` proposals, none encoded.
    pub fn new(n: usize) -> CropChoice {
        CropChoice { encoded: vec![false; n], before: Vec::new(), chosen: Vec::new(), changes: (0.0, 0.0) }
    }

    /// The proposals to encode next, by the claims as they stand; none when the rest can't matter.
    pub fn next(&mut self, claims: Vec<Claim>) -> Vec<usize> {
        for (before, now) in self.before.iter().zip(&claims) {
            let change = |i: &usize| now.logits[*i] - before.logits[*i];
            let changes: Vec<f32> = self.chosen.iter().map(change).filter(|change| change.is_finite()).collect();
            // the mean moves the estimates of the others too
            let mean = changes.iter().sum::<f32>() / changes.len().max(1) as f32;
            self.changes.0 += changes.iter().map(|change| (change - mean) * (change - mean)).sum::<f32>();
            self.changes.1 += changes.len() as f32;
        }
        let deviation = (self.changes.0 / self.changes.1.max(1.0)).sqrt().max(LEAST_DEVIATION);
        let mut next = Vec::new();
        for claim in &claims {
            let open: Vec<usize> = (0..self.encoded.len()).filter(|i| !self.encoded[*i]).collect();
            if self.before.is_empty() {
                let mut open = open;
                open.sort_by(|a, b| claim.logits[*b].total_cmp(&claim.logits[*a]).then(a.cmp(b)));
                next.extend(open.into_iter().take(FIRST));
            } else {
                let known = (0..self.encoded.len()).filter(|i| self.encoded[*i]).map(|i| claim.logits[i]);
                let strongest = known.fold(f32::NEG_INFINITY, f32::max);
                let could = |i: &usize| claim.logits[*i] + DEVIATIONS * deviation >= strongest - claim.reach;
                next.extend(open.into_iter().filter(could));
            }
        }
        next.sort_unstable();
        next.dedup();
        next.iter().for_each(|i| self.encoded[*i] = true);
        self.before = claims;
        self.chosen.clone_from(&next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(logits: &[f32]) -> Vec<Claim> {
        vec![Claim { logits: logits.to_vec(), reach: 0.0 }]
    }

    #[test]
    fn proposals_far_behind_are_never_encoded() {
        let mut choice = CropChoice::new(9);
        let logits = [5.0, 4.9, 4.8, 4.7, 4.6, 4.5, 4.4, -3.0, -4.0];
        assert_eq!(choice.next(claim(&logits)), [0, 1, 2, 3, 4, 5]);
        assert_eq!(choice.next(claim(&logits)), [6]);
        assert_eq!(choice.next(claim(&logits)), [0usize; 0]);
    }

    #[test]
    fn the_more_crops_change_the_more_are_encoded() {
        let mut choice = CropChoice::new(9);
        choice.next(claim(&[5.0, 4.9, 4.8, 4.7, 4.6, 4.5, 4.4, -1.0, -9.0]));
        let changed = [1.0, 8.9, 0.8, 8.7, 0.6, 8.5, 4.4, -1.0, -9.0];
        // they changed by 4: 2.5 times that brings the eighth to 9.0, the ninth to 1.0
        assert_eq!(choice.next(claim(&changed)), [6, 7]);
    }

    #[test]
    fn scores_that_are_no_numbers_end_the_choice() {
        let mut choice = CropChoice::new(8);
        assert_eq!(choice.next(claim(&[f32::NAN; 8])).len(), 6);
        assert_eq!(choice.next(claim(&[f32::NAN; 8])), [0usize; 0]);
    }
}
