//! Coordinates of the search: logarithms of positive parameters, the others as they are.

use crate::dispatch::Plain;
use crate::objective::Curvature;
use crate::solver::Space;
use crate::special;

/// A step of an amplitude back through zero and this many times beyond is taken as it is; a shorter one shrinks it.
const FLIP: f64 = -10.0;
/// No step multiplies an amplitude by more than e to this power.
const MOST_GROWTH: f64 = 50.0;

/// Where a search moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chart<'s> {
    pub(super) space: &'s Space,
    pub(super) lower: &'s [f64],
    pub(super) upper: &'s [f64],
}

impl<'s> Chart<'s> {
    pub(super) fn new(space: &'s Space) -> Chart<'s> {
        Chart { space, lower: &space.search_lower, upper: &space.search_upper }
    }

    pub(super) fn to_params(self, search: &[f64], params: &mut [f64]) {
        for &j in &self.space.free {
            let natural = if self.space.is_log(j) { special::exp::<Plain>(search[j]) } else { search[j] };
            params[j] = self.space.clamp(j, natural);
        }
    }

    pub(super) fn to_search(self, params: &[f64], search: &mut [f64]) {
        for (j, (u, &value)) in search.iter_mut().zip(params).enumerate() {
            *u = if self.space.is_log(j) { special::ln::<Plain>(value) } else { value };
        }
    }

    /// Whether a parameter is an amplitude that may have either sign.
    pub(super) fn by_factors(self, j: usize) -> bool {
        self.space.amplitudes[j] && !self.space.is_log(j)
    }

    /// Where a step from `from` leads. An amplitude without a sign moves by factors, as one that is declared positive
    /// does in its logarithm: x·exp(s/x) is x + s to first order, and stays on the floor of a valley along which the
    /// amplitude grows exponentially. Only a step far beyond zero changes its sign.
    pub(super) fn moved(self, j: usize, from: f64, step: f64) -> f64 {
        let ratio = step / from;
        let is_factor = self.by_factors(j) && ratio > FLIP && ratio < MOST_GROWTH;
        let next = if is_factor { from * special::exp::<Plain>(ratio) } else { from + step };
        next.max(self.lower[j]).min(self.upper[j])
    }

    /// Gradient and curvature in natural coordinates become those in search coordinates.
    pub(super) fn transform(self, params: &[f64], curvature: Curvature, gradient: &mut [f64], hessian: &mut [f64]) {
        let p = params.len();
        for &j in &self.space.free {
            if !self.space.is_log(j) {
                continue;
            }
            gradient[j] *= params[j];
            for k in 0..p {
                hessian[j * p + k] *= params[j];
                hessian[k * p + j] *= params[j];
            }
            if curvature == Curvature::Exact {
                hessian[j * p + j] += gradient[j];
            }
        }
    }
}
