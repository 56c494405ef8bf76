//! The functions of `lawfit._core` that fit nothing; their documentation is `_core.pyi`.

use numpy::IntoPyArray;
use numpy::PyArray1;
use numpy::PyArray2;
use numpy::PyArrayDyn;
use numpy::PyArrayMethods;
use numpy::PyReadonlyArrayDyn;
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::Column;
use crate::CompiledLaw;
use crate::Kind;
use crate::Level;
use crate::Residual;
use crate::Status;
use crate::py::arrays::Named;
use crate::py::error::to_python;
use crate::py::run::guard;
use crate::py::run::run;

#[pyfunction]
pub(super) fn names<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyDict>> {
    let found = guard(py, || crate::formula::names(text))?.map_err(|e| to_python(py, &e, None))?;
    let (names, positions): (Vec<String>, Vec<usize>) = found.into_iter().unzip();
    let out = PyDict::new(py);
    out.set_item("names", names)?;
    out.set_item("positions", positions)?;
    Ok(out)
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn compile_law<'py>(
    py: Python<'py>,
    text: &str,
    variables: Vec<String>,
    positive: Vec<String>,
) -> PyResult<Bound<'py, PyDict>> {
    let law = guard(py, || CompiledLaw::shared(text, &variables, None, Residual::Linear))?
        .map_err(|e| to_python(py, &e, None))?;
    for name in &positive {
        if !law.parameters().contains(name) {
            let message = format!("positive: {name} is not a parameter; parameters: {}", law.parameters().join(", "));
            return Err(to_python(py, &crate::Error::Law(message), None));
        }
    }
    let out = PyDict::new(py);
    let roles = law.roles();
    out.set_item("parameters", law.parameters())?;
    out.set_item("linear", roles.iter().map(|role| *role == crate::Role::Linear).collect::<Vec<_>>())?;
    out.set_item("roles", roles.iter().map(|role| role.name()).collect::<Vec<_>>())?;
    out.set_item("terms", law.terms())?;
    Ok(out)
}

#[pyfunction]
#[pyo3(signature = (text, variables, parameters, x, params, *, wrt = vec![], order = 0, kernels = "auto"))]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
#[expect(clippy::too_many_arguments, reason = "one flat call is the seam")]
pub(super) fn evaluate<'py>(
    py: Python<'py>,
    text: &str,
    variables: Vec<String>,
    parameters: Vec<String>,
    x: PyReadonlyArrayDyn<'py, f64>,
    params: PyReadonlyArrayDyn<'py, f64>,
    wrt: Vec<String>,
    order: usize,
    kernels: &str,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let rows = Named { name: "x", array: &x }.slice(py, &[Some(variables.len()), None])?;
    let n_rows = x.shape()[1];
    let draws = Named { name: "params", array: &params }.slice(py, &[None, Some(parameters.len())])?;
    let n_draws = if parameters.is_empty() { 1 } else { params.shape()[0] };
    let level = Level::from_name(kernels).map_err(|e| to_python(py, &e, None))?;
    let compute = || crate::evaluate(text, &variables, &parameters, rows, n_rows, draws, &wrt, order, level);
    let values = guard(py, compute)?.map_err(|e| to_python(py, &e, None))?;
    let mut shape = vec![n_draws];
    shape.extend(std::iter::repeat_n(wrt.len(), order));
    shape.push(n_rows);
    values.into_pyarray(py).reshape(shape)
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn undefined_row(
    py: Python<'_>,
    text: &str,
    variables: Vec<String>,
    parameters: Vec<String>,
    x: PyReadonlyArrayDyn<'_, f64>,
    residual: &str,
) -> PyResult<Option<usize>> {
    let residual = Residual::from_name(residual).map_err(|e| to_python(py, &e, None))?;
    let rows = Named { name: "x", array: &x }.slice(py, &[Some(variables.len()), None])?;
    let n_rows = x.shape()[1];
    guard(py, || crate::undefined_row(text, &variables, &parameters, rows, n_rows, residual))?
        .map_err(|e| to_python(py, &e, None))
}

#[pyfunction]
#[pyo3(signature = (text, columns, *, want, argument))]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn evaluate_columns<'py>(
    py: Python<'py>,
    text: &str,
    columns: Vec<(String, PyReadonlyArrayDyn<'py, f64>, String, Vec<String>)>,
    want: &str,
    argument: &str,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let n_rows = columns.first().map(|column| column.1.len());
    let mut table = Vec::with_capacity(columns.len());
    for (name, values, kind, levels) in &columns {
        let values = Named { name: "columns", array: values }.slice(py, &[n_rows])?;
        let kind = match kind.as_str() {
            "condition" => Kind::Condition,
            "text" => Kind::Text(levels.clone()),
            _ => Kind::Number,
        };
        table.push(Column { name: name.clone(), values, kind });
    }
    let values = guard(py, || crate::evaluate_columns(text, &table, want == "condition"))?
        .map_err(|e| to_python(py, &e, Some(argument)))?;
    Ok(values.into_pyarray(py))
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn hash_keys(py: Python<'_>, keys: Vec<Vec<u8>>) -> Bound<'_, PyArray1<u64>> {
    keys.iter().map(|key| crate::rng::hash_key(key)).collect::<Vec<u64>>().into_pyarray(py)
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn row_keys<'py>(
    py: Python<'py>,
    numbers: PyReadonlyArrayDyn<'py, i64>,
) -> PyResult<Bound<'py, PyArray1<u64>>> {
    let numbers = Named { name: "numbers", array: &numbers }.slice(py, &[None])?;
    let keys: Vec<u64> = numbers.iter().map(|&number| crate::rng::row_key(number.cast_unsigned())).collect();
    Ok(keys.into_pyarray(py))
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn bayesian_weights<'py>(
    py: Python<'py>,
    keys: PyReadonlyArrayDyn<'py, u64>,
    seed: u64,
    n_replicates: u32,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let keys = Named { name: "keys", array: &keys }.slice(py, &[None])?;
    let weights = guard(py, || crate::bayesian_weights(keys, seed, n_replicates))?;
    weights.into_pyarray(py).reshape([n_replicates as usize, keys.len()])
}

#[pyfunction]
pub(super) fn fail_on_purpose(py: Python<'_>, is_tiny: bool) -> PyResult<()> {
    run(py, is_tiny, None, |_| panic!("a failure on purpose"))
}

#[pyfunction]
pub(super) fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

#[pyfunction]
pub(super) fn registries(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("losses", crate::Loss::NAMES)?;
    out.set_item("scale_rules", crate::ScaleRule::NAMES)?;
    out.set_item("residuals", Residual::ALL.map(Residual::name))?;
    out.set_item("covariances", crate::Covariance::ALL.map(crate::Covariance::name))?;
    let by_cluster = crate::Covariance::ALL.into_iter().filter(|kind| kind.needs_clusters());
    out.set_item("cluster_covariances", by_cluster.map(crate::Covariance::name).collect::<Vec<&str>>())?;
    out.set_item("resamplers", crate::Resample::NAMES)?;
    out.set_item("solvers", crate::Solver::ALL.map(crate::Solver::name))?;
    out.set_item("start_rules", crate::StartRule::NAMES)?;
    let kinds: Vec<(&str, &[&str], bool)> =
        crate::MixtureKind::ALL.iter().map(|kind| (kind.name(), kind.parameters(), kind.has_scale())).collect();
    out.set_item("mixtures", kinds)?;
    out.set_item("endings", crate::Ending::ALL.map(crate::Ending::name))?;
    let levels: Vec<&str> = Level::ALL.into_iter().filter(|level| level.is_available()).map(Level::name).collect();
    out.set_item("kernels", levels)?;
    out.set_item("kernels_auto", Level::best().name())?;
    out.set_item("functions", crate::formula::function_names())?;
    out.set_item("reserved", crate::formula::reserved_words())?;
    let statuses: Vec<(&str, &str, bool)> =
        Status::ALL.iter().map(|s| (s.name(), s.message(), s.is_success())).collect();
    out.set_item("statuses", statuses)?;
    out.set_item("stream_version", crate::rng::STREAM_VERSION)?;
    Ok(out)
}
