//! What cannot be divided: variables from a menu, and whole numbers.
//!
//! A menu is gone through, every entry with the others chosen anew. Whole numbers are found by branch and bound: where the
//! best answer is not whole, one search keeps below it and one above, and a branch whose best is no better than a whole
//! answer that is known is left. Nothing is rounded in place.

use crate::allocation::Ending;
use crate::allocation::grid::Grid;
use crate::allocation::grid::merge;
use crate::allocation::search::Found;
use crate::allocation::spend::Limits;
use crate::allocation::surface::Surface;

/// Beyond this part of itself a number is not whole.
const WHOLE: f64 = 1e-9;
/// Searches for the whole numbers of one point, at most.
const MOST_BRANCHES: usize = 2000;

/// Which variables cannot be divided, and into what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choices<'a> {
    /// Logarithms that each variable may have; empty where any will do.
    pub(super) menus: &'a [Vec<f64>],
    /// Whether each variable is to be a whole number.
    pub(super) whole: &'a [bool],
}

/// Points of a sweep with the grid of every entry of the menus: the same for all draws of parameters.
#[derive(Debug)]
pub(super) struct Entries {
    n_points: usize,
    limits: Vec<Limits>,
    /// The point of each of `limits`.
    point: Vec<usize>,
    grid: Grid,
}

impl Entries {
    pub(super) fn new(surface: &Surface, choices: &Choices<'_>, points: &[Limits]) -> Entries {
        let mut entries: Vec<(usize, Limits)> = points.iter().copied().enumerate().collect();
        for (i, menu) in choices.menus.iter().enumerate().filter(|(_, menu)| !menu.is_empty()) {
            let held = |&(point, limits): &(usize, Limits)| {
                let is_allowed = move |value: &&f64| (limits.lower[i]..=limits.upper[i]).contains(*value);
                menu.iter().filter(is_allowed).map(move |&value| {
                    let mut limits = limits;
                    (limits.lower[i], limits.upper[i]) = (value, value);
                    (point, limits)
                })
            };
            entries = entries.iter().flat_map(held).collect();
        }
        let (point, limits): (Vec<usize>, Vec<Limits>) = entries.into_iter().unzip();
        Entries { n_points: points.len(), grid: Grid::new(surface, &limits), limits, point }
    }

    /// The best allocation of each point.
    pub(super) fn solve(&self, surface: &Surface, choices: &Choices<'_>, parameters: &[f64]) -> Vec<Found> {
        let mut found = self.grid.solve(surface, parameters);
        if choices.whole.contains(&true) {
            found = branch(surface, choices, &self.limits, found, parameters);
        }
        let mut best = vec![Found::none(Ending::Infeasible); self.n_points];
        for (&point, &one) in self.point.iter().zip(&found) {
            merge(&mut best[point], one);
        }
        best
    }
}

/// Replaces each answer by the best whole one; branches of all points are searched together.
fn branch(
    surface: &Surface,
    choices: &Choices<'_>,
    points: &[Limits],
    relaxed: Vec<Found>,
    parameters: &[f64],
) -> Vec<Found> {
    let mut best: Vec<Option<Found>> = vec![None; points.len()];
    let mut failed: Vec<Option<Found>> = vec![None; points.len()];
    let mut n_branches = vec![0; points.len()];
    let mut open: Vec<(usize, Limits)> = points.iter().copied().enumerate().collect();
    let mut answers = relaxed;
    while !open.is_empty() {
        let mut next = Vec::new();
        for ((point, limits), answer) in open.into_iter().zip(answers) {
            if !answer.value.is_finite() {
                failed[point].get_or_insert(answer);
                continue;
            }
            if best[point].is_some_and(|known| answer.value >= known.value) {
                continue;
            }
            let Some(i) = (0..surface.n).find(|&i| choices.whole[i] && !is_whole(answer.u[i])) else {
                best[point] = Some(within(answer, &limits, &points[point]));
                continue;
            };
            n_branches[point] += 2;
            if n_branches[point] > MOST_BRANCHES {
                failed[point] = Some(Found::none(Ending::Stalled));
                continue;
            }
            let below = libm::floor(libm::exp(answer.u[i]));
            let (mut left, mut right) = (limits, limits);
            (left.upper[i], right.lower[i]) = (libm::log(below), libm::log(below + 1.0));
            next.extend([left, right].into_iter().filter(|to| to.lower[i] <= to.upper[i]).map(|to| (point, to)));
        }
        open = next;
        let limits: Vec<Limits> = open.iter().map(|&(_, limits)| limits).collect();
        answers = Grid::new(surface, &limits).solve(surface, parameters);
    }
    let ends = best.into_iter().zip(failed);
    ends.map(|(best, failed)| best.or(failed).unwrap_or_else(|| Found::none(Ending::Infeasible))).collect()
}

fn is_whole(u: f64) -> bool {
    let x = libm::exp(u);
    (x - libm::round(x)).abs() <= WHOLE * x
}

/// An answer of a branch: its bounds are nobody's but the branch's.
fn within(mut answer: Found, branch: &Limits, asked: &Limits) -> Found {
    for (i, side) in answer.side.iter_mut().enumerate() {
        let is_asked = if *side < 0 { branch.lower[i] == asked.lower[i] } else { branch.upper[i] == asked.upper[i] };
        if !is_asked {
            *side = 0;
        }
    }
    answer
}
