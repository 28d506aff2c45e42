//! How a thing looks: whether its parts still look as they did, block by block.

use super::similarity::Similarity;
use referseg_image::{Frame, Mask, Rect};

/// Pixels along a block's side, in the picture in which the thing was found.
const BLOCK: usize = 8;

/// Blocks with fewer pixels of the mask are judged with those around them.
const FEWEST: usize = 12;

/// A block whose colours are further off than this is another thing, or turned away; levels of 0 to 255. Noise and shading are
/// below it, other things mostly far above.
const OFF: f32 = 26.0;
/// For things that look nearly like what is around them: half of the difference, but not less than noise and shading.
const OFF_OF_CONTRAST: f32 = 0.5;
const LEAST_OFF: f32 = 7.0;

/// Pixels around a mask that tell what is around it.
const AROUND: usize = 6;

/// Which parts of a thing are seen, after it moved.
pub struct Seen {
    /// Blocks across.
    across: usize,
    /// Corner of the first block, pixels of the first picture.
    corner: [usize; 2],
    /// Whether each block looks as it did.
    alike: Vec<bool>,
    /// Part of the mask's pixels that lie inside the picture now, 0..1.
    pub inside: f32,
    /// Part of these that look as they did, 0..1.
    pub alike_part: f32,
    /// How far the colours of these are off, the mean in levels of 0 to 255.
    pub off: f32,
}

/// How far the colours of a block may be off: less for a thing that differs little from what is around it.
pub fn tolerance(frame: &Frame, mask: &Mask, rect: Rect) -> f32 {
    let (mut own, mut around) = ([0u64; 4], [0u64; 4]);
    let rows = rect.y.saturating_sub(AROUND)..(rect.bottom() + AROUND).min(mask.height());
    for row in rows {
        for column in rect.x.saturating_sub(AROUND)..(rect.right() + AROUND).min(mask.width()) {
            let sums = if mask.at(column, row) { &mut own } else { &mut around };
            frame.pixel(column, row).iter().zip(&mut sums[..]).for_each(|(level, sum)| *sum += u64::from(*level));
            sums[3] += 1;
        }
    }
    let mean = |sums: [u64; 4], channel: usize| sums[channel] as f32 / sums[3].max(1) as f32;
    let contrast = (0..3).map(|channel| (mean(own, channel) - mean(around, channel)).abs()).sum::<f32>() / 3.0;
    (contrast * OFF_OF_CONTRAST).clamp(LEAST_OFF, OFF)
}

impl Seen {
    /// Whether a pixel of the first picture belongs to a part that is seen.
    pub fn is_seen(&self, column: usize, row: usize) -> bool {
        let block = (row - self.corner[1]) / BLOCK * self.across + (column - self.corner[0]) / BLOCK;
        self.alike.get(block).copied().unwrap_or(false)
    }
}

/// Compares the pixels of a mask in one picture with where they went in another.
/// Blocks whose colours are off by `tolerance` or more are not alike.
pub fn compare(first: &Frame, mask: &Mask, rect: Rect, tolerance: f32, now: &Frame, moved: &Similarity) -> Seen {
    let (across, down) = (rect.width.div_ceil(BLOCK).max(1), rect.height.div_ceil(BLOCK).max(1));
    let mut off = vec![0.0f32; across * down];
    let mut counts = vec![0usize; across * down];
    let (mut all, mut inside) = (0usize, 0usize);
    for row in rect.y..rect.bottom() {
        for column in mask.columns(row) {
            all += 1;
            let [x, y] = moved.apply([column as f32, row as f32]);
            let (x, y) = (x.round(), y.round());
            if x < 0.0 || y < 0.0 || x >= now.width() as f32 || y >= now.height() as f32 {
                continue;
            }
            inside += 1;
            let (before, after) = (first.pixel(column, row), now.pixel(x as usize, y as usize));
            let difference: i32 = (0..3).map(|c| (i32::from(before[c]) - i32::from(after[c])).abs()).sum();
            let block = (row - rect.y) / BLOCK * across + (column - rect.x) / BLOCK;
            off[block] += difference as f32 / 3.0;
            counts[block] += 1;
        }
    }
    let (mut alike, mut alike_pixels) = (vec![false; across * down], 0);
    for (block, is_alike) in alike.iter_mut().enumerate() {
        let (column, row) = (block % across, block / across);
        let (mut sum, mut count) = (off[block], counts[block]);
        if count < FEWEST {
            // a sliver of the edge: as its neighbours are
            for other_row in row.saturating_sub(1)..=(row + 1).min(down - 1) {
                for other in column.saturating_sub(1)..=(column + 1).min(across - 1) {
                    sum += off[other_row * across + other];
                    count += counts[other_row * across + other];
                }
            }
        }
        *is_alike = count > 0 && sum / (count as f32) < tolerance;
        alike_pixels += if *is_alike { counts[block] } else { 0 };
    }
    let part = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f32 / whole as f32 };
    let corner = [rect.x, rect.y];
    let off = off.iter().sum::<f32>() / inside.max(1) as f32;
    Seen { across, corner, alike, inside: part(inside, all), alike_part: part(alike_pixels, inside), off }
}
