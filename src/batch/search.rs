//! The search of one fit: its scale, its prior's noise, its starts and their ends.

use crate::batch::begins::Begins;
use crate::batch::begins::sampled;
use crate::batch::check::Plan;
use crate::batch::fit::SAME;
use crate::batch::path::Crew;
use crate::batch::path::Path;
use crate::batch::path::Way;
use crate::batch::prior::RowsAlone;
use crate::batch::prior::noise_variance;
use crate::batch::scale;
use crate::batch::scale::ScaleRule;
use crate::batch::spec::BatchSpec;
use crate::linalg::factor;
use crate::objective::Curvature;
use crate::objective::Objective;
use crate::objective::prior::Prior;
use crate::objective::problem::Problem;
use crate::objective::projection::Projection;
use crate::scan::Mesh;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::finish;
use crate::solver::solve;
use crate::starts::Sample;

/// Drawn starts beside the minima of the scans before the first look at what they say.
const FIRST_DRAWN: usize = 1;

/// Least pivots of a curvature below which it is open but for rounding, and above which it is that of a usual design.
pub(super) const DETERMINED: f64 = 1e-11;
const WELL_DETERMINED: f64 = 1e-5;

/// Where the starts of a fit began, and their ends.
pub(super) struct Found {
    pub(super) beginnings: Vec<Vec<f64>>,
    pub(super) ends: Vec<Outcome>,
}

/// Searches from all starts and leaves the scale of the loss and the prior in `problem`; `None` once cancelled.
pub(super) fn search<'a>(
    spec: &BatchSpec<'_>,
    plan: &'a Plan,
    index: usize,
    problem: &mut Problem<'a>,
    options: Options,
    crew: Crew<'_>,
    workspace: &mut Workspace,
) -> Option<Found> {
    let rows = problem.rows;
    let sample = sampled(rows);
    let is_fitted = spec.loss.has_scale() && problem.f_scale.is_nan() && spec.scale_rule == ScaleRule::Fitted;
    // Another look follows where the loss is robust, unless its scale is fitted.
    let first_mesh = if spec.loss.has_scale() && !is_fitted && spec.n_starts == 0 { Mesh::Wide } else { Mesh::Fine };
    let mut begins = Begins {
        spec,
        plan,
        index,
        sample: Sample::of(Problem { rows: sample.as_ref().unwrap_or(rows), ..*problem }),
        scanned: Vec::new(),
        mesh: first_mesh,
    };
    let alone = RowsAlone::new(plan, rows.n);
    let mut projection = if plan.is_separable { Projection::of(problem) } else { None };
    if let Some(projection) = &projection {
        begins.first_look(projection, first_mesh, workspace);
    }
    if problem.f_scale.is_nan() && !is_fitted {
        let crew = Crew { ticks: false, ..crew };
        problem.f_scale = scale_from_pilot(&begins, problem, &alone, projection.as_ref(), options, crew, workspace);
        if let Some(projection) = &mut projection {
            projection.problem.f_scale = problem.f_scale;
        }
    }
    if !plan.known.is_empty() && problem.prior.known.is_empty() {
        let fit_alone = |rows_alone: &Problem<'_>| {
            let ends = crew.map_with(plan.n_starts, workspace, |workspace, s| {
                solve(rows_alone, &alone.space, &alone.begin(begins.start(s)), options, workspace).objective
            });
            ends.into_iter().filter(|objective| objective.is_finite()).fold(f64::INFINITY, f64::min)
        };
        let variance = noise_variance(spec, problem, index, &alone, fit_alone);
        problem.prior = Prior { known: &plan.known, variance };
    }
    let path = Path { problem: *problem, projection: projection.as_ref(), space: &plan.space, options };
    let n_second = if begins.has_second_look(projection.is_some()) && !is_fitted { plan.n_starts / 4 } else { 0 };
    // Where the number of starts is nobody's wish and scans were made, the first few may say all that there is to say.
    let may_stop = begins.may_stop() && !is_fitted;
    let n_first = if may_stop { begins.scanned.len() + FIRST_DRAWN } else { plan.n_starts - n_second };
    let (mut beginnings, mut ends) = if is_fitted {
        let beginnings = crew.map(n_first, |(): &mut (), s| begins.start(s));
        let ends = with_fitted_scale(problem, &plan.space, &beginnings, options, crew, workspace);
        (beginnings, ends)
    } else {
        begins.solve(path, 0..n_first, crew, workspace)
    };
    if beginnings.len() < n_first {
        return None;
    }
    let mut left = n_first..plan.n_starts;
    if n_second > 0 && !crew.monitor.is_cancelled() {
        let best = best_of(&ends);
        let known = ends[best].params.clone();
        let (begin, end) = begins.second_look(path, &known, left.clone(), may_stop, crew, workspace);
        left.start += begin.len();
        beginnings.extend(begin);
        ends.extend(end);
    }
    if may_stop && !left.is_empty() && !crew.monitor.is_cancelled() {
        if is_settled(problem, &ends, workspace) {
            crew.monitor.tick(left.len() as u64);
        } else {
            begins.scanned.clear();
            if let (Mesh::Wide, Some(projection)) = (first_mesh, &projection) {
                begins.first_look(projection, Mesh::Fine, workspace);
            }
            let (begin, end) = begins.solve(path, left, crew, workspace);
            beginnings.extend(begin);
            ends.extend(end);
        }
    }
    Some(Found { beginnings, ends })
}

/// A minimum below `known`, the end of a resample whose scale and prior are given; `None` if no search finds one, or once
/// cancelled.
pub(super) fn search_below(
    spec: &BatchSpec<'_>,
    plan: &Plan,
    index: usize,
    resampled: &Problem<'_>,
    known: &Outcome,
    crew: Crew<'_>,
    workspace: &mut Workspace,
) -> Option<Outcome> {
    let options = Options { max_iterations: spec.max_iterations };
    let crew = Crew { n_threads: 1, ticks: false, ..crew };
    let path = Path { problem: *resampled, projection: None, space: &plan.space, options };
    let mut ends = match elsewhere(spec, plan, index, path, known, crew, workspace) {
        Some(ends) => ends,
        None => search(spec, plan, index, &mut resampled.clone(), options, crew, workspace)?.ends,
    };
    if ends.is_empty() {
        return None;
    }
    let mut best = ends.swap_remove(best_of(&ends));
    finish(resampled, &plan.space, &mut best, workspace);
    let limit = best.objective * (1.0 + SAME) + resampled.rounding_floor();
    let is_lower = known.objective.is_nan() || known.objective > limit;
    (is_lower && best.status.is_success() && least_pivot(resampled, &best, workspace) > DETERMINED).then_some(best)
}

/// The ends that minima of a scan lead to, but for the one that is `known`; `None` where that is no minimum, or where the law
/// is not scanned as a whole. With one or two exponents a scan sees every valley that is wider than its mesh, and what starts
/// would add is evidence, which the fit itself has.
fn elsewhere(
    spec: &BatchSpec<'_>,
    plan: &Plan,
    index: usize,
    path: Path<'_>,
    known: &Outcome,
    crew: Crew<'_>,
    workspace: &mut Workspace,
) -> Option<Vec<Outcome>> {
    if !known.status.is_success() || !plan.is_separable {
        return None;
    }
    let problem = path.problem;
    let projection = Projection::at(&problem, &known.params, &mut workspace.scratch)?;
    let sample = sampled(problem.rows);
    let sample = Sample::of(Problem { rows: sample.as_ref().unwrap_or(problem.rows), ..problem });
    let mut begins = Begins { spec, plan, index, sample, scanned: Vec::new(), mesh: Mesh::Fine };
    if !begins.is_whole(&projection) {
        return None;
    }
    begins.look_again(&projection, &known.params, workspace);
    let path = Path { projection: Some(&projection), ..path };
    Some(if begins.scanned.is_empty() {
        Vec::new()
    } else {
        path.solve_all(&begins.scanned, |_| Way::Separable, crew, workspace)
    })
}

/// Whether all ends are one minimum, inside the bounds, that the data determine well: others have company elsewhere too often.
fn is_settled(problem: &Problem<'_>, ends: &[Outcome], workspace: &mut Workspace) -> bool {
    let best = &ends[best_of(ends)];
    let same = best.objective + SAME * best.objective.abs() + problem.rounding_floor();
    ends.iter().all(|end| end.status.is_success() && end.objective <= same)
        && !best.at_bound.contains(&true)
        && least_pivot(problem, best, workspace) > WELL_DETERMINED
}

/// The least pivot of the curvature, in units in which its diagonal is 1, over what no bound holds: 0 where the data leave a
/// direction open, and about one over the square of the condition number elsewhere.
pub(super) fn least_pivot(problem: &Problem<'_>, end: &Outcome, workspace: &mut Workspace) -> f64 {
    let p = end.params.len();
    let moving: Vec<usize> = problem.free.iter().copied().filter(|&j| !end.at_bound[j]).collect();
    let (mut gradient, mut hessian) = (vec![0.0; p], vec![0.0; p * p]);
    problem.expand(&end.params, Curvature::Exact, &mut workspace.scratch, &mut gradient, &mut hessian);
    let m = moving.len();
    let unit = |j: usize| hessian[j * p + j].sqrt();
    let mut scaled: Vec<f64> = moving
        .iter()
        .flat_map(|&i| moving.iter().map(move |&j| (i, j)))
        .map(|(i, j)| hessian[i * p + j] / (unit(i) * unit(j)))
        .collect();
    if !factor(&mut scaled, m) {
        return 0.0;
    }
    // The diagonal of the factor holds the roots of the pivots.
    (0..m).map(|k| scaled[k * m + k] * scaled[k * m + k]).fold(1.0, f64::min)
}

/// The ends of all starts, whose scale is fitted with the law; the scale of the best is left in `problem`.
fn with_fitted_scale(
    problem: &mut Problem<'_>,
    space: &Space,
    beginnings: &[Vec<f64>],
    options: Options,
    crew: Crew<'_>,
    workspace: &mut Workspace,
) -> Vec<Outcome> {
    let found = crew.map_with(beginnings.len(), workspace, |workspace, s| {
        let found = scale::fitted(problem, space, &beginnings[s], options, workspace);
        crew.monitor.tick(1);
        found
    });
    // The likeliest of the minima has the smallest scale; the objectives of all are compared at that one.
    let scales = found.iter().filter(|(end, _)| end.objective.is_finite()).map(|(_, scale)| *scale);
    problem.f_scale = scales.reduce(f64::min).unwrap_or(1.0);
    let again = |workspace: &mut Workspace, s: usize| scale::again(problem, space, &found[s].0, options, workspace);
    crew.map_with(found.len(), workspace, again)
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

/// The end with the lowest objective; the first of equals. Ends that are minima come before ends that are not, unless
/// those are lower by more than two minima may differ.
pub(super) fn best_of(ends: &[Outcome]) -> usize {
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
