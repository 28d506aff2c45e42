//! `DepthBuffer`: the last depth images of a camera, kept until the image that they belong to is worked on.

use super::pinhole::CameraModel;
use super::stamp::Stamp;
use std::collections::VecDeque;

/// Depth images that are kept: a third of a second at 30 Hz.
const CAPACITY: usize = 10;
/// Bytes in which they are kept: at 1080p seven of 32 bits.
const MOST_BYTES: usize = 64 << 20;

/// How far stamps may go back from one depth image to the next, nanoseconds; further, a clock or a recording has started anew.
const MOST_BACK: i64 = 1_000_000_000;
/// How far apart an image and its depth image may arrive, seconds, when neither has a stamp: half a period at 15 Hz.
const ARRIVAL_TOLERANCE: f64 = 0.033;

/// The newest depth images, in whatever form `T` they came, and the calibration of their camera.
#[derive(Debug)]
pub struct DepthBuffer<T> {
    images: VecDeque<(Stamp, usize, T)>,
    model: Option<CameraModel>,
}

impl<T> Default for DepthBuffer<T> {
    fn default() -> Self {
        DepthBuffer { images: VecDeque::new(), model: None }
    }
}

impl<T: Clone> DepthBuffer<T> {
    /// Takes a depth image of so many bytes; the oldest make room. When its time has gone back those before it are discarded.
    pub fn push(&mut self, stamp: Stamp, bytes: usize, image: T) {
        if self.images.back().is_some_and(|(last, ..)| stamp.nanoseconds.saturating_add(MOST_BACK) < last.nanoseconds) {
            self.images.clear();
        }
        self.images.push_back((stamp, bytes, image));
        let held = |images: &VecDeque<(Stamp, usize, T)>| images.iter().map(|(_, bytes, _)| bytes).sum::<usize>();
        while self.images.len() > CAPACITY || held(&self.images) > MOST_BYTES && self.images.len() > 1 {
            self.images.pop_front();
        }
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
        self.images.back().is_none_or(|(stamp, ..)| stamp.nanoseconds < image.nanoseconds)
    }

    /// The depth image nearest to an image in time, and its camera.
    ///
    /// # Errors
    /// In words, when there is none within `tolerance` seconds, in the same coordinate frame, with a camera_info.
    pub fn nearest(&self, image: &Stamp, tolerance: f64) -> Result<(T, CameraModel), String> {
        let apart = |stamp: &Stamp| stamp.nanoseconds.abs_diff(image.nanoseconds);
        // of equal stamps the newest
        let nearest = self.images.iter().rev().min_by_key(|(stamp, ..)| apart(stamp));
        let (stamp, _, depth) = nearest.ok_or("no depth image has been received")?;
        if stamp.is_arrival != image.is_arrival {
            let [with, without] = if image.is_arrival { ["depth image", "image"] } else { ["image", "depth image"] };
            return Err(format!("the {without} has no stamp (0), the {with} has one; expected both or neither"));
        }
        let seconds = apart(stamp) as f64 / 1e9;
        let tolerance = if image.is_arrival { tolerance.max(ARRIVAL_TOLERANCE) } else { tolerance };
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
        Stamp { nanoseconds, is_arrival: false, frame_id: frame_id.into() }
    }

    #[test]
    fn the_nearest_depth_image_in_time_is_found_and_stale_or_foreign_ones_are_reasons() {
        const SECOND: i64 = 1_000_000_000;
        let mut buffer = DepthBuffer::default();
        let image = stamped(5 * SECOND, "eye");
        assert_eq!(buffer.nearest(&image, 0.02).unwrap_err(), "no depth image has been received");
        assert!(buffer.may_come(&image));
        buffer.push(stamped(5 * SECOND - 10_000_000, "eye"), 1, 1);
        assert!(buffer.may_come(&image));
        assert!(buffer.nearest(&image, 0.02).unwrap_err().contains("no camera_info"));
        buffer.set_model(CameraModel::default());
        buffer.push(stamped(5 * SECOND + 1_000_000, "eye"), 1, 2);
        assert!(!buffer.may_come(&image));
        assert_eq!(buffer.nearest(&image, 0.02).unwrap().0, 2);
        let stale = buffer.nearest(&stamped(6 * SECOND, "eye"), 0.02).unwrap_err();
        assert!(stale.contains("0.999 s from the image; expected at most 0.020 s"), "{stale}");
        let foreign = buffer.nearest(&stamped(5 * SECOND, "other"), 0.02).unwrap_err();
        assert!(foreign.contains("aligned with the image"), "{foreign}");
        buffer.push(stamped(2 * SECOND, "eye"), 1, 7);
        assert!(buffer.nearest(&image, 0.02).is_err(), "time went back: those before are of another clock");
        for second in 10..40 {
            buffer.push(stamped(second * SECOND, "eye"), 1, 3);
        }
        assert_eq!(buffer.images.len(), CAPACITY);
        (40..50).for_each(|second| buffer.push(stamped(second * SECOND, "eye"), MOST_BYTES / 3, 3));
        assert_eq!(buffer.images.len(), 3, "of a third of the bytes each");
    }

    #[test]
    fn without_stamps_the_arrivals_pair_images_and_a_stamp_on_one_side_is_a_reason() {
        const MS: i64 = 1_000_000;
        let mut buffer = DepthBuffer::default();
        buffer.set_model(CameraModel::default());
        buffer.push(Stamp::new(0, "eye", 1000 * MS), 1, 1);
        buffer.push(Stamp::new(0, "eye", 1100 * MS), 1, 2);
        assert_eq!(buffer.nearest(&Stamp::new(0, "eye", 1110 * MS), 0.02).unwrap().0, 2);
        assert!(buffer.nearest(&Stamp::new(0, "eye", 1300 * MS), 0.02).unwrap_err().contains("0.200 s"));
        let stamped = buffer.nearest(&Stamp::new(1110 * MS, "eye", 5), 0.02).unwrap_err();
        assert!(stamped.contains("the depth image has no stamp (0), the image has one"), "{stamped}");
        let mut stuck = DepthBuffer::default();
        stuck.set_model(CameraModel::default());
        (0..3).for_each(|number| stuck.push(Stamp::new(5, "eye", 0), 1, number));
        assert_eq!(stuck.nearest(&Stamp::new(5, "eye", 0), 0.02).unwrap().0, 2, "of equal stamps the newest");
    }
}
