//! `Worker`: the inference thread, and the policy of what it works on.
//!
//! Frames: one slot, the newest wins, and only while a command waits for one. Commands: in continuous
//! mode the newest replaces the one before; in once mode each is answered on the first frame that comes
//! after it, and at most [`MAX_WAITING`] wait. Frames are decoded only when they are chosen. Knows no ROS:
//! whatever came with a frame goes back out with its outcome.

use crate::command::Command;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::segmenter::{Answer, Query, Scene, Segmenter};
use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Commands that may wait for a frame in once mode.
pub const MAX_WAITING: usize = 16;

/// When commands are answered.
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

/// A command with the number under which it is answered.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// The text as it was given.
    pub text: String,
    /// 1 for the first command of this worker.
    pub number: u32,
}

/// What became of one command on one frame.
pub struct Outcome<'a, I> {
    /// The frame as it came, with whatever came with it.
    pub input: &'a I,
    /// The decoded frame; absent when it could not be.
    pub frame: Option<&'a Frame>,
    /// The command.
    pub command: &'a Numbered,
    /// The answer with what it was made from.
    pub result: Result<(&'a Scene, &'a Query, Answer)>,
}

/// What the worker needs from the world around it.
pub trait Around<I>: Send {
    /// Whether anybody would hear an answer. Without one no frame is worked on and commands go on waiting.
    fn wanted(&self) -> bool;
    /// The picture in an input.
    ///
    /// # Errors
    /// When it can't be read.
    fn decode(&self, input: &I) -> Result<Frame>;
    /// Takes an outcome away.
    fn deliver(&mut self, outcome: Outcome<I>);
}

/// A command that waits for a frame.
struct Waiting {
    command: Numbered,
    /// The command, or why it is none.
    parsed: Result<Command>,
    /// Frames up to this number came before the command.
    after: u64,
}

/// What is to change in the segmenter between two frames.
type Change = Box<dyn FnOnce(&mut Segmenter) + Send>;

struct State<I> {
    mode: Mode,
    frame: Option<(u64, I)>,
    frames: u64,
    commands: u32,
    /// In continuous mode, the command in force.
    standing: Option<Arc<Waiting>>,
    /// Commands to be answered once: all in once mode, refused ones in both.
    waiting: VecDeque<Arc<Waiting>>,
    change: Option<Change>,
    stop: bool,
    stopped: bool,
}

impl<I> State<I> {
    fn wants_frame(&self) -> bool {
        self.standing.is_some() || !self.waiting.is_empty()
    }

    /// The newest frame and the commands to answer on it, if there are any.
    fn take_work(&mut self) -> Option<(I, Vec<Arc<Waiting>>)> {
        let (number, input) = self.frame.take()?;
        let (due, later): (VecDeque<_>, _) = self.waiting.drain(..).partition(|w| w.after < number);
        self.waiting = later;
        let standing = self.standing.iter().filter(|standing| standing.after < number).cloned();
        let due: Vec<_> = due.into_iter().chain(standing).collect();
        (!due.is_empty()).then_some((input, due))
    }
}

struct Shared<I> {
    state: Mutex<State<I>>,
    changed: Condvar,
}

impl<I> Shared<I> {
    fn lock(&self) -> MutexGuard<'_, State<I>> {
        // a panic while the lock is held leaves the state whole: every change is one assignment
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handle to the inference thread; dropping it stops the thread.
pub struct Worker<I> {
    shared: Arc<Shared<I>>,
    thread: Option<JoinHandle<()>>,
}

impl<I: Send + 'static> Worker<I> {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(segmenter: Segmenter, mode: Mode, around: impl Around<I> + 'static) -> Result<Self> {
        let state = State {
            mode,
            frame: None,
            frames: 0,
            commands: 0,
            standing: None,
            waiting: VecDeque::new(),
            change: None,
            stop: false,
            stopped: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new().name("inference".into()).spawn(move || {
            run(&of_thread, segmenter, around);
            of_thread.lock().stopped = true;
            of_thread.changed.notify_all();
        });
        let thread = thread.map_err(Error::file("inference thread"))?;
        Ok(Worker { shared, thread: Some(thread) })
    }

    /// Offers a frame. It takes the place of one that is not yet worked on; without a command it is dropped.
    pub fn offer_frame(&self, input: I) {
        let mut state = self.shared.lock();
        state.frames += 1;
        if state.wants_frame() {
            state.frame = Some((state.frames, input));
            self.shared.changed.notify_all();
        }
    }

    /// Takes a command and returns its number; `text` is an error when the words never arrived whole. An
    /// empty text clears what is in force. One that can't be used is answered with the reason, and leaves
    /// what is in force as it is.
    ///
    /// # Errors
    /// When too many commands wait already; the command is dropped.
    pub fn command(&self, text: Result<String>) -> Result<u32> {
        let mut state = self.shared.lock();
        let after = state.frames;
        if matches!(&text, Ok(text) if text.trim().is_empty()) {
            state.commands += 1;
            state.standing = None;
            state.waiting.clear();
            return Ok(state.commands);
        }
        let (text, parsed) = match text {
            Ok(text) => {
                let parsed = Command::parse(&text);
                // what is refused may be endless: only its beginning goes back out
                let shown = if parsed.is_ok() { text } else { text.chars().take(200).collect() };
                (shown, parsed)
            }
            Err(error) => (String::new(), Err(error)),
        };
        let once = state.mode == Mode::Once || parsed.is_err();
        if once && state.waiting.len() >= MAX_WAITING {
            return Err(Error::Command(format!(
                "{MAX_WAITING} commands wait for a frame already; this one is dropped"
            )));
        }
        state.commands += 1;
        let number = state.commands;
        // NUL ends a string in ROS's C layer and can't be sent back
        let command = Numbered { text: text.replace('\0', " "), number };
        let waiting = Arc::new(Waiting { command, parsed, after });
        if once {
            state.waiting.push_back(waiting);
        } else {
            state.standing = Some(waiting);
        }
        self.shared.changed.notify_all();
        Ok(number)
    }

    /// Changes the mode; the commands of the old one are forgotten.
    pub fn set_mode(&self, mode: Mode) {
        let mut state = self.shared.lock();
        if state.mode != mode {
            state.mode = mode;
            state.standing = None;
            state.waiting.clear();
        }
    }

    /// Changes the segmenter before the next frame.
    pub fn change(&self, change: impl FnOnce(&mut Segmenter) + Send + 'static) {
        let mut state = self.shared.lock();
        let earlier = state.change.take();
        state.change = Some(Box::new(move |segmenter: &mut Segmenter| {
            if let Some(earlier) = earlier {
                earlier(segmenter);
            }
            change(segmenter);
        }));
        self.shared.changed.notify_all();
    }

    /// Asks the thread to stop after the frame at hand; true when it did within `patience`.
    pub fn stop(&mut self, patience: Duration) -> bool {
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
        self.thread.take().is_none_or(|thread| thread.join().is_ok())
    }
}

impl<I> Drop for Worker<I> {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run<I>(shared: &Shared<I>, mut segmenter: Segmenter, mut around: impl Around<I>) {
    let mut last: Option<(u32, Query)> = None; // text is encoded once for each command
    loop {
        let mut state = shared.lock();
        let (input, due) = loop {
            if state.stop {
                return;
            }
            if let Some(change) = state.change.take() {
                change(&mut segmenter);
                last = None;
            }
            if state.frame.is_some() && !around.wanted() {
                state.frame = None;
            }
            if let Some(work) = state.take_work() {
                break work;
            }
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        answer_all(&input, &due, &mut segmenter, &mut around, &mut last);
    }
}

/// Runs what may fail in a library's depths; a panic becomes an error of this frame alone.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Error::Image(format!("the computation broke down on this frame, this is a bug: {said}")))
    })
}

fn answer_all<I>(
    input: &I,
    due: &[Arc<Waiting>],
    segmenter: &mut Segmenter,
    around: &mut impl Around<I>,
    last: &mut Option<(u32, Query)>,
) {
    let mut decoded: Option<Result<Frame>> = None;
    let mut encoded: Option<Scene> = None;
    for waiting in due {
        let command = &waiting.command;
        let result = guarded(|| {
            let parsed = waiting.parsed.as_ref().map_err(|error| Error::Command(words(error, "command: ")))?;
            let frame = decoded.get_or_insert_with(|| around.decode(input)).as_ref();
            let frame = frame.map_err(|error| Error::Image(words(error, "image: ")))?;
            let query = match last.take() {
                Some((number, query)) if number == command.number => query,
                _ => segmenter.query(parsed)?,
            };
            let scene = match encoded.take() {
                Some(scene) => scene,
                None => segmenter.scene(frame)?,
            };
            let answer = segmenter.answer(&scene, &query)?;
            Ok((&*encoded.insert(scene), &last.insert((command.number, query)).1, answer))
        });
        let frame = decoded.as_ref().and_then(|frame| frame.as_ref().ok());
        around.deliver(Outcome { input, frame, command, result });
    }
}

/// An error's words once more, without the subject that the new error puts before them.
fn words(error: &Error, subject: &str) -> String {
    let all = error.to_string();
    all.strip_prefix(subject).map(str::to_string).unwrap_or(all)
}
