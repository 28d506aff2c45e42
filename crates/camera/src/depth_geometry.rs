//! `DepthGeometry`: how the values of a depth image become points, as far as its messages do not say it.

/// The unit of 16-bit depth images, metres: millimetres (REP 118).
const MILLIMETRES: f64 = 0.001;

/// The unit of a depth image's whole numbers, and whether the image is rectified.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DepthGeometry {
    /// Metres of one unit of 16-bit images; images of floats are in metres.
    pub metres_per_unit: f64,
    /// Whether the projection matrix P holds, or K and D.
    pub is_rectified: bool,
}

impl Default for DepthGeometry {
    /// Millimetres of a raw image.
    fn default() -> DepthGeometry {
        DepthGeometry { metres_per_unit: MILLIMETRES, is_rectified: false }
    }
}
