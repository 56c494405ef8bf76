use crate::mixture::Counts;
use crate::mixture::Local;
use crate::mixture::MOST;
use crate::mixture::Mixing;
use crate::mixture::quadrature::Density;
use crate::mixture::quadrature::integrate;
use crate::mixture::scaled_beta::logs_of_logit;

/// p / c has the distribution function 1 − (1 − u^a)^b.  Kumaraswamy (1980).
///
/// Integrated over x = logit u, as [`ScaledBeta`](crate::mixture::scaled_beta::ScaledBeta): the density of u times du/dx is
/// a b u^a (1 − u^a)^(b − 1) (1 − u).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kumaraswamy;

impl Mixing for Kumaraswamy {
    const NAME: &'static str = "kumaraswamy";
    const PARAMETERS: &'static [&'static str] = &["a", "b"];
    const HAS_SCALE: bool = true;
    const SHAPES: [f64; 2] = [-7.0, 12.0];

    fn each(at: &[f64; MOST], scale: f64, counts: &[Counts], mut visit: impl FnMut(usize, &Local)) {
        let (a, b) = (libm::exp(at[0]), libm::exp(at[1]));
        let log_scale = libm::log(scale);
        for (i, &Counts { n, s }) in counts.iter().enumerate() {
            let f = n - s;
            // ln (1 − c u): of c = 1 it is ln (1 − u), which a logit knows better than u does.
            let log_fail = |u: f64, log_rest: f64| if scale < 1.0 { libm::log1p(-scale * u) } else { log_rest };
            let g = |x: f64| {
                let (u, log_u, log_rest) = logs_of_logit(x);
                let power = a * log_u;
                let below = -libm::expm1(power);
                let log_below = libm::log(below);
                let odds = libm::exp(power) / below;
                let lean = power * odds;
                let fail = if f > 0.0 { f * log_fail(u, log_rest) } else { 0.0 };
                Density {
                    log: at[0] + at[1] + power + (b - 1.0) * log_below + log_rest + s * (log_scale + log_u) + fail,
                    score: [1.0 + power - (b - 1.0) * lean, 1.0 + b * log_below],
                    curvature: [power - (b - 1.0) * lean * (1.0 + power * (1.0 + odds)), -b * lean, b * log_below],
                }
            };
            let slope = |x: f64| {
                let (u, log_u, log_rest) = logs_of_logit(x);
                let power = a * log_u;
                let rest = libm::exp(log_rest);
                let odds = libm::exp(power) / -libm::expm1(power);
                let fail = if scale < 1.0 { rest / (1.0 - scale * u) } else { 1.0 };
                (a + s) * rest - (b - 1.0) * a * rest * odds - u - f * scale * u * fail
            };
            // exp(−b u^a) turns by a times the angle of u.
            visit(i, &integrate(g, slope, 0.5 / a.max(1.0)));
        }
    }
}
