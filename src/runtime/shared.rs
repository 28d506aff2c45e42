//! What the worker's handle and its thread share.

use super::conversations::Dialogue;
use super::following::Following;
use super::queue::Queue;
use crate::grounding::PreparedConfig;
use crate::Result;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// New settings, and the channel that reports whether they are in effect.
pub struct ConfigChange {
    pub prepared: PreparedConfig,
    pub done: Box<dyn FnOnce(Result<()>) + Send>,
}

/// The queue, and the requests to the thread.
pub struct State<I, R> {
    pub queue: Queue<I, R>,
    pub changes: Vec<ConfigChange>,
    pub dialogue: Dialogue,
    pub stop: bool,
    pub stopped: bool,
}

/// The state with its lock.
pub struct Shared<I, R> {
    state: Mutex<State<I, R>>,
    /// Notified with every change of the state.
    pub changed: Condvar,
    /// What was found and is followed.
    pub following: Following<I, R>,
}

impl<I, R> Shared<I, R> {
    pub fn new(queue: Queue<I, R>, following: Following<I, R>) -> Self {
        let state = State { queue, changes: Vec::new(), dialogue: Dialogue::default(), stop: false, stopped: false };
        Shared { state: Mutex::new(state), changed: Condvar::new(), following }
    }

    pub fn lock(&self) -> MutexGuard<'_, State<I, R>> {
        // a panic while the lock is held leaves the state whole: every change is one assignment
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
