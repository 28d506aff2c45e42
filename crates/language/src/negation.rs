//! Negation in front of a clause: what not to do, not to take, or to take something else instead of.

use super::lexicon::{is, BE, DETERMINERS, OPENERS, SUBJECTS};
use super::text_words::Words;

impl Words {
    /// Words of a negation that begins here: "don't", "do not", "I don't want", "not".
    pub fn negation(&self, i: usize) -> usize {
        let (word, next) = (self.at(i), self.at(i + 1));
        let dont = |k: usize| match (self.at(k), self.at(k + 1)) {
            ("don't" | "dont" | "didn't" | "never" | "mustn't" | "mustnt" | "shouldn't" | "shouldnt", _) => 1,
            // "can't you see it?" asks
            ("can't" | "cannot" | "cant", next) if !is(SUBJECTS, next) => 1,
            ("can", "not") => 2,
            ("do" | "did" | "must" | "should" | "please", "not") => 2,
            _ => 0,
        };
        if word == "never" && next == "mind" {
            return 2;
        }
        if matches!(word, "don't" | "dont" | "not" | "never") && next == "forget" {
            return 0; // "don't forget the mug" asks for it
        }
        if matches!(word, "don't" | "dont") && next == "you" && is(&["dare", "ever"], self.at(i + 2)) {
            return 3;
        }
        // "you are not allowed to touch ...", "it is forbidden to touch ..."
        let bans =
            |k: usize| is(&["allowed", "permitted", "supposed", "meant", "able"], self.at(k)) && self.at(k + 1) == "to";
        let denied = |k: usize| {
            is(&["not", "never"], self.at(k)) && bans(k + 1)
                || is(&["aren't", "isn't", "not"], self.at(k)) && bans(k + 1)
        };
        if let Some(k) = (i..i + 3).find(|k| denied(*k)).filter(|k| *k == i || is(SUBJECTS, word) || is(BE, word)) {
            return k + 3 - i;
        }
        if let Some(k) = (i..i + 3).find(|k| is(&["forbidden", "prohibited"], self.at(*k)) && self.at(*k + 1) == "to") {
            return k + 2 - i;
        }
        if dont(i) > 0 {
            return dont(i) + usize::from(self.at(i + dont(i)) == "ever");
        }
        if is(SUBJECTS, word) && dont(i + 1) > 0 {
            let wish = i + 1 + dont(i + 1);
            let wished = is(&["want", "need", "mean", "like", "care", "require"], self.at(wish));
            return wish - i + usize::from(wished) + usize::from(wished && self.at(wish + 1) == "for");
        }
        match word {
            // "no purple mugs", "there is no mug"; "no, the red one" corrects
            "no" if self.can_follow(i + 1) && !self.is_verb(i + 1) && !is(SUBJECTS, next) && !is(OPENERS, next) => 1,
            "not" if !next.is_empty() && (is(DETERMINERS, next) || self.can_follow(i + 1)) => 1,
            "avoid" | "ignore" | "skip" | "exclude" if is(DETERMINERS, next) => 1,
            // "leave the red mug and take the blue one", "leave the red mug alone"
            "leave" if is(DETERMINERS, next) => {
                let alone = (i + 2..i + 8).any(|k| is(&["alone", "be", "untouched"], self.at(k)));
                // "take a mug and leave the purple one"
                let end = self.phrase_end(i + 1);
                let last = i > 0 && (end >= self.len() || self.is_mark(end));
                usize::from(alone || last || self.next_clause(i).is_some())
            }
            "forget" | "refuse" if is(DETERMINERS, next) || next == "about" => 1 + usize::from(next == "about"),
            "hands" if next == "off" => 2,
            // "keep away from", "stay clear of", "keep your hands off"
            "keep" | "stay" => {
                let off = |k: &usize| {
                    matches!((self.at(*k), self.at(*k + 1)), ("away" | "clear", "from" | "of") | ("off", _))
                };
                (i + 1..i + 4).find(off).map_or(0, |k| k + 1 + usize::from(self.at(k) != "off") - i)
            }
            "refrain" if next == "from" => 2,
            _ => 0,
        }
    }

    /// "instead of the mug take the bowl": where what is not meant begins, and where the rest does.
    pub fn fronted_exclusion(&self, i: usize) -> Option<(usize, usize)> {
        let fronted = matches!((self.at(i), self.at(i + 1)), ("instead" | "in" | "rather", "of" | "place" | "than"));
        let object = i + 2 + usize::from(self.at(i) == "in" && self.at(i + 2) == "of");
        if !fronted || self.at(i) == "in" && self.at(i + 1) != "place" {
            return None;
        }
        let end = self.phrase_end(object);
        let verb = (end..self.len()).find(|j| self.is_verb(*j) || self.at(*j - 1) == ",")?;
        (end > object).then_some((object, verb))
    }
}
