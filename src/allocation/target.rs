//! The least that reaches a response: by what factor some budgets are multiplied for the best answer to be just as good.
//!
//! What the best answer gains from a factor e^t is known with its slope, the prices of those budgets. Seen from the best that
//! any factor gives, responses of power laws fall nearly as exponentials of t, so Newton's method on that logarithm takes a
//! few steps; a bracket that is halved where it does not shrink makes it safe.

use crate::allocation::Ending;
use crate::allocation::choices::Choices;
use crate::allocation::choices::Entries;
use crate::allocation::search::Found;
use crate::allocation::spend::Limits;
use crate::allocation::surface::Surface;

const MOST_ROUNDS: usize = 120;
/// Rounding of a response.
const REACHED: f64 = 4.0 * f64::EPSILON;
/// Logarithm of a factor that nothing is beyond.
const FURTHEST: f64 = 700.0;

/// One point on its way.
#[derive(Clone, Debug)]
struct Way {
    limits: Limits,
    target: f64,
    low: f64,
    high: f64,
    now: f64,
    /// The response at the far end; NaN before it was looked at.
    best: f64,
    /// The best answer at the smallest factor that is known to reach the target.
    reached: Option<(Found, f64)>,
    /// Lengths of the bracket in the last three rounds, the oldest first.
    before: [f64; 3],
    n_looks: usize,
    is_done: bool,
}

/// Best answers at the least factors, and those factors; `scales` says which budgets they multiply.
pub(super) fn reach(
    surface: &Surface,
    choices: &Choices<'_>,
    points: &[Limits],
    scales: &[bool],
    targets: &[f64],
    parameters: &[f64],
) -> Vec<(Found, f64)> {
    let start = |(&limits, &target): (&Limits, &f64)| Way::new(surface, limits, target, scales);
    let mut ways: Vec<Way> = points.iter().zip(targets).map(start).collect();
    for _ in 0..MOST_ROUNDS {
        let going: Vec<usize> = (0..ways.len()).filter(|&way| !ways[way].is_done).collect();
        if going.is_empty() {
            break;
        }
        let limits: Vec<Limits> = going.iter().map(|&way| ways[way].scaled(scales)).collect();
        let found = Entries::new(surface, choices, &limits).solve(surface, choices, parameters);
        for (&way, found) in going.iter().zip(found) {
            ways[way].look(found, scales);
        }
    }
    ways.iter().map(Way::found).collect()
}

impl Way {
    fn new(surface: &Surface, limits: Limits, target: f64, scales: &[bool]) -> Way {
        let ends = [&limits.lower, &limits.upper].map(|u| {
            let costs = surface.costs_at(u);
            let scaled = (0..scales.len()).filter(|&j| scales[j]);
            scaled.map(|j| costs[j].value - limits.amount[j]).fold(f64::NEG_INFINITY, f64::max)
        });
        // A factor at which everything is at its smallest must not fail by rounding.
        let low = (ends[0] + 1e-12 * (1.0 + ends[0].abs())).max(-FURTHEST);
        let high = (ends[1] + 1.0).min(FURTHEST);
        let is_done = !target.is_finite();
        let before = [f64::INFINITY; 3];
        Way { limits, target, low, high, now: high, best: f64::NAN, reached: None, before, n_looks: 0, is_done }
    }

    fn scaled(&self, scales: &[bool]) -> Limits {
        let mut limits = self.limits;
        for (amount, _) in limits.amount.iter_mut().zip(scales).filter(|&(_, &is_scaled)| is_scaled) {
            *amount += self.now;
        }
        limits
    }

    fn look(&mut self, found: Found, scales: &[bool]) {
        self.n_looks += 1;
        let over = found.value - self.target;
        let noise = REACHED * found.value.abs().max(self.target.abs());
        if self.n_looks == 1 {
            self.best = found.value;
            self.is_done = !found.value.is_finite() || over > noise;
            self.reached = Some(if !found.value.is_finite() {
                (found, f64::NAN)
            } else if over > noise {
                (Found::none(Ending::Unreachable), f64::NAN)
            } else {
                (found, self.now)
            });
            self.now = self.low;
            return;
        }
        if over <= noise {
            self.reached = Some((found, self.now));
            self.high = self.now;
            self.is_done = over >= -noise || self.now == self.low;
        } else {
            self.low = self.now;
        }
        let length = self.high - self.low;
        self.is_done |= length <= 1e-15 * (1.0 + self.high.abs());
        let price: f64 =
            found.price.iter().zip(scales).filter(|&(_, &is_scaled)| is_scaled).map(|(price, _)| price).sum();
        let (above, wanted) = (found.value - self.best, self.target - self.best);
        let newton = self.now + libm::log(above / wanted) * above / price;
        let is_inside = newton > self.low && newton < self.high;
        let is_slow = length > 0.5 * self.before[0];
        self.now = if self.n_looks == 2 && self.low < 0.0 && self.high > 0.0 {
            // Amounts that say something are near the answer.
            0.0
        } else if is_inside && !is_slow {
            newton
        } else {
            0.5 * (self.low + self.high)
        };
        self.before = if is_slow { [f64::INFINITY; 3] } else { [self.before[1], self.before[2], length] };
    }

    fn found(&self) -> (Found, f64) {
        self.reached.unwrap_or((Found::none(Ending::NotFinite), f64::NAN))
    }
}
