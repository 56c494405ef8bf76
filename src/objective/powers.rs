//! Value, gradient and curvature where every basis function is a power: `f = Σ cₜ gₜ` with `ln gₜ` linear in the exponents.
//!
//! All derivatives are multiples of the basis functions and of `u g`, so that an evaluation is one exponential a power and
//! the products of a handful of columns; sums over rows are taken first, coefficients put in afterwards.

use std::marker::PhantomData;

use crate::dispatch::Arith;
use crate::dispatch::Plain;
use crate::formula::program::BLOCK;
use crate::law::Amplitude;
use crate::law::Power;
use crate::law::Product;
use crate::law::Separable;
use crate::linalg::add_products;
use crate::linalg::sum;
use crate::linalg::triple_dot;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::basis::Block;
use crate::objective::basis::fill_powers;
use crate::objective::grow;
use crate::objective::link::LossPass;
use crate::objective::problem::BLOCKS_PER_LOOK;
use crate::objective::problem::Buffers;
use crate::objective::problem::Expand;
use crate::objective::problem::Problem;
use crate::objective::problem::buffers;
use crate::objective::problem::finish;
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
        problem.law.is_fused().then_some(Powers { separable, powers })
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
    pub(super) fn run_powers<A: Arith>(self, law: Powers<'_>) -> f64 {
        let Powers { separable, powers } = law;
        let problem = self.problem;
        let data = problem.rows;
        let (n_terms, n_columns) = (separable.n_terms(), separable.n_columns());
        let link = problem.link();
        let Scratch { coefficients, factors, theta, shifts, sums, registers: base, rows: row_buffers, .. } =
            self.scratch;
        amplitudes_of(separable, self.params, coefficients);
        theta.clear();
        theta.extend(separable.nonlinear.iter().map(|&j| self.params[j]));
        // In natural coordinates nothing is shifted.
        shifts.clear();
        shifts.resize(n_terms, 0.0);
        grow(base, n_columns * BLOCK);
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
            let row_data = (&data.response[first..][..rows], &data.weights[first..][..rows], data.noise(first, rows));
            let factors = (&mut *costs, &mut *slope, &mut *outer);
            let (arith, curvature, f) = (PhantomData::<A>, self.curvature, &*prediction);
            problem.loss.visit(LossPass { arith, link, curvature, delta, f, data: row_data, factors });
            total += sum(costs);
            if !total.is_finite() {
                return f64::INFINITY;
            }
            let column = |k: usize| &base[k * BLOCK..][..rows];
            add_products::<A>(slope, outer, n_columns, column, |k| k, sums.gram, sums.right);
            if self.curvature.share() > 0.0 {
                let mut place = 0;
                let mut slot = n_terms;
                for power in powers {
                    for (a, exponent) in power.exponents.iter().enumerate() {
                        let u = block.column(exponent.column);
                        for b in a..power.exponents.len() {
                            sums.squares[place] += exponent.sign * triple_dot::<A>(outer, u, column(slot + b));
                            place += 1;
                        }
                    }
                    slot += power.exponents.len();
                }
            }
            first += rows;
        }
        assemble(law, coefficients, (&sums, factors), self.curvature.share(), self.gradient, self.hessian);
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
    for ((owner, x), right) in separable.owners.iter().zip(factors.iter()).zip(&*sums.right) {
        if let Some(i) = *owner {
            gradient[i] += x * right;
        }
    }
    for &Product { columns: (k, l), parameters: (i, j), times } in &separable.products {
        hessian[i * p + j] += times * (factors[k] * factors[l] * sums.gram[k * n + l]);
    }
    if share == 0.0 {
        return;
    }
    let mut add = |i: usize, j: usize, value: f64| hessian[if i <= j { i * p + j } else { j * p + i }] += value;
    for (t, amplitude) in separable.amplitudes.iter().enumerate().filter(|(_, a)| a.is_log) {
        add(amplitude.parameter, amplitude.parameter, share * coefficients[t] * sums.right[t]);
    }
    let mut place = 0;
    let mut slot = 0;
    for (t, power) in law.powers.iter().enumerate() {
        for (a, exponent) in power.exponents.iter().enumerate() {
            let i = separable.nonlinear[exponent.nonlinear];
            if let Some(amplitude) = separable.amplitudes.get(t) {
                let factor = if amplitude.is_log { coefficients[t] } else { 1.0 };
                add(amplitude.parameter, i, share * factor * sums.right[n_terms + slot + a]);
            }
            for other in &power.exponents[a..] {
                add(i, separable.nonlinear[other.nonlinear], share * coefficients[t] * sums.squares[place]);
                place += 1;
            }
        }
        slot += power.exponents.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    use crate::dispatch::Level;
    use crate::law::CompiledLaw;
    use crate::law::Declared;
    use crate::law::Residual;
    use crate::law::compile_interpreted;
    use crate::loss::Loss;
    use crate::objective::Axis;
    use crate::objective::Curvature;
    use crate::objective::Objective;
    use crate::objective::prior::Prior;
    use crate::objective::projection::Products;
    use crate::objective::projection::Projection;
    use crate::objective::rows::RawRows;
    use crate::objective::rows::Rows;
    use crate::objective::rows::prepare;

    /// Laws whose basis functions are powers, and parameters in the order in which they first stand.
    const LAWS: [(&str, &[f64]); 7] = [
        ("E + A*N**-alpha + B*D**-beta", &[1.8, 480.0, 0.35, 2100.0, 0.37]),
        ("E + A*N**-alpha + B*D**-alpha", &[1.8, 480.0, 0.35, 2100.0]),
        ("E + A*N**-alpha*D**-beta + B*D**-beta", &[1.8, 480.0, 0.1, 0.2, 2100.0]),
        ("E + 3*A*log(D)*N**-alpha", &[1.8, 480.0, 0.35]),
        ("E - A*log(D)*N**-alpha", &[1.8, -480.0, 0.35]),
        ("log(N) + A*N**-alpha - B*D**-beta", &[480.0, 0.35, 2100.0, 0.37]),
        ("exp(a - alpha*log(N)) + E", &[6.0, 0.35, 1.8]),
    ];

    fn law(text: &str, residual: Residual) -> CompiledLaw {
        CompiledLaw::new(text, &["N".into(), "D".into()][..if text.contains('D') { 2 } else { 1 }], None, residual)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn rows(law: &CompiledLaw, residual: Residual) -> Rows {
        // More than one block, and no whole number of them.
        let n = 331;
        let sizes: Vec<f64> = (0..n).map(|i| 1e7 * 1.021_f64.powi(i % 197)).collect();
        let tokens: Vec<f64> = (0..n).map(|i| 1e9 * 1.013_f64.powi((i * 37) % 331)).collect();
        let y: Vec<f64> = (0..n).map(|i| 2.0 + 0.01 * f64::from(i % 23)).collect();
        let weights: Vec<f64> = (0..n).map(|i| f64::from(i % 5)).collect();
        let x = [sizes, tokens].concat();
        let n = y.len();
        let raw = RawRows { x: &x, stride: n, first: 0, n, y: &y, weights: Some(&weights), sigma: None };
        prepare(law, &raw, residual, Level::best(), &mut Scratch::default())
    }

    fn problem<'a>(law: &'a CompiledLaw, rows: &'a Rows, free: &'a [usize], cancel: &'a AtomicBool) -> Problem<'a> {
        let (residual, level) = (rows.residual, Level::best());
        Problem { law, rows, loss: Loss::Huber, f_scale: 0.05, residual, free, level, cancel, prior: Prior::NONE }
    }

    #[test]
    fn sums_of_powers_have_the_derivatives_of_the_interpreted_law() {
        let cancel = AtomicBool::new(false);
        for residual in Residual::ALL {
            for (text, params) in LAWS {
                let fused = law(text, residual);
                assert!(fused.separable.as_ref().is_some_and(|s| s.powers.is_some()), "{text}");
                let names: &[String] = &["N".into(), "D".into()][..if text.contains('D') { 2 } else { 1 }];
                let interpreted =
                    compile_interpreted(&Declared::new(text, names, None, residual)).expect("it is a law");
                let (data, other_data) = (rows(&fused, residual), rows(&interpreted, residual));
                let p = params.len();
                for free in [(0..p).collect::<Vec<usize>>(), (1..p).collect()] {
                    for curvature in [Curvature::Reweighted, Curvature::Mixed, Curvature::Exact] {
                        let expand = |law: &CompiledLaw, data: &Rows| {
                            let (mut gradient, mut hessian) = (vec![f64::NAN; p], vec![f64::NAN; p * p]);
                            let problem = problem(law, data, &free, &cancel);
                            let mut scratch = Scratch::default();
                            let value = problem.expand(params, curvature, &mut scratch, &mut gradient, &mut hessian);
                            (value, gradient, hessian)
                        };
                        let (a, b) = (expand(&fused, &data), expand(&interpreted, &other_data));
                        // Sums of 331 terms of both signs, each good to a few units in the last place.
                        let close = |x: f64, y: f64, size: f64| (x - y).abs() <= 1e-11 * (size + y.abs());
                        assert!(close(a.0, b.0, 0.0), "{text}: {} {}", a.0, b.0);
                        for j in 0..p {
                            let size = (b.0 * b.2[j * p + j].abs()).sqrt();
                            assert!(close(a.1[j], b.1[j], size), "{text} gradient {j}: {} {}", a.1[j], b.1[j]);
                            for k in 0..p {
                                let size = (b.2[j * p + j] * b.2[k * p + k]).abs().sqrt();
                                assert!(close(a.2[j * p + k], b.2[j * p + k], size), "{text} {j} {k}");
                            }
                        }
                    }
                }
            }
        }
    }

    /// Exponents of which many are sums of two others, and some are not; those of the second axis.
    const GRID: [&[f64]; 2] =
        [&[-20.0, -0.75, -0.375, 0.0, 0.125, 0.25, 0.3, 0.375, 0.5, 2.0, 2.5, 20.0], &[-3.0, 0.1, 0.2, 0.5, 0.7]];

    #[test]
    fn a_table_over_a_grid_holds_the_products_of_every_cell() {
        let cancel = AtomicBool::new(false);
        let residual = Residual::Log;
        // Two functions along two axes, two along one, one with an exponent that stays, one with a factor, one in logarithms.
        for (law_index, n_axes) in [(0, 2), (1, 1), (2, 1), (3, 1), (5, 2), (6, 1)] {
            let (text, estimates) = LAWS[law_index];
            let fused = law(text, residual);
            let data = rows(&fused, residual);
            let free: Vec<usize> = (0..estimates.len()).collect();
            for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
                let problem = Problem { level, ..problem(&fused, &data, &free, &cancel) };
                let projection = Projection::of(&problem).expect("the law is linear in its amplitudes");
                let nonlinear = &projection.separable.nonlinear;
                let mut params = vec![0.0; estimates.len()];
                for &j in nonlinear {
                    params[j] = estimates[j];
                }
                let axis = |q: usize| Axis { nonlinear: q, values: GRID[q].to_vec() };
                let axes: Vec<Axis> = (0..n_axes).map(axis).collect();
                let table = projection.tabulate(&axes, &params, &mut Scratch::default()).expect("a scan of powers");
                let (mut ours, mut direct) = (Products::default(), Products::default());
                for (i, &first) in GRID[0].iter().enumerate() {
                    for (k, &second) in GRID[1].iter().enumerate().take(if n_axes == 2 { GRID[1].len() } else { 1 }) {
                        params[nonlinear[0]] = first;
                        if n_axes == 2 {
                            params[nonlinear[1]] = second;
                        }
                        table.read(&[i, k], &mut ours);
                        projection.products(&params, false, &mut Scratch::default(), &mut direct);
                        let close = |x: f64, y: f64| (x - y).abs() <= 1e-13 * y.abs().max(f64::MIN_POSITIVE);
                        for t in 0..direct.n {
                            let what = format!("{text} {level:?} {first} {second}: {ours:?} {direct:?}");
                            assert!((ours.shifts[t] - direct.shifts[t]).abs() <= 1e-13, "{what}");
                            assert!(close(ours.right[t], direct.right[t]), "{what}");
                            assert!((t..direct.n).all(|u| close(ours.at(t, u), direct.at(t, u))), "{what}");
                        }
                    }
                }
            }
        }
    }
}
