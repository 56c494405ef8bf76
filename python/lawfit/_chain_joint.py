"""Both responses in one objective: rows of either kind stacked, each kind in units of its own noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lawfit import _batch
from lawfit._batch import Options, Rows
from lawfit._chain_rows import Units
from lawfit._engine import F64
from lawfit._fits import Fits
from lawfit._law import Law
from lawfit._named import Named
from lawfit._residuals import residuals_of
from lawfit.errors import DataError, LawError
from lawfit.results import Fit

# The variable that tells rows of the first response from those of the second.
KIND = "first_row"
# A stage that meets its rows exactly counts as this noisy, relative to its responses: weights stay finite.
LEAST_NOISE = 1e-6
# Starts beside the staged estimates and pairs of their optima.
N_SHIFTED = 8
SHIFT = 0.1
MOST_OPTIMA = 3


def joint_fit(first: Fit, second: Fit, law: Law, through: str, points: F64, units: Units, n_threads: int) -> Fit:
    """Fit both responses at once, from the staged estimates and from others.

    ``points`` (n_first_variables, n_second) are the first law's variables at the rows of the second stage.
    """
    if first.options.loss != second.options.loss:
        raise LawError(
            f"how='joint': the stages have loss={first.options.loss!r} and {second.options.loss!r}; one objective has "
            "one loss: give both the same"
        )
    if first.options.prior or second.options.prior:
        raise LawError("how='joint': a prior is weighed against the noise of one response; leave prior= out")
    residual = first.options.residual if first.options.residual == second.options.residual else "linear"
    stacked = _stacked_law(first, second, law, through, residual)
    rows = _stacked_rows(first, second, stacked, through, points, units, residual)
    options = replace(
        second.options,
        bounds=Named({name: {**first.options.bounds, **second.options.bounds}[name] for name in law.parameters}),
        fixed=Named({**first.options.fixed, **second.options.fixed}),
        residual=residual,
        f_scale=1.0 if first.options.loss != "squared" else None,
        start_rule="given",
        covariance="CR3",
        protocol=None,
    )
    starts = _starts(first, second, law, options)
    raw = _batch.run(stacked, rows, options, starts=starts, n_threads=n_threads, progress=None)
    options = replace(options, n_starts=len(starts))
    return Fits(law=stacked, by=(), keys=((),), options=options, rows=rows, raw=raw, resampling=None)[0]


def joint_whole(staged: Fit, joint: Fit) -> Fit:
    """Return the chained fit with the estimates and the covariance of the joint one."""
    moved = replace(
        staged,
        params=joint.params,
        covariance=joint.covariance,
        covariance_type=joint.covariance_type,
        covariance_reason=joint.covariance_reason,
        dof=joint.dof,
        unidentified=joint.unidentified,
        objective=joint.objective,
        status=joint.status,
        message=joint.message,
        success=joint.success,
        nfev=staged.nfev + joint.nfev,
        nit=staged.nit + joint.nit,
        start_agreement=joint.start_agreement,
        certificate=joint.certificate,
        gradient=joint.gradient,
        flat_direction=joint.flat_direction,
        condition=joint.condition,
        at_bound=joint.at_bound,
    )
    predicted = np.asarray(
        moved.law.evaluate(dict(zip(moved.rows.variables, moved.rows.x, strict=True)), params=moved.params)
    )
    with np.errstate(all="ignore"):
        is_log = moved.options.residual == "log"
        plain = np.log(predicted / moved.rows.y) if is_log else predicted - moved.rows.y
    return replace(moved, sse=float(plain @ plain))


def _stacked_law(first: Fit, second: Fit, law: Law, through: str, residual: str) -> Law:
    """Write one law for rows of either kind, with the logarithm of a kind that alone is compared by it."""
    *head, last = law.text.rsplit(";", 1)
    values = [through, last.strip()]
    for i, fit in enumerate((first, second)):
        if fit.options.residual != residual:
            values[i] = f"log({values[i]})"
    joint = f"{';'.join(head)}; where({KIND} == 1, {values[0]}, {values[1]})"
    return law.rewritten(joint, (*(law.variables or ()), KIND))


def _stacked_rows(first: Fit, second: Fit, law: Law, through: str, points: F64, units: Units, residual: str) -> Rows:
    """Rows of the first kind, then those of the second, weighted by the inverse variance of their residuals."""
    n, m = first.rows.y.size, second.rows.y.size
    x = np.empty((len(law.variables or ()), n + m))
    for line, name in zip(x, law.variables or (), strict=True):
        if name == KIND:
            line[:] = np.repeat([1.0, 0.0], [n, m])
        elif name in first.rows.variables:
            place = first.rows.variables.index(name)
            line[:] = np.concatenate([first.rows.x[place], points[place]])
        else:
            # The first law does not see it; any value at which the second is defined will do.
            own = second.rows.x[second.rows.variables.index(name)]
            line[:] = np.concatenate([np.full(n, own[0]), own])
    parts = [fit.rows.y if fit.options.residual == residual else np.log(fit.rows.y) for fit in (first, second)]
    noise = np.concatenate([_noise(fit) for fit in (first, second)])
    is_squared = second.options.loss == "squared"
    y = np.concatenate(parts)
    known, codes = np.unique(np.concatenate([units.first, units.second]), return_inverse=True)
    with np.errstate(divide="ignore"):
        weights = np.where(np.isfinite(noise), noise**-2.0, 0.0)
    return replace(
        second.rows,
        variables=law.variables or (),
        x=x,
        y=y,
        weights=weights if is_squared else None,
        sigma=None if is_squared else noise * y if residual == "log" else noise,
        chosen=np.concatenate([first.rows.positions, second.rows.positions]),
        numbers=np.concatenate([first.rows.units, second.rows.units]),
        offsets=np.array([0, n + m], dtype=np.int64),
        response=f"{first.rows.response}; {second.rows.response}",
        columns=(),
        weighted_by="inverse variance of each kind" if is_squared else None,
        noise_by=None if is_squared else "scale of each kind",
        clusters=codes.reshape(-1).astype(np.int64),
        cluster_labels=tuple(range(known.size)),
        clustered_by=units.name,
        repeated=(),
        flops=None,
    )


def _noise(fit: Fit) -> F64:
    """(n,) noise of each row on the residual's scale: the root mean square under squares, the turn of a robust loss."""
    rows, is_log = fit.rows, fit.options.residual == "log"
    size = 1.0 if is_log else float(np.median(np.abs(rows.y)))
    if fit.options.loss != "squared":
        if rows.weights is not None:
            raise LawError(
                f"how='joint': weights= with loss={fit.options.loss!r} would change the scale of the loss by row; give "
                'loss="squared" for both stages, or sigma='
            )
        own = np.ones_like(rows.y) if rows.sigma is None else rows.sigma / (rows.y if is_log else 1.0)
        return np.asarray(np.maximum(fit.f_scale * own, LEAST_NOISE * size))
    residuals = residuals_of(fit)
    n_free = len(fit.params) - len(fit.options.fixed) - len(fit.at_bound)
    if residuals.plain.size <= n_free:
        raise DataError(
            f"how='joint': {residuals.plain.size} rows of {rows.response!r} for {n_free} parameters leave no residual "
            "variance to weigh the two responses by"
        )
    variance = float(np.sum(residuals.weights * residuals.scaled**2)) / (residuals.plain.size - n_free)
    own = np.ones_like(rows.y) if rows.sigma is None else rows.sigma / (rows.y if is_log else 1.0)
    if rows.weights is not None:
        with np.errstate(divide="ignore"):
            own = 1.0 / np.sqrt(rows.weights)
    return np.asarray(np.maximum(np.sqrt(variance) * own, LEAST_NOISE * size))


def _starts(first: Fit, second: Fit, law: Law, options: Options) -> F64:
    """Stack the staged estimates, pairs of the stages' optima, and points around the former; within the bounds."""
    pairs = [
        {**one.params, **other.params} for one in first.optima[:MOST_OPTIMA] for other in second.optima[:MOST_OPTIMA]
    ]
    known = [{**first.params, **second.params}, *pairs]
    starts = np.array([[each[name] for name in law.parameters] for each in known])
    rng = np.random.default_rng(options.seed)
    shifted = starts[0] * (1.0 + SHIFT * rng.standard_normal((N_SHIFTED, starts.shape[1])))
    lower, upper = np.array([options.bounds[name] for name in law.parameters]).T
    return np.ascontiguousarray(np.clip(np.concatenate([starts, shifted]), lower, upper))
