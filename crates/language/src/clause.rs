//! Clauses: where a command's verbs and their objects stand.
//!
//! A command is peeled from its front (politeness, question, fronted place, verb with its particles) until the object's
//! phrase begins, clause after clause.

use super::lexicon::*;
use super::parts_of_speech::{can_be_verb, is_mostly_verb};
use super::phrases::{turn_at, Turn};
use super::text_words::Words;
use super::word_classes::is_adjectival;
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

impl ClausePlaces {
    /// Whether its last word is the "to" of the next clause's verb: "use the sponge to wipe".
    pub fn leads_to_verb(&self, words: &Words) -> bool {
        words.at(self.end - 1) == "to" && words.is_verb(self.end)
    }
}

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
        let nominal = is_adjectival(word) || is(PREPOSITIONS, word) || is(DETERMINERS, word) || is(PLACES, word);
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
        let leads = [DETERMINERS, PREPOSITIONS, SUBJECTS, MODALS, BE, OPENERS, PARTICLES, VERBS];
        let is_led = leads.iter().any(|list| is(list, before))
            || is_adjectival(before)
            || is(&["that", "which", "who", "and", "n't", "not"], before);
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
    pub fn place_alone(&self, i: usize) -> bool {
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
