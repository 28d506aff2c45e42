//! Referring expressions: a noun phrase with all that stands before and behind its noun, to a [`Description`].
//!
//! "the second red mug from the left that is not on a plate": the words before the noun are sorted by their class, what
//! stands behind it is read turn by turn (`phrases.rs`), and anchors are expressions again.

use super::lexicon::{is, ADJECTIVES, COLOURS, DETERMINERS};
use super::parsed_command::{Constraint, Description, Order, Place, Quantity, Relation, Respect, Size};
use super::pattern::longest;
use super::phrases::{Side, Turn, SETTINGS, SPEAKERS, TURNS};
use super::words::Words;
use std::ops::Range;

/// Expressions inside expressions that are followed; deeper ones are listed as not understood.
const DEEPEST: usize = 5;

/// Nouns that say nothing of what a thing is.
const GENERIC: &[&str] = &[
    "one", "ones", "thing", "things", "object", "objects", "item", "items", "stuff", "something", "anything",
    "everything", "element", "piece", "pieces", "article", "that", "those", "it", "them", "this", "these",
];

/// Words that soften what follows them.
const SOFTENERS: &[&str] = &[
    "directly", "just", "immediately", "right", "slightly", "exactly", "somewhat", "also", "only", "really", "very",
    "quite", "currently", "a", "bit", "little", "more", "rather", "precisely", "straight", "almost", "still", "all",
    "both", "physically", "visibly", "most", "located", "positioned", "placed",
];

/// Behind a number these make an attribute of it: "the 10 mm wrench".
const UNITS: &[&str] = &["mm", "cm", "inch", "inches", "in", "ml", "liter", "litre", "kg", "g", "oz", "gallon", "foot", "meter", "pound"];

/// An expression as far as it was read.
#[derive(Debug, Default)]
pub struct Expression {
    pub description: Description,
    pub quantity: Option<Quantity>,
    /// The noun is in the plural.
    plural: bool,
    /// A rank without its order yet: "the second mug".
    rank: Option<i32>,
}

/// Reads expressions from a stretch of a command's words.
pub struct Reader<'w> {
    words: &'w Words,
    /// The word that is read next.
    pub at: usize,
    end: usize,
    depth: usize,
    /// Words that may matter and were not understood.
    pub unknown: Vec<String>,
}

impl<'w> Reader<'w> {
    /// Reads the words of `range`.
    pub fn new(words: &'w Words, range: Range<usize>) -> Self {
        Reader { words, at: range.start, end: range.end, depth: 0, unknown: Vec::new() }
    }

    fn word(&self) -> &'w str {
        self.peek(0)
    }

    fn peek(&self, ahead: usize) -> &'w str {
        if self.at + ahead < self.end { self.words.at(self.at + ahead) } else { "" }
    }

    /// The whole expression that begins here; `None` when there is none.
    pub fn expression(&mut self) -> Option<Expression> {
        let mut expression = match self.bare_relation() {
            Some(expression) => expression,
            None => self.noun_phrase()?,
        };
        self.of_which(&mut expression);
        self.what_follows(&mut expression);
        Some(expression.finished())
    }

    /// "what is behind the box", "left of the mug": a thing of which only its place is said.
    fn bare_relation(&mut self) -> Option<Expression> {
        let what = is(&["what", "whatever", "whichever", "something", "anything"], self.word());
        let verb = is(&["is", "are", "'s", "lies", "stands", "sits"], self.peek(1));
        let start = self.at;
        let from = start + if what { 1 + usize::from(verb) } else { 0 };
        let (turn, taken) = longest(TURNS, self.words, from, self.end)?;
        let places = matches!(turn, Turn::Related(_)) && from + taken < self.end;
        // "left mug", "the nearest mug" are noun phrases
        let opens = what || is(&["to", "on", "in", "behind", "between", "under", "above", "below", "beside", "near", "next", "at"], self.word())
            || is(&["left", "right"], self.word()) && is(&["of", "to"], self.peek(1));
        if !(opens && (places || what && matches!(turn, Turn::At(_) | Turn::Most(_) | Turn::NearestTo | Turn::FarthestFrom))) {
            return None;
        }
        self.at = from;
        let phrase = if what { self.words.text(start..start + 1) } else { "thing".into() };
        Some(Expression { description: Description { phrase, ..Description::default() }, ..Expression::default() })
    }

    /// "one of the mugs", "the largest of the boxes": the noun comes behind "of".
    fn of_which(&mut self, into: &mut Expression) {
        let plain = into.description.noun.is_none();
        let group = self.word() == "of" && (is(DETERMINERS, self.peek(1)) || self.peek(1) == "all");
        if !plain || !group || self.depth >= DEEPEST {
            return;
        }
        let back = self.at;
        self.at += 1 + usize::from(self.peek(1) == "all" && is(DETERMINERS, self.peek(2)));
        let Some(group) = self.noun_phrase().filter(|group| group.description.noun.is_some() || !group.description.attributes.is_empty()) else {
            self.at = back;
            return;
        };
        let one = into.description.is_plain() && into.rank.is_none() && into.quantity.is_none();
        if one && is(&["one", "any", "either"], &into.description.phrase.to_lowercase()) {
            into.quantity = Some(Quantity::Any);
        }
        into.quantity = into.quantity.or((!one).then_some(Quantity::One));
        into.description.noun = group.description.noun;
        into.description.attributes.extend(group.description.attributes);
        into.description.constraints.extend(group.description.constraints);
    }

    /// The noun phrase that begins here, without what stands behind it.
    fn noun_phrase(&mut self) -> Option<Expression> {
        let stop = self.words.phrase_end(self.at).min(self.end);
        if stop <= self.at {
            return None;
        }
        let mut expression = Expression::default();
        expression.description.phrase = self.words.text(self.at..stop);
        self.sort_words(self.at..stop, &mut expression);
        self.at = stop;
        Some(expression)
    }

    /// Sorts the words of a noun phrase by what they say.
    fn sort_words(&self, range: Range<usize>, into: &mut Expression) {
        let words = self.words;
        let mut places: Vec<Side> = Vec::new();
        let mut extreme = false;
        let mut noun: Vec<&str> = Vec::new();
        let mut determined = false;
        let mut i = range.start;
        let last = range.end - 1;
        while i < range.end {
            let (word, next) = (words.at(i), if i < last { words.at(i + 1) } else { "" });
            let mut taken = 1;
            if let Some(rank) = ordinal(word).filter(|_| i < last || noun.is_empty()) {
                into.rank = Some(rank);
            } else if let (true, Some(count)) = (word == "number", number(next)) {
                into.rank = i32::try_from(count).ok();
                taken = 2;
            } else if is(&["farthest", "furthest"], word) && matches!(side(next), Some(Side::Left | Side::Right)) {
                into.order(side(next).map_or(Order::Leftmost, most));
                taken = 2;
            } else if let (Some(order), true) = (superlative(word), noun.is_empty()) {
                into.order(order);
            } else if word == "most" && side(next).is_some() {
                into.order(side(next).map_or(Order::Leftmost, most));
                taken = 2;
            } else if is(&["far", "extreme", "very"], word) && matches!(side(next), Some(Side::Left | Side::Right)) {
                extreme = true;
            } else if let (Some(side), true) = (side(word), noun.is_empty() && !(i == last && word == "top" && i > range.start && !is(DETERMINERS, words.at(i - 1)))) {
                places.push(side);
                taken += usize::from(next == "hand");
            } else if word == "corner" && !places.is_empty() {
                // "the top left corner mug"
            } else if let (Some(size), true) = (size(word), i < last) {
                into.description.constraints.push(Constraint::Size(size));
            } else if let Some(lacked) = lacked(word, next) {
                into.description.constraints.push(Constraint::Lacks(lacked.to_string()));
                taken += usize::from(is(&["non", "not"], word));
            } else if is(&["both"], word) {
                into.quantity = Some(Quantity::Exactly(2));
            } else if is(&["all", "every", "each"], word) && noun.is_empty() {
                into.quantity = into.quantity.or(Some(Quantity::All));
            } else if word == "any" || word == "either" {
                into.quantity = Some(Quantity::Any);
            } else if is(&["another", "other"], word) && i < range.end {
                into.description.constraints.push(Constraint::Other);
            } else if let (Some(count), true) = (number(word), i < last && noun.is_empty() && !is(UNITS, next)) {
                if count > 1 {
                    into.quantity = Some(match (determined, into.quantity) {
                        (true, _) | (_, Some(Quantity::All)) => Quantity::Exactly(count),
                        _ => Quantity::Some(count),
                    });
                }
            } else if is(DETERMINERS, word) {
                determined |= !is(&["a", "an", "some", "any"], word);
            } else if is(&["very", "really", "quite", "only", "same", "colored", "color", "of", "whole", "single", "so-called"], word) {
                // nothing of use
            } else if word == "," || word == "and" || word == "&" {
                let around = |k: usize| is(COLOURS, words.at(k));
                if i > range.start && around(i - 1) && around(i + 1) {
                    if let Some(colour) = into.description.attributes.last_mut() {
                        *colour = format!("{colour} and {next}");
                        taken = 2;
                    }
                }
            } else if i < last && describes(word) {
                into.description.attributes.push(word.to_string());
            } else if i == last && is(COLOURS, word) && noun.is_empty() {
                into.description.attributes.push(word.to_string());
            } else {
                noun.push(word);
            }
            i += taken;
        }
        if let Some(["something" | "anything" | "everything", said @ ..]) = noun.get(..).filter(|noun| noun.len() > 1) {
            // "something red"
            into.description.attributes.extend(said.iter().map(ToString::to_string));
        } else if let Some((name, before)) = noun.split_last() {
            let generic = is(GENERIC, name);
            let one = singular(name);
            into.plural = one != *name && !is(&["something"], name) || is(&["ones", "those", "these", "them"], name);
            if !generic {
                let words: Vec<&str> = before.iter().copied().chain([one.as_str()]).collect();
                into.description.noun = Some(words.join(" ").trim_end_matches("'s").to_string());
            } else {
                into.description.attributes.extend(before.iter().map(ToString::to_string));
            }
        }
        into.places(&places, extreme);
    }

    /// Reads turn after turn behind a noun, until something else begins.
    fn what_follows(&mut self, into: &mut Expression) {
        let mut negated = false;
        while self.at < self.end {
            let before = self.at;
            let word = self.word();
            if self.words.is_mark(self.at) {
                if !self.continues_behind_mark() {
                    return;
                }
                self.at += 1;
            } else if self.possessive(into) || self.rank_behind(into) || self.nearest_to_what(into) {
            } else if self.clause_or_goal_begins() {
                return;
            } else if self.depth > 0 && is(&["and", "but"], word) {
                // what follows speaks of the thing outside
                return;
            } else if self.source() {
            } else if let Some((turn, taken)) = longest(TURNS, self.words, self.at, self.end) {
                if !self.turn(*turn, taken, into, &mut negated) {
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
        self.sort_words(self.at + 1..owner + 1, &mut anchor);
        self.at = owner + 2;
        let anchors = vec![anchor.finished().description];
        into.description.constraints.push(Constraint::Relation { relation, anchors });
        true
    }

    /// "the nearest mug to the box".
    fn nearest_to_what(&mut self, into: &mut Expression) -> bool {
        let Some(Constraint::Order { by: by @ (Order::Nearest | Order::Farthest), .. }) = into.description.constraints.last_mut()
        else {
            return false;
        };
        let near = *by == Order::Nearest;
        let determined = usize::from(is(DETERMINERS, self.peek(1)));
        if !is(if near { &["to"] } else { &["from"] }, self.word()) || is(SPEAKERS, self.peek(1 + determined)) {
            return false;
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

    /// "from the desk": where it is taken from says little of what it is.
    fn source(&mut self) -> bool {
        let source = is(&["from", "off"], self.word()) && is(DETERMINERS, self.peek(1));
        if !source || longest(TURNS, self.words, self.at, self.end).is_some() {
            return false;
        }
        self.at += 1;
        self.noun_phrase().is_some()
    }

    /// "in second place", "number two".
    fn rank_behind(&mut self, into: &mut Expression) -> bool {
        let skipped = usize::from(is(&["in", "at"], self.word())) + usize::from(self.peek(1) == "the");
        if let (Some(rank), true) = (ordinal(self.peek(skipped)), is(&["place", "position", "spot"], self.peek(skipped + 1))) {
            into.rank = Some(rank);
            self.at += skipped + 2;
            return true;
        }
        if let (true, Some(count)) = (is(&["number", "no", "#"], self.word()), number(self.peek(1))) {
            into.rank = i32::try_from(count).ok();
            self.at += 2;
            return true;
        }
        false
    }

    /// What a thing is made of, holds or does: "of carrots", "wearing a hat".
    fn detail(&mut self, into: &mut Expression) -> bool {
        let word = self.word();
        let does = word.len() > 4 && word.ends_with("ing") || is(&["of", "made", "worn", "held", "full", "filled"], word);
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
            return self.word() == ")" || self.word() == "'" ;
        }
        if longest(TURNS, self.words, next, self.end).is_some() || is(SOFTENERS, self.words.at(next)) {
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
        longest(TURNS, self.words, next, self.end).is_some_and(|(turn, _)| !matches!(turn, Turn::Nothing))
            || self.words.at(next) == "the" && superlative(self.words.at(next + 1)).is_some()
    }

    /// Whether the next action or a goal begins here: "and put it", "into the box", "to the kitchen".
    fn clause_or_goal_begins(&self) -> bool {
        let (word, next) = (self.word(), self.peek(1));
        let goal = is(&["into", "onto", "towards", "toward"], word)
            || word == "to" && (is(DETERMINERS, next) || next == "me" || next == "us")
                && longest(TURNS, self.words, self.at, self.end).is_none();
        let action = is(&["and", "then", "to", "so", "before", "until", "because"], word)
            && (self.words.clause_follows(self.at + 1) && self.at + 2 <= self.end);
        goal || action || word == "then"
    }

    /// One turn of `taken` words; `false` when the expression ends before it.
    fn turn(&mut self, turn: Turn, taken: usize, into: &mut Expression, negated: &mut bool) -> bool {
        let start = self.at;
        self.at += taken;
        let mut constraint = None;
        match turn {
            Turn::Nothing | Turn::That => {}
            Turn::ThatNot => {
                *negated = true;
                return true;
            }
            Turn::At(place) => {
                self.setting();
                match (into.rank, order_from(place)) {
                    (Some(rank), Some(order)) if !*negated => {
                        into.rank = None;
                        // "the last mug on the right" is the one at the right end
                        constraint = Some(Constraint::Order { rank: rank.abs(), by: order });
                    }
                    _ => constraint = Some(Constraint::Place(place)),
                }
            }
            Turn::Most(side) => {
                self.setting();
                constraint = Some(Constraint::Order { rank: into.rank.take().unwrap_or(1), by: most(side) });
            }
            Turn::From(side) => {
                self.setting();
                match into.rank.take() {
                    Some(rank) => constraint = Some(Constraint::Order { rank, by: most(side) }),
                    None => self.give_up(start),
                }
            }
            Turn::Related(relation) => match self.relation(relation, start) {
                Some(found) => constraint = found,
                None => {
                    self.at = self.at.max(start + taken);
                    self.give_up(start);
                }
            },
            Turn::NearestTo | Turn::FarthestFrom => {
                let Some(anchor) = self.anchor().filter(|anchor| anchor.description.noun.as_deref() != Some("edge")) else {
                    self.setting();
                    self.give_up(start);
                    return true;
                };
                let anchor = Box::new(anchor.description);
                let by = if turn == Turn::NearestTo { Order::NearestTo(anchor) } else { Order::FarthestFrom(anchor) };
                constraint = Some(Constraint::Order { rank: into.rank.take().unwrap_or(1), by });
            }
            Turn::Not | Turn::Except => {
                if !self.excluded(into, turn == Turn::Except) {
                    self.give_up(start);
                }
            }
            Turn::Alike(respect, alike) => {
                let Some(anchor) = self.likened() else {
                    self.give_up(start);
                    return true;
                };
                let alike = alike != *negated;
                *negated = false;
                into.description.constraints.push(Constraint::Likeness { respect, alike, anchor });
            }
            Turn::With | Turn::Without => {
                let Some(detail) = self.noun_phrase() else {
                    self.give_up(start);
                    return true;
                };
                if turn == Turn::With && !*negated {
                    into.description.details.push(self.words.text(start..self.at));
                    if let Some(colour) = detail.description.noun.as_deref().filter(|noun| *noun == "color") {
                        let _ = colour;
                        into.description.details.pop();
                        into.description.attributes.extend(detail.description.attributes);
                    }
                } else {
                    self.unknown.push(self.words.text(start..self.at));
                }
            }
        }
        if let Some(constraint) = constraint {
            into.constrain(constraint, std::mem::take(negated));
        }
        true
    }

    /// What stands behind a relation: an anchor, two of them for "between", or what makes it a place. `None` when no
    /// anchor follows; `Some(None)` when it says nothing of use.
    #[allow(clippy::option_option)] // nothing there, and nothing of use
    fn relation(&mut self, relation: Relation, start: usize) -> Option<Option<Constraint>> {
        if let Some(place) = self.setting_of(relation) {
            return Some(place);
        }
        let first = self.anchor()?;
        if is(&["edge", "border", "end", "side"], first.description.noun.as_deref().unwrap_or_default()) {
            self.setting();
            return None;
        }
        let plural = first.plural || first.quantity.is_some();
        let mut anchors = vec![first.description];
        if relation == Relation::Between && self.word() == "and" {
            let back = self.at;
            self.at += 1;
            match self.anchor() {
                Some(second) => {
                    let second = second.description.with_noun_of(&anchors[0]);
                    // "between the red and the blue mug": the first takes the second's noun
                    anchors[0] = anchors[0].clone().with_noun_of(&second);
                    anchors.push(second);
                }
                None => self.at = back,
            }
        }
        if relation == Relation::Between && anchors.len() == 1 && !plural {
            // "in the middle of the box": no pair
            let phrase = self.words.text(start..self.at);
            self.unknown.push(phrase);
            return Some(None);
        }
        Some(Some(Constraint::Relation { relation, anchors }))
    }

    /// A relation to the picture, the table or the speaker is a place: "left of the table", "in front of me".
    #[allow(clippy::option_option)] // as above
    fn setting_of(&mut self, relation: Relation) -> Option<Option<Constraint>> {
        let back = self.at;
        let determined = usize::from(is(DETERMINERS, self.word()));
        let word = self.peek(determined);
        let after = self.at + determined + 1;
        let speaker = is(SPEAKERS, word);
        if !(speaker || is(SETTINGS, word)) {
            return None;
        }
        let ends = after >= self.end
            || self.words.is_mark(after)
            || is(&["and", "that", "which", "please", "then", "but", "not", "except", "to", "into", "for"], self.words.at(after))
            || longest(TURNS, self.words, after, self.end).is_some();
        if !ends {
            return None;
        }
        let place = match (relation, speaker) {
            (Relation::LeftOf, _) => Some(Place::Left),
            (Relation::RightOf, _) => Some(Place::Right),
            (Relation::InFrontOf, _) => Some(Place::Front),
            (Relation::NextTo, true) => Some(Place::Front),
            (Relation::AwayFrom, true) => Some(Place::Back),
            (Relation::Behind, false) if is(&["group", "picture", "scene", "image"], word) => Some(Place::Back),
            (Relation::Between, false) => Some(Place::Middle),
            (Relation::On | Relation::In, _) | (_, true) => None,
            _ => {
                self.at = back;
                return None;
            }
        };
        self.at = after;
        Some(place.map(Constraint::Place))
    }

    /// Skips "of the picture", "on the table" behind a place.
    fn setting(&mut self) {
        if !is(&["of", "in", "on", "from", "to"], self.word()) {
            return;
        }
        let determined = usize::from(is(DETERMINERS, self.peek(1)));
        if is(SETTINGS, self.peek(1 + determined)) || is(SPEAKERS, self.peek(1 + determined)) {
            self.at += 2 + determined;
        }
    }

    /// An anchor: an expression of its own, read as far as it goes.
    fn anchor(&mut self) -> Option<Expression> {
        if self.depth >= DEEPEST {
            return None;
        }
        while is(&["just", "right", "only", "all", "directly"], self.word()) && !self.peek(1).is_empty() {
            self.at += 1;
        }
        self.depth += 1;
        let found = self.expression();
        self.depth -= 1;
        found.filter(|anchor| !anchor.description.is_empty())
    }

    /// The anchor of a likeness: "that of the plate" is the plate.
    fn likened(&mut self) -> Option<Description> {
        while is(&["that", "the", "color", "one", "of", "as", "size", "shape", "kind"], self.word()) {
            let skipped = matches!((self.word(), self.peek(1)), ("that" | "one" | "color" | "size" | "shape" | "kind", "of") | ("the", "color" | "size" | "shape" | "one")) && (self.word() != "the" || self.peek(2) == "of")
                || self.word() == "of";
            if !skipped {
                break;
            }
            self.at += 1;
        }
        self.anchor().map(|anchor| anchor.description)
    }

    /// What is excluded: a look ("red"), a thing ("the red one"), a place ("on the left"). `false` when nothing follows.
    fn excluded(&mut self, into: &mut Expression, thing: bool) -> bool {
        while is(&["a", "an"], self.word()) && describes(self.peek(1)) && self.peek(2).is_empty() {
            self.at += 1;
        }
        let start = self.at;
        if let Some((Turn::At(_) | Turn::Most(_) | Turn::Related(_) | Turn::NearestTo | Turn::FarthestFrom, _)) =
            longest(TURNS, self.words, self.at, self.end)
        {
            let (turn, taken) = longest(TURNS, self.words, self.at, self.end).map_or((Turn::Nothing, 0), |(t, n)| (*t, n));
            let mut other = Expression::default();
            let read = self.turn(turn, taken, &mut other, &mut false);
            let mut other = other.finished();
            other.description.phrase = self.words.text(start..self.at);
            if read && !other.description.constraints.is_empty() {
                into.description.constraints.push(Constraint::Except(other.description));
                return true;
            }
            self.at = start;
        }
        if is(&["be", "being"], self.word()) {
            self.at += 1;
        }
        if self.depth >= DEEPEST {
            return false;
        }
        self.depth += 1;
        let found = self.expression();
        self.depth -= 1;
        let Some(Expression { description, .. }) = found else { return false };
        if description.is_empty() {
            return false;
        }
        let bare = !is(DETERMINERS, self.words.at(start)) && description.noun.is_none() && description.is_plain();
        if bare && !thing || bare && description.attributes.len() == 1 {
            for attribute in description.attributes {
                into.description.constraints.push(Constraint::Lacks(attribute));
            }
        } else {
            into.description.constraints.push(Constraint::Except(description));
        }
        true
    }

    /// Words that describe, behind the noun: "that is red", "the largest", "third".
    fn predicate(&mut self, into: &mut Expression) -> bool {
        let stop = self.words.phrase_end(self.at).min(self.end);
        if stop <= self.at {
            return false;
        }
        let mut said = Expression { rank: into.rank, ..Expression::default() };
        self.sort_words(self.at..stop, &mut said);
        let known = said.description.noun.is_none() || into.description.noun.is_none() && into.description.attributes.is_empty();
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

    /// Lists the words since `start` as not understood.
    fn give_up(&mut self, start: usize) {
        self.unknown.push(self.words.text(start..self.at.min(self.end).max(start + 1)));
    }
}

impl Expression {
    fn order(&mut self, by: Order) {
        let rank = self.rank.take().unwrap_or(1);
        self.description.constraints.push(Constraint::Order { rank, by });
    }

    /// Places before the noun: "left", "top left", "far left".
    fn places(&mut self, places: &[Side], extreme: bool) {
        let has = |side| places.contains(&side);
        let high = has(Side::Top) || has(Side::Far);
        let low = has(Side::Bottom) || has(Side::Near);
        let place = match (has(Side::Left), has(Side::Right), high, low) {
            (true, _, true, _) => Place::TopLeft,
            (true, _, _, true) => Place::BottomLeft,
            (_, true, true, _) => Place::TopRight,
            (_, true, _, true) => Place::BottomRight,
            (true, ..) if extreme => return self.order(Order::Leftmost),
            (_, true, ..) if extreme => return self.order(Order::Rightmost),
            (true, ..) => Place::Left,
            (_, true, ..) => Place::Right,
            (.., true, _) if has(Side::Far) => Place::Back,
            (.., true, _) => Place::Top,
            (.., true) if has(Side::Near) => Place::Front,
            (.., true) => Place::Bottom,
            _ if has(Side::Middle) => Place::Middle,
            _ => return,
        };
        self.description.constraints.push(Constraint::Place(place));
    }

    fn constrain(&mut self, constraint: Constraint, negated: bool) {
        self.description.constraints.push(match negated {
            true => Constraint::Except(Description { constraints: vec![constraint], ..Description::default() }),
            false => constraint,
        });
    }

    /// A rank that nothing gave an order counts from the left, as one reads; plurals mean all.
    fn finished(mut self) -> Expression {
        if let Some(rank) = self.rank.take() {
            self.description.constraints.push(Constraint::Order { rank, by: Order::Leftmost });
        }
        if self.plural && self.quantity.is_none() {
            self.quantity = Some(Quantity::All);
        }
        self
    }
}

impl Description {
    /// Whether nothing at all is said.
    pub fn is_empty(&self) -> bool {
        self.noun.is_none() && self.attributes.is_empty() && self.constraints.is_empty() && self.details.is_empty()
            && !self.phrase.split_whitespace().any(|word| is(GENERIC, &word.to_lowercase()))
    }
}

/// Whether a word before a noun says what it looks like rather than what it is.
fn describes(word: &str) -> bool {
    is(COLOURS, word)
        || is(ADJECTIVES, word)
        || word.ends_with("ish")
        || word.ends_with("-colored")
        || word.len() > 4 && word.ends_with("ed") && !is(super::lexicon::ED_WORDS, word)
        || word.ends_with('"')
}

/// The colour that "non-red", "not red", "non red" denies.
fn lacked<'a>(word: &'a str, next: &'a str) -> Option<&'a str> {
    if is(&["non", "not"], word) && describes(next) {
        return Some(next);
    }
    let rest = word.strip_prefix("non-").or_else(|| word.strip_prefix("non"))?;
    is(COLOURS, rest).then_some(rest)
}

/// A rank in words: 1 for the first, -1 for the last, -2 for the last but one.
fn ordinal(word: &str) -> Option<i32> {
    const NAMES: [(&str, i32); 25] = [
        ("first", 1), ("second", 2), ("third", 3), ("fourth", 4), ("fifth", 5), ("sixth", 6), ("seventh", 7), ("eighth", 8),
        ("ninth", 9), ("tenth", 10), ("1st", 1), ("2nd", 2), ("3rd", 3), ("4th", 4), ("5th", 5), ("6th", 6), ("7th", 7),
        ("8th", 8), ("9th", 9), ("10th", 10), ("last", -1), ("final", -1), ("penultimate", -2), ("antepenultimate", -3),
        ("third-last", -3),
    ];
    NAMES.iter().find(|(name, _)| *name == word).map(|(_, rank)| *rank)
}

fn number(word: &str) -> Option<usize> {
    const NAMES: [&str; 11] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let digits = || word.parse().ok().filter(|count| (1..100).contains(count));
    match word {
        "couple" | "pair" => Some(2),
        _ => NAMES.iter().position(|name| *name == word).or_else(digits),
    }
}

fn side(word: &str) -> Option<Side> {
    Some(match word {
        "left" | "left-hand" | "lefthand" => Side::Left,
        "right" | "right-hand" | "righthand" => Side::Right,
        "top" | "upper" => Side::Top,
        "bottom" | "lower" => Side::Bottom,
        "front" | "near" | "foreground" => Side::Near,
        "back" | "rear" | "far" | "background" => Side::Far,
        "middle" | "center" | "centre" | "central" | "centered" | "centermost" => Side::Middle,
        _ => return None,
    })
}

fn superlative(word: &str) -> Option<Order> {
    Some(match word {
        "leftmost" | "left-most" | "westernmost" => Order::Leftmost,
        "rightmost" | "right-most" | "easternmost" => Order::Rightmost,
        "topmost" | "uppermost" | "top-most" => Order::Topmost,
        "bottommost" | "bottom-most" | "lowermost" => Order::Bottommost,
        "nearest" | "closest" | "closer" | "nearer" | "frontmost" | "foremost" => Order::Nearest,
        "farthest" | "furthest" | "farther" | "further" | "rearmost" | "backmost" | "hindmost" => Order::Farthest,
        "largest" | "biggest" | "larger" | "bigger" | "widest" | "longest" | "longer" | "wider" | "hugest" => Order::Largest,
        "smallest" | "tiniest" | "littlest" | "smaller" | "tinier" | "narrowest" | "slimmest" => Order::Smallest,
        "tallest" | "highest" | "taller" | "higher" => Order::Tallest,
        "shortest" | "lowest" | "shorter" | "flattest" => Order::Lowest,
        "middlemost" | "centermost" => Order::Central,
        _ => return None,
    })
}

fn size(word: &str) -> Option<Size> {
    Some(match word {
        "large" | "big" | "huge" | "giant" | "enormous" | "large-sized" | "oversized" | "massive" => Size::Large,
        "medium" | "medium-sized" | "mid-sized" | "middle-sized" => Size::Medium,
        "small" | "little" | "tiny" | "mini" | "miniature" | "small-sized" => Size::Small,
        "tall" | "high" => Size::Tall,
        "short" | "low" => Size::Short,
        _ => return None,
    })
}

fn most(side: Side) -> Order {
    match side {
        Side::Left => Order::Leftmost,
        Side::Right => Order::Rightmost,
        Side::Top => Order::Topmost,
        Side::Bottom => Order::Bottommost,
        Side::Near => Order::Nearest,
        Side::Far => Order::Farthest,
        Side::Middle => Order::Central,
    }
}

/// "The second mug on the left" counts from the left.
fn order_from(place: Place) -> Option<Order> {
    Some(match place {
        Place::Left => Order::Leftmost,
        Place::Right => Order::Rightmost,
        Place::Top => Order::Topmost,
        Place::Bottom => Order::Bottommost,
        Place::Front => Order::Nearest,
        Place::Back => Order::Farthest,
        _ => return None,
    })
}

/// A noun's singular, by its ending.
pub fn singular(word: &str) -> String {
    const ALIKE: &[&str] = &[
        "glass", "scissors", "glasses", "sunglasses", "pants", "jeans", "shorts", "headphones", "tongs", "pliers", "bus",
        "cactus", "dress", "chess", "grass", "brass", "mess", "compass", "mattress", "canvas", "lens", "series", "us",
        "gas", "virus", "octopus", "walrus", "asparagus", "hummus", "apparatus", "business", "princess", "goggles",
        "binoculars", "tweezers", "towards", "controls", "keys", "harness", "cross", "boss", "class", "press", "process",
    ];
    const ODD: &[(&str, &str)] = &[
        ("people", "person"), ("men", "man"), ("women", "woman"), ("children", "child"), ("feet", "foot"),
        ("knives", "knife"), ("shelves", "shelf"), ("loaves", "loaf"), ("leaves", "leaf"), ("mice", "mouse"),
        ("teeth", "tooth"), ("wolves", "wolf"), ("scarves", "scarf"), ("potatoes", "potato"), ("tomatoes", "tomato"),
        ("geese", "goose"),
    ];
    if is(ALIKE, word) || word.len() < 4 {
        return word.to_string();
    }
    if let Some((_, one)) = ODD.iter().find(|(many, _)| *many == word) {
        return (*one).to_string();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 2 && !is(&["cook", "smooth", "brown", "mov"], stem)) {
        return format!("{stem}y");
    }
    for ending in ["ches", "shes", "sses", "xes", "zes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_string();
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') && !stem.ends_with('u') && !stem.ends_with('i') => stem.to_string(),
        _ => word.to_string(),
    }
}

/// Whether two respects of likeness are judged by colours.
impl Respect {
    /// The word in readings.
    pub fn word(self) -> &'static str {
        match self {
            Respect::Colour => "colour",
            Respect::Kind => "kind",
            Respect::Size => "size",
        }
    }
}
