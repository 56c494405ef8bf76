//! What is known about an answer being the best there is.

use crate::batch::fit::SAME;
use crate::objective::Objective;
use crate::solver::Outcome;
use crate::status::Status;

/// Evidence that the best end is the global minimum, as far as starts can give it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certificate {
    /// Everything below speaks for it.
    pub is_certified: bool,
    /// Starts that ended at the best objective.
    pub n_best: usize,
    /// Distinct minima that starts ended in.
    pub n_optima: usize,
    /// How far the second-best minimum lies above the best, relatively; infinite without one.
    pub gap: f64,
    /// Starts that ended in no minimum although they were near the best or below.
    pub n_unfinished: usize,
}

/// Starts at the best objective that count as evidence, one of them in this many.
const LEAST_BEST: usize = 2;
const LEAST_SHARE: f64 = 0.1;
/// An end that is no minimum and less than this far above the best, relatively, might have gone below it.
const NEAR: f64 = 0.01;

impl Certificate {
    /// Of a fit that could not begin.
    pub(super) fn none() -> Certificate {
        Certificate { is_certified: false, n_best: 0, n_optima: 0, gap: f64::NAN, n_unfinished: 0 }
    }

    /// From the ends of all starts; `status` is the final one of the best, `vague` what the data hardly determine.
    pub(super) fn of<O: Objective>(
        objective: &O,
        ends: &[Outcome],
        best: usize,
        status: Status,
        vague: &[bool],
    ) -> Certificate {
        let lowest = ends[best].objective;
        let floor = objective.rounding_floor();
        let same = lowest + SAME * lowest.abs() + floor;
        let mut minima: Vec<f64> = ends.iter().filter(|end| end.status.is_success()).map(|end| end.objective).collect();
        minima.sort_by(f64::total_cmp);
        let mut distinct: Vec<f64> = Vec::new();
        for value in minima {
            if distinct.last().is_none_or(|last| value > last + SAME * last.abs() + floor) {
                distinct.push(value);
            }
        }
        let n_best = ends.iter().filter(|end| end.objective <= same).count();
        let is_near = |value: f64| value <= lowest + NEAR * lowest.abs() + floor;
        let n_unfinished = ends
            .iter()
            .filter(|end| !end.status.is_success() && end.objective > same && is_near(end.objective))
            .count();
        let second = distinct.iter().find(|value| **value > same);
        let is_repeated = n_best >= LEAST_BEST && n_best as f64 >= LEAST_SHARE * ends.len() as f64;
        Certificate {
            is_certified: status.is_success() && is_repeated && n_unfinished == 0 && !vague.contains(&true),
            n_best,
            n_optima: distinct.len(),
            gap: second.map_or(f64::INFINITY, |second| (second - lowest) / lowest.abs().max(f64::MIN_POSITIVE)),
            n_unfinished,
        }
    }
}
