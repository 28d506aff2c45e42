//! `ActionServer`: the goals of `~/ground` with their feedback and results, as rcl_action's servers keep them
//! (design.ros2.org/articles/actions.html).
//!
//! On r2r's services and topics, for r2r's own action server never lets a result go, and from the time when the first one
//! should have gone its timer keeps the ROS thread spinning without a pause.

use super::lock::lock;
use super::node_thread::{Ros, WAITING};
use super::shared_publisher::SharedPublisher;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use r2r::action_msgs::msg::{GoalInfo, GoalStatus, GoalStatusArray};
use r2r::action_msgs::srv::CancelGoal;
use r2r::builtin_interfaces::msg::Time;
use r2r::referseg::action::Ground::{self, FeedbackMessage, GetResult, SendGoal};
use r2r::unique_identifier_msgs::msg::UUID;
use r2r::uuid::Uuid;
use r2r::{Clock, Node, QosProfile, ServiceRequest};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How long a result can be fetched after the goal's end (rcl_action's default).
const KEPT: Duration = Duration::from_secs(10);

/// Why a goal can't be cancelled (`action_msgs/srv/CancelGoal`).
const UNKNOWN: i8 = CancelGoal::Response::ERROR_UNKNOWN_GOAL_ID as i8;
const OVER: i8 = CancelGoal::Response::ERROR_GOAL_TERMINATED as i8;

/// How a goal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What was wanted.
    Succeeded,
    /// Its caller cancelled it.
    Cancelled,
    /// It could not be reached.
    Aborted,
}

/// The action's ends, to be served once the node spins.
pub struct Streams {
    send: BoxStream<'static, ServiceRequest<SendGoal::Service>>,
    cancel: BoxStream<'static, ServiceRequest<CancelGoal::Service>>,
    fetch: BoxStream<'static, ServiceRequest<GetResult::Service>>,
    feedback: SharedPublisher<FeedbackMessage>,
    status: SharedPublisher<GoalStatusArray>,
}

impl Streams {
    /// Opens the action's services and topics.
    ///
    /// # Errors
    /// When ROS refuses.
    pub fn open(node: &mut Node) -> r2r::Result<Streams> {
        let services = || QosProfile::services_default().keep_last(WAITING);
        let latched = QosProfile::default().reliable().transient_local().keep_last(1);
        Ok(Streams {
            send: node.create_service::<SendGoal::Service>("~/ground/_action/send_goal", services())?.boxed(),
            cancel: node.create_service::<CancelGoal::Service>("~/ground/_action/cancel_goal", services())?.boxed(),
            fetch: node.create_service::<GetResult::Service>("~/ground/_action/get_result", services())?.boxed(),
            feedback: SharedPublisher::new(node.create_publisher("~/ground/_action/feedback", QosProfile::default())?),
            status: SharedPublisher::new(node.create_publisher("~/ground/_action/status", latched)?),
        })
    }

    /// Serves them; goals come out to be accepted or rejected.
    pub fn serve(self, ros: &Ros) -> (impl Stream<Item = GoalRequest> + Unpin, Vec<JoinHandle<()>>) {
        let Streams { send, cancel, fetch, feedback, status } = self;
        let (mut cancel, mut fetch) = (ros.drained(cancel), ros.drained(fetch));
        let server = Arc::new(ActionServer { ros: ros.clone(), feedback, status, goals: Mutex::default() });
        let [of_cancel, of_fetch] = std::array::from_fn(|_| server.clone());
        // a caller who has gone needs no reply
        let tasks = vec![
            tokio::spawn(async move {
                while let Some(request) = cancel.next().await {
                    let response = of_cancel.cancel(&request.message.goal_info);
                    let _ = request.respond(response);
                }
            }),
            tokio::spawn(async move {
                while let Some(request) = fetch.next().await {
                    of_fetch.fetch(request);
                }
            }),
        ];
        (ros.drained(send).map(move |request| GoalRequest { server: server.clone(), request }), tasks)
    }
}

/// A goal that is under way or ended not long ago.
struct KnownGoal {
    accepted: Time,
    status: i8,
    cancelled: Arc<Notify>,
    result: Option<Ground::Result>,
    /// Who asked for the result before it was there.
    waiting: Vec<ServiceRequest<GetResult::Service>>,
}

struct ActionServer {
    ros: Ros,
    feedback: SharedPublisher<FeedbackMessage>,
    status: SharedPublisher<GoalStatusArray>,
    goals: Mutex<BTreeMap<Uuid, KnownGoal>>,
}

fn message(id: &Uuid) -> UUID {
    UUID { uuid: id.as_bytes().to_vec() }
}

fn id_of(message: &UUID) -> Uuid {
    Uuid::from_slice(&message.uuid).unwrap_or_default()
}

impl ActionServer {
    /// Changes what is known of the goals and publishes their status.
    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<Uuid, KnownGoal>) -> T) -> T {
        let mut goals = lock(&self.goals);
        let made = change(&mut goals);
        let status = |(id, known): (&Uuid, &KnownGoal)| GoalStatus {
            goal_info: GoalInfo { goal_id: message(id), stamp: known.accepted.clone() },
            status: known.status,
        };
        self.status.publish(&GoalStatusArray { status_list: goals.iter().map(status).collect() });
        made
    }

    fn cancel(&self, asked: &GoalInfo) -> CancelGoal::Response {
        self.change(|goals| {
            let chosen = to_cancel(goals.iter().map(|(id, known)| (*id, &known.accepted, known.status)), asked);
            let (return_code, ids) = match chosen {
                Ok(ids) => (CancelGoal::Response::ERROR_NONE as i8, ids),
                Err(code) => (code, Vec::new()),
            };
            let mut goals_canceling = Vec::new();
            for (id, known) in goals.iter_mut().filter(|(id, _)| ids.contains(id)) {
                known.status = GoalStatus::STATUS_CANCELING as i8;
                known.cancelled.notify_one();
                goals_canceling.push(GoalInfo { goal_id: message(id), stamp: known.accepted.clone() });
            }
            CancelGoal::Response { return_code, goals_canceling }
        })
    }

    fn fetch(&self, request: ServiceRequest<GetResult::Service>) {
        let mut goals = lock(&self.goals);
        let response = match goals.get_mut(&id_of(&request.message.goal_id)) {
            Some(KnownGoal { status, result: Some(result), .. }) => {
                GetResult::Response { status: *status, result: result.clone() }
            }
            Some(KnownGoal { waiting, .. }) => {
                // of so many most have gone
                if waiting.len() >= WAITING {
                    waiting.remove(0);
                }
                return waiting.push(request);
            }
            None => GetResult::Response { status: GoalStatus::STATUS_UNKNOWN as i8, result: Ground::Result::default() },
        };
        drop(goals);
        let _ = request.respond(response); // a caller who has gone needs no reply
    }
}

/// The goals that a request cancels, by `action_msgs/srv/CancelGoal`: the one of its id and all that were accepted until its
/// stamp; without either, all. The code of the refusal when it names one that can't be cancelled.
fn to_cancel<'a>(goals: impl Iterator<Item = (Uuid, &'a Time, i8)>, asked: &GoalInfo) -> Result<Vec<Uuid>, i8> {
    let id = id_of(&asked.goal_id);
    let time = |time: &Time| (time.sec, time.nanosec);
    let (by_id, by_stamp) = (!id.is_nil(), time(&asked.stamp) != (0, 0));
    let (mut chosen, mut known) = (Vec::new(), false);
    for (goal, accepted, status) in goals {
        let named = by_id && goal == id;
        known |= named;
        let meant = named || (by_stamp && time(accepted) <= time(&asked.stamp)) || (!by_id && !by_stamp);
        if meant && status == GoalStatus::STATUS_EXECUTING as i8 {
            chosen.push(goal);
        }
    }
    match (by_id, known) {
        _ if !chosen.is_empty() => Ok(chosen),
        (true, false) => Err(UNKNOWN),
        (true, true) => Err(OVER),
        (false, _) => Ok(chosen),
    }
}

/// A goal that was sent and is neither accepted nor rejected.
pub struct GoalRequest {
    server: Arc<ActionServer>,
    request: ServiceRequest<SendGoal::Service>,
}

impl GoalRequest {
    /// What is wanted.
    pub fn goal(&self) -> &Ground::Goal {
        &self.request.message.goal
    }

    /// The goal's id, in hexadecimal.
    pub fn id(&self) -> String {
        id_of(&self.request.message.goal_id).simple().to_string()
    }

    /// Turns it down.
    pub fn reject(self) {
        let _ = self.request.respond(SendGoal::Response::default()); // a caller who has gone needs no reply
    }

    /// Takes it on; `None`, and it is rejected, when another goal has its id.
    pub fn accept(self) -> Option<Goal> {
        let (id, stamp) = (id_of(&self.request.message.goal_id), Clock::to_builtin_time(&self.server.ros.now()));
        let cancelled = Arc::new(Notify::new());
        let known = KnownGoal {
            accepted: stamp.clone(),
            status: GoalStatus::STATUS_EXECUTING as i8,
            cancelled: cancelled.clone(),
            result: None,
            waiting: Vec::new(),
        };
        let mut fresh = false;
        self.server.change(|goals| {
            goals.entry(id).or_insert_with(|| {
                fresh = true;
                known
            });
        });
        if !fresh {
            self.reject();
            return None;
        }
        let GoalRequest { server, request } = self;
        let _ = request.respond(SendGoal::Response { accepted: true, stamp });
        Some(Goal { server, id, cancelled })
    }
}

/// A goal under way.
pub struct Goal {
    server: Arc<ActionServer>,
    id: Uuid,
    cancelled: Arc<Notify>,
}

impl Goal {
    /// Comes when the caller cancels it.
    pub async fn cancelled(&self) {
        self.cancelled.notified().await;
    }

    /// Publishes its progress.
    pub fn feedback(&self, feedback: Ground::Feedback) {
        self.server.feedback.publish(&FeedbackMessage { goal_id: message(&self.id), feedback });
    }

    /// Ends it.
    pub fn end(self, end: End, result: Ground::Result) {
        let Goal { server, id, .. } = self;
        let status = match end {
            End::Succeeded => GoalStatus::STATUS_SUCCEEDED as i8,
            End::Cancelled => GoalStatus::STATUS_CANCELED as i8,
            End::Aborted => GoalStatus::STATUS_ABORTED as i8,
        };
        let waiting = server.change(|goals| {
            let known = goals.get_mut(&id)?;
            (known.status, known.result) = (status, Some(result.clone()));
            Some(std::mem::take(&mut known.waiting))
        });
        for request in waiting.into_iter().flatten() {
            let _ = request.respond(GetResult::Response { status, result: result.clone() });
        }
        tokio::spawn(async move {
            tokio::time::sleep(KEPT).await;
            // and the latched status no longer lists it
            server.change(|goals| goals.remove(&id));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXECUTING: i8 = GoalStatus::STATUS_EXECUTING as i8;
    const DONE: i8 = GoalStatus::STATUS_SUCCEEDED as i8;

    /// What a request cancels of three goals: 1 and 2, accepted at 10 s and 20 s, and 3, which has ended.
    fn cancelled(id: u128, sec: i32) -> Result<Vec<u128>, i8> {
        let at = |sec| Time { sec, nanosec: 0 };
        let goals = [(1, at(10), EXECUTING), (2, at(20), EXECUTING), (3, at(5), DONE)];
        let goals = goals.iter().map(|(id, at, status)| (Uuid::from_u128(*id), at, *status));
        let asked = GoalInfo { goal_id: message(&Uuid::from_u128(id)), stamp: at(sec) };
        to_cancel(goals, &asked).map(|ids| ids.iter().map(Uuid::as_u128).collect())
    }

    #[test]
    fn a_cancel_request_means_one_goal_or_all_until_a_time_or_all() {
        assert_eq!(cancelled(2, 0), Ok(vec![2]));
        assert_eq!(cancelled(0, 10), Ok(vec![1]));
        assert_eq!(cancelled(2, 10), Ok(vec![1, 2]));
        assert_eq!(cancelled(0, 0), Ok(vec![1, 2]));
        assert_eq!(cancelled(0, 1), Ok(vec![]));
    }

    #[test]
    fn a_goal_that_has_ended_or_never_was_is_refused_by_its_code() {
        assert_eq!(cancelled(3, 0), Err(OVER));
        assert_eq!(cancelled(9, 0), Err(UNKNOWN));
    }
}
