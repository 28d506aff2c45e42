//! `Pinhole`: the camera model that turns a pixel and its depth into a point.

use referseg_files::{Error, Result};
use referseg_image::Rect;

/// What a calibration says of a camera, as in `sensor_msgs/CameraInfo`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraModel {
    /// Columns and rows of the full image.
    pub width: usize,
    /// Rows of the full image.
    pub height: usize,
    /// Intrinsic matrix K, row-major 3x3, pixels.
    pub k: [f64; 9],
    /// Projection matrix P, row-major 3x4, pixels; zeros when the image is not rectified.
    pub p: [f64; 12],
    /// The part of the full image that is sent; empty for all of it.
    pub roi: Rect,
}

/// A pinhole camera in pixels of its depth image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pinhole {
    focal: [f64; 2],
    centre: [f64; 2],
}

impl Pinhole {
    /// The camera that took a depth image of this size. Binning, region of interest and a plain change of size are
    /// accounted for. Takes the projection matrix P, as rectified images need; K when P is empty.
    ///
    /// # Errors
    /// When the camera is not calibrated, or its shape is another than the depth image's.
    pub fn of(info: &CameraModel, width: usize, height: usize) -> Result<Pinhole> {
        let [fx, cx, fy, cy] = match info.p[0] {
            0.0 => [info.k[0], info.k[2], info.k[4], info.k[5]],
            _ => [info.p[0], info.p[2], info.p[5], info.p[6]],
        };
        if !(fx > 0.0 && fy > 0.0 && fx.is_finite() && fy.is_finite()) {
            return Err(Error::Image("camera_info has no focal length: the camera is not calibrated".into()));
        }
        if !(cx.is_finite() && cy.is_finite()) || (cx, cy) == (0.0, 0.0) {
            let fact = format!("camera_info has the principal point ({cx}, {cy}): the camera is not calibrated");
            return Err(Error::Image(fact));
        }
        let whole = info.roi.area() == 0;
        let (full_width, full_height) =
            if whole { (info.width, info.height) } else { (info.roi.width, info.roi.height) };
        let (dx, dy) = if whole { (0.0, 0.0) } else { (info.roi.x as f64, info.roi.y as f64) };
        let scale = [width as f64 / full_width as f64, height as f64 / full_height as f64];
        if !(scale[0] / scale[1] - 1.0).abs().lt(&0.02) {
            let fact = format!("camera_info is for {full_width}x{full_height}, the depth image is {width}x{height}");
            return Err(Error::Image(format!("{fact}; expected the same shape")));
        }
        // pixel centres are whole numbers, pixel edges are half a pixel off (REP 104's binning keeps edges)
        let centre = [(cx - dx + 0.5) * scale[0] - 0.5, (cy - dy + 0.5) * scale[1] - 0.5];
        Ok(Pinhole { focal: [fx * scale[0], fy * scale[1]], centre })
    }

    /// The point of a pixel at a depth, metres.
    pub fn point(&self, column: usize, row: usize, metres: f32) -> [f64; 3] {
        let z = f64::from(metres);
        let ray = |pixel: usize, axis: usize| (pixel as f64 - self.centre[axis]) / self.focal[axis];
        [ray(column, 0) * z, ray(row, 1) * z, z]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(width: usize, height: usize) -> CameraModel {
        let k = [500.0, 0.0, 319.5, 0.0, 500.0, 239.5, 0.0, 0.0, 1.0];
        CameraModel { width, height, k, ..Default::default() }
    }

    #[test]
    fn the_middle_pixel_lies_on_the_axis_at_every_scale() {
        let whole = Pinhole::of(&info(640, 480), 640, 480).unwrap();
        assert_eq!(whole.point(319, 239, 2.0), [-0.002, -0.002, 2.0]);
        assert_eq!(whole.point(819, 239, 1.0), [0.999, -0.001, 1.0]);
        let half = Pinhole::of(&info(640, 480), 320, 240).unwrap();
        assert_eq!(half, Pinhole { focal: [250.0, 250.0], centre: [159.5, 119.5] });
        let roi = Rect { x: 100, y: 50, width: 320, height: 240 };
        let part = Pinhole::of(&CameraModel { roi, ..info(640, 480) }, 320, 240).unwrap();
        assert_eq!(part, Pinhole { focal: [500.0, 500.0], centre: [219.5, 189.5] });
        let mut rectified = info(640, 480);
        (rectified.p[0], rectified.p[5], rectified.p[2], rectified.p[6]) = (400.0, 410.0, 319.5, 239.5);
        assert_eq!(Pinhole::of(&rectified, 640, 480).unwrap().focal, [400.0, 410.0]);
    }

    #[test]
    fn an_uncalibrated_camera_or_another_shape_is_a_reason() {
        let reason = |info: &CameraModel, w, h| Pinhole::of(info, w, h).unwrap_err().to_string();
        let blank = CameraModel { width: 640, height: 480, ..Default::default() };
        assert!(reason(&blank, 640, 480).contains("not calibrated"));
        assert!(reason(&info(640, 480), 640, 400).contains("expected the same shape"));
        assert!(reason(&info(0, 0), 640, 400).contains("expected the same shape"));
    }

    #[test]
    fn a_principal_point_that_is_absent_or_not_a_number_is_a_reason() {
        for (cx, cy) in [(0.0, 0.0), (f64::NAN, 239.5), (319.5, f64::INFINITY)] {
            let mut info = info(640, 480);
            (info.k[2], info.k[5]) = (cx, cy);
            let reason = Pinhole::of(&info, 640, 480).unwrap_err().to_string();
            assert!(reason.contains("principal point"), "{reason}");
        }
    }
}
