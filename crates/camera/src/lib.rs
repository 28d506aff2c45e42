//! The camera: stamps, depth images, the pinhole model, and where a masked thing is in space.
//!
//! Plain types in metres and nanoseconds, in the camera's optical frame (REP 103: x right, y down, z forward). ROS
//! messages become these and are made of these in `wire`.
#![warn(missing_docs)]

mod depth_buffer;
mod depth_geometry;
mod depth_image;
mod depth_view;
mod lens;
mod localization;
mod masked_points;
mod pinhole;
mod point_cloud;
mod stamp;
mod stamp_matcher;
mod surface_pose;
mod target_frame;
mod transforms;

pub use depth_buffer::DepthBuffer;
pub use depth_geometry::DepthGeometry;
pub use depth_image::{DepthImage, RobotView};
pub use depth_view::DepthView;
pub use lens::Lens;
pub use localization::{locate, ObjectInSpace, Pose};
pub use masked_points::check_aligned;
pub use pinhole::{CameraModel, Pinhole, Rectified};
pub use point_cloud::{point_cloud, ColouredPoint};
pub use stamp::Stamp;
pub use stamp_matcher::StampMatcher;
pub use surface_pose::surface_pose;
pub use target_frame::TargetFrame;
pub use transforms::{StampedTransform, TransformBuffer};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
