//! What the ends of all starts mean: the best of them, what the data say of it, and what speaks for it.

use crate::batch::certificate::Certificate;
use crate::batch::check::Plan;
use crate::batch::results::FitResult;
use crate::batch::spec::BatchSpec;
use crate::covariance::Gap;
use crate::covariance::Question;
use crate::covariance::assess;
use crate::dispatch::dispatch;
use crate::law::CompiledLaw;
use crate::law::Role;
use crate::law::TermRows;
use crate::objective::Curvature;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::problem::Problem;
use crate::solver::Outcome;
use crate::solver::Workspace;
use crate::solver::tolerance;
use crate::status::Status;

/// A condition number above which a fit that did not end is called unidentified. Usual designs have 20 to 80.
const HARDLY_IDENTIFIED: f64 = 1e5;
/// A condition number above which any fit is: all runs at one ratio of tokens to parameters have 3e7.
pub(super) const UNIDENTIFIED: f64 = 1e7;

/// What the best of the ends means.
pub(super) fn describe(
    spec: &BatchSpec<'_>,
    plan: &Plan,
    problem: &Problem<'_>,
    clusters: Option<&[i64]>,
    ends: &[Outcome],
    best_start: usize,
    workspace: &mut Workspace,
) -> FitResult {
    let law = problem.law;
    let end = &ends[best_start];
    let n_iterations = ends.iter().map(|end| end.n_iterations).sum();
    let n_evaluations = ends.iter().map(|end| end.n_evaluations).sum();
    let mut result = FitResult::empty(law.parameters().len(), law.terms().len(), end.status, problem.rows.n);
    result.n_iterations = n_iterations;
    result.n_evaluations = n_evaluations;
    result.f_scale = problem.f_scale;
    result.prior_variance = problem.prior.variance;
    result.best_start = best_start;
    if !end.objective.is_finite() {
        return result;
    }
    let residuals = problem.residuals(&end.params, &mut workspace.scratch);
    let moving: Vec<usize> = plan.space.free.iter().copied().filter(|&j| !end.at_bound[j]).collect();
    // The way along a flat valley has no end that a number of iterations would reach; and a minimum of which the data say
    // nothing in some direction is none, although rounding may make its curvature positive.
    let is_lost = matches!(end.status, Status::MaxIterations | Status::Stalled | Status::Unidentified);
    let question = Question {
        params: &end.params,
        moving: &moving,
        leaning: &leaning(problem, end, workspace),
        pairs: &law.amplitude_pairs,
        kind: spec.covariance,
        clusters,
        open_above: if is_lost { HARDLY_IDENTIFIED } else { UNIDENTIFIED },
        is_minimum: end.status.is_success(),
        objective: end.objective,
    };
    result.sse = residuals.iter().map(|r| r * r).sum();
    let inside = residuals.iter().zip(problem.rows.noises()).filter(|(r, s)| r.abs() <= problem.f_scale * s).count();
    result.inside_scale =
        if problem.loss.has_scale() { inside as f64 / residuals.len().max(1) as f64 } else { f64::NAN };
    // Where the loss is curved at no more rows than there are parameters, those are passed through: its curvature there
    // says how the rows lie, not how far the estimates may be off.
    let is_corner = is_corner(problem, &residuals, result.inside_scale);
    drop(residuals);
    let assessment = assess(problem, &question, &mut workspace.scratch);
    result.params.clone_from(&end.params);
    result.objective = end.objective;
    result.gradient.clone_from(&end.gradient);
    result.at_bound.clone_from(&end.at_bound);
    result.condition = assessment.condition;
    // Where every parameter is at a bound there is no direction to be open.
    if assessment.is_open {
        result.status = Status::Unidentified;
    }
    result.flat_direction = assessment.flat_direction;
    result.loose = assessment.loose;
    result.n_clusters = assessment.n_clusters;
    // Parameters that no open direction moves keep their standard errors.
    if is_corner && (result.status.is_success() || assessment.is_open) {
        result.gap = Some(Gap::Corner);
    } else if result.status.is_success() || assessment.is_open {
        result.covariance = assessment.covariance;
        result.gap = assessment.gap;
        result.dof = assessment.dof;
    }
    let shares = term_shares(problem, &end.params, &mut workspace.scratch);
    result.term_share = shares.into_iter().map(|(share, _)| share).collect();
    result.vague = vague(law, &end.params, &result.covariance);
    result.rounding = problem.rounding_floor();
    result.certificate = Certificate::of(problem, ends, best_start, result.status, &result.vague);
    result.start_agreement = result.certificate.n_best as f64 / ends.len() as f64;
    result
}

/// Exponents, rates and the like whose standard error exceeds them: where the data hardly tell one from none, the lowest of
/// the minima may lie where no start looks.
fn vague(law: &CompiledLaw, params: &[f64], covariance: &[f64]) -> Vec<bool> {
    let p = params.len();
    let shapes_a_term = |j: usize| {
        matches!(law.roles[j].role, Role::Exponent | Role::Rate | Role::Scale | Role::Width | Role::Frequency)
    };
    (0..p).map(|j| shapes_a_term(j) && covariance[j * p + j].sqrt() > params[j].abs()).collect()
}

/// Parameters at a bound that would gain nothing inside it, to first order: a term that is the same as another, or what a
/// dead term leaves without effect.
fn leaning(problem: &Problem<'_>, end: &Outcome, workspace: &mut Workspace) -> Vec<usize> {
    let p = end.params.len();
    if !end.at_bound.contains(&true) {
        return Vec::new();
    }
    let (mut gradient, mut hessian) = (vec![0.0; p], vec![0.0; p * p]);
    let scratch = &mut workspace.scratch;
    problem.expand(&end.params, Curvature::Reweighted, scratch, &mut gradient, &mut hessian);
    let least = tolerance(problem, end.objective);
    let gains_nothing = |j: &usize| gradient[*j] * gradient[*j] <= 2.0 * hessian[*j * p + *j] * least;
    (0..p).filter(|&j| end.at_bound[j]).filter(gains_nothing).collect()
}

/// Whether the objective has its minimum where rows are passed through, as that of least absolute deviations does: no
/// more of them lie within the scale of the loss than there are parameters to make them, and most far outside.
pub(super) fn is_corner(problem: &Problem<'_>, residuals: &[f64], inside_scale: f64) -> bool {
    const FAR: f64 = 10.0;
    let far = residuals.iter().zip(problem.rows.noises()).filter(|(r, s)| r.abs() > FAR * problem.f_scale * s).count();
    let few = problem.free.len() as f64 + 0.5;
    inside_scale < 1.0 && inside_scale * problem.rows.n as f64 <= few && 2 * far >= residuals.len()
}

/// For each additive term its largest share, over the rows, of the sum of all terms' sizes, and the row where it is.
pub(super) fn term_shares(problem: &Problem<'_>, params: &[f64], scratch: &mut Scratch) -> Vec<(f64, usize)> {
    let (law, rows) = (problem.law, problem.rows);
    let n_terms = law.terms().len();
    let registers = &mut scratch.registers;
    let work = TermRows { law, columns: rows.columns(), n_rows: rows.n, parameters: params, registers };
    let values = dispatch(problem.level, work);
    let mut shares = vec![(0.0_f64, 0); n_terms];
    for i in 0..rows.n {
        let total: f64 = (0..n_terms).map(|t| values[t * rows.n + i].abs()).sum();
        for (t, (most, row)) in shares.iter_mut().enumerate() {
            let share = values[t * rows.n + i].abs() / total;
            if share > *most {
                (*most, *row) = (share, i);
            }
        }
    }
    shares
}
