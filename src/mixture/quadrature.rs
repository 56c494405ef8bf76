//! ln ∫ exp(g) dx over the whole line, for g with one peak, and its derivatives by parameters of g.
//!
//! The trapezoidal rule is exact to rounding for integrands that are analytic near the line and vanish at both ends, once its
//! step is a fraction of the peak's width (Trefethen & Weideman 2014, SIAM Review 56). The step is halved until nothing
//! changes. Its cost depends on the shape of the integrand alone: a million samples of a problem cost what a hundred do.

use crate::mixture::Local;
use crate::mixture::MOST;

/// g at one place, with derivatives by two parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Density {
    pub(super) log: f64,
    pub(super) score: [f64; 2],
    /// By the first twice, both, the second twice.
    pub(super) curvature: [f64; 3],
}

/// What is below exp(−DEEP) of the peak is nothing: 1e-18, and a tail is a few hundred steps long.
const DEEP: f64 = 42.0;
/// Two rules that agree so well have an error of its square.
const AGREED: f64 = 1e-9;
const MOST_HALVINGS: usize = 10;
/// Nodes on one side of the peak beyond which the integral is given up (NaN).
const MOST_NODES: usize = 4_000_000;
/// Where a peak is looked for, in logits.
const REACH: f64 = 700.0;

#[derive(Default)]
struct Sums {
    total: f64,
    score: [f64; 2],
    second: [f64; 3],
}

impl Sums {
    fn add(&mut self, at: &Density, top: f64) {
        let weight = libm::exp(at.log - top);
        let [p, q] = at.score;
        let [pp, pq, qq] = at.curvature;
        self.total += weight;
        self.score[0] += weight * p;
        self.score[1] += weight * q;
        self.second[0] += weight * (p * p + pp);
        self.second[1] += weight * (p * q + pq);
        self.second[2] += weight * (q * q + qq);
    }
}

/// The place of the peak, by the sign of the slope.
fn peak(slope: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (-REACH, REACH);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if slope(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The integral of `g`, whose slope is `slope`; `widest` is the largest step that the tails allow.
pub(super) fn integrate(g: impl Fn(f64) -> Density, slope: impl Fn(f64) -> f64, widest: f64) -> Local {
    let center = peak(&slope);
    let top = g(center).log;
    let bend = 1e-3;
    let curvature = (slope(center - bend) - slope(center + bend)) / (2.0 * bend);
    let mut step = (1.0 / curvature.max(0.0).sqrt()).min(widest);
    let mut sums = Sums::default();
    let mut before = f64::NAN;
    for halving in 0..=MOST_HALVINGS {
        // From the second pass on only the places between those that are known.
        let (first, stride) = if halving == 0 { (0.0, 1.0) } else { (1.0, 2.0) };
        for side in [1.0, -1.0] {
            let mut offset = if first == 0.0 && side < 0.0 { stride } else { first };
            let mut n_nodes = 0;
            loop {
                let at = g(center + side * offset * step);
                if at.log.is_nan() || at.log <= top - DEEP {
                    break;
                }
                sums.add(&at, top);
                offset += stride;
                n_nodes += 1;
                if n_nodes > MOST_NODES {
                    return Local { value: f64::NAN, ..Local::default() };
                }
            }
        }
        let value = libm::log(sums.total * step);
        if (value - before).abs() < AGREED {
            return result(&sums, top + value);
        }
        before = value;
        step *= 0.5;
    }
    Local { value: f64::NAN, ..Local::default() }
}

fn result(sums: &Sums, value: f64) -> Local {
    let score = sums.score.map(|sum| sum / sums.total);
    let second = sums.second.map(|sum| sum / sums.total);
    let mut local = Local { value, ..Local::default() };
    local.score = [score[0], score[1], 0.0];
    let cross = second[1] - score[0] * score[1];
    local.curvature =
        [[second[0] - score[0] * score[0], cross, 0.0], [cross, second[2] - score[1] * score[1], 0.0], [0.0; MOST]];
    local
}
