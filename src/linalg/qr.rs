//! Linear least squares by Householder QR with column pivoting, for columns of any scale and any rank.

/// A column that keeps no more than this part of its length after the earlier ones are removed is dropped as dependent.
const RELATIVE_RANK: f64 = 1e-12;

/// The mark of a column that no step has taken.
const NOT_TAKEN: f64 = -1.0;

/// Minimises |a x − b|² and returns the rank of `a`; x goes to `coefficients`.
///
/// `a` has `m` rows and `n` columns and is column-major: element (i, j) is `a[j * m + i]`. Both `a` and `b` are destroyed;
/// the sum of squares of `b[rank..]` is then that of the residuals. Each step takes the column that keeps the largest part
/// of its *own* length, so that scaling a column changes no decision; columns that keep no more than 1e-12 are dropped and
/// get coefficient 0. If `a` has a NaN, an infinity or a column whose squared length overflows, every coefficient is NaN
/// and the rank is 0.
pub fn least_squares(a: &mut [f64], m: usize, n: usize, b: &mut [f64], coefficients: &mut [f64]) -> usize {
    debug_assert!(a.len() == m * n && b.len() == m && coefficients.len() == n, "a is m × n, b has m, coefficients n");
    if m == 0 {
        coefficients.fill(0.0);
        return 0;
    }
    if !a.chunks_exact(m).all(|column| squared_length(column).is_finite()) {
        coefficients.fill(f64::NAN);
        return 0;
    }
    // Until the end, coefficients[j] is the step that took column j: nothing is moved and nothing allocated.
    coefficients.fill(NOT_TAKEN);
    let mut rank = 0;
    while rank < m.min(n) {
        let Some(pivot) = best_column(a, m, coefficients, rank) else { break };
        coefficients[pivot] = rank as f64;
        reflect(a, m, pivot, coefficients, rank, b);
        rank += 1;
    }
    // Back substitution by columns; b[step] becomes the coefficient of the column that the step took.
    for step in (0..rank).rev() {
        for (column, mark) in a.chunks_exact(m).zip(&*coefficients) {
            if step_of(*mark) == Some(step) {
                let value = b[step] / column[step];
                for (above, element) in b[..step].iter_mut().zip(column) {
                    *above -= element * value;
                }
                b[step] = value;
            }
        }
    }
    for coefficient in coefficients {
        *coefficient = step_of(*coefficient).map_or(0.0, |step| b[step]);
    }
    rank
}

/// The step that took a column.
fn step_of(mark: f64) -> Option<usize> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count, checked to be ≥ 0")]
    (mark >= 0.0).then_some(mark as usize)
}

/// The free column that keeps the largest part of its length in the rows from `step` on, if any keeps enough.
fn best_column(a: &[f64], m: usize, marks: &[f64], step: usize) -> Option<usize> {
    let mut best = None;
    let mut largest = RELATIVE_RANK * RELATIVE_RANK;
    for (j, (column, mark)) in a.chunks_exact(m).zip(marks).enumerate() {
        if step_of(*mark).is_none() {
            // Reflections keep a column's whole length, so that is still the length it began with.
            let kept = squared_length(&column[step..]) / squared_length(column);
            if kept > largest {
                largest = kept;
                best = Some(j);
            }
        }
    }
    best
}

/// Reflects the rows from `step` on so that column `pivot` becomes zero below that row; in the free columns and in `b`.
fn reflect(a: &mut [f64], m: usize, pivot: usize, marks: &[f64], step: usize, b: &mut [f64]) {
    // H = I − v vᵀ / (|v| |v| / 2) with v = x + sign(x₀) |x| e₀; v stays in the pivot column while the others change.
    let (before, rest) = a.split_at_mut(pivot * m);
    let (column, after) = rest.split_at_mut(m);
    let v = &mut column[step..];
    let length = squared_length(v).sqrt().copysign(v[0]);
    v[0] += length;
    let half_square = length * v[0];
    let others = before.chunks_exact_mut(m).chain(after.chunks_exact_mut(m));
    let other_marks = marks[..pivot].iter().chain(&marks[pivot + 1..]);
    for (other, mark) in others.zip(other_marks) {
        if step_of(*mark).is_none() {
            subtract_projection(v, half_square, &mut other[step..]);
        }
    }
    subtract_projection(v, half_square, &mut b[step..]);
    v[0] = -length;
    v[1..].fill(0.0);
}

/// x − v (vᵀ x) / `half_square`.
fn subtract_projection(v: &[f64], half_square: f64, x: &mut [f64]) {
    let factor = v.iter().zip(&*x).map(|(v, x)| v * x).sum::<f64>() / half_square;
    for (element, v) in x.iter_mut().zip(v) {
        *element -= factor * v;
    }
}

fn squared_length(x: &[f64]) -> f64 {
    x.iter().map(|element| element * element).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_polynomial_through_its_own_points_is_found() {
        // NIST StRD Wampler1: y = 1 + x + … + x⁵ at 0 … 20, whose columns span seven orders of magnitude.
        let (m, n) = (21, 6);
        let mut a: Vec<f64> = (0..m * n).map(|k| ((k % m) as f64).powi(i32::try_from(k / m).unwrap())).collect();
        let mut b: Vec<f64> = (0..m).map(|i| (0..n).map(|j| a[j * m + i]).sum()).collect();
        let mut coefficients = [0.0; 6];
        assert_eq!(least_squares(&mut a, m, n, &mut b, &mut coefficients), n);
        for coefficient in coefficients {
            assert!((coefficient - 1.0).abs() < 1e-8, "{coefficient}");
        }
        assert!(squared_length(&b[n..]).sqrt() < 1e-8);
    }

    #[test]
    fn a_straight_line_has_the_textbook_answer() {
        // y = 1, 2, 2 at x = 1, 2, 3: intercept 2/3, slope 1/2, residual sum of squares 1/6.
        let (mut a, mut b, mut coefficients) = ([1.0, 1.0, 1.0, 1.0, 2.0, 3.0], [1.0, 2.0, 2.0], [0.0; 2]);
        assert_eq!(least_squares(&mut a, 3, 2, &mut b, &mut coefficients), 2);
        assert!((coefficients[0] - 2.0 / 3.0).abs() < 1e-14 && (coefficients[1] - 0.5).abs() < 1e-14);
        assert!((b[2] * b[2] - 1.0 / 6.0).abs() < 1e-15);
    }

    #[test]
    fn dependent_and_zero_columns_are_dropped_whatever_their_scale() {
        for scale in [1.0, 1e-100, 1e100] {
            let columns = [[1.0, 1.0, 1.0, 1.0], [0.0; 4], [1.0, 2.0, 3.0, 4.0], [3.0, 5.0, 7.0, 9.0]];
            let mut a = columns.concat();
            a[8..12].iter_mut().for_each(|element| *element *= scale);
            let (mut b, mut coefficients) = ([3.0, 5.0, 7.0, 9.0], [f64::NAN; 4]);
            assert_eq!(least_squares(&mut a, 4, 4, &mut b, &mut coefficients), 2);
            assert_eq!(coefficients.iter().filter(|coefficient| **coefficient == 0.0).count(), 2);
            // The last column is 1 + 2 x, and so is b.
            for (x, expected) in columns[2].iter().zip(columns[3]) {
                let fitted = coefficients[0] + coefficients[2] * (x * scale) + coefficients[3] * expected;
                assert!((fitted - expected).abs() < 1e-13, "{fitted}");
            }
        }
    }

    #[test]
    fn fewer_rows_than_columns_and_empty_problems_have_a_rank() {
        let (mut b, mut coefficients) = ([2.0], [f64::NAN; 2]);
        assert_eq!(least_squares(&mut [1.0, 4.0], 1, 2, &mut b, &mut coefficients), 1);
        assert!((coefficients[0] + 4.0 * coefficients[1] - 2.0).abs() < 1e-15);
        assert_eq!(least_squares(&mut [], 0, 2, &mut [], &mut coefficients), 0);
        assert!(coefficients.iter().all(|coefficient| *coefficient == 0.0));
        assert_eq!(least_squares(&mut [], 1, 0, &mut b, &mut []), 0);
    }

    #[test]
    fn a_matrix_that_is_not_finite_gives_nan_and_rank_0() {
        for bad in [f64::NAN, f64::INFINITY, 1e200] {
            let (mut b, mut coefficients) = ([1.0, 2.0], [0.0; 2]);
            assert_eq!(least_squares(&mut [1.0, bad, 0.0, 1.0], 2, 2, &mut b, &mut coefficients), 0);
            assert!(coefficients.iter().all(|coefficient| coefficient.is_nan()));
        }
    }

    proptest! {
        #[test]
        fn residuals_are_orthogonal_to_the_columns(
            a in prop::collection::vec(-1.0_f64..1.0, 60),
            b in prop::collection::vec(-1.0_f64..1.0, 15),
        ) {
            let (m, n) = (15, 4);
            let (mut work, mut right, mut coefficients) = (a.clone(), b.clone(), [0.0; 4]);
            prop_assume!(least_squares(&mut work, m, n, &mut right, &mut coefficients) == n);
            let residuals: Vec<f64> =
                (0..m).map(|i| b[i] - (0..n).map(|j| a[j * m + i] * coefficients[j]).sum::<f64>()).collect();
            for column in a.chunks_exact(m) {
                let product: f64 = column.iter().zip(&residuals).map(|(x, y)| x * y).sum();
                prop_assert!(product.abs() < 1e-11);
            }
            prop_assert!((squared_length(&residuals) - squared_length(&right[n..])).abs() < 1e-12);
        }
    }
}
