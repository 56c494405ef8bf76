use crate::dispatch::Arith;
use crate::loss::Point;
use crate::loss::RobustLoss;
use crate::special;

/// Cauchy's loss: ½ δ² ln(1 + (r/δ)²), the likelihood of Student's t with one degree of freedom. It redescends: a residual
/// far beyond δ pulls less than one at δ, and the objective has local minima.  Barnett (1966), "Evaluation of the maximum
/// likelihood estimator where the likelihood equation has multiple roots".
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cauchy;

impl RobustLoss for Cauchy {
    const NAME: &'static str = "cauchy";
    const HAS_SCALE: bool = true;

    #[inline(always)]
    fn at<A: Arith>(self, r: f64, delta: f64) -> Point {
        let scaled = r / delta;
        let square = scaled * scaled;
        let weight = 1.0 / (1.0 + square);
        Point {
            rho: 0.5 * delta * delta * special::log1p::<A>(square),
            psi: r * weight,
            weight,
            slope: (1.0 - square) * weight * weight,
        }
    }
}
