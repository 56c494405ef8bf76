//! Products of basis functions over a grid of one or two exponents: the columns of each axis once, then all their products.

use crate::dispatch::Arith;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::formula::program::BLOCK;
use crate::law::Power;
use crate::linalg::weighted_dots;
use crate::objective::Objective;
use crate::objective::basis::Block;
use crate::objective::basis::fill_power;
use crate::objective::projection::Products;
use crate::objective::projection::Projection;

/// One scanned parameter: its number among the nonlinear ones, and its values.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) nonlinear: usize,
    pub(crate) values: Vec<f64>,
}

/// Sums over rows for every cell of the grid.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The axis that each basis function varies along.
    along: Vec<Option<usize>>,
    sizes: Vec<usize>,
    /// For each basis function and place on its axis Σ v y g, and its shift.
    right: Vec<Vec<f64>>,
    shifts: Vec<Vec<f64>>,
    /// For each pair of basis functions their products, row-major over the places of the first and of the second; where both
    /// vary along one axis, the places are the same.
    pairs: Vec<Vec<f64>>,
}

impl Table {
    /// The products of a cell.
    pub(crate) fn read(&self, cell: &[usize], out: &mut Products) {
        let n = self.along.len();
        out.n = n;
        out.gram.clear();
        out.gram.resize(n * n, 0.0);
        out.right.clear();
        out.shifts.clear();
        let place = |t: usize| self.along[t].map_or(0, |axis| cell[axis]);
        let mut pairs = self.pairs.iter();
        for t in 0..n {
            out.right.push(self.right[t][place(t)]);
            out.shifts.push(self.shifts[t][place(t)]);
            for u in t..n {
                let Some(values) = pairs.next() else { return };
                out.gram[t * n + u] = if self.along[t] == self.along[u] {
                    values[place(t)]
                } else {
                    values[place(t) * self.sizes[u] + place(u)]
                };
            }
        }
    }
}

impl Projection<'_> {
    /// The products over a grid, other nonlinear parameters being those of `params`; `None` where a basis function is no
    /// power or varies along two axes.
    pub(crate) fn tabulate(&self, axes: &[Axis], params: &[f64]) -> Option<Table> {
        let powers = self.separable.powers.as_deref()?;
        let axis_of = |power: &Power| {
            let mut found =
                axes.iter().enumerate().filter(|(_, a)| power.exponents.iter().any(|(q, _)| *q == a.nonlinear));
            let first = found.next().map(|(i, _)| i);
            if found.next().is_some() { None } else { Some(first) }
        };
        let along: Vec<Option<usize>> = powers.iter().map(axis_of).collect::<Option<_>>()?;
        let theta: Vec<f64> = self.separable.nonlinear.iter().map(|&j| params[j]).collect();
        Some(dispatch(self.problem.level, Tabulate { projection: self, powers, axes, along, theta }))
    }
}

struct Tabulate<'a> {
    projection: &'a Projection<'a>,
    powers: &'a [Power],
    axes: &'a [Axis],
    along: Vec<Option<usize>>,
    theta: Vec<f64>,
}

impl Work for Tabulate<'_> {
    type Out = Table;

    #[inline(always)]
    fn run<A: Arith>(self) -> Table {
        let Tabulate { projection, powers, axes, along, mut theta } = self;
        let data = projection.problem.rows;
        let sizes: Vec<usize> = along.iter().map(|axis| axis.map_or(1, |a| axes[a].values.len())).collect();
        let n = powers.len();
        let mut shifts: Vec<Vec<f64>> = sizes.iter().map(|&size| vec![0.0; size]).collect();
        let mut at_place = Vec::new();
        for t in 0..n {
            for (place, shift) in shifts[t].iter_mut().enumerate() {
                set(&mut theta, axes, along[t], place);
                projection.shifts(&theta, &mut at_place);
                *shift = at_place[t];
            }
        }
        let mut right: Vec<Vec<f64>> = sizes.iter().map(|&size| vec![0.0; size]).collect();
        let mut pairs: Vec<Vec<f64>> = Vec::new();
        for t in 0..n {
            for u in t..n {
                pairs.push(vec![0.0; if along[t] == along[u] { sizes[t] } else { sizes[t] * sizes[u] }]);
            }
        }
        let mut base: Vec<Vec<f64>> = sizes.iter().map(|&size| vec![0.0; size * BLOCK]).collect();
        let mut first = 0;
        // A block is a tenth of a millisecond of work. What is left undone belongs to a call that is given up.
        while first < data.padded && !projection.problem.is_cancelled() {
            let rows = BLOCK.min(data.padded - first);
            let block = Block { columns: data.columns(), first, rows };
            for t in 0..n {
                for (place, out) in base[t].chunks_exact_mut(BLOCK).enumerate() {
                    set(&mut theta, axes, along[t], place);
                    fill_power::<A>(&powers[t], &theta, shifts[t][place], block, &mut out[..rows]);
                }
            }
            let (v, vy) = projection.row_data(first, rows);
            let mut pair = 0;
            for t in 0..n {
                for u in t..n {
                    let is_same = along[t] == along[u];
                    for place in 0..sizes[t] {
                        let column = &base[t][place * BLOCK..][..rows];
                        let others = if is_same { place..place + 1 } else { 0..sizes[u] };
                        let out = if is_same { place } else { place * sizes[u] };
                        let total = row_of::<A>(v, vy, column, &base[u], others, &mut pairs[pair][out..]);
                        if t == u {
                            right[t][place] += total;
                        }
                    }
                    pair += 1;
                }
            }
            first += rows;
        }
        Table { along, sizes, right, shifts, pairs }
    }
}

fn set(theta: &mut [f64], axes: &[Axis], along: Option<usize>, place: usize) {
    if let Some(axis) = along {
        theta[axes[axis].nonlinear] = axes[axis].values[place];
    }
}

/// Adds Σ v a b for the columns `others` of `base` to `out`, and returns Σ vy a.
#[inline(always)]
fn row_of<A: Arith>(
    v: &[f64],
    vy: &[f64],
    a: &[f64],
    base: &[f64],
    others: std::ops::Range<usize>,
    out: &mut [f64],
) -> f64 {
    const WIDTH: usize = 6;
    let column = |k: usize| &base[k * BLOCK..][..a.len()];
    let mut total = 0.0;
    let mut k = others.start;
    while k < others.end {
        if others.end - k >= WIDTH {
            let (sums, right) = weighted_dots::<A, WIDTH>(v, vy, a, std::array::from_fn(|m| column(k + m)));
            for (place, sum) in out[k - others.start..].iter_mut().zip(sums) {
                *place += sum;
            }
            total = right;
            k += WIDTH;
        } else {
            let ([sum], right) = weighted_dots::<A, 1>(v, vy, a, [column(k)]);
            out[k - others.start] += sum;
            total = right;
            k += 1;
        }
    }
    total
}
