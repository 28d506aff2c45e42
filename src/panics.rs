//! Panics of other crates on input from outside, caught where that input is read.

use std::panic::{catch_unwind, AssertUnwindSafe};

/// What `work` returns, or what it says when it panics; the usual message on the console is left out.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let done = catch_unwind(AssertUnwindSafe(work));
    std::panic::set_hook(usual);
    done.map_err(|panic| match panic.downcast_ref::<String>() {
        Some(said) => said.clone(),
        None => panic.downcast_ref::<&str>().copied().unwrap_or_default().to_string(),
    })
}
