//! `Answering`: encodes what is not encoded yet, and answers all who wait for a frame. The same for the inference
//! thread and for one frame after the other.

use super::queue::Job;
use super::queue::Pending;
use super::{Around, Further};
use crate::command::Command;
use crate::config::AnswerSettings;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::outcome::{Asked, Outcome};
use crate::segmenter::{Change, Query, Scene, Segmenter, Stage};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Encoded commands that are kept: enough for every camera's command and a few requests.
const QUERIES: usize = 16;

/// A camera's frame as far as it is encoded.
struct Encoded {
    camera: usize,
    number: u64,
    frame: Result<Frame>,
    /// Without a frame, an error that is not shown.
    scene: Result<Scene>,
}

/// What was encoded before and may serve again.
#[derive(Default)]
struct Kept {
    epoch: u64,
    frames: Vec<Encoded>,
    queries: Queries,
}

/// A segmenter at work with what it has encoded.
pub(super) struct Answering {
    segmenter: Segmenter,
    kept: Kept,
}

impl Answering {
    pub fn new(segmenter: Segmenter) -> Answering {
        Answering { segmenter, kept: Kept::default() }
    }

    /// Puts other settings in force.
    pub fn change(&mut self, change: Change) {
        let stale = self.segmenter.apply(change);
        if stale.scenes {
            self.kept.frames.clear();
        }
        if stale.queries {
            self.kept.queries = Queries::default();
        }
    }

    /// Forgets the frames of earlier epochs.
    pub fn enter(&mut self, epoch: u64) {
        if self.kept.epoch != epoch {
            self.kept.epoch = epoch;
            self.kept.frames.clear();
        }
    }

    /// Answers all who wait for one frame; gives back the requests that want another. `stop` is asked between
    /// stages.
    pub fn answer<I, R>(
        &mut self,
        job: Job<I, R>,
        around: &mut impl Around<I, Reply = R>,
        stop: impl Fn() -> bool,
    ) -> Vec<Pending<I, R>> {
        let Answering { segmenter, kept } = self;
        let Job { camera, frame: number, input, commands, mut requests } = job;
        let usable = commands.iter().any(|one| one.parsed.is_ok()) || requests.iter().any(|one| one.parsed.is_ok());
        let mut go_on = |stage: Stage| {
            for pending in requests.iter_mut().filter(|pending| !pending.request.over()) {
                pending.request.caller.stage(stage);
            }
            let waited_for = !commands.is_empty() || requests.iter().any(|pending| !pending.request.over());
            waited_for && !stop()
        };
        let mut encoded = kept.take(camera, number);
        // a refused command costs no frame
        if usable {
            encoded = match encode(encoded, camera, number, &*input, segmenter, around, &mut go_on) {
                Some(encoded) => Some(encoded),
                None => return Vec::new(), // nobody waits for it any more
            };
        }
        let unseen = Error::Image("not looked at, no command could be used".into());
        let seen = Seen {
            camera,
            frame: encoded.as_ref().and_then(|encoded| encoded.frame.as_ref().ok()),
            scene: match &encoded {
                Some(Encoded { frame: Err(error), .. } | Encoded { scene: Err(error), .. }) => Err(error),
                Some(Encoded { scene: Ok(scene), .. }) => Ok(scene),
                None => Err(&unseen),
            },
        };
        let thresholds = segmenter.config().answer.clone();
        let queries = &mut kept.queries;
        for waiting in &commands {
            seen.answer(segmenter, queries, &waiting.asked, &waiting.parsed, None, &thresholds, |outcome| {
                around.deliver(&input, outcome);
            });
        }
        let mut again = Vec::new();
        for mut pending in requests {
            let request = &mut pending.request;
            if request.over() {
                continue;
            }
            let thresholds = AnswerSettings {
                min_score: request.min_score.unwrap_or(thresholds.min_score),
                min_margin: request.min_margin.unwrap_or(thresholds.min_margin),
            };
            let (target, caller) = (request.target.as_deref(), &mut request.caller);
            let further =
                seen.answer(segmenter, queries, &pending.asked, &pending.parsed, target, &thresholds, |outcome| {
                    let reply = around.deliver(&input, outcome);
                    caller.answer(outcome, reply)
                });
            if further == Further::NextFrame && pending.parsed.is_ok() {
                again.push(pending);
            }
        }
        if let (Some(encoded), Some(_)) = (encoded, number) {
            kept.frames.push(encoded);
        }
        again
    }
}

/// Decodes and encodes what is not yet; `None` when `go_on` said no.
fn encode<I>(
    encoded: Option<Encoded>,
    camera: usize,
    number: Option<u64>,
    input: &I,
    segmenter: &mut Segmenter,
    around: &impl Around<I>,
    mut go_on: impl FnMut(Stage) -> bool,
) -> Option<Encoded> {
    let encoded = match encoded {
        Some(encoded) => encoded,
        None => {
            if !go_on(Stage::Decoding) {
                return None;
            }
            let frame = guarded(|| around.decode(camera, input));
            let scene = match &frame {
                Ok(frame) => match guarded(|| segmenter.scene_while(frame, &mut go_on)) {
                    Ok(scene) => Ok(scene?),
                    Err(error) => Err(error),
                },
                Err(_) => Err(Error::Image("no frame".into())),
            };
            Encoded { camera, number: number.unwrap_or_default(), frame, scene }
        }
    };
    go_on(Stage::Scoring).then_some(encoded)
}

/// A frame as far as it could be read and encoded.
struct Seen<'a> {
    camera: usize,
    frame: Option<&'a Frame>,
    scene: std::result::Result<&'a Scene, &'a Error>,
}

impl Seen<'_> {
    #[allow(clippy::too_many_arguments)] // the parts of one question
    fn answer<T>(
        &self,
        segmenter: &Segmenter,
        queries: &mut Queries,
        asked: &Asked,
        parsed: &Result<Command>,
        target: Option<&str>,
        thresholds: &AnswerSettings,
        then: impl FnOnce(&Outcome) -> T,
    ) -> T {
        let made = match (parsed, self.scene) {
            (Err(error), _) | (Ok(_), Err(error)) => Err(error),
            (Ok(command), Ok(scene)) => Ok((command, scene)),
        };
        let answered;
        let result = match made {
            Ok((command, scene)) => {
                answered = guarded(|| {
                    let query = queries.query(segmenter, command, target)?;
                    Ok((scene, query, segmenter.answer_by(scene, query, thresholds)?))
                });
                answered.as_ref().map(|(scene, query, answer)| (*scene, *query, answer))
            }
            Err(error) => Err(error),
        };
        then(&Outcome { camera: self.camera, asked, frame: self.frame, result })
    }
}

/// Encoded commands that may serve again, the most recently used last.
#[derive(Default)]
struct Queries(Vec<Query>);

impl Queries {
    /// The encoded command, with the noun phrase given or found.
    fn query(&mut self, segmenter: &Segmenter, command: &Command, target: Option<&str>) -> Result<&Query> {
        let given = target.map(str::to_string);
        let target = given.unwrap_or_else(|| segmenter.target(command));
        let known = self.0.iter().position(|query| query.text == command.text() && query.target == target);
        let query = match known {
            Some(at) => self.0.remove(at),
            None => segmenter.query_for(command.text(), &target)?,
        };
        if self.0.len() >= QUERIES {
            self.0.remove(0);
        }
        self.0.push(query);
        Ok(&self.0[self.0.len() - 1])
    }
}

impl Kept {
    /// Takes a camera's frame out if it is still the one of this number; older ones are of no use any more.
    fn take(&mut self, camera: usize, number: Option<u64>) -> Option<Encoded> {
        let at = self.frames.iter().position(|encoded| encoded.camera == camera)?;
        let number = number?;
        let encoded = self.frames.swap_remove(at);
        (encoded.number == number).then_some(encoded)
    }
}

/// Runs what may fail in a library's depths; a panic becomes an error of this frame alone.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Error::Image(format!("the computation broke down on this frame, this is a bug: {said}")))
    })
}
