"""Residuals of a fit, in the units in which its loss sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lawfit._engine import F64
from lawfit._losses import LOSSES, Point
from lawfit._tangent import design_leverage_of

if TYPE_CHECKING:
    from lawfit.results import Fit

# A row with less than this left of its residual is met whatever it says.
LEAST_LEFT = 1e-8
# Residuals of fewer roundings than this say nothing of noise.
ROUNDINGS = 16.0


class Residuals(NamedTuple):
    """Rows that carry weight, (n_rows,) each."""

    x: F64  # (n_variables, n_rows)
    plain: F64  # prediction less response, of logarithms where the fit compares those
    noise: F64  # known standard deviation on that scale, 1 where none is known
    weights: F64
    predicted: F64

    @property
    def scaled(self) -> F64:
        """Residuals as the loss sees them."""
        return self.plain / self.noise


def residuals_of(fit: Fit, params: Mapping[str, float] | None = None) -> Residuals:
    """Residuals at the estimates of a fit, or at other values of its parameters."""
    rows, is_log = fit.rows, fit.options.residual == "log"
    weights = np.ones_like(rows.y) if rows.weights is None else rows.weights
    used = weights > 0.0
    x, y = rows.x[:, used], rows.y[used]
    points = dict(zip(rows.variables, x, strict=True))
    predicted = np.asarray(fit.law.evaluate(points, params=fit.params if params is None else params))
    noise = np.ones_like(y)
    if rows.sigma is not None:
        noise = rows.sigma[used] / (y if is_log else 1.0)
    with np.errstate(all="ignore"):
        plain = np.log(predicted) - np.log(y) if is_log else predicted - y
    return Residuals(x, plain, noise, weights[used], predicted)


def loss_points(fit: Fit, residuals: Residuals) -> Point:
    """Loss of each row."""
    return LOSSES[fit.options.loss](residuals.scaled, fit.f_scale)


def met_exactly(fit: Fit) -> str | None:
    """Say that the residuals of a fit are roundings, so that nothing made of them is noise; None where they are not."""
    if fit.rows.summary is not None:
        return fit.rows.summary.exact
    if not fit.success or fit.covariance_reason is not None:
        return None
    residuals = residuals_of(fit)
    size = 1.0 if fit.options.residual == "log" else float(np.abs(residuals.predicted).max())
    if not np.abs(residuals.plain).max() <= ROUNDINGS * np.finfo(np.float64).eps * size:
        return None
    return (
        "the law meets every row exactly: the residuals are roundings, so standard errors and intervals say nothing of "
        "noise"
    )


def standardised(fit: Fit) -> F64:
    """Residuals of a row of weight 1 with the variance of the noise: r / sqrt(1 - h), in units of ``sigma`` if known.

    Rows that the law meets whatever they say are left out. Davison and Hinkley 1997, section 6.2.3.
    """
    residuals = residuals_of(fit)
    left = 1.0 - design_leverage_of(fit)[0]
    kept = left > LEAST_LEFT
    weighted = residuals.scaled * np.sqrt(residuals.weights)
    return np.asarray(weighted[kept] / np.sqrt(left[kept]))
