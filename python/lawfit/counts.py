"""Laws of a probability, fitted to counts of successes by likelihood: `fit_counts`, and what its results can do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _batch, _engine
from lawfit._batch import Options, Rows
from lawfit._count_fit import CountFit
from lawfit._count_law import CountLaw, count_law
from lawfit._count_rows import Counts, Distinct, cells_of, count_rows, counts_of, distinct_of
from lawfit._count_starts import of_means, with_sizes
from lawfit._draws import Draws
from lawfit._engine import F64, Progress
from lawfit._fits import Fits
from lawfit._law import Law, RangeLike
from lawfit._options import check_count, check_word, make_options
from lawfit._progress import as_progress
from lawfit._refits import covariance_of
from lawfit._rows import bind_to_table
from lawfit.errors import LawError
from lawfit.fitting import as_law, as_mapping, as_table, check_defined
from lawfit.resampling import DEFAULT_REPLICATES
from lawfit.resampling import bootstrap as bootstrap_rows
from lawfit.results import Fit

# Those that a likelihood has; the others lean on leverages of squared residuals.
COVARIANCES = ("auto", "classical", "HC0", "HC1", "CR1")


def fit_counts(
    law: Law | str,
    data: object,
    *,
    n_correct: str = "n_correct",
    n_samples: str = "n_samples",
    size: str | None = None,
    columns: Mapping[str, str] | None = None,
    where: str | ArrayLike | None = None,
    cluster: str | ArrayLike | None = None,
    bounds: Mapping[str, RangeLike] | None = None,
    fixed: Mapping[str, float] | None = None,
    seed: int = 0,
    covariance: str = "auto",
    max_iterations: int = 1000,
    kernels: str = "auto",
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> CountFit:
    """Fit a law of a probability to counts of successes, by maximum likelihood, from many starts.

    Parameters
    ----------
    law : Law or str
        The probability of a success: a law of `lawfit.laws`, a `Law`, or a formula, such as
        ``"exp(-(E + A*N**-alpha))"``; in a formula the names that are columns are the variables.
    data : table
        Anything that `read_table` takes; one row for each problem at each checkpoint, or each cell of a grid.
    n_correct, n_samples : str
        Columns, or formulas over columns, of successes and samples: whole numbers.
    size : str, optional
        Without it counts are binomial. With it they are beta-binomial: the probability differs from row to row with a
        Beta distribution of the law as mean and of this size: the name of one more parameter, such as ``"nu"``, or a
        formula over the variables and parameters, also over names that the law binds, such as
        ``"exp(theta3 + theta4*L)"``. Large sizes are the binomial, size 0 has probabilities 0 and 1 alone.
    columns : mapping of str to str, optional
        For variables that are no columns: a column, or a formula; a constant too, such as ``{"k": "1"}``.
    where : str or (n_rows,) bool, optional
        Condition that a row must meet.
    cluster : str or (n_rows,) array, optional
        What makes rows belong together, such as the problem that several checkpoints were asked.
    bounds : mapping of str to (lower, upper), optional
        Bounds in place of the law's own. A size that is a parameter lies between 1e-6 and 1000 times the largest number
        of samples unless said otherwise.
    fixed : mapping of str to float, optional
        Parameters that are not fitted.
    seed : int
        Seed of the random starts.
    covariance : {"auto", "classical", "HC0", "HC1", "CR1"}
        Kind of covariance that ``stderr`` comes from. ``"classical"``: the inverse of the curvature of the likelihood.
        ``"HC0"``, ``"HC1"``: the sandwich over rows, which holds where rows are independent and their spread is not
        that of the likelihood. ``"CR1"``: over clusters. ``"auto"`` is CR1 with ``cluster=`` and classical without.
    max_iterations : int
        Limit of iterations of one start.
    kernels : str
        As in `fit`.
    n_threads : int, optional
        As in `fit`.
    progress : bool or callable, optional
        As in `fit`.

    Returns
    -------
    CountFit
        Estimates, standard errors, the likelihood, and what to distrust. A fit that went wrong says so in its
        ``status``; it does not raise.

    Raises
    ------
    LawError
        The law, the size or an option cannot mean anything, or the law is no probability wherever a search begins.
    DataError
        A column or a value is missing, or a count is not whole, negative, or larger than its number of samples.

    Notes
    -----
    When to use: for accuracies and pass rates wherever the counts behind them are at hand. Rows without a success are
    information, and stay: logarithms of shares have to drop them, which selects rows by their outcome. ``size=`` is for
    rows that are problems: the mean of problems that differ is no probability of any of them, and many samples of one
    problem are worth far fewer than as many problems. Rows of one problem at several checkpoints are not independent:
    name the problem with ``cluster=``.

    Minimised is half the deviance, the sum over rows of s ln(s/n) + (n - s) ln(1 - s/n) less the logarithm of the
    probability, of p**s (1 - p)**(n - s), or of B(a + s, b + n - s) / B(a, b) with a = p size, b = (1 - p) size. The
    search has two stages: the law is fitted to the shares (s + 1/2) / (n + 1) of rows with equal variables, then the
    likelihood from the optima found, each with several sizes. Equal rows are searched as one with a weight, which
    changes nothing.

    References
    ----------
    Roberts et al. 2026, arXiv:2604.01411, section 3.2; Kazdan et al. 2025, arXiv:2510.05197; McCullagh and Nelder 1989,
    Generalized Linear Models, section 4.5; Liang and Zeger 1986, Biometrika 73 (CR1).

    Examples
    --------
    >>> import lawfit as lf
    >>> cells = {"N": [1e8, 3e8, 1e9, 3e9, 1e10], "right": [0, 9, 88, 260, 466], "asked": [1000] * 5}
    >>> fit = lf.fit_counts("exp(-A*N**-alpha)", cells, n_correct="right", n_samples="asked", bounds={"A": (0, None)})
    >>> round(fit.params["alpha"], 2), fit.status
    (0.52, 'converged')
    """
    given, table, mapping = as_law(law), as_table(data), as_mapping(columns)
    check_word("covariance", covariance, _engine.registries().covariances)
    if covariance not in COVARIANCES:
        raise LawError(
            f"covariance={covariance!r} rests on leverages of squared residuals, which a likelihood of counts has not; "
            f"give one of {', '.join(COVARIANCES)}"
        )
    if cluster is None and covariance in _engine.registries().cluster_covariances:
        raise LawError(f"covariance={covariance!r} sums over clusters: say which they are with cluster=")
    mean = bind_to_table(given, table, _of_names(mapping, given.names), str(n_correct))
    counts = counts_of(table, n_correct, n_samples, where)
    most_samples = float(counts.samples.max())
    model = count_law(mean, size, columns=table.names, mapped=mapping, most_samples=most_samples)
    _check_columns(model, mapping)
    options, _ = make_options(
        model.law, columns=table.names, protocol=None, loss="squared", f_scale=None, residual="linear", bounds=bounds,
        fixed=fixed, prior=None, starts=None, seed=seed, solver="auto", covariance=covariance,
        max_iterations=max_iterations, kernels=kernels,
    )  # fmt: skip
    _check_size(model, options, most_samples)
    kind = covariance if covariance != "auto" else "classical" if cluster is None else "CR1"
    options = replace(options, residual=_engine.DEVIANCE, start_rule="given", covariance=kind)
    rows = count_rows(
        model, table, n_correct=n_correct, n_samples=n_samples, columns=mapping, where=where, cluster=cluster
    )
    places = [rows.variables.index(name) for name in mean.variables or ()]
    check_defined(mean, np.ascontiguousarray(rows.x[places]), rows, "linear")
    inner, n_distinct = _maximise(model, rows, counts, options, _arrays.resolve_threads(n_threads), progress)
    return _described(model, inner, counts, n_correct, n_samples, n_distinct)


def bootstrap(
    fit: CountFit,
    n_replicates: int | None = None,
    *,
    seed: int = 0,
    n_checked: int = 2,
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> Draws:
    """Parameters refitted with Bayesian weights of the clusters, or of the rows.

    Parameters
    ----------
    fit : CountFit
        What to resample.
    n_replicates : int, optional
        How many replicates; 2000 unless given.
    seed : int
        Seed of the weights.
    n_checked : int
        Replicates that are searched from all starts as well.
    n_threads : int, optional
        As in `lawfit.fit`.
    progress : bool or callable, optional
        As in `lawfit.fit`.

    Returns
    -------
    Draws
        All replicates; give them to ``fit.predict(..., draws=draws)`` for bands.

    Raises
    ------
    LawError
        An option cannot mean anything.
    DataError
        The fit has no estimate to start from.

    Notes
    -----
    When to use: where the likelihood's curvature is no guide, as near bounds, and to check the standard errors. Rows,
    or clusters, are taken as independent: for rows of one problem at several checkpoints fit with ``cluster=``.

    References
    ----------
    Rubin 1981, The Bayesian bootstrap, Ann. Statist. 9.

    Examples
    --------
    >>> import lawfit as lf
    >>> cells = {"N": [1e8, 3e8, 1e9, 3e9, 1e10], "right": [0, 9, 88, 260, 466], "asked": [1000] * 5}
    >>> fit = lf.fit_counts("exp(-A*N**-alpha)", cells, n_correct="right", n_samples="asked", bounds={"A": (0, None)})
    >>> fit.bootstrap(100, seed=1)["alpha"].shape
    (100,)
    """
    count = DEFAULT_REPLICATES if n_replicates is None else check_count("n_replicates", n_replicates, least=1)
    seed = check_count("seed", seed, least=0)
    inner, rows = fit.inner, fit.inner.rows
    distinct = distinct_of(rows)
    plain = replace(inner, rows=distinct.rows, options=replace(inner.options, covariance="classical"))
    draws = bootstrap_rows(
        plain, weights=_weights(rows, distinct, seed, count), n_checked=n_checked,
        n_threads=n_threads, progress=progress,
    )  # fmt: skip
    n_units = rows.y.size if rows.clusters is None else inner.n_clusters
    return replace(draws, fit=inner, resample="bayesian", seed=seed, n_units=n_units)


def _weights(rows: Rows, distinct: Distinct, seed: int, n_replicates: int) -> F64:
    """Return what replicates multiply the weights of the distinct rows by, (n_replicates, n_distinct).

    The weight of a distinct row is the sum of those of its rows, each that of the row or of its cluster, as the engine
    draws them: draws are those of all rows, and a fraction of the work.
    """
    keys = _batch.cluster_keys(rows)
    if keys is None:
        keys, units = _engine.row_keys(rows.units), np.arange(rows.y.size)
    else:
        keys, units = np.unique(keys, return_inverse=True)
    n_distinct = distinct.rows.y.size
    places, n_alike = np.unique(units.reshape(-1) * n_distinct + distinct.codes, return_counts=True)
    weights = np.zeros((n_replicates, n_distinct))
    drawn = _engine.bayesian_weights(keys, seed, n_replicates)
    for replicate, own in zip(weights, drawn, strict=True):
        replicate[:] = np.bincount(places % n_distinct, n_alike * own[places // n_distinct], minlength=n_distinct)
    assert distinct.rows.weights is not None, "distinct rows are counted"
    return weights / distinct.rows.weights


def _of_names(mapping: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Return what is mapped of these names; the rest may be for the size."""
    return {name: column for name, column in mapping.items() if name in names}


def _check_columns(model: CountLaw, mapping: Mapping[str, str]) -> None:
    for name in mapping:
        if name not in model.variables:
            of = "law" if model.size is None else "law or of its size"
            raise LawError(f"columns: {name!r} is no variable of the {of}; these are {', '.join(model.variables)}")


def _check_size(model: CountLaw, options: Options, most_samples: float) -> None:
    free = [name for name in model.of_size if name not in options.fixed]
    if free and most_samples == 1.0:
        raise LawError(
            f"size={model.size!r}: every row has one sample, and such counts are the same for every size: leave size= "
            "out, or give one row for each problem"
        )


def _maximise(
    model: CountLaw, rows: Rows, counts: Counts, options: Options, n_threads: int, progress: bool | Progress | None
) -> tuple[Fit, int]:
    """Search over the distinct rows, then work out the covariance over all of them."""
    distinct = distinct_of(rows).rows
    places = [rows.variables.index(name) for name in model.variables]
    means = of_means(model, cells_of(model, rows, counts), options, n_threads)
    starts = with_sizes(model, means, options, distinct.x[places])
    raw = _batch.run(
        model.law, distinct, replace(options, covariance="classical"), starts=starts, n_threads=n_threads,
        progress=as_progress(progress),
    )  # fmt: skip
    options = replace(options, n_starts=len(starts))
    found = Fits(law=model.law, by=(), keys=((),), options=options, rows=distinct, raw=raw, resampling=None)[0]
    if not math.isfinite(found.objective):
        _refuse(model, rows, starts[0])
    n_clusters = 0 if rows.clusters is None else np.unique(rows.clusters).size
    found = replace(found, rows=rows, n_rows=rows.y.size, n_clusters=n_clusters)
    found = covariance_of(found, options.covariance)
    if found.covariance_type == "classical" and math.isfinite(found.dof):
        # The variance of a likelihood is known, not estimated from residuals.
        found = replace(found, dof=math.inf)
    return found, distinct.y.size


def _refuse(model: CountLaw, rows: Rows, start: F64) -> None:
    """Say where the law is no probability, at the fit to the shares."""
    values = dict(zip(model.law.parameters, start.tolist(), strict=True))
    law = model.mean
    points = {name: rows.x[rows.variables.index(name)] for name in law.variables or ()}
    mean = np.atleast_1d(law.evaluate(points, params={name: values[name] for name in law.parameters}))
    outside = np.flatnonzero(~((mean > 0.0) & (mean < 1.0)))
    example = ""
    if outside.size:
        example = f": fitted to the shares it is {mean[outside[0]]:.3g} in row {rows.positions[outside[0]]}"
    raise LawError(
        f"law: {law.text!r} has no likelihood from any start, since it leaves the interval from 0 to 1 or its size is "
        f"not positive{example}; write a probability, such as exp(-(...)) with positive parameters or sigmoid(...), or "
        "bound its parameters"
    )


def _described(
    model: CountLaw, inner: Fit, counts: Counts, n_correct: str, n_samples: str, n_distinct: int
) -> CountFit:
    """Put the likelihood and the spread of the counts beside the fit."""
    points = dict(zip(inner.rows.variables, inner.rows.x, strict=True))

    def at_rows(law: Law) -> F64:
        names = law.variables or ()
        params = {name: inner.params[name] for name in law.parameters}
        return np.broadcast_to(
            law.evaluate({name: points[name] for name in names}, params=params), counts.correct.shape
        )

    size = None if model.size is None else at_rows(model.size_law())
    n_free = len(inner.params) - len(inner.options.fixed)
    log_likelihood = _saturated(counts) - inner.objective
    return CountFit(
        model=model,
        inner=inner,
        n_correct=n_correct,
        n_samples=n_samples,
        total_correct=float(counts.correct.sum()),
        total_samples=float(counts.samples.sum()),
        n_distinct=n_distinct,
        log_likelihood=log_likelihood,
        aic=2.0 * n_free - 2.0 * log_likelihood,
        dispersion=_dispersion(counts, at_rows(model.mean), size, n_free),
        size_range=None if size is None else (float(size.min()), float(size.max())),
    )


def _saturated(counts: Counts) -> float:
    """Logarithm of the probability of the counts where each row has its own share as probability."""
    s, n = counts
    columns: list[_engine.EngineColumn] = [("s", s, "number", ()), ("n", n, "number", ())]
    text = "lgamma(n + 1) - lgamma(s + 1) - lgamma(n - s + 1) + s*log(max(s, 1)/n) + (n - s)*log(max(n - s, 1)/n)"
    return float(_engine.evaluate_columns(text, columns, want="number", argument="n_correct").sum())


def _dispersion(counts: Counts, mean: F64, size: F64 | None, n_free: int) -> float:
    """Pearson's chi-squared over its degrees of freedom, under the variance that the likelihood states."""
    s, n = counts
    freedom = n.size - n_free
    if freedom <= 0:
        return math.nan
    with np.errstate(all="ignore"):
        variance = n * mean * (1.0 - mean)
        if size is not None:
            variance = variance * (1.0 + (n - 1.0) / (size + 1.0))
        return float(np.sum((s - n * mean) ** 2 / variance)) / freedom
