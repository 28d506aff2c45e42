//! `ThingName`: what a thing of a frame is called, by the words of the bank.

use super::encoded::EncodedFrame;
use super::guidance::{things, Appearance, OwnWords};
use super::scorer::Scorer;
use referseg_files::Result;

/// What a thing is called. Its words are those of the bank, whatever the thing is: the probabilities say how well they fit.
#[derive(Clone, Debug, PartialEq)]
pub struct ThingName {
    /// Index of its proposal.
    pub proposal: usize,
    /// The likeliest noun.
    pub noun: String,
    /// Its probability, 0..1.
    pub noun_probability: f32,
    /// The likeliest colour.
    pub colour: String,
    /// Its probability, 0..1.
    pub colour_probability: f32,
}

/// The names of all things of a frame; empty for models without features of single proposals.
///
/// # Errors
/// When the device fails.
pub fn thing_names(scorer: &Scorer, frame: &EncodedFrame) -> Result<Vec<ThingName>> {
    let Some(similarities) = scorer.bank_similarities(frame)? else { return Ok(Vec::new()) };
    let (words, own) = (&scorer.config.words, OwnWords::none());
    let appearance = Appearance::new(similarities, words, &own, scorer.family.logit_scale(), &frame.layout.given);
    let named = things(frame.proposals.len(), &appearance, &frame.layout).into_iter().filter_map(|proposal| {
        let [(noun, noun_probability), (colour, colour_probability)] = appearance.name(proposal)?;
        let (noun, colour) = (words.nouns.get(noun)?.clone(), words.colours.get(colour)?.clone());
        Some(ThingName { proposal, noun, noun_probability, colour, colour_probability })
    });
    Ok(named.collect())
}
