//! `ObjectInSpace`: where the target is, from the depth pixels inside its mask.
//!
//! The mask's edge is left out for the point and the box: depth bleeds there. Pixels far off the median (seen
//! through a handle, or past the edge) are left out as well.

use super::depth_image::DepthImage;
use super::masked_points::{check_aligned, inside, Inside};
use super::pinhole::Pinhole;
use nalgebra::{Matrix3, Rotation3, SymmetricEigen, UnitQuaternion, Vector3};
use referseg_image::Mask;

/// Fewer known depths than this inside the mask give no point.
const FEWEST: usize = 8;
/// Of the depth pixels inside the mask so many must be known: a thing that the depth camera does not see (glass, too near)
/// has depths only where its mask reaches over what is behind it.
const LEAST_KNOWN: f64 = 0.2;
/// Depths further from the median than so many times the median deviation (scaled to a standard deviation) are left out.
const OUTLIER: f64 = 4.0;
/// A smooth surface has next to no deviation; depth cameras are not better than this, metres.
const LEAST_DEVIATION: f64 = 0.01;
/// Part of the points beyond each end of the extent, so that single stray ones do not stretch it.
const STRAY: f64 = 0.01;

/// A position and an orientation in the camera's optical frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Metres.
    pub position: [f64; 3],
    /// Unit quaternion x, y, z, w.
    pub orientation: [f64; 4],
}

/// Where a thing is, in the camera's optical frame, metres.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectInSpace {
    /// On the visible surface: the median of the points, metres.
    pub point: [f64; 3],
    /// Centre of the box around the points, and its axes.
    pub pose: Pose,
    /// The box's size along its axes, the longest spread first.
    pub size: [f64; 3],
    /// Points that this was made of.
    pub points: usize,
}

/// The middle one of some values, at least one.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Leaves out the points far off the median depth; at least one.
pub fn drop_outliers(points: &mut Vec<[f64; 3]>) {
    let mut depths: Vec<f64> = points.iter().map(|point| point[2]).collect();
    let middle = median(&mut depths);
    let mut deviations: Vec<f64> = depths.iter().map(|z| (z - middle).abs()).collect();
    // 1.4826 times the median deviation is the standard deviation of a normal distribution
    let reach = OUTLIER * (1.4826 * median(&mut deviations)).max(LEAST_DEVIATION);
    points.retain(|point| (point[2] - middle).abs() <= reach);
}

/// The mean of points and their covariance.
pub fn moments(points: &[[f64; 3]]) -> (Vector3<f64>, Matrix3<f64>) {
    let count = points.len() as f64;
    let mean = points.iter().fold(Vector3::zeros(), |sum, point| sum + Vector3::from(*point)) / count;
    let covariance = points.iter().fold(Matrix3::zeros(), |sum, point| {
        let off = Vector3::from(*point) - mean;
        sum + off * off.transpose()
    }) / count;
    (mean, covariance)
}

/// Where the thing under a mask is.
///
/// # Errors
/// In words, when the depth image is of another view or shows too little of the thing.
pub fn locate(mask: &Mask, depth: &DepthImage, camera: &Pinhole) -> Result<ObjectInSpace, String> {
    check_aligned(mask, depth)?;
    // a twentieth of the thing's width, at least the one pixel in which depth bleeds
    let rim = ((mask.area() as f64).sqrt() * 0.05).round().clamp(1.0, 8.0) as usize;
    let eroded = mask.eroded(rim);
    let mut within = inside(&eroded, depth, camera);
    if within.all < FEWEST {
        within = inside(mask, depth, camera); // a thing so thin is all edge
    }
    let Inside { all, mut points, .. } = within;
    let least = FEWEST.max((all as f64 * LEAST_KNOWN).ceil() as usize);
    if points.len() < least {
        let known = points.len();
        return Err(format!("only {known} of {all} depth pixels inside the mask are known; expected {least} or more"));
    }
    drop_outliers(&mut points);
    let axis = |axis: usize| median(&mut points.iter().map(|point| point[axis]).collect::<Vec<_>>());
    let point = [axis(0), axis(1), axis(2)];
    let (pose, size) = bounding_box(&points);
    Ok(ObjectInSpace { point, pose, size, points: points.len() })
}

/// The box around points along their principal axes.
fn bounding_box(points: &[[f64; 3]]) -> (Pose, [f64; 3]) {
    let (_, covariance) = moments(points);
    let SymmetricEigen { eigenvalues, eigenvectors } = SymmetricEigen::new(covariance);
    let mut order = [0, 1, 2];
    order.sort_by(|a, b| eigenvalues[*b].total_cmp(&eigenvalues[*a]));
    // an axis and its opposite mean the same box: the longest points to the right, the middle one down
    let pointing = |axis: Vector3<f64>, side: usize| if axis[side] < 0.0 { -axis } else { axis };
    let first = pointing(eigenvectors.column(order[0]).into_owned(), 0);
    let second = pointing(eigenvectors.column(order[1]).into_owned(), 1);
    let axes = Matrix3::from_columns(&[first, second, first.cross(&second)]);
    let (mut middle, mut size) = (Vector3::zeros(), Vector3::zeros());
    for axis in 0..3 {
        let direction = axes.column(axis).into_owned();
        let mut along: Vec<f64> = points.iter().map(|point| Vector3::from(*point).dot(&direction)).collect();
        along.sort_by(f64::total_cmp);
        let at = |part: f64| along[((along.len() - 1) as f64 * part).round() as usize];
        let (low, high) = (at(STRAY), at(1.0 - STRAY));
        middle += direction * ((low + high) / 2.0);
        size[axis] = high - low;
    }
    let turn = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(axes));
    let pose = Pose { position: middle.into(), orientation: [turn.i, turn.j, turn.k, turn.w] };
    (pose, size.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pinhole::CameraModel;
    use referseg_image::RawImage;

    const SIZE: (usize, usize) = (160, 120);

    fn camera() -> Pinhole {
        let k = [200.0, 0.0, 79.5, 0.0, 200.0, 59.5, 0.0, 0.0, 1.0];
        Pinhole::of(&CameraModel { width: 160, height: 120, k, ..Default::default() }, 160, 120, false).unwrap()
    }

    fn depth(at: impl Fn(usize, usize) -> f32) -> DepthImage {
        let data: Vec<u8> = (0..SIZE.0 * SIZE.1).flat_map(|i| at(i % SIZE.0, i / SIZE.0).to_le_bytes()).collect();
        let (width, height) = (SIZE.0 as u32, SIZE.1 as u32);
        let raw = RawImage { width, height, encoding: "32FC1", big_endian: false, step: width * 4, data: &data };
        DepthImage::read(&raw, 0.001).unwrap()
    }

    fn mask(inside: impl Fn(usize, usize) -> bool) -> Mask {
        Mask::from_fn(SIZE.0, SIZE.1, inside)
    }

    fn block(x: usize, y: usize) -> bool {
        (60..100).contains(&x) && (50..70).contains(&y)
    }

    fn close(a: f64, b: f64, tolerance: f64) -> bool {
        (a - b).abs() < tolerance
    }

    #[test]
    fn a_flat_thing_is_where_its_depth_says_with_its_size() {
        // 40 by 20 pixels at 1 m and 200 px of focal length: 0.2 by 0.1 m
        let depth = depth(|x, y| if block(x, y) { 1.0 } else { 3.0 });
        let found = locate(&mask(block), &depth, &camera()).unwrap();
        assert!(
            close(found.point[0], 0.0, 0.01) && close(found.point[1], 0.0, 0.01) && close(found.point[2], 1.0, 1e-6)
        );
        assert!(close(found.size[0], 0.2, 0.03) && close(found.size[1], 0.1, 0.03) && close(found.size[2], 0.0, 1e-6));
        // its axes are the image's: no turn
        assert!(close(found.pose.orientation[3].abs(), 1.0, 1e-6), "{:?}", found.pose);
    }

    #[test]
    fn bleeding_edges_holes_and_a_view_past_the_thing_do_not_move_the_point() {
        let depth = depth(|x, y| match (x, y) {
            (60 | 99, _) => 2.5,               // the edge mixes with what is behind
            (70..75, 55..60) => 3.0,           // seen through a hole
            _ if (x + y) % 3 == 0 => f32::NAN, // not known
            _ => 1.0,
        });
        let found = locate(&mask(block), &depth, &camera()).unwrap();
        assert!(close(found.point[2], 1.0, 1e-6) && close(found.point[0], 0.0, 0.02), "{found:?}");
        assert!(found.size[2] < 1e-6, "no stray depth stretches the box: {found:?}");
    }

    #[test]
    fn a_turned_thing_has_a_turned_box() {
        // a bar of 80 by 10 pixels along the image's diagonal
        let bar = |x: usize, y: usize| {
            let (x, y) = (x as f64 - 79.5, y as f64 - 59.5);
            let (along, across) = ((x + y) / 2f64.sqrt(), (x - y) / 2f64.sqrt());
            along.abs() < 40.0 && across.abs() < 5.0
        };
        let found = locate(&mask(bar), &depth(|_, _| 1.0), &camera()).unwrap();
        let [x, y, z, w] = found.pose.orientation;
        let longest = UnitQuaternion::from_quaternion(nalgebra::Quaternion::new(w, x, y, z)) * Vector3::x();
        assert!(close(longest.x, longest.y, 0.02) && longest.x > 0.7, "{longest:?}");
        assert!(close(found.size[0], 0.4, 0.05) && found.size[1] < 0.06, "{found:?}");
    }

    #[test]
    fn too_little_depth_or_another_view_is_a_reason_and_never_a_point() {
        let reason = locate(&mask(block), &depth(|_, _| f32::NAN), &camera()).unwrap_err();
        assert!(reason.contains("only 0 of"), "{reason}");
        let seen_past = depth(|x, y| if block(x, y) && x > 62 { f32::NAN } else { 2.0 });
        let reason = locate(&mask(block), &seen_past, &camera()).unwrap_err();
        assert!(reason.contains("are known"), "{reason}");
        let square = Mask::from_fn(120, 120, |_, _| true);
        assert!(locate(&square, &depth(|_, _| 1.0), &camera()).unwrap_err().contains("aligned with the image"));
    }

    #[test]
    fn a_smaller_depth_image_of_the_same_view_serves() {
        let large = Mask::from_fn(320, 240, |x, y| block(x / 2, y / 2));
        let found = locate(&large, &depth(|x, y| if block(x, y) { 1.0 } else { 3.0 }), &camera()).unwrap();
        assert!(close(found.point[2], 1.0, 1e-6) && close(found.size[0], 0.2, 0.03), "{found:?}");
    }
}
