"""Quantities made of a fit's parameters: value, standard error, interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lawfit import _engine
from lawfit._draws import Interval, check_level, names_in
from lawfit.errors import DataError

if TYPE_CHECKING:
    from lawfit.results import Fit


@dataclass(frozen=True, slots=True)
class Derived:
    """A quantity with its standard error.

    Attributes
    ----------
    value : float
        At the estimates.
    stderr : float
        By the delta method; NaN where ``reason`` says why.
    dof : float
        Degrees of freedom of Student's t, those of the fit.
    reason : str or None
        Why there is no standard error.
    """

    value: float
    stderr: float
    dof: float
    reason: str | None = None

    def interval(self, level: float = 0.95) -> Interval:
        """Return ``value`` plus and minus Student's t times ``stderr``; NaN without a standard error.

        Raises
        ------
        DataError
            The level is not between 0 and 1.
        """
        check_level(level)
        if not math.isfinite(self.stderr):
            return Interval(math.nan, math.nan)
        reach = float(_engine.t_quantile(0.5 + 0.5 * level, self.dof)) * self.stderr
        return Interval(self.value - reach, self.value + reach)


def derive(fit: Fit, quantity: str) -> Derived:
    """Value and standard error of a formula over the parameters, by the delta method with exact derivatives."""
    used = names_in(quantity, fit.law.parameters)
    if not used:
        raise DataError(f"{quantity!r} names no parameter; the parameters are {', '.join(fit.law.parameters)}")
    params = np.array([[fit.params[name] for name in used]])
    nowhere = np.empty((0, 1))
    value = float(_engine.evaluate(quantity, (), used, nowhere, params)[0, 0])
    slopes = _engine.evaluate(quantity, (), used, nowhere, params, wrt=used, order=1)[0, :, 0]
    reasons = fit.stderr_reason
    reason = _reason(quantity, used, reasons, fit.options.fixed)
    if reason is None and not (math.isfinite(value) and np.isfinite(slopes).all()):
        reason = f"{quantity} has no finite value and slope at the estimates"
    if reason is not None:
        return Derived(value, math.nan, fit.dof, reason)
    free = [k for k, name in enumerate(used) if name not in fit.options.fixed]
    places = [fit.law.parameters.index(used[k]) for k in free]
    variance = float(slopes[free] @ fit.covariance[np.ix_(places, places)] @ slopes[free])
    # Rounding may leave less than nothing of a quantity that the data fix.
    return Derived(value, math.sqrt(max(variance, 0.0)), fit.dof)


def _reason(quantity: str, used: tuple[str, ...], reasons: Mapping[str, str], fixed: Mapping[str, float]) -> str | None:
    """Why a quantity has no standard error: one of its parameters has none, unless it is fixed and has none to add."""
    for name in used:
        if name in reasons and name not in fixed:
            return reasons[name] if quantity.strip() == name else f"{name}: {reasons[name]}"
    if all(name in fixed for name in used):
        return "; ".join(f"{name}: {reasons[name]}" for name in used)
    return None
