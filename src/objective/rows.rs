//! The rows of one fit, prepared: what depends on data alone is computed once, rows without weight are left out, and
//! columns are padded so that no loop has a tail.

use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::formula::program::BLOCK;
use crate::formula::program::Columns;
use crate::formula::program::LANES;
use crate::formula::program::Operand;
use crate::law::CompiledLaw;
use crate::law::Residual;
use crate::objective::Scratch;
use crate::objective::grow;
use crate::special;

/// Prepared rows. Padding repeats the last row with weight 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// Rows that carry weight.
    pub(crate) n: usize,
    /// `n` rounded up to a multiple of [`LANES`].
    pub(crate) padded: usize,
    /// Columns of the law's programs, each `padded` long.
    pub(crate) columns: Vec<f64>,
    /// The response, or its logarithm.
    pub(crate) response: Vec<f64>,
    /// Weights, over the square of the noise where it is known; 0 in the padding.
    pub(crate) weights: Vec<f64>,
    /// The known standard deviation of each row on the residual's scale, else 1: what the scale of the loss counts in. With it Σ w ρ(r/s; δ) is Σ (w/s²) ρ(r; δ s), so no other place of the hot loops needs to know.
    /// Empty where none is given.
    noise: Vec<f64>,
    /// On which scale the response is.
    pub(crate) residual: Residual,
    /// What rounding alone contributes to a sum of squares.
    pub(crate) rounding_floor: f64,
    /// Where rows were taken from others: their numbers there, and whether they are all of them in order.
    taken: Vec<usize>,
    is_whole: bool,
}

const ONES: [f64; BLOCK] = [1.0; BLOCK];

impl Rows {
    /// The noise of the rows of a block.
    pub(crate) fn noise(&self, first: usize, rows: usize) -> &[f64] {
        if self.noise.is_empty() { &ONES[..rows] } else { &self.noise[first..][..rows] }
    }

    /// The noise of one row after the other; 1 ever after.
    pub(crate) fn noises(&self) -> impl Iterator<Item = f64> + '_ {
        self.noise.iter().copied().chain(std::iter::repeat(1.0))
    }

    pub(crate) fn columns(&self) -> Columns<'_> {
        Columns { values: &self.columns, stride: self.padded }
    }

    /// The rows of `full` that have a weight, with that weight beside their own and, where given, new responses (on the
    /// residual's scale, one per row of `full`); `self` is overwritten and keeps its memory.
    pub(crate) fn select(&mut self, full: &Rows, weights: &[f64], responses: Option<&[f64]>) {
        self.taken.clear();
        self.taken.resize(weights.len(), 0);
        // Whether a row has a weight is a toss-up: a branch would be guessed wrong half of the time.
        let mut n = 0;
        for (row, &w) in weights.iter().enumerate() {
            self.taken[n] = row;
            n += usize::from(w > 0.0);
        }
        self.taken.truncate(n);
        self.take(full, |row| weights[row], responses);
    }

    /// As many copies of each row of `full` as its count says, each with the row's own weight; else as [`Rows::select`].
    pub(crate) fn repeat(&mut self, full: &Rows, counts: &[f64], responses: Option<&[f64]>) {
        self.taken.clear();
        for (row, &count) in counts.iter().enumerate() {
            let copies = (1..).take_while(|&copy| f64::from(copy) <= count).map(|_| row);
            self.taken.extend(copies);
        }
        self.take(full, |_| 1.0, responses);
    }

    fn take(&mut self, full: &Rows, weight: impl Fn(usize) -> f64, responses: Option<&[f64]>) {
        let Rows { n, padded, columns, response, weights, noise, residual, rounding_floor, taken, is_whole } = self;
        *n = taken.len();
        *padded = n.next_multiple_of(LANES);
        *is_whole = *n == full.n && taken.iter().enumerate().all(|(i, row)| i == *row);
        *residual = full.residual;
        let taken = Taken { rows: taken, is_whole: *is_whole, padded: *padded };
        weights.clear();
        weights.extend(taken.rows.iter().map(|&row| weight(row) * full.weights[row]));
        weights.resize(*padded, 0.0);
        taken.gather(responses.unwrap_or(&full.response), full.n, response);
        taken.gather(&full.noise, full.padded, noise);
        taken.gather(&full.columns, full.padded, columns);
        *rounding_floor = self::rounding_floor(response, weights, full.residual);
    }

    /// What the rows that were taken have in columns of those that they were taken from, each `stride` long, padded.
    pub(crate) fn gather(&self, columns: &[f64], stride: usize, out: &mut Vec<f64>) {
        Taken { rows: &self.taken, is_whole: self.is_whole, padded: self.padded }.gather(columns, stride, out);
    }

    /// The rows that were taken, by their numbers among those that they were taken from.
    pub(crate) fn taken(&self) -> &[usize] {
        &self.taken
    }
}

/// Rows that were taken from others.
#[derive(Clone, Copy)]
struct Taken<'a> {
    rows: &'a [usize],
    is_whole: bool,
    padded: usize,
}

/// Gathers some columns side by side: a row is looked up, and found to be within, once for all.
macro_rules! together {
    ($taken:ident, $stride:ident, $from:ident, $to:ident, $($column:ident $place:ident),+) => {{
        let rows = $taken.rows;
        let (mut from, mut to) = ($from, $to);
        $(
            let ($column, rest) = from.split_at($stride);
            from = rest;
            let ($place, rest) = to.split_at_mut($taken.padded);
            to = rest;
            let $place = &mut $place[..rows.len()];
        )+
        let _ = (from, to);
        // By number: so the compiler sees that no place is beyond its end.
        for i in 0..rows.len() {
            let row = rows[i];
            $($place[i] = $column[row];)+
        }
    }};
}
impl Taken<'_> {
    /// Columns, each `stride` long, into `out`, whose memory is kept.
    fn gather(self, columns: &[f64], stride: usize, out: &mut Vec<f64>) {
        let n_columns = columns.len() / stride.max(1);
        out.resize(n_columns * self.padded, 0.0);
        if self.rows.is_empty() {
            return;
        }
        let n = self.rows.len();
        for (from, to) in columns.chunks(4 * stride).zip(out.chunks_mut(4 * self.padded)) {
            if self.is_whole {
                for (column, place) in from.chunks_exact(stride).zip(to.chunks_exact_mut(self.padded)) {
                    place[..n].copy_from_slice(&column[..n]);
                }
                continue;
            }
            match from.len() / stride {
                1 => together!(self, stride, from, to, a w),
                2 => together!(self, stride, from, to, a w, b x),
                3 => together!(self, stride, from, to, a w, b x, c y),
                _ => together!(self, stride, from, to, a w, b x, c y, d z),
            }
        }
        for place in out.chunks_exact_mut(self.padded) {
            let last = place[n - 1];
            place[n..].fill(last);
        }
    }
}

/// Half the sum of squares of residuals that are rounding and nothing else: a few units in the last place of a response;
/// of a logarithm and, relatively, of the prediction that it is taken of.
fn rounding_floor(response: &[f64], weights: &[f64], residual: Residual) -> f64 {
    const UNITS: f64 = 4.0 * f64::EPSILON;
    if residual == Residual::Deviance {
        return response.iter().zip(weights).map(|(y, w)| w * deviance_floor(*y)).sum();
    }
    let relative = if residual == Residual::Log { 1.0 } else { 0.0 };
    let squares = response.iter().zip(weights).map(|(y, w)| w * (relative + y.abs()).powi(2));
    0.5 * UNITS * UNITS * squares.sum::<f64>()
}

/// What rounding makes of half a deviance that is a difference of likelihoods of size `y`.
#[inline(always)]
pub(super) fn deviance_floor(y: f64) -> f64 {
    4.0 * f64::EPSILON * (1.0 + y.abs())
}

fn pad(values: &mut Vec<f64>, by: usize) {
    if let Some(&last) = values.last() {
        values.resize(values.len() + by, last);
    }
}

/// Raw rows of one fit within the arrays of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRows<'a> {
    /// Variables, one after the other, each `stride` long.
    pub(crate) x: &'a [f64],
    pub(crate) stride: usize,
    pub(crate) first: usize,
    pub(crate) n: usize,
    pub(crate) y: &'a [f64],
    pub(crate) weights: Option<&'a [f64]>,
    /// Known standard deviations, in the response's units.
    pub(crate) sigma: Option<&'a [f64]>,
}

impl RawRows<'_> {
    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[self.first + row])
    }

    /// The known noise of a row on the residual's scale; of a logarithm σ / y, to first order.
    fn noise(&self, row: usize, sigma: &[f64], residual: Residual) -> f64 {
        let sigma = sigma[self.first + row];
        if residual == Residual::Log { sigma / self.y[self.first + row] } else { sigma }
    }

    /// Row numbers, within the fit, of the rows that carry weight.
    pub(crate) fn kept(&self) -> Vec<usize> {
        (0..self.n).filter(|&row| self.weight(row) > 0.0).collect()
    }
}

/// Prepares the rows of a fit.
pub(crate) fn prepare(
    law: &CompiledLaw,
    raw: &RawRows<'_>,
    residual: Residual,
    level: Level,
    scratch: &mut Scratch,
) -> Rows {
    dispatch(level, Prepare { law, raw, residual, scratch })
}

struct Prepare<'a> {
    law: &'a CompiledLaw,
    raw: &'a RawRows<'a>,
    residual: Residual,
    scratch: &'a mut Scratch,
}

impl Work for Prepare<'_> {
    type Out = Rows;

    #[inline(always)]
    fn run<A: Arith>(self) -> Rows {
        let Prepare { law, raw, residual, scratch } = self;
        let kept = raw.kept();
        let n = kept.len();
        let padded = n.next_multiple_of(LANES);
        let n_columns = law.n_columns();
        let mut columns = vec![0.0; n_columns * padded];
        let mut response: Vec<f64> = kept
            .iter()
            .map(|&row| {
                let y = raw.y[raw.first + row];
                if residual == Residual::Log { special::ln::<A>(y) } else { y }
            })
            .collect();
        pad(&mut response, padded - n);
        let noises = |sigma| kept.iter().map(|&row| raw.noise(row, sigma, residual)).collect();
        let mut noise: Vec<f64> = raw.sigma.map_or(Vec::new(), noises);
        let mut weights: Vec<f64> = kept.iter().map(|&row| raw.weight(row)).collect();
        weights.iter_mut().zip(&noise).for_each(|(w, s)| *w /= s * s);
        weights.resize(padded, 0.0);
        if raw.sigma.is_some() {
            pad(&mut noise, padded - n);
        }

        let program = &law.prelude;
        program.run_scalars::<A>(&[], &mut scratch.scalars);
        grow(&mut scratch.registers, program.n_registers * BLOCK);
        // A block of raw variables at a time, gathered without the rows that are left out.
        let mut block = scratch.take(law.variables.len() * BLOCK);
        let mut first = 0;
        while first < padded {
            let rows = BLOCK.min(padded - first);
            for (v, variable) in block.chunks_exact_mut(BLOCK).take(law.variables.len()).enumerate() {
                for (i, value) in variable[..rows].iter_mut().enumerate() {
                    let row = kept[(first + i).min(n - 1)];
                    *value = raw.x[v * raw.stride + raw.first + row];
                }
            }
            let table = Columns { values: &block, stride: BLOCK };
            program.run_block::<A>(&scratch.scalars, table, 0, rows, &mut scratch.registers);
            for index in 0..n_columns {
                let place = &mut columns[index * padded + first..][..rows];
                match program.output(index, &scratch.scalars, table, 0, rows, &scratch.registers) {
                    Operand::Rows(values) => place.copy_from_slice(values),
                    Operand::One(value) => place.fill(value),
                }
            }
            first += rows;
        }
        scratch.put_back(block);
        let rounding_floor = rounding_floor(&response, &weights, residual);
        let (taken, is_whole) = (vec![], false);
        Rows { n, padded, columns, response, weights, noise, residual, rounding_floor, taken, is_whole }
    }
}
