//! `TransformBuffer`: how frames stand to each other over time, as tf2 keeps it: ten seconds of what moves, and what never does.

use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion};
use std::collections::BTreeMap;
use std::time::Duration;
use transforms::errors::RegistryError;
use transforms::geometry::{Quaternion as Rotation, Transform, Vector3};
use transforms::time::{Stamp, Timestamp};
use transforms::Registry;

/// tf2's own length of memory.
const MEMORY: Duration = Duration::from_secs(10);
/// Frames whose transforms never change: bounds memory.
const MOST_FIXED: usize = 10_000;

/// A frame in its parent at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct StampedTransform {
    /// The parent's name.
    pub parent: String,
    /// The frame's name.
    pub child: String,
    /// Nanoseconds since the epoch; `None` for one that never changes.
    pub stamp: Option<i64>,
    /// Metres.
    pub translation: [f64; 3],
    /// Quaternion x, y, z, w.
    pub rotation: [f64; 4],
}

/// The transforms of the last seconds.
pub struct TransformBuffer {
    registry: Registry,
    /// Those that never change come once, so they outlast a jump of the clock.
    fixed: BTreeMap<String, Transform>,
}

impl Default for TransformBuffer {
    fn default() -> Self {
        TransformBuffer { registry: Registry::with_max_age(MEMORY), fixed: BTreeMap::new() }
    }
}

/// tf2 takes frames with and without tf's leading slash for the same.
fn name(frame: &str) -> &str {
    frame.trim_start_matches('/')
}

fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanos(u64::try_from(nanoseconds).unwrap_or_default())
}

impl TransformBuffer {
    /// Takes a transform; one for another parent than before moves the frame there, as in tf2.
    ///
    /// # Errors
    /// In words, when it is none: not finite, its rotation not of unit length, a frame in itself, or a circle.
    pub fn add(&mut self, given: &StampedTransform) -> Result<(), String> {
        let [x, y, z, w] = given.rotation;
        let rotation = Rotation::from_wxyz(w, x, y, z).normalize().map_err(|error| described(given, &error))?;
        // tf2 takes rotations whose length is off by up to a thousandth
        let length = (x * x + y * y + z * z + w * w).sqrt();
        if (length - 1.0).abs() > 1e-3 {
            return Err(described(given, &format!("its rotation has the length {length:.3}; expected 1")));
        }
        let [x, y, z] = given.translation;
        let stamp = given.stamp.map_or(Stamp::Static, |stamp| Stamp::At(timestamp(stamp)));
        let (parent, child) = (name(&given.parent), name(&given.child));
        let transform = Transform::new(parent, child, Vector3::new(x, y, z), rotation, stamp);
        let transform = transform.map_err(|error| described(given, &error))?;
        if given.stamp.is_none() {
            if self.fixed.len() >= MOST_FIXED && !self.fixed.contains_key(child) {
                return Err(described(given, &format!("{MOST_FIXED} frames that never change are known already")));
            }
            self.fixed.insert(child.into(), transform.clone());
        }
        let added = match self.registry.add_transform(transform.clone()) {
            Err(RegistryError::ReparentingNotSupported { .. } | RegistryError::StaticDynamicConflict) => {
                self.registry.remove_frame(child);
                self.registry.add_transform(transform)
            }
            added => added,
        };
        added.map_err(|error| described(given, &error))
    }

    /// What moves is forgotten: time went backwards.
    pub fn forget_motion(&mut self) {
        self.registry = Registry::with_max_age(MEMORY);
        for transform in self.fixed.values() {
            // it was taken before
            let _ = self.registry.add_transform(transform.clone());
        }
    }

    /// From coordinates in `source` to those in `target` at a time, between two samples of each frame that moves, never beyond them.
    ///
    /// # Errors
    /// In words, when a frame is unknown, both are not connected, or a sample is missing before or after that time.
    pub fn lookup(&self, target: &str, source: &str, nanoseconds: i64) -> Result<Isometry3<f64>, String> {
        let (target, source) = (name(target), name(source));
        if target == source {
            return Ok(Isometry3::identity());
        }
        let found = self.registry.get_transform(target, source, timestamp(nanoseconds));
        let found = found.map_err(|error| format!("no transform from {source} to {target}: {}", why(&error)))?;
        let (at, q) = (found.translation(), found.rotation());
        let rotation = UnitQuaternion::from_quaternion(Quaternion::new(q.w, q.x, q.y, q.z));
        Ok(Isometry3::from_parts(Translation3::new(at.x, at.y, at.z), rotation))
    }

    /// Whether a later message may still bring what a lookup of this time misses.
    pub fn may_come(&self, target: &str, source: &str, nanoseconds: i64) -> bool {
        let at = timestamp(nanoseconds);
        match self.registry.get_transform(name(target), name(source), at) {
            Err(RegistryError::NotFoundAt { covered: Some((_, end)), .. }) => end < at,
            Err(RegistryError::NotFoundAt { covered: None, .. } | RegistryError::UnknownFrame(_)) => true,
            _ => false,
        }
    }
}

fn described(given: &StampedTransform, fact: &dyn std::fmt::Display) -> String {
    format!("transform from {} to {}: {fact}", given.child, given.parent)
}

fn why(error: &RegistryError) -> String {
    match error {
        RegistryError::NotFoundAt { frame, requested, covered, .. } => match covered {
            Some((start, end)) => {
                let (asked, start, end) =
                    (requested.as_seconds_lossy(), start.as_seconds_lossy(), end.as_seconds_lossy());
                let (apart, side) = if asked > end { (asked - end, "last") } else { (start - asked, "first") };
                let order = if asked > end { "after" } else { "before" };
                format!("the image is {apart:.3} s {order} the {side} one of {frame}; nothing is extrapolated")
            }
            None => format!("none of {frame} has been received"),
        },
        RegistryError::UnknownFrame(frame) => format!("frame {frame} is unknown; is it on /tf or /tf_static?"),
        RegistryError::Disconnected { .. } => "no chain of transforms connects them".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{Point3, Vector3 as Axis};

    const SECOND: i64 = 1_000_000_000;

    fn moving(parent: &str, child: &str, seconds: i64, x: f64) -> StampedTransform {
        StampedTransform {
            parent: parent.into(),
            child: child.into(),
            stamp: Some(seconds * SECOND),
            translation: [x, 0.0, 0.0],
            rotation: [0.0, 0.0, 0.0, 1.0],
        }
    }

    /// The optical frame of a camera that looks forward, half a metre up (REP 103: z forward, x right, y down).
    fn eye() -> StampedTransform {
        StampedTransform {
            stamp: None,
            translation: [0.1, 0.0, 0.5],
            rotation: [-0.5, 0.5, -0.5, 0.5],
            ..moving("/base", "eye", 0, 0.0)
        }
    }

    #[test]
    fn a_point_before_the_camera_lies_before_the_robot() {
        let mut buffer = TransformBuffer::default();
        buffer.add(&eye()).unwrap();
        let to_base = buffer.lookup("base", "/eye", 5 * SECOND).unwrap();
        let point = to_base * Point3::new(0.2, 0.3, 2.0);
        assert!((point.coords - Axis::new(2.1, -0.2, 0.2)).norm() < 1e-9, "{point}");
        assert_eq!(buffer.lookup("eye", "eye", 0).unwrap(), Isometry3::identity());
    }

    #[test]
    fn between_samples_it_is_interpolated_and_never_beyond() {
        let mut buffer = TransformBuffer::default();
        buffer.add(&eye()).unwrap();
        let none = buffer.lookup("odom", "eye", SECOND).unwrap_err();
        assert!(none.contains("frame odom is unknown") && none.contains("/tf"), "{none}");
        for second in [10, 11] {
            buffer.add(&moving("odom", "base", second, second as f64)).unwrap();
        }
        let halfway = buffer.lookup("odom", "eye", 10 * SECOND + SECOND / 2).unwrap();
        assert!((halfway.translation.x - 10.6).abs() < 1e-9);
        let late = buffer.lookup("odom", "eye", 12 * SECOND).unwrap_err();
        assert!(late.contains("1.000 s after the last one of base; nothing is extrapolated"), "{late}");
        assert!(buffer.may_come("odom", "eye", 12 * SECOND) && !buffer.may_come("odom", "eye", 9 * SECOND));
        let early = buffer.lookup("odom", "eye", 9 * SECOND).unwrap_err();
        assert!(early.contains("1.000 s before the first"), "{early}");
        buffer.forget_motion();
        assert!(buffer.lookup("base", "eye", 0).is_ok() && buffer.lookup("odom", "eye", 10 * SECOND).is_err());
    }

    #[test]
    fn what_is_no_transform_is_refused_and_a_new_parent_is_taken() {
        let mut buffer = TransformBuffer::default();
        let wrong = StampedTransform { rotation: [0.0; 4], ..moving("a", "b", 1, 0.0) };
        assert!(buffer.add(&wrong).is_err());
        let long = StampedTransform { rotation: [0.0, 0.0, 0.0, 2.0], ..moving("a", "b", 1, 0.0) };
        assert!(buffer.add(&long).unwrap_err().contains("length 2.000; expected 1"));
        assert!(buffer.add(&moving("a", "a", 1, 0.0)).is_err());
        assert!(buffer.add(&moving("a", "b", 1, f64::NAN)).is_err());
        buffer.add(&moving("a", "b", 1, 1.0)).unwrap();
        buffer.add(&moving("c", "b", 1, 2.0)).unwrap();
        assert!((buffer.lookup("c", "b", SECOND).unwrap().translation.x - 2.0).abs() < 1e-9);
    }
}
