//! Corrections: where a speaker takes back what was said ("no wait, the green one"), and what is then meant.

use super::lexicon::{is, DETERMINERS};
use super::parsed_command::{ParsedCommand, Quantity};
use super::pattern::Table;
use super::text_words::Words;
use std::ops::Range;

/// What takes back what was said before it.
static CORRECTIONS: Table<()> = Table::new(&[
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
]);

/// The stretches of words between corrections.
pub fn parts(words: &Words) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut i) = (0, 0);
    while i < words.len() {
        let correction = CORRECTIONS.longest(words, i, words.len()).filter(|(_, taken)| {
            let alone =
                i == start || words.is_mark(i - 1) || *taken > 1 || words.at(i) != "no" && words.at(i) != "rather";
            let word = words.at(i);
            // "make it ...", "with no handle", "rather than"
            let other = word == "make" && !(i > 0 && words.is_mark(i - 1))
                || word == "rather" && words.at(i + 1) == "than"
                || word == "never" && is(DETERMINERS, words.at(i + 2))
                || is(&["or", "oh"], word) && *taken == 1
                || word == "no" && *taken == 1 && is(&["with", "has", "have", "there"], words.at(i.wrapping_sub(1)))
                || word == "wait"
                    && (i == start || !words.is_mark(i - 1))
                    && is(&["for", "until", "at", "by"], words.at(i + 1));
            // "no purple mugs" forbids
            let forbids = word == "no" && *taken == 1 && words.negation(i) > 0 && i == start;
            alone && !other && !forbids
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
pub fn corrected(before: ParsedCommand, mut next: ParsedCommand) -> ParsedCommand {
    next.target = next.target.with_noun_of(&before.target);
    let old = before.target;
    let refined = old.is_plain()
        && old.noun == next.target.noun
        && old.attributes.iter().all(|word| next.target.attributes.contains(word));
    if !refined {
        next.withdrawn.push(old);
    }
    next.withdrawn.extend(before.withdrawn);
    next.destination = next.destination.or(before.destination);
    next.clauses = before.clauses.into_iter().chain(next.clauses).collect();
    if next.quantity == Quantity::One {
        next.quantity = before.quantity;
    }
    next
}
