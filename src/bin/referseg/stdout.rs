//! Standard output that may be closed or full: `referseg models list | head -1` ends quietly, a full disk is an error.

use referseg::{Error, Result};
use std::io::{ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

/// The exit status of a program whose output nobody reads any more: 128 + SIGPIPE.
const CLOSED: i32 = 141;

/// What is printed while it is kept.
static KEPT: Mutex<Option<String>> = Mutex::new(None);

/// Keeps what is printed from now on, instead of writing it.
pub fn keep() {
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(String::new());
}

/// What was printed since [`keep`]; from now on it is written again.
pub fn kept() -> String {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
}

/// Writes text as it is.
///
/// # Errors
/// When it can't be written; a closed output ends the process.
pub fn print(text: impl std::fmt::Display) -> Result<()> {
    if let Some(kept) = KEPT.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        kept.push_str(&text.to_string());
        return Ok(());
    }
    let mut output = std::io::stdout().lock();
    let written = write!(output, "{text}").and_then(|()| output.flush());
    written.map_err(|cause| {
        if cause.kind() == ErrorKind::BrokenPipe {
            std::process::exit(CLOSED);
        }
        Error::file("standard output")(cause)
    })
}

/// Writes a line.
///
/// # Errors
/// As [`print`].
pub fn print_line(text: impl std::fmt::Display) -> Result<()> {
    print(format_args!("{text}\n"))
}
