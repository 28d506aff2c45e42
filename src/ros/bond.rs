//! `Bond`: the heartbeat by which Nav2's lifecycle manager knows that an active node lives: `bond/msg/Status` on `bond`.
//!
//! The manager makes its end when it has activated the node, waits for ours, and takes silence of its `bond_timeout` for
//! death (nav2_lifecycle_manager; protocol of bondcpp). Nothing here depends on the manager's life.

use super::lifecycle_state::State;
use super::node_core::Core;
use super::publisher::RawPublisher;
use crate::recordings::{from_cdr, BondStatus, Header, MessageType, Time};
use futures::stream::BoxStream;
use futures::StreamExt;
use r2r::{Node, QosProfile};
use std::sync::Arc;
use std::time::Duration;

/// Between two heartbeats, as Nav2's own nodes; the manager waits half its `bond_timeout` for the first.
const PERIOD: Duration = Duration::from_millis(250);
/// Silence after which the other end may take the node for dead: bondcpp's default, which Nav2's nodes say too.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The topic's two directions.
pub struct Endpoints {
    status: RawPublisher,
    heard: BoxStream<'static, Vec<u8>>,
    id: String,
}

/// The node's end of its bond.
struct Bond {
    core: Arc<Core>,
    status: RawPublisher,
    /// The node's name without its namespace: so the manager calls it.
    id: String,
    /// Tells the two ends apart.
    instance: String,
    beating: bool,
}

/// Opens the topic; `None` when bond's messages were not there at build time.
///
/// # Errors
/// When ROS refuses.
pub fn open(node: &mut Node) -> r2r::Result<Option<Endpoints>> {
    let status =
        RawPublisher::open_if_known::<BondStatus>(node, "bond", QosProfile::default().reliable().keep_last(5))?;
    if !status.is_open() {
        return Ok(None);
    }
    let profile = QosProfile::default().reliable().keep_last(100);
    let heard = node.subscribe_raw("bond", BondStatus::TYPE, profile)?.boxed();
    Ok(Some(Endpoints { status, heard, id: node.name()? }))
}

/// Beats while the node is active, until it is aborted.
pub async fn beat(core: Arc<Core>, ends: Endpoints) {
    let Endpoints { status, mut heard, id } = ends;
    let instance = r2r::uuid::Uuid::new_v4().to_string();
    let mut bond = Bond { core, status, id, instance, beating: false };
    let mut beats = tokio::time::interval(PERIOD);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beats.tick() => {
                let active = bond.core.state() == State::Active;
                if active || bond.beating {
                    bond.beat(active);
                }
                bond.beating = active;
            }
            Some(cdr) = heard.next() => {
                let Ok(status) = from_cdr::<BondStatus>(&cdr) else { continue };
                // an end that is taken down waits for the other's consent
                if status.id == bond.id && status.instance_id != bond.instance && !status.active {
                    bond.beat(false);
                }
            }
        }
    }
}

impl Bond {
    fn beat(&self, active: bool) {
        // one of them is this node
        if self.status.subscribers() < 2 {
            return;
        }
        self.status.publish(&BondStatus {
            header: Header { stamp: Time::of(self.core.ros.now()), frame_id: String::new() },
            id: self.id.clone(),
            instance_id: self.instance.clone(),
            active,
            heartbeat_timeout: TIMEOUT.as_secs_f32(),
            heartbeat_period: PERIOD.as_secs_f32(),
        });
    }
}

impl Drop for Bond {
    fn drop(&mut self) {
        if self.beating {
            self.beat(false);
        }
    }
}
