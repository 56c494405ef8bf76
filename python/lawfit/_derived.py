"""Quantities made of a fit's parameters: value, standard error, interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lawfit import _engine
from lawfit._draws import Interval, check_level
from lawfit._engine import F64
from lawfit._quantity import Quantity, formula
from lawfit._residuals import met_exactly

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
    note : str or None
        What to know about it: that the law meets every row exactly.
    """

    value: float
    stderr: float
    dof: float
    reason: str | None = None
    note: str | None = None

    def interval(self, level: float = 0.95) -> Interval:
        """Return ``value`` plus and minus Student's t times ``stderr``; NaN, and a note, without a standard error.

        Raises
        ------
        DataError
            The level is not between 0 and 1.
        """
        check_level(level)
        if not math.isfinite(self.stderr):
            return Interval(math.nan, math.nan, level=level, method="wald", note=self.reason)
        reach = float(_engine.t_quantile(0.5 + 0.5 * level, self.dof)) * self.stderr
        return Interval(self.value - reach, self.value + reach, level=level, method="wald", note=self.note)


def derive(fit: Fit, text: str) -> Derived:
    """Value and standard error of a formula over the parameters, by the delta method with exact derivatives."""
    quantity = formula(text, fit.law.parameters)
    value, stderr, reason = delta(fit, quantity)
    note = met_exactly(fit) if reason is None else None
    return Derived(float(value[0]), float(stderr[0]), fit.dof, reason, note)


def delta(fit: Fit, quantity: Quantity) -> tuple[F64, F64, str | None]:
    """Values and standard errors at each point, (K,), and why there is no standard error."""
    params = np.array([list(fit.params.values())])
    value, slopes = quantity.values(params)[0], quantity.slopes(params)[0]
    nowhere = np.full_like(value, math.nan)
    reason = reason_of(fit, quantity)
    if reason is not None:
        return value, nowhere, reason
    free = [k for k, name in enumerate(quantity.names) if name not in fit.options.fixed]
    places = [quantity.places[k] for k in free]
    variance = np.einsum("uk,uv,vk->k", slopes[free], fit.covariance[np.ix_(places, places)], slopes[free])
    is_defined = np.isfinite(value) & np.isfinite(slopes).all(axis=0)
    reason = None if is_defined.all() else f"{quantity.text} has no finite value and slope at the estimates"
    # Rounding may leave less than nothing of a quantity that the data fix.
    return value, np.where(is_defined, np.sqrt(np.maximum(variance, 0.0)), math.nan), reason


def reason_of(fit: Fit, quantity: Quantity) -> str | None:
    """Why a quantity has no standard error: one of its parameters has none, unless it is fixed and has none to add."""
    reasons, fixed = fit.stderr_reason, fit.options.fixed
    for name in quantity.names:
        if name in reasons and (name not in fixed or quantity.text.strip() == name):
            return reasons[name] if quantity.text.strip() == name else f"{name}: {reasons[name]}"
    if all(name in fixed for name in quantity.names):
        return "; ".join(f"{name}: {reasons[name]}" for name in quantity.names)
    return None
