//! `DepthImage`: how far the camera saw each pixel's surface.
//!
//! Whole numbers are millimetres and floats metres (REP 118), unless a driver has another unit.

use super::pinhole::Pinhole;
use super::target_frame::TargetFrame;
use nalgebra::Vector3;
use referseg_files::{Error, Result};
use referseg_image::{plain_name, LabelImage, RawImage};
use std::sync::Arc;

/// Depth of every pixel in metres, row-major; NaN where it is not known. A copy shares the pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct DepthImage {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    metres: Arc<[f32]>,
    /// The camera that saw it, where that is known.
    camera: Option<Pinhole>,
    /// Where the camera stands in the robot's frame, where that is known.
    robot: Option<Box<RobotView>>,
}

/// A camera in the robot's frame.
#[derive(Clone, Debug, PartialEq)]
pub struct RobotView {
    /// The camera of the depth image.
    pub camera: Pinhole,
    /// The robot's frame (REP 103: x forward, y left, z up, against gravity).
    pub frame: TargetFrame,
}

fn in_metres(units: u32, metres_per_unit: f64) -> f32 {
    if units == 0 {
        f32::NAN
    } else {
        (f64::from(units) * metres_per_unit) as f32
    }
}

impl DepthImage {
    /// Reads a depth image: 16UC1 (also mono16) in units of so many metres, 0 for unknown, or 32FC1 in metres, NaN, infinities and
    /// values up to 0 for unknown (REP 117, REP 118).
    ///
    /// # Errors
    /// When the encoding is another, or the step or length does not fit the size.
    pub fn read(image: &RawImage, metres_per_unit: f64) -> Result<DepthImage> {
        let (width, height, step) = (image.width as usize, image.height as usize, image.step as usize);
        let size = match plain_name(image.encoding).to_ascii_uppercase().as_str() {
            "16UC1" | "MONO16" => 2,
            "32FC1" => 4,
            _ => {
                let shown: String = image.encoding.chars().take(40).collect();
                return Err(Error::Image(format!("unsupported depth encoding {shown:?}; supported: 16UC1, 32FC1")));
            }
        };
        let step = if step == 0 { width * size } else { step };
        let needed = (step as u64) * u64::from(image.height).saturating_sub(1) + (width * size) as u64;
        if width == 0 || height == 0 || step < width * size || (image.data.len() as u64) < needed {
            let fact = format!("{width}x{height} {} with step {step} and {} bytes", image.encoding, image.data.len());
            return Err(Error::Image(format!("depth {fact}; expected rows of {} bytes or more", width * size)));
        }
        let big = image.big_endian;
        let metres = |bytes: &[u8]| match *bytes {
            [a, b] => {
                let units = if big { u16::from_be_bytes([a, b]) } else { u16::from_le_bytes([a, b]) };
                in_metres(units.into(), metres_per_unit)
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
        Ok(DepthImage { width, height, metres, camera: None, robot: None })
    }

    /// Of an image whose values are units of so many metres, 0 for unknown.
    pub fn of_units(image: &LabelImage, metres_per_unit: f64) -> DepthImage {
        let metres = image.values().iter().map(|units| in_metres(*units, metres_per_unit)).collect();
        DepthImage { width: image.width(), height: image.height(), metres, camera: None, robot: None }
    }

    /// Of metres, row-major; values that are no distance, as 0 or NaN, are unknown.
    ///
    /// # Errors
    /// When there are not `width * height` of them.
    pub fn of_metres(width: usize, height: usize, mut metres: Vec<f32>) -> Result<DepthImage> {
        if metres.len() != width * height {
            let fact = format!("{} depth values; expected {width}x{height}", metres.len());
            return Err(Error::Image(fact));
        }
        for value in metres.iter_mut().filter(|value| !(value.is_finite() && **value > 0.0)) {
            *value = f32::NAN;
        }
        Ok(DepthImage { width, height, metres: metres.into(), camera: None, robot: None })
    }

    /// Of values in compressed depth (depth_image_transport's compressedDepth of 32FC1): `a / (value - b)` metres, 0 for unknown.
    pub fn of_inverse(image: &LabelImage, a: f32, b: f32) -> DepthImage {
        let metres = |value: &u32| match *value {
            0 => f32::NAN,
            value => Some(a / (value as f32 - b)).filter(|m| m.is_finite() && *m > 0.0).unwrap_or(f32::NAN),
        };
        let metres = image.values().iter().map(metres).collect();
        DepthImage { width: image.width(), height: image.height(), metres, camera: None, robot: None }
    }

    /// The same, seen by this camera.
    pub fn seen_by(self, camera: Pinhole) -> DepthImage {
        DepthImage { camera: Some(camera), ..self }
    }

    /// The camera that saw it, where that is known.
    pub fn camera(&self) -> Option<&Pinhole> {
        self.camera.as_ref()
    }

    /// The same, seen by a camera whose place in the robot's frame is known.
    pub fn in_robots_frame(self, robot: RobotView) -> DepthImage {
        DepthImage { robot: Some(Box::new(robot)), ..self }
    }

    /// The name of the robot's frame; `None` where the camera's place in it is not known.
    pub fn robot_frame(&self) -> Option<&str> {
        Some(&self.robot.as_ref()?.frame.frame_id)
    }

    /// Where a pixel's surface is in the robot's frame, metres forward, left and up; `None` where that is not known.
    pub fn robot_point(&self, column: usize, row: usize) -> Option<[f64; 3]> {
        let robot = self.robot.as_ref()?;
        Some(robot.frame.point(robot.camera.point(column, row, self.at(column, row)?)?))
    }

    /// The robot's forward, left and up as unit vectors of the camera's optical frame; `None` where its place is not known.
    pub fn robot_axes(&self) -> Option<[[f64; 3]; 3]> {
        let to_camera = self.robot.as_ref()?.frame.from_camera.rotation.inverse();
        Some([Vector3::x(), Vector3::y(), Vector3::z()].map(|axis| (to_camera * axis).into()))
    }

    /// Metres at a pixel; `None` where it is not known.
    pub fn at(&self, column: usize, row: usize) -> Option<f32> {
        Some(self.metres[row * self.width + column]).filter(|metres| !metres.is_nan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(encoding: &str, step: u32, big_endian: bool, data: &[u8]) -> Result<DepthImage> {
        DepthImage::read(&RawImage { width: 2, height: 1, encoding, big_endian, step, data }, 0.001)
    }

    #[test]
    fn millimetres_and_metres_follow_from_the_encoding() {
        let seen = |depth: DepthImage| [depth.at(0, 0), depth.at(1, 0)];
        assert_eq!(seen(image("16UC1", 4, false, &[0xdc, 0x05, 0, 0]).unwrap()), [Some(1.5), None]);
        assert_eq!(seen(image("16UC1", 6, true, &[0x05, 0xdc, 0, 0, 9, 9]).unwrap()), [Some(1.5), None]);
        let quarter =
            RawImage { width: 2, height: 1, encoding: "16UC1", big_endian: false, step: 4, data: &[0xdc, 0x05, 0, 0] };
        assert_eq!(seen(DepthImage::read(&quarter, 0.00025).unwrap()), [Some(0.375), None]);
        let floats = |a: f32, b: f32| [a.to_le_bytes(), b.to_le_bytes()].concat();
        for unknown in [f32::NAN, f32::INFINITY, 0.0, -1.0] {
            assert_eq!(seen(image("32FC1", 8, false, &floats(1.5, unknown)).unwrap()), [Some(1.5), None]);
        }
    }

    #[test]
    fn what_is_not_a_depth_image_is_refused() {
        assert!(image("rgb8", 6, false, &[0; 6]).unwrap_err().to_string().contains("supported: 16UC1, 32FC1"));
        assert!(image("32FC1", 4, false, &[0; 8]).is_err(), "short step");
        assert!(image("16UC1", 4, false, &[0; 3]).is_err(), "short data");
    }
}
