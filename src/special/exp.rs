//! The exponential and its relatives that start from it: [`exp`] and [`expm1`].
//!
//! x = k ln 2 + r with |r| ≤ ½ ln 2; eʳ is a polynomial, and 2ᵏ is made from its bits. There is no table, no
//! branch and no conversion between floats and 64-bit integers, so the loops vectorise with plain AVX2.

use crate::dispatch::Arith;

/// 1.5 · 2⁵²: adding it rounds to an integer, which then stands in the low bits of the sum.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// The bits of ½.
const HALF_BITS: u64 = 0x3fe0_0000_0000_0000;
/// The leading 32 bits of ln 2, so that `k * LN_2_HI` is exact for |k| < 2²¹.
pub(super) const LN_2_HI: f64 = 0.693_147_180_485_539_1;
/// The rest of ln 2.
pub(super) const LN_2_LO: f64 = 7.440_617_110_012_397e-11;

/// Arguments are clamped to these: e⁷¹⁰ overflows, and e⁻⁷⁰⁸·⁷ is flushed to 0.
const EXP_CLAMP: (f64, f64) = (-708.7, 710.0);
/// Below it eˣ − 1 rounds to −1.
const EXPM1_MIN: f64 = -50.0;

/// (eʳ − 1 − r − r²/2) / r³ on |r| ≤ ½ ln 2, minimax with weight |r|³; from `tests/data/special_reference.py`.
const EXP_TAIL: [f64; 9] = [
    0.166_666_666_666_666_85,
    0.041_666_666_666_602_896,
    0.008_333_333_333_314_003,
    0.001_388_888_892_722_314,
    0.000_198_412_699_047_245_6,
    2.480_150_815_513_889_7e-5,
    2.755_722_626_008_605e-6,
    2.762_539_224_934_689_4e-7,
    2.511_503_497_856_075_4e-8,
];

/// x as (2ᵏ⁻¹, r), for k from −1022, where the power is 0, to 1024.
#[inline(always)]
fn reduce<A: Arith>(x: f64) -> (f64, f64) {
    let shifted = A::mul_add(x, std::f64::consts::LOG2_E, ROUNDER);
    let k = shifted - ROUNDER;
    let r = A::mul_add(-k, LN_2_LO, A::mul_add(-k, LN_2_HI, x));
    (f64::from_bits((shifted.to_bits() << 52).wrapping_add(HALF_BITS)), r)
}

/// eʳ − 1 for a reduced argument.
#[inline(always)]
fn expm1_reduced<A: Arith>(r: f64) -> f64 {
    // Even and odd powers apart: two short chains of dependent operations instead of a long one.
    let square = r * r;
    let mut even = A::mul_add(EXP_TAIL[8], square, EXP_TAIL[6]);
    even = A::mul_add(even, square, EXP_TAIL[4]);
    even = A::mul_add(even, square, EXP_TAIL[2]);
    even = A::mul_add(even, square, EXP_TAIL[0]);
    let mut odd = A::mul_add(EXP_TAIL[7], square, EXP_TAIL[5]);
    odd = A::mul_add(odd, square, EXP_TAIL[3]);
    odd = A::mul_add(odd, square, EXP_TAIL[1]);
    let tail = A::mul_add(odd, r, even);
    A::mul_add(A::mul_add(tail, r, 0.5), square, r)
}

/// eˣ for every x. Error at most 1.01 ulp.
///
/// Results below 2⁻¹⁰²¹·⁵ ≈ 3.1e-308 (x < −708.05) are flushed to 0; overflow gives infinity; NaN gives NaN.
#[inline(always)]
#[must_use]
pub fn exp<A: Arith>(x: f64) -> f64 {
    let above = if x < EXP_CLAMP.0 { EXP_CLAMP.0 } else { x };
    let clamped = if above > EXP_CLAMP.1 { EXP_CLAMP.1 } else { above };
    let (half_power, r) = reduce::<A>(clamped);
    // The power is a factor, not an addition to the exponent bits, so that it cannot turn a NaN into a number.
    A::mul_add(expm1_reduced::<A>(r), 2.0, 2.0) * half_power
}

/// eˣ − 1 for every x, without cancellation near 0. Error at most 2.2 ulp.
///
/// −0 gives +0.
#[inline(always)]
#[must_use]
pub fn expm1<A: Arith>(x: f64) -> f64 {
    let above = if x < EXPM1_MIN { EXPM1_MIN } else { x };
    let clamped = if above > EXP_CLAMP.1 { EXP_CLAMP.1 } else { above };
    let (half_power, r) = reduce::<A>(clamped);
    2.0 * A::mul_add(half_power, expm1_reduced::<A>(r), half_power - 0.5)
}
