//! Points that spend what they may, over all that the budgets allow: where searches begin.

use crate::allocation::Ending;
use crate::allocation::search::Found;
use crate::allocation::search::Search;
use crate::allocation::search::follow;
use crate::allocation::spend::Held;
use crate::allocation::spend::Limits;
use crate::allocation::spend::Spending;
use crate::allocation::surface::Point;
use crate::allocation::surface::Surface;

/// Grid points along each free variable, by how many are free; beyond these, the last.
const ALONG: [usize; 6] = [1, 129, 24, 10, 6, 4];
/// Along a single free variable a point each factor of two is enough, and this many are the least.
const LEAST_ALONG: usize = 17;
/// Searches for one point of the sweep, at most.
const MOST_SEARCHES: usize = 4;
/// Of so many grid points one is looked at with less spent too.
const UNSPENT_EVERY: usize = 2;
/// Two ends nearer than this, in every logarithm, are one optimum.
const SAME: f64 = 1e-6;

/// The grid of a block of points of the sweep.
#[derive(Debug)]
pub(super) struct Grid {
    limits: Vec<Limits>,
    /// All points that keep to their budgets, those of one point of the sweep one after the other.
    held: Vec<Held>,
    /// Where those of each point of the sweep begin; the last is the end.
    cuts: Vec<usize>,
    /// Of each point of the sweep, how many of them spend all they may; the others come after them.
    n_spent: Vec<usize>,
    /// Whether those of a point lie along one line.
    is_line: Vec<bool>,
    /// The coordinates, one variable after the other.
    columns: Vec<f64>,
}

impl Grid {
    pub(super) fn new(surface: &Surface, points: &[Limits]) -> Grid {
        let n = surface.n;
        let mut grid = Grid {
            limits: Vec::new(),
            held: Vec::new(),
            cuts: vec![0],
            n_spent: Vec::new(),
            is_line: Vec::new(),
            columns: Vec::new(),
        };
        // Points that hold the same variables are spent in the same way.
        let mut known: Vec<(Vec<bool>, Spending)> = Vec::new();
        for &limits in points {
            let holds: Vec<bool> = (0..n).map(|i| limits.lower[i] == limits.upper[i]).collect();
            let place = known.iter().position(|(pattern, _)| *pattern == holds).unwrap_or_else(|| {
                known.push((holds, Spending::new(surface, &limits)));
                known.len() - 1
            });
            let spending = &known[place].1;
            let candidates = lattice(spending, &limits, &spending.reach(surface, &limits));
            let first = grid.held.len();
            grid.held.extend(spending.spend(surface, candidates, &limits).into_iter().flatten());
            grid.n_spent.push(grid.held.len() - first);
            let thinned: Vec<Held> = grid.held[first..].iter().step_by(UNSPENT_EVERY).copied().collect();
            grid.held.extend(thinned.iter().flat_map(|held| spending.less(held, &limits)));
            grid.cuts.push(grid.held.len());
            grid.is_line.push(spending.free.len() == 1);
            grid.limits.push(limits);
        }
        grid.columns = (0..n).flat_map(|i| grid.held.iter().map(move |held| held.u[i])).collect();
        grid
    }

    /// The best allocation of each point of the sweep under one draw of parameters.
    pub(super) fn solve(&self, surface: &Surface, parameters: &[f64]) -> Vec<Found> {
        let values = surface.values(parameters, &self.columns, self.held.len());
        let mut searches = Vec::new();
        for (point, limits) in self.limits.iter().enumerate() {
            let rows = self.cuts[point]..self.cuts[point + 1];
            let (spent, unspent) = values[rows.clone()].split_at(self.n_spent[point]);
            let mut seeds = if self.is_line[point] { dips(spent) } else { apart(spent, &self.held[rows.clone()]) };
            // A law that is better with less must show it.
            let least = seeds.iter().map(|&seed| spent[seed]).fold(f64::INFINITY, f64::min);
            let below = (0..unspent.len()).filter(|&row| unspent[row] < least).collect();
            seeds.extend(lowest(unspent, below, 1).into_iter().map(|row| spent.len() + row));
            for seed in seeds {
                searches.push((point, Search::new(self.held[rows.start + seed], *limits)));
            }
        }
        follow(surface, parameters, &mut searches);
        let mut found: Vec<Found> = (0..self.limits.len())
            .map(|point| {
                let is_empty = self.cuts[point] == self.cuts[point + 1];
                Found::none(if is_empty { Ending::Infeasible } else { Ending::NotFinite })
            })
            .collect();
        for (point, search) in &searches {
            merge(&mut found[*point], search.found());
        }
        found
    }
}

/// Keeps the better of two ends and the value of the other, where they are two.
pub(super) fn merge(best: &mut Found, other: Found) {
    if matches!(best.ending, Ending::Infeasible | Ending::NotFinite) {
        *best = other;
        return;
    }
    if matches!(other.ending, Ending::NotFinite) {
        return;
    }
    let is_same = best.u.iter().zip(&other.u).all(|(a, b)| (a - b).abs() <= SAME);
    let (winner, loser) = if other.value < best.value { (other, *best) } else { (*best, other) };
    let second = winner.runner_up.min(loser.runner_up);
    *best = winner;
    best.runner_up = if is_same { second } else { second.min(loser.value) };
}

/// All combinations of equally spaced values of the free variables; the others are at their lower bounds.
fn lattice(spending: &Spending, limits: &Limits, reach: &[f64]) -> Vec<Point> {
    let free = &spending.free;
    let most = ALONG[free.len().min(ALONG.len() - 1)];
    let is_empty = free.iter().zip(reach).any(|(&i, &reach)| reach.is_nan() || reach < limits.lower[i]);
    if is_empty {
        return Vec::new();
    }
    let along = match (free.as_slice(), reach) {
        (&[i], &[reach]) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a few thousand")]
            let factors = ((reach - limits.lower[i]) / std::f64::consts::LN_2).ceil() as usize;
            (factors + 1).clamp(LEAST_ALONG, most)
        }
        _ => most,
    };
    let n_points = along.pow(u32::try_from(free.len()).expect("at most MOST_VARIABLES"));
    let one = |number: usize| {
        let mut u = limits.lower;
        let mut rest = number;
        for (&i, &reach) in free.iter().zip(reach) {
            let share = (rest % along) as f64 / (along - 1) as f64;
            u[i] = limits.lower[i] + share * (reach - limits.lower[i]);
            rest /= along;
        }
        u
    };
    (0..n_points).map(one).collect()
}

/// Places of a line that are lower than both neighbours, the lowest first.
fn dips(values: &[f64]) -> Vec<usize> {
    let at = |row: usize| values.get(row).copied().filter(|value| value.is_finite()).unwrap_or(f64::INFINITY);
    let is_dip = |&row: &usize| {
        let before = row.checked_sub(1).map_or(f64::INFINITY, at);
        at(row) < f64::INFINITY && at(row) <= at(row + 1) && (at(row) < before || row == 0)
    };
    lowest(values, (0..values.len()).filter(is_dip).collect(), MOST_SEARCHES)
}

/// The lowest places that are far from one another.
fn apart(values: &[f64], held: &[Held]) -> Vec<usize> {
    let finite: Vec<usize> = (0..values.len()).filter(|&row| values[row].is_finite()).collect();
    let mut chosen: Vec<usize> = Vec::new();
    for row in lowest(values, finite, values.len()) {
        let is_far = |&other: &usize| held[row].u.iter().zip(&held[other].u).any(|(a, b)| (a - b).abs() > FAR);
        if chosen.iter().all(is_far) {
            chosen.push(row);
            if chosen.len() == MOST_SEARCHES {
                break;
            }
        }
    }
    chosen
}

/// How far seeds are from one another, in one logarithm at least: laws change over factors of ten.
const FAR: f64 = 3.0;

fn lowest(values: &[f64], mut rows: Vec<usize>, most: usize) -> Vec<usize> {
    rows.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    rows.truncate(most);
    rows
}
