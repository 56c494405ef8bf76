use crate::dispatch::Arith;
use crate::loss::Point;
use crate::loss::RobustLoss;

/// Huber's loss: ½ r² within δ, δ (|r| − ½ δ) beyond.  Huber (1964), "Robust estimation of a location parameter".
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Huber;

impl RobustLoss for Huber {
    const NAME: &'static str = "huber";
    const HAS_SCALE: bool = true;

    #[inline(always)]
    fn at<A: Arith>(self, r: f64, delta: f64) -> Point {
        let size = r.abs();
        let is_inside = size <= delta;
        Point {
            rho: if is_inside { 0.5 * r * r } else { delta * (size - 0.5 * delta) },
            psi: if is_inside { r } else { delta.copysign(r) },
            weight: if is_inside { 1.0 } else { delta / size },
            slope: if is_inside { 1.0 } else { 0.0 },
        }
    }
}
