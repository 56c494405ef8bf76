//! Terms that contribute to a fit and to a resample of it no more.

use crate::batch::describe::term_shares;
use crate::objective::Scratch;
use crate::objective::problem::Problem;
use crate::objective::rows::Rows;

/// A term whose share of the prediction is below this in every row moves no digit that the data can show.
const DEAD_SHARE: f64 = 1e-9;

/// For each living term of a fit the row where its share is largest: where it still shows, the term lives, and no other row
/// needs to be looked at.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    rows: Rows,
    is_living: Vec<bool>,
}

impl Witness {
    /// Of the estimates of a fit.
    pub(super) fn new(problem: &Problem<'_>, params: &[f64], scratch: &mut Scratch) -> Witness {
        let largest = term_shares(problem, params, scratch);
        let mut chosen = vec![0.0; problem.rows.n];
        for &(_, row) in &largest {
            if let Some(place) = chosen.get_mut(row) {
                *place = 1.0;
            }
        }
        let mut rows = Rows::default();
        rows.select(problem.rows, &chosen, None);
        Witness { rows, is_living: largest.iter().map(|(share, _)| *share >= DEAD_SHARE).collect() }
    }

    /// Whether a living term contributes nothing to any row of the fit at other parameters.
    pub(super) fn has_lost_term(&self, problem: &Problem<'_>, params: &[f64], scratch: &mut Scratch) -> bool {
        let is_lost = |shares: &[(f64, usize)]| {
            shares.iter().zip(&self.is_living).any(|((share, _), is_living)| *is_living && *share < DEAD_SHARE)
        };
        let few = Problem { rows: &self.rows, ..*problem };
        is_lost(&term_shares(&few, params, scratch)) && is_lost(&term_shares(problem, params, scratch))
    }
}
