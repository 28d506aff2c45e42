//! Referseg's own messages; fields and their order are those of `msg/`, which says what they mean.
#![allow(missing_docs)]

use super::cdr::MessageType;
use super::ros_messages::{Header, Image, Pose, PoseStamped, RegionOfInterest, Vector3};
use serde::{Deserialize, Serialize};

/// `referseg/msg/Object`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Object {
    pub header: Header,
    pub target: String,
    pub score: f32,
    pub track_id: u32,
    pub point: Vector3,
    pub pose: Pose,
    pub size: Vector3,
    pub point_count: u32,
}

impl MessageType for Object {
    const TYPE: &'static str = "referseg/msg/Object";
}

/// `referseg/msg/ScoredThing`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoredThing<'a> {
    pub score: f32,
    #[serde(rename = "box")]
    pub bounding_box: RegionOfInterest,
    #[serde(borrow)]
    pub mask: Image<'a>,
    pub term_names: Vec<String>,
    pub term_values: Vec<f32>,
    pub track_id: u32,
    pub has_object: bool,
    pub object_reason: String,
    pub object: Object,
}

/// `referseg/msg/Roles`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Roles {
    pub verb: String,
    pub theme: String,
    pub source: String,
    pub goal: String,
    pub direction: String,
    pub distance: f32,
    pub instrument: String,
    pub path: String,
}

/// `referseg/msg/Candidate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Candidate<'a> {
    pub phrase: String,
    pub score: f32,
    #[serde(rename = "box")]
    pub bounding_box: RegionOfInterest,
    #[serde(borrow)]
    pub mask: Image<'a>,
}

/// `referseg/msg/Anchor`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    pub phrase: String,
    pub found: bool,
    #[serde(rename = "box")]
    pub bounding_box: RegionOfInterest,
}

/// `referseg/msg/Destination`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Destination<'a> {
    pub header: Header,
    pub status: u8,
    pub reason: String,
    pub phrase: String,
    pub relation: String,
    pub anchors: Vec<Anchor>,
    pub x: f32,
    pub y: f32,
    pub fit: f32,
    #[serde(rename = "box")]
    pub bounding_box: RegionOfInterest,
    #[serde(borrow)]
    pub mask: Image<'a>,
    pub has_pose: bool,
    pub pose_reason: String,
    pub pose: PoseStamped,
}

impl MessageType for Destination<'_> {
    const TYPE: &'static str = "referseg/msg/Destination";
}

/// `referseg/msg/Segmentation`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Segmentation<'a> {
    pub header: Header,
    pub camera: String,
    pub command: String,
    pub command_number: u32,
    pub origin: u8,
    pub request_id: String,
    pub conversation: String,
    pub target: String,
    pub reading: String,
    pub roles: Roles,
    pub by_depth: bool,
    pub reference_frame: String,
    pub status: u8,
    pub reason: String,
    pub score: f32,
    pub margin: f32,
    pub track_id: u32,
    pub track_quality: f32,
    pub grounding_age: f64,
    #[serde(borrow)]
    pub things: Vec<ScoredThing<'a>>,
    #[serde(borrow)]
    pub best: Vec<ScoredThing<'a>>,
    #[serde(rename = "box")]
    pub bounding_box: RegionOfInterest,
    #[serde(borrow)]
    pub mask: Image<'a>,
    pub has_object: bool,
    pub object_reason: String,
    pub object: Object,
    pub question: String,
    #[serde(borrow)]
    pub candidates: Vec<Candidate<'a>>,
    pub has_destination: bool,
    #[serde(borrow)]
    pub destination: Destination<'a>,
}

impl MessageType for Segmentation<'_> {
    const TYPE: &'static str = "referseg/msg/Segmentation";
}
