//! [`softmax`]: scores as probabilities.

/// `exp(value) / sum(exp(values))` of each value; the largest is subtracted first, so that nothing overflows.
pub fn softmax(values: impl IntoIterator<Item = f32>) -> Vec<f32> {
    let mut values: Vec<f32> = values.into_iter().collect();
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in &mut values {
        *value = (*value - largest).exp();
        sum += f64::from(*value);
    }
    values.iter_mut().for_each(|value| *value = (f64::from(*value) / sum) as f32);
    values
}

#[cfg(test)]
mod tests {
    use super::softmax;

    #[test]
    fn probabilities_sum_to_one_however_large_the_scores_are() {
        let even = softmax([1000.0, 1000.0, f32::NEG_INFINITY]);
        assert_eq!(even, [0.5, 0.5, 0.0]);
        let sum: f32 = softmax((0..100).map(|i| i as f32 * 0.1)).iter().sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        assert!(softmax([]).is_empty());
    }
}
