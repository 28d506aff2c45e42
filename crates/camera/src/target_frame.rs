//! `TargetFrame`: another frame than the camera's, that points are brought to.

use nalgebra::{Isometry3, Point3, UnitQuaternion};

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
