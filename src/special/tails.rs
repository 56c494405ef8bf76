//! Tails and quantiles of Student's t, F and χ²: regularised incomplete beta and gamma functions.
//!
//! They branch and serve single numbers, so every level gives the same bits. Both tails are worked out, the smaller one
//! directly, so that neither is lost to 1 − 1. The relative error is below 5e-14, plus 1e-15 × |ln p| in a tail of
//! probability p, for degrees of freedom from ½ on. With degrees of freedom up to 1e8 in both places the work grows with
//! their square root.

use crate::special::deviance::beta_peak;
use crate::special::deviance::gamma_peak;

/// Terms of a series or fraction after which it has not converged: beyond all degrees of freedom that are allowed.
const MOST_TERMS: usize = 1_000_000;
/// Degrees of freedom up to which the fractions converge within a millisecond or so.
pub const MOST_FREEDOM: f64 = 1e8;
/// Beyond this multiple of √df the tail of t is its leading power to rounding, and its square may overflow.
const FAR: f64 = 1e100;

/// The probabilities on both sides of a point, and the density of its logarithm there.
#[derive(Clone, Copy, Debug)]
struct Tails {
    lower: f64,
    upper: f64,
    rate: f64,
}

impl Tails {
    const BEGIN: Tails = Tails { lower: 0.0, upper: 1.0, rate: 0.0 };
    const END: Tails = Tails { lower: 1.0, upper: 0.0, rate: 0.0 };
    const NOWHERE: Tails = Tails { lower: f64::NAN, upper: f64::NAN, rate: f64::NAN };

    fn swapped(self) -> Tails {
        Tails { lower: self.upper, upper: self.lower, ..self }
    }
}

/// P(T > t) for Student's t with `df` degrees of freedom; `df` may be infinite. NaN unless df > 0.
#[must_use]
pub fn t_sf(t: f64, df: f64) -> f64 {
    let size = t_size(t.abs(), df);
    0.5 * if t > 0.0 { size.upper } else { 1.0 + size.lower }
}

/// P(F > f) for Fisher's F with `dfn` and `dfd` degrees of freedom; `dfd` may be infinite. NaN unless 0 < dfn ≤
/// [`MOST_FREEDOM`] and dfd > 0.
#[must_use]
pub fn f_sf(f: f64, dfn: f64, dfd: f64) -> f64 {
    f_tails(f, dfn, dfd).upper
}

/// P(X > x) for χ² with `df` degrees of freedom. NaN unless 0 < df ≤ [`MOST_FREEDOM`].
#[must_use]
pub fn chi2_sf(x: f64, df: f64) -> f64 {
    chi2_tails(x, df).upper
}

/// The t below which probability `p` lies. NaN unless 0 ≤ p ≤ 1 and df > 0.
#[must_use]
pub fn t_quantile(p: f64, df: f64) -> f64 {
    let size = |share: f64, rest: f64| quantile(|t| t_size(t, df), share, rest);
    if p < 0.5 {
        // The middle share is exact near ½, the tail near 0.
        -size(2.0 * (0.5 - p), 2.0 * p)
    } else {
        size(2.0 * (p - 0.5), 2.0 * (1.0 - p))
    }
}

/// The F below which probability `p` lies. NaN where [`f_sf`] is, and unless 0 ≤ p ≤ 1.
#[must_use]
pub fn f_quantile(p: f64, dfn: f64, dfd: f64) -> f64 {
    quantile(|f| f_tails(f, dfn, dfd), p, 1.0 - p)
}

/// The χ² below which probability `p` lies. NaN where [`chi2_sf`] is, and unless 0 ≤ p ≤ 1.
#[must_use]
pub fn chi2_quantile(p: f64, df: f64) -> f64 {
    quantile(|x| chi2_tails(x, df), p, 1.0 - p)
}

/// The distribution of |T| at t ≥ 0.
fn t_size(t: f64, df: f64) -> Tails {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return Tails::NOWHERE;
    }
    let scaled = t / df.sqrt();
    if df.is_finite() && scaled > FAR {
        // P(|T| > t) → Γ(a + ½) / (Γ(a) √π a) (t² / df)^−a for a = df / 2.
        let a = 0.5 * df;
        let beta = libm::lgamma(a) + libm::lgamma(0.5) - libm::lgamma(a + 0.5);
        let upper = libm::exp(-df * libm::log(scaled) - beta) / a;
        return Tails { lower: 1.0 - upper, upper, rate: df * upper };
    }
    let square = f_tails(t * t, 1.0, df);
    Tails { rate: 2.0 * square.rate, ..square }
}

fn f_tails(f: f64, dfn: f64, dfd: f64) -> Tails {
    if f.is_nan() || dfn.is_nan() || dfn <= 0.0 || dfn > MOST_FREEDOM || dfd.is_nan() || dfd <= 0.0 {
        return Tails::NOWHERE;
    }
    if f <= 0.0 {
        return Tails::BEGIN;
    }
    if dfd.is_infinite() {
        return chi2_tails(dfn * f, dfn);
    }
    let odds = dfn * (f / dfd);
    if odds.is_infinite() {
        return Tails::END;
    }
    let (a, b) = (0.5 * dfn, 0.5 * dfd);
    let (x, y) = (odds / (1.0 + odds), 1.0 / (1.0 + odds));
    // (a + b) x − a without the cancellation.
    let excess = a * ((f - 1.0) / (1.0 + odds));
    let rate = beta_peak(a, b, x, y, excess);
    if excess <= 0.0 {
        let lower = rate / beta_fraction(a, b, x, excess);
        Tails { lower, upper: 1.0 - lower, rate }
    } else {
        let upper = rate / beta_fraction(b, a, y, -excess);
        Tails { lower: 1.0 - upper, upper, rate }
    }
}

/// x^a (1 − x)^b / (B(a, b) Iₓ(a, b)) for x up to the mean, as the continued fraction of `DiDonato` & Morris (1992).
fn beta_fraction(a: f64, b: f64, x: f64, excess: f64) -> f64 {
    let term = |m: f64| {
        let odd = a + 2.0 * m - 1.0;
        let above = if m > 0.0 { (a + m - 1.0) / odd * ((a + b + m - 1.0) / odd) * m * (b - m) * x * x } else { 0.0 };
        let before = if m > 0.0 { m + m * (b - m) * x / odd } else { 0.0 };
        (above, before + (a + m) * (1.0 - excess + m * (2.0 - x)) / (odd + 2.0))
    };
    continued_fraction(term)
}

fn chi2_tails(x: f64, df: f64) -> Tails {
    if x.is_nan() || df.is_nan() || df <= 0.0 || df > MOST_FREEDOM {
        return Tails::NOWHERE;
    }
    let (a, x) = (0.5 * df, 0.5 * x);
    if x <= 0.0 {
        return Tails::BEGIN;
    }
    if x.is_infinite() {
        return Tails::END;
    }
    let rate = gamma_peak(a, x);
    if x < a + 1.0 {
        let lower = rate * gamma_series(a, x);
        Tails { lower, upper: 1.0 - lower, rate }
    } else {
        // Legendre's fraction of Γ(a, x) eˣ x^−a.
        let upper = rate / continued_fraction(|m| (m * (a - m), x - a + 1.0 + 2.0 * m));
        Tails { lower: 1.0 - upper, upper, rate }
    }
}

/// P(a, x) / (x^a e^−x / Γ(a)) = Σ xⁿ / (a (a + 1) … (a + n)).
fn gamma_series(a: f64, x: f64) -> f64 {
    let mut term = 1.0 / a;
    let mut sum = term;
    for n in 1..MOST_TERMS {
        term *= x / (a + n as f64);
        sum += term;
        if term < 1e-17 * sum {
            return sum;
        }
    }
    f64::NAN
}

/// b₀ + a₁ / (b₁ + a₂ / (b₂ + …)) for `term`(m) = (aₘ, bₘ), by the method of Lentz (1976) as Thompson & Barnett
/// (1986) mended it.
fn continued_fraction(term: impl Fn(f64) -> (f64, f64)) -> f64 {
    const TINY: f64 = 1e-300;
    let guarded = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut value = guarded(term(0.0).1);
    let (mut forward, mut backward) = (value, 0.0);
    for m in 1..MOST_TERMS {
        let (a, b) = term(m as f64);
        backward = 1.0 / guarded(b + a * backward);
        forward = guarded(b + a / forward);
        let step = forward * backward;
        value *= step;
        if (step - 1.0).abs() < f64::EPSILON {
            return value;
        }
    }
    f64::NAN
}

/// The point with probability `lower` below and `upper` above it, for a distribution of positive numbers.
///
/// Newton's method on the logarithm of the smaller tail in the logarithm of the point, inside a shrinking bracket.
fn quantile(tails: impl Fn(f64) -> Tails, lower: f64, upper: f64) -> f64 {
    if !(0.0..=1.0).contains(&lower) || tails(1.0).lower.is_nan() {
        return f64::NAN;
    }
    if lower == 0.0 {
        return 0.0;
    }
    if upper == 0.0 {
        return f64::INFINITY;
    }
    let by_lower = lower < upper;
    let at = |point: f64| if by_lower { tails(point) } else { tails(point).swapped() };
    let wanted = if by_lower { lower } else { upper };
    let direction = if by_lower { 1.0 } else { -1.0 };
    let (mut left, mut right) = (-745.0, 709.0);
    let mut place = 0.0_f64;
    for _ in 0..200 {
        let found = at(libm::exp(place));
        let gap = libm::log(wanted / found.lower);
        if gap * direction > 0.0 {
            left = place;
        } else {
            right = place;
        }
        let step = direction * gap * (found.lower / found.rate);
        let next = place + step;
        let is_inside = next > left && next < right;
        let next = if is_inside { next } else { 0.5 * (left + right) };
        if (next - place).abs() <= 4e-16 * (1.0 + place.abs()) || gap == 0.0 || gap.is_nan() {
            // The last step is taken on the point itself: the rounding of its logarithm would cost digits.
            let last = if step.is_finite() && is_inside { step } else { 0.0 };
            return libm::exp(place) * (1.0 + last);
        }
        place = next;
    }
    libm::exp(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `tests/data/tails_reference.py`.
    const REFERENCE: &str = include_str!("../../tests/data/tails_reference.txt");

    fn evaluate(name: &str, args: &[f64]) -> f64 {
        match (name, args) {
            ("t_sf", &[t, df]) => t_sf(t, df),
            ("f_sf", &[f, dfn, dfd]) => f_sf(f, dfn, dfd),
            ("chi2_sf", &[x, df]) => chi2_sf(x, df),
            ("t_quantile", &[p, df]) => t_quantile(p, df),
            ("f_quantile", &[p, dfn, dfd]) => f_quantile(p, dfn, dfd),
            ("chi2_quantile", &[p, df]) => chi2_quantile(p, df),
            other => unreachable!("{other:?} is not in the table"),
        }
    }

    #[test]
    fn tails_and_quantiles_are_those_of_the_reference_table() {
        let mut n_checked = 0;
        for line in REFERENCE.lines() {
            let (name, numbers) = line.split_once(' ').expect("a name");
            let numbers: Vec<f64> = numbers.split(' ').map(|word| word.parse().expect("a number")).collect();
            let (value, args) = numbers.split_last().expect("a value");
            let found = evaluate(name, args);
            let error = (found / value - 1.0).abs();
            let bound = if name.ends_with("sf") { 5e-14 + 1e-15 * value.ln().abs() } else { 1e-12 };
            assert!(error < bound, "{name}{args:?} = {found:e}, not {value:e}: {error:e} off");
            n_checked += 1;
        }
        assert!(n_checked > 800, "{n_checked} reference values");
    }

    #[test]
    fn ends_and_impossible_arguments_give_the_documented_values() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let cases = [
            (t_sf(inf, 3.0), 0.0),
            (t_sf(-inf, inf), 1.0),
            (t_sf(0.0, 0.7), 0.5),
            (t_quantile(0.0, 3.0), -inf),
            (t_quantile(1.0, inf), inf),
            (t_quantile(0.5, 2.0), 0.0),
            (f_sf(inf, 3.0, 4.0), 0.0),
            (f_sf(-1.0, 3.0, 4.0), 1.0),
            (chi2_sf(0.0, 3.0), 1.0),
            (chi2_sf(inf, 3.0), 0.0),
            (chi2_quantile(1.0, 3.0), inf),
            (t_sf(1.0, 0.0), nan),
            (t_sf(nan, 2.0), nan),
            (t_quantile(-0.1, 2.0), nan),
            (t_quantile(nan, 2.0), nan),
            (f_quantile(0.5, 2.0 * MOST_FREEDOM, 2.0), nan),
            (f_sf(1.0, 2.0, -1.0), nan),
            (chi2_sf(1.0, inf), nan),
        ];
        for (i, (found, expected)) in cases.into_iter().enumerate() {
            assert!(found == expected || (found.is_nan() && expected.is_nan()), "case {i}: {found}, not {expected}");
        }
    }

    #[test]
    fn most_degrees_of_freedom_still_give_digits() {
        // F and 1/F with the degrees of freedom swapped have the same distribution.
        for (f, dfn, dfd) in [(1.0001, MOST_FREEDOM, MOST_FREEDOM), (1.01, MOST_FREEDOM, 1e4), (1.3, 700.0, 1e12)] {
            let both = f_sf(f, dfn, dfd.min(MOST_FREEDOM)) + f_sf(1.0 / f, dfd.min(MOST_FREEDOM), dfn);
            assert!((both - 1.0).abs() < 1e-9, "{f} {dfn} {dfd}: {both}");
        }
        // With ever more of them t becomes normal and F becomes χ².
        assert!((t_sf(3.0, 1e25) / t_sf(3.0, f64::INFINITY) - 1.0).abs() < 1e-13);
        assert!((f_sf(2.0, 5.0, 1e25) / chi2_sf(10.0, 5.0) - 1.0).abs() < 1e-13);
        assert!((chi2_quantile(0.3, MOST_FREEDOM) / MOST_FREEDOM - 1.0).abs() < 1e-3);
    }
}
