//! Clearance: how far each cell is from what stands in the way. Rows count more than columns: on a surface that is seen from above its
//! edge, what is a pixel farther down is about twice as much nearer as what is a pixel aside is farther aside.

use super::grid::Grid;

/// How much more a row counts than a column.
pub const FORESHORTENING: f32 = 2.0;

/// Beyond anything in a picture.
const FAR: f32 = 1e12;

/// The distance of each cell's middle to the nearest blocked cell's, image pixels across; the picture's edge blocks nothing. By two passes
/// over rows and columns (Felzenszwalb and Huttenlocher, Theory of Computing 2012).
pub fn clearance(grid: &Grid, blocked: &[bool]) -> Vec<f32> {
    let mut squares: Vec<f32> = blocked.iter().map(|blocked| if *blocked { 0.0 } else { FAR }).collect();
    let mut line = Vec::new();
    for column in 0..grid.columns {
        line.clear();
        line.extend((0..grid.rows).map(|row| squares[row * grid.columns + column]));
        for (row, value) in lower_envelope(&line, FORESHORTENING * FORESHORTENING).into_iter().enumerate() {
            squares[row * grid.columns + column] = value;
        }
    }
    for row in squares.chunks_exact_mut(grid.columns) {
        let found = lower_envelope(row, 1.0);
        row.copy_from_slice(&found);
    }
    squares.into_iter().map(|square| square.sqrt() * grid.cell as f32).collect()
}

/// `min over q of scale * (p - q)^2 + values[q]` for each `p`.
fn lower_envelope(values: &[f32], scale: f32) -> Vec<f32> {
    // parabolas that are lowest somewhere, and from where on
    let (mut lowest, mut from): (Vec<usize>, Vec<f32>) = (vec![0], vec![f32::NEG_INFINITY]);
    let height = |q: usize| f64::from(values[q]) + f64::from(scale) * (q * q) as f64;
    for q in 1..values.len() {
        loop {
            let last = lowest[lowest.len() - 1];
            let crossing = (height(q) - height(last)) / (2.0 * f64::from(scale) * (q - last) as f64);
            if crossing as f32 > from[from.len() - 1] {
                lowest.push(q);
                from.push(crossing as f32);
                break;
            }
            lowest.pop();
            from.pop();
            if lowest.is_empty() {
                lowest.push(q);
                from.push(f32::NEG_INFINITY);
                break;
            }
        }
    }
    let mut k = 0;
    let value = |p: usize| {
        while k + 1 < lowest.len() && from[k + 1] < p as f32 {
            k += 1;
        }
        let apart = p as f32 - lowest[k] as f32;
        scale * apart * apart + values[lowest[k]]
    };
    (0..values.len()).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_to_the_nearest_blocked_cell() {
        let grid = Grid::new(48, 32);
        let blocked: Vec<bool> = (0..grid.len()).map(|at| at % 17 == 3 && at % 5 != 1).collect();
        let found = clearance(&grid, &blocked);
        for (at, found) in found.iter().enumerate() {
            let place = |at: usize| ((at % grid.columns) as f32, (at / grid.columns) as f32 * FORESHORTENING);
            let apart = |other: usize| (place(at).0 - place(other).0).hypot(place(at).1 - place(other).1);
            let nearest = (0..grid.len()).filter(|other| blocked[*other]).map(apart).fold(f32::MAX, f32::min);
            assert!((found - nearest * grid.cell as f32).abs() < 1e-3, "{at}: {found} {nearest}");
        }
        assert!(clearance(&grid, &vec![false; grid.len()]).iter().all(|far| *far > 1e5));
    }
}
