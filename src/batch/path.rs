//! The way from a start to its end: separable where the law is, generic otherwise.

use crate::objective::Objective;
use crate::objective::problem::Problem;
use crate::objective::projection::Projection;
use crate::solver::Options;
use crate::solver::Outcome;
use crate::solver::Space;
use crate::solver::Workspace;
use crate::solver::solve;
use crate::solver::solve_separable;
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

impl Path<'_> {
    pub(super) fn solve(&self, start: &[f64], workspace: &mut Workspace) -> Outcome {
        if self.problem.is_cancelled() {
            return Outcome::failed(start.len(), Status::Cancelled);
        }
        match self.projection {
            Some(projection) => solve_separable(&self.problem, projection, self.space, start, self.options, workspace),
            None => solve(&self.problem, self.space, start, self.options, workspace),
        }
    }
}
