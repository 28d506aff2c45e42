//! `Answering`: encodes what is not encoded yet, and answers all who wait for a frame. The same for the inference
//! thread and for one frame after the other.

use super::camera_state::{CameraState, EncodedInput};
use super::command_cache::CommandCache;
use super::guard::guarded;
use super::host::WorkerHost;
use super::queue::{Job, Pending};
use crate::answer::{Answer, CommandInfo, FrameResult};
use crate::config::AnswerSettings;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::grounding::{EncodedFrame, PreparedConfig, Segmenter, Stage};
use crate::image::Frame;
use crate::language::Command;
use crate::proposals::FrameInput;
use std::ops::ControlFlow;

/// What the work is told while it goes on.
pub struct Control<'a> {
    /// Whether to give up.
    pub stop: &'a dyn Fn() -> bool,
    /// Whether the job's answers still count: to the topic's command of a number, or to its requests.
    pub current: &'a dyn Fn(Option<u32>) -> bool,
}

/// The active segmenter with its caches.
pub struct Answering {
    segmenter: Segmenter,
    cameras: Vec<CameraState>,
    commands: CommandCache,
    frames_epoch: u64,
}

impl Answering {
    /// For so many cameras.
    pub fn new(segmenter: Segmenter, cameras: usize) -> Answering {
        let cameras = (0..cameras).map(|_| CameraState::default()).collect();
        Answering { segmenter, cameras, commands: CommandCache::default(), frames_epoch: 0 }
    }

    /// Puts other settings in force. What was encoded under the old ones is told by its fingerprint.
    ///
    /// # Errors
    /// When new weights can't be loaded; the old settings stay.
    pub fn apply(&mut self, prepared: PreparedConfig) -> Result<()> {
        self.segmenter.apply(prepared)
    }

    /// Discards the frames of earlier epochs.
    pub fn enter(&mut self, frames_epoch: u64) {
        if self.frames_epoch != frames_epoch {
            self.frames_epoch = frames_epoch;
            self.cameras.iter_mut().for_each(CameraState::clear);
        }
    }

    /// Answers all who wait for one frame; gives back the requests that want another.
    pub fn answer<I, R>(
        &mut self,
        job: Job<I, R>,
        host: &mut impl WorkerHost<I, Reply = R>,
        control: &Control,
    ) -> Vec<Pending<I, R>> {
        let Job { camera, frame: number, input, commands, mut requests, .. } = job;
        let usable = commands.iter().any(|one| one.parsed.is_ok()) || requests.iter().any(|one| one.parsed.is_ok());
        let mut go_on = |stage: Stage| {
            let waiting = (control.current)(None);
            for pending in requests.iter_mut().filter(|pending| waiting && !pending.request.is_cancelled()) {
                let told = guarded(|| {
                    pending.request.caller.stage(stage);
                    Ok(())
                });
                drop(told); // a caller that panics is told of nothing more
            }
            let waited_for = commands.iter().any(|one| (control.current)(Some(one.command.number)))
                || waiting && requests.iter().any(|pending| !pending.request.is_cancelled());
            waited_for && !(control.stop)()
        };
        let mut encoded = None;
        // a refused command costs no frame
        if usable {
            encoded = match self.encode(camera, number, &*input, host, &mut go_on) {
                Some(encoded) => Some(encoded),
                None => return Vec::new(), // nobody waits for it any more
            };
        }
        let unseen = Error::Image("not looked at, no command could be used".into());
        let seen = Seen {
            camera,
            frame: encoded.as_ref().and_then(|encoded| encoded.frame.as_ref().ok()),
            encoded: match &encoded {
                Some(EncodedInput { frame: Err(error), .. } | EncodedInput { encoded: Err(error), .. }) => Err(error),
                Some(EncodedInput { encoded: Ok(encoded), .. }) => Ok(encoded),
                None => Err(&unseen),
            },
        };
        let Answering { segmenter, commands: cache, .. } = self;
        let thresholds = segmenter.config().answer.clone();
        let mut cache = Encoder { segmenter, fingerprint: segmenter.fingerprints().text, cache };
        for waiting in commands.iter().filter(|waiting| (control.current)(Some(waiting.command.number))) {
            let answer = cache.answer(&seen, &waiting.parsed, None, &thresholds);
            // once more: it may have been cleared meanwhile
            if (control.current)(Some(waiting.command.number)) {
                deliver(host, &input, &seen.result(&waiting.command, &answer));
            }
        }
        let mut again = Vec::new();
        for mut pending in requests {
            if pending.request.is_cancelled() || !(control.current)(None) {
                continue;
            }
            let request = &mut pending.request;
            let own = AnswerSettings {
                min_score: request.min_score.unwrap_or(thresholds.min_score),
                min_margin: request.min_margin.unwrap_or(thresholds.min_margin),
            };
            let answer = cache.answer(&seen, &pending.parsed, request.target.as_deref(), &own);
            if !(control.current)(None) {
                continue;
            }
            let result = seen.result(&pending.command, &answer);
            let Some(reply) = deliver(host, &input, &result) else { continue };
            let further = guarded(|| Ok(request.caller.answer(&result, reply))).unwrap_or(ControlFlow::Break(()));
            if further.is_continue() && pending.parsed.is_ok() {
                again.push(pending);
            }
        }
        if let (Some(encoded), Some(state)) = (encoded, self.cameras.get_mut(camera)) {
            state.keep(encoded);
        }
        again
    }

    /// Decodes and encodes what is not yet; `None` when `go_on` said no.
    fn encode<I>(
        &mut self,
        camera: usize,
        number: Option<u64>,
        input: &I,
        host: &impl WorkerHost<I>,
        mut go_on: impl FnMut(Stage) -> bool,
    ) -> Option<EncodedInput> {
        let fingerprint = self.segmenter.fingerprints().visual;
        let kept = self.cameras.get_mut(camera).and_then(|state| state.take(number, &fingerprint));
        let encoded = match kept {
            Some(kept) => kept,
            None => {
                if !go_on(Stage::Decoding) {
                    return None;
                }
                let frame = guarded(|| host.decode(camera, input));
                let depth = guarded(|| Ok(host.depth(input))).ok().flatten();
                let encoded = match &frame {
                    Ok(frame) => {
                        let input = FrameInput { frame, camera, stamp: host.stamp(input), depth: depth.as_ref() };
                        match guarded(|| self.segmenter.encode_frame_cancellable(&input, &mut go_on)) {
                            Ok(encoded) => Ok(encoded?),
                            Err(error) => Err(error),
                        }
                    }
                    Err(_) => Err(Error::Image("no frame".into())),
                };
                EncodedInput { number, frame, encoded }
            }
        };
        go_on(Stage::Scoring).then_some(encoded)
    }
}

/// Hands a result to the host; `None` when it panicked, which it then hears of.
fn deliver<I, R>(host: &mut impl WorkerHost<I, Reply = R>, input: &I, result: &FrameResult) -> Option<R> {
    match guarded(|| Ok(host.deliver(input, result))) {
        Ok(reply) => Some(reply),
        Err(error) => {
            let text = format!("command {}: delivering its result: {error}", result.command.number);
            let _ = guarded(|| {
                host.problem(&text);
                Ok(())
            });
            None
        }
    }
}

/// Encodes commands and answers them.
struct Encoder<'a> {
    segmenter: &'a Segmenter,
    fingerprint: Fingerprint,
    cache: &'a mut CommandCache,
}

impl Encoder<'_> {
    fn answer<'s>(
        &mut self,
        seen: &Seen<'s>,
        parsed: &'s Result<Command>,
        target: Option<&str>,
        thresholds: &AnswerSettings,
    ) -> std::result::Result<Answer, Refusal<'s>> {
        let command = parsed.as_ref().map_err(Refusal::Known)?;
        let frame = seen.encoded.map_err(Refusal::Known)?;
        let answered = guarded(|| {
            let encoded = self.cache.encoded(self.segmenter, &self.fingerprint, command, target)?;
            self.segmenter.answer_with(frame, encoded, thresholds)
        });
        answered.map_err(Refusal::Of)
    }
}

/// Why there is no answer.
enum Refusal<'a> {
    /// The command or the frame can't be used, for all who asked.
    Known(&'a Error),
    /// Answering this one command failed.
    Of(Error),
}

/// A frame as far as it could be read and encoded.
struct Seen<'a> {
    camera: usize,
    frame: Option<&'a Frame>,
    encoded: std::result::Result<&'a EncodedFrame, &'a Error>,
}

impl Seen<'_> {
    fn result<'r>(
        &'r self,
        command: &'r CommandInfo,
        answer: &'r std::result::Result<Answer, Refusal<'r>>,
    ) -> FrameResult<'r> {
        let answer = match answer {
            Ok(answer) => Ok(answer),
            Err(Refusal::Known(error)) => Err(*error),
            Err(Refusal::Of(error)) => Err(error),
        };
        FrameResult { camera: self.camera, command, frame: self.frame, answer }
    }
}
