//! Diagnostics: how the node is, once a second on `/diagnostics`, for people and for monitors.
//!
//! One status for the model and one for each camera, named `NODE: model` and `NODE: camera NAME`, as
//! diagnostic_updater names them.

use super::camera::Camera;
use super::lifecycle_state::State;
use super::lock::lock;
use super::node_core::Core;
use super::outputs::CameraStats;
use super::shared_publisher::SharedPublisher;
use super::subscription::TopicStats;
use crate::runtime::Dropped;
use r2r::diagnostic_msgs::msg::{DiagnosticArray, DiagnosticStatus, KeyValue};
use r2r::{Clock, Node, QosProfile};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const OK: u8 = DiagnosticStatus::OK as u8;
const WARN: u8 = DiagnosticStatus::WARN as u8;
const ERROR: u8 = DiagnosticStatus::ERROR as u8;
const STALE: u8 = DiagnosticStatus::STALE as u8;
/// Failed answers in a row from which a camera is in error rather than unlucky.
const FAILING: u64 = 3;

/// The publisher with the node's name.
pub struct Health {
    publisher: SharedPublisher<DiagnosticArray>,
    node: String,
}

/// Opens `/diagnostics`.
///
/// # Errors
/// When ROS refuses.
pub fn open(node: &mut Node) -> r2r::Result<Health> {
    let publisher = node.create_publisher("/diagnostics", QosProfile::default().reliable().keep_last(1))?;
    let name = node.fully_qualified_name()?;
    Ok(Health { publisher: SharedPublisher::new(publisher), node: name.trim_start_matches('/').into() })
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
    let mut twins = 0;
    loop {
        ticks.tick().await;
        twins = warn_of_twins(&core, &health.node, twins).await;
        let mut message = DiagnosticArray::default();
        message.header.stamp = Clock::to_builtin_time(&core.ros.now());
        message.status = statuses(&core, &health.node, &mut before).await;
        health.publisher.publish(&message);
    }
}

/// Warns when other nodes of this name have come; gives how many there are. Services and parameters of such nodes answer for each other.
async fn warn_of_twins(core: &Core, node: &str, known: usize) -> usize {
    let full = format!("/{node}");
    let (namespace, name) = full.rsplit_once('/').map_or(("/".to_string(), node.to_string()), |(namespace, name)| {
        (if namespace.is_empty() { "/".into() } else { namespace.into() }, name.into())
    });
    // each node publishes its log
    let found = core.ros.call(move |ros| {
        let publishers = ros.get_publishers_info_by_topic("/rosout", false).ok()?;
        Some(publishers.iter().filter(|one| one.node_name == name && one.node_namespace == namespace).count())
    });
    let Ok(Some(count)) = found.await else { return known };
    let twins = count.saturating_sub(1);
    if twins > known {
        core.logger.warn(&format!(
            "{twins} other node(s) are also named {full}: services, parameters and answers get mixed up; give each node its own \
             name (-r __node:=NAME) or namespace"
        ));
    }
    twins
}

fn values(pairs: Vec<(&str, String)>) -> Vec<KeyValue> {
    pairs.into_iter().map(|(key, value)| KeyValue { key: key.into(), value }).collect()
}

async fn statuses(core: &Core, node: &str, before: &mut HashMap<String, Before>) -> Vec<DiagnosticStatus> {
    let (state, problem) = (core.state(), core.logger.last_problem());
    let running = core.running.read().await;
    let (device, model, hash) = match running.as_ref() {
        Some(running) => {
            let digest = running.model_digest.ready().unwrap_or_default().to_string();
            (running.device.clone(), running.model.clone(), digest)
        }
        None => Default::default(),
    };
    let (level, said) = match state {
        State::Active => (OK, "active"),
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
            ("dtype", running.as_ref().map_or("", |running| running.dtype).into()),
            ("vision_msgs", running.as_ref().is_some_and(|running| running.detects).to_string()),
            ("last problem", problem),
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
    let topic = lock(&camera.topic_stats).clone();
    let stats = lock(&camera.stats).clone();
    let depth = camera.depth_topic.as_ref();
    let depth = depth.map(|(topic, stats)| (topic, lock(stats).clone()));
    let now = Before { at: Instant::now(), messages: topic.messages, answers: stats.answers };
    let last = before.insert(camera.name.clone(), now);
    let rate = |count: fn(&Before) -> u64| {
        let last = last.filter(|last| last.messages <= now.messages && last.answers <= now.answers);
        let per_second =
            last.map(|last| (count(&now) - count(&last)) as f64 / (now.at - last.at).as_secs_f64().max(1e-3));
        format!("{:.1}", per_second.unwrap_or_default())
    };
    let given: Vec<_> = camera.proposal_topics.iter().map(|(topic, stats)| (topic, lock(stats).clone())).collect();
    let others = depth.iter().map(|(_, stats)| stats).chain(given.iter().map(|(_, stats)| stats));
    let other_problem = others.map(|stats| stats.problem.as_str()).find(|problem| !problem.is_empty()).unwrap_or("");
    let (level, message) = match (topic.publishers, topic.problem.as_str(), other_problem) {
        (0, "", _) => (STALE, format!("no publisher on {}", camera.topic)),
        (_, "", "") => (OK, "frames arrive".to_string()),
        (_, "", problem) | (_, problem, _) => (WARN, problem.to_string()),
    };
    let named = if camera.name.is_empty() { String::new() } else { format!(" {}", camera.name) };
    let TopicStats { messages, publishers, reliability, .. } = topic;
    let CameraStats {
        answers,
        errors,
        errors_in_a_row,
        last_error,
        of_static_frames,
        followed,
        lost,
        age,
        stages: [proposals, features, text, scoring, refinement],
        ages,
        inference,
    } = stats;
    let (level, message) = match errors_in_a_row {
        FAILING.. => (ERROR, format!("the last {errors_in_a_row} answers failed: {last_error}")),
        _ => (level, message),
    };
    let ms = |time: f64| format!("{time:.2}");
    let mut pairs = vec![
        ("topic", camera.topic.clone()),
        ("publishers", publishers.to_string()),
        ("reliability", reliability.to_string()),
        ("frames", messages.to_string()),
        ("frames per second", rate(|counted| counted.messages)),
        ("dropped (superseded)", superseded.to_string()),
        ("dropped (no request)", unasked.to_string()),
        ("answers", answers.to_string()),
        ("answers per second", rate(|counted| counted.answers)),
        ("answers with errors", errors.to_string()),
        ("answers on static frames", of_static_frames.to_string()),
        ("times a thing was followed into a frame", followed.to_string()),
        ("times a thing was lost in a frame", lost.to_string()),
        ("age at publish, s", format!("{age:.3}")),
        ("age, median of the last 1000, s", format!("{:.3}", ages.quantile(0.5))),
        ("age, 99th percentile, s", format!("{:.3}", ages.quantile(0.99))),
        ("inference, median of the last 1000, s", format!("{:.3}", inference.quantile(0.5))),
        ("inference, 99th percentile, s", format!("{:.3}", inference.quantile(0.99))),
        ("proposals, ms", ms(proposals)),
        ("visual features, ms", ms(features)),
        ("text features, ms", ms(text)),
        ("scoring, ms", ms(scoring)),
        ("refinement, ms", ms(refinement)),
    ];
    if let Some((topic, stats)) = &depth {
        pairs.push(("depth topic", (*topic).clone()));
        pairs.push(("depth images", stats.messages.to_string()));
    }
    for (topic, stats) in &given {
        pairs.push(("proposals topic", topic.name.clone()));
        pairs.push(("proposals messages", stats.messages.to_string()));
    }
    DiagnosticStatus {
        level,
        name: format!("{node}: camera{named}"),
        message,
        hardware_id: device.into(),
        values: values(pairs),
    }
}
