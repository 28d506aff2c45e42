//! Matrix products on parts of larger rows, by candle's own `gemm`.

use gemm::Parallelism;

/// Rows of f32 in a larger row-major buffer.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// From the first value on.
    pub values: &'a [f32],
    /// From one row to the next.
    pub stride: usize,
}

/// How a product meets what is already there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// It takes its place.
    Nothing,
    /// It is added.
    Sum,
}

/// `out [m, n] (+)= left [m, k] * right [n, k]^T`: each row of `right` makes a column, as weights are stored. `threads` 1 keeps
/// it on this thread.
///
/// # Panics
/// If a buffer is too short.
pub fn product(
    out: (&mut [f32], usize),
    left: Rows,
    right: Rows,
    (m, n, k): (usize, usize, usize),
    onto: Onto,
    threads: usize,
) {
    strided(out, (left, left.stride, 1), (right, 1, right.stride), (m, n, k), onto, threads);
}

/// `out [m, n] (+)= left [m, k] * right [k, n]`.
///
/// # Panics
/// If a buffer is too short.
pub fn product_of_rows(
    out: (&mut [f32], usize),
    left: Rows,
    right: Rows,
    (m, n, k): (usize, usize, usize),
    onto: Onto,
    threads: usize,
) {
    strided(out, (left, left.stride, 1), (right, right.stride, 1), (m, n, k), onto, threads);
}

/// `out [m, n] += left [k, m]^T * right [k, n]`, on this thread.
///
/// # Panics
/// If a buffer is too short.
pub fn product_of_columns(out: (&mut [f32], usize), left: Rows, right: Rows, (m, n, k): (usize, usize, usize)) {
    strided(out, (left, 1, left.stride), (right, right.stride, 1), (m, n, k), Onto::Sum, 1);
}

fn strided(
    (out, out_stride): (&mut [f32], usize),
    (left, left_down, left_across): (Rows, usize, usize),
    (right, down, across): (Rows, usize, usize),
    (m, n, k): (usize, usize, usize),
    onto: Onto,
    threads: usize,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    let reach = |rows: usize, stride: usize, columns: usize| (rows - 1) * stride + columns;
    assert!(out.len() >= reach(m, out_stride, n) && out_stride >= n, "product: out is too short");
    assert!(left.values.len() > (m - 1) * left_down + (k - 1) * left_across, "product: left is too short");
    assert!(right.values.len() > (k - 1) * down + (n - 1) * across, "product: right is too short");
    let parallelism = if threads == 1 { Parallelism::None } else { Parallelism::Rayon(threads) };
    // SAFETY: every index that the strides reach lies inside its slice, as asserted; `out` is borrowed alone.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            onto == Onto::Sum,
            left.values.as_ptr(),
            left_across as isize,
            left_down as isize,
            right.values.as_ptr(),
            across as isize,
            down as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_parts_are_the_plain_sums() {
        let (m, n, k) = (3, 4, 5);
        let left: Vec<f32> = (0..m * 7).map(|i| (i % 11) as f32 - 3.0).collect();
        let right: Vec<f32> = (0..50).map(|i| (i % 7) as f32 - 2.0).collect();
        let mut out = vec![1.0f32; m * 6];
        product(
            (&mut out, 6),
            Rows { values: &left, stride: 7 },
            Rows { values: &right, stride: 9 },
            (m, n, k),
            Onto::Sum,
            1,
        );
        let mut other = vec![1.0f32; m * 6];
        let rows = Rows { values: &right, stride: 9 };
        product_of_rows((&mut other, 6), Rows { values: &left, stride: 7 }, rows, (m, n, k), Onto::Nothing, 1);
        let mut of_columns = vec![1.0f32; m * n];
        let columns = Rows { values: &left[..k * 3], stride: 3 };
        product_of_columns((&mut of_columns, n), columns, Rows { values: &right, stride: 9 }, (m, n, k));
        let sum = |y: usize, x: usize| (0..k).map(|i| left[i * 3 + y] * right[i * 9 + x]).sum::<f32>();
        assert_eq!(of_columns, (0..m * n).map(|at| 1.0 + sum(at / n, at % n)).collect::<Vec<_>>());
        for y in 0..m {
            for x in 0..6 {
                let sum = |at: &dyn Fn(usize) -> usize| (0..k).map(|i| left[y * 7 + i] * right[at(i)]).sum::<f32>();
                let (plain, of_rows) = (1.0 + sum(&|i| x * 9 + i), sum(&|i| i * 9 + x));
                let expected = if x < n { (plain, of_rows) } else { (1.0, 1.0) };
                assert_eq!((out[y * 6 + x], other[y * 6 + x]), expected, "{y} {x}");
            }
        }
    }
}
