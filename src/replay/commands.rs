//! `Commands`: where the commands of a replay come from, and when each is given.

use crate::recordings::bag::Bag;
use crate::recordings::{text, MessageType, Text};
use crate::{Error, Result};
use serde::Deserialize;
use std::ops::ControlFlow;
use std::path::Path;

/// Where the commands come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Commands {
    /// A `std_msgs/String` topic of the recording.
    Topic(String),
    /// Seconds after the first image, and the command given then.
    Timetable(Vec<(f64, String)>),
    /// One, from the beginning.
    Text(String),
}

/// One line of a timetable file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Seconds after the first image.
    at: f64,
    /// The command; empty clears.
    #[serde(rename = "say")]
    text: String,
}

impl Commands {
    /// Reads a timetable: YAML, a list of `{at: SECONDS, say: TEXT}`.
    ///
    /// # Errors
    /// When the file can't be read or is none.
    pub fn timetable(path: &Path) -> Result<Commands> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        let refused = |fact: String| Error::config(path.display().to_string(), fact);
        let lines: Vec<Line> = serde_yaml::from_str(&text)
            .map_err(|cause| refused(format!("{cause}; expected a list of {{at: SECONDS, say: TEXT}}")))?;
        if let Some(line) = lines.iter().find(|line| !(0.0..1e9).contains(&line.at)) {
            return Err(refused(format!("at: {} is no time; expected seconds after the first image", line.at)));
        }
        let mut lines: Vec<_> = lines.into_iter().map(|line| (line.at, line.text)).collect();
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Commands::Timetable(lines))
    }
}

impl Commands {
    /// When which command is given: nanoseconds, and the text or why there is none.
    ///
    /// # Errors
    /// Those of reading the recording.
    pub(super) fn schedule(&self, bag: &Bag, first_image: u64) -> Result<Vec<(u64, Result<String>)>> {
        Ok(match self {
            Commands::Text(text) => vec![(0, Ok(text.clone()))],
            Commands::Timetable(lines) => {
                let at = |seconds: f64| first_image + (seconds * 1e9).round() as u64;
                lines.iter().map(|(seconds, text)| (at(*seconds), Ok(text.clone()))).collect()
            }
            Commands::Topic(topic) => {
                let mut given: Vec<(u64, Result<String>)> = Vec::new();
                // a truncated recording is reported when its images are read
                let _ = bag.read_as_stored(
                    |known, kind| known == topic && kind == Text::TYPE,
                    |message| {
                        given.push((message.log_time, text(&message.cdr)));
                        Ok(ControlFlow::Continue(()))
                    },
                )?;
                given.sort_by_key(|(at, _)| *at);
                given
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timetable(text: &str) -> Result<Commands> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Commands::timetable(file.path())
    }

    #[test]
    fn a_timetable_is_sorted_and_checked() {
        let read = timetable("- {at: 2.5, say: the mug}\n- {at: 0, say: the box}\n").unwrap();
        assert_eq!(read, Commands::Timetable(vec![(0.0, "the box".into()), (2.5, "the mug".into())]));
        for wrong in ["- {at: -1, say: x}", "- {at: .nan, say: x}", "- {when: 1, say: x}", "{at: 1, say: x}"] {
            let refused = timetable(wrong).unwrap_err().to_string();
            assert!(refused.contains("expected"), "{refused}");
        }
    }

    #[test]
    fn a_timetables_times_count_from_the_first_image() {
        let bag = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bags/mcap");
        let timetable = Commands::Timetable(vec![(0.5, "the mug".into())]);
        let schedule = timetable.schedule(&Bag::open(&bag).unwrap(), 1_000_000_000).unwrap();
        assert_eq!(schedule[0].0, 1_500_000_000);
    }
}
