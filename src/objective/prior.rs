//! What is known of parameters beforehand: a Gaussian penalty, such as an exponent that others have measured.

use crate::law::Residual;
use crate::objective::rows::Rows;

/// One parameter with a prior.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) parameter: usize,
    pub(crate) mean: f64,
    pub(crate) sd: f64,
}

/// ½ v Σ ((θ − m) / sd)². With v the noise variance of a row of weight 1, the objective over v is minus the logarithm of
/// likelihood times prior.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prior<'a> {
    pub(crate) known: &'a [Known],
    pub(crate) variance: f64,
}

impl Prior<'_> {
    /// No parameter has one.
    pub(crate) const NONE: Prior<'static> = Prior { known: &[], variance: f64::NAN };

    /// Adds gradient and curvature, row-major, and returns the penalty.
    pub(crate) fn add_to(&self, params: &[f64], gradient: &mut [f64], hessian: &mut [f64]) -> f64 {
        let p = params.len();
        let mut penalty = 0.0;
        for known in self.known {
            let j = known.parameter;
            let distance = (params[j] - known.mean) / known.sd;
            penalty += 0.5 * self.variance * distance * distance;
            gradient[j] += self.variance * distance / known.sd;
            hessian[j * p + j] += self.variance / (known.sd * known.sd);
        }
        penalty
    }

    /// What the rounding of a parameter alone contributes to a penalty.
    pub(crate) fn rounding_floor(&self) -> f64 {
        const UNITS: f64 = 4.0 * f64::EPSILON;
        self.known.iter().map(|known| 0.5 * self.variance * (UNITS * known.mean / known.sd).powi(2)).sum()
    }

    /// The curvature v / sd² of each of these parameters; 0 where it has no prior.
    pub(crate) fn curvatures(&self, parameters: &[usize]) -> Vec<f64> {
        let of = |j: &usize| self.known.iter().find(|known| known.parameter == *j);
        parameters.iter().map(|j| of(j).map_or(0.0, |known| self.variance / (known.sd * known.sd))).collect()
    }

    /// A sharp prior reacts to its parameter as the terms do: without its share of the solver's unit, its curvature would set
    /// the damping of all others. With it a start takes 27 evaluations at any sd from 1e-12 to 1e-2, without it 170 at 1e-12.
    pub(crate) fn join_metric(&self, rows: &Rows, metric: &mut [f64]) {
        if self.known.is_empty() {
            return;
        }
        let size = |y: f64| if rows.residual == Residual::Log { 1.0 } else { y * y };
        let curvature: f64 = rows.response.iter().zip(&rows.weights).map(|(y, w)| w * size(*y)).sum();
        for known in self.known {
            let own = &mut metric[known.parameter];
            *own = own.hypot((self.variance / curvature).sqrt() / known.sd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Known; 2] =
        [Known { parameter: 2, mean: 0.35, sd: 0.03 }, Known { parameter: 0, mean: 1.7, sd: 0.2 }];
    const PRIOR: Prior<'static> = Prior { known: &KNOWN, variance: 0.6 };

    /// Penalty, gradient and curvature.
    fn at(params: &[f64; 3]) -> (f64, [f64; 3], [f64; 9]) {
        let (mut gradient, mut hessian) = ([0.0; 3], [0.0; 9]);
        (PRIOR.add_to(params, &mut gradient, &mut hessian), gradient, hessian)
    }

    #[test]
    fn derivatives_of_the_penalty_agree_with_finite_differences() {
        let params = [1.9, 400.0, 0.3];
        let (value, gradient, hessian) = at(&params);
        // The residuals in standard deviations are 1 and −5/3.
        assert!((value - 0.5 * 0.6 * (1.0 + 25.0 / 9.0)).abs() < 1e-14);
        for j in 0..3 {
            let step = 1e-4;
            let (mut low, mut high) = (params, params);
            low[j] -= step;
            high[j] += step;
            // Central differences of a quadratic are exact but for rounding.
            assert!((gradient[j] - (at(&high).0 - at(&low).0) / (2.0 * step)).abs() < 1e-10);
            for k in 0..3 {
                let second = (at(&high).1[k] - at(&low).1[k]) / (2.0 * step);
                assert!((hessian[3 * j + k] - second).abs() < 1e-8 * (1.0 + second.abs()));
            }
        }
        assert_eq!(PRIOR.curvatures(&[1, 2]), [0.0, 0.6 / (0.03 * 0.03)]);
    }

    #[test]
    fn no_prior_adds_nothing() {
        let (mut gradient, mut hessian) = ([1.0; 2], [2.0; 4]);
        assert_eq!(Prior::NONE.add_to(&[1.0, 2.0], &mut gradient, &mut hessian), 0.0);
        assert_eq!((gradient, hessian), ([1.0; 2], [2.0; 4]));
        assert_eq!(Prior::NONE.rounding_floor(), 0.0);
    }
}
