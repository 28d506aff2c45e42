//! `Pattern`: a fixed turn of phrase with its variants, matched word by word.
//!
//! "on|to|at the? left side? of" stands for "to the left of", "on left side of" and so on: `|` parts variants of one
//! word, `?` marks a word that may be absent, `{h}` is a word for left or right, `{v}` one for the farther (upper) or the nearer (lower) half.

use super::text_words::Words;

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

/// Words from `at` that the pattern takes, no more than up to `end`, with the sides in them; `None` when it does not match there.
pub fn matches(pattern: Pattern, words: &Words, at: usize, end: usize) -> Option<(usize, Sides)> {
    let parts: Vec<&str> = pattern.split(' ').collect();
    from(&parts, words, at, end, Sides::default()).map(|(stop, sides)| (stop - at, sides))
}

fn from(parts: &[&str], words: &Words, at: usize, end: usize, sides: Sides) -> Option<(usize, Sides)> {
    let Some((part, rest)) = parts.split_first() else { return Some((at, sides)) };
    let (variants, optional) = part.strip_suffix('?').map_or((*part, false), |part| (part, true));
    if at < end {
        let word = words.at(at);
        let met = |classes: [&[&str]; 2]| classes.iter().position(|class| class.contains(&word));
        let here = match variants {
            "{h}" => met(HORIZONTAL).map(|side| Sides { is_right: side == 1, ..sides }),
            "{v}" => met(VERTICAL).map(|side| Sides { is_upper: side == 0, ..sides }),
            variants => variants.split('|').any(|variant| variant == word).then_some(sides),
        };
        if let Some(found) = here.and_then(|sides| from(rest, words, at + 1, end, sides)) {
            return Some(found);
        }
    }
    if optional {
        from(rest, words, at, end, sides)
    } else {
        None
    }
}

/// The meaning of the pattern that takes most words at a place, with how many; the first of equals.
pub fn longest<'a, T>(table: &'a [(Pattern, T)], words: &Words, at: usize, end: usize) -> Option<(&'a T, usize)> {
    longest_with_sides(table, words, at, end).map(|(meaning, taken, _)| (meaning, taken))
}

/// As [`longest`], with the sides that the pattern met.
pub fn longest_with_sides<'a, T>(
    table: &'a [(Pattern, T)],
    words: &Words,
    at: usize,
    end: usize,
) -> Option<(&'a T, usize, Sides)> {
    let mut best: Option<(&T, usize, Sides)> = None;
    for (pattern, meaning) in table {
        if let Some((taken, sides)) = matches(pattern, words, at, end).filter(|(taken, _)| *taken > 0) {
            if best.is_none_or(|(_, most, _)| taken > most) {
                best = Some((meaning, taken, sides));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_and_optional_words_are_matched_and_the_longest_wins() {
        let words = Words::of("to the left of the box");
        let pattern = "on|to|at the? left side? of";
        let taken = |end: usize| matches(pattern, &words, 0, end).map(|(taken, _)| taken);
        assert_eq!(taken(words.len()), Some(4));
        assert_eq!(taken(3), None);
        let table = [("to the left", 1), ("to the left of", 2)];
        assert_eq!(longest(&table, &words, 0, words.len()), Some((&2, 4)));
        assert_eq!(longest(&table, &words, 1, words.len()), None);
        let corner = [("in the {v} {h} corner", ())];
        let words = Words::of("in the lower right-hand corner");
        let met = Sides { is_right: true, is_upper: false };
        assert_eq!(longest_with_sides(&corner, &words, 0, words.len()), Some((&(), 5, met)));
    }
}
