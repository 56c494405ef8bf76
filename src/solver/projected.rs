//! Variable projection: amplitudes are solved for, the nonlinear parameters are searched by Levenberg–Marquardt.
//!
//! Golub & Pereyra (1973), with the Jacobian of Kaufman (1975): the Gauss–Newton matrix of all parameters with the linear
//! ones eliminated, taken from sums of products alone. A term whose share has gone to nothing comes back by itself, for its
//! amplitude is solved for in each step: that is where other searches lose most of their starts.

use crate::dispatch::Plain;
use crate::linalg::factor;
use crate::linalg::solve;
use crate::objective::Objective;
use crate::objective::projection::Products;
use crate::objective::projection::Projection;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::approach::Guide;
use crate::solver::approach::Tie;
use crate::special;

/// Most amplitudes that are solved for; laws have two to six.
const MOST_LINEAR: usize = 8;
/// Most nonlinear parameters.
const MOST_NONLINEAR: usize = 8;
/// A basis function that keeps less than this share of its square, the others removed, is collinear with them.
pub(super) const COLLINEAR: f64 = 1e-11;
/// Steps of one search; from a usual start five suffice.
const MOST_STEPS: usize = 60;
/// A step that promises less than this share of the squares ends the search: the true objective goes on from there.
const ENOUGH: f64 = 1e-4;
/// Below this share of Σ v y² squares are rounding.
const ROUNDING: f64 = 1e-14;
/// The least share of the response that an amplitude given by its logarithm may have.
const LEAST_SHARE: f64 = 1e-8;
const FIRST_DAMPING: f64 = 1e-3;
const LOWER: f64 = 10.0;
const RAISE: f64 = 6.0;
const MOST_DAMPING: f64 = 1e12;

/// The squares with the amplitudes solved for.
#[derive(Clone, Copy, Debug)]
struct Reduced {
    /// Σ v (f − y)² / 2.
    value: f64,
    coefficients: [f64; MOST_LINEAR],
    gradient: [f64; MOST_NONLINEAR],
    curvature: [f64; MOST_NONLINEAR * MOST_NONLINEAR],
}

/// The squares at a start, amplitudes and all, and at the minimum that it led to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proposal {
    pub(super) start: f64,
    pub(super) value: f64,
}

/// The squares at `params` with the amplitudes that are there.
fn start_value(projection: &Projection<'_>, params: &[f64], products: &Products) -> f64 {
    let n = projection.separable.n_terms();
    let natural = projection.coefficients(params);
    let mut c = [0.0; MOST_LINEAR];
    for (place, (value, shift)) in c.iter_mut().zip(natural.iter().zip(&products.shifts)) {
        *place = if *value == 0.0 { 0.0 } else { value * special::exp::<Plain>(*shift) };
    }
    let squares = |t: usize| c[t] * ((0..n).map(|u| products.at(t, u) * c[u]).sum::<f64>() - 2.0 * products.right[t]);
    0.5 * (projection.square + (0..n).map(squares).sum::<f64>())
}

/// Searches the squares of `projection` from the nonlinear parameters of `params`, which it replaces, amplitudes too, by
/// the minimum. `None`, with `params` left alone, where the law is too large or there is no finite value.
pub(super) fn project(
    projection: &Projection<'_>,
    space: &Space,
    params: &mut [f64],
    workspace: &mut Workspace,
) -> Option<Proposal> {
    let separable = projection.separable;
    if separable.n_terms() > MOST_LINEAR || separable.nonlinear.len() > MOST_NONLINEAR {
        return None;
    }
    let moving: Vec<usize> =
        (0..separable.nonlinear.len()).filter(|&q| space.free.contains(&separable.nonlinear[q])).collect();
    let mut place = without_amplitudes(projection, params);
    let [mut here, mut there] = std::mem::take(&mut workspace.products);
    projection.products(&place, true, &mut workspace.scratch, &mut here);
    workspace.n_evaluations += 1;
    let start = start_value(projection, params, &here);
    let found = reduce(projection, space, params, &here, &moving).and_then(|mut reduced| {
        descend(projection, space, params, &moving, &mut place, &mut reduced, [&mut here, &mut there], workspace);
        let is_known = put_back(projection, space, &place, &reduced, &here, params);
        is_known.then_some(Proposal { start, value: reduced.value })
    });
    workspace.products = [here, there];
    found
}

/// What the approach to the true objective needs, from the products at the place that [`project`] reached.
pub(super) fn guide(projection: &Projection<'_>, space: &Space, params: &[f64], products: &Products) -> Guide {
    let separable = projection.separable;
    let (n_terms, p) = (separable.n_terms(), params.len());
    let coefficients = projection.coefficients(params);
    let mut ties = Vec::new();
    let mut parts = Vec::new();
    for (t, a) in separable.amplitudes.iter().enumerate() {
        let unit = special::exp::<Plain>(products.shifts[t]);
        parts.push((a.parameter, t, if a.is_log { coefficients[t] * unit } else { unit }));
    }
    for (s, &(t, q)) in separable.slots.iter().enumerate() {
        let exponent = separable.nonlinear[q];
        parts.push((exponent, n_terms + s, coefficients[t] * special::exp::<Plain>(products.shifts[t])));
        let mean = products.at(t, n_terms + s) / products.at(t, t);
        // An amplitude between two numbers cannot follow.
        let follows = |j: usize| space.free.contains(&j) && space.lower[j] <= 0.0 && space.upper[j] == f64::INFINITY;
        if let Some(a) = separable.amplitudes.get(t).filter(|a| mean.is_finite() && (a.is_log || follows(a.parameter)))
        {
            ties.push(Tie { amplitude: a.parameter, is_log: a.is_log, exponent, mean });
        }
    }
    let mut metric = vec![0.0; p * p];
    for &(i, k, x) in &parts {
        for &(j, l, y) in &parts {
            metric[i * p + j] += x * y * products.at(k, l);
        }
    }
    Guide { ties, metric }
}

/// The same at any place, which costs an evaluation.
pub(super) fn guide_at(projection: &Projection<'_>, space: &Space, params: &[f64], workspace: &mut Workspace) -> Guide {
    let [mut here, there] = std::mem::take(&mut workspace.products);
    let place = without_amplitudes(projection, params);
    projection.products(&place, true, &mut workspace.scratch, &mut here);
    let found = guide(projection, space, params, &here);
    workspace.products = [here, there];
    found
}

/// The amplitudes of least squares given the nonlinear parameters of `params`, whose products these are, and the squares.
pub(crate) fn eliminate(
    projection: &Projection<'_>,
    space: &Space,
    products: &Products,
    params: &mut [f64],
) -> Option<f64> {
    if projection.separable.n_terms() > MOST_LINEAR {
        return None;
    }
    let reduced = reduce(projection, space, params, products, &[])?;
    let place = params.to_vec();
    put_back(projection, space, &place, &reduced, products, params).then_some(reduced.value)
}

/// Programs of basis functions are free of their amplitudes but for those in logarithms, which must be 0.
pub(crate) fn without_amplitudes(projection: &Projection<'_>, params: &[f64]) -> Vec<f64> {
    let mut place = params.to_vec();
    for amplitude in &projection.separable.amplitudes {
        place[amplitude.parameter] = 0.0;
    }
    place
}

/// Writes the solution into `params`; false where an amplitude is no number.
fn put_back(
    projection: &Projection<'_>,
    space: &Space,
    place: &[f64],
    reduced: &Reduced,
    products: &Products,
    params: &mut [f64],
) -> bool {
    let separable = projection.separable;
    let is_free = |j: usize| space.free.contains(&j);
    let amplitudes = || {
        let all = separable.amplitudes.iter().zip(reduced.coefficients).zip(&products.shifts).enumerate();
        all.filter(|(_, ((a, _), _))| is_free(a.parameter)).map(|(t, ((a, c), shift))| {
            // A term of nothing has no logarithm: it gets next to nothing.
            let least = LEAST_SHARE * (projection.square / products.at(t, t)).sqrt();
            let value =
                if a.is_log { special::ln::<Plain>(c.max(least)) - shift } else { c * special::exp::<Plain>(-shift) };
            (a, value)
        })
    };
    if amplitudes().any(|(_, value)| !value.is_finite()) {
        return false;
    }
    for &j in separable.nonlinear.iter().filter(|&&j| is_free(j)) {
        params[j] = place[j];
    }
    for (a, value) in amplitudes() {
        params[a.parameter] = space.clamp(a.parameter, value);
    }
    true
}

#[expect(clippy::too_many_arguments, reason = "the state of one search")]
fn descend(
    projection: &Projection<'_>,
    space: &Space,
    params: &[f64],
    moving: &[usize],
    place: &mut [f64],
    reduced: &mut Reduced,
    [here, there]: [&mut Products; 2],
    workspace: &mut Workspace,
) {
    let separable = projection.separable;
    let m = moving.len();
    if m == 0 {
        return;
    }
    let metric = metric(projection, here, moving);
    let largest = (0..m).map(|a| reduced.curvature[a * m + a] / metric[a]).fold(f64::MIN_POSITIVE, f64::max);
    let mut lambda = FIRST_DAMPING * largest;
    let floor = ROUNDING * projection.square;
    let mut next = place.to_vec();
    for _ in 0..MOST_STEPS {
        if projection.problem.is_cancelled() {
            return;
        }
        workspace.n_iterations += 1;
        let Some((step, predicted)) = damped(projection, space, place, reduced, moving, &metric, lambda) else {
            lambda = (lambda * RAISE).max(1e-9 * largest);
            if lambda > MOST_DAMPING * largest {
                return;
            }
            continue;
        };
        if predicted <= floor {
            return;
        }
        next.copy_from_slice(place);
        for (&q, s) in moving.iter().zip(step) {
            let j = separable.nonlinear[q];
            next[j] = space.clamp(j, place[j] + s);
        }
        projection.products(&next, true, &mut workspace.scratch, there);
        workspace.n_evaluations += 1;
        match reduce(projection, space, params, there, moving) {
            Some(trial) if trial.value < reduced.value => {
                place.copy_from_slice(&next);
                *reduced = trial;
                std::mem::swap(here, there);
                if predicted <= ENOUGH * reduced.value {
                    return;
                }
                lambda /= LOWER;
            }
            _ => {
                if predicted <= ENOUGH * reduced.value {
                    return;
                }
                lambda = (lambda * RAISE).max(1e-9 * largest);
                if lambda > MOST_DAMPING * largest {
                    return;
                }
            }
        }
    }
}

/// For each moving parameter the mean square of `∂ ln g` over the basis functions that it is in.
fn metric(projection: &Projection<'_>, products: &Products, moving: &[usize]) -> [f64; MOST_NONLINEAR] {
    let separable = projection.separable;
    let n_terms = separable.n_terms();
    let mut out = [1.0; MOST_NONLINEAR];
    for (unit, &q) in out.iter_mut().zip(moving) {
        let (mut slopes, mut values) = (0.0, 0.0);
        for (s, &(t, _)) in separable.slots.iter().enumerate().filter(|(_, slot)| slot.1 == q) {
            slopes += products.at(n_terms + s, n_terms + s);
            values += products.at(t, t);
        }
        let ratio = slopes / values;
        if ratio.is_finite() && ratio > 0.0 {
            *unit = ratio;
        }
    }
    out
}

/// A damped step of the moving parameters, those pushed against a bound left where they are, and what it promises.
fn damped(
    projection: &Projection<'_>,
    space: &Space,
    place: &[f64],
    reduced: &Reduced,
    moving: &[usize],
    metric: &[f64],
    lambda: f64,
) -> Option<([f64; MOST_NONLINEAR], f64)> {
    let m = moving.len();
    let is_held = |a: usize| {
        let j = projection.separable.nonlinear[moving[a]];
        let g = reduced.gradient[a];
        (place[j] <= space.lower[j] && g >= 0.0) || (place[j] >= space.upper[j] && g <= 0.0)
    };
    let mut matrix = [0.0; MOST_NONLINEAR * MOST_NONLINEAR];
    let mut step = [0.0; MOST_NONLINEAR];
    for a in 0..m {
        for b in 0..m {
            let is_open = !is_held(a) && !is_held(b);
            matrix[a * m + b] = if is_open { reduced.curvature[a * m + b] } else { 0.0 };
        }
        matrix[a * m + a] += if is_held(a) { 1.0 } else { lambda * metric[a] };
        step[a] = if is_held(a) { 0.0 } else { -reduced.gradient[a] };
    }
    if !factor(&mut matrix[..m * m], m) {
        return None;
    }
    solve(&matrix[..m * m], m, &mut step[..m]);
    let mut predicted = 0.0;
    for a in 0..m {
        let curved: f64 = (0..m).map(|b| reduced.curvature[a * m + b] * step[b]).sum();
        predicted -= step[a] * (reduced.gradient[a] + 0.5 * curved);
    }
    predicted.is_finite().then_some((step, predicted))
}

/// Amplitudes within their bounds by least squares, and the derivatives of what is left by the moving parameters.
fn reduce(
    projection: &Projection<'_>,
    space: &Space,
    params: &[f64],
    products: &Products,
    moving: &[usize],
) -> Option<Reduced> {
    if !products.right.iter().chain(&products.gram).all(|v| v.is_finite()) {
        return None;
    }
    let separable = projection.separable;
    let n_terms = separable.n_terms();
    let mut linear = Linear::new(projection, space, params, products);
    linear.solve(products);
    let c = &linear.coefficients;
    let mut value = projection.square;
    for t in 0..n_terms {
        let inside: f64 = (0..n_terms).map(|u| products.at(t, u) * c[u]).sum();
        value += c[t] * (inside - 2.0 * products.right[t]);
    }
    let mut out = Reduced {
        // What is below rounding is 0: differences of such squares say nothing.
        value: 0.5 * value.max(0.0),
        coefficients: *c,
        gradient: [0.0; MOST_NONLINEAR],
        curvature: [0.0; MOST_NONLINEAR * MOST_NONLINEAR],
    };
    let m = moving.len();
    let mut cross = [[0.0; MOST_LINEAR]; MOST_NONLINEAR];
    for (a, &q) in moving.iter().enumerate() {
        for (s, &(t, _)) in separable.slots.iter().enumerate().filter(|(_, slot)| slot.1 == q) {
            let k = n_terms + s;
            // Terms stand before slopes, so this is their place in the upper triangle.
            let with_terms = |u: usize| products.gram[u * products.n + k];
            let mut inside = 0.0;
            for (u, c) in c[..n_terms].iter().enumerate() {
                inside += with_terms(u) * c;
            }
            out.gradient[a] += c[t] * (inside - products.right[k]);
            for (place, &u) in cross[a].iter_mut().zip(&linear.solved[..linear.n_solved]) {
                *place += c[t] * with_terms(u);
            }
            for (b, &r) in moving.iter().enumerate().skip(a) {
                for (s2, &(t2, _)) in separable.slots.iter().enumerate().filter(|(_, slot)| slot.1 == r) {
                    out.curvature[a * m + b] += c[t] * c[t2] * products.at(k, n_terms + s2);
                }
            }
        }
        linear.half_solve(&mut cross[a]);
    }
    for a in 0..m {
        for b in a..m {
            let pairs = cross[a][..linear.n_solved].iter().zip(&cross[b]);
            let taken: f64 = pairs.map(|(x, y)| x * y).sum();
            out.curvature[a * m + b] -= taken;
            out.curvature[b * m + a] = out.curvature[a * m + b];
        }
    }
    out.value.is_finite().then_some(out)
}

/// Least squares for the free amplitudes within their bounds.
struct Linear {
    coefficients: [f64; MOST_LINEAR],
    lower: [f64; MOST_LINEAR],
    upper: [f64; MOST_LINEAR],
    /// Free amplitudes.
    free: [bool; MOST_LINEAR],
    n_terms: usize,
    /// Those at no bound and not collinear, with the Cholesky factor of their products.
    solved: [usize; MOST_LINEAR],
    n_solved: usize,
    l: [f64; MOST_LINEAR * MOST_LINEAR],
}

impl Linear {
    fn new(projection: &Projection<'_>, space: &Space, params: &[f64], products: &Products) -> Linear {
        let separable = projection.separable;
        let mut out = Linear {
            coefficients: [0.0; MOST_LINEAR],
            lower: [f64::NEG_INFINITY; MOST_LINEAR],
            upper: [f64::INFINITY; MOST_LINEAR],
            free: [false; MOST_LINEAR],
            n_terms: separable.n_terms(),
            solved: [0; MOST_LINEAR],
            n_solved: 0,
            l: [0.0; MOST_LINEAR * MOST_LINEAR],
        };
        if separable.has_rest {
            let last = separable.amplitudes.len();
            out.coefficients[last] = special::exp::<Plain>(products.shifts[last]);
        }
        for (t, a) in separable.amplitudes.iter().enumerate() {
            let j = a.parameter;
            // In the units of the shifted basis function.
            let unit = special::exp::<Plain>(products.shifts[t]);
            let natural = |x: f64| {
                let c = if a.is_log { special::exp::<Plain>(x) } else { x };
                if c == 0.0 { 0.0 } else { c * unit }
            };
            out.free[t] = space.free.contains(&j);
            (out.lower[t], out.upper[t]) = (natural(space.lower[j]), natural(space.upper[j]));
            if !out.free[t] {
                out.coefficients[t] = natural(params[j]);
            }
        }
        out
    }

    /// Active-set least squares: whoever leaves its bounds is held there, whoever wants to come back is let go.
    fn solve(&mut self, products: &Products) {
        let n = self.n_terms;
        let mut held = [false; MOST_LINEAR];
        for round in 0..4 * n {
            self.solve_open(products, &held);
            let mut worst = (0.0, None);
            for &t in &self.solved[..self.n_solved] {
                let c = self.coefficients[t];
                let out = (self.lower[t] - c).max(c - self.upper[t]) * products.at(t, t).sqrt();
                if out > worst.0 {
                    worst = (out, Some(t));
                }
            }
            if let (_, Some(t)) = worst {
                held[t] = true;
                self.coefficients[t] = self.coefficients[t].max(self.lower[t]).min(self.upper[t]);
                continue;
            }
            // In the last rounds nobody is let go, so that this ends.
            let mut eager = (0.0, None);
            for t in (0..n).filter(|&t| held[t] && round < 2 * n) {
                let slope: f64 =
                    (0..n).map(|u| products.at(t, u) * self.coefficients[u]).sum::<f64>() - products.right[t];
                let size = products.at(t, t).sqrt();
                let inward = if self.coefficients[t] <= self.lower[t] { -slope } else { slope } / size;
                if inward > eager.0 && inward > 1e-12 * products.right[t].abs() / size {
                    eager = (inward, Some(t));
                }
            }
            let Some(t) = eager.1 else { return };
            held[t] = false;
        }
    }

    /// Least squares for the amplitudes that are not held; one that is collinear with earlier ones is 0, or its bound.
    fn solve_open(&mut self, products: &Products, held: &[bool]) {
        let n = self.n_terms;
        self.n_solved = 0;
        let mut right = [0.0; MOST_LINEAR];
        for t in (0..n).filter(|&t| self.free[t] && !held[t]) {
            self.coefficients[t] = 0.0_f64.max(self.lower[t]).min(self.upper[t]);
        }
        for t in (0..n).filter(|&t| self.free[t] && !held[t]) {
            let k = self.n_solved;
            let mut row = [0.0; MOST_LINEAR];
            for i in 0..k {
                let inside: f64 = (0..i).map(|h| row[h] * self.l[i * MOST_LINEAR + h]).sum();
                row[i] = (products.at(t, self.solved[i]) - inside) / self.l[i * MOST_LINEAR + i];
            }
            let left = products.at(t, t) - row[..k].iter().map(|x| x * x).sum::<f64>();
            if left > COLLINEAR * products.at(t, t) && left > 0.0 {
                row[k] = left.sqrt();
                self.l[k * MOST_LINEAR..][..=k].copy_from_slice(&row[..=k]);
                self.solved[k] = t;
                self.n_solved += 1;
            }
        }
        let mut is_fixed = [true; MOST_LINEAR];
        for &t in &self.solved[..self.n_solved] {
            is_fixed[t] = false;
        }
        for (place, &t) in right.iter_mut().zip(&self.solved[..self.n_solved]) {
            let mut fixed = 0.0;
            if self.n_solved < n {
                for u in (0..n).filter(|&u| is_fixed[u]) {
                    fixed += products.at(t, u) * self.coefficients[u];
                }
            }
            *place = products.right[t] - fixed;
        }
        self.half_solve(&mut right);
        for i in (0..self.n_solved).rev() {
            let later: f64 = (i + 1..self.n_solved).map(|h| self.l[h * MOST_LINEAR + i] * right[h]).sum();
            right[i] = (right[i] - later) / self.l[i * MOST_LINEAR + i];
        }
        for (&t, c) in self.solved[..self.n_solved].iter().zip(right) {
            self.coefficients[t] = c;
        }
    }

    /// Replaces b by the solution of L x = b.
    fn half_solve(&self, b: &mut [f64; MOST_LINEAR]) {
        for i in 0..self.n_solved {
            let earlier: f64 = (0..i).map(|h| self.l[i * MOST_LINEAR + h] * b[h]).sum();
            b[i] = (b[i] - earlier) / self.l[i * MOST_LINEAR + i];
        }
    }
}
