//! What one turn of phrase behind a noun adds to a description: places, relations to anchors, exclusions, likeness.

use super::expression::{Expression, Reader, DEEPEST};
use super::lexicon::{is, COLOURS, DETERMINERS, SUPPORTS};
use super::parsed_command::{Constraint, Description, Order, Place, Relation};
use super::phrases::{turn_at, Turn, SETTINGS, SPEAKERS};
use super::word_classes::{describes, most, order_from};

/// A colour without a noun and an article.
fn is_colour_alone(anchors: &[Description]) -> bool {
    let colour = |anchor: &Description| {
        let plain = anchor.noun.is_none() && anchor.constraints.is_empty() && anchor.details.is_empty();
        plain && anchor.attributes.len() == 1 && is(COLOURS, &anchor.phrase.to_lowercase())
    };
    matches!(anchors, [anchor] if colour(anchor))
}

impl Reader<'_> {
    /// One turn of `taken` words; `false` when the expression ends before it.
    pub fn turn(&mut self, turn: Turn, taken: usize, into: &mut Expression, negated: &mut bool) -> bool {
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
                Some(Some(Constraint::Relation { relation: Relation::In, anchors })) if is_colour_alone(&anchors) => {
                    // "the mug in purple"
                    into.description.attributes.extend(anchors.into_iter().flat_map(|colour| colour.attributes));
                }
                Some(found) => constraint = found,
                None => {
                    self.at = self.at.max(start + taken);
                    self.give_up(start);
                }
            },
            Turn::NearestTo | Turn::FarthestFrom => {
                let rest = self.at;
                let by = match self.anchor() {
                    Some(anchor) if anchor.description.noun.as_deref() == Some("edge") => {
                        self.setting();
                        self.give_up(start);
                        return true;
                    }
                    Some(anchor) if turn == Turn::NearestTo => Order::NearestTo(Box::new(anchor.description)),
                    Some(anchor) => Order::FarthestFrom(Box::new(anchor.description)),
                    // "the mug closest": to whoever speaks
                    None if rest == start + 1 && turn == Turn::NearestTo => {
                        self.at = rest;
                        Order::Nearest
                    }
                    None => {
                        self.at = self.at.max(rest);
                        self.give_up(start);
                        return true;
                    }
                };
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
                if is(&["in", "on", "inside"], self.word()) && is(&["it", "them"], self.peek(1)) {
                    self.at += 2; // "with fruit in it"
                }
                if turn == Turn::With && !*negated {
                    // "with a red color" is a look
                    match detail.description.noun.as_deref() {
                        Some("color") => into.description.attributes.extend(detail.description.attributes),
                        _ => into.description.details.push(self.words.text(start..self.at)),
                    }
                } else if detail.description.noun.is_none() && !detail.description.attributes.is_empty() {
                    // "mug without purple"
                    into.description
                        .constraints
                        .extend(detail.description.attributes.into_iter().map(Constraint::Lacks));
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
    pub(super) fn relation(&mut self, relation: Relation, start: usize) -> Option<Option<Constraint>> {
        // "at the back of the table" is on it
        let is_part = is(&["at", "in"], self.words.at(start));
        if let Some(place) = self.setting_of(relation, is_part) {
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
    fn setting_of(&mut self, relation: Relation, is_part: bool) -> Option<Option<Constraint>> {
        let determined = usize::from(is(DETERMINERS, self.word()));
        let word = self.peek(determined);
        let after = self.at + determined + 1;
        let speaker = is(SPEAKERS, word);
        if !(speaker || is(SETTINGS, word)) {
            return None;
        }
        let ends = after >= self.end
            || self.words.is_mark(after)
            || is(
                &["and", "that", "which", "please", "then", "but", "not", "except", "to", "into", "for"],
                self.words.at(after),
            )
            || turn_at(self.words, after, self.end).is_some();
        if !ends {
            return None;
        }
        let place = match (relation, speaker) {
            (Relation::LeftOf, _) => Some(Place::Left),
            (Relation::RightOf, _) => Some(Place::Right),
            (Relation::InFrontOf, _) => Some(Place::Front),
            (Relation::NextTo, true) => Some(Place::Front),
            (Relation::AwayFrom, true) => Some(Place::Back),
            (Relation::Behind, false) if is(&["group", "picture", "scene", "image"], word) || is_part => {
                Some(Place::Back)
            }
            (Relation::Between, false) => Some(Place::Middle),
            (Relation::On | Relation::From, false) if is(SUPPORTS, word) => {
                let (phrase, noun) = (self.words.text(self.at..after), Some(word.to_string()));
                let support = Description { phrase, noun, ..Description::default() };
                self.at = after;
                return Some(Some(Constraint::Relation { relation, anchors: vec![support] }));
            }
            (Relation::On | Relation::In | Relation::From, _) | (_, true) => None,
            _ => return None,
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
    pub fn anchor(&mut self) -> Option<Expression> {
        if self.depth >= DEEPEST {
            return None;
        }
        while is(&["just", "right", "only", "all", "directly"], self.word()) && !self.peek(1).is_empty() {
            self.at += 1;
        }
        self.at += self.group();
        self.depth += 1;
        let found = self.expression();
        self.depth -= 1;
        found.filter(|anchor| !anchor.description.is_empty())
    }

    /// Words before what a group is of: "the group of five green blocks", "all of the blocks".
    fn group(&self) -> usize {
        const GROUPS: &[&str] = &["group", "cluster", "bunch", "line", "row", "all", "pair", "set", "collection"];
        let determined = usize::from(is(DETERMINERS, self.word()));
        let looks = usize::from(is(&["horizontal", "vertical", "small", "big", "large"], self.peek(determined)));
        let noun = determined + looks;
        if is(GROUPS, self.peek(noun)) && self.peek(noun + 1) == "of" && !self.peek(noun + 2).is_empty() {
            noun + 2
        } else {
            0
        }
    }

    /// The anchor of a likeness: "that of the plate" is the plate.
    fn likened(&mut self) -> Option<Description> {
        while is(&["that", "the", "color", "one", "of", "as", "size", "shape", "kind"], self.word()) {
            let skipped = matches!(
                (self.word(), self.peek(1)),
                ("that" | "one" | "color" | "size" | "shape" | "kind", "of")
                    | ("the", "color" | "size" | "shape" | "one")
            ) && (self.word() != "the" || self.peek(2) == "of")
                || self.word() == "of";
            if !skipped {
                break;
            }
            self.at += 1;
        }
        self.anchor().map(|anchor| anchor.description)
    }

    /// What is excluded: a look ("red"), a thing ("the red one"), a place ("on the left"). `false` when nothing follows.
    pub fn excluded(&mut self, into: &mut Expression, thing: bool) -> bool {
        while is(&["a", "an"], self.word()) && describes(self.peek(1)) && self.peek(2).is_empty() {
            self.at += 1;
        }
        let start = self.at;
        let turn = turn_at(self.words, self.at, self.end);
        if let Some((
            turn @ (Turn::At(_) | Turn::Most(_) | Turn::Related(_) | Turn::NearestTo | Turn::FarthestFrom),
            taken,
        )) = turn
        {
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
        if bare && (!thing || description.attributes.len() == 1) {
            for attribute in description.attributes {
                into.description.constraints.push(Constraint::Lacks(attribute));
            }
        } else {
            into.description.constraints.push(Constraint::Except(description));
        }
        true
    }

    /// Lists the words since `start` as not understood.
    fn give_up(&mut self, start: usize) {
        self.unknown.push(self.words.text(start..self.at.min(self.end).max(start + 1)));
    }
}
