//! The search of one fit: its scale, its prior's noise, its starts and their ends.

use crate::batch::begins::Begins;
use crate::batch::begins::sampled;
use crate::batch::check::Plan;
use crate::batch::ends::DETERMINED;
use crate::batch::ends::best_of;
use crate::batch::ends::is_settled;
use crate::batch::ends::least_pivot;
use crate::batch::fit::SAME;
use crate::batch::path::Crew;
use crate::batch::path::Path;
use crate::batch::path::Way;
use crate::batch::prior::RowsAlone;
use crate::batch::prior::noise_variance;
use crate::batch::scale;
use crate::batch::scale::ScaleRule;
use crate::batch::spec::BatchSpec;
use crate::objective::Objective;
use crate::objective::Scratch;
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
                let begin = alone.begin(begins.start(s, &mut workspace.scratch));
                solve(rows_alone, &alone.space, &begin, options, workspace).objective
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
        let begin = |workspace: &mut Workspace, s: usize| begins.start(s, &mut workspace.scratch);
        let beginnings = crew.map_with(n_first, workspace, begin);
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
    let n = begins.plan.n_starts.min(scale::PILOT_STARTS);
    let n_first = if begins.may_stop() { begins.scanned.len() + FIRST_DRAWN } else { n };
    let pilots = scale::Pilots { begin: |s, scratch: &mut Scratch| alone.begin(begins.start(s, scratch)), n, n_first };
    let rows_alone = alone.problem(problem);
    let found = scale::from_data(&rows_alone, projection, &alone.space, &pilots, options, crew, workspace);
    // The objective is not finite anywhere: any scale shows it.
    if found.is_nan() { 1.0 } else { found }
}
