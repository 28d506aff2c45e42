//! `ViewPublishers`: an answer for those who look: markers for RViz, annotations for Foxglove.
//!
//! Both packages may be absent, and their messages have gained fields over the years. So the messages are made by the names of their fields, over
//! what the installed package itself has in an empty one.

use super::logger::Logger;
use super::publisher::RawPublisher;
use crate::answer::{FrameResult, Status};
use crate::recordings::{Header, Object, PoseStamped};
use r2r::{Node, QosProfile, WrappedNativeMsgUntyped};
use serde_json::{json, Value};

const MARKERS: &str = "visualization_msgs/msg/MarkerArray";
const MARKER: &str = "visualization_msgs/msg/Marker";
const ANNOTATIONS: &str = "foxglove_msgs/msg/ImageAnnotations";
const POINTS_ANNOTATION: &str = "foxglove_msgs/msg/PointsAnnotation";
const TEXT_ANNOTATION: &str = "foxglove_msgs/msg/TextAnnotation";
/// Constants of `Marker` and `PointsAnnotation`.
const CUBE: u8 = 1;
const CYLINDER: u8 = 3;
const TEXT_VIEW_FACING: u8 = 9;
const DELETE_ALL: u8 = 3;
const LINE_LOOP: u8 = 2;
const LINE_LIST: u8 = 4;
/// How long markers are shown, seconds: longer than any answer takes on a robot's CPU.
const LIFETIME: i32 = 30;
/// Diameter and height of the disc at a destination, metres.
const DISC: f64 = 0.06;
const DISC_HEIGHT: f64 = 0.005;
/// Half the side of the cross at a destination, image pixels.
const CROSS: f64 = 8.0;
/// Height of the text over a thing, metres, and in a picture, pixels.
const LETTERS: f64 = 0.03;
const FONT: f64 = 14.0;

/// One camera's publishers.
pub struct ViewPublishers {
    /// `~/markers`; absent without depth.
    pub markers: RawPublisher,
    /// `~/annotations`.
    pub annotations: RawPublisher,
}

/// An empty message of a type with other values for some of its fields.
fn message(kind: &str, fields: Value) -> r2r::Result<Value> {
    let mut whole = WrappedNativeMsgUntyped::new_from(kind)?
        .to_json()
        .map_err(|cause| r2r::Error::SerdeError { err: cause.to_string() })?;
    if let (Value::Object(whole), Value::Object(fields)) = (&mut whole, fields) {
        for (name, value) in fields {
            // r2r calls a field that is a word of Rust's by another name
            let other = format!("{name}_");
            whole.insert(if whole.contains_key(&other) { other } else { name }, value);
        }
    }
    Ok(whole)
}

fn colour(status: Status) -> Value {
    match status {
        Status::Found => json!({"r": 0.1, "g": 0.9, "b": 0.3, "a": 0.5}),
        _ => json!({"r": 1.0, "g": 0.8, "b": 0.1, "a": 0.5}),
    }
}

impl ViewPublishers {
    /// Opens both, as far as their packages were there when this program was built.
    ///
    /// # Errors
    /// When ROS refuses.
    pub fn open(node: &mut Node, topic: &dyn Fn(&str) -> String, depth: bool) -> r2r::Result<ViewPublishers> {
        let results = || QosProfile::default().reliable().keep_last(10);
        let markers = match depth {
            true => RawPublisher::open_named_if_known(node, &topic("markers"), MARKERS, results())?,
            false => RawPublisher::absent(),
        };
        let annotations = RawPublisher::open_named_if_known(node, &topic("annotations"), ANNOTATIONS, results())?;
        Ok(ViewPublishers { markers, annotations })
    }

    /// Publishes an answer to those who subscribe.
    pub fn publish<'a, O: Iterator<Item = &'a Object>>(
        &self,
        header: &Header,
        result: &FrameResult,
        (objects, destination): (impl FnOnce() -> O, impl FnOnce() -> Option<&'a PoseStamped>),
        logger: &Logger,
    ) {
        let warn = |what: &str, published: r2r::Result<()>| {
            if let Err(error) = published {
                logger.warn_throttled(what, &format!("{what}: {error}"));
            }
        };
        if self.markers.is_subscribed() {
            warn(
                "markers",
                markers(header, result, objects(), destination())
                    .and_then(|message| self.markers.publish_fields(message)),
            );
        }
        if self.annotations.is_subscribed() {
            warn(
                "annotations",
                annotations(header, result).and_then(|message| self.annotations.publish_fields(message)),
            );
        }
    }
}

/// The box of each object and its name, and a disc where the target shall go; what was shown before is deleted. They disappear when no
/// further answer comes.
fn markers<'a>(
    header: &Header,
    result: &FrameResult,
    objects: impl Iterator<Item = &'a Object>,
    destination: Option<&PoseStamped>,
) -> r2r::Result<Value> {
    let mut all = vec![message(MARKER, json!({"header": header, "ns": "referseg", "action": DELETE_ALL}))?];
    let lifetime = json!({"sec": LIFETIME, "nanosec": 0});
    for (number, object) in objects.enumerate() {
        let mut above = object.pose;
        above.orientation = Default::default();
        // up in a frame of a robot; in an optical one it is beside the object
        above.position.z += LETTERS;
        let colour = colour(result.status());
        all.push(message(
            MARKER,
            json!({"header": object.header, "ns": "referseg", "id": 2 * number, "type": CUBE, "pose": object.pose,
                   "scale": object.size, "color": colour, "lifetime": lifetime}),
        )?);
        all.push(message(
            MARKER,
            json!({"header": object.header, "ns": "referseg", "id": 2 * number + 1, "type": TEXT_VIEW_FACING, "pose": above,
                   "scale": {"x": 0.0, "y": 0.0, "z": LETTERS}, "color": {"r": 1.0, "g": 1.0, "b": 1.0, "a": 1.0},
                   "text": format!("{} {:.2}", object.target, object.score), "lifetime": lifetime}),
        )?);
    }
    if let Some(PoseStamped { header, pose }) = destination {
        let size = json!({"x": DISC, "y": DISC, "z": DISC_HEIGHT});
        let colour = json!({"r": 0.15, "g": 0.8, "b": 1.0, "a": 0.7});
        all.push(message(
            MARKER,
            json!({"header": header, "ns": "referseg/destination", "id": 0, "type": CYLINDER, "pose": pose, "scale": size,
                   "color": colour, "lifetime": lifetime}),
        )?);
    }
    Ok(json!({"markers": all}))
}

/// A box around each thing that was found, a cross where it shall go, and what was answered.
fn annotations(header: &Header, result: &FrameResult) -> r2r::Result<Value> {
    let stamp = json!(header.stamp);
    let colour = colour(result.status());
    let outline = json!({"r": colour["r"], "g": colour["g"], "b": colour["b"], "a": 1.0});
    let (mut points, mut texts) = (Vec::new(), Vec::new());
    let boxes: Vec<_> = result.found().iter().filter_map(|thing| thing.mask.bounding_box()).collect();
    for rect in &boxes {
        let corners =
            [(rect.x, rect.y), (rect.right(), rect.y), (rect.right(), rect.bottom()), (rect.x, rect.bottom())];
        let corners: Vec<Value> = corners.into_iter().map(|(x, y)| json!({"x": x as f64, "y": y as f64})).collect();
        points.push(message(
            POINTS_ANNOTATION,
            json!({"timestamp": stamp, "type": LINE_LOOP, "points": corners, "outline_color": outline, "thickness": 2.0}),
        )?);
    }
    if let Some(spot) = result.destination().and_then(|destination| destination.spot.as_ref()) {
        let [x, y] = spot.point.map(f64::from);
        let ends = [(x - CROSS, y), (x + CROSS, y), (x, y - CROSS), (x, y + CROSS)];
        let ends: Vec<Value> = ends.into_iter().map(|(x, y)| json!({"x": x, "y": y})).collect();
        let colour = json!({"r": 0.15, "g": 0.8, "b": 1.0, "a": 1.0});
        points.push(message(
            POINTS_ANNOTATION,
            json!({"timestamp": stamp, "type": LINE_LIST, "points": ends, "outline_color": colour, "thickness": 2.0}),
        )?);
    }
    let at = boxes.first().map_or((0.0, FONT), |rect| (rect.x as f64, rect.y as f64));
    let text = format!("{} {:.2} {}", result.status().name(), result.score(), result.target());
    texts.push(message(
        TEXT_ANNOTATION,
        json!({"timestamp": stamp, "position": {"x": at.0, "y": at.1}, "text": text, "font_size": FONT,
               "text_color": outline, "background_color": {"r": 0.0, "g": 0.0, "b": 0.0, "a": 0.5}}),
    )?);
    message(ANNOTATIONS, json!({"points": points, "texts": texts}))
}
