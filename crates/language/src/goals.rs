//! Goals: where a command's object shall go, and what else is said behind the object that is none of its properties.
//!
//! "put the mug on the plate", "push it to the left", "wipe the table with the cloth": the reading of the object ends where these begin.

use super::lexicon::{is, DATIVES, DETERMINERS, PLACEMENT};
use super::parsed_command::Relation;
use super::phrases::{turn_at, Turn, SETTINGS};
use super::text_words::Words;

/// Verbs of pushing, turning and the like (VerbNet's push-12, slide-11.2, roll-51.3.1): a side behind their object is where it moves.
const PUSHING: &[&str] = &[
    "push", "slide", "drag", "pull", "nudge", "shove", "roll", "rotate", "turn", "spin", "twist", "swivel", "tilt",
    "shift", "sweep", "move",
];

/// Verbs that are done with something (VerbNet's wipe-10.4, cut-21.1, fill-9.8, stir in mix-22.1): "wipe the plate with the towel".
pub const WITH_INSTRUMENT: &[&str] = &[
    "wipe", "clean", "scrub", "mop", "dust", "polish", "dry", "rub", "wash", "rinse", "cut", "slice", "chop", "peel",
    "carve", "stir", "mix", "whisk", "cover", "fill", "brush", "water", "sprinkle", "spray", "stab", "scoop", "skewer",
];

/// Verbs of bringing something somewhere (VerbNet's bring-11.3, carry-11.4, send-11.1): "to" says where.
const CARRYING: &[&str] =
    &["bring", "take", "carry", "move", "transfer", "transport", "relocate", "shift", "haul", "return", "send", "give"];

/// Whether a verb moves its object, so that a path may be said of it.
pub fn moves_object(verb: &str) -> bool {
    is(PUSHING, verb) || is(CARRYING, verb) || is(PLACEMENT, verb)
}

/// Verbs behind which "on" and "in" rather say where to: "move the mug on the plate".
const MOVING: &[&str] = &["move", "shift"];

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

/// One way to attach what stands behind an object.
#[derive(Clone, Copy, Debug)]
pub struct Attachment {
    /// Where the goal begins; `None` when all of it describes the object.
    pub goal: Option<usize>,
    /// How likely it is beside the likeliest one, whose weight is 1.
    pub weight: f32,
}

/// Behind a verb of pushing, "near the box" is rather a goal than a place of the object, and "on the box" rather a place than a goal; two
/// places behind a verb of placement: the last is rather the goal. The weights are judged, not counted: they order the readings.
const OTHER_ATTACHMENT: f32 = 0.4;

/// The ways to attach what stands behind a verb's object, the likeliest first; at least one.
pub fn attachments(words: &Words, verb: &str, object: usize, end: usize) -> Vec<Attachment> {
    let (likeliest, others) = goals(words, verb, object, end);
    // "right next to the can"
    let softened = |goal: usize| {
        let before = goal.wrapping_sub(1);
        let soft = is(&["right", "directly", "just", "immediately"], words.at(before)) && before > object;
        let beside = is(
            &["next", "behind", "beside", "above", "below", "under", "in", "on", "between", "by", "near"],
            words.at(goal),
        );
        goal - usize::from(soft && beside && !is(DETERMINERS, words.at(before.wrapping_sub(1))))
    };
    let (likeliest, others) = (likeliest.map(softened), others.into_iter().map(|other| other.map(softened)));
    let others = others.filter(|other| *other != likeliest);
    let others = others.map(|goal| Attachment { goal, weight: OTHER_ATTACHMENT });
    std::iter::once(Attachment { goal: likeliest, weight: 1.0 }).chain(others).collect()
}

/// Where the goal of a verb begins, or what is said behind the object that is none of its properties; and where it may begin instead.
fn goals(words: &Words, verb: &str, object: usize, end: usize) -> (Option<usize>, Vec<Option<usize>>) {
    if let Some(direction) = direction(words, verb, object, end) {
        return (Some(direction), Vec::new());
    }
    let from = words.phrase_end(object);
    let relation_at = |i: usize| match turn_at(words, i, end) {
        Some((Turn::Related(relation), _)) => Some(relation),
        _ => None,
    };
    let is_pronoun = is(&["it", "them", "one"], words.at(object));
    let (carries, pushes) = (is(CARRYING, verb), is(PUSHING, verb));
    if !(is(PLACEMENT, verb) || carries || pushes) {
        return (None, Vec::new());
    }
    let is_place = |i: &usize| {
        let place = is(&["into", "onto", "to", "in", "on", "inside"], words.at(*i))
            || matches!(turn_at(words, *i, end), Some((Turn::Related(_) | Turn::At(_), _)));
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
        return (Some(free), Vec::new());
    }
    if is_pronoun {
        // "put it on the chair near the table": all of it is where
        let is_source = |i: usize| is(&["from", "out", "off"], words.at(i));
        return ((object + 1..end).find(is_place).filter(|i| !(object + 1..=*i).any(is_source)), Vec::new());
    }
    if carries || pushes {
        const RANKED: &[&str] = &["first", "second", "third", "fourth", "last", "next", "close", "closest", "nearest"];
        let is_ranked = |i: usize| is(RANKED, words.at(i.wrapping_sub(1))); // "the second to the left"
        let towards = |i: &usize| {
            !is_ranked(*i) && is_place(i) && is(&["to", "into", "onto"], words.at(*i)) && !words.is_verb(i + 1)
        };
        if let Some(goal) = (from..end).find(towards) {
            return (Some(goal).filter(|goal| *goal > object), Vec::new());
        }
        // "move the cup next to the plate" says where to; "bring the cup on the plate" rather which, and so does "push the cup on the plate"
        let last = |holds: &dyn Fn(Relation) -> bool| {
            (from..end).rev().find(|i| *i > object && is_place(i) && relation_at(*i).is_some_and(holds))
        };
        let onto = last(&|relation| matches!(relation, Relation::On | Relation::In));
        let beside = last(&|relation| !matches!(relation, Relation::On | Relation::In | Relation::From));
        let receives = is(DATIVES, words.at(object.wrapping_sub(1)));
        return match (onto.filter(|_| is(MOVING, verb)).or(beside), onto.or(beside)) {
            (Some(goal), _) if pushes && !receives => (Some(goal), vec![None]),
            (_, Some(goal)) if !receives && verb != "take" && verb != "give" => (None, vec![Some(goal)]),
            _ => (None, Vec::new()),
        };
    }
    // "in the top right corner" is one place
    let is_covered = |k: usize| {
        let reaches = |i: usize| turn_at(words, i, end).is_some_and(|(_, taken)| i + taken > k);
        (from..k).any(|i| is_place(&i) && reaches(i))
    };
    let is_elsewhere = |i: &usize| is_place(i) && !is_arrangement(words, *i, end) && !is_covered(*i);
    let last = |is_meant: &dyn Fn(&usize) -> bool| (from..end).rev().find(is_meant);
    if let Some(goal) = (from..end).find(certain) {
        return (Some(goal).filter(|goal| *goal > object), Vec::new());
    }
    let goal = last(&is_elsewhere).or_else(|| last(&is_place)).filter(|goal| *goal > object);
    let earlier =
        |goal: usize| (from..goal).rev().filter(|i| *i > object && is_elsewhere(i) && relation_at(*i).is_some());
    (goal, goal.map(|goal| earlier(goal).map(Some).collect()).unwrap_or_default())
}
