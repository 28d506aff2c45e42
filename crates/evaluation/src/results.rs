//! The file of a run's results: a `Header`, then a `Line` of JSON for each expression.
//!
//! Everything that a report says is in it, and nothing that depends on when or how often the run was broken off.

use super::dataset::ImageEntry;
use super::overlap::IouCounts;
use referseg_answer::Status;
use referseg_files::atomic_file::AtomicFile;
use referseg_files::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The first line of a file of results: what was run. Files can be joined or gone on with when it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this program.
    pub referseg: String,
    /// The dataset's name.
    pub dataset: String,
    /// Its split.
    pub split: String,
    /// Its images.
    pub images: usize,
    /// Its expressions.
    pub expressions: usize,
    /// A hash of what is asked and what is true.
    pub content: String,
    /// Whether the targets themselves were the proposals.
    pub truth: bool,
    /// SHA-256 of the model's weights.
    pub model: String,
    /// The rows: names, and a hash of everything that their answers depend on.
    pub rows: Vec<(String, String)>,
}

/// What became of an expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Number of the expression in the dataset, counted from 0.
    pub index: usize,
    /// Its image.
    pub image: String,
    /// Its name in the dataset.
    pub expression: String,
    /// The words.
    pub text: String,
    /// What kind of words; empty when not known.
    pub kind: String,
    /// The status that is right.
    pub want: Status,
    /// Why it does not count; empty when it does.
    pub problem: String,
    /// Columns and rows of the image.
    pub size: (usize, usize),
    /// The truth, as COCO's string; empty when not exactly one thing is meant.
    pub truth: String,
    /// The first row's mask, as COCO's string; empty without one.
    pub answer: String,
    /// One for each row.
    pub rows: Vec<RowResult>,
}

/// A row's answer to an expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowResult {
    /// How many proposals there were.
    pub proposals: usize,
    /// The best of them for the truth.
    pub oracle: IouCounts,
    /// The proposal chosen.
    pub proposal: Option<usize>,
    /// Its overlap with the truth.
    pub shared: IouCounts,
    /// IoU of its box with the truth's, 0..1.
    pub box_iou: f32,
    /// Whether its middle lies in the truth.
    pub middle_inside: bool,
    /// Whether it is the target: with the targets as proposals, itself; else by an IoU of 0.5.
    pub right: bool,
    /// Its score.
    pub score: f32,
    /// Its lead over the best other thing.
    pub margin: f32,
    /// The status of the answer.
    pub status: Status,
    /// Whether a thing was excluded by the words, and if so, whether it was found.
    pub excluded_found: Option<bool>,
}

/// Why expressions do not count, by kind: what differs only in the file is one. The commonest first.
pub fn problems(lines: &[Line]) -> Vec<(String, usize)> {
    let mut counts: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for line in lines.iter().filter(|line| !line.problem.is_empty()) {
        *counts.entry(line.problem.replace(line.image.as_str(), "IMAGE")).or_default() += 1;
    }
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    all
}

/// A value as a line of a file.
///
/// # Errors
/// When it can't be written as JSON.
pub fn json<T: Serialize>(value: &T) -> Result<String> {
    let text = serde_json::to_string(value).map_err(|cause| Error::config("results", cause.to_string()))?;
    Ok(text + "\n")
}

/// Where a run goes on: the finished images at the start of a file of results, and the bytes that they and the header
/// fill. An image whose lines report a problem is finished only if `persists` says that the problem is still there.
///
/// # Errors
/// When the file can't be read or holds another run.
pub fn resume_point(
    out: &Path,
    header: &Header,
    mine: &[(usize, &ImageEntry)],
    mut persists: impl FnMut(&ImageEntry, &Line) -> bool,
) -> Result<(usize, u64)> {
    let bytes = match std::fs::read(out) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok((0, 0)),
        Err(cause) => return Err(Error::file(out)(cause)),
    };
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let Some(first) = lines.next() else { return Ok((0, 0)) };
    if serde_json::from_slice::<Header>(first).ok().as_ref() != Some(header) {
        let fact = "holds another run (other data, files, model, rows or version); choose another --out, or remove it";
        return Err(Error::config(out.display().to_string(), fact));
    }
    let mut kept = first.len() as u64;
    for (done, (index, image)) in mine.iter().enumerate() {
        let mut length = 0;
        for expression in 0..image.expressions.len() {
            let Some(text) = lines.next() else { return Ok((done, kept)) };
            let line = serde_json::from_slice::<Line>(text).ok().filter(|line| line.index == index + expression);
            let finished = line.filter(|line| line.problem.is_empty() || persists(image, line));
            if finished.is_none() {
                return Ok((done, kept));
            }
            length += text.len() as u64;
        }
        kept += length;
    }
    Ok((mine.len(), kept))
}

/// Reads a file of results.
///
/// # Errors
/// When it is none, or cut.
pub fn read(path: &Path) -> Result<(Header, Vec<Line>)> {
    let wrong = |number: usize, cause: serde_json::Error| {
        Error::config(
            format!("{} line {number}", path.display()),
            format!("{cause}; expected results of referseg eval"),
        )
    };
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    let mut lines = text.lines().enumerate();
    let Some((_, first)) = lines.next() else {
        return Err(Error::config(path.display().to_string(), "is empty; expected results of referseg eval"));
    };
    let header = serde_json::from_str(first).map_err(|cause| wrong(1, cause))?;
    let line = |(number, text): (usize, &str)| serde_json::from_str(text).map_err(|cause| wrong(number + 1, cause));
    Ok((header, lines.map(line).collect::<Result<_>>()?))
}

/// Joins the parts of a sharded run into the file that one whole run writes.
///
/// # Errors
/// When a part belongs to another run, or expressions are missing or doubled.
pub fn merge(parts: &[PathBuf], out: &Path) -> Result<()> {
    let mut joined: Option<(Header, Vec<Line>)> = None;
    for part in parts {
        let (header, lines) = read(part)?;
        match &mut joined {
            None => joined = Some((header, lines)),
            Some((known, all)) if *known == header => all.extend(lines),
            Some(_) => {
                let fact = format!("is not of the same run as {}", parts[0].display());
                return Err(Error::config(part.display().to_string(), fact));
            }
        }
    }
    let Some((header, mut lines)) = joined else {
        return Err(Error::config("--merge", "no files; expected the results of all shards"));
    };
    lines.sort_by_key(|line| line.index);
    let expected = (0..header.expressions).zip(&lines).find(|(number, line)| *number != line.index);
    if expected.is_some() || lines.len() != header.expressions {
        let fact = match expected {
            Some((number, line)) if line.index < number => format!("expression {} is there twice", line.index),
            Some((number, _)) => format!("expression {number} is missing"),
            None => format!("{} of {} expressions", lines.len(), header.expressions),
        };
        return Err(Error::config("--merge", format!("{fact}; expected every shard once, finished")));
    }
    let mut text = json(&header)?;
    for line in &lines {
        text += &json(line)?;
    }
    let inputs: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();
    AtomicFile::write(out, &inputs, text.as_bytes())
}
