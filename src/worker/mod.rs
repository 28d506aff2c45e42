//! `Worker`: the inference thread, and the policy of what it works on.
//!
//! Frames: one slot a camera, the newest wins. Commands come in three ways. Those said on a topic are for all:
//! in continuous mode the newest replaces the one before and is answered on every newest frame; in once mode
//! each is answered on the first frame that comes after it. Requests are one caller's: answered on the newest
//! frame, on a picture of their own, or on frame after frame until the caller has enough. Cameras take turns,
//! all queues are bounded, and a frame asked again is not encoded again. Knows no ROS.

mod answering;
mod in_order;
mod queue;
mod thread;

pub use in_order::InOrder;
pub use queue::{Dropped, MAX_REQUESTS, MAX_WAITING};

use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::outcome::{Outcome, Way};
use crate::segmenter::{Change, Segmenter, Stage};
use queue::Queue;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// When commands of the topic are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// On every newest frame, until another command comes or an empty one clears it.
    Continuous,
    /// Once, on the next frame.
    Once,
}

impl Mode {
    /// `continuous` or `once`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(name: &str) -> Result<Mode> {
        match name {
            "continuous" => Ok(Mode::Continuous),
            "once" => Ok(Mode::Once),
            _ => Err(Error::config("mode", format!("{name:?} is unknown; expected continuous or once"))),
        }
    }
}

/// What the worker needs from the world around it. `I` is a frame as it came.
pub trait Around<I>: Send {
    /// What a caller gets for an outcome.
    type Reply;
    /// Whether anybody would hear an answer for all from this camera. Without one its commands go on waiting.
    fn wanted(&self, camera: usize) -> bool;
    /// The picture in a camera's input, which is worked on from now on.
    ///
    /// # Errors
    /// When it can't be read.
    fn decode(&self, camera: usize, input: &I) -> Result<Frame>;
    /// Takes an outcome away; makes of it what the caller gets.
    fn deliver(&mut self, input: &I, outcome: &Outcome) -> Self::Reply;
}

/// Whether a caller has enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Further {
    /// The next frame, please.
    NextFrame,
    /// That was all.
    Enough,
}

/// The caller's end of a request. It is dropped when the request is over, answered or not.
pub trait Caller<R>: Send {
    /// Work for this request has come to a stage.
    fn stage(&mut self, stage: Stage);
    /// An outcome for this request.
    fn answer(&mut self, outcome: &Outcome, reply: R) -> Further;
}

/// A command that one caller wants answered.
pub struct Request<I, R> {
    /// The command.
    pub text: String,
    /// The noun phrase of the thing meant; `None` to find it in the text.
    pub target: Option<String>,
    /// The camera's index.
    pub camera: usize,
    /// A picture to answer on in place of the camera's.
    pub picture: Option<I>,
    /// Only on frames that come after the request, rather than on the newest that is there.
    pub next_frame: bool,
    /// Thresholds in place of the settings'.
    pub min_score: Option<f32>,
    /// As `min_score`, for the margin.
    pub min_margin: Option<f32>,
    /// The way by which it came, and the caller's name for it.
    pub way: Way,
    /// The caller's own name for it.
    pub id: String,
    /// Set when nobody waits for the answer any more.
    pub cancelled: Arc<AtomicBool>,
    /// Who gets the answers.
    pub caller: Box<dyn Caller<R>>,
}

impl<I, R> Request<I, R> {
    fn over(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

struct State<I, R> {
    queue: Queue<I, R>,
    change: Vec<Change>,
    stop: bool,
    stopped: bool,
}

struct Shared<I, R> {
    state: Mutex<State<I, R>>,
    changed: Condvar,
}

impl<I, R> Shared<I, R> {
    fn lock(&self) -> MutexGuard<'_, State<I, R>> {
        // a panic while the lock is held leaves the state whole: every change is one assignment
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handle to the inference thread; dropping it stops the thread. `R` is what callers get for an outcome.
pub struct Worker<I, R> {
    shared: Arc<Shared<I, R>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<I: Send + Sync + 'static, R: 'static> Worker<I, R> {
    /// Starts the thread for so many cameras.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        segmenter: Segmenter,
        mode: Mode,
        cameras: usize,
        around: impl Around<I, Reply = R> + 'static,
    ) -> Result<Self> {
        let state = State { queue: Queue::new(mode, cameras), change: Vec::new(), stop: false, stopped: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new().name("inference".into()).spawn(move || {
            thread::run(&of_thread, segmenter, around);
            of_thread.lock().stopped = true;
            of_thread.changed.notify_all();
        });
        let thread = thread.map_err(Error::file("inference thread"))?;
        Ok(Worker { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Offers a camera's frame. It takes the place of the one before, worked on or not.
    pub fn offer_frame(&self, camera: usize, input: I) {
        // the frame before is let go without the lock
        let _before = self.shared.lock().queue.offer_frame(camera, input);
        self.shared.changed.notify_all();
    }

    /// Takes a command of a topic, for one camera or all, and returns its number; `text` is an error when the
    /// words never arrived whole. An empty text clears what is in force. One that can't be used is answered
    /// with the reason, and leaves what is in force as it is.
    ///
    /// # Errors
    /// When too many commands wait already; the command is dropped.
    pub fn command(&self, camera: Option<usize>, text: Result<String>) -> Result<u32> {
        let number = self.shared.lock().queue.command(camera, text);
        self.shared.changed.notify_all();
        number
    }

    /// Takes a request and returns its number.
    ///
    /// # Errors
    /// When too many requests wait already; this one is dropped.
    pub fn ask(&self, request: Request<I, R>) -> Result<u32> {
        let number = self.shared.lock().queue.ask(request);
        self.shared.changed.notify_all();
        number
    }

    /// What became of a camera's frames that were never looked at.
    pub fn dropped(&self, camera: usize) -> Dropped {
        self.shared.lock().queue.dropped(camera)
    }

    /// Changes the mode; the topic's commands of the old one are forgotten.
    pub fn set_mode(&self, mode: Mode) {
        self.shared.lock().queue.set_mode(mode);
    }

    /// Puts other settings in force before the next frame.
    pub fn change(&self, change: Change) {
        self.shared.lock().change.push(change);
        self.shared.changed.notify_all();
    }

    /// Forgets the frames that came and what was encoded of them: time went backwards.
    pub fn forget_frames(&self) {
        self.shared.lock().queue.forget_frames();
    }

    /// Forgets everything that was asked and seen; callers are let go without an answer.
    pub fn clear(&self) {
        let _callers = self.shared.lock().queue.clear();
    }

    /// Lets go of the requests that nobody waits for any more.
    pub fn drop_cancelled(&self) {
        let _callers = self.shared.lock().queue.drop_cancelled();
    }

    /// Asks the thread to stop after the stage at hand; true when it did within `patience`.
    pub fn stop(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.shared.lock();
        state.stop = true;
        self.shared.changed.notify_all();
        while !state.stopped {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        self.taken_thread().is_none_or(|thread| thread.join().is_ok())
    }
}

impl<I, R> Worker<I, R> {
    fn taken_thread(&self) -> Option<JoinHandle<()>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<I, R> Drop for Worker<I, R> {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.taken_thread() {
            let _ = thread.join();
        }
    }
}
