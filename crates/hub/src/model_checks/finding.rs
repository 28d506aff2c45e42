//! `Finding`: one thing that a check looked at.

use crate::Published;
use candle_core::DType;

/// What another may be farther away in 16 bits, as a part of the value's range.
const HALF_PRECISION: f32 = 0.005;

/// What was checked, and the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is, for people.
    pub what: String,
    /// What it should be, where that is a number.
    pub expected: Option<f32>,
    /// What it is.
    pub got: f32,
    /// Whether that will do.
    pub passed: bool,
}

impl Finding {
    /// A value that should be another, give or take `tolerance`.
    pub fn near(what: String, expected: f32, got: f32, tolerance: f32) -> Finding {
        // not a number is not near
        Finding { what, expected: Some(expected), got, passed: (got - expected).abs() <= tolerance }
    }

    /// A value that should be `least` or more.
    pub fn at_least(what: String, least: f32, got: f32) -> Finding {
        Finding { what, expected: None, got, passed: got >= least }
    }

    /// How far the value is from the expected one.
    pub fn difference(&self) -> Option<f32> {
        self.expected.map(|expected| (self.got - expected).abs())
    }
}

/// How far a value of this type may be from a published one; `range` is what its kind of value spans.
pub fn tolerance(published: &Published, dtype: DType, range: f32) -> f32 {
    match dtype {
        DType::F32 => published.tolerance,
        _ => published.tolerance + HALF_PRECISION * range,
    }
}

/// Whether a check found something and nothing wrong.
pub fn all_passed(findings: &[Finding]) -> bool {
    !findings.is_empty() && findings.iter().all(|finding| finding.passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_passes_nowhere() {
        assert!(Finding::near("a".into(), 1.0, 1.01, 0.02).passed);
        assert!(!Finding::near("a".into(), 1.0, f32::NAN, 0.02).passed);
        assert!(!Finding::at_least("a".into(), 0.5, f32::NAN).passed);
        assert!(!all_passed(&[]), "nothing looked at is nothing proven");
    }
}
