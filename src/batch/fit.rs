//! One fit of a batch, from its rows to its result.

use crate::batch::begins::Begins;
use crate::batch::begins::sampled;
use crate::batch::check::Plan;
use crate::batch::describe::describe;
use crate::batch::path::Crew;
use crate::batch::path::Path;
use crate::batch::prior::RowsAlone;
use crate::batch::prior::noise_variance;
use crate::batch::replicates::resample;
use crate::batch::results::FitResult;
use crate::batch::results::Replicates;
use crate::batch::results::Started;
use crate::batch::scale;
use crate::batch::scale::ScaleRule;
use crate::batch::spec::BatchSpec;
use crate::batch::spec::ReplicatePlan;
use crate::objective::prior::Prior;
use crate::objective::problem::Problem;
use crate::objective::projection::Projection;
use crate::objective::rows::prepare;
use crate::run::Monitor;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::finish;
use crate::solver::solve;
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
    let rows = prepare(law, &raw, spec.residual, spec.level);
    let free = &plan.space.free;
    let per_fit = plan.n_starts + spec.replicates.as_ref().map_or(0, ReplicatePlan::n_replicates);
    if rows.n == 0 || rows.n + plan.known.len() < free.len() {
        monitor.tick(per_fit as u64);
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
    let sample = sampled(&rows);
    let is_fitted = spec.loss.has_scale() && problem.f_scale.is_nan() && spec.scale_rule == ScaleRule::Fitted;
    if !spec.loss.has_scale() {
        problem.f_scale = 1.0;
    }
    let mut begins = Begins {
        spec,
        plan,
        index,
        problem: Problem { rows: sample.as_ref().unwrap_or(&rows), ..problem },
        scanned: Vec::new(),
    };
    let alone = RowsAlone::new(plan, rows.n);
    let mut projection = if plan.is_separable { Projection::of(&problem) } else { None };
    if let Some(projection) = &projection {
        begins.first_look(projection, workspace);
    }
    if problem.f_scale.is_nan() && !is_fitted {
        let crew = Crew { ticks: false, ..crew };
        problem.f_scale = scale_from_pilot(&begins, &problem, &alone, projection.as_ref(), options, crew, workspace);
        if let Some(projection) = &mut projection {
            projection.problem.f_scale = problem.f_scale;
        }
    }
    if !plan.known.is_empty() {
        let fit_alone = |rows_alone: &Problem<'_>| {
            let ends = crew.map(plan.n_starts, |workspace: &mut Workspace, s| {
                solve(rows_alone, &alone.space, &alone.begin(begins.start(s)), options, workspace).objective
            });
            ends.into_iter().filter(|objective| objective.is_finite()).fold(f64::INFINITY, f64::min)
        };
        let variance = noise_variance(spec, &problem, index, &alone, fit_alone);
        problem.prior = Prior { known: &plan.known, variance };
    }
    let path = Path { problem, projection: projection.as_ref(), space: &plan.space, options };
    let n_second = if begins.has_second_look(projection.is_some()) && !is_fitted { plan.n_starts / 4 } else { 0 };
    let n_first = plan.n_starts - n_second;
    let mut beginnings = crew.map(n_first, |(): &mut (), s| begins.start(s));
    if beginnings.len() < n_first {
        return unfitted(spec, plan, Status::Cancelled, rows.n);
    }
    let mut ends = if is_fitted {
        with_fitted_scale(&mut problem, &plan.space, &beginnings, options, crew)
    } else {
        path.solve_all(&beginnings, |s| begins.is_generic(s), crew)
    };
    if n_second > 0 && !monitor.is_cancelled() {
        let best = best_of(&ends);
        let known = ends[best].params.clone();
        let (begin, end) = begins.second_look(path, &known, n_first..plan.n_starts, crew, workspace);
        beginnings.extend(begin);
        ends.extend(end);
    }
    if monitor.is_cancelled() {
        return unfitted(spec, plan, Status::Cancelled, rows.n);
    }
    let best_start = best_of(&ends);
    finish(&problem, &plan.space, &mut ends[best_start], workspace);
    let clusters: Option<Vec<i64>> =
        spec.clusters.map(|codes| raw.kept().iter().map(|&row| codes[raw.first + row]).collect());
    let mut result = describe(spec, plan, &problem, clusters.as_deref(), &ends, best_start, workspace);
    result.started = spec.keep_starts.then(|| Started::of(&beginnings, &ends));
    if let Some(replicates) = &spec.replicates {
        result.replicates = Some(resample(spec, plan, &problem, &raw, &result, replicates, crew));
    }
    result
}

/// The ends of all starts, whose scale is fitted with the law; the scale of the best is left in `problem`.
fn with_fitted_scale(
    problem: &mut Problem<'_>,
    space: &Space,
    beginnings: &[Vec<f64>],
    options: Options,
    crew: Crew<'_>,
) -> Vec<Outcome> {
    let found = crew.map(beginnings.len(), |workspace: &mut Workspace, s| {
        let found = scale::fitted(problem, space, &beginnings[s], options, workspace);
        crew.monitor.tick(1);
        found
    });
    // The likeliest of the minima has the smallest scale; the objectives of all are compared at that one.
    let scales = found.iter().filter(|(end, _)| end.objective.is_finite()).map(|(_, scale)| *scale);
    problem.f_scale = scales.reduce(f64::min).unwrap_or(1.0);
    crew.map(found.len(), |workspace: &mut Workspace, s| scale::again(problem, space, &found[s].0, options, workspace))
}

/// The scale that a pilot fit of the rows alone finds.
fn scale_from_pilot(
    begins: &Begins<'_>,
    problem: &Problem<'_>,
    alone: &RowsAlone,
    projection: Option<&Projection<'_>>,
    options: Options,
    crew: Crew<'_>,
    workspace: &mut Workspace,
) -> f64 {
    let n_pilots = begins.plan.n_starts.min(scale::PILOT_STARTS);
    let pilot: Vec<Vec<f64>> = (0..n_pilots).map(|s| alone.begin(begins.start(s))).collect();
    let rows_alone = alone.problem(problem);
    let found = scale::from_data(&rows_alone, projection, &alone.space, &pilot, options, crew, workspace);
    // The objective is not finite anywhere: any scale shows it.
    if found.is_nan() { 1.0 } else { found }
}

/// A fit that could not be done.
fn unfitted(spec: &BatchSpec<'_>, plan: &Plan, status: Status, n_rows_used: usize) -> FitResult {
    let p = plan.law.parameters().len();
    let mut result = FitResult::empty(p, plan.law.terms().len(), status, n_rows_used);
    result.started = spec.keep_starts.then(|| Started::none(plan.n_starts, p, status));
    result.replicates = spec.replicates.as_ref().map(|r| Replicates::none(r.n_replicates(), p, status));
    result
}

/// The end with the lowest objective; the first of equals. Ends that are minima come before ends that are not, unless
/// those are lower by more than two minima may differ.
fn best_of(ends: &[Outcome]) -> usize {
    let lowest = ends.iter().map(|end| end.objective).filter(|v| v.is_finite()).fold(f64::INFINITY, f64::min);
    let key = |end: &Outcome| {
        let is_lowest = end.objective <= lowest + SAME * SAME * lowest.abs();
        (!(is_lowest && end.status.is_success()), if end.objective.is_nan() { f64::INFINITY } else { end.objective })
    };
    let mut best = 0;
    for (s, end) in ends.iter().enumerate().skip(1) {
        let (a, b) = (key(end), key(&ends[best]));
        if (!a.0 && b.0) || (a.0 == b.0 && a.1 < b.1) {
            best = s;
        }
    }
    best
}
