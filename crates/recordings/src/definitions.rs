//! Message definitions as recordings carry them (MCAP's `ros2msg` encoding): the definition of a type and, separated by
//! lines of `=`, those of the types in it.

use super::cdr::MessageType;
use super::referseg::{Destination, Object, Segmentation};
use super::ros_messages::{CompressedImage, Image, PointCloud2, PointStamped, PoseStamped, TfMessage};

const HEADER: &str = "builtin_interfaces/Time stamp\nstring frame_id\n";
const TIME: &str = "int32 sec\nuint32 nanosec\n";
const IMAGE: &str = "std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\n\
                     uint32 step\nuint8[] data\n";
const COMPRESSED: &str = "std_msgs/Header header\nstring format\nuint8[] data\n";
const REGION: &str = "uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify\n";
const POINT: &str = "float64 x\nfloat64 y\nfloat64 z\n";
const QUATERNION: &str = "float64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1\n";
const POSE: &str = "Point position\nQuaternion orientation\n";
const FIELD: &str = "uint8 INT8=1\nuint8 UINT8=2\nuint8 INT16=3\nuint8 UINT16=4\nuint8 INT32=5\nuint8 UINT32=6\n\
                     uint8 FLOAT32=7\nuint8 FLOAT64=8\nstring name\nuint32 offset\nuint8 datatype\nuint32 count\n";
const CLOUD: &str = "std_msgs/Header header\nuint32 height\nuint32 width\nPointField[] fields\nbool is_bigendian\n\
                     uint32 point_step\nuint32 row_step\nuint8[] data\nbool is_dense\n";
const POINT_STAMPED: &str = "std_msgs/Header header\nPoint point\n";
const TRANSFORM: &str = "Vector3 translation\nQuaternion rotation\n";
const STAMPED: &str = "std_msgs/Header header\nstring child_frame_id\nTransform transform\n";
const TF: &str = "geometry_msgs/TransformStamped[] transforms\n";
const OBJECT: &str = include_str!("../../../msg/Object.msg");
const ROLES: &str = include_str!("../../../msg/Roles.msg");
const CANDIDATE: &str = include_str!("../../../msg/Candidate.msg");
const ANCHOR: &str = include_str!("../../../msg/Anchor.msg");
const DESTINATION: &str = include_str!("../../../msg/Destination.msg");
const POSE_STAMPED: &str = "std_msgs/Header header\nPose pose\n";
const SCORED_THING: &str = include_str!("../../../msg/ScoredThing.msg");
const SEGMENTATION: &str = include_str!("../../../msg/Segmentation.msg");

/// The definition of a type that Referseg writes into recordings.
pub fn of(kind: &str) -> Option<String> {
    let standard = [("std_msgs/Header", HEADER), ("builtin_interfaces/Time", TIME)];
    let space = [
        ("geometry_msgs/Point", POINT),
        ("geometry_msgs/Vector3", POINT),
        ("geometry_msgs/Quaternion", QUATERNION),
        ("geometry_msgs/Pose", POSE),
    ];
    let seen = [
        ("sensor_msgs/Image", IMAGE),
        ("sensor_msgs/RegionOfInterest", REGION),
        ("referseg/Object", OBJECT),
        ("referseg/Roles", ROLES),
        ("referseg/Candidate", CANDIDATE),
        ("referseg/Anchor", ANCHOR),
        ("referseg/Destination", DESTINATION),
        ("geometry_msgs/PoseStamped", POSE_STAMPED),
        ("referseg/ScoredThing", SCORED_THING),
    ];
    let (definition, parts) = match kind {
        Image::TYPE => (IMAGE, standard.to_vec()),
        CompressedImage::TYPE => (COMPRESSED, standard.to_vec()),
        PointStamped::TYPE => (POINT_STAMPED, [&standard[..], &space[..1]].concat()),
        PoseStamped::TYPE => (POSE_STAMPED, [&standard[..], &space].concat()),
        Destination::TYPE => {
            let destination = [
                ("referseg/Anchor", ANCHOR),
                ("geometry_msgs/PoseStamped", POSE_STAMPED),
                ("sensor_msgs/Image", IMAGE),
                ("sensor_msgs/RegionOfInterest", REGION),
            ];
            (DESTINATION, [&standard[..], &space, &destination].concat())
        }
        PointCloud2::TYPE => (CLOUD, [&standard[..], &[("sensor_msgs/PointField", FIELD)]].concat()),
        TfMessage::TYPE => (
            TF,
            [
                &standard[..],
                &space,
                &[("geometry_msgs/Transform", TRANSFORM), ("geometry_msgs/TransformStamped", STAMPED)],
            ]
            .concat(),
        ),
        Object::TYPE => (OBJECT, [&standard[..], &space].concat()),
        Segmentation::TYPE => (SEGMENTATION, [&standard[..], &space, &seen].concat()),
        _ => return None,
    };
    let rule = "=".repeat(80);
    let parts = parts.iter().map(|(name, definition)| format!("{rule}\nMSG: {name}\n{definition}"));
    Some(std::iter::once(definition.to_string()).chain(parts).collect())
}
