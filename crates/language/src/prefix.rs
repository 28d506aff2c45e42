//! Prefixes: what stands before a command and is none of it: greetings, names, politeness, questions, wishes.

use super::lexicon::*;
use super::parts_of_speech::{is_known, is_mostly_adverb};
use super::text_words::Words;
use super::word_classes::is_adjectival;

/// Words before a verb that are no names, whatever else they are: negations, adverbs and conjunctions.
const ADVERBS: WordList = &[
    "never", "not", "no", "dont", "cannot", "nobody", "neither", "nor", "always", "now", "also", "maybe", "perhaps",
    "once", "if", "when", "whenever", "while", "before", "after", "until", "unless", "without", "then", "just", "only",
    "still", "again", "instead", "rather", "better", "do", "does", "did", "be", "refrain", "so", "but", "or", "and",
    "first", "next", "last", "soon", "later",
];

impl Words {
    #[allow(clippy::if_same_then_else)] // one rule an arm
    /// Skips greetings, politeness, questions and wishes; returns where the rest begins.
    pub fn skip_prefix(&self, mut i: usize) -> usize {
        loop {
            let (word, next, third) = (self.at(i), self.at(i + 1), self.at(i + 2));
            let rest = i + 1 < self.len();
            i = if rest && (self.is_mark(i) || is(OPENERS, word) && !self.opens_phrase(i)) {
                i + 1
            } else if is(MODALS, word) && is(SUBJECTS, next) {
                // can you ..., do you see ..., would you mind passing ...
                match third {
                    "mind" | "like" | "see" | "have" | "find" | "spot" | "know" | "remember" | "think" => i + 3,
                    "please" | "just" | "kindly" | "also" => i + 3,
                    _ => i + 2,
                }
            } else if is(&["don't", "dont", "never", "not"], word) && next == "forget" {
                // "don't forget to take ..."
                i + 2 + usize::from(third == "to")
            } else if is(&["i", "we"], word)
                && is(&["can't", "cannot", "cant", "couldn't"], next)
                && is(
                    &["find", "see", "reach", "get", "open", "locate", "spot", "remember", "hold", "lift", "carry"],
                    third,
                )
            {
                // "I can't find my keys", "I cannot reach the salt"; "we can't touch the mug" forbids
                i + 3
            } else if word == "whatever" && is(BE, next) {
                i + 2
            } else if word == "why" && is(&["don't", "dont", "not"], next) {
                // "why don't you take ...", "why not take ..."
                i + 2 + usize::from(is(SUBJECTS, third))
            } else if is(BE, word) && is(DETERMINERS, next) && i == 0 {
                // "is the mug on the table"
                i + 1
            } else if is(&["can't", "couldn't", "won't", "wouldn't", "cant"], word) && is(SUBJECTS, next) {
                i + 2
            } else if is(&["what", "whatever"], word) && self.place_alone(i) {
                return i;
            } else if is(&["whichever", "whatever"], word) && rest || word == "where" && is(DETERMINERS, next) {
                i + 1
            } else if word == "the" && next == "robot" && is(MODALS, third) {
                i + 3
            } else if is(SUBJECTS, word)
                && (next.ends_with("ed") || is(&["lost", "forgot", "left", "put"], next))
                && rest
            {
                // "I dropped my pen, please pick it up"
                i + 2
            } else if is(&["where", "which", "what", "who"], word) && (is(BE, next) || is(MODALS, next)) {
                if is(SUBJECTS, third) {
                    i + 3
                } else {
                    i + 2
                }
            } else if is(&["where's", "what's", "who's", "it's", "that's", "there's", "here's"], word) {
                i + 1
            } else if word == "what"
                && is(SUBJECTS, next)
                && is(&["want", "need", "mean", "meant", "wanted"], third)
                && is(BE, self.at(i + 3))
            {
                // "what I want is the green bottle"
                i + 4
            } else if is(&["which", "whichever"], word) && next == "of" && rest {
                i + 2
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
            } else if is(SUBJECTS, word) && is(MODALS, next) && i + 3 < self.len() && self.is_verb(i + 2) {
                // "you should bring me ..."
                i + 2
            } else if self.is_addressed(i) {
                i + 1
            } else if is(&["you", "we", "u"], word) && is(VERBS, next) && self.is_verb(i + 1) {
                // "then you carry the plum"
                i + 1
            } else if (word.ends_with("ly") || is_mostly_adverb(word))
                && self.negation(i) == 0
                && !is(ADVERBS, word)
                && !is(PLACES, word)
                && self.is_verb(i + 1)
            {
                i + 1
            } else if is(&["cancel", "stop", "abort"], word) && self.ended_task(i) > i {
                self.ended_task(i)
            } else if is(&["tell", "show", "inform", "ask"], word)
                && is(DATIVES, next)
                && is(&["what", "which", "who", "where", "how", "if", "whether", "about"], third)
            {
                i + 2
            } else if word == "say" && is(&["hello", "hi", "goodbye"], next) && third == "to" {
                i + 3
            } else if is(&["tell", "answer", "report", "say"], word) && self.asked_of(i) > i {
                self.asked_of(i)
            } else if is(&["check", "see"], word) && is(&["if", "whether", "what", "which", "how"], next) {
                i + 1
            } else if word == "how" && next == "many" && rest {
                i + 2
            } else if is(&["if", "whether", "about"], word) && rest {
                i + 1 + 2 * usize::from(next == "there" && is(BE, third))
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

    /// "michael bring me ...", "john can you ...": an unknown word before what begins a command is a name.
    fn is_addressed(&self, i: usize) -> bool {
        let word = self.at(i);
        // "armbot gently lift ...", "armbot please find ..."
        let softened = |k: &usize| self.at(*k).ends_with("ly") || is(&["please", "just", "now"], self.at(*k));
        let at = (i + 1..self.len()).find(|k| !softened(k)).unwrap_or(i + 1);
        let (next, third) = (self.at(at), self.at(at + 1));
        let lists = [DETERMINERS, PREPOSITIONS, PLACES, VERBS, WEAK_VERBS, MODALS, SUBJECTS, OPENERS, BE, ENDERS];
        let is_listed =
            lists.iter().any(|list| is(list, word)) || is_adjectival(word) || word.chars().any(|c| !c.is_alphabetic());
        let is_adverb = self.negation(i) > 0 || is(ADVERBS, word) || word.ends_with("n't") || word.ends_with("ly");
        let is_noun = word.ends_with('s') && is_known(word);
        let certain = !is(WEAK_VERBS, next) && (is(DETERMINERS, third) || is(&["up", "to"], third));
        let commands = is(VERBS, next) && (certain || is(DATIVES, third));
        let first = (0..i).all(|k| is(GREETINGS, self.at(k)) || self.is_mark(k));
        first && !is_listed && !is_adverb && !is_noun && (commands || is(MODALS, next) && is(SUBJECTS, third))
    }

    /// "stop the current task and ...", "cancel please, now ...", "stop what you are doing and ...": behind it, where something follows.
    fn ended_task(&self, i: usize) -> usize {
        let mut j = i + 1;
        if is(&["what", "whatever"], self.at(j)) && self.at(j + 1) == "you" {
            j += 4;
        } else {
            while is(&["that", "this", "it", "the", "your", "current", "last", "previous"], self.at(j)) {
                j += 1;
            }
            j += usize::from(is(&["task", "job", "action", "command", "motion", "everything"], self.at(j)));
        }
        let begun = j;
        while is(&["and", "please", "now", "then"], self.at(j)) || self.is_mark(j) {
            j += 1;
        }
        if j > begun && self.clause_follows(j) {
            j
        } else {
            i
        }
    }

    /// "tell me the gesture of the person": behind "of".
    fn asked_of(&self, i: usize) -> usize {
        let asked = |k: usize| {
            is(&["gesture", "pose", "name", "question", "quiz", "color", "number", "age", "size", "shape"], self.at(k))
                && self.at(k + 1) == "of"
        };
        (i + 2..i + 4).find(|k| asked(*k)).map_or(i, |k| k + 2)
    }

    /// "next to ..." and "first cup" open a phrase, although the words also open a command.
    fn opens_phrase(&self, i: usize) -> bool {
        let next = self.at(i + 1);
        match self.at(i) {
            "no" | "next" | "first" | "back" => !(self.is_mark(i + 1) || self.is_verb(i + 1)),
            "after" => true,
            "robot" => {
                let negated = self.negation(i + 1) > 0;
                !(negated || self.is_mark(i + 1) || self.is_verb(i + 1) || is(OPENERS, next) || is(MODALS, next))
            }
            _ => false,
        }
    }

    /// After a subject: want, need, would like, 'd like you to, am looking for.
    fn wish(&self, i: usize) -> usize {
        let mut j = i;
        while is(MODALS, self.at(j)) || is(&["really", "just", "also", "am", "are", "'d"], self.at(j)) {
            j += 1;
        }
        const WISHES: WordList = &[
            "want", "need", "like", "love", "require", "prefer", "wish", "looking", "see", "mean", "meant", "think",
            "said", "wanted", "needed", "asked",
        ];
        if !is(WISHES, self.at(j)) {
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
}
