//! `Words`: a command's words and marks, each with its place in the text.

use std::ops::Range;

/// A word or a mark, in lower case, with its bytes in the text.
#[derive(Clone)]
struct Token {
    word: String,
    span: Range<usize>,
    /// Its number among all words and marks of the text.
    number: usize,
}

/// Sounds of somebody who thinks.
const FILLERS: &[&str] = &["um", "uh", "er", "erm", "uhm", "hmm", "hm", "umm", "uhh", "mm", "eh", "ehm"];

/// Said of robots' kinds rather than to robots: "the toy robot" is a thing, "the banana, robot" is not.
const KINDS_OF_ROBOTS: &[&str] =
    &["toy", "lego", "cleaning", "vacuum", "kitchen", "humanoid", "mobile", "dancing", "robot"];

fn tokens(text: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut start = None;
    let push = |span: Range<usize>, found: &mut Vec<Token>| {
        let word = text[span.clone()].to_lowercase().replace('’', "'");
        let word = match word.as_str() {
            "colour" | "colours" | "colors" => "color".into(),
            "coloured" => "colored".into(),
            "w/o" => "without".into(),
            "w/" => "with".into(),
            "&" => "and".into(),
            "i.e" => "ie".into(),
            _ => word,
        };
        let number = found.len();
        found.push(Token { word, span, number });
    };
    for (at, c) in text.char_indices() {
        // programs write "red_mug", transcribers leave invisible marks
        let digit = |at: Option<char>| at.is_some_and(|c| c.is_ascii_digit());
        let is_point = c == '.' && start.is_some() && digit(text[..at].chars().next_back());
        let is_point = is_point && digit(text[at + 1..].chars().next());
        let joins = c.is_alphanumeric() || is_point || matches!(c, '\'' | '’' | '-' | '/' | '%');
        let c = if matches!(c, '_' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}') { ' ' } else { c };
        match (joins, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                push(from..at, &mut found);
                start = None;
            }
            _ => {}
        }
        // "mug -purple", as in a search
        let excludes = || {
            let word: String = text[at + 1..].chars().take_while(|c| c.is_alphabetic()).collect();
            !word.is_empty() && !super::lexicon::is(super::lexicon::DETERMINERS, &word.to_lowercase())
        };
        if c == '-' && start == Some(at) && found.last().is_some_and(|token| token.span.end < at) && excludes() {
            found.push(Token { word: "not".into(), span: at..at + 1, number: found.len() });
            start = None;
        }
        if !joins && !c.is_whitespace() {
            push(at..at + c.len_utf8(), &mut found);
        }
    }
    if let Some(from) = start {
        push(from..text.len(), &mut found);
    }
    found
}

/// The words from which meaning is read; reads past the end as the empty word.
pub struct Words {
    text: String,
    tokens: Vec<Token>,
}

impl Words {
    /// The words and marks of a text.
    pub fn of(text: &str) -> Words {
        Words { text: text.to_string(), tokens: tokens(text) }
    }

    /// The words that mean something: without fillers, quotation marks, repeated articles, and the robot's name.
    pub fn spoken(text: &str) -> Words {
        let mut words = Words::of(text);
        words.join_inches();
        let quoted = |word: &str| matches!(word, "\"" | "“" | "”" | "„" | "«" | "»" | "`" | "'");
        let number = |i: usize| words.at(i).parse::<f32>().is_ok();
        let kept: Vec<bool> = (0..words.len())
            .map(|i| {
                let measure = i > 0 && number(i - 1);
                !quoted(words.at(i)) && (measure || !FILLERS.contains(&words.at(i)))
            })
            .collect();
        let mut kept = kept.into_iter();
        words.tokens.retain(|_| kept.next().unwrap_or(true));
        words.drop_list_numbers();
        words.part_places();
        words.join_ranks();
        words.join_prepositions();
        words.count_pairs();
        words.drop_repeated_articles();
        words.drop_names();
        words
    }

    /// `12"` is a size.
    fn join_inches(&mut self) {
        let mut i = 1;
        while i < self.tokens.len() {
            let (before, here) = (&self.tokens[i - 1], &self.tokens[i]);
            let touches = before.span.end == here.span.start;
            let number = before.word.chars().all(|c| c.is_ascii_digit() || c == '.');
            if touches && number && matches!(here.word.as_str(), "\"" | "″" | "”") {
                let end = here.span.end;
                self.tokens[i - 1].span.end = end;
                self.tokens[i - 1].word.push('"');
                self.tokens.remove(i);
            } else {
                i += 1;
            }
        }
    }

    /// "1. the purple mug 2. the pink cup" is a list without its numbers.
    fn drop_list_numbers(&mut self) {
        let mut next = 1;
        let mut i = 0;
        while i + 2 < self.tokens.len() {
            let numbered = self.at(i) == next.to_string() && matches!(self.at(i + 1), "." | ")" | ":");
            if numbered && (i == 0 || next > 1) {
                // a mark parts what the number parted
                let first = usize::from(next > 1);
                self.tokens.drain(i..i + 2 - first);
                if first == 1 {
                    self.tokens[i].word = ",".into();
                }
                next += 1;
            } else if i == 0 {
                return;
            }
            i += 1;
        }
    }

    /// "top-left" is two places.
    fn part_places(&mut self) {
        const PLACES: [&str; 13] = [
            "top", "bottom", "upper", "lower", "left", "right", "far", "near", "front", "back", "middle", "center",
            "centre",
        ];
        let mut i = 0;
        while i < self.tokens.len() {
            let token = &self.tokens[i];
            let parts = token.word.split_once('-').filter(|(a, b)| PLACES.contains(a) && PLACES.contains(b));
            if let Some((first, second)) = parts.map(|(a, b)| (a.to_string(), b.to_string())) {
                let Range { start, end } = token.span;
                let number = token.number;
                let middle = start + first.len();
                self.tokens[i] = Token { word: first, span: start..middle, number };
                for later in &mut self.tokens[i + 1..] {
                    later.number += 1;
                }
                self.tokens.insert(i + 1, Token { word: second, span: middle + 1..end, number: number + 1 });
            }
            i += 1;
        }
    }

    /// "second to last" is one rank.
    fn join_ranks(&mut self) {
        let mut i = 0;
        while i < self.tokens.len() {
            let rank = match (self.at(i), self.at(i + 1), self.at(i + 2)) {
                ("second" | "next", "to" | "from", "last") => Some(("penultimate", 2)),
                ("third", "to" | "from", "last") => Some(("antepenultimate", 2)),
                ("second-to-last" | "next-to-last" | "second-last", ..) => Some(("penultimate", 0)),
                ("last", "but", "one") => Some(("penultimate", 2)),
                ("second" | "next", "to", "the") if self.at(i + 3) == "last" => Some(("penultimate", 3)),
                ("left", "most", _) | ("most", "left", _) => Some(("leftmost", 1)),
                ("right", "most", _) | ("most", "right", _) => Some(("rightmost", 1)),
                ("top", "most", _) => Some(("topmost", 1)),
                _ => None,
            };
            if let Some((word, more)) = rank {
                let end = self.tokens[i + more].span.end;
                let token = &mut self.tokens[i];
                token.word = word.into();
                token.span.end = end;
                token.number += more;
                self.tokens.drain(i + 1..i + 1 + more);
            }
            i += 1;
        }
    }

    /// "on to the plate" is onto it.
    fn join_prepositions(&mut self) {
        for i in (1..self.tokens.len()).rev() {
            let joined = match (self.at(i - 1), self.at(i)) {
                ("on", "to") => "onto",
                ("in", "to") => "into",
                _ => continue,
            };
            if super::lexicon::is(super::lexicon::DETERMINERS, self.at(i + 1)) {
                let end = self.tokens.remove(i).span.end;
                let token = &mut self.tokens[i - 1];
                token.word = joined.into();
                token.span.end = end;
                token.number += 1;
            }
        }
    }

    /// "a pair of mugs" is two mugs, "a pair of scissors" is one thing.
    fn count_pairs(&mut self) {
        for i in 0..self.tokens.len() {
            let determined = usize::from(matches!(self.at(i), "a" | "the"));
            let pair = matches!(self.at(i + determined), "pair" | "couple") && self.at(i + determined + 1) == "of";
            if !pair {
                continue;
            }
            let noun = self.at(i + determined + 2);
            let one_thing = super::word_forms::singular(noun) == noun && noun.ends_with('s');
            let kept = usize::from(self.at(i) == "the");
            let number = i + kept;
            let Range { start, .. } = self.tokens[number].span;
            let last = i + determined + 1;
            self.tokens[number].word = if one_thing { "the".into() } else { "two".into() };
            self.tokens[number].span = start..self.tokens[last].span.end;
            self.tokens[number].number = self.tokens[last].number;
            self.tokens.drain(number + 1..=last);
        }
    }

    /// The same words with the first `n` behind the others.
    pub fn rotated(&self, n: usize) -> Words {
        let mut words = self.slice(0..self.len());
        words.tokens.rotate_left(n);
        words
    }

    /// "get the, the blue mug".
    fn drop_repeated_articles(&mut self) {
        let article = |token: &Token| matches!(token.word.as_str(), "the" | "a" | "an" | "my" | "that" | "this");
        let mut i = 0;
        while i < self.tokens.len() {
            let next = i
                + 1
                + usize::from(
                    self.tokens.get(i + 1).is_some_and(|token| matches!(token.word.as_str(), "," | "." | "…" | "-")),
                );
            let again = next > i + 1 || self.tokens[i].word == self.at(next);
            if article(&self.tokens[i]) && again && self.tokens.get(next).is_some_and(article) {
                self.tokens.drain(i..next);
            } else {
                i += 1;
            }
        }
    }

    /// "Alexa, hand me ...", "hey Robbie, ...", "..., robot".
    fn drop_names(&mut self) {
        let greeting = usize::from(matches!(self.at(0), "hey" | "hi" | "hello" | "ok" | "okay" | "dear" | "yo"));
        let named = !super::lexicon::is(super::lexicon::VERBS, self.at(greeting)) && !self.at(greeting).is_empty();
        let follows = self.at(greeting + 2);
        let addressed = super::lexicon::is(super::lexicon::VERBS, follows)
            || super::lexicon::is(super::lexicon::MODALS, follows)
            || super::lexicon::is(super::lexicon::WEAK_VERBS, follows)
            || matches!(follows, "please" | "i" | "where" | "would" | "find");
        if named && self.at(greeting + 1) == "," && addressed {
            self.tokens.drain(..greeting + 2);
        }
        let many = self.tokens.len();
        if many > 2 && self.at(many - 1) == "robot" {
            let before = self.at(many - 2);
            let kind = KINDS_OF_ROBOTS.contains(&before)
                || super::lexicon::is(super::lexicon::ADJECTIVES, before)
                || super::lexicon::is(super::lexicon::DETERMINERS, before)
                || super::lexicon::is(super::lexicon::PREPOSITIONS, before)
                || super::lexicon::is(super::lexicon::VERBS, before);
            if !kind {
                self.tokens.truncate(many - 1 - usize::from(before == ","));
            }
        }
    }

    /// All but these.
    pub fn without(&self, words: Range<usize>) -> Words {
        let mut kept = self.slice(0..self.len());
        kept.tokens.drain(words);
        kept
    }

    /// Some of them.
    pub fn slice(&self, words: Range<usize>) -> Words {
        Words { text: self.text.clone(), tokens: self.tokens[words].to_vec() }
    }

    /// A word.
    pub fn at(&self, i: usize) -> &str {
        self.tokens.get(i).map_or("", |token| &token.word)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether a mark stands here, rather than a word or nothing.
    pub fn is_mark(&self, i: usize) -> bool {
        !self.at(i).is_empty() && !self.at(i).chars().any(char::is_alphanumeric)
    }

    /// Some of them as they were written; where something was left out, a space stands.
    pub fn text(&self, words: Range<usize>) -> String {
        let mut written = String::new();
        let mut before: Option<&Token> = None;
        for token in self.tokens.get(words).unwrap_or_default() {
            if let Some(before) = before {
                match token.number == before.number + 1 {
                    true => written.push_str(&self.text[before.span.end..token.span.start]),
                    false => written.push(' '),
                }
            }
            written.push_str(&self.text[token.span.clone()]);
            before = Some(token);
        }
        written.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
