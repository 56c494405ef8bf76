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
use crate::solver::squares;
use crate::solver::without_amplitudes;
use crate::starts::Ranges;
use crate::starts::grid;

/// Most nonlinear parameters that are scanned together.
pub(crate) const MOST_SCANNED: usize = 2;
/// Quantiles of a parameter on the grid; both signs double it.
const FINE: usize = 48;
const COARSE: usize = 12;
/// A minimum whose squares are more than so many times the least is no start.
const WORTH: f64 = 10.0;
/// Neighbours whose squares differ by less than this, relatively, are equal.
const SAME: f64 = 1e-9;

/// What a scan looks at and with.
pub(crate) struct Scan<'a> {
    pub(crate) projection: &'a Projection<'a>,
    /// What ranges are read off.
    pub(crate) sample: &'a Problem<'a>,
    pub(crate) space: &'a Space,
    pub(crate) ranges: Ranges<'a>,
    /// Most minima that are wanted.
    pub(crate) most: usize,
}

/// A place of the grid: its squares and parameters.
type Place = (f64, Vec<f64>);

impl Scan<'_> {
    /// The local minima over all nonlinear parameters, the lowest first; empty where there are too many of those. `begin`
    /// holds the values of what is fixed.
    pub(crate) fn everywhere(&self, begin: &[f64], scratch: &mut Scratch) -> Vec<Vec<f64>> {
        let scanned = self.nonlinear();
        if scanned.len() > MOST_SCANNED {
            return Vec::new();
        }
        let n = if scanned.len() == 1 { FINE } else { COARSE };
        self.lowest(self.minima(&scanned, n, begin, scratch))
    }

    /// The local minima along each nonlinear parameter by itself through the place `known`, but not there, the lowest first.
    pub(crate) fn along_axes(&self, known: &[f64], scratch: &mut Scratch) -> Vec<Vec<f64>> {
        let mut found = Vec::new();
        for j in self.nonlinear() {
            let minima = self.minima(&[j], FINE, known, scratch);
            let distance = |params: &[f64]| (params[j] - known[j]).abs();
            let nearest = minima.iter().map(|(_, params)| distance(params)).fold(f64::INFINITY, f64::min);
            found.extend(minima.into_iter().filter(|(_, params)| distance(params) > nearest));
        }
        self.lowest(found)
    }

    fn nonlinear(&self) -> Vec<usize> {
        let all = &self.projection.separable.nonlinear;
        all.iter().copied().filter(|j| self.space.free.contains(j)).collect()
    }

    fn lowest(&self, mut minima: Vec<Place>) -> Vec<Vec<f64>> {
        minima.sort_by(|a, b| a.0.total_cmp(&b.0));
        let lowest = minima.first().map_or(0.0, |place| place.0);
        minima.retain(|place| place.0 <= WORTH * lowest || place.0 == lowest);
        minima.truncate(self.most);
        minima.into_iter().map(|place| place.1).collect()
    }

    /// The local minima on the grid of one or two parameters, each with about `n` values of either sign.
    fn minima(&self, scanned: &[usize], n: usize, begin: &[f64], scratch: &mut Scratch) -> Vec<Place> {
        let Scan { projection, sample, space, ranges, .. } = *self;
        let axis = |&j: &usize| Axis {
            nonlinear: projection.separable.nonlinear.iter().position(|&k| k == j).unwrap_or(0),
            values: grid(sample, space, begin, ranges, j, n),
        };
        let axes: Vec<Axis> = scanned.iter().map(axis).collect();
        let sizes = [0, 1].map(|a| axes.get(a).map_or(1, |axis| axis.values.len()));
        let table = projection.tabulate(&axes, begin);
        let mut products = Products::default();
        let mut at_cell = |cell: usize| {
            let index = [cell / sizes[1], cell % sizes[1]];
            let mut params = begin.to_vec();
            for ((axis, &j), i) in axes.iter().zip(scanned).zip(index) {
                params[j] = axis.values[i];
            }
            match &table {
                Some(table) => table.read(&index, &mut products),
                None => projection.products(&without_amplitudes(projection, &params), false, scratch, &mut products),
            }
            let value = eliminate(projection, space, &products, &mut params);
            (value.unwrap_or(f64::INFINITY), params)
        };
        let n_cells = sizes[0] * sizes[1];
        let all_at_once = table.as_ref().and_then(|table| squares(projection, space, table));
        let values: Vec<f64> = all_at_once.unwrap_or_else(|| {
            let one = |cell| if projection.problem.is_cancelled() { f64::NAN } else { at_cell(cell).0 };
            (0..n_cells).map(one).collect()
        });
        if projection.problem.is_cancelled() {
            return Vec::new();
        }
        let at = |i: usize, k: usize| values[i * sizes[1] + k];
        let is_minimum = |cell: usize| {
            let (i, k) = (cell / sizes[1], cell % sizes[1]);
            let value = at(i, k);
            // Most cells have a lower one beside them.
            let least = value * (1.0 - SAME);
            if (k > 0 && at(i, k - 1) < least) || (k + 1 < sizes[1] && at(i, k + 1) < least) {
                return false;
            }
            let near = |i: usize, n: usize| i.saturating_sub(1)..=(i + 1).min(n - 1);
            // Of equal neighbours, as where a term is dead, the first counts.
            let is_above = |a: usize, b: usize| {
                let other = at(a, b);
                (a, b) == (i, k) || other > value * (1.0 + SAME) || (other >= value * (1.0 - SAME) && (a, b) > (i, k))
            };
            value.is_finite() && near(i, sizes[0]).all(|a| near(k, sizes[1]).all(|b| is_above(a, b)))
        };
        let cells: Vec<usize> = (0..n_cells).filter(|&cell| is_minimum(cell)).collect();
        cells.into_iter().map(at_cell).collect()
    }
}
