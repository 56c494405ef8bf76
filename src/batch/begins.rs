//! Where the starts of a fit begin: given, on a grid, scanned, or drawn.

use std::ops::Range;

use crate::batch::check::Plan;
use crate::batch::path::Crew;
use crate::batch::path::Path;
use crate::batch::path::Way;
use crate::batch::spec::BatchSpec;
use crate::objective::Scratch;
use crate::objective::projection::Projection;
use crate::objective::rows::Rows;
use crate::scan::Mesh;
use crate::scan::Scan;
use crate::solver::Outcome;
use crate::solver::Solver;
use crate::solver::Workspace;
use crate::starts::Ranges;
use crate::starts::Sample;
use crate::starts::StartRule;
use crate::starts::draw;

/// Minima of a scan that become starts.
const MOST_MINIMA: usize = 8;

/// Most rows that default starts look at.
const MOST_SAMPLED: usize = 4096;

/// Every so many rows of a long table: enough to draw starts from; `None` for a short one, which is its own sample.
pub(super) fn sampled(rows: &Rows) -> Option<Rows> {
    if rows.n <= MOST_SAMPLED {
        return None;
    }
    let step = rows.n.div_ceil(MOST_SAMPLED);
    let chosen: Vec<f64> = (0..rows.n).map(|row| f64::from(u8::from(row.is_multiple_of(step)))).collect();
    let mut sample = Rows::default();
    sample.select(rows, &chosen, None);
    Some(sample)
}

/// The starts of one fit.
pub(super) struct Begins<'a> {
    pub(super) spec: &'a BatchSpec<'a>,
    pub(super) plan: &'a Plan,
    pub(super) index: usize,
    /// Of the rows that draws look at.
    pub(super) sample: Sample<'a>,
    /// Minima of a scan, which come first, and how closely it looked.
    pub(super) scanned: Vec<Vec<f64>>,
    pub(super) mesh: Mesh,
}

impl Begins<'_> {
    /// Scans before anything is known, where starts are drawn.
    pub(super) fn first_look(&mut self, projection: &Projection<'_>, mesh: Mesh, workspace: &mut Workspace) {
        if self.spec.start_rule == StartRule::Auto {
            let fixed = self.spec.fixed.iter().map(|&value| if value.is_nan() { 0.0 } else { value });
            let fixed: Vec<f64> = fixed.collect();
            self.mesh = mesh;
            self.scanned = self.scan(projection).everywhere(mesh, &fixed, &mut workspace.scratch);
        }
    }

    fn scan<'p>(&'p self, projection: &'p Projection<'p>) -> Scan<'p> {
        Scan {
            projection,
            sample: &self.sample,
            space: &self.plan.space,
            ranges: self.ranges(),
            most: MOST_MINIMA.min(self.plan.n_starts),
        }
    }

    /// Whether something is to be learned from another scan once a good place is known: where the weights of a robust loss
    /// change the first one, or where there was none.
    pub(super) fn has_second_look(&self, is_separable: bool) -> bool {
        let is_scanned = !self.scanned.is_empty();
        let is_drawn = self.spec.start_rule == StartRule::Auto;
        is_separable && is_drawn && (self.spec.loss.has_scale() || !is_scanned)
    }

    /// Whether the first ends may be all: scans were made, and nobody asked for so many starts.
    pub(super) fn may_stop(&self) -> bool {
        self.spec.start_rule == StartRule::Auto && self.spec.n_starts == 0 && !self.scanned.is_empty()
    }

    /// Starts and ends from a second scan, in which rows weigh what the robust loss gives them at the best end so far:
    /// outliers pull the first one's squares away from the valley of the loss. What has too many nonlinear parameters for a
    /// first scan is looked at along each of them. The starts are `numbers`, or as many as there are minima.
    pub(super) fn second_look(
        &mut self,
        path: Path<'_>,
        best: &[f64],
        numbers: Range<usize>,
        only_minima: bool,
        crew: Crew<'_>,
        workspace: &mut Workspace,
    ) -> (Vec<Vec<f64>>, Vec<Outcome>) {
        let Some(again) = Projection::at(&path.problem, best, &mut workspace.scratch) else { return (vec![], vec![]) };
        self.look_again(&again, best, workspace);
        let numbers =
            if only_minima { numbers.start..numbers.end.min(numbers.start + self.scanned.len()) } else { numbers };
        self.solve(Path { projection: Some(&again), ..path }, numbers, crew, workspace)
    }

    /// Starts and ends: what was scanned, then draws, of those with these numbers.
    pub(super) fn solve(
        &self,
        path: Path<'_>,
        numbers: Range<usize>,
        crew: Crew<'_>,
        workspace: &mut Workspace,
    ) -> (Vec<Vec<f64>>, Vec<Outcome>) {
        let beginnings = crew.map_with(numbers.len(), workspace, |workspace, s| {
            let scanned = self.scanned.get(s).cloned();
            scanned.unwrap_or_else(|| self.drawn(numbers.start + s, &mut workspace.scratch))
        });
        if crew.monitor.is_cancelled() {
            // Nobody reads them, and an end for each of a million takes a while.
            return (vec![], vec![]);
        }
        let ends = path.solve_all(&beginnings, |s| self.way(s), crew, workspace);
        (beginnings, ends)
    }

    /// Scans squares that are weighted as at `best`, whose own minimum is no start.
    pub(super) fn look_again(&mut self, weighted: &Projection<'_>, best: &[f64], workspace: &mut Workspace) {
        self.mesh = Mesh::Fine;
        let scan = self.scan(weighted);
        self.scanned = if scan.is_whole() {
            scan.elsewhere(best, &mut workspace.scratch)
        } else {
            scan.along_axes(best, &mut workspace.scratch)
        };
    }

    /// Whether one scan sees all nonlinear parameters.
    pub(super) fn is_whole(&self, projection: &Projection<'_>) -> bool {
        self.spec.start_rule == StartRule::Auto && self.scan(projection).is_whole()
    }

    /// The way of start number `s`: every second one that is drawn goes the generic way, as evidence of another kind.
    fn way(&self, s: usize) -> Way {
        let is_drawn = self.spec.start_rule == StartRule::Auto && self.spec.solver == Solver::Auto;
        match s.checked_sub(self.scanned.len()) {
            None if self.mesh == Mesh::Wide => Way::Proposed,
            Some(drawn) if is_drawn && drawn % 2 == 1 => Way::Generic,
            _ => Way::Separable,
        }
    }

    fn ranges(&self) -> Ranges<'_> {
        Ranges { lower: self.spec.start_lower, upper: self.spec.start_upper }
    }

    /// Start number `s`: what was scanned first.
    pub(super) fn start(&self, s: usize, scratch: &mut Scratch) -> Vec<f64> {
        self.scanned.get(s).cloned().unwrap_or_else(|| self.drawn(s, scratch))
    }

    /// Start number `s` of those that no scan gives, with fixed parameters in place.
    fn drawn(&self, s: usize, scratch: &mut Scratch) -> Vec<f64> {
        let spec = self.spec;
        let p = self.plan.law.parameters().len();
        let given = spec.starts.as_ref().filter(|_| spec.start_rule == StartRule::Given);
        let mut row = match (&self.plan.grid, given) {
            (Some(grid), _) => grid[s * p..][..p].to_vec(),
            (None, Some(given)) => {
                let from = if given.per_fit { self.index * given.n_starts * p } else { 0 };
                given.values[from + s * p..][..p].to_vec()
            }
            (None, None) => {
                let space = &self.plan.start_space;
                return draw(&self.sample, space, spec.fixed, self.ranges(), spec.seed, s, scratch);
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
