//! What a solver minimises.
//!
//! A solver sees an [`Objective`]: value, gradient, curvature and scales of some parameters. Law × loss × rows
//! ([`problem::Problem`]) is one; likelihoods of mixtures, fits to two responses and blocks of shared parameters are
//! others to come, and none of them changes a solver.

mod balance;
mod basis;
mod link;
mod powers;
pub(crate) mod prior;
pub(crate) mod problem;
pub(crate) mod projection;
pub(crate) mod rows;
mod tabulate;
pub(crate) mod tangent;

pub(crate) use balance::typical_response;
pub(crate) use tabulate::Axis;
pub(crate) use tabulate::Table;

/// Which second derivative a solver asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curvature {
    /// Positive semidefinite and a majoriser's: reweighted least squares. Good far away.
    Reweighted,
    /// Half of each: near a minimum of a loss whose second derivative jumps, Newton's method oscillates and reweighting
    /// crawls; the mean of the two does neither.
    Mixed,
    /// The exact Hessian. Good near a minimum, indefinite elsewhere.
    Exact,
}

impl Curvature {
    /// How much of the exact Hessian is in [`Curvature::Mixed`].
    pub(crate) const MIXED_SHARE: f64 = 0.5;

    /// How much of it is the exact Hessian.
    pub(crate) fn share(self) -> f64 {
        match self {
            Curvature::Reweighted => 0.0,
            Curvature::Mixed => Curvature::MIXED_SHARE,
            Curvature::Exact => 1.0,
        }
    }
}

/// Scratch memory of an evaluation, one per worker; it grows to what is needed and stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) scalars: Vec<f64>,
    pub(crate) registers: Vec<f64>,
    pub(crate) rows: Vec<f64>,
    pub(crate) constants: Vec<f64>,
    pub(crate) theta: Vec<f64>,
    pub(crate) coefficients: Vec<f64>,
    pub(crate) factors: Vec<f64>,
    pub(crate) shifts: Vec<f64>,
    pub(crate) sums: Vec<f64>,
    /// Buffers that nobody uses at the moment.
    spare: Vec<Vec<f64>>,
}

impl Scratch {
    /// A buffer of at least `n` values, which hold anything, to be put back: large ones cost more to make than to fill.
    pub(crate) fn take(&mut self, n: usize) -> Vec<f64> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        grow(&mut buffer, n);
        buffer
    }

    pub(crate) fn put_back(&mut self, buffer: Vec<f64>) {
        self.spare.push(buffer);
    }
}

/// Makes room for `n` values, which hold anything; what is there stays, since programs take turns.
pub(crate) fn grow(values: &mut Vec<f64>, n: usize) {
    if values.len() < n {
        values.resize(n, 0.0);
    }
}

/// A function of `n_parameters` parameters in their natural coordinates. A value that is not finite means that the
/// function is undefined there; a solver must not step to such a place.
pub(crate) trait Objective {
    /// Number of parameters, fixed ones included.
    fn n_parameters(&self) -> usize;

    /// Number of rows that carry weight: the scale of the stopping rule.
    fn n_rows(&self) -> usize;

    /// What rounding alone contributes to a value: no smaller difference means anything.
    fn rounding_floor(&self) -> f64;

    /// Value, gradient and curvature (row-major, both triangles) at `params`; fixed parameters get zeros.
    fn expand(
        &self,
        params: &[f64],
        curvature: Curvature,
        scratch: &mut Scratch,
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64;

    /// For each parameter how strongly the terms that it occurs in react to it, relative to themselves: the solver's unit
    /// of length is the inverse.
    fn metric(&self, params: &[f64], scratch: &mut Scratch, out: &mut [f64]);

    /// Parameters whose scales fit the data better than those of `params`, where the objective can tell: a first trial step.
    fn rescaled(&self, params: &[f64]) -> Option<Vec<f64>>;

    /// Whether the caller wants the work to stop.
    fn is_cancelled(&self) -> bool;
}
