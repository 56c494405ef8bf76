//! Where searches begin: the method of moments first, then the authors' start and a spread-out one.

use crate::mixture::Counts;
use crate::mixture::MOST;
use crate::mixture::Mixing;

/// The start of Schaeffer et al. (2502.17578), and how large the third one is.
const AUTHORS: [f64; 2] = [0.5, 3.5];
const SPREAD: f64 = 0.3;

/// Starts of a kind. The mean of s / n gives a / (a + b), its variance beyond that of counting the size a + b.
pub(super) fn starts<M: Mixing>(counts: &[Counts], weights: &[f64], scale: f64) -> Vec<[f64; MOST]> {
    let total: f64 = weights.iter().sum();
    let mean_of = |of: &dyn Fn(&Counts) -> f64| counts.iter().zip(weights).map(|(c, w)| w * of(c)).sum::<f64>() / total;
    let mean = mean_of(&|c| c.s / c.n / scale).clamp(1e-9, 1.0 - 1e-9);
    let variance = mean_of(&|c| (c.s / c.n / scale - mean) * (c.s / c.n / scale - mean));
    let inverse = mean_of(&|c| 1.0 / c.n).min(0.999);
    let counting = mean * (1.0 / scale - mean).max(0.0) * inverse;
    let rho = ((variance - counting) / (mean * (1.0 - mean))).clamp(1e-3, 0.95);
    let size = 1.0 / rho - 1.0;
    let shapes = [[mean * size, (1.0 - mean) * size], AUTHORS, [mean * SPREAD, (1.0 - mean) * SPREAD]];
    let zeros = mean_of(&|c| f64::from(u8::from(c.s == 0.0))).clamp(0.02, 0.98);
    let has_share = M::PARAMETERS.len() == MOST;
    let [low, high] = M::SHAPES;
    let within = |shape: f64| libm::log(shape).clamp(low + 1.0, high - 1.0);
    let start = |[a, b]: [f64; 2]| {
        if has_share {
            let half = 0.5 * zeros;
            [libm::log(half / (1.0 - half)), within(a.max(0.3)), within(b)]
        } else {
            [within(a), within(b), 0.0]
        }
    };
    shapes.into_iter().map(start).collect()
}
