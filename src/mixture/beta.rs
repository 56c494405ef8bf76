use crate::mixture::Counts;
use crate::mixture::Local;
use crate::mixture::MOST;
use crate::mixture::Mixing;
use crate::special::Rise;
use crate::special::log_rise;

/// p ~ Beta(a, b), so that counts are beta-binomial.
///
/// ln P = ln (a)_s + ln (b)_(n − s) − ln (a + b)_n with rising factorials (x)_m = Γ(x + m) / Γ(x), each a sum without
/// cancellation, and their derivatives differences of ψ and ψ′ that are sums as well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beta;

/// Value, first and second derivative of ln (x)_m.
fn rise(x: f64, m: f64) -> [f64; 3] {
    if m == 0.0 { [0.0; 3] } else { [Rise::Value, Rise::First, Rise::Second].map(|which| log_rise(which, x, m)) }
}

/// Rising factorials of one x; the last m is remembered, since counts come in the order of n.
struct Risen {
    x: f64,
    m: f64,
    found: [f64; 3],
}

impl Risen {
    fn new(x: f64) -> Risen {
        Risen { x, m: 0.0, found: [0.0; 3] }
    }

    fn by(&mut self, m: f64) -> [f64; 3] {
        if m != self.m {
            (self.m, self.found) = (m, rise(self.x, m));
        }
        self.found
    }
}

impl Mixing for Beta {
    const NAME: &'static str = "beta";
    const PARAMETERS: &'static [&'static str] = &["a", "b"];
    const HAS_SCALE: bool = false;
    // From 6e-6, where problems are solved always or never, to 7e10, where all are alike.
    const SHAPES: [f64; 2] = [-12.0, 25.0];

    fn each(at: &[f64; MOST], _scale: f64, counts: &[Counts], mut visit: impl FnMut(usize, &Local)) {
        let (a, b) = (libm::exp(at[0]), libm::exp(at[1]));
        let (mut of_a, mut of_b, mut of_both) = (Risen::new(a), Risen::new(b), Risen::new(a + b));
        for (i, &Counts { n, s }) in counts.iter().enumerate() {
            let (right, wrong, all) = (of_a.by(s), of_b.by(n - s), of_both.by(n));
            let score = [a * (right[1] - all[1]), b * (wrong[1] - all[1]), 0.0];
            let cross = -a * b * all[2];
            let curvature = [
                [score[0] + a * a * (right[2] - all[2]), cross, 0.0],
                [cross, score[1] + b * b * (wrong[2] - all[2]), 0.0],
                [0.0; 3],
            ];
            visit(i, &Local { value: right[0] + wrong[0] - all[0], score, curvature });
        }
    }
}
