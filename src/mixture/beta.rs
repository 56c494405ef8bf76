use crate::mixture::Counts;
use crate::mixture::Local;
use crate::mixture::MOST;
use crate::mixture::Mixing;
use crate::special::BetaFail;
use crate::special::Rise;
use crate::special::beta_log_fail;
use crate::special::log_rise;

/// p ~ Beta(a, b), so that counts are beta-binomial.
///
/// With rising factorials (x)_m and f = n − s failures, ln P = [ln (a)_s − ln (a + b + f)_s] + ln [(b)_f / (a + b)_f]. The second
/// part is the chance that f samples all fail, known without the cancellation of its two factorials, which costs six digits
/// at a million samples; the first has s terms. Where a is above b success and failure change places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beta;

const RISE: [Rise; 3] = [Rise::Value, Rise::First, Rise::Second];
const FAIL: [BetaFail; 6] =
    [BetaFail::Value, BetaFail::Mean, BetaFail::Size, BetaFail::MeanMean, BetaFail::MeanSize, BetaFail::SizeSize];

/// ln (x)_m and its first two derivatives by x.
fn rise(x: f64, m: f64) -> [f64; 3] {
    if m == 0.0 { [0.0; 3] } else { RISE.map(|which| log_rise(which, x, m)) }
}

/// The log-likelihood for a at most b, with derivatives by ln a and ln b.
fn term(a: f64, b: f64, s: f64, f: f64) -> Local {
    let size = a + b;
    let (right, all) = (rise(a, s), rise(size + f, s));
    let mut score = [a * (right[1] - all[1]), -b * all[1]];
    let mut both = [score[0] + a * a * (right[2] - all[2]), -a * b * all[2], score[1] - b * b * all[2]];
    let mut value = right[0] - all[0];
    if f > 0.0 {
        let mean = a / size;
        let [log_fail, by_mean, by_size, mean_mean, mean_size, size_size] =
            FAIL.map(|which| beta_log_fail(which, mean, size, f));
        // The mean moves by q with ln a and by −q with ln b, the size by a and by b.
        let q = mean * (b / size);
        let bend = q * (b - a) / size * by_mean;
        value += log_fail;
        score[0] += q * by_mean + a * by_size;
        score[1] += b * by_size - q * by_mean;
        both[0] += q * q * mean_mean + 2.0 * q * a * mean_size + a * a * size_size + bend + a * by_size;
        both[1] += q * (b - a) * mean_size + a * b * size_size - q * q * mean_mean - bend;
        both[2] += q * q * mean_mean - 2.0 * q * b * mean_size + b * b * size_size + bend + b * by_size;
    }
    let curvature = [[both[0], both[1], 0.0], [both[1], both[2], 0.0], [0.0; 3]];
    Local { value, score: [score[0], score[1], 0.0], curvature }
}

impl Mixing for Beta {
    const NAME: &'static str = "beta";
    const PARAMETERS: &'static [&'static str] = &["a", "b"];
    const HAS_SCALE: bool = false;
    // From 6e-6, where problems are solved always or never, to 7e10, where all are alike.
    const SHAPES: [f64; 2] = [-12.0, 25.0];

    fn each(at: &[f64; MOST], _scale: f64, counts: &[Counts], mut visit: impl FnMut(usize, &Local)) {
        let (a, b) = (libm::exp(at[0]), libm::exp(at[1]));
        for (i, &Counts { n, s }) in counts.iter().enumerate() {
            let f = n - s;
            let mut local = if a <= b { term(a, b, s, f) } else { term(b, a, f, s) };
            if a > b {
                local.score.swap(0, 1);
                let [[first, _, _], [_, second, _], _] = local.curvature;
                (local.curvature[0][0], local.curvature[1][1]) = (second, first);
            }
            visit(i, &local);
        }
    }
}
