//! `Lifecycle`: the managed node of design.ros2.org/articles/node_lifecycle.html, by its services and events.
//!
//! r2r has none, so the `lifecycle_msgs` services are served here, and the transitions call the node's own work.

use super::lifecycle_state::State::{
    self, Activating, Active, CleaningUp, Configuring, Deactivating, ErrorProcessing, Finalized, Inactive,
    ShuttingDown, Unconfigured,
};
use super::node_core::Core;
use super::node_thread::Ros;
use super::shared_publisher::SharedPublisher;
use futures::stream::BoxStream;
use futures::StreamExt;
use r2r::lifecycle_msgs::msg::{Transition as TransitionMessage, TransitionDescription, TransitionEvent};
use r2r::lifecycle_msgs::srv::{ChangeState, GetAvailableStates, GetAvailableTransitions, GetState};
use r2r::{Node, QosProfile, ServiceRequest};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// A transition that can be asked for.
struct Transition {
    id: u8,
    label: &'static str,
    from: State,
    through: State,
    to: State,
}

type T = TransitionMessage;

const fn transition(id: u8, label: &'static str, from: State, through: State, to: State) -> Transition {
    Transition { id, label, from, through, to }
}

const TRANSITIONS: [Transition; 7] = [
    transition(1, "configure", Unconfigured, Configuring, Inactive),
    transition(2, "cleanup", Inactive, CleaningUp, Unconfigured),
    transition(3, "activate", Inactive, Activating, Active),
    transition(4, "deactivate", Active, Deactivating, Inactive),
    transition(5, "shutdown", Unconfigured, ShuttingDown, Finalized),
    transition(6, "shutdown", Inactive, ShuttingDown, Finalized),
    transition(7, "shutdown", Active, ShuttingDown, Finalized),
];

impl Transition {
    fn message(&self) -> TransitionMessage {
        TransitionMessage { id: self.id, label: self.label.into() }
    }

    fn described(&self) -> TransitionDescription {
        TransitionDescription {
            transition: self.message(),
            start_state: self.from.message(),
            goal_state: self.to.message(),
        }
    }
}

/// The services' requests.
pub struct Streams {
    change: BoxStream<'static, ServiceRequest<ChangeState::Service>>,
    state: BoxStream<'static, ServiceRequest<GetState::Service>>,
    states: BoxStream<'static, ServiceRequest<GetAvailableStates::Service>>,
    transitions: BoxStream<'static, ServiceRequest<GetAvailableTransitions::Service>>,
    graph: BoxStream<'static, ServiceRequest<GetAvailableTransitions::Service>>,
    events: SharedPublisher<TransitionEvent>,
}

impl Streams {
    /// Opens the services of a node.
    ///
    /// # Errors
    /// When ROS refuses.
    pub fn open(node: &mut Node) -> r2r::Result<Streams> {
        let profile = QosProfile::services_default;
        Ok(Streams {
            change: node.create_service::<ChangeState::Service>("~/change_state", profile())?.boxed(),
            state: node.create_service::<GetState::Service>("~/get_state", profile())?.boxed(),
            states: node.create_service::<GetAvailableStates::Service>("~/get_available_states", profile())?.boxed(),
            transitions: node
                .create_service::<GetAvailableTransitions::Service>("~/get_available_transitions", profile())?
                .boxed(),
            graph: node
                .create_service::<GetAvailableTransitions::Service>("~/get_transition_graph", profile())?
                .boxed(),
            events: SharedPublisher::new(
                node.create_publisher("~/transition_event", QosProfile::default().reliable().keep_last(10))?,
            ),
        })
    }
}

/// The node's state and its way to others.
pub struct Lifecycle {
    core: Arc<Core>,
    ros: Ros,
    events: SharedPublisher<TransitionEvent>,
    /// Held through a transition: one at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Lifecycle {
    /// Serves the services.
    pub fn serve(streams: Streams, core: Arc<Core>, ros: Ros) -> (Arc<Lifecycle>, Vec<JoinHandle<()>>) {
        let Streams { change, state, states, transitions, graph, events } = streams;
        let (mut change, mut state, mut states) = (ros.drained(change), ros.drained(state), ros.drained(states));
        let (mut transitions, mut graph) = (ros.drained(transitions), ros.drained(graph));
        let life = Arc::new(Lifecycle { core, ros, events, changing: tokio::sync::Mutex::default() });
        let [of_change, of_state, of_transitions] = std::array::from_fn(|_| life.clone());
        // a caller who has gone needs no reply
        let tasks = vec![
            tokio::spawn(async move {
                while let Some(request) = change.next().await {
                    let TransitionMessage { id, label } = &request.message.transition;
                    let success = of_change.ask(*id, label).await;
                    let _ = request.respond(ChangeState::Response { success });
                }
            }),
            tokio::spawn(async move {
                while let Some(request) = state.next().await {
                    let current_state = of_state.core.state().message();
                    let _ = request.respond(GetState::Response { current_state });
                }
            }),
            tokio::spawn(async move {
                while let Some(request) = states.next().await {
                    let available_states = State::ALL.iter().map(|state| state.message()).collect();
                    let _ = request.respond(GetAvailableStates::Response { available_states });
                }
            }),
            tokio::spawn(async move {
                while let Some(request) = transitions.next().await {
                    let now = of_transitions.core.state();
                    let possible = TRANSITIONS.iter().filter(|transition| transition.from == now);
                    let available_transitions = possible.map(Transition::described).collect();
                    let _ = request.respond(GetAvailableTransitions::Response { available_transitions });
                }
            }),
            tokio::spawn(async move {
                while let Some(request) = graph.next().await {
                    let available_transitions = TRANSITIONS.iter().map(Transition::described).collect();
                    let _ = request.respond(GetAvailableTransitions::Response { available_transitions });
                }
            }),
        ];
        (life, tasks)
    }

    /// Makes a transition, by its id or, with id 0, by its label; whether it succeeded.
    pub async fn ask(&self, id: u8, label: &str) -> bool {
        let _one_at_a_time = self.changing.lock().await;
        let now = self.core.state();
        // rcl_lifecycle: an id of 0 stands for the label; each shutdown id stands for shutdown
        let shutdown = (T::TRANSITION_UNCONFIGURED_SHUTDOWN as u8..=T::TRANSITION_ACTIVE_SHUTDOWN as u8).contains(&id);
        let asked = TRANSITIONS.iter().find(|transition| {
            let named = if id == 0 { transition.label == label } else { transition.id == id };
            transition.from == now && (named || (shutdown && transition.label == "shutdown"))
        });
        let Some(transition) = asked else {
            let wanted = if label.is_empty() { format!("transition {id}") } else { label.to_string() };
            self.core.logger.warn(&format!("{wanted} is not possible from state {}", now.label()));
            return false;
        };
        self.enter(transition, now, transition.through);
        let core = &self.core;
        let done = match (transition.through, now) {
            (Configuring, _) => core.configure().await,
            (Activating, _) => core.activate().await,
            (Deactivating, _) => core.deactivate().await,
            (CleaningUp, _) => core.cleanup().await,
            (_, Active) => match core.deactivate().await {
                Ok(()) => core.cleanup().await,
                refused => refused,
            },
            (_, Inactive) => core.cleanup().await,
            _ => Ok(()),
        };
        match done {
            Ok(()) => {
                self.enter(transition, transition.through, transition.to);
                true
            }
            // a model that can't be loaded changes nothing: back to where it was
            Err(error) if transition.through == Configuring => {
                core.logger.error(&format!("not configured: {error}"));
                self.enter(transition, Configuring, Unconfigured);
                false
            }
            Err(error) => {
                core.logger.error(&format!("{} failed: {error}", transition.label));
                self.enter(transition, transition.through, ErrorProcessing);
                let cleaned = core.deactivate().await.is_ok() && core.cleanup().await.is_ok();
                self.enter(transition, ErrorProcessing, if cleaned { Unconfigured } else { Finalized });
                false
            }
        }
    }

    fn enter(&self, transition: &Transition, from: State, to: State) {
        self.core.set_state(to);
        self.events.publish(&TransitionEvent {
            timestamp: self.ros.now().as_nanos() as u64,
            transition: transition.message(),
            start_state: from.message(),
            goal_state: to.message(),
        });
    }
}
