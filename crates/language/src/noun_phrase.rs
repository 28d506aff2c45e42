//! Noun phrases: where one ends, by closed-class words and their order.
//!
//! A phrase runs to the first word that can't belong to it, and gives up a trailing word of place ("stove top right" is a
//! stove).

use super::lexicon::*;
use super::parts_of_speech::{can_be_seen, is_colour, is_mostly_verb};
use super::text_words::Words;
use super::word_classes::{is_adjectival, number};
use super::word_forms::is_superlative;

impl Words {
    /// Whether the word can stand inside a phrase that has `nouns` so far.
    fn continues(&self, i: usize, from: usize, nouns: usize) -> bool {
        let (word, next) = (self.at(i), self.at(i + 1));
        if word.is_empty() || self.is_mark(i) {
            return word == ","
                && i > from
                && self.adjective(i - 1)
                && !is(PLACES, self.at(i - 1))
                && self.can_follow(i + 1)
                && self.can_follow(i + 2);
        }
        if i == from && (is(DETERMINERS, word) || is(&["all", "both", "half"], word)) {
            return true;
        }
        let first = i == from || is(DETERMINERS, self.at(i - 1)) && i == from + 1;
        if word == "or" {
            // red or blue mug
            return i > from && is_colour(self.at(i - 1)) && is_colour(next) && self.can_follow(i + 2);
        }
        if word == "and" || word == "but" {
            // black and white cat, small but heavy box
            return i > from
                && self.adjective(i - 1)
                && self.adjective(i + 1)
                && self.can_follow(i + 2)
                && !is(PLACES, self.at(i - 1));
        }
        if nouns > 0
            && (is(COMPARED, word)
                && (next.is_empty()
                    || is(DETERMINERS, next)
                    || is(
                        &[
                            "to", "from", "behind", "above", "under", "next", "in", "of", "on", "left", "right",
                            "back", "away", "up", "down", "me", "us", "you", "and", "by",
                        ],
                        next,
                    )
                    || self.is_mark(i + 1)))
        {
            return false;
        }
        let ordinal = is(&["second", "third", "fourth", "fifth", "last", "2nd", "3rd", "4th", "5th"], word);
        if ordinal && i > from && !is(DETERMINERS, self.at(i - 1)) {
            return false; // glass second from left
        }
        let quantified = i == from + 1 && is(&["all", "both", "half"], self.at(from));
        let far = word == "most" && is(&["distant", "remote", "to", "on", "far", "in"], next);
        if nouns > 0
            && (far
                || is(&["halfway", "midway", "farther", "further", "most"], word) && next != "left" && next != "right")
        {
            return false;
        }
        if nouns > 0
            && (word == "except"
                || word == "rather" && next == "than"
                || word == "excluding"
                || word == "other" && next == "than"
                || word == "minus")
        {
            return false;
        }
        if nouns > 0 && is(DETERMINERS, word) && !quantified {
            return false;
        }
        if nouns > 0 && is_mostly_verb(word) && !can_be_seen(word) {
            return false; // "make the clock say ..."
        }
        if nouns > 0 && next == "than" {
            return false; // "the box smaller than ..."
        }
        let state = is(&["open", "closed", "shut", "ajar"], word) && !self.can_follow(i + 1);
        let measure = word.parse::<f32>().is_ok() && is(MEASURES, next) || self.length_words(i) > 0;
        if nouns > 0 && (state || measure) {
            return false;
        }
        if is(PREPOSITIONS, word) {
            // "next" and "back" may also describe; "inside" and the rest may not
            let describes = is(&["back", "next", "near", "inside", "outside", "top"], word);
            let possessed = i > from && self.at(i - 1).ends_with("'s");
            return describes
                && (nouns == 0 || possessed)
                && next != "to"
                && !is(DETERMINERS, next)
                && self.can_follow(i + 1);
        }
        if is(ENDERS, word) || is(BE, word) {
            // "the can that ...", "the can the ..." but not "the can you gave me"
            let asked = is(SUBJECTS, next) && next != "it";
            let noun = matches!(word, "can" | "closer") && !asked;
            let before = self.at(i.wrapping_sub(1));
            let participle = is(&["eaten", "cut", "made", "held", "lit", "drawn", "hung"], word);
            let described =
                nouns == 0 && i > from && (is(DETERMINERS, before) || self.adjective(i - 1)) || before == "half";
            let after_participle = before.ends_with("ing") || before.ends_with("ed");
            let after_adjective = i > from && self.adjective(i - 1);
            return noun && (nouns > 0 || first || after_adjective || after_participle)
                || participle && i > from && described && self.can_follow(i + 1);
        }
        if word.ends_with("ing") && !is(ING_NOUNS, word) && word.len() > 4 {
            return if nouns == 0 { self.can_follow(i + 1) || first } else { is(ING_HEADS, next) };
        }
        if word.ends_with("ed") && !is(ED_WORDS, word) && !is_adjectival(word) && word.len() > 3 {
            return nouns == 0 || self.adjective(i + 1) && self.can_follow(i + 2);
        }
        if word.ends_with("ly")
            && nouns > 0
            && !is(&["fly", "jelly", "belly", "lily", "family", "butterfly", "trolley"], word)
        {
            return false;
        }
        true
    }

    fn adjective(&self, i: usize) -> bool {
        let word = self.at(i);
        is_adjectival(word)
            || is_superlative(word)
            || word.ends_with("colored")
            || word.ends_with("-ish")
            || word.parse::<u32>().is_ok()
    }

    /// Whether a word that may be part of a phrase stands here.
    pub fn can_follow(&self, i: usize) -> bool {
        let word = self.at(i);
        let stop = is(PREPOSITIONS, word) || is(DETERMINERS, word) || is(BE, word) || word == "and";
        !word.is_empty() && !self.is_mark(i) && !stop && (!is(ENDERS, word) || word == "can")
    }

    /// How many words the length that stands here has: one in "10cm", two in "0.5 m"; 0 when none does.
    pub fn length_words(&self, i: usize) -> usize {
        let (word, next) = (self.at(i), self.at(i + 1));
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        if unit.len() < word.len() && is(UNITS, unit) {
            1
        } else if word.parse::<f32>().is_ok() && is(UNITS, next)
            || (word == "a" || number(word).is_some())
                && is(STEPS, next)
                && is(
                    &[
                        "to", "towards", "left", "right", "forward", "forwards", "back", "backward", "up", "down",
                        "away",
                    ],
                    self.at(i + 2),
                )
        {
            2
        } else {
            0
        }
    }

    /// Where the phrase that begins at `from` ends, trailing places given up.
    pub fn phrase_end(&self, from: usize) -> usize {
        let may_determine = is(&["her", "this", "that", "these", "those"], self.at(from));
        if is(&["it", "them", "him"], self.at(from)) || may_determine && !self.can_follow(from + 1) {
            return from + 1;
        }
        let (mut i, mut nouns) = (from, 0);
        while self.continues(i, from, nouns) {
            let word = self.at(i);
            let describes =
                self.adjective(i) || is(DETERMINERS, word) || is(&[",", "and", "but"], word) || is(PLACES, word);
            let quantifies = i == from && is(&["all", "both", "half"], word) && self.continues(i + 1, from, 0);
            let modifies = quantifies
                || word.ends_with("ly")
                || word.ends_with("ing") && !is(ING_NOUNS, word)
                || word.ends_with("ed") && !is(ED_WORDS, word);
            if word == "one" && i > from {
                nouns += 1; // the red one
            }
            nouns += usize::from(!describes && !modifies);
            i += 1;
        }
        let determined = usize::from(is(DETERMINERS, self.at(from)));
        let places = |k: usize| {
            is(PLACES, self.at(k)) && !is(&["row", "corner", "side", "edge", "background", "foreground"], self.at(k))
        };
        let mut end = i;
        while end > from + determined + 1 && places(end - 1) {
            end -= 1;
        }
        // all places ("bottom left"): nothing to give up; "the far right": neither
        let real = (from + determined..end).any(|k| !is(PLACES, self.at(k)) && !is(&["the"], self.at(k)));
        if !real {
            end = i;
        }
        while end > from && (self.at(end - 1) == "and" || self.at(end - 1) == ",") {
            end -= 1;
        }
        end
    }
}
