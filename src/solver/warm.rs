//! Refits: the minimum of another data set of the same law, from that of the first.
//!
//! First the law is taken as straight at the estimates, which costs no exponential, and its minimum is found; then the
//! approach and the polish go on with the law itself. On resamples of the Chinchilla points with Huber's loss at 1e-3 that
//! leaves fewer than four evaluations of the law in the mean.

use crate::law::Role;
use crate::linalg::factor;
use crate::linalg::solve as solve_system;
use crate::objective::problem::Problem;
use crate::objective::tangent::Slopes;
use crate::objective::tangent::Tangent;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::approach::Guide;
use crate::solver::approach::Pace;
use crate::solver::approach::Tie;
use crate::solver::approach::approach;
use crate::solver::approach::follow;
use crate::solver::outcome;
use crate::solver::polish;
use crate::solver::solve;
use crate::status::Status;

/// What all refits of a fit share.
#[derive(Clone, Debug)]
pub(crate) struct Warm {
    /// The estimates.
    params: Vec<f64>,
    guide: Guide,
    /// The law, straight, in coordinates in which amplitudes follow exponents.
    slopes: Slopes,
    /// Bounds as distances from the estimates.
    changes: Space,
    /// The guide in these coordinates.
    straight: Guide,
}

/// Memory of a worker.
#[derive(Clone, Debug, Default)]
pub(crate) struct WarmMemory {
    slopes: Slopes,
    changes: Vec<f64>,
}

/// The way along the straight law: it need not be closer to its minimum than that is to the minimum of the law. Twice as many
/// steps on the mean curvature, or a hundred times the accuracy, cost more of these evaluations and save none of the law.
const STRAIGHT: Pace = Pace { mean_steps: 1, enough: 1e-4, is_exact: false, may_trust: false };

impl Warm {
    /// Of the estimates `params` of `problem`.
    pub(crate) fn new(problem: &Problem<'_>, space: &Space, params: &[f64], workspace: &mut Workspace) -> Warm {
        let mut slopes = Slopes::of(problem, params, &mut workspace.scratch);
        let metric = squares(problem, space, &slopes, params.len());
        let guide = Guide { ties: ties(problem, space, params, &metric), metric };
        let place = |j: usize| space.free.iter().position(|&free| free == j);
        for tie in &guide.ties {
            if let (Some(to), Some(from)) = (place(tie.exponent), place(tie.amplitude)) {
                slopes.add_column(to, from, tie.slope(params));
            }
        }
        let straight = Guide { ties: vec![], metric: squares(problem, space, &slopes, params.len()) };
        let from = |bounds: &[f64]| bounds.iter().zip(params).map(|(bound, value)| bound - value).collect::<Vec<_>>();
        let changes = space.within(&from(&space.lower), &from(&space.upper));
        Warm { params: params.to_vec(), guide, slopes, changes, straight }
    }

    /// The estimates.
    pub(crate) fn params(&self) -> &[f64] {
        &self.params
    }

    /// Where the resample `problem`, of rows that were taken from those of the fit, has its minimum.
    pub(crate) fn refit(
        &self,
        problem: &Problem<'_>,
        space: &Space,
        options: Options,
        memory: &mut WarmMemory,
        workspace: &mut Workspace,
    ) -> Outcome {
        workspace.reset(self.params.len());
        let mut params = self.params.clone();
        self.go_straight(problem, space, options, &mut params, memory, workspace);
        let value = approach(problem, space, &self.guide, &mut params, options, Pace::NEAR, workspace);
        let mut end = polish::polish(problem, space, &mut params, options, value, polish::Check::Promise, workspace);
        if end.status.is_success() {
            if polish::is_open(workspace) {
                end.status = Status::Unidentified;
            }
            return outcome(problem, space, params, end, workspace);
        }
        let (iterations, evaluations) = (workspace.n_iterations, workspace.n_evaluations);
        let mut whole = solve(problem, space, &self.params, options, workspace);
        whole.n_iterations += iterations;
        whole.n_evaluations += evaluations;
        whole
    }

    /// Moves `params` from the estimates to the minimum of the straight law.
    fn go_straight(
        &self,
        problem: &Problem<'_>,
        space: &Space,
        options: Options,
        params: &mut [f64],
        memory: &mut WarmMemory,
        workspace: &mut Workspace,
    ) {
        let WarmMemory { slopes, changes } = memory;
        slopes.gather(&self.slopes, problem.rows);
        let Problem { rows, loss, f_scale, free, level, cancel, prior, .. } = *problem;
        let tangent = Tangent { slopes, rows, loss, f_scale, free, level, cancel, prior, at: &self.params };
        changes.clear();
        changes.resize(params.len(), 0.0);
        let found = approach(&tangent, &self.changes, &self.straight, changes, options, STRAIGHT, workspace);
        if found.is_some() {
            follow(space, &self.guide.ties, &self.params, changes, params);
        }
    }
}

/// Σ w ∂r ∂rᵀ over all parameters.
fn squares(problem: &Problem<'_>, space: &Space, slopes: &Slopes, p: usize) -> Vec<f64> {
    let mut out = vec![0.0; p * p];
    for (k, &i) in space.free.iter().enumerate() {
        for (l, &j) in space.free.iter().enumerate().skip(k) {
            let products = slopes.column(k).iter().zip(slopes.column(l)).zip(&problem.rows.weights);
            let total: f64 = products.map(|((a, b), w)| w * a * b).sum();
            (out[i * p + j], out[j * p + i]) = (total, total);
        }
    }
    out
}

/// How amplitudes move with what shapes their terms so that predictions change least: the least squares of its column by
/// theirs, from the products of all columns.
fn ties(problem: &Problem<'_>, space: &Space, params: &[f64], metric: &[f64]) -> Vec<Tie> {
    let p = params.len();
    let law = problem.law;
    let follows = |a: usize| {
        let is_log = law.roles[a].role == Role::LogAmplitude;
        let is_open = is_log || (space.lower[a] <= 0.0 && space.upper[a] == f64::INFINITY && params[a] != 0.0);
        space.free.contains(&a) && is_open
    };
    let mut found = Vec::new();
    for &exponent in &space.free {
        let pairs = law.amplitude_pairs.iter().filter(|(own, a)| *own == exponent && follows(*a));
        let own: Vec<usize> = pairs.map(|(_, a)| *a).collect();
        let m = own.len();
        let mut matrix: Vec<f64> = own.iter().flat_map(|&a| own.iter().map(move |&b| metric[a * p + b])).collect();
        let mut shares: Vec<f64> = own.iter().map(|&a| metric[a * p + exponent]).collect();
        if m == 0 || !factor(&mut matrix, m) {
            continue;
        }
        solve_system(&matrix, m, &mut shares);
        for (&amplitude, share) in own.iter().zip(shares) {
            let is_log = law.roles[amplitude].role == Role::LogAmplitude;
            let mean = if is_log { share } else { share / params[amplitude] };
            if mean.is_finite() {
                found.push(Tie { amplitude, is_log, exponent, mean });
            }
        }
    }
    found
}
