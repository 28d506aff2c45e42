//! `Answering`: encodes what is not encoded yet, and answers all who wait for a frame. The same for the inference
//! thread and for one frame after the other.

use super::camera_queue::TopicCommand;
use super::camera_state::EncodedInput;
use super::catch_panic::guarded;
use super::command_cache::CommandCache;
use super::conversations::{Conversations, Dialogue};
use super::following::Following;
use super::frame_encoder::FrameEncoder;
use super::host::{FrameReader, Input, TrackHost, WorkerHost};
use super::queue::{Epoch, Job, Pending, Ticket};
use crate::answer::{Answer, CommandInfo, FrameResult, Status};
use crate::config::AnswerSettings;
use crate::dialogue::ask_back;
use crate::files::fingerprint::Fingerprint;
use crate::grounding::{EncodedFrame, PreparedConfig, Segmenter, Stage};
use crate::image::Frame;
use crate::language::Command;
use crate::{Error, Result};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Requests to the work in progress.
pub struct Control<'a, I, R> {
    /// Whether to give up.
    pub stop: &'a dyn Fn() -> bool,
    /// Whether the job's answers still count: to the topic's command of a number, or to its requests.
    pub current: &'a dyn Fn(Option<u32>) -> bool,
    /// Whether frames are a live camera's, which may show the same again and again.
    pub is_live: bool,
    /// Where what was found is followed.
    pub following: &'a Following<I, R>,
}

/// The active segmenter with its caches.
pub struct Answering {
    segmenter: Segmenter,
    frames: FrameEncoder,
    commands: CommandCache,
    conversations: Conversations,
    dialogue: Dialogue,
}

impl Answering {
    /// For so many cameras.
    pub fn new(segmenter: Segmenter, cameras: usize) -> Answering {
        Answering {
            segmenter,
            frames: FrameEncoder::new(cameras),
            commands: CommandCache::default(),
            conversations: Conversations::default(),
            dialogue: Dialogue::default(),
        }
    }

    /// Applies other settings. Features encoded under the old ones are recognised by their fingerprint.
    ///
    /// # Errors
    /// When new weights can't be loaded; the old settings stay.
    pub fn apply(&mut self, prepared: PreparedConfig) -> Result<()> {
        self.segmenter.apply(prepared)
    }

    /// The segmenter, without what was encoded.
    pub fn into_segmenter(self) -> Segmenter {
        self.segmenter
    }

    /// Discards the frames of earlier epochs.
    pub fn enter(&mut self, frames_epoch: Epoch) {
        self.frames.enter(frames_epoch);
    }

    /// How the node talks.
    pub fn set_dialogue(&mut self, dialogue: Dialogue) {
        self.dialogue = dialogue;
    }

    /// Answers all who wait for one frame; gives back the requests that want another.
    pub fn answer<I: Send + Sync, R>(
        &mut self,
        job: Job<I, R>,
        reader: &impl FrameReader<I>,
        host: &mut impl WorkerHost<I, Reply = R>,
        control: &Control<I, R>,
    ) -> Vec<Pending<I, R>> {
        let Job { ticket, input, commands, cleared, mut requests } = job;
        let (camera, number) = (ticket.camera, ticket.frame);
        let Answering { segmenter, frames, commands: cache, conversations, dialogue } = self;
        conversations.enter(*dialogue, ticket.epoch);
        let segmenter = &*segmenter;
        let input = Input { camera, number, input };
        let heard = |host: &Arc<dyn TrackHost<I, Reply = R>>| !commands.is_empty() && host.wanted(camera);
        let is_followed = number.is_some()
            && (control.following.host.as_ref().is_some_and(heard) || requests.iter().any(|one| one.request.by_track));
        control.following.begin(camera, is_followed);
        let too_old = number.and_then(|_| reader.too_old(&input.input));
        let usable = commands.iter().any(|one| one.parsed.is_ok()) || requests.iter().any(|one| one.parsed.is_ok());
        let usable = usable && too_old.is_none();
        let go_on = |stage: Stage| {
            let waiting = (control.current)(None);
            for pending in requests.iter_mut().filter(|pending| waiting && !pending.request.is_cancelled()) {
                let reported = guarded(|| {
                    pending.request.caller.stage(stage);
                    Ok(())
                });
                drop(reported); // a caller that panics gets no further stages
            }
            let waited_for = commands.iter().any(|one| (control.current)(Some(one.command.number)))
                || waiting && requests.iter().any(|pending| !pending.request.is_cancelled());
            waited_for && !(control.stop)()
        };
        // a refused command costs no frame
        let encoded = usable.then(|| frames.encode(segmenter, &input, reader, control.is_live, go_on));
        if matches!(encoded, Some(None)) {
            return Vec::new(); // nobody waits for it any more
        }
        let encoded = encoded.flatten();
        let mut commands_encoder =
            Encoder { segmenter, fingerprint: segmenter.fingerprints().text, cache, conversations, cleared };
        let unseen = Error::Image(too_old.unwrap_or_else(|| "not examined: no command could be used".into()));
        let at = (ticket, reader.stamp(&input.input).filter(|_| number.is_some()));
        let again = commands_encoder.answer_all(
            &input,
            at,
            encoded.as_ref().ok_or(&unseen),
            (&commands, requests),
            host,
            control,
        );
        if let Some(encoded) = encoded {
            frames.keep(camera, encoded);
        }
        again
    }
}

/// Hands a result to the host; `None` when it panicked, which is then reported to it.
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
    conversations: &'a mut Conversations,
    /// Number of the topic's last command that was cleared.
    cleared: u32,
}

impl Encoder<'_> {
    /// Answers all who wait for a frame that is encoded as far as it could be; gives back the requests that want another.
    fn answer_all<I, R>(
        &mut self,
        input: &Input<I>,
        (ticket, stamp): (Ticket, Option<i64>),
        encoded: std::result::Result<&EncodedInput, &Error>,
        (commands, requests): (&[Arc<TopicCommand>], Vec<Pending<I, R>>),
        host: &mut impl WorkerHost<I, Reply = R>,
        control: &Control<I, R>,
    ) -> Vec<Pending<I, R>> {
        let seen = Seen {
            camera: input.camera,
            frame: encoded.ok().and_then(|encoded| encoded.frame.as_ref().ok()),
            is_static: encoded.is_ok_and(|encoded| encoded.is_static),
            encoded: match encoded {
                Ok(EncodedInput { frame: Err(error), .. } | EncodedInput { encoded: Err(error), .. }) => Err(error),
                Ok(EncodedInput { encoded: Ok(encoded), .. }) => Ok(encoded),
                Err(error) => Err(error),
            },
        };
        let thresholds = self.segmenter.config().answer.clone();
        for waiting in commands.iter().filter(|waiting| (control.current)(Some(waiting.command.number))) {
            let answer = self.answer(&seen, (&waiting.command, &waiting.parsed), None, &thresholds);
            let tracks = match (&answer, seen.frame, stamp) {
                (Ok(answer), Some(frame), Some(stamp)) if (control.current)(Some(waiting.command.number)) => {
                    control.following.ground(input.camera, stamp, frame, &waiting.command, answer)
                }
                _ => Vec::new(),
            };
            // once more: it may have been cleared meanwhile
            if (control.current)(Some(waiting.command.number)) {
                deliver(host, &input.input, &seen.result(&waiting.command, &answer, &tracks));
            } else {
                control.following.clear_commands(Some(input.camera), waiting.command.number);
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
                ..thresholds.clone()
            };
            let answer = self.answer(&seen, (&pending.command, &pending.parsed), request.target.as_deref(), &own);
            if !(control.current)(None) {
                continue;
            }
            let result = seen.result(&pending.command, &answer, &[]);
            let Some(reply) = deliver(host, &input.input, &result) else { continue };
            let further = guarded(|| Ok(request.caller.answer(&result, reply))).unwrap_or(ControlFlow::Break(()));
            if !further.is_continue() || pending.parsed.is_err() {
                continue;
            }
            match (&answer, seen.frame, stamp) {
                (Ok(answer), Some(frame), Some(stamp))
                    if pending.request.by_track && answer.status == Status::Found && control.following.is_on() =>
                {
                    control.following.confirm(pending, ticket, stamp, frame, answer);
                }
                _ => again.push(pending),
            }
        }
        again
    }

    fn answer<'s>(
        &mut self,
        seen: &Seen<'s>,
        (info, parsed): (&CommandInfo, &'s Result<Command>),
        target: Option<&str>,
        thresholds: &AnswerSettings,
    ) -> std::result::Result<Answer, Refusal<'s>> {
        let command = parsed.as_ref().map_err(Refusal::Known)?;
        let frame = seen.encoded.map_err(Refusal::Known)?;
        let answered = guarded(|| self.answer_command(frame, (seen.camera, info), (command, target), thresholds));
        answered.map_err(Refusal::Of)
    }

    /// Answers a command, in the light of its conversation if it has one, with the question that its answer leaves.
    fn answer_command(
        &mut self,
        frame: &EncodedFrame,
        (camera, info): (usize, &CommandInfo),
        (command, target): (&Command, Option<&str>),
        thresholds: &AnswerSettings,
    ) -> Result<Answer> {
        let Encoder { segmenter, fingerprint, cache, conversations, cleared } = self;
        // a target given beside the text is no follow-up
        let speaker = conversations.speaker(camera, *cleared, info).filter(|_| target.is_none());
        let heard = match &speaker {
            Some(speaker) => conversations.hear(segmenter, fingerprint, speaker, (info.number, command))?,
            None => None,
        };
        let encoded = match heard {
            Some(heard) => heard,
            None => cache.encoded(segmenter, fingerprint, command, target)?,
        };
        let mut answer = segmenter.answer_with(frame, encoded, thresholds)?;
        answer.question = ask_back(segmenter, frame, encoded, &answer)?;
        if let Some(speaker) = &speaker {
            conversations.answered(segmenter, speaker, info.number, (frame, &answer));
        }
        Ok(answer)
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
    is_static: bool,
    encoded: std::result::Result<&'a EncodedFrame, &'a Error>,
}

impl Seen<'_> {
    fn result<'r>(
        &'r self,
        command: &'r CommandInfo,
        answer: &'r std::result::Result<Answer, Refusal<'r>>,
        tracks: &'r [u32],
    ) -> FrameResult<'r> {
        let answer = match answer {
            Ok(answer) => Ok(answer),
            Err(Refusal::Known(error)) => Err(*error),
            Err(Refusal::Of(error)) => Err(error),
        };
        let (camera, frame, is_static) = (self.camera, self.frame, self.is_static);
        FrameResult { camera, command, frame, is_static, tracks, following: None, answer }
    }
}
