//! The polish: projected Newton in natural coordinates. It alone says how a fit ended.

use crate::linalg::factor;
use crate::objective::Curvature;
use crate::objective::Objective;
use crate::solver::Options;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::rounding;
use crate::solver::step::damped_step;
use crate::solver::tolerance;
use crate::status::Status;

/// What the last step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// An evaluation at its end.
    Evaluated,
    /// Its promise: a decrease within the tolerance, or one that [`is_trusted`].
    Promise,
}

/// How a polish ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) value: f64,
    pub(super) status: Status,
    /// It had to go farther than a polish should: the search had stopped at no minimum.
    pub(super) moved_far: bool,
}

impl End {
    pub(super) fn new(value: f64, status: Status) -> End {
        End { value, status, moved_far: false }
    }
}

/// A gain above this share of the objective is more than polish.
const FAR: f64 = 1e-6;
/// Damping, relative to the diagonal, that is tried before the curvature counts as flat.
const LEAST_DAMPING: f64 = 1e-13;
/// Damping beyond which no step is short enough.
const MOST_DAMPING: f64 = 1e12;
/// Pivots of a curvature with a diagonal of 1 below which it is open but for rounding, which is that of the pivots before.
const OPEN: f64 = 1e-11;
/// A promise above this share of the objective is not trusted.
const MOST_TRUSTED: f64 = 1e-9;
/// Iterations of one polish; from a minimum two or three suffice.
const MOST_ITERATIONS: usize = 60;

/// Moves `params` to the minimum that they are near and says what it is. `known` is the value there if the workspace
/// already holds gradient and exact Hessian.
pub(super) fn polish<O: Objective>(
    objective: &O,
    space: &Space,
    params: &mut [f64],
    options: Options,
    known: Option<f64>,
    check: Check,
    workspace: &mut Workspace,
) -> End {
    let mut value = known.unwrap_or_else(|| expand(objective, params, workspace));
    if !value.is_finite() {
        return End::new(f64::INFINITY, Status::NotFinite);
    }
    let begin = value;
    let mut scale = std::mem::take(&mut workspace.metric);
    let mut lambda = 0.0;
    let mut status = Status::Stalled;
    for iteration in 0.. {
        if iteration >= MOST_ITERATIONS.min(options.max_iterations) {
            status = Status::MaxIterations;
            break;
        }
        if objective.is_cancelled() {
            status = Status::Cancelled;
            break;
        }
        workspace.n_iterations += 1;
        choose_active(space, params, workspace);
        let p = params.len();
        for (j, unit) in scale.iter_mut().enumerate() {
            *unit = self::unit(workspace.hessian[j * p + j]);
        }
        let limit = tolerance(objective, value);
        let Some(predicted) = damped_step(workspace, &scale, lambda) else {
            lambda = if lambda == 0.0 { LEAST_DAMPING } else { lambda * 10.0 };
            if lambda > MOST_DAMPING {
                break;
            }
            continue;
        };
        let is_full = is_inside(space, params, workspace);
        let is_promise = predicted <= limit || is_trusted(predicted, limit, value, workspace);
        if check == Check::Promise && is_promise && is_full && lambda == 0.0 {
            for &j in &workspace.active {
                params[j] += workspace.step[j];
            }
            value -= predicted;
            let is_held = space.at_bound(params, &workspace.gradient).contains(&true);
            status = if is_held { Status::ConvergedAtBound } else { Status::Converged };
            break;
        }
        workspace.promised = f64::NAN;
        workspace.moved.clone_from(&workspace.active);
        let gained = take_step(objective, space, params, &mut value, predicted, workspace);
        if predicted <= limit && is_full {
            if let Some(ending) = ending(space, params, &scale, 10.0 * limit, lambda, workspace) {
                status = ending;
                break;
            }
            // Shorter steps gain nothing more, a longer one would: let it grow.
            lambda /= 10.0;
            continue;
        }
        match gained {
            Some(gain) if gain > 0.25 * predicted => lambda = if lambda <= LEAST_DAMPING { 0.0 } else { lambda / 10.0 },
            Some(_) => {}
            None => {
                lambda = if lambda == 0.0 { 1e-6 } else { lambda * 10.0 };
                if lambda > MOST_DAMPING {
                    break;
                }
            }
        }
    }
    workspace.metric = scale;
    End { value, status, moved_far: begin - value > FAR * value.abs() }
}

/// Whether a step of Newton's method needs no other after it: the next would promise at most as much less than this one as this
/// one promises less than the one before, and that is within `limit`. Newton's method does better, it squares that share, where
/// no row passes a kink of the loss. Of 3,000 resamples of the Chinchilla points none had more than 4e-11 of the objective
/// left.
pub(super) fn is_trusted(predicted: f64, limit: f64, value: f64, workspace: &Workspace) -> bool {
    predicted * (predicted / workspace.promised) <= limit && predicted <= MOST_TRUSTED * value
}

fn expand<O: Objective>(objective: &O, params: &[f64], workspace: &mut Workspace) -> f64 {
    workspace.n_evaluations += 1;
    objective.expand(params, Curvature::Exact, &mut workspace.scratch, &mut workspace.gradient, &mut workspace.hessian)
}

/// Whether the curvature where a polish ended leaves a direction open but for rounding, of which a single factorisation may
/// or may not make a minimum.
pub(super) fn is_open(workspace: &mut Workspace) -> bool {
    let p = workspace.gradient.len();
    let Workspace { active, hessian, system, .. } = workspace;
    let m = active.len();
    for (a, &i) in active.iter().enumerate() {
        for (b, &j) in active.iter().enumerate() {
            system[a * m + b] = hessian[i * p + j] / (hessian[i * p + i] * hessian[j * p + j]).sqrt();
        }
    }
    // The diagonal of the factor holds the roots of the pivots.
    !factor(&mut system[..m * m], m) || (0..m).any(|a| system[a * m + a] * system[a * m + a] < OPEN)
}

fn choose_active(space: &Space, params: &[f64], workspace: &mut Workspace) {
    workspace.active.clear();
    for &j in &space.free {
        let is_held = (params[j] <= space.lower[j] && workspace.gradient[j] >= 0.0)
            || (params[j] >= space.upper[j] && workspace.gradient[j] <= 0.0);
        if !is_held {
            workspace.active.push(j);
        }
    }
}

/// Whether the step stays within the bounds.
fn is_inside(space: &Space, params: &[f64], workspace: &Workspace) -> bool {
    workspace.active.iter().all(|&j| {
        let next = params[j] + workspace.step[j];
        next >= space.lower[j] && next <= space.upper[j]
    })
}

/// A damped or plain step has nothing left to gain: a minimum, and which kind; `None` if only the damping says so.
fn ending(
    space: &Space,
    params: &[f64],
    scale: &[f64],
    limit: f64,
    lambda: f64,
    workspace: &mut Workspace,
) -> Option<Status> {
    choose_active(space, params, workspace);
    // The step may have turned a gradient at a bound: what was held there has something to gain.
    if lambda > 0.0 || workspace.active != workspace.moved {
        match damped_step(workspace, scale, 0.0) {
            None => return Some(Status::Unidentified),
            Some(predicted) if predicted > limit => return None,
            Some(_) => {}
        }
    }
    let is_held = space.at_bound(params, &workspace.gradient).contains(&true);
    Some(if is_held { Status::ConvergedAtBound } else { Status::Converged })
}

/// One more step of Newton's method, which squares what is left of the error: the tolerance is met a few digits before the
/// parameters are right. Gives the value at the end; the workspace holds gradient and curvature there.
pub(super) fn last_step<O: Objective>(
    objective: &O,
    space: &Space,
    params: &mut [f64],
    workspace: &mut Workspace,
) -> f64 {
    let mut value = expand(objective, params, workspace);
    let p = params.len();
    let scale: Vec<f64> = (0..p).map(|j| unit(workspace.hessian[j * p + j])).collect();
    choose_active(space, params, workspace);
    let kept = params.to_vec();
    workspace.moved.clone_from(&workspace.active);
    if let Some(predicted) = damped_step(workspace, &scale, 0.0)
        && is_inside(space, params, workspace)
    {
        take_step(objective, space, params, &mut value, predicted, workspace);
        choose_active(space, params, workspace);
        if workspace.active != workspace.moved {
            params.copy_from_slice(&kept);
            value = expand(objective, params, workspace);
        }
    }
    value
}

/// The metric of the polish is the diagonal of the curvature: no unit of a parameter matters.
fn unit(curvature: f64) -> f64 {
    curvature.abs().sqrt().max(f64::MIN_POSITIVE.sqrt())
}

/// Takes the step, cut off at the bounds, if it does not raise the objective; says what it gained.
fn take_step<O: Objective>(
    objective: &O,
    space: &Space,
    params: &mut [f64],
    value: &mut f64,
    predicted: f64,
    workspace: &mut Workspace,
) -> Option<f64> {
    if !predicted.is_finite() {
        return None;
    }
    let mut next = std::mem::take(&mut workspace.trial_params);
    next.copy_from_slice(params);
    for &j in &workspace.active {
        next[j] = space.clamp(j, params[j] + workspace.step[j]);
    }
    let trial = objective.expand(
        &next,
        Curvature::Exact,
        &mut workspace.scratch,
        &mut workspace.trial_gradient,
        &mut workspace.trial_hessian,
    );
    workspace.n_evaluations += 1;
    let gain = *value - trial;
    // A rise within rounding is none: at a minimum every step is a toss-up.
    let is_taken = trial.is_finite() && gain >= -rounding(objective, *value);
    if is_taken {
        params.copy_from_slice(&next);
        std::mem::swap(&mut workspace.gradient, &mut workspace.trial_gradient);
        std::mem::swap(&mut workspace.hessian, &mut workspace.trial_hessian);
        *value = trial;
    }
    workspace.trial_params = next;
    is_taken.then_some(gain)
}
