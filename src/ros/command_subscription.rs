//! A subscription to commands, which must not be lost: it receives from every kind of publisher.
//!
//! A reliable volatile subscription hears no best-effort publisher, and not what a latched one (transient local) said before. So the publishers
//! are polled: where one is best effort a best-effort subscription stands beside the reliable one, and for each latched publisher that is new another
//! one fetches what it said last. What comes on several of them is taken once.

use super::logger::Logger;
use super::node_thread::{next, Ros, WAITING};
use crate::recordings::{MessageType, Text};
use futures::stream::BoxStream;
use futures::StreamExt;
use r2r::qos::{DurabilityPolicy, ReliabilityPolicy};
use r2r::QosProfile;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Between two looks at the publishers.
const LOOK: Duration = Duration::from_millis(250);
/// How long the same message on another subscription counts as the same one.
const SAME: Duration = Duration::from_secs(2);

/// The subscriptions, in the order of `Received`.
const RELIABLE: usize = 0;
const BEST_EFFORT: usize = 1;
const LATCHED: usize = 2;

/// What was received lately on which subscription.
#[derive(Default)]
struct Received(Vec<RecentCommand>);

struct RecentCommand {
    message: Vec<u8>,
    last: Instant,
    /// How often it came on each subscription, and how often it was taken.
    counts: [u32; 3],
    taken: u32,
}

impl Received {
    /// Whether a message that came on a subscription is a new one, rather than one that came on another before.
    fn is_new(&mut self, on: usize, message: &[u8], now: Instant) -> bool {
        self.0.retain(|said| now.duration_since(said.last) < SAME);
        let at = self.0.iter().position(|said| said.message == message).unwrap_or_else(|| {
            self.0.push(RecentCommand { message: message.into(), last: now, counts: [0; 3], taken: 0 });
            self.0.len() - 1
        });
        let said = &mut self.0[at];
        said.last = now;
        said.counts[on] += 1;
        let is_new = said.counts[on] > said.taken;
        said.taken += u32::from(is_new);
        is_new
    }
}

async fn open(ros: &Ros, topic: &str, profile: QosProfile) -> Result<BoxStream<'static, Vec<u8>>, String> {
    // a latched one hands out what was said before to whoever is new
    if profile.durability == DurabilityPolicy::TransientLocal {
        let name = topic.to_string();
        let opened = ros.call(move |node| node.subscribe_raw(&name, Text::TYPE, profile).map(StreamExt::boxed)).await;
        let stream = opened.map_err(str::to_string)?.map_err(|error| format!("can't subscribe to {topic}: {error}"))?;
        return Ok(ros.drained(stream).boxed());
    }
    let opened = ros.subscribe_lasting(topic, Text::TYPE, profile).await;
    let stream = opened.map_err(|error| format!("can't subscribe to {topic}: {error}"))?;
    Ok(ros.drained(stream.boxed()).boxed())
}

/// A subscription that is open.
pub struct CommandSubscription {
    ros: Ros,
    logger: Logger,
    topic: String,
    streams: [Option<BoxStream<'static, Vec<u8>>>; 3],
    received: Received,
    /// Latched publishers of which the last was fetched.
    fetched: HashSet<Vec<u8>>,
    fetching_until: Option<Instant>,
    logged: String,
}

impl CommandSubscription {
    /// Subscribes to a topic by its full name.
    ///
    /// # Errors
    /// When ROS refuses.
    pub async fn open(ros: Ros, topic: String, logger: Logger) -> Result<CommandSubscription, String> {
        let reliable = open(&ros, &topic, QosProfile::default().reliable().keep_last(WAITING)).await?;
        let (streams, received) = ([Some(reliable), None, None], Received::default());
        let (fetched, fetching_until, logged) = (HashSet::new(), None, String::new());
        Ok(CommandSubscription { ros, logger, topic, streams, received, fetched, fetching_until, logged })
    }

    /// Receives until it is aborted; each message's bytes go to `take`.
    pub async fn receive(mut self, mut take: impl FnMut(Vec<u8>)) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let [reliable, best_effort, latched] = &mut self.streams;
            let (on, message) = tokio::select! {
                message = next(reliable) => (RELIABLE, message),
                message = next(best_effort) => (BEST_EFFORT, message),
                message = next(latched) => (LATCHED, message),
                _ = look.tick() => {
                    self.look().await;
                    continue;
                }
            };
            if self.received.is_new(on, &message, Instant::now()) {
                take(message);
            }
        }
    }

    /// Looks at the publishers and opens what they need.
    async fn look(&mut self) {
        let name = self.topic.clone();
        let Ok(Ok(publishers)) = self.ros.call(move |node| node.get_publishers_info_by_topic(&name, false)).await
        else {
            return; // asked again with the next look
        };
        if self.fetching_until.is_some_and(|until| until < Instant::now()) {
            (self.streams[LATCHED], self.fetching_until) = (None, None);
        }
        let (ours, others): (Vec<_>, Vec<_>) =
            publishers.iter().partition(|publisher| publisher.topic_type == Text::TYPE);
        if let Some(other) = others.first() {
            let fact = format!("{} is published as {}; expected {}", self.topic, other.topic_type, Text::TYPE);
            if fact != self.logged {
                self.logger.warn(&fact);
                self.logged = fact;
            }
        }
        let best_effort =
            ours.iter().any(|publisher| publisher.qos_profile.reliability == ReliabilityPolicy::BestEffort);
        if best_effort && self.streams[BEST_EFFORT].is_none() {
            self.add(BEST_EFFORT, QosProfile::default().best_effort().keep_last(WAITING)).await;
        }
        let latched =
            ours.iter().filter(|publisher| publisher.qos_profile.durability == DurabilityPolicy::TransientLocal);
        let known: HashSet<Vec<u8>> = latched.map(|publisher| publisher.endpoint_gid.to_vec()).collect();
        let is_new = known.difference(&self.fetched).next().is_some();
        self.fetched = known;
        if is_new {
            // a subscription fetches from whom it meets once; one message, for what is in effect counts and not what was said before it
            self.streams[LATCHED] = None;
            self.add(LATCHED, QosProfile::default().reliable().transient_local().keep_last(1)).await;
            self.fetching_until = Some(Instant::now() + SAME);
        }
    }

    async fn add(&mut self, on: usize, profile: QosProfile) {
        match open(&self.ros, &self.topic, profile).await {
            Ok(stream) => self.streams[on] = Some(stream),
            Err(fact) => self.logger.warn_throttled(&self.topic, &fact),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_on_two_subscriptions_is_taken_once_and_what_is_said_twice_twice() {
        let (mut received, now) = (Received::default(), Instant::now());
        assert!(received.is_new(RELIABLE, b"stop", now));
        assert!(!received.is_new(BEST_EFFORT, b"stop", now));
        assert!(received.is_new(BEST_EFFORT, b"stop", now), "once more, and first heard here");
        assert!(!received.is_new(RELIABLE, b"stop", now));
        assert!(received.is_new(RELIABLE, b"go", now));
        assert!(!received.is_new(LATCHED, b"go", now), "the latched one was heard live");
        assert!(received.is_new(LATCHED, b"go", now + SAME), "long after it is another");
    }
}
