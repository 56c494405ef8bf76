//! Densities of the beta and gamma distributions as a product of a peak and a deviance, which keeps their relative accuracy
//! for parameters of any size: x^a (1 − x)^b / B(a, b) written out has lost all digits at a = 1e12.  Loader (2000).

use std::f64::consts::PI;

/// From here on [`STIRLING`] is exact to rounding.
const ASYMPTOTIC_FROM: f64 = 12.0;

/// B₂ₖ / (2k (2k − 1)) for k = 1, 2, …: the series of [`stirling`] in 1/a².
const STIRLING: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1_260.0,
    -1.0 / 1_680.0,
    1.0 / 1_188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3_617.0 / 122_400.0,
];

/// What Stirling's formula leaves of ln Γ(a): ln Γ(a) − (a − ½) ln a + a − ½ ln 2π, for a > 0.
pub(super) fn stirling(a: f64) -> f64 {
    let mut argument = a;
    let mut sum = 0.0;
    while argument < ASYMPTOTIC_FROM {
        sum += (argument + 0.5) * libm::log1p(1.0 / argument) - 1.0;
        argument += 1.0;
    }
    let inverse_square = 1.0 / (argument * argument);
    let series = STIRLING.iter().rev().fold(0.0, |value, &coefficient| value * inverse_square + coefficient);
    sum + series / argument
}

/// `excess` − ln `ratio` for `ratio` = 1 + `excess` > 0, the deviance of a Poisson mean; never negative.
fn deviance(excess: f64, ratio: f64) -> f64 {
    if !(-0.4..=0.8).contains(&excess) {
        return excess - libm::log(ratio);
    }
    // ln (1 + e) = 2 artanh(r) with r = e / (2 + e), and e − 2r = e r.
    let r = excess / (2.0 + excess);
    let square = r * r;
    let mut power = square;
    let mut tail = 1.0 / 3.0;
    let mut k = 5.0;
    while power / k > 1e-18 {
        tail += power / k;
        power *= square;
        k += 2.0;
    }
    r * (excess - 2.0 * square * tail)
}

/// x^a y^b / B(a, b) for y = 1 − x, given `excess` = (a + b) x − a.
pub(super) fn beta_peak(a: f64, b: f64, x: f64, y: f64, excess: f64) -> f64 {
    let n = a + b;
    let far = a * deviance(excess / a, n * (x / a)) + b * deviance(-excess / b, n * (y / b));
    let correction = stirling(n) - stirling(a) - stirling(b);
    // a b / n, also where the product would overflow.
    (a.min(b) * (a.max(b) / n) / (2.0 * PI)).sqrt() * libm::exp(correction - far)
}

/// x^a e^−x / Γ(a).
pub(super) fn gamma_peak(a: f64, x: f64) -> f64 {
    (a / (2.0 * PI)).sqrt() * libm::exp(-stirling(a) - a * deviance((x - a) / a, x / a))
}
