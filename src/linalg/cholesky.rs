//! The Cholesky factorisation A = L Lᵀ of a small symmetric matrix, row-major.

/// A pivot must keep more than this part of its diagonal element; below, rounding decides its sign.
///
/// The comparison is with the column's own diagonal element, so that scaling a parameter changes nothing.
const RELATIVE_PIVOT: f64 = 1e-14;

/// Replaces the lower triangle of the `n` × `n` matrix `a` by L. The upper triangle is neither read nor written.
///
/// False if a pivot is not above 1e-14 of its own diagonal element, or is not finite: the matrix is then not numerically
/// positive definite, and `a` is left half done.
#[must_use]
pub fn factor(a: &mut [f64], n: usize) -> bool {
    debug_assert_eq!(a.len(), n * n, "a is n × n");
    // Laws have few parameters: loops of a known length are a quarter of the work.
    match n {
        1 => factor_fixed::<1>(a),
        2 => factor_fixed::<2>(a),
        3 => factor_fixed::<3>(a),
        4 => factor_fixed::<4>(a),
        5 => factor_fixed::<5>(a),
        6 => factor_fixed::<6>(a),
        7 => factor_fixed::<7>(a),
        _ => factor_rows(a, n),
    }
}

fn factor_fixed<const N: usize>(a: &mut [f64]) -> bool {
    let a = &mut a[..N * N];
    factor_rows(a, N)
}

#[inline(always)]
fn factor_rows(a: &mut [f64], n: usize) -> bool {
    for j in 0..n {
        let (above, rest) = a.split_at_mut(j * n);
        let row = &mut rest[..n];
        for i in 0..j {
            let pivot_row = &above[i * n..][..=i];
            row[i] = (row[i] - product(&row[..i], &pivot_row[..i])) / pivot_row[i];
        }
        let diagonal = row[j];
        let pivot = diagonal - product(&row[..j], &row[..j]);
        let is_positive = pivot > RELATIVE_PIVOT * diagonal && pivot > 0.0 && pivot.is_finite();
        if !is_positive {
            return false;
        }
        row[j] = pivot.sqrt();
    }
    true
}

/// Replaces `b` by the solution x of L Lᵀ x = b, for the `l` of [`factor`].
pub fn solve(l: &[f64], n: usize, b: &mut [f64]) {
    debug_assert!(l.len() == n * n && b.len() == n, "l is n × n, b has n elements");
    match n {
        1 => solve_fixed::<1>(l, b),
        2 => solve_fixed::<2>(l, b),
        3 => solve_fixed::<3>(l, b),
        4 => solve_fixed::<4>(l, b),
        5 => solve_fixed::<5>(l, b),
        6 => solve_fixed::<6>(l, b),
        7 => solve_fixed::<7>(l, b),
        _ => solve_rows(l, n, b),
    }
}

fn solve_fixed<const N: usize>(l: &[f64], b: &mut [f64]) {
    solve_rows(&l[..N * N], N, &mut b[..N]);
}

#[inline(always)]
fn solve_rows(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let row = &l[i * n..][..=i];
        b[i] = (b[i] - product(&row[..i], &b[..i])) / row[i];
    }
    for i in (0..n).rev() {
        let row = &l[i * n..][..=i];
        b[i] /= row[i];
        let value = b[i];
        for (earlier, factor) in b[..i].iter_mut().zip(&row[..i]) {
            *earlier -= factor * value;
        }
    }
}

/// The sum of products, in order.
#[inline(always)]
fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The Hilbert matrix: the classic badly conditioned one (condition number 1.5e7 for 6 rows).
    fn hilbert(n: usize) -> Vec<f64> {
        (0..n * n).map(|k| 1.0 / ((k / n + k % n + 1) as f64)).collect()
    }

    /// The exact inverse of the Hilbert matrix with 6 rows, whose elements are integers (Choi 1983).
    const HILBERT_6_INVERSE: [f64; 36] = [
        36.0,
        -630.0,
        3_360.0,
        -7_560.0,
        7_560.0,
        -2_772.0, //
        -630.0,
        14_700.0,
        -88_200.0,
        211_680.0,
        -220_500.0,
        83_160.0, //
        3_360.0,
        -88_200.0,
        564_480.0,
        -1_411_200.0,
        1_512_000.0,
        -582_120.0, //
        -7_560.0,
        211_680.0,
        -1_411_200.0,
        3_628_800.0,
        -3_969_000.0,
        1_552_320.0, //
        7_560.0,
        -220_500.0,
        1_512_000.0,
        -3_969_000.0,
        4_410_000.0,
        -1_746_360.0, //
        -2_772.0,
        83_160.0,
        -582_120.0,
        1_552_320.0,
        -1_746_360.0,
        698_544.0,
    ];

    /// Condition number times machine epsilon, for the Hilbert matrix with 6 rows.
    const HILBERT_6_TOLERANCE: f64 = 1.5e7 * f64::EPSILON;

    #[test]
    fn the_hilbert_matrix_has_its_exact_inverse() {
        let mut l = hilbert(6);
        assert!(factor(&mut l, 6));
        for j in 0..6 {
            let mut column = [0.0; 6];
            column[j] = 1.0;
            solve(&l, 6, &mut column);
            for (i, ours) in column.iter().enumerate() {
                let exact = HILBERT_6_INVERSE[i * 6 + j];
                assert!((ours / exact - 1.0).abs() < HILBERT_6_TOLERANCE, "{ours} is not {exact}");
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_is_refused() {
        let refused = [
            ([1.0, 0.0, 2.0, 1.0], "indefinite"),
            ([1.0, 0.0, 1.0, 1.0], "singular"),
            ([1.0, 0.0, 1.0, 1.0 + 1e-15], "singular to rounding"),
            ([0.0, 0.0, 0.0, 0.0], "zero"),
            ([-1.0, 0.0, 0.0, 1.0], "negative"),
            ([f64::NAN, 0.0, 0.0, 1.0], "NaN on the diagonal"),
            ([1.0, 0.0, f64::NAN, 1.0], "NaN below"),
            ([1.0, 0.0, f64::INFINITY, 1.0], "infinite below"),
            ([f64::INFINITY, 0.0, 0.0, 1.0], "infinite"),
        ];
        for (mut matrix, why) in refused {
            assert!(!factor(&mut matrix, 2), "{why}");
        }
        let mut wide_scales = [1e-200, f64::NAN, 0.0, 1e200];
        assert!(factor(&mut wide_scales, 2), "scale alone is no reason, and the upper triangle is not read");
        assert!(factor(&mut [], 0));
    }

    proptest! {
        #[test]
        fn random_positive_definite_matrices_are_solved(
            entries in prop::collection::vec(-1.0_f64..1.0, 49),
            x in prop::collection::vec(-1.0_f64..1.0, 7),
            exponents in prop::collection::vec(-60_i32..60, 7),
        ) {
            let n = 7;
            // M Mᵀ + I, with row and column i scaled by a power of two.
            let scale: Vec<f64> = exponents.iter().map(|&e| 2.0_f64.powi(e)).collect();
            let mut matrix = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    let sum: f64 = (0..n).map(|k| entries[i * n + k] * entries[j * n + k]).sum();
                    matrix[i * n + j] = (sum + f64::from(u8::from(i == j))) * scale[i] * scale[j];
                }
            }
            let mut b: Vec<f64> = (0..n)
                .map(|i| (0..n).map(|j| matrix[i * n + j] * (x[j] / scale[j])).sum())
                .collect();
            let mut l = matrix;
            prop_assert!(factor(&mut l, n));
            solve(&l, n, &mut b);
            for i in 0..n {
                // The condition number before scaling is below 50.
                prop_assert!((b[i] * scale[i] - x[i]).abs() < 1e-12);
            }
        }
    }
}
