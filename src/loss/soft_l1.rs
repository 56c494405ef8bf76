use crate::dispatch::Arith;
use crate::loss::Point;
use crate::loss::RobustLoss;

/// A smooth absolute value: δ² (√(1 + (r/δ)²) − 1), near δ |r| beyond δ.  Charbonnier et al. (1994), "Two deterministic
/// half-quadratic regularization algorithms for computed imaging".
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SoftL1;

impl RobustLoss for SoftL1 {
    const NAME: &'static str = "soft_l1";
    const HAS_SCALE: bool = true;

    #[inline(always)]
    fn at<A: Arith>(self, r: f64, delta: f64) -> Point {
        let scaled = r / delta;
        let root = A::mul_add(scaled, scaled, 1.0).sqrt();
        let weight = 1.0 / root;
        let psi = r * weight;
        // r² / (1 + √…) is the difference of roots without its cancellation.
        Point { rho: r * r / (1.0 + root), psi, weight, slope: weight * weight * weight }
    }
}
