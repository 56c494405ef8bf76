//! Covariance of the estimates at a minimum, and how well the data determine them.
//!
//! All work is in coordinates in which the Jacobian is orthonormal ([`identify()`]): a condition number of 1e6 costs no digits,
//! and a direction that the data leave open is a coordinate that is left out.

mod identify;
mod sandwich;

use crate::covariance::identify::Columns;
use crate::covariance::identify::Identity;
use crate::covariance::identify::identify;
use crate::covariance::sandwich::Priors;
use crate::covariance::sandwich::Rows;
use crate::covariance::sandwich::estimate;
use crate::error::Error;
use crate::law::Residual;
use crate::law::Role;
use crate::objective::Curvature;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::problem::Problem;
use crate::objective::typical_response;

/// How the covariance is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covariance {
    /// CR3 with clusters, HC3 without: nearest to their nominal level at every size measured.
    Auto,
    /// s² (JᵀWJ)⁻¹ with Huber's correction for a robust loss; what NIST certifies.
    Classical,
    /// The sandwich without correction.  White (1980).
    Hc0,
    /// HC0 × n / (n − p).
    Hc1,
    /// Squared scores divided by 1 − h.
    Hc2,
    /// Squared scores divided by (1 − h)²: close to the jackknife.  `MacKinnon` & White (1985).
    Hc3,
    /// The sandwich of whole clusters × G / (G − 1) × (n − 1) / (n − p).  Liang & Zeger (1986).
    Cr1,
    /// One Newton step without each cluster, squared and summed: HC3 where each cluster is one row.  Bell & `McCaffrey`
    /// (2002); `MacKinnon`, Nielsen & Webb (2023), without their factor (G − 1) / G.
    Cr3,
}

impl Covariance {
    /// Every estimator.
    pub const ALL: [Covariance; 8] = [
        Covariance::Auto,
        Covariance::Classical,
        Covariance::Hc0,
        Covariance::Hc1,
        Covariance::Hc2,
        Covariance::Hc3,
        Covariance::Cr1,
        Covariance::Cr3,
    ];

    /// The word that users type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Covariance::Auto => "auto",
            Covariance::Classical => "classical",
            Covariance::Hc0 => "HC0",
            Covariance::Hc1 => "HC1",
            Covariance::Hc2 => "HC2",
            Covariance::Hc3 => "HC3",
            Covariance::Cr1 => "CR1",
            Covariance::Cr3 => "CR3",
        }
    }

    /// The estimator of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the list of names.
    pub fn from_name(name: &str) -> Result<Covariance, Error> {
        let found = Covariance::ALL.into_iter().find(|c| c.name() == name);
        found.ok_or_else(|| Error::unknown_name("covariance", name, Covariance::ALL.map(Covariance::name)))
    }

    /// The estimator that `Auto` stands for.
    #[must_use]
    pub fn resolved(self, has_clusters: bool) -> Covariance {
        match (self, has_clusters) {
            (Covariance::Auto, true) => Covariance::Cr3,
            (Covariance::Auto, false) => Covariance::Hc3,
            (named, _) => named,
        }
    }

    /// Whether it sums over clusters.
    #[must_use]
    pub fn needs_clusters(self) -> bool {
        matches!(self, Covariance::Cr1 | Covariance::Cr3)
    }
}

/// Why a fit has no covariance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The search did not end in a minimum.
    NoMinimum,
    /// No parameter moves, or none is determined.
    NothingMoves,
    /// As many parameters as rows.
    TooFewRows,
    /// A single cluster.
    TooFewClusters,
    /// The loss is flat at so many residuals that its curvature is not positive.
    NoCurvature,
    /// The loss is curved at no more rows than there are parameters.
    Corner,
    /// Without this row, counted within the fit's rows that carry weight, the others do not determine the parameters.
    NeedsRow(usize),
    /// Without the cluster of this code the others do not.
    NeedsCluster(i64),
}

impl Gap {
    /// What it means, with `{}` for the row or cluster that it is about.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Gap::NoMinimum => "the fit did not end in a minimum",
            Gap::NothingMoves => "the data determine no parameter that could move",
            Gap::TooFewRows => "there are no more rows than parameters, so nothing is left to estimate the noise from",
            Gap::TooFewClusters => "all rows are of one cluster, so nothing tells how clusters differ",
            Gap::NoCurvature => "too few residuals lie where the loss is curved; raise f_scale, or bootstrap",
            Gap::Corner => "the loss is curved at no more rows than there are parameters: the fit passes through them",
            Gap::NeedsRow(_) | Gap::NeedsCluster(_) => "without {} the other rows do not determine the parameters",
        }
    }

    /// The row that it is about.
    #[must_use]
    pub fn row(self) -> Option<i64> {
        if let Gap::NeedsRow(row) = self { i64::try_from(row).ok() } else { None }
    }

    /// The code of the cluster that it is about.
    #[must_use]
    pub fn cluster(self) -> Option<i64> {
        if let Gap::NeedsCluster(code) = self { Some(code) } else { None }
    }
}

/// What of a fit its assessment needs besides the problem.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) params: &'a [f64],
    /// The free parameters that are at no bound.
    pub(crate) moving: &'a [usize],
    /// Those at a bound to which nothing pushes them: they do not move, but the data need not hold them there.
    pub(crate) leaning: &'a [usize],
    /// (parameter, amplitude of its term).
    pub(crate) pairs: &'a [(usize, usize)],
    pub(crate) kind: Covariance,
    /// The cluster of each row.
    pub(crate) clusters: Option<&'a [i64]>,
    /// The condition number above which a direction counts as open.
    pub(crate) open_above: f64,
    /// Whether the solver calls the place a minimum.
    pub(crate) is_minimum: bool,
    /// The objective there.
    pub(crate) objective: f64,
}

/// What the data say about the parameters at a minimum.
#[derive(Clone, Debug)]
pub(crate) struct Assessment {
    /// Row-major over all parameters; NaN for those that are fixed, at a bound or not identified.
    pub(crate) covariance: Vec<f64>,
    /// Why there is none, not even of some parameters.
    pub(crate) gap: Option<Gap>,
    /// Degrees of freedom of Student's t; NaN without a covariance.
    pub(crate) dof: f64,
    /// Clusters among the rows that carry weight; 0 without.
    pub(crate) n_clusters: usize,
    /// Condition number of the Jacobian with unit columns, exponents taken apart from the amplitudes of their terms.
    pub(crate) condition: f64,
    /// Whether a direction is open.
    pub(crate) is_open: bool,
    /// Parameters that move along an open direction.
    pub(crate) loose: Vec<bool>,
    /// The direction in which the objective is flattest, in the units of the parameters. The part with the largest effect
    /// would by itself change the residuals by 1 in root mean square.
    pub(crate) flat_direction: Vec<f64>,
}

impl Assessment {
    /// Takes over what singular values say of these parameters.
    fn point_out(&mut self, identity: &Identity, moving: &[usize]) {
        self.condition = identity.condition;
        self.is_open = identity.is_open;
        for (k, &j) in moving.iter().enumerate() {
            self.flat_direction[j] = identity.flat_direction[k];
            self.loose[j] = identity.loose[k];
        }
    }
}

/// Residuals and their weighted derivatives by some parameters.
struct Slopes {
    residuals: Vec<f64>,
    columns: Columns,
    /// Those of the parameters that have a prior, by place among them.
    known: Vec<usize>,
    /// Curvature of each prior, 0 without.
    curvatures: Vec<f64>,
}

/// An exponent whose change by its own size, or by 1, moves no prediction by more than this share moves only rounding.
const IDLE: f64 = 1e-10;

fn slopes(problem: &Problem<'_>, params: &[f64], moving: &[usize], scratch: &mut Scratch) -> Slopes {
    let (n, m) = (problem.rows.n, moving.len());
    let weights = &problem.rows.weights[..n];
    let (residuals, mut values) = Problem { free: moving, ..*problem }.linearise(params, scratch);
    // A prior is a row whose residual √v (θ − mean) / sd has the noise variance v.
    let curvatures = problem.prior.curvatures(moving);
    let known: Vec<usize> = (0..m).filter(|&k| curvatures[k] > 0.0).collect();
    let size = if problem.residual == Residual::Log { 1.0 } else { typical_response(problem.rows, problem.residual) };
    let padded = problem.rows.padded;
    for (k, column) in values.chunks_exact_mut(padded.max(1)).enumerate() {
        let j = moving[k];
        let most = || column[..n].iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let is_idle =
            problem.law.roles[j].role == Role::Exponent && most() * params[j].abs().max(1.0) <= IDLE * size.abs();
        if is_idle {
            column.fill(0.0);
        }
    }
    scale_by_roots(&mut values, padded, weights);
    let length = n + known.len();
    if known.len() > padded - n {
        values = values
            .chunks_exact(padded)
            .flat_map(|column| column.iter().copied().chain(known.iter().map(|_| 0.0)))
            .collect();
    }
    let stride = values.len() / m.max(1);
    // Columns move up to stand one after the other, in the memory that they have: a long table has it once.
    for k in 0..m {
        values.copy_within(k * stride..k * stride + n, k * length);
        let priors = &mut values[k * length + n..(k + 1) * length];
        for (value, &own) in priors.iter_mut().zip(&known) {
            *value = if own == k { curvatures[k].sqrt() } else { 0.0 };
        }
    }
    values.truncate(m * length);
    let columns = Columns { values, n: length, n_rows: n, mass: weights.iter().sum() };
    Slopes { residuals, columns, known, curvatures }
}

/// Multiplies columns of `stride` rows by the roots of the rows' weights.
fn scale_by_roots(columns: &mut [f64], stride: usize, weights: &[f64]) {
    const BLOCK: usize = 256;
    let mut roots = [0.0; BLOCK];
    for (block, weights) in weights.chunks(BLOCK).enumerate() {
        roots.iter_mut().zip(weights).for_each(|(root, w)| *root = w.sqrt());
        for column in columns.chunks_exact_mut(stride.max(1)) {
            column[block * BLOCK..].iter_mut().zip(&roots[..weights.len()]).for_each(|(value, root)| *value *= root);
        }
    }
}

/// A fit whose status is no minimum may still have one in all directions but the open ones, if the next step there is
/// below this part of a standard error.
const SMALL_STEP: f64 = 1e-3;

/// Assesses a minimum.
pub(crate) fn assess(problem: &Problem<'_>, question: &Question<'_>, scratch: &mut Scratch) -> Assessment {
    let Question { params, moving, .. } = *question;
    let (p, m) = (params.len(), moving.len());
    let n = problem.rows.n;
    let weights = &problem.rows.weights[..n];
    let Slopes { mut residuals, columns, known, curvatures } = slopes(problem, params, moving, scratch);
    let values: Vec<f64> = moving.iter().map(|&j| params[j]).collect();
    let identify_all = |columns: Columns, moving: &[usize]| {
        let place = |j: usize| moving.iter().position(|&known| known == j);
        let pairs: Vec<(usize, usize)> =
            question.pairs.iter().filter_map(|&(q, a)| Some((place(q)?, place(a)?))).collect();
        let values: Vec<f64> = moving.iter().map(|&j| params[j]).collect();
        identify(problem.level, columns, &values, &pairs, question.open_above)
    };
    let identity = identify_all(columns, moving);
    let n_clusters = question.clusters.map_or(0, sandwich::count);
    let mut found = Assessment {
        covariance: vec![f64::NAN; p * p],
        gap: None,
        dof: f64::NAN,
        n_clusters,
        condition: f64::NAN,
        is_open: false,
        loose: vec![false; p],
        flat_direction: vec![0.0; p],
    };
    found.point_out(&identity, moving);
    if !question.leaning.is_empty() {
        let together = [moving, question.leaning].concat();
        let wider = identify_all(slopes(problem, params, &together, scratch).columns, &together);
        if wider.is_open {
            found.point_out(&wider, &together);
        }
    }
    // On a long table this is the longest stretch without a look at the cancel flag.
    if problem.is_cancelled() {
        found.gap = Some(Gap::NoMinimum);
        return found;
    }
    residuals.truncate(n);
    let slopes = problem.at_each(&residuals, |point| point.slope);
    problem.replace_each(&mut residuals, |point| point.psi);
    let psi = residuals;
    let kind = question.kind.resolved(question.clusters.is_some());
    let pull = |&k: &usize| {
        let own = problem.prior.known.iter().find(|known| known.parameter == moving[k]);
        own.map_or(0.0, |own| curvatures[k].sqrt() * (values[k] - own.mean))
    };
    let priors = Priors { pulls: known.iter().map(pull).collect(), variance: problem.prior.variance };
    let exact = (problem.residual == Residual::Deviance).then(|| exact_curvature(problem, params, moving, scratch));
    let curvature = exact.as_deref();
    let rows = Rows { curvature, weights, psi: &psi, slopes: &slopes, clusters: question.clusters, priors: &priors };
    let noise = (question.objective + problem.rounding_floor()) / n as f64;
    let least_step = if question.is_minimum { f64::INFINITY } else { SMALL_STEP * noise.sqrt() };
    match estimate(problem.level, kind, identity.basis, &rows, least_step) {
        Ok(estimate) => {
            found.dof = estimate.dof;
            for (k, &i) in moving.iter().enumerate() {
                for (l, &j) in moving.iter().enumerate() {
                    if !(found.loose[i] || found.loose[j]) {
                        found.covariance[i * p + j] = estimate.covariance[k * m + l];
                    }
                }
            }
        }
        Err(gap) => found.gap = Some(gap),
    }
    found
}

/// The second derivatives of the objective by the moving parameters.
fn exact_curvature(problem: &Problem<'_>, params: &[f64], moving: &[usize], scratch: &mut Scratch) -> Vec<f64> {
    let p = params.len();
    let (mut gradient, mut hessian) = (vec![0.0; p], vec![0.0; p * p]);
    problem.expand(params, Curvature::Exact, scratch, &mut gradient, &mut hessian);
    moving.iter().flat_map(|&i| moving.iter().map(|&j| hessian[i * p + j]).collect::<Vec<f64>>()).collect()
}

/// Residuals of the rows, each as it is from a fit without the row's unit: one Newton step away.
///
/// Under squared loss of single rows these are r / (1 − h), the residuals of HC3 and of the jackknife. A unit that the others
/// cannot do without keeps its own.
pub(crate) fn left_out(
    problem: &Problem<'_>,
    params: &[f64],
    moving: &[usize],
    units: &[usize],
    scratch: &mut Scratch,
) -> Vec<f64> {
    let n = problem.rows.n;
    let weights = &problem.rows.weights[..n];
    let Slopes { mut residuals, columns, known, curvatures } = slopes(problem, params, moving, scratch);
    residuals.truncate(n);
    let place = |j: usize| moving.iter().position(|&known| known == j);
    let pairs = problem.law.amplitude_pairs.iter().filter_map(|&(q, a)| Some((place(q)?, place(a)?)));
    let values: Vec<f64> = moving.iter().map(|&j| params[j]).collect();
    let identity = identify(problem.level, columns, &values, &pairs.collect::<Vec<_>>(), f64::INFINITY);
    let psi = problem.at_each(&residuals, |point| point.psi);
    let slopes = problem.at_each(&residuals, |point| point.slope);
    let pull = |&k: &usize| {
        let own = problem.prior.known.iter().find(|known| known.parameter == moving[k]);
        own.map_or(0.0, |own| curvatures[k].sqrt() * (values[k] - own.mean))
    };
    let priors = Priors { pulls: known.iter().map(pull).collect(), variance: problem.prior.variance };
    let codes: Vec<i64> = units.iter().map(|&unit| i64::try_from(unit).unwrap_or(i64::MAX)).collect();
    let rows = Rows { curvature: None, weights, psi: &psi, slopes: &slopes, clusters: Some(&codes), priors: &priors };
    let changes = sandwich::changes_without(identity.basis, &rows);
    residuals.iter().zip(weights).zip(changes).map(|((r, w), change)| r + change / w.sqrt()).collect()
}
