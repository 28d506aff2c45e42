//! `Regions`: proposals from the pixels alone, for machines and models without proposal weights.
//!
//! The frame is cut into small patches of even colour; candidates are the joints of several merge trees
//! over them and the pieces that the background leaves over. Candidates found again and again, by several
//! trees and at several reaches, rank first; near copies are dropped.

mod background;
mod merge_tree;
mod superpixels;

use super::{Proposal, ProposeMasks};
use crate::config::ProposalSettings;
use crate::error::Result;
use crate::frame::Frame;
use crate::mask::Mask;
use merge_tree::Likeness;
use superpixels::{Superpixel, Superpixels};

/// The trees that are grown: by colour, by hue, by edges.
const TREES: [Likeness; 3] = [
    Likeness { lightness: 1.0, contact: 0.3, smallness: 0.2 },
    Likeness { lightness: 0.35, contact: 0.3, smallness: 0.2 },
    Likeness { lightness: 1.0, contact: 0.9, smallness: 0.12 },
];
/// Overlap above which two candidates are one.
const SAME: f32 = 0.75;
/// Weight of a merge tree's score against one finding by the background.
const TREE_WEIGHT: f32 = 0.25;
/// Part of its own outline that a candidate may share with the picture's edge.
const MOST_BORDER: f32 = 0.35;

/// A set of patches.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PatchSet(Vec<u64>);

impl PatchSet {
    fn empty(count: usize) -> PatchSet {
        PatchSet(vec![0; count.div_ceil(64)])
    }

    fn single(count: usize, patch: usize) -> PatchSet {
        let mut set = PatchSet::empty(count);
        set.insert(patch);
        set
    }

    fn insert(&mut self, patch: usize) {
        self.0[patch / 64] |= 1 << (patch % 64);
    }

    fn contains(&self, patch: usize) -> bool {
        self.0[patch / 64] >> (patch % 64) & 1 == 1
    }

    fn union(&self, other: &PatchSet) -> PatchSet {
        PatchSet(self.0.iter().zip(&other.0).map(|(a, b)| a | b).collect())
    }

    /// Summed area of the patches in both sets.
    fn shared_area(&self, other: &PatchSet, patches: &[Superpixel]) -> f32 {
        let mut area = 0.0;
        for (word, (a, b)) in self.0.iter().zip(&other.0).enumerate() {
            let mut both = a & b;
            while both != 0 {
                area += patches[word * 64 + both.trailing_zeros() as usize].area;
                both &= both - 1;
            }
        }
        area
    }
}

/// A region that may become a proposal.
#[derive(Clone, Debug)]
struct Candidate {
    patches: PatchSet,
    /// Working pixels.
    area: f32,
    /// Working pixels on the picture's edge.
    border: f32,
    /// Higher is better.
    score: f32,
}

impl Candidate {
    fn empty(count: usize) -> Candidate {
        Candidate { patches: PatchSet::empty(count), area: 0.0, border: 0.0, score: 1.0 }
    }

    fn add(&mut self, patch: usize, superpixel: &Superpixel) {
        self.patches.insert(patch);
        self.area += superpixel.area;
        self.border += superpixel.border;
    }

    fn iou(&self, other: &Candidate, patches: &[Superpixel]) -> f32 {
        if self.area.min(other.area) < SAME * self.area.max(other.area) {
            return 0.0; // can't be the same; the exact value does not matter below that
        }
        let shared = self.patches.shared_area(&other.patches, patches);
        shared / (self.area + other.area - shared)
    }
}

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

impl ProposeMasks for Regions {
    fn propose(&mut self, frame: &Frame) -> Result<Vec<Proposal>> {
        let cut = Superpixels::cut(frame);
        let picture = (cut.width * cut.height) as f32;
        let mut candidates = background::candidates(&cut);
        for tree in TREES {
            let of_tree = merge_tree::candidates(&cut, tree);
            candidates.extend(of_tree.into_iter().map(|c| Candidate { score: c.score * TREE_WEIGHT, ..c }));
        }
        candidates.retain(|c| {
            let part = c.area / picture;
            (self.min_area..=self.max_area).contains(&part) && c.border <= MOST_BORDER * 4.0 * c.area.sqrt()
        });
        let mut kept = ranked(candidates, &cut.patches);
        kept.truncate(self.limit);
        let proposal = |candidate: Candidate| Proposal { mask: in_image(&candidate, &cut, frame), label: None };
        Ok(kept.into_iter().map(proposal).filter(|proposal| proposal.mask.area() > 0).collect())
    }
}

/// A candidate's mask in image pixels: each takes the patch of the working pixel that it lies in.
fn in_image(candidate: &Candidate, cut: &Superpixels, frame: &Frame) -> Mask {
    let member: Vec<bool> = (0..cut.patches.len()).map(|patch| candidate.patches.contains(patch)).collect();
    let columns: Vec<usize> = (0..frame.width()).map(|x| x * cut.width / frame.width()).collect();
    let mut inside = Vec::with_capacity(frame.width() * frame.height());
    for y in 0..frame.height() {
        let row = &cut.labels[y * cut.height / frame.height() * cut.width..][..cut.width];
        inside.extend(columns.iter().map(|x| member[row[*x] as usize]));
    }
    Mask::new(frame.width(), frame.height(), inside)
}
