//! `Pinhole`: the camera model that turns a pixel and its depth into a point.

use super::lens::Lens;
use referseg_files::{Error, Result};
use referseg_image::Rect;

/// What a calibration says of a camera, as in `sensor_msgs/CameraInfo`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraModel {
    /// Columns and rows of the full image.
    pub width: usize,
    /// Rows of the full image.
    pub height: usize,
    /// Intrinsic matrix K of the raw image, row-major 3x3, pixels of the full image.
    pub k: [f64; 9],
    /// Name of the distortion model.
    pub distortion_model: String,
    /// Distortion coefficients D of the raw image.
    pub d: Vec<f64>,
    /// Projection matrix P of the rectified image, row-major 3x4, pixels of the full image; zeros when it is not known.
    pub p: [f64; 12],
    /// Pixels of the full image that one pixel of the image is made of, in x and y; 0 stands for 1.
    pub binning: [usize; 2],
    /// The part of the full image that is sent, in its pixels; empty for all of it.
    pub roi: Rect,
}

/// Whether images are rectified: undistorted, and of the projection matrix P.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rectified {
    /// As the topics' names say: image_proc and drivers name rectified images `image_rect`, `image_rect_color` and so on.
    #[default]
    Auto,
    /// Always.
    True,
    /// Never.
    False,
}

impl Rectified {
    /// `auto`, `true` or `false`.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn parse(name: &str) -> Result<Rectified> {
        match name {
            "auto" => Ok(Rectified::Auto),
            "true" => Ok(Rectified::True),
            "false" => Ok(Rectified::False),
            other => Err(Error::config("rectified", format!("{other:?} is unknown; expected auto, true or false"))),
        }
    }

    /// Whether the images of these topics are rectified.
    pub fn holds(self, topics: &[&str]) -> bool {
        let names_it = |topic: &&str| {
            let lower = topic.to_ascii_lowercase();
            lower.split(['/', '_']).any(|word| word.starts_with("rect") || word.starts_with("undist"))
        };
        match self {
            Rectified::Auto => topics.iter().any(names_it),
            Rectified::True => true,
            Rectified::False => false,
        }
    }
}

/// A camera in pixels of its depth image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pinhole {
    focal: [f64; 2],
    centre: [f64; 2],
    /// Tx and Ty of P: the projection's shift at depth 1, pixels.
    shift: [f64; 2],
    lens: Lens,
}

impl Pinhole {
    /// The camera that took a depth image of this size. A rectified image has the projection matrix P (with Tx and Ty, as the second
    /// camera of a stereo pair has), a raw one K and D. Region of interest and binning are taken as image_geometry's
    /// `PinholeCameraModel` takes them; what is left is a plain change of size, which keeps the image's edges.
    ///
    /// # Errors
    /// When the camera is not calibrated, its shape is another than the depth image's, or its lens is not supported.
    pub fn of(info: &CameraModel, width: usize, height: usize, is_rectified: bool) -> Result<Pinhole> {
        let by_p = [info.p[0], info.p[2], info.p[5], info.p[6]];
        let by_k = [info.k[0], info.k[2], info.k[4], info.k[5]];
        // a calibration with one of the two alone says both by it
        let is_rectified = if is_rectified { info.p[0] != 0.0 } else { info.k[0] == 0.0 };
        let [fx, cx, fy, cy] = if is_rectified { by_p } else { by_k };
        if !(fx > 0.0 && fy > 0.0 && fx.is_finite() && fy.is_finite()) {
            return Err(Error::Image("camera_info has no focal length: the camera is not calibrated".into()));
        }
        if !(cx.is_finite() && cy.is_finite()) || (cx, cy) == (0.0, 0.0) {
            let fact = format!("camera_info has the principal point ({cx}, {cy}): the camera is not calibrated");
            return Err(Error::Image(fact));
        }
        let (shift, lens) = match is_rectified {
            true => ([info.p[3], info.p[7]], Lens::Straight),
            false => ([0.0; 2], Lens::of(&info.distortion_model, &info.d).map_err(Error::Image)?),
        };
        if shift.iter().any(|shift| !shift.is_finite()) {
            return Err(Error::Image("camera_info has a projection matrix P with values that are not numbers".into()));
        }
        let whole = info.roi.area() == 0;
        let (full_width, full_height) =
            if whole { (info.width, info.height) } else { (info.roi.width, info.roi.height) };
        let offset = if whole { [0.0; 2] } else { [info.roi.x as f64, info.roi.y as f64] };
        let scale = [width as f64 / full_width as f64, height as f64 / full_height as f64];
        if !(scale[0] / scale[1] - 1.0).abs().lt(&0.02) {
            let fact = format!("camera_info is for {full_width}x{full_height}, the depth image is {width}x{height}");
            return Err(Error::Image(format!("{fact}; expected the same shape")));
        }
        let axis = |axis: usize, focal: f64, centre: f64, shift: f64| {
            let binning = info.binning[axis].max(1) as f64;
            // image_geometry's convention: the upper left pixel of a bin stands for it
            let (focal, centre, shift) = (focal / binning, (centre - offset[axis]) / binning, shift / binning);
            let full = [full_width, full_height][axis] as f64;
            let size = [width, height][axis] as f64;
            // a bin at the edge may be cut: the size is what integers make of it
            let left = if (full / binning - size).abs() < 1.0 { 1.0 } else { size * binning / full };
            [focal * left, (centre + 0.5) * left - 0.5, shift * left]
        };
        let [x, y] = [axis(0, fx, cx, shift[0]), axis(1, fy, cy, shift[1])];
        Ok(Pinhole { focal: [x[0], y[0]], centre: [x[1], y[1]], shift: [x[2], y[2]], lens })
    }

    /// The point of a pixel at a depth, metres; `None` where the lens shows nothing that has a depth.
    pub fn point(&self, column: usize, row: usize, metres: f32) -> Option<[f64; 3]> {
        let z = f64::from(metres);
        // the inverse of the projection: u = (fx x + Tx) / z + cx
        let plane =
            |pixel: usize, axis: usize| (pixel as f64 - self.centre[axis] - self.shift[axis] / z) / self.focal[axis];
        let [x, y] = self.lens.undistort([plane(column, 0), plane(row, 1)])?;
        Some([x * z, y * z, z])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(width: usize, height: usize) -> CameraModel {
        let k = [500.0, 0.0, 319.5, 0.0, 500.0, 239.5, 0.0, 0.0, 1.0];
        CameraModel { width, height, k, ..Default::default() }
    }

    fn raw(info: &CameraModel, width: usize, height: usize) -> Pinhole {
        Pinhole::of(info, width, height, false).unwrap()
    }

    fn straight(focal: f64, centre: [f64; 2]) -> Pinhole {
        Pinhole { focal: [focal, focal], centre, shift: [0.0; 2], lens: Lens::Straight }
    }

    #[test]
    fn the_middle_pixel_lies_on_the_axis_at_every_scale() {
        let whole = raw(&info(640, 480), 640, 480);
        assert_eq!(whole.point(319, 239, 2.0), Some([-0.002, -0.002, 2.0]));
        assert_eq!(whole.point(819, 239, 1.0), Some([0.999, -0.001, 1.0]));
        assert_eq!(raw(&info(640, 480), 320, 240), straight(250.0, [159.5, 119.5]));
        let roi = Rect { x: 100, y: 50, width: 320, height: 240 };
        assert_eq!(raw(&CameraModel { roi, ..info(640, 480) }, 320, 240), straight(500.0, [219.5, 189.5]));
    }

    #[test]
    fn binning_and_region_are_those_of_image_geometry() {
        let binned = CameraModel { binning: [2, 2], ..info(640, 480) };
        assert_eq!(raw(&binned, 320, 240), straight(250.0, [159.75, 119.75]));
        let roi = Rect { x: 100, y: 50, width: 321, height: 241 };
        assert_eq!(raw(&CameraModel { roi, ..binned.clone() }, 160, 120), straight(250.0, [109.75, 94.75]));
        assert_eq!(raw(&binned, 160, 120), straight(125.0, [79.625, 59.625]), "binned, then resized");
    }

    #[test]
    fn rectified_images_have_p_and_raw_ones_k_and_d() {
        let mut info = info(640, 480);
        (info.p[0], info.p[5], info.p[2], info.p[6], info.p[3]) = (400.0, 410.0, 319.5, 239.5, -40.0);
        (info.distortion_model, info.d) = ("plumb_bob".into(), vec![-0.3, 0.1, 0.0, 0.0, 0.0]);
        let rectified = Pinhole::of(&info, 640, 480, true).unwrap();
        assert_eq!((rectified.focal, rectified.lens), ([400.0, 410.0], Lens::Straight));
        // u = (400 x - 40) / 2 + 319.5
        let [x, y, z] = rectified.point(419, 239, 2.0).unwrap();
        assert!((400.0 * x - 40.0 - 2.0 * 99.5).abs() < 1e-9 && y.abs() < 0.01 && z == 2.0, "{x}");
        let raw = raw(&info, 640, 480);
        assert_eq!(raw.focal, [500.0, 500.0]);
        let [x, ..] = raw.point(600, 239, 1.0).unwrap();
        assert!(x > 0.5610 * 1.05, "a barrel lens shows the edge nearer than it is: {x}");
        info.distortion_model = "fov".into();
        assert!(Pinhole::of(&info, 640, 480, false).unwrap_err().to_string().contains("Use the rectified image"));
        assert!(Pinhole::of(&info, 640, 480, true).is_ok());
    }

    #[test]
    fn the_topics_say_whether_images_are_rectified() {
        for topic in ["/camera/image_rect", "/left/image_rect_color", "/zed/rgb_rect/image", "/cam/undistorted/image"] {
            assert!(Rectified::Auto.holds(&["/depth", topic]), "{topic}");
        }
        for topic in ["/camera/image_raw", "/camera/aligned_depth_to_color/image_raw", "/direct/image", "/correct"] {
            assert!(!Rectified::Auto.holds(&[topic]), "{topic}");
        }
        assert!(Rectified::True.holds(&["/image_raw"]) && !Rectified::False.holds(&["/image_rect"]));
        assert!(Rectified::parse("yes").is_err());
    }

    #[test]
    fn an_uncalibrated_camera_or_another_shape_is_a_reason() {
        let reason = |info: &CameraModel, w, h| Pinhole::of(info, w, h, false).unwrap_err().to_string();
        let blank = CameraModel { width: 640, height: 480, ..Default::default() };
        assert!(reason(&blank, 640, 480).contains("not calibrated"));
        assert!(reason(&info(640, 480), 640, 400).contains("expected the same shape"));
        assert!(reason(&info(0, 0), 640, 400).contains("expected the same shape"));
        for (cx, cy) in [(0.0, 0.0), (f64::NAN, 239.5), (319.5, f64::INFINITY)] {
            let mut info = info(640, 480);
            (info.k[2], info.k[5]) = (cx, cy);
            assert!(reason(&info, 640, 480).contains("principal point"));
        }
    }
}
