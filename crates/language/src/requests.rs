//! What a text asks for as a whole: nothing (a greeting, a question to the robot), nothing any more (it takes itself back), or something with a
//! negation that the reading has no part for.

use super::lexicon::{is, BE, DETERMINERS, GREETINGS, MODALS, OPENERS, SUBJECTS, VERBS};
use super::parsed_command::{Constraint, Description, ParsedCommand};
use super::parts_of_speech::{can_be_seen, is_mostly_verb};
use super::pattern::Table;
use super::text_words::Words;

/// What takes the whole command back when it is said last.
static TAKEN_BACK: Table<()> = Table::new(&[
    ("please? cancel|abort|scratch|strike|forget|drop|ignore that|it|this|everything?", ()),
    ("please? never mind|mind? that|it|about? it|that?", ()),
    ("please? nevermind|stop|halt|abort|cancel that|it|everything|all|now|robot?", ()),
    ("please? stop|halt moving|working|everything", ()),
    ("please? stop|quit what you are|were doing", ()),
    ("hold on", ()),
    ("i changed|have my changed? mind?", ()),
    ("do not|n't do|bother it|that?", ()),
    ("don't bother|do it|that?", ()),
]);

/// Whether a text asks for nothing: it greets ("hello robot", "good morning"), asks the robot about itself ("what can you do"), or is a
/// verb alone.
pub fn asks_for_nothing(words: &Words) -> bool {
    let mut said: Vec<&str> = (0..words.len()).filter(|i| !words.is_mark(*i)).map(|i| words.at(i)).collect();
    const LONGEST_GREETING: usize = 4;
    let first = said.first().copied().unwrap_or_default();
    let of_day = said.get(1).is_some_and(|word| is(&["morning", "evening", "afternoon", "night", "bye", "day"], word));
    let greets = match first {
        "good" => of_day,
        _ => is(GREETINGS, first) && !is(&["dear", "morning", "evening", "afternoon", "night"], first),
    };
    let handles =
        (0..words.len()).any(|i| words.is_verb(i)) || said.iter().any(|word| is(DETERMINERS, word) && *word != "my");
    if greets && !handles && said.len() <= LONGEST_GREETING {
        return true;
    }
    // "hi robot how are you"
    let question = said.iter().take(LONGEST_GREETING).position(|word| is(&["what", "who", "how", "why", "when"], word));
    said.drain(..question.unwrap_or(0));
    let at = |i: usize| said.get(i).copied().unwrap_or_default();
    let about = question.is_some_and(|question| question == 0 || greets || is(OPENERS, first))
        && (is(BE, at(1)) || is(MODALS, at(1)))
        && (is(SUBJECTS, at(2)) || is(&["your", "my"], at(2)));
    let names = said.iter().skip(3).any(|word| is(DETERMINERS, word)) || is(&["it", "they"], at(2));
    about && !names || said.len() == 1 && is(VERBS, at(0)) && is_mostly_verb(at(0))
}

/// Whether a target is described by a noun alone that nothing which can be seen has: "the meaning of life".
pub fn names_no_thing(target: &Description) -> bool {
    let head = target.noun.as_deref().and_then(|noun| noun.split_whitespace().last());
    head.is_some_and(|head| !can_be_seen(head))
}

/// Negations of which nothing came: what forbids is never passed over in silence.
pub fn unheard_negations(words: &Words, meaning: &ParsedCommand) -> Vec<String> {
    const FORBIDDING: &[&str] =
        &["never", "don't", "dont", "mustn't", "mustnt", "shouldn't", "shouldnt", "forbidden", "prohibited"];
    let excludes = |constraint: &Constraint| matches!(constraint, Constraint::Except(_) | Constraint::Lacks(_));
    let heard = meaning.forbidden || meaning.taken_back || meaning.names_nothing || !meaning.withdrawn.is_empty();
    if heard || meaning.target.constraints.iter().any(excludes) {
        return Vec::new();
    }
    let idiom = |i: usize| {
        is(&["forget", "mind", "worry", "have", "know", "care"], words.at(i + 1))
            || i > 0 && is(&["why", "i", "we", "if", "you"], words.at(i - 1)) && is(SUBJECTS, words.at(i + 1))
            || i > 0 && words.at(i - 1) == "why"
    };
    (0..words.len()).filter(|i| is(FORBIDDING, words.at(*i)) && !idiom(*i)).map(|i| words.at(i).to_string()).collect()
}

/// Whether the last that is said takes everything back: alone, or behind a mark or "and", "but", "actually".
pub fn is_taken_back(words: &Words) -> bool {
    let end = (0..words.len()).rev().find(|i| !words.is_mark(*i)).map_or(0, |last| last + 1);
    (0..end).any(|i| {
        let alone = i == 0
            || words.is_mark(i - 1)
            || is(&["and", "but", "actually", "no", "wait", "oh", "robot"], words.at(i - 1));
        alone && TAKEN_BACK.longest(words, i, end).is_some_and(|(_, taken)| i + taken == end)
    })
}
