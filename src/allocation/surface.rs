//! The law and the budgets as functions of u = ln x, with gradient and curvature.

use crate::allocation::AllocationSpec;
use crate::dispatch::Level;
use crate::dispatch::dispatch;
use crate::error::Error;
use crate::formula::program::Columns;
use crate::formula::program::Program;
use crate::law::AllRows;
use crate::law::InLogs;
use crate::law::Outer;
use crate::law::in_logs;

/// Most variables of a law to allocate over.
pub(super) const MOST_VARIABLES: usize = 6;
/// Most budgets of one call.
pub(super) const MOST_BUDGETS: usize = 4;

/// One number a variable; those beyond the law's are 0.
pub(super) type Point = [f64; MOST_VARIABLES];

/// A function near a point.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Local {
    pub(super) value: f64,
    pub(super) gradient: Point,
    pub(super) curvature: [Point; MOST_VARIABLES],
}

impl Local {
    pub(super) fn is_finite(&self) -> bool {
        let all = self.gradient.iter().chain(self.curvature.iter().flatten());
        self.value.is_finite() && all.into_iter().all(|x| x.is_finite())
    }

    pub(super) fn slope(&self) -> Slope {
        Slope { value: self.value, gradient: self.gradient }
    }
}

/// The same without curvature, which a product of powers has none of in logarithms.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slope {
    pub(super) value: f64,
    pub(super) gradient: Point,
}

/// One a budget.
pub(super) type Costs = [Slope; MOST_BUDGETS];

/// What is minimised, and the logarithms of what it costs.
#[derive(Debug)]
pub(super) struct Surface {
    pub(super) n: usize,
    pub(super) budgets: Vec<InLogs>,
    /// Whether every budget is a product of powers.
    pub(super) is_affine: bool,
    objective: InLogs,
    level: Level,
}

impl Surface {
    pub(super) fn new(spec: &AllocationSpec<'_>) -> Result<Surface, Error> {
        let outer = if spec.maximize { Outer::Negated } else { Outer::Value };
        let objective = in_logs(spec.law, spec.variables, spec.parameters, outer, "law")?;
        let budget = |text: &String| in_logs(text, spec.variables, &[], Outer::Log, "budgets");
        let budgets: Vec<InLogs> = spec.budgets.iter().map(budget).collect::<Result<_, _>>()?;
        let is_affine = budgets.iter().all(|budget| budget.affine.is_some());
        Ok(Surface { n: spec.variables.len(), budgets, is_affine, objective, level: spec.level })
    }

    /// The objective alone, for `rows` points whose coordinates lie one variable after the other.
    pub(super) fn values(&self, parameters: &[f64], u: &[f64], rows: usize) -> Vec<f64> {
        self.rows(&self.objective.value, parameters, u, rows)
    }

    /// The objective at each of `points`.
    pub(super) fn locals(&self, parameters: &[f64], points: &[Point]) -> Vec<Local> {
        self.near(&self.objective.second, parameters, points)
    }

    /// The logarithm of a budget's formula at each of `points`.
    pub(super) fn costs(&self, budget: usize, points: &[Point]) -> Vec<Slope> {
        match &self.budgets[budget].affine {
            Some(affine) => points.iter().map(|u| self.affine(affine, u)).collect(),
            None => self.bends(budget, points).iter().map(Local::slope).collect(),
        }
    }

    /// The same at one point, for every budget.
    pub(super) fn costs_at(&self, u: &Point) -> Costs {
        let mut costs = Costs::default();
        for (j, cost) in costs.iter_mut().enumerate().take(self.budgets.len()) {
            *cost = match &self.budgets[j].affine {
                Some(affine) => self.affine(affine, u),
                None => self.bends(j, &[*u])[0].slope(),
            };
        }
        costs
    }

    /// The logarithm of a budget's formula with its curvature, at each of `points`.
    pub(super) fn bends(&self, budget: usize, points: &[Point]) -> Vec<Local> {
        self.near(&self.budgets[budget].second, &[], points)
    }

    fn affine(&self, affine: &[f64], u: &Point) -> Slope {
        let mut slope = Slope { value: affine[0], gradient: [0.0; MOST_VARIABLES] };
        for (i, &by) in affine[1..=self.n].iter().enumerate() {
            slope.value += by * u[i];
            slope.gradient[i] = by;
        }
        slope
    }

    fn near(&self, program: &Program, parameters: &[f64], points: &[Point]) -> Vec<Local> {
        let (n, rows) = (self.n, points.len());
        let mut u = vec![0.0; n * rows];
        for (row, point) in points.iter().enumerate() {
            for i in 0..n {
                u[i * rows + row] = point[i];
            }
        }
        let out = self.rows(program, parameters, &u, rows);
        let mut locals = vec![Local::default(); rows];
        for (row, local) in locals.iter_mut().enumerate() {
            let mut outputs = out[row..].iter().step_by(rows);
            let mut next = || *outputs.next().expect("a value, n slopes and n (n + 1) / 2 curvatures a row");
            local.value = next();
            for i in 0..n {
                local.gradient[i] = next();
            }
            for i in 0..n {
                for j in i..n {
                    local.curvature[i][j] = next();
                    local.curvature[j][i] = local.curvature[i][j];
                }
            }
        }
        locals
    }

    fn rows(&self, program: &Program, parameters: &[f64], u: &[f64], rows: usize) -> Vec<f64> {
        let columns = Columns { values: u, stride: rows };
        dispatch(self.level, AllRows { program, columns, n_rows: rows, parameters, registers: &mut Vec::new() })
    }
}
