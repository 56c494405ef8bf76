//! Singular values of a tall matrix by one-sided Jacobi rotations, after a reduction to a triangle.
//!
//! Unlike the eigenvalues of the Gram matrix they do not lose half of the digits: a condition number of 1e12 is seen as such.

use crate::dispatch::Arith;
use crate::linalg::dot;

/// Far more sweeps than any matrix needs.
const MAX_SWEEPS: usize = 40;

/// The singular value decomposition A = Q L Σ Rᵀ of a tall matrix; vectors lie one after the other, in the order of the
/// values.
#[derive(Clone, Debug)]
pub struct SingularValues {
    /// Σ, ascending.
    pub values: Vec<f64>,
    /// m × m; times Q they are the left singular vectors. Zeros for a value of 0.
    pub left: Vec<f64>,
    /// m × m; the right singular vectors.
    pub right: Vec<f64>,
}

/// Decomposes the `m` columns of `n` rows in `columns` (one after the other), which Q replaces. A matrix with a NaN or an
/// infinity gives NaN.
#[inline(always)]
#[must_use]
pub fn singular_values<A: Arith>(columns: &mut [f64], n: usize, m: usize) -> SingularValues {
    debug_assert_eq!(columns.len(), n * m, "columns is n × m");
    if !columns.iter().all(|value| value.is_finite()) {
        let nothing = vec![f64::NAN; m * m];
        return SingularValues { values: vec![f64::NAN; m], left: nothing.clone(), right: nothing };
    }
    let mut r = triangle::<A>(columns, n, m);
    let mut vectors = vec![0.0; m * m];
    for k in 0..m {
        vectors[k * m + k] = 1.0;
    }
    for _ in 0..MAX_SWEEPS {
        let mut has_rotated = false;
        for p in 0..m {
            for q in p + 1..m {
                has_rotated |= rotate(&mut r, &mut vectors, m, p, q);
            }
        }
        if !has_rotated {
            break;
        }
    }
    let mut norms = vec![0.0; m];
    for (norm, column) in norms.iter_mut().zip(r.chunks_exact(m.max(1))) {
        *norm = dot::<A>(column, column).sqrt();
    }
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&a, &b| norms[a].total_cmp(&norms[b]));
    let sorted = |matrix: &[f64]| order.iter().flat_map(|&k| matrix[k * m..][..m].to_vec()).collect::<Vec<f64>>();
    let mut left = sorted(&r);
    let values: Vec<f64> = order.iter().map(|&k| norms[k]).collect();
    for (vector, &size) in left.chunks_exact_mut(m.max(1)).zip(&values) {
        if size > 0.0 {
            for value in vector {
                *value /= size;
            }
        }
    }
    SingularValues { values, left, right: sorted(&vectors) }
}

/// R of a QR factorisation by modified Gram–Schmidt, each column orthogonalised twice; its columns one after the other.
#[inline(always)]
fn triangle<A: Arith>(columns: &mut [f64], n: usize, m: usize) -> Vec<f64> {
    let mut r = vec![0.0; m * m];
    for k in 0..m {
        let (before, rest) = columns.split_at_mut(k * n);
        let column = &mut rest[..n];
        for _ in 0..2 {
            for (j, unit) in before.chunks_exact(n.max(1)).enumerate() {
                let share = dot::<A>(unit, column);
                r[k * m + j] += share;
                for (value, u) in column.iter_mut().zip(unit) {
                    *value = A::mul_add(-share, *u, *value);
                }
            }
        }
        let length = dot::<A>(column, column).sqrt();
        r[k * m + k] = length;
        if length > 0.0 {
            for value in column {
                *value /= length;
            }
        }
    }
    r
}

/// Makes columns p and q orthogonal; false if they were.
fn rotate(r: &mut [f64], vectors: &mut [f64], m: usize, p: usize, q: usize) -> bool {
    let (alpha, beta, gamma) = {
        let (a, b) = (&r[p * m..][..m], &r[q * m..][..m]);
        // A handful of numbers each: lanes would cost more than they add.
        let mut sums = (0.0, 0.0, 0.0);
        for (x, y) in a.iter().zip(b) {
            sums = (sums.0 + x * x, sums.1 + y * y, sums.2 + x * y);
        }
        sums
    };
    if gamma.abs() <= f64::EPSILON * (alpha * beta).sqrt() || gamma == 0.0 {
        return false;
    }
    let zeta = (beta - alpha) / (2.0 * gamma);
    // Where the square overflows, the angle is nothing.
    let t = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
    let c = 1.0 / (1.0 + t * t).sqrt();
    let s = c * t;
    for matrix in [r, vectors] {
        for i in 0..m {
            let (x, y) = (matrix[p * m + i], matrix[q * m + i]);
            matrix[p * m + i] = c * x - s * y;
            matrix[q * m + i] = s * x + c * y;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::Plain;

    /// Two nearly equal columns: the small singular value is the size of their difference over √2.
    #[test]
    fn a_nearly_dependent_pair_is_seen_beyond_the_digits_of_its_gram_matrix() {
        let n = 50;
        for gap in [1e-3, 1e-6, 1e-9, 1e-12] {
            let unit = 1.0 / (n as f64).sqrt();
            let mut columns: Vec<f64> = vec![unit; n];
            columns.extend((0..n).map(|i| unit * (1.0 + if i % 2 == 0 { gap } else { -gap })));
            let SingularValues { values, right: vector, .. } = singular_values::<Plain>(&mut columns, n, 2);
            // Rounding of the entries, 1e-16, is what remains of the smallest gap's digits.
            assert!((values[0] / (gap / 2f64.sqrt()) - 1.0).abs() < 1e-3, "{gap} {}", values[0]);
            assert!((vector[0] + vector[1]).abs() < 1e-3);
        }
    }

    #[test]
    fn orthogonal_columns_have_their_lengths_and_dependent_ones_a_zero() {
        let mut columns = vec![3.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0];
        assert_eq!(singular_values::<Plain>(&mut columns, 4, 3).values, [2.0, 3.0, 5.0]);
        let mut columns = vec![1.0, 2.0, 3.0, 2.0, 4.0, 6.0];
        let values = singular_values::<Plain>(&mut columns, 3, 2).values;
        assert!(values[0] < 1e-15 && (values[1] - 70f64.sqrt()).abs() < 1e-14);
    }

    #[test]
    fn the_factors_multiply_to_the_matrix() {
        let (n, m) = (7, 3);
        let matrix: Vec<f64> = (0..n * m).map(|i| ((i * i * 7 + 3 * i) % 11) as f64 - 4.5).collect();
        let mut q = matrix.clone();
        let SingularValues { values, left, right } = singular_values::<Plain>(&mut q, n, m);
        for i in 0..n {
            for j in 0..m {
                let entry = |k: usize| {
                    let row: f64 = (0..m).map(|l| q[l * n + i] * left[k * m + l]).sum();
                    row * values[k] * right[k * m + j]
                };
                let total: f64 = (0..m).map(entry).sum();
                assert!((total - matrix[j * n + i]).abs() < 1e-13, "{i} {j} {total}");
            }
        }
    }
}
