//! `TrackOutputs`: the publishers of followed things, and which part of a followed frame goes to which.

use super::camera_frame::{CameraFrame, CameraFrames};
use super::lock::lock;
use super::logger::Logger;
use super::names::child_topic;
use super::output_publishers::OutputPublishers;
use super::outputs::{CameraEndpoints, CameraStats, Reply};
use super::picture_outputs::PICTURES;
use crate::answer::{FrameResult, Status};
use crate::drawing::Captions;
use crate::image::Frame;
use crate::recordings::{Output, ResultMessages};
use crate::runtime::TrackHost;
use crate::tracking::FollowedFrame;
use r2r::{Node, PublisherUntyped, QosProfile};
use std::sync::{Arc, Mutex};

struct CameraTracks {
    name: String,
    publishers: OutputPublishers,
    stats: Arc<Mutex<CameraStats>>,
}

/// The worker's host for followed things.
pub struct TrackOutputs {
    cameras: Vec<Mutex<CameraTracks>>,
    /// The same publishers, for asking who subscribes: that must not wait for what is being published.
    endpoints: Vec<Mutex<OutputPublishers>>,
    captions: Captions,
    logger: Logger,
    inputs: CameraFrames,
}

impl TrackOutputs {
    /// Opens the publishers of all cameras.
    ///
    /// # Errors
    /// When ROS refuses.
    pub fn open(
        node: &mut Node,
        cameras: &[CameraEndpoints],
        captions: Captions,
        logger: Logger,
        inputs: CameraFrames,
    ) -> r2r::Result<TrackOutputs> {
        let mut open = |camera: &CameraEndpoints| {
            let topic = |output: Output| format!("~/{}", child_topic(&camera.name, &output.track_topic()));
            let profile = |output: Output| {
                let kept = if output.is_picture() { PICTURES } else { 10 };
                QosProfile::default().reliable().keep_last(kept)
            };
            let publishers = OutputPublishers::open(node, &Output::TRACKED, camera.depth, topic, profile)?;
            Ok::<_, r2r::Error>(CameraTracks { name: camera.name.clone(), publishers, stats: camera.stats.clone() })
        };
        let cameras = cameras.iter().map(&mut open).collect::<r2r::Result<Vec<_>>>()?;
        let endpoints = cameras.iter().map(|camera| Mutex::new(camera.publishers.clone())).collect();
        Ok(TrackOutputs { cameras: cameras.into_iter().map(Mutex::new).collect(), endpoints, captions, logger, inputs })
    }

    /// All publishers, to be taken from the graph at cleanup.
    pub fn publishers(&self) -> Vec<PublisherUntyped> {
        self.endpoints.iter().flat_map(|publishers| lock(publishers).inner().collect::<Vec<_>>()).collect()
    }
}

impl TrackHost<CameraFrame> for TrackOutputs {
    type Reply = Reply;

    fn wanted(&self, camera: usize) -> bool {
        lock(&self.endpoints[camera]).are_subscribed(|_| true)
    }

    fn bytes(&self, input: &CameraFrame) -> usize {
        input.input.bytes()
    }

    fn deliver(&self, input: &CameraFrame, camera: usize, frame: &Frame, followed: &FollowedFrame) {
        let (header, outputs) = (&input.input.header, &*lock(&self.cameras[camera]));
        let needs_depth = |output: Output| output == Output::Segmentation || output.is_in_space();
        let view = outputs.publishers.are_subscribed(needs_depth).then(|| {
            self.inputs.find_depth(camera, input, true);
            self.inputs.seen(camera, input)
        });
        let view = view.flatten();
        let mut lost = 0;
        for (at, result) in followed.each(camera, frame).enumerate() {
            if result.status() == Status::Lost {
                lost += 1;
                let fact = format!("track {} is lost: {}", result.track(), result.reason());
                self.logger.warn_throttled("track", &fact);
            }
            let messages = ResultMessages::new(header, &outputs.name, &result).with_depth(view.as_ref());
            // of several objects the best is the one to reach for
            let is_of_each = |output| match output {
                Output::Segmentation | Output::Object => true,
                Output::Point => at == 0,
                _ => false,
            };
            outputs.publishers.publish(&messages, is_of_each, &self.logger);
        }
        let together = followed.together(camera, frame);
        let messages = ResultMessages::new(header, &outputs.name, &together).with_depth(view.as_ref());
        let messages = messages.with_captions(self.captions);
        let is_of_all = |output| !matches!(output, Output::Segmentation | Output::Object | Output::Point);
        outputs.publishers.publish(&messages, is_of_all, &self.logger);
        let mut stats = lock(&outputs.stats);
        stats.followed += followed.things.len() as u64 - lost;
        stats.lost += lost;
    }

    fn reply(&self, input: &CameraFrame, result: &FrameResult) -> Reply {
        self.inputs.find_depth(result.camera, input, true);
        let (view, name) = (self.inputs.seen(result.camera, input), lock(&self.cameras[result.camera]).name.clone());
        let messages = ResultMessages::new(&input.input.header, &name, result).with_depth(view.as_ref());
        messages.cdr(Output::Segmentation).unwrap_or_else(|error| {
            self.logger.warn_throttled("reply", &error.to_string());
            None
        })
    }
}
