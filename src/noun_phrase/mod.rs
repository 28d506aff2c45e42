//! `NounPhrase`: the words of a referring expression that name the target itself.
//!
//! "pick up the red mug behind the laptop" → "the red mug". Two extractors: rules, which also know
//! commands, and a dependency parser with the paper's own rule. When neither sees a phrase, the whole
//! text is the phrase, as in the paper.

pub mod dependency;
mod lexicon;
mod rules;
mod words;

use crate::config::{Parser, TextSettings};
use crate::error::Result;

/// Finds the target's noun phrase.
pub enum Extractor {
    /// Closed-class words and their order.
    Rules,
    /// Dependency trees.
    Dependency(Box<dependency::Parser>),
}

impl Extractor {
    /// Makes the extractor that the settings name.
    ///
    /// # Errors
    /// When the dependency parser's weights can't be read.
    pub fn open(settings: &TextSettings) -> Result<Extractor> {
        Ok(match settings.parser {
            Parser::Rules => Extractor::Rules,
            Parser::Dependency => Extractor::Dependency(Box::new(dependency::Parser::load(&settings.parser_model)?)),
        })
    }

    /// The target's noun phrase in `text`, without white space around it.
    pub fn target(&self, text: &str) -> String {
        match self {
            Extractor::Rules => rules::find(text).map_or(text.trim(), |span| &text[span]).to_string(),
            Extractor::Dependency(parser) => parser.parse(text).target().unwrap_or_else(|| text.trim().to_string()),
        }
    }
}
