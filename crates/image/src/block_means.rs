//! `BlockMeans`: the mean colours of a frame's blocks, by which a changed frame is recognised.
//!
//! A mean of 64 pixels has an eighth of one pixel's noise, yet changes by an eighth of the contrast when an edge moves
//! by one pixel.

use super::frame::Frame;
use rayon::prelude::*;

/// Pixels a side of a block.
const SIDE: usize = 8;

/// The mean colour of each block of 8x8 pixels (smaller ones at the right and lower edge), row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockMeans {
    size: (usize, usize),
    /// RGB in levels, 0..255.
    means: Vec<[f32; 3]>,
}

impl BlockMeans {
    /// The means of a frame.
    pub fn of(frame: &Frame) -> BlockMeans {
        let (width, columns) = (frame.width(), frame.width().div_ceil(SIDE));
        let of_rows = |rows: &[u8]| {
            let mut sums = vec![[0u32; 3]; columns];
            for row in rows.chunks_exact(width * 3) {
                for (sum, pixels) in sums.iter_mut().zip(row.chunks(SIDE * 3)) {
                    for pixel in pixels.chunks_exact(3) {
                        (0..3).for_each(|c| sum[c] += u32::from(pixel[c]));
                    }
                }
            }
            let height = rows.len() / (width * 3);
            let mean = move |(column, sum): (usize, [u32; 3])| {
                let pixels = height * SIDE.min(width - column * SIDE);
                sum.map(|sum| sum as f32 / pixels as f32)
            };
            sums.into_iter().enumerate().map(mean).collect::<Vec<_>>()
        };
        let means = frame.rgb().par_chunks(SIDE * width * 3).flat_map_iter(of_rows).collect();
        BlockMeans { size: (frame.width(), frame.height()), means }
    }

    /// The largest difference of a block's colour, levels 0..255; infinite for frames of different sizes.
    pub fn largest_change(&self, other: &BlockMeans) -> f32 {
        if self.size != other.size {
            return f32::INFINITY;
        }
        let changes = self.means.iter().flatten().zip(other.means.iter().flatten()).map(|(a, b)| (a - b).abs());
        changes.fold(0.0, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(colour: impl Fn(usize, usize) -> u8) -> Frame {
        let (width, height) = (21, 13); // neither a multiple of the block
        let pixels = (0..width * height).flat_map(|at| [colour(at % width, at / width); 3]).collect();
        Frame::new(width, height, pixels).unwrap()
    }

    #[test]
    fn noise_changes_means_little_and_an_edge_that_moves_by_a_pixel_much() {
        let edge = |at: usize| BlockMeans::of(&frame(move |x, _| if x < at { 60 } else { 100 }));
        let noisy = BlockMeans::of(&frame(|x, y| (if x < 10 { 60 } else { 100 }) + ((x * 7 + y * 3) % 5) as u8 - 2));
        assert_eq!(edge(10).largest_change(&edge(10)), 0.0);
        assert_eq!(edge(10).largest_change(&edge(11)), 40.0 / 8.0);
        assert!(edge(10).largest_change(&noisy) < 1.0, "{}", edge(10).largest_change(&noisy));
    }

    #[test]
    fn a_frame_of_another_size_is_another_frame() {
        let small = Frame::new(8, 8, vec![0; 8 * 8 * 3]).unwrap();
        assert_eq!(BlockMeans::of(&small).largest_change(&BlockMeans::of(&frame(|_, _| 0))), f32::INFINITY);
    }
}
