//! `Candidate`: a set of superpixels that may become a proposal.

use super::superpixels::Superpixel;
use fixedbitset::FixedBitSet;

/// Overlap above which two candidates are one.
pub const SAME: f32 = 0.75;

/// A region that may become a proposal.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its patches.
    pub patches: FixedBitSet,
    /// Working pixels.
    pub area: f32,
    /// Working pixels on the image's edge.
    pub border: f32,
    /// Higher is better.
    pub score: f32,
}

impl Candidate {
    /// A candidate without patches, among `count` patches.
    pub fn empty(count: usize) -> Candidate {
        Candidate { patches: FixedBitSet::with_capacity(count), area: 0.0, border: 0.0, score: 1.0 }
    }

    /// Adds a patch.
    pub fn add(&mut self, patch: usize, superpixel: &Superpixel) {
        self.patches.insert(patch);
        self.area += superpixel.area;
        self.border += superpixel.border;
    }

    /// Overlap of two candidates; 0 when their areas alone say that it is below [`SAME`].
    pub fn iou(&self, other: &Candidate, patches: &[Superpixel]) -> f32 {
        if self.area.min(other.area) < SAME * self.area.max(other.area) {
            return 0.0; // can't be the same; the exact value does not matter below that
        }
        let shared: f32 = self.patches.intersection(&other.patches).map(|patch| patches[patch].area).sum();
        shared / (self.area + other.area - shared)
    }
}
