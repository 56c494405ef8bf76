//! What variable projection needs of a separable law: sums over rows of products of its basis functions.
//!
//! The objective here is Σ v (f − y)², weighted so that it stands for the true one: squares of relative differences for
//! logarithmic residuals, plain squares otherwise. It proposes where to look; the true objective decides.

use crate::dispatch::Arith;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::formula::program::BLOCK;
use crate::law::Power;
use crate::law::Residual;
use crate::law::Separable;
use crate::linalg::add_products;
use crate::linalg::triple_dot;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::basis::Block;
use crate::objective::basis::fill_powers;
use crate::objective::basis::fill_program;
use crate::objective::grow;
use crate::objective::powers::amplitudes_of;
use crate::objective::problem::Problem;
use crate::special;

/// The weighted squares of a problem whose law is linear in some parameters.
#[derive(Clone, Debug)]
pub(crate) struct Projection<'a> {
    pub(crate) problem: Problem<'a>,
    pub(crate) separable: &'a Separable,
    /// v; 0 in the padding.
    weights: Vec<f64>,
    /// v y.
    weighted: Vec<f64>,
    /// Σ v y².
    pub(crate) square: f64,
    /// For each power the smallest and the largest value of each of its columns u.
    ranges: Vec<Vec<(f64, f64)>>,
}

/// Σ v z zᵀ and Σ v y z over the columns z: basis functions, then their derivatives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Products {
    /// Number of columns.
    pub(crate) n: usize,
    /// Upper triangle, row-major.
    pub(crate) gram: Vec<f64>,
    pub(crate) right: Vec<f64>,
    /// Logarithm of what each basis function, and its derivatives, were divided by so that squares do not overflow.
    pub(crate) shifts: Vec<f64>,
}

impl Products {
    /// Σ v zₖ zₗ.
    pub(crate) fn at(&self, k: usize, l: usize) -> f64 {
        self.gram[k.min(l) * self.n + k.max(l)]
    }
}

impl<'a> Projection<'a> {
    /// The squares that stand for the objective of `problem`; `None` where its law is linear in nothing.
    pub(crate) fn of(problem: &Problem<'a>) -> Option<Projection<'a>> {
        let mut out = Projection::unweighted(problem)?;
        out.weigh(None);
        Some(out)
    }

    /// The same with every row weighted as the robust loss weights it at `params`.
    pub(crate) fn at(problem: &Problem<'a>, params: &[f64], scratch: &mut Scratch) -> Option<Projection<'a>> {
        let mut out = Projection::unweighted(problem)?;
        let residuals = problem.residuals(params, scratch);
        let weights = problem.at_each(&residuals, |point| point.weight);
        out.weigh(Some(&weights));
        Some(out)
    }

    fn unweighted(problem: &Problem<'a>) -> Option<Projection<'a>> {
        let separable = problem.law.separable.as_ref()?;
        let ranges = ranges(problem, separable);
        Some(Projection { problem: *problem, separable, weights: vec![], weighted: vec![], square: 0.0, ranges })
    }

    /// The factor of each basis function.
    pub(crate) fn coefficients(&self, params: &[f64]) -> Vec<f64> {
        let mut out = Vec::new();
        amplitudes_of(self.separable, params, &mut out);
        out
    }

    /// The largest exponent of each power at these nonlinear parameters.
    pub(super) fn shifts(&self, theta: &[f64], out: &mut Vec<f64>) {
        out.clear();
        match &self.separable.powers {
            Some(powers) => out.extend((0..powers.len()).map(|t| self.shift(powers, t, theta))),
            None => out.resize(self.separable.n_terms(), 0.0),
        }
    }

    /// That of one power.
    fn shift(&self, powers: &[Power], t: usize, theta: &[f64]) -> f64 {
        let power = &powers[t];
        let of = |index: usize| self.largest(power, t, index, theta[power.exponents[index].nonlinear]);
        (0..power.exponents.len()).map(of).sum()
    }

    /// The share of one of its exponents, `theta`, in that.
    pub(super) fn largest(&self, power: &Power, t: usize, index: usize, theta: f64) -> f64 {
        let (low, high) = self.ranges[t][index];
        let theta = power.exponents[index].sign * theta;
        (theta * low).max(theta * high)
    }

    /// Weights of the rows, and weights times responses.
    pub(super) fn row_data(&self, first: usize, rows: usize) -> (&[f64], &[f64]) {
        (&self.weights[first..][..rows], &self.weighted[first..][..rows])
    }

    /// Weighs every row by `factors` beside its own weight; rows without a factor are padding.
    fn weigh(&mut self, factors: Option<&[f64]>) {
        let rows = self.problem.rows;
        self.weights.clone_from(&rows.weights);
        self.weighted.clone_from(&rows.response);
        if let Some(factors) = factors {
            self.weights.iter_mut().zip(factors).for_each(|(v, factor)| *v *= factor);
        }
        let is_log = self.problem.residual == Residual::Log;
        let (weights, responses) = (&mut self.weights[..], &mut self.weighted[..]);
        self.square = dispatch(self.problem.level, Weigh { weights, responses, is_log });
    }

    /// The sums at the nonlinear parameters of `params`, derivatives included if asked for.
    pub(crate) fn products(&self, params: &[f64], with_slopes: bool, scratch: &mut Scratch, out: &mut Products) {
        dispatch(self.problem.level, AllProducts { projection: self, params, with_slopes, scratch, out });
    }
}

/// The smallest and the largest value of every column that stands in an exponent.
fn ranges(problem: &Problem<'_>, separable: &Separable) -> Vec<Vec<(f64, f64)>> {
    let rows = problem.rows;
    let of = |column: usize| {
        let values = &rows.columns[column * rows.padded..][..rows.n];
        let wider = |(low, high): (f64, f64), x: &f64| (low.min(*x), high.max(*x));
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), wider)
    };
    let powers = separable.powers.iter().flatten();
    powers.map(|power| power.exponents.iter().map(|exponent| of(exponent.column)).collect()).collect()
}

/// Responses in logarithms become responses, and their weights those of relative differences; then responses are multiplied by
/// the weights. Gives Σ v y².
struct Weigh<'a> {
    weights: &'a mut [f64],
    responses: &'a mut [f64],
    is_log: bool,
}

impl Work for Weigh<'_> {
    type Out = f64;

    #[inline(always)]
    fn run<A: Arith>(self) -> f64 {
        let Weigh { weights, responses, is_log } = self;
        if is_log {
            for y in responses.iter_mut() {
                *y = special::exp::<A>(*y);
            }
            for (v, y) in weights.iter_mut().zip(&*responses) {
                *v /= y * y;
            }
        }
        let square = triple_dot::<A>(weights, responses, responses);
        for (y, v) in responses.iter_mut().zip(&*weights) {
            *y *= v;
        }
        square
    }
}

struct AllProducts<'a> {
    projection: &'a Projection<'a>,
    params: &'a [f64],
    with_slopes: bool,
    scratch: &'a mut Scratch,
    out: &'a mut Products,
}

impl Work for AllProducts<'_> {
    type Out = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let AllProducts { projection, params, with_slopes, scratch, out } = self;
        let separable = projection.separable;
        let data = projection.problem.rows;
        let n = if with_slopes { separable.n_columns() } else { separable.n_terms() };
        out.n = n;
        out.gram.clear();
        out.gram.resize(n * n, 0.0);
        out.right.clear();
        out.right.resize(n, 0.0);
        let program = if with_slopes { &separable.program } else { &separable.values };
        grow(&mut scratch.constants, n * BLOCK);
        grow(&mut scratch.registers, program.n_registers * BLOCK);
        scratch.theta.clear();
        scratch.theta.extend(separable.nonlinear.iter().map(|&j| params[j]));
        projection.shifts(&scratch.theta, &mut out.shifts);
        if separable.powers.is_none() {
            program.run_scalars::<A>(params, &mut scratch.scalars);
        }
        let base = &mut scratch.constants;
        let mut first = 0;
        while first < data.padded && !projection.problem.is_cancelled() {
            let rows = BLOCK.min(data.padded - first);
            let block = Block { columns: data.columns(), first, rows };
            match &separable.powers {
                Some(powers) => {
                    fill_powers::<A>(separable, powers, &scratch.theta, &out.shifts, block, with_slopes, base);
                }
                None => fill_program::<A>(program, &scratch.scalars, block, &mut scratch.registers, base),
            }
            let (v, vy) = projection.row_data(first, rows);
            add_products::<A>(v, vy, n, |k| &base[k * BLOCK..][..rows], |k| k, &mut out.gram, &mut out.right);
            first += rows;
        }
    }
}
