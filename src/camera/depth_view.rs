//! `DepthView`: a depth image with the camera that saw it, and the frame that points are to be given in.

use super::depth_image::DepthImage;
use super::pinhole::Pinhole;
use nalgebra::{Isometry3, Point3, UnitQuaternion};

/// What a camera saw, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct DepthView {
    /// How far each pixel's surface is.
    pub depth: DepthImage,
    /// The camera.
    pub camera: Pinhole,
    /// The frame that 3D outputs are given in; `None` for the camera's optical frame.
    pub target: Option<TargetFrame>,
}

/// A frame that points are brought to.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetFrame {
    /// Its name.
    pub frame_id: String,
    /// From the camera's optical frame, at the image's stamp.
    pub from_camera: Isometry3<f64>,
}

impl TargetFrame {
    /// A point of the optical frame in this one, metres.
    pub fn point(&self, [x, y, z]: [f64; 3]) -> [f64; 3] {
        (self.from_camera * Point3::new(x, y, z)).coords.into()
    }

    /// A rotation of the optical frame in this one, unit quaternions x, y, z, w.
    pub fn orientation(&self, [x, y, z, w]: [f64; 4]) -> [f64; 4] {
        let own = UnitQuaternion::from_quaternion(nalgebra::Quaternion::new(w, x, y, z));
        let turned = self.from_camera.rotation * own;
        [turned.i, turned.j, turned.k, turned.w]
    }
}
