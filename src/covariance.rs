//! Covariance of the estimates at a minimum, and how well the data determine them.

use crate::dispatch::Plain;
use crate::error::Error;
use crate::linalg::factor;
use crate::linalg::inverse;
use crate::linalg::singular_values;
use crate::loss::LossVisitor;
use crate::loss::Point;
use crate::loss::RobustLoss;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::problem::Problem;

/// How the covariance is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covariance {
    /// HC3: nearest to its nominal level at every size measured.
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
}

impl Covariance {
    /// Every estimator.
    pub const ALL: [Covariance; 6] =
        [Covariance::Auto, Covariance::Classical, Covariance::Hc0, Covariance::Hc1, Covariance::Hc2, Covariance::Hc3];

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
    pub fn resolved(self) -> Covariance {
        if self == Covariance::Auto { Covariance::Hc3 } else { self }
    }
}

struct AllPoints<'a> {
    residuals: &'a [f64],
    noise: &'a [f64],
    delta: f64,
}

impl LossVisitor for AllPoints<'_> {
    type Out = Vec<Point>;

    fn visit<L: RobustLoss>(self, loss: L) -> Vec<Point> {
        self.residuals.iter().zip(self.noise).map(|(&r, s)| loss.at::<Plain>(r, self.delta * s)).collect()
    }
}

/// What the data say about the parameters at a minimum.
#[derive(Clone, Debug)]
pub(crate) struct Assessment {
    /// Row-major over all parameters; NaN for those that are fixed, at a bound or not identified.
    pub(crate) covariance: Vec<f64>,
    /// Condition number of the Jacobian with unit columns, exponents taken apart from the amplitudes of their terms.
    pub(crate) condition: f64,
    /// The direction in which the objective is flattest, in units of each parameter's own scale.
    pub(crate) flat_direction: Vec<f64>,
}

/// Assesses a minimum. `moving` are the free parameters that are at no bound; `pairs` are (parameter, amplitude of its
/// term).
pub(crate) fn assess(
    problem: &Problem<'_>,
    params: &[f64],
    moving: &[usize],
    pairs: &[(usize, usize)],
    kind: Covariance,
    scratch: &mut Scratch,
) -> Assessment {
    let p = params.len();
    let m = moving.len();
    let local = Problem { free: moving, ..*problem };
    let (residuals, jacobian) = local.linearise(params, scratch);
    let n = problem.rows.n;
    let padded = problem.rows.padded;
    let weights = &problem.rows.weights[..n];
    let all = AllPoints { residuals: &residuals[..n], noise: &problem.rows.noise[..n], delta: problem.f_scale };
    let points = problem.loss.visit(all);
    let slopes = Slopes { jacobian: &jacobian, stride: padded, n, m };
    let gram = slopes.products(|i| weights[i]);
    let penalty = Penalty { curvatures: problem.prior.curvatures(moving), variance: problem.prior.variance };
    let (condition, direction) = conditioning(&slopes, weights, &penalty, moving, pairs);
    let mut flat_direction = vec![0.0; p];
    for (k, &j) in moving.iter().enumerate() {
        flat_direction[j] = direction[k];
    }

    let mut covariance = vec![f64::NAN; p * p];
    // On a long table this is the longest stretch without a look at the cancel flag.
    let inner = if problem.is_cancelled() {
        None
    } else {
        estimate(kind.resolved(), &slopes, weights, &points, &gram, &penalty)
    };
    if let Some(inner) = inner {
        for (k, &i) in moving.iter().enumerate() {
            for (l, &j) in moving.iter().enumerate() {
                covariance[i * p + j] = inner[k * m + l];
            }
        }
    }
    Assessment { covariance, condition, flat_direction }
}

/// The Jacobian of the residuals by columns.
struct Slopes<'a> {
    jacobian: &'a [f64],
    stride: usize,
    n: usize,
    m: usize,
}

impl Slopes<'_> {
    fn column(&self, k: usize) -> &[f64] {
        &self.jacobian[k * self.stride..][..self.n]
    }

    /// `JᵀVJ` for a diagonal V.
    fn products(&self, row_weight: impl Fn(usize) -> f64) -> Vec<f64> {
        let m = self.m;
        let mut out = vec![0.0; m * m];
        for k in 0..m {
            for l in k..m {
                let (a, b) = (self.column(k), self.column(l));
                let total: f64 = (0..self.n).map(|i| row_weight(i) * a[i] * b[i]).sum();
                out[k * m + l] = total;
                out[l * m + k] = total;
            }
        }
        out
    }

    /// `JᵢᵀAJᵢ` of one row.
    fn quadratic(&self, a: &[f64], i: usize) -> f64 {
        let m = self.m;
        (0..m).map(|k| (0..m).map(|l| self.column(k)[i] * a[k * m + l] * self.column(l)[i]).sum::<f64>()).sum()
    }
}

/// What priors add to the curvature of the moving parameters.
struct Penalty {
    /// v / sd² of each; 0 where it has no prior.
    curvatures: Vec<f64>,
    /// The noise variance v of a row of weight 1.
    variance: f64,
}

impl Penalty {
    fn count(&self) -> usize {
        self.curvatures.iter().filter(|curvature| **curvature > 0.0).count()
    }

    /// The inverse of a curvature of the rows and that of the priors, and how many parameters the rows alone determine: the
    /// trace of their share, all of them without a prior.
    fn bread(&self, mut rows: Vec<f64>, m: usize) -> Option<(Vec<f64>, f64)> {
        for (k, curvature) in self.curvatures.iter().enumerate() {
            rows[k * m + k] += curvature;
        }
        let bread = inverse_of(&rows, m)?;
        let by_priors: f64 =
            self.curvatures.iter().enumerate().map(|(k, curvature)| curvature * bread[k * m + k]).sum();
        Some((bread, m as f64 - by_priors))
    }

    /// `B (M + v Λ) B` for the bread B and the meat M of the rows: the score of a prior, v (θ − m) / sd², has the variance
    /// v² / sd² = v Λ over the errors that its mean may have.
    fn sandwich(&self, bread: &[f64], mut meat: Vec<f64>, m: usize) -> Vec<f64> {
        for (k, curvature) in self.curvatures.iter().enumerate().filter(|(_, curvature)| **curvature > 0.0) {
            meat[k * m + k] += self.variance * curvature;
        }
        let mut half = vec![0.0; m * m];
        let mut out = vec![0.0; m * m];
        multiply(bread, &meat, m, &mut half);
        multiply(&half, bread, m, &mut out);
        out
    }
}

/// The covariance of the moving parameters; `None` where it does not exist.
///
/// With priors it is that of the estimator, whose data and whose prior means both might have come out otherwise. Where the
/// variance v that the priors are weighed with is the noise of the rows, s², all of it is s² (`JᵀWJ` + s²Λ)⁻¹.
fn estimate(
    kind: Covariance,
    slopes: &Slopes<'_>,
    weights: &[f64],
    points: &[Point],
    gram: &[f64],
    penalty: &Penalty,
) -> Option<Vec<f64>> {
    let (n, m) = (slopes.n, slopes.m);
    if n + penalty.count() <= m || m == 0 {
        return None;
    }
    let mut out = if kind == Covariance::Classical {
        let scores: f64 = (0..n).map(|i| weights[i] * points[i].psi * points[i].psi).sum();
        let mean_slope = points.iter().map(|point| point.slope).sum::<f64>() / n as f64;
        // A loss that redescends has a mean slope below 0 where most residuals are far out: no minimum to speak of.
        if mean_slope <= 0.0 {
            return None;
        }
        let (bread, effective) = penalty.bread(gram.iter().map(|g| mean_slope * g).collect(), m)?;
        let variance = scores / (n as f64 - effective);
        if penalty.count() == 0 {
            bread.into_iter().map(|value| value * variance / mean_slope).collect()
        } else {
            penalty.sandwich(&bread, gram.iter().map(|g| variance * g).collect(), m)
        }
    } else {
        let (bread, effective) = penalty.bread(slopes.products(|i| weights[i] * points[i].slope), m)?;
        let factor_of = |i: usize| {
            let rest = 1.0 - weights[i] * points[i].slope * slopes.quadratic(&bread, i);
            match kind {
                Covariance::Hc2 => 1.0 / rest,
                Covariance::Hc3 => 1.0 / (rest * rest),
                Covariance::Hc1 => n as f64 / (n as f64 - effective),
                _ => 1.0,
            }
        };
        let factors: Vec<f64> = (0..n).map(factor_of).collect();
        penalty.sandwich(&bread, slopes.products(|i| (weights[i] * points[i].psi).powi(2) * factors[i]), m)
    };
    // Rounding leaves the product of three symmetric matrices a little asymmetric.
    for k in 0..m {
        for l in 0..k {
            let mean = 0.5 * (out[k * m + l] + out[l * m + k]);
            out[k * m + l] = mean;
            out[l * m + k] = mean;
        }
    }
    out.iter().all(|v| v.is_finite()).then_some(out)
}

fn multiply(a: &[f64], b: &[f64], m: usize, out: &mut [f64]) {
    for k in 0..m {
        for l in 0..m {
            out[k * m + l] = (0..m).map(|i| a[k * m + i] * b[i * m + l]).sum();
        }
    }
}

/// The inverse of a positive definite matrix, or `None` where it is numerically singular.
fn inverse_of(matrix: &[f64], m: usize) -> Option<Vec<f64>> {
    let mut l = matrix.to_vec();
    if !factor(&mut l, m) {
        return None;
    }
    let mut out = vec![0.0; m * m];
    inverse(&l, m, &mut out);
    Some(out)
}

/// Condition number of the weighted Jacobian with unit columns, a row for each prior below it, and its flattest direction,
/// after each exponent's column has been made orthogonal to the amplitude of its term: centring the variable, which changes
/// no prediction, would do the same.
fn conditioning(
    slopes: &Slopes<'_>,
    weights: &[f64],
    penalty: &Penalty,
    moving: &[usize],
    pairs: &[(usize, usize)],
) -> (f64, Vec<f64>) {
    let m = slopes.m;
    let n = slopes.n + penalty.count();
    let known: Vec<usize> = (0..m).filter(|&k| penalty.curvatures[k] > 0.0).collect();
    let mut columns: Vec<f64> = Vec::with_capacity(n * m);
    for k in 0..m {
        columns.extend(slopes.column(k).iter().zip(weights).map(|(value, w)| value * w.sqrt()));
        columns.extend(known.iter().map(|&own| if own == k { penalty.curvatures[k].sqrt() } else { 0.0 }));
    }
    let length = |column: &[f64]| column.iter().map(|x| x * x).sum::<f64>().sqrt();
    // Lengths before amplitudes are taken out: what is left of an exponent that nothing determines is rounding.
    let whole: Vec<f64> = columns.chunks_exact(n.max(1)).map(length).collect();
    let place = |j: usize| moving.iter().position(|&known| known == j);
    for &(parameter, amplitude) in pairs {
        let (Some(q), Some(a)) = (place(parameter), place(amplitude)) else { continue };
        let amplitude: Vec<f64> = columns[a * n..][..n].to_vec();
        let square: f64 = amplitude.iter().map(|x| x * x).sum();
        let share = amplitude.iter().zip(&columns[q * n..][..n]).map(|(x, y)| x * y).sum::<f64>() / square;
        if share.is_finite() {
            for (value, x) in columns[q * n..][..n].iter_mut().zip(&amplitude) {
                *value -= share * x;
            }
        }
    }
    for (column, whole) in columns.chunks_exact_mut(n.max(1)).zip(whole) {
        let length = length(column);
        let unit = if length > ROUNDING * whole { length } else { whole };
        for value in column {
            *value = if unit > 0.0 { *value / unit } else { 0.0 };
        }
    }
    let (values, direction) = singular_values(&mut columns, n, m);
    let (Some(&least), Some(&most)) = (values.first(), values.last()) else { return (f64::NAN, vec![]) };
    (if least > 0.0 { most / least } else { f64::INFINITY }, direction)
}

/// What is left of a column below this share of it is the rounding of its entries.
const ROUNDING: f64 = 1e-12;
