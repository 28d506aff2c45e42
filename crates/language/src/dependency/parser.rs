//! The dependency parser: spaCy's `en_core_web_sm` trees, and the paper's rule on them.
//!
//! Weights and tables are exported from spaCy's model package by `tools/export_spacy.py`; the trees are
//! the same, token by token.

use super::token_vectors::{self, Strings};
use super::tokenizer::{self, Special};
use super::transitions::{self, Move};
use super::tree::Tree;
use super::weights::{lengths, Weights};
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

#[derive(Deserialize)]
struct Tables {
    tags: Vec<String>,
    moves: Vec<String>,
    norms: HashMap<u64, String>,
    special: Special,
    symbols: HashMap<String, u64>,
}

/// The parser.
pub struct Parser {
    weights: Weights,
    strings: Strings,
    special: Special,
    tags: Vec<String>,
    moves: Vec<Move>,
}

impl Parser {
    /// Loads `model.safetensors` and `tables.json` of a folder.
    ///
    /// # Errors
    /// When a file is absent or not what the export writes.
    pub fn load(folder: &Path) -> Result<Parser> {
        let path = folder.join("tables.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|cause| Error::model(&path, format!("{cause}; tools/export_spacy.py makes it")))?;
        let tables: Tables = serde_json::from_str(&text).map_err(|cause| Error::model(&path, cause.to_string()))?;
        let moves = tables
            .moves
            .iter()
            .map(|name| Move::parse(name).ok_or_else(|| Error::model(&path, format!("unknown move {name:?}"))));
        let moves = moves.collect::<Result<Vec<_>>>()?;
        let path = folder.join("model.safetensors");
        let weights = Weights::load(&path, &lengths(tables.tags.len(), moves.len()))?;
        Ok(Parser {
            weights,
            strings: Strings { symbols: tables.symbols, norms: tables.norms },
            special: tables.special,
            tags: tables.tags,
            moves,
        })
    }

    /// The tree of a text, which is lower-cased first, as the paper does.
    pub fn parse(&self, text: &str) -> Tree {
        let tokens = tokenizer::tokens(&text.to_lowercase(), &self.special);
        let vectors = token_vectors::vectors(&tokens, &self.strings, &self.weights);
        let (heads, labels) = transitions::parse(&vectors, &self.moves, &self.weights);
        let tags = vectors.iter().map(|vector| self.tag(vector)).collect();
        let (words, spaces) = tokens.into_iter().map(|token| (token.text, token.space)).unzip();
        let mut tree = Tree { words, tags, heads, labels, spaces };
        tree.deprojectivize();
        tree
    }

    fn tag(&self, vector: &[f32]) -> String {
        let (weight, bias) = (self.weights.get("tagger.weight"), self.weights.get("tagger.bias"));
        let score = |i: usize| bias[i] + token_vectors::dot(&weight[i * vector.len()..][..vector.len()], vector);
        let best = (0..self.tags.len()).map(|i| (i, score(i))).reduce(|a, b| if b.1 > a.1 { b } else { a });
        best.map_or_else(String::new, |(best, _)| self.tags[best].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        text: String,
        words: Vec<String>,
        tags: Vec<String>,
        heads: Vec<usize>,
        labels: Vec<String>,
        phrase: String,
    }

    /// The golden file is spaCy's own output (tools/export_spacy.py).
    #[test]
    fn trees_and_phrases_equal_spacys() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let parser = Parser::load(&root.join("models/en_core_web_sm")).unwrap();
        let golden = std::fs::read_to_string(root.join("tests/data/spacy_parses.jsonl")).unwrap();
        let mut different = Vec::new();
        for line in golden.lines() {
            let golden: Golden = serde_json::from_str(line).unwrap();
            let tree = parser.parse(&golden.text);
            let phrase = tree.target().unwrap_or(golden.text.clone());
            let same = tree.words == golden.words
                && tree.tags == golden.tags
                && tree.heads == golden.heads
                && tree.labels == golden.labels
                && phrase == golden.phrase;
            if !same {
                different.push(format!(
                    "{:?}: {:?} {:?}\n  spaCy {:?} {:?} {:?}",
                    golden.text, tree, phrase, golden.tags, golden.heads, golden.phrase
                ));
            }
        }
        assert!(golden.lines().count() >= 500);
        assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
    }

    #[test]
    fn any_text_is_parsed_without_a_panic() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let parser = Parser::load(&root.join("models/en_core_web_sm")).unwrap();
        for text in
            ["", " ", ".", "...", "'s", "a-b-c", "ЖЖ — 犬", "🙂🙂", "((((", "x", "don't", "--", "1,000kg", "-a", "a-"]
        {
            let tree = parser.parse(text);
            assert_eq!(tree.heads.len(), tree.words.len());
            let _ = tree.target();
        }
    }
}
