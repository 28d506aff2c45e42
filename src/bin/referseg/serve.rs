//! `referseg serve --stdio`: many jobs in one process, so that weights are loaded once.
//!
//! Each line of standard input is a job, a JSON array of the arguments that the command line takes; each line of standard output is
//! its end: `{"status": 0, "output": "...", "error": "..."}`, with what the job would have printed and why it failed. Notices go to
//! standard error. The end of the input is the end of the process.

use crate::segmenters::Segmenters;
use crate::stdout;
use crate::Cli;
use clap::Parser;
use referseg::{Error, Result};
use std::io::BufRead;

/// Longest line of a job, bytes.
const LONGEST: u64 = 1 << 20;

#[derive(clap::Args)]
pub struct Arguments {
    /// Read jobs from standard input, a JSON array of arguments on each line, and write how each ended to standard output
    #[arg(long, required = true)]
    stdio: bool,
}

/// How a job ended: its exit status, and why it failed.
fn done(line: &str, segmenters: &mut Segmenters) -> (u8, String) {
    let arguments: Vec<String> = match serde_json::from_str(line) {
        Ok(arguments) => arguments,
        Err(cause) => return (2, format!("a job is a JSON array of arguments: {cause}")),
    };
    let command = match Cli::try_parse_from(std::iter::once("referseg".into()).chain(arguments)) {
        Ok(Cli { command: crate::Command::Serve(_) }) => return (2, "serve is no job".into()),
        Ok(Cli { command }) => command,
        Err(error) => return (2, error.to_string()),
    };
    match command.run(segmenters) {
        Ok(status) => (status, String::new()),
        Err(error) => (2, error.to_string()),
    }
}

pub fn run(_: &Arguments) -> Result<u8> {
    let mut segmenters = Segmenters::default();
    let mut input = std::io::stdin().lock();
    loop {
        let mut line = Vec::new();
        let read = std::io::Read::take(&mut input, LONGEST).read_until(b'\n', &mut line);
        if read.map_err(Error::file("standard input"))? == 0 {
            return Ok(0);
        }
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        stdout::keep();
        let (status, error) = done(&text, &mut segmenters);
        let ended = serde_json::json!({ "status": status, "output": stdout::kept(), "error": error });
        stdout::print_line(ended)?;
    }
}
