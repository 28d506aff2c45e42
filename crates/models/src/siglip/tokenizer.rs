//! `Tokenizer`: a text to token ids as SigLIP's towers were trained on them, from `tokenizer.json`.
//!
//! SigLIP has a SentencePiece vocabulary and reads texts without punctuation, SigLIP 2 Gemma's; both in lower case, with an
//! end token, padded to the tower's length (big_vision; `SiglipTokenizer` and `Siglip2Tokenizer` of transformers).

use crate::device::Device;
use crate::TextCut;
use candle_core::Tensor;
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// A vocabulary with the rules that split text into its tokens.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    keeps_punctuation: bool,
    end: u32,
    padding: u32,
    /// Whether padding stands before the text rather than behind it.
    pads_left: bool,
    context: usize,
}

/// What `tokenizer_config.json` says that `tokenizer.json` does not.
#[derive(Default, Deserialize)]
struct Stated {
    padding_side: Option<String>,
}

/// End and padding tokens of the two vocabularies.
const GEMMA: (&str, &str) = ("<eos>", "<pad>");
const SENTENCE_PIECE: (&str, &str) = ("</s>", "</s>");

impl Tokenizer {
    /// Reads `tokenizer.json` of a model whose text tower has `vocabulary` tokens and `context` positions.
    ///
    /// # Errors
    /// When the file is absent, unreadable, or does not belong to such a text tower.
    pub fn load(folder: &Path, vocabulary: usize, context: usize) -> Result<Tokenizer> {
        let path = folder.join("tokenizer.json");
        if !path.is_file() {
            let remedy = match folder.join("spiece.model").is_file() || folder.join("tokenizer.model").is_file() {
                true => {
                    "no such file, only a SentencePiece model; make it by transformers: \
                     AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
                }
                false => "no such file; it comes with the model's weights",
            };
            return Err(Error::model(path, remedy));
        }
        let mut inner = crate::tokenizer_file::read(&path)?;
        // a text that spells the end token must not end there
        inner.set_encode_special_tokens(true);
        let ids = |(end, padding): (&str, &str)| inner.token_to_id(end).zip(inner.token_to_id(padding));
        let (keeps_punctuation, ids) = match ids(GEMMA) {
            Some(ids) => (true, Some(ids)),
            None => (false, ids(SENTENCE_PIECE)),
        };
        let Some((end, padding)) = ids else {
            return Err(Error::model(
                path,
                "neither \"</s>\" (SigLIP) nor \"<eos>\" and \"<pad>\" (SigLIP 2) are in it",
            ));
        };
        crate::tokenizer_file::check_size(&inner, vocabulary, &path)?;
        // the towers were trained with padding behind the text (big_vision); a file may say otherwise
        let stated = std::fs::read_to_string(folder.join("tokenizer_config.json")).unwrap_or_default();
        let stated: Stated = serde_json::from_str(&stated).unwrap_or_default();
        let pads_left = stated.padding_side.as_deref() == Some("left");
        Ok(Tokenizer { inner, keeps_punctuation, end, padding, pads_left, context })
    }

    /// What the towers were trained to read of a text.
    fn cleaned(&self, text: &str) -> String {
        let text = text.to_lowercase();
        if self.keeps_punctuation {
            return text;
        }
        // Python's string.punctuation, which is ASCII's
        let kept: String = text.chars().filter(|c| !c.is_ascii_punctuation()).collect();
        kept.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// All ids of a text with its end token, however many.
    fn all_ids(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(self.cleaned(text), true);
        let encoding = encoding.map_err(|cause| Error::Command(format!("{text:?}: {cause}")))?;
        let mut ids = encoding.get_ids().to_vec();
        // some files leave the end to the caller
        if ids.last() != Some(&self.end) {
            ids.push(self.end);
        }
        Ok(ids)
    }

    /// Ids of a text, `context` of them. A longer text loses its last words.
    ///
    /// # Errors
    /// When the vocabulary can't express the text.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.all_ids(text)?;
        if ids.len() > self.context {
            ids.truncate(self.context - 1);
            ids.push(self.end);
        }
        let missing = vec![self.padding; self.context - ids.len()];
        Ok(if self.pads_left { [missing, ids].concat() } else { [ids, missing].concat() })
    }

    /// How a text is cut, if it is.
    pub fn cut(&self, text: &str) -> Option<TextCut> {
        let tokens = self.all_ids(text).ok()?.len();
        (tokens > self.context).then_some(TextCut { tokens, read: self.context })
    }

    /// Ids of several texts, u32 `[b, context]`.
    ///
    /// # Errors
    /// As [`Tokenizer::ids`].
    pub fn batch(&self, texts: &[&str], device: &Device) -> Result<Tensor> {
        let rows = texts.iter().map(|text| self.ids(text)).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::from_vec(rows.concat(), (texts.len(), self.context), device)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        text: String,
        ids: Vec<u32>,
    }

    fn data() -> std::path::PathBuf {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/data/siglip")
    }

    /// The golden ids are SentencePiece's of texts without punctuation (tools/fixtures/siglip.py).
    #[test]
    fn ids_equal_sentence_pieces_with_an_end_and_padding() {
        let tokenizer = Tokenizer::load(&data(), 240, 48).unwrap();
        let golden = std::fs::read_to_string(data().join("tokens.jsonl")).unwrap();
        assert!(golden.lines().count() >= 60);
        for line in golden.lines() {
            let Golden { text, mut ids } = serde_json::from_str(line).unwrap();
            ids.resize(48, 1);
            assert_eq!(tokenizer.ids(&text).unwrap(), ids, "{text}");
        }
        let refused = Tokenizer::load(&data(), 32000, 64).err().unwrap().to_string();
        assert!(refused.contains("it has 240 tokens") && refused.contains("another model"), "{refused}");
    }

    #[test]
    fn a_long_text_ends_with_the_end_token_and_says_that_it_is_cut() {
        let tokenizer = Tokenizer::load(&data(), 240, 8).unwrap();
        let long = "the mug behind the red box on the left";
        let ids = tokenizer.ids(long).unwrap();
        assert_eq!((ids.len(), ids[7]), (8, tokenizer.end));
        assert_eq!(tokenizer.cut(long), Some(TextCut { tokens: 12, read: 8 }));
        assert_eq!(tokenizer.cut("the mug"), None);
    }

    #[test]
    fn padding_stands_where_the_files_say() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(data().join("tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
        let ids = || Tokenizer::load(folder.path(), 240, 8).unwrap().ids("the mug").unwrap();
        assert_eq!(ids(), [3, 4, 1, 1, 1, 1, 1, 1]);
        std::fs::write(folder.path().join("tokenizer_config.json"), r#"{"padding_side": "left"}"#).unwrap();
        assert_eq!(ids(), [1, 1, 1, 1, 1, 3, 4, 1]);
        std::fs::rename(folder.path().join("tokenizer.json"), folder.path().join("spiece.model")).unwrap();
        let refused = Tokenizer::load(folder.path(), 240, 8).err().unwrap().to_string();
        assert!(refused.contains("save_pretrained"), "{refused}");
    }
}
