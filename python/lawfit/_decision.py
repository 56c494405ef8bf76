"""The decision that a law takes: the model size and tokens that it predicts the lowest response for under a budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lawfit import costs
from lawfit._allocation import RESPONSE, STATUSES, USABLE, columns_of, solved, statuses_of
from lawfit._budgets import sweep
from lawfit._engine import F64
from lawfit._law import Law
from lawfit._quantity import names_of
from lawfit._wording import describe
from lawfit.errors import DataError


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
        names_of(costs.expand(cost), "budgets")
        if (
            isinstance(budget, bool)
            or not isinstance(budget, int | float | np.number)
            or not 0.0 < float(budget) < math.inf
        ):
            raise DataError(f"budgets: {cost}={budget!r}: give a positive number")
    return {str(cost): float(budget) for cost, budget in budgets.items()}


def optima(law: Law, variables: tuple[str, ...], params: F64, cost: str, budget: float) -> Optima:
    """Return where a law is lowest under a budget, for (R, P) parameters."""
    nothing = np.full(len(params), np.nan)
    missing = [
        name for name in (*names_of(costs.expand(cost, variables), "budgets"), "N", "D") if name not in variables
    ]
    if missing:
        return Optima(nothing, nothing, nothing, f"not available: the law has no variable {missing[0]}")
    plan = sweep(law, {cost: budget}, {})
    raw = solved(law, params, False, plan)
    words = statuses_of(raw, plan)[:, 0]
    is_usable = np.isin(words, USABLE)
    columns = columns_of(raw, variables)
    size, tokens, response = (np.where(is_usable, columns[name][:, 0], np.nan) for name in ("N", "D", RESPONSE))
    return Optima(size, tokens, response, None if is_usable.any() else STATUSES[str(words[0])])
