//! The dependency extractor: spaCy's `en_core_web_sm` trees, and the paper's rule on them.
//!
//! Weights and tables are exported from spaCy's model package by `tools/export_spacy.py`; the trees are
//! the same, token by token.

mod features;
mod tokenize;
mod transitions;

use crate::error::{Error, Result};
use candle_core::{DType, Device};
use features::Strings;
use serde::Deserialize;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use tokenize::Special;
use transitions::Move;

/// Flat f32 tensors by name, their lengths checked when they are loaded.
struct Weights(HashMap<String, Vec<f32>>);

impl Weights {
    fn get(&self, name: &str) -> &[f32] {
        self.0.get(name).map(Vec::as_slice).expect("every tensor of `LENGTHS` was loaded")
    }
}

/// Every tensor's name and length.
fn lengths(tags: usize, moves: usize) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = Vec::new();
    for (column, rows) in [5000, 1000, 2500, 2500, 50, 50].into_iter().enumerate() {
        all.push((format!("embed.{column}"), rows * 96));
    }
    for (layer, inputs) in [576, 288, 288, 288, 288].into_iter().enumerate() {
        for (part, length) in [("weight", 288 * inputs), ("bias", 288), ("gain", 96), ("shift", 96)] {
            all.push((format!("layer.{layer}.{part}"), length));
        }
    }
    let rest = [
        ("tagger.weight", tags * 96),
        ("tagger.bias", tags),
        ("parser.token.weight", 64 * 96),
        ("parser.token.bias", 64),
        ("parser.state.weight", 8 * 128 * 64),
        ("parser.state.bias", 128),
        ("parser.state.pad", 8 * 128),
        ("parser.move.weight", moves * 64),
        ("parser.move.bias", moves),
    ];
    all.extend(rest.map(|(name, length)| (name.to_string(), length)));
    all
}

#[derive(Deserialize)]
struct Tables {
    tags: Vec<String>,
    moves: Vec<String>,
    norms: HashMap<u64, String>,
    special: Special,
    symbols: HashMap<String, u64>,
}

/// A parsed sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The tokens.
    pub words: Vec<String>,
    /// Penn Treebank tag of each.
    pub tags: Vec<String>,
    /// Index of each token's head; its own for a root.
    pub heads: Vec<usize>,
    /// Dependency label of each.
    pub labels: Vec<String>,
    spaces: Vec<bool>,
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
        let tensors = candle_core::safetensors::load(&path, &Device::Cpu)
            .map_err(|cause| Error::model(&path, format!("not readable: {cause}; tools/export_spacy.py makes it")))?;
        let mut weights = HashMap::new();
        for (name, length) in lengths(tables.tags.len(), moves.len()) {
            let tensor = tensors.get(&name).ok_or_else(|| Error::model(&path, format!("tensor {name:?} is absent")))?;
            if tensor.elem_count() != length {
                let fact = format!("tensor {name:?} has shape {:?}; expected {length} numbers", tensor.shape());
                return Err(Error::model(&path, fact));
            }
            weights.insert(name, tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?);
        }
        Ok(Parser {
            weights: Weights(weights),
            strings: Strings { symbols: tables.symbols, norms: tables.norms },
            special: tables.special,
            tags: tables.tags,
            moves,
        })
    }

    /// The tree of a text, which is lower-cased first, as the paper does.
    pub fn parse(&self, text: &str) -> Tree {
        let tokens = tokenize::tokens(&text.to_lowercase(), &self.special);
        let vectors = features::vectors(&tokens, &self.strings, &self.weights);
        let (heads, labels) = transitions::parse(&vectors, &self.moves, &self.weights);
        let tags = vectors.iter().map(|vector| self.tag(vector)).collect();
        let (words, spaces) = tokens.into_iter().map(|token| (token.text, token.space)).unzip();
        let mut tree = Tree { words, tags, heads, labels, spaces };
        tree.make_projective_labels_plain();
        tree
    }

    fn tag(&self, vector: &[f32]) -> String {
        let (weight, bias) = (self.weights.get("tagger.weight"), self.weights.get("tagger.bias"));
        let score = |i: usize| bias[i] + features::dot(&weight[i * vector.len()..][..vector.len()], vector);
        let best = (0..self.tags.len()).map(|i| (i, score(i))).reduce(|a, b| if b.1 > a.1 { b } else { a });
        best.map_or_else(String::new, |(best, _)| self.tags[best].clone())
    }
}

impl Tree {
    fn children(&self, head: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.words.len()).filter(move |word| *word != head && self.heads[*word] == head)
    }

    /// A label "a||b" says that the true head hangs below the head with label b: moves the arc there.
    fn make_projective_labels_plain(&mut self) {
        for word in 0..self.words.len() {
            let Some((plain, head_label)) = self.labels[word].split_once("||") else { continue };
            let (plain, head_label) = (plain.to_string(), head_label.to_string());
            let mut level = vec![self.heads[word]];
            let mut found = None;
            while found.is_none() && !level.is_empty() {
                let below: Vec<usize> =
                    level.iter().flat_map(|head| self.children(*head)).filter(|child| *child != word).collect();
                found = below.iter().copied().find(|child| self.labels[*child] == head_label);
                level = below;
            }
            self.heads[word] = found.unwrap_or(self.heads[word]);
            self.labels[word] = plain;
        }
    }

    /// Leftmost token below `word`.
    fn left_edge(&self, word: usize) -> usize {
        self.children(word).filter(|child| *child < word).map(|child| self.left_edge(child)).min().unwrap_or(word)
    }

    /// Whether the token can head a noun chunk: spaCy's NOUN, PROPN and PRON, from tag and label.
    fn is_nominal(&self, word: usize) -> bool {
        let (tag, label) = (self.tags[word].as_str(), self.labels[word].as_str());
        match tag {
            "DT" | "WDT" => !matches!(label, "det" | "quantmod") || tag == "WDT" && self.words[word] == "that",
            "NN" | "NNS" | "NNP" | "NNPS" | "PRP" | "PRP$" | "EX" | "WP" => !matches!(label, "aux" | "auxpass"),
            _ => false,
        }
    }

    /// Base noun phrases, left to right (spaCy's `noun_chunks` for English).
    pub fn noun_chunks(&self) -> Vec<Range<usize>> {
        const ROLES: [&str; 10] =
            ["oprd", "nsubj", "dobj", "nsubjpass", "pcomp", "pobj", "dative", "appos", "attr", "ROOT"];
        let role = |word: usize| ROLES.contains(&self.labels[word].as_str());
        let mut chunks: Vec<Range<usize>> = Vec::new();
        for word in (0..self.words.len()).filter(|word| self.is_nominal(*word)) {
            let start = self.left_edge(word);
            if chunks.last().is_some_and(|last| start < last.end) {
                continue;
            }
            let mut head = word;
            while self.labels[head] == "conj" && self.heads[head] < head {
                head = self.heads[head];
            }
            if role(head) {
                chunks.push(start..word + 1);
            }
        }
        chunks
    }

    /// The text of some tokens.
    fn text(&self, range: Range<usize>) -> String {
        let end = range.end;
        let piece = |word: usize| {
            let space = if self.spaces[word] && word + 1 < end { " " } else { "" };
            format!("{}{space}", self.words[word])
        };
        range.map(piece).collect()
    }

    /// The paper's rule: the noun chunk of the root (of the last, if there are several), else that of its
    /// leftmost child, else nothing.
    pub fn target(&self) -> Option<String> {
        let root = (0..self.words.len()).rev().find(|word| self.heads[*word] == *word)?;
        let chunks = self.noun_chunks();
        let of = |word: usize| chunks.iter().find(|chunk| chunk.contains(&word)).cloned();
        let chunk = of(root).or_else(|| of(self.children(root).next()?));
        chunk.map(|chunk| self.text(chunk))
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
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
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
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
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
