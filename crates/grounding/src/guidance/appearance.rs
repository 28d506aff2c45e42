//! `Appearance`: what each proposal looks like, as probabilities of nouns and colours.

use super::vocabulary::{colour_number, look_up, NounIs, OwnWords};
use crate::softmax::softmax;
use referseg_config::WordSettings;
use referseg_language::Description;

/// Probabilities of the bank's words for each proposal.
pub struct Appearance<'a> {
    settings: &'a WordSettings,
    own: &'a OwnWords,
    scale: f32,
    /// Cosine similarities, `[n]` rows of the bank's words and the command's own.
    similarities: Vec<Vec<f32>>,
    /// `[n]` rows over nouns and, behind them, what is no thing.
    nouns: Vec<Vec<f32>>,
    /// `[n]` rows over colours.
    colours: Vec<Vec<f32>>,
    /// For each proposal whether it is a thing for certain.
    given: Vec<bool>,
}

/// Whether one noun is the head of the other, which then does not compete with it: "mug" and "coffee mug", not "apple" and
/// "pineapple".
fn is_kind_of(a: &str, b: &str) -> bool {
    let heads = |whole: &str, head: &str| {
        whole.strip_suffix(head).is_some_and(|before| before.is_empty() || before.ends_with([' ', '-']))
    };
    heads(a, b) || heads(b, a)
}

impl<'a> Appearance<'a> {
    /// Turns similarities into probabilities; `scale` is the model's factor on them. A proposal that was `given` is a thing.
    pub fn new(
        similarities: Vec<Vec<f32>>,
        settings: &'a WordSettings,
        own: &'a OwnWords,
        scale: f32,
        given: &[bool],
    ) -> Self {
        let (nouns, colours) = (settings.nouns.len(), settings.colours.len());
        let bank = nouns + colours + settings.nothing.len();
        let of_nouns = |(row, is_given): (&Vec<f32>, &bool)| {
            let nothing = row[nouns + colours..bank].iter().map(|similarity| scale * similarity);
            let nothing = nothing.map(|logit| if *is_given { f32::NEG_INFINITY } else { logit });
            softmax(row[..nouns].iter().map(|similarity| scale * similarity).chain(nothing))
        };
        let of_colours = |row: &Vec<f32>| softmax(row[nouns..nouns + colours].iter().map(|s| scale * s));
        let (of_nouns, of_colours) =
            (similarities.iter().zip(given).map(of_nouns).collect(), similarities.iter().map(of_colours).collect());
        Appearance { settings, own, scale, similarities, nouns: of_nouns, colours: of_colours, given: given.to_vec() }
    }

    /// How surely a proposal is a thing rather than a part, a group or background, 0..1.
    pub fn thing(&self, i: usize) -> f32 {
        self.nouns[i][..self.settings.nouns.len()].iter().sum()
    }

    /// The likeliest noun and colour of the bank for a proposal, by number, each with its probability; `None` for features that are no numbers.
    pub fn name(&self, i: usize) -> Option<[(usize, f32); 2]> {
        let likeliest = |row: &[f32]| {
            let best = (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b]))?;
            (!row[best].is_nan()).then(|| (best, row[best]))
        };
        Some([likeliest(&self.nouns[i][..self.settings.nouns.len()])?, likeliest(&self.colours[i])?])
    }

    /// How surely a proposal is what a noun says, 0..1.
    pub fn noun(&self, i: usize, noun: &str) -> f32 {
        match look_up(noun, self.settings) {
            NounIs::InBank(numbers) => numbers.iter().map(|number| self.nouns[i][*number]).sum(),
            NounIs::Colour(number) => self.thing(i) * self.colours[i][number],
            NounIs::Unknown => 0.0,
            NounIs::Own(text) => {
                let Some(column) = self.own.column(text, self.settings) else { return 0.0 };
                let row = &self.similarities[i];
                let rivals = self.settings.nouns.iter().zip(row).filter(|(word, _)| !is_kind_of(word, text));
                let from = self.settings.nouns.len() + self.settings.colours.len();
                let nothing = if self.given[i] { &[][..] } else { &row[from..from + self.settings.nothing.len()] };
                let rows = [row[column]].into_iter().chain(rivals.map(|(_, s)| *s)).chain(nothing.iter().copied());
                softmax(rows.map(|similarity| self.scale * similarity))[0]
            }
        }
    }

    /// How surely a proposal looks as an attribute says, 0..1; `noun` is what it describes.
    pub fn attribute(&self, i: usize, attribute: &str, noun: Option<&str>) -> f32 {
        if let Some((first, second)) = attribute.split_once(" or ") {
            let misfit = |look: &str| 1.0 - self.attribute(i, look, noun);
            return 1.0 - misfit(first) * misfit(second);
        }
        if let Some(number) = colour_number(attribute, self.settings) {
            return self.colours[i][number];
        }
        let noun = noun.unwrap_or("thing");
        self.contrast(i, &format!("{attribute} {noun}"), noun)
    }

    /// How much better a text fits than the same without a word, 0..1; 1 where the model knows neither.
    fn contrast(&self, i: usize, with: &str, without: &str) -> f32 {
        let (with, without) = (self.own.column(with, self.settings), self.own.column(without, self.settings));
        let (Some(with), Some(without)) = (with, without) else { return 1.0 };
        let row = &self.similarities[i];
        1.0 / (1.0 + (self.scale * (row[without] - row[with])).exp())
    }

    /// How surely a proposal looks as a description says: its noun, attributes and details, 0..1.
    pub fn look(&self, i: usize, description: &Description) -> f32 {
        let noun = description.noun.as_deref();
        let kind = noun.map_or_else(|| self.thing(i), |noun| self.noun(i, noun));
        self.described(i, description, kind)
    }

    /// How surely a proposal that is with probability `fit` of the kind meant looks as the attributes and details of a description say, 0..1.
    pub fn described(&self, i: usize, description: &Description, mut fit: f32) -> f32 {
        let noun = description.noun.as_deref();
        for attribute in &description.attributes {
            fit *= self.attribute(i, attribute, noun);
        }
        for detail in &description.details {
            let noun = noun.unwrap_or("thing");
            fit *= self.contrast(i, &format!("{noun} {detail}"), noun);
        }
        fit
    }

    /// [`Appearance::look`] of all proposals.
    pub fn looks(&self, description: &Description) -> Vec<f32> {
        (0..self.nouns.len()).map(|i| self.look(i, description)).collect()
    }

    /// How surely two proposals have the same colour, 0..1.
    pub fn same_colour(&self, i: usize, j: usize) -> f32 {
        self.colours[i].iter().zip(&self.colours[j]).map(|(a, b)| a * b).sum()
    }

    /// How surely two proposals are things of one kind, 0..1.
    pub fn same_kind(&self, i: usize, j: usize) -> f32 {
        let nouns = self.settings.nouns.len();
        self.nouns[i][..nouns].iter().zip(&self.nouns[j]).map(|(a, b)| a * b).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_that_somebody_gives_is_a_thing_and_one_of_a_generator_may_be_none() {
        let settings = WordSettings {
            template: "{}".into(),
            closed: true,
            nouns: vec!["mug".into(), "drill".into()],
            colours: vec!["red".into()],
            nothing: vec!["background".into()],
            synonyms: std::collections::BTreeMap::default(),
        };
        let own = OwnWords::none();
        let row = vec![0.2, 0.1, 0.0, 0.9]; // mug, drill, red, background
        let appearance = Appearance::new(vec![row.clone(), row], &settings, &own, 10.0, &[true, false]);
        assert!(appearance.thing(0) > 0.999 && appearance.thing(1) < 0.01);
        assert!(appearance.noun(0, "mug") > 0.7, "{}", appearance.noun(0, "mug"));
    }
}
