//! `Bag`: a recording of rosbag2, read without ROS: sqlite3 or MCAP, in one file or several, plain or zstd.
//!
//! A recording that was truncated or damaged is read up to the damage, and says where it ended.

use super::message::{Message, Take, Truncation};
use super::{decompress, mcap, sqlite};
use crate::error::{Error, Result};
use serde::Deserialize;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::NamedTempFile;

/// The file that names a recording's other files.
const METADATA: &str = "metadata.yaml";

/// What rosbag2 compressed of a recording, beside what MCAP does itself. Messages are recognized by their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compression {
    None,
    Files,
    Messages,
}

/// One file of a recording.
#[derive(Debug)]
struct Split {
    path: PathBuf,
    /// A compressed database, decompressed once for all readings, and why that is not all of it.
    plain: OnceLock<std::result::Result<(NamedTempFile, Option<String>), String>>,
}

/// A recording.
#[derive(Debug)]
pub struct Bag {
    splits: Vec<Split>,
    /// What is unusual about it, though it can be read.
    pub warning: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    rosbag2_bagfile_information: Information,
}

#[derive(Deserialize)]
struct Information {
    relative_file_paths: Vec<PathBuf>,
    #[serde(default)]
    compression_format: String,
    #[serde(default)]
    compression_mode: String,
}

impl Information {
    fn compression(&self) -> std::result::Result<Compression, String> {
        match (self.compression_format.as_str(), self.compression_mode.to_uppercase().as_str()) {
            ("", _) | (_, "" | "NONE") => Ok(Compression::None),
            ("zstd", "FILE") => Ok(Compression::Files),
            ("zstd", "MESSAGE") => Ok(Compression::Messages),
            (format, mode) => Err(format!("compression {format:?} of {mode:?}; expected zstd of FILE or MESSAGE")),
        }
    }
}

/// A format of one file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Storage {
    Mcap,
    Sqlite,
}

/// The format by the name of a file, and whether it is compressed as a whole.
fn storage(path: &Path) -> Option<(Storage, bool)> {
    let name = path.file_name()?.to_str()?;
    let (plain, compressed) = match name.strip_suffix(".zstd").or(name.strip_suffix(".zst")) {
        Some(plain) => (plain, true),
        None => (name, false),
    };
    match plain.rsplit_once('.')?.1 {
        "mcap" => Some((Storage::Mcap, compressed)),
        "db3" => Some((Storage::Sqlite, compressed)),
        _ => None,
    }
}

impl Bag {
    /// Opens a recording: its folder, its `metadata.yaml`, or one of its files.
    ///
    /// # Errors
    /// When there is no recording, or it is of a kind that is not known.
    pub fn open(path: &Path) -> Result<Bag> {
        let refused = |fact: String| Error::Bag { path: path.into(), fact };
        if !path.exists() {
            return Err(refused("does not exist; expected a folder of rosbag2, an .mcap or a .db3 file".into()));
        }
        let folder = match path.file_name() {
            Some(name) if name == METADATA => path.parent().unwrap_or(Path::new(".")),
            _ => path,
        };
        if !folder.is_dir() {
            if storage(path).is_none() {
                return Err(refused("is neither .mcap nor .db3".into()));
            }
            return Ok(Bag::of(vec![path.into()], None));
        }
        let text = std::fs::read_to_string(folder.join(METADATA));
        let read = text.map_err(|cause| cause.to_string());
        let read = read.and_then(|text| serde_yaml::from_str::<Metadata>(&text).map_err(|cause| cause.to_string()));
        let information = match read {
            Ok(metadata) => metadata.rosbag2_bagfile_information,
            Err(cause) => {
                // a recorder that was killed leaves its files without metadata
                let entries = std::fs::read_dir(folder).map_err(Error::file(folder))?;
                let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
                files.retain(|file| storage(file).is_some());
                // by the time of their first message: names sort _10 before _2
                files.sort_by_cached_key(|file| (first_log_time(file).unwrap_or(u64::MAX), file.clone()));
                if files.is_empty() {
                    return Err(refused(format!("holds no recording: {METADATA}: {cause}; no .mcap or .db3 either")));
                }
                let warning = format!("{METADATA} can't be used ({cause}); all recordings in the folder are read");
                return Ok(Bag::of(files, Some(warning)));
            }
        };
        let compression = information.compression().map_err(|fact| refused(format!("{METADATA}: {fact}")))?;
        let files: Vec<_> =
            information.relative_file_paths.iter().map(|file| listed(folder, file, compression)).collect();
        if let Some(unknown) = files.iter().find(|file| storage(file).is_none()) {
            return Err(refused(format!("{unknown:?} is neither .mcap nor .db3")));
        }
        Ok(Bag::of(files, None))
    }

    fn of(files: Vec<PathBuf>, warning: Option<String>) -> Bag {
        let splits = files.into_iter().map(|path| Split { path, plain: OnceLock::new() }).collect();
        Bag { splits, warning }
    }

    /// Reads all messages of the topics that `wanted` says yes to (by name and type), in the order in which they were
    /// recorded, and gives each to `take`. A file that is missing or damaged costs what is lost in it and no other file. Returns
    /// what could not be read.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn read(
        &self,
        mut wanted: impl FnMut(&str, &str) -> bool,
        mut take: impl FnMut(Message) -> Result<()>,
    ) -> Result<Truncation> {
        let mut lost = Vec::new();
        for split in &self.splits {
            let mut failed = None;
            let mut give = |mut message: Message| -> std::result::Result<(), String> {
                let plain = decompress::message(message.cdr);
                message.cdr = plain.map_err(|cause| format!("a message of {}: {cause}", message.topic))?;
                take(message).map_err(|error| {
                    let words = error.to_string();
                    failed = Some(error);
                    words
                })
            };
            let ended = read_split(split, &mut wanted, &mut give);
            if let Some(error) = failed {
                return Err(error);
            }
            if let Err(fact) = ended {
                lost.push(format!("{}: {fact}", split.path.display()));
            }
        }
        Ok((!lost.is_empty()).then(|| lost.join("; ")))
    }
}

/// Where a file that `metadata.yaml` lists is: in the folder, or where its path begins with the folder's own name (metadata of
/// version 2, and some of version 4) beside it, or, of a folder that was renamed, by its name alone. rosbag2 lists compressed
/// files with their ending in some versions and without in others. What is nowhere keeps its first place, for messages.
fn listed(folder: &Path, file: &Path, compression: Compression) -> PathBuf {
    let above = folder.parent().unwrap_or(Path::new("."));
    let name = file.file_name().map(Path::new).unwrap_or(file);
    let places = [folder.join(file), above.join(file), folder.join(name)];
    let ended = |path: &PathBuf| {
        let mut ended = path.clone().into_os_string();
        ended.push(".zstd");
        PathBuf::from(ended)
    };
    let compressed = places.iter().filter(|_| compression == Compression::Files).map(ended);
    let found = places.iter().cloned().chain(compressed).find(|path| path.is_file());
    found.unwrap_or_else(|| folder.join(file))
}

/// When the first message of a file was recorded.
fn first_log_time(path: &Path) -> Option<u64> {
    let split = Split { path: path.into(), plain: OnceLock::new() };
    let mut first = None;
    let mut give = |message: Message| {
        first = Some(message.log_time);
        Err("enough".to_string())
    };
    let _ = read_split(&split, &mut |_, _| true, &mut give); // ends with "enough"
    first
}

fn read_split(
    split: &Split,
    wanted: &mut dyn FnMut(&str, &str) -> bool,
    give: Take,
) -> std::result::Result<(), String> {
    let path = &split.path;
    let (storage, compressed) = storage(path).ok_or("neither .mcap nor .db3")?;
    let file = File::open(path).map_err(|cause| cause.to_string())?;
    match (storage, compressed) {
        (Storage::Mcap, false) => mcap::read(file, wanted, give),
        (Storage::Mcap, true) => {
            let plain = zstd::Decoder::new(file).map_err(|cause| cause.to_string())?;
            mcap::read(plain, wanted, give)
        }
        (Storage::Sqlite, false) => sqlite::read(path, wanted, give),
        (Storage::Sqlite, true) => {
            let unpacked = split.plain.get_or_init(|| decompress::file(file));
            // as much as can be decompressed; SQLite says what is missing
            let (plain, problem) = unpacked.as_ref().map_err(String::clone)?;
            let read = sqlite::read(plain.path(), wanted, give);
            read.and(problem.clone().map_or(Ok(()), Err))
        }
    }
}
