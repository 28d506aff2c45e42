//! SQLite files of rosbag2: tables `topics` and `messages`.

use super::message::{Message, Take};
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::path::Path;

pub fn read(path: &Path, wanted: &mut dyn FnMut(&str, &str) -> bool, take: Take) -> Result<(), String> {
    let mut messages = 0u64;
    let mut refused = None;
    let mut all = || -> rusqlite::Result<()> {
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // without this, SQLite refuses a file that is shorter than its header says
        database.pragma_update(None, "writable_schema", true)?;
        let mut topics = database.prepare("SELECT id, name, type FROM topics WHERE serialization_format = 'cdr'")?;
        let rows = topics.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let rows = rows.collect::<rusqlite::Result<Vec<(i64, String, String)>>>()?;
        let wanted: HashMap<i64, (String, String)> = rows
            .into_iter()
            .filter(|(_, topic, kind)| wanted(topic, kind))
            .map(|(id, topic, kind)| (id, (topic, kind)))
            .collect();
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
