//! `WaitingFrames`: a camera's frames that wait for their external proposals.

use super::camera_frame::CameraFrame;
use super::lock::lock;
use crate::camera::StampMatcher;
use crate::recordings::ExternalProposalsMessage;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The frames of one camera.
#[derive(Default)]
pub struct WaitingFrames(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    matcher: StampMatcher<CameraFrame, ExternalProposalsMessage>,
    /// Since when frames have waited without one of them being matched.
    since: Option<Instant>,
}

fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}

fn matched((frame, given): (CameraFrame, ExternalProposalsMessage)) -> CameraFrame {
    frame.with_given(Ok(given))
}

impl WaitingFrames {
    /// Takes a frame; gives it back when its proposals are there already. `tolerance`: seconds.
    pub fn frame(&self, frame: CameraFrame, tolerance: f64) -> Option<CameraFrame> {
        let mut waiting = lock(&self.0);
        let (found, _) = waiting.matcher.frame(frame.stamp(), frame.input.bytes(), frame, nanoseconds(tolerance));
        if waiting.matcher.has_frames() {
            waiting.since.get_or_insert_with(Instant::now);
        }
        found.map(matched)
    }

    /// Takes proposals of a stamp; gives back the frame that they belong to.
    pub fn given(&self, stamp: i64, given: ExternalProposalsMessage, tolerance: f64) -> Option<CameraFrame> {
        let mut waiting = lock(&self.0);
        // the frames before are no longer the newest: nobody waits for them
        let (_, found) = waiting.matcher.given(stamp, given, nanoseconds(tolerance));
        if found.is_some() {
            waiting.since = waiting.matcher.has_frames().then(Instant::now);
        }
        found.map(matched)
    }

    /// The newest frame, with the reason, when frames have waited longer than `wait` seconds and nothing was found for any.
    pub fn overdue(&self, tolerance: f64, wait: f64) -> Option<CameraFrame> {
        let mut waiting = lock(&self.0);
        waiting.since.filter(|since| since.elapsed() > Duration::from_secs_f64(wait))?;
        waiting.since = None;
        let frame = waiting.matcher.newest_frame()?;
        let reason = waiting.matcher.reason(frame.stamp(), nanoseconds(tolerance));
        Some(frame.with_given(Err(reason)))
    }

    /// Discards all: time went backwards, or nobody asks any more.
    pub fn clear(&self) {
        let mut waiting = lock(&self.0);
        waiting.matcher.clear();
        waiting.since = None;
    }
}
