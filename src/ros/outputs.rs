//! `Outputs`: each camera's publishers, and which part of a result goes to which.
//!
//! Answers to the topic's commands go to all of them. Answers to one caller go to that caller, and to the two topics
//! that state the request they answer, `~/segmentation` and `~/overlay`; a mask alone could not.

use super::camera_frame::{CameraFrame, CameraFrames};
use super::latencies::Latencies;
use super::lock::lock;
use super::logger::Logger;
use super::names::child_topic;
use super::node_thread::{Ros, WAITING};
use super::picture_outputs::{PictureOutputs, PicturePublishers};
use super::publisher::RawPublisher;
use super::visualization::ViewPublishers;
use crate::answer::{FrameResult, Origin, Status};
use crate::drawing::Captions;
use crate::recordings::{
    convert, encode, to_cdr, CompressedImage, Detection2DArray, Detection3DArray, Image, LabelInfo, Object,
    PointCloud2, PointStamped, Segmentation,
};
use crate::runtime::WorkerHost;
use crate::{Error, Result};
use r2r::{Node, PublisherUntyped, QosProfile};
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct CameraOutputs {
    name: String,
    segmentation: RawPublisher,
    pictures: PicturePublishers,
    detections: RawPublisher,
    label_info: RawPublisher,
    point: RawPublisher,
    cloud: RawPublisher,
    object: RawPublisher,
    detections_3d: RawPublisher,
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
        let results = || QosProfile::default().reliable().keep_last(10);
        // a burst of commands or requests is answered in a burst, and no answer may be lost
        let all_results = || QosProfile::default().reliable().keep_last(WAITING);
        let latched = || QosProfile::default().reliable().transient_local().keep_last(1);
        let open = |node: &mut Node, camera: CameraEndpoints| {
            let CameraEndpoints { name, depth, stats } = camera;
            let topic = |last: &str| format!("~/{}", child_topic(&name, last));
            let [point, cloud, object, detections_3d] = match depth {
                true => [
                    RawPublisher::open::<PointStamped>(node, &topic("point"), results())?,
                    RawPublisher::open::<PointCloud2>(node, &topic("cloud"), results())?,
                    RawPublisher::open::<Object>(node, &topic("object"), results())?,
                    RawPublisher::open_if_known::<Detection3DArray>(node, &topic("detections_3d"), results())?,
                ],
                false => std::array::from_fn(|_| RawPublisher::absent()),
            };
            Ok::<_, r2r::Error>(CameraOutputs {
                segmentation: RawPublisher::open::<Segmentation>(node, &topic("segmentation"), all_results())?,
                pictures: PicturePublishers {
                    mask: RawPublisher::open::<Image>(node, &topic("mask"), results())?,
                    label_mask: RawPublisher::open::<Image>(node, &topic("label_mask"), results())?,
                    confidence: RawPublisher::open::<Image>(node, &topic("confidence"), results())?,
                    overlay: RawPublisher::open::<Image>(node, &topic("overlay"), results())?,
                    overlay_compressed: RawPublisher::open::<CompressedImage>(
                        node,
                        &topic("overlay/compressed"),
                        results(),
                    )?,
                },
                detections: RawPublisher::open_if_known::<Detection2DArray>(node, &topic("detections"), results())?,
                label_info: RawPublisher::open_if_known::<LabelInfo>(node, &topic("label_info"), latched())?,
                point,
                cloud,
                object,
                detections_3d,
                views: ViewPublishers::open(node, &topic, depth)?,
                labelled: String::new(),
                name,
                stats,
            })
        };
        let cameras = cameras.into_iter().map(|camera| open(node, camera)).collect::<r2r::Result<Vec<_>>>()?;
        let pictures = cameras.iter().map(|camera| camera.pictures.clone()).collect();
        let pictures = PictureOutputs::start(pictures, captions, logger.clone())?;
        Ok(Outputs { cameras, pictures, ros, logger, inputs })
    }

    /// Whether this build knows vision_msgs.
    pub fn detects(&self) -> bool {
        self.cameras.iter().any(|camera| camera.detections.is_open())
    }

    /// All publishers, to be taken from the graph at cleanup.
    pub fn publishers(&self) -> Vec<PublisherUntyped> {
        let of_camera = |camera: &CameraOutputs| {
            let all = camera.for_all().chain([&camera.label_info]);
            all.filter_map(|output| output.inner()).collect::<Vec<_>>()
        };
        self.cameras.iter().flat_map(of_camera).collect()
    }
}

impl CameraOutputs {
    /// Where answers to the topic's commands go; without label_info, which alone makes no work.
    fn for_all(&self) -> impl Iterator<Item = &RawPublisher> {
        let CameraOutputs { segmentation, pictures, detections, views, .. } = self;
        let others = [segmentation, detections, &views.annotations];
        pictures.all().into_iter().chain(others).chain(self.in_space())
    }

    /// What needs the thing's place in space.
    fn in_space(&self) -> [&RawPublisher; 5] {
        [&self.point, &self.cloud, &self.object, &self.detections_3d, &self.views.markers]
    }
}

impl WorkerHost<CameraFrame> for Outputs {
    type Reply = Reply;

    fn wanted(&self, camera: usize) -> bool {
        self.cameras[camera].for_all().any(RawPublisher::is_subscribed)
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
        let needs_message = !for_all || camera.segmentation.is_subscribed();
        let needs_3d = for_all && camera.in_space().into_iter().any(RawPublisher::is_subscribed);
        let min_score = lock(&self.inputs.parameters).config().answer.min_score;
        let seen = (needs_message || needs_3d).then(|| self.inputs.seen(frame)).flatten();
        let object = seen.as_ref().map(|seen| convert::located(header, result, seen));

        let reply = needs_message.then(|| {
            let mask = encode::mask(header, result);
            let message = encode::segmentation(header, &camera.name, result, &mask, object.as_ref());
            if camera.segmentation.is_subscribed() {
                camera.segmentation.publish(&message);
            }
            // who asked alone gets the bytes
            (!for_all).then(|| to_cdr(&message))
        });
        self.pictures.offer(header, result);
        if for_all && result.frame.is_some() {
            if camera.detections.is_subscribed() {
                camera.detections.publish(&encode::detections(header, result));
            }
            if camera.labelled != result.target() && result.status() != Status::Error {
                camera.labelled = result.target().into();
                camera.label_info.publish(&encode::label_info(header, result.target(), min_score));
            }
            let known = object.as_ref().and_then(|object| object.as_ref().ok());
            if camera.detections_3d.is_subscribed() {
                camera.detections_3d.publish(&encode::detections_3d(header, known));
            }
            camera.views.publish(header, result, known, &self.logger);
            if let Some(Ok(object)) = &object {
                camera.object.publish(object);
                camera.point.publish(&PointStamped { header: object.header.clone(), point: object.point });
            }
            if let (Some(Ok(seen)), true) = (&seen, camera.cloud.is_subscribed()) {
                if let Some(cloud) = convert::cloud(header, result, seen) {
                    camera.cloud.publish(&cloud);
                }
            }
        }

        let mut stats = lock(&camera.stats);
        stats.answers += 1;
        stats.errors += u64::from(result.answer.is_err());
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
        match reply.flatten() {
            Some(Ok(cdr)) => Some(cdr),
            Some(Err(error)) => {
                self.logger.warn_throttled("reply", &error.to_string());
                None
            }
            None => None,
        }
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
