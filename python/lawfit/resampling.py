"""Resample the rows of a fit and refit: uncertainty without formulas."""

from __future__ import annotations

import numbers
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _batch, _engine
from lawfit._batch import N_CHECKED, Resampling
from lawfit._crossed import SCHEMES as CROSSED
from lawfit._crossed import scheme_of, with_problems
from lawfit._draws import Draws
from lawfit._engine import F64, I64, Progress
from lawfit._options import SEARCHES, check_count, check_scheme, check_word
from lawfit._progress import as_progress
from lawfit._replicates import draws_of
from lawfit._wording import describe
from lawfit.errors import DataError, LawError
from lawfit.results import Fit

# The expanded percentile of 20 rows and five parameters wants 1,445.
DEFAULT_REPLICATES = 2000
# The schemes that draw within strata: the others keep every row, leave units out of all alike, or are told their rows.
STRATIFIED = ("bayesian", "pairs", "hierarchical")


def bootstrap(
    fit: Fit,
    n_replicates: int | None = None,
    *,
    resample: str | None = None,
    seed: int = 0,
    search: str = "warm",
    strata: str | ArrayLike | None = None,
    share: float | None = None,
    noise: float | ArrayLike | None = None,
    studentize: bool = False,
    weights: ArrayLike | None = None,
    indices: ArrayLike | None = None,
    n_checked: int = N_CHECKED,
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> Draws:
    """Parameters refitted to resampled rows, or to resampled clusters of rows.

    What is drawn are rows, or whole clusters where the fit has ``cluster=``. Each replicate starts at the fit and keeps
    its options; ``f_scale`` and ``prior_variance`` stay at the numbers that the fit found. The means of priors are
    drawn anew for each replicate, from the distribution that the prior states: what it rests on might have come out
    otherwise too. Under ``weights``, ``indices``, ``"jackknife"`` and ``"subsample"`` they stay.

    Parameters
    ----------
    fit : Fit
        What to resample.
    n_replicates : int, optional
        How many replicates; 2000 unless ``weights`` or ``indices`` say. A jackknife has one per row or cluster.
    resample : str, optional
        ``"crossed"``, the default for tables of `lawfit.pass_at_k`: clusters, there checkpoints, and problems,
        both with exponential weights, one draw of problems for all checkpoints, and responses averaged again.
        ``"problems"``: problems alone, which is narrower.
        ``"bayesian"``, the default for all others: exponential weights (Rubin 1981). ``"pairs"``: drawn with
        replacement (Efron 1979). ``"hierarchical"``: clusters with replacement, then rows of each. ``"wild"``: fitted
        values plus or minus the residuals that each row, or cluster, has in a fit without it, signs drawn (Liu 1988).
        ``"parametric"``: fitted values plus normal noise. ``"jackknife"``: one left out after the other.
        ``"subsample"``: a ``share`` drawn without replacement.
    seed : int
        Seed of the draws. A row's stream depends on the seed, the number of the row in its table (or group) and the
        replicate alone, a cluster's on its label: under ``"bayesian"`` other rows may come and go, and responses or
        laws fitted to the same rows get the same weights.
    search : "warm" or "global"
        Whether each replicate is minimised from the fit alone, or from many starts as well.
    strata : str or (n_rows,) array, optional
        Draw within rows of equal value, so that each keeps its number of rows: a formula over the law's variables, such
        as ``"N"``, or one value for each row that the fit used. For ``"bayesian"``, ``"pairs"`` and ``"hierarchical"``.
    share : float, optional
        Share of the rows, or clusters, that ``"subsample"`` keeps: 0.8, as in Hoffmann et al. 2022, unless given.
    noise : float or (n_rows,) array, optional
        Standard deviation of the noise for ``"parametric"``, on the residual's scale: of ln response under
        ``residual="log"``. Otherwise the known ``sigma`` of the fit; without it the residuals tell, under a robust loss
        by their median.
    studentize : bool
        Give each replicate a covariance, of the kind that the fit has: what ``method="studentized"`` of an interval
        needs. For ``"pairs"``, ``"wild"``, ``"parametric"``, ``indices`` and whole ``weights``.
    weights : (n_replicates, n_rows) array, optional
        Weights of the rows in each replicate, instead of drawing any.
    indices : (n_replicates, n_drawn) array of int, optional
        Rows in each replicate, numbered from 0 among the rows that the fit used, instead of drawing any.
    n_checked : int
        Replicates, evenly spaced, that are searched from many starts as well; ``Draws.n_disagreed`` of them had a lower
        minimum than the one next to the fit.
    n_threads : int, optional
        As in `lawfit.fit`.
    progress : bool or callable, optional
        As in `lawfit.fit`.

    Returns
    -------
    Draws
        All replicates, with how many failed, ended at a bound, lost a term or had a lower minimum elsewhere.

    Raises
    ------
    LawError
        An option cannot mean anything.
    DataError
        ``weights``, ``indices``, ``strata`` or ``noise`` do not fit the rows.

    Notes
    -----
    When to use: whenever the interval matters. ``"bayesian"`` and ``"pairs"`` need no assumption about the noise but
    that rows, or clusters, are independent. ``"wild"`` keeps the design, ``"parametric"`` believes in normal noise.
    Several checkpoints of one run are not independent: name the run with ``cluster=`` in `lawfit.fit`.

    References
    ----------
    Rubin 1981, The Bayesian bootstrap, Ann. Statist. 9; Efron 1979, Bootstrap methods, Ann. Statist. 7; Liu 1988,
    Bootstrap procedures under some non-i.i.d. models, Ann. Statist. 16; Davison & Hinkley 1997, Bootstrap methods and
    their application; Shao & Wu 1989, A general theory for jackknife variance estimation, Ann. Statist. 17.

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
    seed = check_count("seed", seed, least=0)
    params = np.array(list(fit.params.values()))
    if not np.isfinite(params).all():
        raise DataError(f"bootstrap: the fit has no estimate to start from ({fit.message})")
    check_word("search", search, SEARCHES)
    drawn = _as_resampling(fit, n_replicates, scheme_of(fit.rows, resample), weights, indices)
    settled = replace(
        drawn,
        strata=None if strata is None else _strata(fit, strata, drawn.scheme),
        share=drawn.share if share is None else _share(share, drawn.scheme),
        noise=None if noise is None else _noise(fit, noise, drawn.scheme),
        search=search,
        n_checked=0 if search == "global" else check_count("n_checked", n_checked, least=0),
        studentize=_studentize(studentize, drawn),
    )
    resampling = with_problems(fit.rows, settled, seed)
    given = fit.options.start_rule == "given" and fit.starts is not None
    raw = _batch.run(
        fit.law,
        fit.rows,
        replace(fit.options, seed=seed),
        starts=fit.starts.params if given and fit.starts is not None else None,
        resampling=resampling,
        at=params[np.newaxis, :],
        f_scale=np.array([fit.f_scale]),
        prior_variance=np.array([fit.prior_variance]),
        keep_starts=False,
        n_threads=_arrays.resolve_threads(n_threads),
        progress=as_progress(progress),
    )
    assert raw.replicates is not None, "the engine was asked for replicates"
    return draws_of(fit, raw.replicates, 0, resampling, seed)


def _as_resampling(
    fit: Fit, n_replicates: int | None, resample: str, weights: ArrayLike | None, indices: ArrayLike | None
) -> Resampling:
    check_scheme(resample)
    if weights is None and indices is None:
        if resample == "jackknife":
            n_replicates = _n_left_out(fit, n_replicates)
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


def _n_left_out(fit: Fit, n_replicates: int | None) -> int:
    """Return how many replicates a jackknife has."""
    units = fit.n_rows if fit.rows.clusters is None else fit.n_clusters
    if n_replicates not in (None, units):
        raise LawError(
            f"n_replicates={n_replicates}: a jackknife leaves out each of the {units} "
            f"{'rows' if fit.rows.clusters is None else 'clusters'} once; leave it out"
        )
    return units


def _named(scheme: str) -> str:
    return "weights= or indices=" if scheme == "weights" else f"resample={scheme!r}"


def _strata(fit: Fit, strata: str | ArrayLike, scheme: str) -> I64:
    """Code of each row's stratum."""
    if scheme not in STRATIFIED:
        raise LawError(f"strata: {_named(scheme)} draws nothing within strata; leave strata= out")
    rows = fit.rows
    if isinstance(strata, str):
        columns: list[_engine.EngineColumn] = [
            (name, np.ascontiguousarray(values), "number", ())
            for name, values in zip(rows.variables, rows.x, strict=True)
        ]
        values = _engine.evaluate_columns(strata, columns, want="number", argument="strata")
    else:
        values = np.asarray(strata)
        if values.shape != rows.y.shape:
            raise DataError(
                f"strata: got shape {values.shape}; give one value for each of the {rows.y.size} rows of the fit"
            )
    if values.dtype.kind not in "biufUS" or (values.dtype.kind == "f" and not np.isfinite(values).all()):
        raise DataError("strata: every row needs a finite number or a text")
    codes = np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)
    if rows.clusters is not None:
        pairs = np.unique(np.stack([rows.clusters, codes]), axis=1)
        split = np.flatnonzero(np.bincount(pairs[0]) > 1)
        if split.size:
            raise DataError(
                f"strata: the rows of cluster {rows.cluster_labels[int(split[0])]!r} are in more than one stratum; "
                "clusters are drawn whole"
            )
    units = np.arange(codes.size) if rows.clusters is None else rows.clusters
    first = np.unique(units, return_index=True)[1]
    if np.bincount(codes[first]).min() < 2:
        what = "rows" if rows.clusters is None else "clusters"
        raise DataError(f"strata: every stratum needs two {what} at least, or its draws never differ")
    return codes


def _share(share: float, scheme: str) -> float:
    if scheme != "subsample":
        raise LawError(f'share: goes with resample="subsample", not {_named(scheme)}')
    if isinstance(share, bool) or not isinstance(share, numbers.Real) or not 0.0 < share < 1.0:
        raise LawError(f"share={share!r}: give a number between 0 and 1, such as 0.8")
    return float(share)


def _studentize(studentize: bool, drawn: Resampling) -> bool:
    if not isinstance(studentize, bool | np.bool_):
        raise LawError(f"studentize={studentize!r}: give True or False")
    if studentize and drawn.scheme in CROSSED:
        raise LawError(
            'studentize: needs replicates that might have been measured; use "pairs", "wild" or "parametric", not '
            f"{drawn.scheme!r}"
        )
    if studentize and drawn.weights is not None and np.any(drawn.weights != np.round(drawn.weights)):
        raise LawError(
            "studentize: takes each weight as a number of copies of its row, and some of weights= are no whole numbers"
        )
    return bool(studentize)


def _noise(fit: Fit, noise: float | ArrayLike, scheme: str) -> F64:
    """Return the standard deviation of each row's noise."""
    if scheme != "parametric":
        raise LawError(f'noise: goes with resample="parametric", not {_named(scheme)}')
    values = _arrays.as_float64(noise, "noise")
    if values.shape not in ((), fit.rows.y.shape):
        raise DataError(
            f"noise: got shape {values.shape}; give a number, or one for each of the {fit.rows.y.size} rows of the fit"
        )
    if not np.all(np.isfinite(values) & (values > 0.0)):
        raise DataError("noise: every standard deviation must be finite and positive")
    return np.ascontiguousarray(np.broadcast_to(values, fit.rows.y.shape))


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
