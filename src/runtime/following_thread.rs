//! The following thread: follows what was found into the newest frame of each camera, until it is stopped. Nothing that panics ends it.

use super::catch_panic::guarded;
use super::following::{FollowWork, FollowedRequest};
use super::host::{FrameReader, TrackHost};
use super::shared::Shared;
use crate::answer::{Origin, Status};
use crate::image::Frame;
use std::ops::ControlFlow;

/// Works until the queue stops.
pub fn run<I: Send + Sync, R>(shared: &Shared<I, R>, reader: &impl FrameReader<I>) {
    let following = &shared.following;
    let Some(host) = following.host.clone() else { return };
    while let Some(work) = following.next() {
        let FollowWork { camera, frames, mut requests, cleared } = work;
        let last = frames.len().saturating_sub(1);
        for (at, input) in frames.iter().enumerate() {
            let Some(stamp) = reader.stamp(input) else { continue };
            // the answer on an unreadable frame reports it
            let Ok(frame) = guarded(|| reader.image(input)) else { continue };
            // what is older than the newest one is only passed through
            let is_newest = at == last;
            let followed = guarded(|| Ok(following.tracks(camera).follow(stamp, &frame, is_newest))).unwrap_or(None);
            if let Some(followed) = followed.filter(|_| is_newest && host.wanted(camera)) {
                let _ = guarded(|| {
                    host.deliver(input, camera, &frame, &followed);
                    Ok(())
                });
            }
            requests.retain_mut(|request| {
                let further = || Ok(follow_request(request, camera, stamp, &frame, input, &*host, is_newest));
                guarded(further).unwrap_or(false)
            });
        }
        let (followed, again): (Vec<_>, Vec<_>) = requests.into_iter().partition(|one| !one.tracks.is_idle());
        following.keep(camera, followed, cleared);
        look_again(shared, again);
    }
}

/// Requests whose thing is lost are looked for again.
pub fn look_again<I, R>(shared: &Shared<I, R>, requests: Vec<FollowedRequest<I, R>>) {
    if requests.is_empty() {
        return;
    }
    let mut state = shared.lock();
    for FollowedRequest { pending, ticket, .. } in requests {
        state.queue.ask_on_newest(pending, ticket);
    }
    drop(state);
    shared.changed.notify_all();
}

/// Follows one request's thing into a frame and tells its caller; whether that wants more. A lost thing has no track any more.
fn follow_request<I, R>(
    request: &mut FollowedRequest<I, R>,
    camera: usize,
    stamp: i64,
    frame: &Frame,
    input: &I,
    host: &dyn TrackHost<I, Reply = R>,
    is_newest: bool,
) -> bool {
    let FollowedRequest { pending, tracks, .. } = request;
    if pending.request.is_cancelled() {
        return false;
    }
    let Some(mut followed) = tracks.follow(stamp, frame, is_newest) else { return true };
    followed.command.origin = Origin::Action;
    let result = followed.together(camera, frame);
    let is_lost = result.status() == Status::Lost;
    if is_newest || is_lost {
        let reply = host.reply(input, &result);
        if let ControlFlow::Break(()) = pending.request.caller.answer(&result, reply) {
            return false;
        }
    }
    if is_lost {
        tracks.clear();
    }
    true
}
