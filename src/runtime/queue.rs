//! `Queue`: who waits for what, and whose turn it is. Policy alone: no threads, no tensors.
//!
//! Jobs carry the epoch in which they were taken. When the queue is cleared the epoch changes, and whatever a job of an
//! earlier one still brings counts no more.

use super::mode::Mode;
use super::request::Request;
use crate::answer::{CommandInfo, Origin};
use crate::language::Command;
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;

/// Commands of a topic that may wait for a camera's frame.
pub const MAX_WAITING: usize = 16;
/// Requests that may wait at once, over all cameras.
pub const MAX_REQUESTS: usize = 16;
/// Commands that wait at a camera to be answered with their error: a burst as large as the subscription keeps.
const MAX_REFUSED: usize = 100;

/// A command of a topic that waits for a frame.
pub struct Waiting {
    pub command: CommandInfo,
    /// The command, or why it can't be used.
    pub parsed: Result<Command>,
}

/// A [`Waiting`] at one camera.
struct AtCamera {
    waiting: Arc<Waiting>,
    /// Frames up to this number were there before it, or have been answered.
    after: u64,
}

/// A request that waits.
pub struct Pending<I, R> {
    pub command: CommandInfo,
    pub parsed: Result<Command>,
    pub request: Request<I, R>,
    /// Frames up to this number don't do.
    after: u64,
}

impl<I, R> Pending<I, R> {
    /// Whether a camera's frame of this number would do.
    fn waits_for(&self, camera: usize, number: u64) -> bool {
        self.request.camera == camera && self.request.image.is_none() && self.after < number
    }
}

/// Frames that were never looked at, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// A newer one came while the worker was busy.
    pub superseded: u64,
    /// Nobody had asked.
    pub unasked: u64,
}

struct Camera<I> {
    newest: Option<Arc<I>>,
    /// Number of the last frame that was looked at.
    looked_at: u64,
    dropped: Dropped,
    /// Number of the newest frame, 0 before the first. Goes on when frames are discarded.
    number: u64,
    /// In continuous mode, the command in effect.
    standing: Option<AtCamera>,
    /// In once mode, the commands to be answered.
    once: VecDeque<AtCamera>,
    /// Commands that can only be answered with their error.
    refused: VecDeque<AtCamera>,
    /// Commands up to this number were cleared.
    cleared: u32,
}

impl<I> Camera<I> {
    fn clear(&mut self, number: u32) {
        self.standing = None;
        self.once.clear();
        self.refused.clear();
        self.cleared = number;
    }

    fn refuse(&mut self, refused: AtCamera) {
        if self.refused.len() >= MAX_REFUSED {
            self.refused.pop_front(); // nobody has listened for long
        }
        self.refused.push_back(refused);
    }
}

/// A command of a topic that was taken.
pub struct TakenCommand {
    /// Its number.
    pub number: u32,
    /// Whether what was found before is no longer tracked: it cleared, or nobody knows what was meant.
    pub ends_tracks: bool,
}

/// One frame with all who are to be answered on it.
pub struct Job<I, R> {
    /// The queue's epoch when it was taken.
    pub epoch: u64,
    pub camera: usize,
    /// Number of the camera's frame; `None` for an image of the request's own.
    pub frame: Option<u64>,
    pub input: Arc<I>,
    pub commands: Vec<Arc<Waiting>>,
    pub requests: Vec<Pending<I, R>>,
}

/// Commands, requests and newest frames.
pub struct Queue<I, R> {
    mode: Mode,
    /// Commands so far, over all origins.
    count: u32,
    cameras: Vec<Camera<I>>,
    requests: VecDeque<Pending<I, R>>,
    /// The camera whose turn is next; the number of cameras stands for images of the requests' own.
    turn: usize,
    /// Counts what voids the jobs at hand.
    epoch: u64,
    /// Counts what makes encoded frames worthless.
    frames_epoch: u64,
    active: bool,
}

impl<I, R> Queue<I, R> {
    /// An active queue for so many cameras.
    pub fn new(mode: Mode, cameras: usize) -> Self {
        let camera = |_| Camera {
            newest: None,
            looked_at: 0,
            dropped: Dropped::default(),
            number: 0,
            standing: None,
            once: VecDeque::new(),
            refused: VecDeque::new(),
            cleared: 0,
        };
        let cameras = (0..cameras).map(camera).collect();
        let requests = VecDeque::new();
        Queue { mode, count: 0, cameras, requests, turn: 0, epoch: 0, frames_epoch: 0, active: true }
    }

    /// Takes something from now on, or nothing.
    pub fn set_active(&mut self, active: bool) {
        self.active = active;
    }

    /// Whether anything is taken.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// Changes when encoded frames become worthless.
    pub fn frames_epoch(&self) -> u64 {
        self.frames_epoch
    }

    /// Whether the answers of a job still count: to a topic's command of this number, or to its requests.
    pub fn is_current(&self, epoch: u64, camera: usize, command: Option<u32>) -> bool {
        epoch == self.epoch && command.is_none_or(|number| number > self.cameras[camera].cleared)
    }

    /// Returns the frame whose place it took.
    pub fn offer_frame(&mut self, camera: usize, input: Arc<I>) -> Option<Arc<I>> {
        if !self.active {
            return None;
        }
        let requested = self.requests.iter().any(|pending| pending.request.camera == camera);
        let camera = &mut self.cameras[camera];
        if camera.newest.is_some() && camera.looked_at < camera.number {
            let asked = requested || camera.standing.is_some() || !camera.once.is_empty();
            let count = if asked { &mut camera.dropped.superseded } else { &mut camera.dropped.unasked };
            *count += 1;
        }
        camera.number += 1;
        camera.newest.replace(input)
    }

    /// What became of a camera's frames that were never looked at.
    pub fn dropped(&self, camera: usize) -> Dropped {
        self.cameras[camera].dropped
    }

    fn numbered(&mut self, text: &str, origin: Origin, id: String) -> CommandInfo {
        self.count += 1;
        // NUL ends a string in ROS's C layer and can't be sent back
        CommandInfo { text: text.replace('\0', " "), number: self.count, origin, id }
    }

    /// Takes a command of a topic ([`Worker::command`](super::Worker::command)).
    pub fn command(&mut self, camera: Option<usize>, text: Result<String>) -> TakenCommand {
        let chosen = camera.map_or(0..self.cameras.len(), |camera| camera..camera + 1);
        if matches!(&text, Ok(text) if text.trim().is_empty()) {
            self.count += 1;
            let number = self.count;
            self.cameras[chosen].iter_mut().for_each(|camera| camera.clear(number));
            return TakenCommand { number, ends_tracks: true };
        }
        let (text, parsed) = match text {
            Ok(text) => parse(text),
            Err(error) => (String::new(), Err(error)),
        };
        let command = self.numbered(&text, Origin::Topic, String::new());
        let number = command.number;
        let (once, refused) = (self.mode == Mode::Once, parsed.is_err());
        let taken = TakenCommand { number, ends_tracks: refused };
        if !self.active {
            return taken;
        }
        let waiting = Arc::new(Waiting { command, parsed });
        for camera in &mut self.cameras[chosen] {
            let at = AtCamera { waiting: waiting.clone(), after: camera.number };
            if refused {
                // nobody knows what was meant: nothing is looked for until the next command
                camera.standing = None;
                camera.refuse(at);
            } else if once {
                if camera.once.len() >= MAX_WAITING {
                    if let Some(AtCamera { waiting: oldest, after }) = camera.once.pop_front() {
                        let fact = format!("dropped: {MAX_WAITING} newer commands wait for a frame of this camera");
                        let (command, parsed) = (oldest.command.clone(), Err(Error::Command(fact)));
                        camera.refuse(AtCamera { waiting: Arc::new(Waiting { command, parsed }), after });
                    }
                }
                camera.once.push_back(at);
            } else {
                camera.standing = Some(at);
            }
        }
        taken
    }

    /// Takes a request; returns its number.
    ///
    /// # Errors
    /// When too many wait already, or the queue is not active.
    pub fn ask(&mut self, request: Request<I, R>) -> Result<u32> {
        if !self.active {
            return Err(Error::Command("the node is not active; activate it first".into()));
        }
        self.requests.retain(|pending| !pending.request.is_cancelled());
        if self.requests.len() >= MAX_REQUESTS {
            return Err(Error::Command(format!(
                "{MAX_REQUESTS} requests wait already; ask again when some are answered"
            )));
        }
        let (text, parsed) = parse(request.text.clone());
        let command = self.numbered(&text, request.origin, request.id.clone());
        let number = command.number;
        let after = if request.next_frame { self.cameras[request.camera].number } else { 0 };
        self.requests.push_back(Pending { command, parsed, request, after });
        Ok(number)
    }

    /// Changes the mode; the topic's commands of the old one are discarded.
    pub fn set_mode(&mut self, mode: Mode) {
        if self.mode != mode {
            self.mode = mode;
            let number = self.count;
            self.cameras.iter_mut().for_each(|camera| camera.clear(number));
        }
    }

    /// Discards the frames that came and what was encoded of them.
    pub fn forget_frames(&mut self) {
        self.frames_epoch += 1;
        for camera in &mut self.cameras {
            camera.newest = None;
        }
    }

    /// Discards everything that came, the jobs at hand included; gives back the requests, to be dropped without a lock.
    pub fn clear(&mut self) -> VecDeque<Pending<I, R>> {
        self.forget_frames();
        self.epoch += 1;
        let number = self.count;
        self.cameras.iter_mut().for_each(|camera| camera.clear(number));
        std::mem::take(&mut self.requests)
    }

    /// Gives back the requests that nobody waits for any more.
    pub fn drop_cancelled(&mut self) -> Vec<Pending<I, R>> {
        let (over, waiting) = self.requests.drain(..).partition(|pending| pending.request.is_cancelled());
        self.requests = waiting;
        Vec::from(over)
    }

    /// The next frame to work on, if there is any; `wanted` says whether a camera's answers for all are received.
    pub fn next_job(&mut self, wanted: impl Fn(usize) -> bool) -> Option<Job<I, R>> {
        self.requests.retain(|pending| !pending.request.is_cancelled());
        let (places, turn) = (self.cameras.len() + 1, self.turn);
        for place in (0..places).map(|step| (turn + step) % places) {
            let job = match place < self.cameras.len() {
                true => self.camera_job(place, &wanted),
                false => self.image_job(),
            };
            if job.is_some() {
                self.turn = (place + 1) % places;
                return job;
            }
        }
        None
    }

    fn image_job(&mut self) -> Option<Job<I, R>> {
        let at = self.requests.iter().position(|pending| pending.request.image.is_some())?;
        let mut pending = self.requests.remove(at)?;
        let input = Arc::new(pending.request.image.take()?);
        let (epoch, camera) = (self.epoch, pending.request.camera);
        Some(Job { epoch, camera, frame: None, input, commands: Vec::new(), requests: vec![pending] })
    }

    fn camera_job(&mut self, place: usize, wanted: &impl Fn(usize) -> bool) -> Option<Job<I, R>> {
        let camera = &mut self.cameras[place];
        let (number, input) = (camera.number, camera.newest.clone()?);
        let (mut commands, mut requests) = (Vec::new(), Vec::new());
        let asked = !camera.once.is_empty() || !camera.refused.is_empty() || camera.standing.is_some();
        if asked && wanted(place) {
            for queue in [&mut camera.refused, &mut camera.once] {
                let (due, later): (VecDeque<_>, _) = queue.drain(..).partition(|at| at.after < number);
                *queue = later;
                commands.extend(due.into_iter().map(|at| at.waiting));
            }
            commands.sort_by_key(|waiting| waiting.command.number);
            if let Some(standing) = camera.standing.as_mut().filter(|standing| standing.after < number) {
                standing.after = number;
                commands.push(standing.waiting.clone());
            }
        }
        for _ in 0..self.requests.len() {
            // each once around, so that those left keep their order
            let Some(pending) = self.requests.pop_front() else { break };
            if pending.waits_for(place, number) {
                requests.push(pending);
            } else {
                self.requests.push_back(pending);
            }
        }
        let any = !commands.is_empty() || !requests.is_empty();
        if any {
            self.cameras[place].looked_at = self.cameras[place].looked_at.max(number);
        }
        any.then_some(Job { epoch: self.epoch, camera: place, frame: Some(number), input, commands, requests })
    }

    /// A request that wants more frames after the one of this number; dropped when its job's epoch is over.
    pub fn ask_again(&mut self, mut pending: Pending<I, R>, answered: u64, epoch: u64) {
        if epoch == self.epoch {
            pending.after = answered;
            self.requests.push_back(pending);
        }
    }

    /// A request whose thing was found, followed and lost: it wants a frame that was not looked at.
    pub fn ask_on_newest(&mut self, pending: Pending<I, R>, camera: usize, epoch: u64) {
        let seen = self.cameras[camera].number.saturating_sub(1);
        self.ask_again(pending, seen, epoch);
    }
}

/// The text as it is kept, and the command in it. What is refused may be endless: only its beginning is kept.
fn parse(text: String) -> (String, Result<Command>) {
    let parsed = Command::parse(&text);
    let kept = if parsed.is_ok() { text } else { text.chars().take(200).collect() };
    (kept, parsed)
}

#[cfg(test)]
mod tests {
    use super::super::request::Caller;
    use super::*;
    use crate::answer::FrameResult;
    use crate::grounding::Stage;
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicBool, Ordering};

    struct Nobody;

    impl Caller<()> for Nobody {
        fn stage(&mut self, _: Stage) {}
        fn answer(&mut self, _: &FrameResult, (): ()) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }

    fn request(camera: usize, id: &str) -> Request<u32, ()> {
        Request {
            text: "the mug".into(),
            target: None,
            camera,
            image: None,
            next_frame: false,
            by_track: false,
            min_score: None,
            min_margin: None,
            origin: Origin::Service,
            id: id.into(),
            cancelled: Arc::new(AtomicBool::new(false)),
            caller: Box::new(Nobody),
        }
    }

    /// Camera and frame of the next job with the names of its requests.
    fn next(queue: &mut Queue<u32, ()>) -> Option<(usize, u32, Vec<String>)> {
        let job = queue.next_job(|_| true)?;
        Some((job.camera, *job.input, job.requests.into_iter().map(|pending| pending.command.id).collect()))
    }

    #[test]
    fn cameras_are_served_round_robin_however_fast_one_of_them_is() {
        let mut queue = Queue::new(Mode::Continuous, 2);
        queue.command(None, Ok("the mug".into()));
        let mut served = Vec::new();
        for frame in 1..=6 {
            queue.offer_frame(0, Arc::new(frame));
            if frame % 3 == 1 {
                queue.offer_frame(1, Arc::new(100 + frame));
            }
            served.push(next(&mut queue).unwrap().1);
        }
        assert_eq!(served, [1, 101, 3, 104, 5, 6]);
        assert_eq!(next(&mut queue), None);
    }

    #[test]
    fn frames_that_are_never_looked_at_are_counted_by_their_reason() {
        let mut queue = Queue::new(Mode::Continuous, 1);
        (1..=3).for_each(|frame| drop(queue.offer_frame(0, Arc::new(frame))));
        queue.command(None, Ok("the mug".into()));
        queue.offer_frame(0, Arc::new(4));
        assert_eq!(queue.dropped(0).unasked + queue.dropped(0).superseded, 3);
        next(&mut queue).unwrap();
        (5..=7).for_each(|frame| drop(queue.offer_frame(0, Arc::new(frame))));
        next(&mut queue).unwrap();
        queue.offer_frame(0, Arc::new(8));
        assert_eq!(queue.dropped(0), Dropped { unasked: 2, superseded: 3 });
    }

    #[test]
    fn a_command_for_one_camera_concerns_no_other() {
        let mut queue = Queue::new(Mode::Continuous, 2);
        queue.command(Some(1), Ok("the mug".into()));
        queue.offer_frame(0, Arc::new(1));
        queue.offer_frame(1, Arc::new(2));
        assert_eq!(next(&mut queue), Some((1, 2, vec![])));
        assert_eq!(next(&mut queue), None);
        queue.command(None, Ok("the cup".into()));
        assert_eq!(next(&mut queue), None, "frames before the command don't count");
        queue.command(Some(1), Ok(String::new()));
        queue.offer_frame(0, Arc::new(3));
        queue.offer_frame(1, Arc::new(4));
        assert_eq!(next(&mut queue), Some((0, 3, vec![])));
        assert_eq!(next(&mut queue), None);
    }

    #[test]
    fn requests_take_the_newest_frame_or_the_next_or_their_own_image() {
        let mut queue = Queue::new(Mode::Once, 1);
        queue.offer_frame(0, Arc::new(1));
        queue.ask(request(0, "newest")).unwrap();
        queue.ask(Request { next_frame: true, ..request(0, "next") }).unwrap();
        queue.ask(Request { image: Some(77), ..request(0, "own") }).unwrap();
        assert_eq!(next(&mut queue), Some((0, 1, vec!["newest".into()])));
        assert_eq!(next(&mut queue), Some((0, 77, vec!["own".into()])));
        assert_eq!(next(&mut queue), None);
        queue.offer_frame(0, Arc::new(2));
        assert_eq!(next(&mut queue), Some((0, 2, vec!["next".into()])));
    }

    #[test]
    fn all_who_wait_for_a_frame_are_answered_on_it_together() {
        let mut queue = Queue::new(Mode::Once, 1);
        queue.command(None, Ok("the mug".into()));
        queue.ask(request(0, "a")).unwrap();
        queue.ask(request(0, "b")).unwrap();
        queue.offer_frame(0, Arc::new(1));
        let job = queue.next_job(|_| true).unwrap();
        let numbers: Vec<u32> = job.commands.iter().map(|waiting| waiting.command.number).collect();
        assert_eq!(numbers, [1]);
        let numbers: Vec<u32> = job.requests.iter().map(|pending| pending.command.number).collect();
        assert_eq!(numbers, [2, 3]);
    }

    #[test]
    fn a_request_that_wants_more_waits_for_a_newer_frame() {
        let mut queue = Queue::new(Mode::Once, 1);
        queue.ask(request(0, "goal")).unwrap();
        queue.offer_frame(0, Arc::new(1));
        let job = queue.next_job(|_| true).unwrap();
        for pending in job.requests {
            queue.ask_again(pending, job.frame.unwrap(), job.epoch);
        }
        assert_eq!(next(&mut queue), None);
        queue.offer_frame(0, Arc::new(2));
        assert_eq!(next(&mut queue), Some((0, 2, vec!["goal".into()])));
    }

    #[test]
    fn requests_are_bounded_and_cancelled_ones_make_room() {
        let mut queue: Queue<u32, ()> = Queue::new(Mode::Once, 1);
        let first = request(0, "first");
        let cancelled = first.cancelled.clone();
        queue.ask(first).unwrap();
        for _ in 1..MAX_REQUESTS {
            queue.ask(request(0, "more")).unwrap();
        }
        let refused = queue.ask(request(0, "too many")).unwrap_err().to_string();
        assert_eq!(refused, "command: 16 requests wait already; ask again when some are answered");
        cancelled.store(true, Ordering::Relaxed);
        queue.ask(request(0, "last")).unwrap();
    }

    #[test]
    fn without_listeners_commands_wait_and_requests_do_not() {
        let mut queue = Queue::new(Mode::Once, 1);
        queue.command(None, Ok("the mug".into()));
        queue.ask(request(0, "a")).unwrap();
        queue.offer_frame(0, Arc::new(1));
        let job = queue.next_job(|_| false).unwrap();
        assert_eq!((job.commands.len(), job.requests.len()), (0, 1));
        assert!(queue.next_job(|_| false).is_none());
        assert_eq!(queue.next_job(|_| true).unwrap().commands.len(), 1);
    }

    #[test]
    fn discarded_frames_are_not_answered_on() {
        let mut queue = Queue::new(Mode::Continuous, 1);
        queue.command(None, Ok("the mug".into()));
        queue.offer_frame(0, Arc::new(1));
        queue.forget_frames();
        queue.ask(request(0, "a")).unwrap();
        assert_eq!(next(&mut queue), None);
        queue.offer_frame(0, Arc::new(2));
        assert_eq!(next(&mut queue), Some((0, 2, vec!["a".into()])));
    }

    /// Numbers of the next job's commands, and whether each can be used.
    fn commands(queue: &mut Queue<u32, ()>, wanted: impl Fn(usize) -> bool) -> Option<(usize, Vec<(u32, bool)>)> {
        let job = queue.next_job(wanted)?;
        Some((job.camera, job.commands.iter().map(|one| (one.command.number, one.parsed.is_ok())).collect()))
    }

    #[test]
    fn a_camera_that_nobody_listens_to_blocks_no_other() {
        let mut queue: Queue<u32, ()> = Queue::new(Mode::Once, 2);
        let listened = |camera| camera == 1;
        for number in 1..=3 * MAX_WAITING as u32 {
            queue.offer_frame(0, Arc::new(number));
            queue.offer_frame(1, Arc::new(number));
            assert_eq!(queue.command(None, Ok("the mug".into())).number, number);
            queue.offer_frame(0, Arc::new(number));
            queue.offer_frame(1, Arc::new(number));
            assert_eq!(commands(&mut queue, listened), Some((1, vec![(number, true)])));
        }
        // and what waited too long there is answered with an error, in order
        queue.offer_frame(0, Arc::new(99));
        let (_, waited) = commands(&mut queue, |_| true).unwrap();
        let refused = waited.iter().filter(|(_, usable)| !usable).count();
        assert_eq!((waited.len(), refused), (3 * MAX_WAITING, 2 * MAX_WAITING));
        assert!(waited.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_burst_drops_the_oldest_with_an_error() {
        let mut queue: Queue<u32, ()> = Queue::new(Mode::Once, 1);
        for _ in 0..MAX_WAITING + 2 {
            queue.command(None, Ok("the mug".into()));
        }
        queue.offer_frame(0, Arc::new(1));
        let job = queue.next_job(|_| true).unwrap();
        assert_eq!(job.commands.len(), MAX_WAITING + 2);
        let reason = job.commands[0].parsed.as_ref().unwrap_err().to_string();
        assert!(reason.contains("dropped: 16 newer commands wait"), "{reason}");
        assert!(job.commands[2..].iter().all(|one| one.parsed.is_ok()));
    }

    #[test]
    fn a_job_at_hand_counts_no_more_once_the_queue_is_cleared() {
        let mut queue = Queue::new(Mode::Continuous, 1);
        let number = queue.command(None, Ok("the mug".into())).number;
        queue.ask(request(0, "goal")).unwrap();
        queue.offer_frame(0, Arc::new(1));
        let job = queue.next_job(|_| true).unwrap();
        assert!(queue.is_current(job.epoch, 0, Some(number)) && queue.is_current(job.epoch, 0, None));
        queue.clear();
        assert!(!queue.is_current(job.epoch, 0, Some(number)) && !queue.is_current(job.epoch, 0, None));
        for pending in job.requests {
            queue.ask_again(pending, 1, job.epoch);
        }
        queue.offer_frame(0, Arc::new(2));
        assert_eq!(next(&mut queue), None, "the goal was dropped");
    }

    #[test]
    fn an_empty_command_clears_for_the_job_at_hand_too() {
        let mut queue: Queue<u32, ()> = Queue::new(Mode::Continuous, 2);
        let number = queue.command(None, Ok("the mug".into())).number;
        queue.offer_frame(0, Arc::new(1));
        let job = queue.next_job(|_| true).unwrap();
        queue.command(Some(1), Ok(String::new()));
        assert!(queue.is_current(job.epoch, 0, Some(number)), "cleared at the other camera alone");
        queue.command(None, Ok(String::new()));
        assert!(!queue.is_current(job.epoch, 0, Some(number)));
        assert!(queue.is_current(job.epoch, 0, None), "requests go on");
    }

    #[test]
    fn an_inactive_queue_takes_nothing_and_says_so() {
        let mut queue = Queue::new(Mode::Continuous, 1);
        queue.set_active(false);
        queue.command(None, Ok("the mug".into()));
        queue.offer_frame(0, Arc::new(1));
        let refused = queue.ask(request(0, "a")).unwrap_err().to_string();
        assert!(refused.contains("not active"), "{refused}");
        queue.set_active(true);
        queue.offer_frame(0, Arc::new(2));
        assert_eq!(next(&mut queue), None);
    }
}
