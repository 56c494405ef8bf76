//! Sine, cosine and arc tangent, by the `libm` crate: pure Rust, the same bits on every machine and every level.

use crate::dispatch::Arith;

/// sin(x) for finite x; NaN for ±∞. Error at most 0.9 ulp.
#[inline(always)]
#[must_use]
pub fn sin<A: Arith>(x: f64) -> f64 {
    libm::sin(x)
}

/// cos(x) for finite x; NaN for ±∞. Error at most 0.9 ulp.
#[inline(always)]
#[must_use]
pub fn cos<A: Arith>(x: f64) -> f64 {
    libm::cos(x)
}

/// The arc tangent for every x. Error at most 0.9 ulp.
#[inline(always)]
#[must_use]
pub fn atan<A: Arith>(x: f64) -> f64 {
    libm::atan(x)
}
