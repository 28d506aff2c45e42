//! `Thresholds`: how much may change between two recordings of answers, for CI.

use super::compare::{Change, Comparison, Tolerance};
use crate::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// How much may change. Shares are of all answers, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Smallest IoU of two masks that count as the same.
    pub min_iou: f32,
    /// Largest distance of the boxes' sides of two answers that count as the same, pixels.
    pub box_tolerance: usize,
    /// Largest share of answers that are different in any way.
    pub max_different: f64,
    /// Largest share of answers whose status is another.
    pub max_status_changes: f64,
    /// Largest share of answers that one of the recordings does not have.
    pub max_missing: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds { min_iou: 0.99, box_tolerance: 1, max_different: 0.0, max_status_changes: 1.0, max_missing: 1.0 }
    }
}

impl Thresholds {
    /// Reads a file: YAML, the fields of this type; those that are left out keep their defaults.
    ///
    /// # Errors
    /// When it can't be read, has another field, or a value is out of range.
    pub fn open(path: &Path) -> Result<Thresholds> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        let refused = |fact: String| Error::config(path.display().to_string(), fact);
        let read: Thresholds = serde_yaml::from_str(&text).map_err(|cause| {
            let fields = "min_iou, box_tolerance, max_different, max_status_changes, max_missing";
            refused(format!("{cause}; expected some of {fields}"))
        })?;
        let shares = [
            ("min_iou", f64::from(read.min_iou)),
            ("max_different", read.max_different),
            ("max_status_changes", read.max_status_changes),
            ("max_missing", read.max_missing),
        ];
        match shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            Some((name, share)) => Err(refused(format!("{name}: {share} is out of range; expected 0 to 1"))),
            None => Ok(read),
        }
    }

    /// How far two answers may be apart.
    pub fn tolerance(&self) -> Tolerance {
        Tolerance { iou: self.min_iou, pixels: self.box_tolerance }
    }

    /// What is beyond the thresholds, in words; empty when nothing is. A recording that is not whole always is.
    pub fn exceeded(&self, found: &Comparison) -> Vec<String> {
        let all = found.pairs.len().max(1) as f64;
        let limits = [
            ("max_different", found.different().count(), self.max_different),
            ("max_status_changes", found.count(Change::Status), self.max_status_changes),
            ("max_missing", found.count(Change::Missing), self.max_missing),
        ];
        let beyond = limits.into_iter().filter(|(_, count, most)| *count as f64 / all > *most);
        let words = |(name, count, most): (&str, usize, f64)| {
            format!("{name}: {count} of {} answers are {:.4}; at most {most}", found.pairs.len(), count as f64 / all)
        };
        let truncated = found.truncations.iter().map(|why| format!("not whole: {why}"));
        beyond.map(words).chain(truncated).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::AnswerPair;

    fn read(text: &str) -> Result<Thresholds> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Thresholds::open(file.path())
    }

    #[test]
    fn a_file_is_checked() {
        let given = read("max_different: 0.1\nmin_iou: 0.8\n").unwrap();
        assert_eq!(given, Thresholds { max_different: 0.1, min_iou: 0.8, ..Default::default() });
        for wrong in ["max_different: 2", "min_iou: .nan", "max_diferent: 0", "[1]", "box_tolerance: -1"] {
            assert!(read(wrong).unwrap_err().to_string().contains("expected"), "{wrong}");
        }
    }

    #[test]
    fn what_exceeds_is_told() {
        let pair = |change| AnswerPair {
            key: (String::new(), 0, String::new(), 0),
            change,
            words: String::new(),
            iou: None,
            scores: [0.0; 2],
            is_worse: false,
        };
        let pairs = [Change::Same, Change::Same, Change::Status, Change::Mask].map(pair).to_vec();
        let found = Comparison { pairs, ..Default::default() };
        let thresholds = Thresholds { max_different: 0.5, max_status_changes: 0.25, ..Default::default() };
        assert!(thresholds.exceeded(&found).is_empty());
        let strict = Thresholds { max_status_changes: 0.2, ..thresholds };
        assert_eq!(strict.exceeded(&found), ["max_status_changes: 1 of 4 answers are 0.2500; at most 0.2"]);
        let cut = Comparison { truncations: vec!["cut".into()], ..Default::default() };
        assert_eq!(thresholds.exceeded(&cut), ["not whole: cut"]);
    }
}
