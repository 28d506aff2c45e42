//! The rules: a command's text to its meaning, by closed-class words and their order.
//!
//! Corrections part the text ("no wait, the green one"); each part has clauses, and one clause's object is the target:
//! the first thing to be found or handled, a place of navigation only when there is nothing else.

use super::clause::ClausePlaces;
use super::expression::{Expression, Reader};
use super::lexicon::{is, DETERMINERS, MOTION, OPENERS, PLACEMENT};
use super::parsed_command::{Clause, Constraint, Description, ParsedCommand, Quantity};
use super::pattern::{longest, Pattern};
use super::phrases::{Turn, TURNS};
use super::words::Words;

/// What takes back what was said before it.
const CORRECTIONS: &[(Pattern, ())] = &[
    ("no ,? wait|sorry|actually|no|rather ,?", ()),
    ("wait ,? no|wait|sorry|actually? ,?", ()),
    ("sorry ,? no|wait|actually|rather|i? mean|meant? ,?", ()),
    ("oops|whoops|oh|ah|argh ,? no|wait|sorry? ,? i? mean|meant? ,?", ()),
    ("i mean|meant|mean't ,?", ()),
    ("or rather|better ,?", ()),
    ("actually ,? no|make|wait? it|that? ,?", ()),
    ("no ,? make it|that", ()),
    ("make it|that", ()),
    ("scratch|strike|forget|cancel that|it ,?", ()),
    ("correction|nevermind|rather ,?", ()),
    ("never mind ,?", ()),
    ("hold on ,?", ()),
    ("on second thought|thoughts ,?", ()),
    ("i changed my mind ,?", ()),
    ("let me correct myself|that ,?", ()),
    ("no , i mean|meant|want|wanted? ,?", ()),
    ("no i meant|mean", ()),
    ("no ,?", ()),
];

/// Verbs whose object is a place, or whom to address, rather than a thing to handle.
const ADDRESSING: &[&str] = &["tell", "say", "answer", "introduce", "ask", "wait", "turn", "stop", "let", "show"];

/// The meaning of a text.
pub fn parse(text: &str) -> ParsedCommand {
    let words = Words::spoken(text);
    let mut meaning: Option<ParsedCommand> = None;
    for part in parts(&words) {
        let words = fronted_last(words.slice(part));
        let Some(next) = part_meaning(text, &words) else { continue };
        meaning = Some(match meaning {
            Some(before) => corrected(before, next),
            None => next,
        });
    }
    meaning.unwrap_or_else(|| ParsedCommand::with_target(text, text.trim()))
}

/// Places said first are read where they usually stand: "on the left, the mug", "counting from the left, the second mug".
fn fronted_last(words: Words) -> Words {
    let begin = (0..words.len()).find(|i| !is(OPENERS, words.at(*i)) && !words.is_mark(*i)).unwrap_or(0);
    let turn = longest(TURNS, &words, begin, words.len());
    match turn {
        Some((Turn::At(_) | Turn::From(_) | Turn::Most(_), taken)) if words.at(begin + taken) == "," => {
            words.slice(begin..words.len()).rotated(taken + 1)
        }
        _ => words,
    }
}

/// The stretches between corrections.
fn parts(words: &Words) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut i) = (0, 0);
    while i < words.len() {
        let correction = longest(CORRECTIONS, words, i, words.len()).filter(|(_, taken)| {
            let alone = i == start || words.is_mark(i - 1) || *taken > 1 || words.at(i) != "no" && words.at(i) != "rather";
            let word = words.at(i);
            // "make it ...", "with no handle", "rather than"
            let other = word == "make" && !(i > 0 && words.is_mark(i - 1))
                || word == "rather" && words.at(i + 1) == "than"
                || is(&["or", "oh"], word) && *taken == 1
                || word == "no" && *taken == 1 && is(&["with", "has", "have", "there"], words.at(i.wrapping_sub(1)))
                || word == "wait" && (i == start || !words.is_mark(i - 1)) && is(&["for", "until", "at", "by"], words.at(i + 1));
            alone && !other
        });
        if let Some((_, taken)) = correction {
            if i > start {
                found.push(start..i);
            }
            i += taken;
            start = i;
        } else {
            i += 1;
        }
    }
    if start < words.len() {
        found.push(start..words.len());
    }
    found
}

/// What a correction makes of what was said before.
fn corrected(before: ParsedCommand, mut next: ParsedCommand) -> ParsedCommand {
    next.target = next.target.with_noun_of(&before.target);
    let old = before.target;
    let refined = old.is_plain()
        && old.noun == next.target.noun
        && old.attributes.iter().all(|word| next.target.attributes.contains(word));
    if !refined {
        next.withdrawn.push(old);
    }
    next.withdrawn.extend(before.withdrawn);
    next.clauses = before.clauses.into_iter().chain(next.clauses).collect();
    if next.quantity == Quantity::One {
        next.quantity = before.quantity;
    }
    next
}

/// A clause with what its object was read as.
struct ReadClause {
    places: ClausePlaces,
    expression: Expression,
    also: Vec<Description>,
    unknown: Vec<String>,
    place: Option<String>,
}

/// The meaning of one stretch; `None` when it names nothing.
fn part_meaning(text: &str, words: &Words) -> Option<ParsedCommand> {
    let mut clauses = Vec::new();
    let mut read = Vec::new();
    for places in words.clauses() {
        let verb = places.verb.map_or("", |at| words.at(at));
        let done = places.object.and_then(|object| read_object(words, places, object));
        let object = done.as_ref().map(|(_, end)| words.text(places.object.unwrap_or(0)..*end));
        let place = done.as_ref().and_then(|(clause, _)| clause.place.clone());
        if places.verb.is_some() || object.is_some() {
            clauses.push(Clause { verb: verb.to_string(), object: object.filter(|o| !o.is_empty()), place });
        }
        read.extend(done.map(|(clause, _)| clause));
    }
    let rank = |clause: &ReadClause| {
        let verb = clause.places.verb.map_or("", |at| words.at(at));
        let goal = is(MOTION, verb) && !is(&["take", "move", "look", "return"], verb) || is(ADDRESSING, verb);
        (clause.places.negative, clause.expression.description.phrase.is_empty() || is_pronoun(&clause.expression), goal)
    };
    let chosen = (0..read.len()).min_by_key(|i| (rank(&read[*i]), *i))?;
    let chosen = read.remove(chosen);
    let Expression { description: target, quantity, .. } = chosen.expression;
    let mut parsed = ParsedCommand::new(text, target);
    parsed.quantity = quantity.unwrap_or(Quantity::One);
    parsed.forbidden = chosen.places.negative;
    parsed.not_understood = chosen.unknown;
    parsed.also_named = chosen.also;
    parsed.clauses = clauses;
    for other in read.into_iter().filter(|clause| clause.places.negative) {
        let other = other.expression.description;
        parsed.target = parsed.target.with_noun_of(&other);
        let other = other.with_noun_of(&parsed.target);
        if !other.is_empty() {
            parsed.withdrawn.push(other);
        }
    }
    let named = parsed.target.clone();
    for constraint in &mut parsed.target.constraints {
        // "the mug, not the red one": the red mug
        if let Constraint::Except(other) = constraint {
            *other = std::mem::take(other).with_noun_of(&named);
        }
    }
    Some(parsed)
}

fn is_pronoun(expression: &Expression) -> bool {
    matches!(expression.description.phrase.to_lowercase().as_str(), "it" | "them" | "him" | "her" | "this" | "that")
}

/// Reads a clause's object, with where it ends.
fn read_object(words: &Words, places: ClausePlaces, object: usize) -> Option<(ReadClause, usize)> {
    let verb = places.verb.map_or("", |at| words.at(at));
    let goal = goal(words, verb, object, places.end);
    let mut reader = Reader::new(words, object..goal.unwrap_or(places.end));
    let expression = reader.expression()?;
    let end = reader.at;
    // further things of a list
    let mut also = Vec::new();
    while reader.at < places.end && goal.is_none() {
        let listed = words.is_mark(reader.at) || is(&["and", "or"], words.at(reader.at));
        if !(listed || is(DETERMINERS, words.at(reader.at))) || words.clause_follows(reader.at + 1) && listed {
            break;
        }
        reader.at += usize::from(listed);
        let Some(next) = reader.expression() else { break };
        if next.description.is_empty() {
            break;
        }
        also.push(next.description.with_noun_of(&expression.description));
    }
    let rest = goal.unwrap_or(reader.at);
    let place = words.text(rest..places.end);
    let place = place.trim_end_matches([',', '.', '!', '?', ' ']).trim_end_matches(" and").trim_end_matches(" then").to_string();
    let place = (!place.is_empty() && place.chars().any(char::is_alphanumeric)).then_some(place);
    let unknown = std::mem::take(&mut reader.unknown);
    Some((ReadClause { places, expression, also, unknown, place }, end))
}

/// Where the goal of a verb of placement begins: its last place.
fn goal(words: &Words, verb: &str, object: usize, end: usize) -> Option<usize> {
    if !is(PLACEMENT, verb) {
        return None;
    }
    let from = words.phrase_end(object);
    let goal = (from..end).rev().find(|i| {
        let place = is(&["into", "onto", "to", "in", "on", "inside"], words.at(*i))
            || matches!(longest(TURNS, words, *i, end), Some((Turn::Related(_) | Turn::At(_), _)));
        let relative = is(&["that", "which", "is", "are", "the", "and", "not", "next", "on", "in", "to"], words.at(i.wrapping_sub(1)));
        place && !(relative && *i > from)
    });
    goal.filter(|goal| *goal > object)
}
