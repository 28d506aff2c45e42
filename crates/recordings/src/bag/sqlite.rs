//! SQLite files of rosbag2: tables `topics` and `messages`.
//!
//! Nothing is written beside a recording, and it may lie on a medium that can't be written: a database is opened as one that nobody
//! changes. One with a write-ahead log (`-wal`, of a recorder that was killed or still runs) is read from a copy.

use super::message::{Taken, MAX_LENGTH};
use super::sink::{Sink, Topic};
use rusqlite::limits::Limit;
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

/// The length of a file, bytes; 0 of one that is not there.
fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Where the write-ahead log of a database lies.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// A copy of a database that has a write-ahead log, and of the log; `None` for one without.
fn copied_with_log(path: &Path) -> std::io::Result<Option<TempDir>> {
    let log = log_of(path);
    if length(&log) == 0 {
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join(DATABASE);
    std::fs::copy(path, &copy)?;
    std::fs::copy(log, log_of(&copy))?;
    Ok(Some(folder))
}

/// Steps of SQLite's machine for each byte of a file; a row takes about ten, and is longer than one byte.
const STEPS_PER_BYTE: u64 = 10;
/// Steps for the smallest file.
const STEPS: u64 = 10_000_000;
/// Steps between two counts of them.
const COUNTED: i32 = 100_000;

/// Bounds the time and the memory that a database may take: its schema is code, which may never end.
fn bound(database: &Connection, bytes: u64) -> rusqlite::Result<()> {
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_LENGTH as i32)?;
    database.pragma_update(None, "trusted_schema", false)?;
    database.pragma_update(None, "cell_size_check", true)?;
    let mut left = STEPS.saturating_add(bytes.saturating_mul(STEPS_PER_BYTE)) / COUNTED as u64;
    let is_over = move || {
        left = left.saturating_sub(1);
        left == 0
    };
    database.progress_handler(COUNTED, Some(is_over));
    Ok(())
}

/// Why a database is none that rosbag2 writes: `topics` and `messages` must be tables, not views or what a module computes.
fn other_than_tables(database: &Connection) -> rusqlite::Result<Option<String>> {
    let mut listed = database.prepare("SELECT type, sql FROM sqlite_master WHERE name IN ('topics', 'messages')")?;
    let mut rows = listed.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, sql): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let is_virtual = sql.is_some_and(|sql| sql.trim_start().to_uppercase().starts_with("CREATE VIRTUAL"));
        if kind != "table" || is_virtual {
            let shown = if is_virtual { "virtual table" } else { &kind };
            return Ok(Some(format!("topics or messages is a {shown}; expected tables, as rosbag2 writes them")));
        }
    }
    Ok(None)
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
        bound(&database, length(path) + length(&log_of(path)))?;
        if let Some(fact) = other_than_tables(&database)? {
            return Ok(Err(fact));
        }
        let mut listed = database.prepare("SELECT id, name, type, serialization_format FROM topics")?;
        let mut rows = listed.query([])?;
        let mut topics: HashMap<i64, Topic> = HashMap::new();
        while let Some(row) = rows.next()? {
            let (name, kind, encoding): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
            match sink.topic(&name, &encoding, &kind, &[]) {
                Ok(topic) => topics.insert(row.get(0)?, topic),
                Err(fact) => return Ok(Err(fact)),
            };
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicU64;

    /// What is said of a database with this schema.
    fn read_of(schema: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db3");
        Connection::open(&path).unwrap().execute_batch(schema).unwrap();
        let mut sink = Sink {
            wanted: &mut |_, _| true,
            take: &mut |_| Ok(ControlFlow::Continue(())),
            unread: &mut BTreeMap::new(),
            declared: &mut BTreeMap::new(),
            has_compressed: &mut false,
            position: &AtomicU64::new(0),
            described: 0,
        };
        read(&path, &mut sink).err()
    }

    const TOPICS: &str = "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT,
        offered_qos_profiles TEXT); INSERT INTO topics VALUES (1, '/a', 'std_msgs/msg/String', 'cdr', '');";
    const MESSAGES: &str =
        "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);";

    #[test]
    fn a_schema_that_computes_without_end_is_refused() {
        let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT";
        let view = |name: &str, columns: &str| format!("CREATE VIEW {name} AS {endless} {columns} FROM n;");
        let topics = view("topics", "x AS id, 'a' AS name, 'b' AS type, 'cdr' AS serialization_format");
        let messages = view("messages", "x AS id, 1 AS topic_id, x AS timestamp, x'00' AS data");
        assert!(read_of(&[TOPICS, MESSAGES].concat()).is_none());
        for schema in [[topics.as_str(), MESSAGES].concat(), [TOPICS, &messages].concat()] {
            assert!(read_of(&schema).unwrap().contains("is a view"));
        }
        let bomb = "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER,
            data BLOB AS (zeroblob(900000000))); INSERT INTO messages(topic_id) VALUES (1);";
        assert!(read_of(&[TOPICS, bomb].concat()).unwrap().contains("too big"));
    }
}
