//! `Words`: a command's words and marks, each with its place in the text.

use std::ops::Range;

/// A word or a mark, in lower case, with its bytes in the text.
struct Token {
    word: String,
    span: Range<usize>,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut start = None;
    let push = |span: Range<usize>, found: &mut Vec<Token>| {
        let word = text[span.clone()].to_lowercase().replace('’', "'");
        found.push(Token { word, span });
    };
    for (at, c) in text.char_indices() {
        let joins = c.is_alphanumeric() || matches!(c, '\'' | '’' | '-' | '/' | '_' | '%');
        match (joins, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                push(from..at, &mut found);
                start = None;
            }
            _ => {}
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

/// The words from which the phrase is cut; reads past the end as the empty word.
pub struct Words {
    tokens: Vec<Token>,
}

impl Words {
    /// The words and marks of a text.
    pub fn of(text: &str) -> Words {
        Words { tokens: tokens(text) }
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

    /// Where some of them, at least one, stand in the text.
    pub fn bytes(&self, words: Range<usize>) -> Range<usize> {
        self.tokens[words.start].span.start..self.tokens[words.end - 1].span.end
    }
}
