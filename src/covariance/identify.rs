//! What the data determine: singular values of the Jacobian, and coordinates without the directions that are open.

use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::linalg::SingularValues;
use crate::linalg::dot;
use crate::linalg::singular_values;

/// The weighted Jacobian of the rows, with a row for each prior below it.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// A column of `n` values for each moving parameter.
    pub(super) values: Vec<f64>,
    pub(super) n: usize,
    /// How many of the `n` are of rows, not of priors.
    pub(super) n_rows: usize,
    /// The sum of the weights.
    pub(super) mass: f64,
}

/// Orthonormal combinations of the Jacobian's columns, and what they are combinations of.
#[derive(Clone, Debug)]
pub(super) struct Basis {
    /// `rank` columns of `n` values: the derivatives of √w r with respect to the coordinates.
    pub(super) z: Vec<f64>,
    pub(super) n: usize,
    pub(super) rank: usize,
    /// `rank` columns of `m` values: the derivatives of the parameters with respect to the coordinates.
    pub(super) to_params: Vec<f64>,
    pub(super) m: usize,
}

/// What is known of the moving parameters.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) condition: f64,
    pub(super) is_open: bool,
    /// The flattest direction in the parameters' own units. The part with the largest effect would by itself change the
    /// residuals by 1 in root mean square.
    pub(super) flat_direction: Vec<f64>,
    /// Parameters that open directions move.
    pub(super) loose: Vec<bool>,
    /// Coordinates of all directions but the open ones.
    pub(super) basis: Basis,
}

/// What is left of a column below this share of it is the rounding of its entries.
const ROUNDING: f64 = 1e-12;
/// A parameter is loose if open directions make up this share of its variance.
const LOOSE_SHARE: f64 = 0.01;

/// Takes the weighted Jacobian apart: `values` are the parameters, `pairs` the places of an exponent and of its term's
/// amplitude. Directions whose singular value is below the largest / `open_above` are open.
///
/// Columns are made unit, after each exponent's has been made orthogonal to the amplitude of its term: centring the
/// variable, which changes no prediction, would do the same.
pub(super) fn identify(
    level: Level,
    columns: Columns,
    values: &[f64],
    pairs: &[(usize, usize)],
    open_above: f64,
) -> Identity {
    dispatch(level, Identify { columns, values, pairs, open_above })
}

struct Identify<'a> {
    columns: Columns,
    values: &'a [f64],
    pairs: &'a [(usize, usize)],
    open_above: f64,
}

impl Work for Identify<'_> {
    type Out = Identity;

    #[inline(always)]
    fn run<A: Arith>(self) -> Identity {
        let Identify { columns, values, pairs, open_above } = self;
        identify_at::<A>(columns, values, pairs, open_above)
    }
}

#[inline(always)]
fn identify_at<A: Arith>(columns: Columns, values: &[f64], pairs: &[(usize, usize)], open_above: f64) -> Identity {
    let m = values.len();
    let Columns { values: mut columns, n, n_rows, mass } = columns;
    let mut effects = vec![0.0; m];
    for (effect, column) in effects.iter_mut().zip(columns.chunks_exact(n)) {
        *effect = length::<A>(&column[..n_rows]) / mass.sqrt();
    }
    let to_params = separate::<A>(&mut columns, n, m, pairs);
    let SingularValues { values: sizes, left, right } = singular_values::<A>(&mut columns, n, m);
    let (Some(&least), Some(&most)) = (sizes.first(), sizes.last()) else {
        let basis = Basis { z: vec![], n, rank: 0, to_params: vec![], m };
        return Identity { condition: f64::NAN, is_open: false, flat_direction: vec![], loose: vec![], basis };
    };
    let condition = if least == 0.0 { f64::INFINITY } else { most / least };
    // A NaN is open too.
    let n_open = sizes.iter().filter(|size| !(**size * open_above >= most && **size > 0.0)).count();
    let directions: Vec<f64> = right.chunks_exact(m).flat_map(|vector| product(&to_params, vector, m)).collect();
    let part = |k: usize, j: usize| (directions[k * m + j] / sizes[k].max(ROUNDING * most)).powi(2);
    let loose = (0..m).map(|j| {
        let open: f64 = (0..n_open).map(|k| part(k, j)).sum();
        let closed: f64 = (n_open..m).map(|k| part(k, j)).sum();
        open.is_nan() || open > LOOSE_SHARE * (open + closed)
    });
    let loose = if n_open == 0 { vec![false; m] } else { loose.collect() };
    let flat_direction = readable(&directions[..m], &effects, values);
    let closed = directions.chunks_exact(m).zip(&sizes).skip(n_open);
    let to_params = closed.flat_map(|(direction, size)| direction.iter().map(move |value| value / size)).collect();
    combine::<A>(&mut columns, n, &left[n_open * m..]);
    let basis = Basis { z: columns, n, rank: m - n_open, to_params, m };
    Identity { condition, is_open: n_open > 0, flat_direction, loose, basis }
}

/// Replaces the columns by orthogonal-to-their-amplitude, unit ones; returns, by columns, what combinations they are.
#[inline(always)]
fn separate<A: Arith>(columns: &mut [f64], n: usize, m: usize, pairs: &[(usize, usize)]) -> Vec<f64> {
    let mut combination = vec![0.0; m * m];
    for k in 0..m {
        combination[k * m + k] = 1.0;
    }
    let mut whole = vec![0.0; m];
    for (whole, column) in whole.iter_mut().zip(columns.chunks_exact(n)) {
        *whole = length::<A>(column);
    }
    for &(q, a) in pairs {
        let amplitude: Vec<f64> = columns[a * n..][..n].to_vec();
        let square = dot::<A>(&amplitude, &amplitude);
        let share = dot::<A>(&amplitude, &columns[q * n..][..n]) / square;
        if share.is_finite() {
            for (value, x) in columns[q * n..][..n].iter_mut().zip(&amplitude) {
                *value = A::mul_add(-share, *x, *value);
            }
            for j in 0..m {
                combination[q * m + j] -= share * combination[a * m + j];
            }
        }
    }
    for k in 0..m {
        // The length before the amplitude was taken out: what is left of an exponent that nothing determines is rounding.
        let rest = length::<A>(&columns[k * n..][..n]);
        let unit = if rest > ROUNDING * whole[k] { rest } else { whole[k] };
        if unit > 0.0 {
            columns[k * n..][..n].iter_mut().chain(&mut combination[k * m..][..m]).for_each(|value| *value /= unit);
        }
    }
    combination
}

/// A direction scaled so that its largest effect is 1; where nothing has an effect, its largest change relative to the
/// parameter.
fn readable(direction: &[f64], effects: &[f64], values: &[f64]) -> Vec<f64> {
    let largest = |sizes: &mut dyn Iterator<Item = f64>| sizes.fold(0.0, f64::max);
    let effect = largest(&mut direction.iter().zip(effects).map(|(d, effect)| (d * effect).abs()));
    let change = |(d, value): (&f64, &f64)| if *value == 0.0 { d.abs() } else { (d / value).abs() };
    let most = if effect > 0.0 { effect } else { largest(&mut direction.iter().zip(values).map(change)) };
    let scale = if most > 0.0 && most.is_finite() { 1.0 / most } else { 0.0 };
    direction.iter().map(|d| d * scale).collect()
}

#[inline(always)]
fn length<A: Arith>(column: &[f64]) -> f64 {
    dot::<A>(column, column).sqrt()
}

/// Replaces m columns of `n` values by so many combinations of them, block by block in place: a long table has them once.
#[inline(always)]
fn combine<A: Arith>(columns: &mut Vec<f64>, n: usize, vectors: &[f64]) {
    const BLOCK: usize = 256;
    let m = columns.len() / n.max(1);
    let mut block = vec![0.0; m * BLOCK.min(n)];
    for first in (0..n).step_by(BLOCK) {
        let length = BLOCK.min(n - first);
        for (part, column) in block.chunks_exact_mut(length).zip(columns.chunks_exact(n)) {
            part.copy_from_slice(&column[first..][..length]);
        }
        for (vector, column) in vectors.chunks_exact(m).zip(columns.chunks_exact_mut(n)) {
            let out = &mut column[first..][..length];
            out.fill(0.0);
            for (v, part) in vector.iter().zip(block.chunks_exact(length)) {
                for (value, x) in out.iter_mut().zip(part) {
                    *value = A::mul_add(*v, *x, *value);
                }
            }
        }
    }
    columns.truncate(vectors.len() / m.max(1) * n);
}

/// Σ vₖ columnₖ of columns with `n` values each.
fn product(columns: &[f64], vector: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n];
    for (column, v) in columns.chunks_exact(n.max(1)).zip(vector) {
        for (value, x) in out.iter_mut().zip(column) {
            *value += v * x;
        }
    }
    out
}
