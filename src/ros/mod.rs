//! The ROS 2 node: the only files that know r2r.
//!
//! `node` is the process, `core` what all parts share, `spinner` the thread that owns the r2r node.
//! In come `listening` (images, depth), `asking` (service, action) and the parameters; out go `outputs`,
//! `journal` and `diagnostics`. `lifecycle` decides which of it is there; `bond` tells Nav2 that it lives.

mod action_server;
mod asking;
mod bond;
mod core;
mod diagnostics;
mod journal;
mod lifecycle;
mod listening;
mod names;
mod node;
mod outputs;
mod parameter_server;
mod parameters;
mod speaker;
mod spinner;

pub use node::run;
pub use parameters::PARAMETERS;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a mutex guards, whoever broke down while holding it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
