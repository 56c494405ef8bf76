//! Products of basis functions over a grid of one or two exponents: each function at all its places on the axis, then the
//! products of all places of one with all places of another, a product of matrices.
//!
//! Values lie row by row, the places of a row side by side, so that exponentials and sums run along the places: short
//! tables are as fast as long ones, and no vector has to be added up.

use crate::dispatch::Arith;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::formula::program::BLOCK;
use crate::law::Power;
use crate::objective::Objective;
use crate::objective::projection::Products;
use crate::objective::projection::Projection;
use crate::special;

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
    pub(crate) along: Vec<Option<usize>>,
    /// Its places there.
    pub(crate) sizes: Vec<usize>,
    /// For each basis function and place on its axis Σ v y g, and its shift.
    pub(crate) right: Vec<Vec<f64>>,
    pub(crate) shifts: Vec<Vec<f64>>,
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
        for t in 0..n {
            out.right.push(self.right[t][place(t)]);
            out.shifts.push(self.shifts[t][place(t)]);
            for u in t..n {
                out.gram[t * n + u] = self.product(t, place(t), u, place(u));
            }
        }
    }

    /// Σ v gₜ gᵤ for t ≤ u at their places.
    pub(crate) fn product(&self, t: usize, place: usize, u: usize, other: usize) -> f64 {
        let values = self.pair(t, u);
        if self.along[t] == self.along[u] { values[place] } else { values[place * self.sizes[u] + other] }
    }

    /// The products of t ≤ u.
    pub(crate) fn pair(&self, t: usize, u: usize) -> &[f64] {
        let n = self.along.len();
        &self.pairs[t * n - t * (t + 1) / 2 + u]
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

/// Places are padded to whole numbers of vectors.
const WIDTH: usize = 8;
/// Places of one function that are multiplied with those of another at a time.
const HIGH: usize = 4;

/// A basis function at all its places, over a block of rows.
#[derive(Clone, Debug, Default)]
struct Sheet {
    /// Places, padded.
    width: usize,
    /// The exponent of the axis at each place, and the shift.
    exponents: Vec<f64>,
    shifts: Vec<f64>,
    /// rows × width.
    values: Vec<f64>,
    /// The same times v.
    weighted: Vec<f64>,
}

impl Work for Tabulate<'_> {
    type Out = Table;

    #[inline(always)]
    fn run<A: Arith>(self) -> Table {
        let Tabulate { projection, powers, axes, along, mut theta } = self;
        let data = projection.problem.rows;
        let sizes: Vec<usize> = along.iter().map(|axis| axis.map_or(1, |a| axes[a].values.len())).collect();
        let n = powers.len();
        let mut at_place = Vec::new();
        let mut sheets: Vec<Sheet> = Vec::with_capacity(n);
        for t in 0..n {
            let width = sizes[t].next_multiple_of(WIDTH);
            let mut sheet = Sheet { width, ..Sheet::default() };
            for place in 0..width {
                // Beyond the last place it stands once more.
                let place = place.min(sizes[t] - 1);
                if let Some(a) = along[t] {
                    theta[axes[a].nonlinear] = axes[a].values[place];
                    sheet.exponents.push(axes[a].values[place]);
                } else {
                    sheet.exponents.push(0.0);
                }
                projection.shifts(&theta, &mut at_place);
                sheet.shifts.push(at_place[t]);
            }
            let most = BLOCK.min(data.padded) * width;
            sheet.values.resize(most, 0.0);
            sheet.weighted.resize(most, 0.0);
            sheets.push(sheet);
        }
        let mut right: Vec<Vec<f64>> = sheets.iter().map(|sheet| vec![0.0; sheet.width]).collect();
        let mut pairs: Vec<Vec<f64>> = Vec::new();
        for t in 0..n {
            for u in t..n {
                let (a, b) = (sheets[t].width, sheets[u].width);
                pairs.push(vec![0.0; if along[t] == along[u] { a } else { a * b }]);
            }
        }
        let mut base = [0.0; BLOCK];
        let mut first = 0;
        // A block is a tenth of a millisecond of work. What is left undone belongs to a call that is given up.
        while first < data.padded && !projection.problem.is_cancelled() {
            let rows = BLOCK.min(data.padded - first);
            let column = |c: usize| &data.columns[c * data.padded + first..][..rows];
            let (v, vy) = projection.row_data(first, rows);
            for t in 0..n {
                let power = &powers[t];
                let scanned = along[t].map(|a| axes[a].nonlinear);
                let base = &mut base[..rows];
                base.fill(0.0);
                let mut moving = None;
                for &(q, u) in &power.exponents {
                    if Some(q) == scanned {
                        moving = Some(column(u));
                    } else {
                        base.iter_mut().zip(column(u)).for_each(|(b, u)| *b = A::mul_add(theta[q], *u, *b));
                    }
                }
                let factor = power.factor.map(column);
                fill::<A>(&mut sheets[t], base, moving, (power.scale, factor), (v, vy), &mut right[t]);
            }
            let mut pair = 0;
            for t in 0..n {
                for u in t..n {
                    let (left, other) = (&sheets[t], &sheets[u]);
                    if along[t] == along[u] {
                        same_places::<A>(left, other, rows, &mut pairs[pair]);
                    } else {
                        all_places::<A>(left, other, rows, &mut pairs[pair]);
                    }
                    pair += 1;
                }
            }
            first += rows;
        }
        let mut pair = 0;
        for t in 0..n {
            for u in t..n {
                let values = &mut pairs[pair];
                pair += 1;
                if along[t] == along[u] {
                    values.truncate(sizes[t]);
                } else {
                    let width = sheets[u].width;
                    for place in 1..sizes[t] {
                        values.copy_within(place * width..place * width + sizes[u], place * sizes[u]);
                    }
                    values.truncate(sizes[t] * sizes[u]);
                }
            }
            right[t].truncate(sizes[t]);
            sheets[t].shifts.truncate(sizes[t]);
        }
        Table { along, sizes, right, shifts: sheets.into_iter().map(|sheet| sheet.shifts).collect(), pairs }
    }
}

/// The values of a block, and Σ vy g added to `right`.
#[inline(always)]
fn fill<A: Arith>(
    sheet: &mut Sheet,
    base: &[f64],
    moving: Option<&[f64]>,
    (scale, factor): (f64, Option<&[f64]>),
    (v, vy): (&[f64], &[f64]),
    right: &mut [f64],
) {
    let Sheet { width, exponents, shifts, values, weighted } = sheet;
    for row in 0..base.len() {
        let u = moving.map_or(0.0, |moving| moving[row]);
        let scale = factor.map_or(scale, |factor| scale * factor[row]);
        let (base, v, vy) = (base[row], v[row], vy[row]);
        let values = values[row * *width..][..*width].as_chunks_mut::<WIDTH>().0;
        let weighted = weighted[row * *width..][..*width].as_chunks_mut::<WIDTH>().0;
        let inputs = exponents.as_chunks::<WIDTH>().0.iter().zip(shifts.as_chunks::<WIDTH>().0);
        let outputs = values.iter_mut().zip(weighted).zip(right.as_chunks_mut::<WIDTH>().0);
        for ((exponents, shifts), ((values, weighted), right)) in inputs.zip(outputs) {
            for lane in 0..WIDTH {
                let g = scale * special::exp::<A>(A::mul_add(exponents[lane], u, base - shifts[lane]));
                values[lane] = g;
                weighted[lane] = v * g;
                right[lane] = A::mul_add(vy, g, right[lane]);
            }
        }
    }
}

/// Adds Σ v g h, place by place; of one place where only one of them has one.
#[inline(always)]
fn same_places<A: Arith>(a: &Sheet, b: &Sheet, rows: usize, out: &mut [f64]) {
    let width = a.width;
    for row in 0..rows {
        let a = a.weighted[row * width..][..width].as_chunks::<WIDTH>().0;
        let b = b.values[row * width..][..width].as_chunks::<WIDTH>().0;
        for ((out, a), b) in out.as_chunks_mut::<WIDTH>().0.iter_mut().zip(a).zip(b) {
            for lane in 0..WIDTH {
                out[lane] = A::mul_add(a[lane], b[lane], out[lane]);
            }
        }
    }
}

/// Adds Σ v g h for all places of both: four of one by sixteen of the other stay in registers.
#[inline(always)]
fn all_places<A: Arith>(a: &Sheet, b: &Sheet, rows: usize, out: &mut [f64]) {
    for i in (0..a.width).step_by(HIGH) {
        let mut k = 0;
        while k < b.width {
            if b.width - k >= 2 * WIDTH {
                tile::<A, 2>(a, b, rows, (i, k), out);
                k += 2 * WIDTH;
            } else {
                tile::<A, 1>(a, b, rows, (i, k), out);
                k += WIDTH;
            }
        }
    }
}

#[inline(always)]
fn tile<A: Arith, const WIDE: usize>(a: &Sheet, b: &Sheet, rows: usize, (i, k): (usize, usize), out: &mut [f64]) {
    let mut sums = [[[0.0; WIDTH]; WIDE]; HIGH];
    let lefts = a.weighted.as_chunks::<HIGH>().0.chunks_exact(a.width / HIGH).take(rows);
    for (left, other) in lefts.zip(b.values.as_chunks::<WIDTH>().0.chunks_exact(b.width / WIDTH)) {
        let left = left[i / HIGH];
        let other: [[f64; WIDTH]; WIDE] = std::array::from_fn(|w| other[k / WIDTH + w]);
        for h in 0..HIGH {
            for w in 0..WIDE {
                for lane in 0..WIDTH {
                    sums[h][w][lane] = A::mul_add(left[h], other[w][lane], sums[h][w][lane]);
                }
            }
        }
    }
    // Without this the compiler takes the sums apart, number by number.
    let sums = std::hint::black_box(sums);
    for (h, sums) in sums.iter().enumerate() {
        let out = &mut out[(i + h) * b.width + k..][..WIDE * WIDTH];
        for (out, sums) in out.as_chunks_mut::<WIDTH>().0.iter_mut().zip(sums) {
            for lane in 0..WIDTH {
                out[lane] += sums[lane];
            }
        }
    }
}
