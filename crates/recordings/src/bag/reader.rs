//! `Bag`: a recording, read without ROS: rosbag2's sqlite3 and MCAP, in one file or several, plain or zstd, and ROS 1's.
//!
//! A recording that was truncated or damaged is read up to the damage, and says where it ended.

use super::message::{ros_type, Message, Taken, Truncation};
use super::order::{Order, OrderProbe, Spool, Window};
use super::sink::{Sink, Unread};
use super::storage::{is_recording_name, storage, Storage};
use super::{decompress, mcap, ros1, sqlite};
use referseg_files::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
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

/// A file of a recording, for those who ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BagFile {
    /// Where it is.
    pub path: PathBuf,
    /// `MCAP`, `sqlite3` or `ROS 1 bag`; empty when unknown.
    pub storage: &'static str,
    /// How it is compressed: `none`, `zstd`, `lz4`, `bz2`, or `zstd file` as a whole; empty when unknown.
    pub compression: String,
    /// Its size on disk, bytes.
    pub bytes: u64,
}

/// The outcome of reading a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What could not be read of its files.
    pub truncation: Truncation,
    /// The messages that could not be read, by topic.
    pub unread: BTreeMap<String, Unread>,
    /// The types of its topics, of those without messages too.
    pub declared: BTreeMap<String, String>,
    /// Whether messages were compressed one by one.
    pub has_compressed_messages: bool,
}

/// A recording.
#[derive(Debug)]
pub struct Bag {
    splits: Vec<Split>,
    /// Bytes of its files that were read so far.
    position: AtomicU64,
    /// How its messages are stored, once that was looked at.
    order: OnceLock<Order>,
    /// The types of the topics that its metadata lists.
    declared: BTreeMap<String, String>,
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
    #[serde(default)]
    topics_with_message_count: Vec<ListedTopic>,
}

#[derive(Deserialize)]
struct ListedTopic {
    topic_metadata: TopicMetadata,
}

#[derive(Deserialize)]
struct TopicMetadata {
    name: String,
    #[serde(rename = "type")]
    kind: String,
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

impl Bag {
    /// Opens a recording: its folder, its `metadata.yaml`, or one of its files, whatever its name.
    ///
    /// # Errors
    /// When there is no recording, or it is of a kind that is not known.
    pub fn open(path: &Path) -> Result<Bag> {
        let refused = |fact: String| Error::Bag { path: path.into(), fact };
        if !path.exists() {
            return Err(refused("does not exist; expected a folder of rosbag2, an .mcap, .db3 or .bag file".into()));
        }
        let folder = match path.file_name() {
            Some(name) if name == METADATA => path.parent().unwrap_or(Path::new(".")),
            _ => path,
        };
        if !folder.is_dir() {
            storage(path).map_err(refused)?;
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
                files.retain(|file| is_recording_name(file));
                // by the time of their first message: names sort _10 before _2
                files.sort_by_cached_key(|file| (first_log_time(file).unwrap_or(u64::MAX), file.clone()));
                if files.is_empty() {
                    return Err(refused(format!(
                        "holds no recording: {METADATA}: {cause}; no .mcap, .db3 or .bag either"
                    )));
                }
                let warning = format!("{METADATA} can't be used ({cause}); all recordings in the folder are read");
                return Ok(Bag::of(files, Some(warning)));
            }
        };
        let compression = information.compression().map_err(|fact| refused(format!("{METADATA}: {fact}")))?;
        let files: Vec<_> =
            information.relative_file_paths.iter().map(|file| listed(folder, file, compression)).collect();
        let topics = information.topics_with_message_count.into_iter().map(|listed| listed.topic_metadata);
        let declared = topics.map(|topic| (topic.name, ros_type(&topic.kind))).collect();
        Ok(Bag { declared, ..Bag::of(files, None) })
    }

    fn of(files: Vec<PathBuf>, warning: Option<String>) -> Bag {
        let splits = files.into_iter().map(|path| Split { path, plain: OnceLock::new() }).collect();
        Bag { splits, position: AtomicU64::new(0), order: OnceLock::new(), declared: BTreeMap::new(), warning }
    }

    /// Its files, as they lie on disk.
    pub fn files(&self) -> Vec<BagFile> {
        let described = self.splits.iter().map(|Split { path, .. }| {
            let (storage, compression) = match storage(path) {
                Err(_) => ("", String::new()),
                Ok((storage, true)) => (storage.name(), "zstd file".into()),
                Ok((storage, false)) => {
                    let first = File::open(path).ok().and_then(|file| match storage {
                        Storage::Mcap => mcap::compression(file),
                        Storage::Ros1 => ros1::compression(file),
                        Storage::Sqlite => Some("none".into()),
                    });
                    (storage.name(), first.unwrap_or_default())
                }
            };
            let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
            BagFile { path: path.clone(), storage, compression, bytes }
        });
        described.collect()
    }

    /// How many bytes of its files were read so far, in all readings; about, for databases.
    pub fn bytes_read(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// How its messages are stored; reads it through unless [`Bag::survey`] did.
    ///
    /// # Errors
    /// None of its own.
    pub fn order(&self) -> Result<Order> {
        if self.order.get().is_none() {
            self.survey(|_| ())?;
        }
        Ok(self.order.get().copied().unwrap_or_default())
    }

    /// Reads all messages as they are stored, and remembers whether that is the order of their time.
    ///
    /// # Errors
    /// None of its own.
    pub fn survey(&self, mut see: impl FnMut(Message)) -> Result<Reading> {
        let mut probe = OrderProbe::default();
        let reading = self.read_as_stored(
            |_, _| true,
            |message| {
                probe.see(message.log_time, message.cdr.len());
                see(message);
                Ok(ControlFlow::Continue(()))
            },
        )?;
        self.order.get_or_init(|| probe.order());
        Ok(reading)
    }

    /// Reads the messages of the topics that `wanted` says yes to (by name and type) in the order of the times at which they were
    /// recorded, and gives each to `take`, until that says that it has enough.
    ///
    /// Memory stays bounded: see [`Order`]. One stored in another order needs a temporary file as large as what is wanted.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn read(
        &self,
        wanted: impl FnMut(&str, &str) -> bool,
        mut take: impl FnMut(Message) -> Result<ControlFlow<()>>,
    ) -> Result<Reading> {
        let order = self.order()?;
        if order == Order::ByTime {
            return self.read_as_stored(wanted, take);
        }
        let mut failed = None;
        let mut give = |message: Message| or_kept(take(message), &mut failed);
        let (mut reading, rest) = match order {
            Order::Other => {
                let mut spool = Spool::new().map_err(Error::Message)?;
                let (reading, _) = self.read_splits(wanted, &mut |message| spool.put(&message));
                (reading, spool.end(&mut give))
            }
            _ => {
                let mut window = Window::default();
                let (reading, is_ended) = self.read_splits(wanted, &mut |message| window.put(message, &mut give));
                let rest = if is_ended { Ok(ControlFlow::Break(())) } else { window.end(&mut give) };
                (reading, rest)
            }
        };
        if let (Err(fact), None) = (rest, &reading.truncation) {
            reading.truncation = Some(fact);
        }
        failed.map_or(Ok(reading), Err)
    }

    /// As [`Bag::read`], in the order in which messages are stored: for those who do not mind, without the reading in advance
    /// that order needs.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn read_as_stored(
        &self,
        wanted: impl FnMut(&str, &str) -> bool,
        mut take: impl FnMut(Message) -> Result<ControlFlow<()>>,
    ) -> Result<Reading> {
        let mut failed = None;
        let (reading, _) = self.read_splits(wanted, &mut |message| or_kept(take(message), &mut failed));
        failed.map_or(Ok(reading), Err)
    }

    /// Reads one file after the other. A file that is missing or damaged costs what is lost in it and no other file; only a `take`
    /// that has enough, or failed, ends the reading, which the second part tells.
    fn read_splits(
        &self,
        mut wanted: impl FnMut(&str, &str) -> bool,
        take: &mut dyn FnMut(Message) -> Taken,
    ) -> (Reading, bool) {
        let mut reading = Reading { declared: self.declared.clone(), ..Reading::default() };
        let mut lost = Vec::new();
        let mut is_ended = false;
        for split in &self.splits {
            let mut ending = |message: Message| {
                let taken = take(message);
                is_ended = !matches!(taken, Ok(ControlFlow::Continue(())));
                taken
            };
            let mut sink = Sink {
                wanted: &mut wanted,
                take: &mut ending,
                unread: &mut reading.unread,
                declared: &mut reading.declared,
                has_compressed: &mut reading.has_compressed_messages,
                position: &self.position,
                described: 0,
            };
            if let Err(fact) = read_split(split, &mut sink) {
                let others = self.others_beside(&split.path).unwrap_or_default();
                lost.push(format!("{}: {fact}{others}", split.path.display()));
            }
            if is_ended {
                break;
            }
        }
        reading.truncation = (!lost.is_empty()).then(|| lost.join("; "));
        (reading, is_ended)
    }
}

impl Bag {
    /// Of a file that is not there, the recordings in its folder that metadata does not list: it may have been renamed.
    fn others_beside(&self, missing: &Path) -> Option<String> {
        if missing.exists() {
            return None;
        }
        let entries = std::fs::read_dir(missing.parent()?).ok()?;
        let beside = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let is_other = |path: &PathBuf| is_recording_name(path) && self.splits.iter().all(|split| split.path != *path);
        let mut names: Vec<String> =
            beside.filter(is_other).filter_map(|path| Some(path.file_name()?.to_string_lossy().into())).collect();
        names.sort();
        let remedy = "give one of them by its own path, or mend relative_file_paths";
        (!names.is_empty())
            .then(|| format!("; {METADATA} lists it, but the folder has {} ({remedy})", names.join(", ")))
    }
}

/// What a taker said, in the words of those who read files; its error is kept for the caller.
fn or_kept(taken: Result<ControlFlow<()>>, failed: &mut Option<Error>) -> Taken {
    taken.map_err(|error| {
        let words = error.to_string();
        failed.get_or_insert(error);
        words
    })
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
    let bag = Bag::of(vec![path.into()], None);
    let mut first = None;
    let enough = |message: Message| {
        first = Some(message.log_time);
        Ok(ControlFlow::Break(()))
    };
    bag.read_as_stored(|_, _| true, enough).ok()?;
    first
}

/// A file whose bytes are counted as they are read.
struct Counted<'a> {
    file: File,
    position: &'a AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.position.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

fn read_split(split: &Split, sink: &mut Sink) -> Taken {
    let path = &split.path;
    let (storage, is_compressed) = storage(path)?;
    let file = File::open(path).map_err(|cause| cause.to_string())?;
    let position = sink.position;
    let stream = |file: File| -> std::result::Result<Box<dyn Read + '_>, String> {
        let file = Counted { file, position };
        if !is_compressed {
            return Ok(Box::new(BufReader::new(file)));
        }
        Ok(Box::new(zstd::Decoder::new(file).map_err(|cause| cause.to_string())?))
    };
    match storage {
        Storage::Mcap => mcap::read(stream(file)?, sink),
        Storage::Ros1 => ros1::read(stream(file)?, sink),
        Storage::Sqlite if !is_compressed => sqlite::read(path, sink),
        Storage::Sqlite => {
            let unpacked = split.plain.get_or_init(|| decompress::file(file));
            // as much as can be decompressed; SQLite says what is missing
            let (plain, problem) = unpacked.as_ref().map_err(String::clone)?;
            let read = sqlite::read(plain.path(), sink)?;
            problem.clone().map_or(Ok(read), Err)
        }
    }
}
