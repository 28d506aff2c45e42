//! Language: what a person said, as words and as meaning. Knows neither images nor models of them.

mod command;
pub mod dependency;
mod lexicon;
mod noun_phrase;
mod parsed_command;
mod parser;
mod words;

pub use command::{Command, MAX_CHARACTERS};
pub use parsed_command::{Description, ParsedCommand};
pub use parser::CommandParser;
