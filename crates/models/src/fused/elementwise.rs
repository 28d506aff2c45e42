//! Elementwise arithmetic on rows of f32, in the widest vectors of the CPU at hand.
//!
//! Plain loops: `pulp` compiles them once for each instruction set and picks at run time. Not-a-number stays not-a-number.

/// Sums are kept in so many lanes, because the compiler may not reorder the additions of one.
const LANES: usize = 16;

/// Runs `work`, compiled for the best instruction set that this CPU has.
#[inline(always)]
fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// `e^x` within 3e-7 of its value, between the smallest and the largest normal number.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LOW: f32 = -87.0;
    const HIGH: f32 = 88.0;
    // 1.5 * 2^23: adding it rounds to a whole number, which stands in the low bits
    const ROUND: f32 = 12_582_912.0;
    let x = if x < LOW { LOW } else { x };
    let x = if x > HIGH { HIGH } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    // ln 2 in two parts, so that the remainder is exact
    let r = (x - whole * 0.693_359_4) - whole * -2.121_944_4e-4;
    let p = 1.0
        + r * (1.0 + r * (0.5 + r * (0.166_666_67 + r * (0.041_666_65 + r * (0.008_333_452 + r * 0.001_398_199_9)))));
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000))
}

/// The error function within 2e-7 (a quotient of polynomials, as in Eigen).
#[inline(always)]
fn erf(x: f32) -> f32 {
    if x > 4.0 {
        return 1.0;
    }
    if x < -4.0 {
        return -1.0;
    }
    let s = x * x;
    let mut p = -2.726_142_4e-10;
    for c in [2.770_681_4e-8, -2.101_024e-6, -5.692_506_5e-5, -7.349_906e-4, -2.954_6e-3, -1.609_603_3e-2] {
        p = p * s + c;
    }
    let mut q = -1.456_607_2e-5;
    for c in [-2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2] {
        q = q * s + c;
    }
    x * p / q
}

#[inline(always)]
fn sum(row: &[f32], value: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|x| value(*x)).sum();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += value(*x);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// Brings each row of `x`, `gain.len()` wide, to mean 0 and variance 1, times `gain`, plus `bias`.
pub fn layer_norm(x: &[f32], gain: &[f32], bias: &[f32], epsilon: f32, out: &mut [f32]) {
    let width = gain.len();
    vectorized(|| {
        for (row, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let mean = sum(row, |x| x) / width as f32;
            let variance = sum(row, |x| (x - mean) * (x - mean)) / width as f32;
            let scale = 1.0 / (variance + epsilon).sqrt();
            for (((out, x), gain), bias) in out.iter_mut().zip(row).zip(gain).zip(bias) {
                *out = (x - mean) * scale * gain + bias;
            }
        }
    });
}

/// `x * sigmoid(1.702 x)`, in place.
pub fn quick_gelu(x: &mut [f32]) {
    vectorized(|| {
        for value in x {
            *value /= 1.0 + exp(-1.702 * *value);
        }
    });
}

/// `x * (1 + erf(x / sqrt 2)) / 2`, in place.
pub fn gelu(x: &mut [f32]) {
    vectorized(|| {
        for value in x {
            *value *= 0.5 * (1.0 + erf(*value * std::f32::consts::FRAC_1_SQRT_2));
        }
    });
}

/// `x * (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`, in place.
pub fn gelu_tanh(x: &mut [f32]) {
    // (1 + tanh(y)) / 2 is the sigmoid of 2 y
    const TWICE: f32 = 1.595_769;
    vectorized(|| {
        for value in x {
            *value /= 1.0 + exp(-TWICE * (*value + 0.044_715 * *value * *value * *value));
        }
    });
}

/// The softmax of `scale * row`, in place.
pub fn softmax(row: &mut [f32], scale: f32) {
    vectorized(|| {
        let mut most = [f32::MIN; LANES];
        let chunks = row.chunks_exact(LANES);
        let rest = chunks.remainder().iter().fold(f32::MIN, |most, x| if *x > most { *x } else { most });
        for chunk in chunks {
            for (most, x) in most.iter_mut().zip(chunk) {
                *most = if *x > *most { *x } else { *most };
            }
        }
        let most = most.into_iter().fold(rest, f32::max);
        for x in row.iter_mut() {
            *x = exp((*x - most) * scale);
        }
        let total = 1.0 / sum(row, |x| x);
        for x in row.iter_mut() {
            *x *= total;
        }
    });
}

/// The softmax of `scale * row + bias`, in place.
pub fn softmax_with(row: &mut [f32], scale: f32, bias: &[f32]) {
    vectorized(|| {
        for (logit, bias) in row.iter_mut().zip(bias) {
            *logit = *logit * scale + bias;
        }
    });
    softmax(row, 1.0);
}

/// The softmax of `scale` times each column of `rows`, whose rows have `width` values, in place.
pub fn softmax_of_columns(rows: &mut [f32], width: usize, scale: f32) {
    let mut most = vec![f32::MIN; width];
    let mut total = vec![0.0f32; width];
    vectorized(|| {
        for row in rows.chunks_exact(width) {
            for (most, x) in most.iter_mut().zip(row) {
                *most = if *x > *most { *x } else { *most };
            }
        }
        for row in rows.chunks_exact_mut(width) {
            for ((x, most), total) in row.iter_mut().zip(&most).zip(&mut total) {
                *x = exp((*x - most) * scale);
                *total += *x;
            }
        }
        for row in rows.chunks_exact_mut(width) {
            for (x, total) in row.iter_mut().zip(&total) {
                *x /= total;
            }
        }
    });
}

/// The softmax of `scale * row + by_row[y] + by_column[x]` over a square of places, in place. Key `y` stands at the distance
/// that is counted from behind: its value is `by_row[side - 1 - y]`, and so the columns'.
pub fn softmax_at_distance(square: &mut [f32], scale: f32, by_row: &[f32], by_column: &[f32]) {
    let side = by_column.len();
    let columns: Vec<f32> = by_column.iter().rev().copied().collect();
    vectorized(|| {
        for (row, by_row) in square.chunks_exact_mut(side).zip(by_row.iter().rev()) {
            for (logit, by_column) in row.iter_mut().zip(&columns) {
                *logit = *logit * scale + by_row + by_column;
            }
        }
    });
    softmax(square, 1.0);
}

/// Adds `bias` to each row of `x`.
pub fn add_to_rows(x: &mut [f32], bias: &[f32]) {
    vectorized(|| {
        for row in x.chunks_exact_mut(bias.len()) {
            for (x, bias) in row.iter_mut().zip(bias) {
                *x += bias;
            }
        }
    });
}

/// Adds the products of two rows to `x`.
pub fn add_products(x: &mut [f32], a: &[f32], b: &[f32]) {
    vectorized(|| {
        for ((x, a), b) in x.iter_mut().zip(a).zip(b) {
            *x += a * b;
        }
    });
}

/// Adds `factor * row` to `x`.
pub fn add_scaled(x: &mut [f32], row: &[f32], factor: f32) {
    vectorized(|| {
        for (x, value) in x.iter_mut().zip(row) {
            *x += factor * value;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Vec<f32> {
        (-4000..=4000).map(|i| i as f32 * 0.005).collect()
    }

    #[test]
    fn exponents_and_activations_are_those_of_f64() {
        let mut quick = values();
        quick_gelu(&mut quick);
        let mut exact = values();
        gelu(&mut exact);
        let mut tangent = values();
        gelu_tanh(&mut tangent);
        for (((x, quick), exact), tangent) in values().into_iter().zip(quick).zip(exact).zip(tangent) {
            let wide = f64::from(x);
            let argument = (2.0 / std::f64::consts::PI).sqrt() * (wide + 0.044715 * wide.powi(3));
            let expected = wide * 0.5 * (1.0 + argument.tanh());
            assert!((f64::from(tangent) - expected).abs() < 2e-6, "GELU by tanh {x}: {tangent} {expected}");
            assert!((f64::from(exp(x)) / wide.exp() - 1.0).abs() < 4e-7, "exp {x}");
            let expected = wide / (1.0 + (-1.702 * wide).exp());
            assert!((f64::from(quick) - expected).abs() < 2e-6, "quick GELU {x}: {quick} {expected}");
            // erf by its series
            let z = wide * std::f64::consts::FRAC_1_SQRT_2;
            let erf = if z.abs() > 4.0 {
                z.signum()
            } else {
                let mut term = z;
                let mut total = z;
                for n in 1..200 {
                    term *= -z * z / f64::from(n);
                    total += term / f64::from(2 * n + 1);
                }
                total * 2.0 / std::f64::consts::PI.sqrt()
            };
            assert!((f64::from(exact) - wide * 0.5 * (1.0 + erf)).abs() < 4e-6, "GELU {x}: {exact}");
        }
    }

    #[test]
    fn what_is_no_number_stays_none_and_what_is_far_stays_finite() {
        for activation in [quick_gelu, gelu, gelu_tanh] {
            let mut x = [f32::NAN, -1e30, 1e30];
            activation(&mut x);
            assert!(x[0].is_nan() && x[1].abs() < 1e-3 && x[2] == 1e30, "{x:?}");
        }
        let mut row = [0.0, f32::NAN, 1.0];
        softmax(&mut row, 1.0);
        assert!(row.iter().all(|x| x.is_nan()), "{row:?}");
        let mut row = [f32::NEG_INFINITY, 1e20, 1e20];
        softmax(&mut row, 1.0);
        assert_eq!(row, [row[0], 0.5, 0.5]);
        assert!(row[0] < 1e-30);
    }

    #[test]
    fn softmaxes_of_columns_and_with_distances_are_those_of_rows() {
        let value = |i: usize| ((i * 37) % 19) as f32 * 0.3 - 2.0;
        let mut columns: Vec<f32> = (0..4 * 21).map(value).collect();
        softmax_of_columns(&mut columns, 21, 0.5);
        for x in 0..21 {
            let mut row: Vec<f32> = (0..4).map(|y| value(y * 21 + x)).collect();
            softmax(&mut row, 0.5);
            let found: Vec<f32> = (0..4).map(|y| columns[y * 21 + x]).collect();
            assert!(found.iter().zip(&row).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {row:?}");
        }
        let mut square: Vec<f32> = (0..9).map(value).collect();
        let (by_row, by_column) = ([0.1, 0.2, 0.4], [1.0, -1.0, 0.5]);
        let mut expected: Vec<f32> =
            (0..9).map(|i| value(i) * 0.7 + by_row[2 - i / 3] + by_column[2 - i % 3]).collect();
        softmax_at_distance(&mut square, 0.7, &by_row, &by_column);
        softmax(&mut expected, 1.0);
        assert_eq!(square, expected);
    }

    #[test]
    fn a_norm_has_mean_0_and_variance_1() {
        let x: Vec<f32> = (0..37).map(|i| (i * i % 23) as f32).collect();
        let mut out = vec![0.0; 37];
        layer_norm(&x, &[1.0; 37], &[0.0; 37], 0.0, &mut out);
        let mean: f32 = out.iter().sum::<f32>() / 37.0;
        let variance: f32 = out.iter().map(|x| x * x).sum::<f32>() / 37.0;
        assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "{mean} {variance}");
    }
}
