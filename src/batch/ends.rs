//! What the ends of a fit's starts say together: which is the best, and whether more starts would say more.

use crate::batch::fit::SAME;
use crate::linalg::factor;
use crate::objective::Curvature;
use crate::objective::Objective;
use crate::objective::problem::Problem;
use crate::solver::Outcome;
use crate::solver::Workspace;

/// Least pivots of a curvature below which it is open but for rounding, and above which it is that of a usual design.
pub(super) const DETERMINED: f64 = 1e-11;
const WELL_DETERMINED: f64 = 1e-5;

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

/// Whether all ends are one minimum, inside the bounds, that the data determine well: others have company elsewhere too often.
pub(super) fn is_settled(problem: &Problem<'_>, ends: &[Outcome], workspace: &mut Workspace) -> bool {
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
