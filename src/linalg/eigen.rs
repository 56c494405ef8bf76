//! Eigenvalues and eigenvectors of a small symmetric matrix by cyclic Jacobi rotations.
//!
//! Slower than tridiagonalisation for large matrices, simpler and more accurate for small ones: small eigenvalues of a
//! scaled positive definite matrix keep their relative accuracy (Demmel & Veselić 1992).

/// Far more sweeps than any matrix needs: convergence is quadratic, and 6 to 10 suffice.
const MAX_SWEEPS: usize = 50;

/// The eigenvalues of the symmetric `n` × `n` matrix `a` into `values`, ascending, and orthonormal eigenvectors into
/// `vectors`, as columns: component i of the vector of `values[j]` is `vectors[i * n + j]`.
///
/// Only the lower triangle of `a` is read; `a` is destroyed. A matrix with a NaN or an infinity gives NaN everywhere.
pub fn symmetric_eigen(a: &mut [f64], n: usize, values: &mut [f64], vectors: &mut [f64]) {
    debug_assert!(a.len() == n * n && vectors.len() == n * n && values.len() == n, "a and vectors are n × n");
    for i in 0..n {
        for j in 0..i {
            a[j * n + i] = a[i * n + j];
        }
    }
    if !a.iter().all(|element| element.is_finite()) {
        values.fill(f64::NAN);
        vectors.fill(f64::NAN);
        return;
    }
    vectors.fill(0.0);
    for i in 0..n {
        vectors[i * n + i] = 1.0;
    }
    for _ in 0..MAX_SWEEPS {
        let mut has_rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                has_rotated |= annihilate(a, n, vectors, p, q);
            }
        }
        if !has_rotated {
            break;
        }
    }
    for (i, value) in values.iter_mut().enumerate() {
        *value = a[i * n + i];
    }
    sort_ascending(values, n, vectors);
}

/// Makes element (p, q) zero by a rotation of the two coordinates; false if it is negligible already.
fn annihilate(a: &mut [f64], n: usize, vectors: &mut [f64], p: usize, q: usize) -> bool {
    let element = a[p * n + q];
    let (diagonal_p, diagonal_q) = (a[p * n + p], a[q * n + q]);
    let scale = diagonal_p.abs().sqrt() * diagonal_q.abs().sqrt();
    if element == 0.0 || element.abs() <= f64::EPSILON * 0.5 * scale {
        return false;
    }
    // tan of the smaller angle that makes the element zero (Golub & Van Loan, symmetric Schur decomposition).
    let cot_double = (diagonal_q - diagonal_p) / (2.0 * element);
    let tan = if cot_double.abs() > 1e150 {
        0.5 / cot_double
    } else {
        1.0_f64.copysign(cot_double) / (cot_double.abs() + (1.0 + cot_double * cot_double).sqrt())
    };
    let cos = 1.0 / (1.0 + tan * tan).sqrt();
    let sin = tan * cos;
    a[p * n + p] = diagonal_p - tan * element;
    a[q * n + q] = diagonal_q + tan * element;
    a[p * n + q] = 0.0;
    a[q * n + p] = 0.0;
    for k in 0..n {
        if k != p && k != q {
            let (x, y) = (a[k * n + p], a[k * n + q]);
            a[k * n + p] = cos * x - sin * y;
            a[k * n + q] = sin * x + cos * y;
            a[p * n + k] = a[k * n + p];
            a[q * n + k] = a[k * n + q];
        }
        let (x, y) = (vectors[k * n + p], vectors[k * n + q]);
        vectors[k * n + p] = cos * x - sin * y;
        vectors[k * n + q] = sin * x + cos * y;
    }
    true
}

/// Sorts the values, and the columns of `vectors` with them.
fn sort_ascending(values: &mut [f64], n: usize, vectors: &mut [f64]) {
    for j in 0..n {
        let mut smallest = j;
        for k in j + 1..n {
            if values[k] < values[smallest] {
                smallest = k;
            }
        }
        if smallest != j {
            values.swap(j, smallest);
            for i in 0..n {
                vectors.swap(i * n + j, i * n + smallest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_second_difference_matrix_has_its_known_eigenvalues() {
        // 2 on the diagonal, −1 beside it: the eigenvalues are 2 − 2 cos(kπ / (n + 1)).
        let n = 12;
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            a[i * n + i] = 2.0;
            if i > 0 {
                a[i * n + i - 1] = -1.0;
            }
        }
        let (mut values, mut vectors) = (vec![0.0; n], vec![0.0; n * n]);
        symmetric_eigen(&mut a, n, &mut values, &mut vectors);
        for (k, value) in values.iter().enumerate() {
            let expected = 2.0 - 2.0 * (std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64).cos();
            assert!((value - expected).abs() < 1e-14, "{value} is not {expected}");
        }
    }

    #[test]
    fn small_eigenvalues_of_a_scaled_matrix_keep_their_relative_accuracy() {
        // D [[1, ½], [½, 1]] D with D = diag(1, 1e-10): det = ¾ e-20, and the larger eigenvalue is 1 + 2.5e-21.
        let mut a = [1.0, 0.0, 0.5e-10, 1e-20];
        let (mut values, mut vectors) = ([0.0; 2], [0.0; 4]);
        symmetric_eigen(&mut a, 2, &mut values, &mut vectors);
        assert!((values[0] / 0.75e-20 - 1.0).abs() < 1e-14, "{}", values[0]);
        assert!((values[1] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_matrix_with_a_nan_gives_nan_everywhere() {
        let (mut values, mut vectors) = ([0.0; 2], [0.0; 4]);
        symmetric_eigen(&mut [1.0, 0.0, f64::NAN, 1.0], 2, &mut values, &mut vectors);
        assert!(values.iter().chain(&vectors).all(|element| element.is_nan()));
    }

    proptest! {
        #[test]
        fn the_factors_multiply_to_the_matrix(entries in prop::collection::vec(-1.0_f64..1.0, 64), rank in 1_usize..9) {
            let n = 8;
            let matrix: Vec<f64> = (0..n * n)
                .map(|k| (0..rank.min(n)).map(|r| entries[r * n + k / n] * entries[r * n + k % n]).sum::<f64>())
                .collect();
            let mut a = matrix.clone();
            let (mut values, mut vectors) = (vec![0.0; n], vec![0.0; n * n]);
            symmetric_eigen(&mut a, n, &mut values, &mut vectors);
            prop_assert!(values.is_sorted());
            for i in 0..n {
                for j in 0..n {
                    let product: f64 = (0..n).map(|k| vectors[i * n + k] * values[k] * vectors[j * n + k]).sum();
                    prop_assert!((product - matrix[i * n + j]).abs() < 1e-13);
                    let gram: f64 = (0..n).map(|k| vectors[k * n + i] * vectors[k * n + j]).sum();
                    prop_assert!((gram - f64::from(u8::from(i == j))).abs() < 1e-14);
                }
            }
        }
    }
}
