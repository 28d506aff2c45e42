//! Free places as what is looked for: "the free space between the plate and the can", "a free spot on the table".

use super::lexicon::is;
use super::parsed_command::{Constraint, Description, Destination, Goal, Order, ParsedCommand, Relation};

/// Nouns for a place, and for one that is free by itself when it is between things.
const PLACES: &[&str] = &["space", "area", "spot", "place", "location", "position", "region", "gap"];
const GAPS: &[&str] = &["space", "gap"];
/// That nothing is there.
const FREE: &[&str] = &["free", "empty", "vacant", "open", "clear", "unoccupied", "available"];

impl ParsedCommand {
    /// The same command, or the one for a free place where the target is none of the things.
    pub(super) fn or_free_place(mut self) -> ParsedCommand {
        if self.destination.is_some() || self.forbidden || !is_free_place(&self.target) {
            return self;
        }
        let goal = self.target.constraints.iter().find_map(goal).unwrap_or(Goal::Free);
        let phrase = self.target.reading();
        self.destination = Some(Destination { phrase, goal, distance: None });
        self.free_place = true;
        self.names_nothing = false;
        self
    }
}

fn is_free_place(target: &Description) -> bool {
    let words: Vec<&str> = target.noun.iter().flat_map(|noun| noun.split_whitespace()).collect();
    let Some((noun, before)) = words.split_last() else { return false };
    let is_free = before.iter().copied().chain(target.attributes.iter().map(String::as_str)).any(|word| is(FREE, word));
    let between =
        |constraint: &Constraint| matches!(constraint, Constraint::Relation { relation: Relation::Between, .. });
    is(PLACES, noun) && is_free || is(GAPS, noun) && target.constraints.iter().any(between)
}

/// Where a constraint of the place says that it is; `None` where it says nothing that narrows it.
fn goal(constraint: &Constraint) -> Option<Goal> {
    match constraint {
        Constraint::Relation { anchors, .. } if anchors.iter().all(Description::is_surrounding) => None,
        Constraint::Relation { relation, anchors } => {
            Some(Goal::Relation { relation: *relation, anchors: anchors.clone() })
        }
        Constraint::Order { rank: 1, by: Order::NearestTo(anchor) } => {
            Some(Goal::Relation { relation: Relation::NextTo, anchors: vec![(**anchor).clone()] })
        }
        Constraint::Place(place) => Some(Goal::Place(*place)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CommandParser, ParserKind};

    #[test]
    fn a_free_place_is_no_thing_and_other_places_are() {
        let parser = CommandParser::open(ParserKind::Rules, "".as_ref()).unwrap();
        let goal = |text: &str| {
            let parsed = parser.parse(text);
            parsed.destination.filter(|_| parsed.free_place).map(|destination| destination.goal)
        };
        let relation = |text: &str| match goal(text) {
            Some(Goal::Relation { relation, anchors }) => (relation, anchors.len()),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(relation("point out the free area between the bowl and the plate"), (Relation::Between, 2));
        assert_eq!(relation("please find the vacant space to the right of the black mug"), (Relation::RightOf, 1));
        assert_eq!(relation("the gap between the two boxes"), (Relation::Between, 1));
        assert_eq!(goal("find a free spot on the table"), Some(Goal::Free));
        for text in ["the empty box", "the spot on the plate", "the free chair", "put the mug on a free spot"] {
            assert!(!parser.parse(text).free_place, "{text}");
        }
    }
}
