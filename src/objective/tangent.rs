//! The objective of a law that is straight: fitted values at one place, and their slopes there.
//!
//! Resamples of one fit have their minima near its own, where the law hardly bends while the loss does: most of the way of a
//! refit is there, without an exponential.

use std::marker::PhantomData;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::formula::program::BLOCK;
use crate::linalg::add_products;
use crate::linalg::sum;
use crate::loss::Loss;
use crate::objective::Curvature;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::link::Link;
use crate::objective::link::LossPass;
use crate::objective::prior::Prior;
use crate::objective::problem::Buffers;
use crate::objective::problem::Problem;
use crate::objective::problem::buffers;
use crate::objective::problem::finish;
use crate::objective::rows::Rows;

/// Fitted values on the residual's scale and their derivatives by the free parameters: columns of `padded` values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slopes {
    padded: usize,
    /// The fitted values, then the derivatives.
    columns: Vec<f64>,
}

impl Slopes {
    /// At `params`.
    pub(crate) fn of(problem: &Problem<'_>, params: &[f64], scratch: &mut Scratch) -> Slopes {
        let (mut columns, derivatives) = problem.linearise(params, scratch);
        for (value, y) in columns.iter_mut().zip(&problem.rows.response) {
            *value += y;
        }
        columns.extend(derivatives);
        Slopes { padded: problem.rows.padded, columns }
    }

    /// The derivatives by the `k`-th free parameter.
    pub(crate) fn column(&self, k: usize) -> &[f64] {
        &self.columns[(k + 1) * self.padded..][..self.padded]
    }

    /// Adds `share` times the column of one free parameter to that of another: a change of coordinates.
    pub(crate) fn add_column(&mut self, to: usize, from: usize, share: f64) {
        for row in 0..self.padded {
            let added = share * self.column(from)[row];
            self.columns[(to + 1) * self.padded + row] += added;
        }
    }

    /// The rows that `rows` took of those of `full`, into `self`.
    pub(crate) fn gather(&mut self, full: &Slopes, rows: &Rows) {
        self.padded = rows.padded;
        rows.gather(&full.columns, full.padded, &mut self.columns);
    }
}

/// The objective of a straight law as a function of the parameters' changes from where it is straight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tangent<'a> {
    pub(crate) slopes: &'a Slopes,
    pub(crate) rows: &'a Rows,
    pub(crate) loss: Loss,
    pub(crate) f_scale: f64,
    pub(crate) free: &'a [usize],
    pub(crate) level: Level,
    pub(crate) cancel: &'a AtomicBool,
    pub(crate) prior: Prior<'a>,
    /// Where the slopes are those of the law.
    pub(crate) at: &'a [f64],
}

impl Objective for Tangent<'_> {
    fn n_parameters(&self) -> usize {
        self.at.len()
    }

    fn n_rows(&self) -> usize {
        self.rows.n
    }

    fn rounding_floor(&self) -> f64 {
        self.rows.rounding_floor + self.prior.rounding_floor()
    }

    fn expand(
        &self,
        changes: &[f64],
        curvature: Curvature,
        scratch: &mut Scratch,
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64 {
        let (g, h) = (&mut *gradient, &mut *hessian);
        let rows = dispatch(self.level, Expand { tangent: self, changes, curvature, scratch, gradient: g, hessian: h });
        if self.prior.known.is_empty() {
            return rows;
        }
        let params: Vec<f64> = self.at.iter().zip(changes).map(|(a, b)| a + b).collect();
        rows + self.prior.add_to(&params, gradient, hessian)
    }

    fn metric(&self, _changes: &[f64], _scratch: &mut Scratch, out: &mut [f64]) {
        out.fill(1.0);
    }

    fn rescaled(&self, _changes: &[f64]) -> Option<Vec<f64>> {
        None
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

/// Columns that are added up at once.
const TOGETHER: usize = 5;

struct Expand<'a> {
    tangent: &'a Tangent<'a>,
    changes: &'a [f64],
    curvature: Curvature,
    scratch: &'a mut Scratch,
    gradient: &'a mut [f64],
    hessian: &'a mut [f64],
}

impl Work for Expand<'_> {
    type Out = f64;

    #[inline(always)]
    fn run<A: Arith>(self) -> f64 {
        let Expand { tangent, changes, curvature, scratch, gradient, hessian } = self;
        let Tangent { slopes, rows: data, loss, f_scale: delta, free, .. } = *tangent;
        gradient.fill(0.0);
        hessian.fill(0.0);
        let Buffers { costs, slope, outer, constant: prediction } = buffers(&mut scratch.rows);
        let mut total = 0.0;
        let mut first = 0;
        while first < data.padded {
            let n = BLOCK.min(data.padded - first);
            let column = |k: usize| &slopes.column(k)[first..][..n];
            let prediction = &mut prediction[..n];
            let fitted = &slopes.columns[first..][..n];
            let step = |k: usize| changes[free[k]];
            let mut n_added = 0;
            if free.len() < TOGETHER {
                prediction.copy_from_slice(fitted);
            } else {
                // What is stored between two additions costs more than the addition.
                let steps: [f64; TOGETHER] = std::array::from_fn(step);
                let columns: [&[f64]; TOGETHER] = std::array::from_fn(column);
                for (i, (f, start)) in prediction.iter_mut().zip(fitted).enumerate() {
                    let mut sum = *start;
                    for (column, step) in columns.iter().zip(steps) {
                        sum = A::mul_add(step, column[i], sum);
                    }
                    *f = sum;
                }
                n_added = TOGETHER;
            }
            for k in n_added..free.len() {
                let step = step(k);
                for (f, slope) in prediction.iter_mut().zip(column(k)) {
                    *f = A::mul_add(step, *slope, *f);
                }
            }
            let (costs, slope, outer) = (&mut costs[..n], &mut slope[..n], &mut outer[..n]);
            let row_data = (&data.response[first..][..n], &data.weights[first..][..n], data.noise(first, n));
            let factors = (&mut *costs, &mut *slope, &mut *outer);
            let (arith, f) = (PhantomData::<A>, &*prediction);
            loss.visit(LossPass { arith, link: Link::Value, curvature, delta, f, data: row_data, factors });
            total += sum(costs);
            add_products::<A>(slope, outer, free.len(), column, |k| free[k], hessian, gradient);
            first += n;
        }
        finish(gradient, hessian, free, changes.len());
        if total.is_finite() { total } else { f64::INFINITY }
    }
}
