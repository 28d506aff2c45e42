//! `Latencies`: how long the last answers took, for diagnostics.

use std::collections::VecDeque;

/// Answers that are remembered.
const KEPT: usize = 1000;

/// The last times of one kind, seconds.
#[derive(Clone, Debug, Default)]
pub struct Latencies(VecDeque<f32>);

impl Latencies {
    /// Adds a time; the oldest is forgotten when [`KEPT`] are known.
    pub fn add(&mut self, seconds: f64) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(seconds as f32);
    }

    /// The time, seconds, that this part (0..1) of the answers took at most; 0 without answers.
    pub fn quantile(&self, part: f64) -> f32 {
        let mut sorted: Vec<f32> = self.0.iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        let at = (sorted.len() as f64 * part).ceil() as usize;
        sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_last_answers() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantile(0.5), 0.0);
        (1..=100).for_each(|hundredths| latencies.add(f64::from(hundredths) / 100.0));
        assert_eq!((latencies.quantile(0.5), latencies.quantile(0.99)), (0.5, 0.99));
        (0..KEPT).for_each(|_| latencies.add(2.0));
        assert_eq!(latencies.quantile(0.0), 2.0);
    }
}
