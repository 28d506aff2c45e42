//! Clauses: where a command's verbs and their objects stand.
//!
//! A command is peeled from its front (politeness, question, fronted place, verb with its particles) until the object's
//! phrase begins, clause after clause.

use super::lexicon::*;
use super::parts_of_speech::{can_be_verb, is_known, is_mostly_adverb, is_mostly_verb};
use super::phrases::{turn_at, Turn};
use super::text_words::Words;
use std::ops::Range;

/// Where the parts of one clause begin, as word numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClausePlaces {
    /// Its verb; `None` when it is a phrase alone.
    pub verb: Option<usize>,
    /// Its object's phrase; `None` when it has none.
    pub object: Option<usize>,
    /// Where the next clause begins, or the text ends.
    pub end: usize,
    /// It says what not to do or not to take.
    pub negative: bool,
}

/// Words before a verb that are no names, whatever else they are: negations, adverbs and conjunctions.
const ADVERBS: WordList = &[
    "never", "not", "no", "dont", "cannot", "nobody", "neither", "nor", "always", "now", "also", "maybe", "perhaps",
    "once", "if", "when", "whenever", "while", "before", "after", "until", "unless", "without", "then", "just", "only",
    "still", "again", "instead", "rather", "better", "do", "does", "did", "be", "refrain", "so", "but", "or", "and",
    "first", "next", "last", "soon", "later",
];

impl Words {
    /// Whether a verb of a command stands here.
    pub fn is_verb(&self, i: usize) -> bool {
        let (word, next) = (self.at(i), self.at(i + 1));
        if word.is_empty() || next.is_empty() || self.is_mark(i) {
            return false;
        }
        let number = is(&["all", "both", "every", "each", "two", "three", "four", "five", "six"], next)
            || next.parse::<u32>().is_ok();
        let counted = number && self.at(i + 2) != "of";
        let begins = i == 0 || self.is_mark(i - 1) || is(&["and", "then", "please", "to"], self.at(i - 1));
        let object = is(DETERMINERS, next)
            || is(DATIVES, next)
            || next == "it"
            || next == "one" && begins && is(PREPOSITIONS, self.at(i + 2))
            || counted && begins && !is(&["number", "no", "position", "nearest", "closest"], word);
        if i > 0 && self.at(i - 1) == "mind" && word.ends_with("ing") {
            return true; // would you mind passing
        }
        if word == "let" && next == "go" {
            return true;
        }
        if is(WEAK_VERBS, word) {
            let led: &[&str] = match word {
                "point" | "drive" => &["at", "to", "towards", "toward", "through", "past", "around"],
                "head" => {
                    &["to", "towards", "toward", "over", "into", "down", "through", "back", "out", "straight", "up"]
                }
                "slide" | "press" | "lower" | "push" => &["down", "up", "over", "out", "right", "left"],
                "hold" | "hand" | "pass" | "swing" => &["onto", "over", "up"],
                "plug" => &["in"],
                "walk" | "turn" | "stop" => PARTICLES,
                "switch" => &["on", "off"],
                _ => &[],
            };
            let phrasal = is(&["up", "down", "off", "out", "over", "away", "open", "close", "shut"], next)
                && is(DETERMINERS, self.at(i + 2));
            // "place green brick on the blue one", "... and place on the red cube"
            let places = is(PLACEMENT, word) && begins && self.goal_follows(i + 1);
            return object || phrasal || is(led, next) || places;
        }
        if is(VERBS, word) {
            return true;
        }
        // a verb of a list that nothing here has ("organize items", "sort and stack the plates", "screw open the bottle")
        let opened = is(&["open", "shut", "up", "down", "off", "out", "away", "on"], next);
        let phrasal = opened && is(DETERMINERS, self.at(i + 2)) && can_be_verb(word);
        let coordinated = next == "and" && begins && can_be_verb(self.at(i + 2)) && self.is_verb(i + 2);
        let led = is(PREPOSITIONS, next) && is(DETERMINERS, self.at(i + 2));
        let bare = begins && is_mostly_verb(word) && (self.can_follow(i + 1) && !is(OPENERS, next) || led);
        // an unknown word before a determiner can only be a verb ("yeet the mug")
        let nominal = is(ADJECTIVES, word) || is(PREPOSITIONS, word) || is(DETERMINERS, word) || is(PLACES, word);
        let quantity = is(&["half", "both", "all", "one", "some", "any"], word);
        let adverbial = is(BE, word) || is(ENDERS, word) || is(MODALS, word) || is(SUBJECTS, word);
        let verbal = object && next != "that" || phrasal || coordinated && can_be_verb(word) || bare;
        verbal && !nominal && !quantity && !adverbial
    }

    /// Whether a bare noun phrase with a goal behind it, or a goal without one, begins here.
    fn goal_follows(&self, i: usize) -> bool {
        let of_goal = |k: usize| is(GOAL_PREPOSITIONS, self.at(k));
        if i > 1 && of_goal(i) {
            return is(DETERMINERS, self.at(i + 1)) || self.at(i + 1) == "top";
        }
        let end = self.phrase_end(i);
        end > i && self.can_follow(i) && of_goal(end)
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
        let lists =
            [DETERMINERS, ADJECTIVES, PREPOSITIONS, PLACES, VERBS, WEAK_VERBS, MODALS, SUBJECTS, OPENERS, BE, ENDERS];
        let is_listed = lists.iter().any(|list| is(list, word)) || word.chars().any(|c| !c.is_alphabetic());
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
    pub fn next_clause(&self, i: usize) -> Option<usize> {
        let parts = |j: &usize| {
            matches!(
                self.at(*j),
                "," | "and"
                    | "then"
                    | "."
                    | "?"
                    | ";"
                    | "to"
                    | "until"
                    | "before"
                    | "but"
                    | "-"
                    | "–"
                    | "—"
                    | "("
                    | "!"
            )
        };
        let begins = |j: &usize| parts(&(j - 1)) && self.clause_follows(*j) || self.is_unmarked_verb(*j);
        (i + 2..self.len()).find(begins)
    }

    /// "go to the table take the plates": a verb behind a noun, with its object, without a mark before it.
    fn is_unmarked_verb(&self, j: usize) -> bool {
        let before = self.at(j - 1);
        let leads = [DETERMINERS, ADJECTIVES, PREPOSITIONS, SUBJECTS, MODALS, BE, OPENERS, PARTICLES, VERBS];
        let is_led =
            leads.iter().any(|list| is(list, before)) || is(&["that", "which", "who", "and", "n't", "not"], before);
        let pronoun = is(&["it", "them"], self.at(j + 1));
        let object = is(DETERMINERS, self.at(j + 1)) && !is(WEAK_VERBS, self.at(j)) || pronoun;
        is(VERBS, self.at(j)) && object && !is_led && !self.is_mark(j - 1)
    }

    /// Whether a command or a ban begins here.
    pub fn clause_follows(&self, i: usize) -> bool {
        let j = (i..).find(|j| !is(OPENERS, self.at(*j)) || self.at(*j).is_empty()).unwrap_or(i);
        let denied = self.negation(j);
        self.is_verb(j) || denied > 0 && self.is_verb(j + denied)
    }

    /// "what is behind the box", "left of the mug": a place stands for the thing in it.
    fn place_alone(&self, i: usize) -> bool {
        let what = is(&["what", "whatever", "whichever"], self.at(i));
        if self.at(i) == "neither" {
            return true;
        }
        let from = i + usize::from(what) + usize::from(what && is(BE, self.at(i + 1)));
        matches!(turn_at(self, from, self.len()), Some((Turn::Related(_) | Turn::At(_) | Turn::Most(_), _)))
    }

    /// The place that is said before the command.
    pub fn fronted(&self) -> Option<Range<usize>> {
        let from = self.skip_prefix(0);
        let end = self.skip_fronted(from);
        (end > from && self.fronted_exclusion(from).is_none()).then_some(from..end)
    }

    /// The clauses in the order of the text; at least one for a text with words.
    pub fn clauses(&self) -> Vec<ClausePlaces> {
        let mut found = Vec::new();
        let mut i = self.skip_prefix(0);
        if let Some(fronted) = self.fronted() {
            i = self.skip_prefix(fronted.end);
        }
        while i < self.len() {
            let mut at = self.skip_prefix(i);
            if let Some((excluded, verb)) = self.fronted_exclusion(at) {
                found.push(ClausePlaces { verb: None, object: Some(excluded), end: verb, negative: true });
                i = verb;
                continue;
            }
            let denied = self.negation(at);
            at += denied;
            while denied > 0
                && (self.is_mark(at) || self.at(at) == "ever" || self.at(at).ends_with("ly"))
                && at + 2 < self.len()
            {
                at += 1; // "never, ever, gently touch"
            }
            if is(&["go", "come"], self.at(at)) && self.is_verb(at + 1) && !is(PARTICLES, self.at(at + 1)) {
                at += 1; // "go get"
            }
            let verb = self.is_verb(at) || denied > 0 && is(VERBS, self.at(at)) && is(DETERMINERS, self.at(at + 1));
            // "I'm thirsty" names nothing
            let aside = !verb && is(&["i'm", "i", "we", "we're", "you're"], self.at(at));
            let object = if verb { self.skip_verb(at) } else { Some(at).filter(|_| !aside) };
            let object = object.filter(|object| self.phrase_end(*object) > *object || self.place_alone(*object));
            let mut next = self.next_clause(at);
            if denied > 0 {
                // "not the red mug, the blue one"
                let from = object.unwrap_or(at);
                let first = self.phrase_end(from);
                let follows = is(DETERMINERS, self.at(first)) && self.phrase_end(first) > first + 1;
                if !verb && follows {
                    // "not the red one the blue one"
                    next = Some(next.map_or(first, |next| next.min(first)));
                }
                let parted = (from + 1..self.len()).find(|j| {
                    (self.is_mark(*j) || self.at(*j) == "but") && !is(&["and"], self.at(*j + 1)) && *j + 1 < self.len()
                });
                next = match (next, parted) {
                    (Some(a), Some(b)) => Some(a.min(b + 1)),
                    (a, b) => a.or(b.map(|b| b + 1)),
                };
            }
            let end = next.unwrap_or(self.len()).max(at + 1);
            found.push(ClausePlaces { verb: verb.then_some(at), object, end, negative: denied > 0 });
            i = end;
        }
        found
    }
}
