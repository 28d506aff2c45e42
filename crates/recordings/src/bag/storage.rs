//! `Storage`: the format of a recording's file, by its first bytes: names and endings are often wrong.

use referseg_files::foreign_file::ForeignFile;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

/// The first bytes of a zstd frame (RFC 8878). No CDR message begins with them: its second byte is 0 or 1.
pub const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes that tell the format.
const LONGEST: usize = 64;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    Mcap,
    Sqlite,
    /// ROS 1's format 2.0.
    Ros1,
}

impl Storage {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Storage::Mcap => "MCAP",
            Storage::Sqlite => "sqlite3",
            Storage::Ros1 => "ROS 1 bag",
        }
    }

    /// By the first bytes of a file that is not compressed.
    fn of(first: &[u8]) -> Result<Storage, String> {
        let known: [(&[u8], Storage); 3] = [
            (b"\x89MCAP0\r\n", Storage::Mcap),
            (b"SQLite format 3\0", Storage::Sqlite),
            (b"#ROSBAG V2.0\n", Storage::Ros1),
        ];
        if let Some((_, storage)) = known.iter().find(|(magic, _)| first.starts_with(magic)) {
            return Ok(*storage);
        }
        Err(if first.is_empty() {
            "is empty: nothing was recorded, or it was not copied whole".into()
        } else if known.iter().any(|(magic, _)| magic.starts_with(first)) {
            format!("is cut after {} bytes: nothing of it can be read", first.len())
        } else if first.starts_with(b"#ROSBAG V1") {
            "is a ROS 1 recording of format 1, from before 2010; `rosbag migrate` of ROS 1 makes format 2.0 of it"
                .into()
        } else if first.starts_with(b"\x89PNG") || first.starts_with(&[0xff, 0xd8, 0xff]) {
            "is a picture; `referseg segment` answers pictures".into()
        } else if let Some(foreign) = ForeignFile::of(first) {
            format!("is {}", foreign.fact())
        } else {
            "is no recording that is known: neither MCAP nor sqlite3 (rosbag2) nor a ROS 1 bag, by its first bytes"
                .into()
        })
    }
}

/// The format of a file, and whether it is compressed as a whole.
///
/// # Errors
/// In words, when it can't be read or is of no known format: what it seems to be, and what to do.
pub fn storage(path: &Path) -> Result<(Storage, bool), String> {
    let mut file = File::open(path).map_err(|cause| cause.to_string())?;
    let first = beginning(&mut file)?;
    if !first.starts_with(&ZSTD) {
        return Ok((Storage::of(&first)?, false));
    }
    file.rewind().map_err(|cause| cause.to_string())?;
    let plain = zstd::Decoder::new(file).map_err(|cause| cause.to_string())?;
    let first = beginning(plain).map_err(|cause| format!("is zstd that can't be decompressed: {cause}"))?;
    Ok((Storage::of(&first).map_err(|fact| format!("{fact} (within zstd)"))?, true))
}

fn beginning(file: impl Read) -> Result<Vec<u8>, String> {
    let mut first = Vec::new();
    file.take(LONGEST as u64).read_to_end(&mut first).map_err(|cause| cause.to_string())?;
    Ok(first)
}

/// Whether a name is that of a recording's file, for folders in which nothing else tells.
pub fn is_recording_name(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let plain = name.strip_suffix(".zstd").or(name.strip_suffix(".zst")).unwrap_or(&name);
    [".mcap", ".db3", ".bag"].iter().any(|ending| plain.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_recording_says_what_it_is_and_what_to_do() {
        for (first, words) in [
            (&b"version https://git-lfs.github.com/spec/v1\noid sha256:0"[..], "git lfs pull"),
            (b"#ROSBAG V1.2\n", "rosbag migrate"),
            (b"", "is empty"),
            (b"\x89MCA", "cut after 4 bytes"),
            (b"\x89PNG\r\n", "referseg segment"),
            (b"PK\x03\x04", "unpack"),
            (b"<!DOCTYPE html>", "download"),
            (b"hello", "neither MCAP nor sqlite3"),
        ] {
            let refused = Storage::of(first).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
        assert_eq!(Storage::of(b"#ROSBAG V2.0\nE\0\0\0"), Ok(Storage::Ros1));
    }

    #[test]
    fn names_of_recordings_are_known_in_any_case() {
        for name in ["a.mcap", "a.DB3", "a.db3.zstd", "b/a.mcap.zst", "x.bag"] {
            assert!(is_recording_name(Path::new(name)), "{name}");
        }
        for name in ["metadata.yaml", "a.db3-wal", "mcap", "a.bagpipe"] {
            assert!(!is_recording_name(Path::new(name)), "{name}");
        }
    }
}
