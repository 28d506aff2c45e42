//! `tokenizer.json`: a vocabulary with its rules, as every family's checkpoints have it; read by the `tokenizers` crate.

use referseg_files::catch_panic::caught;
use referseg_files::{Error, Result};
use std::path::Path;
use tokenizers::Tokenizer;

/// Most rows of an embedding that no token has: vocabularies are padded to multiples of so many.
const UNUSED: usize = 64;

/// Reads a file; texts are neither cut nor padded by what it says.
///
/// # Errors
/// When it is no tokenizer.
pub fn read(path: &Path) -> Result<Tokenizer> {
    let refused = |cause: String| Error::model(path, format!("not a tokenizer: {cause}"));
    // the crate panics on a file whose parts contradict each other
    let tried = || {
        let tokenizer = Tokenizer::from_file(path)?;
        // some contradictions show only in its use
        tokenizer.encode_fast("a", true)?;
        tokenizers::Result::Ok(tokenizer)
    };
    let mut tokenizer = match caught(tried) {
        Ok(Ok(tokenizer)) => tokenizer,
        Ok(Err(cause)) => return Err(refused(cause.to_string())),
        Err(_) => return Err(refused("its parts contradict each other".into())),
    };
    tokenizer.with_truncation(None).map_err(|cause| refused(cause.to_string()))?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

/// Refuses a tokenizer that has not the tokens of a text tower with `vocabulary` of them.
///
/// # Errors
/// When it has more, or far fewer.
pub fn check_size(tokenizer: &Tokenizer, vocabulary: usize, path: &Path) -> Result<()> {
    let used = tokenizer.get_vocab(true).into_values().max().map_or(0, |largest| largest as usize + 1);
    if used <= vocabulary && vocabulary - used < UNUSED {
        return Ok(());
    }
    let fact = format!("it has {used} tokens and the model's text tower {vocabulary}: it belongs to another model");
    Err(Error::model(path, fact))
}
