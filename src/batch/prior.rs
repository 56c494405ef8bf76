//! A prior within a batch: the noise that it is weighed against, and its own uncertainty in resamples.

use crate::batch::check::Plan;
use crate::batch::scale::EFFICIENCY;
use crate::batch::spec::BatchSpec;
use crate::objective::prior::Known;
use crate::objective::prior::Prior;
use crate::objective::problem::Problem;
use crate::rng::Purpose;
use crate::rng::hash_key;
use crate::rng::stream;
use crate::solver::Space;

/// What a fit of the rows alone may move: all that is free, or, where the rows are no more than that, what has no prior.
pub(super) struct RowsAlone {
    pub(super) space: Space,
    held: Vec<Known>,
}

impl RowsAlone {
    pub(super) fn new(plan: &Plan, n_rows: usize) -> RowsAlone {
        if plan.known.is_empty() || n_rows > plan.space.free.len() {
            return RowsAlone { space: plan.space.clone(), held: vec![] };
        }
        let is_held = |j: usize| plan.known.iter().any(|known| known.parameter == j);
        let free = plan.space.free.iter().copied().filter(|&j| !is_held(j)).collect();
        RowsAlone { space: plan.space.only(free), held: plan.known.clone() }
    }

    /// The start with what is held at its prior mean.
    pub(super) fn begin(&self, mut start: Vec<f64>) -> Vec<f64> {
        for known in &self.held {
            start[known.parameter] = known.mean;
        }
        start
    }

    /// The same rows without prior.
    pub(super) fn problem<'a>(&'a self, problem: &Problem<'a>) -> Problem<'a> {
        Problem { prior: Prior::NONE, free: &self.space.free, ..*problem }
    }
}

/// The noise variance of a row of weight 1: the caller's; 1 where the noise of every row is known; that of the scale of a
/// robust loss; else s² of the rows alone, whose least objective `fit_alone` finds.
pub(super) fn noise_variance(
    spec: &BatchSpec<'_>,
    problem: &Problem<'_>,
    index: usize,
    alone: &RowsAlone,
    fit_alone: impl FnOnce(&Problem<'_>) -> f64,
) -> f64 {
    let given = spec.prior.and_then(|prior| prior.variance).map_or(f64::NAN, |values| values[index]);
    if !given.is_nan() {
        return given;
    }
    if spec.sigma.is_some() {
        return 1.0;
    }
    let rows_alone = alone.problem(problem);
    let freedom = problem.rows.n.saturating_sub(rows_alone.free.len());
    // Without freedom rows and priors are met exactly, whatever the one weighs against the other.
    if freedom == 0 {
        return 1.0;
    }
    if spec.loss.has_scale() {
        return (problem.f_scale / EFFICIENCY).powi(2);
    }
    let variance = 2.0 * fit_alone(&rows_alone) / freedom as f64;
    // Where no objective is finite, any weight shows it.
    if variance.is_finite() { variance } else { 1.0 }
}

/// The prior of a replicate: what it rests on was measured once and might have come out otherwise. Drawn anew, or resamples
/// would take it for exact. Streams are of the parameter's name: all fits that share a prior share its error.
pub(super) fn redraw(spec: &BatchSpec<'_>, known: &[Known], replicate: u32, out: &mut Vec<Known>) {
    out.clear();
    out.extend(known.iter().map(|known| {
        let key = hash_key(spec.parameters[known.parameter].as_bytes());
        let error = stream(spec.seed, key, replicate, Purpose::Prior).normal();
        Known { mean: known.mean + known.sd * error, ..*known }
    }));
}
