//! Products of basis functions over a grid of one or two exponents: each function at all its places on the axis, then the
//! products of all places of one with all places of another, a product of matrices.
//!
//! A place whose exponent is the sum of two others' is the product of their columns: on a grid of multiples of one step nearly
//! all exponentials are multiplications.

use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::law::Power;
use crate::linalg::dot;
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

/// Columns of either side whose products are summed at a time, in registers.
const TILE: usize = 3;
/// Most rows at a time: their values stay near while the products are made. Columns of a power of two would lie in each other's
/// way there.
const STRIP: usize = 80;

/// How the column of a place is made.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// exp(θ u − shift).
    Exponential { theta: f64, shift: f64 },
    /// The product of two columns that are there.
    Product(usize, usize),
}

/// A basis function at all its places, over a strip of rows.
#[derive(Clone, Debug, Default)]
struct Sheet {
    term: usize,
    axis: usize,
    n_places: usize,
    /// Places, padded to whole numbers of [`TILE`] by columns of zeros.
    width: usize,
    /// What the scanned exponent stands on.
    column: usize,
    /// The places in an order in which they can be made.
    steps: Vec<(usize, Step)>,
    shifts: Vec<f64>,
    /// All of the power but for the scanned exponent, and the shift of that, unless it is 1.
    rest: Option<(Power, f64)>,
    /// Its columns over a strip.
    values: Vec<f64>,
    /// The same times v.
    weighted: Vec<f64>,
    /// Σ v g², place by place.
    squares: Vec<f64>,
    /// Σ g h with each still column h, row-major over those.
    still: Vec<f64>,
}

/// What varies along no axis: first v y, then each function times v, in columns over a strip.
#[derive(Clone, Debug, Default)]
struct Still {
    /// The functions.
    terms: Vec<usize>,
    /// Columns, padded to whole numbers of [`TILE`] by columns of zeros.
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
        // Nine sums of so many lanes fill the registers of a level.
        match A::LEVEL {
            Level::Portable => self.sum::<A, 2>(),
            Level::Avx2Fma | Level::Neon => self.sum::<A, 4>(),
            Level::Avx512 => self.sum::<A, 8>(),
        }
    }
}

impl Tabulate<'_> {
    #[inline(always)]
    fn sum<A: Arith, const LANES: usize>(mut self) -> Table {
        let Sheets { mut still, mut moving, mut crossed } = self.sheets();
        let Tabulate { projection, powers, axes, along, ref theta, scratch } = self;
        let data = projection.problem.rows;
        let mut shifts = Vec::new();
        projection.shifts(theta, &mut shifts);
        let n_still = still.terms.len();
        let stride = STRIP.min(data.padded);
        let mut column = [0.0; STRIP];
        let mut first = 0;
        // A strip is some hundredths of a millisecond. What is left undone belongs to a call that is given up.
        while first < data.padded && !projection.problem.is_cancelled() {
            let rows = STRIP.min(data.padded - first);
            let strip = Strip { rows, stride };
            let block = Block { columns: data.columns(), first, rows };
            let (v, vy) = projection.row_data(first, rows);
            let Still { terms, width, values, right, squares } = &mut still;
            values[..rows].copy_from_slice(vy);
            for (place, &t) in terms.iter().enumerate() {
                let column = &mut column[..rows];
                fill_power::<A>(&powers[t], theta, shifts[t], block, column);
                weigh(column, v, &mut values[(1 + place) * stride..]);
                right[place] += dot::<A>(vy, column);
                for k in 0..=place {
                    squares[place * n_still + k] += dot::<A>(&values[(1 + k) * stride..][..rows], column);
                }
            }
            for sheet in &mut moving {
                fill::<A>(sheet, theta, block, strip, v, &mut column);
                all_places::<A, LANES>((values, *width), (&sheet.values, sheet.width), strip, &mut sheet.still);
            }
            for (a, b, is_beside, out) in &mut crossed {
                let (left, other) = (&moving[*a], &moving[*b]);
                if *is_beside {
                    same_places::<A>(left, other, strip, out);
                } else {
                    all_places::<A, LANES>((&left.weighted, left.width), (&other.values, other.width), strip, out);
                }
            }
            first += rows;
        }
        let sizes: Vec<usize> = along.iter().map(|axis| axis.map_or(1, |a| axes[a].values.len())).collect();
        Sheets { still, moving, crossed }.table(along, sizes, &shifts, scratch)
    }

    /// Room for all that is summed.
    fn sheets(&mut self) -> Sheets {
        let terms: Vec<usize> = (0..self.powers.len()).filter(|&t| self.along[t].is_none()).collect();
        let n = terms.len();
        let width = (1 + n).next_multiple_of(TILE);
        let values = self.strip(1 + n, width);
        let still = Still { terms, width, values, right: vec![0.0; n], squares: vec![0.0; n * n] };
        let moving: Vec<Sheet> =
            (0..self.powers.len()).filter_map(|t| Some(self.sheet(t, self.along[t]?, width))).collect();
        let mut crossed = Vec::new();
        for (a, left) in moving.iter().enumerate() {
            for (b, other) in moving.iter().enumerate().skip(a + 1) {
                let is_beside = left.axis == other.axis;
                let n = if is_beside { other.width } else { left.width * other.width };
                let mut sums = self.scratch.take(n);
                sums[..n].fill(0.0);
                crossed.push((a, b, is_beside, sums));
            }
        }
        Sheets { still, moving, crossed }
    }

    /// The empty sheet of a function that varies along `axis`.
    fn sheet(&mut self, term: usize, axis: usize, n_still: usize) -> Sheet {
        let Axis { nonlinear, values: places } = &self.axes[axis];
        let power = &self.powers[term];
        let scanned = power.exponents.iter().take_while(|exponent| exponent.nonlinear != *nonlinear).count();
        let largest = |index: usize, theta: f64| self.projection.largest(power, term, index, theta);
        let mut rest = power.clone();
        let moving = rest.exponents.remove(scanned);
        let others = (0..power.exponents.len()).filter(|&index| index != scanned);
        let rest_shift: f64 = others.map(|index| largest(index, self.theta[power.exponents[index].nonlinear])).sum();
        let is_one = rest.exponents.is_empty() && rest.factor.is_none() && rest.scale == 1.0;
        let shifts: Vec<f64> = places.iter().map(|&theta| largest(scanned, theta)).collect();
        let mut steps = steps(places);
        for (place, step) in &mut steps {
            if let Step::Exponential { theta, shift } = step {
                (*theta, *shift) = (moving.sign * *theta, shifts[*place]);
            }
        }
        let n_places = places.len();
        let width = n_places.next_multiple_of(TILE);
        Sheet {
            term,
            axis,
            n_places,
            width,
            column: moving.column,
            steps,
            shifts: shifts.iter().map(|shift| shift + rest_shift).collect(),
            rest: (!is_one).then_some((rest, rest_shift)),
            values: self.strip(n_places, width),
            weighted: self.strip(n_places, width),
            squares: vec![0.0; n_places],
            still: vec![0.0; n_still * width],
        }
    }

    /// Room for a strip of so many columns, which hold anything, and zeros beyond the first `n`.
    fn strip(&mut self, n: usize, width: usize) -> Vec<f64> {
        let stride = STRIP.min(self.projection.problem.rows.padded);
        let mut values = self.scratch.take(width * stride);
        values[n * stride..width * stride].fill(0.0);
        values
    }
}

/// How the places of an axis, which rise, come about: exponents that are exactly the sum of two others of their sign need no
/// exponential. Shifts are linear in exponents of one sign, and no value of any of them is above 1.
fn steps(places: &[f64]) -> Vec<(usize, Step)> {
    let n_negative = places.partition_point(|theta| *theta < 0.0);
    let mut found: Vec<(usize, Step)> = Vec::with_capacity(places.len());
    let mut first = 0;
    for place in (0..n_negative).rev().chain(n_negative..places.len()) {
        if place == n_negative {
            first = n_negative;
        }
        let theta = places[place];
        let step = sum_of_two(places, &found[first..], theta)
            .map_or(Step::Exponential { theta, shift: 0.0 }, |(a, b)| Step::Product(a, b));
        found.push((place, step));
    }
    found
}

/// Two of the places `made`, in the order of their size, whose exponents add up to `theta`; they may be one.
fn sum_of_two(places: &[f64], made: &[(usize, Step)], theta: f64) -> Option<(usize, usize)> {
    let (mut small, mut large) = (0, made.len());
    while small < large {
        let (a, b) = (made[small].0, made[large - 1].0);
        let sum = places[a] + places[b];
        if sum == theta {
            return Some((a, b));
        }
        if sum.abs() < theta.abs() { small += 1 } else { large -= 1 }
    }
    None
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

/// Rows of a strip, and how far its columns lie apart.
#[derive(Clone, Copy)]
struct Strip {
    rows: usize,
    stride: usize,
}

/// `v g`.
#[inline(always)]
fn weigh(g: &[f64], v: &[f64], out: &mut [f64]) {
    for ((out, g), v) in out.iter_mut().zip(g).zip(v) {
        *out = v * g;
    }
}

/// The values of a strip, and the sums of their squares.
#[inline(always)]
fn fill<A: Arith>(
    sheet: &mut Sheet,
    theta: &[f64],
    block: Block<'_>,
    Strip { rows, stride }: Strip,
    v: &[f64],
    factors: &mut [f64; STRIP],
) {
    let Sheet { column, steps, rest, values, weighted, squares, .. } = sheet;
    let moving = block.column(*column);
    let range = |place: usize| place * stride..place * stride + rows;
    for &(place, step) in &*steps {
        match step {
            Step::Exponential { theta, shift } => {
                for (x, &u) in values[range(place)].iter_mut().zip(moving) {
                    *x = special::exp::<A>(A::mul_add(theta, u, -shift));
                }
            }
            Step::Product(a, b) if a == b => {
                if let Ok([out, a]) = values.get_disjoint_mut([range(place), range(a)]) {
                    out.iter_mut().zip(&*a).for_each(|(out, a)| *out = a * a);
                }
            }
            Step::Product(a, b) => {
                if let Ok([out, a, b]) = values.get_disjoint_mut([range(place), range(a), range(b)]) {
                    out.iter_mut().zip(&*a).zip(&*b).for_each(|((out, a), b)| *out = a * b);
                }
            }
        }
    }
    if let Some((rest, shift)) = rest {
        let factors = &mut factors[..rows];
        fill_power::<A>(rest, theta, *shift, block, factors);
        for column in values.chunks_exact_mut(stride).take(squares.len()) {
            column.iter_mut().zip(&*factors).for_each(|(g, factor)| *g *= factor);
        }
    }
    for ((g, weighted), square) in values.chunks_exact(stride).zip(weighted.chunks_exact_mut(stride)).zip(squares) {
        let (g, weighted) = (&g[..rows], &mut weighted[..rows]);
        weigh(g, v, weighted);
        *square += dot::<A>(weighted, g);
    }
}

/// Adds Σ v g h, place by place.
#[inline(always)]
fn same_places<A: Arith>(a: &Sheet, b: &Sheet, Strip { rows, stride }: Strip, out: &mut [f64]) {
    let columns = a.weighted.chunks_exact(stride).zip(b.values.chunks_exact(stride));
    for (out, (a, b)) in out.iter_mut().zip(columns).take(a.n_places) {
        *out += dot::<A>(&a[..rows], &b[..rows]);
    }
}

/// Columns over a strip, and how many.
type Columns<'a> = (&'a [f64], usize);

/// Adds Σ g h for all columns of both.
#[inline(always)]
fn all_places<A: Arith, const LANES: usize>(a: Columns<'_>, b: Columns<'_>, strip: Strip, out: &mut [f64]) {
    let width = TILE * strip.stride;
    let bands = out.chunks_exact_mut(TILE * b.1);
    for (a, band) in a.0.chunks_exact(width).zip(bands).take(a.1 / TILE) {
        for (k, b_columns) in b.0.chunks_exact(width).take(b.1 / TILE).enumerate() {
            let sums = tile::<A, LANES>(a, b_columns, strip);
            for (h, sums) in sums.iter().enumerate() {
                let out = &mut band[h * b.1 + k * TILE..][..TILE];
                for (out, sums) in out.iter_mut().zip(sums) {
                    *out += total(*sums);
                }
            }
        }
    }
}

/// Sums of the products of the first columns of both, lane by lane.
#[inline(always)]
fn tile<A: Arith, const LANES: usize>(
    a: &[f64],
    b: &[f64],
    Strip { rows, stride }: Strip,
) -> [[[f64; LANES]; TILE]; TILE] {
    let a: [_; TILE] = std::array::from_fn(|k| a[k * stride..][..rows].as_chunks::<LANES>().0);
    let b: [_; TILE] = std::array::from_fn(|k| b[k * stride..][..rows].as_chunks::<LANES>().0);
    let mut sums = [[[0.0; LANES]; TILE]; TILE];
    // Side by side they need no look at their ends.
    let a = a[0].iter().zip(a[1]).zip(a[2]).map(|((x, y), z)| [x, y, z]);
    let b = b[0].iter().zip(b[1]).zip(b[2]).map(|((x, y), z)| [x, y, z]);
    for (a, b) in a.zip(b) {
        for h in 0..TILE {
            for w in 0..TILE {
                for lane in 0..LANES {
                    sums[h][w][lane] = A::mul_add(a[h][lane], b[w][lane], sums[h][w][lane]);
                }
            }
        }
    }
    // Without this the compiler takes the sums apart, number by number.
    std::hint::black_box(sums)
}

/// The sum of the lanes.
#[inline(always)]
fn total<const LANES: usize>(sums: [f64; LANES]) -> f64 {
    let half = LANES / 2;
    let mut halves = [0.0; LANES];
    for lane in 0..half {
        halves[lane] = sums[lane] + sums[lane + half];
    }
    halves[..half].iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_of_one_step_need_one_exponential_of_either_sign() {
        let places: Vec<f64> = (-4..=12).map(|k| f64::from(k) / 8.0).collect();
        let steps = steps(&places);
        assert_eq!(steps.len(), places.len());
        let mut made = Vec::new();
        let mut exponentials = Vec::new();
        for (place, step) in steps {
            match step {
                Step::Exponential { theta, .. } => exponentials.push(theta),
                Step::Product(a, b) => {
                    assert!(made.contains(&a) && made.contains(&b), "{place} is made of what is there");
                    assert!(places[a] * places[b] > 0.0 && places[a] + places[b] == places[place]);
                }
            }
            made.push(place);
        }
        assert_eq!(exponentials, [-0.125, 0.0, 0.125]);
    }

    #[test]
    fn exponents_that_are_no_sums_are_exponentials() {
        let places = [-0.3, 0.1, 0.7, 0.75];
        assert!(steps(&places).iter().all(|(_, step)| matches!(step, Step::Exponential { .. })));
    }
}
