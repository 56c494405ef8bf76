//! The way from starts to their ends: separable where the law is, generic otherwise.
//!
//! On the separable way most starts come to the same few minima of the squares. What follows from there is done once for
//! each, and the starts that led there share the end: that is most of the work of a fit with many starts.

use crate::objective::Objective;
use crate::objective::problem::Problem;
use crate::objective::projection::Projection;
use crate::run::Monitor;
use crate::run::map_in_order;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Proposed;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::fall_back;
use crate::solver::follow;
use crate::solver::propose;
use crate::solver::solve;
use crate::status::Status;

/// What all starts of a fit share.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    pub(super) problem: Problem<'a>,
    /// The squares by which a separable law proposes.
    pub(super) projection: Option<&'a Projection<'a>>,
    pub(super) space: &'a Space,
    pub(super) options: Options,
}

/// Threads, and who is told of progress.
#[derive(Clone, Copy)]
pub(super) struct Crew<'a> {
    pub(super) n_threads: usize,
    pub(super) monitor: &'a Monitor,
    /// Whether a start that is done is progress.
    pub(super) ticks: bool,
}

/// Starts, or replicates, that a thread takes at a time.
const CHUNK: usize = 16;

impl Crew<'_> {
    /// `work(memory, index)` for each index below `n`, in order; incomplete once the monitor is cancelled.
    pub(super) fn map<M: Default, T: Send>(&self, n: usize, work: impl Fn(&mut M, usize) -> T + Sync) -> Vec<T> {
        map_in_order(n, CHUNK, self.n_threads, self.monitor, work)
    }

    /// The same with the caller's memory where one thread does it all: making room costs as much as a short search.
    pub(super) fn map_with<T: Send>(
        &self,
        n: usize,
        own: &mut Workspace,
        work: impl Fn(&mut Workspace, usize) -> T + Sync,
    ) -> Vec<T> {
        if self.n_threads > 1 && n > CHUNK {
            return self.map(n, work);
        }
        (0..n).take_while(|_| !self.monitor.is_cancelled()).map(|index| work(own, index)).collect()
    }
}

/// How a start is searched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By what the squares propose, unless the start is as good.
    Separable,
    /// By what the squares propose: a place of a wide mesh is nothing by itself.
    Proposed,
    /// By the objective alone.
    Generic,
}

/// Distinct proposals that others are compared with.
const MOST_LEADERS: usize = 64;

impl Path<'_> {
    /// The ends of all starts, by their numbers.
    pub(super) fn solve_all(
        &self,
        starts: &[Vec<f64>],
        way: impl Fn(usize) -> Way + Sync,
        crew: Crew<'_>,
        workspace: &mut Workspace,
    ) -> Vec<Outcome> {
        let Path { problem, space, options, .. } = self;
        let Crew { monitor, ticks, .. } = crew;
        let n = starts.len();
        let proposals: Vec<Option<Proposed>> = match self.projection {
            None => (0..n).map(|_| None).collect(),
            Some(projection) => crew.map_with(n, workspace, |workspace, s| {
                let keeps_start = match way(s) {
                    Way::Separable => true,
                    Way::Proposed => false,
                    Way::Generic => return None,
                };
                propose(projection, space, &starts[s], keeps_start, workspace)
            }),
        };
        let failed = || starts.iter().map(|start| Outcome::failed(start.len(), Status::Cancelled)).collect();
        if problem.is_cancelled() || proposals.len() < n {
            return failed();
        }
        let leaders = leaders(&proposals, monitor);
        let led: Vec<Option<Outcome>> = crew.map_with(n, workspace, |workspace, s| {
            let (projection, proposed) = (self.projection?, proposals[s].as_ref()?);
            (leaders[s] == s).then(|| follow(problem, projection, space, proposed, *options, workspace))
        });
        if problem.is_cancelled() || led.len() < n {
            return failed();
        }
        let ends: Vec<Outcome> = crew.map_with(n, workspace, |workspace, s| {
            let ended = led[leaders[s]].as_ref();
            let mut end = match ended {
                Some(end) if end.status.is_success() => Outcome { n_iterations: 0, n_evaluations: 0, ..end.clone() },
                Some(_) => fall_back(problem, space, &starts[s], ended, *options, workspace),
                None => solve(problem, space, &starts[s], *options, workspace),
            };
            let own = ended.filter(|_| leaders[s] == s);
            end.n_iterations += own.map_or(0, |own| own.n_iterations);
            end.n_evaluations += own.map_or(0, |own| own.n_evaluations);
            if let Some(proposed) = &proposals[s] {
                end.n_iterations += proposed.n_iterations;
                end.n_evaluations += proposed.n_evaluations;
            }
            if ticks {
                monitor.tick(1);
            }
            end
        });
        if ends.len() < n { failed() } else { ends }
    }
}

/// For each start the first one that has the same proposal; itself where it has none, or once the caller wants to stop.
fn leaders(proposals: &[Option<Proposed>], monitor: &Monitor) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    let mut out = Vec::with_capacity(proposals.len());
    for (s, proposal) in proposals.iter().enumerate() {
        let is_same = |&&leader: &&usize| match (&proposals[leader], proposal) {
            (Some(first), Some(own)) => first.is_also(own),
            _ => false,
        };
        let leader = if monitor.is_cancelled() { None } else { found.iter().find(is_same).copied() };
        if leader.is_none() && proposal.is_some() && found.len() < MOST_LEADERS {
            found.push(s);
        }
        out.push(leader.unwrap_or(s));
    }
    out
}
