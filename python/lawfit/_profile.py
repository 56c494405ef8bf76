"""Profile likelihood: how far a parameter can move while the others follow before the objective rises too much."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lawfit import _engine
from lawfit._draws import Interval
from lawfit._engine import F64
from lawfit._refits import covariance_of, held, refit
from lawfit._residuals import loss_points, met_exactly, residuals_of
from lawfit.errors import DataError
from lawfit.results import Fit

# Square root of the statistic at an end, relative to its level there.
TOLERANCE = 1e-10
# A cold search that ends lower by this share tells that the profile has followed a branch that is not the lowest.
LOWER = 1e-6
# Doublings of the step on the way out; a side that gains less than FLAT over STILL doublings in a row has no end.
MOST_STEPS = 200
FLAT = 1e-4
STILL = 8
MOST_CUTS = 100
# Where another parameter has to follow beyond this, the end is that of the solver's range and none of the data.
FARTHEST = 1e100
# Two estimates of one variance from some dozens of rows differ by less than that.
AGREEING = (2.0 / 3.0, 1.5)


class Reached(NamedTuple):
    """The profile at one value of the parameter."""

    value: float
    root: float  # square root of the statistic
    params: F64  # (P,) where the others went


class _LowerFound(Exception):
    """The profile came upon a better fit than the one that it is of."""

    def __init__(self, value: float, objective: float) -> None:
        super().__init__()
        self.value = value
        self.objective = objective


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Constrained refits of one parameter."""

    fit: Fit
    name: str
    ratio: float  # of the mean slope of psi to the variance of psi: turns an objective into a likelihood
    is_cold: bool = False

    def at(self, value: float, start: F64) -> Reached:
        """Refit the others from a neighbouring solution."""
        place = self.fit.law.parameters.index(self.name)
        begin = start.copy()
        begin[place] = value
        if len(self._others) == 0:
            objective, params = self._alone(begin), begin
        else:
            objective, params = self._refit(value, begin)
        if self.name in self.fit.options.prior:
            mean, sd = self.fit.options.prior[self.name]
            objective += 0.5 * self.fit.prior_variance * ((value - mean) / sd) ** 2
        rise = 2.0 * (objective - self.fit.objective) * self.ratio
        if rise < -LOWER:
            raise _LowerFound(value, objective)
        return Reached(value, math.sqrt(max(rise, 0.0)) if math.isfinite(rise) else math.inf, params)

    @property
    def _others(self) -> list[str]:
        return [name for name in self.fit.params if name != self.name and name not in self.fit.options.fixed]

    def _refit(self, value: float, begin: F64) -> tuple[float, F64]:
        """Objective and parameters of the lowest end: from the neighbour, and cold where that is asked for or fails."""
        options = held(self.fit, self.name, value)
        # Near its own optimum a fit must stay: the separable path would begin with other amplitudes.
        raw = refit(self.fit, replace(options, solver="generic"), begin[np.newaxis, :])
        objective, params = float(raw.objective[0]), raw.params[0]
        is_minimum = _engine.registries().statuses[int(raw.status[0])].success
        if self.is_cold or not is_minimum:
            cold = refit(self.fit, options, None)
            if not objective <= float(cold.objective[0]):
                objective, params = float(cold.objective[0]), cold.params[0]
        return (objective, params) if math.isfinite(objective) else (math.inf, begin)

    def _alone(self, params: F64) -> float:
        """Objective of a law with nothing else to fit."""
        residuals = residuals_of(self.fit, dict(zip(self.fit.law.parameters, params.tolist(), strict=True)))
        objective = float(np.sum(residuals.weights * loss_points(self.fit, residuals).rho))
        return objective if math.isfinite(objective) else math.inf


def profile(fit: Fit, name: str, level: float) -> Interval:
    """Interval of a parameter by profile likelihood."""

    def nothing(reason: str) -> Interval:
        return Interval(math.nan, math.nan, level=level, method="profile", note=reason)

    if fit.rows.clusters is not None:
        raise DataError(
            'method="profile" takes rows as independent, and this fit has cluster=: use the Wald interval with '
            'covariance="CR3", or bootstrap'
        )
    undefined = _undefined(fit, name)
    if undefined is not None:
        return nothing(undefined)
    plain = covariance_of(fit, "classical")
    if plain.covariance_reason is not None:
        return nothing(plain.covariance_reason)
    exact = met_exactly(plain)
    if exact is not None:
        return nothing(exact)
    residuals = residuals_of(fit)
    points = loss_points(fit, residuals)
    variance = float(np.sum(residuals.weights * points.psi**2)) / plain.dof
    ratio = float(points.slope.mean()) / variance
    at_odds = _at_odds(fit, ratio)
    if at_odds is not None:
        return nothing(at_odds)
    curve = Curve(fit, name, ratio)
    is_held = name in fit.at_bound
    # On a bound half of the probability is at 0: ½χ²₀ + ½χ²₁. Self and Liang 1987, J. Amer. Statist. Assoc. 82.
    target = float(_engine.t_quantile(level if is_held else 0.5 + 0.5 * level, plain.dof))
    # One of the standard errors of the classical kind is the first step, and near the end where the law is near linear.
    step = target * plain.stderr[name]
    if is_held:
        step = target**2 / (2.0 * abs(fit.gradient[name]) * curve.ratio) if fit.gradient[name] else math.nan
    if not 0.0 < step < math.inf:
        step = 0.01 * abs(fit.params[name]) or 1e-6
    try:
        ends = [_end(curve, side, target, step) for side in (-1.0, 1.0)]
    except _LowerFound as found:
        return nothing(
            f"the profile found a lower objective, {found.objective:.8g} at {name} = {found.value:.8g}: the fit is not "
            "the best there is; fit again with more starts="
        )
    notes = "; ".join(note for _, note in ends if note is not None)
    (lower, _), (upper, _) = ends
    return Interval(lower, upper, level=level, method="profile", note=notes or None)


def _undefined(fit: Fit, name: str) -> str | None:
    """Say why a parameter has no profile."""
    if name in fit.options.fixed or name in fit.unidentified:
        return fit.stderr_reason[name]
    return None if fit.success else f"the fit is not usable as it is: {fit.message}"


def _at_odds(fit: Fit, ratio: float) -> str | None:
    """Say where a prior and the rows are weighed by noises that are not the same."""
    if not fit.options.prior or AGREEING[0] <= fit.prior_variance * ratio <= AGREEING[1]:
        return None
    return (
        f"the prior is weighed against a noise variance of {fit.prior_variance:.3g} and the residuals show "
        f"{1.0 / ratio:.3g}, so that one objective is no likelihood of both: take the Wald interval, or bootstrap"
    )


def _end(curve: Curve, side: float, target: float, step: float) -> tuple[float, str | None]:
    """Return the end on one side, and what to know about it."""
    fit, name = curve.fit, curve.name
    bound = fit.options.bounds[name][0 if side < 0.0 else 1]
    centre = Reached(fit.params[name], 0.0, np.array(list(fit.params.values())))
    if centre.value == bound:
        return bound, f"one-sided: {name} is at its bound {bound:g}"
    which = "below" if side < 0.0 else "above"
    no_end = side * math.inf, f"open {which}: however far {name} goes, the others make up for it, so there is no limit"
    found = _bracket(curve, centre, side, bound, target, step)
    if found is None:
        return no_end
    inside, outside = found
    if outside is None:
        return bound, f"one-sided: {name} meets its bound {bound:g} before the data contradict it"
    end = _cut(curve, inside, outside, target)
    if np.abs(end.params).max() > FARTHEST:
        return no_end
    is_jump = abs(end.root - target) > LOWER * target
    if not curve.is_cold:
        cold = Curve(fit, name, curve.ratio, is_cold=True)
        if is_jump or cold.at(end.value, end.params).root < target * (1.0 - LOWER):
            return _end(cold, side, target, step)
    return end.value, f"closed {which}: no refit ends beyond {name} = {end.value:.6g}" if is_jump else None


def _bracket(
    curve: Curve, centre: Reached, side: float, bound: float, target: float, step: float
) -> tuple[Reached, Reached | None] | None:
    """Go out until the statistic passes its level: the last place before, and the first beyond.

    None where it never does; no place beyond where the bound comes first.
    """
    inside, n_still = centre, 0
    for _ in range(MOST_STEPS):
        value = inside.value + side * step
        is_bound = side * (value - bound) >= 0.0
        here = curve.at(bound if is_bound else value, inside.params)
        if here.root >= target:
            return inside, here
        if is_bound:
            return here, None
        n_still = n_still + 1 if here.root - inside.root < FLAT * target else 0
        if n_still == STILL or np.abs(here.params).max() > FARTHEST:
            return None
        inside, step = here, 2.0 * step
    return None


def _cut(curve: Curve, inside: Reached, outside: Reached, target: float) -> Reached:
    """Find where the statistic's root, nearly linear in the parameter, is at its level.

    Regula falsi with the weights of Anderson and Bjorck 1973, and a bisection where it does not halve the bracket.
    """
    low, high, last = inside.root - target, outside.root - target, 0.0
    for i in range(MOST_CUTS):
        width = outside.value - inside.value
        if abs(width) <= 4.0 * np.spacing(max(abs(inside.value), abs(outside.value))):
            break
        is_wild = not math.isfinite(high) or i % 8 == 7
        share = 0.5 if is_wild else low / (low - high)
        value = inside.value + share * width
        if value in (inside.value, outside.value):
            value = inside.value + 0.5 * width
        nearer = inside if share < 0.5 else outside
        here = curve.at(value, nearer.params)
        error = here.root - target
        if abs(error) <= TOLERANCE * target:
            return here
        # An end that stays for the second time weighs less.
        if error < 0.0:
            high *= _weight(error / low) if last < 0.0 else 1.0
            inside, low, last = here, error, -1.0
        else:
            low *= _weight(error / high) if last > 0.0 else 1.0
            outside, high, last = here, error, 1.0
    return inside


def _weight(progress: float) -> float:
    return 1.0 - progress if progress < 1.0 else 0.5
