//! Parts of speech: whether an English word can be a verb, an adverb, an adjective or a noun, and whether what a noun names can be seen.
//!
//! From WordNet 3.0 (`data/LICENSE-WordNet`), by `tools/words/parts_of_speech.py`, whose head says what the file holds. It decides only where
//! the closed classes (`lexicon.rs`) and the order of the words leave a choice. A word that is not in it may be a noun or a name.

use super::lexicon::{is, COLOURS};
use super::word_forms::singular;

const TABLE: &str = include_str!("../data/parts_of_speech.txt");

/// The letters of a word in the table, the most frequent part of speech first.
fn letters(word: &str) -> Option<&'static str> {
    // the lines are sorted; the border moves by whole lines
    let (mut low, mut high) = (0, TABLE.len());
    while low < high {
        let middle = (low + high) / 2;
        let begin = TABLE[..middle].rfind('\n').map_or(0, |end| end + 1).max(low);
        let end = TABLE[begin..].find('\n').map_or(TABLE.len(), |end| begin + end);
        let (found, letters) = TABLE[begin..end].split_once(' ')?;
        match found.cmp(word) {
            std::cmp::Ordering::Equal => return Some(letters),
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = begin,
        }
    }
    None
}

/// Whether the word is in the table, in the singular or as it stands.
pub fn is_known(word: &str) -> bool {
    letters(word).is_some() || letters(&singular(word)).is_some()
}

/// Whether the word can be a verb in its base form.
pub fn can_be_verb(word: &str) -> bool {
    letters(word).is_some_and(|letters| letters.contains(['v', 'V']))
}

/// Whether the word is a verb in its base form far more often than anything else ("organize", "uncover", "take").
pub fn is_mostly_verb(word: &str) -> bool {
    letters(word).is_some_and(|letters| letters.starts_with('V') || letters == "v")
}

/// Whether the word is an adverb rather than a noun or a verb ("gingerly", "afterwards").
pub fn is_mostly_adverb(word: &str) -> bool {
    letters(word)
        .is_some_and(|letters| letters.contains(['r', 'R']) && !letters.contains(['n', 'N', 'v', 'V', 'i', 'I']))
}

/// Whether the word is an adjective that is no noun for anything that can be seen ("striped", "mauve").
pub fn is_adjective(word: &str) -> bool {
    letters(word).is_some_and(|letters| letters.contains(['a', 'A']) && !letters.contains(['n', 'N']))
}

/// Whether the word is a colour's name, in lower case ("red", "chartreuse", "brownish").
pub fn is_colour(word: &str) -> bool {
    is(COLOURS, word) || letters(word).is_some_and(|letters| letters.ends_with('c'))
}

/// Whether the noun is something that is worn ("shirt", "hats").
pub fn is_worn(noun: &str) -> bool {
    [noun, &singular(noun)].iter().any(|word| letters(word).is_some_and(|letters| letters.contains('w')))
}

/// Whether the noun is a person ("man", "waiters").
pub fn is_person(noun: &str) -> bool {
    [noun, &singular(noun)].iter().any(|word| letters(word).is_some_and(|letters| letters.contains('p')))
}

/// Whether a noun may name something that can be seen: not "task", "goodness". Words that are not in the table may.
pub fn can_be_seen(noun: &str) -> bool {
    let forms = [letters(noun), letters(&singular(noun))];
    forms == [None, None] || forms.into_iter().flatten().any(|letters| letters.contains(['n', 'N', 'a', 'A']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_table_is_found() {
        for line in TABLE.lines() {
            let (word, expected) = line.split_once(' ').unwrap();
            assert_eq!(letters(word), Some(expected), "{word}");
        }
        for word in ["", "zzzzz", "aaaa", "Mug", "red mug", "\u{1F600}"] {
            assert_eq!(letters(word), None, "{word}");
        }
    }

    #[test]
    fn words_are_told_apart_as_people_use_them() {
        assert!(["organize", "arrange", "uncover", "take"].iter().all(|word| is_mostly_verb(word)));
        assert!(!["mug", "plate", "dress", "button", "light"].iter().any(|word| is_mostly_verb(word)));
        assert!(is_mostly_adverb("gently") && !is_mostly_adverb("top") && !is_mostly_adverb("mug"));
        assert!(["mug", "mugs", "flurb", "water", "hammer"].iter().all(|noun| can_be_seen(noun)));
        assert!(["mauve", "striped"].iter().all(|word| is_adjective(word)) && !is_adjective("coffee"));
        assert!(["chartreuse", "mauve", "greenish"].iter().all(|word| is_colour(word)));
        assert!(!["rusty", "mug", "striped"].iter().any(|word| is_colour(word)));
        assert!(is_worn("shirt") && is_worn("glasses") && !is_worn("mug") && is_person("girl") && !is_person("mug"));
        assert!(!["task", "tasks", "goodness"].iter().any(|noun| can_be_seen(noun)));
    }
}
