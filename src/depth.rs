//! `DepthImage`: how far the camera saw each pixel's surface, and `Pinhole`, which turns both into points.
//!
//! Metres in the camera's optical frame (REP 103: x right, y down, z forward). Metres or millimetres follows from
//! the encoding (REP 118), never from a setting. Recent depth images wait in [`RecentDepth`] for their picture.

use crate::error::{Error, Result};
use crate::messages::{self, CameraInfo, Header, Image};
use std::collections::VecDeque;
use std::sync::Arc;

/// Depth images that are kept until their picture is worked on, per camera: a third of a second at 30 Hz.
const KEPT: usize = 10;

/// Depth of every pixel in metres, row-major; NaN where it is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct DepthImage {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    metres: Vec<f32>,
}

impl DepthImage {
    /// Reads a depth image: 16UC1 (also mono16) in millimetres, 0 for unknown, or 32FC1 in metres, NaN and infinities for
    /// unknown (REP 117, REP 118).
    ///
    /// # Errors
    /// When the encoding is another, or the step or length does not fit the size.
    pub fn read(image: &Image) -> Result<DepthImage> {
        let (width, height, step) = (image.width as usize, image.height as usize, image.step as usize);
        let size = match image.encoding.as_str() {
            "16UC1" | "mono16" => 2,
            "32FC1" => 4,
            other => {
                let shown: String = other.chars().take(40).collect();
                return Err(Error::Image(format!("unsupported depth encoding {shown:?}; supported: 16UC1, 32FC1")));
            }
        };
        let needed = (step as u64) * u64::from(image.height).saturating_sub(1) + (width * size) as u64;
        if width == 0 || height == 0 || step < width * size || (image.data.len() as u64) < needed {
            let fact = format!("{width}x{height} {} with step {step} and {} bytes", image.encoding, image.data.len());
            return Err(Error::Image(format!("depth {fact}; expected rows of {} bytes or more", width * size)));
        }
        let big = image.is_bigendian != 0;
        let metres = |bytes: &[u8]| match *bytes {
            [a, b] => {
                let millimetres = if big { u16::from_be_bytes([a, b]) } else { u16::from_le_bytes([a, b]) };
                if millimetres == 0 {
                    f32::NAN
                } else {
                    f32::from(millimetres) / 1000.0
                }
            }
            [a, b, c, d] => {
                let metres = if big { f32::from_be_bytes([a, b, c, d]) } else { f32::from_le_bytes([a, b, c, d]) };
                if metres.is_finite() && metres > 0.0 {
                    metres
                } else {
                    f32::NAN
                }
            }
            _ => f32::NAN,
        };
        let rows = image.data.chunks(step).take(height);
        let metres = rows.flat_map(|row| row[..width * size].chunks_exact(size).map(metres)).collect();
        Ok(DepthImage { width, height, metres })
    }

    /// Metres at a pixel; `None` where it is not known.
    pub fn at(&self, column: usize, row: usize) -> Option<f32> {
        Some(self.metres[row * self.width + column]).filter(|metres| !metres.is_nan())
    }
}

/// A pinhole camera in pixels of its depth image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pinhole {
    focal: [f64; 2],
    centre: [f64; 2],
}

impl Pinhole {
    /// The camera that took a depth image of this size. Binning, region of interest and a plain change of size are
    /// reckoned in. Takes the projection matrix P, as rectified pictures need; K when P is empty.
    ///
    /// # Errors
    /// When the camera is not calibrated, or its shape is another than the depth image's.
    pub fn of(info: &CameraInfo, width: usize, height: usize) -> Result<Pinhole> {
        let [fx, _, cx, _, fy, cy] = match info.p[0] {
            0.0 => [info.k[0], 0.0, info.k[2], 0.0, info.k[4], info.k[5]],
            _ => [info.p[0], 0.0, info.p[2], 0.0, info.p[5], info.p[6]],
        };
        if !(fx > 0.0 && fy > 0.0) {
            return Err(Error::Image("camera_info has no focal length: the camera is not calibrated".into()));
        }
        let roi = info.roi;
        let whole = roi.width == 0 || roi.height == 0;
        let (full_width, full_height) = if whole { (info.width, info.height) } else { (roi.width, roi.height) };
        let (dx, dy) = if whole { (0.0, 0.0) } else { (f64::from(roi.x_offset), f64::from(roi.y_offset)) };
        let scale = [width as f64 / f64::from(full_width), height as f64 / f64::from(full_height)];
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

/// What came last from a depth camera.
#[derive(Default)]
pub struct RecentDepth {
    images: VecDeque<(Header, Arc<Vec<u8>>)>,
    info: Option<CameraInfo>,
}

impl RecentDepth {
    /// Takes the bytes of a depth image.
    ///
    /// # Errors
    /// When not even its header can be read.
    pub fn offer_image(&mut self, cdr: Vec<u8>) -> Result<()> {
        let header = messages::decode::header(&cdr)?;
        if self.images.len() == KEPT {
            self.images.pop_front();
        }
        self.images.push_back((header, Arc::new(cdr)));
        Ok(())
    }

    /// Takes the bytes of a `sensor_msgs/CameraInfo`.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn offer_info(&mut self, cdr: &[u8]) -> Result<()> {
        self.info = Some(messages::from_cdr(cdr)?);
        Ok(())
    }

    /// Forgets the images: time went backwards.
    pub fn forget(&mut self) {
        self.images.clear();
    }

    /// Whether the depth image of a picture may still come: none that is as new is there yet.
    pub fn may_come(&self, picture: &Header) -> bool {
        let stamp = picture.stamp.nanoseconds();
        self.images.back().is_none_or(|(header, _)| header.stamp.nanoseconds() < stamp)
    }

    /// The bytes of the depth image nearest to a picture in time, and its camera.
    ///
    /// # Errors
    /// In words, when there is none within `tolerance` seconds, in the same frame, with a camera_info.
    pub fn nearest(&self, picture: &Header, tolerance: f64) -> std::result::Result<(Arc<Vec<u8>>, CameraInfo), String> {
        let apart = |header: &Header| (header.stamp.nanoseconds() - picture.stamp.nanoseconds()).abs();
        let nearest = self.images.iter().min_by_key(|(header, _)| apart(header));
        let (header, cdr) = nearest.ok_or("no depth image has come")?;
        let seconds = apart(header) as f64 / 1e9;
        if seconds > tolerance {
            return Err(format!(
                "the nearest depth image is {seconds:.3} s from the image; expected at most {tolerance:.3} s"
            ));
        }
        if header.frame_id != picture.frame_id {
            return Err(format!(
                "the depth image is in frame {:?}, the image in {:?}; expected depth aligned with the image",
                header.frame_id, picture.frame_id
            ));
        }
        let info = self.info.clone().ok_or("no camera_info has come from beside the depth image")?;
        Ok((cdr.clone(), info))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{to_cdr, RegionOfInterest, Time};
    use std::borrow::Cow;

    fn image(encoding: &str, step: u32, big: bool, data: &[u8]) -> Result<DepthImage> {
        let data = Cow::Borrowed(data);
        let is_bigendian = u8::from(big);
        let header = Header::default();
        DepthImage::read(&Image { header, width: 2, height: 1, encoding: encoding.into(), is_bigendian, step, data })
    }

    #[test]
    fn millimetres_and_metres_follow_from_the_encoding() {
        let seen = |depth: DepthImage| [depth.at(0, 0), depth.at(1, 0)];
        assert_eq!(seen(image("16UC1", 4, false, &[0xdc, 0x05, 0, 0]).unwrap()), [Some(1.5), None]);
        assert_eq!(seen(image("16UC1", 6, true, &[0x05, 0xdc, 0, 0, 9, 9]).unwrap()), [Some(1.5), None]);
        let floats = |a: f32, b: f32| [a.to_le_bytes(), b.to_le_bytes()].concat();
        for unknown in [f32::NAN, f32::INFINITY, 0.0, -1.0] {
            assert_eq!(seen(image("32FC1", 8, false, &floats(1.5, unknown)).unwrap()), [Some(1.5), None]);
        }
    }

    #[test]
    fn what_is_no_depth_image_is_refused() {
        assert!(image("rgb8", 6, false, &[0; 6]).unwrap_err().to_string().contains("supported: 16UC1, 32FC1"));
        assert!(image("32FC1", 4, false, &[0; 8]).is_err(), "short step");
        assert!(image("16UC1", 4, false, &[0; 3]).is_err(), "short data");
    }

    fn info(width: u32, height: u32) -> CameraInfo {
        let k = [500.0, 0.0, 319.5, 0.0, 500.0, 239.5, 0.0, 0.0, 1.0];
        CameraInfo { width, height, k, ..Default::default() }
    }

    #[test]
    fn the_middle_pixel_lies_on_the_axis_at_every_scale() {
        let whole = Pinhole::of(&info(640, 480), 640, 480).unwrap();
        assert_eq!(whole.point(319, 239, 2.0), [-0.002, -0.002, 2.0]);
        assert_eq!(whole.point(819, 239, 1.0), [0.999, -0.001, 1.0]);
        let half = Pinhole::of(&info(640, 480), 320, 240).unwrap();
        assert_eq!(half, Pinhole { focal: [250.0, 250.0], centre: [159.5, 119.5] });
        let roi = RegionOfInterest { x_offset: 100, y_offset: 50, width: 320, height: 240, do_rectify: false };
        let part = Pinhole::of(&CameraInfo { roi, ..info(640, 480) }, 320, 240).unwrap();
        assert_eq!(part, Pinhole { focal: [500.0, 500.0], centre: [219.5, 189.5] });
        let mut rectified = info(640, 480);
        (rectified.p[0], rectified.p[5]) = (400.0, 410.0);
        assert_eq!(Pinhole::of(&rectified, 640, 480).unwrap().focal, [400.0, 410.0]);
    }

    #[test]
    fn an_uncalibrated_camera_or_another_shape_is_a_reason() {
        let reason = |info: &CameraInfo, w, h| Pinhole::of(info, w, h).unwrap_err().to_string();
        assert!(
            reason(&CameraInfo { width: 640, height: 480, ..Default::default() }, 640, 480).contains("not calibrated")
        );
        assert!(reason(&info(640, 480), 640, 400).contains("expected the same shape"));
        assert!(reason(&info(0, 0), 640, 400).contains("expected the same shape"));
    }

    fn stamped(sec: i32, nanosec: u32, frame_id: &str) -> Header {
        Header { stamp: Time { sec, nanosec }, frame_id: frame_id.into() }
    }

    #[test]
    fn the_nearest_depth_image_in_time_is_found_and_stale_or_foreign_ones_are_reasons() {
        let mut recent = RecentDepth::default();
        let offer = |recent: &mut RecentDepth, sec, nanosec| {
            let image = Image { header: stamped(sec, nanosec, "eye"), ..Default::default() };
            recent.offer_image(to_cdr(&image).unwrap()).unwrap();
        };
        let picture = stamped(5, 0, "eye");
        assert_eq!(recent.nearest(&picture, 0.02).unwrap_err(), "no depth image has come");
        assert!(recent.may_come(&picture));
        offer(&mut recent, 4, 990_000_000);
        assert!(recent.may_come(&picture));
        assert!(recent.nearest(&picture, 0.02).unwrap_err().contains("no camera_info"));
        recent.offer_info(&to_cdr(&info(640, 480)).unwrap()).unwrap();
        offer(&mut recent, 5, 1_000_000);
        assert!(!recent.may_come(&picture));
        let (found, _) = recent.nearest(&picture, 0.02).unwrap();
        assert_eq!(messages::decode::header(&found).unwrap().stamp.nanosec, 1_000_000);
        let stale = recent.nearest(&stamped(6, 0, "eye"), 0.02).unwrap_err();
        assert!(stale.contains("0.999 s from the image; expected at most 0.020 s"), "{stale}");
        assert!(recent.nearest(&stamped(5, 0, "other"), 0.02).unwrap_err().contains("aligned with the image"));
        for sec in 10..40 {
            offer(&mut recent, sec, 0);
        }
        assert_eq!(recent.images.len(), KEPT);
    }
}
