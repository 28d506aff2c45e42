//! The rules: a command's text to its meaning, by closed-class words and their order.
//!
//! Corrections part the text ("no wait, the green one"); each part has clauses, and one clause's object is the target:
//! the first thing to be found or handled, a place of navigation only when there is nothing else.

use super::adjuncts::Role;
use super::antecedents::meant_of;
use super::clause_object::{is_pronoun, read_object, ReadClause, ROBOT_PARTS};
use super::corrections::{corrected, parts};
use super::expression::{Expression, Reader};
use super::goals::Attachment;
use super::lexicon::{is, MOTION, OPENERS, PLACEMENT, ROOMS};
use super::parsed_command::{Clause, Constraint, Description, Goal, OtherReading, ParsedCommand, Quantity, Relation};
use super::pattern::Table;
use super::phrases::{turn_at, Turn};
use super::requests::{asks_for_nothing, is_taken_back, names_no_thing, unheard_negations};
use super::text_words::Words;

/// Verbs whose object is a place, or whom to address, rather than a thing to handle.
const ADDRESSING: &[&str] = &["tell", "say", "answer", "introduce", "ask", "wait", "turn", "stop", "let", "show"];

/// Turns that say that sides and distances are those of who is spoken to.
static ROBOT: Table<()> = Table::new(&[
    ("your left|right|left-hand|right-hand|lefthand|righthand|side|front|point|view|viewpoint|perspective|position|end", ()),
    ("to|from|of|near|by|beside|before|behind you|yourself", ()),
    ("nearest|closest|nearer|closer|farthest|furthest you|yourself", ()),
    ("to|from|of|near|by|nearest|closest the|this robot|base|gripper", ()),
    ("as|where you see|look|stand|are", ()),
]);

/// Other readings of a text that are kept.
const MOST_OTHERS: usize = 2;

/// The meaning of a text, with its other readings where the grammar leaves a choice.
pub fn parse(text: &str) -> ParsedCommand {
    let words = Words::spoken(text).without_politeness();
    let (mut meaning, attachments) = read(text, &words, 0);
    for (choice, attachment) in attachments.iter().enumerate().skip(1).take(MOST_OTHERS) {
        let (other, _) = read(text, &words, choice);
        let is_new = other.target != meaning.target || other.destination != meaning.destination;
        if is_new && !other.names_nothing && other.not_understood.len() <= meaning.not_understood.len() {
            meaning.other_readings.push(OtherReading { weight: attachment.weight, parsed: other });
        }
    }
    meaning
}

/// The meaning of a text when the words behind the object are attached in the `choice`-th way, with the ways that there are.
fn read(text: &str, words: &Words, choice: usize) -> (ParsedCommand, Vec<Attachment>) {
    let mut meaning: Option<ParsedCommand> = None;
    let mut attachments = Vec::new();
    let parts = parts(words);
    for part in &parts {
        let words = fronted_last(words.slice(part.clone()));
        let Some((next, ways)) = part_meaning(text, &words, choice) else { continue };
        if parts.len() == 1 {
            // what was corrected leaves no choice
            attachments = ways;
        }
        meaning = Some(match meaning {
            Some(before) => corrected(before, next),
            None => next,
        });
    }
    let mut meaning = meaning
        .unwrap_or_else(|| ParsedCommand { names_nothing: true, ..ParsedCommand::with_target(text, text.trim()) });
    meaning.names_nothing |= asks_for_nothing(words) || names_no_thing(&meaning.target);
    meaning.taken_back = is_taken_back(words);
    meaning.not_understood.extend(unheard_negations(words, &meaning));
    meaning.from_robot = (0..words.len()).any(|i| ROBOT.longest(words, i, words.len()).is_some());
    (meaning.or_free_place(), attachments)
}

fn excluded(constraint: &Constraint) -> Option<&Description> {
    match constraint {
        Constraint::Except(other) => Some(other),
        _ => None,
    }
}

/// Places said first are read where they usually stand: "on the left, the mug", "counting from the left, the second mug".
fn fronted_last(words: Words) -> Words {
    let begin = (0..words.len()).find(|i| !is(OPENERS, words.at(*i)) && !words.is_mark(*i)).unwrap_or(0);
    let turn = turn_at(&words, begin, words.len());
    match turn {
        Some((Turn::At(_) | Turn::From(_) | Turn::Most(_), taken)) if words.at(begin + taken) == "," => {
            words.slice(begin..words.len()).rotated(taken + 1)
        }
        _ => words,
    }
}

/// The meaning of one stretch, with the ways to attach what stands behind its object; `None` when it names nothing.
fn part_meaning(text: &str, words: &Words, choice: usize) -> Option<(ParsedCommand, Vec<Attachment>)> {
    let (words, adjuncts) = words.without_adjuncts();
    let words = &words;
    let mut clauses: Vec<Clause> = Vec::new();
    let mut read = Vec::new();
    let mut used = None;
    for (number, places) in words.clauses().into_iter().enumerate() {
        let verb = places.verb.map_or("", |at| words.at(at));
        let elided = ReadClause::elided(words, places).filter(|_| !read.is_empty());
        let done = match (elided, places.object) {
            (Some(clause), _) => Some((clause, places.end)),
            (None, object) => object.and_then(|object| read_object(words, places, object, choice)),
        };
        let object = done.as_ref().map(|(_, end)| words.text(places.object.unwrap_or(0)..*end));
        let place = done.as_ref().and_then(|(clause, _)| clause.place.clone());
        if places.verb.is_some() || object.is_some() {
            let said = |role: Role| {
                let of_clause = adjuncts.iter().find(|adjunct| adjunct.clause == number && adjunct.role == role);
                of_clause.map(|adjunct| adjunct.phrase.clone())
            };
            let object = object.filter(|object| !object.is_empty());
            let instrument = said(Role::Instrument).or(used.take());
            // "use the sponge to wipe the plate"
            used = object.clone().filter(|_| verb == "use" && places.leads_to_verb(words));
            let path = said(Role::Path).or_else(|| words.path_of_motion(places));
            clauses.push(Clause { verb: verb.to_string(), object, place, instrument, path });
        }
        read.extend(done.map(|(clause, _)| clause));
    }
    let commands = read.iter().any(|clause| clause.places.verb.is_some() && !clause.places.negative);
    let several = read.len() > 1;
    let rank = |clause: &ReadClause| {
        let verb = clause.verb(words);
        let goal = is(MOTION, verb) && !is(&["take", "move", "look", "return"], verb)
            || is(ADDRESSING, verb)
            // "use your left arm to ...": the robot's own
            || is(ROBOT_PARTS, clause.expression.description.noun.as_deref().unwrap_or_default());
        // "enter the bathroom and go to the sink"
        let room = goal && is(ROOMS, clause.expression.description.noun.as_deref().unwrap_or_default());
        (
            clause.places.negative,
            clause.expression.description.phrase.is_empty() || is_pronoun(&clause.expression),
            // "There are two mugs. Take the left one."; "the man about to throw" says it of him
            commands && clause.places.verb.is_none() && words.at(clause.places.end - 1) != "to"
                // "See the box? Take the mug next to it."
                || several && words.at(clause.places.end - 1) == "?",
            goal,
            room,
        )
    };
    let chosen = (0..read.len()).min_by_key(|i| (rank(&read[*i]), *i))?;
    let said_before = read[..chosen].iter().rev().find(|clause| !clause.places.negative);
    let antecedents: Vec<Description> = said_before
        .map(|clause| std::iter::once(&clause.expression.description).chain(&clause.also).cloned().collect())
        .unwrap_or_default();
    let mut chosen = read.remove(chosen);
    let is_moved_on = |clause: &ReadClause| {
        is_pronoun(&clause.expression) && is(PLACEMENT, clause.verb(words)) && clause.place.is_some()
    };
    if let Some(all) = chosen.attachments.iter().position(|attachment| attachment.goal.is_none()) {
        // "move the block on the tray and put it on the plate": the first place says which block
        let again = read.iter().any(is_moved_on).then_some(chosen.places.object).flatten();
        let read_again = again.and_then(|object| read_object(words, chosen.places, object, all));
        chosen = read_again.map_or(chosen, |(clause, _)| clause);
    }
    chosen.expression.description = meant_of(chosen.expression.description, &antecedents);
    let mut names_nothing = is_pronoun(&chosen.expression) && chosen.expression.description.is_plain();
    if names_nothing && !chosen.also.is_empty() {
        // "pick it up: the red mug"
        chosen.expression.description = chosen.also.remove(0);
        names_nothing = false;
    }
    let chosen_verb = chosen.verb(words).to_string();
    let Expression { description: target, quantity, .. } = chosen.expression;
    let mut parsed = ParsedCommand::new(text, target);
    // "the mug or the can": either will do
    let whichever =
        !parsed.target.alternatives.is_empty() || parsed.target.attributes.iter().any(|look| look.contains(" or "));
    parsed.quantity = quantity.unwrap_or(if whichever { Quantity::Any } else { Quantity::One });
    parsed.forbidden = chosen.places.negative;
    parsed.names_nothing = names_nothing;
    parsed.not_understood = chosen.unknown;
    parsed.also_named = chosen.also;
    parsed.clauses = clauses;
    // "pick up the mug and put it on the plate": the goal of the thing, wherever it is said
    let of_it = read.iter().filter(|clause| is_pronoun(&clause.expression) && !clause.places.negative);
    let goals = std::iter::once((&chosen_verb[..], chosen.behind))
        .chain(of_it.map(|clause| (clause.verb(words), clause.behind.clone())));
    let mut goals = goals.filter_map(|(verb, behind)| {
        // "the can to the camera", "tell the gesture of ... to the person": nothing is moved
        let moves = !verb.is_empty() && !is(ADDRESSING, verb);
        words.destination(behind).filter(|said| moves && (said.goal != Goal::Unknown || is(PLACEMENT, verb)))
    });
    parsed.destination = goals.next_back();
    for other in read.into_iter().filter(|clause| clause.places.negative) {
        let other = other.expression.description;
        parsed.target = parsed.target.with_noun_of(&other);
        let other = other.with_noun_of(&parsed.target);
        if !other.is_empty() {
            parsed.withdrawn.push(other);
        }
    }
    if let Some(fronted) = words.fronted() {
        // "in the cabinet, grasp the block"
        let place = Reader::new(words, fronted).expression().map(|place| place.description.constraints);
        let holds = |constraint: &Constraint| {
            matches!(constraint, Constraint::Relation { relation: Relation::On | Relation::In, .. })
        };
        if !parsed.target.constraints.iter().any(holds) {
            parsed.target.constraints.extend(place.into_iter().flatten().filter(holds));
        }
    }
    let excluded: Vec<&Description> = parsed.target.constraints.iter().filter_map(excluded).collect();
    if parsed.target.noun.is_none() && excluded.iter().any(|other| other.noun.is_none()) {
        // "neither the red nor the blue mug": another mug
        let noun = excluded.iter().find_map(|other| other.noun.clone());
        parsed.target.noun = noun;
    }
    let named = parsed.target.clone();
    for constraint in &mut parsed.target.constraints {
        // "the mug, not the red one": the red mug
        if let Constraint::Except(other) = constraint {
            *other = std::mem::take(other).with_noun_of(&named);
        }
    }
    Some((parsed, chosen.attachments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(name: &str) -> Vec<Vec<String>> {
        let path = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/data").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().skip(1).map(|row| row.split('\t').map(String::from).collect()).collect()
    }

    fn all_right(name: &str, of: impl Fn(&str) -> String) {
        let wrong = rows(name).into_iter().filter(|row| !of(&row[0]).eq_ignore_ascii_case(&row[1]));
        let wrong: Vec<String> =
            wrong.map(|row| format!("{:?}: {:?}, expected {:?}", row[0], of(&row[0]), row[1])).collect();
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// The file is by hand; the rules were fitted to most of it, so it guards against regress and forecasts nothing.
    #[test]
    fn the_targets_noun_phrase_is_found() {
        all_right("noun_phrases.tsv", |text| parse(text).target.phrase);
    }

    /// As above.
    #[test]
    fn what_was_said_is_read_as_it_was_meant() {
        all_right("readings.tsv", |text| parse(text).reading());
    }

    #[test]
    fn what_is_not_understood_is_listed() {
        assert_eq!(parse("the mug without a handle").not_understood, ["without a handle"]);
        assert_eq!(parse("the mug, flurbed").not_understood, ["flurbed"]);
        assert_eq!(parse("the outermost mug").not_understood, ["outermost"]);
        assert!(parse("please get the second red mug from the left for me").not_understood.is_empty());
    }

    #[test]
    fn a_command_that_ends_by_taking_itself_back_looks_for_nothing() {
        for text in [
            "pick up the purple mug, cancel that",
            "pick up the purple mug - actually never mind",
            "get the red ball. Stop.",
            "bring me the mug, no wait, forget it",
            "take the red mug but don't do it",
            "never mind",
            "stop!",
        ] {
            assert!(parse(text).taken_back, "{text}");
        }
        for text in [
            "stop at the red ball",
            "don't forget the red mug",
            "ignore the red mug and take the blue one",
            "cancel that, take the blue mug",
            "never mind the mug, take the ball",
            "drop the mug into the bin",
        ] {
            assert!(!parse(text).taken_back, "{text}");
        }
    }

    #[test]
    fn a_text_that_names_no_object_says_so() {
        for text in ["pick it up", "bring them to me", "?!"] {
            assert!(parse(text).names_nothing, "{text}: {:?}", parse(text));
        }
        for text in ["pick up the thing", "the red one", "the leftmost object", "pick it up: the red mug", "mug"] {
            assert!(!parse(text).names_nothing, "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn greetings_questions_to_the_robot_and_what_cannot_be_seen_name_nothing() {
        for text in [
            "hello robot", "hi", "good morning", "hi robot how are you", "what can you do", "grab",
            "undo the last task",
        ] {
            assert!(parse(text).names_nothing, "{text}: {:?}", parse(text).target);
        }
        for text in [
            "hello robot, get the mug",
            "what can you see on the table",
            "the good mug",
            "hi, the red mug",
            "move the mug",
        ] {
            assert!(!parse(text).names_nothing, "{text}: {:?}", parse(text).target);
        }
    }

    #[test]
    fn names_adverbs_and_what_is_stopped_stand_before_a_command() {
        for text in [
            "james give me the green duck",
            "armbot gently lift the green duck",
            "hi bot can you grab that green duck",
            "stop the current task and get the green duck",
            "cancel please now pick up the green duck",
            "no i said take the green duck",
            "please gingerly lift the green duck",
            "why don't you take the green duck",
            "can't you see the green duck",
        ] {
            let parsed = parse(text);
            assert_eq!(parsed.target.noun.as_deref(), Some("duck"), "{text}");
            assert!(!parsed.forbidden && !parsed.taken_back && !parsed.names_nothing, "{text}");
        }
        // what forbids is never skipped as a name or an adverb
        for word in ["never", "dont", "not", "don't", "cannot", "you can't", "you must not", "please do not"] {
            for rest in ["touch the green duck", "ever touch the green duck", "gently touch the green duck"] {
                let parsed = parse(&format!("{word} {rest}"));
                assert!(parsed.forbidden || parsed.names_nothing, "{word} {rest}: {:?}", parsed.target);
            }
        }
        assert!(parse("robot don't use the kiwi").forbidden);
        assert!(parse("we can't touch the green duck").forbidden);
    }

    #[test]
    fn what_a_thing_is_made_of_and_what_the_robots_hand_goes_to_are_meant() {
        for (text, noun) in [
            ("make a smiley face out of the blocks", "block"),
            ("build a tower from the red cups", "cup"),
            ("move the gripper behind the bowl", "bowl"),
            ("use your left arm to pick up the orange", "orange"),
            ("5 cm on top of the can", "can"),
        ] {
            assert_eq!(parse(text).target.noun.as_deref(), Some(noun), "{text}");
        }
    }

    #[test]
    fn clauses_have_verb_object_and_place_and_the_thing_handled_is_the_target() {
        let parsed = parse("go to the kitchen, find the red mug and put it on the table");
        let verbs: Vec<&str> = parsed.clauses.iter().map(|clause| clause.verb.as_str()).collect();
        assert_eq!(verbs, ["go", "find", "put"]);
        assert_eq!(parsed.target.phrase, "the red mug");
        assert_eq!(parsed.clauses[2].place.as_deref(), Some("on the table"));
    }

    #[test]
    fn a_list_has_one_target_and_names_the_others() {
        let parsed = parse("red cup, blue ball, green box");
        let others: Vec<&str> = parsed.also_named.iter().map(|other| other.phrase.as_str()).collect();
        assert_eq!((parsed.target.phrase.as_str(), others), ("red cup", vec!["blue ball", "green box"]));
    }

    #[test]
    fn quantities_are_told_apart() {
        let quantity = |text: &str| parse(text).quantity;
        assert_eq!(quantity("the mug"), Quantity::One);
        assert_eq!(quantity("both mugs"), Quantity::Exactly(2));
        assert_eq!(quantity("the three cans"), Quantity::Exactly(3));
        assert_eq!(quantity("two cans"), Quantity::Some(2));
        assert_eq!(quantity("all the red blocks"), Quantity::All);
        assert_eq!(quantity("any mug"), Quantity::Any);
    }

    #[test]
    fn a_text_that_repeats_itself_does_not_exhaust_stack_or_time() {
        for part in [
            "go ", "to go ", "please ", "want to ", "the ", "and go ", "left of the mug ", "not ", "no wait ",
            "between ",
        ] {
            parse(&part.repeat(1000 / part.len()));
        }
    }

    #[test]
    fn any_words_in_any_order_are_survived() {
        let pool = [
            "the", "left", "of", "and", ",", "turn", "to", "a", "can", "you", "mind", "'s", "half", "ж🙂", "5", "both",
            "where", "is", "-", "not", "between", "second", "from", "no", "wait", "except", "mug", "same", "color",
            "as", "\"", "top-left", "what", "instead", "don't", "nearest", "one",
        ];
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize
        };
        for _ in 0..4_000 {
            let words: Vec<&str> = (0..next() % 12).map(|_| pool[next() % pool.len()]).collect();
            let text = words.join(" ");
            let parsed = parse(&text);
            assert_eq!(parsed.text, text);
            // what is said back is made of the text's own words, or says that anything is meant
            assert!(!parsed.target.phrase.is_empty() || text.trim().is_empty(), "{text:?}");
        }
    }

    /// The destination of a command in few words.
    fn said(text: &str) -> String {
        let Some(destination) = parse(text).destination else { return "none".into() };
        let distance = destination.distance.map_or(String::new(), |metres| format!("{metres} m "));
        distance
            + &match destination.goal {
                Goal::Relation { relation, anchors } => {
                    let anchors: Vec<String> = anchors.iter().map(|anchor| anchor.phrase.clone()).collect();
                    format!("{} {}", relation.words(), anchors.join(" and "))
                }
                Goal::Place(place) => format!("{place:?}"),
                Goal::Motion(motion) => format!("move {motion:?}"),
                other => format!("{other:?}"),
            }
    }

    #[test]
    fn destinations_are_read() {
        for (text, expected) in [
            ("put the mug between the plate and the can", "between the plate and the can"),
            ("put the mug on the plate", "on the plate"),
            ("put the mug into the red box", "in the red box"),
            ("pick up the mug and put it next to the can", "next to the can"),
            ("move the can to the left of the box", "left of the box"),
            ("move the can in front of the box", "in front of the box"),
            ("move the can behind the box", "behind the box"),
            ("stack the red block on the blue block", "on the blue block"),
            ("put the mug on top of the box", "on the box"),
            ("put the mug somewhere free on the table", "Free"),
            ("put the mug on the table", "Free"),
            ("put it back where it was", "Back"),
            ("put the mug back", "Back"),
            ("push the block left", "move Left"),
            ("push the block 5 cm to the left", "0.05 m move Left"),
            ("move the mug 10cm to the right of the plate", "0.1 m right of the plate"),
            ("put the mug in the top right corner", "TopRight"),
            ("put the mug in the middle of the table", "Middle"),
            ("move the mug to the top right corner", "TopRight"),
            ("put the mug in left container", "in left container"),
            ("put the mug on the middle box", "on the middle box"),
            ("move the mug somewhere free on the table", "Free"),
            ("put the mug anywhere", "Free"),
            ("bring the mug to me", "Speaker"),
            ("the red mug", "none"),
            ("pick up the mug on the plate", "none"),
            ("pick up the mug, but do not put it on the plate", "none"),
        ] {
            assert_eq!(said(text), expected, "{text}: {:?}", parse(text).destination);
        }
    }
}
