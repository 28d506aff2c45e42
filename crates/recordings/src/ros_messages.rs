//! The standard messages that Referseg speaks; fields and their order are ROS's.
#![allow(missing_docs)]

use super::cdr::MessageType;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// Gives types their ROS names.
macro_rules! named {
    ($($kind:ty => $name:literal),* $(,)?) => {
        $(impl MessageType for $kind {
            const TYPE: &'static str = $name;
        })*
    };
}
pub(crate) use named;

named! {
    Text => "std_msgs/msg/String",
    Image<'_> => "sensor_msgs/msg/Image",
    CompressedImage<'_> => "sensor_msgs/msg/CompressedImage",
    CameraInfo => "sensor_msgs/msg/CameraInfo",
    PointCloud2 => "sensor_msgs/msg/PointCloud2",
    PointStamped => "geometry_msgs/msg/PointStamped",
    PoseStamped => "geometry_msgs/msg/PoseStamped",
    Detection2DArray => "vision_msgs/msg/Detection2DArray",
    Detection3DArray => "vision_msgs/msg/Detection3DArray",
    LabelInfo => "vision_msgs/msg/LabelInfo",
    TfMessage => "tf2_msgs/msg/TFMessage",
    BondStatus => "bond/msg/Status",
}

/// `builtin_interfaces/msg/Time`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Time {
    pub sec: i32,
    pub nanosec: u32,
}

impl Time {
    /// Of the time since the epoch.
    pub fn of(since: Duration) -> Time {
        Time { sec: since.as_secs() as i32, nanosec: since.subsec_nanos() }
    }

    /// Nanoseconds since the epoch.
    pub fn nanoseconds(self) -> i64 {
        i64::from(self.sec) * 1_000_000_000 + i64::from(self.nanosec)
    }
}

/// `std_msgs/msg/Header`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub stamp: Time,
    pub frame_id: String,
}

/// `std_msgs/msg/String`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    pub data: String,
}

/// `sensor_msgs/msg/Image`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image<'a> {
    pub header: Header,
    pub height: u32,
    pub width: u32,
    pub encoding: String,
    pub is_bigendian: u8,
    pub step: u32,
    #[serde(borrow, with = "serde_bytes")]
    pub data: Cow<'a, [u8]>,
}

/// `sensor_msgs/msg/CompressedImage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompressedImage<'a> {
    pub header: Header,
    pub format: String,
    #[serde(borrow, with = "serde_bytes")]
    pub data: Cow<'a, [u8]>,
}

/// `sensor_msgs/msg/RegionOfInterest`, pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionOfInterest {
    pub x_offset: u32,
    pub y_offset: u32,
    pub height: u32,
    pub width: u32,
    pub do_rectify: bool,
}

/// `sensor_msgs/msg/CameraInfo`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CameraInfo {
    pub header: Header,
    pub height: u32,
    pub width: u32,
    pub distortion_model: String,
    pub d: Vec<f64>,
    pub k: [f64; 9],
    pub r: [f64; 9],
    pub p: [f64; 12],
    pub binning_x: u32,
    pub binning_y: u32,
    pub roi: RegionOfInterest,
}

/// `sensor_msgs/msg/PointField`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointField {
    pub name: String,
    pub offset: u32,
    pub datatype: u8,
    pub count: u32,
}

/// `sensor_msgs/msg/PointCloud2`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointCloud2 {
    pub header: Header,
    pub height: u32,
    pub width: u32,
    pub fields: Vec<PointField>,
    pub is_bigendian: bool,
    pub point_step: u32,
    pub row_step: u32,
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
    pub is_dense: bool,
}

/// `geometry_msgs/msg/Point` and `Vector3`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Vector3 {
    pub x: f64,
    pub y: f64,
    pub z: f64,
}

/// `geometry_msgs/msg/Quaternion`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quaternion {
    pub x: f64,
    pub y: f64,
    pub z: f64,
    pub w: f64,
}

impl Default for Quaternion {
    /// No rotation.
    fn default() -> Self {
        Quaternion { x: 0.0, y: 0.0, z: 0.0, w: 1.0 }
    }
}

/// `geometry_msgs/msg/Pose`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    pub position: Vector3,
    pub orientation: Quaternion,
}

/// `geometry_msgs/msg/Transform`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transform {
    pub translation: Vector3,
    pub rotation: Quaternion,
}

/// `geometry_msgs/msg/TransformStamped`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransformStamped {
    pub header: Header,
    pub child_frame_id: String,
    pub transform: Transform,
}

/// `tf2_msgs/msg/TFMessage`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TfMessage {
    pub transforms: Vec<TransformStamped>,
}

/// `geometry_msgs/msg/PoseStamped`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoseStamped {
    pub header: Header,
    pub pose: Pose,
}

/// `geometry_msgs/msg/PointStamped`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PointStamped {
    pub header: Header,
    pub point: Vector3,
}

/// `vision_msgs/msg/ObjectHypothesisWithPose`; the pose is not known in two dimensions and stays 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectHypothesisWithPose {
    pub class_id: String,
    pub score: f64,
    pub pose: Pose,
    /// 6 by 6; serde knows arrays of up to 32.
    pub covariance: ([f64; 18], [f64; 18]),
}

/// `vision_msgs/msg/BoundingBox2D`, pixels; the centre lies between pixels as between pixel edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox2D {
    pub centre_x: f64,
    pub centre_y: f64,
    pub theta: f64,
    pub size_x: f64,
    pub size_y: f64,
}

/// `vision_msgs/msg/Detection2D`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection2D {
    pub header: Header,
    pub results: Vec<ObjectHypothesisWithPose>,
    pub bbox: BoundingBox2D,
    pub id: String,
}

/// `vision_msgs/msg/Detection2DArray`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detection2DArray {
    pub header: Header,
    pub detections: Vec<Detection2D>,
}

/// `vision_msgs/msg/BoundingBox3D`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox3D {
    pub center: Pose,
    pub size: Vector3,
}

/// `vision_msgs/msg/Detection3D`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection3D {
    pub header: Header,
    pub results: Vec<ObjectHypothesisWithPose>,
    pub bbox: BoundingBox3D,
    pub id: String,
}

/// `vision_msgs/msg/Detection3DArray`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detection3DArray {
    pub header: Header,
    pub detections: Vec<Detection3D>,
}

/// `vision_msgs/msg/VisionClass`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisionClass {
    pub class_id: u16,
    pub class_name: String,
}

/// `vision_msgs/msg/LabelInfo`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabelInfo {
    pub header: Header,
    pub class_map: Vec<VisionClass>,
    pub threshold: f32,
}

/// `bond/msg/Status`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BondStatus {
    pub header: Header,
    pub id: String,
    pub instance_id: String,
    pub active: bool,
    pub heartbeat_timeout: f32,
    pub heartbeat_period: f32,
}
