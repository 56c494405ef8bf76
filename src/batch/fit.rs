//! One fit of a batch, from its rows to its result.

use crate::batch::check::Plan;
use crate::batch::describe::describe;
use crate::batch::ends::best_of;
use crate::batch::path::Crew;
use crate::batch::prior::RowsAlone;
use crate::batch::prior::noise_variance;
use crate::batch::replicates::Resampling;
use crate::batch::results::FitResult;
use crate::batch::results::Replicates;
use crate::batch::results::Started;
use crate::batch::search::Found;
use crate::batch::search::search;
use crate::batch::spec::BatchSpec;
use crate::objective::prior::Prior;
use crate::objective::problem::Problem;
use crate::objective::rows::prepare;
use crate::run::Monitor;
use crate::solver::Options;
use crate::solver::Workspace;
use crate::solver::finish;
use crate::solver::refine;
use crate::status::Status;

/// Ends within this relative distance of the best objective are the same optimum.
pub(super) const SAME: f64 = 1e-6;

pub(super) fn fit(
    spec: &BatchSpec<'_>,
    plan: &Plan,
    index: usize,
    n_threads: usize,
    workspace: &mut Workspace,
    monitor: &Monitor,
) -> FitResult {
    let law = &*plan.law;
    let raw = spec.rows_of(index);
    let rows = prepare(law, &raw, spec.residual, spec.level, &mut workspace.scratch);
    let free = &plan.space.free;
    if rows.n == 0 || rows.n + plan.known.len() < free.len() {
        monitor.tick((plan.n_points + spec.n_replicates()) as u64);
        return unfitted(spec, plan, Status::TooFewRows, rows.n);
    }
    let mut problem = Problem {
        law,
        rows: &rows,
        loss: spec.loss,
        f_scale: spec.f_scale.map_or(f64::NAN, |scales| scales[index]),
        residual: spec.residual,
        free,
        level: spec.level,
        cancel: monitor.flag(),
        prior: Prior::NONE,
    };
    let options = Options { max_iterations: spec.max_iterations };
    let crew = Crew { n_threads, monitor, ticks: true };
    if !spec.loss.has_scale() {
        problem.f_scale = 1.0;
    }
    let known = spec.at.map(|at| &at[index * plan.space.lower.len()..][..plan.space.lower.len()]);
    let found = match known {
        Some(params) => Some(at_estimates(spec, plan, index, &mut problem, params, crew, workspace)),
        None => search(spec, plan, index, &mut problem, options, crew, workspace),
    };
    let Some(Found { beginnings, mut ends }) = found.filter(|_| !monitor.is_cancelled()) else {
        return unfitted(spec, plan, Status::Cancelled, rows.n);
    };
    let best_start = best_of(&ends);
    finish(&problem, &plan.space, &mut ends[best_start], workspace);
    let clusters: Option<Vec<i64>> =
        spec.clusters.map(|codes| raw.kept().iter().map(|&row| codes[raw.first + row]).collect());
    let mut result = describe(spec, plan, &problem, clusters.as_deref(), &ends, best_start, workspace);
    result.started = spec.keep_starts.then(|| Started::of(&beginnings, &ends));
    if let Some(replicates) = &spec.replicates {
        let job = Resampling { spec, plan, index, replicates, raw: &raw, clusters: clusters.as_deref() };
        result.replicates = Some(job.run(&problem, &result, crew));
    }
    result
}

/// Estimates that are known: the minimum next to them.
fn at_estimates<'a>(
    spec: &BatchSpec<'_>,
    plan: &'a Plan,
    index: usize,
    problem: &mut Problem<'a>,
    params: &[f64],
    crew: Crew<'_>,
    workspace: &mut Workspace,
) -> Found {
    if !plan.known.is_empty() {
        let alone = RowsAlone::new(plan, problem.rows.n);
        let variance = noise_variance(spec, problem, index, &alone, |_| f64::NAN);
        problem.prior = Prior { known: &plan.known, variance };
    }
    let options = Options { max_iterations: spec.max_iterations };
    let end = refine(problem, &plan.space, params, options, workspace);
    crew.monitor.tick(1);
    Found { beginnings: vec![params.to_vec()], ends: vec![end] }
}

/// A fit that could not be done.
fn unfitted(spec: &BatchSpec<'_>, plan: &Plan, status: Status, n_rows_used: usize) -> FitResult {
    let p = plan.law.parameters().len();
    let mut result = FitResult::empty(p, plan.law.terms().len(), status, n_rows_used);
    if status == Status::Cancelled {
        // Nobody reads it, and room for a million starts takes a while.
        return result;
    }
    result.started = spec.keep_starts.then(|| Started::none(plan.n_points, p, status));
    result.replicates =
        spec.replicates.as_ref().map(|r| Replicates::none(r.n_replicates, p, status, r.with_covariance));
    result
}
