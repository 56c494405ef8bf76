//! Memory of a solver, one per worker, kept from start to start.

use crate::objective::Scratch;
use crate::objective::projection::Products;

/// Vectors and matrices of a solver; counts of the start that is being solved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) scratch: Scratch,
    pub(crate) gradient: Vec<f64>,
    pub(crate) hessian: Vec<f64>,
    pub(crate) trial_gradient: Vec<f64>,
    pub(crate) trial_hessian: Vec<f64>,
    pub(crate) kept_gradient: Vec<f64>,
    pub(crate) kept_hessian: Vec<f64>,
    pub(crate) trial: Vec<f64>,
    pub(crate) next: Vec<f64>,
    pub(crate) trial_params: Vec<f64>,
    pub(crate) step: Vec<f64>,
    pub(crate) system: Vec<f64>,
    pub(crate) right_side: Vec<f64>,
    pub(crate) metric: Vec<f64>,
    pub(crate) active: Vec<usize>,
    /// The active parameters of the step before.
    pub(crate) moved: Vec<usize>,
    /// Sums of variable projection, at the place reached and at the place tried.
    pub(crate) products: [Products; 2],
    /// What the step promised that led to the place reached, if it was a whole step of Newton's method; NaN otherwise.
    pub(crate) promised: f64,
    pub(crate) n_iterations: usize,
    pub(crate) n_evaluations: usize,
    chart: ChartPlace,
}

/// Derivatives in other coordinates.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChartPlace {
    pub(crate) gradient: Vec<f64>,
    pub(crate) hessian: Vec<f64>,
    pub(crate) metric: Vec<f64>,
}

impl Workspace {
    /// Room for derivatives in the coordinates of a chart, to be put back.
    pub(crate) fn take_chart(&mut self, p: usize) -> ChartPlace {
        let mut chart = std::mem::take(&mut self.chart);
        chart.gradient.resize(p, 0.0);
        chart.hessian.resize(p * p, 0.0);
        chart.metric.resize(p * p, 0.0);
        chart
    }

    pub(crate) fn put_chart(&mut self, chart: ChartPlace) {
        self.chart = chart;
    }

    /// Makes room for `p` parameters and sets the counts to zero.
    pub(crate) fn reset(&mut self, p: usize) {
        self.promised = f64::NAN;
        self.n_iterations = 0;
        self.n_evaluations = 0;
        for vector in [
            &mut self.gradient,
            &mut self.trial_gradient,
            &mut self.kept_gradient,
            &mut self.trial,
            &mut self.next,
            &mut self.trial_params,
            &mut self.step,
            &mut self.right_side,
            &mut self.metric,
        ] {
            vector.clear();
            vector.resize(p, 0.0);
        }
        for matrix in [&mut self.hessian, &mut self.trial_hessian, &mut self.kept_hessian, &mut self.system] {
            matrix.clear();
            matrix.resize(p * p, 0.0);
        }
    }
}
