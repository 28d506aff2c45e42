//! `Grid`: a picture in cells of a few pixels, on which places are judged.

use referseg_image::{Frame, Mask};

/// Side of a cell, pixels, for pictures up to [`FINE`] pixels wide; larger ones have larger cells, so that the work stays the same.
const CELL: usize = 4;
const FINE: usize = 800;

/// The cells of a picture, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Side of a cell, pixels.
    pub cell: usize,
    /// Cells across.
    pub columns: usize,
    /// Cells down.
    pub rows: usize,
    /// Size of the picture, pixels.
    pub size: (usize, usize),
}

impl Grid {
    /// The cells of a picture of this size.
    pub fn new(width: usize, height: usize) -> Grid {
        let cell = CELL * width.div_ceil(FINE).max(1);
        Grid { cell, columns: width.div_ceil(cell).max(1), rows: height.div_ceil(cell).max(1), size: (width, height) }
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.columns * self.rows
    }

    /// The middle of a cell, image pixels.
    pub fn middle(&self, index: usize) -> [f32; 2] {
        let middle = |at: usize| (at as f32 + 0.5) * self.cell as f32;
        [middle(index % self.columns), middle(index / self.columns)]
    }

    /// Which cells a mask touches.
    pub fn touched(&self, mask: &Mask) -> Vec<bool> {
        let mut touched = vec![false; self.len()];
        let Some(extent) = mask.bounding_box() else { return touched };
        for y in extent.y..extent.bottom() {
            let row = y / self.cell * self.columns;
            for run in mask.runs(y) {
                touched[row + run.start / self.cell..=row + (run.end - 1) / self.cell].fill(true);
            }
        }
        touched
    }

    /// The mean colour of each cell, 0..255.
    pub fn colours(&self, frame: &Frame) -> Vec<[f32; 3]> {
        let (width, height) = self.size;
        let mut sums = vec![[0.0f32; 4]; self.len()];
        for y in 0..height {
            let row = y / self.cell * self.columns;
            for x in 0..width {
                let sum = &mut sums[row + x / self.cell];
                let pixel = frame.pixel(x, y);
                for channel in 0..3 {
                    sum[channel] += f32::from(pixel[channel]);
                }
                sum[3] += 1.0;
            }
        }
        sums.into_iter().map(|[r, g, b, n]| [r / n, g / n, b / n]).collect()
    }

    /// The pixels of the cells for which `inside` is true.
    pub fn mask(&self, inside: &[bool]) -> Mask {
        Mask::from_fn(self.size.0, self.size.1, |x, y| inside[y / self.cell * self.columns + x / self.cell])
    }
}
