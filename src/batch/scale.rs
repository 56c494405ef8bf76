//! The scale of a robust loss from the data: 1.345 standard deviations of what is not an outlier, or the scale of a
//! Huber density that is fitted together with the law.

use std::ops::Range;

use crate::batch::ends::is_settled;
use crate::batch::path::Crew;
use crate::batch::path::Path;
use crate::batch::path::Way;
use crate::error::Error;
use crate::loss::Loss;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::problem::Problem;
use crate::objective::projection::Projection;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::approach_from;
use crate::solver::refine;
use crate::solver::solve;

/// How the data give the scale of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleRule {
    /// 1.345 × 1.4826 × the median residual of a least-absolute-deviation fit.
    Mad,
    /// The likelihood of a Huber density, maximised over its scale too.  Besiroglu et al. (2024).
    Fitted,
}

impl ScaleRule {
    /// The words that users type.
    pub const NAMES: [&'static str; 2] = ["mad", "fitted"];

    /// The rule of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the list of names.
    pub fn from_name(name: &str) -> Result<ScaleRule, Error> {
        match name {
            "mad" => Ok(ScaleRule::Mad),
            "fitted" => Ok(ScaleRule::Fitted),
            _ => Err(Error::unknown_name("f_scale", name, ScaleRule::NAMES)),
        }
    }
}

/// Huber's constant for 95 % efficiency under normal noise.
pub(super) const EFFICIENCY: f64 = 1.345;
/// Median absolute deviation to standard deviation of a normal distribution.
const NORMAL: f64 = 1.4826;
/// Starts of the pilot fit.
pub(super) const PILOT_STARTS: usize = 16;
/// Ends of the pilot's starts that differ by less than this, relatively, are one minimum.
const DISTINCT: f64 = 1e-6;
/// Iterations that a start of the pilot has at least.
const PILOT_ITERATIONS: usize = 1000;
/// Minima of the pilot that are followed down.
const MOST_DESCENTS: usize = 4;
/// The pilot's scale ends below this share of the median residual: a least-absolute-deviation fit to that accuracy.
const PILOT_SHARE: f64 = 1e-3;
/// No scale is below this share of the response.
const LEAST_SHARE: f64 = 1e-12;
/// Where the Huber density turns from normal to exponential, in units of its scale.
const TURN: f64 = 1e-3;
/// The scale falls by this factor at most from one solution to the next.
const FALL: f64 = 0.1;
/// ... and by no less than this, where a solution of a larger step does not end in a minimum.
const LEAST_FALL: f64 = 0.5;
/// Solutions on the way down; twelve decades take twelve.
const MOST_FALLS: usize = 100;

/// Where the pilot's starts begin.
pub(super) struct Pilots<F> {
    /// Start number s.
    pub(super) begin: F,
    /// How many there are, and how many are enough where these agree.
    pub(super) n: usize,
    pub(super) n_first: usize,
}

/// 1.345 × 1.4826 × the median residual of a least-absolute-deviation fit, reached by Huber's loss with a falling scale.
pub(super) fn from_data(
    problem: &Problem<'_>,
    projection: Option<&Projection<'_>>,
    space: &Space,
    pilots: &Pilots<impl Fn(usize, &mut Scratch) -> Vec<f64>>,
    options: Options,
    crew: Crew<'_>,
    workspace: &mut Workspace,
) -> f64 {
    let (widest, floor) = range(problem);
    // Huber's loss whatever the fit's: others that fall to nothing are not least absolute deviations.
    let pilot = Problem { loss: Loss::Huber, f_scale: widest, ..*problem };
    // A short leash of the fit is none of the pilot, whose scale would silently be another.
    let options = Options { max_iterations: options.max_iterations.max(PILOT_ITERATIONS) };
    let path = Path { problem: pilot, projection, space, options };
    let solve_all = |starts: Range<usize>, workspace: &mut Workspace| {
        let starts: Vec<Vec<f64>> = starts.map(|s| (pilots.begin)(s, &mut workspace.scratch)).collect();
        path.solve_all(&starts, |_| Way::Separable, crew, workspace)
    };
    let n_first = pilots.n_first.min(pilots.n);
    let mut ends = solve_all(0..n_first, workspace);
    if n_first < pilots.n && !is_settled(&pilot, &ends, workspace) {
        ends.extend(solve_all(n_first..pilots.n, workspace));
    }
    ends.retain(|end| end.objective.is_finite());
    // The lowest of many minima need not lead to the lowest least-absolute-deviation fit.
    ends.sort_by(|a, b| a.objective.total_cmp(&b.objective));
    ends.dedup_by(|b, a| b.objective - a.objective <= DISTINCT * a.objective);
    let mut best: Option<(f64, f64)> = None;
    for end in ends.into_iter().take(MOST_DESCENTS) {
        let found = descend(&pilot, projection, space, end.params, floor, options, workspace);
        let Some((deviation, size)) = found else { continue };
        if best.is_none_or(|(least, _)| deviation < least) {
            best = Some((deviation, size));
        }
    }
    best.map_or(f64::NAN, |(_, size)| (EFFICIENCY * NORMAL * size).max(floor))
}

/// From the minimum of `pilot` at `params` to a least-absolute-deviation fit: its weighted sum of absolute deviations and
/// its median residual. `None` if cancelled.
fn descend(
    pilot: &Problem<'_>,
    projection: Option<&Projection<'_>>,
    space: &Space,
    mut params: Vec<f64>,
    floor: f64,
    options: Options,
    workspace: &mut Workspace,
) -> Option<(f64, f64)> {
    let mut pilot = *pilot;
    while !pilot.is_cancelled() {
        let (deviation, size) = deviations(&pilot, &params, &mut workspace.scratch);
        if size <= floor || pilot.f_scale <= PILOT_SHARE * size {
            return Some((deviation, size));
        }
        pilot.f_scale = (0.1 * pilot.f_scale).min(0.5 * size).max(0.5 * PILOT_SHARE * size);
        let near = projection.map(|projection| approach_from(&pilot, projection, space, &params, options, workspace));
        let end = near.filter(|end| end.status.is_success());
        let end = end.unwrap_or_else(|| solve(&pilot, space, &params, options, workspace));
        if end.objective.is_finite() {
            params = end.params;
        }
    }
    None
}

/// The scale to begin with, a tenth of the response's spread, and the least that any may have.
fn range(problem: &Problem<'_>) -> (f64, f64) {
    // All of it in units of the known noise, where there is one.
    let responses = || problem.rows.response[..problem.rows.n].iter().zip(problem.rows.noises());
    let middle = median(responses().map(|(y, _)| *y).collect());
    let spread = median(responses().map(|(y, s)| (y - middle).abs() / s).collect());
    let size = responses().map(|(y, s)| y.abs() / s).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let floor = LEAST_SHARE * size;
    ((0.1 * spread).max(floor), floor)
}

/// Minimises Σ w [ln σ + h(r / σ)] over the parameters and σ, where h is Huber's loss that turns linear at 1e-3; gives
/// the end and the scale at which residuals turn, 1e-3 σ.
///
/// At the minimum the weighted mean of |r| is 1,000 σ: all residuals but those that are zero lie in the exponential part,
/// so that the parameters are those of least absolute deviations.
pub(super) fn fitted(
    problem: &Problem<'_>,
    space: &Space,
    start: &[f64],
    options: Options,
    workspace: &mut Workspace,
) -> (Outcome, f64) {
    let (widest, floor) = range(problem);
    let at = Problem { f_scale: widest, ..*problem };
    let end = solve(&at, space, start, options, workspace);
    fall(&at, space, end, options, workspace, |at, params, scratch| {
        let (rows, residuals) = (at.rows, at.residuals(params, scratch));
        // In units of the known noise, where there is one.
        let sizes: Vec<f64> = residuals.iter().zip(rows.noises()).map(|(r, s)| r.abs() / s).collect();
        let weights: Vec<f64> = rows.weights.iter().zip(rows.noises()).map(|(w, s)| w * s * s).collect();
        likeliest(&weights[..sizes.len()], &sizes).max(floor)
    })
}

/// The minimum near an end of [`fitted`], at the scale of `problem`.
pub(super) fn again(
    problem: &Problem<'_>,
    space: &Space,
    end: &Outcome,
    options: Options,
    workspace: &mut Workspace,
) -> Outcome {
    if !end.objective.is_finite() {
        return end.clone();
    }
    let mut found = refine(problem, space, &end.params, options, workspace);
    found.n_iterations += end.n_iterations;
    found.n_evaluations += end.n_evaluations;
    found
}

/// Minimises at a small scale by coming down from a large one, where the objective has no kinks yet.
pub(super) fn come_down(
    problem: &Problem<'_>,
    space: &Space,
    start: &[f64],
    options: Options,
    workspace: &mut Workspace,
) -> Outcome {
    let (widest, _) = range(problem);
    let at = Problem { f_scale: widest.max(problem.f_scale), ..*problem };
    let end = solve(&at, space, start, options, workspace);
    fall(&at, space, end, options, workspace, |_, _, _| problem.f_scale).0
}

/// From the minimum `end` of `at` to that at the scale `wanted`, which may depend on where the parameters are. Residuals
/// near zero shrink with the scale and the parameters move in proportion, so each solution begins where the two before
/// it point.
fn fall(
    at: &Problem<'_>,
    space: &Space,
    mut end: Outcome,
    options: Options,
    workspace: &mut Workspace,
    wanted: impl Fn(&Problem<'_>, &[f64], &mut Scratch) -> f64,
) -> (Outcome, f64) {
    let mut at = *at;
    let mut before: Option<(f64, Vec<f64>)> = None;
    let mut step = FALL;
    for _ in 0..MOST_FALLS {
        if !end.objective.is_finite() || at.is_cancelled() {
            break;
        }
        let target = wanted(&at, &end.params, &mut workspace.scratch);
        if (target - at.f_scale).abs() <= 1e-12 * target {
            break;
        }
        let scale = target.max(step * at.f_scale);
        let mut guess = end.params.clone();
        if let Some((earlier, params)) = &before {
            let share = (scale - at.f_scale) / (at.f_scale - earlier);
            for &j in &space.free {
                guess[j] = space.clamp(j, guess[j] + share * (guess[j] - params[j]));
            }
        }
        let mut next = refine(&Problem { f_scale: scale, ..at }, space, &guess, options, workspace);
        next.n_iterations += end.n_iterations;
        next.n_evaluations += end.n_evaluations;
        if end.status.is_success() && !next.status.is_success() && step < LEAST_FALL {
            // Too far at once: rows that the law passes through change on the way.
            step = step.sqrt();
            (end.n_iterations, end.n_evaluations) = (next.n_iterations, next.n_evaluations);
            continue;
        }
        before = Some((at.f_scale, std::mem::replace(&mut end, next).params));
        at.f_scale = scale;
    }
    (end, at.f_scale)
}

/// The scale s = 1e-3 σ at which Σ w [ln σ + h(r / σ)] is least for given sizes of residuals: s is 1e-6 times the weighted mean of
/// |r|, or of r² / s within s.
fn likeliest(weights: &[f64], sizes: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    let mean = |scale: f64| {
        let parts = sizes.iter().zip(weights).map(|(&r, w)| w * if r < scale { r * (r / scale) } else { r });
        parts.sum::<f64>() / total
    };
    let mut scale = TURN * TURN * mean(0.0);
    // Each pass changes the scale by a millionth of what the one before did.
    for _ in 0..4 {
        scale = TURN * TURN * mean(scale);
    }
    scale
}

/// The weighted sum of the sizes of the residuals, and the median size of all but the smallest p − 1 of p free parameters:
/// a least-absolute-deviation fit passes through as many rows as it has parameters, and with few rows those would be the
/// median.
fn deviations(problem: &Problem<'_>, params: &[f64], scratch: &mut Scratch) -> (f64, f64) {
    let residuals = problem.residuals(params, scratch);
    let sizes: Vec<f64> = residuals.iter().zip(problem.rows.noises()).map(|(r, s)| r.abs() / s).collect();
    let weights = problem.rows.weights.iter().zip(problem.rows.noises()).map(|(w, s)| w * s * s);
    let total = sizes.iter().zip(weights).map(|(r, w)| w * r).sum();
    (total, median_without(sizes, problem.free.len()))
}

/// The standard deviation of normal noise with these sizes of residuals, some of which may be outliers.
pub(super) fn robust_deviation(sizes: Vec<f64>, n_parameters: usize) -> f64 {
    NORMAL * median_without(sizes, n_parameters)
}

/// The median without the p − 1 smallest.
fn median_without(mut sizes: Vec<f64>, n_parameters: usize) -> f64 {
    let through = n_parameters.saturating_sub(1).min(sizes.len().saturating_sub(1));
    if through > 0 {
        sizes.select_nth_unstable_by(through, f64::total_cmp);
    }
    median(sizes.split_off(through))
}

/// The median; the mean of the two middle values of an even number.
fn median(mut values: Vec<f64>) -> f64 {
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    // Selection, not sorting: a long table must not keep Ctrl-C waiting.
    let (below, &mut upper, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    let lower = if n % 2 == 1 { upper } else { below.iter().copied().fold(f64::NEG_INFINITY, f64::max) };
    0.5 * (lower + upper)
}
