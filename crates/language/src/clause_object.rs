//! `ReadClause`: a clause with the meaning of its object, the further things of a list, and the words behind them.

use super::clause::ClausePlaces;
use super::expression::{Expression, Reader};
use super::goals::{attachments, Attachment};
use super::lexicon::{is, DETERMINERS, GIVING, GOAL_PREPOSITIONS, OPENERS, PLACEMENT, PREPOSITIONS};
use super::parsed_command::{Constraint, Description, Quantity, Relation};
use super::phrases::{turn_at, Turn};
use super::text_words::Words;
use std::ops::Range;

/// Verbs whose object is not there yet (VerbNet's build-26.1): what it is made of is.
const CREATING: &[&str] = &["make", "build", "create", "form", "construct", "assemble", "craft"];

/// What a robot moves of its own.
pub const ROBOT_PARTS: &[&str] =
    &["gripper", "arm", "hand", "end-effector", "effector", "claw", "fingers", "finger", "manipulator", "tool-tip"];

/// A clause with the meaning of its object.
pub struct ReadClause {
    pub places: ClausePlaces,
    pub expression: Expression,
    /// Further things of a list.
    pub also: Vec<Description>,
    /// Words that were not understood.
    pub unknown: Vec<String>,
    /// Where to, as said.
    pub place: Option<String>,
    /// The words of that place.
    pub behind: Range<usize>,
    /// The ways to attach what stands behind the object, the likeliest first.
    pub attachments: Vec<Attachment>,
}

impl ReadClause {
    /// "... and place on the red cube": the clause of a verb of placement whose object is the one before.
    pub fn elided(words: &Words, places: ClausePlaces) -> Option<ReadClause> {
        let verb = places.verb.filter(|verb| is(PLACEMENT, words.at(*verb)))?;
        let behind = verb + 1..places.end;
        let goes = is(GOAL_PREPOSITIONS, words.at(behind.start)) && !behind.is_empty();
        let description = Description { phrase: "it".into(), ..Description::default() };
        goes.then(|| ReadClause {
            places,
            expression: Expression { description, ..Expression::default() },
            also: Vec::new(),
            unknown: Vec::new(),
            place: Some(words.text(behind.clone())),
            behind,
            attachments: Vec::new(),
        })
    }

    /// Its verb; empty when it has none.
    pub fn verb<'w>(&self, words: &'w Words) -> &'w str {
        self.places.verb.map_or("", |at| words.at(at))
    }
}

pub fn is_pronoun(expression: &Expression) -> bool {
    matches!(expression.description.phrase.to_lowercase().as_str(), "it" | "them" | "him" | "her" | "this" | "that")
}

fn is_source(constraint: &Constraint) -> bool {
    matches!(constraint, Constraint::Relation { relation: Relation::From, .. })
}

/// Where the phrase of the thing meant begins, for an object that begins at `object`.
fn thing_meant(words: &Words, verb: &str, object: usize, end: usize) -> usize {
    let length = words.length_words(object);
    let behind = object + length;
    let anchor = |from: usize| (from..end).find(|k| is(DETERMINERS, words.at(*k)));
    if length > 0 && is(PREPOSITIONS, words.at(behind)) {
        // "20 cm around the mug", "5 cm on top of the can"
        return anchor(behind).unwrap_or(object);
    }
    let after = words.phrase_end(object);
    if is(CREATING, verb) {
        // "make a smiley face out of the blocks"
        let from = (after..end)
            .find(|k| is(&["from", "with", "using"], words.at(*k)) || words.at(*k) == "of" && words.at(k - 1) == "out");
        return from.map_or(object, |from| from + 1).min(end - 1);
    }
    if is(&["a", "an"], words.at(object))
        && is(&["photo", "picture", "image", "photograph"], words.at(object + 1))
        && words.at(after) == "of"
    {
        // as captions say
        return after + 1;
    }
    if after > object && is(ROBOT_PARTS, words.at(after - 1)) {
        // "move the gripper behind the bowl"
        let over = is(&["to", "towards", "toward"], words.at(after))
            || matches!(turn_at(words, after, end), Some((Turn::Related(_), _)));
        return anchor(after).filter(|_| over).unwrap_or(object);
    }
    object
}

/// Reads a clause's object, with where it ends. `choice` is the number of the attachment, if there are so many; else the likeliest.
pub fn read_object(words: &Words, places: ClausePlaces, object: usize, choice: usize) -> Option<(ReadClause, usize)> {
    let clause_end = places.end - usize::from(places.leads_to_verb(words) && places.end - 1 > object);
    let verb = places.verb.map_or("", |at| words.at(at));
    let object = thing_meant(words, verb, object, clause_end);
    let attachments = attachments(words, verb, object, clause_end);
    let goal = attachments.get(choice).or(attachments.first()).and_then(|attachment| attachment.goal);
    // "give the girl the teddy bear": the second is handed over
    let receiver = words.phrase_end(object);
    let handed = is(GIVING, verb) && is(DETERMINERS, words.at(receiver)) && words.phrase_end(receiver) > receiver + 1;
    let object = if handed { receiver } else { object };
    let mut reader = Reader::new(words, object..goal.unwrap_or(clause_end));
    let expression = reader.expression()?;
    let end = reader.at;
    // further things of a list
    let mut also = Vec::new();
    while reader.at < goal.unwrap_or(clause_end) {
        let listed = words.is_mark(reader.at) || is(&["and", "or"], words.at(reader.at));
        if !(listed || is(DETERMINERS, words.at(reader.at))) || words.clause_follows(reader.at + 1) && listed {
            break;
        }
        let (back, noted) = (reader.at, reader.unknown.len());
        reader.at += usize::from(listed);
        let Some(next) = reader.expression() else { break };
        // a word alone behind a comma is rather an aside than a thing
        let caption = verb.is_empty() && words.at(back) == ".";
        let aside = words.is_mark(back) && !next.description.phrase.contains(' ') && !caption;
        if next.description.is_empty() || aside {
            reader.at = back;
            reader.unknown.truncate(noted);
            break;
        }
        also.push(next.description.with_noun_of(&expression.description));
    }
    let mut expression = expression;
    if object > 1 && words.at(object - 1) == "of" && is(&["which", "whichever"], words.at(object - 2)) {
        expression.quantity = Some(Quantity::One); // "which of the mugs is closest"
    }
    if !also.is_empty() && !expression.plural && expression.quantity == Some(Quantity::Exactly(2)) {
        // "both the soup and the box": one of each
        expression.quantity = None;
    }
    if !verb.is_empty() {
        // "push the drawer shut": what comes of it
        reader.unknown.retain(|word| {
            !is(&["open", "shut", "closed", "straight", "ready", "ajar", "upright", "together", "apart"], word)
        });
    }
    if let Some(last) = also.last() {
        // "the pot and pan from the stove": both
        let has_source = |described: &Description| described.constraints.iter().any(is_source);
        if !has_source(&expression.description) {
            let sources = last.constraints.iter().filter(|constraint| is_source(constraint)).cloned();
            expression.description.constraints.extend(sources);
        }
    }
    let rest = goal.unwrap_or(reader.at);
    if words.is_mark(rest) && rest > 0 {
        // an aside that is no place
        let aside = (rest..clause_end).filter(|i| !words.is_mark(*i) && !is(OPENERS, words.at(*i)));
        reader.unknown.extend(aside.map(|i| words.at(i).to_string()));
        reader.at = clause_end;
    }
    let rest = goal.unwrap_or(reader.at);
    let place = words.text(rest..clause_end);
    let place = place
        .trim_end_matches([',', '.', '!', '?', ' '])
        .trim_end_matches(" and")
        .trim_end_matches(" then")
        .to_string();
    let said = !is(&["and", "then", "to", "or"], &place) && place.chars().any(char::is_alphanumeric);
    let place = said.then_some(place);
    let unknown = std::mem::take(&mut reader.unknown);
    Some((ReadClause { places, expression, also, unknown, place, behind: rest..clause_end, attachments }, end))
}
