//! `Pattern`: a fixed turn of phrase with its variants, matched word by word.
//!
//! "on|to|at the? left side? of" stands for "to the left of", "on left side of" and so on: `|` parts variants of one
//! word, `?` marks a word that may be absent, `{h}` is a word for left or right, `{v}` one for the farther (upper) or the nearer (lower) half.

use super::text_words::Words;
use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

/// What `{h}` stands for, left and right.
const HORIZONTAL: [&[&str]; 2] = [&["left", "left-hand", "lefthand"], &["right", "right-hand", "righthand"]];
/// What `{v}` stands for, the upper and the lower half.
const VERTICAL: [&[&str]; 2] = [&["top", "upper", "back", "rear", "far"], &["bottom", "lower", "front", "near"]];

/// The sides that a pattern's `{h}` and `{v}` met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// `{h}` met a word for right.
    pub is_right: bool,
    /// `{v}` met a word for the upper half.
    pub is_upper: bool,
}

/// A turn of phrase as text; see the module.
pub type Pattern = &'static str;

/// What one word of a pattern may be.
enum Variants {
    Words(Vec<&'static str>),
    /// `{h}` or `{v}`.
    Horizontal,
    Vertical,
}

impl Variants {
    fn all(&self) -> Vec<&'static str> {
        let of = |classes: [&[&'static str]; 2]| classes.concat();
        match self {
            Variants::Words(words) => words.clone(),
            Variants::Horizontal => of(HORIZONTAL),
            Variants::Vertical => of(VERTICAL),
        }
    }
}

/// A word of a pattern.
struct Part {
    variants: Variants,
    is_optional: bool,
}

fn parts(pattern: Pattern) -> Vec<Part> {
    let part = |part: &'static str| {
        let (variants, is_optional) = part.strip_suffix('?').map_or((part, false), |part| (part, true));
        let variants = match variants {
            "{h}" => Variants::Horizontal,
            "{v}" => Variants::Vertical,
            words => Variants::Words(words.split('|').collect()),
        };
        Part { variants, is_optional }
    };
    pattern.split(' ').map(part).collect()
}

/// The words with which a pattern may begin.
fn beginnings(parts: &[Part]) -> Vec<&'static str> {
    let mandatory = parts.iter().position(|part| !part.is_optional).map_or(parts.len(), |at| at + 1);
    parts[..mandatory].iter().flat_map(|part| part.variants.all()).collect()
}

/// A row's number and the words of its pattern.
type Row = (usize, Vec<Part>);

/// Patterns with their meanings, found by the word that they begin with: texts are read word by word, and few patterns fit any word.
pub struct Table<T: 'static> {
    rows: &'static [(Pattern, T)],
    by_beginning: OnceLock<HashMap<&'static str, Vec<Row>>>,
}

impl<T> Table<T> {
    /// A table of these rows.
    pub const fn new(rows: &'static [(Pattern, T)]) -> Table<T> {
        Table { rows, by_beginning: OnceLock::new() }
    }

    fn beginning_with(&self, word: &str) -> &[Row] {
        let index = self.by_beginning.get_or_init(|| {
            let mut index: HashMap<&'static str, Vec<Row>> = HashMap::new();
            for (row, (pattern, _)) in self.rows.iter().enumerate() {
                let beginnings: BTreeSet<&'static str> = beginnings(&parts(pattern)).into_iter().collect();
                for beginning in beginnings {
                    index.entry(beginning).or_default().push((row, parts(pattern)));
                }
            }
            index
        });
        index.get(word).map_or(&[], Vec::as_slice)
    }

    /// The meaning of the pattern that takes most words at a place, up to `end`, with how many; the first of equals.
    pub fn longest(&self, words: &Words, at: usize, end: usize) -> Option<(&'static T, usize)> {
        self.longest_with_sides(words, at, end).map(|(meaning, taken, _)| (meaning, taken))
    }

    /// As [`Table::longest`], with the sides that the pattern met.
    pub fn longest_with_sides(&self, words: &Words, at: usize, end: usize) -> Option<(&'static T, usize, Sides)> {
        let mut best: Option<(usize, usize, Sides)> = None;
        for (row, parts) in self.beginning_with(words.at(at)) {
            if let Some((stop, sides)) = matched(parts, words, at, end, Sides::default()).filter(|(stop, _)| *stop > at)
            {
                if best.is_none_or(|(_, most, _)| stop - at > most) {
                    best = Some((*row, stop - at, sides));
                }
            }
        }
        best.map(|(row, taken, sides)| (&self.rows[row].1, taken, sides))
    }
}

/// Where the words that the parts take from `at` on end, with the sides in them; `None` when they do not match there.
fn matched(parts: &[Part], words: &Words, at: usize, end: usize, sides: Sides) -> Option<(usize, Sides)> {
    let Some((part, rest)) = parts.split_first() else { return Some((at, sides)) };
    if at < end {
        let word = words.at(at);
        let met = |classes: [&[&str]; 2]| classes.iter().position(|class| class.contains(&word));
        let here = match &part.variants {
            Variants::Horizontal => met(HORIZONTAL).map(|side| Sides { is_right: side == 1, ..sides }),
            Variants::Vertical => met(VERTICAL).map(|side| Sides { is_upper: side == 0, ..sides }),
            Variants::Words(variants) => variants.contains(&word).then_some(sides),
        };
        if let Some(found) = here.and_then(|sides| matched(rest, words, at + 1, end, sides)) {
            return Some(found);
        }
    }
    if part.is_optional {
        matched(rest, words, at, end, sides)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_and_optional_words_are_matched_and_the_longest_wins() {
        static SIDE: Table<()> = Table::new(&[("on|to|at the? left side? of", ())]);
        let words = Words::of("to the left of the box");
        assert_eq!(SIDE.longest(&words, 0, words.len()), Some((&(), 4)));
        assert_eq!(SIDE.longest(&words, 0, 3), None);
        static SIDES: Table<i32> = Table::new(&[("to the left", 1), ("to the left of", 2), ("in? the left of", 3)]);
        assert_eq!(SIDES.longest(&words, 0, words.len()), Some((&2, 4)));
        assert_eq!(
            SIDES.longest(&words, 1, words.len()),
            Some((&3, 3)),
            "an optional word may be absent at the beginning"
        );
        assert_eq!(SIDES.longest(&words, 2, words.len()), None);
        static CORNER: Table<()> = Table::new(&[("in the {v} {h} corner", ())]);
        let words = Words::of("in the lower right-hand corner");
        let met = Sides { is_right: true, is_upper: false };
        assert_eq!(CORNER.longest_with_sides(&words, 0, words.len()), Some((&(), 5, met)));
    }
}
