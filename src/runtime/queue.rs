//! `Queue`: which commands and requests are answered on which frame, and which camera is next. Policy alone: no threads, no tensors.
//!
//! Every [`Job`] carries a [`Ticket`] with the [`Epoch`] in which it was taken. When the queue is cleared the epoch changes, and
//! results of jobs of an earlier one are discarded.

use super::camera_queue::{CameraQueue, Dropped, FrameNumber, TopicCommand};
use super::mode::Mode;
use super::request::Request;
use crate::answer::{CommandInfo, Origin};
use crate::language::Command;
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;

/// Requests that may wait at once, over all cameras.
pub const MAX_REQUESTS: usize = 16;

/// A request that waits for a frame after `after`.
pub struct Pending<I, R> {
    pub command: CommandInfo,
    pub parsed: Result<Command>,
    pub request: Request<I, R>,
    after: FrameNumber,
}

impl<I, R> Pending<I, R> {
    /// Whether a camera's frame of this number would do.
    fn waits_for(&self, camera: usize, number: FrameNumber) -> bool {
        self.request.camera == camera && self.request.image.is_none() && self.after < number
    }
}

/// A command of a topic that was taken.
pub struct TakenCommand {
    /// Its number.
    pub number: u32,
    /// Whether tracking of what was found before ends: it was a clear, or a command that can't be used.
    pub ends_tracks: bool,
}

/// Counts the times that the queue, or the encoded frames, were cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch(u64);

/// When and on which frame a job was taken.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    pub epoch: Epoch,
    /// The camera's index.
    pub camera: usize,
    /// The camera's frame; `None` for an image of the request's own.
    pub frame: Option<FrameNumber>,
}

/// One frame with all that is to be answered on it.
pub struct Job<I, R> {
    pub ticket: Ticket,
    pub input: Arc<I>,
    pub commands: Vec<Arc<TopicCommand>>,
    /// Number of the last command of the topic that was cleared.
    pub cleared: u32,
    pub requests: Vec<Pending<I, R>>,
}

/// Commands, requests and newest frames.
pub struct Queue<I, R> {
    mode: Mode,
    /// Number of commands of all origins.
    count: u32,
    cameras: Vec<CameraQueue<I>>,
    requests: VecDeque<Pending<I, R>>,
    /// The camera to serve next; the number of cameras stands for the images that requests bring.
    turn: usize,
    epoch: Epoch,
    frames_epoch: Epoch,
    active: bool,
}

impl<I, R> Queue<I, R> {
    /// An active queue for this number of cameras.
    pub fn new(mode: Mode, cameras: usize) -> Self {
        let cameras = (0..cameras).map(|_| CameraQueue::new(mode)).collect();
        let (epoch, frames_epoch) = (Epoch::default(), Epoch::default());
        Queue { mode, count: 0, cameras, requests: VecDeque::new(), turn: 0, epoch, frames_epoch, active: true }
    }

    /// An inactive queue takes no frames, commands or requests.
    pub fn set_active(&mut self, active: bool) {
        self.active = active;
    }

    /// Whether frames, commands and requests are taken.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// Changes when encoded frames must be discarded.
    pub fn frames_epoch(&self) -> Epoch {
        self.frames_epoch
    }

    /// Whether the answers of a job are still wanted: to a topic's command of this number, or to its requests.
    pub fn is_current(&self, ticket: Ticket, command: Option<u32>) -> bool {
        ticket.epoch == self.epoch && command.is_none_or(|number| self.cameras[ticket.camera].is_current(number))
    }

    /// Returns the frame that this one replaces.
    pub fn offer_frame(&mut self, camera: usize, input: Arc<I>) -> Option<Arc<I>> {
        if !self.active {
            return None;
        }
        let is_requested = self.requests.iter().any(|pending| pending.request.camera == camera);
        self.cameras[camera].offer_frame(input, is_requested)
    }

    /// What became of a camera's frames that were not processed.
    pub fn dropped(&self, camera: usize) -> Dropped {
        self.cameras[camera].dropped()
    }

    fn numbered(&mut self, text: &str, origin: Origin, id: String, conversation: String) -> CommandInfo {
        self.count += 1;
        // NUL ends a string in ROS's C layer and can't be sent back
        CommandInfo { text: text.replace('\0', " "), number: self.count, origin, id, conversation }
    }

    /// Takes a command of a topic ([`Worker::command`](super::Worker::command)).
    pub fn command(&mut self, camera: Option<usize>, text: Result<String>) -> TakenCommand {
        let chosen = camera.map_or(0..self.cameras.len(), |camera| camera..camera + 1);
        if matches!(&text, Ok(text) if text.trim().is_empty()) {
            self.count += 1;
            self.clear_commands(chosen);
            return TakenCommand { number: self.count, ends_tracks: true };
        }
        let (text, parsed) = match text {
            Ok(text) => parse(text),
            Err(error) => (String::new(), Err(error)),
        };
        let command = self.numbered(&text, Origin::Topic, String::new(), String::new());
        let taken = TakenCommand { number: command.number, ends_tracks: parsed.is_err() };
        if self.active {
            let command = Arc::new(TopicCommand { command, parsed });
            self.cameras[chosen].iter_mut().for_each(|camera| camera.take(command.clone()));
        }
        taken
    }

    /// Takes a request; returns its number.
    ///
    /// # Errors
    /// When [`MAX_REQUESTS`] wait already, or the queue is not active.
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
        let command = self.numbered(&text, request.origin, request.id.clone(), request.conversation.clone());
        let number = command.number;
        let after = if request.next_frame { self.cameras[request.camera].number() } else { FrameNumber::NONE };
        self.requests.push_back(Pending { command, parsed, request, after });
        Ok(number)
    }

    /// Changes the mode; the topic's commands of the old one are discarded.
    pub fn set_mode(&mut self, mode: Mode) {
        if self.mode != mode {
            self.mode = mode;
            self.clear_commands(0..self.cameras.len());
        }
    }

    fn clear_commands(&mut self, cameras: std::ops::Range<usize>) {
        let (mode, number) = (self.mode, self.count);
        self.cameras[cameras].iter_mut().for_each(|camera| camera.clear(mode, number));
    }

    /// Discards the newest frames and their encodings.
    pub fn forget_frames(&mut self) {
        self.frames_epoch.0 += 1;
        self.cameras.iter_mut().for_each(CameraQueue::forget_frame);
    }

    /// Discards all frames and commands, and the results of jobs that run; returns the requests, to be dropped without a lock.
    pub fn clear(&mut self) -> VecDeque<Pending<I, R>> {
        self.forget_frames();
        self.epoch.0 += 1;
        self.clear_commands(0..self.cameras.len());
        std::mem::take(&mut self.requests)
    }

    /// Removes and returns the requests that were cancelled.
    pub fn drop_cancelled(&mut self) -> Vec<Pending<I, R>> {
        let (over, waiting) = self.requests.drain(..).partition(|pending| pending.request.is_cancelled());
        self.requests = waiting;
        Vec::from(over)
    }

    /// The next frame to work on, if there is any; `wanted` says whether a camera's answers have subscribers.
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
        let ticket = Ticket { epoch: self.epoch, camera: pending.request.camera, frame: None };
        Some(Job { ticket, input, commands: Vec::new(), cleared: 0, requests: vec![pending] })
    }

    fn camera_job(&mut self, camera: usize, wanted: &impl Fn(usize) -> bool) -> Option<Job<I, R>> {
        let queue = &mut self.cameras[camera];
        let (number, input) = queue.newest()?;
        let commands = if queue.has_commands() && wanted(camera) { queue.due() } else { Vec::new() };
        let (requests, waiting): (VecDeque<_>, _) =
            self.requests.drain(..).partition(|pending| pending.waits_for(camera, number));
        self.requests = waiting;
        if commands.is_empty() && requests.is_empty() {
            return None;
        }
        queue.set_processed(number);
        let ticket = Ticket { epoch: self.epoch, camera, frame: Some(number) };
        let cleared = queue.cleared();
        Some(Job { ticket, input, commands, cleared, requests: requests.into() })
    }

    /// Takes a request again that wants another frame after its job's; drops it when the queue was cleared since.
    pub fn ask_again(&mut self, pending: Pending<I, R>, ticket: Ticket) {
        self.ask_after(pending, ticket.frame.unwrap_or(FrameNumber::NONE), ticket);
    }

    /// Takes a request again whose thing was found, tracked and lost: the newest frame will do.
    pub fn ask_on_newest(&mut self, pending: Pending<I, R>, ticket: Ticket) {
        self.ask_after(pending, self.cameras[ticket.camera].number().previous(), ticket);
    }

    fn ask_after(&mut self, mut pending: Pending<I, R>, after: FrameNumber, ticket: Ticket) {
        if ticket.epoch == self.epoch {
            pending.after = after;
            self.requests.push_back(pending);
        }
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
    use super::super::camera_queue::MAX_WAITING;
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
            conversation: String::new(),
            cancelled: Arc::new(AtomicBool::new(false)),
            caller: Box::new(Nobody),
        }
    }

    /// Camera and frame of the next job with the names of its requests.
    fn next(queue: &mut Queue<u32, ()>) -> Option<(usize, u32, Vec<String>)> {
        let job = queue.next_job(|_| true)?;
        Some((job.ticket.camera, *job.input, job.requests.into_iter().map(|pending| pending.command.id).collect()))
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
            queue.ask_again(pending, job.ticket);
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
        Some((job.ticket.camera, job.commands.iter().map(|one| (one.command.number, one.parsed.is_ok())).collect()))
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
        assert!(queue.is_current(job.ticket, Some(number)) && queue.is_current(job.ticket, None));
        queue.clear();
        assert!(!queue.is_current(job.ticket, Some(number)) && !queue.is_current(job.ticket, None));
        for pending in job.requests {
            queue.ask_again(pending, job.ticket);
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
        assert!(queue.is_current(job.ticket, Some(number)), "cleared at the other camera alone");
        queue.command(None, Ok(String::new()));
        assert!(!queue.is_current(job.ticket, Some(number)));
        assert!(queue.is_current(job.ticket, None), "requests go on");
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
