//! What a batch gives back.

use crate::batch::certificate::Certificate;
use crate::covariance::Gap;
use crate::solver::Outcome;
use crate::status::Status;

/// Where every start began and ended.
#[derive(Clone, Debug, Default)]
pub struct Started {
    /// (starts, parameters).
    pub begins: Vec<f64>,
    /// (starts, parameters).
    pub ends: Vec<f64>,
    /// (starts,).
    pub objectives: Vec<f64>,
    /// (starts,).
    pub statuses: Vec<Status>,
}

/// Solutions of the resamples of one fit.
#[derive(Clone, Debug, Default)]
pub struct Replicates {
    /// (replicates, parameters).
    pub params: Vec<f64>,
    /// (replicates,).
    pub objectives: Vec<f64>,
    /// (replicates,).
    pub statuses: Vec<Status>,
    /// (replicates,); whether a term that contributes to the fit contributes nothing to the replicate.
    pub lost_term: Vec<bool>,
    /// (replicates, parameters, parameters), or empty.
    pub covariances: Vec<f64>,
    /// Rows or clusters that were drawn from.
    pub n_units: usize,
    /// Replicates that were searched from many starts as well.
    pub n_checked: usize,
    /// Those of them where that found a lower objective.
    pub n_disagreed: usize,
}

/// One fit of a batch.
#[derive(Clone, Debug)]
pub struct FitResult {
    /// Estimates; NaN if nothing could be fitted.
    pub params: Vec<f64>,
    /// Σ w ρ(r), and what priors add.
    pub objective: f64,
    /// Σ r² over the rows that carry weight, without their weights.
    pub sse: f64,
    /// Scale of the loss.
    pub f_scale: f64,
    /// The noise variance that priors are weighed against; NaN without a prior.
    pub prior_variance: f64,
    /// How it ended.
    pub status: Status,
    /// Iterations of all starts.
    pub n_iterations: usize,
    /// Evaluations of all starts.
    pub n_evaluations: usize,
    /// Gradient at the end, in natural coordinates.
    pub gradient: Vec<f64>,
    /// Parameters that the data hold at a bound.
    pub at_bound: Vec<bool>,
    /// Condition number of the scaled Jacobian.
    pub condition: f64,
    /// Direction in which the objective is flattest, in the parameters' own units. The part with the largest effect would
    /// by itself change the residuals by 1 in root mean square.
    pub flat_direction: Vec<f64>,
    /// Parameters that a direction moves that the data leave open.
    pub loose: Vec<bool>,
    /// Objectives that differ by less are the same.
    pub rounding: f64,
    /// Exponents, rates and the like whose standard error exceeds them.
    pub vague: Vec<bool>,
    /// Row-major; NaN where undefined.
    pub covariance: Vec<f64>,
    /// Why there is no covariance, not even of some parameters.
    pub gap: Option<Gap>,
    /// Degrees of freedom of Student's t; NaN without a covariance.
    pub dof: f64,
    /// Clusters among the rows that carry weight; 0 without.
    pub n_clusters: usize,
    /// Largest share of each additive term in the prediction, over the rows.
    pub term_share: Vec<f64>,
    /// Share of residuals within the scale of the loss.
    pub inside_scale: f64,
    /// Rows that carry weight.
    pub n_rows_used: usize,
    /// Share of the starts that end within 1e-6 of the best.
    pub start_agreement: f64,
    /// Evidence that the estimates are the best there are.
    pub certificate: Certificate,
    /// The start that led to the estimates.
    pub best_start: usize,
    /// Every start, if asked for.
    pub started: Option<Started>,
    /// Resamples, if asked for.
    pub replicates: Option<Replicates>,
}

impl FitResult {
    /// A fit of `n_parameters` that could not begin.
    pub(super) fn empty(n_parameters: usize, n_terms: usize, status: Status, n_rows_used: usize) -> FitResult {
        FitResult {
            params: vec![f64::NAN; n_parameters],
            objective: f64::NAN,
            sse: f64::NAN,
            f_scale: f64::NAN,
            prior_variance: f64::NAN,
            status,
            n_iterations: 0,
            n_evaluations: 0,
            gradient: vec![f64::NAN; n_parameters],
            at_bound: vec![false; n_parameters],
            condition: f64::NAN,
            flat_direction: vec![0.0; n_parameters],
            loose: vec![false; n_parameters],
            rounding: f64::NAN,
            vague: vec![false; n_parameters],
            covariance: vec![f64::NAN; n_parameters * n_parameters],
            gap: Some(Gap::NoMinimum),
            dof: f64::NAN,
            n_clusters: 0,
            term_share: vec![f64::NAN; n_terms],
            inside_scale: f64::NAN,
            n_rows_used,
            start_agreement: 0.0,
            certificate: Certificate::none(),
            best_start: 0,
            started: None,
            replicates: None,
        }
    }
}

impl Started {
    pub(super) fn of(begins: &[Vec<f64>], ends: &[Outcome]) -> Started {
        Started {
            begins: begins.concat(),
            ends: ends.iter().flat_map(|end| end.params.iter().copied()).collect(),
            objectives: ends.iter().map(|end| end.objective).collect(),
            statuses: ends.iter().map(|end| end.status).collect(),
        }
    }

    /// Of a fit that did not begin.
    pub(super) fn none(n: usize, p: usize, status: Status) -> Started {
        Started {
            begins: vec![f64::NAN; n * p],
            ends: vec![f64::NAN; n * p],
            objectives: vec![f64::NAN; n],
            statuses: vec![status; n],
        }
    }
}

impl Replicates {
    /// Of a fit that did not begin.
    pub(super) fn none(n: usize, p: usize, status: Status, with_covariance: bool) -> Replicates {
        Replicates {
            params: vec![f64::NAN; n * p],
            objectives: vec![f64::NAN; n],
            statuses: vec![status; n],
            lost_term: vec![false; n],
            covariances: if with_covariance { vec![f64::NAN; n * p * p] } else { vec![] },
            n_units: 0,
            n_checked: 0,
            n_disagreed: 0,
        }
    }
}
