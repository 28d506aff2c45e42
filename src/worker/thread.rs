//! The inference thread: takes jobs from the queue and answers them, until it is stopped.

use super::answering::Answering;
use super::{Around, Shared};
use crate::segmenter::Segmenter;
use std::sync::PoisonError;

pub(super) fn run<I, R>(shared: &Shared<I, R>, segmenter: Segmenter, mut around: impl Around<I, Reply = R>) {
    let mut answering = Answering::new(segmenter);
    loop {
        let mut state = shared.lock();
        let job = loop {
            if state.stop {
                return;
            }
            state.change.drain(..).for_each(|change| answering.change(change));
            answering.enter(state.queue.epoch);
            if let Some(job) = state.queue.next_job(|camera| around.wanted(camera)) {
                break job;
            }
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        let number = job.frame.unwrap_or_default();
        let again = answering.answer(job, &mut around, || shared.lock().stop);
        let mut state = shared.lock();
        again.into_iter().for_each(|pending| state.queue.ask_again(pending, number));
    }
}
