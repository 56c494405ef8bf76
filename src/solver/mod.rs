//! One objective, one start → one [`Outcome`].
//!
//! Three phases, each as far as it is good:
//!
//! 1. *Search* ([`search`]): Levenberg–Marquardt on reweighted least squares in search coordinates (logarithms of what must
//!    be positive), damped in the objective's own metric. It crosses plateaus on which Newton's method sees no minimum.
//! 2. The same loop on the exact Hessian, which ends the linear tail of the first in a few steps.
//! 3. *Polish* ([`polish`]): projected Newton in natural coordinates, where 0 is a place like any other: a parameter
//!    reaches its bound exactly, and a term that died in the logarithm is seen to be no minimum and brought back.
//!
//! Only the polish says that a fit has converged. Nothing allocates in the loops, makes threads or random numbers.

mod approach;
mod chart;
mod polish;
mod projected;
mod search;
mod separable;
mod sheet;
mod step;
mod warm;
mod workspace;

pub(crate) use projected::eliminate;
pub(crate) use projected::without_amplitudes;
pub(crate) use separable::Proposed;
pub(crate) use separable::approach_from;
pub(crate) use separable::fall_back;
pub(crate) use separable::follow;
pub(crate) use separable::propose;
pub(crate) use sheet::squares;
pub(crate) use warm::Warm;
pub(crate) use warm::WarmMemory;
pub(crate) use workspace::Workspace;

use crate::dispatch::Plain;
use crate::error::Error;
use crate::objective::Objective;
use crate::special;
use crate::status::Status;

/// How one start is minimised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Solver {
    /// [`Solver::Separable`] where the law is linear in a parameter that is fitted, else [`Solver::Generic`].
    #[default]
    Auto,
    /// All parameters searched together.
    Generic,
    /// Amplitudes solved for, the others searched.
    Separable,
}

impl Solver {
    /// Every solver.
    pub const ALL: [Solver; 3] = [Solver::Auto, Solver::Generic, Solver::Separable];

    /// The word that users type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Solver::Auto => "auto",
            Solver::Generic => "generic",
            Solver::Separable => "separable",
        }
    }

    /// The solver of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the list of names.
    pub fn from_name(name: &str) -> Result<Solver, Error> {
        let found = Solver::ALL.into_iter().find(|solver| solver.name() == name);
        found.ok_or_else(|| Error::unknown_name("solver", name, Solver::ALL.map(Solver::name)))
    }
}

/// What the parameters may be.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    pub(crate) lower: Vec<f64>,
    pub(crate) upper: Vec<f64>,
    /// Parameters that are fitted; the others keep their start.
    pub(crate) free: Vec<usize>,
    /// Parameters that multiply a term of the law.
    amplitudes: Vec<bool>,
    /// Largest size that arithmetic stands: a search that gets there found no minimum.
    limits: Vec<f64>,
    /// Bounds and limits together.
    ends: Vec<(f64, f64)>,
    /// Bounds in the coordinates of the search.
    search_lower: Vec<f64>,
    search_upper: Vec<f64>,
}

impl Space {
    pub(crate) fn new(
        lower: &[f64],
        upper: &[f64],
        free: Vec<usize>,
        amplitudes: Vec<bool>,
        limits: Vec<f64>,
    ) -> Space {
        let to_search = |j: usize, bound: f64| if lower[j] >= 0.0 { special::ln::<Plain>(bound) } else { bound };
        Space {
            ends: (0..lower.len()).map(|j| (lower[j].max(-limits[j]), upper[j].min(limits[j]))).collect(),
            search_lower: (0..lower.len()).map(|j| to_search(j, lower[j])).collect(),
            search_upper: (0..upper.len()).map(|j| to_search(j, upper[j].min(limits[j]))).collect(),
            lower: lower.to_vec(),
            upper: upper.to_vec(),
            free,
            amplitudes,
            limits,
        }
    }

    /// The same within other bounds.
    pub(crate) fn within(&self, lower: &[f64], upper: &[f64]) -> Space {
        Space::new(lower, upper, self.free.clone(), self.amplitudes.clone(), self.limits.clone())
    }

    /// The same where only these parameters may move.
    pub(crate) fn only(&self, free: Vec<usize>) -> Space {
        Space { free, ..self.clone() }
    }

    /// Whether the search for this parameter runs in its logarithm.
    pub(crate) fn is_log(&self, j: usize) -> bool {
        self.lower[j] >= 0.0
    }

    pub(crate) fn clamp(&self, j: usize, value: f64) -> f64 {
        let (low, high) = self.ends[j];
        value.max(low).min(high)
    }
}

/// When a solver gives up and when it is content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Iterations of all phases together.
    pub(crate) max_iterations: usize,
}

/// A predicted decrease below this share of `objective / n_rows` is convergence.
pub(crate) const TOLERANCE: f64 = 1e-8;

/// No decrease below this share of a sum can be told from its rounding.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// How one start ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) params: Vec<f64>,
    pub(crate) objective: f64,
    pub(crate) status: Status,
    pub(crate) n_iterations: usize,
    pub(crate) n_evaluations: usize,
    /// Gradient in natural coordinates; zero for fixed parameters.
    pub(crate) gradient: Vec<f64>,
    /// Parameters that the data hold at a bound.
    pub(crate) at_bound: Vec<bool>,
}

/// The predicted decrease that counts as none at this value of the objective.
pub(crate) fn tolerance<O: Objective>(objective: &O, value: f64) -> f64 {
    let share = (TOLERANCE / objective.n_rows().max(1) as f64).max(ROUNDING);
    (share * value).max(objective.rounding_floor())
}

/// The difference that rounding alone may make at this value of the objective. A residual r of a response y carries an error
/// of a few ε |y|, so half the sum of squares carries one of ε Σ |r y|, and that is at most 2 √(objective × floor).
fn rounding<O: Objective>(objective: &O, value: f64) -> f64 {
    let floor = objective.rounding_floor();
    ROUNDING * value + 2.0 * (value * floor).sqrt() + floor
}

/// Rounds of search and polish: each further one starts where the polish brought a dead term back.
const MOST_ROUNDS: usize = 4;

/// Minimises from one start.
pub(crate) fn solve<O: Objective>(
    objective: &O,
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
    let mut end = polish::End::new(f64::INFINITY, Status::NotFinite);
    for round in 0..MOST_ROUNDS {
        let before = end.value;
        if search::search(objective, space, &mut params, options, workspace).is_infinite() {
            break;
        }
        end = polish::polish(objective, space, &mut params, options, None, polish::Check::Evaluated, workspace);
        let gained = before - end.value;
        let is_lower = round == 0 || gained > 1e-9 * end.value.abs();
        // The polish converges by itself unless it had far to go: then the search has something to do again.
        if !(end.moved_far && is_lower) {
            break;
        }
    }
    outcome(objective, space, params, end, workspace)
}

/// Minimises from where another data set of the same law has its minimum: the polish alone, and the whole way where that
/// does not end in a minimum.
pub(crate) fn refine<O: Objective>(
    objective: &O,
    space: &Space,
    start: &[f64],
    options: Options,
    workspace: &mut Workspace,
) -> Outcome {
    workspace.reset(objective.n_parameters());
    let mut params = start.to_vec();
    let end = polish::polish(objective, space, &mut params, options, None, polish::Check::Evaluated, workspace);
    if end.status.is_success() {
        return outcome(objective, space, params, end, workspace);
    }
    let (iterations, evaluations) = (workspace.n_iterations, workspace.n_evaluations);
    let mut whole = solve(objective, space, start, options, workspace);
    whole.n_iterations += iterations;
    whole.n_evaluations += evaluations;
    whole
}

/// Gives the parameters of a minimum their last digits.
pub(crate) fn finish<O: Objective>(objective: &O, space: &Space, end: &mut Outcome, workspace: &mut Workspace) {
    if !end.status.is_success() {
        return;
    }
    workspace.reset(objective.n_parameters());
    end.objective = polish::last_step(objective, space, &mut end.params, workspace);
    end.gradient.copy_from_slice(&workspace.gradient);
    end.n_evaluations += workspace.n_evaluations;
}

fn outcome<O: Objective>(
    objective: &O,
    space: &Space,
    params: Vec<f64>,
    end: polish::End,
    workspace: &Workspace,
) -> Outcome {
    let is_at_limit = space.free.iter().any(|&j| params[j].abs() >= space.limits[j]);
    let status = match end.status {
        _ if objective.is_cancelled() => Status::Cancelled,
        // The way goes on, but arithmetic does not.
        status if status.is_success() && is_at_limit => Status::Unidentified,
        status => status,
    };
    Outcome {
        objective: end.value,
        status,
        n_iterations: workspace.n_iterations,
        n_evaluations: workspace.n_evaluations,
        gradient: workspace.gradient.clone(),
        at_bound: space.at_bound(&params, &workspace.gradient),
        params,
    }
}

impl Outcome {
    /// A start that could not begin.
    pub(crate) fn failed(n_parameters: usize, status: Status) -> Outcome {
        Outcome {
            params: vec![f64::NAN; n_parameters],
            objective: f64::NAN,
            status,
            n_iterations: 0,
            n_evaluations: 0,
            gradient: vec![f64::NAN; n_parameters],
            at_bound: vec![false; n_parameters],
        }
    }
}

impl Space {
    /// Free parameters at a bound towards which the gradient pushes.
    pub(crate) fn at_bound(&self, params: &[f64], gradient: &[f64]) -> Vec<bool> {
        let held = |j: usize| {
            (params[j] <= self.lower[j] && gradient[j] >= 0.0) || (params[j] >= self.upper[j] && gradient[j] <= 0.0)
        };
        (0..params.len()).map(|j| self.free.contains(&j) && held(j)).collect()
    }
}
