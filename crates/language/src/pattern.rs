//! `Pattern`: a fixed turn of phrase with its variants, matched word by word.
//!
//! "on|to|at the? left side? of" stands for "to the left of", "on left side of" and so on: `|` parts variants of one
//! word, `?` marks a word that may be absent.

use super::text_words::Words;

/// A turn of phrase as text; see the module.
pub type Pattern = &'static str;

/// Words from `at` that the pattern takes, no more than up to `end`; `None` when it does not match there.
pub fn matches(pattern: Pattern, words: &Words, at: usize, end: usize) -> Option<usize> {
    let parts: Vec<&str> = pattern.split(' ').collect();
    from(&parts, words, at, end).map(|stop| stop - at)
}

fn from(parts: &[&str], words: &Words, at: usize, end: usize) -> Option<usize> {
    let Some((part, rest)) = parts.split_first() else { return Some(at) };
    let (variants, optional) = part.strip_suffix('?').map_or((*part, false), |part| (part, true));
    let here = at < end && variants.split('|').any(|variant| variant == words.at(at));
    if here {
        if let Some(stop) = from(rest, words, at + 1, end) {
            return Some(stop);
        }
    }
    if optional {
        from(rest, words, at, end)
    } else {
        None
    }
}

/// The meaning of the pattern that takes most words at a place, with how many; the first of equals.
pub fn longest<'a, T>(table: &'a [(Pattern, T)], words: &Words, at: usize, end: usize) -> Option<(&'a T, usize)> {
    let mut best: Option<(&T, usize)> = None;
    for (pattern, meaning) in table {
        if let Some(taken) = matches(pattern, words, at, end).filter(|taken| *taken > 0) {
            if best.is_none_or(|(_, most)| taken > most) {
                best = Some((meaning, taken));
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
        assert_eq!(matches(pattern, &words, 0, words.len()), Some(4));
        assert_eq!(matches(pattern, &words, 0, 3), None);
        let table = [("to the left", 1), ("to the left of", 2)];
        assert_eq!(longest(&table, &words, 0, words.len()), Some((&2, 4)));
        assert_eq!(longest(&table, &words, 1, words.len()), None);
    }
}
