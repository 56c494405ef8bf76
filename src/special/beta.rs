//! stub
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BetaFail {
    Value,
    Mean,
    Size,
    K,
    MeanMean,
    MeanSize,
    MeanK,
    SizeSize,
    SizeK,
    KK,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rise {
    Value,
    First,
    Second,
}
fn dg(x: f64) -> f64 {
    super::digamma::<crate::dispatch::Plain>(x)
}
fn tg(x: f64) -> f64 {
    super::trigamma::<crate::dispatch::Plain>(x)
}
#[must_use]
pub fn log_rise(which: Rise, x: f64, m: f64) -> f64 {
    match which {
        Rise::Value => libm::lgamma(x + m) - libm::lgamma(x),
        Rise::First => dg(x + m) - dg(x),
        Rise::Second => tg(x + m) - tg(x),
    }
}
#[must_use]
pub fn beta_log_fail(which: BetaFail, mean: f64, size: f64, k: f64) -> f64 {
    let (a, b) = (mean * size, (1.0 - mean) * size);
    let p = |x: f64, t: f64| dg(x + t) - dg(x);
    let p1 = |x: f64, t: f64| tg(x + t) - tg(x);
    match which {
        BetaFail::Value => libm::lgamma(b + k) - libm::lgamma(b) - libm::lgamma(a + b + k) + libm::lgamma(a + b),
        BetaFail::Mean => -size * p(b, k),
        BetaFail::Size => (1.0 - mean) * p(b, k) - p(size, k),
        BetaFail::K => -p(b + k, a),
        BetaFail::MeanMean => size * size * p1(b, k),
        BetaFail::MeanSize => -p(b, k) - b * p1(b, k),
        BetaFail::MeanK => -size * tg(b + k),
        BetaFail::SizeSize => (1.0 - mean).powi(2) * p1(b, k) - p1(size, k),
        BetaFail::SizeK => (1.0 - mean) * tg(b + k) - tg(size + k),
        BetaFail::KK => -p1(b + k, a),
    }
}
