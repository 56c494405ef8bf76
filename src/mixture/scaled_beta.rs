use crate::dispatch::Plain;
use crate::mixture::Counts;
use crate::mixture::Local;
use crate::mixture::MOST;
use crate::mixture::Mixing;
use crate::mixture::beta::Beta;
use crate::mixture::quadrature::Density;
use crate::mixture::quadrature::integrate;
use crate::special::Rise;
use crate::special::lgamma;
use crate::special::log_rise;
use crate::special::trigamma;

/// p / c ~ Beta(a, b), for success probabilities that reach no further than c.
///
/// With u = p / c the integral over x = logit u has the integrand u^(a + s) (1 − u)^b c^s (1 − c u)^(n − s) / B(a, b), whose
/// one peak is found by bisection. The closed form is a ₂F₁ with n − s terms, by Pfaff's transformation all positive; a few
/// hundred nodes give the same digits at any n.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScaledBeta;

/// u, ln u and ln (1 − u) at a logit.
pub(super) fn logs_of_logit(x: f64) -> (f64, f64, f64) {
    let small = libm::exp(-x.abs());
    let less = libm::log1p(small);
    let (u, log_u, log_rest) =
        if x > 0.0 { (1.0 / (1.0 + small), -less, -x - less) } else { (small / (1.0 + small), x - less, -less) };
    (u, log_u, log_rest)
}

impl Mixing for ScaledBeta {
    const NAME: &'static str = "scaled_beta";
    const PARAMETERS: &'static [&'static str] = &["a", "b"];
    const HAS_SCALE: bool = true;
    // From 1e-3 to 2e5: the tails of an integrand are as long as 1 / a.
    const SHAPES: [f64; 2] = [-7.0, 12.0];

    fn each(at: &[f64; MOST], scale: f64, counts: &[Counts], mut visit: impl FnMut(usize, &Local)) {
        if scale >= 1.0 {
            return Beta::each(at, 1.0, counts, visit);
        }
        let (a, b) = (libm::exp(at[0]), libm::exp(at[1]));
        let log_beta = lgamma::<Plain>(a) - log_rise(Rise::Value, b, a);
        let by_a = [log_rise(Rise::First, a, b), log_rise(Rise::Second, a, b)];
        let by_b = [log_rise(Rise::First, b, a), log_rise(Rise::Second, b, a)];
        let cross = a * b * trigamma::<Plain>(a + b);
        let log_scale = libm::log(scale);
        for (i, &Counts { n, s }) in counts.iter().enumerate() {
            let f = n - s;
            let g = |x: f64| {
                let (u, log_u, log_rest) = logs_of_logit(x);
                let fail = if f > 0.0 { f * libm::log1p(-scale * u) } else { 0.0 };
                let score = [a * (log_u + by_a[0]), b * (log_rest + by_b[0])];
                Density {
                    log: (a + s) * log_u + b * log_rest + s * log_scale + fail - log_beta,
                    score,
                    curvature: [score[0] + a * a * by_a[1], cross, score[1] + b * b * by_b[1]],
                }
            };
            let slope = |x: f64| {
                let (u, _, log_rest) = logs_of_logit(x);
                let rest = libm::exp(log_rest);
                (a + s) * rest - b * u - f * scale * u * rest / (1.0 - scale * u)
            };
            visit(i, &integrate(g, slope, 0.5));
        }
    }
}
