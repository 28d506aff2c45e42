//! The point cloud of a mask: coloured points of its pixels, those at its edge included.

use super::depth_image::DepthImage;
use super::masked_points::{check_aligned, inside, Inside};
use super::pinhole::Pinhole;
use referseg_image::{Frame, Mask};

/// A point with the colour of its image pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColouredPoint {
    /// Metres, in the camera's optical frame.
    pub position: [f64; 3],
    /// Red, green, blue.
    pub rgb: [u8; 3],
}

/// The points of the masked pixels whose depth is known.
///
/// # Errors
/// In words, when the depth image is of another view.
pub fn point_cloud(
    mask: &Mask,
    frame: &Frame,
    depth: &DepthImage,
    camera: &Pinhole,
) -> Result<Vec<ColouredPoint>, String> {
    check_aligned(mask, depth)?;
    let Inside { pixels, points, .. } = inside(mask, depth, camera);
    let coloured = |((column, row), position)| ColouredPoint { position, rgb: frame.pixel(column, row) };
    Ok(pixels.into_iter().zip(points).map(coloured).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pinhole::CameraModel;
    use referseg_image::RawImage;

    #[test]
    fn the_cloud_has_a_coloured_point_for_each_known_pixel() {
        let k = [200.0, 0.0, 79.5, 0.0, 200.0, 59.5, 0.0, 0.0, 1.0];
        let model = CameraModel { width: 160, height: 120, k, ..Default::default() };
        let camera = Pinhole::of(&model, 160, 120, false).unwrap();
        let block = |x: usize, y: usize| (60..100).contains(&x) && (50..70).contains(&y);
        let metres = |i: usize| if i % 160 == 60 { f32::NAN } else { 2.0 };
        let data: Vec<u8> = (0..160 * 120).flat_map(|i| metres(i).to_le_bytes()).collect();
        let raw = RawImage { width: 160, height: 120, encoding: "32FC1", big_endian: false, step: 640, data: &data };
        let depth = DepthImage::read(&raw, 0.001).unwrap();
        let frame = Frame::new(160, 120, [10, 20, 30].repeat(160 * 120)).unwrap();
        let cloud = point_cloud(&Mask::from_fn(160, 120, block), &frame, &depth, &camera).unwrap();
        assert_eq!(cloud.len(), 39 * 20);
        assert_eq!(cloud[0].rgb, [10, 20, 30]);
        assert!((cloud[0].position[0] - (61.0 - 79.5) / 200.0 * 2.0).abs() < 1e-6 && cloud[0].position[2] == 2.0);
    }
}
