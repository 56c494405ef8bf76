"""Resample the rows of a fit and refit: uncertainty without formulas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _batch, _engine
from lawfit._batch import Resampling
from lawfit._draws import Draws, caution_of
from lawfit._engine import F64, Progress
from lawfit._options import check_count, check_word
from lawfit._progress import as_progress
from lawfit._wording import describe
from lawfit.errors import DataError
from lawfit.results import Fit

DEFAULT_REPLICATES = 1000


def bootstrap(
    fit: Fit,
    n_replicates: int | None = None,
    *,
    resample: str = "bayesian",
    seed: int = 0,
    weights: ArrayLike | None = None,
    indices: ArrayLike | None = None,
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> Draws:
    """Parameters refitted to resampled rows.

    Each replicate starts at the fit and keeps its options; ``f_scale`` and ``prior_variance`` stay at the numbers that
    the fit found. The means of priors are drawn anew for each replicate, from the distribution that the prior states:
    what it rests on might have come out otherwise too. Under ``weights`` and ``indices`` they stay.

    Parameters
    ----------
    fit : Fit
        What to resample.
    n_replicates : int, optional
        How many replicates; 1000 unless ``weights`` or ``indices`` say.
    resample : "bayesian" or "pairs"
        Exponential weights for every row (Rubin 1981), or rows drawn with replacement (Efron 1979).
    seed : int
        Seed of the random weights. A row's stream depends on the seed, the number of the row in its table (or group)
        and the replicate alone: under ``"bayesian"`` other rows may come and go, and responses or laws fitted to the
        same rows get the same weights.
    weights : (n_replicates, n_rows) array, optional
        Weights of the rows in each replicate, instead of drawing any.
    indices : (n_replicates, n_drawn) array of int, optional
        Rows in each replicate, numbered from 0 among the rows that the fit used, instead of drawing any.
    n_threads : int, optional
        As in `lawfit.fit`.
    progress : bool or callable, optional
        As in `lawfit.fit`.

    Returns
    -------
    Draws
        All replicates, with how many failed and how many ended at a bound.

    Raises
    ------
    LawError
        An option cannot mean anything.
    DataError
        ``weights`` or ``indices`` do not fit the rows.

    Notes
    -----
    When to use: whenever the interval matters; it needs no assumption about the noise but that rows are independent.
    Several checkpoints of one run are not.

    References
    ----------
    Rubin 1981, The Bayesian bootstrap, Ann. Statist. 9; Efron 1979, Bootstrap methods, Ann. Statist. 7.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 3e7, 1e8, 3e8, 1e9, 3e9]}, noise=0.001)
    >>> draws = lf.bootstrap(lf.fit(lf.laws.power_floor, runs, response="loss"), 100)
    >>> draws["alpha"].shape
    (100,)
    """
    if not isinstance(fit, Fit):
        raise DataError(
            f"bootstrap: give a Fit, not {describe(fit)}; groups are resampled by fit_many(..., bootstrap=1000)"
        )
    resampling = _as_resampling(fit, n_replicates, resample, weights, indices)
    seed = check_count("seed", seed, least=0)
    params = np.array(list(fit.params.values()))
    if not np.isfinite(params).all():
        raise DataError(f"bootstrap: the fit has no estimate to start from ({fit.message})")
    raw = _batch.run(
        fit.law,
        fit.rows,
        # From its own optimum a fit must stay there: the separable path would begin with other amplitudes.
        replace(fit.options, seed=seed, solver="generic"),
        starts=params[np.newaxis, :],
        resampling=resampling,
        f_scale=np.array([fit.f_scale]),
        prior_variance=np.array([fit.prior_variance]),
        keep_starts=False,
        n_threads=_arrays.resolve_threads(n_threads),
        progress=as_progress(progress),
    )
    assert raw.replicates is not None, "the engine was asked for replicates"
    return Draws(
        fit=fit,
        params=raw.replicates.params[0],
        objective=raw.replicates.objective[0],
        status_codes=raw.replicates.status[0],
        resample=resampling.scheme,
        seed=seed,
        n_units=fit.n_rows,
        lost_term=np.zeros(resampling.n_replicates, dtype=bool),
        caution=caution_of(fit.success, fit.message, fit.rows),
    )


def _as_resampling(
    fit: Fit, n_replicates: int | None, resample: str, weights: ArrayLike | None, indices: ArrayLike | None
) -> Resampling:
    check_word("resample", resample, _engine.registries().resamplers)
    if weights is None and indices is None:
        count = DEFAULT_REPLICATES if n_replicates is None else check_count("n_replicates", n_replicates, least=1)
        return Resampling(resample, count)
    if weights is not None and indices is not None:
        raise DataError("bootstrap: give weights= or indices=, not both")
    n_rows = fit.rows.y.size
    given = _row_weights(weights, n_rows) if weights is not None else _counts(indices, n_rows)
    if n_replicates is not None and n_replicates != len(given):
        raise DataError(
            f"n_replicates={n_replicates} contradicts the {len(given)} replicates that were given; leave it out"
        )
    return Resampling("weights", len(given), given)


def _row_weights(weights: ArrayLike, n_rows: int) -> F64:
    given = _arrays.as_float64(weights, "weights")
    if given.ndim != 2 or given.shape[1] != n_rows or len(given) == 0:
        raise DataError(
            f"weights: got shape {given.shape}; give (n_replicates, {n_rows}), one weight per row of the fit"
        )
    if not np.all(np.isfinite(given) & (given >= 0.0)):
        raise DataError("weights: every one must be finite and at least 0")
    return np.ascontiguousarray(given)


def _counts(indices: ArrayLike | None, n_rows: int) -> F64:
    """How often each row occurs in each replicate."""
    given = np.asarray(indices)
    if given.dtype.kind not in "iu" or given.ndim != 2 or given.size == 0:
        raise DataError(
            f"indices: got {given.dtype} of shape {given.shape}; give whole numbers, (n_replicates, n_drawn)"
        )
    if given.min() < 0 or given.max() >= n_rows:
        raise DataError(f"indices: rows are numbered 0 to {n_rows - 1}; got {given.min()} to {given.max()}")
    flat = given.astype(np.int64) + n_rows * np.arange(len(given), dtype=np.int64)[:, np.newaxis]
    counts = np.bincount(flat.ravel(), minlength=len(given) * n_rows)
    return counts.reshape(len(given), n_rows).astype(np.float64)
