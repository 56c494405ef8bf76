"""The decision that a fitted law takes: the model size and tokens that it predicts the lowest response for at a budget.

Private, and one function wide: whatever places optima in general can stand in for `optima`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lawfit import _engine
from lawfit._engine import F64
from lawfit._law import Law
from lawfit._quantity import names_of
from lawfit._wording import describe
from lawfit.errors import DataError

# Natural logarithms of N that the search spans: 1 to 1e16 parameters.
REACH = (0.0, 37.0)
# Each round keeps two steps of 200: after six the step is 1e-13 of the reach, beyond what a minimum can tell.
N_GRID, N_ROUNDS = 201, 6
# A law that moves by a smaller part over the whole reach does not care how a budget is divided.
LEVEL = 1e-9


class Optima(NamedTuple):
    """Optimum of each of R sets of parameters, NaN where there is none inside; why there is none at all."""

    N: F64
    D: F64
    response: F64
    reason: str | None


def check_budgets(budgets: object) -> dict[str, float]:
    """Return budgets by cost formula; ``DataError`` where they are no such thing."""
    if budgets is None:
        return {}
    if not isinstance(budgets, Mapping):
        raise DataError(
            f'budgets: give a budget by the formula of its cost, such as {{"6*N*D": 1e24}}, not {describe(budgets)}'
        )
    for cost, budget in budgets.items():
        names_of(cost, "budgets")
        if (
            isinstance(budget, bool)
            or not isinstance(budget, int | float | np.number)
            or not 0.0 < float(budget) < math.inf
        ):
            raise DataError(f"budgets: {cost}={budget!r}: give a positive number")
    return {str(cost): float(budget) for cost, budget in budgets.items()}


def optima(law: Law, variables: tuple[str, ...], params: F64, cost: str, budget: float) -> Optima:
    """Return the lowest response of a law in N and D at a cost proportional to their product, for (R, P) parameters."""
    nothing = np.full(len(params), np.nan)
    if set(variables) != {"N", "D"}:
        return Optima(nothing, nothing, nothing, "not available: the law is not one of N and D alone")
    factor = _factor(cost)
    if factor is None:
        return Optima(nothing, nothing, nothing, f"not available: {cost} is not proportional to N*D")
    product = math.log(budget / factor)
    found = np.array([_lowest(law, variables, line, product) for line in params]).reshape(-1, 2)
    size = np.exp(found[:, 0])
    with np.errstate(over="ignore", invalid="ignore"):
        tokens = np.exp(product - found[:, 0])
    is_nowhere = bool(np.isnan(found[:, 0]).all())
    reason = (
        "no optimum inside: the law is lowest at one end of the budget, or level all along it" if is_nowhere else None
    )
    return Optima(size, tokens, found[:, 1], reason)


def _factor(cost: str) -> float | None:
    """Return c of a cost c*N*D; None where it is no such thing."""
    if set(names_of(cost, "budgets")) != {"N", "D"}:
        return None
    size, tokens = np.array([1.0, 3.0, 1.0, 1e9]), np.array([1.0, 1.0, 7.0, 1e11])
    columns: list[_engine.EngineColumn] = [("N", size, "number", ()), ("D", tokens, "number", ())]
    ratios = _engine.evaluate_columns(cost, columns, want="number", argument="budgets") / (size * tokens)
    return float(ratios[0]) if ratios[0] > 0.0 and np.ptp(ratios) <= 1e-12 * ratios[0] else None


def _lowest(law: Law, variables: tuple[str, ...], params: F64, product: float) -> tuple[float, float]:
    """Logarithm of N at the minimum inside, and the response there, by grids each within the last."""
    lower, upper = REACH
    own = np.ascontiguousarray(params[np.newaxis, :])
    least = math.nan
    for turn in range(N_ROUNDS):
        grid = np.linspace(lower, upper, N_GRID)
        lines = {"N": np.exp(grid), "D": np.exp(product - grid)}
        x = np.ascontiguousarray([lines[name] for name in variables])
        with np.errstate(all="ignore"):
            values = _engine.evaluate(law.text, variables, law.parameters, x, own)[0]
        if not np.isfinite(values).any():
            return math.nan, math.nan
        best = int(np.nanargmin(values))
        if turn == 0 and (best in (0, N_GRID - 1) or np.nanmax(values) - values[best] <= LEVEL * abs(values[best])):
            return math.nan, math.nan
        step = grid[1] - grid[0]
        # Below this the response is flat to its last digit and a finer grid finds roundings.
        lower, upper, least = grid[best] - step, grid[best] + step, float(values[best])
        if np.ptp(values) <= 1e-11 * abs(least):
            break
    return float(grid[best]), least
