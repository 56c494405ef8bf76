//! The separable path: variable projection proposes, the true objective polishes, the generic path stands behind.

use crate::objective::Objective;
use crate::objective::projection::Projection;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::approach::approach;
use crate::solver::outcome;
use crate::solver::polish;
use crate::solver::projected::guide;
use crate::solver::projected::project;
use crate::solver::solve;

/// Minimises the objective of a separable law from one start, whose amplitudes are solved for.
///
/// The squares of `projection` lead to a place near a minimum, from where the polish goes on with the objective itself. Where
/// that does not end in a minimum, the start goes the generic way.
pub(crate) fn solve_separable<O: Objective>(
    objective: &O,
    projection: &Projection<'_>,
    space: &Space,
    start: &[f64],
    options: Options,
    workspace: &mut Workspace,
) -> Outcome {
    workspace.reset(objective.n_parameters());
    let mut params = start.to_vec();
    for &j in &space.free {
        params[j] = space.clamp(j, params[j]);
    }
    if project(projection, space, &mut params, workspace).is_some() {
        let guide = guide(projection, space, &params, &workspace.products[0]);
        let value = approach(objective, space, &guide, &mut params, options, workspace);
        let end = polish::polish(objective, space, &mut params, options, value, workspace);
        if end.status.is_success() {
            return outcome(objective, space, params, end, workspace);
        }
    }
    let (iterations, evaluations) = (workspace.n_iterations, workspace.n_evaluations);
    let mut whole = solve(objective, space, start, options, workspace);
    whole.n_iterations += iterations;
    whole.n_evaluations += evaluations;
    whole
}
