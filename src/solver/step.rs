//! One damped step: (H + λ D²) s = −g on the parameters that may move.

use crate::linalg::factor;
use crate::linalg::solve;
use crate::solver::Workspace;

/// Solves for the step of `active` parameters, damped by `lambda` times the squares of `scale`, into `workspace.step`
/// (zero elsewhere). Returns the decrease that the undamped quadratic model predicts, or `None` if the damped matrix is
/// not positive definite.
pub(super) fn damped_step(workspace: &mut Workspace, scale: &[f64], lambda: f64) -> Option<f64> {
    let p = workspace.gradient.len();
    let m = workspace.active.len();
    workspace.step.fill(0.0);
    let Workspace { active, hessian, gradient, system, right_side, .. } = workspace;
    for (a, (&i, row)) in active.iter().zip(system.chunks_exact_mut(m.max(1))).enumerate() {
        let from = &hessian[i * p..][..p];
        for (place, &j) in row.iter_mut().zip(&*active) {
            *place = from[j];
        }
        row[a] += lambda * scale[i] * scale[i];
        right_side[a] = -gradient[i];
    }
    if !factor(&mut workspace.system[..m * m], m) {
        return None;
    }
    solve(&workspace.system[..m * m], m, &mut workspace.right_side[..m]);
    for (a, &i) in workspace.active.iter().enumerate() {
        workspace.step[i] = workspace.right_side[a];
    }
    Some(predicted_decrease(workspace))
}

/// `−gᵀs − ½ sᵀHs` for the step in the workspace.
pub(super) fn predicted_decrease(workspace: &Workspace) -> f64 {
    let p = workspace.gradient.len();
    let mut linear = 0.0;
    let mut quadratic = 0.0;
    for &i in &workspace.active {
        let step = workspace.step[i];
        linear += workspace.gradient[i] * step;
        // Those that do not move have a step of 0.
        for (h, other) in workspace.hessian[i * p..][..p].iter().zip(&workspace.step) {
            quadratic += step * h * other;
        }
    }
    -linear - 0.5 * quadratic
}
