//! Covariance in coordinates in which the curvature of the objective is the identity.
//!
//! There the leverage of a row is its squared length, and leaving rows out takes a matrix from the identity.

use crate::covariance::Covariance;
use crate::covariance::Gap;
use crate::covariance::identify::Basis;
use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Plain;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::linalg::dot;
use crate::linalg::factor;
use crate::linalg::solve;

/// What priors add below the rows: the last rows of the coordinates, each with the slope 1.
#[derive(Clone, Debug)]
pub(super) struct Priors {
    /// √v (θ − mean) / sd.
    pub(super) pulls: Vec<f64>,
    /// The noise variance v of a row of weight 1: what a pull might have been over the errors that its mean may have.
    pub(super) variance: f64,
}

/// The rows at the minimum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    /// The exact curvature, (moving, moving), in place of that of reweighted squares: of a likelihood, whose inverse is the
    /// classical covariance as it is.
    pub(super) curvature: Option<&'a [f64]>,
    pub(super) weights: &'a [f64],
    /// First and second derivatives of the loss.
    pub(super) psi: &'a [f64],
    pub(super) slopes: &'a [f64],
    pub(super) clusters: Option<&'a [i64]>,
    pub(super) priors: &'a Priors,
}

impl Rows<'_> {
    fn len(&self) -> usize {
        self.psi.len()
    }

    /// √w ψ of a row or a prior.
    fn pull(&self, i: usize) -> f64 {
        if i < self.len() { self.weights[i].sqrt() * self.psi[i] } else { self.priors.pulls[i - self.len()] }
    }
}

/// A covariance that exists.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    /// Row-major over the moving parameters.
    pub(super) covariance: Vec<f64>,
    pub(super) dof: f64,
}

/// What must be left of the identity when rows are left out; leverages are sums of squares near 1, right to 1e-14.
const LEAST_LEFT: f64 = 1e-10;

/// The covariance of the moving parameters, or why there is none. A Newton step longer than `most_step` means that the
/// place is no minimum.
///
/// With priors it is that of the estimator, whose data and whose prior means both might have come out otherwise. Where the
/// variance v that the priors are weighed with is the noise of the rows, s², all of it is s² (`JᵀWJ` + s²Λ)⁻¹.
pub(super) fn estimate(
    level: Level,
    kind: Covariance,
    basis: Basis,
    rows: &Rows<'_>,
    most_step: f64,
) -> Result<Estimate, Gap> {
    dispatch(level, Sandwich { kind, basis, rows, most_step })
}

struct Sandwich<'a> {
    kind: Covariance,
    basis: Basis,
    rows: &'a Rows<'a>,
    most_step: f64,
}

impl Work for Sandwich<'_> {
    type Out = Result<Estimate, Gap>;

    #[inline(always)]
    fn run<A: Arith>(self) -> Result<Estimate, Gap> {
        let Sandwich { kind, basis, rows, most_step } = self;
        estimate_at::<A>(kind, basis, rows, most_step)
    }
}

#[inline(always)]
fn estimate_at<A: Arith>(kind: Covariance, basis: Basis, rows: &Rows<'_>, most_step: f64) -> Result<Estimate, Gap> {
    let Basis { mut z, n, rank, mut to_params, m } = basis;
    if rank == 0 {
        return Err(Gap::NothingMoves);
    }
    if n <= rank {
        return Err(Gap::TooFewRows);
    }
    let groups = rows.clusters.map(Groups::new);
    let n_clusters = groups.as_ref().map_or(0, Groups::len);
    if kind.needs_clusters() && n_clusters < 2 {
        return Err(Gap::TooFewClusters);
    }
    let n_rows = rows.len();
    let mut bread = match rows.curvature {
        Some(curvature) => inside(&to_params, curvature, m, rank),
        None => curvature::<A>(&z, rows, n, rank),
    };
    let mut is_curved = factor(&mut bread, rank);
    if most_step.is_finite() && !(is_curved && newton(&bread, rank, score(&z, rows, n, rank, &(0..n))) <= most_step) {
        return Err(Gap::NoMinimum);
    }
    if kind == Covariance::Classical && rows.curvature.is_none() {
        // A loss that redescends has a mean slope below 0 where most residuals are far out: no minimum to speak of.
        let mean_slope = rows.slopes.iter().sum::<f64>() / n_rows as f64;
        bread = even::<A>(&z, n, rank, n_rows, [mean_slope, 1.0]);
        is_curved = mean_slope > 0.0 && factor(&mut bread, rank);
    }
    if !is_curved {
        return Err(Gap::NoCurvature);
    }
    whiten::<A>(&mut z, n, rank, &bread);
    whiten::<A>(&mut to_params, m, rank, &bread);
    // How many coordinates the rows alone determine: all of them without a prior.
    let by_priors: f64 = (n_rows..n).map(|i| square(&z, n, rank, i)).sum();
    let freedom = n_rows as f64 - (rank as f64 - by_priors);
    if freedom < LEAST_LEFT {
        return Err(Gap::TooFewRows);
    }
    let mut middle = match (kind, &groups) {
        (Covariance::Classical, _) if rows.curvature.is_some() => identity(rank),
        (Covariance::Cr1, Some(groups)) => by_cluster(&z, rows, n, rank, groups, freedom),
        (Covariance::Cr3, Some(groups)) => without_cluster(&z, rows, n, rank, groups)?,
        _ => by_row::<A>(kind, &z, rows, n, rank, freedom)?,
    };
    for i in n_rows..n {
        let row: Vec<f64> = (0..rank).map(|k| z[k * n + i]).collect();
        add_outer(&mut middle, &row, rows.priors.variance);
    }
    let covariance = between(&to_params, &middle, m, rank);
    if !covariance.iter().all(|value| value.is_finite()) {
        return Err(Gap::NoCurvature);
    }
    let dof = if kind.needs_clusters() { (n_clusters - 1) as f64 } else { freedom };
    Ok(Estimate { covariance, dof })
}

/// Σ fᵢ (√wᵢ ψᵢ)² zᵢ zᵢᵀ with the factors of the HC family; the classical one has the mean of (√w ψ)² in its place.
#[inline(always)]
fn by_row<A: Arith>(
    kind: Covariance,
    z: &[f64],
    rows: &Rows<'_>,
    n: usize,
    rank: usize,
    freedom: f64,
) -> Result<Vec<f64>, Gap> {
    let n_rows = rows.len();
    let squared = |i: usize| rows.weights[i] * rows.psi[i] * rows.psi[i];
    if kind == Covariance::Classical {
        let variance = (0..n_rows).map(squared).sum::<f64>() / freedom;
        return Ok(even::<A>(z, n, rank, n_rows, [variance, 0.0]));
    }
    let power = match kind {
        Covariance::Hc2 => 1,
        Covariance::Hc3 => 2,
        _ => 0,
    };
    let all = if kind == Covariance::Hc1 { n_rows as f64 / freedom } else { 1.0 };
    let mut needed = None;
    let mut middle = vec![0.0; rank * rank];
    let (mut left, mut weights) = ([0.0; BLOCK], [0.0; BLOCK]);
    // Of priors nothing is squared here.
    for first in (0..n_rows).step_by(BLOCK) {
        let length = BLOCK.min(n_rows - first);
        let (left, weights) = (&mut left[..length], &mut weights[..length]);
        left.fill(0.0);
        for k in 0..rank {
            for (left, z) in left.iter_mut().zip(&z[k * n + first..]) {
                *left = A::mul_add(*z, *z, *left);
            }
        }
        for (left, slope) in left.iter_mut().zip(&rows.slopes[first..]) {
            *left = if power > 0 { 1.0 - slope * *left } else { 1.0 };
        }
        needed = needed.or_else(|| left.iter().position(|left| *left < LEAST_LEFT).map(|i| first + i));
        for ((weight, w), psi) in weights.iter_mut().zip(&rows.weights[first..]).zip(&rows.psi[first..]) {
            *weight = all * w * psi * psi;
        }
        for (weight, left) in weights.iter_mut().zip(&*left) {
            *weight /= if power == 2 { left * left } else { *left };
        }
        add_block::<A>(z, n, first, weights, &mut middle);
    }
    mirror(&mut middle, rank);
    needed.map_or(Ok(middle), |row| Err(Gap::NeedsRow(row)))
}

/// G / (G − 1) × (n − 1) / (n − p) × Σ s sᵀ over clusters.
fn by_cluster(z: &[f64], rows: &Rows<'_>, n: usize, rank: usize, groups: &Groups, freedom: f64) -> Vec<f64> {
    let n_clusters = groups.len() as f64;
    let factor = n_clusters / (n_clusters - 1.0) * (rows.len() - 1) as f64 / freedom;
    let mut middle = vec![0.0; rank * rank];
    for members in groups.iter() {
        let s = score(z, rows, n, rank, &members.iter().copied());
        add_outer(&mut middle, &s, factor);
    }
    middle
}

/// Σ δ δᵀ over clusters, with δ the Newton step that leaves the cluster out.
fn without_cluster(z: &[f64], rows: &Rows<'_>, n: usize, rank: usize, groups: &Groups) -> Result<Vec<f64>, Gap> {
    let mut middle = vec![0.0; rank * rank];
    for (g, step) in steps_without(z, rows, n, rank, groups).enumerate() {
        add_outer(&mut middle, &step.ok_or(Gap::NeedsCluster(groups.codes[g]))?, 1.0);
    }
    Ok(middle)
}

/// How √w r of each row changes, to first order, when its cluster is left out; by nothing where the others cannot do without.
pub(super) fn changes_without(basis: Basis, rows: &Rows<'_>) -> Vec<f64> {
    let Basis { mut z, n, rank, .. } = basis;
    let n_rows = rows.len();
    let mut changes = vec![0.0; n_rows];
    let mut bread = curvature::<Plain>(&z, rows, n, rank);
    let Some(groups) = rows.clusters.map(Groups::new).filter(|_| factor(&mut bread, rank)) else { return changes };
    whiten::<Plain>(&mut z, n, rank, &bread);
    for (members, step) in groups.iter().zip(steps_without(&z, rows, n, rank, &groups)) {
        let Some(step) = step else { continue };
        for &i in members {
            changes[i] = (0..rank).map(|k| z[k * n + i] * step[k]).sum();
        }
    }
    changes
}

/// For each cluster the Newton step that leaves it out, in coordinates in which the curvature is the identity; `None` where
/// the others do not determine it.
fn steps_without<'a>(
    z: &'a [f64],
    rows: &'a Rows<'_>,
    n: usize,
    rank: usize,
    groups: &'a Groups,
) -> impl Iterator<Item = Option<Vec<f64>>> + 'a {
    let mut left = vec![0.0; rank * rank];
    groups.iter().map(move |members| {
        for k in 0..rank {
            for l in 0..=k {
                let (a, b) = (&z[k * n..][..n], &z[l * n..][..n]);
                let share: f64 = members.iter().map(|&i| rows.slopes[i] * a[i] * b[i]).sum();
                left[k * rank + l] = if k == l { 1.0 - share } else { -share };
            }
        }
        let is_whole = factor(&mut left, rank) && (0..rank).all(|k| left[k * rank + k].powi(2) > LEAST_LEFT);
        is_whole.then(|| {
            let mut step = score(z, rows, n, rank, &members.iter().copied());
            solve(&left, rank, &mut step);
            step
        })
    })
}

/// zᵢᵀzᵢ.
fn square(z: &[f64], n: usize, rank: usize, i: usize) -> f64 {
    (0..rank).map(|k| z[k * n + i].powi(2)).sum()
}

/// Σ √w ψ z over some rows.
fn score(
    z: &[f64],
    rows: &Rows<'_>,
    n: usize,
    rank: usize,
    members: &(impl Iterator<Item = usize> + Clone),
) -> Vec<f64> {
    let of = |k: usize| members.clone().map(move |i| rows.pull(i) * z[k * n + i]).sum();
    (0..rank).map(of).collect()
}

/// The length of the Newton step against this score, where the curvature has the factor `l`, in coordinates in which the
/// curvature is the identity.
fn newton(l: &[f64], rank: usize, mut score: Vec<f64>) -> f64 {
    for k in 0..rank {
        let known: f64 = (0..k).map(|j| l[k * rank + j] * score[j]).sum();
        score[k] = (score[k] - known) / l[k * rank + k];
    }
    score.iter().map(|s| s * s).sum::<f64>().sqrt()
}

fn add_outer(matrix: &mut [f64], s: &[f64], factor: f64) {
    for (row, a) in matrix.chunks_exact_mut(s.len()).zip(s) {
        for (value, b) in row.iter_mut().zip(s) {
            *value += factor * (a * b);
        }
    }
}

/// Rows at a time.
const BLOCK: usize = 256;

/// `ZᵀSZ` with the slopes of the rows, 1 for priors.
#[inline(always)]
fn curvature<A: Arith>(z: &[f64], rows: &Rows<'_>, n: usize, rank: usize) -> Vec<f64> {
    let mut out = vec![0.0; rank * rank];
    let mut weights = [0.0; BLOCK];
    for first in (0..n).step_by(BLOCK) {
        let weights = &mut weights[..BLOCK.min(n - first)];
        weights.fill(1.0);
        weights.iter_mut().zip(&rows.slopes[first.min(rows.len())..]).for_each(|(weight, slope)| *weight = *slope);
        add_block::<A>(z, n, first, weights, &mut out);
    }
    mirror(&mut out, rank);
    out
}

/// `ZᵀVZ` where all rows weigh alike, and all priors.
#[inline(always)]
fn even<A: Arith>(z: &[f64], n: usize, rank: usize, n_rows: usize, [of_rows, of_priors]: [f64; 2]) -> Vec<f64> {
    let mut out = vec![0.0; rank * rank];
    let mut weights = [0.0; BLOCK];
    for first in (0..n).step_by(BLOCK) {
        let weights = &mut weights[..BLOCK.min(n - first)];
        let (rows, priors) = weights.split_at_mut(n_rows.saturating_sub(first).min(weights.len()));
        rows.fill(of_rows);
        priors.fill(of_priors);
        add_block::<A>(z, n, first, weights, &mut out);
    }
    mirror(&mut out, rank);
    out
}

/// Adds `ZᵀVZ` of the rows from `first` on, whose weights these are, to the upper triangle of `out`.
#[inline(always)]
fn add_block<A: Arith>(z: &[f64], n: usize, first: usize, weights: &[f64], out: &mut [f64]) {
    let rank = z.len() / n;
    let mut scaled = [0.0; BLOCK];
    let scaled = &mut scaled[..weights.len()];
    let column = |k: usize| &z[k * n + first..][..weights.len()];
    for k in 0..rank {
        scaled.iter_mut().zip(weights).zip(column(k)).for_each(|((s, w), a)| *s = w * a);
        for l in k..rank {
            out[k * rank + l] += dot::<A>(scaled, column(l));
        }
    }
}

/// Copies the upper triangle to the lower one.
fn mirror(out: &mut [f64], rank: usize) {
    for k in 0..rank {
        for l in 0..k {
            out[k * rank + l] = out[l * rank + k];
        }
    }
}

/// `Tᵀ H T` for T given by `rank` columns of `m` values.
fn inside(to_params: &[f64], curvature: &[f64], m: usize, rank: usize) -> Vec<f64> {
    let mut out = vec![0.0; rank * rank];
    for k in 0..rank {
        let column = &to_params[k * m..][..m];
        let image: Vec<f64> = (0..m).map(|i| (0..m).map(|j| curvature[i * m + j] * column[j]).sum::<f64>()).collect();
        for l in 0..rank {
            out[l * rank + k] = to_params[l * m..][..m].iter().zip(&image).map(|(a, b)| a * b).sum();
        }
    }
    out
}

fn identity(rank: usize) -> Vec<f64> {
    (0..rank * rank).map(|at| f64::from(u8::from(at % (rank + 1) == 0))).collect()
}

/// Columns × L⁻ᵀ.
#[inline(always)]
fn whiten<A: Arith>(columns: &mut [f64], n: usize, rank: usize, l: &[f64]) {
    for k in 0..rank {
        let (before, rest) = columns.split_at_mut(k * n);
        let column = &mut rest[..n];
        for (j, known) in before.chunks_exact(n).enumerate() {
            let share = l[k * rank + j];
            for (value, x) in column.iter_mut().zip(known) {
                *value = A::mul_add(-share, *x, *value);
            }
        }
        for value in column {
            *value /= l[k * rank + k];
        }
    }
}

/// `T M Tᵀ` for T given by `rank` columns of `m` values, exactly symmetric.
fn between(to_params: &[f64], middle: &[f64], m: usize, rank: usize) -> Vec<f64> {
    let mut out = vec![0.0; m * m];
    for i in 0..m {
        let half: Vec<f64> =
            (0..rank).map(|l| (0..rank).map(|k| to_params[k * m + i] * middle[k * rank + l]).sum()).collect();
        for j in 0..=i {
            let total: f64 = half.iter().enumerate().map(|(l, h)| h * to_params[l * m + j]).sum();
            out[i * m + j] = total;
            out[j * m + i] = total;
        }
    }
    out
}

/// Rows put together by cluster, clusters by code, rows of each in their order.
struct Groups {
    codes: Vec<i64>,
    order: Vec<usize>,
    ends: Vec<usize>,
}

impl Groups {
    fn new(clusters: &[i64]) -> Groups {
        let mut order: Vec<usize> = (0..clusters.len()).collect();
        order.sort_by_key(|&i| clusters[i]);
        let mut groups = Groups { codes: vec![], order, ends: vec![] };
        for (k, &i) in groups.order.iter().enumerate() {
            if groups.codes.last() == Some(&clusters[i]) {
                groups.ends.pop();
            } else {
                groups.codes.push(clusters[i]);
            }
            groups.ends.push(k + 1);
        }
        groups
    }

    fn len(&self) -> usize {
        self.codes.len()
    }

    fn iter(&self) -> impl Iterator<Item = &[usize]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, &end)| &self.order[begin..end])
    }
}

/// How many clusters there are.
pub(super) fn count(clusters: &[i64]) -> usize {
    Groups::new(clusters).len()
}
