//! Mixing distributions: counts in, fits out; the documentation is `_core.pyi`.

use numpy::IntoPyArray;
use numpy::PyArray1;
use numpy::PyArrayMethods;
use numpy::PyReadonlyArrayDyn;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::Error;
use crate::MixtureFit;
use crate::MixtureKind;
use crate::MixtureSpec;
use crate::log_moments;
use crate::py::arrays::Named;
use crate::py::error::to_python;
use crate::py::run::guard;
use crate::py::run::run;
use crate::run_mixtures;

type Array<'py, T> = PyReadonlyArrayDyn<'py, T>;
type Values<'py> = Bound<'py, PyArray1<f64>>;

#[pyfunction]
#[pyo3(signature = (kind, n_samples, n_correct, offsets, *, scale, keys, n_replicates = 0, seed = 0, n_threads = 1, progress = None))]
#[expect(clippy::too_many_arguments, reason = "one flat call is the seam")]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn fit_mixtures<'py>(
    py: Python<'py>,
    kind: &str,
    n_samples: Array<'py, f64>,
    n_correct: Array<'py, f64>,
    offsets: Array<'py, i64>,
    scale: Array<'py, f64>,
    keys: Array<'py, u64>,
    n_replicates: usize,
    seed: u64,
    n_threads: usize,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let raise = |error: Error| to_python(py, &error, None);
    let kind = MixtureKind::from_name(kind).map_err(raise)?;
    let n = Named { name: "n_samples", array: &n_samples }.slice(py, &[None])?;
    let s = Named { name: "n_correct", array: &n_correct }.slice(py, &[Some(n.len())])?;
    let keys = Named { name: "keys", array: &keys }.slice(py, &[Some(n.len())])?;
    let given = Named { name: "offsets", array: &offsets }.slice(py, &[None])?;
    let cuts: Result<Vec<usize>, _> = given.iter().map(|&cut| usize::try_from(cut)).collect();
    let cuts = cuts.map_err(|_| raise(Error::argument("offsets", "an offset is below 0")))?;
    let n_groups = cuts.len().saturating_sub(1);
    let scale = Named { name: "scale", array: &scale }.slice(py, &[Some(n_groups)])?;
    let spec = MixtureSpec { kind, n, s, offsets: &cuts, scale, keys, n_replicates, seed, n_threads };
    let fits = run(py, false, progress.as_ref(), |monitor| run_mixtures(&spec, monitor))?;
    let p = kind.parameters().len();
    let joined = |of: &dyn Fn(&MixtureFit) -> Vec<f64>| fits.iter().flat_map(of).collect::<Vec<f64>>().into_pyarray(py);
    let out = PyDict::new(py);
    out.set_item("at", joined(&|fit| fit.at.clone()).reshape([n_groups, p])?)?;
    out.set_item("covariance", joined(&|fit| fit.covariance.clone()).reshape([n_groups, p, p])?)?;
    out.set_item("log_likelihood", joined(&|fit| vec![fit.log_likelihood]))?;
    out.set_item("slope", joined(&|fit| vec![fit.slope]))?;
    out.set_item("scale", joined(&|fit| vec![fit.scale]))?;
    out.set_item("status", fits.iter().map(|fit| fit.status as u8).collect::<Vec<u8>>().into_pyarray(py))?;
    let steps: Vec<i64> = fits.iter().map(|fit| i64::try_from(fit.n_iterations).unwrap_or(i64::MAX)).collect();
    out.set_item("n_iterations", steps.into_pyarray(py))?;
    let replicates = joined(&|fit| fit.replicates.clone()).reshape([n_groups, n_replicates, p])?;
    out.set_item("replicates", replicates)?;
    let ends: Vec<u8> = fits.iter().flat_map(|fit| fit.replicate_status.iter().map(|&end| end as u8)).collect();
    out.set_item("replicate_status", ends.into_pyarray(py).reshape([n_groups, n_replicates])?)?;
    Ok(out)
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn mixture_log_moments<'py>(
    py: Python<'py>,
    kind: &str,
    at: Array<'py, f64>,
    scale: f64,
    n_samples: Array<'py, f64>,
    n_correct: Array<'py, f64>,
) -> PyResult<(Values<'py>, Values<'py>)> {
    let kind = MixtureKind::from_name(kind).map_err(|error| to_python(py, &error, None))?;
    let at = Named { name: "at", array: &at }.slice(py, &[Some(kind.parameters().len())])?;
    let n = Named { name: "n_samples", array: &n_samples }.slice(py, &[None])?;
    let s = Named { name: "n_correct", array: &n_correct }.slice(py, &[Some(n.len())])?;
    let (values, gradient) = guard(py, || log_moments(kind, at, scale, n, s))?;
    Ok((values.into_pyarray(py), gradient.into_pyarray(py)))
}
