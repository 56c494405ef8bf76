//! One fit of a batch: starts, the best of them, what it means, its resamples.

use crate::batch::certificate::Certificate;
use crate::batch::check::Plan;
use crate::batch::path::CHUNK;
use crate::batch::path::Crew;
use crate::batch::path::Path;
use crate::batch::prior::RowsAlone;
use crate::batch::prior::noise_variance;
use crate::batch::prior::redraw;
use crate::batch::results::FitResult;
use crate::batch::results::Replicates;
use crate::batch::results::Started;
use crate::batch::scale;
use crate::batch::scale::ScaleRule;
use crate::batch::spec::BatchSpec;
use crate::batch::spec::ReplicatePlan;
use crate::covariance::Gap;
use crate::covariance::Question;
use crate::covariance::assess;
use crate::dispatch::dispatch;
use crate::law::CompiledLaw;
use crate::law::Role;
use crate::law::TermRows;
use crate::objective::Curvature;
use crate::objective::Objective;
use crate::objective::Scratch;
use crate::objective::prior::Known;
use crate::objective::prior::Prior;
use crate::objective::problem::Problem;
use crate::objective::projection::Projection;
use crate::objective::rows::RawRows;
use crate::objective::rows::Rows;
use crate::objective::rows::prepare;
use crate::resample::Replicate;
use crate::rng::row_key;
use crate::run::Monitor;
use crate::run::map_in_order;
use crate::scan::Scan;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Solver;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::finish;
use crate::solver::refine;
use crate::solver::solve;
use crate::solver::tolerance;
use crate::starts;
use crate::status::Status;

/// Ends within this relative distance of the best objective are the same optimum.
pub(super) const SAME: f64 = 1e-6;
/// A condition number above which a fit that did not end is called unidentified. Usual designs have 20 to 80.
const HARDLY_IDENTIFIED: f64 = 1e5;
/// A condition number above which any fit is: all runs at one ratio of tokens to parameters have 3e7.
const UNIDENTIFIED: f64 = 1e7;

pub(super) fn fit(
    spec: &BatchSpec<'_>,
    plan: &Plan,
    index: usize,
    n_threads: usize,
    workspace: &mut Workspace,
    monitor: &Monitor,
) -> FitResult {
    let law = &*plan.law;
    let raw = raw_rows(spec, index);
    let rows = prepare(law, &raw, spec.residual, spec.level);
    let free = &plan.space.free;
    let per_fit = plan.n_starts + spec.replicates.as_ref().map_or(0, ReplicatePlan::n_replicates);
    if rows.n == 0 || rows.n + plan.known.len() < free.len() {
        monitor.tick(per_fit as u64);
        return unfitted(spec, plan, Status::TooFewRows, rows.n);
    }
    let mut problem = Problem {
        law,
        rows: &rows,
        loss: spec.loss,
        f_scale: spec.f_scale.map_or(f64::NAN, |scales| scales[index]),
        residual: spec.residual,
        free,
        level: spec.level,
        cancel: monitor.flag(),
        prior: Prior::NONE,
    };
    let options = Options { max_iterations: spec.max_iterations };
    let crew = Crew { n_threads, monitor, ticks: true };
    let sample = sampled(&rows);
    let is_fitted = spec.loss.has_scale() && problem.f_scale.is_nan() && spec.scale_rule == ScaleRule::Fitted;
    if !spec.loss.has_scale() {
        problem.f_scale = 1.0;
    }
    let mut begins = Begins {
        spec,
        plan,
        index,
        problem: Problem { rows: sample.as_ref().unwrap_or(&rows), ..problem },
        scanned: Vec::new(),
    };
    let alone = RowsAlone::new(plan, rows.n);
    let mut projection = if plan.is_separable { Projection::of(&problem) } else { None };
    if let Some(projection) = &projection
        && spec.start_rule == starts::StartRule::Auto
    {
        let fixed: Vec<f64> = spec.fixed.iter().map(|&value| if value.is_nan() { 0.0 } else { value }).collect();
        begins.scanned = begins.scan(projection).everywhere(&fixed, &mut workspace.scratch);
    }
    if problem.f_scale.is_nan() && !is_fitted {
        let crew = Crew { ticks: false, ..crew };
        problem.f_scale = scale_from_pilot(&begins, &problem, &alone, projection.as_ref(), options, crew, workspace);
        if let Some(projection) = &mut projection {
            projection.problem.f_scale = problem.f_scale;
        }
    }
    if !plan.known.is_empty() {
        let fit_alone = |rows_alone: &Problem<'_>| {
            let ends = map_in_order(plan.n_starts, CHUNK, n_threads, monitor, |workspace: &mut Workspace, s| {
                solve(rows_alone, &alone.space, &alone.begin(begins.start(s)), options, workspace).objective
            });
            ends.into_iter().filter(|objective| objective.is_finite()).fold(f64::INFINITY, f64::min)
        };
        let variance = noise_variance(spec, &problem, index, &alone, fit_alone);
        problem.prior = Prior { known: &plan.known, variance };
    }
    let path = Path { problem, projection: projection.as_ref(), space: &plan.space, options };
    let n_second = if begins.has_second_look(projection.is_some()) && !is_fitted { plan.n_starts / 4 } else { 0 };
    let n_first = plan.n_starts - n_second;
    let mut beginnings = map_in_order(n_first, CHUNK, n_threads, monitor, |(): &mut (), s| begins.start(s));
    if beginnings.len() < n_first {
        return unfitted(spec, plan, Status::Cancelled, rows.n);
    }
    let mut ends = if is_fitted {
        with_fitted_scale(&mut problem, &plan.space, &beginnings, options, crew)
    } else {
        path.solve_all(&beginnings, |s| begins.is_generic(s), crew)
    };
    if n_second > 0 && !monitor.is_cancelled() {
        let best = best_of(&ends.iter().collect::<Vec<_>>());
        let known = ends[best].params.clone();
        let (begin, end) = second_look(&mut begins, path, &known, n_first..plan.n_starts, crew, workspace);
        beginnings.extend(begin);
        ends.extend(end);
    }
    if monitor.is_cancelled() {
        return unfitted(spec, plan, Status::Cancelled, rows.n);
    }
    let best_start = best_of(&ends.iter().collect::<Vec<_>>());
    finish(&problem, &plan.space, &mut ends[best_start], workspace);
    let clusters: Option<Vec<i64>> =
        spec.clusters.map(|codes| raw.kept().iter().map(|&row| codes[raw.first + row]).collect());
    let mut result = describe(spec, plan, &problem, clusters.as_deref(), &ends, best_start, workspace);
    result.started = spec.keep_starts.then(|| started(&beginnings, &ends));
    if let Some(replicates) = &spec.replicates {
        result.replicates = Some(resample(spec, plan, &problem, &raw, &result, replicates, n_threads, monitor));
    }
    result
}

/// The ends of all starts, whose scale is fitted with the law; the scale of the best is left in `problem`.
fn with_fitted_scale(
    problem: &mut Problem<'_>,
    space: &Space,
    beginnings: &[Vec<f64>],
    options: Options,
    crew: Crew<'_>,
) -> Vec<Outcome> {
    let Crew { n_threads, monitor, .. } = crew;
    let found = map_in_order(beginnings.len(), CHUNK, n_threads, monitor, |workspace: &mut Workspace, s| {
        let found = scale::fitted(problem, space, &beginnings[s], options, workspace);
        monitor.tick(1);
        found
    });
    // The likeliest of the minima has the smallest scale; the objectives of all are compared at that one.
    let scales = found.iter().filter(|(end, _)| end.objective.is_finite()).map(|(_, scale)| *scale);
    problem.f_scale = scales.reduce(f64::min).unwrap_or(1.0);
    map_in_order(found.len(), CHUNK, n_threads, monitor, |workspace: &mut Workspace, s| {
        scale::again(problem, space, &found[s].0, options, workspace)
    })
}

/// The scale that a pilot fit of the rows alone finds.
fn scale_from_pilot(
    begins: &Begins<'_>,
    problem: &Problem<'_>,
    alone: &RowsAlone,
    projection: Option<&Projection<'_>>,
    options: Options,
    crew: Crew<'_>,
    workspace: &mut Workspace,
) -> f64 {
    let n_pilots = begins.plan.n_starts.min(scale::PILOT_STARTS);
    let pilot: Vec<Vec<f64>> = (0..n_pilots).map(|s| alone.begin(begins.start(s))).collect();
    let rows_alone = alone.problem(problem);
    let found = scale::from_data(&rows_alone, projection, &alone.space, &pilot, options, crew, workspace);
    // The objective is not finite anywhere: any scale shows it.
    if found.is_nan() { 1.0 } else { found }
}

fn raw_rows<'a>(spec: &BatchSpec<'a>, index: usize) -> RawRows<'a> {
    let first = spec.offsets[index];
    RawRows {
        x: spec.x,
        stride: spec.y.len(),
        first,
        n: spec.offsets[index + 1] - first,
        y: spec.y,
        weights: spec.weights,
        sigma: spec.sigma,
    }
}

fn started(begins: &[Vec<f64>], ends: &[Outcome]) -> Started {
    Started {
        begins: begins.concat(),
        ends: ends.iter().flat_map(|end| end.params.iter().copied()).collect(),
        objectives: ends.iter().map(|end| end.objective).collect(),
        statuses: ends.iter().map(|end| end.status).collect(),
    }
}

/// Starts `numbers` from a second scan, in which rows weigh what the robust loss gives them at the best end so far: outliers
/// pull the first one's squares away from the valley of the loss. What has too many nonlinear parameters for a first scan is
/// looked at along each of them.
fn second_look(
    begins: &mut Begins<'_>,
    path: Path<'_>,
    best: &[f64],
    numbers: std::ops::Range<usize>,
    crew: Crew<'_>,
    workspace: &mut Workspace,
) -> (Vec<Vec<f64>>, Vec<Outcome>) {
    let Some(projection) = path.projection else { return (vec![], vec![]) };
    let again = projection.reweighted(best, &mut workspace.scratch);
    let scan = begins.scan(&again);
    begins.scanned = if begins.scanned.is_empty() {
        scan.along_axes(best, &mut workspace.scratch)
    } else {
        scan.everywhere(best, &mut workspace.scratch)
    };
    let path = Path { projection: Some(&again), ..path };
    let begin = |s: usize| begins.scanned.get(s).cloned().unwrap_or_else(|| begins.start(numbers.start + s));
    let beginnings: Vec<Vec<f64>> = (0..numbers.len()).map(begin).collect();
    let ends = path.solve_all(&beginnings, |s| begins.is_generic(s), crew);
    (beginnings, ends)
}

/// Minima of a scan that become starts.
const MOST_MINIMA: usize = 8;

/// Most rows that default starts look at.
const MOST_SAMPLED: usize = 4096;

/// Every so many rows of a long table: enough to draw starts from; `None` for a short one, which is its own sample.
fn sampled(rows: &Rows) -> Option<Rows> {
    if rows.n <= MOST_SAMPLED {
        return None;
    }
    let step = rows.n.div_ceil(MOST_SAMPLED);
    let chosen: Vec<f64> = (0..rows.n).map(|row| f64::from(u8::from(row.is_multiple_of(step)))).collect();
    let mut sample = Rows::default();
    sample.select(rows, &chosen, None);
    Some(sample)
}

/// A fit that could not be done.
fn unfitted(spec: &BatchSpec<'_>, plan: &Plan, status: Status, n_rows_used: usize) -> FitResult {
    let p = plan.law.parameters().len();
    let mut result = FitResult::empty(p, plan.law.terms().len(), status, n_rows_used);
    result.started = spec.keep_starts.then(|| no_starts(plan.n_starts, p, status));
    result.replicates = spec.replicates.as_ref().map(|r| no_replicates(r.n_replicates(), p, status));
    result
}

fn no_starts(n: usize, p: usize, status: Status) -> Started {
    Started {
        begins: vec![f64::NAN; n * p],
        ends: vec![f64::NAN; n * p],
        objectives: vec![f64::NAN; n],
        statuses: vec![status; n],
    }
}

fn no_replicates(n: usize, p: usize, status: Status) -> Replicates {
    Replicates { params: vec![f64::NAN; n * p], objectives: vec![f64::NAN; n], statuses: vec![status; n] }
}

/// The starts of one fit.
struct Begins<'a> {
    spec: &'a BatchSpec<'a>,
    plan: &'a Plan,
    index: usize,
    problem: Problem<'a>,
    /// Minima of a scan, which come first.
    scanned: Vec<Vec<f64>>,
}

impl Begins<'_> {
    fn scan<'p>(&'p self, projection: &'p Projection<'p>) -> Scan<'p> {
        Scan {
            projection,
            sample: &self.problem,
            space: &self.plan.space,
            ranges: self.ranges(),
            most: MOST_MINIMA.min(self.plan.n_starts),
        }
    }

    /// Whether something is to be learned from another scan once a good place is known: where the weights of a robust loss
    /// change the first one, or where there was none.
    fn has_second_look(&self, is_separable: bool) -> bool {
        let is_scanned = !self.scanned.is_empty();
        let is_drawn = self.spec.start_rule == starts::StartRule::Auto;
        is_separable && is_drawn && (self.spec.loss.has_scale() || !is_scanned)
    }

    /// Whether start number `s` goes the generic way: every second one that is drawn does, as evidence of another kind.
    fn is_generic(&self, s: usize) -> bool {
        let is_drawn = self.spec.start_rule == starts::StartRule::Auto && s >= self.scanned.len();
        is_drawn && self.spec.solver == Solver::Auto && s % 2 == 1
    }

    fn ranges(&self) -> starts::Ranges<'_> {
        starts::Ranges { lower: self.spec.start_lower, upper: self.spec.start_upper }
    }

    /// Start number `s`, with fixed parameters in place.
    fn start(&self, s: usize) -> Vec<f64> {
        if let Some(scanned) = self.scanned.get(s) {
            return scanned.clone();
        }
        let spec = self.spec;
        let p = self.plan.law.parameters().len();
        let given = spec.starts.as_ref().filter(|_| spec.start_rule == starts::StartRule::Given);
        let mut row = match (&self.plan.grid, given) {
            (Some(grid), _) => grid[s * p..][..p].to_vec(),
            (None, Some(given)) => {
                let from = if given.per_fit { self.index * given.n_starts * p } else { 0 };
                given.values[from + s * p..][..p].to_vec()
            }
            (None, None) => {
                return starts::draw(&self.problem, &self.plan.start_space, spec.fixed, self.ranges(), spec.seed, s);
            }
        };
        for (value, &fixed) in row.iter_mut().zip(spec.fixed) {
            if !fixed.is_nan() {
                *value = fixed;
            }
        }
        row
    }
}

/// The end with the lowest objective; the first of equals. Ends that are minima come before ends that are not, unless
/// those are lower by more than two minima may differ.
fn best_of(ends: &[&Outcome]) -> usize {
    let lowest = ends.iter().map(|end| end.objective).filter(|v| v.is_finite()).fold(f64::INFINITY, f64::min);
    let key = |end: &Outcome| {
        let is_lowest = end.objective <= lowest + SAME * SAME * lowest.abs();
        (!(is_lowest && end.status.is_success()), if end.objective.is_nan() { f64::INFINITY } else { end.objective })
    };
    let mut best = 0;
    for (s, end) in ends.iter().enumerate().skip(1) {
        let (a, b) = (key(end), key(ends[best]));
        if (!a.0 && b.0) || (a.0 == b.0 && a.1 < b.1) {
            best = s;
        }
    }
    best
}

fn describe(
    spec: &BatchSpec<'_>,
    plan: &Plan,
    problem: &Problem<'_>,
    clusters: Option<&[i64]>,
    ends: &[Outcome],
    best_start: usize,
    workspace: &mut Workspace,
) -> FitResult {
    let law = problem.law;
    let end = &ends[best_start];
    let n_iterations = ends.iter().map(|end| end.n_iterations).sum();
    let n_evaluations = ends.iter().map(|end| end.n_evaluations).sum();
    let mut result = FitResult::empty(law.parameters().len(), law.terms().len(), end.status, problem.rows.n);
    result.n_iterations = n_iterations;
    result.n_evaluations = n_evaluations;
    result.f_scale = problem.f_scale;
    result.prior_variance = problem.prior.variance;
    result.best_start = best_start;
    if !end.objective.is_finite() {
        return result;
    }
    let same = SAME * end.objective.abs() + problem.rounding_floor();
    let agreeing = ends.iter().filter(|other| other.objective <= end.objective + same).count();
    let residuals = problem.residuals(&end.params, &mut workspace.scratch);
    let moving: Vec<usize> = plan.space.free.iter().copied().filter(|&j| !end.at_bound[j]).collect();
    // The way along a flat valley has no end that a number of iterations would reach; and a minimum of which the data say
    // nothing in some direction is none, although rounding may make its curvature positive.
    let is_lost = matches!(end.status, Status::MaxIterations | Status::Stalled | Status::Unidentified);
    let question = Question {
        params: &end.params,
        moving: &moving,
        leaning: &leaning(problem, end, workspace),
        pairs: &law.amplitude_pairs,
        kind: spec.covariance,
        clusters,
        open_above: if is_lost { HARDLY_IDENTIFIED } else { UNIDENTIFIED },
        is_minimum: end.status.is_success(),
        objective: end.objective,
    };
    let assessment = assess(problem, &question, &mut workspace.scratch);
    result.sse = residuals.iter().map(|r| r * r).sum();
    let inside = residuals.iter().zip(&problem.rows.noise).filter(|(r, s)| r.abs() <= problem.f_scale * **s).count();
    result.inside_scale =
        if problem.loss.has_scale() { inside as f64 / residuals.len().max(1) as f64 } else { f64::NAN };
    result.params.clone_from(&end.params);
    result.objective = end.objective;
    result.gradient.clone_from(&end.gradient);
    result.at_bound.clone_from(&end.at_bound);
    result.condition = assessment.condition;
    // Where every parameter is at a bound there is no direction to be open.
    if assessment.is_open {
        result.status = Status::Unidentified;
    }
    result.flat_direction = assessment.flat_direction;
    result.loose = assessment.loose;
    result.n_clusters = assessment.n_clusters;
    // Where the loss is curved at no more rows than there are parameters, those are passed through: its curvature there
    // says how the rows lie, not how far the estimates may be off.
    let is_corner = is_corner(problem, &residuals, result.inside_scale);
    // Parameters that no open direction moves keep their standard errors.
    if is_corner && (result.status.is_success() || assessment.is_open) {
        result.gap = Some(Gap::Corner);
    } else if result.status.is_success() || assessment.is_open {
        result.covariance = assessment.covariance;
        result.gap = assessment.gap;
        result.dof = assessment.dof;
    }
    result.term_share = term_shares(problem, &end.params);
    result.start_agreement = agreeing as f64 / ends.len() as f64;
    result.vague = vague(law, &end.params, &result.covariance);
    result.certificate = Certificate::of(problem, ends, best_start, result.status);
    result.certificate.is_certified &= !result.vague.contains(&true);
    result
}

/// Exponents, rates and the like whose standard error exceeds them: where the data hardly tell one from none, the lowest of
/// the minima may lie where no start looks.
fn vague(law: &CompiledLaw, params: &[f64], covariance: &[f64]) -> Vec<bool> {
    let p = params.len();
    let shapes_a_term = |j: usize| {
        matches!(law.roles[j].role, Role::Exponent | Role::Rate | Role::Scale | Role::Width | Role::Frequency)
    };
    (0..p).map(|j| shapes_a_term(j) && covariance[j * p + j].sqrt() > params[j].abs()).collect()
}

/// Parameters at a bound that would gain nothing inside it, to first order: a term that is the same as another, or what a
/// dead term leaves without effect.
fn leaning(problem: &Problem<'_>, end: &Outcome, workspace: &mut Workspace) -> Vec<usize> {
    let p = end.params.len();
    if !end.at_bound.contains(&true) {
        return Vec::new();
    }
    let (mut gradient, mut hessian) = (vec![0.0; p], vec![0.0; p * p]);
    let scratch = &mut workspace.scratch;
    problem.expand(&end.params, Curvature::Reweighted, scratch, &mut gradient, &mut hessian);
    let least = tolerance(problem, end.objective);
    let gains_nothing = |j: &usize| gradient[*j] * gradient[*j] <= 2.0 * hessian[*j * p + *j] * least;
    (0..p).filter(|&j| end.at_bound[j]).filter(gains_nothing).collect()
}

/// Whether the objective has its minimum where rows are passed through, as that of least absolute deviations does: no
/// more of them lie within the scale of the loss than there are parameters to make them, and most far outside.
fn is_corner(problem: &Problem<'_>, residuals: &[f64], inside_scale: f64) -> bool {
    const FAR: f64 = 10.0;
    let far = residuals.iter().zip(&problem.rows.noise).filter(|(r, s)| r.abs() > FAR * problem.f_scale * **s).count();
    let few = problem.free.len() as f64 + 0.5;
    inside_scale < 1.0 && inside_scale * problem.rows.n as f64 <= few && 2 * far >= residuals.len()
}

/// For each additive term its largest share, over the rows, of the sum of all terms' sizes.
fn term_shares(problem: &Problem<'_>, params: &[f64]) -> Vec<f64> {
    let (law, rows) = (problem.law, problem.rows);
    let n_terms = law.terms().len();
    let work = TermRows { law, columns: rows.columns(), n_rows: rows.n, parameters: params };
    let values = dispatch(problem.level, work);
    let mut shares = vec![0.0_f64; n_terms];
    for i in 0..rows.n {
        let total: f64 = (0..n_terms).map(|t| values[t * rows.n + i].abs()).sum();
        for (t, share) in shares.iter_mut().enumerate() {
            *share = share.max(values[t * rows.n + i].abs() / total);
        }
    }
    shares
}

#[derive(Default)]
struct Memory {
    workspace: Workspace,
    rows: Rows,
    replicate: Replicate,
    known: Vec<Known>,
}

#[expect(clippy::too_many_arguments, reason = "the parts of a fit that its resamples need")]
fn resample(
    spec: &BatchSpec<'_>,
    plan: &Plan,
    problem: &Problem<'_>,
    raw: &RawRows<'_>,
    point: &FitResult,
    replicates: &ReplicatePlan<'_>,
    n_threads: usize,
    monitor: &Monitor,
) -> Replicates {
    let n = replicates.n_replicates();
    let p = point.params.len();
    if !point.objective.is_finite() {
        monitor.tick(n as u64);
        return no_replicates(n, p, point.status);
    }
    let kept = raw.kept();
    let row_keys: Vec<u64> = match replicates {
        ReplicatePlan::Scheme { keys: Some(keys), .. } => kept.iter().map(|&row| keys[raw.first + row]).collect(),
        _ => kept.iter().map(|&row| row_key(row as u64)).collect(),
    };
    let options = Options { max_iterations: spec.max_iterations };
    let residuals = problem.residuals(&point.params, &mut Scratch::default());
    let is_corner = is_corner(problem, &residuals, point.inside_scale);
    let ends = map_in_order(n, CHUNK, n_threads, monitor, |memory: &mut Memory, r| {
        let Memory { workspace, rows, replicate, known } = memory;
        match replicates {
            ReplicatePlan::Scheme { scheme, .. } => {
                let number = u32::try_from(r).expect("the memory check bounds the number of replicates");
                scheme.draw(spec.seed, &row_keys, number, replicate);
                redraw(spec, problem.prior.known, number, known);
            }
            ReplicatePlan::Weights { values, .. } => {
                replicate.responses = None;
                known.clone_from(&plan.known);
                replicate.weights.clear();
                let all = &values[r * spec.y.len() + raw.first..][..raw.n];
                replicate.weights.extend(kept.iter().map(|&row| all[row]));
            }
        }
        rows.select(problem.rows, &replicate.weights, replicate.responses.as_deref());
        monitor.tick(1);
        if rows.n == 0 || rows.n + known.len() < plan.space.free.len() {
            return Outcome::failed(p, Status::TooFewRows);
        }
        let resampled = Problem { rows, prior: Prior { known, ..problem.prior }, ..*problem };
        if is_corner {
            // Another corner than this one: the objective leads there only once its kinks are smoothed out.
            return scale::come_down(&resampled, &plan.space, &point.params, options, workspace);
        }
        refine(&resampled, &plan.space, &point.params, options, workspace)
    });
    Replicates {
        params: ends.iter().flat_map(|end| end.params.iter().copied()).collect(),
        objectives: ends.iter().map(|end| end.objective).collect(),
        statuses: ends.iter().map(|end| end.status).collect(),
    }
}
