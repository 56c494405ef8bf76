//! Starts of a separable law by a scan: the squares, amplitudes solved for, over a grid of the nonlinear parameters.
//!
//! With one or two of them the grid shows every valley that is wider than its mesh, which random starts only make likely.
//! The local minima of the grid are the starts.

use crate::objective::Axis;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::projection::Products;
use crate::objective::projection::Projection;
use crate::solver::Space;
use crate::solver::eliminate;
use crate::solver::squares;
use crate::solver::without_amplitudes;
use crate::starts::Ranges;
use crate::starts::Sample;
use crate::starts::grid;

/// Most nonlinear parameters that are scanned together.
pub(crate) const MOST_SCANNED: usize = 2;
/// How closely a scan looks, by the quantiles of a parameter on the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mesh {
    /// For a first place, of which another scan will see what it is worth.
    Wide,
    /// For what there is.
    Fine,
}

impl Mesh {
    /// Quantiles along one parameter, and along each of two.
    fn quantiles(self, n_scanned: usize) -> usize {
        match (self, n_scanned) {
            (Mesh::Wide, 1) => 16,
            (Mesh::Fine, 1) => 48,
            (Mesh::Wide, _) => 4,
            (Mesh::Fine, _) => 12,
        }
    }
}

/// A minimum whose squares are more than so many times the least is no start.
const WORTH: f64 = 10.0;
/// Neighbours whose squares differ by less than this, relatively, are equal.
const SAME: f64 = 1e-9;

/// What a scan looks at and with.
pub(crate) struct Scan<'a> {
    pub(crate) projection: &'a Projection<'a>,
    /// What ranges are read off.
    pub(crate) sample: &'a Sample<'a>,
    pub(crate) space: &'a Space,
    pub(crate) ranges: Ranges<'a>,
    /// Most minima that are wanted.
    pub(crate) most: usize,
}

/// A local minimum on a grid.
struct Place {
    squares: f64,
    params: Vec<f64>,
    /// Whether it is a place of the grid next to where the scan began.
    is_next: bool,
}

impl Scan<'_> {
    /// The local minima over all nonlinear parameters, the lowest first; empty where there are too many of those. `begin`
    /// holds the values of what is fixed.
    pub(crate) fn everywhere(&self, mesh: Mesh, begin: &[f64], scratch: &mut Scratch) -> Vec<Vec<f64>> {
        self.whole(mesh, begin, scratch).into_iter().map(|place| place.params).collect()
    }

    /// The same without those next to `known`, a place whose own minimum is not wanted.
    pub(crate) fn elsewhere(&self, known: &[f64], scratch: &mut Scratch) -> Vec<Vec<f64>> {
        let found = self.whole(Mesh::Fine, known, scratch).into_iter();
        found.filter(|place| !place.is_next).map(|place| place.params).collect()
    }

    /// The local minima along each nonlinear parameter by itself through the place `known`, but not there, the lowest first.
    pub(crate) fn along_axes(&self, known: &[f64], scratch: &mut Scratch) -> Vec<Vec<f64>> {
        let mut found = Vec::new();
        for j in self.nonlinear() {
            let minima = self.minima(&[j], Mesh::Fine.quantiles(1), known, scratch);
            let distance = |place: &Place| (place.params[j] - known[j]).abs();
            let nearest = minima.iter().map(distance).fold(f64::INFINITY, f64::min);
            found.extend(minima.into_iter().filter(|place| distance(place) > nearest));
        }
        self.lowest(found).into_iter().map(|place| place.params).collect()
    }

    fn whole(&self, mesh: Mesh, begin: &[f64], scratch: &mut Scratch) -> Vec<Place> {
        let scanned = self.nonlinear();
        if !self.is_whole() {
            return Vec::new();
        }
        self.lowest(self.minima(&scanned, mesh.quantiles(scanned.len()), begin, scratch))
    }

    /// Whether there are few enough nonlinear parameters to scan all of them together.
    pub(crate) fn is_whole(&self) -> bool {
        self.nonlinear().len() <= MOST_SCANNED
    }

    fn nonlinear(&self) -> Vec<usize> {
        let all = &self.projection.separable.nonlinear;
        all.iter().copied().filter(|j| self.space.free.contains(j)).collect()
    }

    fn lowest(&self, mut minima: Vec<Place>) -> Vec<Place> {
        minima.sort_by(|a, b| a.squares.total_cmp(&b.squares));
        let lowest = minima.first().map_or(0.0, |place| place.squares);
        minima.retain(|place| is_worth(place.squares, lowest));
        minima.truncate(self.most);
        minima
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
        let table = projection.tabulate(&axes, begin, scratch);
        let mut products = Products::default();
        let mut at_cell = |cell: usize, scratch: &mut Scratch| {
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
        let all_at_once = table.as_ref().and_then(|table| squares(projection, space, table, scratch));
        let values: Vec<f64> = all_at_once.unwrap_or_else(|| {
            let one = |cell| if projection.problem.is_cancelled() { f64::NAN } else { at_cell(cell, scratch).0 };
            (0..n_cells).map(one).collect()
        });
        let is_next = |cell: usize| {
            let along = axes.iter().zip(scanned).zip([cell / sizes[1], cell % sizes[1]]);
            let mut within = along.map(|((axis, &j), i)| {
                let last = axis.values.len() - 1;
                (axis.values[i.saturating_sub(1)]..=axis.values[(i + 1).min(last)]).contains(&begin[j])
            });
            within.all(|is_within| is_within)
        };
        let mut cells =
            if projection.problem.is_cancelled() { Vec::new() } else { minima_of(&values[..n_cells], sizes) };
        let lowest = cells.iter().map(|&cell| values[cell]).fold(f64::INFINITY, f64::min);
        cells.retain(|&cell| is_worth(values[cell], lowest));
        let mut found = Vec::with_capacity(cells.len());
        for cell in cells {
            let (squares, params) = at_cell(cell, scratch);
            found.push(Place { squares, params, is_next: is_next(cell) });
        }
        scratch.put_back(values);
        if let Some(table) = table {
            table.release(scratch);
        }
        found
    }
}

fn is_worth(squares: f64, lowest: f64) -> bool {
    squares <= WORTH * lowest || squares == lowest
}

/// Cells of a grid, row by row, with no lower one beside them; of equal neighbours, as where a term is dead, the first counts.
fn minima_of(values: &[f64], sizes: [usize; 2]) -> Vec<usize> {
    let row = |i: usize| &values[i * sizes[1]..][..sizes[1]];
    let is_minimum = |i: usize, k: usize, value: f64| {
        let (above, below) = (value * (1.0 + SAME), value * (1.0 - SAME));
        let (first, end) = (k.saturating_sub(1), (k + 2).min(sizes[1]));
        (i.saturating_sub(1)..(i + 2).min(sizes[0])).all(|a| {
            let mut near = row(a)[first..end].iter().zip(first..end);
            near.all(|(&other, b)| (a, b) == (i, k) || other > above || (other >= below && (a, b) > (i, k)))
        })
    };
    let mut found = Vec::new();
    for i in 0..sizes[0] {
        // Most rows slope: only cells that are about as low as those before and after, if there are any, come into question.
        let mut before = f64::INFINITY;
        let mut here = row(i).iter().copied().enumerate().peekable();
        while let Some((k, value)) = here.next() {
            let after = here.peek().map_or(f64::INFINITY, |next| next.1);
            let low = value * (1.0 - SAME);
            let is_low =
                value < f64::INFINITY && (before >= low || before.is_nan()) && (after >= low || after.is_nan());
            if is_low && is_minimum(i, k, value) {
                found.push(i * sizes[1] + k);
            }
            before = value;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: f64 = f64::INFINITY;

    #[test]
    fn minima_are_the_cells_with_no_lower_one_beside_them() {
        #[rustfmt::skip]
        let values = [
            5.0, 4.0, 3.0, 9.0,
            4.0, 1.0, 3.0, 9.0,
            6.0, 4.0, 3.0, 2.0,
        ];
        assert_eq!(minima_of(&values, [3, 4]), [5, 11]);
        // Along one axis, ends included.
        assert_eq!(minima_of(&[1.0, 2.0, 0.5, 3.0, 2.5], [5, 1]), [0, 2, 4]);
        assert_eq!(minima_of(&[1.0, 2.0, 0.5, 3.0, 2.5], [1, 5]), [0, 2, 4]);
    }

    #[test]
    fn of_a_plateau_the_first_cell_counts_and_what_has_no_value_is_none() {
        assert_eq!(minima_of(&[2.0, 1.0, 1.0 + 1e-12, 1.0 - 1e-12, 3.0], [1, 5]), [1]);
        assert_eq!(minima_of(&[NONE; 6], [2, 3]), [0; 0]);
        assert_eq!(minima_of(&[NONE, 2.0, NONE, 1.0], [1, 4]), [1, 3]);
        // Beside what is not a number nothing is known to be lowest.
        assert_eq!(minima_of(&[f64::NAN, 2.0, NONE, 1.0], [1, 4]), [3]);
    }
}
