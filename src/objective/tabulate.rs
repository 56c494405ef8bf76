//! Products of basis functions over a grid of one or two exponents: each function at all its places on the axis, then the
//! products of all places of one with all places of another, a product of matrices.
//!
//! Values lie row by row, the places of a row side by side, so that exponentials and sums run along the places: short
//! tables are as fast as long ones, and no vector has to be added up.

use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::law::Power;
use crate::objective::Objective;
use crate::objective::basis::Block;
use crate::objective::basis::fill_power;
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
/// Rows at a time: their values stay in the nearest memory while the products are made.
const STRIP: usize = 64;

/// A basis function at all its places, over a strip of rows.
#[derive(Clone, Debug, Default)]
struct Sheet {
    term: usize,
    axis: usize,
    n_places: usize,
    /// Places, padded.
    width: usize,
    /// The exponent of the axis at each place, and the shift.
    exponents: Vec<f64>,
    shifts: Vec<f64>,
    /// rows × width.
    values: Vec<f64>,
    /// The same times v.
    weighted: Vec<f64>,
    /// Σ v g², place by place.
    squares: Vec<f64>,
    /// Σ g h with each still column h, row-major over those.
    still: Vec<f64>,
}

/// What varies along no axis: columns beside each other, row by row. First v y, then each function times v.
#[derive(Clone, Debug, Default)]
struct Still {
    /// The functions.
    terms: Vec<usize>,
    /// Columns, padded to whole numbers of [`HIGH`].
    width: usize,
    values: Vec<f64>,
    /// Σ v y g of each, and Σ v g h of each with those up to itself, row-major.
    right: Vec<f64>,
    squares: Vec<f64>,
}

/// Where a basis function is found.
#[derive(Clone, Copy)]
enum Place {
    Still(usize),
    Moving(usize),
}

/// Every basis function by its kind, and the products of those that move with each other.
struct Sheets {
    still: Still,
    moving: Vec<Sheet>,
    /// a < b, whether both vary along one axis, and their products.
    crossed: Vec<(usize, usize, bool, Vec<f64>)>,
}

impl Work for Tabulate<'_> {
    type Out = Table;

    #[inline(always)]
    fn run<A: Arith>(self) -> Table {
        let Tabulate { projection, powers, axes, ref along, ref theta } = self;
        let data = projection.problem.rows;
        let mut shifts = Vec::new();
        projection.shifts(theta, &mut shifts);
        let Sheets { mut still, mut moving, mut crossed } = self.sheets();
        let n_still = still.terms.len();
        let mut column = [0.0; STRIP];
        let mut scales = [0.0; STRIP];
        let mut first = 0;
        // A strip is some hundredths of a millisecond. What is left undone belongs to a call that is given up.
        while first < data.padded && !projection.problem.is_cancelled() {
            let rows = STRIP.min(data.padded - first);
            let block = Block { columns: data.columns(), first, rows };
            let (v, vy) = projection.row_data(first, rows);
            let Still { terms, width, values, right, squares } = &mut still;
            for (row, vy) in values.chunks_exact_mut(*width).zip(vy) {
                row[0] = *vy;
            }
            for (place, &t) in terms.iter().enumerate() {
                fill_power::<A>(&powers[t], theta, shifts[t], block, &mut column[..rows]);
                let squares = &mut squares[place * n_still..][..=place];
                for ((row, g), v) in values.chunks_exact_mut(*width).zip(&column).zip(v) {
                    row[1 + place] = v * g;
                    right[place] = A::mul_add(row[0], *g, right[place]);
                    for (sum, weighted) in squares.iter_mut().zip(&row[1..]) {
                        *sum = A::mul_add(*weighted, *g, *sum);
                    }
                }
            }
            for sheet in &mut moving {
                let power = &powers[sheet.term];
                let exponent = prepare::<A>(power, axes[sheet.axis].nonlinear, theta, block, &mut column[..rows]);
                match power.factor.map(|c| block.column(c)) {
                    Some(factor) => scales.iter_mut().zip(factor).for_each(|(s, f)| *s = power.scale * f),
                    None => scales.fill(power.scale),
                }
                fill::<A>(sheet, &column[..rows], exponent, &scales, v);
                all_places::<A>((values, *width), (&sheet.values, sheet.width), rows, &mut sheet.still);
            }
            for (a, b, is_beside, out) in &mut crossed {
                let (left, other) = (&moving[*a], &moving[*b]);
                if *is_beside {
                    same_places::<A>(left, other, rows, out);
                } else {
                    all_places::<A>((&left.weighted, left.width), (&other.values, other.width), rows, out);
                }
            }
            first += rows;
        }
        let sizes: Vec<usize> = along.iter().map(|axis| axis.map_or(1, |a| axes[a].values.len())).collect();
        Sheets { still, moving, crossed }.table(self.along, sizes, &shifts)
    }
}

impl Tabulate<'_> {
    /// Room for all that is summed.
    fn sheets(&self) -> Sheets {
        let terms: Vec<usize> = (0..self.powers.len()).filter(|&t| self.along[t].is_none()).collect();
        let n = terms.len();
        let width = (1 + n).next_multiple_of(HIGH);
        let values = vec![0.0; STRIP.min(self.projection.problem.rows.padded) * width];
        let still = Still { terms, width, values, right: vec![0.0; n], squares: vec![0.0; n * n] };
        let moving: Vec<Sheet> =
            (0..self.powers.len()).filter_map(|t| Some(self.sheet(t, self.along[t]?, width))).collect();
        let mut crossed = Vec::new();
        for (a, left) in moving.iter().enumerate() {
            for (b, other) in moving.iter().enumerate().skip(a + 1) {
                let is_beside = left.axis == other.axis;
                let n_rows = if is_beside { 1 } else { left.width };
                crossed.push((a, b, is_beside, vec![0.0; n_rows * other.width]));
            }
        }
        Sheets { still, moving, crossed }
    }

    /// The empty sheet of a function that varies along `axis`.
    fn sheet(&self, term: usize, axis: usize, n_still: usize) -> Sheet {
        let Axis { nonlinear, values } = &self.axes[axis];
        let width = values.len().next_multiple_of(WIDTH);
        // Beyond the last place it stands once more.
        let exponents: Vec<f64> = (0..width).map(|place| values[place.min(values.len() - 1)]).collect();
        let mut theta = self.theta.clone();
        let shift = |exponent: &f64| {
            theta[*nonlinear] = *exponent;
            self.projection.shift(self.powers, term, &theta)
        };
        let shifts = exponents.iter().map(shift).collect();
        let strip = STRIP.min(self.projection.problem.rows.padded) * width;
        Sheet {
            term,
            axis,
            n_places: values.len(),
            width,
            exponents,
            shifts,
            values: vec![0.0; strip],
            weighted: vec![0.0; strip],
            squares: vec![0.0; width],
            still: vec![0.0; n_still * width],
        }
    }
}

impl Sheets {
    /// The sums without padding, by pairs of functions.
    fn table(mut self, along: Vec<Option<usize>>, sizes: Vec<usize>, still_shifts: &[f64]) -> Table {
        let n = along.len();
        let place = |t: usize| {
            let moving = self.moving.iter().position(|sheet| sheet.term == t).map(Place::Moving);
            moving.unwrap_or_else(|| Place::Still(self.still.terms.iter().take_while(|&&other| other != t).count()))
        };
        let places: Vec<Place> = (0..n).map(place).collect();
        let mut pairs = Vec::with_capacity(n * (n + 1) / 2);
        for t in 0..n {
            for u in t..n {
                pairs.push(match (places[t], places[u]) {
                    (Place::Still(a), Place::Still(b)) => vec![self.still.squares[b * self.still.terms.len() + a]],
                    (Place::Still(a), Place::Moving(m)) | (Place::Moving(m), Place::Still(a)) => {
                        self.moving[m].beside(1 + a)
                    }
                    (Place::Moving(a), Place::Moving(b)) if a == b => std::mem::take(&mut self.moving[a].squares),
                    (Place::Moving(a), Place::Moving(b)) => {
                        let found = self.crossed.iter_mut().find(|pair| (pair.0, pair.1) == (a, b));
                        let mut values = found.map(|pair| std::mem::take(&mut pair.3)).unwrap_or_default();
                        let (n_rows, width) = (values.len() / self.moving[b].width, self.moving[b].width);
                        for row in 1..n_rows {
                            values.copy_within(row * width..row * width + sizes[u], row * sizes[u]);
                        }
                        values.truncate(n_rows.min(sizes[t]) * sizes[u]);
                        values
                    }
                });
            }
        }
        let right = places.iter().map(|place| match *place {
            Place::Still(a) => vec![self.still.right[a]],
            Place::Moving(m) => self.moving[m].beside(0),
        });
        let right = right.collect();
        let shifts = places.iter().enumerate().map(|(t, place)| match *place {
            Place::Still(_) => vec![still_shifts[t]],
            Place::Moving(m) => self.moving[m].shifts[..sizes[t]].to_vec(),
        });
        let shifts = shifts.collect();
        Table { along, sizes, right, shifts, pairs }
    }
}

impl Sheet {
    /// Products with a still column.
    fn beside(&self, column: usize) -> Vec<f64> {
        self.still[column * self.width..][..self.n_places].to_vec()
    }
}

/// What is added to the scanned exponent's share in each row, and the column that it multiplies.
#[inline(always)]
fn prepare<'a, A: Arith>(
    power: &Power,
    scanned: usize,
    theta: &[f64],
    block: Block<'a>,
    base: &mut [f64],
) -> &'a [f64] {
    base.fill(0.0);
    let mut moving: &[f64] = &[];
    for &(q, u) in &power.exponents {
        if q == scanned {
            moving = block.column(u);
        } else {
            base.iter_mut().zip(block.column(u)).for_each(|(b, u)| *b = A::mul_add(theta[q], *u, *b));
        }
    }
    moving
}

/// The values of a strip, and the sums of their squares. One thing after another: the compiler makes vectors of long loops,
/// and of exponentials in short ones single numbers.
#[inline(always)]
fn fill<A: Arith>(sheet: &mut Sheet, base: &[f64], moving: &[f64], scales: &[f64], v: &[f64]) {
    let Sheet { width, exponents, shifts, values, weighted, squares, .. } = sheet;
    let rows = base.len();
    let (values, weighted) = (&mut values[..rows * *width], &mut weighted[..rows * *width]);
    let (exponents, shifts) = (exponents.as_chunks::<WIDTH>().0, shifts.as_chunks::<WIDTH>().0);
    let chunks = values.as_chunks_mut::<WIDTH>().0.chunks_exact_mut(exponents.len());
    for ((row, &u), &base) in chunks.zip(moving).zip(base) {
        for ((x, exponent), shift) in row.iter_mut().zip(exponents).zip(shifts) {
            for lane in 0..WIDTH {
                x[lane] = A::mul_add(exponent[lane], u, base - shift[lane]);
            }
        }
    }
    for x in values.iter_mut() {
        *x = special::exp::<A>(*x);
    }
    let rows = values.as_chunks_mut::<WIDTH>().0.chunks_exact_mut(exponents.len());
    let weighted = weighted.as_chunks_mut::<WIDTH>().0.chunks_exact_mut(exponents.len());
    for (((row, weighted), &scale), &v) in rows.zip(weighted).zip(scales).zip(v) {
        for ((g, weighted), square) in row.iter_mut().zip(weighted).zip(squares.as_chunks_mut::<WIDTH>().0) {
            // Values of their own, which are known to lie apart.
            let value = g.map(|g| scale * g);
            let times_v = value.map(|g| v * g);
            let mut sums = *square;
            for lane in 0..WIDTH {
                sums[lane] = A::mul_add(times_v[lane], value[lane], sums[lane]);
            }
            (*g, *weighted, *square) = (value, times_v, sums);
        }
    }
}

/// Adds Σ v g h, place by place.
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

/// Columns beside each other, row by row, and how many.
type Columns<'a> = (&'a [f64], usize);

/// Adds Σ g h for all columns of both: four of one by sixteen of the other stay in registers.
#[inline(always)]
fn all_places<A: Arith>(a: Columns<'_>, b: Columns<'_>, rows: usize, out: &mut [f64]) {
    // Wide vectors come with twice as many registers.
    let widest = if A::LEVEL == Level::Avx512 { 2 } else { 1 };
    for i in (0..a.1).step_by(HIGH) {
        let mut k = 0;
        while k < b.1 {
            if widest == 2 && b.1 - k >= 2 * WIDTH {
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
fn tile<A: Arith, const WIDE: usize>(
    a: Columns<'_>,
    b: Columns<'_>,
    rows: usize,
    (i, k): (usize, usize),
    out: &mut [f64],
) {
    let mut sums = [[[0.0; WIDTH]; WIDE]; HIGH];
    let lefts = a.0.as_chunks::<HIGH>().0.chunks_exact(a.1 / HIGH).take(rows);
    for (left, other) in lefts.zip(b.0.as_chunks::<WIDTH>().0.chunks_exact(b.1 / WIDTH)) {
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
        let out = &mut out[(i + h) * b.1 + k..][..WIDE * WIDTH];
        for (out, sums) in out.as_chunks_mut::<WIDTH>().0.iter_mut().zip(sums) {
            for lane in 0..WIDTH {
                out[lane] += sums[lane];
            }
        }
    }
}
