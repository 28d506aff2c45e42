//! A subscription to commands, which must not be lost: it receives from every kind of publisher.
//!
//! A reliable volatile subscription does not match best-effort publishers, and does not receive what a latched one (transient local)
//! published before. So the publishers are polled: beside a best-effort publisher a best-effort subscription is opened, and for each
//! new latched publisher the latched messages are fetched with their times. A message that arrives in several ways is taken once, and
//! a latched one only when it was published after everything that was taken before: the last command holds.

use super::latched_messages::{latched_messages, LatchedMessage, LatchedPublishers};
use super::lock::lock;
use super::logger::Logger;
use super::node_thread::{next, Ros, WAITING};
use crate::recordings::{MessageType, Text};
use futures::future::OptionFuture;
use futures::stream::BoxStream;
use futures::StreamExt;
use r2r::qos::{DurabilityPolicy, ReliabilityPolicy};
use r2r::QosProfile;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::task::JoinHandle;

/// Between two looks at the publishers.
const LOOK: Duration = Duration::from_millis(250);
/// How long the same message in another way counts as the same one, nanoseconds.
const SAME: i64 = 2_000_000_000;
/// Messages remembered at most for that.
const REMEMBERED: usize = 256;

/// The subscriptions.
const RELIABLE: usize = 0;
const BEST_EFFORT: usize = 1;

/// The command of a topic that was taken last. It outlasts the subscriptions, which end with each deactivation: a latched command that
/// was said before another one does not come back.
#[derive(Clone, Default)]
pub struct LastCommand(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    hasher: RandomState,
    /// When it was taken, or published if it was latched, nanoseconds since the epoch.
    at: i64,
    hash: u64,
}

/// The messages received recently, so that each is taken once.
#[derive(Default)]
struct Received {
    recent: VecDeque<RecentCommand>,
    last: LastCommand,
    /// Whether latched messages were fetched for this subscription before.
    has_fetched: bool,
}

struct RecentCommand {
    hash: u64,
    last: i64,
    /// How often it was received on each subscription, and how often it was taken.
    counts: [u32; 2],
    taken: u32,
}

impl Received {
    fn known(&mut self, message: &[u8], now: i64) -> &mut RecentCommand {
        self.recent.retain(|said| now.saturating_sub(said.last) < SAME);
        let hash = lock(&self.last.0).hasher.hash_one(message);
        let at = self.recent.iter().position(|said| said.hash == hash).unwrap_or_else(|| {
            if self.recent.len() >= REMEMBERED {
                self.recent.pop_front();
            }
            self.recent.push_back(RecentCommand { hash, last: now, counts: [0; 2], taken: 0 });
            self.recent.len() - 1
        });
        &mut self.recent[at]
    }

    /// Whether a message received on a subscription is a new one, rather than one received on the other before.
    fn is_new(&mut self, on: usize, message: &[u8], now: i64) -> bool {
        let said = self.known(message, now);
        said.last = now;
        said.counts[on] += 1;
        let is_new = said.counts[on] > said.taken;
        said.taken += u32::from(is_new);
        let hash = said.hash;
        if is_new {
            let mut last = lock(&self.last.0);
            (last.at, last.hash) = (now, hash);
        }
        is_new
    }

    /// The latched message that holds, if it is newer than all that was taken.
    fn newest_latched(&mut self, mut latched: Vec<LatchedMessage>, now: i64) -> Option<Vec<u8>> {
        let LatchedMessage { published, cdr, .. } = latched.pop()?;
        let is_first = !std::mem::replace(&mut self.has_fetched, true);
        let (hash, taken) = {
            let said = self.known(&cdr, now);
            (said.hash, said.taken)
        };
        let mut last = lock(&self.last.0);
        // a node that is activated again goes on with the command that it had, if that is still latched
        let goes_on = is_first && hash == last.hash;
        // the clock of another machine may be ahead: what was taken just now is not taken again
        if !goes_on && published <= last.at || taken > 0 {
            return None;
        }
        (last.at, last.hash) = (published.min(now).max(last.at), hash);
        drop(last);
        let said = self.known(&cdr, now);
        (said.counts[RELIABLE], said.taken) = (said.counts[RELIABLE] + 1, said.taken + 1);
        Some(cdr)
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}

async fn open(ros: &Ros, topic: &str, profile: QosProfile) -> Result<BoxStream<'static, Vec<u8>>, String> {
    let opened = ros.subscribe_lasting(topic, Text::TYPE, profile).await;
    let stream = opened.map_err(|error| format!("can't subscribe to {topic}: {error}"))?;
    Ok(ros.drained(stream.boxed()).boxed())
}

/// A subscription that is open.
pub struct CommandSubscription {
    ros: Ros,
    logger: Logger,
    topic: String,
    streams: [Option<BoxStream<'static, Vec<u8>>>; 2],
    received: Received,
    latched: LatchedPublishers,
    fetch: Option<JoinHandle<Result<Vec<LatchedMessage>, String>>>,
    logged: String,
}

impl CommandSubscription {
    /// Subscribes to a topic by its full name, of which `last` was taken last.
    ///
    /// # Errors
    /// When ROS refuses.
    pub async fn open(
        ros: Ros,
        topic: String,
        last: LastCommand,
        logger: Logger,
    ) -> Result<CommandSubscription, String> {
        let reliable = open(&ros, &topic, QosProfile::default().reliable().keep_last(WAITING)).await?;
        let (streams, received) = ([Some(reliable), None], Received { last, ..Received::default() });
        let (latched, fetch, logged) = (LatchedPublishers::default(), None, String::new());
        Ok(CommandSubscription { ros, logger, topic, streams, received, latched, fetch, logged })
    }

    /// Receives until it is aborted; each message's bytes go to `take`.
    pub async fn receive(mut self, mut take: impl FnMut(Vec<u8>)) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let [reliable, best_effort] = &mut self.streams;
            let (on, message) = tokio::select! {
                message = next(reliable) => (RELIABLE, message),
                message = next(best_effort) => (BEST_EFFORT, message),
                Some(fetched) = OptionFuture::from(self.fetch.as_mut()) => {
                    self.fetch = None;
                    let messages = fetched.unwrap_or_else(|error| Err(error.to_string())).unwrap_or_else(|fact| {
                        self.logger.warn_throttled(&self.topic, &fact);
                        Vec::new()
                    });
                    self.latched.fetched(&messages);
                    self.received.newest_latched(messages, now()).into_iter().for_each(&mut take);
                    continue;
                }
                _ = look.tick() => {
                    self.look().await;
                    continue;
                }
            };
            if self.received.is_new(on, &message, now()) {
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
        if self.fetch.is_some() {
            return;
        }
        if let Some(count) = self.latched.begin_fetch(latched.map(|publisher| publisher.endpoint_gid.to_vec())) {
            let topic = self.topic.clone();
            let fetch = move || latched_messages::<r2r::std_msgs::msg::String>(&topic, count);
            self.fetch = Some(tokio::task::spawn_blocking(fetch));
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

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_message_received_twice_is_taken_once_and_one_sent_twice_twice() {
        let (mut received, now) = (Received::default(), 100 * SECOND);
        assert!(received.is_new(RELIABLE, b"stop", now));
        assert!(!received.is_new(BEST_EFFORT, b"stop", now));
        assert!(received.is_new(BEST_EFFORT, b"stop", now), "sent again, received here first");
        assert!(!received.is_new(RELIABLE, b"stop", now));
        assert!(received.is_new(RELIABLE, b"go", now));
        for number in 0..10_000u32 {
            received.is_new(RELIABLE, &number.to_le_bytes(), now);
        }
        assert_eq!(received.recent.len(), REMEMBERED, "a flood costs bounded memory");
    }

    #[test]
    fn a_latched_message_holds_only_when_it_was_published_last() {
        let (mut received, now) = (Received::default(), 100 * SECOND);
        let latched = |seconds: i64, text: &str| LatchedMessage {
            published: seconds * SECOND,
            cdr: text.into(),
            publisher: Vec::new(),
        };
        let both = vec![latched(10, "old"), latched(20, "new")];
        assert_eq!(received.newest_latched(both.clone(), now).as_deref(), Some(&b"new"[..]));
        assert_eq!(received.newest_latched(both.clone(), now + 60 * SECOND), None, "another publisher came");
        assert!(received.is_new(RELIABLE, b"", now + 70 * SECOND), "cleared");
        assert_eq!(received.newest_latched(both, now + 80 * SECOND), None, "the old ones come back");
        assert_eq!(received.newest_latched(vec![latched(190, "old")], now + 95 * SECOND).as_deref(), Some(&b"old"[..]));
        assert!(received.is_new(RELIABLE, b"live", now + 100 * SECOND));
        let ahead = vec![latched(201, "live")];
        assert_eq!(received.newest_latched(ahead, now + 101 * SECOND), None, "received live, by a clock that is ahead");
    }

    #[test]
    fn a_new_subscription_goes_on_with_the_command_that_was_taken_last_and_with_no_other() {
        let latched =
            |text: &str| vec![LatchedMessage { published: 10 * SECOND, cdr: text.into(), publisher: Vec::new() }];
        let mut first = Received::default();
        assert!(first.newest_latched(latched("mug"), 100 * SECOND).is_some());
        let mut second = Received { last: first.last.clone(), ..Received::default() };
        assert!(second.newest_latched(latched("mug"), 200 * SECOND).is_some(), "it is still what was said last");
        assert!(second.is_new(RELIABLE, b"", 210 * SECOND), "cleared");
        let mut third = Received { last: second.last.clone(), ..Received::default() };
        assert_eq!(third.newest_latched(latched("mug"), 300 * SECOND), None, "cleared before it was activated again");
    }
}
