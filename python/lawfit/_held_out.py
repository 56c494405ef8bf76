"""Held-out rows: what they gave, what a training fit says of them, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lawfit import _engine
from lawfit._band import noise_variance
from lawfit._engine import F64, I64, Bool
from lawfit._new_runs import law_stderr
from lawfit._tangent import moving_parameters, row_units
from lawfit.results import Fit


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Held-out rows, one element each, in the order of the splits.

    Attributes
    ----------
    positions : numpy.ndarray
        (n,) rows of the user's table, from 0.
    split : numpy.ndarray
        (n,) which split held them out.
    actual, predicted : numpy.ndarray
        (n,) response, and what the law fitted to the training rows says.
    lower, upper : numpy.ndarray
        (n,) interval of a run there, of the validation's level; NaN where the training fit has no covariance.
    error : numpy.ndarray
        (n,) ln(predicted / actual), or predicted less actual under ``residual="linear"``.
    stderr : numpy.ndarray
        (n,) standard deviation that the training fit gives the error: of the law and of a run's noise.
    unit : numpy.ndarray
        (n,) number of the row or cluster.
    """

    positions: I64
    split: I64
    actual: F64
    predicted: F64
    lower: F64
    upper: F64
    error: F64
    stderr: F64
    unit: I64


def held_out(fit: Fit, trained: Fit, test: I64, unit_of: I64, level: float, k: int) -> tuple[HeldOut, F64]:
    """Return predictions of held-out rows by one training fit, and the directions of the errors that they share."""
    rows, is_log = fit.rows, fit.options.residual == "log"
    predicted, slopes = law_stderr(trained, rows.x[:, test])
    actual = rows.y[test]
    error = np.log(predicted / actual) if is_log else predicted - actual
    noise = math.sqrt(noise_variance(trained)) * row_units(rows, fit.options.residual)[test]
    stderr = np.hypot(np.linalg.norm(slopes, axis=1), noise)
    reach = float(_engine.t_quantile(0.5 + 0.5 * level, trained.dof)) * stderr if trained.dof > 0.0 else stderr * np.nan
    lower, upper = (
        (predicted * np.exp(-reach), predicted * np.exp(reach)) if is_log else (predicted - reach, predicted + reach)
    )
    split = np.full(test.size, k, dtype=np.int64)
    held = HeldOut(rows.positions[test], split, actual, predicted, lower, upper, error, stderr, unit_of[test])
    return held, slopes


def inside(rows: HeldOut) -> F64:
    """(n,) 1 for a row inside its interval, 0 for one outside, NaN where there is none."""
    is_inside: Bool = (rows.lower <= rows.actual) & (rows.actual <= rows.upper)
    return np.where(np.isnan(rows.lower), np.nan, is_inside.astype(np.float64))


def in_sample_of(trained: Fit) -> float:
    """Return the root mean square of the training residuals on the residual's scale, with n - p in place of n."""
    freedom = trained.n_rows - len(moving_parameters(trained))
    return math.sqrt(trained.sse / freedom) if freedom > 0 else math.nan
