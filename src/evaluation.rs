//! Evaluation on rendered scenes, whose true masks are known (made by `tools/scenes`).

use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::mask::Mask;
use crate::proposals::{Labels, Proposal};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A referring expression of a scene.
#[derive(Clone, Debug, Deserialize)]
pub struct Expression {
    /// The words.
    pub text: String,
    /// attribute, position, relation, superlative, command, absent or ambiguous.
    pub kind: String,
    /// The object meant, as its value in the label image; 0 when there is not exactly one.
    pub target: u32,
}

/// One line of `scenes.jsonl`.
#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    /// Number of the scene, from which its file names are made.
    pub scene: usize,
    /// What is asked about it.
    pub expressions: Vec<Expression>,
}

/// A folder of scenes.
pub struct Scenes {
    folder: PathBuf,
    /// The scenes in order.
    pub records: Vec<Record>,
}

impl Scenes {
    /// Reads `scenes.jsonl` of a folder.
    ///
    /// # Errors
    /// When it can't be read or is something else.
    pub fn open(folder: &Path) -> Result<Scenes> {
        let path = folder.join("scenes.jsonl");
        let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
        let parse = |(number, line): (usize, &str)| {
            serde_json::from_str(line)
                .map_err(|cause| Error::config(format!("{} line {}", path.display(), number + 1), cause.to_string()))
        };
        let records = text.lines().enumerate().map(parse).collect::<Result<_>>()?;
        Ok(Scenes { folder: folder.to_path_buf(), records })
    }

    /// The picture of a scene and the true masks of its objects.
    ///
    /// # Errors
    /// When a file can't be read.
    pub fn load(&self, scene: usize) -> Result<(Frame, Labels)> {
        let frame = Frame::open(&self.folder.join(format!("{scene:06}.png")))?;
        let labels = Labels::open(&self.folder.join(format!("{scene:06}_ids.png")))?;
        Ok((frame, labels))
    }
}

/// Overlap of answers with the truth, summed over expressions (`ris_methods`: oIoU and mIoU).
#[derive(Clone, Debug, Default)]
pub struct Overlap {
    intersection: usize,
    union: usize,
    ious: Vec<f32>,
}

impl Overlap {
    /// Adds an answer; without one the IoU is 0 and the whole truth counts as missed.
    pub fn add(&mut self, answer: Option<&Mask>, truth: &Mask) {
        let (shared, area) = answer.map_or((0, 0), |a| (a.intersection(truth), a.area()));
        let union = truth.area() + area - shared;
        self.intersection += shared;
        self.union += union;
        self.ious.push(if union == 0 { 0.0 } else { shared as f32 / union as f32 });
    }

    /// Mean IoU over expressions, 0..1.
    pub fn mean_iou(&self) -> f32 {
        self.ious.iter().sum::<f32>() / self.ious.len().max(1) as f32
    }

    /// Summed intersections over summed unions, 0..1.
    pub fn overall_iou(&self) -> f32 {
        self.intersection as f32 / self.union.max(1) as f32
    }

    /// Part of the expressions whose IoU reaches `threshold`.
    pub fn precision_at(&self, threshold: f32) -> f32 {
        let right = self.ious.iter().filter(|iou| **iou >= threshold).count();
        right as f32 / self.ious.len().max(1) as f32
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
        Mask::new(row.len(), 1, row.chars().map(|c| c == '#').collect())
    }

    #[test]
    fn overlap_follows_the_definitions() {
        let mut overlap = Overlap::default();
        overlap.add(Some(&mask("##..")), &mask(".##.")); // 1 of 3
        overlap.add(Some(&mask("##..")), &mask("##.."));
        overlap.add(None, &mask("#..."));
        assert!((overlap.mean_iou() - (1.0 / 3.0 + 1.0) / 3.0).abs() < 1e-6);
        assert!((overlap.overall_iou() - 3.0 / 6.0).abs() < 1e-6);
        assert!((overlap.precision_at(0.5) - 1.0 / 3.0).abs() < 1e-6);
    }
}
