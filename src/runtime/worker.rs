//! `Worker`: the handle to an inference thread and to the thread that follows what it found.

use super::camera_queue::Dropped;
use super::conversations::Dialogue;
use super::following::Following;
use super::following_thread;
use super::host::{FrameReader, TrackHost, WorkerHost};
use super::inference_thread;
use super::mode::Mode;
use super::queue::{Queue, TakenCommand};
use super::request::Request;
use super::shared::{ConfigChange, Shared};
use crate::grounding::{PreparedConfig, Segmenter};
use crate::{Error, Result};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Handle to an inference thread; dropping it tells the thread to stop. `I` is a frame as it came, `R` what callers get
/// for a result.
pub struct Worker<I, R> {
    shared: Arc<Shared<I, R>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<I: Send + Sync + 'static, R: 'static> Worker<I, R> {
    /// Starts the thread for so many cameras. With a host for tracks, a second one follows what was found.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        segmenter: Segmenter,
        mode: Mode,
        cameras: usize,
        reader: impl FrameReader<I> + 'static,
        host: impl WorkerHost<I, Reply = R> + 'static,
        track_host: Option<Arc<dyn TrackHost<I, Reply = R>>>,
    ) -> Result<Self> {
        let following = Following::new(cameras, track_host.is_some(), track_host.clone());
        let shared = Arc::new(Shared::new(Queue::new(mode, cameras), following));
        let reader = Arc::new(reader);
        if track_host.is_some() {
            let (of_thread, reader) = (shared.clone(), reader.clone());
            let thread = std::thread::Builder::new().name("following".into());
            let thread = thread.spawn(move || following_thread::run(&of_thread, &*reader));
            thread.map_err(Error::file("following thread"))?;
        }
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new().name("inference".into()).spawn(move || {
            inference_thread::run(&of_thread, segmenter, cameras, &*reader, host);
            let mut state = of_thread.lock();
            state.stopped = true;
            // callers that still wait see their channel close
            let _callers = state.queue.clear();
            state.queue.set_active(false);
            drop(state);
            of_thread.following.stop();
            let _callers = of_thread.following.clear();
            of_thread.changed.notify_all();
        });
        let thread = thread.map_err(Error::file("inference thread"))?;
        Ok(Worker { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Offers a camera's frame. It takes the place of the one before, worked on or not.
    pub fn offer_frame(&self, camera: usize, input: I) {
        let input = Arc::new(input);
        // the frame before is dropped without the lock
        let (_before, is_active) = {
            let mut state = self.shared.lock();
            (state.queue.offer_frame(camera, input.clone()), state.queue.is_active())
        };
        self.shared.changed.notify_all();
        if is_active {
            self.shared.following.offer(camera, input);
        }
    }

    /// Takes a command of a topic, for one camera or all, and returns its number; `text` is an error when the
    /// words did not arrive whole. An empty text clears what is in effect, also for a frame that is being worked on.
    /// One that can't be used is answered with the reason, and ends what is in effect: nobody knows what was meant. When more than
    /// [`MAX_WAITING`](super::MAX_WAITING) wait at a camera, the oldest is answered with an error.
    pub fn command(&self, camera: Option<usize>, text: Result<String>) -> u32 {
        let TakenCommand { number, ends_tracks } = self.shared.lock().queue.command(camera, text);
        if ends_tracks {
            self.shared.following.clear_commands(camera, number);
        }
        self.shared.changed.notify_all();
        number
    }

    /// Takes a request and returns its number.
    ///
    /// # Errors
    /// When too many requests wait already, or the worker is not active; this one is dropped.
    pub fn ask(&self, request: Request<I, R>) -> Result<u32> {
        let number = self.shared.lock().queue.ask(request);
        self.shared.changed.notify_all();
        number
    }

    /// What became of a camera's frames that were never looked at.
    pub fn dropped(&self, camera: usize) -> Dropped {
        self.shared.lock().queue.dropped(camera)
    }

    /// Changes the mode; the topic's commands of the old one are discarded.
    pub fn set_mode(&self, mode: Mode) {
        self.shared.lock().queue.set_mode(mode);
    }

    /// Whether what is found is followed, from the next answer on.
    pub fn set_tracking(&self, on: bool) {
        if self.shared.following.is_on() != on {
            following_thread::look_again(&self.shared, self.shared.following.set_on(on));
        }
    }

    /// How the node talks, from the next answer on.
    pub fn set_dialogue(&self, dialogue: Dialogue) {
        self.shared.lock().dialogue = dialogue;
    }

    /// Applies other settings before the next frame; `done` is called on the inference thread with the outcome, and
    /// is dropped without a call when the thread stops first.
    pub fn change(&self, prepared: PreparedConfig, done: impl FnOnce(Result<()>) + Send + 'static) {
        let mut state = self.shared.lock();
        if !state.stop {
            state.changes.push(ConfigChange { prepared, done: Box::new(done) });
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Discards the frames that came and what was encoded of them: time went backwards.
    pub fn forget_frames(&self) {
        self.shared.lock().queue.forget_frames();
        following_thread::look_again(&self.shared, self.shared.following.clear());
    }

    /// While a worker is not active it takes nothing, and what it is working on reaches nobody.
    pub fn set_active(&self, active: bool) {
        let _callers = {
            let mut state = self.shared.lock();
            state.queue.set_active(active);
            (!active).then(|| state.queue.clear())
        };
        let _followed = (!active).then(|| self.shared.following.clear());
        self.shared.changed.notify_all();
    }

    /// Drops the requests that nobody waits for any more.
    pub fn drop_cancelled(&self) {
        let _callers = self.shared.lock().queue.drop_cancelled();
    }

    /// Tells the thread to stop after the stage at hand; true when it did within `patience`.
    pub fn stop(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.shared.lock();
        state.stop = true;
        state.changes.clear();
        self.shared.following.stop();
        self.shared.changed.notify_all();
        while !state.stopped {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.is_none_or(|thread| thread.join().is_ok())
    }
}

impl<I, R> Drop for Worker<I, R> {
    /// Tells the thread to stop and does not wait for it: a stage may take long, and whoever wants to wait calls
    /// [`Worker::stop`].
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stop = true;
        state.changes.clear();
        drop(state);
        self.shared.following.stop();
        self.shared.changed.notify_all();
    }
}
