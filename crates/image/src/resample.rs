//! Resampling: images brought to other sizes, and pixels to a model's units.
//!
//! Planes are f32, channel by channel, row-major; "normalized" means minus the mean, divided by the
//! standard deviation.

use super::frame::Frame;
use super::rect::Rect;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8x3, F32};
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use referseg_files::{Error, Result};

/// How an image is filtered while its size changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Triangle filter over the whole support.
    Bilinear,
    /// Catmull-Rom filter over the whole support: Pillow's "bicubic".
    Bicubic,
}

impl Filter {
    fn kind(self) -> FilterType {
        match self {
            Filter::Bilinear => FilterType::Bilinear,
            Filter::Bicubic => FilterType::CatmullRom,
        }
    }
}

/// Resizes as Pillow does: columns first, then rows, each rounded to bytes. Within one level of Pillow's pixels.
///
/// # Errors
/// When the new size is above the limit for images.
pub fn resize_like_pillow(frame: &Frame, width: usize, height: usize, filter: Filter) -> Result<Frame> {
    resize(&resize(frame, width, frame.height(), filter)?, width, height, filter)
}

/// Resizes in one go with antialiasing: the filter's support grows with the reduction.
///
/// # Errors
/// When the new size is above the limit for images.
pub fn resize(frame: &Frame, width: usize, height: usize, filter: Filter) -> Result<Frame> {
    super::size_limit::check_size(width as u64, height as u64)?;
    let failed = |cause: &dyn std::fmt::Display| Error::Image(format!("can't be resized to {width}x{height}: {cause}"));
    // by the pixel's type: by its name at run time, all kinds of pixels would be compiled
    let source = TypedImageRef::<U8x3>::from_buffer(frame.width() as u32, frame.height() as u32, frame.rgb())
        .map_err(|cause| failed(&cause))?;
    let mut resized = vec![0; 3 * width * height];
    let mut target =
        TypedImage::<U8x3>::from_buffer(width as u32, height as u32, &mut resized).map_err(|cause| failed(&cause))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter.kind()));
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|cause| failed(&cause))?;
    drop(target);
    Frame::new(width, height, resized)
}

/// Resizes a plane of `size` columns and rows with antialiasing: the filter's support grows with the reduction, and its
/// weights are cut and brought to a sum of 1 at the border.
///
/// # Errors
/// When the plane has another size.
pub fn resize_plane(plane: &[f32], size: (usize, usize), target: (usize, usize), filter: Filter) -> Result<Vec<f32>> {
    let failed = |cause: &dyn std::fmt::Display| {
        Error::Computation(format!("a plane of {size:?} can't be resized to {target:?}: {cause}; this is a bug"))
    };
    let pixels: Vec<F32> = plane.iter().map(|value| F32::new(*value)).collect();
    let source = TypedImageRef::new(size.0 as u32, size.1 as u32, &pixels).map_err(|cause| failed(&cause))?;
    let mut resized = TypedImage::<F32>::new(target.0 as u32, target.1 as u32);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter.kind()));
    Resizer::new().resize_typed(&source, &mut resized, &options).map_err(|cause| failed(&cause))?;
    Ok(resized.pixels().iter().map(|pixel| pixel.0).collect())
}

/// How pixels are normalized for an encoder: `(value - mean) / std` of each channel, RGB, values in 0..1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// Mean of each channel.
    pub mean: [f32; 3],
    /// Standard deviation of each channel.
    pub std: [f32; 3],
}

impl Normalization {
    /// A byte of a channel (0 to 2), normalized.
    pub fn value(&self, channel: usize, byte: u8) -> f32 {
        // one multiplication and one addition would round otherwise than PyTorch does
        (f32::from(byte) / 255.0 - self.mean[channel]) / self.std[channel]
    }

    /// Bytes `[h, w, 3]` to normalized planes `[3, h, w]`.
    pub fn planes(&self, rgb: &[u8]) -> Vec<f32> {
        let area = rgb.len() / 3;
        let mut planes = vec![0.0; 3 * area];
        for (channel, plane) in planes.chunks_exact_mut(area.max(1)).enumerate() {
            for (value, pixel) in plane.iter_mut().zip(rgb.chunks_exact(3)) {
                *value = self.value(channel, pixel[channel]);
            }
        }
        planes
    }

    /// The colour in bytes whose normalized values are nearest to these.
    pub fn nearest_bytes(&self, normalized: [f32; 3]) -> [u8; 3] {
        let byte = |c: usize| (normalized[c] * self.std[c] + self.mean[c]) * 255.0;
        std::array::from_fn(|c| byte(c).round().clamp(0.0, 255.0) as u8)
    }
}

/// Resamples a rectangle of a plane to `width` x `height` by the four neighbours of each sample, half-pixel
/// centres, edges repeated: what torch calls bilinear without antialiasing. `value` gives the plane at a column
/// and a row.
pub fn bilinear(rect: Rect, width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let across = taps(rect.width, width);
    let down = taps(rect.height, height);
    let at = |x: usize, y: usize| value(rect.x + x, rect.y + y);
    let mut out = Vec::with_capacity(width * height);
    for &(y0, y1, ty) in &down {
        for &(x0, x1, tx) in &across {
            let top = at(x0, y0) * (1.0 - tx) + at(x1, y0) * tx;
            let low = at(x0, y1) * (1.0 - tx) + at(x1, y1) * tx;
            out.push(top * (1.0 - ty) + low * ty);
        }
    }
    out
}

/// Resamples a plane of `size` columns and rows to `middle`, cuts `inner` off its top left, and resamples that to `target`, both
/// times as [`bilinear`]; in one go, so that nothing of the middle size is made.
pub fn bilinear_twice(
    plane: &[f32],
    size: (usize, usize),
    middle: (usize, usize),
    inner: (usize, usize),
    target: (usize, usize),
) -> Vec<f32> {
    let across = composed(&taps(size.0, middle.0), &taps(inner.0, target.0));
    let down = composed(&taps(size.1, middle.1), &taps(inner.1, target.1));
    let mut rows = Vec::with_capacity(size.1 * target.0);
    for row in plane.chunks_exact(size.0) {
        rows.extend(across.iter().map(|taps| taps.iter().map(|(at, weight)| row[*at] * weight).sum::<f32>()));
    }
    let mut out = vec![0.0; target.0 * target.1];
    for (taps, out) in down.iter().zip(out.chunks_exact_mut(target.0)) {
        for (at, weight) in taps {
            let row = &rows[at * target.0..][..target.0];
            out.iter_mut().zip(row).for_each(|(out, value)| *out += value * weight);
        }
    }
    out
}

/// Samples of samples: for each of the second the places among the first's sources and their weights.
fn composed(first: &[(usize, usize, f32)], second: &[(usize, usize, f32)]) -> Vec<[(usize, f32); 4]> {
    let compose = |&(a, b, t): &(usize, usize, f32)| {
        let ((a0, a1, at), (b0, b1, bt)) = (first[a], first[b]);
        [(a0, (1.0 - t) * (1.0 - at)), (a1, (1.0 - t) * at), (b0, t * (1.0 - bt)), (b1, t * bt)]
    };
    second.iter().map(compose).collect()
}

/// For each of `target` samples over `source` pixels: the two neighbours and the weight of the second.
fn taps(source: usize, target: usize) -> Vec<(usize, usize, f32)> {
    let scale = source as f32 / target as f32;
    let tap = |sample: usize| {
        let place = ((sample as f32 + 0.5) * scale - 0.5).max(0.0);
        let first = (place as usize).min(source - 1);
        (first, (first + 1).min(source - 1), place - first as f32)
    };
    (0..target).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bilinear_samples_half_pixel_centres() {
        // torch: interpolate(arange(4.), size=2, mode="bilinear", align_corners=False) = [0.5, 2.5]
        let row = Rect::whole(4, 1);
        assert_eq!(bilinear(row, 2, 1, |x, _| x as f32), [0.5, 2.5]);
        // and to size 8: edges are repeated
        let up = bilinear(row, 8, 1, |x, _| x as f32);
        assert_eq!(up, [0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0]);
    }

    #[test]
    fn resampling_twice_in_one_go_is_resampling_twice() {
        let plane: Vec<f32> = (0..8 * 6).map(|i| ((i * 37) % 11) as f32).collect();
        let middle = bilinear(Rect::whole(8, 6), 20, 24, |x, y| plane[y * 8 + x]);
        let expected = bilinear(Rect::whole(20, 15), 13, 31, |x, y| middle[y * 20 + x]);
        let found = bilinear_twice(&plane, (8, 6), (20, 24), (20, 15), (13, 31));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4));
        assert_eq!(found.len(), expected.len());
    }

    #[test]
    fn planes_are_antialiased_and_keep_their_mean_at_the_border() {
        // torch: interpolate(arange(4.), size=2, mode="bilinear", antialias=True) = [0.7142857, 2.2857144]
        let row: Vec<f32> = (0..4).map(|x| x as f32).collect();
        let found = resize_plane(&row, (4, 1), (2, 1), Filter::Bilinear).unwrap();
        assert!((found[0] - 0.714_285_7).abs() < 1e-6 && (found[1] - 2.285_714_4).abs() < 1e-6, "{found:?}");
        let even = resize_plane(&[3.0; 12], (4, 3), (7, 5), Filter::Bicubic).unwrap();
        assert!(even.len() == 35 && even.iter().all(|value| (value - 3.0).abs() < 1e-6), "{even:?}");
        assert!(resize_plane(&row, (5, 1), (2, 1), Filter::Bilinear).is_err());
    }

    #[test]
    fn normalized_planes_are_channel_by_channel() {
        let planes = Normalization { mean: [0.0; 3], std: [1.0, 0.5, 0.5] }.planes(&[255, 0, 0, 255, 0, 255]);
        assert_eq!(planes, [1.0, 1.0, 0.0, 0.0, 0.0, 2.0]);
    }
}
