//! The separable path: variable projection proposes, the true objective polishes, the generic path stands behind.

use crate::objective::Objective;
use crate::objective::projection::Projection;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::approach::Guide;
use crate::solver::approach::Pace;
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
/// Proposals are one if the squares between them rise by less than this share.
const SAME: f64 = 1e-3;

/// Rounds of approach and polish along a valley, each of which must lower the objective by this share.
const MOST_ROUNDS: usize = 5;
const LEAST_GAIN: f64 = 1e-9;

/// Where the squares lead from a start.
#[derive(Clone, Debug)]
pub(crate) struct Proposed {
    params: Vec<f64>,
    squares: f64,
    guide: Guide,
    /// The start itself, which is about as good as the minimum of the squares and may be near another minimum of the true
    /// objective.
    is_start: bool,
    pub(crate) n_iterations: usize,
    pub(crate) n_evaluations: usize,
}

impl Proposed {
    /// Whether another proposal is the same place, as far as the squares tell: what follows from here follows from there.
    pub(crate) fn is_also(&self, other: &Proposed) -> bool {
        if self.is_start || other.is_start {
            return false;
        }
        let p = self.params.len();
        let change = |j: usize| other.params[j] - self.params[j];
        let row = |i: usize| (0..p).map(|j| self.guide.metric[i * p + j] * change(j)).sum::<f64>();
        let rise = 0.5 * (0..p).map(|i| change(i) * row(i)).sum::<f64>();
        rise <= SAME * self.squares && (other.squares - self.squares).abs() <= SAME * self.squares
    }
}

/// Searches the squares of `projection`, whose amplitudes are solved for, from a start; `None` if they are not finite. A start
/// that is about as good is its own proposal if it `keeps_start`.
pub(crate) fn propose(
    projection: &Projection<'_>,
    space: &Space,
    start: &[f64],
    keeps_start: bool,
    workspace: &mut Workspace,
) -> Option<Proposed> {
    workspace.reset(start.len());
    let mut begin = start.to_vec();
    for &j in &space.free {
        begin[j] = space.clamp(j, begin[j]);
    }
    let mut params = begin.clone();
    let proposal = project(projection, space, &mut params, workspace)?;
    let guide = guide(projection, space, &params, &workspace.products[0]);
    let is_start = keeps_start && proposal.start <= GOOD * proposal.value;
    Some(Proposed {
        params: if is_start { begin } else { params },
        squares: proposal.value,
        guide,
        is_start,
        n_iterations: workspace.n_iterations,
        n_evaluations: workspace.n_evaluations,
    })
}

/// Goes from a proposal to the minimum of the objective itself.
pub(crate) fn follow<O: Objective>(
    objective: &O,
    projection: &Projection<'_>,
    space: &Space,
    proposed: &Proposed,
    options: Options,
    workspace: &mut Workspace,
) -> Outcome {
    along(objective, projection, space, proposed.params.clone(), Some(&proposed.guide), options, workspace)
}

/// Goes to the minimum of the objective from near one, whatever its kinks.
pub(crate) fn approach_from<O: Objective>(
    objective: &O,
    projection: &Projection<'_>,
    space: &Space,
    params: &[f64],
    options: Options,
    workspace: &mut Workspace,
) -> Outcome {
    along(objective, projection, space, params.to_vec(), None, options, workspace)
}

/// Approach and polish in turns; the first guide is the one that is known.
fn along<O: Objective>(
    objective: &O,
    projection: &Projection<'_>,
    space: &Space,
    mut params: Vec<f64>,
    mut known: Option<&Guide>,
    options: Options,
    workspace: &mut Workspace,
) -> Outcome {
    workspace.reset(params.len());
    let mut before = f64::INFINITY;
    let mut round = 0;
    loop {
        let value = if let Some(guide) = known.take() {
            approach(objective, space, guide, &mut params, options, Pace::FAR, workspace)
        } else {
            let guide = guide_at(projection, space, &params, workspace);
            approach(objective, space, &guide, &mut params, options, Pace::FAR, workspace)
        };
        let end = polish::polish(objective, space, &mut params, options, value, polish::Check::Evaluated, workspace);
        let is_lower = end.value < before * (1.0 - LEAST_GAIN);
        before = end.value;
        round += 1;
        if end.status.is_success() || !is_lower || round == MOST_ROUNDS {
            return outcome(objective, space, params, end, workspace);
        }
    }
}

/// Goes the generic way from a start whose proposal led to `ended`, which is no minimum.
pub(crate) fn fall_back<O: Objective>(
    objective: &O,
    space: &Space,
    start: &[f64],
    ended: Option<&Outcome>,
    options: Options,
    workspace: &mut Workspace,
) -> Outcome {
    if objective.is_cancelled() {
        return Outcome::failed(start.len(), Status::Cancelled);
    }
    let whole = solve(objective, space, start, options, workspace);
    match ended {
        // Neither way ends in a minimum: the lower of the two is nearer to one.
        Some(end) if !whole.status.is_success() && end.objective < whole.objective => {
            let (n_iterations, n_evaluations) = (whole.n_iterations, whole.n_evaluations);
            Outcome { n_iterations, n_evaluations, ..end.clone() }
        }
        _ => whole,
    }
}
