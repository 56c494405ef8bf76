use crate::dispatch::Arith;
use crate::loss::Point;
use crate::loss::RobustLoss;

/// Least squares: ρ(r) = ½ r².
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Squared;

impl RobustLoss for Squared {
    const NAME: &'static str = "squared";
    const HAS_SCALE: bool = false;

    #[inline(always)]
    fn at<A: Arith>(self, r: f64, _delta: f64) -> Point {
        Point { rho: 0.5 * r * r, psi: r, weight: 1.0, slope: 1.0 }
    }
}
