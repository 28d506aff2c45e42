//! `Following`: what is followed at each camera, and the frames that it is followed into. Policy alone; the thread that does the work is
//! [`following_thread`](super::following_thread)'s.
//!
//! An answer is of a frame that passed while it was worked on. So the frames since then are kept, a few, and a thing that was found is
//! followed through them before the newest one.

use super::host::TrackHost;
use super::queue::{Pending, Ticket};
use crate::answer::{Answer, CommandInfo};
use crate::image::Frame;
use crate::tracking::{TrackNumbers, Tracks};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Frames that are kept for a thing that is being looked for, the newest among them.
const FRAMES: usize = 6;
/// Bytes in which they are kept.
const MOST_BYTES: usize = 64 << 20;

/// A request whose thing was found, and is followed until enough frames agree.
pub struct FollowedRequest<I, R> {
    pub pending: Pending<I, R>,
    pub tracks: Tracks,
    /// The ticket of the job that found it.
    pub ticket: Ticket,
}

struct Slot<I, R> {
    /// With their running numbers, oldest first.
    frames: VecDeque<(u64, Arc<I>)>,
    /// Number of the newest frame.
    newest: u64,
    /// Number of the newest frame that was looked at.
    looked_at: u64,
    /// Whether frames are kept beside the newest one: something is looked for that will be followed.
    keeps: bool,
    requests: Vec<FollowedRequest<I, R>>,
    /// Counts what ended requests while one is being worked on.
    cleared: u64,
}

impl<I, R> Slot<I, R> {
    /// Takes a frame of so many bytes; those before are taken to have about as many.
    fn push(&mut self, input: Arc<I>, bytes: usize) {
        if !self.keeps {
            self.frames.clear();
        }
        self.newest += 1;
        self.frames.push_back((self.newest, input));
        let room = MOST_BYTES.checked_div(bytes).unwrap_or(FRAMES).clamp(2, FRAMES);
        while self.frames.len() > room {
            // the one whose neighbours are closest together, so that those left are spread over the time
            let gap = |at: &usize| self.frames[at + 1].0 - self.frames[at - 1].0;
            let at = (1..self.frames.len() - 1).min_by_key(gap).unwrap_or(0);
            self.frames.remove(at);
        }
    }
}

struct State<I, R> {
    slots: Vec<Slot<I, R>>,
    /// The camera to serve next.
    turn: usize,
    stop: bool,
}

/// Frames to follow things into.
pub struct FollowWork<I, R> {
    pub camera: usize,
    /// Oldest first; the last is the newest.
    pub frames: Vec<Arc<I>>,
    pub requests: Vec<FollowedRequest<I, R>>,
    /// To be given back with the requests.
    pub cleared: u64,
}

/// All cameras' tracks and frames.
pub struct Following<I, R> {
    on: AtomicBool,
    numbers: TrackNumbers,
    tracks: Vec<Mutex<Tracks>>,
    state: Mutex<State<I, R>>,
    changed: Condvar,
    /// Who receives tracks; `None` where frames are shown one after the other.
    pub host: Option<Arc<dyn TrackHost<I, Reply = R>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<I, R> Following<I, R> {
    /// For so many cameras; `on` says whether anything is followed.
    pub fn new(cameras: usize, on: bool, host: Option<Arc<dyn TrackHost<I, Reply = R>>>) -> Self {
        let slot = |_| Slot {
            frames: VecDeque::new(),
            newest: 0,
            looked_at: 0,
            keeps: false,
            requests: Vec::new(),
            cleared: 0,
        };
        Following {
            on: AtomicBool::new(on),
            numbers: TrackNumbers::default(),
            tracks: (0..cameras).map(|_| Mutex::default()).collect(),
            state: Mutex::new(State { slots: (0..cameras).map(slot).collect(), turn: 0, stop: false }),
            changed: Condvar::new(),
            host,
        }
    }

    /// Whether anything is followed.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Follows from the next answer on, or nothing any more; then gives back the requests that are to be looked for again.
    pub fn set_on(&self, on: bool) -> Vec<FollowedRequest<I, R>> {
        self.on.store(on, Ordering::Relaxed);
        if on {
            Vec::new()
        } else {
            self.clear()
        }
    }

    /// The tracks of a camera.
    pub fn tracks(&self, camera: usize) -> MutexGuard<'_, Tracks> {
        locked(&self.tracks[camera])
    }

    /// Takes a frame, which takes the place of those before.
    pub fn offer(&self, camera: usize, input: Arc<I>) {
        if let Some(host) = self.host.as_ref().filter(|_| self.is_on()) {
            let bytes = host.bytes(&input);
            locked(&self.state).slots[camera].push(input, bytes);
            self.changed.notify_all();
        }
    }

    /// A frame is being worked on: what comes after it is kept if `keeps`.
    pub fn begin(&self, camera: usize, keeps: bool) {
        if self.is_on() {
            locked(&self.state).slots[camera].keeps = keeps;
        }
    }

    /// Takes an answer to a topic's command; gives the numbers of the tracks of what it found.
    pub fn ground(&self, camera: usize, stamp: i64, frame: &Frame, command: &CommandInfo, answer: &Answer) -> Vec<u32> {
        if !self.is_on() {
            return Vec::new();
        }
        let numbers = self.tracks(camera).ground(stamp, frame, command, answer, &self.numbers);
        self.look_again(camera);
        numbers
    }

    /// Follows a request's thing from the frame in which it was found.
    pub fn confirm(&self, pending: Pending<I, R>, ticket: Ticket, stamp: i64, frame: &Frame, answer: &Answer) {
        let camera = pending.request.camera;
        let mut tracks = Tracks::default();
        tracks.ground(stamp, frame, &pending.command, answer, &TrackNumbers::default());
        locked(&self.state).slots[camera].requests.push(FollowedRequest { pending, tracks, ticket });
        self.look_again(camera);
    }

    fn look_again(&self, camera: usize) {
        locked(&self.state).slots[camera].looked_at = 0;
        self.changed.notify_all();
    }

    /// Ends the tracks of a topic's commands up to a number, of one camera or all: they were cleared.
    pub fn clear_commands(&self, camera: Option<usize>, number: u32) {
        let chosen = camera.map_or(0..self.tracks.len(), |camera| camera..camera + 1);
        chosen.for_each(|camera| self.tracks(camera).clear_up_to(number));
    }

    /// Ends everything and forgets the frames; gives back the requests, to be dropped without a lock.
    pub fn clear(&self) -> Vec<FollowedRequest<I, R>> {
        (0..self.tracks.len()).for_each(|camera| self.tracks(camera).clear());
        let mut state = locked(&self.state);
        let mut requests = Vec::new();
        for slot in &mut state.slots {
            slot.frames.clear();
            slot.cleared += 1;
            requests.append(&mut slot.requests);
        }
        requests
    }

    /// Waits for a frame that something is to be followed into; `None` when the thread is to stop.
    pub fn next(&self) -> Option<FollowWork<I, R>> {
        let host = self.host.as_ref()?;
        let mut state = locked(&self.state);
        loop {
            if state.stop {
                return None;
            }
            let (cameras, turn) = (state.slots.len(), state.turn);
            for camera in (0..cameras).map(|step| (turn + step) % cameras) {
                let slot = &mut state.slots[camera];
                if slot.frames.is_empty() || slot.looked_at == slot.newest {
                    continue;
                }
                let since = {
                    let tracks = self.tracks(camera);
                    (!tracks.is_idle()).then(|| tracks.is_fresh())
                };
                let since = since.filter(|_| host.wanted(camera));
                if since.is_none() && slot.requests.is_empty() {
                    continue;
                }
                let catches_up = since == Some(true) || slot.requests.iter().any(|one| one.tracks.is_fresh());
                let frames = slot.frames.iter().map(|(_, input)| input.clone());
                let frames = frames.skip(if catches_up { 0 } else { slot.frames.len() - 1 }).collect();
                slot.looked_at = slot.newest;
                let (requests, cleared) = (std::mem::take(&mut slot.requests), slot.cleared);
                state.turn = (camera + 1) % cameras;
                return Some(FollowWork { camera, frames, requests, cleared });
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes requests back that go on; drops them when everything was ended meanwhile.
    pub fn keep(&self, camera: usize, requests: Vec<FollowedRequest<I, R>>, cleared: u64) {
        let mut state = locked(&self.state);
        let slot = &mut state.slots[camera];
        if slot.cleared == cleared {
            slot.requests.extend(requests);
        }
    }

    /// Tells the thread to stop.
    pub fn stop(&self) {
        locked(&self.state).stop = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl TrackHost<u32> for Nobody {
        type Reply = ();
        fn wanted(&self, _: usize) -> bool {
            true
        }
        fn bytes(&self, input: &u32) -> usize {
            *input as usize / 64 * usize::from(*input > 1000)
        }
        fn deliver(&self, _: &u32, _: usize, _: &Frame, _: &crate::tracking::FollowedFrame) {}
        fn reply(&self, _: &u32, _: &crate::answer::FrameResult) {}
    }

    fn kept(following: &Following<u32, ()>) -> Vec<u32> {
        locked(&following.state).slots[0].frames.iter().map(|(_, input)| **input).collect()
    }

    #[test]
    fn frames_are_kept_only_while_something_is_looked_for_and_spread_over_that_time() {
        let following = Following::new(1, true, Some(Arc::new(Nobody)));
        (0..10).for_each(|n| following.offer(0, Arc::new(n)));
        assert_eq!(kept(&following), [9]);
        following.begin(0, true);
        (10..60).for_each(|n| following.offer(0, Arc::new(n)));
        let frames = kept(&following);
        assert_eq!((frames.len(), frames[0], frames[FRAMES - 1]), (FRAMES, 9, 59));
        let gaps = frames.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(gaps <= Some(20), "{frames:?}");
        following.begin(0, false);
        following.offer(0, Arc::new(60));
        assert_eq!(kept(&following), [60]);
        following.begin(0, true);
        let large = MOST_BYTES as u32 / 3 * 64;
        (0..10).for_each(|n| following.offer(0, Arc::new(large + n)));
        assert!(kept(&following).len() <= 3, "of a third of the bytes each");
    }

    #[test]
    fn switched_off_nothing_is_kept() {
        let following = Following::new(1, false, Some(Arc::new(Nobody)));
        following.begin(0, true);
        following.offer(0, Arc::new(1));
        assert!(kept(&following).is_empty());
    }
}
