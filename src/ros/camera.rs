//! `Camera`: a camera of a configured node, and what is subscribed to for it.

use super::camera_frame::{CameraFrame, SharedDepth};
use super::latched_messages::fetch_latched;
use super::lock::lock;
use super::logger::Logger;
use super::node_thread::Ros;
use super::outputs::{CameraStats, Reply};
use super::parameters::{NodeSettings, Parameters, Reliability};
use super::subscription::{subscribe, SharedStats, Topic};
use super::waiting_frames::WaitingFrames;
use crate::camera::CameraModel;
use crate::recordings::{
    base_topic, convert, from_cdr, header, sibling_topic, CameraInfo, DepthMessage, ExternalProposalsMessage, Input,
    MessageType, Transport,
};
use crate::runtime::Worker;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Between two looks for frames that have waited too long for proposals.
const OVERDUE_LOOK: Duration = Duration::from_millis(100);

/// A camera of a configured node.
pub struct Camera {
    /// Its name; empty for the one without.
    pub name: String,
    /// The full name of its image topic.
    pub topic: String,
    /// How its images come.
    pub transport: Transport,
    /// What is received on it.
    pub topic_stats: SharedStats,
    /// Its depth topic, with what is received on it.
    pub depth_topic: Option<(String, SharedStats)>,
    /// The last depth images.
    pub depth: Option<Arc<SharedDepth>>,
    /// The topics on which others' proposals come, where they are asked for, with what is received on them.
    pub proposal_topics: Vec<(Topic, SharedStats)>,
    /// Frames that wait for their proposals.
    waiting: Arc<WaitingFrames>,
    /// What is measured of its answers.
    pub stats: Arc<Mutex<CameraStats>>,
}

/// What subscriptions need beside the camera.
pub struct Subscriber {
    /// The way to the ROS thread.
    pub ros: Ros,
    /// The log.
    pub logger: Logger,
    /// The parameters in effect.
    pub parameters: Arc<Mutex<Parameters>>,
    /// Who takes the frames.
    pub worker: Arc<Worker<CameraFrame, Reply>>,
}

impl Camera {
    /// A camera by the full names of its topics.
    pub fn new(name: &str, topic: String, transport: Transport, depth: Option<String>) -> Camera {
        let image = base_topic(&topic).to_string();
        Camera {
            name: name.into(),
            topic,
            transport,
            topic_stats: SharedStats::default(),
            depth: depth.as_ref().map(|depth| Arc::new(SharedDepth::of([depth.clone(), image.clone()]))),
            depth_topic: depth.map(|topic| (topic, SharedStats::default())),
            proposal_topics: Vec::new(),
            waiting: Arc::default(),
            stats: Arc::default(),
        }
    }

    /// Discards the frames that wait for proposals.
    pub fn forget_waiting(&self) {
        self.waiting.clear();
    }

    /// Discards the depth images.
    pub fn forget_depth(&self) {
        if let Some(depth) = &self.depth {
            lock(&depth.buffer).clear();
        }
    }

    /// Subscribes to its images, and to what belongs to them. `index`: its place among the cameras.
    pub fn subscribe(&self, index: usize, settings: &NodeSettings, to: &Subscriber) -> Vec<JoinHandle<()>> {
        let (worker, logger, transport) = (to.worker.clone(), to.logger.clone(), self.transport);
        let ros = to.ros.clone();
        let name = self.topic.clone();
        let topic = Topic { name: name.clone(), kind: transport.message_type(), reliability: settings.reliability };
        let waits = (!self.proposal_topics.is_empty()).then(|| self.waiting.clone());
        let parameters = to.parameters.clone();
        let ready = move |frame: CameraFrame| match &waits {
            Some(waiting) => waiting.frame(frame, lock(&parameters).node().proposals_tolerance),
            None => Some(frame),
        };
        let take = move |cdr| match Input::new(transport, cdr) {
            Ok(input) => {
                if let Some(frame) = ready(CameraFrame::new(input, ros.now())) {
                    worker.offer_frame(index, frame);
                }
            }
            Err(error) => logger.warn_throttled("input", &format!("{name}: {error}")),
        };
        let images = subscribe(to.ros.clone(), topic, self.topic_stats.clone(), to.logger.clone(), take);
        let mut tasks = vec![tokio::spawn(images)];
        tasks.extend(self.subscribe_to_depth(to));
        tasks.extend(self.subscribe_to_proposals(index, to));
        tasks
    }

    /// Frames go to the worker when their proposals come, and with a reason when none do.
    fn subscribe_to_proposals(&self, index: usize, to: &Subscriber) -> Vec<JoinHandle<()>> {
        let subscribed = self.proposal_topics.iter().map(|(topic, stats)| {
            let (waiting, worker, logger) = (self.waiting.clone(), to.worker.clone(), to.logger.clone());
            let (parameters, name, kind) = (to.parameters.clone(), topic.name.clone(), topic.kind);
            let take = move |cdr: Vec<u8>| {
                let stamp = match header(&cdr) {
                    Ok(header) => header.stamp.nanoseconds(),
                    Err(error) => return logger.warn_throttled("proposals", &format!("{name}: {error}")),
                };
                let tolerance = lock(&parameters).node().proposals_tolerance;
                let given = ExternalProposalsMessage::of_type(kind, cdr);
                if let Some(frame) = given.and_then(|given| waiting.given(stamp, given, tolerance)) {
                    worker.offer_frame(index, frame);
                }
            };
            tokio::spawn(subscribe(to.ros.clone(), topic.clone(), stats.clone(), to.logger.clone(), take))
        });
        let mut tasks: Vec<_> = subscribed.collect();
        if !tasks.is_empty() {
            let (waiting, worker, parameters) = (self.waiting.clone(), to.worker.clone(), to.parameters.clone());
            tasks.push(tokio::spawn(async move {
                let mut look = tokio::time::interval(OVERDUE_LOOK);
                loop {
                    look.tick().await;
                    let (tolerance, wait) = {
                        let parameters = lock(&parameters);
                        (parameters.node().proposals_tolerance, parameters.node().proposals_wait)
                    };
                    if let Some(frame) = waiting.overdue(tolerance, wait) {
                        worker.offer_frame(index, frame);
                    }
                }
            }));
        }
        tasks
    }

    fn subscribe_to_depth(&self, to: &Subscriber) -> Vec<JoinHandle<()>> {
        let (Some(depth), Some((topic, stats))) = (&self.depth, &self.depth_topic) else { return Vec::new() };
        let (ros, logger) = (to.ros.clone(), to.logger.clone());
        let images = depth.clone();
        // image_transport's name of a compressed stream
        let transport = if base_topic(topic) == topic { Transport::Raw } else { Transport::Compressed };
        let take_image = move |cdr: Vec<u8>| {
            match header(&cdr) {
                Ok(header) => {
                    let taken = convert::stamp(&header, ros.now().as_nanos() as i64);
                    let depth = DepthMessage::new(transport, cdr);
                    lock(&images.buffer).push(taken, depth.bytes(), Arc::new(depth));
                }
                Err(error) => logger.warn_throttled("depth", &error.to_string()),
            }
            images.arrived.notify_all();
        };
        let (infos, logger) = (depth.clone(), to.logger.clone());
        let take_info = move |cdr: Vec<u8>| {
            match from_cdr::<CameraInfo>(&cdr) {
                Ok(info) => lock(&infos.buffer).set_model(CameraModel::from(&info)),
                Err(error) => logger.warn_throttled("camera_info", &error.to_string()),
            }
            infos.arrived.notify_all();
        };
        let of = |name: String, kind| Topic { name, kind, reliability: Reliability::Auto };
        let image = of(topic.clone(), transport.message_type());
        let info = of(sibling_topic(base_topic(topic), "camera_info"), CameraInfo::TYPE);
        let (ros, logger) = (to.ros.clone(), to.logger.clone());
        vec![
            tokio::spawn(subscribe(to.ros.clone(), image, stats.clone(), to.logger.clone(), take_image)),
            tokio::spawn(fetch_latched::<r2r::sensor_msgs::msg::CameraInfo>(
                ros,
                info.name.clone(),
                logger,
                take_info.clone(),
            )),
            tokio::spawn(subscribe(to.ros.clone(), info, SharedStats::default(), to.logger.clone(), take_info)),
        ]
    }
}
