use crate::mixture::Counts;
use crate::mixture::Local;
use crate::mixture::MOST;
use crate::mixture::Mixing;
use crate::mixture::beta::Beta;

/// A share of problems that are never solved, p = 0, and Beta(a, b) for the others.
///
/// P = share · 1[s = 0] + (1 − share) · Q(s | n), Q beta-binomial. With r the probability that a problem is of the first
/// sort given its counts, the derivative by the logit of the share is r − share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ZeroInflatedBeta;

impl Mixing for ZeroInflatedBeta {
    const NAME: &'static str = "zero_inflated_beta";
    const PARAMETERS: &'static [&'static str] = &["share", "a", "b"];
    const HAS_SCALE: bool = false;
    const SHAPES: [f64; 2] = Beta::SHAPES;

    fn each(at: &[f64; MOST], scale: f64, counts: &[Counts], mut visit: impl FnMut(usize, &Local)) {
        let share = 1.0 / (1.0 + libm::exp(-at[0]));
        // ln (1 − share) and ln share, either of which may be next to 0.
        let (log_rest, log_share) = (-libm::log1p(libm::exp(at[0])), -libm::log1p(libm::exp(-at[0])));
        Beta::each(&[at[1], at[2], 0.0], scale, counts, |i, beta| {
            let other = log_rest + beta.value;
            let (value, r) = if counts[i].s == 0.0 {
                let top = log_share.max(other);
                let value = top + libm::log(libm::exp(log_share - top) + libm::exp(other - top));
                (value, libm::exp(log_share - value))
            } else {
                (other, 0.0)
            };
            let mut local = Local { value, ..Local::default() };
            local.score[0] = r - share;
            local.curvature[0][0] = r * (1.0 - r) - share * (1.0 - share);
            for j in 0..2 {
                local.score[j + 1] = (1.0 - r) * beta.score[j];
                let cross = -r * (1.0 - r) * beta.score[j];
                local.curvature[0][j + 1] = cross;
                local.curvature[j + 1][0] = cross;
                for k in 0..2 {
                    local.curvature[j + 1][k + 1] =
                        (1.0 - r) * beta.curvature[j][k] + r * (1.0 - r) * beta.score[j] * beta.score[k];
                }
            }
            visit(i, &local);
        });
    }
}
