//! ln |Γ| and its first two derivatives. They branch, and no level vectorises them: all levels give the same bits.

use crate::dispatch::Arith;
use std::f64::consts::PI;

/// From here on the asymptotic series of [`digamma`] and [`trigamma`] are exact to rounding.
const ASYMPTOTIC_FROM: f64 = 12.0;

/// The positive zero of the digamma function, rounded.
const DIGAMMA_ZERO: f64 = 1.461_632_144_968_362_2;
/// What the rounding of [`DIGAMMA_ZERO`] lost.
const DIGAMMA_ZERO_REST: f64 = 9.549_995_429_965_697e-17;

/// ψ(z + t) / t around the zero z, for z + t in [1, 2]; from `tests/data/special_reference.py`.
const DIGAMMA_NEAR_ZERO: [f64; 22] = [
    0.967_672_245_447_621_2,
    -0.442_763_168_983_591_5,
    0.258_499_760_955_652_14,
    -0.163_942_705_442_598_65,
    0.107_824_050_691_187_42,
    -0.072_199_561_238_073,
    0.048_804_288_160_276_99,
    -0.033_161_127_280_363,
    0.022_597_648_705_694_79,
    -0.015_424_746_562_676_783,
    0.010_538_774_679_626_108,
    -0.007_204_811_717_465_386,
    0.004_927_092_544_644_749,
    -0.003_367_342_597_731_564,
    0.002_301_794_724_321_792_5,
    -0.001_590_325_685_448_403_4,
    0.001_100_332_698_506_805_7,
    -0.000_696_230_392_386_245_5,
    0.000_423_302_869_727_366,
    -0.000_404_275_879_201_882_47,
    0.000_399_174_034_998_836_05,
    -0.000_173_122_618_027_273_94,
];

/// B₂ₖ / 2k for k = 1, 2, …: the series of ψ(x) − ln x + 1/(2x) in −1/x².
const DIGAMMA_SERIES: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 120.0,
    1.0 / 252.0,
    -1.0 / 240.0,
    1.0 / 132.0,
    -691.0 / 32_760.0,
    1.0 / 12.0,
    -3_617.0 / 8_160.0,
];

/// The Bernoulli numbers B₂, B₄, …: the series of ψ′(x) − 1/x − 1/(2x²) in 1/x².
const TRIGAMMA_SERIES: [f64; 8] =
    [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2_730.0, 7.0 / 6.0, -3_617.0 / 510.0];

/// ln |Γ(x)| for every x, by the `libm` crate. Error at most 2.5 ulp for x > 0.
///
/// Infinite at 0 and the negative integers and at ±∞. Between −100 and 0 the error is at most 2.5 ulp of
/// max(1, |ln |Γ(x)||).
#[inline(always)]
#[must_use]
pub fn lgamma<A: Arith>(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The digamma function ψ(x) = d ln Γ(x) / dx. Error at most 4 ulp for x > 0, also next to its zero at 1.46.
///
/// NaN at its poles (0 and the negative integers) and at −∞. Between −100 and 0, by reflection, the error is at most 8 ulp
/// of max(1, |ψ(x)|).
#[inline(always)]
#[must_use]
pub fn digamma<A: Arith>(x: f64) -> f64 {
    digamma_scalar(x)
}

/// The trigamma function ψ′(x). Error at most 3 ulp for x > 0.
///
/// +∞ at its poles (0 and the negative integers), NaN at −∞. Between −100 and 0, by reflection, the error is at most 6 ulp.
#[inline(always)]
#[must_use]
pub fn trigamma<A: Arith>(x: f64) -> f64 {
    trigamma_scalar(x)
}

fn digamma_scalar(x: f64) -> f64 {
    if x > 0.0 {
        return digamma_positive(x);
    }
    // ψ(x) = ψ(1 − x) − π cot πx.
    let fraction = x - libm::rint(x);
    if fraction == 0.0 {
        return f64::NAN;
    }
    digamma_positive(1.0 - x) - PI / libm::tan(PI * fraction)
}

fn digamma_positive(x: f64) -> f64 {
    if x >= ASYMPTOTIC_FROM {
        let inverse_square = 1.0 / (x * x);
        return libm::log(x) - (0.5 / x + inverse_square * polynomial(&DIGAMMA_SERIES, inverse_square));
    }
    // ψ(x) = ψ(x − 1) + 1/(x − 1) down to [1, 2], or ψ(x) = ψ(x + 1) − 1/x up to it. The subtraction is exact.
    let mut argument = x;
    let mut sum = 0.0;
    while argument > 2.0 {
        argument -= 1.0;
        sum += 1.0 / argument;
    }
    let mut lost = 0.0;
    if argument < 1.0 {
        sum -= 1.0 / argument;
        let raised = argument + 1.0;
        lost = argument - (raised - 1.0);
        argument = raised;
    }
    let from_zero = (argument - DIGAMMA_ZERO) + (lost - DIGAMMA_ZERO_REST);
    sum + from_zero * polynomial(&DIGAMMA_NEAR_ZERO, from_zero)
}

fn trigamma_scalar(x: f64) -> f64 {
    if x > 0.0 {
        return trigamma_positive(x);
    }
    // ψ′(x) = π² / sin² πx − ψ′(1 − x).
    let fraction = x - libm::rint(x);
    if fraction == 0.0 {
        return f64::INFINITY;
    }
    let ratio = PI / libm::sin(PI * fraction);
    ratio * ratio - trigamma_positive(1.0 - x)
}

fn trigamma_positive(x: f64) -> f64 {
    // ψ′(x) = ψ′(x + 1) + 1/x²: all terms are positive, and the small ones are added first.
    let mut shift = 0.0;
    while x + shift < ASYMPTOTIC_FROM {
        shift += 1.0;
    }
    let inverse = 1.0 / (x + shift);
    let inverse_square = inverse * inverse;
    let series = inverse_square * polynomial(&TRIGAMMA_SERIES, inverse_square);
    let mut sum = inverse * (1.0 + (0.5 * inverse + series));
    while shift > 0.0 {
        shift -= 1.0;
        let argument = x + shift;
        sum += 1.0 / (argument * argument);
    }
    sum
}

/// The polynomial with these coefficients, constant first, by Horner's rule.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |value, &coefficient| value * x + coefficient)
}
