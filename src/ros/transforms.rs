//! `SharedTransforms`: what `/tf` and `/tf_static` say, as it comes.

use super::lock::lock;
use super::logger::Logger;
use super::node_thread::Ros;
use crate::camera::TransformBuffer;
use crate::recordings::{convert, from_cdr, MessageType, TfMessage};
use futures::stream::BoxStream;
use futures::StreamExt;
use nalgebra::Isometry3;
use r2r::QosProfile;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

type Messages = BoxStream<'static, Vec<u8>>;

/// How long a transform may come after its image.
const WAIT: Duration = Duration::from_millis(100);
/// Messages that may wait to be read, as in tf2_ros.
const DEPTH: usize = 100;

/// The transforms, and their arrivals.
#[derive(Default)]
pub struct SharedTransforms {
    buffer: Mutex<TransformBuffer>,
    arrived: Condvar,
    /// Reads `/tf_static` from the first activation on: what is latched there is said once.
    fixed: Mutex<Option<JoinHandle<()>>>,
}

impl SharedTransforms {
    /// From coordinates in `source` to those in `target` at a time, nanoseconds. With `wait`, waits a moment for what may still come.
    ///
    /// # Errors
    /// In words, when it is not known.
    pub fn lookup(&self, target: &str, source: &str, stamp: i64, wait: bool) -> Result<Isometry3<f64>, String> {
        let end = Instant::now() + if wait { WAIT } else { Duration::ZERO };
        let mut buffer = lock(&self.buffer);
        loop {
            let found = buffer.lookup(target, source, stamp);
            let left = end.saturating_duration_since(Instant::now());
            if found.is_ok() || left.is_zero() || !buffer.may_come(target, source, stamp) {
                return found;
            }
            buffer = self.arrived.wait_timeout(buffer, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Time went backwards.
    pub fn forget_motion(&self) {
        lock(&self.buffer).forget_motion();
    }

    /// Subscribes to both topics. The task that is given reads `/tf`, until it is aborted.
    ///
    /// # Errors
    /// When ROS refuses, or this program was built without tf2_msgs.
    pub async fn subscribe(self: &Arc<Self>, ros: &Ros, logger: &Logger) -> Result<JoinHandle<()>, String> {
        let profile = QosProfile::default().reliable().keep_last(DEPTH);
        if lock(&self.fixed).is_none() {
            let latched = profile.clone().transient_local();
            let opened = ros.call(move |node| node.subscribe_raw("/tf_static", TfMessage::TYPE, latched));
            let stream = opened.await?.map_err(|error| refused("/tf_static", &error))?;
            *lock(&self.fixed) = Some(self.read(ros, logger, "/tf_static", stream.boxed()));
        }
        let opened = ros.subscribe_lasting("/tf", TfMessage::TYPE, profile).await;
        let stream = opened.map_err(|error| refused("/tf", &error))?;
        Ok(self.read(ros, logger, "/tf", stream.boxed()))
    }

    fn read(self: &Arc<Self>, ros: &Ros, logger: &Logger, topic: &'static str, stream: Messages) -> JoinHandle<()> {
        let mut messages = ros.drained(stream);
        let (shared, logger) = (self.clone(), logger.clone());
        tokio::spawn(async move {
            while let Some(cdr) = messages.next().await {
                let message = match from_cdr::<TfMessage>(&cdr) {
                    Ok(message) => message,
                    Err(error) => {
                        logger.warn_throttled(topic, &format!("{topic}: {error}"));
                        continue;
                    }
                };
                for transform in convert::transforms(&message, topic == "/tf_static") {
                    let added = lock(&shared.buffer).add(&transform);
                    if let Err(fact) = added {
                        logger.warn_throttled(topic, &format!("{topic}: {fact}"));
                    }
                }
                shared.arrived.notify_all();
            }
        })
    }
}

fn refused(topic: &str, error: &r2r::Error) -> String {
    match error {
        r2r::Error::InvalidMessageType { .. } => {
            "target_frame and reference_frame need tf2_msgs, without which this program was built: install \
             ros-$ROS_DISTRO-tf2-msgs and build again"
                .to_string()
        }
        other => format!("can't subscribe to {topic}: {other}"),
    }
}
