//! A subscription whose reliability follows its publishers.
//!
//! A best-effort subscription receives from every publisher, but large images get lost on it; a reliable one loses
//! nothing, but receives nothing from best-effort publishers. So the publishers are polled, and the subscription takes
//! the reliability that they offer. Publishers from which nothing arrives are a problem with a remedy.

use super::lock::lock;
use super::logger::Logger;
use super::node_thread::{next, LastingSubscription, Ros};
use super::parameters::Reliability;
use super::shared_memory_port;
use r2r::qos::ReliabilityPolicy;
use r2r::QosProfile;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Between two looks at the publishers.
const LOOK: Duration = Duration::from_millis(250);
/// Silence of publishers that are there, after which something is wrong.
const SILENCE: Duration = Duration::from_secs(5);

/// A topic to subscribe to.
#[derive(Clone)]
pub struct Topic {
    /// Its full name.
    pub name: String,
    /// Its message type.
    pub kind: &'static str,
    /// Which reliability is asked for.
    pub reliability: Reliability,
}

/// What diagnostics report of a subscribed topic.
#[derive(Clone, Debug, Default)]
pub struct TopicStats {
    /// Messages so far.
    pub messages: u64,
    /// Publishers now.
    pub publishers: usize,
    /// `reliable` or `best_effort`; empty before the first look.
    pub reliability: &'static str,
    /// Why nothing arrives although there are publishers, and what helps; empty when all is well.
    pub problem: String,
}

/// Watched by diagnostics.
pub type SharedStats = Arc<Mutex<TopicStats>>;

#[derive(Default)]
struct Streams {
    best_effort: Option<LastingSubscription>,
    reliable: Option<LastingSubscription>,
}

/// Receives until it is aborted; each message's bytes go to `take`.
pub async fn subscribe(ros: Ros, topic: Topic, stats: SharedStats, logger: Logger, mut take: impl FnMut(Vec<u8>)) {
    let mut streams = Streams::default();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut last, mut silent_since) = (None::<Instant>, None::<Instant>);
    let mut logged = String::new();
    // while both streams live, a message may come on each: the last on the best-effort one
    let mut received: Option<Vec<u8>> = None;
    loop {
        // each stream is drained at once: r2r keeps ten messages and would drop the newest. Not by `Ros::drained`, where
        // a hundred images could pile up
        let (message, reliable) = tokio::select! {
            message = next(&mut streams.reliable) => (Some(message), true),
            message = next(&mut streams.best_effort) => (Some(message), false),
            _ = look.tick() => (None, false),
        };
        if let Some(message) = message {
            if reliable {
                streams.best_effort = None; // kept until the reliable one received its first
                if received.take().is_some_and(|received| received == message) {
                    continue;
                }
            } else if streams.reliable.is_some() {
                received = Some(message.clone());
            }
            last = Some(Instant::now());
            silent_since = None;
            logged.clear();
            let mut stats = lock(&stats);
            stats.messages += 1;
            stats.problem.clear();
            drop(stats);
            take(message);
            continue;
        }
        let name = topic.name.clone();
        let Ok(Ok(publishers)) = ros.call(move |node| node.get_publishers_info_by_topic(&name, false)).await else {
            continue; // asked again with the next look
        };
        let offered: Vec<_> = publishers.iter().filter(|publisher| publisher.topic_type == topic.kind).collect();
        let reliably = |policy: &ReliabilityPolicy| *policy == ReliabilityPolicy::Reliable;
        let all_reliable = !offered.is_empty() && offered.iter().all(|p| reliably(&p.qos_profile.reliability));
        let want_reliable = match topic.reliability {
            Reliability::Auto => all_reliable,
            Reliability::BestEffort => false,
            Reliability::Reliable => true,
        };
        let missing = if want_reliable { streams.reliable.is_none() } else { streams.best_effort.is_none() };
        if missing {
            let profile = match want_reliable {
                true => QosProfile::default().reliable().keep_last(1),
                false => QosProfile::sensor_data().keep_last(1),
            };
            match ros.subscribe_lasting(&topic.name, topic.kind, profile).await {
                Ok(stream) if want_reliable => streams.reliable = Some(stream),
                Ok(stream) => streams.best_effort = Some(stream),
                Err(error) => {
                    logger.warn_throttled(&topic.name, &format!("can't subscribe to {}: {error}", topic.name))
                }
            }
        }
        if !want_reliable {
            streams.reliable = None;
        }
        if publishers.is_empty() {
            silent_since = None;
        } else if last.is_none_or(|last| last.elapsed() > SILENCE) {
            silent_since.get_or_insert_with(Instant::now);
        }
        let problem = match silent_since {
            Some(since) if since.elapsed() > SILENCE || last.is_some() => {
                let kinds: Vec<_> = publishers.iter().map(|publisher| publisher.topic_type.as_str()).collect();
                let unmet = want_reliable && !all_reliable;
                match shared_memory_port::removed() {
                    Some(port) => describe_removed(&topic, &port),
                    None => describe_problem(&topic, offered.len(), &kinds, unmet, last.is_some()),
                }
            }
            _ => String::new(),
        };
        // once in the log for each problem; diagnostics repeat it
        if !problem.is_empty() && problem != logged {
            logger.warn(&problem);
            logged.clone_from(&problem);
        }
        let mut stats = lock(&stats);
        stats.publishers = offered.len();
        stats.reliability = if want_reliable { "reliable" } else { "best_effort" };
        stats.problem = problem;
    }
}

/// Why nothing arrives on any topic.
fn describe_removed(topic: &Topic, port: &str) -> String {
    format!(
        "{} is silent: Fast DDS took this node for dead while the machine was overloaded and removed its port {port} of shared memory, so \
         it hears no other process; restart the node. Where this recurs, start it with large_images:=true (its profile waits 10 s instead of 1), \
         or set FASTDDS_BUILTIN_TRANSPORTS=UDPv4 for all nodes",
        topic.name
    )
}

/// Why a topic with publishers is silent, as far as it can be told, and the remedy.
fn describe_problem(topic: &Topic, offered: usize, kinds: &[&str], unmet: bool, was_received: bool) -> String {
    let Topic { name, kind, .. } = topic;
    if offered == 0 {
        let kinds = kinds.join(", ");
        return format!(
            "{name} is published as {kinds}, and nothing of type {kind} arrives; remap the topic or set image_transport"
        );
    }
    if unmet {
        return format!(
            "{name} has a best-effort publisher, which a reliable subscription does not receive; set image_reliability to \
             auto or best_effort"
        );
    }
    if was_received {
        return format!("{name} has {offered} publisher(s), and nothing has arrived for {} s", SILENCE.as_secs());
    }
    format!(
        "{name} has {offered} publisher(s), but nothing arrives. Either nothing is sent, or its messages are larger than \
         Fast DDS's shared memory: start the camera's process with FASTRTPS_DEFAULT_PROFILES_FILE set to referseg's \
         config/fastdds_large_images.xml, or let it publish reliably"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_names_the_topic_and_a_remedy() {
        let topic =
            Topic { name: "/camera/image".into(), kind: "sensor_msgs/msg/Image", reliability: Reliability::Reliable };
        let said = describe_problem(&topic, 0, &["sensor_msgs/msg/CompressedImage"], false, false);
        assert!(said.contains("published as sensor_msgs/msg/CompressedImage") && said.contains("image_transport"));
        assert!(describe_problem(&topic, 1, &[topic.kind], true, false).contains("set image_reliability to auto"));
        assert!(describe_problem(&topic, 2, &[topic.kind], false, false).contains("config/fastdds_large_images.xml"));
        assert!(describe_problem(&topic, 2, &[topic.kind], false, true).contains("nothing has arrived for 5 s"));
        assert!(describe_removed(&topic, "7663").contains("port 7663 of shared memory"));
    }
}
