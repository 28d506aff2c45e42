//! `DepthBuffer`: the last depth images of a camera, kept until the image that they belong to is worked on.

use super::pinhole::CameraModel;
use super::stamp::Stamp;
use std::collections::VecDeque;

/// Depth images that are kept: a third of a second at 30 Hz.
const CAPACITY: usize = 10;

/// The newest depth images, in whatever form `T` they came, and the calibration of their camera.
#[derive(Debug)]
pub struct DepthBuffer<T> {
    images: VecDeque<(Stamp, T)>,
    model: Option<CameraModel>,
}

impl<T> Default for DepthBuffer<T> {
    fn default() -> Self {
        DepthBuffer { images: VecDeque::new(), model: None }
    }
}

impl<T: Clone> DepthBuffer<T> {
    /// Takes a depth image; the oldest makes room.
    pub fn push(&mut self, stamp: Stamp, image: T) {
        if self.images.len() == CAPACITY {
            self.images.pop_front();
        }
        self.images.push_back((stamp, image));
    }

    /// Takes the camera's calibration.
    pub fn set_model(&mut self, model: CameraModel) {
        self.model = Some(model);
    }

    /// Discards the images: time went backwards.
    pub fn clear(&mut self) {
        self.images.clear();
    }

    /// Whether the depth image of an image may still come: none that is as new is there yet.
    pub fn may_come(&self, image: &Stamp) -> bool {
        self.images.back().is_none_or(|(stamp, _)| stamp.nanoseconds < image.nanoseconds)
    }

    /// The depth image nearest to an image in time, and its camera.
    ///
    /// # Errors
    /// In words, when there is none within `tolerance` seconds, in the same coordinate frame, with a camera_info.
    pub fn nearest(&self, image: &Stamp, tolerance: f64) -> Result<(T, CameraModel), String> {
        let apart = |stamp: &Stamp| (stamp.nanoseconds - image.nanoseconds).abs();
        let nearest = self.images.iter().min_by_key(|(stamp, _)| apart(stamp));
        let (stamp, depth) = nearest.ok_or("no depth image has been received")?;
        let seconds = apart(stamp) as f64 / 1e9;
        if seconds > tolerance {
            return Err(format!(
                "the nearest depth image is {seconds:.3} s from the image; expected at most {tolerance:.3} s"
            ));
        }
        if stamp.frame_id != image.frame_id {
            return Err(format!(
                "the depth image is in frame {:?}, the image in {:?}; expected depth aligned with the image",
                stamp.frame_id, image.frame_id
            ));
        }
        let model = self.model.clone().ok_or("no camera_info has been received beside the depth image")?;
        Ok((depth.clone(), model))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped(nanoseconds: i64, frame_id: &str) -> Stamp {
        Stamp { nanoseconds, frame_id: frame_id.into() }
    }

    #[test]
    fn the_nearest_depth_image_in_time_is_found_and_stale_or_foreign_ones_are_reasons() {
        const SECOND: i64 = 1_000_000_000;
        let mut buffer = DepthBuffer::default();
        let image = stamped(5 * SECOND, "eye");
        assert_eq!(buffer.nearest(&image, 0.02).unwrap_err(), "no depth image has been received");
        assert!(buffer.may_come(&image));
        buffer.push(stamped(5 * SECOND - 10_000_000, "eye"), 1);
        assert!(buffer.may_come(&image));
        assert!(buffer.nearest(&image, 0.02).unwrap_err().contains("no camera_info"));
        buffer.set_model(CameraModel::default());
        buffer.push(stamped(5 * SECOND + 1_000_000, "eye"), 2);
        assert!(!buffer.may_come(&image));
        assert_eq!(buffer.nearest(&image, 0.02).unwrap().0, 2);
        let stale = buffer.nearest(&stamped(6 * SECOND, "eye"), 0.02).unwrap_err();
        assert!(stale.contains("0.999 s from the image; expected at most 0.020 s"), "{stale}");
        let foreign = buffer.nearest(&stamped(5 * SECOND, "other"), 0.02).unwrap_err();
        assert!(foreign.contains("aligned with the image"), "{foreign}");
        for second in 10..40 {
            buffer.push(stamped(second * SECOND, "eye"), 3);
        }
        assert_eq!(buffer.images.len(), CAPACITY);
    }
}
