//! Everything that can be wrong with a call, before any work starts.

use std::sync::Arc;

use crate::batch::scale::ScaleRule;
use crate::batch::spec::BatchSpec;
use crate::batch::spec::ReplicatePlan;
use crate::batch::spec::ReplicateRule;
use crate::error::Error;
use crate::law::CompiledLaw;
use crate::law::Residual;
use crate::law::Role;
use crate::loss::Loss;
use crate::objective::prior::Known;
use crate::resample::Resample;
use crate::scan::MOST_SCANNED;
use crate::solver::Solver;
use crate::solver::Space;
use crate::starts::StartRule;
use crate::starts::hoffmann_grid;

/// A checked call: what all fits share.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) law: Arc<CompiledLaw>,
    pub(super) space: Space,
    /// Parameters with a prior.
    pub(super) known: Vec<Known>,
    /// Where default starts lie: within three standard deviations of a prior.
    pub(super) start_space: Space,
    pub(super) n_starts: usize,
    /// Solutions of each fit before its resamples: its starts, or the estimates that are known.
    pub(super) n_points: usize,
    /// Amplitudes are solved for.
    pub(super) is_separable: bool,
    /// Starts of a rule that makes them without data.
    pub(super) grid: Option<Vec<f64>>,
}

/// Most values that the kept ends of all starts, or all replicates, may have: 8 GB of them.
const MOST_VALUES: usize = 1 << 30;

pub(super) fn check(spec: &BatchSpec<'_>) -> Result<Plan, Error> {
    let law = CompiledLaw::shared(spec.text, spec.variables, Some(spec.parameters), spec.residual)?;
    let n_rows = spec.y.len();
    check_offsets(spec.offsets, n_rows)?;
    check_lengths(spec, n_rows)?;
    check_data(spec)?;
    check_scale(spec)?;
    if spec.covariance.needs_clusters() && spec.clusters.is_none() {
        let kind = spec.covariance.name();
        let message =
            format!("missing: covariance=\"{kind}\" sums over clusters of rows; name their column with cluster=");
        return Err(Error::argument("cluster", message));
    }
    let space = check_parameters(spec, &law)?;
    let known = check_prior(spec)?;
    let start_space = near_priors(spec, &space, &known);
    let is_separable = check_solver(spec, &law, &space, &known)?;
    let (n_starts, grid) = check_starts(spec, &law, &space, is_separable)?;
    check_replicates(spec, n_rows)?;
    let n_fits = spec.offsets.len() - 1;
    let p = spec.parameters.len().max(1);
    let n_points = if spec.at.is_some() { 1 } else { n_starts };
    let kept = if spec.keep_starts { n_points } else { 0 };
    let replicates = spec.n_replicates();
    if n_fits.saturating_mul(kept.max(replicates)).saturating_mul(p) > MOST_VALUES {
        let (argument, what) = if replicates > kept { ("bootstrap", replicates) } else { ("starts", kept) };
        let message = format!("{n_fits} fits × {what} × {p} parameters do not fit in memory; ask for fewer");
        return Err(Error::argument(argument, message));
    }
    Ok(Plan { law, space, known, start_space, n_starts, n_points, is_separable, grid })
}

fn check_offsets(offsets: &[usize], n_rows: usize) -> Result<(), Error> {
    let is_rising = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    if offsets.is_empty() || !is_rising || offsets[0] != 0 || offsets.last() != Some(&n_rows) {
        return Err(Error::argument("offsets", format!("must rise from 0 to the number of rows ({n_rows})")));
    }
    Ok(())
}

fn check_lengths(spec: &BatchSpec<'_>, n_rows: usize) -> Result<(), Error> {
    let p = spec.parameters.len();
    let n_fits = spec.offsets.len() - 1;
    let lengths = [
        ("x", spec.x.len(), spec.variables.len() * n_rows),
        ("weights", spec.weights.map_or(n_rows, <[f64]>::len), n_rows),
        ("sigma", spec.sigma.map_or(n_rows, <[f64]>::len), n_rows),
        ("cluster", spec.clusters.map_or(n_rows, <[i64]>::len), n_rows),
        ("lower", spec.lower.len(), p),
        ("upper", spec.upper.len(), p),
        ("fixed", spec.fixed.len(), p),
        ("f_scale", spec.f_scale.map_or(n_fits, <[f64]>::len), n_fits),
        ("start_lower", spec.start_lower.len(), p),
        ("start_upper", spec.start_upper.len(), p),
    ];
    for (name, found, wanted) in lengths {
        if found != wanted {
            return Err(Error::argument(name, format!("has {found} values; wanted {wanted}")));
        }
    }
    Ok(())
}

/// A scale that is fitted is that of one density, and nothing says what a prior weighs against it.
fn check_scale(spec: &BatchSpec<'_>) -> Result<(), Error> {
    let is_fitted =
        spec.scale_rule == ScaleRule::Fitted && spec.f_scale.is_none_or(|all| all.iter().any(|f| f.is_nan()));
    if !is_fitted || !spec.loss.has_scale() {
        return Ok(());
    }
    if spec.loss != Loss::Huber {
        let message = "\"fitted\" is the scale of a Huber density; use loss=\"huber\", or f_scale=\"mad\" or a number";
        return Err(Error::argument("f_scale", message));
    }
    if spec.prior.is_some() {
        let message = "goes with a given scale of the loss; use f_scale=\"mad\" or a number instead of \"fitted\"";
        return Err(Error::argument("prior", message));
    }
    Ok(())
}

fn check_data(spec: &BatchSpec<'_>) -> Result<(), Error> {
    let n_rows = spec.y.len();
    for (v, name) in spec.variables.iter().enumerate() {
        let column = &spec.x[v * n_rows..][..n_rows];
        if let Some(row) = column.iter().position(|value| !value.is_finite()) {
            let message = format!("{name} is {} in row {row}; drop the row or use where=", column[row]);
            return Err(Error::argument("data", message));
        }
    }
    if let Some(row) = spec.y.iter().position(|value| !value.is_finite()) {
        let message = format!("the response is {} in row {row}; drop the row or use where=", spec.y[row]);
        return Err(Error::argument("response", message));
    }
    if let Some(weights) = spec.weights
        && let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0))
    {
        return Err(Error::argument(
            "weights",
            format!("weight {} in row {row}; weights are numbers ≥ 0", weights[row]),
        ));
    }
    if spec.residual == Residual::Log
        && let Some(row) = spec.y.iter().position(|y| *y <= 0.0)
    {
        let message = format!(
            "the response is {} in row {row}, and its logarithm does not exist; use residual=\"linear\" or drop the row",
            spec.y[row]
        );
        return Err(Error::argument("response", message));
    }
    check_sigma(spec)?;
    if let Some(scales) = spec.f_scale
        && let Some(scale) = scales.iter().find(|s| **s <= 0.0 || s.is_infinite())
    {
        return Err(Error::argument("f_scale", format!("{scale} is no scale; give a positive number or \"mad\"")));
    }
    Ok(())
}

/// Smallest and largest standard deviation, whose squares and their inverses are ordinary numbers.
const LEAST_SIGMA: f64 = 1e-150;
const MOST_SIGMA: f64 = 1e150;

fn check_sigma(spec: &BatchSpec<'_>) -> Result<(), Error> {
    let Some(sigma) = spec.sigma else { return Ok(()) };
    if spec.weights.is_some() {
        let message = "the noise of a row is known (sigma) or relative (weights), not both; leave one out";
        return Err(Error::argument("sigma", message));
    }
    let noise = |row: usize| if spec.residual == Residual::Log { sigma[row] / spec.y[row].abs() } else { sigma[row] };
    let is_usable = |row: usize| sigma[row] > 0.0 && (LEAST_SIGMA..=MOST_SIGMA).contains(&noise(row));
    if let Some(row) = (0..sigma.len()).find(|&row| !is_usable(row)) {
        let message = format!("{} in row {row} is no standard deviation; give positive numbers", sigma[row]);
        return Err(Error::argument("sigma", message));
    }
    Ok(())
}

/// Largest size of a parameter whose products with another, and theirs with a derivative, are ordinary numbers.
const MOST_SIZE: f64 = 1e150;
/// Largest exponent. In powers of more than that, as in (1 + x/a)**a, a search without end finds where rounding looks best.
const MOST_EXPONENT: f64 = 1e5;

fn check_parameters(spec: &BatchSpec<'_>, law: &CompiledLaw) -> Result<Space, Error> {
    let mut free = Vec::new();
    for (j, name) in spec.parameters.iter().enumerate() {
        let (lower, upper, fixed) = (spec.lower[j], spec.upper[j], spec.fixed[j]);
        if lower.is_nan() || upper.is_nan() || lower > upper || lower == f64::INFINITY || upper == f64::NEG_INFINITY {
            return Err(Error::argument("bounds", format!("{name}: the range {lower} to {upper} is empty")));
        }
        if fixed.is_nan() {
            if lower == upper {
                let message = format!("{name}: both bounds are {lower}; write fixed={{\"{name}\": {lower}}}");
                return Err(Error::argument("bounds", message));
            }
            free.push(j);
        } else if fixed.is_infinite() || fixed < lower || fixed > upper {
            let message = format!("{name} is fixed at {fixed}, outside its bounds {lower} to {upper}");
            return Err(Error::argument("fixed", message));
        }
    }
    if free.is_empty() {
        return Err(Error::argument("fixed", "every parameter is fixed; leave one free, or evaluate the law instead"));
    }
    let amplitudes = law.amplitude_of.iter().zip(&law.roles);
    let amplitudes = amplitudes.map(|(term, role)| term.is_some() && role.role == Role::Linear).collect();
    let limits = (0..spec.parameters.len()).map(|j| {
        let limit = if law.roles[j].role == Role::Exponent { MOST_EXPONENT } else { MOST_SIZE };
        [spec.lower[j], spec.upper[j]].iter().filter(|b| b.is_finite()).fold(limit, |limit, b| limit.max(2.0 * b.abs()))
    });
    Ok(Space::new(spec.lower, spec.upper, free, amplitudes, limits.collect()))
}

fn check_prior(spec: &BatchSpec<'_>) -> Result<Vec<Known>, Error> {
    let Some(prior) = spec.prior else { return Ok(vec![]) };
    let (p, n_fits) = (spec.parameters.len(), spec.offsets.len() - 1);
    let n_variances = prior.variance.map_or(n_fits, <[f64]>::len);
    if prior.mean.len() != p || prior.sd.len() != p || n_variances != n_fits {
        return Err(Error::argument("prior", format!("wanted {p} means and deviations, {n_fits} variances")));
    }
    let mut known = Vec::new();
    for (j, name) in spec.parameters.iter().enumerate() {
        let (mean, sd) = (prior.mean[j], prior.sd[j]);
        if mean.is_nan() && sd.is_nan() {
            continue;
        }
        let message = if !spec.fixed[j].is_nan() {
            "is fixed; leave it out of one of the two".to_owned()
        } else if !(LEAST_SIGMA..=MOST_SIGMA).contains(&sd) {
            format!("has the standard deviation {sd}; give a positive number, or fix the parameter")
        } else if !(mean >= spec.lower[j] && mean <= spec.upper[j] && mean.is_finite()) {
            format!("has its mean {mean} outside its bounds {} to {}", spec.lower[j], spec.upper[j])
        } else {
            known.push(Known { parameter: j, mean, sd });
            continue;
        };
        return Err(Error::argument("prior", format!("{name} {message}")));
    }
    if let Some(variance) = prior.variance.and_then(|all| all.iter().find(|v| **v < 0.0 || v.is_infinite())) {
        return Err(Error::argument("prior", format!("{variance} is no noise variance")));
    }
    Ok(known)
}

/// The space of default starts.
fn near_priors(spec: &BatchSpec<'_>, space: &Space, known: &[Known]) -> Space {
    const REACH: f64 = 3.0;
    let (mut lower, mut upper) = (spec.lower.to_vec(), spec.upper.to_vec());
    for &Known { parameter: j, mean, sd } in known {
        lower[j] = lower[j].max(mean - REACH * sd);
        upper[j] = upper[j].min(mean + REACH * sd);
    }
    space.within(&lower, &upper)
}

/// Whether the separable path is to be taken.
fn check_solver(spec: &BatchSpec<'_>, law: &CompiledLaw, space: &Space, known: &[Known]) -> Result<bool, Error> {
    let amplitudes = law.separable.iter().flat_map(|separable| &separable.amplitudes);
    let has_free = amplitudes.into_iter().any(|amplitude| space.free.contains(&amplitude.parameter));
    if spec.solver == Solver::Separable && !has_free {
        let message = format!(
            "the law {} is linear in no parameter that is fitted; use solver=\"auto\" or \"generic\"",
            spec.text.trim()
        );
        return Err(Error::Law(format!("solver: {message}")));
    }
    if spec.solver == Solver::Separable && !known.is_empty() {
        let message = "a prior is no part of the squares that the separable path looks at; use solver=\"auto\"";
        return Err(Error::Law(format!("solver: {message}")));
    }
    Ok(has_free && known.is_empty() && spec.solver != Solver::Generic)
}

/// Starts that are drawn where the caller names no number, and those of a law that can be scanned.
const DEFAULT_STARTS: usize = 64;
const STARTS_WITH_SCAN: usize = 16;

fn default_starts(law: &CompiledLaw, space: &Space, is_separable: bool) -> usize {
    let nonlinear = law.separable.iter().flat_map(|separable| &separable.nonlinear);
    let n_scanned = nonlinear.filter(|j| space.free.contains(j)).count();
    if is_separable && n_scanned <= MOST_SCANNED { STARTS_WITH_SCAN } else { DEFAULT_STARTS }
}

fn check_starts(
    spec: &BatchSpec<'_>,
    law: &CompiledLaw,
    space: &Space,
    is_separable: bool,
) -> Result<(usize, Option<Vec<f64>>), Error> {
    let p = spec.parameters.len();
    let (n_starts, grid) = match spec.start_rule {
        StartRule::Auto => {
            (if spec.n_starts == 0 { default_starts(law, space, is_separable) } else { spec.n_starts }, None)
        }
        StartRule::Hoffmann2022 => {
            let grid = hoffmann_grid(spec.parameters)?;
            (grid.len() / p, Some(grid))
        }
        StartRule::Given => {
            let Some(given) = spec.starts else {
                return Err(Error::argument("starts", "an array of starts is missing"));
            };
            let n_fits = if given.per_fit { spec.offsets.len() - 1 } else { 1 };
            if given.values.len() != n_fits * given.n_starts * p {
                let wanted = n_fits * given.n_starts * p;
                return Err(Error::argument("starts", format!("{} values; wanted {wanted}", given.values.len())));
            }
            for (i, value) in given.values.iter().enumerate() {
                let j = i % p;
                if spec.fixed[j].is_nan() && !value.is_finite() {
                    let message = format!("start {} has {} = {value}; starts are numbers", i / p, spec.parameters[j]);
                    return Err(Error::argument("starts", message));
                }
            }
            (given.n_starts, None)
        }
    };
    if n_starts == 0 {
        return Err(Error::argument("starts", "at least one start is needed"));
    }
    for j in 0..p {
        if spec.start_lower[j] > spec.start_upper[j] {
            return Err(Error::argument("starts", format!("{}: the range of starts is empty", spec.parameters[j])));
        }
    }
    Ok((n_starts, grid))
}

fn check_replicates(spec: &BatchSpec<'_>, n_rows: usize) -> Result<(), Error> {
    let (n_fits, p) = (spec.offsets.len() - 1, spec.parameters.len());
    if let Some(at) = spec.at
        && (at.len() != n_fits * p || at.iter().any(|value| !value.is_finite()))
    {
        return Err(Error::argument("at", format!("wanted {n_fits} × {p} finite numbers")));
    }
    let Some(plan) = &spec.replicates else { return Ok(()) };
    let lengths = [
        ("keys", plan.row_keys.map(<[u64]>::len)),
        ("cluster_keys", plan.cluster_keys.map(<[u64]>::len)),
        ("strata", plan.strata.map(<[i64]>::len)),
        ("noise", plan.noise.map(<[f64]>::len)),
    ];
    for (name, found) in lengths {
        if let Some(found) = found.filter(|found| *found != n_rows) {
            return Err(Error::argument(name, format!("{found} values for {n_rows} rows")));
        }
    }
    if let Some(noise) = plan.noise
        && let Some(row) = noise.iter().position(|sd| !(sd.is_finite() && *sd >= 0.0))
    {
        return Err(Error::argument("noise", format!("{} in row {row} is no standard deviation", noise[row])));
    }
    if !(plan.share > 0.0 && plan.share < 1.0) {
        return Err(Error::argument("share", format!("{} is no share; give a number between 0 and 1", plan.share)));
    }
    match plan.rule {
        ReplicateRule::Scheme(scheme) => check_scheme(scheme, plan),
        ReplicateRule::Given(given) => {
            if given.responses.is_some_and(|responses| responses.len() != plan.n_replicates * n_rows) {
                let message = format!("must have {} rows of {n_rows} responses", plan.n_replicates);
                return Err(Error::argument("responses", message));
            }
            check_weights(given.weights, plan.n_replicates, n_rows)
        }
    }
}

fn check_scheme(scheme: Resample, plan: &ReplicatePlan<'_>) -> Result<(), Error> {
    if scheme == Resample::Hierarchical && plan.cluster_keys.is_none() {
        let message = "draws clusters, then their rows; name the column of the clusters with cluster=";
        return Err(Error::argument("resample", format!("\"hierarchical\" {message}")));
    }
    if plan.with_covariance && !matches!(scheme, Resample::Pairs | Resample::Wild | Resample::Parametric) {
        let message = "needs replicates that might have been measured; use \"pairs\", \"wild\" or \"parametric\"";
        return Err(Error::argument("studentize", format!("{message}, not \"{}\"", scheme.name())));
    }
    Ok(())
}

fn check_weights(values: &[f64], n_replicates: usize, n_rows: usize) -> Result<(), Error> {
    if values.len() != n_replicates * n_rows {
        return Err(Error::argument("weights", format!("must have {n_replicates} rows of {n_rows} weights")));
    }
    if let Some(place) = values.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        let (replicate, row) = (place / n_rows, place % n_rows);
        let message = format!("weight {} in replicate {replicate}, row {row}; weights are numbers ≥ 0", values[place]);
        return Err(Error::argument("weights", message));
    }
    Ok(())
}
