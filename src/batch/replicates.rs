//! The resamples of a fit, each minimised from the point estimate, and what is known of them.

use std::collections::BTreeMap;

use crate::batch::check::Plan;
use crate::batch::describe::UNIDENTIFIED;
use crate::batch::describe::is_corner;
use crate::batch::ends::DETERMINED;
use crate::batch::ends::least_pivot;
use crate::batch::lost::Witness;
use crate::batch::path::Crew;
use crate::batch::prior::redraw;
use crate::batch::results::FitResult;
use crate::batch::results::Replicates;
use crate::batch::scale;
use crate::batch::search::search_below;
use crate::batch::spec::BatchSpec;
use crate::batch::spec::ReplicatePlan;
use crate::batch::spec::ReplicateRule;
use crate::covariance::Question;
use crate::covariance::assess;
use crate::covariance::left_out;
use crate::dispatch::Plain;
use crate::law::Residual;
use crate::objective::Scratch;
use crate::objective::prior::Known;
use crate::objective::prior::Prior;
use crate::objective::problem::Problem;
use crate::objective::rows::RawRows;
use crate::objective::rows::Rows;
use crate::resample::Drawing;
use crate::resample::Errors;
use crate::resample::Numbers;
use crate::resample::Replicate;
use crate::resample::Source;
use crate::resample::Units;
use crate::rng::row_key;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Warm;
use crate::solver::WarmMemory;
use crate::solver::Workspace;
use crate::special;
use crate::status::Status;

/// A fit whose resamples are wanted.
pub(super) struct Resampling<'a> {
    pub(super) spec: &'a BatchSpec<'a>,
    pub(super) plan: &'a Plan,
    pub(super) index: usize,
    pub(super) replicates: &'a ReplicatePlan<'a>,
    pub(super) raw: &'a RawRows<'a>,
    /// Cluster of each row that carries weight.
    pub(super) clusters: Option<&'a [i64]>,
}

/// What all replicates of a fit share.
struct Shared<'a> {
    source: Source<'a>,
    warm: Warm,
    witness: Witness,
    is_corner: bool,
    /// Rows that carry weight, by their numbers within the fit.
    kept: &'a [usize],
}

/// One replicate, solved.
struct Solved {
    end: Outcome,
    lost_term: bool,
    covariance: Vec<f64>,
    /// Whether a search from many starts found a lower objective, if one was made.
    disagrees: Option<bool>,
}

#[derive(Default)]
struct Memory {
    workspace: Workspace,
    warm: WarmMemory,
    rows: Rows,
    numbers: Numbers,
    replicate: Replicate,
    known: Vec<Known>,
}

impl Resampling<'_> {
    pub(super) fn run(&self, problem: &Problem<'_>, point: &FitResult, crew: Crew<'_>) -> Replicates {
        let Resampling { plan, replicates, raw, .. } = *self;
        let n = replicates.n_replicates;
        let p = point.params.len();
        if !point.objective.is_finite() {
            crew.monitor.tick(n as u64);
            return Replicates::none(n, p, point.status, replicates.with_covariance);
        }
        let kept = raw.kept();
        let units = self.units(&kept);
        let mut scratch = Scratch::default();
        let residuals = problem.residuals(&point.params, &mut scratch);
        let (fitted, errors) = self.material(problem, point, &residuals, &kept, &units, &mut scratch);
        let mut workspace = Workspace::default();
        let shared = Shared {
            source: Source {
                units: &units,
                seed: self.spec.seed,
                level: self.spec.level,
                fitted: &fitted,
                errors: &errors,
                share: replicates.share,
            },
            warm: Warm::new(problem, &plan.space, &point.params, &mut workspace),
            witness: Witness::new(problem, &point.params, &mut scratch),
            is_corner: is_corner(problem, &residuals, point.inside_scale),
            kept: &kept,
        };
        let solved = crew.map(n, |memory: &mut Memory, r| self.solve(problem, &shared, r, crew, memory));
        Replicates {
            params: solved.iter().flat_map(|one| one.end.params.iter().copied()).collect(),
            objectives: solved.iter().map(|one| one.end.objective).collect(),
            statuses: solved.iter().map(|one| one.end.status).collect(),
            lost_term: solved.iter().map(|one| one.lost_term).collect(),
            covariances: solved.iter().flat_map(|one| one.covariance.iter().copied()).collect(),
            n_units: units.len(),
            n_checked: solved.iter().filter(|one| one.disagrees.is_some()).count(),
            n_disagreed: solved.iter().filter(|one| one.disagrees == Some(true)).count(),
        }
    }

    /// What is drawn: rows, or clusters.
    fn units(&self, kept: &[usize]) -> Units {
        let ReplicatePlan { row_keys, cluster_keys, strata, .. } = *self.replicates;
        let first = self.raw.first;
        let of = |keys: &[u64]| kept.iter().map(|&row| keys[first + row]).collect::<Vec<u64>>();
        let row_keys = row_keys.map_or_else(|| kept.iter().map(|&row| row_key(row as u64)).collect(), of);
        let strata: Option<Vec<i64>> = strata.map(|codes| kept.iter().map(|&row| codes[first + row]).collect());
        Units::new(row_keys, cluster_keys.map(of).as_deref(), strata.as_deref())
    }

    /// Fitted values, and what the scheme adds to them; nothing where it keeps the responses.
    fn material(
        &self,
        problem: &Problem<'_>,
        point: &FitResult,
        residuals: &[f64],
        kept: &[usize],
        units: &Units,
        scratch: &mut Scratch,
    ) -> (Vec<f64>, Vec<f64>) {
        let ReplicateRule::Scheme(scheme) = self.replicates.rule else { return (vec![], vec![]) };
        let fitted = || residuals.iter().zip(&problem.rows.response).map(|(r, y)| r + y).collect();
        match scheme.errors() {
            Errors::None => (vec![], vec![]),
            Errors::LeftOut => {
                let moving = self.moving(&point.at_bound);
                (fitted(), left_out(problem, &point.params, &moving, units.of_row(), scratch))
            }
            Errors::Noise => {
                let given = self.replicates.noise.map(|sd| kept.iter().map(|&row| sd[self.raw.first + row]).collect());
                (fitted(), given.unwrap_or_else(|| noise(problem, point, residuals, self.spec.sigma.is_some())))
            }
        }
    }

    /// Free parameters that no bound holds.
    fn moving(&self, at_bound: &[bool]) -> Vec<usize> {
        self.plan.space.free.iter().copied().filter(|&j| !at_bound[j]).collect()
    }

    /// Responses on the residual's scale; where one has no place there, its row loses its weight.
    fn on_scale(&self, mut responses: Vec<f64>, replicate: &mut Replicate) -> Vec<f64> {
        for (y, w) in responses.iter_mut().zip(&mut replicate.weights) {
            if self.spec.residual == Residual::Log {
                *y = special::ln::<Plain>(*y);
            }
            if !y.is_finite() {
                (*y, *w) = (0.0, 0.0);
            }
        }
        responses
    }

    fn solve(
        &self,
        problem: &Problem<'_>,
        shared: &Shared<'_>,
        r: usize,
        crew: Crew<'_>,
        memory: &mut Memory,
    ) -> Solved {
        let Resampling { spec, plan, replicates, raw, .. } = *self;
        let Memory { workspace, warm, rows, numbers, replicate, known } = memory;
        match replicates.rule {
            ReplicateRule::Scheme(scheme) => {
                let number = u32::try_from(r).expect("the memory check bounds the number of replicates");
                scheme.draw(&mut Drawing { source: shared.source, numbers }, number, replicate);
                if scheme.leaves_out() {
                    // What is left out is one thing after another, and the prior is none of them.
                    known.clone_from(&plan.known);
                } else {
                    redraw(spec, problem.prior.known, number, known);
                }
            }
            ReplicateRule::Given(given) => {
                known.clone_from(&plan.known);
                let own = |all: &[f64]| {
                    let rows = &all[r * spec.y.len() + raw.first..][..raw.n];
                    shared.kept.iter().map(|&row| rows[row]).collect::<Vec<f64>>()
                };
                replicate.weights = own(given.weights);
                replicate.responses = given.responses.map(|responses| self.on_scale(own(responses), replicate));
            }
        }
        rows.select(problem.rows, &replicate.weights, replicate.responses.as_deref());
        crew.monitor.tick(1);
        let p = plan.space.lower.len();
        let covariance = if replicates.with_covariance { vec![f64::NAN; p * p] } else { vec![] };
        if rows.n == 0 || rows.n + known.len() < plan.space.free.len() {
            let end = Outcome::failed(p, Status::TooFewRows);
            return Solved { end, lost_term: false, covariance, disagrees: None };
        }
        let options = Options { max_iterations: spec.max_iterations };
        let resampled = Problem { rows, prior: Prior { known, ..problem.prior }, ..*problem };
        let mut end = if shared.is_corner {
            // Another corner than this one: the objective leads there only once its kinks are smoothed out.
            let mut end = scale::come_down(&resampled, &plan.space, shared.warm.params(), options, workspace);
            if end.status.is_success() && least_pivot(&resampled, &end, workspace) < DETERMINED {
                end.status = Status::Unidentified;
            }
            end
        } else {
            shared.warm.refit(&resampled, &plan.space, options, warm, workspace)
        };
        let mut disagrees = None;
        if replicates.is_global || is_checked(r, replicates) {
            let better = search_below(spec, plan, self.index, &resampled, &end, crew, workspace);
            disagrees = Some(better.is_some());
            if let (true, Some(better)) = (replicates.is_global, better) {
                end = better;
            }
        }
        let lost_term =
            end.objective.is_finite() && shared.witness.has_lost_term(problem, &end.params, &mut workspace.scratch);
        let covariance = if replicates.with_covariance {
            self.covariance(problem, &resampled, &end, replicate, covariance)
        } else {
            covariance
        };
        Solved { end, lost_term, covariance, disagrees }
    }

    /// The covariance of a replicate as if its rows had been measured: what was drawn twice stands there twice.
    fn covariance(
        &self,
        problem: &Problem<'_>,
        resampled: &Problem<'_>,
        end: &Outcome,
        replicate: &Replicate,
        undefined: Vec<f64>,
    ) -> Vec<f64> {
        if !end.status.is_success() {
            return undefined;
        }
        let mut rows = Rows::default();
        rows.repeat(problem.rows, &replicate.weights, replicate.responses.as_deref());
        let clusters = self.clusters.map(|codes| copies(rows.taken(), codes));
        let moving = self.moving(&end.at_bound);
        let question = Question {
            params: &end.params,
            moving: &moving,
            leaning: &[],
            pairs: &problem.law.amplitude_pairs,
            kind: self.spec.covariance,
            clusters: clusters.as_deref(),
            open_above: UNIDENTIFIED,
            is_minimum: true,
            objective: end.objective,
        };
        assess(&Problem { rows: &rows, ..*resampled }, &question, &mut Scratch::default()).covariance
    }
}

/// Whether replicate `r` is one of the evenly spaced ones that are checked.
fn is_checked(r: usize, plan: &ReplicatePlan<'_>) -> bool {
    let place = |r: usize| r * plan.n_checked / plan.n_replicates.max(1);
    r == 0 && plan.n_checked > 0 || r > 0 && place(r) > place(r - 1)
}

/// Codes of clusters where rows that stand one after the other and are the same are copies: each copy of a cluster is a
/// cluster of its own.
fn copies(taken: &[usize], codes: &[i64]) -> Vec<i64> {
    let mut places = BTreeMap::new();
    let mut copy = 0;
    let mut out = Vec::with_capacity(taken.len());
    for (i, &row) in taken.iter().enumerate() {
        copy = if i > 0 && taken[i - 1] == row { copy + 1 } else { 0 };
        let next = i64::try_from(places.len()).unwrap_or(i64::MAX);
        out.push(*places.entry((codes[row], copy)).or_insert(next));
    }
    out
}

/// The standard deviation of each row's noise on the residual's scale: the known one, or that of the residuals.
fn noise(problem: &Problem<'_>, point: &FitResult, residuals: &[f64], is_known: bool) -> Vec<f64> {
    let rows = problem.rows;
    if is_known {
        return rows.noises().take(rows.n).collect();
    }
    let weights = &rows.weights[..rows.n];
    let n_moving = problem.free.iter().filter(|j| !point.at_bound[**j]).count();
    let sd = if problem.loss.has_scale() {
        let sizes = residuals.iter().zip(weights).map(|(r, w)| w.sqrt() * r.abs()).collect();
        scale::robust_deviation(sizes, n_moving)
    } else {
        let squares: f64 = residuals.iter().zip(weights).map(|(r, w)| w * r * r).sum();
        (squares / rows.n.saturating_sub(n_moving).max(1) as f64).sqrt()
    };
    weights.iter().map(|w| sd / w.sqrt()).collect()
}
