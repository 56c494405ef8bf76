//! Weighted products of columns: what a normal matrix is made of.

use crate::dispatch::Arith;
use crate::linalg::weighted_dots;

/// Adds Σ sᵢ zₖᵢ zₗᵢ for all columns `k ≤ l` of `n` to the row-major `gram` and Σ oᵢ zₖᵢ to `right`, at the places that `place`
/// gives to the columns, a rising order: only the upper triangle is written.
///
/// All slices have the length of `s`, a multiple of 8; a longer tail is left out.
#[inline(always)]
pub(crate) fn add_products<'a, A: Arith>(
    s: &[f64],
    o: &[f64],
    n: usize,
    column: impl Fn(usize) -> &'a [f64],
    place: impl Fn(usize) -> usize,
    gram: &mut [f64],
    right: &mut [f64],
) {
    const WIDEST: usize = 6;
    let size = right.len();
    for k in 0..n {
        let mut l = k;
        while l < n {
            let width = (n - l).min(WIDEST);
            let mut sums = [0.0; WIDEST];
            let total = match width {
                6 => tile::<A, 6>(s, o, column(k), |m| column(l + m), &mut sums),
                5 => tile::<A, 5>(s, o, column(k), |m| column(l + m), &mut sums),
                4 => tile::<A, 4>(s, o, column(k), |m| column(l + m), &mut sums),
                3 => tile::<A, 3>(s, o, column(k), |m| column(l + m), &mut sums),
                2 => tile::<A, 2>(s, o, column(k), |m| column(l + m), &mut sums),
                _ => tile::<A, 1>(s, o, column(k), |m| column(l + m), &mut sums),
            };
            if l == k {
                right[place(k)] += total;
            }
            for (m, sum) in sums[..width].iter().enumerate() {
                gram[place(k) * size + place(l + m)] += sum;
            }
            l += width;
        }
    }
}

/// One pass: a column with up to `K` others.
#[inline(always)]
fn tile<'a, A: Arith, const K: usize>(
    s: &[f64],
    o: &[f64],
    a: &[f64],
    other: impl Fn(usize) -> &'a [f64],
    sums: &mut [f64],
) -> f64 {
    let (products, total) = weighted_dots::<A, K>(s, o, a, std::array::from_fn(other));
    sums[..K].copy_from_slice(&products);
    total
}
