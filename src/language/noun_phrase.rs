//! The rule extractor: the target's noun phrase by closed-class words and their order.
//!
//! A command is peeled from its front (politeness, question, fronted place, verb with its particles)
//! until the object's phrase begins; the phrase then runs to the first word that can't belong to it,
//! and gives up a trailing word of place ("stove top right" is a stove).

use super::lexicon::*;
use super::words::Words;
use std::ops::Range;

impl Words {
    /// Whether a verb of a command stands here.
    fn is_verb(&self, i: usize) -> bool {
        let (word, next) = (self.at(i), self.at(i + 1));
        if word.is_empty() || next.is_empty() || self.is_mark(i) {
            return false;
        }
        let object = is(DETERMINERS, next) || is(DATIVES, next) || next == "it";
        if i > 0 && self.at(i - 1) == "mind" && word.ends_with("ing") {
            return true; // would you mind passing
        }
        if is(WEAK_VERBS, word) {
            let led: &[&str] = match word {
                "point" | "drive" => &["at", "to", "towards", "toward", "through", "past", "around"],
                "head" => {
                    &["to", "towards", "toward", "over", "into", "down", "through", "back", "out", "straight", "up"]
                }
                "slide" | "press" | "lower" | "push" => &["down", "up", "over", "out", "right", "left"],
                "hold" | "hand" | "pass" | "swing" => &["onto", "over", "up"],
                "walk" | "turn" | "stop" => PARTICLES,
                _ => &[],
            };
            let phrasal = is(&["up", "down", "off", "out", "over", "away"], next) && is(DETERMINERS, self.at(i + 2));
            return object || phrasal || is(led, next);
        }
        if is(VERBS, word) {
            return true;
        }
        // an unknown word before a determiner can only be a verb ("yeet the mug")
        let nominal = is(ADJECTIVES, word) || is(PREPOSITIONS, word) || is(DETERMINERS, word) || is(PLACES, word);
        let quantity = is(&["half", "both", "all", "one", "some", "any"], word);
        let adverbial = is(BE, word) || is(ENDERS, word) || is(MODALS, word) || is(SUBJECTS, word);
        object && next != "that" && !nominal && !quantity && !adverbial
    }

    #[allow(clippy::if_same_then_else)] // one rule an arm
    /// Skips greetings, politeness, questions and wishes; returns where the rest begins.
    fn skip_prefix(&self, mut i: usize) -> usize {
        loop {
            let (word, next, third) = (self.at(i), self.at(i + 1), self.at(i + 2));
            let rest = i + 1 < self.len();
            i = if rest && (self.is_mark(i) || is(OPENERS, word) && !self.opens_phrase(i)) {
                i + 1
            } else if is(MODALS, word) && is(SUBJECTS, next) {
                // can you ..., do you see ..., would you mind passing ...
                match third {
                    "mind" | "like" | "see" | "have" | "find" | "spot" => i + 3,
                    "please" | "just" | "kindly" | "also" => i + 3,
                    _ => i + 2,
                }
            } else if is(&["where", "which", "what", "who"], word) && (is(BE, next) || is(MODALS, next)) {
                if is(SUBJECTS, third) {
                    i + 3
                } else {
                    i + 2
                }
            } else if is(&["where's", "what's", "who's", "it's", "that's", "there's", "here's"], word) {
                i + 1
            } else if is(&["which", "what"], word) && next == "one" && is(BE, third) {
                i + 3
            } else if is(&["which", "what"], word) && rest {
                i + 1
            } else if is(&["there", "it", "this", "here", "that"], word) && is(BE, next) {
                i + 2
            } else if is(BE, word) && is(&["there", "this", "that", "it"], next) {
                i + 2
            } else if is(SUBJECTS, word) && self.wish(i + 1) > i + 1 {
                self.wish(i + 1)
            } else if is(&["let's", "lets"], word) {
                i + 1
            } else if word == "let" && is(DATIVES, next) {
                i + 2
            } else if is(
                &["try", "want", "need", "like", "going", "try", "try", "begin", "start", "proceed", "time"],
                word,
            ) && next == "to"
                && self.is_verb(i + 2)
            {
                i + 2
            } else if is(&["help", "assist"], word) && is(DATIVES, next) {
                i + 2 + usize::from(third == "to")
            } else {
                return i;
            };
        }
    }

    /// "next to ..." and "first cup" open a phrase, although the words also open a command.
    fn opens_phrase(&self, i: usize) -> bool {
        let next = self.at(i + 1);
        match self.at(i) {
            "no" | "next" | "first" | "back" => !(self.is_mark(i + 1) || self.is_verb(i + 1)),
            "after" => true,
            "robot" => !(self.is_mark(i + 1) || self.is_verb(i + 1) || is(OPENERS, next) || is(MODALS, next)),
            _ => false,
        }
    }

    /// After a subject: want, need, would like, 'd like you to, am looking for.
    fn wish(&self, i: usize) -> usize {
        let mut j = i;
        while is(MODALS, self.at(j)) || is(&["really", "just", "also", "am", "are", "'d"], self.at(j)) {
            j += 1;
        }
        if !is(
            &["want", "need", "like", "love", "require", "prefer", "wish", "looking", "see", "mean", "meant", "think"],
            self.at(j),
        ) {
            return i;
        }
        j += 1;
        if self.at(j) == "for" {
            j += 1;
        }
        if is(DATIVES, self.at(j)) && self.at(j + 1) == "to" {
            j += 1;
        }
        if self.at(j) == "to" && !self.at(j + 1).is_empty() {
            j += 1;
        }
        j
    }

    /// A place said before the command: "in the kitchen, grab ...", "in the slider grasp ...".
    fn skip_fronted(&self, i: usize) -> usize {
        if !is(PREPOSITIONS, self.at(i)) || i + 2 >= self.len() {
            return i;
        }
        for j in i + 1..self.len() {
            if self.at(j) == "," && j + 1 < self.len() {
                return j + 1;
            }
            let certain = is(VERBS, self.at(j)) && (!is(WEAK_VERBS, self.at(j)) || is(DETERMINERS, self.at(j + 1)));
            if j > i + 1 && certain && self.is_verb(j) && !is(DETERMINERS, self.at(j - 1)) {
                return j;
            }
        }
        i
    }

    #[allow(clippy::if_same_then_else)] // one rule an arm
    /// From a verb to where its object or goal begins; `None` when it has neither in this clause.
    fn skip_verb(&self, mut i: usize) -> Option<usize> {
        let mut motion = is(MOTION, self.at(i));
        let mut j = i + 1 + self.your_way(i);
        loop {
            let (word, next) = (self.at(j), self.at(j + 1));
            if word.is_empty() {
                return None;
            }
            if self.is_mark(j) || word == "and" || word == "then" {
                // an adverb between commas, or the next clause
                return None;
            }
            let dative = is(DATIVES, word) || word == "her" && is(DETERMINERS, next);
            if dative && !next.is_empty() {
                j += 1;
            } else if is(PARTICLES, word) && !self.place_of_object(j, motion) {
                j += 1;
            } else if motion && is(DETERMINERS, word) && self.is_direction(j) {
                j = self.end_of_direction(j);
            } else if motion && self.is_measure(j) {
                j = self.end_of_direction(j);
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
            } else if is(&["where", "which", "what"], word) && !next.is_empty() {
                j += 1;
            } else {
                return Some(j);
            }
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
        (j..j + 3).any(|k| is(MEASURES, self.at(k)) && (k > j || self.at(j) == "half"))
            && (is(DETERMINERS, self.at(j)) || is(ADJECTIVES, self.at(j)) || self.at(j).parse::<u32>().is_ok())
            && !is(&["of"], self.at(j + 2))
    }

    fn end_of_direction(&self, j: usize) -> usize {
        if self.is_measure(j) {
            let end = (j..j + 3).rev().find(|k| is(MEASURES, self.at(*k)));
            return end.unwrap_or(j) + 1;
        }
        j + 2 + usize::from(self.at(j + 2) == "side")
    }

    /// Start of the clause after the one that begins at `i`.
    fn next_clause(&self, i: usize) -> Option<usize> {
        let parts = |j: &usize| matches!(self.at(*j), "," | "and" | "then" | "." | ";" | "to" | "until" | "before");
        (i + 1..self.len().saturating_sub(1)).find(|j| parts(j) && self.clause_follows(*j + 1)).map(|j| j + 1)
    }

    fn clause_follows(&self, i: usize) -> bool {
        let j = (i..).find(|j| !is(OPENERS, self.at(*j)) || self.at(*j).is_empty()).unwrap_or(i);
        self.is_verb(j)
    }

    /// Where the target's phrase begins.
    fn start(&self) -> usize {
        let mut i = self.skip_prefix(0);
        let fronted = self.skip_fronted(i);
        if fronted > i {
            i = self.skip_prefix(fronted);
        }
        let mut clause = Some(i);
        while let Some(at) = clause {
            let at = self.skip_prefix(at);
            if !self.is_verb(at) {
                return at;
            }
            if let Some(object) = self.skip_verb(at) {
                if self.phrase_end(object) > object {
                    return object;
                }
            }
            clause = self.next_clause(at);
        }
        i
    }

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
        if word == "and" {
            // black and white cat
            return i > from
                && self.adjective(i - 1)
                && self.adjective(i + 1)
                && self.can_follow(i + 2)
                && !is(PLACES, self.at(i - 1));
        }
        if nouns > 0
            && (is(COMPARED, word) && is(&["to", "from", "behind", "above", "under", "next", "in", "of", "on"], next))
        {
            return false;
        }
        let ordinal = is(&["second", "third", "fourth", "fifth", "last", "2nd", "3rd", "4th", "5th"], word);
        if ordinal && i > from && !is(DETERMINERS, self.at(i - 1)) {
            return false; // glass second from left
        }
        let quantified = i == from + 1 && is(&["all", "both", "half"], self.at(from));
        if nouns > 0 && is(DETERMINERS, word) && !quantified {
            return false;
        }
        let state = is(&["open", "closed", "shut", "ajar"], word) && !self.can_follow(i + 1);
        let measure = word.parse::<f32>().is_ok() && is(MEASURES, next);
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
            let noun = matches!(word, "can" | "closer") && !is(SUBJECTS, next) && !is(DETERMINERS, next);
            let participle = is(&["eaten", "cut", "made", "held", "lit", "drawn", "hung"], word);
            return noun && (nouns > 0 || first || self.adjective(i - 1))
                || participle && i > from && self.at(i - 1) == "half" && self.can_follow(i + 1);
        }
        if word.ends_with("ing") && !is(ING_NOUNS, word) && word.len() > 4 {
            return if nouns == 0 { self.can_follow(i + 1) || first } else { is(ING_HEADS, next) };
        }
        if word.ends_with("ed") && !is(ED_WORDS, word) && !is(ADJECTIVES, word) && word.len() > 3 {
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
        is(ADJECTIVES, word) || word.ends_with("colored") || word.ends_with("-ish") || word.parse::<u32>().is_ok()
    }

    /// Whether a word that may be part of a phrase stands here.
    fn can_follow(&self, i: usize) -> bool {
        let word = self.at(i);
        let stop = is(PREPOSITIONS, word) || is(DETERMINERS, word) || is(BE, word) || word == "and";
        !word.is_empty() && !self.is_mark(i) && !stop && (!is(ENDERS, word) || word == "can")
    }

    /// Where the phrase that begins at `from` ends, trailing places given up.
    fn phrase_end(&self, from: usize) -> usize {
        if is(&["it", "them", "him", "her", "this", "that", "these", "those"], self.at(from))
            && !self.can_follow(from + 1)
        {
            return from + 1;
        }
        let (mut i, mut nouns) = (from, 0);
        while self.continues(i, from, nouns) {
            let word = self.at(i);
            let describes =
                self.adjective(i) || is(DETERMINERS, word) || word == "," || word == "and" || is(PLACES, word);
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

/// The bytes of the target's noun phrase; `None` when the text shows none.
pub fn find(text: &str) -> Option<Range<usize>> {
    let words = Words::of(text);
    let start = words.start();
    let end = words.phrase_end(start);
    (end > start).then(|| words.bytes(start..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file is by hand; the rules were fitted to most of it, so it guards against regress and forecasts nothing.
    #[test]
    fn phrases_of_the_development_set_are_found() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/noun_phrases.tsv");
        let rows = std::fs::read_to_string(path).unwrap();
        let mut wrong = Vec::new();
        for row in rows.lines().skip(1) {
            let [text, expected, _] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row:?}") };
            let found = find(text).map(|span| &text[span]);
            if found.is_none_or(|found| !found.eq_ignore_ascii_case(expected)) {
                wrong.push(format!("{text:?}: {found:?}, expected {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn a_text_that_repeats_itself_does_not_exhaust_the_stack() {
        for part in ["go ", "to go ", "please ", "want to ", "the ", "and go "] {
            find(&part.repeat(20_000));
        }
    }

    #[test]
    fn any_words_in_any_order_are_survived() {
        let pool = [
            "the", "left", "of", "and", ",", "turn", "to", "a", "can", "you", "mind", "'s", "half", "ж🙂", "5", "both",
            "where", "is", "-",
        ];
        let mut state = 7u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..state % 9 {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                text.push_str(pool[(state >> 33) as usize % pool.len()]);
                text.push(' ');
            }
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            if let Some(span) = find(&text) {
                assert!(!text[span].is_empty());
            }
        }
    }
}
