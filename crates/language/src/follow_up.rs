//! `FollowUp`: what a text means in a conversation, in the light of the command before it: "the left one", "no, the other one", "yes".

use super::lexicon::{is, WordList, COLOURS, PREPOSITIONS};
use super::parsed_command::{Constraint, Description, ParsedCommand, Quantity, Relation};
use super::rules;
use super::text_words::Words;

/// What a text means after a command.
#[derive(Clone, Debug, PartialEq)]
pub enum FollowUp {
    /// A command of its own, which takes the place of the one before.
    New(ParsedCommand),
    /// The object meant before, with more said of it.
    Refined(ParsedCommand),
    /// An object other than the one shown, with what else is said of it.
    Another(ParsedCommand),
    /// The object shown is the one meant.
    Confirmed,
    /// Nothing is looked for any more.
    Ended,
}

const YES: WordList =
    &["yes", "yeah", "yep", "yup", "correct", "exactly", "sure", "ok", "okay", "precisely", "indeed", "please"];
const NO: WordList = &["no", "nope", "nah", "not", "wrong"];
/// Words that say which object was shown, and nothing of what it is like.
const SHOWN: WordList = &["that", "this", "it", "one", "is", "that's", "it's", "the", "these", "those"];
/// Said before a correction.
const LEADING: WordList =
    &[",", ".", "!", "i", "mean", "meant", "want", "wanted", "rather", "sorry", "actually", "but", "and", "then"];

/// The text from its first word that is in none of the lists.
fn behind(words: &Words, skipped: &[WordList]) -> String {
    let first = (0..words.len()).find(|i| !words.is_mark(*i) && !skipped.iter().any(|list| is(list, words.at(*i))));
    words.text(first.unwrap_or(words.len())..words.len())
}

/// What a text means after the command `before`.
pub fn follow_up(text: &str, before: &ParsedCommand) -> FollowUp {
    let words = Words::of(text);
    let said = |list: WordList| (0..words.len()).any(|i| is(list, words.at(i)));
    let agrees = words.len() > 1 && is(&["that's", "thats", "all", "is"], words.at(words.len() - 2));
    if agrees && words.at(words.len() - 1) == "right" {
        return FollowUp::Confirmed; // "right" alone is a side
    }
    if behind(&words, &[YES, NO, SHOWN, LEADING]).is_empty() {
        return match (said(NO), said(YES) || said(SHOWN)) {
            (true, _) => FollowUp::Another(before.clone()),
            (false, true) => FollowUp::Confirmed,
            _ => FollowUp::New(rules::parse(text)),
        };
    }
    let is_denied = words.len() > 1 && is(NO, words.at(0)) && words.at(0) != "not";
    let rest = behind(&words, if is_denied { &[NO, LEADING] } else { &[LEADING] });
    // "on the left", "behind the box": of the one meant
    let first = Words::of(&rest);
    let is_place = is(PREPOSITIONS, first.at(0)) && !is(&["of", "to", "for", "from", "with"], first.at(0));
    let parsed = rules::parse(&if is_place { format!("the one {rest}") } else { rest });
    if parsed.taken_back {
        return FollowUp::Ended;
    }
    if let Some(near) = neighbour(&words) {
        return FollowUp::Another(beside(before, near));
    }
    let target = &parsed.target;
    let is_pronoun = target.is_plain()
        && is(&["it", "that", "this", "them", "that one", "this one"], &target.phrase.to_lowercase())
        && target.attributes.is_empty();
    if is_pronoun && parsed.destination.is_some() && !parsed.forbidden {
        // "put it on the plate instead"
        return FollowUp::Refined(ParsedCommand { destination: parsed.destination, ..before.clone() });
    }
    let is_other = target.constraints.contains(&Constraint::Other);
    let says_more = !target.attributes.is_empty() || !target.constraints.is_empty() || !target.details.is_empty();
    match &target.noun {
        None if is_other => FollowUp::Another(refined(before, &parsed)),
        None if says_more && parsed.forbidden => {
            // "not the red one"
            let mut meant = before.clone();
            let denied = target.clone().with_noun_of(&before.target);
            meant.target.constraints.push(Constraint::Except(denied));
            FollowUp::Refined(meant)
        }
        None if says_more || parsed.quantity != Quantity::One => FollowUp::Refined(refined(before, &parsed)),
        None if parsed.forbidden => FollowUp::Another(before.clone()),
        _ => FollowUp::New(parsed),
    }
}

/// "that one's neighbour", "the one next to it": where the neighbour of the object shown is meant.
fn neighbour(words: &Words) -> Option<Relation> {
    let named = |list: WordList| (0..words.len()).any(|i| is(list, words.at(i)));
    const ITS: WordList = &["it", "that", "this", "one's", "its"];
    if named(&["neighbour", "neighbor"]) && named(&["one's", "its", "of", "that"]) {
        return Some(Relation::NextTo);
    }
    let last = (0..words.len()).rev().find(|i| !words.is_mark(*i))?;
    let ends = is(ITS, words.at(last)) && last > 0;
    match words.at(last.saturating_sub(1)) {
        "behind" if ends => Some(Relation::Behind),
        "beside" | "near" if ends => Some(Relation::NextTo),
        "to" if ends && words.at(last.saturating_sub(2)) == "next" => Some(Relation::NextTo),
        "of" if ends && named(&["left"]) => Some(Relation::LeftOf),
        "of" if ends && named(&["right"]) => Some(Relation::RightOf),
        "of" if ends && named(&["front"]) => Some(Relation::InFrontOf),
        _ => None,
    }
}

/// Anything in a relation to what was meant before.
fn beside(before: &ParsedCommand, relation: Relation) -> ParsedCommand {
    let anchors = vec![before.target.clone()];
    let constraints = vec![Constraint::Relation { relation, anchors }];
    let target = Description { phrase: "object".into(), constraints, ..Description::default() };
    ParsedCommand { target, quantity: Quantity::One, other_readings: Vec::new(), ..before.clone() }
}

/// The command before with what a follow-up says more.
fn refined(before: &ParsedCommand, more: &ParsedCommand) -> ParsedCommand {
    let mut meant = before.clone();
    meant.other_readings.clear();
    let said = &more.target;
    let is_coloured = said.attributes.iter().any(|word| is(COLOURS, word));
    if is_coloured {
        // of two colours the last one holds
        meant.target.attributes.retain(|word| !is(COLOURS, word));
    }
    let places = |constraint: &Constraint| {
        matches!(constraint, Constraint::Place(_) | Constraint::Order { .. } | Constraint::Size(_))
    };
    if said.constraints.iter().any(places) {
        meant.target.constraints.retain(|constraint| !places(constraint));
    }
    let new = said.attributes.iter().filter(|word| !before.target.attributes.contains(word));
    meant.target.attributes.extend(new.cloned());
    meant.target.details.extend(said.details.iter().cloned());
    let constraints = said.constraints.iter().filter(|constraint| **constraint != Constraint::Other);
    meant.target.constraints.extend(constraints.cloned());
    if more.quantity != Quantity::One {
        meant.quantity = more.quantity;
    } else if !matches!(before.quantity, Quantity::Any) {
        meant.quantity = Quantity::One;
    }
    let noun = meant.target.noun.clone().unwrap_or_else(|| "object".into());
    let look: Vec<String> = meant.target.attributes.iter().cloned().chain([noun]).collect();
    meant.target.phrase = format!("the {}", look.join(" "));
    meant.destination = more.destination.clone().or(meant.destination);
    meant.not_understood = more.not_understood.clone();
    meant
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text means after "pick up the red mug", in words.
    fn after(text: &str) -> String {
        match follow_up(text, &rules::parse("pick up the red mug")) {
            FollowUp::New(parsed) => format!("new: {}", parsed.reading()),
            FollowUp::Refined(parsed) => format!("refined: {}", parsed.reading()),
            FollowUp::Another(parsed) => format!("another: {}", parsed.reading()),
            FollowUp::Confirmed => "confirmed".into(),
            FollowUp::Ended => "ended".into(),
        }
    }

    #[test]
    fn more_said_of_the_same_object_refines_it() {
        for (text, expected) in [
            ("the left one", "refined: the red mug; on the left"),
            ("left", "refined: the red mug; on the left"),
            ("on the left", "refined: the red mug; on the left"),
            ("the second", "refined: the red mug; second from the left"),
            ("I mean the one behind the box please", "refined: the red mug; behind the box"),
            ("bigger", "refined: the red mug; largest"),
            ("the blue one", "refined: the blue mug"),
            ("no, the blue one", "refined: the blue mug"),
            ("the wooden one", "refined: the red wooden mug"),
            ("put it on the plate instead", "refined: the red mug; goal: on the plate"),
            ("both", "refined: exactly 2 of: the red mug"),
        ] {
            assert_eq!(after(text), expected, "{text}");
        }
    }

    #[test]
    fn yes_no_and_other_speak_of_the_object_shown() {
        assert_eq!(after("the right one"), "refined: the red mug; on the right");
        assert_eq!(after("right"), "refined: the red mug; on the right");
        for text in ["yes", "yes please", "that one", "exactly", "yes, that one", "that's right", "that is right"] {
            assert_eq!(after(text), "confirmed", "{text}");
        }
        for text in
            ["no", "no, not that", "the other one", "no, the other one", "not that one, the other", "another one"]
        {
            assert!(after(text).starts_with("another: the red mug"), "{text}: {}", after(text));
        }
        assert_eq!(after("that one's neighbour"), "another: the thing; next to the red mug");
        for text in ["never mind", "cancel that", "stop"] {
            assert_eq!(after(text), "ended", "{text}");
        }
    }

    #[test]
    fn a_command_of_its_own_replaces_the_one_before() {
        for (text, expected) in [
            ("the can", "new: the can"),
            ("no, the can", "new: the can"),
            ("pick up the blue can on the left", "new: the blue can; on the left"),
            ("what about the plate", "new: the plate"),
        ] {
            assert_eq!(after(text), expected, "{text}");
        }
    }
}
