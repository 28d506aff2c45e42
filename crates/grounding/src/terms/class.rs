//! The class term: how well a detector's own name for a proposal fits the noun that was said.

use super::term::{ScoringTerm, TermInput};
use referseg_config::{Config, Guidance, WordSettings, TOPIC};
use referseg_files::Result;
use referseg_image::DetectedClass;

/// The least probability: a detector that is sure may still be wrong, or have another word for it.
const LEAST: f32 = 0.05;

/// The detector's name against the noun.
pub struct Class;

/// Whether two words name one kind of thing: the same word, the last of several (`coffee mug`), or synonyms.
fn alike(noun: &str, class: &str, words: &WordSettings) -> bool {
    let plain = |word: &str| word.to_lowercase().replace(['_', '-'], " ");
    let (noun, class) = (plain(noun), plain(class));
    let same = |a: &str, b: &str| a == b || a.rsplit(' ').next() == Some(b) || b.rsplit(' ').next() == Some(a);
    let listed = |word: &str, other: &str| {
        words.synonyms.get(word).is_some_and(|others| others.iter().any(|one| same(one, other)))
    };
    same(&noun, &class) || listed(&noun, &class) || listed(&class, &noun)
}

/// How probable it is that something is what `noun` says, in the eyes of its detector; 1 where it says nothing.
fn probability(noun: Option<&str>, class: Option<&DetectedClass>, words: &WordSettings) -> f32 {
    let (Some(noun), Some(DetectedClass { name, score })) = (noun, class) else { return 1.0 };
    let score = if score.is_finite() { score.clamp(0.0, 1.0) } else { 0.0 };
    let fitting = if alike(noun, name, words) { score } else { 1.0 - score };
    fitting.max(LEAST)
}

impl ScoringTerm for Class {
    fn name(&self) -> &'static str {
        "class"
    }

    fn version(&self) -> u32 {
        1
    }

    fn weight(&self, config: &Config) -> f32 {
        // no other generator gives names
        if config.proposals.generator.name == TOPIC {
            config.terms.class
        } else {
            0.0
        }
    }

    fn scores(&self, input: &TermInput) -> Result<Vec<f32>> {
        let TermInput { frame, command, config, family, .. } = input;
        let scale = match config.guidance_in_force() {
            Guidance::Full => 1.0,
            Guidance::None | Guidance::HybridGl => family.logit_scale(),
        };
        let noun = command.parsed.target.noun.as_deref();
        let score = |class| probability(noun, class, &config.words).ln() / scale;
        Ok(frame.proposals.iter().map(|proposal| score(proposal.class.as_ref())).collect())
    }

    fn settings(&self, config: &Config) -> String {
        format!("{:?}", config.words.synonyms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detectors_name_counts_as_far_as_it_is_sure_and_fits_the_noun() {
        let words = Config::from_layers(&[]).unwrap().words;
        let mut words = WordSettings { synonyms: Default::default(), ..words };
        words.synonyms.insert("mug".into(), vec!["cup".into()]);
        let seen = |name: &str, score: f32| DetectedClass { name: name.into(), score };
        let judged = |noun: Option<&str>, class: &DetectedClass| probability(noun, Some(class), &words);
        assert_eq!(judged(Some("cup"), &seen("cup", 0.9)), 0.9);
        assert_eq!(judged(Some("mug"), &seen("Cup", 0.9)), 0.9, "a synonym");
        assert_eq!(judged(Some("cup"), &seen("wine_glass", 0.75)), 0.25);
        assert_eq!(judged(Some("glass"), &seen("wine_glass", 0.75)), 0.75, "its last word");
        assert_eq!(judged(Some("cup"), &seen("dog", 1.0)), LEAST);
        assert_eq!(judged(None, &seen("dog", 1.0)), 1.0, "no noun was said");
        assert_eq!(probability(Some("cup"), None, &words), 1.0, "the detector says nothing");
        assert_eq!(judged(Some("cup"), &seen("cup", f32::NAN)), LEAST);
    }
}
