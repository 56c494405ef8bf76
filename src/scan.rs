//! Starts of a separable law by a scan: the squares, amplitudes solved for, over a grid of the nonlinear parameters.
//!
//! With one or two of them the grid shows every valley that is wider than its mesh, which random starts only make likely.
//! The local minima of the grid are the starts.

use crate::objective::Axis;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::problem::Problem;
use crate::objective::projection::Products;
use crate::objective::projection::Projection;
use crate::solver::Space;
use crate::solver::eliminate;
use crate::solver::without_amplitudes;
use crate::starts::Ranges;
use crate::starts::grid;

/// Most nonlinear parameters that are scanned.
pub(crate) const MOST_SCANNED: usize = 2;
/// Quantiles of a parameter on the grid; both signs double it.
const FINE: usize = 48;
const COARSE: usize = 12;
/// A minimum whose squares are more than so many times the least is no start.
const WORTH: f64 = 10.0;
/// Neighbours whose squares differ by less than this, relatively, are equal.
const SAME: f64 = 1e-9;

/// The local minima of the scan as parameter vectors, the lowest first, at most `most`; empty where the law has too many
/// nonlinear parameters. `sample` is what ranges are read off, `begin` holds the
/// values of what is fixed.
pub(crate) fn scan(
    projection: &Projection<'_>,
    sample: &Problem<'_>,
    space: &Space,
    ranges: Ranges<'_>,
    begin: &[f64],
    most: usize,
    scratch: &mut Scratch,
) -> Vec<Vec<f64>> {
    let scanned: Vec<usize> =
        projection.separable.nonlinear.iter().copied().filter(|j| space.free.contains(j)).collect();
    if scanned.len() > MOST_SCANNED {
        return Vec::new();
    }
    let problem = &projection.problem;
    let n = if scanned.len() == 1 { FINE } else { COARSE };
    let axis = |&j: &usize| Axis {
        nonlinear: projection.separable.nonlinear.iter().position(|&k| k == j).unwrap_or(0),
        values: grid(sample, space, begin, ranges, j, n),
    };
    let axes: Vec<Axis> = scanned.iter().map(axis).collect();
    let sizes = [0, 1].map(|a| axes.get(a).map_or(1, |axis| axis.values.len()));
    let table = projection.tabulate(&axes, begin);
    let mut products = Products::default();
    let mut places = Vec::with_capacity(sizes[0] * sizes[1]);
    for cell in 0..sizes[0] * sizes[1] {
        let index = [cell / sizes[1], cell % sizes[1]];
        let mut params = begin.to_vec();
        for ((axis, &j), i) in axes.iter().zip(&scanned).zip(index) {
            params[j] = axis.values[i];
        }
        if problem.is_cancelled() {
            return Vec::new();
        }
        match &table {
            Some(table) => table.read(&index, &mut products),
            None => projection.products(&without_amplitudes(projection, &params), false, scratch, &mut products),
        }
        let value = eliminate(projection, space, &products, &mut params);
        places.push((value.unwrap_or(f64::INFINITY), params));
    }
    let at = |i: usize, k: usize| places[i * sizes[1] + k].0;
    let is_minimum = |cell: usize| {
        let (i, k) = (cell / sizes[1], cell % sizes[1]);
        let value = at(i, k);
        let near = |i: usize, n: usize| i.saturating_sub(1)..=(i + 1).min(n - 1);
        // Of equal neighbours, as where a term is dead, the first counts.
        let is_above = |a: usize, b: usize| {
            let other = at(a, b);
            (a, b) == (i, k) || other > value * (1.0 + SAME) || (other >= value * (1.0 - SAME) && (a, b) > (i, k))
        };
        value.is_finite() && near(i, sizes[0]).all(|a| near(k, sizes[1]).all(|b| is_above(a, b)))
    };
    let mut minima: Vec<usize> = (0..places.len()).filter(|&cell| is_minimum(cell)).collect();
    minima.sort_by(|&a, &b| places[a].0.total_cmp(&places[b].0).then(a.cmp(&b)));
    let lowest = minima.first().map_or(0.0, |&cell| places[cell].0);
    minima.retain(|&cell| places[cell].0 <= WORTH * lowest || places[cell].0 == lowest);
    minima.truncate(most);
    minima.into_iter().map(|cell| places[cell].1.clone()).collect()
}
