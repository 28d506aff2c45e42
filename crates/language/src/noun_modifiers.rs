//! The words of a noun phrase, sorted by what they say: ranks, places, sizes, numbers, attributes, and the noun.

use super::expression::{Expression, GENERIC};
use super::lexicon::{is, COLOURS, DETERMINERS};
use super::parsed_command::{Constraint, Order, Place, Quantity};
use super::parts_of_speech::is_adjective;
use super::phrases::Side;
use super::text_words::Words;
use super::word_classes::{describes, lacked, most, number, ordinal, side, size, superlative};
use super::word_forms::{is_superlative, singular};
use std::ops::Range;

/// Behind a number these make an attribute of it: "the 10 mm wrench".
const UNITS: &[&str] = &[
    "volt", "volts", "watt", "watts", "amp", "v", "w", "cl", "dl", "lb", "lbs", "ounce", "quart", "pint", "mm", "cm",
    "inch", "inches", "in", "ml", "liter", "litre", "kg", "g", "oz", "gallon", "foot", "meter", "pound",
];

impl Words {
    /// Sorts the words of a noun phrase by what they say.
    pub fn sort_words(&self, range: Range<usize>, into: &mut Expression) {
        let words = self;
        let mut places: Vec<Side> = Vec::new();
        let mut extreme = false;
        let mut noun: Vec<&str> = Vec::new();
        let mut determined = false;
        let mut counted: Option<&str> = None;
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
            } else if let (Some(side), true) = (
                side(word),
                noun.is_empty()
                    && !(i == last && word == "top" && i > range.start && !is(DETERMINERS, words.at(i - 1))),
            ) {
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
            } else if word == "every" && next == "other" && noun.is_empty() {
                // every second one in a row
                into.quantity = into.quantity.or(Some(Quantity::All));
                into.unknown.push("every other".into());
                taken = 2;
            } else if is(&["all", "every", "each"], word) && noun.is_empty() {
                into.quantity = into.quantity.or(Some(Quantity::All));
            } else if word == "any" || word == "either" {
                into.quantity = Some(Quantity::Any);
            } else if is(&["another", "other"], word) && i < range.end {
                into.description.constraints.push(Constraint::Other);
            } else if let (Some(count), true) = (number(word), i < last && noun.is_empty() && !is(UNITS, next)) {
                if count > 1 {
                    counted = Some(word).filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
                    into.quantity = Some(match (determined, into.quantity) {
                        (true, _) | (_, Some(Quantity::All)) => Quantity::Exactly(count),
                        _ => Quantity::Some(count),
                    });
                }
            } else if is(DETERMINERS, word) {
                determined |= !is(&["a", "an", "some", "any"], word);
            } else if is(
                &["very", "really", "quite", "only", "same", "colored", "color", "of", "whole", "single", "so-called"],
                word,
            ) {
                // nothing of use
            } else if word == "or" {
                // "the red or blue mug"
                if let Some(look) = into.description.attributes.last_mut() {
                    *look = format!("{look} or {next}");
                    taken = 2;
                }
            } else if word == "," || word == "and" || word == "but" || word == "&" {
                let around = |k: usize| is(COLOURS, words.at(k));
                if i > range.start && around(i - 1) && around(i + 1) {
                    if let Some(colour) = into.description.attributes.last_mut() {
                        *colour = format!("{colour} and {next}");
                        taken = 2;
                    }
                }
            } else if word == "orange"
                && i == last
                && noun.is_empty()
                && (determined
                    || is(&["a", "an"], words.at(i.wrapping_sub(1)))
                    || !into.description.attributes.is_empty())
            {
                noun.push(word); // the fruit; "not the red mug, the orange" is told by with_noun_of
            } else if i < last && noun.is_empty() && (is_superlative(word) || word.len() > 5 && word.ends_with("most"))
            {
                // "the outermost mug": an order that is not known
                into.unknown.push(word.to_string());
            } else if i < last && (describes(word) || noun.is_empty() && is_adjective(word))
                || i == last && is(COLOURS, word) && noun.is_empty()
            {
                into.description.attributes.push(word.to_string());
            } else {
                noun.push(word);
            }
            i += taken;
        }
        if noun.first() == Some(&"everything") {
            into.quantity = into.quantity.or(Some(Quantity::All));
        }
        if let Some(["something" | "anything" | "everything", said @ ..]) = noun.get(..).filter(|noun| noun.len() > 1) {
            // "something red"
            into.description.attributes.extend(said.iter().map(ToString::to_string));
        } else if let Some((name, before)) = noun.split_last() {
            let generic = is(GENERIC, name);
            let one = singular(name.trim_end_matches("'s"));
            into.plural = one != name.trim_end_matches("'s") && !is(&["something"], name)
                || is(&["ones", "those", "these", "them"], name);
            // "chess piece": one of its kind; "chess thing" would say nothing
            let kind = generic && is(&["piece", "pieces", "item", "items"], name) && !before.is_empty();
            if !generic || kind {
                let words: Vec<&str> = before.iter().copied().chain([one.as_str()]).collect();
                into.description.noun = Some(words.join(" "));
            } else {
                into.description.attributes.extend(before.iter().map(ToString::to_string));
            }
        }
        if let (Some(number), false, true) = (counted, into.plural, into.description.noun.is_some()) {
            // "the 5 button": no number of buttons
            into.quantity = None;
            into.description.attributes.push(number.to_string());
        }
        into.places(&places, extreme);
    }
}

impl Expression {
    pub fn order(&mut self, by: Order) {
        let rank = self.rank.take().unwrap_or(1);
        self.description.constraints.push(Constraint::Order { rank, by });
    }

    /// Places before the noun: "left", "top left", "far left".
    pub fn places(&mut self, places: &[Side], extreme: bool) {
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
}
