//! The squares of every cell of a grid, amplitudes solved for: many cells at a time.
//!
//! With a handful of amplitudes, each free or not negative, the least squares within the bounds are the best of those over
//! every subset of the terms whose solution keeps to the bounds. All that a subset needs of the terms that do not vary along
//! the last axis is found once for a row of cells; the rest is the same arithmetic for each cell, without a branch.

use crate::dispatch::Arith;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::objective::Scratch;
use crate::objective::Table;
use crate::objective::projection::Projection;
use crate::solver::Space;
use crate::solver::projected::COLLINEAR;

/// Most terms beside the one that varies along the last axis.
const MOST_OTHERS: usize = 3;

/// The squares of the cells, those along the last axis side by side, in a buffer that may be longer; `None` where the law asks for more than subsets.
pub(crate) fn squares(
    projection: &Projection<'_>,
    space: &Space,
    table: &Table,
    scratch: &mut Scratch,
) -> Option<Vec<f64>> {
    let separable = projection.separable;
    let n = separable.n_terms();
    if separable.has_rest || n == 0 {
        return None;
    }
    let mut is_bounded = Vec::with_capacity(n);
    for a in &separable.amplitudes {
        let j = a.parameter;
        let (lower, upper) = (space.lower[j], space.upper[j]);
        let is_open = lower == f64::NEG_INFINITY || (lower == 0.0 && !a.is_log);
        if !space.free.contains(&j) || upper != f64::INFINITY || !is_open {
            return None;
        }
        is_bounded.push(a.is_log || lower == 0.0);
    }
    let last = table.along.iter().flatten().copied().max()?;
    let mut varying = (0..n).filter(|&t| table.along[t] == Some(last));
    let (term, None) = (varying.next()?, varying.next()) else { return None };
    let others: Vec<usize> = (0..n).filter(|&t| t != term).collect();
    if others.len() > MOST_OTHERS {
        return None;
    }
    let n_rows = others.iter().map(|&t| table.sizes[t]).max().unwrap_or(1);
    let others = &others;
    let is_bounded = &is_bounded;
    let work = Sheet { table, square: projection.square, others, term, is_bounded, n_rows, scratch };
    Some(dispatch(projection.problem.level, work))
}

struct Sheet<'a> {
    table: &'a Table,
    square: f64,
    others: &'a [usize],
    term: usize,
    is_bounded: &'a [bool],
    n_rows: usize,
    scratch: &'a mut Scratch,
}

/// Terms that are solved for with the varying one, in units in which each has length 1.
#[derive(Clone, Copy, Default)]
struct Subset {
    terms: [usize; MOST_OTHERS],
    n: usize,
    /// Cholesky factor with the inverses of its diagonal, and its solution of the right side.
    l: [[f64; MOST_OTHERS]; MOST_OTHERS],
    inverse: [f64; MOST_OTHERS],
    z: [f64; MOST_OTHERS],
    /// What these terms alone leave, if their amplitudes keep to the bounds.
    alone: f64,
}

impl Work for Sheet<'_> {
    type Out = Vec<f64>;

    #[inline(always)]
    fn run<A: Arith>(self) -> Vec<f64> {
        let Sheet { table, square, others, term, is_bounded, n_rows, scratch } = self;
        let n = table.sizes[term];
        let at = |t: usize, i: usize| if table.sizes[t] == 1 { 0 } else { i };
        let lengths: Vec<f64> = table.pair(term, term).iter().map(|x| 1.0 / x.sqrt()).collect();
        let right: Vec<f64> = table.right(term).iter().zip(&lengths).map(|(x, unit)| x * unit).collect();
        let mut cross = scratch.take(MOST_OTHERS * n);
        let mut out = scratch.take(n_rows * n);
        out[..n_rows * n].fill(f64::INFINITY);
        for (i, out) in out[..n_rows * n].chunks_exact_mut(n).enumerate() {
            let unit = |t: usize| 1.0 / table.product(t, at(t, i), t, at(t, i)).sqrt();
            for (place, &t) in others.iter().enumerate() {
                let unit = unit(t);
                let cross = cross[place * n..][..n].iter_mut().zip(&lengths);
                // Products of two terms lie row by row of the first.
                if t < term {
                    let row = &table.pair(t, term)[at(t, i) * n..][..n];
                    for ((x, length), product) in cross.zip(row) {
                        *x = product * unit * length;
                    }
                } else {
                    let column = table.pair(term, t)[at(t, i)..].iter().step_by(table.sizes[t]);
                    for ((x, length), product) in cross.zip(column) {
                        *x = product * unit * length;
                    }
                }
            }
            let signs = (is_bounded, others, is_bounded[term]);
            let all = (1_usize << others.len()) - 1;
            let (mut first, mut end) = (0, n);
            for members in (0..=all).rev() {
                let Some(subset) = Subset::of(table, others, members, |t| at(t, i), square, is_bounded) else {
                    continue;
                };
                let row = &mut out[first..end];
                match subset.n {
                    0 => with_last::<A, 0>(&subset, &cross, &right, first, square, signs, row),
                    1 => with_last::<A, 1>(&subset, &cross, &right, first, square, signs, row),
                    2 => with_last::<A, 2>(&subset, &cross, &right, first, square, signs, row),
                    _ => with_last::<A, 3>(&subset, &cross, &right, first, square, signs, row),
                }
                if members == all {
                    // Where all terms keep to the bounds together no fewer do better.
                    let is_open = |value: &f64| *value == f64::INFINITY;
                    let Some(next) = out.iter().position(is_open) else { break };
                    (first, end) = (next, out.iter().rposition(is_open).map_or(n, |last| last + 1));
                }
                for value in &mut out[first..end] {
                    *value = value.min(subset.alone);
                }
            }
        }
        // As everywhere half of the squares, and what is below rounding is 0.
        for value in &mut out[..n_rows * n] {
            *value = if *value >= 0.0 { 0.5 * *value } else { 0.0 };
        }
        scratch.put_back(cross);
        out
    }
}

impl Subset {
    /// `None` where one of the terms is collinear with those before it.
    fn of(
        table: &Table,
        others: &[usize],
        members: usize,
        at: impl Fn(usize) -> usize,
        square: f64,
        is_bounded: &[bool],
    ) -> Option<Subset> {
        let mut subset = Subset { alone: square, ..Subset::default() };
        let mut units = [0.0; MOST_OTHERS];
        for (place, &t) in others.iter().enumerate().filter(|(place, _)| members >> place & 1 == 1) {
            let k = subset.n;
            let unit = 1.0 / table.product(t, at(t), t, at(t)).sqrt();
            for i in 0..k {
                let u = others[subset.terms[i]];
                let product = table.product(u, at(u), t, at(t)) * units[i] * unit;
                let inside: f64 = (0..i).map(|h| subset.l[k][h] * subset.l[i][h]).sum();
                subset.l[k][i] = (product - inside) / subset.l[i][i];
            }
            let left = 1.0 - subset.l[k][..k].iter().map(|x| x * x).sum::<f64>();
            if left.is_nan() || left <= COLLINEAR {
                return None;
            }
            subset.l[k][k] = left.sqrt();
            subset.inverse[k] = 1.0 / subset.l[k][k];
            let inside: f64 = (0..k).map(|h| subset.l[k][h] * subset.z[h]).sum();
            subset.z[k] = (table.right(t)[at(t)] * unit - inside) / subset.l[k][k];
            (subset.terms[k], units[k]) = (place, unit);
            subset.n += 1;
        }
        let n = subset.n;
        let mut solution = subset.z;
        for i in (0..n).rev() {
            let later: f64 = (i + 1..n).map(|h| subset.l[h][i] * solution[h]).sum();
            solution[i] = (solution[i] - later) / subset.l[i][i];
        }
        let is_kept = (0..n).all(|i| !is_bounded[others[subset.terms[i]]] || solution[i] >= 0.0);
        let explained: f64 = subset.z[..n].iter().map(|z| z * z).sum();
        subset.alone = if is_kept { square - explained } else { f64::INFINITY };
        Some(subset)
    }
}

/// The squares with the varying term beside a subset of `M` others, where they are less and its amplitudes keep to the bounds,
/// for the places from `first` on.
#[inline(always)]
fn with_last<A: Arith, const M: usize>(
    subset: &Subset,
    cross: &[f64],
    right: &[f64],
    first: usize,
    square: f64,
    (is_bounded, others, is_last_bounded): (&[bool], &[usize], bool),
    out: &mut [f64],
) {
    let n = out.len();
    let columns: [&[f64]; M] = std::array::from_fn(|m| &cross[subset.terms[m] * right.len() + first..][..n]);
    let right = &right[first..][..n];
    let least: [f64; M] =
        std::array::from_fn(|m| if is_bounded[others[subset.terms[m]]] { 0.0 } else { f64::NEG_INFINITY });
    let least_last = if is_last_bounded { 0.0 } else { f64::NEG_INFINITY };
    let rest = square - subset.z[..M].iter().map(|z| z * z).sum::<f64>();
    for k in 0..n {
        let mut w = [0.0; M];
        let (mut left, mut z) = (1.0, right[k]);
        for m in 0..M {
            let mut x = columns[m][k];
            for (l, w) in subset.l[m].iter().zip(&w[..m]) {
                x = A::mul_add(-l, *w, x);
            }
            w[m] = x * subset.inverse[m];
            left = A::mul_add(-w[m], w[m], left);
            z = A::mul_add(-w[m], subset.z[m], z);
        }
        let amplitude = z / left;
        let value = A::mul_add(-z, amplitude, rest);
        // How far everything is from what it must not pass.
        let mut room = (left - COLLINEAR).min(amplitude - least_last);
        let mut solution = [0.0; M];
        for m in (0..M).rev() {
            let mut x = A::mul_add(-w[m], amplitude, subset.z[m]);
            for (l, later) in subset.l[m + 1..].iter().zip(&solution[m + 1..]) {
                x = A::mul_add(-l[m], *later, x);
            }
            solution[m] = x * subset.inverse[m];
            room = room.min(solution[m] - least[m]);
        }
        out[k] = if room >= 0.0 { value.min(out[k]) } else { out[k] };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::dispatch::Level;
    use crate::law::CompiledLaw;
    use crate::law::Residual;
    use crate::loss::Loss;
    use crate::objective::Axis;
    use crate::objective::prior::Prior;
    use crate::objective::problem::Problem;
    use crate::objective::projection::Products;
    use crate::objective::rows::RawRows;
    use crate::objective::rows::prepare;
    use crate::solver::eliminate;

    /// Laws, and their parameters that are not negative.
    const LAWS: [(&str, &[&str]); 5] = [
        ("E + A*N**-alpha + B*D**-beta", &["E", "A", "B"]),
        ("E + A*N**-alpha + B*D**-beta", &[]),
        ("E + A*N**-alpha + B*D**-beta", &["A"]),
        ("A*N**-alpha + B*D**-beta", &["A", "B"]),
        ("E + G*D**-0.3 + A*N**-alpha + B*D**-beta", &["E", "G", "A", "B"]),
    ];

    #[test]
    fn cells_have_the_squares_of_their_amplitudes_solved_for_one_by_one() {
        let cancel = AtomicBool::new(false);
        let mut scratch = Scratch::default();
        for (text, positive) in LAWS {
            for level in [Level::Portable, Level::best()] {
                let law = CompiledLaw::new(text, &["N".into(), "D".into()], None, Residual::Log).unwrap();
                let n = 37;
                let sizes: Vec<f64> = (0..n).map(|i| 1e7 * 1.21_f64.powi(i % 11)).collect();
                let tokens: Vec<f64> = (0..n).map(|i| 1e9 * 1.13_f64.powi((i * 17) % 37)).collect();
                let ramp = sizes.iter().zip([0.0, 0.3, 0.6, 0.9].into_iter().cycle());
                let y: Vec<f64> = ramp.map(|(size, step)| 2.0 + step + 400.0 * size.powf(-0.34)).collect();
                let x = [sizes, tokens].concat();
                let raw = RawRows { x: &x, stride: y.len(), first: 0, n: y.len(), y: &y, weights: None, sigma: None };
                let rows = prepare(&law, &raw, Residual::Log, level, &mut scratch);
                let p = law.parameters.len();
                let free: Vec<usize> = (0..p).collect();
                let is_positive = |j: usize| positive.contains(&law.parameters[j].as_str());
                let lower: Vec<f64> = (0..p).map(|j| if is_positive(j) { 0.0 } else { f64::NEG_INFINITY }).collect();
                let none = vec![f64::INFINITY; p];
                let space = Space::new(&lower, &none, free.clone(), vec![false; p], none.clone());
                let problem = Problem {
                    law: &law,
                    rows: &rows,
                    loss: Loss::Huber,
                    f_scale: 0.05,
                    residual: Residual::Log,
                    free: &free,
                    level,
                    cancel: &cancel,
                    prior: Prior::NONE,
                };
                let projection = Projection::of(&problem).expect("the law is linear in its amplitudes");
                let values = [vec![-20.0, -0.4, 0.0, 0.3, 0.34, 2.0, 20.0], vec![-3.0, 0.0, 0.1, 0.5, 13.0]];
                let axis = |nonlinear: usize| Axis { nonlinear, values: values[nonlinear].clone() };
                let axes = [axis(0), axis(1)];
                let table =
                    projection.tabulate(&axes, &vec![0.0; p], &mut scratch).expect("each power has one exponent");
                let all =
                    squares(&projection, &space, &table, &mut scratch).expect("one term varies along the last axis");
                let mut products = Products::default();
                for i in 0..values[0].len() {
                    for k in 0..values[1].len() {
                        table.read(&[i, k], &mut products);
                        let mut params = vec![0.0; p];
                        let one = eliminate(&projection, &space, &products, &mut params).expect("all are finite");
                        let ours = all[i * values[1].len() + k];
                        // Differences of sums of squares, of terms that are nearly the same.
                        assert!(
                            (ours - one).abs() <= 1e-9 * projection.square,
                            "{text} {positive:?} {i} {k}: {ours} {one}"
                        );
                    }
                }
            }
        }
    }
}
