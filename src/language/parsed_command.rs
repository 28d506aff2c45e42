//! `ParsedCommand`: the meaning of a command, as far as it was understood.

/// What is said of one thing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Description {
    /// The noun phrase that names it: "the red mug".
    pub phrase: String,
}

/// A command with its meaning.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ParsedCommand {
    /// The whole text.
    pub text: String,
    /// The thing to be found.
    pub target: Description,
}

impl ParsedCommand {
    /// A command whose target's noun phrase is known.
    pub fn with_target(text: impl Into<String>, phrase: impl Into<String>) -> ParsedCommand {
        ParsedCommand { text: text.into(), target: Description { phrase: phrase.into() } }
    }
}
