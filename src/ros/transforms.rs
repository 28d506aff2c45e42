//! `SharedTransforms`: what `/tf` and `/tf_static` say, as it comes.

use super::lock::lock;
use super::logger::Logger;
use super::node_thread::Ros;
use crate::camera::TransformBuffer;
use crate::wire::{convert, from_cdr, MessageType, TfMessage};
use futures::StreamExt;
use nalgebra::Isometry3;
use r2r::QosProfile;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How long a transform may come after its image.
const WAIT: Duration = Duration::from_millis(100);
/// Messages that may wait to be read, as in tf2_ros.
const DEPTH: usize = 100;

/// The transforms, and their arrivals.
#[derive(Default)]
pub struct SharedTransforms {
    buffer: Mutex<TransformBuffer>,
    arrived: Condvar,
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

    /// Subscribes to both topics.
    ///
    /// # Errors
    /// When ROS refuses, or this program was built without tf2_msgs.
    pub async fn subscribe(
        self: &Arc<Self>,
        ros: &Ros,
        logger: &Logger,
    ) -> Result<Vec<JoinHandle<()>>, super::core::BoxError> {
        let mut tasks = Vec::new();
        for (topic, fixed) in [("/tf", false), ("/tf_static", true)] {
            let profile = QosProfile::default().reliable().keep_last(DEPTH);
            let profile = if fixed { profile.transient_local() } else { profile };
            let opened = ros.subscribe_lasting(topic, TfMessage::TYPE, profile).await;
            let stream = opened.map_err(|error| match error {
                r2r::Error::InvalidMessageType { .. } => {
                    "target_frame and reference_frame need tf2_msgs, without which this program was built: install \
                     ros-$ROS_DISTRO-tf2-msgs and build again"
                        .to_string()
                }
                other => format!("can't subscribe to {topic}: {other}"),
            })?;
            let mut messages = ros.drained(stream.boxed());
            let (shared, logger) = (self.clone(), logger.clone());
            tasks.push(tokio::spawn(async move {
                while let Some(cdr) = messages.next().await {
                    let message = match from_cdr::<TfMessage>(&cdr) {
                        Ok(message) => message,
                        Err(error) => {
                            logger.warn_throttled(topic, &format!("{topic}: {error}"));
                            continue;
                        }
                    };
                    for transform in convert::transforms(&message, fixed) {
                        let added = lock(&shared.buffer).add(&transform);
                        if let Err(fact) = added {
                            logger.warn_throttled(topic, &format!("{topic}: {fact}"));
                        }
                    }
                    shared.arrived.notify_all();
                }
            }));
        }
        Ok(tasks)
    }
}
