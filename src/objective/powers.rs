//! Value, gradient and curvature where every basis function is a power: `f = Σ cₜ gₜ` with `ln gₜ` linear in the exponents.
//!
//! All derivatives are multiples of the basis functions and of `u g`, so that an evaluation is one exponential a power and
//! the products of a handful of columns; sums over rows are taken first, coefficients put in afterwards.

use crate::dispatch::Arith;
use crate::dispatch::Plain;
use crate::formula::program::BLOCK;
use crate::law::Amplitude;
use crate::law::Power;
use crate::law::Separable;
use crate::linalg::add_products;
use crate::linalg::sum;
use crate::linalg::triple_dot;
use crate::loss::RobustLoss;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::basis::Block;
use crate::objective::basis::fill_powers;
use crate::objective::problem::BLOCKS_PER_LOOK;
use crate::objective::problem::Blend;
use crate::objective::problem::Buffers;
use crate::objective::problem::Expand;
use crate::objective::problem::Problem;
use crate::objective::problem::buffers;
use crate::objective::problem::finish;
use crate::objective::problem::loss_of_logs;
use crate::objective::problem::loss_of_values;
use crate::special;

/// A law whose basis functions are powers.
#[derive(Clone, Copy)]
pub(super) struct Powers<'a> {
    separable: &'a Separable,
    powers: &'a [Power],
}

impl<'a> Powers<'a> {
    /// The powers of a problem's law; `None` where it has others, or where its logarithm is taken term by term.
    pub(super) fn of(problem: &Problem<'a>) -> Option<Powers<'a>> {
        let separable = problem.law.separable.as_ref()?;
        let powers = separable.powers.as_deref()?;
        (!problem.law.is_log).then_some(Powers { separable, powers })
    }
}

/// The factor of each basis function.
pub(super) fn amplitudes_of(separable: &Separable, params: &[f64], out: &mut Vec<f64>) {
    let of = |a: &Amplitude| {
        if a.is_log { special::exp::<Plain>(params[a.parameter]) } else { params[a.parameter] }
    };
    out.clear();
    out.extend(separable.amplitudes.iter().map(of).chain(separable.has_rest.then_some(1.0)));
}

/// Sums over rows, cut from one stretch of memory.
struct Sums<'a> {
    gram: &'a mut [f64],
    right: &'a mut [f64],
    /// Σ o u u′ g for each pair of exponents of a power, in order.
    squares: &'a mut [f64],
}

impl Expand<'_> {
    #[inline(always)]
    pub(super) fn run_powers<A: Arith, L: RobustLoss, B: Blend>(self, law: Powers<'_>, loss: L) -> f64 {
        let Powers { separable, powers } = law;
        let problem = self.problem;
        let data = problem.rows;
        let (n_terms, n_columns) = (separable.n_terms(), separable.n_columns());
        let takes_log = problem.takes_log();
        let Scratch { coefficients, factors, theta, shifts, sums, registers: base, rows: row_buffers, .. } =
            self.scratch;
        amplitudes_of(separable, self.params, coefficients);
        theta.clear();
        theta.extend(separable.nonlinear.iter().map(|&j| self.params[j]));
        // In natural coordinates nothing is shifted.
        shifts.clear();
        shifts.resize(n_terms, 0.0);
        base.resize(base.len().max(n_columns * BLOCK), 0.0);
        let Buffers { costs, slope, outer, constant: prediction } = buffers(row_buffers);
        let n_squares: usize = powers.iter().map(|p| p.exponents.len() * (p.exponents.len() + 1) / 2).sum();
        sums.clear();
        sums.resize(n_columns * n_columns + n_columns + n_squares, 0.0);
        let (gram, rest) = sums.split_at_mut(n_columns * n_columns);
        let (right, squares) = rest.split_at_mut(n_columns);
        let sums = Sums { gram, right, squares };
        let delta = problem.f_scale;
        let mut total = 0.0;
        let mut first = 0;
        let mut looks = 0;
        while first < data.padded {
            looks += 1;
            if looks % BLOCKS_PER_LOOK == 0 && problem.is_cancelled() {
                return f64::NAN;
            }
            let rows = BLOCK.min(data.padded - first);
            let block = Block { columns: data.columns(), first, rows };
            fill_powers::<A>(separable, powers, theta, shifts, block, true, base);
            let prediction = &mut prediction[..rows];
            combine::<A>(coefficients, base, prediction);
            let (costs, slope, outer) = (&mut costs[..rows], &mut slope[..rows], &mut outer[..rows]);
            let row_data =
                (&data.response[first..][..rows], &data.weights[first..][..rows], &data.noise[first..][..rows]);
            if takes_log {
                loss_of_logs::<A, L, B>(loss, delta, prediction, row_data, (costs, slope, outer));
            } else {
                loss_of_values::<A, L, B>(loss, delta, prediction, row_data, (costs, slope, outer));
            }
            total += sum(costs);
            if !total.is_finite() {
                return f64::INFINITY;
            }
            let column = |k: usize| &base[k * BLOCK..][..rows];
            add_products::<A>(slope, outer, n_columns, column, sums.gram, sums.right);
            if B::SHARE > 0.0 {
                let mut place = 0;
                let mut slot = n_terms;
                for power in powers {
                    for (a, &(_, u)) in power.exponents.iter().enumerate() {
                        let u = &block.columns.values[u * block.columns.stride + first..][..rows];
                        for b in a..power.exponents.len() {
                            sums.squares[place] += triple_dot::<A>(outer, u, column(slot + b));
                            place += 1;
                        }
                    }
                    slot += power.exponents.len();
                }
            }
            first += rows;
        }
        assemble(law, coefficients, (&sums, factors), B::SHARE, self.gradient, self.hessian);
        finish(self.gradient, self.hessian, problem.free, self.params.len());
        total
    }
}

/// Σ cₜ gₜ.
#[inline(always)]
fn combine<A: Arith>(coefficients: &[f64], base: &[f64], out: &mut [f64]) {
    let columns = |t: usize| &base[t * BLOCK..][..out.len()];
    match *coefficients {
        [a, b] => {
            let (x, y) = (columns(0), columns(1));
            for ((o, x), y) in out.iter_mut().zip(x).zip(y) {
                *o = A::mul_add(b, *y, a * x);
            }
        }
        [a, b, c] => {
            let (x, y, z) = (columns(0), columns(1), columns(2));
            for (((o, x), y), z) in out.iter_mut().zip(x).zip(y).zip(z) {
                *o = A::mul_add(c, *z, A::mul_add(b, *y, a * x));
            }
        }
        _ => {
            out.fill(0.0);
            for (coefficient, column) in coefficients.iter().zip(base.chunks_exact(BLOCK)) {
                for (o, x) in out.iter_mut().zip(column) {
                    *o = A::mul_add(*coefficient, *x, *o);
                }
            }
        }
    }
}

/// Puts the coefficients in: from sums over rows to derivatives by parameters.
fn assemble(
    law: Powers<'_>,
    coefficients: &[f64],
    (sums, factors): (&Sums<'_>, &mut Vec<f64>),
    share: f64,
    gradient: &mut [f64],
    hessian: &mut [f64],
) {
    let p = gradient.len();
    let separable = law.separable;
    let (n_terms, n) = (separable.n_terms(), separable.n_columns());
    gradient.fill(0.0);
    hessian.fill(0.0);
    // The derivative by a parameter is the sum of its columns times these.
    factors.clear();
    factors.extend(separable.amplitudes.iter().zip(coefficients).map(|(a, c)| if a.is_log { *c } else { 1.0 }));
    factors.resize(n_terms, 0.0);
    factors.extend(separable.slots.iter().map(|&(t, _)| coefficients[t]));
    let mut add = |i: usize, j: usize, value: f64| hessian[if i <= j { i * p + j } else { j * p + i }] += value;
    for (k, owner) in separable.owners.iter().enumerate() {
        let Some(i) = *owner else { continue };
        let x = factors[k];
        gradient[i] += x * sums.right[k];
        let row = sums.gram[k * n..][..n].iter().zip(factors.iter()).zip(&separable.owners);
        for (l, ((product, y), other)) in row.enumerate().skip(k) {
            let Some(j) = *other else { continue };
            let product = x * y * product;
            // Two different columns of one parameter count in both orders.
            add(i, j, if i == j && k != l { 2.0 * product } else { product });
        }
    }
    if share == 0.0 {
        return;
    }
    for (t, amplitude) in separable.amplitudes.iter().enumerate().filter(|(_, a)| a.is_log) {
        add(amplitude.parameter, amplitude.parameter, share * coefficients[t] * sums.right[t]);
    }
    let mut place = 0;
    let mut slot = 0;
    for (t, power) in law.powers.iter().enumerate() {
        for (a, &(q, _)) in power.exponents.iter().enumerate() {
            let i = separable.nonlinear[q];
            if let Some(amplitude) = separable.amplitudes.get(t) {
                let factor = if amplitude.is_log { coefficients[t] } else { 1.0 };
                add(amplitude.parameter, i, share * factor * sums.right[n_terms + slot + a]);
            }
            for &(r, _) in &power.exponents[a..] {
                add(i, separable.nonlinear[r], share * coefficients[t] * sums.squares[place]);
                place += 1;
            }
        }
        slot += power.exponents.len();
    }
}
