//! Many groups of problems, and replicates of each, in one call.

use crate::error::Error;
use crate::linalg::solve;
use crate::mixture::Counts;
use crate::mixture::MOST;
use crate::mixture::Mixing;
use crate::mixture::MixingVisitor;
use crate::mixture::MixtureKind;
use crate::mixture::beta::Beta;
use crate::mixture::moments::starts;
use crate::mixture::newton::Found;
use crate::mixture::newton::MOST_LOGIT;
use crate::mixture::newton::Weighted;
use crate::mixture::newton::climb;
use crate::mixture::newton::curvature;
use crate::rng::Purpose;
use crate::rng::stream;
use crate::run::Monitor;
use crate::run::map_in_order;
use crate::status::Status;

/// Groups of problems. Group i has the problems `offsets[i]` to `offsets[i + 1]`.
#[derive(Clone, Copy, Debug)]
pub struct MixtureSpec<'a> {
    /// The distribution.
    pub kind: MixtureKind,
    /// Samples of each problem, whole.
    pub n: &'a [f64],
    /// Successes of each problem, whole, at most `n`.
    pub s: &'a [f64],
    /// Where groups begin, and the end of the last.
    pub offsets: &'a [usize],
    /// The upper end c of each group's distribution; NaN for min(1, (m + 1) / m × the largest s / n) of m problems.
    pub scale: &'a [f64],
    /// Key of each problem: problems of one key get the same weight in a replicate.
    pub keys: &'a [u64],
    /// Replicates with Bayesian weights over problems.
    pub n_replicates: usize,
    /// Seed of the weights.
    pub seed: u64,
    /// Threads.
    pub n_threads: usize,
}

/// How one group's fit ended. Parameters are the solver's coordinates: logit of the share, logarithms of a and b.
#[derive(Clone, Debug)]
pub struct MixtureFit {
    /// Coordinates, (P,).
    pub at: Vec<f64>,
    /// Their covariance from the observed information, (P, P); NaN where there is none.
    pub covariance: Vec<f64>,
    /// Log-likelihood without the binomial coefficients.
    pub log_likelihood: f64,
    /// The largest slope by a coordinate.
    pub slope: f64,
    /// c.
    pub scale: f64,
    /// How it ended.
    pub status: Status,
    /// Newton steps from all starts.
    pub n_iterations: usize,
    /// Coordinates of each replicate, (R, P).
    pub replicates: Vec<f64>,
    /// How each replicate ended.
    pub replicate_status: Vec<Status>,
}

/// Fits every group. The results are the same for any number of threads.
///
/// # Errors
/// [`Error::Argument`] for counts that mean nothing, [`Error::Cancelled`] if `monitor` says so.
pub fn run(spec: &MixtureSpec<'_>, monitor: &Monitor) -> Result<Vec<MixtureFit>, Error> {
    check(spec)?;
    let n_groups = spec.offsets.len() - 1;
    monitor.expect(n_groups as u64);
    let fits = map_in_order(n_groups, 1, spec.n_threads, monitor, |(): &mut (), group| {
        spec.kind.visit(OneGroup { spec, group, monitor })
    });
    if monitor.is_cancelled() { Err(Error::Cancelled) } else { Ok(fits) }
}

fn check(spec: &MixtureSpec<'_>) -> Result<(), Error> {
    let n_problems = spec.n.len();
    let is_cut = spec.offsets.first() == Some(&0)
        && spec.offsets.last() == Some(&n_problems)
        && spec.offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    if !is_cut || spec.s.len() != n_problems || spec.keys.len() != n_problems {
        return Err(Error::argument("offsets", "they must rise from 0 to the number of problems"));
    }
    if spec.scale.len() + 1 != spec.offsets.len() {
        return Err(Error::argument("scale", "one for each group"));
    }
    for (i, (n, s)) in spec.n.iter().zip(spec.s).enumerate() {
        let is_count = *n >= 1.0 && *n <= 1e12 && n.fract() == 0.0 && *s >= 0.0 && s.fract() == 0.0 && s <= n;
        if !is_count {
            let message =
                format!("problem {i} has {s} of {n}: counts are whole, from 0 to n_samples, and that at least 1");
            return Err(Error::argument("n_correct", message));
        }
    }
    Ok(())
}

struct OneGroup<'a> {
    spec: &'a MixtureSpec<'a>,
    group: usize,
    monitor: &'a Monitor,
}

/// Equal problems together, in the order of n and s, and which of them each problem is.
fn grouped(n: &[f64], s: &[f64]) -> (Vec<Counts>, Vec<usize>) {
    let mut order: Vec<usize> = (0..n.len()).collect();
    order.sort_by(|&i, &j| n[i].total_cmp(&n[j]).then(s[i].total_cmp(&s[j])));
    let mut counts: Vec<Counts> = Vec::new();
    let mut of_problem = vec![0; n.len()];
    for i in order {
        let this = Counts { n: n[i], s: s[i] };
        if counts.last() != Some(&this) {
            counts.push(this);
        }
        of_problem[i] = counts.len() - 1;
    }
    (counts, of_problem)
}

fn summed(of_problem: &[usize], n_counts: usize, weight: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut weights = vec![0.0; n_counts];
    for (i, &counts) in of_problem.iter().enumerate() {
        weights[counts] += weight(i);
    }
    weights
}

impl MixingVisitor for OneGroup<'_> {
    type Out = MixtureFit;

    fn visit<M: Mixing>(self) -> MixtureFit {
        let spec = self.spec;
        let (p, range) = (M::PARAMETERS.len(), spec.offsets[self.group]..spec.offsets[self.group + 1]);
        let (n, s, keys) = (&spec.n[range.clone()], &spec.s[range.clone()], &spec.keys[range]);
        let (counts, of_problem) = grouped(n, s);
        let weights = summed(&of_problem, counts.len(), |_| 1.0);
        let scale = if M::HAS_SCALE { scale_of(spec.scale[self.group], n, s) } else { 1.0 };
        let problem = Weighted { counts: &counts, weights: &weights, scale };
        let best = best::<M>(&problem, n.len());
        let has_fit = best.status.is_success();
        let mut fit = MixtureFit {
            at: best.at[..p].to_vec(),
            covariance: vec![f64::NAN; p * p],
            log_likelihood: best.value.value,
            slope: best.value.score[..p].iter().fold(0.0_f64, |most, s| most.max(s.abs())),
            scale,
            status: best.status,
            n_iterations: best.n_iterations,
            replicates: Vec::with_capacity(spec.n_replicates * p),
            replicate_status: Vec::with_capacity(spec.n_replicates),
        };
        if has_fit {
            covariance(&best, p, &mut fit.covariance);
        }
        for replicate in 0..spec.n_replicates {
            if self.monitor.is_cancelled() {
                break;
            }
            let index = u32::try_from(replicate).unwrap_or(u32::MAX);
            let draw = |i: usize| stream(spec.seed, keys[i], index, Purpose::Resample).exponential();
            let mut drawn = summed(&of_problem, counts.len(), draw);
            let factor = n.len() as f64 / drawn.iter().sum::<f64>();
            for weight in &mut drawn {
                *weight *= factor;
            }
            let resampled = Weighted { counts: &counts, weights: &drawn, scale };
            let warm = if best.status == Status::Converged { Some(climb::<M>(best.at, &resampled)) } else { None };
            let end = match warm {
                Some(end) if end.status == Status::Converged => end,
                _ if has_fit => self::best::<M>(&resampled, n.len()),
                _ => best,
            };
            fit.replicates.extend_from_slice(&end.at[..p]);
            fit.replicate_status.push(end.status);
        }
        self.monitor.tick(1);
        fit
    }
}

/// The authors' rule for c, unless one is given: the largest of m uniform numbers is m / (m + 1) of their end in the mean.
fn scale_of(given: f64, n: &[f64], s: &[f64]) -> f64 {
    if given.is_finite() {
        return given;
    }
    let most = n.iter().zip(s).map(|(n, s)| s / n).fold(0.0, f64::max);
    let m = n.len() as f64;
    if most > 0.0 { (most * (m + 1.0) / m).min(1.0) } else { 1.0 }
}

/// The best maximum from all starts; without spread in the counts there is none to look for.
fn best<M: Mixing>(problem: &Weighted<'_>, n_problems: usize) -> Found {
    let p = M::PARAMETERS.len();
    let starts = starts::<M>(problem.counts, problem.weights, problem.scale);
    let nowhere = |status| Found {
        at: [f64::NAN; MOST],
        value: problem.evaluate::<M>(&[f64::NAN; MOST]),
        status,
        n_iterations: 0,
    };
    if n_problems < p {
        return nowhere(Status::TooFewRows);
    }
    let is_all = |of: &dyn Fn(&Counts) -> bool| problem.counts.iter().all(of);
    if is_all(&|c| c.s == 0.0) || is_all(&|c| c.s == c.n) {
        return nowhere(Status::Unidentified);
    }
    let mut ends: Vec<Found> = starts.into_iter().map(|start| climb::<M>(start, problem)).collect();
    if p == MOST {
        ends.push(without_share::<M>(problem));
    }
    let n_iterations = ends.iter().map(|end| end.n_iterations).sum();
    let finite = |end: &Found| if end.value.value.is_finite() { end.value.value } else { f64::NEG_INFINITY };
    let highest = ends.iter().map(finite).fold(f64::NEG_INFINITY, f64::max);
    // Of ends that are equally high, within rounding, a maximum says more than a search that lost its way.
    let near = highest - 1e-9 * (1.0 + highest.abs());
    let mut order: Vec<&Found> = ends.iter().filter(|end| finite(end) >= near).collect();
    order.sort_by(|x, y| x.status.cmp(&y.status).then(finite(y).total_cmp(&finite(x))));
    order.first().map_or_else(|| nowhere(Status::NotFinite), |end| Found { n_iterations, ..**end })
}

/// The fit with a share of 0, which is the plain Beta's: a maximum if the likelihood falls from there.
fn without_share<M: Mixing>(problem: &Weighted<'_>) -> Found {
    let found = best::<Beta>(problem, 2);
    let at = [-MOST_LOGIT, found.at[0], found.at[1]];
    let value = problem.evaluate::<M>(&at);
    let status = match found.status {
        // The slope by the share itself: the one by its logit is the share times it.
        Status::Converged if value.score[0] <= 0.0 => Status::ConvergedAtBound,
        Status::Converged => Status::Stalled,
        other => other,
    };
    Found { at, value, status, n_iterations: found.n_iterations }
}

/// The inverse of the observed information, of the free coordinates alone.
fn covariance(found: &Found, p: usize, out: &mut [f64]) {
    let first = usize::from(found.status == Status::ConvergedAtBound);
    let free = p - first;
    let mut inner = found.value;
    for i in 0..free {
        for j in 0..free {
            inner.curvature[i][j] = found.value.curvature[i + first][j + first];
        }
    }
    let Some(matrix) = curvature(&inner, free, 0.0, 0.0) else { return };
    for j in 0..free {
        let mut column = vec![0.0; free];
        column[j] = 1.0;
        solve(&matrix, free, &mut column);
        for (i, value) in column.into_iter().enumerate() {
            out[(i + first) * p + j + first] = value;
        }
    }
}
