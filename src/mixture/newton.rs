//! Newton's method with damping, within a box.

use crate::linalg::factor;
use crate::linalg::solve;
use crate::mixture::Counts;
use crate::mixture::Local;
use crate::mixture::MOST;
use crate::mixture::Mixing;
use crate::status::Status;

/// What is maximised: counts of problems with their weights.
pub(super) struct Weighted<'a> {
    pub(super) counts: &'a [Counts],
    pub(super) weights: &'a [f64],
    pub(super) scale: f64,
}

impl Weighted<'_> {
    pub(super) fn evaluate<M: Mixing>(&self, at: &[f64; MOST]) -> Local {
        let mut total = Local::default();
        M::each(at, self.scale, self.counts, |i, local| total.add(self.weights[i], local));
        total
    }
}

/// Where a search ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) at: [f64; MOST],
    pub(super) value: Local,
    pub(super) status: Status,
    pub(super) n_iterations: usize,
}

/// A share's logit stays within this.
pub(super) const MOST_LOGIT: f64 = 30.0;
const MOST_ITERATIONS: usize = 100;
/// The longest step of a coordinate.
const LONGEST: f64 = 2.0;
/// A Newton step so short, and so worthless, is the last. Where the likelihood only tends to its limit, as exp(−x) does, the
/// step stays near 1 however little it gains, so the length tells a maximum from a slope that never ends.
const SHORT: f64 = 1e-5;
const WORTHLESS: f64 = 1e-9;
/// A pivot below this part of its diagonal is a direction that the data leave open.
const OPEN: f64 = 1e-9;
/// A slope below this part of the number of problems, where the curvature is open, is none.
const FLAT: f64 = 1e-6;

/// The lower triangle of −H + damping × its diagonal's size, factored, if it is definite beyond `least`.
pub(super) fn curvature(value: &Local, p: usize, damping: f64, least: f64) -> Option<Vec<f64>> {
    let mut matrix = vec![0.0; p * p];
    for i in 0..p {
        for j in 0..p {
            matrix[i * p + j] = -value.curvature[i][j];
        }
        matrix[i * p + i] += damping;
    }
    let diagonal: Vec<f64> = (0..p).map(|i| matrix[i * p + i]).collect();
    let is_definite = factor(&mut matrix, p)
        && diagonal.iter().enumerate().all(|(i, d)| matrix[i * p + i] * matrix[i * p + i] > least * d);
    is_definite.then_some(matrix)
}

/// Climbs from `start` to a maximum.
pub(super) fn climb<M: Mixing>(start: [f64; MOST], problem: &Weighted<'_>) -> Found {
    let p = M::PARAMETERS.len();
    let range = |i: usize| if i + 2 < p { [-MOST_LOGIT, MOST_LOGIT] } else { M::SHAPES };
    let total: f64 = problem.weights.iter().sum();
    let mut found =
        Found { at: start, value: problem.evaluate::<M>(&start), status: Status::MaxIterations, n_iterations: 0 };
    if !found.value.value.is_finite() {
        found.status = Status::NotFinite;
        return found;
    }
    let mut damping = 0.0;
    while found.n_iterations < MOST_ITERATIONS {
        found.n_iterations += 1;
        let is_edge = |i: usize| {
            let [low, high] = range(i);
            found.at[i] <= low || found.at[i] >= high
        };
        let slope = found.value.score[..p].iter().fold(0.0_f64, |most, s| most.max(s.abs()));
        let undamped = curvature(&found.value, p, 0.0, OPEN);
        if (0..p).any(is_edge) || (undamped.is_none() && slope <= FLAT * total) {
            found.status = Status::Unidentified;
            return found;
        }
        let size = (0..p).map(|i| found.value.curvature[i][i].abs()).fold(slope, f64::max);
        // Where a plain step gains no more than rounding hides, damping could not tell whether it helped.
        let is_worthless = |matrix: &Vec<f64>| {
            let mut step = found.value.score[..p].to_vec();
            solve(matrix, p, &mut step);
            step.iter().zip(&found.value.score).map(|(d, s)| d * s).sum::<f64>() < WORTHLESS * total
        };
        let is_plain = undamped.as_ref().is_some_and(|matrix| damping == 0.0 || is_worthless(matrix));
        let matrix = match undamped {
            Some(matrix) if is_plain => matrix,
            _ => {
                damping = f64::max(damping, 1e-3 * size);
                loop {
                    if let Some(matrix) = curvature(&found.value, p, damping, 1e-6) {
                        break matrix;
                    }
                    damping *= 4.0;
                    if !damping.is_finite() {
                        found.status = Status::NotFinite;
                        return found;
                    }
                }
            }
        };
        let mut step = found.value.score[..p].to_vec();
        solve(&matrix, p, &mut step);
        let gain: f64 = step.iter().zip(&found.value.score).map(|(d, s)| d * s).sum();
        let length = step.iter().fold(0.0_f64, |most, d| most.max(d.abs()));
        // The step keeps its direction up to the edge: a ridge along which two shapes grow would be left otherwise.
        let within = |i: usize| {
            let [low, high] = range(i);
            let room = if step[i] > 0.0 { high - found.at[i] } else { found.at[i] - low };
            room / step[i].abs()
        };
        let shrink = (0..p).map(within).fold((LONGEST / length).min(1.0), f64::min);
        let mut at = found.at;
        for i in 0..p {
            let [low, high] = range(i);
            // To the edge itself, whatever the rounding of the product.
            at[i] = if within(i) <= shrink { if step[i] > 0.0 { high } else { low } } else { at[i] + shrink * step[i] };
        }
        let value = problem.evaluate::<M>(&at);
        let is_last = is_plain && length < SHORT && gain < WORTHLESS * total;
        if is_last && value.value.is_finite() {
            (found.at, found.value, found.status) = (at, value, Status::Converged);
            return found;
        }
        if value.value >= found.value.value {
            (found.at, found.value) = (at, value);
            damping = if damping > 1e-6 * size { 0.25 * damping } else { 0.0 };
            if damping < 1e-2 * size {
                damping = 0.0;
            }
        } else if gain < WORTHLESS * total {
            // Flat as far as numbers tell, and yet the step is long, or the curvature open.
            found.status = Status::Unidentified;
            return found;
        } else if length < 1e-12 {
            found.status = Status::Stalled;
            return found;
        } else {
            damping = f64::max(4.0 * damping, 1e-2 * size);
        }
    }
    found
}
