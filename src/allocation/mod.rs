//! What a budget should buy: the variables at which a law is best, under budgets that are formulas of them.
//!
//! Everything moves in logarithms, u = ln x. A budget g(x) ≤ c is ln g(exp u) − ln c ≤ 0, affine where it is a product of powers.
//!
//! ```text
//! formulas ─► surface   the law and ln g with exact gradient and curvature, by u
//!             spend     which variable takes what is left of each budget; the rest are free
//!             grid      the free variables over all that the budgets allow: every minimum starts from its best neighbour
//!             search    Newton on the working set (bounds reached, budgets spent) until first-order conditions hold
//!             choices   menus and whole numbers: searches with what cannot be divided held
//!             target    the least budget whose best answer reaches a response
//! ```
//!
//! With one free variable the grid makes the search a global one, up to minima that are narrower than its spacing; with more,
//! the best few grid points are followed. The grid depends on the budgets alone, so all draws of parameters share it.

mod choices;
mod grid;
mod search;
mod spend;
mod surface;
mod target;

#[cfg(test)]
mod tests;

use crate::dispatch::Level;
use crate::error::Error;
use crate::run::Monitor;
use crate::run::map_in_order;

use choices::Choices;
use choices::Entries;
use search::Found;
use spend::Limits;
use surface::MOST_BUDGETS;
use surface::MOST_VARIABLES;
use surface::Surface;

/// How the search for one allocation ended.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// First-order conditions hold and the curvature along what is free is positive.
    Optimum = 0,
    /// The law has a corner there: no direction improves it, and its slope jumps.
    Corner = 1,
    /// First-order conditions hold, but along some direction the law is flat: others are as good.
    Flat = 2,
    /// The limit of steps was reached.
    Stalled = 3,
    /// No point within the bounds keeps to the budgets.
    Infeasible = 4,
    /// The law is not finite at any point that was looked at, or a parameter is not.
    NotFinite = 5,
    /// No amount of the budgets that may grow reaches the response that is wanted.
    Unreachable = 6,
}

impl Ending {
    /// Every ending, in the order of its number.
    pub const ALL: [Ending; 7] = [
        Ending::Optimum,
        Ending::Corner,
        Ending::Flat,
        Ending::Stalled,
        Ending::Infeasible,
        Ending::NotFinite,
        Ending::Unreachable,
    ];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Ending::Optimum => "optimum",
            Ending::Corner => "corner",
            Ending::Flat => "flat",
            Ending::Stalled => "stalled",
            Ending::Infeasible => "infeasible",
            Ending::NotFinite => "not_finite",
            Ending::Unreachable => "unreachable",
        }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct AllocationSpec<'a> {
    /// The text of the law.
    pub law: &'a str,
    /// Its variables, which are what is chosen.
    pub variables: &'a [String],
    /// Its parameters.
    pub parameters: &'a [String],
    /// Whether the law is to be as large as it can.
    pub maximize: bool,
    /// Formulas of the variables, each with one amount a point.
    pub budgets: &'a [String],
    /// (draws, parameters).
    pub params: &'a [f64],
    /// (points, budgets).
    pub amounts: &'a [f64],
    /// (points, variables), both above 0; equal bounds hold a variable.
    pub lower: &'a [f64],
    /// As `lower`.
    pub upper: &'a [f64],
    /// What each variable may be, in any order; empty where it is not chosen from a menu.
    pub menus: &'a [Vec<f64>],
    /// Whether each variable is to be a whole number.
    pub whole: &'a [bool],
    /// (draws, points): responses that are to be reached with as little as can be; empty where amounts are given.
    pub targets: &'a [f64],
    /// Which budgets grow and shrink together for a target.
    pub scales: &'a [bool],
    /// Rows of `params`.
    pub n_draws: usize,
    /// Rows of `amounts`, `lower` and `upper`.
    pub n_points: usize,
    /// Kernels to use.
    pub level: Level,
    /// Most threads to use.
    pub n_threads: usize,
}

/// Optima, structure of arrays over (draws, points).
#[derive(Clone, Debug, Default)]
pub struct Allocations {
    /// (draws, points, variables).
    pub x: Vec<f64>,
    /// The law there.
    pub value: Vec<f64>,
    /// (draws, points, budgets): how much the law gains for each unit of ln(amount).
    pub price: Vec<f64>,
    /// The largest slope along what is free, over the largest slope or curvature of all.
    pub residual: Vec<f64>,
    /// [`Ending`] by its number.
    pub ending: Vec<u8>,
    /// (draws, points, variables): −1 at the lower bound, 1 at the upper one.
    pub side: Vec<i8>,
    /// The law at the next best local optimum or entry of a menu, NaN where no other was found.
    pub runner_up: Vec<f64>,
    /// What the budgets that may grow are multiplied by; 1 without targets.
    pub scale: Vec<f64>,
}

/// Points that one job solves for one draw: enough rows for the kernels, few enough for many jobs.
const BLOCK: usize = 64;

/// Finds every allocation.
///
/// # Errors
/// Those of the formulas; [`Error::Argument`] where shapes, bounds or amounts cannot be used.
pub fn run(spec: &AllocationSpec<'_>, monitor: &Monitor) -> Result<Allocations, Error> {
    check(spec)?;
    let surface = Surface::new(spec)?;
    let menus: Vec<Vec<f64>> = spec.menus.iter().map(|menu| menu.iter().map(|&x| libm::log(x)).collect()).collect();
    let choices = Choices { menus: &menus, whole: spec.whole };
    let n_blocks = spec.n_points.div_ceil(BLOCK);
    let cut = |block: usize| block * BLOCK..((block + 1) * BLOCK).min(spec.n_points);
    let blocks: Vec<Vec<Limits>> =
        (0..n_blocks).map(|block| cut(block).map(|point| limits_of(spec, point)).collect()).collect();
    let entries: Vec<Option<Entries>> = map_in_order(n_blocks, 1, spec.n_threads, monitor, |(): &mut (), block| {
        spec.targets.is_empty().then(|| Entries::new(&surface, &choices, &blocks[block]))
    });
    let n_jobs = spec.n_draws * n_blocks;
    monitor.expect(n_jobs as u64);
    let p = spec.parameters.len();
    let solve = |(): &mut (), job: usize| {
        let (draw, block) = (job / n_blocks, job % n_blocks);
        let parameters = &spec.params[draw * p..][..p];
        let found: Vec<(Found, f64)> = if let Some(entries) = &entries[block] {
            entries.solve(&surface, &choices, parameters).into_iter().map(|found| (found, 1.0)).collect()
        } else {
            let sign = if spec.maximize { -1.0 } else { 1.0 };
            let wanted = &spec.targets[draw * spec.n_points..][cut(block)];
            let targets: Vec<f64> = wanted.iter().map(|target| sign * target).collect();
            let ways = target::reach(&surface, &choices, &blocks[block], spec.scales, &targets, parameters);
            ways.into_iter().map(|(found, way)| (found, libm::exp(way))).collect()
        };
        monitor.tick(1);
        found
    };
    let found =
        if monitor.is_cancelled() { Vec::new() } else { map_in_order(n_jobs, 1, spec.n_threads, monitor, solve) };
    if monitor.is_cancelled() {
        return Err(Error::Cancelled);
    }
    let mut out = Allocations::default();
    for (one, scale) in found.iter().flatten() {
        out.push(one, *scale, spec);
    }
    Ok(out)
}

fn limits_of(spec: &AllocationSpec<'_>, point: usize) -> Limits {
    let (n, m) = (spec.variables.len(), spec.budgets.len());
    let mut limits = Limits { lower: [0.0; MOST_VARIABLES], upper: [0.0; MOST_VARIABLES], amount: [0.0; MOST_BUDGETS] };
    for i in 0..n {
        limits.lower[i] = libm::log(spec.lower[point * n + i]);
        limits.upper[i] = libm::log(spec.upper[point * n + i]);
    }
    for j in 0..m {
        limits.amount[j] = libm::log(spec.amounts[point * m + j]);
    }
    limits
}

impl Allocations {
    fn push(&mut self, found: &Found, scale: f64, spec: &AllocationSpec<'_>) {
        let sign = if spec.maximize { -1.0 } else { 1.0 };
        let (n, m) = (spec.variables.len(), spec.budgets.len());
        for (i, &u) in found.u[..n].iter().enumerate() {
            let x = libm::exp(u);
            let listed = spec.menus.get(i).and_then(|menu| {
                let near = |a: &&f64, b: &&f64| (**a - x).abs().total_cmp(&(**b - x).abs());
                menu.iter().min_by(near).copied().filter(|_| x.is_finite())
            });
            let is_whole = spec.whole.get(i).is_some_and(|&is_whole| is_whole);
            self.x.push(listed.unwrap_or(if is_whole { libm::round(x) } else { x }));
        }
        self.value.push(sign * found.value);
        self.price.extend_from_slice(&found.price[..m]);
        self.residual.push(found.residual);
        self.ending.push(found.ending as u8);
        self.side.extend_from_slice(&found.side[..n]);
        self.runner_up.push(sign * found.runner_up);
        self.scale.push(scale);
    }
}

fn check(spec: &AllocationSpec<'_>) -> Result<(), Error> {
    let (n, m) = (spec.variables.len(), spec.budgets.len());
    if n == 0 || n > MOST_VARIABLES {
        return Err(Error::argument(
            "variables",
            format!("a law of 1 to {MOST_VARIABLES} variables is needed, not {n}"),
        ));
    }
    if m > MOST_BUDGETS {
        return Err(Error::argument("budgets", format!("at most {MOST_BUDGETS} budgets, not {m}")));
    }
    let shapes = [
        ("params", spec.params.len(), spec.n_draws * spec.parameters.len()),
        ("amounts", spec.amounts.len(), spec.n_points * m),
        ("lower", spec.lower.len(), spec.n_points * n),
        ("upper", spec.upper.len(), spec.n_points * n),
    ];
    for (argument, length, wanted) in shapes {
        if length != wanted {
            return Err(Error::argument(argument, format!("{length} values where {wanted} are needed")));
        }
    }
    let optional = [
        ("menus", spec.menus.len(), n),
        ("whole", spec.whole.len(), n),
        ("targets", spec.targets.len(), spec.n_draws * spec.n_points),
        ("scales", spec.scales.len(), if spec.targets.is_empty() { 0 } else { m }),
    ];
    for (argument, length, wanted) in optional {
        if length != 0 && length != wanted {
            return Err(Error::argument(argument, format!("{length} values where {wanted} are needed")));
        }
    }
    if !spec.targets.is_empty() && !spec.scales.contains(&true) {
        return Err(Error::argument("scales", "a target needs a budget that may grow"));
    }
    if spec.menus.iter().flatten().any(|&x| !(x > 0.0 && x.is_finite())) {
        return Err(Error::argument("menus", "every entry must be above 0 and finite"));
    }
    if spec.amounts.iter().any(|&amount| !(amount > 0.0 && amount.is_finite())) {
        return Err(Error::argument("amounts", "every amount must be above 0 and finite"));
    }
    let ends = spec.lower.iter().zip(spec.upper);
    if ends.into_iter().any(|(&lower, &upper)| !(lower > 0.0 && lower <= upper && upper.is_finite())) {
        return Err(Error::argument("bounds", "bounds must be above 0, finite, and the lower not above the upper"));
    }
    Ok(())
}
