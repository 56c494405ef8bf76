//! Newton's method on a working set: bounds that are reached and budgets that are spent are held, and let go where the law
//! would gain.
//!
//! Along what is held every step is exact: variables that can be moved are split into those that pay for the spent budgets
//! and the rest, and gradient and curvature are those of the rest, with the curvature of the budgets times their prices.

use crate::allocation::Ending;
use crate::allocation::spend::Held;
use crate::allocation::spend::Limits;
use crate::allocation::spend::OVER;
use crate::allocation::surface::Costs;
use crate::allocation::surface::Local;
use crate::allocation::surface::MOST_BUDGETS;
use crate::allocation::surface::MOST_VARIABLES;
use crate::allocation::surface::Point;
use crate::allocation::surface::Surface;
use crate::linalg::factor;
use crate::linalg::solve;

/// First-order conditions hold to this part of the largest slope or curvature.
const TOLERANCE: f64 = 1e-13;
/// Good enough where a further step gains no more than rounding.
const ENOUGH: f64 = 1e-10;
/// A price or the push of a bound below this part of the largest slope is none.
const NO_PUSH: f64 = 1e-9;
/// Longest step, and the one below which a point that cannot be improved is a corner, in logarithms.
const LONGEST: f64 = 4.0;
const SHORTEST: f64 = 1e-12;
const MOST_ROUNDS: usize = 200;
/// A spent budget must change by this much with one of the variables that can be moved.
const LEAST_PIVOT: f64 = 1e-9;
/// How far over a budget may be where it cannot be met better, in logarithms.
const ALMOST: f64 = 1e-9;
/// Change of the objective that is rounding.
const ROUNDING: f64 = 1e-12;

/// An allocation, in logarithms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) u: Point,
    pub(super) value: f64,
    pub(super) price: [f64; MOST_BUDGETS],
    pub(super) residual: f64,
    pub(super) side: [i8; MOST_VARIABLES],
    pub(super) ending: Ending,
    pub(super) runner_up: f64,
}

impl Found {
    /// What is said where there is no allocation.
    pub(super) fn none(ending: Ending) -> Found {
        Found {
            u: [f64::NAN; MOST_VARIABLES],
            value: f64::NAN,
            price: [f64::NAN; MOST_BUDGETS],
            residual: f64::NAN,
            side: [0; MOST_VARIABLES],
            ending,
            runner_up: f64::NAN,
        }
    }
}

/// The split of the variables that can be moved, at one point.
#[derive(Clone, Copy, Debug, Default)]
struct Split {
    /// Budgets that are paid for, each with the variable that pays.
    pays: [(usize, usize); MOST_BUDGETS],
    n_pays: usize,
    free: [usize; MOST_VARIABLES],
    n_free: usize,
    /// Row k: how the k-th payer moves with each free variable.
    moves: [Point; MOST_BUDGETS],
    /// Row k: how the k-th payer moves for each unit that a spent budget is over.
    repays: [[f64; MOST_BUDGETS]; MOST_BUDGETS],
}

impl Split {
    fn free(&self) -> &[usize] {
        &self.free[..self.n_free]
    }

    /// Rows of the payers: budget, variable, its moves and repayments.
    fn payers(&self) -> impl Iterator<Item = (usize, usize, &Point, &[f64; MOST_BUDGETS])> {
        let rows = self.pays.iter().zip(&self.moves).zip(&self.repays).take(self.n_pays);
        rows.map(|((&(j, payer), moves), repays)| (j, payer, moves, repays))
    }

    fn is_payer(&self, i: usize) -> bool {
        self.pays[..self.n_pays].iter().any(|&(_, payer)| payer == i)
    }
}

/// One search.
#[derive(Clone, Debug)]
pub(super) struct Search {
    limits: Limits,
    held: Held,
    /// Where it is; `None` before the first look.
    at: Option<Local>,
    costs: Costs,
    /// With curvature, of the budgets that are no products of powers; 0 for the others.
    bends: Vec<Local>,
    trial: Held,
    /// Of `held`, with what was held when it was made: slopes of products of powers are the same everywhere.
    split: Split,
    split_of: Option<([i8; MOST_VARIABLES], [bool; MOST_BUDGETS])>,
    radius: f64,
    /// Of the step to the trial point.
    length: f64,
    residual: f64,
    price: [f64; MOST_BUDGETS],
    ending: Option<Ending>,
    n_released: usize,
    /// The last step met a bound or spent a budget, so that the objective need not fall.
    has_met: bool,
}

/// Follows all searches to their ends, one look at the law for all of them at a time.
pub(super) fn follow(surface: &Surface, parameters: &[f64], searches: &mut [(usize, Search)]) {
    for _ in 0..MOST_ROUNDS {
        let going: Vec<usize> = (0..searches.len()).filter(|&s| searches[s].1.ending.is_none()).collect();
        if going.is_empty() {
            return;
        }
        let points: Vec<Point> = going.iter().map(|&s| searches[s].1.trial.u).collect();
        let locals = surface.locals(parameters, &points);
        let bends: Vec<Vec<Local>> = if surface.is_affine {
            Vec::new()
        } else {
            (0..surface.budgets.len()).map(|j| surface.bends(j, &points)).collect()
        };
        for (row, (&s, local)) in going.iter().zip(&locals).enumerate() {
            searches[s].1.look(surface, local, bends.iter().map(|budget| budget[row]).collect());
        }
    }
}

impl Search {
    pub(super) fn new(held: Held, limits: Limits) -> Search {
        Search {
            limits,
            held,
            at: None,
            costs: Costs::default(),
            bends: Vec::new(),
            trial: held,
            split: Split::default(),
            split_of: None,
            radius: 1.0,
            length: 0.0,
            residual: f64::INFINITY,
            price: [0.0; MOST_BUDGETS],
            ending: None,
            n_released: 0,
            has_met: false,
        }
    }

    pub(super) fn found(&self) -> Found {
        let ending = self.ending.unwrap_or(Ending::Stalled);
        let value = self.at.map_or(f64::NAN, |local| local.value);
        if !value.is_finite() {
            return Found::none(Ending::NotFinite);
        }
        Found {
            u: self.held.u,
            value,
            price: self.price,
            residual: self.residual,
            side: self.held.side,
            ending,
            runner_up: f64::NAN,
        }
    }

    /// Takes or refuses the trial point, of which `local` says all that is to know, and chooses the next.
    fn look(&mut self, surface: &Surface, local: &Local, bends: Vec<Local>) {
        let costs = surface.costs_at(&self.trial.u);
        let is_better = match &self.at {
            None => local.is_finite(),
            Some(at) => {
                let rise = local.value - at.value;
                let noise = ROUNDING * at.value.abs();
                let is_nearer = || self.residual_at(surface, &self.trial, local, &costs) < self.residual;
                local.is_finite() && (rise < -noise || (rise <= noise && (self.has_met || is_nearer())))
            }
        };
        if is_better {
            self.held = self.trial;
            self.at = Some(*local);
            self.costs = costs;
            self.bends = bends;
            self.radius = LONGEST.min(2.0 * self.radius);
        } else if self.at.is_none() {
            self.ending = Some(Ending::NotFinite);
            return;
        } else {
            let rise = self.at.map_or(0.0, |at| local.value - at.value);
            if self.residual <= ENOUGH && rise.abs() <= ROUNDING * local.value.abs() {
                self.ending = Some(Ending::Optimum);
                return;
            }
            self.radius = 0.25 * self.radius.min(self.length);
        }
        if self.radius < SHORTEST {
            self.ending = Some(if self.residual <= ENOUGH { Ending::Optimum } else { Ending::Corner });
            return;
        }
        self.propose(surface);
    }

    /// Chooses the next trial point, or ends.
    fn propose(&mut self, surface: &Surface) {
        let Some(at) = self.at else { return };
        loop {
            if !surface.is_affine || self.split_of != Some((self.held.side, self.held.spent)) {
                self.split = self.split(surface, &self.held, &self.costs);
                self.split_of = Some((self.held.side, self.held.spent));
            }
            let split = self.split;
            self.keep_what_is_paid(surface, &split, &at);
            let (slope, scale) = slopes(&split, &at);
            self.residual = share_of(&slope, scale);
            let (step, is_convex) = newton(&slope, &self.curvature(&split, &at), split.n_free);
            if self.residual <= TOLERANCE || split.n_free == 0 {
                if !self.release(surface, &at, scale) {
                    self.ending = Some(if is_convex { Ending::Optimum } else { Ending::Flat });
                    return;
                }
                continue;
            }
            let mut direction = [0.0; MOST_VARIABLES];
            for (&i, &by) in split.free().iter().zip(&step) {
                direction[i] = by;
            }
            for (_, payer, moves, _) in split.payers() {
                direction[payer] = split.free().iter().zip(&step).map(|(&i, by)| moves[i] * by).sum();
            }
            let longest = largest(&direction);
            let share = if longest > self.radius { self.radius / longest } else { 1.0 };
            self.length = share * longest;
            if self.try_along(surface, &direction, share) {
                return;
            }
            self.radius *= 0.25;
            if self.radius < SHORTEST {
                self.ending = Some(Ending::Stalled);
                return;
            }
        }
    }

    /// Sets the trial point at `share` of a direction, or where it first meets a bound or spends a budget. False where the
    /// budgets cannot be met again from there.
    fn try_along(&mut self, surface: &Surface, direction: &Point, share: f64) -> bool {
        let mut share = share;
        let mut meets: Option<(usize, i8)> = None;
        let mut spends: Option<usize> = None;
        for i in (0..surface.n).filter(|&i| self.can_move(i, &self.held)) {
            let (way, side) = if direction[i] < 0.0 { (self.limits.lower[i], -1) } else { (self.limits.upper[i], 1) };
            let room = (way - self.held.u[i]) / direction[i];
            if direction[i] != 0.0 && room <= share {
                (share, meets) = (room.max(0.0), Some((i, side)));
            }
        }
        let unspent = |j: &usize| !self.held.spent[*j];
        for j in (0..surface.budgets.len()).filter(unspent) {
            let cost = &self.costs[j];
            let rise: f64 = (0..surface.n).map(|i| cost.gradient[i] * direction[i]).sum();
            let room = (self.limits.amount[j] - cost.value) / rise;
            if rise > 0.0 && room <= share {
                (share, meets, spends) = (room.max(0.0), None, Some(j));
            }
        }
        let mut trial = self.held;
        for (u, way) in trial.u.iter_mut().zip(direction) {
            *u += share * way;
        }
        if let Some((i, side)) = meets {
            trial.u[i] = if side < 0 { self.limits.lower[i] } else { self.limits.upper[i] };
            trial.side[i] = side;
        }
        if let Some(j) = spends {
            trial.spent[j] = true;
        }
        self.has_met = meets.is_some() || spends.is_some();
        self.trial = trial;
        self.repay(surface)
    }

    /// Brings the trial point back to what it spends, and spends budgets that it is over.
    fn repay(&mut self, surface: &Surface) -> bool {
        const MOST_STEPS: usize = 30;
        let m = surface.budgets.len();
        for _ in 0..MOST_STEPS {
            let costs = surface.costs_at(&self.trial.u);
            let over = |j: usize| costs[j].value - self.limits.amount[j];
            let size = |j: usize| 1.0 + self.limits.amount[j].abs();
            let is_kept = || (0..m).all(|j| over(j) <= ALMOST);
            for j in 0..m {
                if over(j) > OVER * size(j) && !self.trial.spent[j] {
                    self.trial.spent[j] = true;
                    self.has_met = true;
                }
            }
            if (0..m).all(|j| !self.trial.spent[j] || over(j).abs() <= f64::EPSILON * size(j)) {
                return is_kept();
            }
            let split = self.split(surface, &self.trial, &costs);
            let mut moved = 0.0_f64;
            for (_, payer, _, repays) in split.payers() {
                let step: f64 = split.payers().map(|(j, ..)| repays[j] * over(j)).sum();
                let next = (self.trial.u[payer] - step).clamp(self.limits.lower[payer], self.limits.upper[payer]);
                moved = moved.max((next - self.trial.u[payer]).abs());
                self.trial.u[payer] = next;
            }
            if moved <= f64::EPSILON * (1.0 + largest(&self.trial.u)) {
                return is_kept();
            }
        }
        false
    }

    fn can_move(&self, i: usize, held: &Held) -> bool {
        held.side[i] == 0 && self.limits.lower[i] < self.limits.upper[i]
    }

    /// Splits the variables that can be moved by elimination with the largest pivots.
    fn split(&self, surface: &Surface, held: &Held, costs: &Costs) -> Split {
        let mut split = Split::default();
        let mut budget = [0; MOST_BUDGETS];
        let mut n_rows = 0;
        for j in (0..surface.budgets.len()).filter(|&j| held.spent[j]) {
            budget[n_rows] = j;
            split.moves[n_rows] = costs[j].gradient;
            split.repays[n_rows][j] = 1.0;
            n_rows += 1;
        }
        for done in 0..n_rows {
            let mut best = (done, 0, 0.0);
            for row in done..n_rows {
                for i in (0..surface.n).filter(|&i| self.can_move(i, held) && !split.is_payer(i)) {
                    let size = split.moves[row][i].abs();
                    if size > best.2 {
                        best = (row, i, size);
                    }
                }
            }
            let (row, payer, size) = best;
            if size < LEAST_PIVOT {
                break;
            }
            budget.swap(done, row);
            split.moves.swap(done, row);
            split.repays.swap(done, row);
            let pivot = split.moves[done][payer];
            split.moves[done].iter_mut().chain(&mut split.repays[done]).for_each(|x| *x /= pivot);
            let (slopes, units) = (split.moves[done], split.repays[done]);
            for other in (0..n_rows).filter(|&other| other != done) {
                let by = split.moves[other][payer];
                split.moves[other].iter_mut().zip(slopes).for_each(|(x, y)| *x -= by * y);
                split.repays[other].iter_mut().zip(units).for_each(|(x, y)| *x -= by * y);
            }
            split.pays[done] = (budget[done], payer);
            split.n_pays += 1;
        }
        split.moves = split.moves.map(|row| row.map(|x| -x));
        for i in (0..surface.n).filter(|&i| self.can_move(i, held)) {
            if !split.is_payer(i) {
                split.free[split.n_free] = i;
                split.n_free += 1;
            }
        }
        split
    }

    /// Budgets that nothing which can be moved pays for are not held, and the prices of the others.
    fn keep_what_is_paid(&mut self, surface: &Surface, split: &Split, at: &Local) {
        self.price = [0.0; MOST_BUDGETS];
        for j in 0..surface.budgets.len() {
            self.held.spent[j] &= split.payers().any(|(paid, ..)| paid == j);
            self.price[j] = split.payers().map(|(_, payer, _, repays)| -at.gradient[payer] * repays[j]).sum();
        }
    }

    fn residual_at(&self, surface: &Surface, held: &Held, local: &Local, costs: &Costs) -> f64 {
        let (slope, scale) = slopes(&self.split(surface, held, costs), local);
        share_of(&slope, scale)
    }

    /// The curvature along what is free, row by row, with that of the budgets times their prices.
    fn curvature(&self, split: &Split, at: &Local) -> [Point; MOST_VARIABLES] {
        let mut total = at.curvature;
        for (bend, price) in self.bends.iter().zip(self.price) {
            for (row, theirs) in total.iter_mut().zip(&bend.curvature) {
                row.iter_mut().zip(theirs).for_each(|(x, y)| *x += price * y);
            }
        }
        // First the columns, then the rows: each free variable moves itself and those who pay.
        let mut half = [[0.0; MOST_VARIABLES]; MOST_VARIABLES];
        for (half, row) in half.iter_mut().zip(&total) {
            for (to, &i) in half.iter_mut().zip(split.free()) {
                *to = row[i] + split.payers().map(|(_, payer, moves, _)| row[payer] * moves[i]).sum::<f64>();
            }
        }
        let mut out = [[0.0; MOST_VARIABLES]; MOST_VARIABLES];
        for (out, &i) in out.iter_mut().zip(split.free()) {
            for (place, to) in out.iter_mut().enumerate().take(split.n_free) {
                let paid = split.payers().map(|(_, payer, moves, _)| half[payer][place] * moves[i]);
                *to = half[i][place] + paid.sum::<f64>();
            }
        }
        out
    }

    /// Lets go of the bound or budget from which the law would gain most; false where there is none.
    fn release(&mut self, surface: &Surface, at: &Local, scale: f64) -> bool {
        const MOST_RELEASES: usize = 20;
        let mut worst: (f64, Option<usize>, Option<usize>) = (NO_PUSH * scale, None, None);
        for j in 0..surface.budgets.len() {
            if self.held.spent[j] && -self.price[j] > worst.0 {
                worst = (-self.price[j], None, Some(j));
            }
        }
        for i in 0..surface.n {
            if self.held.side[i] != 0 && self.limits.lower[i] < self.limits.upper[i] {
                let budgets = self.costs.iter().zip(&self.price).map(|(cost, price)| price * cost.gradient[i]);
                let push = f64::from(self.held.side[i]) * (at.gradient[i] + budgets.sum::<f64>());
                if push > worst.0 {
                    worst = (push, Some(i), None);
                }
            }
        }
        self.n_released += 1;
        match worst {
            _ if self.n_released > MOST_RELEASES => return false,
            (_, Some(i), _) => self.held.side[i] = 0,
            (_, _, Some(j)) => self.held.spent[j] = false,
            _ => return false,
        }
        true
    }
}

/// The gradient along what is free, and the largest slope or curvature of all: without a budget every slope is 0 at an optimum.
fn slopes(split: &Split, at: &Local) -> (Point, f64) {
    let mut out = [0.0; MOST_VARIABLES];
    for (out, &i) in out.iter_mut().zip(split.free()) {
        *out = at.gradient[i] + split.payers().map(|(_, payer, moves, _)| at.gradient[payer] * moves[i]).sum::<f64>();
    }
    (out, at.curvature.iter().map(|row| largest(row)).fold(largest(&at.gradient), f64::max))
}

fn share_of(slope: &Point, scale: f64) -> f64 {
    if scale > 0.0 { largest(slope) / scale } else { 0.0 }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |so_far: f64, value| so_far.max(value.abs()))
}

/// Newton's step, shortened by a multiple of the identity where the curvature is not positive definite, and whether it is.
fn newton(slope: &Point, curvature: &[Point; MOST_VARIABLES], n: usize) -> (Point, bool) {
    let rows = curvature.iter().take(n);
    let scale = rows.map(|row| largest(row)).fold(largest(slope), f64::max).max(f64::MIN_POSITIVE);
    let mut shift = 0.0;
    loop {
        let mut lower = [0.0; MOST_VARIABLES * MOST_VARIABLES];
        for i in 0..n {
            lower[i * n..][..n].copy_from_slice(&curvature[i][..n]);
            lower[i * n + i] += shift;
        }
        if factor(&mut lower[..n * n], n) {
            let mut step = slope.map(|x| -x);
            solve(&lower[..n * n], n, &mut step[..n]);
            return (step, shift == 0.0);
        }
        shift = if shift == 0.0 { 1e-3 * scale } else { 10.0 * shift };
    }
}
