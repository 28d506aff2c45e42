//! `Outputs`: each camera's publishers, and which part of a result goes to which.
//!
//! Answers to the topic's commands go to all of them. Answers to one caller go to that caller, and to the two topics
//! that state the request they answer, `~/segmentation` and `~/overlay`; a mask alone could not.

use super::camera_frame::{CameraFrame, CameraFrames};
use super::latencies::Latencies;
use super::lock::lock;
use super::logger::Logger;
use super::names::child_topic;
use super::node_thread::Ros;
use super::output_publishers::OutputPublishers;
use super::picture_outputs::{PictureOutputs, PICTURES};
use super::visualization::ViewPublishers;
use crate::answer::{FrameResult, Origin, Status};
use crate::drawing::Captions;
use crate::recordings::{encode, Output, ResultMessages};
use crate::runtime::{WorkerHost, MAX_REQUESTS};
use crate::{Error, Result};
use r2r::{Node, PublisherUntyped, QosProfile};
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct CameraOutputs {
    name: String,
    publishers: OutputPublishers,
    views: ViewPublishers,
    /// The meaning of the label mask's value that was published last.
    labelled: String,
    stats: Arc<Mutex<CameraStats>>,
}

/// What diagnostics say of a camera's answers.
#[derive(Clone, Debug, Default)]
pub struct CameraStats {
    /// Answers so far.
    pub answers: u64,
    /// Of them, those with status `ERROR`.
    pub errors: u64,
    /// Those with status `ERROR` since the last one with another.
    pub errors_in_a_row: u64,
    /// The reason of the last one with status `ERROR`.
    pub last_error: String,
    /// Of them, those on frames that show the same as the one before.
    pub of_static_frames: u64,
    /// Things in frames into which they were followed.
    pub followed: u64,
    /// Things in frames in which they were lost.
    pub lost: u64,
    /// From the frame's stamp to its answer, seconds, for the last one.
    pub age: f64,
    /// Proposals, features, text and scoring of the last answer, milliseconds.
    pub stages: [f64; 5],
    /// The ages of the last answers.
    pub ages: Latencies,
    /// How long the last answers took of all stages together.
    pub inference: Latencies,
}

/// The worker's host: decodes inputs, publishes results.
pub struct Outputs {
    cameras: Vec<CameraOutputs>,
    pictures: PictureOutputs,
    ros: Ros,
    logger: Logger,
    inputs: CameraFrames,
}

/// What a caller gets: the serialised `referseg/msg/Segmentation`; `None` for answers to all.
pub type Reply = Option<Vec<u8>>;

/// One camera, as its outputs see it.
pub struct CameraEndpoints {
    /// Its name; empty for the one without.
    pub name: String,
    /// Whether it has depth.
    pub depth: bool,
    /// What diagnostics say of it.
    pub stats: Arc<Mutex<CameraStats>>,
}

impl Outputs {
    /// Opens the publishers of all cameras.
    ///
    /// # Errors
    /// When ROS refuses.
    pub fn open(
        node: &mut Node,
        cameras: Vec<CameraEndpoints>,
        captions: Captions,
        ros: Ros,
        logger: Logger,
        inputs: CameraFrames,
    ) -> std::result::Result<Outputs, Box<dyn std::error::Error + Send + Sync>> {
        let profile = |output| match output {
            // a burst of commands or requests is answered in a burst, and no answer may be lost
            Output::Segmentation => QosProfile::default().reliable().keep_last(MAX_REQUESTS),
            // Fast DDS keeps them all for a subscriber that does not take them: at 1080p 12 MB of all four kinds
            _ if output.is_picture() => QosProfile::default().reliable().keep_last(PICTURES),
            Output::LabelInfo => QosProfile::default().reliable().transient_local().keep_last(1),
            _ => QosProfile::default().reliable().keep_last(10),
        };
        let open = |node: &mut Node, camera: CameraEndpoints| {
            let CameraEndpoints { name, depth, stats } = camera;
            let topic = |last: &str| format!("~/{}", child_topic(&name, last));
            let publishers =
                OutputPublishers::open(node, &Output::ALL, depth, |output| topic(&output.topic()), profile)?;
            let views = ViewPublishers::open(node, &topic, depth)?;
            Ok::<_, r2r::Error>(CameraOutputs { publishers, views, labelled: String::new(), name, stats })
        };
        let cameras = cameras.into_iter().map(|camera| open(node, camera)).collect::<r2r::Result<Vec<_>>>()?;
        let pictures = cameras.iter().map(|camera| camera.publishers.only(Output::is_picture)).collect();
        let pictures = PictureOutputs::start(pictures, captions, logger.clone())?;
        Ok(Outputs { cameras, pictures, ros, logger, inputs })
    }

    /// Whether this build knows vision_msgs.
    pub fn detects(&self) -> bool {
        self.cameras.iter().any(|camera| camera.publishers.is_open(Output::Detections))
    }

    /// All publishers, to be taken from the graph at cleanup.
    pub fn publishers(&self) -> Vec<PublisherUntyped> {
        let of_camera = |camera: &CameraOutputs| {
            let views = [camera.views.markers.inner(), camera.views.annotations.inner()];
            camera.publishers.inner().chain(views.into_iter().flatten()).collect::<Vec<_>>()
        };
        self.cameras.iter().flat_map(of_camera).collect()
    }
}

impl WorkerHost<CameraFrame> for Outputs {
    type Reply = Reply;

    fn wanted(&self, camera: usize) -> bool {
        let CameraOutputs { publishers, views, .. } = &self.cameras[camera];
        // label_info alone makes no work
        publishers.are_subscribed(|output| output != Output::LabelInfo)
            || views.annotations.is_subscribed()
            || views.markers.is_subscribed()
    }

    fn problem(&mut self, text: &str) {
        self.logger.error(text);
    }

    fn deliver(&mut self, frame: &CameraFrame, result: &FrameResult) -> Reply {
        self.inputs.find_depth(result.camera, frame, false);
        let (header, camera) = (&frame.input.header, &mut self.cameras[result.camera]);
        if let Err(error) = result.answer {
            self.logger.warn_throttled("result", &format!("command {}: {error}", result.command.number));
        }
        let for_all = result.command.origin == Origin::Topic;
        let needs_message = !for_all || camera.publishers.are_subscribed(|output| output == Output::Segmentation);
        let needs_depth =
            for_all && (camera.publishers.are_subscribed(Output::is_in_space) || camera.views.markers.is_subscribed());
        let min_score = lock(&self.inputs.parameters).config().answer.min_score;
        let view = (needs_message || needs_depth).then(|| self.inputs.seen(result.camera, frame)).flatten();
        let messages =
            ResultMessages::new(header, &camera.name, result).with_depth(view.as_ref()).with_min_score(min_score);

        // of the topics, only this one and the overlay say which request they answer
        let wanted = |output| output == Output::Segmentation || for_all && output != Output::LabelInfo;
        camera.publishers.publish(&messages, |output| wanted(output) && !output.is_picture(), &self.logger);
        let reply = (!for_all).then(|| messages.cdr(Output::Segmentation));
        self.pictures.offer(header, result);
        if for_all && result.frame.is_some() {
            if camera.labelled != result.target() && result.status() != Status::Error {
                camera.labelled = result.target().into();
                camera.publishers.latch(&messages, Output::LabelInfo, &self.logger);
            }
            camera.views.publish(header, result, (|| messages.objects(), || messages.placed()), &self.logger);
        }

        let mut stats = lock(&camera.stats);
        stats.answers += 1;
        match result.status() {
            Status::Error => {
                stats.errors += 1;
                stats.errors_in_a_row += 1;
                stats.last_error = result.reason();
            }
            _ => stats.errors_in_a_row = 0,
        }
        stats.of_static_frames += u64::from(result.is_static);
        stats.age = self.ros.now().as_secs_f64() - header.stamp.nanoseconds() as f64 / 1e9;
        if let Ok(answer) = result.answer {
            let stages = answer.times.each();
            stats.stages = stages.map(|time| time.as_secs_f64() * 1e3);
            let age = stats.age;
            stats.ages.add(age);
            stats.inference.add(stages.iter().sum::<Duration>().as_secs_f64());
        }
        drop(stats);
        reply?.unwrap_or_else(|error| {
            self.logger.warn_throttled("reply", &error.to_string());
            None
        })
    }
}

/// The result in place of an answer: no frame came, or nobody could work on it.
pub fn refusal(text: &str, camera: &str, origin: Origin, id: &str, reason: &str) -> r2r::referseg::msg::Segmentation {
    let message = r2r::referseg::msg::Segmentation::default();
    r2r::referseg::msg::Segmentation {
        command: text.into(),
        camera: camera.into(),
        origin: encode::origin(origin),
        request_id: id.into(),
        status: encode::status(Status::Error),
        reason: reason.into(),
        ..message
    }
}

/// A reply as r2r's type, for services and actions.
///
/// # Errors
/// When the bytes are not what they should be.
pub fn typed(cdr: &[u8]) -> Result<r2r::referseg::msg::Segmentation> {
    use r2r::WrappedTypesupport;
    r2r::referseg::msg::Segmentation::from_serialized_bytes(cdr).map_err(|error| Error::Message(error.to_string()))
}
