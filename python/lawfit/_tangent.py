"""A fit as its straight-line approximation at the estimates, in coordinates in which the rows are orthonormal.

With X the derivatives of the residuals, each row times the root of its precision, X = Z S Vᵀ: the leverage of a row is
the squared length of its row of Z, and a condition number of X costs no digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lawfit import _engine
from lawfit._batch import Rows
from lawfit._engine import F64, I64
from lawfit._losses import LOSSES

if TYPE_CHECKING:
    from lawfit.results import Fit

# Directions whose share of the largest singular value is rounding; columns have unit length.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Tangent:
    """Residuals, pulls and orthonormal coordinates of the rows that carry weight, with priors below them."""

    moving: tuple[str, ...]  # parameters that are neither fixed nor at a bound; m of them
    places: I64  # (n,) which of the fit's rows these are
    residuals: F64  # (n,) prediction less response, in units of sigma where that is known
    root_weights: F64  # (n,) roots of the precisions
    pulls: F64  # (n,) psi of the residuals
    slopes: F64  # (n,) its derivative
    z: F64  # (n, rank)
    to_params: F64  # (m, rank): a change of the coordinates by d changes the parameters by to_params @ d
    bread: F64 | None  # (rank, rank) inverse of the objective's curvature; None where that is not positive definite

    @property
    def rank(self) -> int:
        """How many directions the rows and priors determine."""
        return int(self.z.shape[1])

    def design_leverage(self) -> F64:
        """(n,) leverage of the rows, as if each was curved alike."""
        leverage: F64 = (self.z * self.z).sum(axis=1)
        return leverage

    def leverage(self) -> F64 | None:
        """(n,) leverage of the rows in the metric of the objective's curvature."""
        if self.bread is None:
            return None
        leverage: F64 = self.slopes * (self.z @ self.bread * self.z).sum(axis=1)
        return leverage

    def steps(self) -> F64 | None:
        """(n, m): one Newton step of the parameters when a row leaves; NaN where the others do not determine them."""
        leverage = self.leverage()
        if leverage is None or self.bread is None:
            return None
        left = np.where(leverage < 1.0 - 1e-10, 1.0 - leverage, np.nan)
        steps: F64 = ((self.root_weights * self.pulls / left)[:, np.newaxis] * self.z) @ (self.to_params @ self.bread).T
        return steps


def moving_parameters(fit: Fit) -> tuple[str, ...]:
    """Return the parameters that are neither fixed nor at a bound."""
    return tuple(name for name in fit.law.parameters if name not in fit.options.fixed and name not in fit.at_bound)


def row_units(rows: Rows, residual: str) -> F64:
    """(n_rows,) what one unit of noise is in each row, on the residual's scale; infinite for a row without weight."""
    if rows.sigma is not None:
        return rows.sigma / rows.y if residual == "log" else rows.sigma
    if rows.weights is None:
        return np.ones_like(rows.y)
    with np.errstate(divide="ignore"):
        units: F64 = 1.0 / np.sqrt(rows.weights)
    return units


def slopes_at(fit: Fit, x: F64, wrt: tuple[str, ...]) -> tuple[F64, F64]:
    """Predictions (n,) at points x (n_variables, n), and (n, m) their derivatives on the residual's scale."""
    law, variables = fit.law, fit.rows.variables
    x = np.ascontiguousarray(x)  # columns picked from a matrix come the other way round
    params = np.array([[fit.params[name] for name in law.parameters]])
    predicted = _engine.evaluate(law.text, variables, law.parameters, x, params)[0]
    if not wrt:
        return predicted, np.empty((predicted.size, 0))
    jacobian = _engine.evaluate(law.text, variables, law.parameters, x, params, wrt=wrt, order=1)[0].T
    return predicted, jacobian / predicted[:, np.newaxis] if fit.options.residual == "log" else jacobian


def weighted_rows(fit: Fit, moving: tuple[str, ...]) -> tuple[F64, F64, I64, F64]:
    """X with the priors' rows below, and of the rows that carry weight: predictions, places, roots of precisions."""
    rows, options = fit.rows, fit.options
    predicted, jacobian = slopes_at(fit, rows.x, moving)
    places = np.arange(rows.y.size)
    roots = np.ones_like(rows.y)
    if rows.sigma is not None:
        roots = 1.0 / row_units(rows, options.residual)
    elif rows.weights is not None:
        places = np.flatnonzero(rows.weights > 0.0)
        predicted, jacobian, roots = predicted[places], jacobian[places], np.sqrt(rows.weights[places])
    x = np.concatenate([jacobian * roots[:, np.newaxis], _prior_rows(fit, moving)])
    return x, predicted, places, roots


def design_leverage_of(fit: Fit) -> tuple[F64, I64, int]:
    """Leverage of the rows as if each was curved alike, their places, and the rank: the cheap part of a tangent."""
    x, _, places, _ = weighted_rows(fit, moving_parameters(fit))
    z, _ = _orthonormal(x)
    return (z[: places.size] ** 2).sum(axis=1), places, int(z.shape[1])


def tangent_of(fit: Fit) -> Tangent:
    """Linearise a fit at its estimates."""
    rows, options = fit.rows, fit.options
    moving = moving_parameters(fit)
    x, predicted, places, roots = weighted_rows(fit, moving)
    observed = rows.y[places]
    with np.errstate(invalid="ignore", divide="ignore"):  # only a fit that is no minimum predicts what has no logarithm
        residuals = np.log(predicted) - np.log(observed) if options.residual == "log" else predicted - observed
    if rows.sigma is not None:
        residuals, roots = residuals * roots, np.ones_like(roots)
    point = LOSSES[options.loss](residuals, fit.f_scale)
    n = residuals.size
    z, to_params = _orthonormal(x)
    curvature = z.T @ (np.concatenate([point.slope, np.ones(len(x) - n)])[:, np.newaxis] * z)
    return Tangent(
        moving=moving,
        places=places,
        residuals=residuals,
        root_weights=roots,
        pulls=point.psi,
        slopes=point.slope,
        z=z[:n],
        to_params=to_params,
        bread=_inverse(curvature),
    )


def _prior_rows(fit: Fit, moving: tuple[str, ...]) -> F64:
    """One row for each prior: a residual sqrt(v) (parameter - mean) / sd has the noise variance v of the rows."""
    known = [name for name in moving if name in fit.options.prior]
    rows = np.zeros((len(known), len(moving)))
    for row, name in zip(rows, known, strict=True):
        row[moving.index(name)] = np.sqrt(fit.prior_variance) / fit.options.prior[name][1]
    return rows


def _orthonormal(x: F64) -> tuple[F64, F64]:
    """Split X into Z, whose columns are orthonormal, and the way from its coordinates to the parameters."""
    # Squares of the derivatives at estimates that ran away would overflow.
    peaks = np.abs(x).max(axis=0, initial=0.0)
    lengths = peaks * np.sqrt(((x / np.where(peaks > 0.0, peaks, 1.0)) ** 2).sum(axis=0))
    if not np.isfinite(lengths).all() or not lengths.any():
        return np.empty((len(x), 0)), np.empty((x.shape[1], 0))
    scales = np.where(lengths > 0.0, lengths, 1.0)
    u, s, vt = np.linalg.svd(x / scales, full_matrices=False)
    rank = int(np.count_nonzero(s > ROUNDING * s[0]))
    return u[:, :rank], (vt[:rank] / s[:rank, np.newaxis]).T / scales[:, np.newaxis]


def _inverse(curvature: F64) -> F64 | None:
    """Inverse of a positive definite matrix; None for any other."""
    try:
        root = np.linalg.inv(np.linalg.cholesky(curvature))
    except np.linalg.LinAlgError:
        return None
    inverse: F64 = root.T @ root
    return inverse
