//! Law × loss × rows: Σ w ρ(r) with its derivatives, block by block, and what is known of parameters beforehand.

use std::marker::PhantomData;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Plain;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::formula::program::BLOCK;
use crate::formula::program::Operand;
use crate::formula::program::Program;
use crate::law::CompiledLaw;
use crate::law::Residual;
use crate::linalg::add_products;
use crate::linalg::dot;
use crate::linalg::sum;
use crate::loss::Loss;
use crate::loss::LossVisitor;
use crate::loss::Point;
use crate::loss::RobustLoss;
use crate::objective::Curvature;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::grow;
use crate::objective::link::Link;
use crate::objective::link::LossPass;
use crate::objective::link::block_jacobian;
use crate::objective::link::block_residuals;
use crate::objective::powers::Powers;
use crate::objective::prior::Prior;
use crate::objective::rows::Rows;

/// Blocks between two looks at the cancel flag: a few milliseconds of work.
pub(super) const BLOCKS_PER_LOOK: usize = 64;

/// One law, one data set, one loss.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem<'a> {
    pub(crate) law: &'a CompiledLaw,
    pub(crate) rows: &'a Rows,
    pub(crate) loss: Loss,
    /// Scale of the loss: Huber's δ.
    pub(crate) f_scale: f64,
    pub(crate) residual: Residual,
    /// Parameters that are fitted.
    pub(crate) free: &'a [usize],
    pub(crate) level: Level,
    pub(crate) cancel: &'a AtomicBool,
    pub(crate) prior: Prior<'a>,
}

impl Problem<'_> {
    /// What is left to do of the residual when the programs have run.
    pub(super) fn link(&self) -> Link {
        match self.residual {
            Residual::Log if !self.law.is_log => Link::Log,
            Residual::Deviance => Link::Deviance,
            Residual::Log | Residual::Linear => Link::Value,
        }
    }

    /// Residuals of the rows in order, without the padding.
    pub(crate) fn residuals(&self, params: &[f64], scratch: &mut Scratch) -> Vec<f64> {
        let mut out = vec![0.0; self.rows.padded];
        dispatch(self.level, Residuals { problem: self, params, scratch, jacobian: None, out: &mut out });
        out.truncate(self.rows.n);
        out
    }

    /// Some part of what the loss is at each of some residuals of the rows.
    pub(crate) fn at_each(&self, residuals: &[f64], part: impl Fn(Point) -> f64) -> Vec<f64> {
        let mut out = residuals.to_vec();
        self.replace_each(&mut out, part);
        out
    }

    /// The same in the place of the residuals.
    pub(crate) fn replace_each(&self, residuals: &mut [f64], part: impl Fn(Point) -> f64) {
        self.loss.visit(ReplaceEach { residuals, rows: self.rows, delta: self.f_scale, part });
    }

    /// Residuals, and their derivatives with respect to the free parameters, each a column of `rows.padded` values.
    pub(crate) fn linearise(&self, params: &[f64], scratch: &mut Scratch) -> (Vec<f64>, Vec<f64>) {
        let mut out = vec![0.0; self.rows.padded];
        let mut jacobian = vec![0.0; self.rows.padded * self.free.len()];
        let work = Residuals { problem: self, params, scratch, jacobian: Some(&mut jacobian), out: &mut out };
        dispatch(self.level, work);
        (out, jacobian)
    }
}

struct ReplaceEach<'a, F> {
    residuals: &'a mut [f64],
    rows: &'a Rows,
    delta: f64,
    part: F,
}

impl<F: Fn(Point) -> f64> LossVisitor for ReplaceEach<'_, F> {
    type Out = ();

    fn visit<L: RobustLoss>(self, loss: L) {
        let ReplaceEach { residuals, rows, delta, part } = self;
        for (block, residuals) in residuals.chunks_mut(BLOCK).enumerate() {
            let noise = rows.noise(block * BLOCK, residuals.len());
            for (r, s) in residuals.iter_mut().zip(noise) {
                *r = part(loss.at::<Plain>(*r, delta * s));
            }
        }
    }
}

impl Objective for Problem<'_> {
    fn n_parameters(&self) -> usize {
        self.law.parameters.len()
    }

    fn n_rows(&self) -> usize {
        self.rows.n
    }

    fn rounding_floor(&self) -> f64 {
        self.rows.rounding_floor + self.prior.rounding_floor()
    }

    fn expand(
        &self,
        params: &[f64],
        curvature: Curvature,
        scratch: &mut Scratch,
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64 {
        let (g, h) = (&mut *gradient, &mut *hessian);
        let work = Expand { problem: self, params, curvature, scratch, gradient: g, hessian: h };
        dispatch(self.level, work) + self.prior.add_to(params, gradient, hessian)
    }

    fn metric(&self, params: &[f64], scratch: &mut Scratch, out: &mut [f64]) {
        dispatch(self.level, Metric { problem: self, params, scratch, out });
        self.prior.join_metric(self.rows, out);
        for (scale, &value) in out.iter_mut().zip(params) {
            if !(scale.is_finite() && *scale > 0.0) {
                *scale = 1.0 / (1.0 + value.abs());
            }
        }
    }

    fn rescaled(&self, params: &[f64]) -> Option<Vec<f64>> {
        self.with_equal_shares(params)
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

pub(super) struct Expand<'a> {
    pub(super) problem: &'a Problem<'a>,
    pub(super) params: &'a [f64],
    pub(super) curvature: Curvature,
    pub(super) scratch: &'a mut Scratch,
    pub(super) gradient: &'a mut [f64],
    pub(super) hessian: &'a mut [f64],
}

/// Row buffers of an evaluation, cut from [`Scratch::rows`].
pub(super) struct Buffers<'a> {
    pub(super) costs: &'a mut [f64],
    pub(super) slope: &'a mut [f64],
    pub(super) outer: &'a mut [f64],
    pub(super) constant: &'a mut [f64],
}

const N_BUFFERS: usize = 4;

pub(super) fn buffers(rows: &mut Vec<f64>) -> Buffers<'_> {
    grow(rows, N_BUFFERS * BLOCK);
    let (costs, rest) = rows.split_at_mut(BLOCK);
    let (slope, rest) = rest.split_at_mut(BLOCK);
    let (outer, constant) = rest.split_at_mut(BLOCK);
    Buffers { costs, slope, outer, constant }
}

impl Work for Expand<'_> {
    type Out = f64;

    #[inline(always)]
    fn run<A: Arith>(self) -> f64 {
        if let Some(fused) = Powers::of(self.problem) {
            return self.run_powers::<A>(fused);
        }
        let Expand { problem, params, curvature, scratch, gradient, hessian } = self;
        let share = curvature.share();
        let (law, data, free) = (problem.law, problem.rows, problem.free);
        let p = law.parameters.len();
        let link = problem.link();
        let program: &Program = if share > 0.0 { &law.second } else { &law.first };
        gradient.fill(0.0);
        hessian.fill(0.0);
        program.run_scalars::<A>(params, &mut scratch.scalars);
        grow(&mut scratch.registers, program.n_registers * BLOCK);
        grow(&mut scratch.constants, free.len() * BLOCK);
        let Buffers { costs, slope, outer, constant } = buffers(&mut scratch.rows);
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
            program.run_block::<A>(&scratch.scalars, data.columns(), first, rows, &mut scratch.registers);
            let output =
                |index| program.output(index, &scratch.scalars, data.columns(), first, rows, &scratch.registers);
            let (costs, slope, outer) = (&mut costs[..rows], &mut slope[..rows], &mut outer[..rows]);
            let row_data = (&data.response[first..][..rows], &data.weights[first..][..rows], data.noise(first, rows));
            let f = match output(0) {
                Operand::Rows(f) => f,
                Operand::One(f) => {
                    constant[..rows].fill(f);
                    &constant[..rows]
                }
            };
            let factors = (&mut *costs, &mut *slope, &mut *outer);
            let arith = PhantomData::<A>;
            problem.loss.visit(LossPass { arith, link, curvature, delta, f, data: row_data, factors });
            total += sum(costs);
            if !total.is_finite() {
                return f64::INFINITY;
            }
            // Derivatives that are one number for all rows, such as that of a floor, are written out once.
            for (k, &j) in free.iter().enumerate() {
                if let Operand::One(value) = output(1 + j) {
                    scratch.constants[k * BLOCK..][..rows].fill(value);
                }
            }
            let constants = &scratch.constants;
            let column = |k: usize| match output(1 + free[k]) {
                Operand::Rows(values) => values,
                Operand::One(_) => &constants[k * BLOCK..][..rows],
            };
            add_products::<A>(slope, outer, free.len(), column, |k| free[k], hessian, gradient);
            if share > 0.0 {
                for (k, &(i, j)) in law.second_pairs.iter().enumerate() {
                    let second = match output(1 + p + k) {
                        Operand::Rows(second) => dot::<A>(outer, second),
                        Operand::One(second) => second * sum(outer),
                    };
                    hessian[i * p + j] += share * second;
                }
            }
            first += rows;
        }
        finish(gradient, hessian, free, p);
        total
    }
}

/// Mirrors the upper triangle and clears what belongs to fixed parameters.
pub(super) fn finish(gradient: &mut [f64], hessian: &mut [f64], free: &[usize], p: usize) {
    if free.len() < p {
        for i in (0..p).filter(|i| !free.contains(i)) {
            gradient[i] = 0.0;
            for j in 0..p {
                hessian[i * p + j] = 0.0;
                hessian[j * p + i] = 0.0;
            }
        }
    }
    for i in 0..p {
        for j in i + 1..p {
            hessian[j * p + i] = hessian[i * p + j];
        }
    }
}

struct Residuals<'a> {
    problem: &'a Problem<'a>,
    params: &'a [f64],
    scratch: &'a mut Scratch,
    jacobian: Option<&'a mut [f64]>,
    out: &'a mut [f64],
}

impl Work for Residuals<'_> {
    type Out = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Residuals { problem, params, scratch, mut jacobian, out } = self;
        let data = problem.rows;
        let link = problem.link();
        let program = if jacobian.is_some() { &problem.law.first } else { &problem.law.value };
        program.run_scalars::<A>(params, &mut scratch.scalars);
        grow(&mut scratch.registers, program.n_registers * BLOCK);
        let Buffers { constant: reciprocal, .. } = buffers(&mut scratch.rows);
        let mut first = 0;
        while first < data.padded {
            let rows = BLOCK.min(data.padded - first);
            program.run_block::<A>(&scratch.scalars, data.columns(), first, rows, &mut scratch.registers);
            let output =
                |index| program.output(index, &scratch.scalars, data.columns(), first, rows, &scratch.registers);
            let (residual, reciprocal) = (&mut out[first..][..rows], &mut reciprocal[..rows]);
            block_residuals::<A>(link, output(0), &data.response[first..][..rows], residual, reciprocal);
            if let Some(jacobian) = jacobian.as_deref_mut() {
                for (k, &j) in problem.free.iter().enumerate() {
                    let column = &mut jacobian[k * data.padded + first..][..rows];
                    block_jacobian(link, output(1 + j), reciprocal, column);
                }
            }
            first += rows;
        }
    }
}

struct Metric<'a> {
    problem: &'a Problem<'a>,
    params: &'a [f64],
    scratch: &'a mut Scratch,
    out: &'a mut [f64],
}

impl Work for Metric<'_> {
    type Out = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Metric { problem, params, scratch, out } = self;
        let (law, data) = (problem.law, problem.rows);
        let program = &law.metric;
        out.fill(0.0);
        program.run_scalars::<A>(params, &mut scratch.scalars);
        grow(&mut scratch.registers, program.n_registers * BLOCK);
        let mut first = 0;
        while first < data.padded {
            let rows = BLOCK.min(data.padded - first);
            program.run_block::<A>(&scratch.scalars, data.columns(), first, rows, &mut scratch.registers);
            for (index, &owner) in law.metric_owners.iter().enumerate() {
                out[owner] +=
                    match program.output(index, &scratch.scalars, data.columns(), first, rows, &scratch.registers) {
                        Operand::Rows(d) => dot::<A>(d, d),
                        Operand::One(d) => d * d * rows as f64,
                    };
            }
            first += rows;
        }
        for (j, scale) in out.iter_mut().enumerate() {
            let n_terms = law.metric_owners.iter().filter(|owner| **owner == j).count().max(1);
            *scale = (*scale / (n_terms * data.padded.max(1)) as f64).sqrt();
        }
    }
}
