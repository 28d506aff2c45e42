//! `Regions`: proposals from the pixels alone, for machines and models without proposal weights.
//!
//! The frame is cut into small patches of even colour; candidates are the joints of several merge trees
//! over them and the pieces that the background leaves over. Candidates found again and again, by several
//! trees and at several reaches, rank first; near copies are dropped.

use super::background;
use super::candidate::{Candidate, SAME};
use super::merge_tree::{self, Affinity};
use super::superpixels::{Superpixel, Superpixels};
use crate::budget::check_budget;
use crate::generator::{FrameInput, ProposalGenerator};
use crate::proposal::Proposal;
use rayon::prelude::*;
use referseg_config::ProposalSettings;
use referseg_files::fingerprint::Fingerprint;
use referseg_files::Result;
use referseg_image::{Frame, Mask, WORD};

/// Raised when the same frame gives other proposals.
const VERSION: u32 = 1;

/// The trees that are grown: by colour, by hue, by edges.
const TREES: [Affinity; 3] = [
    Affinity { lightness: 1.0, contact: 0.3, smallness: 0.2 },
    Affinity { lightness: 0.35, contact: 0.3, smallness: 0.2 },
    Affinity { lightness: 1.0, contact: 0.9, smallness: 0.12 },
];
/// Weight of a merge tree's score against one finding by the background.
const TREE_WEIGHT: f32 = 0.25;
/// Part of its own outline that a candidate may share with the image's edge.
const MOST_BORDER: f32 = 0.35;

/// Candidates that are one, merged into the best of them, their scores added; best first.
fn ranked(mut candidates: Vec<Candidate>, patches: &[Superpixel]) -> Vec<Candidate> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.area.total_cmp(&a.area)));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        match kept.iter_mut().find(|known| known.iou(&candidate, patches) >= SAME) {
            Some(known) => known.score += candidate.score,
            None => kept.push(candidate),
        }
    }
    kept.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.area.total_cmp(&a.area)));
    kept
}

/// The generator, with its limits.
pub struct Regions {
    limit: usize,
    min_area: f32,
    max_area: f32,
}

impl Regions {
    /// A generator with these limits.
    pub fn new(settings: &ProposalSettings) -> Self {
        Regions { limit: settings.limit, min_area: settings.min_area, max_area: settings.max_area }
    }
}

impl ProposalGenerator for Regions {
    fn propose(&mut self, input: &FrameInput) -> Result<Vec<Proposal>> {
        let frame = input.frame;
        check_budget(frame.width(), frame.height(), self.limit)?;
        let superpixels = Superpixels::segment(frame)?;
        let pixels = (superpixels.width * superpixels.height) as f32;
        let of_tree = |tree: &Affinity| {
            let parts = merge_tree::candidates(&superpixels, *tree);
            parts.into_iter().map(|c| Candidate { score: c.score * TREE_WEIGHT, ..c }).collect::<Vec<_>>()
        };
        let (mut candidates, of_trees): (_, Vec<_>) =
            rayon::join(|| background::candidates(&superpixels), || TREES.par_iter().map(of_tree).collect());
        candidates.extend(of_trees.into_iter().flatten());
        candidates.retain(|c| {
            let part = c.area / pixels;
            (self.min_area..=self.max_area).contains(&part) && c.border <= MOST_BORDER * 4.0 * c.area.sqrt()
        });
        let mut ranked = ranked(candidates, &superpixels.patches);
        ranked.truncate(self.limit);
        let best = ranked.first().map_or(1.0, |best| best.score).max(f32::MIN_POSITIVE);
        let proposal = |candidate: Candidate| Proposal {
            quality: candidate.score / best,
            ..Proposal::of_mask(in_image(&candidate, &superpixels, frame))
        };
        let proposals: Vec<Proposal> = ranked.into_par_iter().map(proposal).collect();
        Ok(proposals.into_iter().filter(|proposal| proposal.mask.area() > 0).collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        let settings = format!("{} {} {}", self.limit, self.min_area, self.max_area);
        Fingerprint::of("regions", VERSION, &[&settings])
    }

    fn reconfigure(&mut self, settings: &ProposalSettings) -> bool {
        let same = settings.generator.name == "regions";
        if same {
            *self = Regions::new(settings);
        }
        same
    }
}

/// A candidate's mask in image pixels: each takes the patch of the working pixel that it lies in.
fn in_image(candidate: &Candidate, superpixels: &Superpixels, frame: &Frame) -> Mask {
    let columns: Vec<usize> = (0..frame.width()).map(|x| x * superpixels.width / frame.width()).collect();
    let is_inside = |label: &u32| candidate.patches.contains(*label as usize);
    // rows of one working row are alike
    let (mut known, mut bits) = (usize::MAX, Vec::new());
    Mask::from_rows(frame.width(), frame.height(), |y, row| {
        let working = y * superpixels.height / frame.height();
        if working != known {
            let labels = &superpixels.labels[working * superpixels.width..][..superpixels.width];
            bits.clear();
            bits.resize(row.len(), 0u64);
            let (first, last) = (labels.iter().position(is_inside), labels.iter().rposition(is_inside));
            if let (Some(first), Some(last)) = (first, last) {
                let start = columns.partition_point(|column| *column < first);
                let reached = columns[start..].iter().take_while(|column| **column <= last);
                for (x, column) in (start..).zip(reached) {
                    bits[x / WORD] |= u64::from(is_inside(&labels[*column])) << (x % WORD);
                }
            }
            known = working;
        }
        row.copy_from_slice(&bits);
    })
}
