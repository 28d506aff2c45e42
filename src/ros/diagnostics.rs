//! Diagnostics: how the node is, once a second on `/diagnostics`, for people and for monitors.
//!
//! One status for the model and one for each camera, named `NODE: model` and `NODE: camera NAME`, as
//! diagnostic_updater names them.

use super::core::{Camera, Core};
use super::lifecycle::State;
use super::listening::Heard;
use super::lock;
use super::outputs::Measured;
use super::speaker::Speaker;
use crate::worker::Dropped;
use r2r::diagnostic_msgs::msg::{DiagnosticArray, DiagnosticStatus, KeyValue};
use r2r::{Clock, Node, QosProfile};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const OK: u8 = DiagnosticStatus::OK as u8;
const WARN: u8 = DiagnosticStatus::WARN as u8;
const STALE: u8 = DiagnosticStatus::STALE as u8;

/// The publisher with the node's name.
pub struct Health {
    publisher: Speaker<DiagnosticArray>,
    node: String,
}

/// Opens `/diagnostics`.
///
/// # Errors
/// When ROS refuses.
pub fn open(node: &mut Node) -> r2r::Result<Health> {
    let publisher = node.create_publisher("/diagnostics", QosProfile::default().reliable().keep_last(1))?;
    let name = node.fully_qualified_name()?;
    Ok(Health { publisher: Speaker::new(publisher), node: name.trim_start_matches('/').into() })
}

/// Counters of a camera at the message before.
#[derive(Clone, Copy)]
struct Before {
    at: Instant,
    messages: u64,
    answers: u64,
}

/// Publishes until it is aborted.
pub async fn publish(core: Arc<Core>, health: Health) {
    let period = lock(&core.parameters).node().diagnostics_period;
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(period));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut before = HashMap::new();
    loop {
        ticks.tick().await;
        let mut message = DiagnosticArray::default();
        message.header.stamp = Clock::to_builtin_time(&core.ros.now());
        message.status = statuses(&core, &health.node, &mut before).await;
        health.publisher.say(&message);
    }
}

fn values(pairs: Vec<(&str, String)>) -> Vec<KeyValue> {
    pairs.into_iter().map(|(key, value)| KeyValue { key: key.into(), value }).collect()
}

async fn statuses(core: &Core, node: &str, before: &mut HashMap<String, Before>) -> Vec<DiagnosticStatus> {
    let (state, trouble) = (core.state(), core.journal.last_trouble());
    let running = core.running.read().await;
    let (device, model, hash) = match running.as_ref() {
        Some(running) => {
            let hash = lock(&running.model_hash).clone();
            (running.device.clone(), running.model.clone(), hash)
        }
        None => Default::default(),
    };
    let (level, said) = match state {
        State::Active => (OK, "at work"),
        State::Inactive | State::Unconfigured | State::Finalized => (STALE, state.label()),
        _ => (WARN, state.label()),
    };
    let mut all = vec![DiagnosticStatus {
        level,
        name: format!("{node}: model"),
        message: said.into(),
        hardware_id: device.clone(),
        values: values(vec![
            ("state", state.label().into()),
            ("model", model),
            ("model sha256", hash),
            ("device", device.clone()),
            ("vision_msgs", running.as_ref().is_some_and(|running| running.detects).to_string()),
            ("last trouble", trouble),
        ]),
    }];
    if let Some(running) = running.as_ref().filter(|_| state == State::Active) {
        let cameras = running.cameras.iter().enumerate();
        all.extend(cameras.map(|(at, camera)| of_camera(camera, running.worker.dropped(at), node, &device, before)));
    }
    all
}

fn of_camera(
    camera: &Camera,
    dropped: Dropped,
    node: &str,
    device: &str,
    before: &mut HashMap<String, Before>,
) -> DiagnosticStatus {
    let Dropped { superseded, unasked } = dropped;
    let heard = lock(&camera.heard).clone();
    let measured = lock(&camera.measured).clone();
    let depth = camera.depth_heard.as_ref();
    let depth = depth.map(|(topic, heard)| (topic, lock(heard).clone()));
    let now = Before { at: Instant::now(), messages: heard.messages, answers: measured.answers };
    let last = before.insert(camera.name.clone(), now);
    let rate = |count: fn(&Before) -> u64| {
        let last = last.filter(|last| last.messages <= now.messages && last.answers <= now.answers);
        let per_second =
            last.map(|last| (count(&now) - count(&last)) as f64 / (now.at - last.at).as_secs_f64().max(1e-3));
        format!("{:.1}", per_second.unwrap_or_default())
    };
    let depth_trouble = depth.as_ref().map_or("", |(_, heard)| heard.trouble.as_str());
    let (level, message) = match (heard.publishers, heard.trouble.as_str(), depth_trouble) {
        (0, "", _) => (STALE, format!("no publisher on {}", camera.topic)),
        (_, "", "") => (OK, "frames arrive".to_string()),
        (_, "", trouble) | (_, trouble, _) => (WARN, trouble.to_string()),
    };
    let named = if camera.name.is_empty() { String::new() } else { format!(" {}", camera.name) };
    let Heard { messages, publishers, reliability, .. } = heard;
    let Measured { answers, errors, age, stages: [proposals, features, text, scoring] } = measured;
    let ms = |time: f64| format!("{time:.2}");
    let mut pairs = vec![
        ("topic", camera.topic.clone()),
        ("publishers", publishers.to_string()),
        ("reliability", reliability.to_string()),
        ("frames", messages.to_string()),
        ("frames per second", rate(|counted| counted.messages)),
        ("dropped, a newer one came", superseded.to_string()),
        ("dropped, nobody asked", unasked.to_string()),
        ("answers", answers.to_string()),
        ("answers per second", rate(|counted| counted.answers)),
        ("answers with errors", errors.to_string()),
        ("age at publish, s", format!("{age:.3}")),
        ("proposals, ms", ms(proposals)),
        ("visual features, ms", ms(features)),
        ("text features, ms", ms(text)),
        ("scoring, ms", ms(scoring)),
    ];
    if let Some((topic, heard)) = &depth {
        pairs.push(("depth topic", (*topic).clone()));
        pairs.push(("depth images", heard.messages.to_string()));
    }
    DiagnosticStatus {
        level,
        name: format!("{node}: camera{named}"),
        message,
        hardware_id: device.into(),
        values: values(pairs),
    }
}
