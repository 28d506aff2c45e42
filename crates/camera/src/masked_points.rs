//! A mask and a depth image of one view: the depth pixels inside the mask, with the points that they show.

use super::depth_image::DepthImage;
use super::pinhole::Pinhole;
use referseg_image::Mask;

/// The pixels of a depth image that lie inside a mask of the same view.
pub struct Inside {
    /// Depth pixels inside the mask, known or not.
    pub all: usize,
    /// Image pixels (column, row) of the known ones.
    pub pixels: Vec<(usize, usize)>,
    /// Their points, metres.
    pub points: Vec<[f64; 3]>,
}

/// The depth pixels inside a mask.
pub fn inside(mask: &Mask, depth: &DepthImage, camera: &Pinhole) -> Inside {
    let (mut all, mut pixels, mut points) = (0, Vec::new(), Vec::new());
    for row in 0..depth.height {
        for column in 0..depth.width {
            let here = (column * mask.width() / depth.width, row * mask.height() / depth.height);
            if !mask.at(here.0, here.1) {
                continue;
            }
            all += 1;
            if let Some(point) = depth.at(column, row).and_then(|metres| camera.point(column, row, metres)) {
                pixels.push(here);
                points.push(point);
            }
        }
    }
    Inside { all, pixels, points }
}

/// The points of the known depth pixels in a square around a depth pixel (column, row), but for those inside a mask of the same view.
pub fn visible_around(at: [f32; 2], around: f32, hidden: &Mask, depth: &DepthImage, camera: &Pinhole) -> Vec<[f64; 3]> {
    let range = |axis: usize, size: usize| {
        let (low, high) = ((at[axis] - around).floor().max(0.0), (at[axis] + around).ceil() + 1.0);
        low as usize..(high.max(0.0) as usize).min(size)
    };
    let pixels = range(1, depth.height).flat_map(|row| range(0, depth.width).map(move |column| (column, row)));
    let is_hidden = |column: usize, row: usize| {
        hidden.at(column * hidden.width() / depth.width, row * hidden.height() / depth.height)
    };
    let visible = pixels.filter(|(column, row)| !is_hidden(*column, *row));
    visible.filter_map(|(column, row)| camera.point(column, row, depth.at(column, row)?)).collect()
}

/// Checks that a mask and a depth image can be of the same view.
///
/// # Errors
/// In words, when their shapes differ.
pub fn check_aligned(mask: &Mask, depth: &DepthImage) -> Result<(), String> {
    let (w, h) = (mask.width(), mask.height());
    // one pixel of rounding on the shorter side
    let skew = (w * depth.height).abs_diff(h * depth.width);
    if skew > w.max(h).max(depth.width).max(depth.height) {
        let fact = format!("the depth image is {}x{}, the image {w}x{h}", depth.width, depth.height);
        return Err(format!("{fact}; expected depth aligned with the image"));
    }
    Ok(())
}
