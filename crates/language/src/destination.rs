//! Destinations: where a command's object shall go, from the words behind it: "between the plate and the can", "5 cm to its left".

use super::expression::Reader;
use super::lexicon::{is, DETERMINERS, PREPOSITIONS, SUPPORTS};
use super::parsed_command::{Constraint, Description, Destination, Goal, Motion, Place, Relation};
use super::pattern::Table;
use super::phrases::{turn_at, Side, Turn, SETTINGS, SPEAKERS};
use super::text_words::Words;
use std::ops::Range;

/// Turns that say a destination without an anchor.
static LONE: Table<Lone> = Table::new(&[
    ("back? to? where it|they was|were|belongs|belong|stood|came from?", Lone::Back),
    ("back", Lone::Back),
    (
        "back? to|in|into|at its|their|the original|initial|old|previous|former|right? place|position|spot|location",
        Lone::Back,
    ),
    (
        "to|at|on|in|somewhere? an|a? free|empty|open|clear|vacant|unoccupied spot|space|place|area|position|location",
        Lone::Free,
    ),
    ("somewhere|anywhere free|empty|open|clear|else|safe? on|in? the|a? table|desk|counter|floor?", Lone::Free),
    ("where there is room|space|place", Lone::Free),
    ("to|towards|toward|on|at the|your|my|its? left", Lone::Motion(Motion::Left)),
    ("to|towards|toward|on|at the|your|my|its? right", Lone::Motion(Motion::Right)),
    ("leftwards|leftward", Lone::Motion(Motion::Left)),
    ("rightwards|rightward", Lone::Motion(Motion::Right)),
    ("left", Lone::Motion(Motion::Left)),
    ("right", Lone::Motion(Motion::Right)),
    ("to|towards|toward the? front", Lone::Motion(Motion::Forward)),
    ("forward|forwards|closer|nearer", Lone::Motion(Motion::Forward)),
    ("to|towards|toward the? back|rear", Lone::Motion(Motion::Backward)),
    ("backward|backwards|away", Lone::Motion(Motion::Backward)),
    ("up|upward|upwards|higher", Lone::Motion(Motion::Up)),
    ("down|downward|downwards|lower", Lone::Motion(Motion::Down)),
]);

#[derive(Clone, Copy)]
enum Lone {
    Back,
    Free,
    Motion(Motion),
}

/// Metres in a unit of length, by its name without the plural's s.
fn metres(unit: &str) -> Option<f64> {
    Some(match unit.trim_end_matches('s') {
        "mm" | "millimeter" | "millimetre" => 0.001,
        "cm" | "centimeter" | "centimetre" => 0.01,
        "dm" => 0.1,
        "m" | "meter" | "metre" => 1.0,
        "in" | "inch" | "inche" => 0.0254,
        "ft" | "foot" | "feet" => 0.3048,
        _ => return None,
    })
}

impl Words {
    /// The length that stands here, metres, with the words that it takes: "5 cm", "10cm", "2.5 inches".
    fn length(&self, i: usize) -> Option<(f32, usize)> {
        let taken = self.length_words(i);
        let word = self.at(i);
        let digits = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let number: f64 = word[..digits].parse().ok()?;
        let unit = if taken == 2 { self.at(i + 1) } else { &word[digits..] };
        (taken > 0).then(|| Some(((number * metres(unit)?) as f32, taken)))?
    }

    /// The destination that these words say; `None` without words.
    pub fn destination(&self, range: Range<usize>) -> Option<Destination> {
        let skipped = |i: &usize| {
            let over = self.at(*i) == "over" && is(PREPOSITIONS, self.at(i + 1)); // "over to the table"
            let said = is(&["and", "then", "directly", "just", "right", "somewhere", "exactly"], self.at(*i));
            !said && !over && !self.is_mark(*i)
        };
        let mut start = range.start;
        while start + 1 < range.end && !skipped(&start) {
            // "right" and "somewhere" may be all that is said, and "right of" and "right to" say a side
            let next = self.at(start + 1);
            let side = self.at(start) == "right" && is(&["of", "to"], next);
            if side || is(&["right", "somewhere"], self.at(start)) && !is(PREPOSITIONS, next) {
                break;
            }
            start += 1;
        }
        let says_where =
            |i: &usize| !self.is_mark(*i) && !is(&["instead", "please", "again", "now", "too", "then"], self.at(*i));
        let end = (start..range.end).rev().find(says_where)? + 1;
        let phrase = self.text(start..end);
        let (distance, at) = match self.length(start) {
            Some((metres, taken)) => (Some(metres), start + taken),
            // "two squares to the left"
            None if self.length_words(start) > 0 => (None, start + self.length_words(start)),
            // "10 cm to the right of the plate": the length may stand before what was taken for the goal
            None => {
                let before = |n: usize| self.length(range.start.checked_sub(n)?).filter(|(_, taken)| *taken == n);
                ((1..=2).find_map(before).map(|(metres, _)| metres), start)
            }
        };
        Some(Destination { phrase, goal: self.goal_at(at, end), distance })
    }

    fn goal_at(&self, at: usize, end: usize) -> Goal {
        let lone = LONE.longest(self, at, end);
        let turn = turn_at(self, at, end);
        let determined = |k: usize| k + usize::from(is(DETERMINERS, self.at(k)));
        let onto = at + 1 + usize::from(is(&["of"], self.at(at + 1)));
        let speaker = determined(onto);
        if is(&["to", "for", "at"], self.at(at))
            && is(SPEAKERS, self.at(speaker))
            && !is(&["front", "side"], self.at(speaker))
        {
            return Goal::Speaker;
        }
        match (lone, turn) {
            // "to the left of the plate" is longer than "to the left"
            (Some((lone, taken)), turn)
                if turn.is_none_or(|(turn, longer)| {
                    longer <= taken || matches!(turn, Turn::At(_)) && at + taken == end
                }) =>
            {
                // "to the left side of the table" is a place, "left" alone a motion
                match lone {
                    Lone::Back => Goal::Back,
                    Lone::Free => Goal::Free,
                    Lone::Motion(motion)
                        if at + taken == end
                            || is(PREPOSITIONS, self.at(at + taken))
                            || self.length(at + taken).is_some() =>
                    {
                        Goal::Motion(*motion)
                    }
                    Lone::Motion(_) => self.related(at, end),
                }
            }
            // "in the left container" is no part of the picture
            (_, Some((Turn::At(_), taken))) if at + taken < end && self.can_follow(at + taken) => self.related(at, end),
            (_, Some((Turn::At(place), _))) => Goal::Place(place),
            (_, Some((Turn::Most(side), _))) => place_of(side).map_or(Goal::Unknown, Goal::Place),
            _ => self.related(at, end),
        }
    }

    /// A relation with its anchors.
    fn related(&self, at: usize, end: usize) -> Goal {
        let into = match self.at(at) {
            "in" | "into" | "inside" => Some(Relation::In),
            "on" | "onto" | "to" | "towards" | "toward" | "upon" => Some(Relation::On),
            _ => None,
        };
        let turn = turn_at(self, at, end);
        let (relation, taken) = match (turn, into) {
            // a turn of one word says no more than the word that also says where to
            (Some((Turn::Related(relation), taken)), _) if into.is_none() || taken > 1 => (relation, taken),
            (Some((Turn::NearestTo, taken)), _) => (Relation::NextTo, taken),
            (_, Some(relation)) => (relation, 1),
            _ => return Goal::Unknown,
        };
        let mut reader = Reader::new(self, at + taken..end);
        match reader.relation(relation, at) {
            Some(Some(Constraint::Relation { relation, anchors })) => {
                let surface = |anchor: &Description| {
                    is(SUPPORTS, anchor.noun.as_deref().unwrap_or_default()) && anchor.is_plain()
                };
                let free = relation == Relation::On && anchors.iter().all(surface);
                if free {
                    Goal::Free
                } else {
                    Goal::Relation { relation, anchors }
                }
            }
            Some(Some(Constraint::Place(place))) => Goal::Place(place),
            // "on the table": wherever there is room on it
            Some(_) if is(SETTINGS, self.at(at + taken + 1)) => Goal::Free,
            _ => Goal::Unknown,
        }
    }
}

fn place_of(side: Side) -> Option<Place> {
    Some(match side {
        Side::Left => Place::Left,
        Side::Right => Place::Right,
        Side::Top => Place::Top,
        Side::Bottom => Place::Bottom,
        Side::Near => Place::Front,
        Side::Far => Place::Back,
        Side::Middle => Place::Middle,
    })
}
