"""Why a standard error does not exist, in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from lawfit._engine import DEVIANCE
from lawfit._named import Named
from lawfit._text import number

if TYPE_CHECKING:
    from lawfit.results import Fit

# How far the sentence about an open direction goes along it: the part with the largest effect would by itself change
# predictions by 1 %.
STEP = 0.01
MOST_NAMES = 3
# Parts with less than this share of the largest effect are not named, or are rounding.
LEAST_PART = 1e-3
# More rows than that do not make the largest change of a prediction more certain.
MOST_ROWS = 4096


def missing(fit: Fit) -> Named[str]:
    """For each parameter without a standard error why it has none."""
    found = {}
    open_direction = f"not identified: {direction(fit)}" if fit.unidentified else ""
    for name, spread in fit.stderr.items():
        if name in fit.options.fixed:
            found[name] = f"fixed at {fit.options.fixed[name]:g}, so not estimated"
        elif name in fit.at_bound:
            found[name] = f"at its bound {bound(fit, name):g}, which the data would have it cross"
        elif name in fit.unidentified:
            found[name] = open_direction
        elif fit.covariance_reason is not None:
            found[name] = fit.covariance_reason
        elif math.isnan(spread):
            found[name] = "its variance is not a positive number"
    return Named(found)


def bound(fit: Fit, name: str) -> float:
    """Return the bound that a parameter is at."""
    lower, upper = fit.options.bounds[name]
    return lower if abs(fit.params[name] - lower) <= abs(fit.params[name] - upper) else upper


def direction(fit: Fit) -> str:
    """Say what moves along the flattest direction, and how little the predictions notice."""
    if fit.rows.summary is not None:
        return fit.rows.summary.direction
    changes = {name: STEP * change for name, change in fit.flat_direction.items() if change != 0.0}
    effects = {name: _effect(fit, {name: change}) for name, change in changes.items()}
    least = LEAST_PART * max(effects.values(), default=0.0)
    # Effects that differ by rounding alone leave the names in the order of the law.
    names = sorted(
        (name for name in effects if not effects[name] < least), key=lambda name: -float(f"{effects[name]:.6g}")
    )
    if not names:
        return "the objective is flat along no single direction"
    shown = names[:MOST_NAMES]
    who = f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]
    others = f" (with {len(names) - len(shown)} more)" if len(names) > len(shown) else ""
    how = "can move together" if len(names) > 1 else "can move"
    parts = ", ".join(f"{name} {changes[name]:+.2g}" for name in shown)
    relatively = " of itself" if fit.options.residual == "log" else ""
    what = "row's half deviance" if fit.options.residual == DEVIANCE else "prediction"
    return f"{who}{others} {how}: {parts} changes no {what} by more than {number(_effect(fit, changes), 1)}{relatively}"


def _effect(fit: Fit, changes: Mapping[str, float]) -> float:
    """Largest change of a prediction when parameters change, relative under logarithmic residuals."""
    step = -(-fit.rows.y.size // MOST_ROWS)
    points = dict(zip(fit.rows.variables, fit.rows.x[:, ::step], strict=True))
    moved = {name: value + changes.get(name, 0.0) for name, value in fit.params.items()}
    before, after = (np.asarray(fit.law.evaluate(points, params=params)) for params in (fit.params, moved))
    with np.errstate(all="ignore"):
        effect = np.abs(after / before - 1.0 if fit.options.residual == "log" else after - before)
    return float(np.nan_to_num(effect, nan=np.inf).max())
