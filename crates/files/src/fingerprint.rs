//! `Fingerprint`: a hash of everything that a result depends on; SHA-256 of files, bytes and texts.
//!
//! Each stage (proposals, visual features, text features, terms) has one. Two results are interchangeable exactly when
//! their fingerprints are equal: the node, `eval`'s cache and `eval`'s resuming decide by nothing else.

use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Hexadecimal SHA-256 of all that a result depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a stage at this version of its program, and of its parts: settings, contents of files, other fingerprints.
    /// A change of a stage's arithmetic raises its version.
    pub fn of(stage: &str, version: u32, parts: &[&str]) -> Fingerprint {
        let version = version.to_string();
        let all: Vec<&str> = [stage, &version].into_iter().chain(parts.iter().copied()).collect();
        Fingerprint(of_texts(&all))
    }

    /// The hexadecimal digits.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// The SHA-256 of a file, computed on a thread of its own while the file is used, and waited for when it is needed; of
/// several files that are one, that of their digests.
///
/// A file that can't be read has a text in its place that says so, which equals no other file's.
#[derive(Clone, Debug)]
pub struct FileDigest(Arc<(Vec<PathBuf>, OnceLock<String>)>);

impl FileDigest {
    /// Starts to read the files.
    pub fn start(files: Vec<PathBuf>) -> FileDigest {
        let digest = FileDigest(Arc::new((files, OnceLock::new())));
        let of_thread = digest.clone();
        // without a thread the one who asks computes it
        let _ = std::thread::Builder::new().name("digest".into()).spawn(move || {
            of_thread.get();
        });
        digest
    }

    /// The hexadecimal digest; waits for it.
    pub fn get(&self) -> &str {
        let (files, digest) = &*self.0;
        digest.get_or_init(|| {
            let mut all: Vec<String> =
                files.iter().map(|file| of_file(file).unwrap_or_else(|error| error.to_string())).collect();
            match all.len() {
                1 => all.remove(0),
                _ => of_texts(&all.iter().map(String::as_str).collect::<Vec<_>>()),
            }
        })
    }

    /// The digest if it is there already.
    pub fn ready(&self) -> Option<&str> {
        self.0 .1.get().map(String::as_str)
    }
}

/// Hexadecimal SHA-256 of a file.
///
/// # Errors
/// When it can't be read.
pub fn of_file(path: &Path) -> Result<String> {
    let mut file = std::fs::File::open(path).map_err(Error::file(path))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(Error::file(path))? {
            0 => return Ok(hexadecimal(hash)),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Hexadecimal SHA-256 of a file that may be absent; a fixed text when it is.
pub fn of_optional_file(path: &Path) -> String {
    of_file(path).unwrap_or_else(|_| "absent".into())
}

/// Hexadecimal SHA-256 of some bytes.
pub fn of_bytes(bytes: &[u8]) -> String {
    hexadecimal(Sha256::new().chain_update(bytes))
}

/// Hexadecimal SHA-256 of some texts, each delimited from the next.
pub fn of_texts(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hexadecimal(hash)
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_depends_on_stage_version_and_every_part() {
        let base = Fingerprint::of("visual", 1, &["a", "b"]);
        assert_eq!(base, Fingerprint::of("visual", 1, &["a", "b"]));
        for other in [
            Fingerprint::of("text", 1, &["a", "b"]),
            Fingerprint::of("visual", 2, &["a", "b"]),
            Fingerprint::of("visual", 1, &["ab", ""]),
            Fingerprint::of("visual", 1, &["a"]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_files_digest_is_that_of_its_contents() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        assert_eq!(FileDigest::start(vec![file.path().into()]).get(), of_bytes(b"abc"));
        assert!(FileDigest::start(vec!["/nowhere".into()]).get().contains("/nowhere"));
    }
}
