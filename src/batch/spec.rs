//! What a batch is asked to do.

use crate::batch::scale::ScaleRule;
use crate::covariance::Covariance;
use crate::dispatch::Level;
use crate::law::Residual;
use crate::loss::Loss;
use crate::objective::rows::RawRows;
use crate::resample::Resample;
use crate::solver::Solver;
use crate::starts::StartRule;

/// The caller's starts: (starts, parameters), or (fits, starts, parameters) if `per_fit`.
#[derive(Clone, Copy, Debug)]
pub struct GivenStarts<'a> {
    /// Parameter vectors, one after the other.
    pub values: &'a [f64],
    /// Starts of each fit.
    pub n_starts: usize,
    /// Every fit has its own.
    pub per_fit: bool,
}

/// What is known of parameters beforehand.
#[derive(Clone, Copy, Debug)]
pub struct GivenPrior<'a> {
    /// (parameters,); NaN where nothing is known.
    pub mean: &'a [f64],
    /// (parameters,); NaN where nothing is known.
    pub sd: &'a [f64],
    /// (fits,); the noise variance of a row of weight 1, NaN or nothing to find it.
    pub variance: Option<&'a [f64]>,
}

/// Replicates that the caller made.
#[derive(Clone, Copy, Debug)]
pub struct GivenReplicates<'a> {
    /// (replicates, rows of the batch); weights beside those of the rows.
    pub weights: &'a [f64],
    /// (replicates, rows of the batch); responses in place of those of the rows. A row whose response is no number, or has no
    /// logarithm where that is fitted, is left out of the replicate.
    pub responses: Option<&'a [f64]>,
}

/// What a replicate is.
#[derive(Clone, Copy, Debug)]
pub enum ReplicateRule<'a> {
    /// A draw of a scheme.
    Scheme(Resample),
    /// The caller's own.
    Given(GivenReplicates<'a>),
}

/// How resamples are made and minimised.
#[derive(Clone, Copy, Debug)]
pub struct ReplicatePlan<'a> {
    /// What a replicate is.
    pub rule: ReplicateRule<'a>,
    /// Replicates of each fit.
    pub n_replicates: usize,
    /// (rows,); key of each row, or row numbers within each fit.
    pub row_keys: Option<&'a [u64]>,
    /// (rows,); key of each row's cluster, where clusters are what is drawn.
    pub cluster_keys: Option<&'a [u64]>,
    /// (rows,); units are drawn within rows of one code.
    pub strata: Option<&'a [i64]>,
    /// Share of the units that a subsample keeps.
    pub share: f64,
    /// (rows,); standard deviation of the noise on the residual's scale, where it is drawn and not to be estimated.
    pub noise: Option<&'a [f64]>,
    /// Whether every replicate is searched from many starts, not from the estimates alone.
    pub is_global: bool,
    /// Replicates, evenly spaced, that are searched from many starts to see whether that finds better.
    pub n_checked: usize,
    /// Whether replicates get covariances.
    pub with_covariance: bool,
}

/// One law, many data sets. Shapes are in the fields' comments.
#[derive(Clone, Debug)]
pub struct BatchSpec<'a> {
    /// The law as text.
    pub text: &'a str,
    /// Names of the variables.
    pub variables: &'a [String],
    /// Names of the parameters, in the order of all parameter vectors.
    pub parameters: &'a [String],
    /// (variables, rows).
    pub x: &'a [f64],
    /// (rows,).
    pub y: &'a [f64],
    /// (rows,); precision weights.
    pub weights: Option<&'a [f64]>,
    /// (rows,); known standard deviations, in the response's units.
    pub sigma: Option<&'a [f64]>,
    /// (fits + 1,); rows of fit `f` are `offsets[f]..offsets[f + 1]`.
    pub offsets: &'a [usize],
    /// (parameters,).
    pub lower: &'a [f64],
    /// (parameters,).
    pub upper: &'a [f64],
    /// (parameters,); NaN where free.
    pub fixed: &'a [f64],
    /// The loss.
    pub loss: Loss,
    /// (fits,); NaN, or nothing, for the scale that the data give.
    pub f_scale: Option<&'a [f64]>,
    /// How the data give it.
    pub scale_rule: ScaleRule,
    /// The residual.
    pub residual: Residual,
    /// How starts are made.
    pub start_rule: StartRule,
    /// The caller's starts for [`StartRule::Given`].
    pub starts: Option<GivenStarts<'a>>,
    /// Number of starts for [`StartRule::Auto`].
    pub n_starts: usize,
    /// (parameters,); NaN where the role decides.
    pub start_lower: &'a [f64],
    /// (parameters,); NaN where the role decides.
    pub start_upper: &'a [f64],
    /// Seed of starts and resamples.
    pub seed: u64,
    /// (fits, parameters); estimates that are known, in place of a search: what resamples are made of.
    pub at: Option<&'a [f64]>,
    /// Resamples, if any.
    pub replicates: Option<ReplicatePlan<'a>>,
    /// How a start is minimised.
    pub solver: Solver,
    /// How the covariance is estimated.
    pub covariance: Covariance,
    /// (rows,); rows of one fit with the same code are not independent.
    pub clusters: Option<&'a [i64]>,
    /// Whether every start's end is kept.
    pub keep_starts: bool,
    /// Most iterations from one start.
    pub max_iterations: usize,
    /// Instructions of the kernels.
    pub level: Level,
    /// Threads.
    pub n_threads: usize,
    /// What is known of parameters beforehand.
    pub prior: Option<GivenPrior<'a>>,
}

impl<'a> BatchSpec<'a> {
    /// Resamples of each fit.
    pub(super) fn n_replicates(&self) -> usize {
        self.replicates.as_ref().map_or(0, |plan| plan.n_replicates)
    }

    /// The rows of one fit.
    pub(super) fn rows_of(&self, index: usize) -> RawRows<'a> {
        let first = self.offsets[index];
        RawRows {
            x: self.x,
            stride: self.y.len(),
            first,
            n: self.offsets[index + 1] - first,
            y: self.y,
            weights: self.weights,
            sigma: self.sigma,
        }
    }
}
