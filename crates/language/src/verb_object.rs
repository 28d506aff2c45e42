//! From a verb to its object: particles, receivers, directions and lengths that stand between.

use super::lexicon::*;
use super::text_words::Words;
use super::word_classes::is_adjectival;

impl Words {
    #[allow(clippy::if_same_then_else)] // one rule an arm
    /// From a verb to where its object or goal begins; `None` when it has neither in this clause.
    pub fn skip_verb(&self, mut i: usize) -> Option<usize> {
        if is(&["search", "look", "hunt"], self.at(i)) {
            // "search in the corridor for the jar"
            let marks = (i + 1..self.len()).find(|k| self.is_mark(*k) || self.at(*k) == "and").unwrap_or(self.len());
            let sought = (i + 1..marks).find(|k| self.at(*k) == "for" && is(DETERMINERS, self.at(k + 1)));
            if let Some(sought) = sought {
                return Some(sought + 1);
            }
        }
        let mut motion = is(MOTION, self.at(i));
        let mut j = i + 1 + self.your_way(i);
        loop {
            let (word, next) = (self.at(j), self.at(j + 1));
            if word.is_empty() {
                return None;
            }
            if word == ","
                && j == i + 1 + usize::from(is(PARTICLES, self.at(j - 1)))
                && !motion
                && !self.clause_follows(j + 1)
            {
                // "fetch, the hammer"
                j += 1;
                continue;
            }
            if self.is_mark(j) || word == "and" || word == "then" {
                // an adverb between commas, or the next clause
                return None;
            }
            let handled = word == "them" && (is(PREPOSITIONS, next) || is(&["next", "on", "in", "to"], next));
            let dative = is(DATIVES, word) && !handled || word == "her" && is(DETERMINERS, next);
            if dative && !next.is_empty() {
                j += 1;
            } else if is(PARTICLES, word) && !self.place_of_object(j, motion) {
                j += 1;
            } else if motion && is(DETERMINERS, word) && self.is_direction(j) {
                j = self.end_of_direction(j);
            } else if motion && self.is_measure(j) {
                j = self.end_of_direction(j);
            } else if self.hold_of(j) > j {
                j = self.hold_of(j);
            } else if is(&["open", "close", "closed", "shut"], word) && is(DETERMINERS, next) {
                // "push open the drawer"
                j += 1;
            } else if word == "front" && next == "of" {
                j += 2;
            } else if (word == "face" || word == "find" || word == "get" || word == "see" || word == "reach")
                && self.at(j - 1) == "to"
            {
                j += 1;
            } else if self.is_verb(j) && (self.at(j - 1) == "to" || is(&["go", "come"], self.at(i)) && j == i + 1) {
                // "to find", "go get": the next verb's object. No recursion: a text may repeat it without end
                (i, motion) = (j, is(MOTION, self.at(j)));
                j = i + 1 + self.your_way(i);
            } else if is(&["where", "which", "what", "whichever", "whatever"], word)
                && !next.is_empty()
                && !self.place_alone(j)
            {
                j += 1;
            } else {
                return Some(j);
            }
        }
    }

    /// "a hold of", "rid of", "care of": behind it.
    fn hold_of(&self, j: usize) -> usize {
        let noun = j + usize::from(is(&["a", "good", "firm"], self.at(j)));
        let idiom = is(&["hold", "ahold", "rid", "care", "grip", "charge", "possession"], self.at(noun));
        if idiom && self.at(noun + 1) == "of" && !self.at(noun + 2).is_empty() {
            noun + 2
        } else {
            j
        }
    }

    /// Words behind "make" in "make your way".
    fn your_way(&self, i: usize) -> usize {
        2 * usize::from(self.at(i) == "make" && self.at(i + 1) == "your" && self.at(i + 2) == "way")
    }

    /// "left" and "right" after a verb: "push left the cup" is a direction, "grab left cup" is the cup's place.
    fn place_of_object(&self, j: usize, motion: bool) -> bool {
        let next = self.at(j + 1);
        if !is(&["left", "right", "front", "back", "next", "only"], self.at(j)) {
            return false;
        }
        if next == "to" && self.at(j) == "next" || next == "of" {
            return false;
        }
        let direction = motion && is(&["left", "right"], self.at(j));
        !(direction
            || next.is_empty()
            || is(DETERMINERS, next)
            || is(PARTICLES, next)
            || self.is_mark(j + 1)
            || next == "and")
    }

    /// "your left", "the right", "the left side": directions, not things.
    fn is_direction(&self, j: usize) -> bool {
        let after = self.at(j + 2);
        let turn = is(&["left", "right", "other"], self.at(j + 1))
            && (after.is_empty()
                || self.is_mark(j + 2)
                || after == "and"
                || is(PARTICLES, after) && after != "of"
                || after == "then"
                || after == "side"
                || after == "until");
        turn || self.is_measure(j)
    }

    /// "a few steps", "two feet", "a bit".
    fn is_measure(&self, j: usize) -> bool {
        // "the second mug" is no length of time
        let rank = |k: usize| self.at(k) == "second" && is(&["the", "that", "this"], self.at(k.wrapping_sub(1)));
        (j..j + 3).any(|k| is(MEASURES, self.at(k)) && !rank(k) && (k > j || self.at(j) == "half"))
            && (is(DETERMINERS, self.at(j)) || is_adjectival(self.at(j)) || self.at(j).parse::<u32>().is_ok())
            && !is(&["of"], self.at(j + 2))
    }

    fn end_of_direction(&self, j: usize) -> usize {
        if self.is_measure(j) {
            let end = (j..j + 3).rev().find(|k| is(MEASURES, self.at(*k)));
            return end.unwrap_or(j) + 1;
        }
        j + 2 + usize::from(self.at(j + 2) == "side")
    }
}
