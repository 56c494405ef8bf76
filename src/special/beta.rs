//! ln of the chance that k samples all fail, where the chance of one sample to succeed has a Beta distribution over problems.
//!
//! With a = mean × size and b = (1 − mean) × size it is S = ln [B(a, b + k) / B(a, b)], and
//!
//! ```text
//! S = Σ_{j ≥ 0} [f(j) − f(j + k)],    f(t) = ln ((b + t) / (size + t)).
//! ```
//!
//! So every derivative of S by mean or size is the same sum over the derivative g of f, a rational function of t in which the
//! cancellation between b + t and size + t = a + b + t is done by algebra; derivatives by k are −Σ g′(j + k). The sum is taken
//! term by term until b + j is [`FAR`] and by Euler and Maclaurin's formula from there on, whose integral is known. Where
//! log-gamma differences lose all digits (a = 1e-6, b = 1e9) nothing is lost here.
//!
//! Errors are relative; they were measured against 120 digits over means from 1e-12 to 1 − 1e-9, sizes from 1e-6 to 1e12 and k
//! from 1 to 1e9, whole and not (`tests/data/beta_reference.py`): at most 1.2e-15, but for derivatives by the size at
//! k = 1.08, which have 1.1e-13.

use crate::dispatch::Plain;
use crate::special::deviance::stirling;
use crate::special::ln;
use crate::special::log1p;

/// Which derivative of S.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BetaFail {
    /// S itself.
    Value,
    /// By the mean.
    Mean,
    /// By the size.
    Size,
    /// By k.
    K,
    /// Twice by the mean.
    MeanMean,
    /// By mean and size.
    MeanSize,
    /// By mean and k.
    MeanK,
    /// Twice by the size.
    SizeSize,
    /// By size and k.
    SizeK,
    /// Twice by k.
    KK,
}

/// Which derivative in x of ln Γ(x + m) − ln Γ(x).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rise {
    /// The logarithm of the rising factorial x (x + 1) … (x + m − 1).
    Value,
    /// ψ(x + m) − ψ(x).
    First,
    /// ψ′(x + m) − ψ′(x).
    Second,
}

/// S or one of its derivatives, for mean in [0, 1], size > 0 and k ≥ 0; NaN outside. S is 0 at mean 0 and −∞ at mean 1.
///
/// Relative error at most 1e-12 for k ≥ 1; derivatives by the size vanish at k = 1 and lose 1 / |k − 1| next to it.
#[must_use]
pub fn beta_log_fail(which: BetaFail, mean: f64, size: f64, k: f64) -> f64 {
    let is_inside =
        (0.0..=1.0).contains(&mean) && size > 0.0 && size < f64::INFINITY && (0.0..f64::INFINITY).contains(&k);
    if !is_inside {
        return f64::NAN;
    }
    let (is_by_k, part) = match which {
        BetaFail::Value => (false, Part::F),
        BetaFail::Mean => (false, Part::Mean),
        BetaFail::Size => (false, Part::Size),
        BetaFail::MeanMean => (false, Part::MeanMean),
        BetaFail::MeanSize => (false, Part::MeanSize),
        BetaFail::SizeSize => (false, Part::SizeSize),
        BetaFail::K => (true, Part::F),
        BetaFail::MeanK => (true, Part::Mean),
        BetaFail::SizeK => (true, Part::Size),
        BetaFail::KK => return Beta::new(mean, size).curvature_by_k(k),
    };
    let beta = Beta::new(mean, size);
    if is_by_k { beta.by_k(part, k) } else { beta.sum(part, k) }
}

/// ln Γ(x + m) − ln Γ(x) or a derivative by x, for x > 0 and m ≥ 0; NaN outside.
///
/// Relative error of the derivatives at most 1e-13; of the value 1e-14 of the largest of its logarithms, since it passes
/// through 0.
#[must_use]
pub fn log_rise(which: Rise, x: f64, m: f64) -> f64 {
    if !(x > 0.0 && x < f64::INFINITY && (0.0..f64::INFINITY).contains(&m)) {
        return f64::NAN;
    }
    // Sums over 1/(x + t) and 1/(x + t)²: those of the derivatives by the mean, whose b is x.
    let beta = Beta { b: x, size: 1.0, a: 0.0, mean: 0.0 };
    match which {
        Rise::Value => log_rising(x, m),
        Rise::First => -beta.sum(Part::Mean, m),
        Rise::Second => beta.sum(Part::MeanMean, m),
    }
}

/// Where sums turn into Euler and Maclaurin's formula.
const FAR: f64 = 16.0;
/// Whole k up to here are summed directly, and up to there where the formula would need terms of its own.
const FEW: f64 = 4.0;
const FEW_IF_NEAR: f64 = 16.0;

/// B₂ₘ / (2m)! for m = 1, 2, …
const EULER_MACLAURIN: [f64; 7] = [
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30_240.0,
    -1.0 / 1_209_600.0,
    1.0 / 47_900_160.0,
    -691.0 / 1_307_674_368_000.0,
    1.0 / 74_724_249_600.0,
];

/// How many corrections are needed where b + t is at least so much: what is left out is below 3e-17 of the sum.
const ENOUGH: [(f64, usize); 7] = [(1.1e4, 1), (400.0, 2), (100.0, 3), (45.0, 4), (28.0, 5), (20.0, 6), (0.0, 7)];

/// Powers of u = 1 / (b + t) and v = 1 / (size + t) from one order of derivative to the next.
#[derive(Clone, Copy)]
struct Powers {
    u: f64,
    v: f64,
    order: f64,
    /// (−1)^order × order!.
    factorial: f64,
    /// u^order.
    up: f64,
    /// (u^order − v^order) / (u − v), positive term by term.
    between: f64,
}

impl Powers {
    fn new(u: f64, v: f64) -> Powers {
        Powers { u, v, order: 1.0, factorial: -1.0, up: u, between: 1.0 }
    }

    fn next(self) -> Powers {
        let Powers { u, v, order, factorial, up, between } = self;
        let order = order + 1.0;
        Powers { order, factorial: -factorial * order, up: up * u, between: between * v + up, ..self }
    }
}

/// f or one of its derivatives by mean and size.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    F,
    Mean,
    Size,
    MeanMean,
    MeanSize,
    SizeSize,
}

#[derive(Clone, Copy)]
struct Beta {
    mean: f64,
    size: f64,
    a: f64,
    b: f64,
}

impl Beta {
    fn new(mean: f64, size: f64) -> Beta {
        Beta { mean, size, a: mean * size, b: (1.0 - mean) * size }
    }

    /// Σ_{j ≥ 0} [g(j) − g(j + k)].
    fn sum(self, part: Part, k: f64) -> f64 {
        if k.fract() == 0.0 && (k <= FEW || k <= FEW_IF_NEAR && self.b < FAR) {
            let mut total = 0.0;
            let mut j = 0.0;
            while j < k {
                total += self.value(part, j);
                j += 1.0;
            }
            return total;
        }
        let n = (FAR - self.b).ceil().max(0.0);
        let corrections = self.corrections(part, 1, n + k) - self.corrections(part, 1, n);
        let ends = 0.5 * (self.value(part, n) - self.value(part, n + k));
        let mut total = corrections + ends + self.integral(part, n, k);
        let mut j = n;
        while j > 0.0 {
            j -= 1.0;
            total += self.difference(part, j, k);
        }
        total
    }

    /// −Σ_{j ≥ 0} g′(j + k).
    fn by_k(self, part: Part, k: f64) -> f64 {
        let n = (FAR - self.b - k).ceil().max(0.0);
        let end = n + k;
        // g vanishes at infinity, so the integral of g′ from here on is −g.
        let mut total = 0.5 * self.slope(part, end) - self.value(part, end) - self.corrections(part, 2, end);
        let mut j = n;
        while j > 0.0 {
            j -= 1.0;
            total += self.slope(part, j + k);
        }
        -total
    }

    /// −Σ_{j ≥ 0} f″(j + k).
    fn curvature_by_k(self, k: f64) -> f64 {
        let n = (FAR - self.b - k).ceil().max(0.0);
        let end = n + k;
        let second = |t: f64| self.derivative(Part::F, self.powers(t).next(), t);
        let mut total = 0.5 * second(end) - self.slope(Part::F, end) - self.corrections(Part::F, 3, end);
        let mut j = n;
        while j > 0.0 {
            j -= 1.0;
            total += second(j + k);
        }
        -total
    }

    /// g(t).
    fn value(self, part: Part, t: f64) -> f64 {
        let Beta { mean, size, a, b } = self;
        let (u, v) = (1.0 / (b + t), 1.0 / (size + t));
        match part {
            Part::F => log_ratio(b + t, a * v, size + t),
            Part::Mean => -size * u,
            Part::MeanMean => -(size * u) * (size * u),
            Part::MeanSize => -(t * u) * u,
            // (1 − mean) u − v.
            Part::Size => -mean * (t * u) * v,
            // v² − (1 − mean)² u².
            Part::SizeSize => mean * (t * u) * v * (v + (1.0 - mean) * u),
        }
    }

    fn powers(self, t: f64) -> Powers {
        Powers::new(1.0 / (self.b + t), 1.0 / (self.size + t))
    }

    /// g′(t).
    fn slope(self, part: Part, t: f64) -> f64 {
        self.derivative(part, self.powers(t), t)
    }

    /// Σ B₂ₘ / (2m)! × the derivatives of g at t of the orders `first`, `first` + 2, …
    fn corrections(self, part: Part, first: usize, t: f64) -> f64 {
        let n_terms = ENOUGH.iter().find(|(from, _)| self.b + t >= *from).map_or(0, |(_, n)| *n);
        let mut powers = (1..first).fold(self.powers(t), |powers, _| powers.next());
        let mut total = 0.0;
        for coefficient in &EULER_MACLAURIN[..n_terms] {
            total += coefficient * self.derivative(part, powers, t);
            powers = powers.next().next();
        }
        total
    }

    /// The derivative of g of the order that the powers are of, at t.
    fn derivative(self, part: Part, powers: Powers, t: f64) -> f64 {
        let Beta { mean, size, a, b } = self;
        let Powers { u, v, order, factorial, up, between } = powers;
        match part {
            Part::F => -factorial / order * (a * u * v) * between,
            Part::Mean => -factorial * (size * u) * up,
            Part::MeanMean => -factorial * (order + 1.0) * (size * u) * (size * u) * up,
            Part::MeanSize => -factorial * u * up * (1.0 - (order + 1.0) * (b * u)),
            Part::Size => factorial * (mean * u * v) * (size * v * between - t * up),
            Part::SizeSize => {
                let whole = t * (v + (1.0 - mean) * u) * up - size * v * v * between;
                factorial * (order + 1.0) * (mean * u * v) * whole
            }
        }
    }

    /// g(t) − g(t + k), where b + t is not large.
    fn difference(self, part: Part, t: f64, k: f64) -> f64 {
        let Beta { size, a, b, .. } = self;
        match part {
            Part::F => {
                let (x, y) = (b + t, size + t);
                let w = a / y * (k / (x + k));
                if w < 0.5 { log1p::<Plain>(-w) } else { ln::<Plain>(x / y * ((y + k) / (x + k))) }
            }
            Part::Mean => -size * k / ((b + t) * (b + t + k)),
            _ => self.value(part, t) - self.value(part, t + k),
        }
    }

    /// ∫ g from n to n + k.
    fn integral(self, part: Part, n: f64, k: f64) -> f64 {
        let Beta { mean, size, a, b } = self;
        let (x, y) = (b + n, size + n);
        let ratio = k / x;
        match part {
            Part::F => {
                let w = a / y * (k / (x + k));
                let first = x * if w < 0.5 { log1p::<Plain>(-w) } else { ln::<Plain>(x / y * ((y + k) / (x + k))) };
                -(first + a * log1p::<Plain>(k / y) + k * log1p::<Plain>(a / (x + k)))
            }
            Part::Mean => -size * log1p::<Plain>(ratio),
            Part::MeanMean => -(size / x) * (size / (x + k)) * k,
            Part::MeanSize => {
                if ratio < 1.0 {
                    -(ratio * ((n + k) / (x + k)) - beyond_line(ratio))
                } else {
                    -(log1p::<Plain>(ratio) - ratio * (b / (x + k)))
                }
            }
            Part::Size => {
                let w = a / y * (k / (x + k));
                let inside = if ratio < 1.0 {
                    mean * (k / y) * ((n + k) / (x + k)) - b / size * beyond_line(-w) - mean * beyond_line(k / y)
                } else {
                    let log = if w < 0.5 { log1p::<Plain>(-w) } else { ln::<Plain>(x / y * ((y + k) / (x + k))) };
                    b / size * log + mean * log1p::<Plain>(k / y)
                };
                -inside
            }
            Part::SizeSize => {
                let inside = n * (x + k - mean * (n + k)) + (n + k) * x;
                mean * (inside / x / (x + k)) * (k / y / (y + k))
            }
        }
    }
}

/// ln (x / y) where x / y = 1 − share.
fn log_ratio(x: f64, share: f64, y: f64) -> f64 {
    if share < 0.5 { log1p::<Plain>(-share) } else { ln::<Plain>(x / y) }
}

/// u − ln(1 + u), without cancellation.
fn beyond_line(u: f64) -> f64 {
    if u.abs() > 0.4 {
        return u - log1p::<Plain>(u);
    }
    // With r = u / (2 + u) the logarithm is 2 (r + r³/3 + r⁵/5 + …), and u − 2 r = u r.
    let r = u / (2.0 + u);
    let square = r * r;
    let mut series = 0.0;
    let mut n = 25.0;
    while n > 1.0 {
        series = series * square + 1.0 / n;
        n -= 2.0;
    }
    r * (u - 2.0 * square * series)
}

fn log_rising(x: f64, m: f64) -> f64 {
    if m <= FEW_IF_NEAR && m.fract() == 0.0 {
        let mut total = 0.0;
        let mut j = 0.0;
        while j < m {
            total += ln::<Plain>(x + j);
            j += 1.0;
        }
        return total;
    }
    let shift = (FAR - x).ceil().max(0.0);
    let (low, high) = (x + shift, x + shift + m);
    let mut total = stirling(high) - stirling(low);
    total += (low - 0.5) * log1p::<Plain>(m / low) + m * (ln::<Plain>(high) - 1.0);
    let mut j = shift;
    while j > 0.0 {
        j -= 1.0;
        total -= log1p::<Plain>(m / (x + j));
    }
    total
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const REFERENCE: &str = include_str!("../../tests/data/beta_reference.txt");

    /// Largest relative error that is let pass: of derivatives by the size, which vanish at k = 1, and of all others.
    const NEAR_ZERO: f64 = 2e-13;
    const BOUND: f64 = 2e-15;

    const NAMES: [(&str, BetaFail); 10] = [
        ("value", BetaFail::Value),
        ("mean", BetaFail::Mean),
        ("size", BetaFail::Size),
        ("k", BetaFail::K),
        ("mean_mean", BetaFail::MeanMean),
        ("mean_size", BetaFail::MeanSize),
        ("mean_k", BetaFail::MeanK),
        ("size_size", BetaFail::SizeSize),
        ("size_k", BetaFail::SizeK),
        ("k_k", BetaFail::KK),
    ];

    fn value(name: &str, arguments: &[f64]) -> f64 {
        match (name, arguments) {
            ("rise", [x, m, _]) => log_rise(Rise::Value, *x, *m),
            ("rise_first", [x, m, _]) => log_rise(Rise::First, *x, *m),
            ("rise_second", [x, m, _]) => log_rise(Rise::Second, *x, *m),
            (_, [mean, size, k]) => {
                let which = NAMES.iter().find(|(known, _)| *known == name).expect("a name of the table").1;
                beta_log_fail(which, *mean, *size, *k)
            }
            _ => panic!("a line has three arguments"),
        }
    }

    #[test]
    fn values_and_derivatives_are_right_where_log_gammas_cancel() {
        let mut worst: BTreeMap<&str, (f64, String)> = BTreeMap::new();
        for line in REFERENCE.lines() {
            let (name, rest) = line.split_once(' ').expect("a name");
            let numbers: Vec<f64> = rest.split(' ').map(|word| word.parse().expect("a number")).collect();
            let (arguments, expected) = (&numbers[..3], numbers[3]);
            let found = value(name, arguments);
            let scale = if name == "rise" { 1.0_f64.max(expected.abs()) } else { expected.abs() };
            let error = if found == expected { 0.0 } else { (found - expected).abs() / scale };
            let entry = worst.entry(name).or_insert((0.0, String::new()));
            if error.is_nan() || error > entry.0 {
                *entry = (error, format!("{line}: {found}"));
            }
        }
        assert_eq!(worst.len(), NAMES.len() + 3);
        for (name, (error, line)) in worst {
            let bound = if name.contains("size") { NEAR_ZERO } else { BOUND };
            assert!(error <= bound, "{name}: {error:e} at {line}");
        }
    }

    #[test]
    fn edges_have_the_documented_values() {
        let fail = |mean, size, k| beta_log_fail(BetaFail::Value, mean, size, k);
        for k in [1.0, 2.5, 40.0, 1e9] {
            assert_eq!(fail(0.0, 3.0, k), 0.0);
            assert_eq!(fail(1.0, 3.0, k), f64::NEG_INFINITY);
        }
        assert_eq!(fail(0.3, 3.0, 0.0), 0.0);
        for (mean, size, k) in [(0.3, 2.0, 1.0), (1e-300, 1e3, 1.0), (0.999, 1e9, 1.0)] {
            let expected = log1p::<Plain>(-mean);
            assert!((fail(mean, size, k) - expected).abs() <= 1e-15 * expected.abs());
        }
        let outside = [(-0.1, 1.0, 1.0), (1.1, 1.0, 1.0), (0.5, 0.0, 1.0), (0.5, -1.0, 1.0), (0.5, 1.0, -1.0)];
        let no_numbers = [(f64::NAN, 1.0, 1.0), (0.5, f64::NAN, 1.0), (0.5, 1.0, f64::NAN), (0.5, f64::INFINITY, 2.0)];
        for (mean, size, k) in outside.into_iter().chain(no_numbers) {
            for (_, which) in NAMES {
                assert!(beta_log_fail(which, mean, size, k).is_nan(), "{mean} {size} {k}");
            }
        }
        assert!(log_rise(Rise::Value, 0.0, 1.0).is_nan() && log_rise(Rise::First, 1.0, -1.0).is_nan());
        assert_eq!(log_rise(Rise::Value, 0.7, 0.0), 0.0);
    }

    proptest::proptest! {
        #[test]
        fn more_samples_fail_less_often_whatever_the_distribution(
            mean in 0.0..1.0f64, size in -7.0..13.0f64, k in 0.0..9.0f64, more in 1e-3..5.0f64,
        ) {
            let size = 10.0_f64.powf(size);
            let (few, many) = (10.0_f64.powf(k), 10.0_f64.powf(k) * (1.0 + more));
            let fail = |k| beta_log_fail(BetaFail::Value, mean, size, k);
            proptest::prop_assert!(fail(few) <= 0.0 && fail(few).is_finite());
            proptest::prop_assert!(fail(many) <= fail(few));
            // Between the same problems for all (one chance) and problems that are solved always or never.
            let (alike, sure) = (few * log1p::<Plain>(-mean), log1p::<Plain>(-mean));
            let slack = 1.0 + 1e-12;
            proptest::prop_assert!(alike * slack <= fail(few) && fail(few) <= sure / slack);
        }

        #[test]
        fn no_number_hangs_or_crashes(mean in proptest::num::f64::ANY, size in proptest::num::f64::ANY, k in proptest::num::f64::ANY) {
            for (_, which) in NAMES {
                let _ = beta_log_fail(which, mean, size, k);
            }
            for which in [Rise::Value, Rise::First, Rise::Second] {
                let _ = log_rise(which, size, k);
            }
        }
    }
}
