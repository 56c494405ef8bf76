//! The resamples of a fit, each minimised from the point estimate.

use crate::batch::check::Plan;
use crate::batch::describe::is_corner;
use crate::batch::path::Crew;
use crate::batch::prior::redraw;
use crate::batch::results::FitResult;
use crate::batch::results::Replicates;
use crate::batch::scale;
use crate::batch::spec::BatchSpec;
use crate::batch::spec::ReplicatePlan;
use crate::objective::Scratch;
use crate::objective::prior::Known;
use crate::objective::prior::Prior;
use crate::objective::problem::Problem;
use crate::objective::rows::RawRows;
use crate::objective::rows::Rows;
use crate::resample::Replicate;
use crate::rng::row_key;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Workspace;
use crate::solver::refine;
use crate::status::Status;

#[derive(Default)]
struct Memory {
    workspace: Workspace,
    rows: Rows,
    replicate: Replicate,
    known: Vec<Known>,
}

pub(super) fn resample(
    spec: &BatchSpec<'_>,
    plan: &Plan,
    problem: &Problem<'_>,
    raw: &RawRows<'_>,
    point: &FitResult,
    replicates: &ReplicatePlan<'_>,
    crew: Crew<'_>,
) -> Replicates {
    let n = replicates.n_replicates();
    let p = point.params.len();
    if !point.objective.is_finite() {
        crew.monitor.tick(n as u64);
        return Replicates::none(n, p, point.status);
    }
    let kept = raw.kept();
    let row_keys: Vec<u64> = match replicates {
        ReplicatePlan::Scheme { keys: Some(keys), .. } => kept.iter().map(|&row| keys[raw.first + row]).collect(),
        _ => kept.iter().map(|&row| row_key(row as u64)).collect(),
    };
    let options = Options { max_iterations: spec.max_iterations };
    let residuals = problem.residuals(&point.params, &mut Scratch::default());
    let is_corner = is_corner(problem, &residuals, point.inside_scale);
    let ends = crew.map(n, |memory: &mut Memory, r| {
        let Memory { workspace, rows, replicate, known } = memory;
        match replicates {
            ReplicatePlan::Scheme { scheme, .. } => {
                let number = u32::try_from(r).expect("the memory check bounds the number of replicates");
                scheme.draw(spec.seed, &row_keys, number, replicate);
                redraw(spec, problem.prior.known, number, known);
            }
            ReplicatePlan::Weights { values, .. } => {
                replicate.responses = None;
                known.clone_from(&plan.known);
                replicate.weights.clear();
                let all = &values[r * spec.y.len() + raw.first..][..raw.n];
                replicate.weights.extend(kept.iter().map(|&row| all[row]));
            }
        }
        rows.select(problem.rows, &replicate.weights, replicate.responses.as_deref());
        crew.monitor.tick(1);
        if rows.n == 0 || rows.n + known.len() < plan.space.free.len() {
            return Outcome::failed(p, Status::TooFewRows);
        }
        let resampled = Problem { rows, prior: Prior { known, ..problem.prior }, ..*problem };
        if is_corner {
            // Another corner than this one: the objective leads there only once its kinks are smoothed out.
            return scale::come_down(&resampled, &plan.space, &point.params, options, workspace);
        }
        refine(&resampled, &plan.space, &point.params, options, workspace)
    });
    Replicates {
        params: ends.iter().flat_map(|end| end.params.iter().copied()).collect(),
        objectives: ends.iter().map(|end| end.objective).collect(),
        statuses: ends.iter().map(|end| end.status).collect(),
    }
}
