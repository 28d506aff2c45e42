//! Work beside the interpreter.

use super::errors::{raised, RefersegError};
use pyo3::prelude::*;
use referseg::Result;
use std::any::Any;
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often Ctrl-C is looked for.
const BETWEEN: Duration = Duration::from_millis(50);

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a bug in Referseg: {}", text.unwrap_or("no message"))
}

/// Runs work on a thread of its own, without the interpreter's lock. After Ctrl-C the work ends in the background and its result is dropped.
pub fn beside<T: Send + 'static>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send + 'static) -> PyResult<T> {
    let (send, receive) = channel();
    let thread = std::thread::Builder::new().name("referseg".into()).spawn(move || {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let _ = send.send(done); // nobody waits after Ctrl-C
    });
    thread.map_err(|cause| RefersegError::new_err(format!("no thread can be started: {cause}")))?;
    // one thread waits; the lock only says so
    let receive = Mutex::new(receive);
    loop {
        let done = py.detach(|| receive.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(BETWEEN));
        match done {
            Ok(Ok(done)) => return done.map_err(raised),
            Ok(Err(panic)) => return Err(RefersegError::new_err(said(&*panic))),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(RefersegError::new_err("the work ended without a result"))
            }
        }
    }
}
