//! The scale of a robust loss from the data: 1.345 standard deviations of what is not an outlier.

use crate::batch::path::Path;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::problem::Problem;
use crate::objective::projection::Projection;
use crate::solver::Options;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::solve;

/// Huber's constant for 95 % efficiency under normal noise.
const EFFICIENCY: f64 = 1.345;
/// Median absolute deviation to standard deviation of a normal distribution.
const NORMAL: f64 = 1.4826;
/// Starts of the pilot fit.
pub(super) const PILOT_STARTS: usize = 16;
/// The pilot's scale ends below this share of the median residual: a least-absolute-deviation fit to that accuracy.
const PILOT_SHARE: f64 = 1e-3;
/// No scale is below this share of the response.
const LEAST_SHARE: f64 = 1e-12;

/// 1.345 × 1.4826 × the median residual of a least-absolute-deviation fit, reached by Huber's loss with a falling scale.
pub(super) fn from_data(
    problem: &Problem<'_>,
    projection: Option<&Projection<'_>>,
    space: &Space,
    starts: &[Vec<f64>],
    options: Options,
    workspace: &mut Workspace,
) -> f64 {
    let responses = &problem.rows.response[..problem.rows.n];
    let middle = median(responses.to_vec());
    let spread = median(responses.iter().map(|y| (y - middle).abs()).collect());
    let size = responses.iter().map(|y| y.abs()).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let floor = LEAST_SHARE * size;
    let mut pilot = Problem { f_scale: (0.1 * spread).max(floor), ..*problem };
    let mut best: Option<(f64, Vec<f64>)> = None;
    for start in starts.iter().take_while(|_| !problem.is_cancelled()) {
        let end = Path { problem: pilot, projection, space, options }.solve(start, workspace);
        if end.objective.is_finite() && best.as_ref().is_none_or(|(value, _)| end.objective < *value) {
            best = Some((end.objective, end.params));
        }
    }
    let Some((_, mut params)) = best else { return f64::NAN };
    while !problem.is_cancelled() {
        let size = median_residual(&pilot, &params, &mut workspace.scratch);
        if size <= floor {
            return floor;
        }
        if pilot.f_scale <= PILOT_SHARE * size {
            return (EFFICIENCY * NORMAL * size).max(floor);
        }
        pilot.f_scale = (0.1 * pilot.f_scale).min(0.5 * size).max(0.5 * PILOT_SHARE * size);
        let end = solve(&pilot, space, &params, options, workspace);
        if end.objective.is_finite() {
            params = end.params;
        }
    }
    f64::NAN
}

/// The median size of the residuals but the smallest p − 1 of p free parameters: a least-absolute-deviation fit passes
/// through as many rows as it has parameters, and with few rows those would be the median.
fn median_residual(problem: &Problem<'_>, params: &[f64], scratch: &mut Scratch) -> f64 {
    let mut sizes: Vec<f64> = problem.residuals(params, scratch).iter().map(|r| r.abs()).collect();
    let through = problem.free.len().saturating_sub(1).min(sizes.len().saturating_sub(1));
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
