//! Messages out: a result to Referseg's messages, each with the input image's header unchanged.

use super::referseg::{self, Anchor, Destination, Object, ScoredThing, Segmentation};
use super::ros_messages::{
    BoundingBox2D, BoundingBox3D, CompressedImage, Detection2D, Detection2DArray, Detection3D, Detection3DArray,
    Header, Image, LabelInfo, ObjectHypothesisWithPose, Pose, PoseStamped, RegionOfInterest, VisionClass,
};
use referseg_answer::drawing::{self, Captions};
use referseg_answer::{Candidate, FoundDestination, FoundThing, FrameResult, Origin, ScoredProposal, Status};
use referseg_files::{Error, Result};
use referseg_image::{Frame, Mask, Rect};
use referseg_language::Roles;
use std::borrow::Cow;

/// Class ids of the label mask: everything else, and the target.
const BACKGROUND: u16 = 0;
const TARGET: u16 = 1;
/// Quality of the compressed overlay, percent.
const JPEG_QUALITY: u8 = 85;

fn image(
    header: &Header,
    width: usize,
    height: usize,
    encoding: &str,
    channels: usize,
    data: Vec<u8>,
) -> Image<'static> {
    Image {
        header: header.clone(),
        width: width as u32,
        height: height as u32,
        encoding: encoding.into(),
        is_bigendian: 0,
        step: (width * channels) as u32,
        data: Cow::Owned(data),
    }
}

/// mono8 of the frame's size with one value inside what is shown and 0 elsewhere; 0x0 when the frame could not be read.
fn painted(header: &Header, result: &FrameResult, value: u8) -> Image<'static> {
    let (width, height) = result.frame.map_or((0, 0), |frame| (frame.width(), frame.height()));
    let data = match result.shown() {
        Some((mask, _)) => mask.to_mono8(value),
        None => vec![0; width * height],
    };
    image(header, width, height, "mono8", 1, data)
}

/// 255 inside; all 0 when nothing was found; 0x0 when the frame could not be read.
pub fn mask(header: &Header, result: &FrameResult) -> Image<'static> {
    painted(header, result, 255)
}

/// The class id of each pixel, as `label_info` names them.
pub fn label_mask(header: &Header, result: &FrameResult) -> Image<'static> {
    painted(header, result, TARGET as u8)
}

/// How sure the answer is of each pixel: 255 times the score inside, 0 outside.
pub fn confidence(header: &Header, result: &FrameResult) -> Image<'static> {
    painted(header, result, (probability(result) * 255.0).round() as u8)
}

/// The score as vision_msgs and Nav2 want it, 0..1.
fn probability(result: &FrameResult) -> f64 {
    f64::from(result.score()).clamp(0.0, 1.0)
}

/// rgb8: the frame with the answer drawn on it. Higher than the frame where its captions have no room inside.
pub fn overlay(header: &Header, frame: &Frame, result: &FrameResult, captions: Captions) -> Image<'static> {
    let drawn = drawing::describe(frame, result, captions);
    image(header, drawn.width(), drawn.height(), "rgb8", 3, drawn.into_rgb())
}

/// The same as JPEG.
///
/// # Errors
/// When the image has sides that JPEG can't have.
pub fn compressed(overlay: &Image) -> Result<CompressedImage<'static>> {
    let mut data = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut data, JPEG_QUALITY)
        .encode(&overlay.data, overlay.width, overlay.height, image::ExtendedColorType::Rgb8)
        .map_err(|cause| Error::Image(format!("overlay can't be compressed: {cause}")))?;
    let format = "rgb8; jpeg compressed bgr8".into();
    Ok(CompressedImage { header: overlay.header.clone(), format, data: Cow::Owned(data) })
}

/// The result. `mask` is that of [`mask`]; `objects` are those of [`located`](super::convert::located), and `pose` is
/// that of the destination; both are absent without depth.
pub fn segmentation<'a>(
    header: &Header,
    camera: &str,
    result: &FrameResult,
    mask: &'a Image,
    objects: Option<&[std::result::Result<Object, String>]>,
    pose: Option<&std::result::Result<PoseStamped, String>>,
) -> Segmentation<'a> {
    let rect = result.shown().map(|(_, rect)| rect).unwrap_or_default();
    let mut message = Segmentation {
        header: header.clone(),
        camera: camera.into(),
        command: result.command.text.clone(),
        command_number: result.command.number,
        origin: origin(result.command.origin),
        request_id: result.command.id.clone(),
        conversation: result.command.conversation.clone(),
        target: result.target().into(),
        reading: result.reading().into(),
        roles: result.answer.map(|answer| roles(&answer.roles)).unwrap_or_default(),
        by_depth: result.by_depth(),
        reference_frame: result.reference_frame().into(),
        status: status(result.status()),
        reason: result.reason(),
        score: result.score(),
        margin: result.margin(),
        track_id: result.track(),
        track_quality: result.following.map_or(0.0, |following| following.quality),
        grounding_age: result.following.map_or(0.0, |following| following.grounding_age),
        things: things(result)
            .enumerate()
            .map(|(at, thing)| found(header, thing, objects.map(|all| &all[at])))
            .collect(),
        best: result.leading().iter().map(candidate).collect(),
        bounding_box: region(rect),
        mask: Image { data: Cow::Borrowed(&mask.data), ..without_data(mask) },
        ..Default::default()
    };
    if let Some(question) = result.answer.ok().and_then(|answer| answer.question.as_ref()) {
        message.question.clone_from(&question.text);
        message.candidates = question.candidates.iter().map(|candidate| asked_about(header, candidate)).collect();
    }
    if let Some(found) = result.destination() {
        message.has_destination = true;
        message.destination = destination(header, found, pose);
    }
    if let Some(objects) = objects {
        let nothing = Err("nothing was found in the image".to_string());
        (message.has_object, message.object_reason, message.object) = stated(objects.first().unwrap_or(&nothing));
    }
    message
}

/// An object, or the reason why there is none, as the three fields of a message.
fn stated(object: &std::result::Result<Object, String>) -> (bool, String, Object) {
    match object {
        Ok(object) => (true, String::new(), object.clone()),
        Err(reason) => (false, reason.clone(), Object::default()),
    }
}

/// The things found, each with the number of its track; 0 where it has none.
fn things<'r>(result: &'r FrameResult) -> impl Iterator<Item = (&'r FoundThing, u32)> {
    result.found().iter().zip(result.tracks.iter().copied().chain(std::iter::repeat(0)))
}

/// A found object with its own mask.
fn found(
    header: &Header,
    (thing, track_id): (&FoundThing, u32),
    object: Option<&std::result::Result<Object, String>>,
) -> ScoredThing<'static> {
    let (bounding_box, mask) = cropped(header, &thing.mask);
    let (has_object, object_reason, object) = object.map(stated).unwrap_or_default();
    ScoredThing {
        score: thing.score,
        bounding_box,
        mask,
        track_id,
        has_object,
        object_reason,
        object,
        ..Default::default()
    }
}

fn roles(roles: &Roles) -> referseg::Roles {
    let Roles { verb, theme, source, goal, direction, distance, instrument, path } = roles.clone();
    referseg::Roles { verb, theme, source, goal, direction, distance, instrument, path }
}

/// A mask cropped to its box.
fn cropped(header: &Header, mask: &Mask) -> (RegionOfInterest, Image<'static>) {
    let rect = mask.bounding_box().unwrap_or_default();
    (region(rect), image(header, rect.width, rect.height, "mono8", 1, mask.to_mono8_in(rect, 255)))
}

/// An object that a question is about.
fn asked_about(header: &Header, candidate: &Candidate) -> referseg::Candidate<'static> {
    let (bounding_box, mask) = cropped(header, &candidate.mask);
    referseg::Candidate { phrase: candidate.phrase.clone(), score: candidate.score, bounding_box, mask }
}

/// Where the target shall go. `pose` as in [`segmentation`].
pub fn destination(
    header: &Header,
    found: &FoundDestination,
    pose: Option<&std::result::Result<PoseStamped, String>>,
) -> Destination<'static> {
    let anchor = |anchor: &referseg_answer::Anchor| Anchor {
        phrase: anchor.phrase.clone(),
        found: anchor.rect.is_some(),
        bounding_box: region(anchor.rect.unwrap_or_default()),
    };
    let spot = found.spot.as_ref();
    let [x, y] = spot.map_or([0.0; 2], |spot| spot.point);
    let (bounding_box, mask) = spot.map(|spot| cropped(header, &spot.region)).unwrap_or_default();
    let (has_pose, pose_reason, pose) = match pose {
        Some(Ok(pose)) => (true, String::new(), pose.clone()),
        Some(Err(reason)) => (false, reason.clone(), PoseStamped::default()),
        None => Default::default(),
    };
    Destination {
        header: header.clone(),
        status: status(found.status),
        reason: found.reason.clone(),
        phrase: found.phrase.clone(),
        relation: found.relation.clone(),
        anchors: found.anchors.iter().map(anchor).collect(),
        x,
        y,
        fit: spot.map_or(0.0, |spot| spot.fit),
        bounding_box,
        mask,
        has_pose,
        pose_reason,
        pose,
    }
}

/// 255 where the target may go; 0x0 when the frame could not be read.
pub fn destination_mask(header: &Header, result: &FrameResult) -> Image<'static> {
    let (width, height) = result.frame.map_or((0, 0), |frame| (frame.width(), frame.height()));
    let region = result.destination().and_then(|found| found.spot.as_ref()).map(|spot| &spot.region);
    let data = region.map_or_else(|| vec![0; width * height], |region| region.to_mono8(255));
    image(header, width, height, "mono8", 1, data)
}

/// A proposal with its scoring terms.
fn candidate(proposal: &ScoredProposal) -> ScoredThing<'static> {
    ScoredThing {
        score: proposal.score,
        bounding_box: region(proposal.rect),
        term_names: proposal.terms.iter().map(|(name, _)| (*name).to_string()).collect(),
        term_values: proposal.terms.iter().map(|(_, value)| *value).collect(),
        ..Default::default()
    }
}

fn without_data(image: &Image) -> Image<'static> {
    let Image { header, height, width, encoding, is_bigendian, step, .. } = image;
    Image {
        header: header.clone(),
        encoding: encoding.clone(),
        height: *height,
        width: *width,
        is_bigendian: *is_bigendian,
        step: *step,
        data: Cow::Borrowed(&[]),
    }
}

/// A rectangle as a message.
pub fn region(rect: Rect) -> RegionOfInterest {
    RegionOfInterest {
        x_offset: rect.x as u32,
        y_offset: rect.y as u32,
        height: rect.height as u32,
        width: rect.width as u32,
        do_rectify: false,
    }
}

/// An origin as its constant in the messages.
pub fn origin(origin: Origin) -> u8 {
    match origin {
        Origin::Topic => 0,
        Origin::Service => 1,
        Origin::Action => 2,
        Origin::Track => 3,
    }
}

/// A status as its constant in the messages; 0 is UNKNOWN, which no result has.
pub fn status(status: Status) -> u8 {
    match status {
        Status::Found => 1,
        Status::NotFound => 2,
        Status::Ambiguous => 3,
        Status::Error => 4,
        Status::Lost => 5,
    }
}

/// A detection for each thing found. `id` is the number of its track, which stays while it is found and followed; without tracking empty,
/// as `Detection2D` says of detections that are not tracked.
pub fn detections(header: &Header, result: &FrameResult) -> Detection2DArray {
    let detection = |score: f32, rect: Rect, track: u32| Detection2D {
        header: header.clone(),
        results: vec![ObjectHypothesisWithPose {
            class_id: result.target().into(),
            score: f64::from(score).clamp(0.0, 1.0),
            pose: Pose::default(),
            covariance: ([0.0; 18], [0.0; 18]),
        }],
        bbox: BoundingBox2D {
            centre_x: rect.x as f64 + rect.width as f64 / 2.0,
            centre_y: rect.y as f64 + rect.height as f64 / 2.0,
            theta: 0.0,
            size_x: rect.width as f64,
            size_y: rect.height as f64,
        },
        id: if track == 0 { String::new() } else { track.to_string() },
    };
    let boxed = things(result).filter_map(|(thing, track)| Some((thing.score, thing.mask.bounding_box()?, track)));
    let detections = boxed.map(|(score, rect, track)| detection(score, rect, track)).collect();
    Detection2DArray { header: header.clone(), detections }
}

/// A detection for each object whose place in space is known.
pub fn detections_3d<'o>(header: &Header, objects: impl Iterator<Item = &'o Object>) -> Detection3DArray {
    let mut frame = None;
    let detection = |object: &'o Object| {
        frame.get_or_insert(&object.header);
        Detection3D {
            header: object.header.clone(),
            results: vec![ObjectHypothesisWithPose {
                class_id: object.target.clone(),
                score: f64::from(object.score).clamp(0.0, 1.0),
                pose: object.pose,
                covariance: ([0.0; 18], [0.0; 18]),
            }],
            bbox: BoundingBox3D { center: object.pose, size: object.size },
            id: if object.track_id == 0 { String::new() } else { object.track_id.to_string() },
        }
    };
    let detections = objects.map(detection).collect();
    Detection3DArray { header: frame.unwrap_or(header).clone(), detections }
}

/// What the values of the label mask mean.
pub fn label_info(header: &Header, target: &str, min_score: f32) -> LabelInfo {
    let class = |class_id, name: &str| VisionClass { class_id, class_name: name.into() };
    LabelInfo {
        header: header.clone(),
        class_map: vec![class(BACKGROUND, "background"), class(TARGET, target)],
        threshold: min_score.clamp(0.0, 1.0),
    }
}
