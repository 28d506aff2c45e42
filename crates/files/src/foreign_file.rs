//! `ForeignFile`: a file that is not what its name says, recognised by its first bytes: what a download or a checkout left
//! in the place of weights, a recording or a picture.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that are looked at.
const LOOKED_AT: u64 = 512;

/// What stands in a file's place, with the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignFile {
    /// The text that Git keeps in the place of a large file.
    LfsPointer,
    /// A web page: of a login, an error, or the file's own description.
    WebPage,
    /// Nothing.
    Empty,
}

impl ForeignFile {
    /// Looks at a file; `None` when it is none of these, or can't be read.
    pub fn recognise(path: &Path) -> Option<ForeignFile> {
        let mut start = Vec::new();
        File::open(path).ok()?.take(LOOKED_AT).read_to_end(&mut start).ok()?;
        ForeignFile::of(&start)
    }

    /// Looks at the first bytes of a file.
    pub fn of(start: &[u8]) -> Option<ForeignFile> {
        let start = &start[..start.len().min(LOOKED_AT as usize)];
        let text = String::from_utf8_lossy(start).trim_start().to_lowercase();
        if start.is_empty() {
            Some(ForeignFile::Empty)
        } else if text.starts_with("version https://git-lfs.github.com/spec/") {
            Some(ForeignFile::LfsPointer)
        } else if ["<!doctype html", "<html"].iter().any(|opening| text.starts_with(opening)) {
            Some(ForeignFile::WebPage)
        } else {
            None
        }
    }

    /// What it is and what helps.
    pub fn fact(self) -> &'static str {
        match self {
            ForeignFile::LfsPointer => {
                "a Git LFS pointer, not the file itself; run `git lfs install && git lfs pull` where it was cloned"
            }
            ForeignFile::WebPage => {
                "a web page, not the file itself; download it again by the link of the file (on a hub: resolve, not \
                 blob), logged in if it asks for that"
            }
            ForeignFile::Empty => "an empty file; download it again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_files_place_is_recognised() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 605157884\n";
        assert_eq!(ForeignFile::of(pointer), Some(ForeignFile::LfsPointer));
        assert_eq!(ForeignFile::of(b"\n<!DOCTYPE html>\n<html lang=en>"), Some(ForeignFile::WebPage));
        assert_eq!(ForeignFile::of(b"<HTML><body>404"), Some(ForeignFile::WebPage));
        assert_eq!(ForeignFile::of(b""), Some(ForeignFile::Empty));
        assert_eq!(ForeignFile::of(b"\x89MCAP0\r\n"), None);
        assert_eq!(ForeignFile::of(b"version: 1\n"), None);
        assert_eq!(ForeignFile::recognise(Path::new("/nowhere")), None);
    }
}
