//! The natural logarithm: [`ln`] and [`log1p`].
//!
//! x = 2ᵏ m with m in [√½, √2); with f = m − 1 and s = f / (2 + f), ln m = 2 artanh s. The leading part of that is f
//! itself, which is exact; the remainder is a polynomial in s². No table and no branch.

use crate::dispatch::Arith;
use crate::special::exp::LN_2_HI;
use crate::special::exp::LN_2_LO;

/// The bits of √½, rounded down to the upper 32 bits.
const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_0000_0000;
/// The bits of 1.
const ONE_BITS: u64 = 0x3ff0_0000_0000_0000;
/// The bits of a double's fraction.
const FRACTION_BITS: u64 = 0x000f_ffff_ffff_ffff;
/// The bits of 2⁵²: an integer below 2⁵² in the low bits makes 2⁵² plus that integer.
const TWO_52_BITS: u64 = 0x4330_0000_0000_0000;
/// 2⁵² + 1023.
const TWO_52_AND_BIAS: f64 = 4_503_599_627_371_519.0;
/// 2⁵⁴, which makes every subnormal number normal.
const TWO_54: f64 = 18_014_398_509_481_984.0;

/// (2 artanh(s) − 2 s) / (s z) with z = s², for z ≤ ((√2 − 1) / (√2 + 1))²; from `tests/data/special_reference.py`.
const LN_TAIL: [f64; 7] = [
    0.666_666_666_666_681,
    0.399_999_999_990_146_46,
    0.285_714_288_184_174_9,
    0.222_221_916_529_630_53,
    0.181_838_909_386_012_05,
    0.153_063_381_677_545_7,
    0.148_680_126_384_291_43,
];

/// ln(x) + correction for a positive normal x. Any other x gives some finite number plus the correction.
#[inline(always)]
fn ln_normal<A: Arith>(x: f64, scale: f64, correction: f64) -> f64 {
    let shifted = x.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
    let k = f64::from_bits((shifted >> 52) | TWO_52_BITS) - TWO_52_AND_BIAS - scale;
    let f = f64::from_bits((shifted & FRACTION_BITS).wrapping_add(SQRT_HALF_BITS)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let mut tail = LN_TAIL[6];
    tail = A::mul_add(tail, z, LN_TAIL[5]);
    tail = A::mul_add(tail, z, LN_TAIL[4]);
    tail = A::mul_add(tail, z, LN_TAIL[3]);
    tail = A::mul_add(tail, z, LN_TAIL[2]);
    tail = A::mul_add(tail, z, LN_TAIL[1]);
    tail = A::mul_add(tail, z, LN_TAIL[0]);
    // 2 s = f − s f, so ln(1 + f) = 2 s + s z tail = f − s (f − z tail).
    let low = A::mul_add(k, LN_2_LO, correction);
    let small = A::mul_add(-s, A::mul_add(-tail, z, f), low);
    A::mul_add(k, LN_2_HI, f + small)
}

/// ln(x) for x ≥ 0, subnormal numbers included. Error at most 1 ulp.
///
/// 0 gives −∞, a negative number NaN, ∞ gives ∞.
#[inline(always)]
#[must_use]
pub fn ln<A: Arith>(x: f64) -> f64 {
    let is_small = x < f64::MIN_POSITIVE;
    let factor = if is_small { TWO_54 } else { 1.0 };
    let exponent = if is_small { 54.0 } else { 0.0 };
    let infinite_at_0 = if x == 0.0 { f64::INFINITY } else { 0.0 };
    let scaled = x * factor;
    // ∞ at ∞, NaN at NaN and below 0; 0 elsewhere. Two compared variables, or LLVM makes a slow class test of it.
    let is_regular = x <= f64::MAX && scaled >= 0.0;
    let edge = if is_regular { 0.0 } else { A::mul_add(x, f64::INFINITY, f64::INFINITY) };
    ln_normal::<A>(scaled, exponent + infinite_at_0, edge)
}

/// ln(1 + x) for x ≥ −1, without cancellation near 0. Error at most 1 ulp.
///
/// −1 gives −∞, a number below −1 NaN, ∞ gives ∞, −0 gives +0.
#[inline(always)]
#[must_use]
pub fn log1p<A: Arith>(x: f64) -> f64 {
    let sum = 1.0 + x;
    // What the rounding of the sum lost, by Knuth's two-sum; ln(sum + lost) = ln(sum) + lost / sum.
    let x_part = sum - 1.0;
    let lost = (1.0 - (sum - x_part)) + (x - x_part);
    let value = ln_normal::<A>(sum, 0.0, lost / sum);
    let at_edge = if sum == 0.0 { f64::NEG_INFINITY } else { A::mul_add(x, f64::INFINITY, f64::INFINITY) };
    let is_regular = x <= f64::MAX && sum > 0.0;
    if is_regular { value } else { at_edge }
}

/// ln(1 + x) for x from 0 to 1, or NaN.
#[inline(always)]
pub(super) fn log1p_unit<A: Arith>(x: f64) -> f64 {
    let sum = 1.0 + x;
    let lost = x - (sum - 1.0);
    // 1 / sum to 5 % of x, which is plenty: the whole correction is less than an ulp of x.
    let inverse = A::mul_add(A::mul_add(0.5, x, -1.0), x, 1.0);
    ln_normal::<A>(sum, 0.0, lost * inverse)
}
