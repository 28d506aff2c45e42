//! The registry of scoring terms, and their weighted sum.

use super::class::Class;
use super::generic::Generic;
use super::heat::Heat;
use super::meaning::{DESCRIPTION, EXCLUSION, LIKENESS, ORDER, PLACE, RELATION};
use super::quality::Quality;
use super::similarity::{probabilities, Similarity};
use super::term::{ScoringTerm, TermInput};
use crate::softmax::softmax;
use referseg_config::{Config, Guidance};
use referseg_files::fingerprint::Fingerprint;
use referseg_files::Result;

/// What a model with a sigmoid loss thinks of each proposal, listed beside the terms; it is no part of their sum.
pub const PROBABILITY: &str = "probability";

/// Raised when the sum of the same terms is another.
const VERSION: u32 = 1;
/// Raised when HybridGL's guidance gives other scores.
const GUIDANCE_VERSION: u32 = 1;

/// Every term, in the order of their sum.
static TERMS: [&dyn ScoringTerm; 11] =
    [&Similarity, &Generic, &Quality, &Heat, &DESCRIPTION, &PLACE, &ORDER, &RELATION, &EXCLUSION, &LIKENESS, &Class];

/// The scores of all proposals.
pub struct TermScores {
    /// The weighted sums, `[n]`; with full guidance the probabilities whose logarithms they are, with HybridGL's guidance
    /// what that makes of them.
    pub total: Vec<f32>,
    /// Each term's name and scores, `[n]`, before its weight, in the same units; terms of weight 0 are left out. What the
    /// guidance and the model say beside them stands behind.
    pub terms: Vec<(&'static str, Vec<f32>)>,
}

fn weighted(config: &Config) -> impl Iterator<Item = (&'static dyn ScoringTerm, f32)> + '_ {
    TERMS.iter().map(|term| (*term, term.weight(config))).filter(|(_, weight)| *weight != 0.0)
}

/// What the scores depend on beside the features.
pub fn fingerprint(config: &Config) -> Fingerprint {
    let guidance = match config.guidance_in_force() {
        Guidance::HybridGl => format!("hybridgl {} {:?}", GUIDANCE_VERSION, config.hybridgl),
        Guidance::None | Guidance::Full => String::new(),
    };
    let part = |(term, weight): (&'static dyn ScoringTerm, f32)| {
        format!("{} {} {weight} {}", term.name(), term.version(), term.settings(config))
    };
    let parts: Vec<String> = weighted(config).map(part).chain([guidance]).collect();
    Fingerprint::of("terms", VERSION, &parts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Scores the proposals of a frame for a command.
///
/// # Errors
/// When the device fails.
pub fn scores(input: &TermInput) -> Result<TermScores> {
    let TermInput { frame, command, config, family, seen, guided, .. } = *input;
    let mut scored = TermScores { total: vec![0.0; frame.proposals.len()], terms: Vec::new() };
    for (index, (term, weight)) in weighted(config).enumerate() {
        let scores = term.scores(input)?;
        for (total, score) in scored.total.iter_mut().zip(&scores) {
            // the first one as it is: 0.0 + -0.0 would change a sign
            *total = if index == 0 { weight * score } else { *total + weight * score };
        }
        scored.terms.push((term.name(), scores));
    }
    if config.guidance_in_force() == Guidance::HybridGl {
        let p = softmax(scored.total.iter().map(|total| total * family.logit_scale()));
        let guided = frame.hybrid_guidance(command, config, family, input.seen()?)?.scores(&p);
        scored.total = guided.ranked(&p);
        let mut relation = vec![0.0; p.len()];
        for (candidate, value) in guided.candidates.iter().zip(&guided.relation) {
            relation[*candidate] = *value;
        }
        scored.terms.extend([("relation", relation), ("coherence", guided.coherence)]);
    }
    if guided.is_some() {
        // logarithms of probabilities, to be read as probabilities
        scored.total.iter_mut().for_each(|total| *total = total.exp());
        for (_, values) in &mut scored.terms {
            values.iter_mut().for_each(|value| *value = value.exp());
        }
    }
    if let Some(seen) = seen {
        let probabilities = probabilities(seen, command, config, family)?;
        scored.terms.extend(probabilities.map(|values| (PROBABILITY, values)));
    }
    Ok(scored)
}
