//! Masks on a coarse grid: the value of a mask for each cell of a vision encoder's `grid` x `grid` patches.

use super::mask::Mask;
use super::rect::Rect;
use super::resample::bilinear;

/// The part of each cell that the mask covers, 0..1: `[grid * grid]`.
pub fn area_on_grid(mask: &Mask, grid: usize) -> Vec<f32> {
    let (across, down) = (shares(mask.width(), grid), shares(mask.height(), grid));
    let mut cells = vec![0.0f32; grid * grid];
    let Some(rect) = mask.bounding_box() else { return cells };
    for (y, rows) in down.iter().enumerate().take(rect.bottom()).skip(rect.y) {
        let mut sums = vec![0.0f32; grid];
        let mut any = false;
        for column in mask.columns(y) {
            any = true;
            for &(cell, share) in &across[column] {
                sums[cell] += share;
            }
        }
        if !any {
            continue;
        }
        for &(cell, share) in rows {
            for (column, sum) in sums.iter().enumerate() {
                cells[cell * grid + column] += share * sum;
            }
        }
    }
    cells
}

/// The mask at the cells' centres by the four pixels around each, `[grid * grid]`: the paper's resampling.
pub fn bilinear_on_grid(mask: &Mask, grid: usize) -> Vec<f32> {
    let whole = Rect::whole(mask.width(), mask.height());
    bilinear(whole, grid, grid, |x, y| f32::from(u8::from(mask.at(x, y))))
}

/// The mask at the pixel nearest to each cell's upper left, 0 or 1, `[grid * grid]`: torch's "nearest",
/// which AdaptingCLIP uses for its region tokens.
pub fn nearest_on_grid(mask: &Mask, grid: usize) -> Vec<f32> {
    let at = |cell: usize| mask.at(cell % grid * mask.width() / grid, cell / grid * mask.height() / grid);
    (0..grid * grid).map(|cell| f32::from(u8::from(at(cell)))).collect()
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
    fn covered_cells_sum_to_the_area_for_sizes_that_do_not_divide() {
        for (width, height) in [(7, 5), (64, 48), (3, 2), (130, 70)] {
            let mask = Mask::from_fn(width, height, |x, y| (y * width + x) % 3 == 0);
            let sum: f32 = area_on_grid(&mask, 4).iter().sum();
            let expected = mask.area() as f32 * 16.0 / (width * height) as f32;
            assert!((sum - expected).abs() < 1e-3, "{width}x{height}: {sum} {expected}");
        }
    }
}
