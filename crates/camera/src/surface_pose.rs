//! Surface poses: where the visible surface is below a pixel, and how it lies, from the depth around it.

use super::depth_image::DepthImage;
use super::localization::{drop_outliers, moments, Pose};
use super::masked_points::{check_aligned, visible_around};
use super::pinhole::Pinhole;
use nalgebra::{Matrix3, Rotation3, SymmetricEigen, UnitQuaternion, Vector3};
use referseg_image::Mask;

/// Half the side of the square of pixels that a plane is fitted to, as a part of the image's width, and at least, pixels.
const AROUND: f32 = 0.02;
const LEAST_AROUND: f32 = 3.0;
/// Where a thing that will be moved hides the surface, the square grows up to so many times.
const WIDEST: f32 = 8.0;
/// Fewer known depths than this around the pixel give no plane.
const FEWEST: usize = 8;

/// The pose of the surface at a point of an image of the size of `hidden`: at the surface, the z axis along its normal towards the camera, the x
/// axis to the image's right. In the camera's optical frame. `hidden` are the pixels that do not show the surface: of a thing that will be
/// moved away.
///
/// # Errors
/// In words, when the depth image is of another view or shows too little around the point.
pub fn surface_pose([x, y]: [f32; 2], hidden: &Mask, depth: &DepthImage, camera: &Pinhole) -> Result<Pose, String> {
    check_aligned(hidden, depth)?;
    let scale = [depth.width as f32 / hidden.width() as f32, depth.height as f32 / hidden.height() as f32];
    let at = [x * scale[0], y * scale[1]];
    let mut around = (AROUND * depth.width as f32).max(LEAST_AROUND);
    let widest = around * if hidden.at(x.max(0.0) as usize, y.max(0.0) as usize) { WIDEST } else { 1.0 };
    let mut points = visible_around(at, around, hidden, depth, camera);
    while points.len() < FEWEST && 2.0 * around <= widest {
        around *= 2.0;
        points = visible_around(at, around, hidden, depth, camera);
    }
    if points.len() < FEWEST {
        let known = points.len();
        return Err(format!("only {known} depth pixels around the place are known; expected {FEWEST} or more"));
    }
    drop_outliers(&mut points);
    let (mean, covariance) = moments(&points);
    let SymmetricEigen { eigenvalues, eigenvectors } = SymmetricEigen::new(covariance);
    let normal = eigenvectors.column(eigenvalues.imin()).into_owned();
    let normal = if normal.dot(&mean) > 0.0 { -normal } else { normal };
    // where the pixel's ray meets the plane
    let (column, row) = ((at[0] as usize).min(depth.width - 1), (at[1] as usize).min(depth.height - 1));
    let ray = camera.point(column, row, 1.0).map(Vector3::from);
    let met = ray.filter(|ray| normal.dot(ray).abs() > 0.05 * ray.norm());
    let position = met.map_or(mean, |ray| ray * (normal.dot(&mean) / normal.dot(&ray)));
    let right = Vector3::x() - normal * normal.x;
    let right = if right.norm() > 1e-6 { right.normalize() } else { Vector3::y() };
    let axes = Matrix3::from_columns(&[right, normal.cross(&right), normal]);
    let turn = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(axes));
    Ok(Pose { position: position.into(), orientation: [turn.i, turn.j, turn.k, turn.w] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pinhole::CameraModel;
    use nalgebra::Quaternion;
    use referseg_image::RawImage;

    fn camera() -> Pinhole {
        let k = [200.0, 0.0, 79.5, 0.0, 200.0, 59.5, 0.0, 0.0, 1.0];
        Pinhole::of(&CameraModel { width: 160, height: 120, k, ..Default::default() }, 160, 120, false).unwrap()
    }

    fn depth(at: impl Fn(usize, usize) -> f32) -> DepthImage {
        let data: Vec<u8> = (0..160 * 120).flat_map(|i| at(i % 160, i / 160).to_le_bytes()).collect();
        let raw = RawImage { width: 160, height: 120, encoding: "32FC1", big_endian: false, step: 640, data: &data };
        DepthImage::read(&raw, 0.001).unwrap()
    }

    /// Depth of the plane through (0, 0, 1) with this normal.
    fn plane(normal: [f64; 3]) -> impl Fn(usize, usize) -> f32 {
        move |x, y| {
            let ray = [(x as f64 - 79.5) / 200.0, (y as f64 - 59.5) / 200.0, 1.0];
            (normal[2] / (normal[0] * ray[0] + normal[1] * ray[1] + normal[2] * ray[2])) as f32
        }
    }

    #[test]
    fn a_tilted_surface_has_its_normal_and_the_point_below_the_pixel() {
        // a table that rises away from the camera by 30 degrees
        let normal = [0.0, -(30f64.to_radians().cos()), -(30f64.to_radians().sin())];
        let stray = |x: usize, y: usize| if (x + y).is_multiple_of(7) { 9.0 } else { plane(normal)(x, y) };
        let pose = surface_pose([200.0, 140.0], &Mask::empty(320, 240), &depth(stray), &camera()).unwrap();
        let [x, y, z, w] = pose.orientation;
        let turn = UnitQuaternion::from_quaternion(Quaternion::new(w, x, y, z));
        assert!((turn * Vector3::z() - Vector3::from(normal)).norm() < 0.02, "{:?}", turn * Vector3::z());
        assert!((turn * Vector3::x() - Vector3::x()).norm() < 0.02);
        let metres = f64::from(plane(normal)(100, 70));
        let expected = Vector3::new((100.0 - 79.5) / 200.0, (70.0 - 59.5) / 200.0, 1.0) * metres;
        assert!((Vector3::from(pose.position) - expected).norm() < 0.01, "{pose:?}, expected {expected:?}");
    }

    #[test]
    fn without_depth_around_it_there_is_a_reason() {
        let reason =
            surface_pose([10.0, 10.0], &Mask::empty(160, 120), &depth(|_, _| f32::NAN), &camera()).unwrap_err();
        assert!(reason.contains("only 0 depth pixels"), "{reason}");
        assert!(surface_pose([10.0, 10.0], &Mask::empty(100, 100), &depth(|_, _| 1.0), &camera())
            .unwrap_err()
            .contains("aligned"));
        assert!(surface_pose([-5.0, 900.0], &Mask::empty(160, 120), &depth(|_, _| 1.0), &camera()).is_err());
    }

    #[test]
    fn below_a_thing_that_is_moved_away_the_surface_is_that_beside_it() {
        let thing = Mask::from_fn(160, 120, |x, y| (60..100).contains(&x) && (40..80).contains(&y));
        let depth = depth(|x, y| if thing.at(x, y) { 0.5 } else { 1.0 });
        let pose = surface_pose([80.0, 60.0], &thing, &depth, &camera()).unwrap();
        assert!((pose.position[2] - 1.0).abs() < 1e-6, "{pose:?}");
        let pose = surface_pose([80.0, 60.0], &Mask::empty(160, 120), &depth, &camera()).unwrap();
        assert!((pose.position[2] - 0.5).abs() < 1e-6, "{pose:?}");
    }
}
