//! Powers with an integer exponent.

use crate::dispatch::Arith;

/// xⁿ by repeated squaring: the same multiplications, in the same order, on every machine and every level.
///
/// For n < 0 it is 1 / x⁻ⁿ, so it is 0 where x⁻ⁿ overflows. x⁰ is 1 for every x, NaN included. Each multiplication
/// rounds once, so the error is at most |n| ulp.
#[inline(always)]
#[must_use]
pub fn powi<A: Arith>(x: f64, n: i32) -> f64 {
    let mut remaining = n.unsigned_abs();
    let mut square = x;
    let mut power = 1.0;
    while remaining > 0 {
        if remaining & 1 == 1 {
            power *= square;
        }
        remaining >>= 1;
        if remaining > 0 {
            square *= square;
        }
    }
    if n < 0 { 1.0 / power } else { power }
}
