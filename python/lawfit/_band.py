"""Predictions with an interval: of the law, and of a new run, which has noise of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine
from lawfit._derived import delta
from lawfit._draws import LEAVING_OUT, Draws, check_level
from lawfit._engine import F64
from lawfit._intervals import is_too_narrow, missing_spread
from lawfit._options import check_word
from lawfit._predictions import Predicted, Prediction
from lawfit._quantity import Quantity
from lawfit._refits import determined
from lawfit._residuals import met_exactly, residuals_of, standardised
from lawfit.errors import DataError
from lawfit.results import Fit

KINDS = ("mean", "run")
# Keeps the stream of new runs apart from others that may be made of the same seed.
STREAM = 0x6E6577


def law_at(
    fit: Fit, points: Mapping[str, ArrayLike] | None, variables: Mapping[str, ArrayLike]
) -> tuple[Quantity, tuple[int, ...]]:
    """Return the law at points of its variables, and their shape."""
    law, x, shape = fit.law.located(points, variables)
    return Quantity(law.text, law.variables or (), x, law.parameters, tuple(range(len(law.parameters)))), shape


def noise_at(fit: Fit, kind: str, sigma: ArrayLike | None, value: F64, shape: tuple[int, ...]) -> F64:
    """Return the unit of the noise of new runs on the residual's scale, (K,): 1, or what is known of each."""
    check_word("kind", kind, KINDS)
    is_known = fit.rows.noise_by is not None
    if kind == "run" and is_known and sigma is None:
        raise DataError(
            "sigma: the fit knows the noise of each row (sigma=), so a new run needs its own: give sigma= in the units "
            "of the response, a number or one for each point"
        )
    if sigma is None:
        return np.ones_like(value)
    if kind != "run" or not is_known:
        why = 'it is for kind="run"' if kind != "run" else "the fit was made without sigma="
        raise DataError(f"sigma: leave it out: {why}")
    given = _arrays.as_float64(sigma, "sigma")
    try:
        spread = np.broadcast_to(given, shape).ravel()
    except ValueError:
        raise DataError(f"sigma: got shape {given.shape} for points of shape {shape}") from None
    if not np.all(np.isfinite(spread) & (spread > 0.0)):
        raise DataError("sigma: every one must be finite and above 0")
    return np.asarray(spread / value if fit.options.residual == "log" else spread)


def predict_with_interval(
    fit: Fit,
    points: Mapping[str, ArrayLike] | None,
    level: float,
    kind: str,
    sigma: ArrayLike | None,
    variables: Mapping[str, ArrayLike],
) -> Prediction:
    """Predictions of a fit with an interval by the delta method, on the residual's scale."""
    check_level(level)
    quantity, shape = law_at(fit, points, variables)
    value, stderr, reason = delta(fit, quantity)
    unit = noise_at(fit, kind, sigma, value, shape)
    is_log = fit.options.residual == "log"
    with np.errstate(all="ignore"):
        variance = (stderr / value if is_log else stderr) ** 2
        if kind == "run":
            variance = variance + noise_variance(fit) * unit**2
        reach = _reach(fit, level) * np.sqrt(variance)
        lower, upper = (value * np.exp(s * reach) if is_log else value + s * reach for s in (-1.0, 1.0))
    lower, upper, value = (np.asarray(ends.reshape(shape)) for ends in (lower, upper, value))
    if reason is None and kind == "run" and not np.isfinite(lower).all():
        reason = "nothing tells how noisy a new run is: there are no more rows than parameters"
    return Prediction(value, lower, upper, level, kind, met_exactly(fit) if reason is None else reason)


def _reach(fit: Fit, level: float) -> float:
    return float(_engine.t_quantile(0.5 + 0.5 * level, fit.dof)) if math.isfinite(fit.dof) else math.nan


def noise_variance(fit: Fit) -> float:
    """Variance of a row of weight 1 on the residual's scale, in units of ``sigma`` if known; outliers belong to it."""
    if fit.rows.summary is not None:
        return fit.rows.summary.noise_variance
    if not fit.success or fit.n_rows <= determined(fit):
        return math.nan
    residuals = residuals_of(fit)
    return float(np.sum(residuals.weights * residuals.scaled**2)) / (fit.n_rows - determined(fit))


def predict(
    draws: Draws,
    points: Mapping[str, ArrayLike] | None,
    kind: str,
    sigma: ArrayLike | None,
    variables: Mapping[str, ArrayLike],
) -> Predicted:
    """Predictions on every draw."""
    fit = draws.fit
    if fit.options.residual == _engine.DEVIANCE:
        raise DataError("predict: these are draws of a fit to counts; say fit.predict(..., interval=0.95, draws=draws)")
    quantity, shape = law_at(fit, points, variables)
    estimate = quantity.values(np.array([list(fit.params.values())]))[0]
    unit = noise_at(fit, kind, sigma, estimate, shape)
    values = np.where(draws.ok[:, np.newaxis], quantity.values(draws.params), np.nan)
    if kind == "run":
        values = _new_runs(draws, values, estimate, unit)
    return Predicted(kind, values.reshape(len(draws), *shape), np.asarray(estimate.reshape(shape)), draws, quantity)


def _new_runs(draws: Draws, values: F64, estimate: F64, unit: F64) -> F64:
    """Add noise to values of the law, (R, K), on the residual's scale."""
    fit, n_units = draws.fit, draws.n_units
    if not draws.ok.any():
        return np.full_like(values, np.nan)
    if draws.resample in LEAVING_OUT:
        raise DataError(
            f'kind="run": draws of resample={draws.resample!r} leave units out and do not spread as the estimate '
            "does; bootstrap with another scheme"
        )
    is_log, n_determined = fit.options.residual == "log", determined(fit)
    with np.errstate(all="ignore"):
        moved = np.log(values / estimate) if is_log else values - estimate
    if is_too_narrow(draws.resample) and n_units > n_determined:
        # Residuals have their variance in full, so the law's part must have it too before the two are added.
        moved = moved * missing_spread(n_units, n_determined)
    # A residual is prediction less response.
    moved = moved - unit * _drawn(standardised(fit), draws, unit.size)
    return np.asarray(estimate * np.exp(moved) if is_log else estimate + moved)


def _drawn(pool: F64, draws: Draws, n_points: int) -> F64:
    """Draw a residual for each draw and point, (R, n_points); more points leave those of the first ones as they are."""
    if pool.size == 0:
        raise DataError('kind="run": the law meets every row exactly, so nothing tells how noisy a new run is')
    rng = np.random.default_rng([STREAM, draws.seed])
    return np.asarray(pool[rng.integers(pool.size, size=(n_points, len(draws))).T])
