"""Errors of predictions in a few numbers, each with its standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lawfit._engine import F64, I64


@dataclass(frozen=True, slots=True)
class Scores:
    """How far predictions lie from held-out runs, on the residual's scale.

    Under ``residual="log"`` they are of ln(predicted / actual), so .01 is 1 %; under ``"linear"`` in the units of
    the response.

    Attributes
    ----------
    n_rows, n_units : int
        Rows, and rows or clusters that are taken as independent.
    bias, bias_stderr : float
        Mean error, below 0 where predictions are too low. Its standard error allows for the scatter of the held-out
        runs (of clusters, with ``cluster=``) and for the errors of the trained parameters, which all of them share.
    mean_error, mean_error_stderr : float
        Mean size of the error.
    rmse : float
        Root of the mean square.
    in_sample : float
        The same of the training rows, with n - p in place of n.
    ratio : float
        ``rmse`` divided by ``in_sample``.
    coverage, coverage_stderr : float
        Share of the held-out runs inside their intervals, with its binomial (or between-cluster) error.
    """

    n_rows: int
    n_units: int
    bias: float
    bias_stderr: float
    mean_error: float
    mean_error_stderr: float
    rmse: float
    in_sample: float
    ratio: float
    coverage: float
    coverage_stderr: float


def scores(errors: F64, codes: I64, inside: F64, level: float, in_sample: float, shared: float) -> Scores:
    """Scores of errors (n,) of rows in units ``codes``; ``shared`` is the part of the bias's error that all share."""
    sizes = np.abs(errors)
    coverage = float(inside.mean())
    n_units = np.unique(codes).size
    # All inside says little about a share that is expected to be smaller: its error is at least that of the level.
    of_level = math.sqrt(level * (1.0 - level) / n_units)
    rmse = math.sqrt(float(np.mean(errors**2)))
    return Scores(
        n_rows=errors.size,
        n_units=n_units,
        bias=float(errors.mean()),
        bias_stderr=math.hypot(mean_stderr(errors, codes), shared),
        mean_error=float(sizes.mean()),
        mean_error_stderr=mean_stderr(sizes, codes),
        rmse=rmse,
        in_sample=in_sample,
        ratio=rmse / in_sample if in_sample > 0.0 else math.nan,
        coverage=coverage,
        coverage_stderr=math.nan if math.isnan(coverage) else max(mean_stderr(inside, codes), of_level),
    )


def mean_stderr(values: F64, codes: I64) -> float:
    """Return the standard error of a mean whose values are independent between units only; NaN for a single unit."""
    _, codes = np.unique(codes, return_inverse=True)
    sums = np.bincount(codes.reshape(-1), weights=values - values.mean())
    if sums.size < 2:
        return math.nan
    return math.sqrt(float(sums @ sums) * sums.size / (sums.size - 1)) / values.size
