//! The logistic family: [`softplus`], [`sigmoid`] and [`tanh`], stable for every argument.

use crate::dispatch::Arith;
use crate::special::exp::exp;
use crate::special::exp::expm1;
use crate::special::ln::log1p_unit;

/// ln(1 + eˣ) for every x. Error at most 1.6 ulp; 0 below −708.05, where [`exp`] is.
#[inline(always)]
#[must_use]
pub fn softplus<A: Arith>(x: f64) -> f64 {
    let positive_part = if x < 0.0 { 0.0 } else { x };
    positive_part + log1p_unit::<A>(exp::<A>(-x.abs()))
}

/// 1 / (1 + e⁻ˣ) for every x. Error at most 2.2 ulp; 0 below −708.05, where [`exp`] is.
#[inline(always)]
#[must_use]
pub fn sigmoid<A: Arith>(x: f64) -> f64 {
    let decayed = exp::<A>(-x.abs());
    let numerator = if x < 0.0 { decayed } else { 1.0 };
    numerator / (1.0 + decayed)
}

/// The hyperbolic tangent for every x. Error at most 2.6 ulp.
#[inline(always)]
#[must_use]
pub fn tanh<A: Arith>(x: f64) -> f64 {
    let below = expm1::<A>(-2.0 * x.abs());
    (-below / (2.0 + below)).copysign(x)
}
