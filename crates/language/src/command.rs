//! `Command`: what a person said, in words that can be encoded.

use referseg_files::{Error, Result};

/// Characters of the longest command; far above CLIP's 77 tokens, far below what would stall a robot.
pub const MAX_CHARACTERS: usize = 1000;

/// A trimmed, non-empty text without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command(String);

impl Command {
    /// Checks a text. White space of any kind becomes single spaces.
    ///
    /// # Errors
    /// When it is empty, too long, or has no word in it.
    pub fn parse(text: &str) -> Result<Command> {
        let characters = text.chars().count();
        if characters > MAX_CHARACTERS {
            let fact = format!("{characters} characters; expected at most {MAX_CHARACTERS}");
            return Err(Error::Command(fact));
        }
        let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let words = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        if !words.chars().any(char::is_alphanumeric) {
            return Err(Error::Command("no words; expected a referring expression".into()));
        }
        Ok(Command(words))
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_control_characters_become_single_spaces() {
        assert_eq!(Command::parse(" the\tred\u{0}\n mug ").unwrap().text(), "the red mug");
    }

    #[test]
    fn empty_wordless_and_endless_texts_are_refused() {
        for text in ["", "  \n", "?!", "\u{0}\u{7}"] {
            assert!(Command::parse(text).is_err(), "{text:?}");
        }
        let message = Command::parse(&"a ".repeat(50_000)).unwrap_err().to_string();
        assert_eq!(message, "command: 100000 characters; expected at most 1000");
    }
}
