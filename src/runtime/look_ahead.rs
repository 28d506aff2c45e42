//! `LookAhead`: where the next frame comes from while this one is worked on, and the thread that decodes it and looks for
//! its proposals meanwhile.

use super::guard::guarded;
use super::host::{FrameReader, Input};
use crate::camera::DepthImage;
use crate::error::Result;
use crate::grounding::{ProposedFrame, Segmenter};
use crate::image::{BlockMeans, Frame};
use crate::proposals::FrameInput;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};

/// The source of next frames.
pub struct LookAhead<'a, I> {
    /// Waits for a frame that is to be answered next, until it is told that the work is over.
    pub next: &'a (dyn Fn(&AtomicBool) -> Option<Input<I>> + Sync),
    /// Wakes whoever waits in `next`.
    pub wake: &'a (dyn Fn() + Sync),
}

/// A frame that was looked at ahead.
pub struct Ahead {
    /// The camera's index.
    pub camera: usize,
    /// The frame's number at its camera.
    pub number: Option<u64>,
    /// Its pixels.
    pub seen: Seen,
    /// Its proposals, unless it shows the same as the frame before.
    pub proposed: Option<Result<ProposedFrame>>,
}

/// A frame's pixels, and what belongs to them.
pub struct Seen {
    /// The image, or why there is none.
    pub frame: Result<Frame>,
    /// The depth that belongs to it.
    pub depth: Option<DepthImage>,
    /// By which it is told from other frames, where that is wanted.
    pub means: Option<Arc<BlockMeans>>,
}

impl Seen {
    /// Decodes a frame; `compares` says whether it is compared with others.
    pub fn of<I>(input: &Input<I>, reader: &impl FrameReader<I>, compares: bool) -> Seen {
        let frame = guarded(|| reader.decode(input.camera, &input.input));
        let depth = guarded(|| Ok(reader.depth(&input.input))).ok().flatten();
        let means = frame.as_ref().ok().filter(|_| compares).map(|frame| Arc::new(BlockMeans::of(frame)));
        Seen { frame, depth, means }
    }
}

/// The view of a camera that its next frame may show again.
#[derive(Clone)]
pub struct KnownView {
    /// The camera's index.
    pub camera: usize,
    /// What it looks like; `None` where frames are not compared.
    pub means: Option<Arc<BlockMeans>>,
    /// Up to which change, levels 0..255, a view is the same.
    pub tolerance: f32,
}

/// Tells the thread that looks ahead that the work is over, also when the work panics.
pub struct UntilDropped<'a> {
    /// Set at the end.
    pub over: &'a AtomicBool,
    /// Wakes the thread.
    pub wake: &'a (dyn Fn() + Sync),
}

impl Drop for UntilDropped<'_> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        (self.wake)();
    }
}

/// Starts to look for the next frame and its proposals. `None` when the system gives no thread: then the frame is looked at
/// when its turn comes.
pub fn start<'scope, 'env, I: Send + Sync>(
    scope: &'scope Scope<'scope, 'env>,
    source: &'scope LookAhead<'_, I>,
    over: &'scope AtomicBool,
    segmenter: &'scope Segmenter,
    reader: &'scope impl FrameReader<I>,
    known: KnownView,
) -> Option<ScopedJoinHandle<'scope, Option<Ahead>>> {
    let look = move || {
        let input = (source.next)(over)?;
        let seen = Seen::of(&input, reader, known.tolerance > 0.0);
        let same = |means: &Arc<BlockMeans>| {
            known.means.as_ref().is_some_and(|known_means| known_means.largest_change(means) <= known.tolerance)
        };
        let is_static = input.camera == known.camera && seen.means.as_ref().is_some_and(same);
        let propose = |frame| {
            let stamp = reader.stamp(&input.input);
            let (depth, given) = (seen.depth.as_ref(), reader.given(&input.input));
            let given = given.as_ref().map(|given| given.as_ref().map_err(String::as_str));
            guarded(|| segmenter.propose(&FrameInput { frame, camera: input.camera, stamp, depth, given }))
        };
        let proposed = seen.frame.as_ref().ok().filter(|_| !is_static).map(propose);
        Some(Ahead { camera: input.camera, number: input.number, seen, proposed })
    };
    thread::Builder::new().name("look-ahead".into()).spawn_scoped(scope, look).ok()
}
