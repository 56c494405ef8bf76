//! Who takes what is left of each budget, so that the others are free and every point of a grid spends all it may.

use crate::allocation::surface::MOST_BUDGETS;
use crate::allocation::surface::MOST_VARIABLES;
use crate::allocation::surface::Point;
use crate::allocation::surface::Surface;

/// The limits of one point of the sweep, in logarithms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) lower: Point,
    pub(super) upper: Point,
    pub(super) amount: [f64; MOST_BUDGETS],
}

/// A point with what holds it: bounds reached, budgets spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) u: Point,
    pub(super) side: [i8; MOST_VARIABLES],
    pub(super) spent: [bool; MOST_BUDGETS],
}

/// Which variable takes what is left of each budget.
#[derive(Clone, Debug)]
pub(super) struct Spending {
    /// Variable of each budget; `None` where all that it mentions are held.
    takes: Vec<Option<usize>>,
    /// Variables that take, each after those that its budgets mention.
    order: Vec<usize>,
    pub(super) free: Vec<usize>,
}

/// How far over its amount a budget may be, in logarithms: rounding of 6ND at 1e25.
pub(super) const OVER: f64 = 1e-12;
/// Steps of the safeguarded Newton iteration for a budget that is no product of powers.
const MOST_STEPS: usize = 100;

impl Spending {
    /// The way to spend that holds the most variables: each budget by another one, the one that fewest budgets mention, of
    /// those the last.
    pub(super) fn new(surface: &Surface, limits: &Limits) -> Spending {
        let (n, m) = (surface.n, surface.budgets.len());
        let movable = |i: usize| limits.lower[i] < limits.upper[i];
        let grows = growing(surface, limits);
        let mentions = |j: usize, i: usize| grows[j][i] != 0.0;
        let takers = |j: usize| {
            let able = (0..n).filter(|&i| movable(i) && grows[j][i] > 0.0).map(Some);
            able.chain([None]).collect::<Vec<Option<usize>>>()
        };
        let choices: Vec<Vec<Option<usize>>> = (0..m).map(takers).collect();
        let mut best: Option<((usize, usize, usize), Spending)> = None;
        for number in 0..choices.iter().map(Vec::len).product() {
            let mut rest = number;
            let mut takes = Vec::with_capacity(m);
            for choice in &choices {
                takes.push(choice[rest % choice.len()]);
                rest /= choice.len();
            }
            let Some(order) = order_of(&takes, n, &mentions) else { continue };
            let shared: usize = order.iter().map(|&i| (0..m).filter(|&j| mentions(j, i)).count()).sum();
            let places: usize = order.iter().map(|&i| n - i).sum();
            let score = (m - order.len() + takes.iter().filter(|taker| taker.is_none()).count(), shared, places);
            if best.as_ref().is_none_or(|(known, _)| score < *known) {
                let free = (0..n).filter(|&i| movable(i) && !order.contains(&i)).collect();
                best = Some((score, Spending { takes, order, free }));
            }
        }
        best.expect("to let nobody take anything is always a way").1
    }

    /// Each free variable's largest value: what the budgets allow with all others at their lower bounds.
    pub(super) fn reach(&self, surface: &Surface, limits: &Limits) -> Vec<f64> {
        let lowest = limits.lower;
        let one = |&i: &usize| {
            let allowed = (0..surface.budgets.len()).map(|j| allowances(surface, j, i, &[lowest], limits)[0]);
            allowed.fold(limits.upper[i], f64::min)
        };
        self.free.iter().map(one).collect()
    }

    /// A point with less of all variables that take what is left: half of it in logarithms, and as little as there may be. (A
    /// search lets go by itself of a budget that does harm where it is.)
    pub(super) fn less(&self, held: &Held, limits: &Limits) -> [Held; 2] {
        [0.5, 0.0].map(|share| {
            let mut less = *held;
            for &i in &self.order {
                let lower = limits.lower[i];
                less.u[i] = lower + share * (held.u[i] - lower);
                less.side[i] = if share == 0.0 { -1 } else { 0 };
            }
            for (spent, taker) in less.spent.iter_mut().zip(&self.takes) {
                *spent &= taker.is_none();
            }
            less
        })
    }

    /// Gives what is left to those who take it; `None` for points that cannot keep to the budgets.
    pub(super) fn spend(&self, surface: &Surface, mut points: Vec<Point>, limits: &Limits) -> Vec<Option<Held>> {
        let m = surface.budgets.len();
        let mut spent = vec![[false; MOST_BUDGETS]; points.len()];
        let mut side = vec![[0_i8; MOST_VARIABLES]; points.len()];
        for (place, &i) in self.order.iter().enumerate() {
            let mut least: Vec<(f64, Option<usize>)> = vec![(limits.upper[i], None); points.len()];
            // Budgets of those who come later end it as well: these are at the least that they may be.
            let later = &self.order[place..];
            for j in (0..m).filter(|&j| self.takes[j].is_some_and(|taker| later.contains(&taker))) {
                for (least, allowed) in least.iter_mut().zip(allowances(surface, j, i, &points, limits)) {
                    if allowed < least.0 {
                        *least = (allowed, Some(j));
                    }
                }
            }
            for (row, (allowed, by)) in least.into_iter().enumerate() {
                points[row][i] = allowed;
                match by {
                    Some(j) => spent[row][j] = true,
                    None => side[row][i] = 1,
                }
            }
        }
        let mut over = vec![false; points.len()];
        for j in 0..m {
            for (over, cost) in over.iter_mut().zip(surface.costs(j, &points)) {
                // Grid points are seeds: what is over by less than their spacing is brought back by the search.
                *over |= cost.value.is_nan() || cost.value > limits.amount[j] + 1e-9;
            }
        }
        let rows = points.into_iter().zip(spent).zip(side).zip(over);
        rows.map(|(((mut u, spent), side), over)| {
            let below = (0..surface.n).any(|i| u[i] < limits.lower[i] - OVER * (1.0 + limits.lower[i].abs()));
            for (u, lower) in u.iter_mut().zip(limits.lower) {
                *u = u.max(lower);
            }
            (!over && !below).then_some(Held { u, side, spent })
        })
        .collect()
    }
}

/// Slopes of ln g where they say most: at the middle of what the bounds allow.
fn growing(surface: &Surface, limits: &Limits) -> Vec<Point> {
    let middle = std::array::from_fn(|i| 0.5 * (limits.lower[i] + limits.upper[i]));
    let probes = [limits.lower, middle, limits.upper];
    let largest = |j: usize| {
        let mut out = [0.0; MOST_VARIABLES];
        for local in surface.costs(j, &probes) {
            for (out, slope) in out.iter_mut().zip(local.gradient) {
                if slope.is_finite() && slope.abs() > f64::abs(*out) {
                    *out = slope;
                }
            }
        }
        out
    };
    (0..surface.budgets.len()).map(largest).collect()
}

/// Those who take, in an order in which nobody comes before what it depends on; `None` where there is no such order.
fn order_of(takes: &[Option<usize>], n: usize, mentions: &impl Fn(usize, usize) -> bool) -> Option<Vec<usize>> {
    let mut left: Vec<usize> = (0..n).filter(|&i| takes.contains(&Some(i))).collect();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_ready = |i: usize| {
            let waits = |j: usize| left.iter().any(|&other| other != i && mentions(j, other));
            !(0..takes.len()).any(|j| takes[j] == Some(i) && waits(j))
        };
        let place = left.iter().position(|&i| is_ready(i))?;
        order.push(left.remove(place));
    }
    Some(order)
}

/// The largest value of variable `i` that budget `j` allows beside the other coordinates of each point: −∞ where none does,
/// its upper bound where that is within the budget.
fn allowances(surface: &Surface, j: usize, i: usize, points: &[Point], limits: &Limits) -> Vec<f64> {
    let amount = limits.amount[j];
    if let Some(affine) = &surface.budgets[j].affine {
        let slope = affine[1 + i];
        if slope <= 0.0 {
            return vec![limits.upper[i]; points.len()];
        }
        let one = |u: &Point| {
            let others: f64 = (0..surface.n).filter(|&v| v != i).map(|v| affine[1 + v] * u[v]).sum();
            ((amount - affine[0] - others) / slope).min(limits.upper[i])
        };
        return points.iter().map(one).collect();
    }
    let mut at: Vec<Point> = points.to_vec();
    let set = |at: &mut [Point], value: &[f64]| {
        for (u, &value) in at.iter_mut().zip(value) {
            u[i] = value;
        }
    };
    let mut low = vec![limits.lower[i]; points.len()];
    let mut high = vec![limits.upper[i]; points.len()];
    set(&mut at, &low);
    let is_over: Vec<bool> =
        surface.costs(j, &at).iter().map(|cost| cost.value.is_nan() || cost.value > amount).collect();
    let mut now = high.clone();
    // A sum of products of powers is convex in logarithms: from above, Newton's steps never pass the root.
    for _ in 0..MOST_STEPS {
        set(&mut at, &now);
        let mut is_done = true;
        for (row, cost) in surface.costs(j, &at).into_iter().enumerate() {
            let over = cost.value - amount;
            if over <= 0.0 {
                low[row] = now[row];
            } else {
                high[row] = now[row];
            }
            if is_over[row]
                || high[row] - low[row] <= 1e-15 * (1.0 + high[row].abs())
                || over.abs() <= 1e-15 * amount.abs()
            {
                continue;
            }
            let step = now[row] - over / cost.gradient[i];
            let next = if step > low[row] && step < high[row] { step } else { 0.5 * (low[row] + high[row]) };
            is_done &= next == now[row];
            now[row] = next;
        }
        if is_done {
            break;
        }
    }
    now.iter().zip(is_over).map(|(&now, is_over)| if is_over { f64::NEG_INFINITY } else { now }).collect()
}
