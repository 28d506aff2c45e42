//! `CommandParser`: a command's text to its meaning.
//!
//! "pick up the red mug behind the laptop" → target "the red mug". Two parsers: rules, which also know
//! commands, and a dependency parser with the paper's own rule. When neither sees a noun phrase, the whole
//! text is the phrase, as in the paper.

use super::dependency;
use super::parsed_command::ParsedCommand;
use super::rules;
use super::spatial_words::SpatialWords;
use referseg_files::fingerprint::{of_optional_file, Fingerprint};
use referseg_files::Result;
use std::path::Path;

/// Raised when a parser gives another meaning for the same text.
const VERSION: u32 = 3;

/// A noun phrase extractor by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParserKind {
    /// Closed-class words and their order.
    Rules,
    /// spaCy's `en_core_web_sm` trees and the paper's rule on them.
    Dependency,
}

/// Finds the meaning of commands.
pub struct CommandParser {
    kind: Kind,
    fingerprint: Fingerprint,
}

enum Kind {
    /// Closed-class words and their order.
    Rules,
    /// Dependency trees.
    Dependency(Box<dependency::Parser>),
}

impl CommandParser {
    /// Opens a parser; `folder` holds the weights of the dependency parser.
    ///
    /// # Errors
    /// When the dependency parser's weights can't be read.
    pub fn open(kind: ParserKind, folder: &Path) -> Result<CommandParser> {
        Ok(match kind {
            ParserKind::Rules => {
                CommandParser { kind: Kind::Rules, fingerprint: Fingerprint::of("rules", VERSION, &[]) }
            }
            ParserKind::Dependency => {
                let kind = Kind::Dependency(Box::new(dependency::Parser::load(folder)?));
                let files = ["model.safetensors", "tables.json"].map(|name| of_optional_file(&folder.join(name)));
                let fingerprint = Fingerprint::of("dependency", VERSION, &[&files[0], &files[1]]);
                CommandParser { kind, fingerprint }
            }
        })
    }

    /// What its answers depend on beside the text.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// A command whose target is named beside the text: what shall be done, and what must not be, is the text's.
    pub fn with_target(&self, text: &str, target: &str) -> ParsedCommand {
        let said = self.parse(text);
        let mut parsed = self.parse(target);
        parsed.target.phrase = target.to_string();
        ParsedCommand {
            text: said.text,
            destination: said.destination,
            clauses: said.clauses,
            forbidden: said.forbidden,
            taken_back: said.taken_back,
            ..parsed
        }
    }

    /// The meaning of a text. With dependency trees the target's noun phrase is the paper's; the rest is by the rules.
    pub fn parse(&self, text: &str) -> ParsedCommand {
        let mut parsed = rules::parse(text);
        if let Kind::Dependency(parser) = &self.kind {
            parsed.target.phrase = parser.parse(text).target().unwrap_or_else(|| text.trim().to_string());
        }
        parsed
    }

    /// What HybridGL hears of places in a parsed command.
    pub fn spatial_words(&self, parsed: &ParsedCommand) -> SpatialWords {
        match &self.kind {
            Kind::Rules => SpatialWords::of_command(parsed),
            Kind::Dependency(parser) => SpatialWords::of_tree(&parser.parse(&parsed.text), &parsed.target.phrase),
        }
    }
}
