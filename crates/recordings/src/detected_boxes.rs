//! Boxes of a `vision_msgs/msg/Detection2DArray`, in the layouts that its distributions have had.
//!
//! The type kept its name while its fields changed: ROS 1's results carry a number and its detections the image, Foxy's a text, the image
//! and a tracking id, Galactic's neither, and since Humble (vision_msgs 4) there is an id. A database of rosbag2 carries no definition, so
//! the layout is the one that the bytes fill to their end.

use super::cdr::{from_cdr, from_whole_cdr, MessageType};
use super::ros_messages::{BoundingBox2D, Detection2DArray, Header, Image, Pose};
use referseg_files::Result;
use referseg_image::{DetectedBox, DetectedClass};
use serde::{Deserialize, Serialize};

/// A message whose results are named by `Name` and whose detections end with `Tail`.
#[derive(Serialize, Deserialize)]
struct Detections<Name, Tail> {
    header: Header,
    detections: Vec<Detection<Name, Tail>>,
}

#[derive(Serialize, Deserialize)]
struct Detection<Name, Tail> {
    header: Header,
    results: Vec<Hypothesis<Name>>,
    bbox: BoundingBox2D,
    tail: Tail,
}

#[derive(Serialize, Deserialize)]
struct Hypothesis<Name> {
    name: Name,
    score: f64,
    pose: Pose,
    covariance: ([f64; 18], [f64; 18]),
}

impl<Name, Tail> MessageType for Detections<Name, Tail> {
    const TYPE: &'static str = Detection2DArray::TYPE;
}

/// The image that a detection was made in, which older distributions carry.
#[derive(Serialize, Deserialize)]
struct SourceImage(#[serde(deserialize_with = "skipped_image", serialize_with = "no_image")] ());

fn skipped_image<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<(), D::Error> {
    Image::deserialize(from).map(|_| ())
}

fn no_image<S: serde::Serializer>(_: &(), to: S) -> std::result::Result<S::Ok, S::Error> {
    Image::default().serialize(to)
}

/// The end of a detection since vision_msgs 4.
#[derive(Serialize, Deserialize)]
struct Id(String);

/// Foxy's: the image, whether it is tracked, and its tracking id.
#[derive(Serialize, Deserialize)]
struct TrackedImage(SourceImage, bool, String);

fn boxes<Name: ToString, Tail>(message: Detections<Name, Tail>) -> Option<Vec<DetectedBox>> {
    let found = message.detections.into_iter().map(|Detection { results, bbox, .. }| {
        let BoundingBox2D { centre_x, centre_y, theta, size_x, size_y } = bbox;
        if ![centre_x, centre_y, theta, size_x, size_y].into_iter().all(f64::is_finite) {
            return None;
        }
        let edge = |centre: f64, half: f64| (centre + half) as f32;
        let corners = [
            edge(centre_x, -size_x / 2.0),
            edge(centre_y, -size_y / 2.0),
            edge(centre_x, size_x / 2.0),
            edge(centre_y, size_y / 2.0),
        ];
        // of several names for one the surest counts
        let surest = results.into_iter().max_by(|a, b| a.score.total_cmp(&b.score));
        let class = surest.map(|result| DetectedClass { name: result.name.to_string(), score: result.score as f32 });
        Some(DetectedBox { corners, class: class.filter(|class| !class.name.is_empty()) })
    });
    found.collect()
}

fn in_layout<'a, Name, Tail>(cdr: &'a [u8]) -> Option<Vec<DetectedBox>>
where
    Name: ToString + Deserialize<'a>,
    Tail: Deserialize<'a>,
{
    boxes(from_whole_cdr::<Detections<Name, Tail>>(cdr).ok()?)
}

/// The boxes that a detector found, pixels.
///
/// # Errors
/// When the bytes are of no layout of the type.
pub fn detected_boxes(cdr: &[u8]) -> Result<Vec<DetectedBox>> {
    let layouts = [
        in_layout::<String, Id>,
        in_layout::<String, ()>,
        in_layout::<String, TrackedImage>,
        in_layout::<String, SourceImage>,
        in_layout::<i64, SourceImage>,
        in_layout::<i64, TrackedImage>,
    ];
    match layouts.into_iter().find_map(|read| read(cdr)) {
        Some(boxes) => Ok(boxes),
        // bytes after the message are kept by some recorders
        None => Ok(boxes(from_cdr::<Detections<String, Id>>(cdr)?).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::to_cdr;

    fn message<Name: Clone + Serialize, Tail: Serialize>(
        names: [Name; 2],
        tail: impl Fn() -> Tail,
        count: usize,
    ) -> Vec<u8> {
        let result = |name: &Name, score: f64| Hypothesis {
            name: name.clone(),
            score,
            pose: Pose::default(),
            covariance: ([0.0; 18], [0.0; 18]),
        };
        let detection = |at: usize| Detection {
            header: Header { frame_id: "eye".into(), ..Header::default() },
            results: vec![result(&names[0], 0.2), result(&names[1], 0.7)],
            bbox: BoundingBox2D { centre_x: 20.0 + at as f64, centre_y: 30.0, theta: 0.0, size_x: 10.0, size_y: 20.0 },
            tail: tail(),
        };
        let detections = (0..count).map(detection).collect();
        to_cdr(&Detections { header: Header::default(), detections }).unwrap()
    }

    #[test]
    fn every_distributions_layout_gives_the_same_boxes() {
        let names = ["dog".to_string(), "cup".to_string()];
        for count in [0, 1, 3] {
            let messages = [
                (message(names.clone(), || Id("4".into()), count), "cup"),
                (message(names.clone(), || (), count), "cup"),
                (message(names.clone(), || SourceImage(()), count), "cup"),
                (message(names.clone(), || TrackedImage(SourceImage(()), true, "9".into()), count), "cup"),
                (message([3i64, 41], || SourceImage(()), count), "41"),
            ];
            for (cdr, name) in messages {
                let boxes = detected_boxes(&cdr).unwrap();
                assert_eq!(boxes.len(), count);
                for (at, one) in boxes.iter().enumerate() {
                    assert_eq!(one.corners, [15.0 + at as f32, 20.0, 25.0 + at as f32, 40.0]);
                    let class = one.class.as_ref().unwrap();
                    assert_eq!((class.name.as_str(), class.score), (name, 0.7), "the surest name");
                }
            }
        }
    }

    #[test]
    fn a_cut_message_is_an_error() {
        let whole = message(["a".to_string(), "b".to_string()], || Id("4".into()), 1);
        for length in [0, 3, 20, whole.len() / 2, whole.len() - 50] {
            assert!(detected_boxes(&whole[..length]).is_err(), "{length}");
        }
        assert!(detected_boxes(&[&whole[..], &[0; 3]].concat()).is_ok(), "padding");
    }
}
