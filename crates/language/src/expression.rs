//! Referring expressions: a noun phrase with all that stands before and behind its noun, to a [`Description`].
//!
//! "the second red mug from the left that is not on a plate": the words before the noun are sorted by their class, what
//! stands behind it is read turn by turn (`phrases.rs`), and anchors are expressions again.

use super::lexicon::{is, DETERMINERS};
use super::parsed_command::{Constraint, Description, Order, Quantity};
use super::phrases::{turn_at, Turn};
use super::text_words::Words;
use super::word_classes::number;
use std::ops::Range;

/// Expressions inside expressions that are followed; deeper ones are listed as not understood.
pub const DEEPEST: usize = 5;

/// Nouns that say nothing of what a thing is.
pub const GENERIC: &[&str] = &[
    "one", "ones", "thing", "things", "object", "objects", "item", "items", "stuff", "something", "anything",
    "everything", "element", "piece", "pieces", "article", "that", "those", "it", "them", "this", "these",
];

/// An expression as far as it was read.
#[derive(Debug, Default)]
pub struct Expression {
    pub description: Description,
    pub quantity: Option<Quantity>,
    /// The noun is in the plural.
    pub plural: bool,
    /// A rank without its order yet: "the second mug".
    pub rank: Option<i32>,
    /// Words of its phrase that were not understood.
    pub unknown: Vec<String>,
}

/// Reads expressions from a stretch of a command's words.
pub struct Reader<'w> {
    pub words: &'w Words,
    /// The word that is read next.
    pub at: usize,
    pub end: usize,
    /// How many expressions this one stands inside.
    pub depth: usize,
    /// Words that may matter and were not understood.
    pub unknown: Vec<String>,
}

impl<'w> Reader<'w> {
    /// Reads the words of `range`.
    pub fn new(words: &'w Words, range: Range<usize>) -> Self {
        Reader { words, at: range.start, end: range.end, depth: 0, unknown: Vec::new() }
    }

    pub fn word(&self) -> &'w str {
        self.peek(0)
    }

    pub fn peek(&self, ahead: usize) -> &'w str {
        if self.at + ahead < self.end {
            self.words.at(self.at + ahead)
        } else {
            ""
        }
    }

    /// The whole expression that begins here; `None` when there is none.
    pub fn expression(&mut self) -> Option<Expression> {
        let softened = is(&["right", "directly", "just", "immediately"], self.word())
            && is(
                &["next", "behind", "beside", "above", "below", "under", "in", "on", "between", "by", "near"],
                self.peek(1),
            );
        self.at += usize::from(softened);
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
        let (turn, taken) = turn_at(self.words, from, self.end)?;
        let places = matches!(turn, Turn::Related(_) | Turn::Not) && from + taken < self.end;
        // "left mug", "the nearest mug" are noun phrases
        let opens =
            what || is(
                &[
                    "to", "on", "in", "behind", "between", "under", "above", "below", "beside", "near", "next", "at",
                    "by", "neither",
                ],
                self.word(),
            ) || is(&["left", "right"], self.word()) && is(&["of", "to"], self.peek(1));
        if !(opens
            && (places || what && matches!(turn, Turn::At(_) | Turn::Most(_) | Turn::NearestTo | Turn::FarthestFrom)))
        {
            return None;
        }
        self.at = from;
        let phrase = if what { self.words.text(start..start + 1) } else { "thing".into() };
        Some(Expression { description: Description { phrase, ..Description::default() }, ..Expression::default() })
    }

    /// "one of the mugs", "the largest of the boxes": the noun comes behind "of".
    fn of_which(&mut self, into: &mut Expression) {
        let phrase = into.description.phrase.to_lowercase();
        if phrase == "all" && self.word() == "but" && self.peek(2) == "of" {
            // "all but one of the mugs"
            if let Some(count) = number(self.peek(1)) {
                into.quantity = Some(Quantity::AllBut(count));
                self.at += 2;
            }
        }
        let group = self.word() == "of" && (is(DETERMINERS, self.peek(1)) || self.peek(1) == "all");
        if let (Some(count), true) = (number(&phrase), group) {
            // "two of the red mugs"
            into.description.noun = None;
            into.quantity = Some(if count == 1 { Quantity::Any } else { Quantity::Some(count) });
        }
        if phrase == "half" && group {
            self.unknown.push("half of".into());
            into.description.noun = None;
        }
        let plain = into.description.noun.is_none();
        if !plain || !group || self.depth >= DEEPEST {
            return;
        }
        let back = self.at;
        self.at += 1 + usize::from(self.peek(1) == "all" && is(DETERMINERS, self.peek(2)));
        let Some(group) = self
            .noun_phrase()
            .filter(|group| group.description.noun.is_some() || !group.description.attributes.is_empty())
        else {
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
    pub fn noun_phrase(&mut self) -> Option<Expression> {
        let stop = self.words.phrase_end(self.at).min(self.end);
        if stop <= self.at {
            return None;
        }
        let mut expression = Expression::default();
        expression.description.phrase = self.words.text(self.at..stop);
        self.words.sort_words(self.at..stop, &mut expression);
        self.unknown.append(&mut expression.unknown);
        self.at = stop;
        Some(expression)
    }
}

impl Expression {
    pub fn constrain(&mut self, constraint: Constraint, negated: bool) {
        self.description.constraints.push(match negated {
            true => Constraint::Except(Description { constraints: vec![constraint], ..Description::default() }),
            false => constraint,
        });
    }

    /// A rank that nothing gave an order counts from the left, as one reads; plurals mean all.
    pub fn finished(mut self) -> Expression {
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
        self.noun.is_none()
            && self.attributes.is_empty()
            && self.constraints.is_empty()
            && self.details.is_empty()
            && !self.phrase.split_whitespace().any(|word| is(GENERIC, &word.to_lowercase()))
    }
}
