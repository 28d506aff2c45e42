//! SQLite files of rosbag2: tables `topics` and `messages`.
//!
//! Nothing is written beside a recording, and it may lie on a medium that can't be written: a database is opened as one that nobody
//! changes. One with a write-ahead log (`-wal`, of a recorder that was killed or still runs) is read from a copy.

use super::message::Taken;
use super::sink::{Sink, Topic};
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use tempfile::TempDir;

/// The name of a copy.
const DATABASE: &str = "copy.db3";

/// The URI option by which SQLite treats a file as immutable: it neither locks it nor writes beside it.
fn immutable(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    let escaped: String = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("file:{escaped}?immutable=1")
}

/// A copy of a database that has a write-ahead log, and of the log; `None` for one without.
fn copied_with_log(path: &Path) -> std::io::Result<Option<TempDir>> {
    let beside = |path: &Path| {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        PathBuf::from(name)
    };
    let log = beside(path);
    if std::fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join(DATABASE);
    std::fs::copy(path, &copy)?;
    std::fs::copy(log, beside(&copy))?;
    Ok(Some(folder))
}

pub fn read(path: &Path, sink: &mut Sink) -> Taken {
    let copy = copied_with_log(path).map_err(|cause| format!("its write-ahead log can't be copied: {cause}"))?;
    let mut messages = 0u64;
    let mut all = || -> rusqlite::Result<Taken> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let database = match &copy {
            Some(copy) => Connection::open(copy.path().join(DATABASE))?,
            None => Connection::open_with_flags(immutable(path), flags)?,
        };
        // without this, SQLite refuses a file that is shorter than its header says
        database.pragma_update(None, "writable_schema", true)?;
        let mut listed = database.prepare("SELECT id, name, type, serialization_format FROM topics")?;
        let mut rows = listed.query([])?;
        let mut topics: HashMap<i64, Topic> = HashMap::new();
        while let Some(row) = rows.next()? {
            let (name, kind, encoding): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
            topics.insert(row.get(0)?, sink.topic(&name, &encoding, &kind, &[]));
        }
        // in the order in which they came, along the table alone: the index on time may be what is missing
        let mut recorded =
            database.prepare("SELECT topic_id, timestamp, data FROM messages NOT INDEXED ORDER BY id")?;
        let mut rows = recorded.query([])?;
        while let Some(row) = rows.next()? {
            messages += 1;
            let Some(topic) = topics.get(&row.get(0)?) else { continue };
            let log_time: i64 = row.get(1)?;
            let bytes = row.get_ref(2)?.as_blob()?;
            sink.position.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            match sink.message(topic, log_time.try_into().unwrap_or_default(), bytes.into()) {
                Ok(ControlFlow::Continue(())) => {}
                ended => return Ok(ended),
            }
        }
        Ok(Ok(ControlFlow::Continue(())))
    };
    let ended = all();
    ended.unwrap_or_else(|cause| Err(format!("truncated or damaged after {messages} messages: {cause}")))
}
