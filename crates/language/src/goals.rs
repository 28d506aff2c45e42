//! Goals: where a command's object shall go, and what else is said behind the object that is none of its properties.
//!
//! "put the mug on the plate", "push it to the left", "wipe the table with the cloth": the reading of the object ends where these begin.

use super::lexicon::{is, DETERMINERS, PLACEMENT};
use super::parsed_command::Relation;
use super::pattern::longest;
use super::phrases::{Turn, SETTINGS, TURNS};
use super::text_words::Words;

/// Verbs of pushing, turning and the like (VerbNet's push-12, slide-11.2, roll-51.3.1): a side behind their object is where it moves.
const PUSHING: &[&str] = &[
    "push", "slide", "drag", "pull", "nudge", "shove", "roll", "rotate", "turn", "spin", "twist", "swivel", "tilt",
    "shift", "sweep", "move",
];

/// Verbs that are done with something (VerbNet's wipe-10.4, cut-21.1, fill-9.8, stir in mix-22.1): "wipe the plate with the towel".
const WITH_INSTRUMENT: &[&str] = &[
    "wipe", "clean", "scrub", "mop", "dust", "polish", "dry", "rub", "wash", "rinse", "cut", "slice", "chop", "peel",
    "carve", "stir", "mix", "whisk", "cover", "fill", "brush", "water", "sprinkle", "spray", "stab", "scoop", "skewer",
];

/// Verbs of bringing something somewhere (VerbNet's bring-11.3, carry-11.4, send-11.1): "to" says where.
const CARRYING: &[&str] =
    &["bring", "take", "carry", "move", "transfer", "transport", "relocate", "shift", "haul", "return", "send", "give"];

/// Sides to which something is moved.
const SIDES: &[&str] = &["left", "right", "top", "bottom", "front", "back", "middle", "center", "centre"];

/// Words behind which a command has said all: how far, how fast.
fn is_adverb(word: &str) -> bool {
    word.ends_with("ly") || is(&["bit", "little", "more", "again", "please", "now"], word)
}

/// Where the direction of a verb of pushing begins: "to the left", "left", "forward", "to the left side of the table", at its end.
fn direction(words: &Words, verb: &str, object: usize, end: usize) -> Option<usize> {
    if !is(PUSHING, verb) {
        return None;
    }
    let last = (object..end).rev().find(|i| !words.is_mark(*i) && !is_adverb(words.at(*i)))? + 1;
    let from = words.phrase_end(object);
    (from..last).find(|i| {
        let word = words.at(*i);
        let towards = words.length_words(*i) > 0
            || is(&["to", "towards", "toward", "all", "90", "180", "up", "down"], word)
            || word.ends_with("ward");
        let side = is(&["left", "right", "forward", "forwards", "backward", "backwards", "away", "aside"], word);
        let ends = is(
            &[
                "left", "right", "forward", "forwards", "backward", "backwards", "away", "aside", "up", "down",
                "clockwise", "front", "back",
            ],
            words.at(last - 1),
        );
        ends && (towards || side && *i + 1 == last) || is_side_of_setting(words, *i, last)
    })
}

/// "to the left side", "to the back of the table", up to `last`.
fn is_side_of_setting(words: &Words, i: usize, last: usize) -> bool {
    if !is(&["to", "towards", "toward"], words.at(i)) {
        return false;
    }
    let mut at = i + 1 + usize::from(is(DETERMINERS, words.at(i + 1)));
    if !is(SIDES, words.at(at)) {
        return false;
    }
    at += 1;
    at += usize::from(is(&["side", "end", "edge", "part", "half", "corner"], words.at(at)));
    if is(&["of", "on"], words.at(at)) {
        at += 1 + usize::from(is(DETERMINERS, words.at(at + 1)));
        at += usize::from(is(SETTINGS, words.at(at)));
    }
    at == last
}

/// "in a tight cluster", "in a row": how things are arranged, which is no place.
fn is_arrangement(words: &Words, i: usize, end: usize) -> bool {
    const ARRANGEMENTS: [&str; 12] =
        ["row", "line", "circle", "cluster", "pile", "stack", "tower", "group", "column", "order", "half", "pieces"];
    words.at(i) == "in"
        && (i + 1..end.min(i + 5)).any(|k| ARRANGEMENTS.contains(&words.at(k)) && words.at(k + 1) != "of")
}

/// Where the goal of a verb of placement begins, or what is said behind the object that is none of its properties.
pub fn goal(words: &Words, verb: &str, object: usize, end: usize) -> Option<usize> {
    if let Some(direction) = direction(words, verb, object, end) {
        return Some(direction);
    }
    let from = words.phrase_end(object);
    let instrument =
        (from..end).find(|i| words.at(*i) == "using" || is(WITH_INSTRUMENT, verb) && words.at(*i) == "with");
    if let Some(instrument) = instrument.filter(|i| *i > object) {
        return Some(instrument);
    }
    let is_pronoun = is(&["it", "them", "one"], words.at(object));
    let (carries, pushes) = (is(CARRYING, verb), is(PUSHING, verb));
    if !(is(PLACEMENT, verb) || carries || pushes) {
        return None;
    }
    let is_place = |i: &usize| {
        let place = is(&["into", "onto", "to", "in", "on", "inside"], words.at(*i))
            || matches!(longest(TURNS, words, *i, end), Some((Turn::Related(_) | Turn::At(_), _)));
        let relative = is(
            &[
                "that", "which", "is", "are", "the", "and", "not", "next", "on", "in", "to", "nearest", "closest",
                "farthest", "furthest", "nearer", "closer", "close", "adjacent", "near", "parallel", "opposite",
                "first", "second", "third", "last",
            ],
            words.at(i.wrapping_sub(1)),
        );
        let of_theme = words.at(*i) == "to" && is(&["it", "them"], words.at(i + 1));
        place && !(relative && *i > from) && !of_theme
    };
    // "into" and "onto" only say where something goes, and so does the first "on" of what is stacked
    let certain =
        |i: &usize| is(&["into", "onto"], words.at(*i)) || verb == "stack" && words.at(*i) == "on" && is_place(i);
    if let Some(free) = (from..end).find(|i| is(&["somewhere", "anywhere"], words.at(*i))).filter(|free| *free > object)
    {
        return Some(free);
    }
    if is_pronoun {
        // "put it on the chair near the table": all of it is where
        let is_source = |i: usize| is(&["from", "out", "off"], words.at(i));
        return (object + 1..end).find(is_place).filter(|i| !(object + 1..=*i).any(is_source));
    }
    if carries || pushes {
        const RANKED: &[&str] = &["first", "second", "third", "fourth", "last", "next", "close", "closest", "nearest"];
        let is_ranked = |i: usize| is(RANKED, words.at(i.wrapping_sub(1))); // "the second to the left"
        let towards = |i: &usize| {
            !is_ranked(*i) && is_place(i) && is(&["to", "into", "onto"], words.at(*i)) && !words.is_verb(i + 1)
        };
        // "move the cup next to the plate"; "on the plate" and "in the bowl" may also say which cup
        let ends_beside = |i: &usize| {
            let relation = match longest(TURNS, words, *i, end) {
                Some((Turn::Related(relation), _)) => *relation,
                _ => return false,
            };
            is_place(i) && !matches!(relation, Relation::On | Relation::In | Relation::From)
        };
        let beside = || (from..end).rev().find(ends_beside).filter(|_| pushes);
        return (from..end).find(towards).or_else(beside).filter(|goal| *goal > object);
    }
    // "in the top right corner" is one place
    let is_covered = |k: usize| {
        let reaches = |i: usize| longest(TURNS, words, i, end).is_some_and(|(_, taken)| i + taken > k);
        (from..k).any(|i| is_place(&i) && reaches(i))
    };
    let is_elsewhere = |i: &usize| is_place(i) && !is_arrangement(words, *i, end) && !is_covered(*i);
    let last = |is_meant: &dyn Fn(&usize) -> bool| (from..end).rev().find(is_meant);
    let goal = (from..end).find(certain).or_else(|| last(&is_elsewhere)).or_else(|| last(&is_place));
    goal.filter(|goal| *goal > object)
}
