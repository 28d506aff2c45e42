//! `Tree`: a parsed sentence, its noun chunks, and the paper's rule for the target on them.

use std::ops::Range;

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
    /// Whether white space follows each token.
    pub(super) spaces: Vec<bool>,
}

impl Tree {
    fn children(&self, head: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.words.len()).filter(move |word| *word != head && self.heads[*word] == head)
    }

    /// A label "a||b" says that the true head hangs below the head with label b: moves the arc there.
    pub(super) fn deprojectivize(&mut self) {
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
    pub(crate) fn text(&self, range: Range<usize>) -> String {
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
