//! `Queue`: who waits for what, and whose turn it is. Policy alone: no threads, no tensors.

use super::{Mode, Request};
use crate::command::Command;
use crate::error::{Error, Result};
use crate::outcome::{Asked, Way};
use std::collections::VecDeque;
use std::sync::Arc;

/// Commands of a topic that may wait for a camera's frame.
pub const MAX_WAITING: usize = 16;
/// Requests that may wait at once, over all cameras.
pub const MAX_REQUESTS: usize = 16;

/// A command of a topic that waits for a frame.
pub(super) struct Waiting {
    pub asked: Asked,
    /// The command, or why it is none.
    pub parsed: Result<Command>,
}

/// A [`Waiting`] at one camera.
struct AtCamera {
    waiting: Arc<Waiting>,
    /// Frames up to this number were there before it, or have been answered.
    after: u64,
}

/// A request that waits.
pub(super) struct Pending<I, R> {
    pub asked: Asked,
    pub parsed: Result<Command>,
    pub request: Request<I, R>,
    /// Frames up to this number don't do.
    after: u64,
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
    /// Number of the newest frame, 0 before the first. Goes on when frames are forgotten.
    number: u64,
    /// In continuous mode, the command in force.
    standing: Option<AtCamera>,
    /// Commands to be answered once: all in once mode, refused ones in both.
    once: VecDeque<AtCamera>,
}

/// One frame with all who are to be answered on it.
pub(super) struct Job<I, R> {
    pub camera: usize,
    /// Number of the camera's frame; `None` for a picture of the request's own.
    pub frame: Option<u64>,
    pub input: Arc<I>,
    pub commands: Vec<Arc<Waiting>>,
    pub requests: Vec<Pending<I, R>>,
}

pub(super) struct Queue<I, R> {
    mode: Mode,
    asked: u32,
    cameras: Vec<Camera<I>>,
    requests: VecDeque<Pending<I, R>>,
    /// The camera whose turn is next; the number of cameras stands for pictures of the requests' own.
    turn: usize,
    /// Counts what makes encoded frames worthless.
    pub epoch: u64,
}

impl<I, R> Queue<I, R> {
    pub fn new(mode: Mode, cameras: usize) -> Self {
        let dropped = Dropped::default();
        let camera =
            |_| Camera { newest: None, looked_at: 0, dropped, number: 0, standing: None, once: VecDeque::new() };
        let cameras = (0..cameras).map(camera).collect();
        Queue { mode, asked: 0, cameras, requests: VecDeque::new(), turn: 0, epoch: 0 }
    }

    /// Returns the frame whose place it took.
    pub fn offer_frame(&mut self, camera: usize, input: I) -> Option<Arc<I>> {
        let requested = self.requests.iter().any(|pending| pending.request.camera == camera);
        let camera = &mut self.cameras[camera];
        if camera.newest.is_some() && camera.looked_at < camera.number {
            let asked = requested || camera.standing.is_some() || !camera.once.is_empty();
            let count = if asked { &mut camera.dropped.superseded } else { &mut camera.dropped.unasked };
            *count += 1;
        }
        camera.number += 1;
        camera.newest.replace(Arc::new(input))
    }

    /// What became of a camera's frames that were never looked at.
    pub fn dropped(&self, camera: usize) -> Dropped {
        self.cameras[camera].dropped
    }

    fn number(&mut self, text: &str, way: Way, id: String) -> Asked {
        self.asked += 1;
        // NUL ends a string in ROS's C layer and can't be sent back
        Asked { text: text.replace('\0', " "), number: self.asked, way, id }
    }

    pub fn command(&mut self, camera: Option<usize>, text: Result<String>) -> Result<u32> {
        let chosen = camera.map_or(0..self.cameras.len(), |camera| camera..camera + 1);
        if matches!(&text, Ok(text) if text.trim().is_empty()) {
            self.asked += 1;
            for camera in &mut self.cameras[chosen] {
                camera.standing = None;
                camera.once.clear();
            }
            return Ok(self.asked);
        }
        let (text, parsed) = match text {
            Ok(text) => parse(text),
            Err(error) => (String::new(), Err(error)),
        };
        let once = self.mode == Mode::Once || parsed.is_err();
        if once && self.cameras[chosen.clone()].iter().any(|camera| camera.once.len() >= MAX_WAITING) {
            return Err(Error::Command(format!(
                "{MAX_WAITING} commands wait for a frame already; this one is dropped"
            )));
        }
        let asked = self.number(&text, Way::Topic, String::new());
        let number = asked.number;
        let waiting = Arc::new(Waiting { asked, parsed });
        for camera in &mut self.cameras[chosen] {
            let at = AtCamera { waiting: waiting.clone(), after: camera.number };
            if once {
                camera.once.push_back(at);
            } else {
                camera.standing = Some(at);
            }
        }
        Ok(number)
    }

    pub fn ask(&mut self, request: Request<I, R>) -> Result<u32> {
        self.requests.retain(|pending| !pending.request.over());
        if self.requests.len() >= MAX_REQUESTS {
            return Err(Error::Command(format!(
                "{MAX_REQUESTS} requests wait already; ask again when some are answered"
            )));
        }
        let (text, parsed) = parse(request.text.clone());
        let asked = self.number(&text, request.way, request.id.clone());
        let number = asked.number;
        let after = if request.next_frame { self.cameras[request.camera].number } else { 0 };
        self.requests.push_back(Pending { asked, parsed, request, after });
        Ok(number)
    }

    pub fn set_mode(&mut self, mode: Mode) {
        if self.mode != mode {
            self.mode = mode;
            for camera in &mut self.cameras {
                camera.standing = None;
                camera.once.clear();
            }
        }
    }

    pub fn forget_frames(&mut self) {
        self.epoch += 1;
        for camera in &mut self.cameras {
            camera.newest = None;
        }
    }

    pub fn clear(&mut self) -> VecDeque<Pending<I, R>> {
        self.forget_frames();
        for camera in &mut self.cameras {
            camera.standing = None;
            camera.once.clear();
        }
        std::mem::take(&mut self.requests)
    }

    pub fn drop_cancelled(&mut self) -> Vec<Pending<I, R>> {
        let (over, waiting) = self.requests.drain(..).partition(|pending| pending.request.over());
        self.requests = waiting;
        Vec::from(over)
    }

    /// The next frame to work on, if there is any; `wanted` says whether a camera's answers for all are heard.
    pub fn next_job(&mut self, wanted: impl Fn(usize) -> bool) -> Option<Job<I, R>> {
        self.requests.retain(|pending| !pending.request.over());
        let (places, turn) = (self.cameras.len() + 1, self.turn);
        for place in (0..places).map(|step| (turn + step) % places) {
            let job = match place < self.cameras.len() {
                true => self.camera_job(place, &wanted),
                false => self.picture_job(),
            };
            if job.is_some() {
                self.turn = (place + 1) % places;
                return job;
            }
        }
        None
    }

    fn picture_job(&mut self) -> Option<Job<I, R>> {
        let at = self.requests.iter().position(|pending| pending.request.picture.is_some())?;
        let mut pending = self.requests.remove(at)?;
        let input = Arc::new(pending.request.picture.take()?);
        let camera = pending.request.camera;
        Some(Job { camera, frame: None, input, commands: Vec::new(), requests: vec![pending] })
    }

    fn camera_job(&mut self, place: usize, wanted: &impl Fn(usize) -> bool) -> Option<Job<I, R>> {
        let camera = &mut self.cameras[place];
        let (number, input) = (camera.number, camera.newest.clone()?);
        let (mut commands, mut requests) = (Vec::new(), Vec::new());
        let asked = !camera.once.is_empty() || camera.standing.is_some();
        if asked && wanted(place) {
            let (due, later): (VecDeque<_>, _) = camera.once.drain(..).partition(|at| at.after < number);
            camera.once = later;
            commands.extend(due.into_iter().map(|at| at.waiting));
            if let Some(standing) = camera.standing.as_mut().filter(|standing| standing.after < number) {
                standing.after = number;
                commands.push(standing.waiting.clone());
            }
        }
        let due = |pending: &Pending<I, R>| {
            let of_camera = pending.request.camera == place && pending.request.picture.is_none();
            of_camera && pending.after < number
        };
        for _ in 0..self.requests.len() {
            // each once around, so that those left keep their order
            let Some(pending) = self.requests.pop_front() else { break };
            if due(&pending) {
                requests.push(pending);
            } else {
                self.requests.push_back(pending);
            }
        }
        let any = !commands.is_empty() || !requests.is_empty();
        if any {
            self.cameras[place].looked_at = number;
        }
        any.then_some(Job { camera: place, frame: Some(number), input, commands, requests })
    }

    /// A request that wants more frames after the one of this number.
    pub fn ask_again(&mut self, mut pending: Pending<I, R>, answered: u64) {
        pending.after = answered;
        self.requests.push_back(pending);
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
    use super::super::{Caller, Further};
    use super::*;
    use crate::outcome::Outcome;
    use crate::segmenter::Stage;
    use std::sync::atomic::{AtomicBool, Ordering};

    struct Nobody;

    impl Caller<()> for Nobody {
        fn stage(&mut self, _: Stage) {}
        fn answer(&mut self, _: &Outcome, (): ()) -> Further {
            Further::Enough
        }
    }

    fn request(camera: usize, id: &str) -> Request<u32, ()> {
        Request {
            text: "the mug".into(),
            target: None,
            camera,
            picture: None,
            next_frame: false,
            min_score: None,
            min_margin: None,
            way: Way::Service,
            id: id.into(),
            cancelled: Arc::new(AtomicBool::new(false)),
            caller: Box::new(Nobody),
        }
    }

    /// Camera and frame of the next job with the names of its requests.
    fn next(queue: &mut Queue<u32, ()>) -> Option<(usize, u32, Vec<String>)> {
        let job = queue.next_job(|_| true)?;
        Some((job.camera, *job.input, job.requests.into_iter().map(|pending| pending.asked.id).collect()))
    }

    #[test]
    fn cameras_take_turns_however_fast_one_of_them_is() {
        let mut queue = Queue::new(Mode::Continuous, 2);
        queue.command(None, Ok("the mug".into())).unwrap();
        let mut served = Vec::new();
        for frame in 1..=6 {
            queue.offer_frame(0, frame);
            if frame % 3 == 1 {
                queue.offer_frame(1, 100 + frame);
            }
            served.push(next(&mut queue).unwrap().1);
        }
        assert_eq!(served, [1, 101, 3, 104, 5, 6]);
        assert_eq!(next(&mut queue), None);
    }

    #[test]
    fn frames_that_are_never_looked_at_are_counted_by_their_reason() {
        let mut queue = Queue::new(Mode::Continuous, 1);
        (1..=3).for_each(|frame| drop(queue.offer_frame(0, frame)));
        queue.command(None, Ok("the mug".into())).unwrap();
        queue.offer_frame(0, 4);
        assert_eq!(queue.dropped(0).unasked + queue.dropped(0).superseded, 3);
        next(&mut queue).unwrap();
        (5..=7).for_each(|frame| drop(queue.offer_frame(0, frame)));
        next(&mut queue).unwrap();
        queue.offer_frame(0, 8);
        assert_eq!(queue.dropped(0), Dropped { unasked: 2, superseded: 3 });
    }

    #[test]
    fn a_command_for_one_camera_concerns_no_other() {
        let mut queue = Queue::new(Mode::Continuous, 2);
        queue.command(Some(1), Ok("the mug".into())).unwrap();
        queue.offer_frame(0, 1);
        queue.offer_frame(1, 2);
        assert_eq!(next(&mut queue), Some((1, 2, vec![])));
        assert_eq!(next(&mut queue), None);
        queue.command(None, Ok("the cup".into())).unwrap();
        assert_eq!(next(&mut queue), None, "frames before the command don't count");
        queue.command(Some(1), Ok(String::new())).unwrap();
        queue.offer_frame(0, 3);
        queue.offer_frame(1, 4);
        assert_eq!(next(&mut queue), Some((0, 3, vec![])));
        assert_eq!(next(&mut queue), None);
    }

    #[test]
    fn requests_take_the_newest_frame_or_the_next_or_their_own_picture() {
        let mut queue = Queue::new(Mode::Once, 1);
        queue.offer_frame(0, 1);
        queue.ask(request(0, "newest")).unwrap();
        queue.ask(Request { next_frame: true, ..request(0, "next") }).unwrap();
        queue.ask(Request { picture: Some(77), ..request(0, "own") }).unwrap();
        assert_eq!(next(&mut queue), Some((0, 1, vec!["newest".into()])));
        assert_eq!(next(&mut queue), Some((0, 77, vec!["own".into()])));
        assert_eq!(next(&mut queue), None);
        queue.offer_frame(0, 2);
        assert_eq!(next(&mut queue), Some((0, 2, vec!["next".into()])));
    }

    #[test]
    fn all_who_wait_for_a_frame_are_answered_on_it_together() {
        let mut queue = Queue::new(Mode::Once, 1);
        queue.command(None, Ok("the mug".into())).unwrap();
        queue.ask(request(0, "a")).unwrap();
        queue.ask(request(0, "b")).unwrap();
        queue.offer_frame(0, 1);
        let job = queue.next_job(|_| true).unwrap();
        let numbers: Vec<u32> = job.commands.iter().map(|waiting| waiting.asked.number).collect();
        assert_eq!(numbers, [1]);
        let numbers: Vec<u32> = job.requests.iter().map(|pending| pending.asked.number).collect();
        assert_eq!(numbers, [2, 3]);
    }

    #[test]
    fn a_request_that_wants_more_waits_for_a_newer_frame() {
        let mut queue = Queue::new(Mode::Once, 1);
        queue.ask(request(0, "goal")).unwrap();
        queue.offer_frame(0, 1);
        let job = queue.next_job(|_| true).unwrap();
        for pending in job.requests {
            queue.ask_again(pending, job.frame.unwrap());
        }
        assert_eq!(next(&mut queue), None);
        queue.offer_frame(0, 2);
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
        queue.command(None, Ok("the mug".into())).unwrap();
        queue.ask(request(0, "a")).unwrap();
        queue.offer_frame(0, 1);
        let job = queue.next_job(|_| false).unwrap();
        assert_eq!((job.commands.len(), job.requests.len()), (0, 1));
        assert!(queue.next_job(|_| false).is_none());
        assert_eq!(queue.next_job(|_| true).unwrap().commands.len(), 1);
    }

    #[test]
    fn forgotten_frames_are_not_answered_on() {
        let mut queue = Queue::new(Mode::Continuous, 1);
        queue.command(None, Ok("the mug".into())).unwrap();
        queue.offer_frame(0, 1);
        queue.forget_frames();
        queue.ask(request(0, "a")).unwrap();
        assert_eq!(next(&mut queue), None);
        queue.offer_frame(0, 2);
        assert_eq!(next(&mut queue), Some((0, 2, vec!["a".into()])));
    }
}
