//! `fit_batch`: arrays in, one call of the engine, arrays out.

use numpy::IntoPyArray;
use numpy::PyArrayMethods;
use numpy::PyReadonlyArrayDyn;
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::BatchSpec;
use crate::Covariance;
use crate::Error;
use crate::FitResult;
use crate::Gap;
use crate::GivenPrior;
use crate::GivenReplicates;
use crate::GivenStarts;
use crate::Level;
use crate::Loss;
use crate::ReplicatePlan;
use crate::ReplicateRule;
use crate::Replicates;
use crate::Resample;
use crate::Residual;
use crate::ScaleRule;
use crate::Solver;
use crate::StartRule;
use crate::Started;
use crate::Status;
use crate::py::arrays::Named;
use crate::py::error::to_python;
use crate::py::run::run;
use crate::run_batch;

/// Row-starts below which a call is done in a few milliseconds at most: a thread that listens for Ctrl-C meanwhile is not
/// worth its beginning.
const TINY: usize = 20_000;
/// The code of a start that a fit did not need, where others needed it.
const NOT_MADE: u8 = u8::MAX;

type Array<'py, T> = PyReadonlyArrayDyn<'py, T>;

#[pyfunction]
#[pyo3(signature = (
    text, variables, parameters, x, y, offsets, *, lower, upper, fixed, weights = None, sigma = None, loss = "huber",
    f_scale = None, scale_rule = "mad", residual = "log", start_rule = "auto", starts = None, n_starts = 0,
    start_lower = None, start_upper = None, seed = 0, resample = None, n_replicates = 0, replicate_weights = None,
    keys = None, solver = "auto", covariance = "auto", clusters = None, keep_starts = true, max_iterations = 1000,
    kernels = "auto", n_threads = 1, progress = None, prior_mean = None, prior_sd = None, prior_variance = None,
    at = None, cluster_keys = None, strata = None, share = 0.5, noise = None, is_global = false, n_checked = 0,
    studentize = false, replicate_responses = None
))]
#[expect(clippy::too_many_arguments, reason = "one flat call is the seam")]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn fit_batch<'py>(
    py: Python<'py>,
    text: &str,
    variables: Vec<String>,
    parameters: Vec<String>,
    x: Array<'py, f64>,
    y: Array<'py, f64>,
    offsets: Array<'py, i64>,
    lower: Array<'py, f64>,
    upper: Array<'py, f64>,
    fixed: Array<'py, f64>,
    weights: Option<Array<'py, f64>>,
    sigma: Option<Array<'py, f64>>,
    loss: &str,
    f_scale: Option<Array<'py, f64>>,
    scale_rule: &str,
    residual: &str,
    start_rule: &str,
    starts: Option<Array<'py, f64>>,
    n_starts: usize,
    start_lower: Option<Array<'py, f64>>,
    start_upper: Option<Array<'py, f64>>,
    seed: u64,
    resample: Option<&str>,
    n_replicates: usize,
    replicate_weights: Option<Array<'py, f64>>,
    keys: Option<Array<'py, u64>>,
    solver: &str,
    covariance: &str,
    clusters: Option<Array<'py, i64>>,
    keep_starts: bool,
    max_iterations: usize,
    kernels: &str,
    n_threads: usize,
    progress: Option<Bound<'py, PyAny>>,
    prior_mean: Option<Array<'py, f64>>,
    prior_sd: Option<Array<'py, f64>>,
    prior_variance: Option<Array<'py, f64>>,
    at: Option<Array<'py, f64>>,
    cluster_keys: Option<Array<'py, u64>>,
    strata: Option<Array<'py, i64>>,
    share: f64,
    noise: Option<Array<'py, f64>>,
    is_global: bool,
    n_checked: usize,
    studentize: bool,
    replicate_responses: Option<Array<'py, f64>>,
) -> PyResult<Bound<'py, PyDict>> {
    let raise = |error: Error| to_python(py, &error, None);
    let n_rows = y.len();
    let p = parameters.len();
    let offsets = Named { name: "offsets", array: &offsets }.slice(py, &[None])?;
    let offsets: Result<Vec<usize>, _> = offsets.iter().map(|&o| usize::try_from(o)).collect();
    let offsets = offsets.map_err(|_| raise(Error::argument("offsets", "must not be negative")))?;
    let n_fits = offsets.len().saturating_sub(1);
    let vector = |name, array: &Option<Array<'py, f64>>, n| -> PyResult<Option<Vec<f64>>> {
        let Some(array) = array else { return Ok(None) };
        Ok(Some(Named { name, array }.slice(py, &[Some(n)])?.to_vec()))
    };
    let start_lower = vector("start_lower", &start_lower, p)?.unwrap_or_else(|| vec![f64::NAN; p]);
    let start_upper = vector("start_upper", &start_upper, p)?.unwrap_or_else(|| vec![f64::NAN; p]);
    let f_scale = vector("f_scale", &f_scale, n_fits)?;
    let weights = vector("weights", &weights, n_rows)?;
    let sigma = vector("sigma", &sigma, n_rows)?;
    let prior_mean = vector("prior_mean", &prior_mean, p)?;
    let prior_sd = vector("prior_sd", &prior_sd, p)?;
    let prior_variance = vector("prior_variance", &prior_variance, n_fits)?;
    let prior = prior_mean.as_deref().zip(prior_sd.as_deref());
    let row_keys = of_rows(py, "keys", keys.as_ref(), n_rows)?;
    let cluster_keys = of_rows(py, "cluster_keys", cluster_keys.as_ref(), n_rows)?;
    let strata = of_rows(py, "strata", strata.as_ref(), n_rows)?;
    let noise = of_rows(py, "noise", noise.as_ref(), n_rows)?;
    let at = match &at {
        Some(at) => Some(Named { name: "at", array: at }.slice(py, &[Some(n_fits), Some(p)])?),
        None => None,
    };
    let clusters = of_rows(py, "cluster", clusters.as_ref(), n_rows)?;
    let given = match &starts {
        Some(starts) => Some(given_starts(py, starts, n_fits, p)?),
        None => None,
    };
    let rule = match (&replicate_weights, resample) {
        (Some(values), _) => {
            let slice = Named { name: "weights", array: values }.slice(py, &[None, Some(n_rows)])?;
            let n_given = values.shape()[0];
            let responses = match &replicate_responses {
                Some(values) => {
                    Some(Named { name: "responses", array: values }.slice(py, &[Some(n_given), Some(n_rows)])?)
                }
                None => None,
            };
            Some((ReplicateRule::Given(GivenReplicates { weights: slice, responses }), n_given))
        }
        (None, Some(name)) if n_replicates > 0 => {
            Some((ReplicateRule::Scheme(Resample::from_name(name).map_err(raise)?), n_replicates))
        }
        _ => None,
    };
    let replicates = rule.map(|(rule, n_replicates)| ReplicatePlan {
        rule,
        n_replicates,
        row_keys,
        cluster_keys,
        strata,
        share,
        noise,
        is_global,
        n_checked,
        with_covariance: studentize,
    });
    let spec = BatchSpec {
        text,
        variables: &variables,
        parameters: &parameters,
        x: Named { name: "x", array: &x }.slice(py, &[Some(variables.len()), Some(n_rows)])?,
        y: Named { name: "y", array: &y }.slice(py, &[Some(n_rows)])?,
        weights: weights.as_deref(),
        sigma: sigma.as_deref(),
        offsets: &offsets,
        lower: Named { name: "lower", array: &lower }.slice(py, &[Some(p)])?,
        upper: Named { name: "upper", array: &upper }.slice(py, &[Some(p)])?,
        fixed: Named { name: "fixed", array: &fixed }.slice(py, &[Some(p)])?,
        loss: Loss::from_name(loss).map_err(raise)?,
        f_scale: f_scale.as_deref(),
        scale_rule: ScaleRule::from_name(scale_rule).map_err(raise)?,
        residual: Residual::from_name(residual).map_err(raise)?,
        start_rule: StartRule::from_name(start_rule).map_err(raise)?,
        starts: given,
        n_starts,
        start_lower: &start_lower,
        start_upper: &start_upper,
        seed,
        at,
        replicates,
        solver: Solver::from_name(solver).map_err(raise)?,
        covariance: Covariance::from_name(covariance).map_err(raise)?,
        clusters,
        keep_starts,
        max_iterations,
        level: Level::from_name(kernels).map_err(raise)?,
        n_threads,
        prior: prior.map(|(mean, sd)| GivenPrior { mean, sd, variance: prior_variance.as_deref() }),
    };
    let n_solutions = (if n_starts == 0 { 64 } else { n_starts }).max(given.map_or(0, |g| g.n_starts)) + n_replicates;
    let is_tiny = n_rows.saturating_mul(n_solutions) < TINY;
    let results = run(py, is_tiny, progress.as_ref(), |monitor| run_batch(&spec, monitor))?;
    to_dict(py, &spec, &results)
}

/// One value per row, where they are given.
fn of_rows<'a, T: numpy::Element>(
    py: Python<'_>,
    name: &'static str,
    array: Option<&'a Array<'_, T>>,
    n_rows: usize,
) -> PyResult<Option<&'a [T]>> {
    array.map(|array| Named { name, array }.slice(py, &[Some(n_rows)])).transpose()
}

fn given_starts<'a>(py: Python<'_>, starts: &'a Array<'_, f64>, n_fits: usize, p: usize) -> PyResult<GivenStarts<'a>> {
    let per_fit = starts.shape().len() == 3;
    let named = Named { name: "starts", array: starts };
    let values =
        if per_fit { named.slice(py, &[Some(n_fits), None, Some(p)])? } else { named.slice(py, &[None, Some(p)])? };
    let n_starts = starts.shape()[usize::from(per_fit)];
    Ok(GivenStarts { values, n_starts, per_fit })
}

fn codes(statuses: &[Status]) -> impl Iterator<Item = u8> {
    statuses.iter().map(|status| *status as u8)
}

/// Structure of arrays; shapes as in `_core.pyi`.
fn to_dict<'py>(py: Python<'py>, spec: &BatchSpec<'_>, results: &[FitResult]) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    let (f, p) = (results.len(), spec.parameters.len());
    let floats = |get: &dyn Fn(&FitResult) -> f64| results.iter().map(get).collect::<Vec<f64>>().into_pyarray(py);
    let counts = |get: &dyn Fn(&FitResult) -> usize| {
        let values = results.iter().map(|r| i64::try_from(get(r)).unwrap_or(i64::MAX));
        values.collect::<Vec<i64>>().into_pyarray(py)
    };
    let table = |get: &dyn Fn(&FitResult) -> &[f64], shape: Vec<usize>| {
        let values: Vec<f64> = results.iter().flat_map(|r| get(r).iter().copied()).collect();
        values.into_pyarray(py).reshape(shape)
    };
    let n_terms = results.first().map_or(0, |r| r.term_share.len());
    out.set_item("params", table(&|r| &r.params, vec![f, p])?)?;
    out.set_item("gradient", table(&|r| &r.gradient, vec![f, p])?)?;
    out.set_item("flat_direction", table(&|r| &r.flat_direction, vec![f, p])?)?;
    out.set_item("covariance", table(&|r| &r.covariance, vec![f, p, p])?)?;
    out.set_item("term_share", table(&|r| &r.term_share, vec![f, n_terms])?)?;
    out.set_item("objective", floats(&|r| r.objective))?;
    out.set_item("sse", floats(&|r| r.sse))?;
    out.set_item("f_scale", floats(&|r| r.f_scale))?;
    out.set_item("prior_variance", floats(&|r| r.prior_variance))?;
    out.set_item("condition", floats(&|r| r.condition))?;
    out.set_item("rounding", floats(&|r| r.rounding))?;
    out.set_item("inside_scale", floats(&|r| r.inside_scale))?;
    out.set_item("start_agreement", floats(&|r| r.start_agreement))?;
    out.set_item("n_iterations", counts(&|r| r.n_iterations))?;
    out.set_item("n_evaluations", counts(&|r| r.n_evaluations))?;
    out.set_item("n_rows_used", counts(&|r| r.n_rows_used))?;
    out.set_item(
        "is_certified",
        results.iter().map(|r| r.certificate.is_certified).collect::<Vec<bool>>().into_pyarray(py),
    )?;
    out.set_item("n_best", counts(&|r| r.certificate.n_best))?;
    out.set_item("n_optima", counts(&|r| r.certificate.n_optima))?;
    out.set_item("n_unfinished", counts(&|r| r.certificate.n_unfinished))?;
    out.set_item("next_gap", floats(&|r| r.certificate.gap))?;
    out.set_item("best_start", counts(&|r| r.best_start))?;
    out.set_item("status", results.iter().map(|r| r.status as u8).collect::<Vec<u8>>().into_pyarray(py))?;
    let at_bound: Vec<bool> = results.iter().flat_map(|r| r.at_bound.iter().copied()).collect();
    out.set_item("at_bound", at_bound.into_pyarray(py).reshape([f, p])?)?;
    let loose: Vec<bool> = results.iter().flat_map(|r| r.loose.iter().copied()).collect();
    out.set_item("loose", loose.into_pyarray(py).reshape([f, p])?)?;
    let vague: Vec<bool> = results.iter().flat_map(|r| r.vague.iter().copied()).collect();
    out.set_item("vague", vague.into_pyarray(py).reshape([f, p])?)?;
    out.set_item("covariance_type", spec.covariance.resolved(spec.clusters.is_some()).name())?;
    out.set_item("dof", floats(&|r| r.dof))?;
    out.set_item("n_clusters", counts(&|r| r.n_clusters))?;
    out.set_item("gap", results.iter().map(|r| r.gap.map_or("", Gap::message)).collect::<Vec<&str>>())?;
    let places = |get: fn(Gap) -> Option<i64>| {
        let values = results.iter().map(|r| r.gap.and_then(get).unwrap_or(-1));
        values.collect::<Vec<i64>>().into_pyarray(py)
    };
    out.set_item("gap_row", places(Gap::row))?;
    out.set_item("gap_cluster", places(Gap::cluster))?;
    out.set_item("kernels", spec.level.name())?;
    if spec.keep_starts {
        set_starts(py, &out, results, p)?;
    }
    if let Some(plan) = &spec.replicates {
        let r = plan.n_replicates;
        let all = || results.iter().filter_map(|result| result.replicates.as_ref());
        let params: Vec<f64> = all().flat_map(|replicates| replicates.params.iter().copied()).collect();
        let objectives: Vec<f64> = all().flat_map(|replicates| replicates.objectives.iter().copied()).collect();
        let statuses: Vec<u8> = all().flat_map(|replicates| codes(&replicates.statuses)).collect();
        out.set_item("replicate_params", params.into_pyarray(py).reshape([f, r, p])?)?;
        out.set_item("replicate_objective", objectives.into_pyarray(py).reshape([f, r])?)?;
        out.set_item("replicate_status", statuses.into_pyarray(py).reshape([f, r])?)?;
        let lost: Vec<bool> = all().flat_map(|replicates| replicates.lost_term.iter().copied()).collect();
        out.set_item("replicate_lost_term", lost.into_pyarray(py).reshape([f, r])?)?;
        if plan.with_covariance {
            let covariances: Vec<f64> = all().flat_map(|replicates| replicates.covariances.iter().copied()).collect();
            out.set_item("replicate_covariance", covariances.into_pyarray(py).reshape([f, r, p, p])?)?;
        }
        let count = |get: &dyn Fn(&Replicates) -> usize| {
            let values = all().map(|replicates| i64::try_from(get(replicates)).unwrap_or(i64::MAX));
            values.collect::<Vec<i64>>().into_pyarray(py)
        };
        out.set_item("n_units", count(&|replicates| replicates.n_units))?;
        out.set_item("n_checked", count(&|replicates| replicates.n_checked))?;
        out.set_item("n_disagreed", count(&|replicates| replicates.n_disagreed))?;
    }
    Ok(out)
}

/// Where the starts began and ended. A fit whose first starts say all has fewer than others: what it did not need is filled up.
fn set_starts(py: Python<'_>, out: &Bound<'_, PyDict>, results: &[FitResult], p: usize) -> PyResult<()> {
    let f = results.len();
    let all = || results.iter().filter_map(|r| r.started.as_ref());
    let s = all().map(|started| started.objectives.len()).max().unwrap_or(0);
    let filled = |values: &dyn Fn(&Started) -> &[f64], width: usize| {
        let mut out = vec![f64::NAN; results.len() * s * width];
        for (place, started) in out.chunks_exact_mut((s * width).max(1)).zip(all()) {
            let values = values(started);
            place[..values.len()].copy_from_slice(values);
        }
        out
    };
    let (begins, ends) = (filled(&|started| &started.begins, p), filled(&|started| &started.ends, p));
    let objectives = filled(&|started| &started.objectives, 1);
    let mut statuses = vec![NOT_MADE; f * s];
    for (place, started) in statuses.chunks_exact_mut(s.max(1)).zip(all()) {
        place.iter_mut().zip(codes(&started.statuses)).for_each(|(place, code)| *place = code);
    }
    out.set_item("start_params", begins.into_pyarray(py).reshape([f, s, p])?)?;
    out.set_item("start_ends", ends.into_pyarray(py).reshape([f, s, p])?)?;
    out.set_item("start_objective", objectives.into_pyarray(py).reshape([f, s])?)?;
    out.set_item("start_status", statuses.into_pyarray(py).reshape([f, s])?)?;
    Ok(())
}
