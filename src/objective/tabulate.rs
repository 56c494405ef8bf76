//! Products of basis functions over a grid of one or two exponents: each function at all its places on the axis, then the
//! products of all places of one with all places of another, a product of matrices.
//!
//! Values lie row by row, the places of a row side by side, so that exponentials and sums run along the places: short
//! tables are as fast as long ones, and no vector has to be added up.

use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::law::Exponent;
use crate::law::Power;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::basis::Block;
use crate::objective::basis::fill_power;
use crate::objective::grow;
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
    /// For each basis function Σ v y g at each place on its axis, then its shifts there; then for each pair of basis functions
    /// their products, row-major over the places of the first and of the second; where both vary along one axis, the places
    /// are the same. One stretch of memory, and where each of these begins.
    values: Vec<f64>,
    starts: Vec<usize>,
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
            out.right.push(self.right(t)[place(t)]);
            out.shifts.push(self.part(n + t)[place(t)]);
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
        self.part(2 * n + t * n - t * (t + 1) / 2 + u)
    }

    /// Σ v y g at each place.
    pub(crate) fn right(&self, t: usize) -> &[f64] {
        self.part(t)
    }

    /// Gives the memory back.
    pub(crate) fn release(self, scratch: &mut Scratch) {
        scratch.put_back(self.values);
    }

    fn part(&self, index: usize) -> &[f64] {
        &self.values[self.starts[index]..self.starts[index + 1]]
    }

    /// Room for one more part, of `n` values.
    fn extend(&mut self, n: usize) -> &mut [f64] {
        let first = self.starts.last().copied().unwrap_or(0);
        self.starts.push(first + n);
        grow(&mut self.values, first + n);
        &mut self.values[first..first + n]
    }
}

impl Projection<'_> {
    /// The products over a grid, other nonlinear parameters being those of `params`; `None` where a basis function is no
    /// power or varies along two axes.
    pub(crate) fn tabulate(&self, axes: &[Axis], params: &[f64], scratch: &mut Scratch) -> Option<Table> {
        let powers = self.separable.powers.as_deref()?;
        let axis_of = |power: &Power| {
            let mut found =
                axes.iter().enumerate().filter(|(_, a)| power.exponents.iter().any(|e| e.nonlinear == a.nonlinear));
            let first = found.next().map(|(i, _)| i);
            if found.next().is_some() { None } else { Some(first) }
        };
        let along: Vec<Option<usize>> = powers.iter().map(axis_of).collect::<Option<_>>()?;
        let theta: Vec<f64> = self.separable.nonlinear.iter().map(|&j| params[j]).collect();
        Some(dispatch(self.problem.level, Tabulate { projection: self, powers, axes, along, theta, scratch }))
    }
}

struct Tabulate<'a> {
    projection: &'a Projection<'a>,
    powers: &'a [Power],
    axes: &'a [Axis],
    along: Vec<Option<usize>>,
    theta: Vec<f64>,
    scratch: &'a mut Scratch,
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
    fn run<A: Arith>(mut self) -> Table {
        let Sheets { mut still, mut moving, mut crossed } = self.sheets();
        let Tabulate { projection, powers, axes, along, ref theta, scratch } = self;
        let data = projection.problem.rows;
        let mut shifts = Vec::new();
        projection.shifts(theta, &mut shifts);
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
        Sheets { still, moving, crossed }.table(along, sizes, &shifts, scratch)
    }
}

impl Tabulate<'_> {
    /// Room for all that is summed.
    fn sheets(&mut self) -> Sheets {
        let terms: Vec<usize> = (0..self.powers.len()).filter(|&t| self.along[t].is_none()).collect();
        let n = terms.len();
        let width = (1 + n).next_multiple_of(HIGH);
        let values = self.strip(width);
        let still = Still { terms, width, values, right: vec![0.0; n], squares: vec![0.0; n * n] };
        let moving: Vec<Sheet> =
            (0..self.powers.len()).filter_map(|t| Some(self.sheet(t, self.along[t]?, width))).collect();
        let mut crossed = Vec::new();
        for (a, left) in moving.iter().enumerate() {
            for (b, other) in moving.iter().enumerate().skip(a + 1) {
                let is_beside = left.axis == other.axis;
                let n = if is_beside { other.width } else { left.width * other.width };
                let mut sums = self.scratch.take(n);
                sums.truncate(n);
                sums.fill(0.0);
                crossed.push((a, b, is_beside, sums));
            }
        }
        Sheets { still, moving, crossed }
    }

    /// The empty sheet of a function that varies along `axis`.
    fn sheet(&mut self, term: usize, axis: usize, n_still: usize) -> Sheet {
        let Axis { nonlinear, values } = &self.axes[axis];
        let width = values.len().next_multiple_of(WIDTH);
        // Beyond the last place it stands once more.
        let mut exponents: Vec<f64> = (0..width).map(|place| values[place.min(values.len() - 1)]).collect();
        let mut theta = self.theta.clone();
        let shift = |exponent: &f64| {
            theta[*nonlinear] = *exponent;
            self.projection.shift(self.powers, term, &theta)
        };
        let shifts = exponents.iter().map(shift).collect();
        let scanned = self.powers[term].exponents.iter().find(|exponent| exponent.nonlinear == *nonlinear);
        let sign = scanned.map_or(1.0, |exponent| exponent.sign);
        for exponent in &mut exponents {
            *exponent *= sign;
        }
        Sheet {
            term,
            axis,
            n_places: values.len(),
            width,
            exponents,
            shifts,
            values: self.strip(width),
            weighted: self.strip(width),
            squares: vec![0.0; width],
            still: vec![0.0; n_still * width],
        }
    }
}

impl Tabulate<'_> {
    /// Room for a strip of rows, which hold anything.
    fn strip(&mut self, width: usize) -> Vec<f64> {
        self.scratch.take(STRIP.min(self.projection.problem.rows.padded) * width)
    }
}

impl Sheets {
    /// The sums without padding, by pairs of functions.
    fn table(self, along: Vec<Option<usize>>, sizes: Vec<usize>, still_shifts: &[f64], scratch: &mut Scratch) -> Table {
        let n = along.len();
        let place = |t: usize| {
            let moving = self.moving.iter().position(|sheet| sheet.term == t).map(Place::Moving);
            moving.unwrap_or_else(|| Place::Still(self.still.terms.iter().take_while(|&&other| other != t).count()))
        };
        let places: Vec<Place> = (0..n).map(place).collect();
        let (values, starts) = (scratch.take(0), Vec::with_capacity(2 * n + n * (n + 1) / 2 + 1));
        let mut out = Table { along, sizes, values, starts };
        out.extend(0);
        for (t, place) in places.iter().enumerate() {
            let right = out.extend(out.sizes[t]);
            match *place {
                Place::Still(a) => right[0] = self.still.right[a],
                Place::Moving(m) => right.copy_from_slice(self.moving[m].beside(0)),
            }
        }
        for (t, place) in places.iter().enumerate() {
            let shifts = out.extend(out.sizes[t]);
            match *place {
                Place::Still(_) => shifts[0] = still_shifts[t],
                Place::Moving(m) => shifts.copy_from_slice(&self.moving[m].shifts[..shifts.len()]),
            }
        }
        for t in 0..n {
            for u in t..n {
                match (places[t], places[u]) {
                    (Place::Still(a), Place::Still(b)) => {
                        out.extend(1)[0] = self.still.squares[b * self.still.terms.len() + a];
                    }
                    (Place::Still(a), Place::Moving(m)) | (Place::Moving(m), Place::Still(a)) => {
                        let sheet = &self.moving[m];
                        out.extend(sheet.n_places).copy_from_slice(sheet.beside(1 + a));
                    }
                    (Place::Moving(a), Place::Moving(b)) if a == b => {
                        let sheet = &self.moving[a];
                        out.extend(sheet.n_places).copy_from_slice(&sheet.squares[..sheet.n_places]);
                    }
                    (Place::Moving(a), Place::Moving(b)) => {
                        let (left, other) = (&self.moving[a], &self.moving[b]);
                        let found = self.crossed.iter().find(|pair| (pair.0, pair.1) == (a, b));
                        let (is_beside, sums) = found.map_or((true, &[][..]), |pair| (pair.2, &pair.3[..]));
                        let n_rows = if is_beside { 1 } else { left.n_places };
                        let rows = out.extend(n_rows * other.n_places).chunks_exact_mut(other.n_places);
                        for (row, sums) in rows.zip(sums.chunks_exact(other.width)) {
                            row.copy_from_slice(&sums[..other.n_places]);
                        }
                    }
                }
            }
        }
        let Sheets { still, moving, crossed } = self;
        scratch.put_back(still.values);
        for sheet in moving {
            scratch.put_back(sheet.values);
            scratch.put_back(sheet.weighted);
        }
        for (.., sums) in crossed {
            scratch.put_back(sums);
        }
        out
    }
}

impl Sheet {
    /// Products with a still column.
    fn beside(&self, column: usize) -> &[f64] {
        &self.still[column * self.width..][..self.n_places]
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
    for &Exponent { nonlinear, column, sign } in &power.exponents {
        if nonlinear == scanned {
            moving = block.column(column);
        } else {
            let theta = sign * theta[nonlinear];
            base.iter_mut().zip(block.column(column)).for_each(|(b, u)| *b = A::mul_add(theta, *u, *b));
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
