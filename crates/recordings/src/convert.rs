//! Conversion between messages and the plain types of `camera`.

use super::referseg::Object;
use super::ros_messages::{
    CameraInfo, Header, PointCloud2, PointField, Pose, PoseStamped, Quaternion, TfMessage, TransformStamped, Vector3,
};
use referseg_answer::{Answer, FoundThing, FrameResult};
use referseg_camera::{
    self, locate, surface_pose, CameraModel, ColouredPoint, DepthView, ObjectInSpace, Stamp, StampedTransform,
    TargetFrame,
};
use referseg_image::{Mask, Rect};

/// `sensor_msgs/PointField` FLOAT32.
const FLOAT32: u8 = 7;

/// When a message of this header was taken; `arrival` is when it was received, nanoseconds.
pub fn stamp(header: &Header, arrival: i64) -> Stamp {
    Stamp::new(header.stamp.nanoseconds(), &header.frame_id, arrival)
}

impl From<&CameraInfo> for CameraModel {
    fn from(info: &CameraInfo) -> CameraModel {
        let roi = Rect {
            x: info.roi.x_offset as usize,
            y: info.roi.y_offset as usize,
            width: info.roi.width as usize,
            height: info.roi.height as usize,
        };
        CameraModel {
            width: info.width as usize,
            height: info.height as usize,
            k: info.k,
            distortion_model: info.distortion_model.clone(),
            d: info.d.clone(),
            p: info.p,
            binning: [info.binning_x as usize, info.binning_y as usize],
            roi,
        }
    }
}

/// The transforms of a message of `/tf`, or of `/tf_static` when they are `fixed`.
pub fn transforms(message: &TfMessage, fixed: bool) -> Vec<StampedTransform> {
    let one = |given: &TransformStamped| {
        let (at, turned) = (given.transform.translation, given.transform.rotation);
        StampedTransform {
            parent: given.header.frame_id.clone(),
            child: given.child_frame_id.clone(),
            stamp: (!fixed).then(|| given.header.stamp.nanoseconds()),
            translation: [at.x, at.y, at.z],
            rotation: [turned.x, turned.y, turned.z, turned.w],
        }
    };
    message.transforms.iter().map(one).collect()
}

fn vector([x, y, z]: [f64; 3]) -> Vector3 {
    Vector3 { x, y, z }
}

/// The image's header with the frame that points are given in.
fn placed(header: &Header, target: Option<&TargetFrame>) -> Header {
    let frame_id = target.map_or(&header.frame_id, |target| &target.frame_id);
    Header { frame_id: frame_id.clone(), ..header.clone() }
}

/// Where an object of this score and track is, as `referseg/msg/Object`.
fn object(
    header: &Header,
    result: &FrameResult,
    (score, track_id): (f32, u32),
    found: &ObjectInSpace,
    target: Option<&TargetFrame>,
) -> Object {
    Object {
        header: placed(header, target),
        target: result.target().into(),
        score,
        track_id,
        point: vector(target.map_or(found.point, |target| target.point(found.point))),
        pose: pose(found.pose, target),
        size: vector(found.size),
        point_count: found.points as u32,
    }
}

/// Where each found object is, in their order, from the depth image of the frame and its camera, or in words why that is not known.
pub fn located(header: &Header, result: &FrameResult, seen: &Result<DepthView, String>) -> Vec<Result<Object, String>> {
    let tracks = result.tracks.iter().copied().chain(std::iter::repeat(0));
    let place = |(found, track): (&FoundThing, u32)| {
        let view = seen.as_ref().map_err(String::clone)?;
        let place = locate(&found.mask, &view.depth, &view.camera)?;
        Ok(object(header, result, (found.score, track), &place, view.target.as_ref()))
    };
    result.found().iter().zip(tracks).map(place).collect()
}

/// The pose of a result's destination, or in words why it is not known; `None` without a place.
pub fn destination_pose(
    header: &Header,
    result: &FrameResult,
    seen: &Result<DepthView, String>,
) -> Option<Result<PoseStamped, String>> {
    let (frame, spot) = (result.frame?, result.destination()?.spot.as_ref()?);
    let place = |view: &DepthView| {
        // what is moved hides the surface
        let nothing = Mask::empty(frame.width(), frame.height());
        let moved = result.answer.ok().and_then(Answer::moved).unwrap_or(&nothing);
        let found = surface_pose(spot.point, moved, &view.depth, &view.camera)?;
        let target = view.target.as_ref();
        Ok(PoseStamped { header: placed(header, target), pose: pose(found, target) })
    };
    Some(seen.as_ref().map_err(String::clone).and_then(place))
}

/// A pose of the optical frame in the frame that points are given in.
fn pose(found: referseg_camera::Pose, target: Option<&TargetFrame>) -> Pose {
    let [x, y, z, w] = target.map_or(found.orientation, |target| target.orientation(found.orientation));
    let position = target.map_or(found.position, |target| target.point(found.position));
    Pose { position: vector(position), orientation: Quaternion { x, y, z, w } }
}

/// The points of what a result shows; `None` when it shows nothing, or the depth is of another view.
pub fn cloud(header: &Header, result: &FrameResult, view: &DepthView) -> Option<PointCloud2> {
    let (shown, _) = result.shown()?;
    let mut points = referseg_camera::point_cloud(&shown, result.frame?, &view.depth, &view.camera).ok()?;
    if let Some(target) = &view.target {
        points.iter_mut().for_each(|point| point.position = target.point(point.position));
    }
    Some(point_cloud(&placed(header, view.target.as_ref()), &points))
}

/// Coloured points as `sensor_msgs/PointCloud2`: x, y, z and PCL's packed rgb, each 4 bytes.
fn point_cloud(header: &Header, points: &[ColouredPoint]) -> PointCloud2 {
    let mut data = Vec::with_capacity(points.len() * 16);
    for point in points {
        for value in point.position {
            data.extend((value as f32).to_le_bytes());
        }
        // 0x00rrggbb, little endian
        data.extend([point.rgb[2], point.rgb[1], point.rgb[0], 0]);
    }
    let field = |name: &str, offset| PointField { name: name.into(), offset, datatype: FLOAT32, count: 1 };
    let count = points.len() as u32;
    PointCloud2 {
        header: header.clone(),
        height: 1,
        width: count,
        fields: vec![field("x", 0), field("y", 4), field("z", 8), field("rgb", 12)],
        is_bigendian: false,
        point_step: 16,
        row_step: 16 * count,
        data,
        is_dense: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_four_floats_with_pcls_packed_colour() {
        let points = [ColouredPoint { position: [1.5, -2.0, 0.25], rgb: [10, 20, 30] }];
        let cloud = point_cloud(&Header::default(), &points);
        assert_eq!((cloud.width, cloud.height, cloud.data.len()), (1, 1, 16));
        let value = |at: usize| f32::from_le_bytes(cloud.data[at..at + 4].try_into().unwrap());
        assert_eq!([value(0), value(4), value(8)], [1.5, -2.0, 0.25]);
        assert_eq!(cloud.data[12..16], [30, 20, 10, 0]);
    }
}
