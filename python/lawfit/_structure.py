"""Whether residuals still depend on a variable: what a law's form, or its noise, has missed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lawfit import _engine
from lawfit._engine import F64
from lawfit._leverage import Units
from lawfit._tangent import Tangent, slopes_at
from lawfit.results import Fit

# A p value below this, after Holm's correction over all tests of a fit, is called a finding in words.
DOUBTFUL = 0.05
PREDICTION = "prediction"
# What is left of a column outside the directions that the parameters can take, relatively, below which it is rounding.
NOTHING_LEFT = 1e-6
# A rank correlation of fewer units than that has no p value worth the name.
FEWEST_UNITS = 6


@dataclass(frozen=True, slots=True)
class ResidualTest:
    """A test of the residuals against one variable, or against the prediction.

    Attributes
    ----------
    variable : str
        The variable, or ``"prediction"``.
    kind : str
        ``"trend"``: their mean bends with it. ``"spread"``: their size grows or shrinks with it.
    statistic : float
        F of the trend; Spearman's rank correlation of the spread. NaN where the test cannot be made.
    p_value, p_holm : float
        Probability of one at least as large under a law that is right, alone and with Holm's correction over all tests
        of the fit.
    message : str
        What it means in words, or why the test cannot be made.
    """

    variable: str
    kind: str
    statistic: float
    p_value: float
    p_holm: float
    message: str

    @property
    def is_found(self) -> bool:
        """Whether the p value is small even among all tests of the fit."""
        return self.p_holm < DOUBTFUL


def residual_tests(fit: Fit, tangent: Tangent, units: Units) -> tuple[ResidualTest, ...]:
    """Trend and spread of the residuals by each variable and by the prediction."""
    axes = {name: _axis(line) for name, line in zip(fit.rows.variables, fit.rows.x[:, tangent.places], strict=True)}
    axes[PREDICTION] = _axis(slopes_at(fit, fit.rows.x, ())[0][tangent.places])
    found = []
    for name, axis in axes.items():
        if np.ptp(axis) > 0.0:
            found.append((name, "trend", *_trend(tangent, units, axis, 1 if name == PREDICTION else 2)))
            found.append((name, "spread", *_spread(tangent, units, axis)))
    corrected = holm(np.array([p for _, _, _, p in found]))
    return tuple(
        ResidualTest(name, kind, statistic, p, float(level), _meaning(name, kind, statistic, float(level)))
        for (name, kind, statistic, p), level in zip(found, corrected, strict=True)
    )


def holm(p_values: F64) -> F64:
    """P values corrected for their number, by Holm's step-down rule; NaN ones are not counted."""
    out = np.full(p_values.size, np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    out[order] = np.minimum(1.0, np.maximum.accumulate(p_values[order] * np.arange(order.size, 0, -1)))
    return out


def _axis(values: F64) -> F64:
    """Logarithms of positive values, or the values; mean 0, standard deviation 1."""
    axis = np.log(values) if values.min() > 0.0 else values
    spread = axis.std()
    scaled: F64 = (axis - axis.mean()) / (spread if spread > 0.0 else 1.0)
    return scaled


def _trend(tangent: Tangent, units: Units, axis: F64, degree: int) -> tuple[float, float]:
    """F and p of pulls that bend with an axis.

    The columns u and u² (u² alone for the prediction: Tukey's degree of freedom) are taken out of the directions of
    the parameters, and the scores of the units along what is left are divided by their own squares, as in a sandwich:
    noise that grows with a variable, or that clusters share, is no bend.
    """
    columns = np.stack([axis, axis**2][-degree:], axis=1) * tangent.root_weights[:, np.newaxis]
    outside = columns
    for _ in range(2):  # the second time takes out what rounding left
        outside = outside - tangent.z @ (tangent.z.T @ outside)
    u, s, _ = np.linalg.svd(outside, full_matrices=False)
    basis = u[:, s > NOTHING_LEFT * np.linalg.norm(columns)]
    pulls = tangent.root_weights * tangent.pulls
    pulls = pulls - tangent.z @ (tangent.z.T @ pulls)
    scores = units.total(basis * pulls[:, np.newaxis])
    k = basis.shape[1]
    # With clusters the parameters may lie between them, within them, or both: all are counted.
    freedom = len(units) - tangent.rank - k
    if k == 0 or freedom < 1:
        return math.nan, math.nan
    total = scores.sum(axis=0)
    squares = scores.T @ scores
    if np.linalg.matrix_rank(squares) < k:
        return math.nan, math.nan
    share = float(total @ np.linalg.solve(squares, total))  # at most the number of units
    statistic = share * freedom / (k * max(len(units) - share, np.finfo(np.float64).tiny))
    return statistic, float(_engine.f_sf(statistic, k, freedom))


def _spread(tangent: Tangent, units: Units, axis: F64) -> tuple[float, float]:
    """Rank correlation, over units, of the mean size of residuals with the mean of an axis, and its p value."""
    n = len(units)
    if n < FEWEST_UNITS:
        return math.nan, math.nan
    left = np.sqrt(np.maximum(1.0 - tangent.design_leverage(), NOTHING_LEFT))
    sizes = tangent.root_weights * np.abs(tangent.residuals) / left
    counts = units.total(np.ones(units.codes.size))
    correlation = _correlation(_ranks(units.total(sizes) / counts), _ranks(units.total(axis) / counts))
    if math.isnan(correlation):
        return math.nan, math.nan
    t = abs(correlation) * math.sqrt((n - 2) / max(1.0 - correlation**2, np.finfo(np.float64).tiny))
    return correlation, min(1.0, 2.0 * float(_engine.t_sf(t, n - 2)))


def _ranks(values: F64) -> F64:
    """Ranks from 1; equal values share the mean of theirs."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: F64 = (ends - 0.5 * (counts - 1.0))[codes.reshape(-1)]
    return ranks


def _correlation(a: F64, b: F64) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0.0 else math.nan


def _meaning(variable: str, kind: str, statistic: float, p_holm: float) -> str:
    if math.isnan(p_holm):
        return "too few rows or clusters beside the parameters to test"
    figures = f"p = {p_holm:.2g} after Holm's correction"
    what = "the prediction" if variable == PREDICTION else variable
    if p_holm >= DOUBTFUL:
        return f"the residuals show no {kind} with {what} ({figures})"
    if kind == "spread":
        how = "grows" if statistic > 0.0 else "shrinks"
        return (
            f"the scatter {how} with {what} ({figures}): robust standard errors and the bootstrap allow for that; "
            "weights= or sigma= would use it"
        )
    if variable == PREDICTION:
        return (
            f"the residuals bend with the prediction ({figures}): terms may act together where the law adds them, or "
            "the law bends where the runs do not"
        )
    return (
        f"the residuals bend with {what} ({figures}): the law misses how the response depends on it; try another "
        "term or exponent there, and fit.validate()"
    )
