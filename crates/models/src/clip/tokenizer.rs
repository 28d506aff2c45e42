//! `Tokenizer`: a text to token ids, as CLIP's own tokenizer has them.
//!
//! The vocabulary comes with the model (`tokenizer.json`, read by the `tokenizers` crate). Before it
//! sees a text, the text is cleaned as OpenAI's reference does: ftfy's repairs of single characters,
//! HTML entities undone twice, white space folded, lower case.

use crate::device::Device;
use crate::{tokenizer_file, TextCut};
use candle_core::Tensor;
use referseg_files::{Error, Result};
use std::path::Path;
use unicode_normalization::UnicodeNormalization;

/// A vocabulary with the rules that split text into its tokens.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    start: u32,
    end: u32,
    context: usize,
}

/// What the reference tokenizer does to a text before splitting it (`whitespace_clean(basic_clean(text)).lower()`).
fn cleaned(text: &str) -> String {
    let repaired: String = text.chars().filter(|c| !is_control(*c)).flat_map(repaired).collect();
    let once = htmlize::unescape(repaired);
    let twice = htmlize::unescape(&*once);
    // an entity may name a control character too
    let composed: String = twice.chars().filter(|c| !is_control(*c)).nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Characters that ftfy removes: control characters without a use in text, and invisible marks.
fn is_control(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'
        | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}')
}

/// ftfy's repairs that look at one character: straight quotes, parted ligatures, ordinary widths.
/// Its guesses at text decoded with the wrong encoding are left out: a command reaches us as UTF-8.
fn repaired(c: char) -> Vec<char> {
    match c {
        '\u{2bc}' | '\u{2018}'..='\u{201b}' => vec!['\''],
        '\u{201c}'..='\u{201f}' => vec!['"'],
        'Ĳ' | 'ĳ' | 'Ǆ'..='ǌ' | 'Ǳ'..='ǳ' | '\u{fb00}'..='\u{fb06}' | '\u{3000}' | '\u{ff01}'..='\u{ffee}' => {
            std::iter::once(c).nfkc().collect()
        }
        'ŉ' => vec!['\'', 'n'],
        _ => vec![c],
    }
}

impl Tokenizer {
    /// Reads `tokenizer.json` of a model whose text tower has `vocabulary` tokens and `context` positions.
    ///
    /// # Errors
    /// When the file is absent, unreadable, or does not belong to such a text tower.
    pub fn load(folder: &Path, vocabulary: usize, context: usize) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        if !path.is_file() {
            let remedy = "no such file; CLIP's own vocabulary is in models/clip_bpe/tokenizer.json of this repository: copy it there";
            return Err(Error::model(path, remedy));
        }
        let mut inner = tokenizer_file::read(&path)?;
        // a text that spells the end token must not end there
        inner.set_encode_special_tokens(true);
        let largest = inner.get_vocab(true).into_values().max();
        let end = inner.token_to_id("<|endoftext|>");
        let (Some(end), Some(largest)) = (end, largest) else {
            return Err(Error::model(path, "token \"<|endoftext|>\" is absent"));
        };
        if end != largest || end as usize >= vocabulary {
            let fact = format!(
                "its end token has id {end} and its largest id is {largest}; the model has {vocabulary} tokens \
                 and reads a text's feature at the largest id: it belongs to another model"
            );
            return Err(Error::model(path, fact));
        }
        let Some(start) = inner.token_to_id("<|startoftext|>") else {
            return Err(Error::model(path, "token \"<|startoftext|>\" is absent"));
        };
        tokenizer_file::check_size(&inner, vocabulary, &path)?;
        Ok(Tokenizer { inner, start, end, context })
    }

    /// All ids of a text with start and end tokens, however many.
    fn all_ids(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(cleaned(text), true);
        let encoding = encoding.map_err(|cause| Error::Command(format!("{text:?}: {cause}")))?;
        let mut ids = encoding.get_ids().to_vec();
        // a file may leave them to the program that reads it (transformers adds them by its own rules)
        if ids.first() != Some(&self.start) {
            ids.insert(0, self.start);
        }
        if ids.len() < 2 || ids.last() != Some(&self.end) {
            ids.push(self.end);
        }
        Ok(ids)
    }

    /// How a text is cut, if it is.
    pub fn cut(&self, text: &str) -> Option<TextCut> {
        let tokens = self.all_ids(text).ok()?.len();
        (tokens > self.context).then_some(TextCut { tokens, read: self.context })
    }

    /// Ids with start and end tokens. A text longer than the context loses its last words.
    ///
    /// # Errors
    /// When the vocabulary can't express the text.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.all_ids(text)?;
        if ids.len() > self.context {
            ids.truncate(self.context - 1);
            ids.push(self.end);
        }
        Ok(ids)
    }

    /// Ids of several texts, u32 `[b, t]`, zeros behind the shorter ones.
    ///
    /// # Errors
    /// As [`Tokenizer::ids`].
    pub fn batch(&self, texts: &[&str], device: &Device) -> Result<Tensor> {
        let rows = texts.iter().map(|text| self.ids(text)).collect::<Result<Vec<_>>>()?;
        let t = rows.iter().map(Vec::len).max().unwrap_or(0);
        let flat = rows.into_iter().flat_map(|mut row| {
            row.resize(t, 0);
            row
        });
        Ok(Tensor::from_vec(flat.collect::<Vec<u32>>(), (texts.len(), t), device)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Golden {
        text: String,
        ids: Vec<u32>,
    }

    fn models() -> std::path::PathBuf {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("models")
    }

    /// The golden ids are those of open_clip's reference tokenizer (tools/clip_tokenizer.py).
    #[test]
    fn ids_equal_the_reference_tokenizers() {
        let tokenizer = Tokenizer::load(&models().join("clip_bpe"), 49408, 77).unwrap();
        let golden = models().join("../tests/data/clip_tokens.jsonl");
        let golden = std::fs::read_to_string(golden).unwrap();
        assert!(golden.lines().count() >= 1000);
        let mut different = Vec::new();
        for line in golden.lines() {
            let Golden { text, ids } = serde_json::from_str(line).unwrap();
            let found = tokenizer.ids(&text).unwrap();
            if found != ids {
                different.push(format!("{text:?}: {found:?}, expected {ids:?}"));
            }
        }
        assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
    }

    #[test]
    fn a_text_begins_and_ends_with_the_models_tokens_also_where_the_file_does_not_say_so() {
        let folder = tempfile::tempdir().unwrap();
        let text = std::fs::read_to_string(models().join("clip_bpe/tokenizer.json")).unwrap();
        let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
        file["post_processor"] = serde_json::Value::Null;
        std::fs::write(folder.path().join("tokenizer.json"), file.to_string()).unwrap();
        let [whole, bare] = [models().join("clip_bpe"), folder.path().into()]
            .map(|folder: std::path::PathBuf| Tokenizer::load(&folder, 49408, 77).unwrap());
        for text in ["the red mug", ""] {
            assert_eq!(bare.ids(text).unwrap(), whole.ids(text).unwrap());
        }
    }

    #[test]
    fn a_tokenizer_of_another_model_is_refused() {
        let refused = Tokenizer::load(&models().join("clip_bpe"), 177, 32).err().unwrap().to_string();
        assert!(refused.contains("belongs to another model"), "{refused}");
        let absent = Tokenizer::load(Path::new("/nowhere"), 177, 32).err().unwrap().to_string();
        assert!(absent.contains("models/clip_bpe/tokenizer.json"), "{absent}");
    }
}
