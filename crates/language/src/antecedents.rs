//! Antecedents: what "the red one", "the second one" and "next to it" mean behind what was said before.

use super::lexicon::{is, PLACES};
use super::parsed_command::{Constraint, Description, Order};
use super::word_classes::order_from;

/// What "the red one" and "the second one" mean behind what was said before: the noun, or the one of that number in a list.
pub fn meant_of(said: Description, antecedents: &[Description]) -> Description {
    let Some(last) = antecedents.first() else { return said };
    let mut said = said;
    for constraint in &mut said.constraints {
        // "next to it": what was said before
        if let Constraint::Relation { anchors, .. } = constraint {
            let named = |anchor: &Description| {
                anchor.noun.is_none() && matches!(anchor.phrase.as_str(), "it" | "them" | "that")
            };
            anchors.iter_mut().filter(|anchor| named(anchor)).for_each(|anchor| *anchor = last.clone());
        }
    }
    let is_one = said.noun.is_none() && said.phrase.split_whitespace().any(|word| word.eq_ignore_ascii_case("one"));
    match said.constraints[..] {
        [Constraint::Order { rank, by: Order::Leftmost }]
            if is_one && said.attributes.is_empty() && antecedents.len() > 1 =>
        {
            usize::try_from(rank - 1).ok().and_then(|at| antecedents.get(at)).cloned().unwrap_or(said)
        }
        // "the left one" of those named before is the leftmost of them
        [Constraint::Place(place)] if is_one && before_one(&said.phrase) => {
            let order = order_from(place).map(|by| Constraint::Order { rank: 1, by });
            Description { constraints: order.into_iter().collect(), ..said }.with_noun_of(last)
        }
        _ if is_one => said.with_noun_of(last),
        _ => said,
    }
}

/// Whether a place stands straight before "one".
fn before_one(phrase: &str) -> bool {
    let words: Vec<String> = phrase.split_whitespace().map(str::to_lowercase).collect();
    words.windows(2).any(|pair| pair[1] == "one" && is(PLACES, &pair[0]))
}
