//! From the minimum of least squares to that of a robust loss.
//!
//! Damped Newton steps on the mean of the exact and the reweighted curvature, then on the exact one. Newton's method alone
//! oscillates where a loss's second derivative jumps; reweighting alone takes forty steps. Two things make the way short:
//! amplitudes move along with their exponents, so that a term keeps its size in the middle of the data, and the damping is
//! a multiple of the Gauss–Newton matrix of the least squares, so that no unit of a parameter matters.
//!
//! On the Chinchilla points with Huber's loss at 1e-3 seven evaluations lead from one minimum to the other; damping by the
//! diagonal in natural coordinates needs more than fifty.

use crate::dispatch::Plain;
use crate::linalg::factor;
use crate::linalg::solve;
use crate::objective::Curvature;
use crate::objective::Objective;
use crate::solver::Options;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::polish::is_trusted;
use crate::solver::tolerance;
use crate::solver::workspace::ChartPlace;
use crate::special;

/// How an amplitude moves with an exponent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tie {
    pub(super) amplitude: usize,
    /// The amplitude is given by its logarithm.
    pub(super) is_log: bool,
    pub(super) exponent: usize,
    /// The mean of `∂ ln g / ∂ exponent` over the rows.
    pub(super) mean: f64,
}

impl Tie {
    /// ∂ amplitude / ∂ exponent.
    pub(super) fn slope(&self, params: &[f64]) -> f64 {
        if self.is_log { -self.mean } else { -self.mean * params[self.amplitude] }
    }
}

/// Where the approach begins and how it measures.
#[derive(Clone, Debug, Default)]
pub(super) struct Guide {
    pub(super) ties: Vec<Tie>,
    /// The Gauss–Newton matrix of the least squares, over all parameters, row-major.
    pub(super) metric: Vec<f64>,
}

/// How long an approach goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Steps on the mean curvature.
    pub(super) mean_steps: usize,
    /// A step that promises less than this share of the objective is the last, where the tolerance does not end it before.
    pub(super) enough: f64,
    /// Whether the workspace is to hold the exact Hessian at the end.
    pub(super) is_exact: bool,
    /// Whether a step that [`is_trusted`] is the last.
    pub(super) may_trust: bool,
}

impl Pace {
    /// From the minimum of least squares.
    pub(super) const FAR: Pace = Pace { mean_steps: 4, enough: 0.0, is_exact: true, may_trust: false };
    /// From next to a minimum.
    pub(super) const NEAR: Pace = Pace { mean_steps: 0, enough: 0.0, is_exact: true, may_trust: true };
}

/// Steps altogether.
const MOST_STEPS: usize = 100;
/// The mean has done its work when a step promises less than this share of the objective.
const NEAR: f64 = 1e-3;
/// Damping in units of the curvature of the first amplitude: the least that counts, its rise and its fall.
const LEAST_DAMPING: f64 = 0.02;
const RAISE: f64 = 4.0;
const LOWER: f64 = 0.1;
const MOST_DAMPING: f64 = 1e6;
/// A step that is too long becomes one of so much of its length.
const LEAST_LENGTH: f64 = 0.1;
const MOST_LENGTH: f64 = 0.5;

/// Moves `params` near a minimum and returns the value there, with gradient and exact Hessian in the workspace; `None` if
/// the objective is not finite at the beginning.
pub(super) fn approach<O: Objective>(
    objective: &O,
    space: &Space,
    guide: &Guide,
    params: &mut [f64],
    options: Options,
    pace: Pace,
    workspace: &mut Workspace,
) -> Option<f64> {
    let p = params.len();
    let Pace { mut mean_steps, enough, .. } = pace;
    let first_curvature = if mean_steps > 0 { Curvature::Mixed } else { Curvature::Exact };
    let mut value = expand(objective, params, first_curvature, workspace);
    if !value.is_finite() {
        return None;
    }
    workspace.promised = f64::NAN;
    let mut lambda = 0.0_f64;
    let mut chart = Chart { ties: &guide.ties, natural_metric: &guide.metric, at: workspace.take_chart(p) };
    chart.read(params, first_curvature.share(), workspace);
    for _ in 0..MOST_STEPS.min(options.max_iterations) {
        if objective.is_cancelled() {
            break;
        }
        workspace.n_iterations += 1;
        let Some((predicted, damping)) = chart.step(space, params, lambda, workspace) else { break };
        lambda = damping;
        let limit = tolerance(objective, value).max(enough * value);
        let is_last = predicted <= limit || (pace.may_trust && is_trusted(predicted, limit, value, workspace));
        if (mean_steps == 0 || !pace.is_exact) && lambda == 0.0 && is_last {
            // The step is the polish's, which judges it.
            break;
        }
        let left = if predicted <= NEAR * value { 0 } else { mean_steps.saturating_sub(1) };
        let next_curvature = if left > 0 { Curvature::Mixed } else { Curvature::Exact };
        let mut next = std::mem::take(&mut workspace.trial_params);
        let (mut trial, mut gain) = (f64::NAN, f64::NAN);
        workspace.promised = if lambda == 0.0 && next_curvature == Curvature::Exact { predicted } else { f64::NAN };
        for shortening in [false, true] {
            if shortening {
                // The step goes beyond a kink of the loss, not out of where the law is as it was: a shorter one needs no
                // other direction. Its length is that of the parabola through what is known.
                workspace.promised = f64::NAN;
                let slope = chart.slope(workspace);
                let length = (0.5 * slope / (slope + gain)).clamp(LEAST_LENGTH, MOST_LENGTH);
                workspace.step.iter_mut().for_each(|step| *step *= length);
            }
            follow(space, &guide.ties, params, &workspace.step, &mut next);
            trial = objective.expand(
                &next,
                next_curvature,
                &mut workspace.scratch,
                &mut workspace.trial_gradient,
                &mut workspace.trial_hessian,
            );
            workspace.n_evaluations += 1;
            gain = value - trial;
            if gain > 0.0 || !gain.is_finite() || mean_steps > 0 || lambda > 0.0 || predicted <= limit {
                break;
            }
        }
        if gain.is_finite() && gain > 0.0 {
            params.copy_from_slice(&next);
            workspace.trial_params = next;
            std::mem::swap(&mut workspace.gradient, &mut workspace.trial_gradient);
            std::mem::swap(&mut workspace.hessian, &mut workspace.trial_hessian);
            value = trial;
            chart.read(params, next_curvature.share(), workspace);
            mean_steps = left;
            if gain > 0.5 * predicted {
                lambda *= LOWER;
            }
            if lambda < 0.1 * LEAST_DAMPING {
                lambda = 0.0;
            }
        } else {
            workspace.trial_params = next;
            if predicted <= limit {
                break;
            }
            lambda = (lambda * RAISE).max(LEAST_DAMPING);
            if lambda > MOST_DAMPING {
                break;
            }
        }
    }
    workspace.put_chart(chart.at);
    if mean_steps > 0 && pace.is_exact {
        value = expand(objective, params, Curvature::Exact, workspace);
    }
    Some(value)
}

fn expand<O: Objective>(objective: &O, params: &[f64], curvature: Curvature, workspace: &mut Workspace) -> f64 {
    workspace.n_evaluations += 1;
    objective.expand(params, curvature, &mut workspace.scratch, &mut workspace.gradient, &mut workspace.hessian)
}

/// Derivatives in coordinates in which an amplitude follows its exponents.
struct Chart<'a> {
    ties: &'a [Tie],
    natural_metric: &'a [f64],
    at: ChartPlace,
}

impl Chart<'_> {
    /// Takes gradient and curvature of the workspace into the chart at `params`; `share` of the curvature is exact.
    fn read(&mut self, params: &[f64], share: f64, workspace: &Workspace) {
        let p = params.len();
        let natural = &workspace.gradient;
        let ChartPlace { gradient, hessian, .. } = &mut self.at;
        gradient.copy_from_slice(natural);
        for tie in self.ties {
            gradient[tie.exponent] += tie.slope(params) * natural[tie.amplitude];
        }
        hessian.copy_from_slice(&workspace.hessian);
        turn(self.ties, params, hessian, p);
        // The chart is curved: amplitudes are multiplied by exponentials of the exponents.
        for tie in self.ties.iter().filter(|tie| !tie.is_log) {
            let (a, e) = (tie.amplitude, tie.exponent);
            let g = share * natural[a];
            hessian[a * p + e] -= tie.mean * g;
            hessian[e * p + a] -= tie.mean * g;
            for other in self.ties.iter().filter(|other| other.amplitude == a) {
                hessian[e * p + other.exponent] += tie.mean * other.mean * params[a] * g;
            }
        }
    }

    /// The damped step into the workspace, its promise, and the damping that made the matrix positive definite.
    fn step(&mut self, space: &Space, params: &[f64], lambda: f64, workspace: &mut Workspace) -> Option<(f64, f64)> {
        let p = params.len();
        let is_held = |j: usize| {
            let g = workspace.gradient[j];
            (params[j] <= space.lower[j] && g >= 0.0) || (params[j] >= space.upper[j] && g <= 0.0)
        };
        workspace.active.clear();
        let mut active = std::mem::take(&mut workspace.active);
        active.extend(space.free.iter().copied().filter(|&j| !is_held(j)));
        workspace.active = active;
        let m = workspace.active.len();
        let mut unit = f64::NAN;
        let mut lambda = lambda;
        loop {
            // Most steps are not damped, and need no metric.
            if lambda > 0.0 && unit.is_nan() {
                self.at.metric.copy_from_slice(self.natural_metric);
                turn(self.ties, params, &mut self.at.metric, p);
                unit = self.unit(workspace);
            }
            let ChartPlace { gradient, hessian, metric } = &self.at;
            let Workspace { active, system, right_side, .. } = workspace;
            if m == p {
                system.copy_from_slice(hessian);
            } else {
                for (&i, row) in active.iter().zip(system.chunks_exact_mut(m.max(1))) {
                    let from = &hessian[i * p..][..p];
                    for (place, &j) in row.iter_mut().zip(&*active) {
                        *place = from[j];
                    }
                }
            }
            for (&i, right) in active.iter().zip(right_side.iter_mut()) {
                *right = -gradient[i];
            }
            if lambda > 0.0 {
                for (&i, row) in active.iter().zip(system.chunks_exact_mut(m.max(1))) {
                    for (place, &j) in row.iter_mut().zip(&*active) {
                        *place += lambda * unit * metric[i * p + j];
                    }
                }
            }
            if factor(&mut workspace.system[..m * m], m) {
                break;
            }
            lambda = (lambda * RAISE).max(LEAST_DAMPING);
            if lambda > MOST_DAMPING {
                return None;
            }
        }
        solve(&workspace.system[..m * m], m, &mut workspace.right_side[..m]);
        workspace.step.fill(0.0);
        for (a, &i) in workspace.active.iter().enumerate() {
            workspace.step[i] = workspace.right_side[a];
        }
        // Of the model −½ gᵀs, were it not for what the damping adds to its curvature.
        let mut predicted = -0.5 * self.slope(workspace);
        if lambda > 0.0 {
            // Those that do not move have a step of 0.
            let step = &workspace.step[..p];
            for (row, s) in self.at.metric.chunks_exact(p).zip(step) {
                let drag: f64 = row.iter().zip(step).map(|(m, s)| m * s).sum();
                predicted += 0.5 * lambda * unit * s * drag;
            }
        }
        (predicted.is_finite() && predicted > 0.0).then_some((predicted, lambda))
    }

    /// The slope of the objective along the step.
    fn slope(&self, workspace: &Workspace) -> f64 {
        workspace.active.iter().map(|&i| self.at.gradient[i] * workspace.step[i]).sum()
    }

    /// How the curvature of the objective compares with that of the least squares, by the diagonals.
    fn unit(&self, workspace: &Workspace) -> f64 {
        let ChartPlace { gradient, hessian, metric } = &self.at;
        let p = gradient.len();
        let ratios = workspace.active.iter().map(|&j| hessian[j * p + j].abs() / metric[j * p + j]);
        ratios.filter(|r| r.is_finite()).fold(f64::MIN_POSITIVE, f64::max)
    }
}

/// The place that a step leads to, amplitudes following their exponents, within the bounds.
pub(super) fn follow(space: &Space, ties: &[Tie], params: &[f64], step: &[f64], next: &mut [f64]) {
    next.copy_from_slice(params);
    for &j in &space.free {
        next[j] = space.clamp(j, params[j] + step[j]);
    }
    for tie in ties.iter().filter(|tie| space.free.contains(&tie.amplitude)) {
        let along = -tie.mean * (next[tie.exponent] - params[tie.exponent]);
        let a = tie.amplitude;
        let moved = if tie.is_log { next[a] + along } else { next[a] * special::exp::<Plain>(along) };
        next[a] = space.clamp(a, moved);
    }
}

/// `JᵀMJ` in place, with J the identity but for the ties.
fn turn(ties: &[Tie], params: &[f64], matrix: &mut [f64], p: usize) {
    for tie in ties {
        let slope = tie.slope(params);
        for i in 0..p {
            matrix[i * p + tie.exponent] += slope * matrix[i * p + tie.amplitude];
        }
    }
    for tie in ties {
        let slope = tie.slope(params);
        for i in 0..p {
            matrix[tie.exponent * p + i] += slope * matrix[tie.amplitude * p + i];
        }
    }
}
