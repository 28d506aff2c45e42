//! `FrameEncoder`: encodes the frames of all cameras, and no more of them than it must: a frame that is asked again, or
//! that shows the same as the one before, is taken from the camera's state.

use super::camera_state::{CameraState, EncodedInput};
use super::catch_panic::guarded;
use super::host::{FrameReader, Input};
use super::queue::Epoch;
use crate::grounding::{Segmenter, Stage};
use crate::image::BlockMeans;
use crate::proposals::FrameInput;
use crate::Error;
use std::sync::Arc;

/// The encoded frames of all cameras.
pub struct FrameEncoder {
    cameras: Vec<CameraState>,
    epoch: Epoch,
}

impl FrameEncoder {
    /// For so many cameras.
    pub fn new(cameras: usize) -> FrameEncoder {
        FrameEncoder { cameras: (0..cameras).map(|_| CameraState::default()).collect(), epoch: Epoch::default() }
    }

    /// Discards the frames of earlier epochs.
    pub fn enter(&mut self, epoch: Epoch) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.cameras.iter_mut().for_each(CameraState::clear);
        }
    }

    /// Keeps what was encoded for the next who asks.
    pub fn keep(&mut self, camera: usize, encoded: EncodedInput) {
        if let Some(state) = self.cameras.get_mut(camera) {
            state.keep(encoded);
        }
    }

    /// Decodes and encodes what is not yet, asking `go_on` before each stage; `None` when it said no. Frames of a `live`
    /// camera are compared with the one before.
    pub fn encode<I>(
        &mut self,
        segmenter: &Segmenter,
        input: &Input<I>,
        reader: &impl FrameReader<I>,
        live: bool,
        mut go_on: impl FnMut(Stage) -> bool,
    ) -> Option<EncodedInput> {
        let fingerprint = segmenter.fingerprints().visual;
        let (camera, number) = (input.camera, input.number);
        let mut state = self.cameras.get_mut(camera).filter(|_| number.is_some());
        if let Some(kept) = state.as_mut().and_then(|state| state.take(number, &fingerprint)) {
            return go_on(Stage::Scoring).then_some(kept);
        }
        if !go_on(Stage::Decoding) {
            return None;
        }
        let config = segmenter.config();
        // external proposals for another frame do not apply to this one
        let tolerance = match live && config.proposals_follow_from_frames() {
            true => config.live.static_tolerance,
            false => 0.0,
        };
        let frame = guarded(|| reader.decode(camera, &input.input));
        let depth = guarded(|| Ok(reader.depth(input.camera, &input.input))).ok().flatten();
        let compares = tolerance > 0.0 && state.is_some();
        let means = frame.as_ref().ok().filter(|_| compares).map(|frame| Arc::new(BlockMeans::of(frame)));
        let Ok(pixels) = &frame else {
            let encoded = Err(Error::Image("no frame".into()));
            let failed = EncodedInput { number, frame, encoded, means: None, is_static: false };
            return go_on(Stage::Scoring).then_some(failed);
        };
        let same_view = means.as_ref().zip(state);
        let same_view = same_view.and_then(|(means, state)| state.take_same_view(means, tolerance, &fingerprint));
        if let Some((encoded, means)) = same_view {
            let encoded = Ok(encoded.for_same_view(depth.as_ref()));
            let known = EncodedInput { number, frame, encoded, means: Some(means), is_static: true };
            return go_on(Stage::Scoring).then_some(known);
        }
        if !go_on(Stage::Proposals) {
            return None;
        }
        let (stamp, external) = (reader.stamp(&input.input), reader.given(&input.input));
        let given = external.as_ref().map(|given| given.as_ref().map_err(String::as_str));
        let frame_input = FrameInput { frame: pixels, camera, stamp, depth: depth.as_ref(), given };
        let proposed = guarded(|| segmenter.propose(&frame_input));
        if !go_on(Stage::Features) {
            return None;
        }
        let encode = |proposed| guarded(|| segmenter.encode_proposed(pixels, depth.as_ref(), proposed));
        let encoded = proposed.and_then(encode);
        let encoded = EncodedInput { number, frame, encoded, means, is_static: false };
        go_on(Stage::Scoring).then_some(encoded)
    }
}
