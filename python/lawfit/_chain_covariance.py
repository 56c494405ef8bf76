"""The covariance of both stages of a chain together.

The estimates solve two sets of equations, of which the second holds the first law's parameters too:

    sum_i w_i psi(r_i) dr_i/dtheta1 = 0 over the first response,
    sum_j w_j psi(r_j) dr_j/dtheta2 = 0 over the second, r_j through L(theta1).

Their derivative A is block triangular; as in the covariance of one fit it is taken without the law's second
derivatives, which residuals of mean zero make small. One Newton step without a unit g, its rows of both stages, changes
all parameters by (A - A_g)^-1 s_g; CR3 is the sum of the outer products of these steps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lawfit import _engine
from lawfit._chain_rows import Units
from lawfit._engine import F64, I64
from lawfit._losses import LOSSES
from lawfit._residuals import residuals_of
from lawfit.results import Fit

# Rows whose curvatures are held at once.
BLOCK = 4096


class Steps(NamedTuple):
    """Steps of the parameters when a unit leaves, (n_units, m), of those that move; or why there are none."""

    names: tuple[str, ...]
    steps: F64 | None
    reason: str | None


class _Stage(NamedTuple):
    """One stage, row by row, on the residual's scale: weight times psi, weight times slope, derivatives."""

    pull: F64  # (n,)
    slope: F64  # (n,)
    jacobian: F64  # (m, n)
    used: I64  # (n,) rows of the fit


def newton_steps(
    first: Fit, second: Fit, through: str, points: F64, free: tuple[tuple[str, ...], tuple[str, ...]], units: Units
) -> Steps:
    """Return the steps of the parameters ``free`` of either stage when each unit leaves.

    ``points`` (n_first_variables, n_second) are the first law's variables at the rows of the second stage.
    """
    names = (*free[0], *free[1])
    if first.options.prior or second.options.prior:
        return Steps(names, None, "a prior has no part in the covariance of a chain; bootstrap")
    one, other = _stage(first, free[0]), _stage(second, (*free[1], through))
    m1, m2 = len(free[0]), len(free[1])
    # How the first law's value at the second stage's rows moves with its parameters.
    link = _slopes(first, points[:, other.used], free[0])
    codes1, codes2, n_units = units.codes()
    curvature, scores = np.zeros((n_units, m1 + m2, m1 + m2)), np.zeros((n_units, m1 + m2))
    for rows in _blocks(one.used.size):
        j, code = one.jacobian[:, rows], codes1[one.used[rows]]
        np.add.at(scores[:, :m1], code, (one.pull[rows] * j).T)
        np.add.at(curvature[:, :m1, :m1], code, _products(one.slope[rows] * j, j))
    for rows in _blocks(other.used.size):
        # The last line is the derivative with respect to what the first law predicts.
        j, code = other.jacobian[:, rows], codes2[other.used[rows]]
        pulled = other.slope[rows] * j[:m2]
        np.add.at(scores[:, m1:], code, (other.pull[rows] * j[:m2]).T)
        np.add.at(curvature[:, m1:, m1:], code, _products(pulled, j[:m2]))
        np.add.at(curvature[:, m1:, :m1], code, _products(pulled * j[m2], link[:, rows]))
    return _solved(names, curvature, scores)


def _solved(names: tuple[str, ...], curvature: F64, scores: F64) -> Steps:
    total = curvature.sum(axis=0)
    diagonal = np.diagonal(total)
    if not (np.isfinite(total).all() and (diagonal > 0.0).all()):
        return Steps(names, None, "the curvature of a stage is not positive definite at its estimates")
    scale = 1.0 / np.sqrt(diagonal)
    try:
        steps = (
            np.linalg.solve((total - curvature) * scale[:, None] * scale, (scores * scale)[:, :, None])[:, :, 0] * scale
        )
    except np.linalg.LinAlgError:
        return Steps(names, None, "without one of its rows or clusters a parameter is not determined")
    return Steps(names, steps, None)


def covariance_of_steps(steps: Steps, parameters: tuple[str, ...]) -> F64:
    """(P, P) in the order of the parameters; NaN for those that do not move."""
    covariance = np.full((len(parameters), len(parameters)), np.nan)
    if steps.steps is not None:
        places = [parameters.index(name) for name in steps.names]
        covariance[np.ix_(places, places)] = steps.steps.T @ steps.steps
    return covariance


def _stage(fit: Fit, wrt: tuple[str, ...]) -> _Stage:
    rows = fit.rows
    used = np.arange(rows.y.size) if rows.weights is None else np.flatnonzero(rows.weights > 0.0)
    residuals = residuals_of(fit)
    point = LOSSES[fit.options.loss](residuals.scaled, fit.f_scale)
    jacobian = _slopes(fit, residuals.x, wrt)
    if fit.options.residual == "log":
        jacobian = jacobian / residuals.predicted
    return _Stage(residuals.weights * point.psi, residuals.weights * point.slope, jacobian / residuals.noise, used)


def _slopes(fit: Fit, x: F64, wrt: tuple[str, ...]) -> F64:
    """(m, n) derivatives of a law at points x (n_variables, n)."""
    if not wrt:
        return np.zeros((0, x.shape[1]))
    params = np.array([list(fit.params.values())])
    x, law = np.ascontiguousarray(x), fit.law
    slopes: F64 = _engine.evaluate(law.text, fit.rows.variables, law.parameters, x, params, wrt=wrt, order=1)[0]
    return slopes


def _products(one: F64, other: F64) -> F64:
    """(n, m1, m2) outer products of the columns."""
    products: F64 = np.einsum("in,jn->nij", one, other)
    return products


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, n, BLOCK)]
