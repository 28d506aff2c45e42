//! Referseg's own messages; fields and their order are those of `msg/`, which says what they mean.
#![allow(missing_docs)]

use super::cdr::MessageType;
use super::ros_messages::{Header, Image, Pose, RegionOfInterest, Vector3};
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

/// `referseg/msg/Segmentation`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Segmentation<'a> {
    pub header: Header,
    pub camera: String,
    pub command: String,
    pub command_number: u32,
    pub origin: u8,
    pub request_id: String,
    pub target: String,
    pub reading: String,
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
}

impl MessageType for Segmentation<'_> {
    const TYPE: &'static str = "referseg/msg/Segmentation";
}
