//! Adjuncts: the instrument and the path of an action ("with the gripper", "along the edge"), which say nothing of its object.
//!
//! They are taken out of the words before the object is read: "pick up the mug with the gripper from the table" is read as
//! "pick up the mug from the table".

use super::clause::ClausePlaces;
use super::clause_object::ROBOT_PARTS;
use super::goals::{moves_object, WITH_INSTRUMENT};
use super::lexicon::{is, MOTION};
use super::text_words::Words;
use std::ops::Range;

/// Prepositions of a path, and those that are one only when the clause also says where to: "past the can to the plate".
const PATH: &[&str] = &["along", "through", "across", "via"];
const PATH_BEFORE_GOAL: &[&str] = &["past", "around", "over", "by"];

/// Where something goes to or comes from, behind an instrument or a path.
const ENDS_ADJUNCT: &[&str] = &["to", "into", "onto", "from", "off", "out", "until", "towards", "toward"];

/// An instrument or a path of a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjunct {
    /// Which of the two.
    pub role: Role,
    /// The number of the clause, among those of `Words::clauses`.
    pub clause: usize,
    /// As said, without the preposition of an instrument: "the gripper", "along the edge".
    pub phrase: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Instrument,
    Path,
}

impl Words {
    /// The words without the instruments and paths of their clauses, and these.
    pub fn without_adjuncts(&self) -> (Words, Vec<Adjunct>) {
        let mut words = self.slice(0..self.len());
        let mut found = Vec::new();
        // from the last clause on, so that the places of the others stay
        for (clause, places) in self.clauses().into_iter().enumerate().rev() {
            let mut of_clause = self.adjuncts(places);
            of_clause.sort_by_key(|(_, words)| words.start);
            for (role, range) in of_clause.into_iter().rev() {
                let said = range.start + usize::from(role == Role::Instrument)..range.end;
                found.push(Adjunct { role, clause, phrase: self.text(said) });
                words = words.without(range);
            }
        }
        (words, found)
    }

    /// "go through the door": what a verb of motion has behind a preposition of a path.
    pub fn path_of_motion(&self, places: ClausePlaces) -> Option<String> {
        let (verb, object) = (places.verb?, places.object?);
        let preposition = object.checked_sub(1).filter(|i| *i > verb)?;
        let is_path = is(PATH, self.at(preposition)) || is(PATH_BEFORE_GOAL, self.at(preposition));
        (is_path && is(MOTION, self.at(verb))).then(|| self.text(preposition..self.phrase_end(object)))
    }

    /// The adjuncts of one clause behind its object, with their prepositions.
    fn adjuncts(&self, places: ClausePlaces) -> Vec<(Role, Range<usize>)> {
        let (Some(verb), Some(object)) = (places.verb, places.object) else { return Vec::new() };
        let verb = self.at(verb);
        let behind = self.phrase_end(object).max(object + 1)..places.end;
        let instrument = behind.clone().find_map(|i| self.instrument(verb, i, behind.end));
        let path = behind.clone().find_map(|i| self.path(verb, i, behind.end));
        let apart =
            |path: &Range<usize>| instrument.as_ref().is_none_or(|i| path.end <= i.start || i.end <= path.start);
        let path = path.filter(apart).map(|range| (Role::Path, range));
        instrument.map(|range| (Role::Instrument, range)).into_iter().chain(path).collect()
    }

    /// The instrument that is said here: "with the cloth" behind a verb that is done with something, "using ..." and
    /// "with your left hand" behind any.
    fn instrument(&self, verb: &str, i: usize, end: usize) -> Option<Range<usize>> {
        if !is(&["with", "using"], self.at(i)) {
            return None;
        }
        let noun_end = self.phrase_end(i + 1).min(end);
        if noun_end <= i + 1 {
            return None;
        }
        if is(ROBOT_PARTS, self.at(noun_end - 1)) {
            return Some(i..noun_end);
        }
        let used = self.at(i) == "using" || is(WITH_INSTRUMENT, verb);
        // "with the knife on the table": which knife
        let last = (noun_end..end).find(|k| is(ENDS_ADJUNCT, self.at(*k)) || self.is_mark(*k)).unwrap_or(end);
        let last = last - usize::from(last > noun_end && is(&["and", "then"], self.at(last - 1)));
        used.then_some(i..last)
    }

    /// The path that is said here.
    fn path(&self, verb: &str, i: usize, end: usize) -> Option<Range<usize>> {
        let noun_end = self.phrase_end(i + 1).min(end);
        if !moves_object(verb) || noun_end <= i + 1 {
            return None;
        }
        let before_goal = || is(PATH_BEFORE_GOAL, self.at(i)) && is(&["to", "into", "onto"], self.at(noun_end));
        (is(PATH, self.at(i)) || before_goal()).then_some(i..noun_end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adjuncts(text: &str) -> (String, Vec<(Role, String)>) {
        let words = Words::spoken(text);
        let (left, found) = words.without_adjuncts();
        (left.text(0..left.len()), found.into_iter().map(|adjunct| (adjunct.role, adjunct.phrase)).collect())
    }

    #[test]
    fn the_robots_hands_are_an_instrument_of_every_verb_and_things_only_of_some() {
        let instrument = |phrase: &str| vec![(Role::Instrument, phrase.to_string())];
        let expected = ("pick up the mug from the table".to_string(), instrument("your left hand"));
        assert_eq!(adjuncts("pick up the mug with your left hand from the table"), expected);
        let expected = ("wipe the plate".to_string(), instrument("the cloth on the table"));
        assert_eq!(adjuncts("wipe the plate with the cloth on the table"), expected);
        assert_eq!(adjuncts("push the mug using the stick").1, instrument("the stick"));
        assert_eq!(adjuncts("pick up the mug with the white handle").1, []);
    }

    #[test]
    fn a_path_is_said_behind_a_verb_that_moves_its_object() {
        let path = |phrase: &str| vec![(Role::Path, phrase.to_string())];
        let expected = ("push the mug to the plate".to_string(), path("along the table edge"));
        assert_eq!(adjuncts("push the mug along the table edge to the plate"), expected);
        assert_eq!(adjuncts("slide the box past the can to the plate").1, path("past the can"));
        // where the box shall go
        assert_eq!(adjuncts("slide the box past the can").1, []);
        assert_eq!(adjuncts("take the toy across the plate").1, path("across the plate"));
        assert_eq!(adjuncts("find the toy across the plate").1, []);
    }

    #[test]
    fn each_clause_has_its_own() {
        let words = Words::spoken("slide the mug along the edge, then wipe the plate with the cloth");
        let found = words.without_adjuncts().1;
        let expected = [(Role::Instrument, 1, "the cloth"), (Role::Path, 0, "along the edge")];
        let found: Vec<_> =
            found.iter().map(|adjunct| (adjunct.role, adjunct.clause, adjunct.phrase.as_str())).collect();
        assert_eq!(found, expected);
    }
}
