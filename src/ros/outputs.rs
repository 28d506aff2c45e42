//! `Outputs`: each camera's publishers, and what of an outcome goes to which.
//!
//! Answers to the topic's commands go to all of them. Answers to one caller go to that caller, and to the two
//! that say or show whose they are, `~/segmentation` and `~/overlay`; a mask alone could not.

use super::journal::Journal;
use super::lock;
use super::names::below;
use super::parameters::Parameters;
use super::spinner::Ros;
use crate::depth::{DepthImage, Pinhole, RecentDepth};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::messages::decode::Input;
use crate::messages::{
    encode, from_cdr, to_cdr, CameraInfo, CompressedImage, Detection2DArray, Header, Image, LabelInfo, Named, Object,
    PointCloud2, PointStamped, Segmentation,
};
use crate::object::{self, ObjectInSpace};
use crate::outcome::{Outcome, Way};
use crate::scoring::Status;
use crate::worker::Around;
use r2r::{Node, PublisherUntyped, QosProfile};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long a depth image may come after its picture.
const DEPTH_WAIT: Duration = Duration::from_millis(100);

/// A publisher of bytes, or none when this build does not know the message type.
pub struct Output(Option<PublisherUntyped>);

impl Output {
    fn open<T: Named>(node: &mut Node, topic: &str, profile: QosProfile) -> r2r::Result<Output> {
        Ok(Output(Some(node.create_publisher_untyped(topic, T::TYPE, profile)?)))
    }

    /// For message types that may not have been there when this program was built.
    ///
    /// # Errors
    /// When ROS refuses for another reason.
    pub fn open_if_known<T: Named>(node: &mut Node, topic: &str, profile: QosProfile) -> r2r::Result<Output> {
        match Output::open::<T>(node, topic, profile) {
            Err(r2r::Error::InvalidMessageType { .. }) => Ok(Output(None)),
            opened => opened,
        }
    }

    /// Whether this build knows the message type.
    pub fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// How many subscribe.
    pub fn listeners(&self) -> usize {
        let count = self.0.as_ref().map(PublisherUntyped::get_inter_process_subscription_count);
        count.and_then(r2r::Result::ok).unwrap_or_default()
    }

    fn heard(&self) -> bool {
        self.listeners() > 0
    }

    /// Publishes; once the node has ended, nothing.
    pub fn publish<T: serde::Serialize>(&self, message: &T) {
        if let (Some(publisher), Ok(cdr)) = (&self.0, to_cdr(message)) {
            let _ = publisher.publish_raw(&cdr);
        }
    }
}

struct CameraOutputs {
    name: String,
    segmentation: Output,
    mask: Output,
    overlay: Output,
    overlay_compressed: Output,
    label_mask: Output,
    confidence: Output,
    detections: Output,
    label_info: Output,
    point: Output,
    cloud: Output,
    object: Output,
    /// What the label mask's value was last said to mean.
    labelled: String,
    depth: Option<SharedDepth>,
    measured: Arc<Mutex<Measured>>,
}

/// What came last from a camera's depth topics, and its arrivals.
pub type SharedDepth = Arc<(Mutex<RecentDepth>, Condvar)>;

/// What diagnostics tell of a camera's answers.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Answers so far.
    pub answers: u64,
    /// Of them, those with status `ERROR`.
    pub errors: u64,
    /// From the frame's stamp to its answer, seconds, for the last one.
    pub age: f64,
    /// Proposals, features, text and scoring of the last answer, milliseconds.
    pub stages: [f64; 4],
}

/// A depth image's bytes with its camera, or why there are none.
type Nearest = std::result::Result<(Arc<Vec<u8>>, CameraInfo), String>;

/// A camera's frame with its depth, which is looked up once the frame is worked on: later, when it is answered, newer
/// depth images have taken its place.
pub struct Shot {
    input: Input,
    depth: OnceLock<Nearest>,
}

impl Shot {
    /// Of an image message.
    pub fn new(input: Input) -> Shot {
        Shot { input, depth: OnceLock::new() }
    }
}

/// Around the worker: decodes inputs, publishes outcomes.
pub struct Outputs {
    cameras: Vec<CameraOutputs>,
    ros: Ros,
    journal: Journal,
    parameters: Arc<Mutex<Parameters>>,
}

/// What a caller gets: the serialised `referseg/msg/Segmentation`; `None` for answers to all.
pub type Reply = Option<Vec<u8>>;

/// One camera, as its outputs see it.
pub struct CameraEnds {
    /// Its name; empty for the one without.
    pub name: String,
    /// Its depth, if it has any.
    pub depth: Option<SharedDepth>,
    /// What is measured of it.
    pub measured: Arc<Mutex<Measured>>,
}

impl Outputs {
    /// Opens the publishers of all cameras.
    ///
    /// # Errors
    /// When ROS refuses.
    pub fn open(
        node: &mut Node,
        cameras: Vec<CameraEnds>,
        ros: Ros,
        journal: Journal,
        parameters: Arc<Mutex<Parameters>>,
    ) -> r2r::Result<Outputs> {
        let results = || QosProfile::default().reliable().keep_last(10);
        let latched = || QosProfile::default().reliable().transient_local().keep_last(1);
        let open = |node: &mut Node, camera: CameraEnds| {
            let CameraEnds { name, depth, measured } = camera;
            let topic = |last: &str| format!("~/{}", below(&name, last));
            let [point, cloud, object] = match depth {
                Some(_) => [
                    Output::open::<PointStamped>(node, &topic("point"), results())?,
                    Output::open::<PointCloud2>(node, &topic("cloud"), results())?,
                    Output::open::<Object>(node, &topic("object"), results())?,
                ],
                None => [Output(None), Output(None), Output(None)],
            };
            Ok::<_, r2r::Error>(CameraOutputs {
                segmentation: Output::open::<Segmentation>(node, &topic("segmentation"), results())?,
                mask: Output::open::<Image>(node, &topic("mask"), results())?,
                overlay: Output::open::<Image>(node, &topic("overlay"), results())?,
                overlay_compressed: Output::open::<CompressedImage>(node, &topic("overlay/compressed"), results())?,
                label_mask: Output::open::<Image>(node, &topic("label_mask"), results())?,
                confidence: Output::open::<Image>(node, &topic("confidence"), results())?,
                detections: Output::open_if_known::<Detection2DArray>(node, &topic("detections"), results())?,
                label_info: Output::open_if_known::<LabelInfo>(node, &topic("label_info"), latched())?,
                point,
                cloud,
                object,
                labelled: String::new(),
                name,
                depth,
                measured,
            })
        };
        let cameras = cameras.into_iter().map(|camera| open(node, camera)).collect::<r2r::Result<_>>()?;
        Ok(Outputs { cameras, ros, journal, parameters })
    }

    /// Whether this build knows vision_msgs.
    pub fn detects(&self) -> bool {
        self.cameras.iter().any(|camera| camera.detections.is_open())
    }

    /// All publishers, to be taken from the graph one day.
    pub fn publishers(&self) -> Vec<PublisherUntyped> {
        let of_camera = |camera: &CameraOutputs| {
            let all = camera.for_all().into_iter().chain([&camera.label_info]);
            all.filter_map(|output| output.0.clone()).collect::<Vec<_>>()
        };
        self.cameras.iter().flat_map(of_camera).collect()
    }
}

impl CameraOutputs {
    /// Where answers to the topic's commands go; without label_info, for which nobody waits.
    fn for_all(&self) -> [&Output; 10] {
        let CameraOutputs { segmentation, mask, overlay, overlay_compressed, label_mask, confidence, .. } = self;
        let CameraOutputs { detections, point, cloud, object, .. } = self;
        [segmentation, mask, overlay, overlay_compressed, label_mask, confidence, detections, point, cloud, object]
    }

    /// The bytes of the depth image of a picture with its camera. Waits a moment for one that may still come.
    fn nearest_depth(&self, picture: &Header, tolerance: f64) -> Option<Nearest> {
        let (recent, arrived) = &**self.depth.as_ref()?;
        let end = Instant::now() + DEPTH_WAIT;
        let mut recent = lock(recent);
        loop {
            let found = recent.nearest(picture, tolerance);
            let left = end.saturating_duration_since(Instant::now());
            if found.is_ok() || left.is_zero() || !recent.may_come(picture) {
                return Some(found);
            }
            recent = arrived.wait_timeout(recent, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The depth of a shot as numbers, with its camera.
fn depth_of(shot: &Shot) -> Option<std::result::Result<(DepthImage, Pinhole), String>> {
    let read = |(cdr, info): &(Arc<Vec<u8>>, CameraInfo)| {
        let depth = from_cdr::<Image>(cdr).and_then(|image| DepthImage::read(&image));
        let depth = depth.map_err(|error| error.to_string())?;
        let camera = Pinhole::of(info, depth.width, depth.height).map_err(|error| error.to_string())?;
        Ok((depth, camera))
    };
    Some(shot.depth.get()?.as_ref().map_err(String::clone).and_then(read))
}

fn message(header: &Header, outcome: &Outcome, found: &ObjectInSpace) -> Object {
    Object {
        header: header.clone(),
        target: outcome.target().into(),
        score: outcome.score(),
        point: found.point,
        pose: found.pose,
        size: found.size,
        points: found.points as u32,
    }
}

impl Around<Shot> for Outputs {
    type Reply = Reply;

    fn wanted(&self, camera: usize) -> bool {
        self.cameras[camera].for_all().into_iter().any(Output::heard)
    }

    fn decode(&self, camera: usize, shot: &Shot) -> Result<Frame> {
        let tolerance = lock(&self.parameters).node().depth_tolerance;
        if let Some(depth) = self.cameras[camera].nearest_depth(&shot.input.header, tolerance) {
            let _ = shot.depth.set(depth); // set by an earlier look at the same frame
        }
        shot.input.frame()
    }

    fn deliver(&mut self, shot: &Shot, outcome: &Outcome) -> Reply {
        let (header, camera) = (&shot.input.header, &mut self.cameras[outcome.camera]);
        if let Err(error) = &outcome.result {
            self.journal.seldom("outcome", &format!("command {}: {error}", outcome.asked.number));
        }
        let for_all = outcome.asked.way == Way::Topic;
        let tell = !for_all || camera.segmentation.heard();
        let in_space = for_all && [&camera.point, &camera.cloud, &camera.object].into_iter().any(Output::heard);
        let min_score = lock(&self.parameters).config().answer.min_score;
        let seen = (tell || in_space).then(|| depth_of(shot)).flatten();
        let located = seen.as_ref().map(|seen| {
            let (depth, pinhole) = seen.as_ref().map_err(String::clone)?;
            let (mask, _) = outcome.shown().ok_or("nothing was found in the image")?;
            object::locate(mask, depth, pinhole)
        });
        let object = located.map(|located| located.map(|found| message(header, outcome, &found)));

        let mask = (tell || camera.mask.heard()).then(|| encode::mask(header, outcome));
        if for_all && outcome.frame.is_some() {
            if let Some(mask) = mask.as_ref().filter(|_| camera.mask.heard()) {
                camera.mask.publish(mask);
            }
            if camera.label_mask.heard() {
                camera.label_mask.publish(&encode::label_mask(header, outcome));
            }
            if camera.confidence.heard() {
                camera.confidence.publish(&encode::confidence(header, outcome));
            }
            if camera.detections.heard() {
                camera.detections.publish(&encode::detections(header, outcome));
            }
            if camera.labelled != outcome.target() && outcome.status() != Status::Error {
                camera.labelled = outcome.target().into();
                camera.label_info.publish(&encode::label_info(header, outcome.target(), min_score));
            }
            if let Some(Ok(object)) = &object {
                camera.object.publish(object);
                camera.point.publish(&PointStamped { header: header.clone(), point: object.point });
            }
            if let (Some(Ok((depth, pinhole))), Some(frame), Some((shown, _)), true) =
                (&seen, outcome.frame, outcome.shown(), camera.cloud.heard())
            {
                if let Ok(cloud) = object::cloud(header, shown, frame, depth, pinhole) {
                    camera.cloud.publish(&cloud);
                }
            }
        }
        if let Some(frame) = outcome.frame.filter(|_| camera.overlay.heard() || camera.overlay_compressed.heard()) {
            let overlay = encode::overlay(header, frame, outcome);
            if camera.overlay.heard() {
                camera.overlay.publish(&overlay);
            }
            if camera.overlay_compressed.heard() {
                match encode::compressed(&overlay) {
                    Ok(compressed) => camera.overlay_compressed.publish(&compressed),
                    Err(error) => self.journal.seldom("overlay", &error.to_string()),
                }
            }
        }
        let reply = mask.filter(|_| tell).map(|mask| {
            let message = encode::segmentation(header, &camera.name, outcome, &mask, object.as_ref());
            if camera.segmentation.heard() {
                camera.segmentation.publish(&message);
            }
            to_cdr(&message)
        });

        let mut measured = lock(&camera.measured);
        measured.answers += 1;
        measured.errors += u64::from(outcome.result.is_err());
        measured.age = self.ros.now().as_secs_f64() - header.stamp.nanoseconds() as f64 / 1e9;
        if let Ok((scene, query, answer)) = &outcome.result {
            let times = [scene.proposals_time, scene.features_time, query.time, answer.time];
            measured.stages = times.map(|time| time.as_secs_f64() * 1e3);
        }
        drop(measured);
        match (for_all, reply) {
            (false, Some(Ok(cdr))) => Some(cdr),
            (false, Some(Err(error))) => {
                self.journal.seldom("reply", &error.to_string());
                None
            }
            _ => None,
        }
    }
}

/// What is said in place of an answer: no frame came, nobody could work on it.
pub fn refusal(text: &str, camera: &str, way: Way, id: &str, reason: &str) -> r2r::referseg::msg::Segmentation {
    let message = r2r::referseg::msg::Segmentation::default();
    r2r::referseg::msg::Segmentation {
        command: text.into(),
        camera: camera.into(),
        way: if way == Way::Service { 1 } else { 2 },
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
