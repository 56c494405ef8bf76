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
use crate::solver::projected::guide_at;
use crate::solver::projected::project;
use crate::solver::solve;
use crate::status::Status;

/// A start whose squares are less than so many times those of the proposal is kept.
const GOOD: f64 = 4.0;

/// Rounds of approach and polish along a valley, each of which must lower the objective by this share.
const MOST_ROUNDS: usize = 5;
const LEAST_GAIN: f64 = 1e-9;

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
    let mut ended: Option<Outcome> = None;
    if let Some(proposal) = project(projection, space, &mut params, workspace) {
        let mut guide = guide(projection, space, &params, &workspace.products[0]);
        if proposal.start <= GOOD * proposal.value {
            // A start that is about as good as the proposal may be near another minimum of the true objective: it stays.
            params.copy_from_slice(start);
            for &j in &space.free {
                params[j] = space.clamp(j, params[j]);
            }
        }
        let mut before = f64::INFINITY;
        for round in 0..MOST_ROUNDS {
            if round > 0 {
                guide = guide_at(projection, space, &params, workspace);
            }
            let value = approach(objective, space, &guide, &mut params, options, workspace);
            let end = polish::polish(objective, space, &mut params, options, value, workspace);
            let is_lower = end.value < before * (1.0 - LEAST_GAIN);
            before = end.value;
            let end = outcome(objective, space, params.clone(), end, workspace);
            if end.status.is_success() {
                return end;
            }
            ended = Some(end);
            if !is_lower {
                break;
            }
        }
    }
    if objective.is_cancelled() {
        return Outcome::failed(start.len(), Status::Cancelled);
    }
    let (iterations, evaluations) = (workspace.n_iterations, workspace.n_evaluations);
    let mut whole = solve(objective, space, start, options, workspace);
    whole.n_iterations += iterations;
    whole.n_evaluations += evaluations;
    match ended {
        // Neither way ends in a minimum: the lower of the two is nearer to one.
        Some(end) if !whole.status.is_success() && end.objective < whole.objective => end,
        _ => whole,
    }
}
