"""pass@k of one checkpoint against its mixture of problems, and against laws over checkpoints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeGuard

import numpy as np

from lawfit import _engine
from lawfit._count_fit import CountFit
from lawfit._draws import check_level
from lawfit._engine import F64
from lawfit._estimators import log_fail_of_counts, pass_of
from lawfit._figure import (
    BAND,
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    POINT,
    PURPLE,
    RED,
    Axes,
    Figure,
    FigureData,
    as_mapping,
    figure_data,
    make_logarithmic,
    short,
)
from lawfit._mixture import Mixture
from lawfit._options import check_count
from lawfit._wording import describe, suggest
from lawfit.errors import DataError
from lawfit.results import Fit

N_GRID = 120
# How far beyond the samples of the best sampled problem curves are drawn.
BEYOND = 10.0
NEGLOG, PASS = "neglog", "pass_at_k"
SCALES = (NEGLOG, PASS)
# Responses of laws from which pass@k follows.
OF_PASS = ("neglog_mean_pass", PASS)
COLOURS = (RED, GREEN, ORANGE, PURPLE)


def pass_curve_data(
    mixture: Mixture,
    *,
    fits: Mapping[str, Fit | CountFit] | None = None,
    at: Mapping[str, float] | None = None,
    on: str = NEGLOG,
    level: float = 0.95,
    n_replicates: int = 1000,
    seed: int = 0,
) -> FigureData:
    """Show pass@k of the counts behind a mixture, the mixture's curve, and what equally hard problems would promise.

    Parameters
    ----------
    mixture : Mixture
        Of one checkpoint.
    fits : mapping of str to Fit or CountFit, optional
        Laws over checkpoints by label, whose curve at this checkpoint is drawn too: of ``neglog_mean_pass`` or of
        ``pass_at_k`` over k, or of counts.
    at : mapping of str to float, optional
        Variables of this checkpoint for ``fits``; by default those that tell the mixture from others (``by=``).
    on : {"neglog", "pass_at_k"}
        Whether -log pass@k is shown, or pass@k itself.
    level : float
        Of the intervals.
    n_replicates, seed : int
        Of the bootstrap over problems that gives observed points their intervals.

    Returns
    -------
    FigureData
        ``k``, ``observed``, ``observed_lower`` and ``observed_upper`` (n_k,) up to the least samples of any problem;
        ``grid``, ``mixture``, ``mixture_lower``, ``mixture_upper``, ``naive`` and ``is_extrapolated`` (n_grid,) up to
        ten times the most; ``fits`` (n_fits, n_grid), whose names are ``names["fits"]``. All as ``on`` says.

    Raises
    ------
    DataError
        A fit is not of pass@k, or a variable of it is not told.

    Notes
    -----
    When to use: before pass@k is told beyond the samples that were drawn. The naive curve is 1 - (1 - p)^k with p the
    mean over problems; by Jensen's inequality it is never below the truth. Observed points stop at the least samples of
    any problem, because problems that were sampled more often are often the harder ones. Their intervals are
    percentiles under Bayesian weights of problems: they know of the choice of problems, and of answers in so far as
    these differ between problems.

    References
    ----------
    Chen et al. 2021, arXiv:2107.03374, for the estimates; Roberts et al. 2026, arXiv:2604.01411, section 3.2, for the
    naive curve.

    Examples
    --------
    >>> import lawfit as lf
    >>> counts = {"n_samples": [200] * 8, "n_correct": [0, 1, 2, 5, 9, 20, 60, 140]}
    >>> data = lf.plotting.pass_curve.data(lf.fit_mixture(counts), on="pass_at_k")
    >>> round(float(data["observed"][0]), 4), bool(data["naive"][-1] > data["mixture"][-1])
    (0.1481, True)
    """
    if not isinstance(mixture, Mixture):
        raise DataError(f"mixture: give one of fit_mixture(...), such as mixes[0], not {describe(mixture)}")
    check_level(level)
    if not isinstance(on, str) or on not in SCALES:
        raise DataError(f"on={on!r}: {suggest(on, SCALES)}")
    n_replicates, seed = check_count("n_replicates", n_replicates, 1), check_count("seed", seed, 0)
    known, told = as_mapping("fits", fits, '{"t2_beta": fit}'), as_mapping("at", at, '{"N": 1e9, "D": 2e10}')
    least, most = float(mixture.n_samples.min()), float(mixture.n_samples.max())
    k = np.unique(np.geomspace(1.0, least, 25).round())
    observed = _observed(mixture, k)
    weights = _engine.bayesian_weights(mixture.unit_keys, seed, n_replicates)
    drawn = weights @ observed / weights.sum(axis=1, keepdims=True)
    ends = np.quantile(drawn, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    grid = np.geomspace(1.0, most * BEYOND, N_GRID)
    curve = mixture.pass_at_k(grid, interval=level)
    chance = float(np.mean(mixture.n_correct / mixture.n_samples))
    found = {
        "observed": observed.mean(axis=0), "observed_lower": ends[0], "observed_upper": ends[1],
        "mixture": curve.value, "mixture_lower": curve.lower, "mixture_upper": curve.upper,
        "naive": -np.expm1(grid * math.log1p(-chance)) if chance < 1.0 else np.ones(N_GRID),
        "fits": np.array([_of_fit(name, fit, grid, _checkpoint(mixture, told)) for name, fit in known.items()]),
    }  # fmt: skip
    found["fits"] = found["fits"].reshape(len(known), N_GRID)
    if on == NEGLOG:
        found = {name: _neglog(values) for name, values in found.items()}
        for name in ("observed", "mixture"):
            found[f"{name}_lower"], found[f"{name}_upper"] = found[f"{name}_upper"], found[f"{name}_lower"]
    of = ", ".join(
        f"{name} = {short(value) if _is_number(value) else value}"
        for name, value in zip(mixture.by, mixture.key, strict=True)
    )
    notes = [] if curve.note is None else [curve.note]
    if least < most:
        notes.append(f"observed up to k = {least:g}, the least samples of any problem; others have up to {most:g}")
    if chance == 0.0:
        notes.append("no problem was ever solved: -log pass@k is infinite at every k that was observed")
    return figure_data(
        {"k": k, "grid": grid, "is_extrapolated": curve.is_extrapolated.astype(np.float64), **found},
        {"x": "samples k", "y": "-log pass@k" if on == NEGLOG else "pass@k", "title": of, "mixture": mixture.kind},
        tuple(notes),
        {"fits": tuple(known)},
    )


def _observed(mixture: Mixture, k: F64) -> F64:
    """(n_problems, n_k) unbiased estimates."""
    triples = np.broadcast_arrays(mixture.n_correct[:, np.newaxis], mixture.n_samples[:, np.newaxis], k)
    correct, samples, tries = (np.ascontiguousarray(part.ravel(), dtype=np.float64) for part in triples)
    return pass_of(log_fail_of_counts(correct, samples, tries)).reshape(-1, k.size)


def _neglog(values: F64) -> F64:
    with np.errstate(divide="ignore"):
        return np.abs(np.log(values))


def _checkpoint(mixture: Mixture, at: Mapping[str, object]) -> dict[str, float]:
    told = at or dict(zip(mixture.by, mixture.key, strict=True))
    return {name: float(value) for name, value in told.items() if _is_number(value)}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _of_fit(name: str, fit: object, grid: F64, checkpoint: Mapping[str, float]) -> F64:
    """pass@k by a law over checkpoints."""
    if not isinstance(fit, Fit | CountFit):
        raise DataError(f"fits: {name} is no fit but {describe(fit)}")
    variables = [variable for variable in fit.law.variables or () if variable != "k"]
    for variable in variables:
        if variable not in checkpoint:
            raise DataError(f"at: the law of {name} needs {variable}; say at={{{variable!r}: ...}}")
    points = {variable: checkpoint[variable] for variable in variables}
    if isinstance(fit, CountFit):
        if "k" in (fit.law.variables or ()):
            raise DataError(f"fits: {name} is a law of counts with a k of its own, not of the chance of one sample")
        found = fit.pass_at_k(grid, points)
        return np.asarray(found, dtype=np.float64)
    if fit.rows.response not in OF_PASS or "k" not in (fit.law.variables or ()):
        raise DataError(
            f"fits: {name} is a law of {fit.rows.response}; give one of {' or '.join(OF_PASS)} over k, or of counts"
        )
    value = fit.predict({**points, "k": grid})
    return np.exp(-value) if fit.rows.response != PASS else value


def _draw_pass_curve(ax: Axes, data: FigureData) -> None:
    grid, is_extrapolated = data["grid"], data["is_extrapolated"] == 1.0
    ax.fill_between(grid, data["mixture_lower"], data["mixture_upper"], color=BLUE, alpha=BAND, linewidth=0)
    inside = np.where(is_extrapolated, math.nan, data["mixture"])
    ax.plot(grid, inside, color=BLUE, linewidth=1.6, label=f"mixture: {data.labels['mixture'].replace('_', ' ')}")
    ax.plot(
        grid, np.where(is_extrapolated, data["mixture"], math.nan), color=BLUE, linewidth=1.2, linestyle=(0, (4, 2))
    )
    for row, name in enumerate(data.names["fits"]):
        ax.plot(grid, data["fits"][row], color=COLOURS[row % len(COLOURS)], linewidth=1.2, label=name)
    ax.plot(grid, data["naive"], color=GREY, linewidth=1.2, linestyle=":", label="all problems alike")
    k, observed, lower, upper = (
        data[name][np.isfinite(data["observed"])] for name in ("k", "observed", "observed_lower", "observed_upper")
    )
    # An interval of -log that reaches to a chance of 0 has no upper end to draw.
    upper = np.where(np.isfinite(upper), upper, observed)
    ax.errorbar(
        k, observed, yerr=np.maximum([observed - lower, upper - observed], 0.0), fmt="o", color=BLACK,
        markersize=POINT**0.5 / 1.4, linewidth=0.7, label="observed", zorder=3,
    )  # fmt: skip
    ax.set_xscale("log")
    shown = np.concatenate([observed, data["mixture"][~is_extrapolated]])
    shown = shown[np.isfinite(shown) & (shown > 0.0)]
    if shown.size:
        # A power of k is a straight line, however short.
        make_logarithmic(ax, "y", shown)
        # Of the naive curve, which falls without end on this scale, as much as lies beside the others.
        drawn = np.concatenate([shown, data["mixture"][np.isfinite(data["mixture"]) & (data["mixture"] > 0.0)]])
        ax.set_ylim(drawn.min() / 1.6, drawn.max() * 1.3)
    ax.legend(fontsize="x-small", frameon=False)


pass_curve = Figure(pass_curve_data, _draw_pass_curve)
