"""A law against one that contains it: the likelihood ratio test, for squared and Huber losses."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from lawfit import _arrays, _batch, _engine, _export
from lawfit._engine import F64
from lawfit._huber_density import least_deviance
from lawfit._leverage import units_of
from lawfit._options import check_count, check_word
from lawfit._residuals import residuals_of
from lawfit._tangent import moving_parameters
from lawfit._text import number
from lawfit._wording import describe
from lawfit.errors import DataError
from lawfit.results import Fit

METHODS = ("bootstrap", "chi2")
LOSSES = ("squared", "huber")
# The full law, fitted to what the restricted one predicts, misses it by less than this part of the response (or in
# logarithms): a minimum of exact data ends within rounding of it.
CONTAINED = 1e-6
# Two minimisations of the same rows differ by no more than this part of the objective.
SAME = 1e-6
DOUBTFUL = 0.05
# With fewer units signs have fewer than 1,024 patterns.
FEW_UNITS = 10


@dataclass(frozen=True, slots=True, repr=False)
class LikelihoodRatio:
    """A likelihood ratio test of a law within a larger one.

    Attributes
    ----------
    statistic : float
        Twice the gain of the log-likelihood; NaN where the test cannot be made.
    df : int
        Parameters that the larger law moves in addition.
    p_value : float
        Probability of a statistic at least as large where the restricted law is right.
    p_error : float
        Monte-Carlo standard error of that; 0 for ``"chi2"``.
    method : str
        ``"bootstrap"`` or ``"chi2"``.
    n_replicates, n_failed : int
        Tables that were drawn under the restricted law, and those to which a law could not be fitted.
    n_units : int
        Rows or clusters whose signs were drawn.
    misfit : float
        How far the larger law, fitted to the restricted law's predictions, stays off them: root mean square.
    scales : tuple of float
        Standard deviations of the noise that both likelihoods are highest at, restricted first.
    message : str
        What it means in words, or why the test cannot be made.
    """

    statistic: float
    df: int
    p_value: float
    p_error: float
    method: str
    n_replicates: int
    n_failed: int
    n_units: int
    misfit: float
    scales: tuple[float, float]
    message: str

    def to_dict(self) -> dict[str, object]:
        """Return everything as values that JSON can hold; undefined numbers are ``None``."""
        found = {
            name: _export.plain(value) if isinstance(value, float) else value for name, value in asdict(self).items()
        }
        return found | {"scales": [_export.plain(scale) for scale in self.scales]}

    def to_frame(self, library: str) -> Any:
        """Return one row in a frame of a library."""
        columns = {name: [value] for name, value in asdict(self).items() if name != "scales"}
        return _export.frame(columns, library, library, "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        error = f" +- {number(self.p_error, 2)}" if self.p_error > 0.0 else ""
        figures = f"likelihood ratio {number(self.statistic, 4)} for {self.df} more parameter{'s' * (self.df != 1)}"
        return f"{figures}, p = {number(self.p_value, 3)}{error} ({self.method})\n{self.message}"


def likelihood_ratio(
    restricted: Fit,
    full: Fit,
    *,
    method: str = "auto",
    n_replicates: int = 999,
    seed: int = 0,
    n_threads: int | None = None,
) -> LikelihoodRatio:
    """Test whether a law with more parameters meets the runs better than chance allows.

    Parameters
    ----------
    restricted, full : Fit
        The law with fewer parameters, and the one that contains it, fitted to the same rows with the same loss and
        the same ``f_scale``; `lawfit.compare` makes such fits.
    method : {"auto", "bootstrap", "chi2"}
        ``"bootstrap"``, which ``"auto"`` is: tables under the restricted law, whose residuals keep their size and get
        signs at random, one for a row, or one for all rows of a cluster; both laws are fitted to each. ``"chi2"``: the
        chi-squared distribution, for independent rows, many of them.
    n_replicates : int
        Tables to draw.
    seed : int
        Seed of the signs.
    n_threads : int, optional
        As in `lawfit.fit`.

    Returns
    -------
    LikelihoodRatio
        Statistic, p value and what they mean. Where the laws are not nested the p value is NaN and the message says so.

    Raises
    ------
    DataError
        The fits are not of the same rows, loss and scale; a loss has no density; there are priors; or
        ``method="chi2"`` with clusters.

    Notes
    -----
    When to use: for a question about one parameter or a few, such as whether both exponents of a law are one. Which of
    several laws predicts best is for `lawfit.compare`.

    The density of a residual r with turn d and noise s is exp(-H_k(r / s)) / (s c(k)), where k = d / s and
    c(k) = sqrt(2 pi) (1 - 2 Q(k)) + 2 exp(-k**2 / 2) / k; s is the one that makes each likelihood highest, and under
    known ``sigma`` it is 1. Parameters that minimise the objective at a given d maximise this likelihood at any s.

    The bootstrap is the default, with or without clusters. Chi-squared is a limit of many rows, takes the density at
    its word, and fails where a parameter is at a bound or rows are not independent; signs keep each row's own noise,
    clusters and bounds. docs/compare.md has the rejection rates of both.

    References
    ----------
    Besiroglu et al. 2024, arXiv:2404.10102 (the density); Wilks 1938, Ann. Math. Statist. 9; Cameron, Gelbach and
    Miller 2008, Rev. Econ. Statist. 90 (signs by cluster, under the restricted model).

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.35, "beta": 0.3}
    >>> design = {"N": [1e8, 2e8, 4e8, 8e8, 2e9], "D": [2e9, 5e9, 1e10, 3e10, 1e11]}
    >>> runs = lf.synthetic.runs(lf.laws.chinchilla, truth, design, noise=0.001, seed=1)
    >>> tied, free = (
    ...     lf.fit(law, runs, response="loss", loss="squared") for law in (lf.laws.chinchilla_tied, lf.laws.chinchilla)
    ... )
    >>> test = lf.likelihood_ratio(tied, free, n_replicates=199)
    >>> test.df, test.p_value < 0.05
    (1, True)
    """
    check_word("method", method, ("auto", *METHODS))
    n_replicates = check_count("n_replicates", n_replicates, least=19)
    seed = check_count("seed", seed, least=0)
    _check_pair(restricted, full)
    clustered = restricted.rows.clusters is not None
    if method == "chi2" and clustered:
        raise DataError('method="chi2" takes independent rows, and these are in clusters: leave it out')
    chosen = "bootstrap" if method == "auto" else method
    places = np.flatnonzero(np.ones(full.rows.y.size) if full.rows.weights is None else full.rows.weights)
    units = units_of(restricted, places)
    df = _n_free(full) - _n_free(restricted)

    def refused(message: str, misfit: float = math.nan) -> LikelihoodRatio:
        nan = math.nan
        return LikelihoodRatio(nan, df, nan, nan, chosen, 0, 0, len(units), misfit, (nan, nan), message)

    why, misfit, embedded = _why_not(restricted, full, n_threads)
    if why is not None:
        return refused(why, misfit)
    weights, has_noise = _weights(full), full.rows.sigma is not None
    turn = full.f_scale if full.options.loss == "huber" else math.inf
    objectives = np.array([restricted.objective, min(full.objective, restricted.objective)])
    deviance, scales = least_deviance(objectives, weights, turn, is_known=has_noise)
    statistic = float(deviance[0] - deviance[1])
    pair = (float(scales[0]), float(scales[1]))
    if chosen == "chi2":
        p = float(_engine.chi2_sf(statistic, df))
        return LikelihoodRatio(
            statistic, df, p, 0.0, chosen, 0, 0, len(units), misfit, pair, _meaning(p, restricted, full)
        )
    drawn = _drawn(restricted, full, embedded, units.codes, places, n_replicates, seed, n_threads)
    usable = drawn[np.isfinite(drawn).all(axis=1)]
    if 10 * usable.shape[0] < 9 * n_replicates:
        return refused(f"only {len(usable)} of {n_replicates} drawn tables could be fitted", misfit)
    usable[:, 1] = np.minimum(usable[:, 1], usable[:, 0])
    of_restricted, _ = least_deviance(usable[:, 0], weights, turn, is_known=has_noise)
    of_full, _ = least_deviance(usable[:, 1], weights, turn, is_known=has_noise)
    n_above = int(np.count_nonzero(of_restricted - of_full >= statistic))
    # The table at hand is one of those that might have been drawn.
    p = (n_above + 1.0) / (len(usable) + 1.0)
    message = _meaning(p, restricted, full)
    if len(units) < FEW_UNITS:
        message += f"; {len(units)} {units.noun}s have {2 ** len(units)} patterns of signs, so p is coarse"
    return LikelihoodRatio(
        statistic, df, p, math.sqrt(p * (1.0 - p) / len(usable)), chosen, n_replicates, n_replicates - len(usable),
        len(units), misfit, pair, message,
    )  # fmt: skip


def _check_pair(restricted: Fit, full: Fit) -> None:
    for name, fit in (("restricted", restricted), ("full", full)):
        if not isinstance(fit, Fit):
            raise DataError(f"{name}: give a Fit, not {describe(fit)}")
        if fit.options.loss not in LOSSES:
            raise DataError(f"{name}: loss={fit.options.loss!r} is no logarithm of a density; use one of {LOSSES}")
        if fit.options.prior or fit.options.is_chained:
            raise DataError(f"{name}: a fit with priors, or through another law, has no likelihood of its rows alone")
        if fit.options.scale_rule == "fitted" and fit.options.f_scale is None and fit.options.loss == "huber":
            raise DataError(f'{name}: f_scale="fitted" differs between laws; give both the same number')
    mine, other = restricted.rows, full.rows
    same = mine.positions.shape == other.positions.shape and bool(np.all(mine.y == other.y))
    for one, two in ((mine.weights, other.weights), (mine.sigma, other.sigma), (mine.clusters, other.clusters)):
        same = (
            same and (one is None) == (two is None) and (one is None or two is None or bool(np.array_equal(one, two)))
        )
    if not same:
        raise DataError("restricted, full: the fits are not of the same rows, weights, sigma and clusters")
    if (restricted.options.loss, restricted.options.residual) != (full.options.loss, full.options.residual):
        raise DataError("restricted, full: the fits differ in loss or residual; likelihoods need the same")
    if full.options.loss == "huber" and restricted.f_scale != full.f_scale:
        raise DataError(
            f"restricted, full: f_scale is {restricted.f_scale:g} and {full.f_scale:g}; fit both with the same number, "
            f"such as f_scale={full.f_scale:.6g}, or through lawfit.compare"
        )


def _n_free(fit: Fit) -> int:
    """Return how many parameters are not fixed; one at its bound might have been elsewhere."""
    return len(fit.law.parameters) - len(fit.options.fixed)


def _why_not(restricted: Fit, full: Fit, n_threads: int | None) -> tuple[str | None, float, F64]:
    """Say why there is no test; how far the larger law stays off the other's predictions, and its parameters there."""
    nothing = np.empty((0, len(full.law.parameters)))
    for fit in (restricted, full):
        if not fit.success:
            return f"{fit.law.name or fit.law.text} could not be fitted: {fit.message}", math.nan, nothing
    if _n_free(full) <= _n_free(restricted):
        return (
            "the larger law has no more parameters than the other: the laws are not nested that way round",
            math.nan,
            nothing,
        )
    misfit, embedded = _embedding(restricted, full, n_threads)
    why = None
    if not misfit < CONTAINED:
        why = (
            f"the laws are not nested: the larger one misses what the other predicts by {misfit:.2g} (root mean "
            "square); compare them held out with lawfit.compare"
        )
    elif full.objective > restricted.objective * (1.0 + SAME):
        why = (
            f"the larger law's objective, {full.objective:.6g}, is above the other's, {restricted.objective:.6g}, so "
            "its fit is not the best: give it more starts"
        )
    elif full.rows.sigma is None and full.objective <= 0.0:
        why = "the larger law meets every row exactly: there is no noise to test with"
    return why, misfit, embedded


def _weights(fit: Fit) -> F64:
    weights = np.ones(fit.rows.y.size) if fit.rows.weights is None else fit.rows.weights
    return np.asarray(weights[weights > 0.0])


def _embedding(restricted: Fit, full: Fit, n_threads: int | None) -> tuple[float, F64]:
    """Fit the larger law to what the other predicts: how far it stays off, and its parameters there."""
    rows, is_log = full.rows, full.options.residual == "log"
    at = dict(zip(restricted.rows.variables, restricted.rows.x, strict=True))
    predicted = np.asarray(restricted.law.evaluate(at, params=restricted.params))
    options = replace(full.options, loss="squared", f_scale=None, start_rule="auto", n_starts=0)
    raw = _batch.run(
        full.law, replace(rows, y=np.ascontiguousarray(predicted)), options, keep_starts=False,
        n_threads=_arrays.resolve_threads(n_threads), progress=None,
    )  # fmt: skip
    params = np.ascontiguousarray(raw.params)
    if not np.isfinite(params).all():
        return math.inf, params
    x = dict(zip(rows.variables, rows.x, strict=True))
    again = np.asarray(full.law.evaluate(x, params=dict(zip(full.law.parameters, params[0].tolist(), strict=True))))
    with np.errstate(all="ignore"):
        off = np.log(again / predicted) if is_log else (again - predicted) / np.abs(predicted).mean()
    return float(np.sqrt(np.mean(off**2))), params


def _drawn(
    restricted: Fit,
    full: Fit,
    embedded: F64,
    codes: Any,
    places: Any,
    n_replicates: int,
    seed: int,
    n_threads: int | None,
) -> F64:
    """(n_replicates, 2) objectives of both laws on tables under the restricted one, NaN where a fit failed."""
    rows, is_log = restricted.rows, restricted.options.residual == "log"
    found = residuals_of(restricted)
    freed = len(places) - len(moving_parameters(restricted))
    # Residuals of a fit are smaller than the noise.
    off = found.plain * math.sqrt(len(places) / max(freed, 1))
    random = np.random.default_rng(seed)
    signs = random.integers(0, 2, size=(n_replicates, int(codes.max()) + 1))[:, codes] * 2.0 - 1.0
    y = np.broadcast_to(rows.y, (n_replicates, rows.y.size)).copy()
    with np.errstate(over="ignore"):
        y[:, places] = found.predicted * np.exp(-signs * off) if is_log else found.predicted - signs * off
    noise: F64 | None
    if is_log and rows.sigma is not None:
        # The noise of a row stays what it is in logarithms.
        noise = rows.sigma / rows.y * y
    else:
        noise = None if rows.sigma is None else np.broadcast_to(rows.sigma, y.shape)
    out = np.full((n_replicates, 2), np.nan)
    ok = np.array([status.success for status in _engine.registries().statuses])
    for k, fit in enumerate((restricted, full)):
        own = [list(fit.params.values())]
        starts = np.array(own) if k == 0 else np.concatenate([np.array(own), embedded])
        put = replace(
            fit.rows,
            x=np.ascontiguousarray(np.tile(fit.rows.x, n_replicates)),
            y=np.ascontiguousarray(y.ravel()),
            weights=None if rows.weights is None else np.tile(rows.weights, n_replicates),
            sigma=None if noise is None else np.ascontiguousarray(noise.ravel()),
            chosen=np.tile(rows.positions, n_replicates),
            numbers=np.tile(rows.units, n_replicates),
            offsets=np.arange(n_replicates + 1, dtype=np.int64) * rows.y.size,
            repeated=(),
            clusters=None,
        )
        options = replace(fit.options, covariance="classical")
        raw = _batch.run(
            fit.law, put, options, starts=starts, f_scale=np.full(n_replicates, fit.f_scale), keep_starts=False,
            n_threads=_arrays.resolve_threads(n_threads), progress=None,
        )  # fmt: skip
        out[:, k] = np.where(ok[raw.status], raw.objective, np.nan)
    return out


def _meaning(p_value: float, restricted: Fit, full: Fit) -> str:
    small, large = (fit.law.name or fit.law.text for fit in (restricted, full))
    if p_value < DOUBTFUL:
        return f"{large} meets the runs better than chance allows: {small} is too narrow for them"
    return f"{large} meets the runs no better than chance allows: they give no reason to leave {small}"
