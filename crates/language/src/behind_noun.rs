//! What stands behind a noun, read turn after turn until something else begins: places, relations, sources, ranks, clauses.

use super::expression::{Expression, Reader, GENERIC};
use super::lexicon::{is, DETERMINERS, ED_WORDS, ING_NOUNS, PLACES};
use super::parsed_command::{Constraint, Order, Place, Relation};
use super::parts_of_speech::{is_mostly_adverb, is_person, is_worn};
use super::phrases::{turn_at, Turn, SETTINGS, SPEAKERS};
use super::word_classes::{is_adjectival, number, ordinal, superlative};

/// Words that soften what follows them.
const SOFTENERS: &[&str] = &[
    "directly", "just", "immediately", "right", "slightly", "exactly", "somewhat", "also", "only", "really", "very",
    "quite", "currently", "a", "bit", "little", "more", "rather", "precisely", "straight", "almost", "still", "all",
    "both", "physically", "visibly", "most", "located", "positioned", "placed",
];

impl Reader<'_> {
    /// Reads turn after turn behind a noun, until something else begins.
    pub fn what_follows(&mut self, into: &mut Expression) {
        let mut negated = false;
        while self.at < self.end {
            let before = self.at;
            let word = self.word();
            if self.depth == 0 && self.sentence_about_it() > 0 {
                // "There is a gray chair. It is against the wall."
                self.at += self.sentence_about_it();
            } else if self.words.is_mark(self.at) {
                if !self.continues_behind_mark() {
                    return;
                }
                self.at += 1;
            } else if is(&["right", "directly", "just", "immediately"], word)
                && is(
                    &["next", "behind", "beside", "above", "below", "under", "on", "between", "by", "near", "beneath"],
                    self.peek(1),
                )
            {
                // "right next to the can"
                self.at += 1;
            } else if word == "but" && self.at + 1 >= self.end {
                // "a mug but", and what follows is another clause
                self.at += 1;
            } else if word == "or" && self.depth == 0 && self.alternative(into)
                || self.but_one(into)
                || self.possessive(into)
                || self.rank_behind(into)
                || self.nearest_to_what(into)
            {
            } else if self.clause_or_goal_begins() {
                return;
            } else if self.depth > 0 && is(&["and", "but", "nor"], word) {
                // what follows speaks of the thing outside
                return;
            } else if self.measure() || self.manner() {
            } else if word == "by" && is(&["its", "their"], self.peek(1)) && self.depth == 0 {
                // "by its handle": how it is held
                self.at = (self.at + 2).max(self.words.phrase_end(self.at + 2)).min(self.end);
            } else if word == "by" && self.peek(1).ends_with("ing") || word == "while" {
                // "by running water over it", "while moving slowly": how it is to be done
                self.at = self.end;
            } else if self.depth > 0
                && word == "on"
                && is(&["left", "right", "top", "bottom"], self.peek(1))
                && self.at + 2 == self.end
            {
                // "man in suit on right": where the man is
                return;
            } else if self.clothing(into) || self.source(into) || self.place_of_anchor(into) {
            } else if let Some((turn, taken)) = turn_at(self.words, self.at, self.end) {
                if !self.turn(turn, taken, into, &mut negated) {
                    return;
                }
            } else if is(SOFTENERS, word) && !self.peek(1).is_empty() {
                self.at += 1;
            } else if word == "and" {
                if self.depth > 0 || !self.more_of_the_same() {
                    return;
                }
                self.at += 1;
            } else if negated && self.excluded(into, false) {
                negated = false;
            } else if self.predicate(into) || self.detail(into) {
            } else {
                self.unknown.push(word.to_string());
                self.at += 1;
            }
            debug_assert!(self.at > before || self.at >= self.end, "nothing was read of {word:?}");
            if self.at == before {
                self.at += 1;
            }
        }
    }

    /// "in the top drawer", "from the left shelf": a place that belongs to an anchor.
    fn place_of_anchor(&mut self, into: &mut Expression) -> bool {
        let relation = match self.word() {
            "in" | "inside" => Relation::In,
            "on" => Relation::On,
            "at" | "near" | "by" => Relation::NextTo,
            _ => return false,
        };
        let has_place =
            is(DETERMINERS, self.peek(1)) && is(PLACES, self.peek(2)) && !is(&["row", "side", "corner"], self.peek(2));
        let noun = self.peek(3);
        let is_part = is(PLACES, noun)
            || is(
                &[
                    "hand", "half", "part", "end", "quadrant", "area", "third", "left-hand", "right-hand", "lefthand",
                    "righthand", "of", "portion", "region",
                ],
                noun,
            )
            || noun.ends_with("ing") && !is(ING_NOUNS, noun)
            || noun.ends_with("ed") && !is(ED_WORDS, noun)
            || noun.ends_with("most");
        let is_noun = self.at + 3 < self.end && self.words.can_follow(self.at + 3) && !is_part && !is(SETTINGS, noun);
        let is_noun =
            is_noun && !is_adjectival(noun) && !is_mostly_adverb(noun) && !self.words.clause_follows(self.at + 3);
        if !(has_place && is_noun) {
            return false;
        }
        self.relation_behind(1, relation, into)
    }

    /// "10cm", "two feet": how far, which is no property of a thing.
    fn measure(&mut self) -> bool {
        let taken = self.words.length_words(self.at);
        self.at += taken;
        taken > 0
    }

    /// "at half speed", "with a quarter of the force": how, which is no property of a thing either.
    fn manner(&mut self) -> bool {
        const LONGEST: usize = 7;
        if !is(&["at", "with"], self.word()) {
            return false;
        }
        let end = self.end.min(self.at + LONGEST);
        let last = (self.at + 1..end).find(|k| is(&["speed", "pace", "velocity", "force", "care"], self.words.at(*k)));
        let others = |k: usize| self.words.is_mark(k) || is(&["and", "on", "in", "near"], self.words.at(k));
        let Some(last) = last.filter(|last| !(self.at + 1..*last).any(others)) else { return false };
        self.at = last + 1;
        true
    }

    /// Words until what another sentence says of the thing: ". It is", ". It has".
    fn sentence_about_it(&self) -> usize {
        let begins = is(&[".", ";", ",", "!"], self.word());
        let and = usize::from(is(&["and"], self.peek(1)));
        match (begins, self.peek(1 + and), self.peek(2 + and)) {
            (
                true,
                "it" | "they" | "this" | "that" | "these",
                "is" | "are" | "was" | "were" | "stands" | "lies" | "sits",
            ) => 3 + and,
            (true, "it" | "they", "has" | "have") => 2 + and,
            (true, "it's" | "they're" | "that's", _) => 2 + and,
            _ => 0,
        }
    }

    /// "in the red shirt", of a person: a look, no place.
    fn clothing(&mut self, into: &mut Expression) -> bool {
        let stop = self.words.phrase_end(self.at + 1).min(self.end);
        let is_dressed = into.description.noun.as_deref().is_some_and(is_person);
        if self.word() != "in" || !is_dressed || stop < self.at + 2 || !is_worn(self.words.at(stop - 1)) {
            return false;
        }
        into.description.details.push(self.words.text(self.at..stop));
        self.at = stop;
        true
    }

    /// "or the can", "or the blue one": what may be meant instead.
    fn alternative(&mut self, into: &mut Expression) -> bool {
        let (back, noted) = (self.at, self.unknown.len());
        self.at += 1;
        self.depth += 1;
        let other = self.expression();
        self.depth -= 1;
        let Some(mut other) = other.filter(|other| !other.description.is_empty()) else {
            self.at = back;
            self.unknown.truncate(noted);
            return false;
        };
        // "a red or a blue mug", "the red mug or the blue one"
        into.description = std::mem::take(&mut into.description).with_noun_of(&other.description);
        other.description = other.description.with_noun_of(&into.description);
        into.description.alternatives.push(other.description);
        true
    }

    /// "the leftmost mug but one", "the last mug but two".
    fn but_one(&mut self, into: &mut Expression) -> bool {
        let Some(count) = number(self.peek(1)).and_then(|count| i32::try_from(count).ok()) else { return false };
        let behind = self.peek(2);
        let ends = behind.is_empty() || self.words.is_mark(self.at + 2) || is(&["from", "on"], behind);
        if self.word() != "but" || !ends {
            return false;
        }
        match (into.description.constraints.last_mut(), &mut into.rank) {
            (_, Some(rank)) => *rank += rank.signum() * count,
            (Some(Constraint::Order { rank, .. }), _) => *rank += rank.signum() * count,
            _ => return false,
        }
        self.at += 2;
        true
    }

    /// "to the mug's left".
    fn possessive(&mut self, into: &mut Expression) -> bool {
        if !is(&["to", "on", "at"], self.word()) {
            return false;
        }
        let owner = (self.at + 1..self.end.min(self.at + 6)).find(|k| self.words.at(*k).ends_with("'s"));
        let Some(owner) = owner else { return false };
        let relation = match self.words.at(owner + 1) {
            "left" => Relation::LeftOf,
            "right" => Relation::RightOf,
            _ => return false,
        };
        let mut anchor = Expression::default();
        anchor.description.phrase = self.words.text(self.at + 1..owner + 1);
        self.words.sort_words(self.at + 1..owner + 1, &mut anchor);
        self.at = owner + 2;
        let anchors = vec![anchor.finished().description];
        into.description.constraints.push(Constraint::Relation { relation, anchors });
        true
    }

    /// "the nearest mug to the box".
    fn nearest_to_what(&mut self, into: &mut Expression) -> bool {
        let Some(Constraint::Order { by: by @ (Order::Nearest | Order::Farthest), .. }) =
            into.description.constraints.last_mut()
        else {
            return false;
        };
        let near = *by == Order::Nearest;
        let determined = usize::from(is(DETERMINERS, self.peek(1)));
        if !is(if near { &["to"] } else { &["from"] }, self.word()) {
            return false;
        }
        if is(SPEAKERS, self.peek(1 + determined)) {
            // "the nearest mug to the camera": that is what nearest means
            self.at += 2 + determined;
            return true;
        }
        let back = self.at;
        self.at += 1;
        let Some(anchor) = self.anchor() else {
            self.at = back;
            return false;
        };
        let anchor = Box::new(anchor.description);
        if let Some(Constraint::Order { by, .. }) = into.description.constraints.last_mut() {
            *by = if near { Order::NearestTo(anchor) } else { Order::FarthestFrom(anchor) };
        }
        true
    }

    /// "from the desk", "out of the drawer", "off it": where it is now.
    fn source(&mut self, into: &mut Expression) -> bool {
        let (taken, relation) = match (self.word(), self.peek(1)) {
            ("out", "of" | "from") => (2, Relation::In),
            ("off", "of") => (2, Relation::On),
            ("off", _) => (1, Relation::On),
            ("from", "inside" | "within" | "under" | "behind") => return false,
            // "from the top of the box", "from on top of it"
            ("from", "top" | "on" | "atop" | "the") if self.top_of(1) > 0 => (1 + self.top_of(1), Relation::On),
            ("from", _) => (1, Relation::From),
            _ => return false,
        };
        let determined = usize::from(is(DETERMINERS, self.peek(1)));
        let side = match (self.peek(1 + determined), is(&["side", "half", "end"], self.peek(2 + determined))) {
            ("left", true) => Some(Place::Left),
            ("right", true) => Some(Place::Right),
            ("back" | "far", true) => Some(Place::Back),
            ("front" | "near", true) => Some(Place::Front),
            _ => None,
        };
        if let Some(place) = side.filter(|_| into.rank.is_none() && self.peek(3 + determined) != "of") {
            // "the pyramid from the right side"; "the second from the left side" counts
            self.at += 3 + determined;
            into.constrain(Constraint::Place(place), false);
            return true;
        }
        let longer = turn_at(self.words, self.at, self.end).is_some_and(|(_, turn)| turn > taken);
        if longer || self.at + taken >= self.end {
            return false;
        }
        let found = self.relation_behind(taken, relation, into);
        if let (true, Some(Constraint::Relation { anchors, .. })) = (found, into.description.constraints.last()) {
            into.description.source = anchors.first().map(|anchor| anchor.phrase.clone());
        }
        found
    }

    /// The words of "top of", "the top of", "on top of", "atop", `ahead` words from here; 0 when they say something else.
    fn top_of(&self, ahead: usize) -> usize {
        let word = |k: usize| self.peek(ahead + k);
        match (word(0), word(1), word(2), word(3)) {
            ("top", "of", ..) => 2,
            ("the" | "on", "top", "of", _) => 3,
            ("on", "the", "top", "of") => 4,
            ("atop", ..) => 1,
            _ => 0,
        }
    }

    /// A relation whose anchor stands behind `taken` words; reads nothing when there is none.
    fn relation_behind(&mut self, taken: usize, relation: Relation, into: &mut Expression) -> bool {
        let start = self.at;
        self.at += taken;
        match self.relation(relation, start) {
            Some(found) => into.description.constraints.extend(found),
            None => {
                self.at = start;
                return false;
            }
        }
        true
    }

    /// "in second place", "number two".
    fn rank_behind(&mut self, into: &mut Expression) -> bool {
        let skipped = usize::from(is(&["in", "at"], self.word())) + usize::from(self.peek(1) == "the");
        if let (Some(rank), true) =
            (ordinal(self.peek(skipped)), is(&["place", "position", "spot"], self.peek(skipped + 1)))
        {
            into.rank = Some(rank);
            self.at += skipped + 2;
            return true;
        }
        let named = usize::from(is(&["at", "in"], self.word()));
        let numbered = is(&["number", "no", "#", "position", "place"], self.peek(named));
        if let (true, Some(count)) = (numbered, number(self.peek(named + 1))) {
            into.rank = i32::try_from(count).ok();
            self.at += named + 2;
            return true;
        }
        false
    }

    /// What a thing is made of, holds or does: "of carrots", "wearing a hat".
    fn detail(&mut self, into: &mut Expression) -> bool {
        let word = self.word();
        let does =
            word.len() > 4 && word.ends_with("ing") || is(&["of", "made", "worn", "held", "full", "filled"], word);
        if !does || self.peek(1).is_empty() {
            return false;
        }
        let start = self.at;
        self.at += 1;
        while is(&["of", "from", "in", "by", "with", "out"], self.word()) {
            self.at += 1;
        }
        if self.noun_phrase().is_none() {
            self.at = start;
            return false;
        }
        into.description.details.push(self.words.text(start..self.at));
        true
    }

    /// Whether what stands behind a comma still speaks of the same thing.
    fn continues_behind_mark(&self) -> bool {
        let next = self.at + 1;
        if next >= self.end || !is(&[",", "-", "–", "—", "(", ")", ":"], self.word()) {
            return self.word() == ")" || self.word() == "'";
        }
        if turn_at(self.words, next, self.end).is_some() || is(SOFTENERS, self.words.at(next)) {
            return true;
        }
        // "the mug: purple"
        let colour = is_adjectival(self.words.at(next)) && (next + 1 >= self.end || self.words.is_mark(next + 1));
        if colour && self.words.at(next - 1) != "-" {
            return true;
        }
        // an apposition: "the mug, the red one"
        let mut probe = Reader { words: self.words, at: next, end: self.end, depth: self.depth, unknown: Vec::new() };
        let begins = is(DETERMINERS, self.words.at(next)) || ordinal(self.words.at(next)).is_some();
        begins && probe.noun_phrase().is_some_and(|phrase| phrase.description.noun.is_none())
    }

    /// "and" between two turns that speak of the same thing: "on the left and behind the box".
    fn more_of_the_same(&self) -> bool {
        let next = self.at + 1;
        turn_at(self.words, next, self.end).is_some_and(|(turn, _)| !matches!(turn, Turn::Nothing))
            || self.words.at(next) == "the" && superlative(self.words.at(next + 1)).is_some()
    }

    /// Whether the next action or a goal begins here: "and put it", "into the box", "to the kitchen".
    fn clause_or_goal_begins(&self) -> bool {
        let (word, next) = (self.word(), self.peek(1));
        let goal = is(&["into", "onto", "towards", "toward"], word)
            || word == "to"
                && (is(DETERMINERS, next) || next == "me" || next == "us")
                && turn_at(self.words, self.at, self.end).is_none();
        let action = is(&["and", "then", "to", "so", "before", "until", "because"], word)
            && (self.words.clause_follows(self.at + 1) && self.at + 2 <= self.end);
        goal || action || word == "then"
    }

    /// Words that describe, behind the noun: "that is red", "the largest", "third".
    fn predicate(&mut self, into: &mut Expression) -> bool {
        let stop = self.words.phrase_end(self.at).min(self.end);
        if stop <= self.at {
            return false;
        }
        let mut said = Expression { rank: into.rank, ..Expression::default() };
        self.words.sort_words(self.at..stop, &mut said);
        let known = said.description.noun.is_none()
            || into.description.noun.is_none() && into.description.attributes.is_empty();
        let pronoun = is(GENERIC, self.words.at(stop - 1));
        if !known || said.description.is_empty() && said.rank == into.rank && !pronoun {
            return false;
        }
        self.at = stop;
        into.rank = said.rank;
        into.quantity = into.quantity.or(said.quantity);
        into.description.noun = into.description.noun.take().or(said.description.noun);
        into.description.attributes.extend(said.description.attributes);
        into.description.constraints.extend(said.description.constraints);
        true
    }
}
