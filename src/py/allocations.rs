//! Allocations: a law, budgets and draws of parameters in, optima out; the documentation is `_core.pyi`.

use numpy::IntoPyArray;
use numpy::PyArrayMethods;
use numpy::PyReadonlyArrayDyn;
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::AllocationSpec;
use crate::Level;
use crate::py::arrays::Named;
use crate::py::error::to_python;
use crate::py::run::run;
use crate::run_allocations;

type Array<'py> = PyReadonlyArrayDyn<'py, f64>;

#[pyfunction]
#[pyo3(signature = (law, variables, parameters, budgets, params, amounts, lower, upper, *, maximize = false, menus = Vec::new(), whole = Vec::new(), targets = None, scales = Vec::new(), kernels = "auto", n_threads = 1, progress = None))]
#[expect(clippy::too_many_arguments, reason = "one flat call is the seam")]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn allocate<'py>(
    py: Python<'py>,
    law: &str,
    variables: Vec<String>,
    parameters: Vec<String>,
    budgets: Vec<String>,
    params: Array<'py>,
    amounts: Array<'py>,
    lower: Array<'py>,
    upper: Array<'py>,
    maximize: bool,
    menus: Vec<Vec<f64>>,
    whole: Vec<bool>,
    targets: Option<Array<'py>>,
    scales: Vec<bool>,
    kernels: &str,
    n_threads: usize,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let level = Level::from_name(kernels).map_err(|error| to_python(py, &error, None))?;
    let (n, m) = (variables.len(), budgets.len());
    let values = Named { name: "params", array: &params }.slice(py, &[None, Some(parameters.len())])?;
    let amounts_ = Named { name: "amounts", array: &amounts }.slice(py, &[None, Some(m)])?;
    let (n_draws, n_points) = (params.shape()[0], amounts.shape()[0]);
    let bounds = [Some(n_points), Some(n)];
    let targets_ = match &targets {
        Some(array) => Named { name: "targets", array }.slice(py, &[Some(n_draws), Some(n_points)])?,
        None => &[],
    };
    let spec = AllocationSpec {
        law,
        variables: &variables,
        parameters: &parameters,
        maximize,
        budgets: &budgets,
        params: values,
        amounts: amounts_,
        lower: Named { name: "lower", array: &lower }.slice(py, &bounds)?,
        upper: Named { name: "upper", array: &upper }.slice(py, &bounds)?,
        menus: &menus,
        whole: &whole,
        targets: targets_,
        scales: &scales,
        n_draws,
        n_points,
        level,
        n_threads,
    };
    // A few dozen allocations take less time than a thread.
    let is_tiny = n_draws * n_points <= 64;
    let found = run(py, is_tiny, progress.as_ref(), |monitor| run_allocations(&spec, monitor))?;
    let out = PyDict::new(py);
    let shape = [n_draws, n_points];
    out.set_item("x", found.x.into_pyarray(py).reshape([n_draws, n_points, n])?)?;
    out.set_item("value", found.value.into_pyarray(py).reshape(shape)?)?;
    out.set_item("price", found.price.into_pyarray(py).reshape([n_draws, n_points, m])?)?;
    out.set_item("residual", found.residual.into_pyarray(py).reshape(shape)?)?;
    out.set_item("ending", found.ending.into_pyarray(py).reshape(shape)?)?;
    out.set_item("side", found.side.into_pyarray(py).reshape([n_draws, n_points, n])?)?;
    out.set_item("runner_up", found.runner_up.into_pyarray(py).reshape(shape)?)?;
    out.set_item("scale", found.scale.into_pyarray(py).reshape(shape)?)?;
    Ok(out)
}
