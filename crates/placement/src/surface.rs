//! The surface that things stand on, as far as a picture without depth shows it: what has the colours around their feet and goes on from
//! there.

use super::grid::Grid;
use referseg_image::{Frame, Mask};

/// Bins a channel of the colours that are counted.
const BINS: usize = 12;
/// Part of the colours around the feet that a bin and its neighbours must have to be the surface's.
const LEAST_SHARE: f32 = 0.015;
/// Rows and columns of cells around a foot that are looked at.
const RING: usize = 3;

/// Whether each cell shows the surface; all of them where nothing stands on it.
pub fn surface(grid: &Grid, frame: &Frame, things: &[Mask], occupied: &[bool]) -> Vec<bool> {
    let colours = grid.colours(frame);
    let bin = |colour: &[f32; 3]| colour.map(|value| ((value / 256.0 * BINS as f32) as usize).min(BINS - 1));
    let index = |[r, g, b]: [usize; 3]| (r * BINS + g) * BINS + b;
    let seeds = around_feet(grid, things, occupied);
    if seeds.is_empty() {
        return occupied.iter().map(|occupied| !occupied).collect();
    }
    let mut counts = vec![0.0f32; BINS * BINS * BINS];
    for cell in &seeds {
        // a colour counts for the bins beside it too
        let [r, g, b] = bin(&colours[*cell]);
        let beside = |at: usize| at.saturating_sub(1)..=(at + 1).min(BINS - 1);
        for r in beside(r) {
            for g in beside(g) {
                for b in beside(b) {
                    counts[index([r, g, b])] += 1.0 / seeds.len() as f32;
                }
            }
        }
    }
    let is_alike = |cell: usize| !occupied[cell] && counts[index(bin(&colours[cell]))] >= LEAST_SHARE;
    connected(grid, &seeds, is_alike)
}

/// The cells that are `alike` and go on from some without a break.
pub fn connected(grid: &Grid, seeds: &[usize], is_alike: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut shows = vec![false; grid.len()];
    let mut open: Vec<usize> = seeds.iter().copied().filter(|cell| is_alike(*cell)).collect();
    while let Some(cell) = open.pop() {
        if shows[cell] {
            continue;
        }
        shows[cell] = true;
        let (x, y) = (cell % grid.columns, cell / grid.columns);
        let mut next = |inside: bool, cell: usize| {
            if inside && !shows[cell] && is_alike(cell) {
                open.push(cell);
            }
        };
        next(x > 0, cell.wrapping_sub(1));
        next(x + 1 < grid.columns, cell + 1);
        next(y > 0, cell.wrapping_sub(grid.columns));
        next(y + 1 < grid.rows, cell + grid.columns);
    }
    shows
}

/// The free cells around the feet of things.
pub fn around_feet(grid: &Grid, things: &[Mask], occupied: &[bool]) -> Vec<usize> {
    things.iter().flat_map(|thing| around_foot(grid, thing)).filter(|cell| !occupied[*cell]).collect()
}

/// The cells below and beside the lower end of a thing.
fn around_foot(grid: &Grid, thing: &Mask) -> Vec<usize> {
    let Some(extent) = thing.bounding_box() else { return Vec::new() };
    let cell = grid.cell;
    let (left, right) =
        ((extent.x / cell).saturating_sub(RING), ((extent.right() - 1) / cell + RING).min(grid.columns - 1));
    let bottom = ((extent.bottom() - 1) / cell + RING).min(grid.rows - 1);
    let top = ((extent.bottom() - extent.height.div_ceil(4)) / cell).min(bottom);
    (top..=bottom).flat_map(|row| (left..=right).map(move |column| row * grid.columns + column)).collect()
}
