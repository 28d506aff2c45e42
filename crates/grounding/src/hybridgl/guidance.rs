//! HybridGL's guidance: among the likeliest proposals, how their boxes stand to those of the other things that were named,
//! and how well each covers the heat of the phrase (Liu and Li, CVPR 2025; constants from the authors' program).

use super::box_relations::{largest, support, ANCHORS, CANDIDATES};
use super::place_heat::PlaceHeat;
use super::text::HybridText;
use crate::softmax::softmax;
use candle_core::Tensor;
use referseg_files::Result;
use referseg_image::{Mask, Rect};
use referseg_language::{BoxRelation, Direction, SpatialWords};
use referseg_models::tensor_math::{cosine_similarities, dot_products, l2_normalize};
use referseg_proposals::Proposal;

/// Weight of the coherence against the relation.
const COHERENCE: f32 = 0.6;

/// What decides beside the similarity.
pub struct HybridGuidance<'a> {
    /// The relation that is looked for.
    pub relation: BoxRelation,
    /// The direction whose ramp lies over the heat.
    pub direction: Direction,
    /// The proposals.
    pub masks: Vec<&'a Mask>,
    /// How likely each is one of the other things that were named; none when there are none.
    pub others: Option<Vec<f32>>,
    /// Where the image is like the target's phrase.
    pub heat: PlaceHeat,
}

/// The scores of the proposals, `[n]` each.
pub struct HybridScores {
    /// The likeliest, descending by their probability.
    pub candidates: Vec<usize>,
    /// The likeliest other things; empty without others.
    pub anchors: Vec<usize>,
    /// For each candidate, the probability that its relations make.
    pub relation: Vec<f32>,
    /// For each proposal, how well it covers the heat.
    pub coherence: Vec<f32>,
    /// For each candidate, both, weighted.
    pub total: Vec<f32>,
}

/// What a frame and its model give for guidance.
pub struct Seen<'t, 'a> {
    /// The proposals; at least one.
    pub proposals: &'a [Proposal],
    /// Their features, `[n, d]`.
    pub features: &'t Tensor,
    /// The features of the image's places, `[g * g, d]`.
    pub places: &'t Tensor,
    /// Side of the square that the places were seen in, pixels.
    pub places_side: usize,
    /// The factor on cosine similarities that makes them logits.
    pub logit_scale: f32,
}

impl<'a> HybridGuidance<'a> {
    /// Prepares the guidance of a sentence on a frame. `as_published` repeats the authors' program where it is at fault.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(
        seen: &Seen<'_, 'a>,
        spatial: &SpatialWords,
        text: &HybridText,
        as_published: bool,
    ) -> Result<HybridGuidance<'a>> {
        let masks: Vec<&Mask> = seen.proposals.iter().map(|proposal| &proposal.mask).collect();
        let size = masks.first().map_or((0, 0), |mask| (mask.width(), mask.height()));
        let heat = dot_products(&l2_normalize(seen.places)?, &text.phrase)?;
        let others = text.others.as_ref().map(|others| cosine_similarities(seen.features, others)).transpose()?;
        let probabilities = |cosines: Vec<f32>| softmax(cosines.into_iter().map(|cosine| cosine * seen.logit_scale));
        let vertical = matches!(spatial.direction, Direction::Up | Direction::Down);
        Ok(HybridGuidance {
            relation: if as_published { spatial.published_relation } else { spatial.relation },
            direction: if as_published && vertical { Direction::None } else { spatial.direction },
            masks,
            others: others.map(probabilities),
            heat: PlaceHeat::enlarged(&heat, seen.places_side, size)?,
        })
    }

    /// For each proposal, how well it covers the heat of the phrase under the ramp of the direction.
    pub fn coherence(&self) -> Vec<f32> {
        let heat = self.heat.directed(self.direction);
        self.masks.iter().map(|mask| heat.coherence(mask, self.relation)).collect()
    }

    /// Scores proposals whose probabilities by similarity are `p`.
    pub fn scores(&self, p: &[f32]) -> HybridScores {
        let boxes: Vec<Rect> = self.masks.iter().map(|mask| mask.bounding_box().unwrap_or_default()).collect();
        let candidates = largest(p, CANDIDATES);
        let anchors = self.others.as_ref().map(|q| largest(q, ANCHORS)).unwrap_or_default();
        let supported = match &self.others {
            Some(q) => support(self.relation, &boxes, &candidates, p, &anchors, q),
            None => support(self.relation, &boxes, &candidates, p, &candidates, p),
        };
        let relation = softmax(supported);
        let coherence = self.coherence();
        let total = candidates.iter().zip(&relation);
        let total = total.map(|(i, relation)| (1.0 - COHERENCE) * relation + COHERENCE * coherence[*i]).collect();
        HybridScores { candidates, anchors, relation, coherence, total }
    }
}

impl HybridScores {
    /// A score for each proposal: the candidates' totals, and below all of them the others, in the order of `p`.
    pub fn ranked(&self, p: &[f32]) -> Vec<f32> {
        let lowest = self.total.iter().copied().fold(f32::MAX, f32::min);
        let mut scores: Vec<f32> = p.iter().map(|p| lowest - 1.0 + p).collect();
        for (candidate, total) in self.candidates.iter().zip(&self.total) {
            scores[*candidate] = *total;
        }
        scores
    }
}
