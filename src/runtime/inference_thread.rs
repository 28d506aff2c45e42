//! The inference thread: takes jobs from the queue and answers them, until it is stopped. Nothing that panics ends it.

use super::answering::{Answering, Control};
use super::catch_panic::{guarded, panic_message};
use super::host::{FrameReader, WorkerHost};
use super::queue::Job;
use super::shared::{ConfigChange, Shared};
use crate::grounding::Segmenter;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::PoisonError;

enum Work<I, R> {
    Changes(Vec<ConfigChange>),
    Job(Job<I, R>),
}

/// Works until the shared state says stop.
pub fn run<I: Send + Sync, R>(
    shared: &Shared<I, R>,
    segmenter: Segmenter,
    cameras: usize,
    reader: &impl FrameReader<I>,
    mut host: impl WorkerHost<I, Reply = R>,
) {
    let mut answering = Answering::new(segmenter, cameras);
    while let Some(work) = next(shared, &mut answering, &host) {
        match work {
            // without the lock: new weights take long to load
            Work::Changes(changes) => {
                for ConfigChange { prepared, done } in changes {
                    let applied = guarded(|| answering.apply(prepared));
                    let _ = catch_unwind(AssertUnwindSafe(|| done(applied)));
                }
            }
            Work::Job(job) => {
                let ticket = job.ticket;
                let control = Control {
                    stop: &|| shared.lock().stop,
                    current: &|command| shared.lock().queue.is_current(ticket, command),
                    is_live: true,
                    following: &shared.following,
                };
                let done = catch_unwind(AssertUnwindSafe(|| answering.answer(job, reader, &mut host, &control)));
                match done {
                    Ok(again) => {
                        let mut state = shared.lock();
                        for pending in again {
                            state.queue.ask_again(pending, ticket);
                        }
                    }
                    Err(panic) => {
                        let text = format!("answering panicked, this is a bug: {}", panic_message(&*panic));
                        let _ = catch_unwind(AssertUnwindSafe(|| host.problem(&text)));
                    }
                }
            }
        }
    }
}

/// Waits for work; `None` when the thread is to stop.
fn next<I, R>(
    shared: &Shared<I, R>,
    answering: &mut Answering,
    host: &impl WorkerHost<I, Reply = R>,
) -> Option<Work<I, R>> {
    let mut state = shared.lock();
    loop {
        if state.stop {
            return None;
        }
        if !state.changes.is_empty() {
            return Some(Work::Changes(std::mem::take(&mut state.changes)));
        }
        answering.enter(state.queue.frames_epoch());
        answering.set_dialogue(state.dialogue);
        if let Some(job) = state.queue.next_job(|camera| is_wanted(host, camera)) {
            return Some(Work::Job(job));
        }
        state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

fn is_wanted<I, R>(host: &impl WorkerHost<I, Reply = R>, camera: usize) -> bool {
    catch_unwind(AssertUnwindSafe(|| host.wanted(camera))).unwrap_or(false)
}
