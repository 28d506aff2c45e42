//! Requests: the service `~/segment` and the action `~/ground`, answered for one caller.

use super::action_server::{End, Goal, GoalRequest};
use super::camera_frame::CameraFrame;
use super::lock::lock;
use super::node_core::Core;
use super::outputs::{refusal, typed, Reply};
use crate::answer::{FrameResult, Origin, Status};
use crate::grounding::Stage;
use crate::language::Command;
use crate::recordings::{encode, Input, Transport};
use crate::runtime::{Agreement, Caller, Request};
use futures::{Stream, StreamExt};
use r2r::referseg::action::Ground;
use r2r::referseg::msg::Segmentation;
use r2r::referseg::srv::Segment;
use r2r::{ServiceRequest, WrappedTypesupport};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Events of a goal that may wait to be sent; what comes on top is left out of the feedback.
const EVENTS: usize = 16;

/// The threshold that a caller gave, if it lies in its range.
fn given(value: f32, low: f32, high: f32) -> Option<f32> {
    (low..=high).contains(&value).then_some(value)
}

fn some(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}

/// How long a caller waits: what he states, or for 0 the parameter.
fn timeout(core: &Core, stated: &r2r::builtin_interfaces::msg::Duration) -> Result<Duration, String> {
    match (u64::try_from(stated.sec), stated.nanosec) {
        (Ok(0), 0) => Ok(lock(&core.parameters).node().request_timeout),
        (Ok(seconds), nanoseconds) => Ok(Duration::new(seconds, nanoseconds)),
        (Err(_), _) => Err(format!("timeout of {} s; expected 0 or more", stated.sec)),
    }
}

/// Cancels its request when nobody waits any more, however the waiting ends.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct ServiceCaller(Option<oneshot::Sender<Reply>>);

impl Caller<Reply> for ServiceCaller {
    fn stage(&mut self, _: Stage) {}

    fn answer(&mut self, _: &FrameResult, reply: Reply) -> ControlFlow<()> {
        if let Some(caller) = self.0.take() {
            let _ = caller.send(reply); // gone callers are cancelled already
        }
        ControlFlow::Break(())
    }
}

/// Serves `~/segment`. Calls run beside each other; the worker's queue bounds them.
pub async fn serve_segment(core: Arc<Core>, mut calls: impl Stream<Item = ServiceRequest<Segment::Service>> + Unpin) {
    while let Some(call) = calls.next().await {
        let core = core.clone();
        tokio::spawn(async move {
            let result = segment(&core, &call.message).await.unwrap_or_else(|reason| {
                let asked = &call.message;
                refusal(&asked.text, &asked.camera, Origin::Service, &asked.request_id, &reason)
            });
            let _ = call.respond(Segment::Response { result }); // a caller who has gone needs no reply
        });
    }
}

async fn segment(core: &Core, asked: &Segment::Request) -> Result<Segmentation, String> {
    let (worker, camera) = core.worker_for(&asked.camera).await?;
    let image = (asked.image.width > 0 || asked.image.height > 0 || !asked.image.data.is_empty())
        .then(|| {
            let cdr = asked.image.to_serialized_bytes().map_err(|error| format!("image: {error}"))?;
            Input::new(Transport::Raw, cdr).map_err(|error| error.to_string())
        })
        .transpose()?;
    let timeout = timeout(core, &asked.timeout)?;
    let cancel = CancelOnDrop(Arc::default());
    let (sender, reply) = oneshot::channel();
    let own = image.is_some();
    let request = Request {
        text: asked.text.clone(),
        target: some(asked.target.clone()),
        camera,
        image: image.map(|input| CameraFrame::new(input, core.ros.now())),
        next_frame: asked.next_frame,
        by_track: false,
        min_score: given(asked.min_score, -1.0, 1.0),
        min_margin: given(asked.min_margin, 0.0, 2.0),
        origin: Origin::Service,
        id: asked.request_id.clone(),
        conversation: asked.conversation.clone(),
        cancelled: cancel.0.clone(),
        caller: Box::new(ServiceCaller(Some(sender))),
    };
    worker.ask(request).map_err(|error| error.to_string())?;
    match tokio::time::timeout(timeout, reply).await {
        Ok(Ok(Some(cdr))) => typed(&cdr).map_err(|error| error.to_string()),
        Ok(Ok(None)) => Err("the answer could not be written".into()),
        Ok(Err(_)) => Err("the node was deactivated before it answered, or answering failed; its log says more".into()),
        Err(_) if own => Err(format!("not answered within {} s", timeout.as_secs_f64())),
        Err(_) => Err(format!(
            "not answered within {} s; is there a camera on {}?",
            timeout.as_secs_f64(),
            core.image_topic(camera).await
        )),
    }
}

/// What happens to a goal in the inference thread.
enum Event {
    Stage(Stage),
    Frame(Box<FrameReport>),
}

/// A frame that was looked at for a goal.
struct FrameReport {
    status: Status,
    score: f32,
    seen: u32,
    agreeing: u32,
    reached: bool,
    /// The result, when it is the best so far or the one that is enough.
    reply: Reply,
}

/// What a goal ends with.
type Last = Arc<std::sync::Mutex<Option<Box<FrameReport>>>>;

struct GoalCaller {
    agreement: Agreement,
    events: mpsc::Sender<Event>,
    /// The frame that was enough, or else the best so far, reaches the goal even when feedback is left out.
    last: Last,
}

impl Caller<Reply> for GoalCaller {
    fn stage(&mut self, stage: Stage) {
        let _ = self.events.try_send(Event::Stage(stage));
    }

    fn answer(&mut self, result: &FrameResult, reply: Reply) -> ControlFlow<()> {
        let (status, score) = (result.status(), result.score());
        let progress = self.agreement.add(status, result.shown().map(|(mask, _)| mask).as_ref(), score);
        let kept = progress.best || progress.reached;
        let report = |reply| {
            let (seen, agreeing) = (self.agreement.seen(), self.agreement.agreeing());
            Box::new(FrameReport { status, score, seen, agreeing, reached: progress.reached, reply })
        };
        if kept {
            let mut last = lock(&self.last);
            *last = Some(report(reply.clone()));
        }
        let sent = self.events.try_send(Event::Frame(report(reply.filter(|_| kept))));
        let gone = matches!(sent, Err(mpsc::error::TrySendError::Closed(_)));
        if progress.reached || gone {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Serves `~/ground`.
pub async fn serve_ground(core: Arc<Core>, mut goals: impl Stream<Item = GoalRequest> + Unpin) {
    while let Some(offer) = goals.next().await {
        let core = core.clone();
        tokio::spawn(async move {
            if let Err(reason) = execute_goal(&core, offer).await {
                core.logger.warn(&format!("goal refused: {reason}"));
            }
        });
    }
}

async fn execute_goal(core: &Core, offer: GoalRequest) -> Result<(), String> {
    let (asked, id) = (offer.goal().clone(), offer.id());
    let timeout = timeout(core, &asked.timeout);
    let words = Command::parse(&asked.text).map_err(|error| error.to_string());
    let ready = core.worker_for(&asked.camera).await;
    let (worker, camera, timeout) = match (timeout, words, ready) {
        (Ok(timeout), Ok(_), Ok((worker, camera))) => (worker, camera, timeout),
        (Err(reason), ..) | (_, Err(reason), _) | (.., Err(reason)) => {
            offer.reject();
            return Err(reason);
        }
    };
    let cancel = CancelOnDrop(Arc::default());
    let (sender, mut events) = mpsc::channel(EVENTS);
    let last: Last = Arc::default();
    let caller = GoalCaller { agreement: Agreement::of(asked.frame_count), events: sender, last: last.clone() };
    let asking = worker.ask(Request {
        text: asked.text.clone(),
        target: some(asked.target.clone()),
        camera,
        image: None,
        next_frame: !asked.newest_frame,
        by_track: asked.by_track && asked.frame_count > 1,
        min_score: given(asked.min_score, -1.0, 1.0),
        min_margin: None,
        origin: Origin::Action,
        id: id.clone(),
        conversation: asked.conversation.clone(),
        cancelled: cancel.0.clone(),
        caller: Box::new(caller),
    });
    if let Err(error) = asking {
        offer.reject();
        return Err(error.to_string());
    }
    let goal = offer.accept().ok_or("duplicate goal id")?;
    let deadline = tokio::time::sleep(timeout);
    tokio::pin!(deadline);
    let mut feedback = Ground::Feedback::default();
    goal.feedback(feedback.clone());
    let (end, why) = loop {
        tokio::select! {
            event = events.recv() => match event {
                None => {
                    let reached = lock(&last).as_ref().is_some_and(|report| report.reached);
                    break match reached {
                        true => (End::Succeeded, String::new()),
                        false => (End::Aborted, "the node was deactivated".into()),
                    };
                }
                Some(event) => {
                    let reached = matches!(&event, Event::Frame(report) if report.reached);
                    report_progress(&goal, &mut feedback, event);
                    if reached {
                        break (End::Succeeded, String::new());
                    }
                }
            },
            () = goal.cancelled() => break (End::Cancelled, "cancelled".into()),
            () = &mut deadline => break (End::Aborted, format!("not reached within {} s", timeout.as_secs_f64())),
        }
    };
    drop(cancel);
    worker.drop_cancelled();
    let best = lock(&last).take();
    let seen = feedback.frames_seen.max(best.as_ref().map_or(0, |best| best.seen));
    let kept = best.and_then(|best| typed(&best.reply?).ok());
    let refused = |reason: &str| refusal(&asked.text, &asked.camera, Origin::Action, &id, reason);
    let agreed = matches!(end, End::Succeeded);
    let agreeing = if agreed { asked.frame_count.max(1) } else { feedback.frames_agreeing };
    let reason = match (agreed, seen) {
        (true, _) => String::new(),
        (false, 0) => {
            let topic = core.image_topic(camera).await;
            format!("{why}; no frame was looked at: is there a camera on {topic}?")
        }
        (false, _) => format!("{why}: {agreeing} of {} frames in a row agree", asked.frame_count.max(1)),
    };
    let result = kept.unwrap_or_else(|| refused(&reason));
    goal.end(end, Ground::Result { agreed, result, reason, frames_seen: seen, frames_agreeing: agreeing });
    Ok(())
}

fn report_progress(goal: &Goal, feedback: &mut Ground::Feedback, event: Event) {
    feedback.stage = match event {
        Event::Stage(Stage::Waiting) => Ground::Feedback::WAITING as u8,
        Event::Stage(Stage::Decoding) => Ground::Feedback::DECODING as u8,
        Event::Stage(Stage::Proposals) => Ground::Feedback::PROPOSALS as u8,
        Event::Stage(Stage::Features) => Ground::Feedback::FEATURES as u8,
        Event::Stage(Stage::Scoring) => Ground::Feedback::SCORING as u8,
        Event::Frame(report) => {
            (feedback.frames_seen, feedback.frames_agreeing) = (report.seen, report.agreeing);
            if let Some(best) = report.reply.and_then(|cdr| typed(&cdr).ok()) {
                feedback.best_status = encode::status(report.status);
                feedback.best_score = report.score;
                feedback.best_box = best.box_;
            }
            Ground::Feedback::ANSWERED as u8
        }
    };
    goal.feedback(feedback.clone());
}
