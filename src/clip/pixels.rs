//! Pixels: pictures and masks brought to the sizes and units that the vision encoder reads.
//!
//! Planes are f32, channel by channel, row-major; "normalised" means minus the mean, divided by the
//! standard deviation.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

/// RGB picture of `width * height * 3` bytes.
#[derive(Clone, Copy)]
pub struct Rgb<'a> {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row-major pixels, 3 bytes each.
    pub bytes: &'a [u8],
}

/// Resizes bytes as Pillow does: columns first, then rows, each rounded to bytes. Within one level of Pillow's pixels.
pub fn resized(picture: Rgb, width: usize, height: usize, filter: FilterType) -> Vec<u8> {
    let across = scaled(picture, width, picture.height, filter);
    scaled(Rgb { width, height: picture.height, bytes: &across }, width, height, filter)
}

/// Resizes bytes with antialiasing: the filter's support grows with the reduction.
pub fn scaled(picture: Rgb, width: usize, height: usize, filter: FilterType) -> Vec<u8> {
    let source = ImageRef::new(picture.width as u32, picture.height as u32, picture.bytes, PixelType::U8x3)
        .expect("an RGB picture has three bytes a pixel");
    let mut target = Image::new(width as u32, height as u32, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("both pictures have the same pixel type and are not empty");
    target.into_vec()
}

/// Bytes to normalised planes `[3, h, w]`.
pub fn normalised(bytes: &[u8], mean: [f32; 3], std: [f32; 3]) -> Vec<f32> {
    let plane = |channel: usize| {
        let values = bytes.iter().skip(channel).step_by(3);
        values.map(move |byte| (f32::from(*byte) / 255.0 - mean[channel]) / std[channel])
    };
    (0..3).flat_map(plane).collect()
}

/// A rectangle of pixels: first column and row, columns, rows.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Resamples a window of a plane (`columns` wide) to `width` x `height` by the four neighbours of each
/// sample, half-pixel centres, edges repeated: what torch calls bilinear without antialiasing.
pub fn bilinear(columns: usize, window: Window, width: usize, height: usize, value: impl Fn(usize) -> f32) -> Vec<f32> {
    let across = taps(window.width, width);
    let down = taps(window.height, height);
    let at = |x: usize, y: usize| value((window.y + y) * columns + window.x + x);
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

/// The part of each cell of a `grid` x `grid` partition that is inside, `[grid * grid]`.
pub fn covered(width: usize, height: usize, inside: &[bool], grid: usize) -> Vec<f32> {
    let (across, down) = (shares(width, grid), shares(height, grid));
    let mut cells = vec![0.0f32; grid * grid];
    for (row, line) in inside.chunks_exact(width).enumerate() {
        if !line.contains(&true) {
            continue;
        }
        let mut sums = vec![0.0f32; grid];
        for (column, _) in line.iter().enumerate().filter(|(_, inside)| **inside) {
            for &(cell, share) in &across[column] {
                sums[cell] += share;
            }
        }
        for &(cell, share) in &down[row] {
            for (column, sum) in sums.iter().enumerate() {
                cells[cell * grid + column] += share * sum;
            }
        }
    }
    cells
}

/// For each pixel along a side: the cells that it lies in and the part of the cell that it fills.
fn shares(pixels: usize, grid: usize) -> Vec<Vec<(usize, f32)>> {
    let cell = pixels as f32 / grid as f32;
    let share = |pixel: usize| {
        let first = (pixel as f32 / cell) as usize;
        let last = (((pixel + 1) as f32 / cell).ceil() as usize).min(grid);
        let part = move |index: usize| {
            let from = (pixel as f32).max(index as f32 * cell);
            let to = ((pixel + 1) as f32).min((index + 1) as f32 * cell);
            (index, ((to - from) / cell).max(0.0))
        };
        (first..last.max(first + 1).min(grid)).map(part).collect()
    };
    (0..pixels).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bilinear_samples_half_pixel_centres() {
        // torch: interpolate(arange(4.), size=2, mode="bilinear", align_corners=False) = [0.5, 2.5]
        let window = Window { x: 0, y: 0, width: 4, height: 1 };
        assert_eq!(bilinear(4, window, 2, 1, |i| i as f32), [0.5, 2.5]);
        // and to size 8: edges are repeated
        let up = bilinear(4, window, 8, 1, |i| i as f32);
        assert_eq!(up, [0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0]);
    }

    #[test]
    fn covered_sums_to_the_area_for_sizes_that_do_not_divide() {
        for (width, height) in [(7, 5), (64, 48), (3, 2)] {
            let inside: Vec<bool> = (0..width * height).map(|i| i % 3 == 0).collect();
            let area = inside.iter().filter(|i| **i).count() as f32;
            let sum: f32 = covered(width, height, &inside, 4).iter().sum();
            let expected = area * 16.0 / (width * height) as f32;
            assert!((sum - expected).abs() < 1e-4, "{width}x{height}: {sum} {expected}");
        }
    }

    #[test]
    fn normalised_is_channel_by_channel() {
        let planes = normalised(&[255, 0, 0, 255, 0, 255], [0.0; 3], [1.0, 0.5, 0.5]);
        assert_eq!(planes, [1.0, 1.0, 0.0, 0.0, 0.0, 2.0]);
    }
}
