//! Panics of other crates on input from outside, caught where that input is read.

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether panics of this thread are caught, and so not printed.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Leaves out the usual message of panics that are caught. The hook is the whole process's, so it is changed once: to change it for
/// the time of a call would lose it when two threads do.
fn leave_out_messages() {
    static CHANGED: Once = Once::new();
    CHANGED.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_CAUGHT.get() {
                usual(panic);
            }
        }));
    });
}

/// What `work` returns, or what it says when it panics; the usual message on the console is left out.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    leave_out_messages();
    let before = IS_CAUGHT.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(before);
    done.map_err(|panic| match panic.downcast_ref::<String>() {
        Some(said) => said.clone(),
        None => panic.downcast_ref::<&str>().copied().unwrap_or_default().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_caught_in_many_threads_at_once() {
        let is_even = |number: usize| number.is_multiple_of(2);
        let work = move |number: usize| caught(|| if is_even(number) { number } else { panic!("number {number}") });
        let threads: Vec<_> = (0..8)
            .map(|thread| std::thread::spawn(move || (0..200).map(|n| work(n + thread)).collect::<Vec<_>>()))
            .collect();
        for (thread, results) in threads.into_iter().enumerate() {
            for (n, result) in results.join().unwrap().into_iter().enumerate() {
                let number = n + thread;
                assert_eq!(result, if is_even(number) { Ok(number) } else { Err(format!("number {number}")) });
            }
        }
        assert!(!IS_CAUGHT.get());
    }
}
