//! SQLite files of rosbag2: tables `topics` and `messages`.
//!
//! Nothing is written beside a recording, and it may lie on a medium that can't be written: a database is opened as one that nobody
//! changes. One with a write-ahead log (`-wal`, of a recorder that was killed or still runs) is read from a copy.

use super::message::{ros_type, Message, Take};
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The name of a copy.
const DATABASE: &str = "copy.db3";

/// How SQLite is told that nobody changes a file: then it neither locks it nor writes beside it.
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

pub fn read(path: &Path, wanted: &mut dyn FnMut(&str, &str) -> bool, take: Take) -> Result<(), String> {
    let copy = copied_with_log(path).map_err(|cause| format!("its write-ahead log can't be copied: {cause}"))?;
    let mut messages = 0u64;
    let mut refused = None;
    let mut all = || -> rusqlite::Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let database = match &copy {
            Some(copy) => Connection::open(copy.path().join(DATABASE))?,
            None => Connection::open_with_flags(immutable(path), flags)?,
        };
        // without this, SQLite refuses a file that is shorter than its header says
        database.pragma_update(None, "writable_schema", true)?;
        let mut topics = database.prepare("SELECT id, name, type FROM topics WHERE serialization_format = 'cdr'")?;
        let rows = topics.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let rows = rows.collect::<rusqlite::Result<Vec<(i64, String, String)>>>()?;
        let rows = rows.into_iter().map(|(id, topic, kind)| (id, topic, ros_type(&kind)));
        let wanted: HashMap<i64, (String, String)> =
            rows.filter(|(_, topic, kind)| wanted(topic, kind)).map(|(id, topic, kind)| (id, (topic, kind))).collect();
        // in the order in which they came, along the table alone: the index on time may be what is missing
        let mut recorded =
            database.prepare("SELECT topic_id, timestamp, data FROM messages NOT INDEXED ORDER BY id")?;
        let mut rows = recorded.query([])?;
        while let Some(row) = rows.next()? {
            messages += 1;
            let Some((topic, kind)) = wanted.get(&row.get(0)?) else { continue };
            let log_time: i64 = row.get(1)?;
            let message = Message {
                topic: topic.clone(),
                kind: kind.clone(),
                log_time: log_time.try_into().unwrap_or_default(),
                cdr: row.get(2)?,
            };
            if let Err(reason) = take(message) {
                refused = Some(reason);
                break;
            }
        }
        Ok(())
    };
    let ended = all();
    match (refused, ended) {
        (Some(reason), _) => Err(reason),
        (None, Ok(())) => Ok(()),
        (None, Err(cause)) => Err(format!("truncated or damaged after {messages} messages: {cause}")),
    }
}
