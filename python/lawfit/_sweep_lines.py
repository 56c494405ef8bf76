"""A sweep as lines along one budget, and which of its points lie outside the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np

from lawfit._allocation import Allocation
from lawfit._engine import F64, I64
from lawfit._frontier import Frontier
from lawfit.errors import DataError

# Of logarithms: an optimum on a run is not outside.
ROUNDING = 1e-9


class Line(NamedTuple):
    """Points of a sweep along one budget: their amounts, ascending, and places."""

    label: str
    x: F64
    places: I64


def swept(plan: Allocation) -> int:
    """Place of the budget that is swept: the first whose amounts vary, or the one that is to be least for targets."""
    if not plan.sweep.budgets:
        raise DataError("there is no budget to draw a plan against")
    varies = np.ptp(plan.sweep.amounts, axis=0) > 0.0
    return plan.sweep.least if plan.sweep.least is not None and not varies.any() else int(np.argmax(varies))


def lines_of(plan: Allocation, label: str) -> list[Line]:
    """Take a sweep apart: a line for each amount of the other budgets that several points share."""
    amounts, place = plan.amounts, swept(plan)
    # What is to be least is an answer, and makes no line of its own.
    others = np.delete(plan.sweep.amounts, place, axis=1)
    values, group = np.unique(others, axis=0, return_inverse=True)
    group = np.ravel(group)
    if len(values) in (1, len(amounts)):
        # One line, or budgets that grow together.
        values, group = values[:1], np.zeros(len(amounts), dtype=np.int64)
    texts = [text for j, text in enumerate(plan.sweep.budgets) if j != place]
    found = []
    for number, fixed in enumerate(values):
        chosen = np.flatnonzero(group == number)
        order = chosen[np.argsort(amounts[chosen, place], kind="stable")]
        given = zip(texts, fixed, strict=True)
        least = None if plan.sweep.least is None else plan.sweep.budgets[plan.sweep.least]
        said = ", ".join(f"{text} = {amount:.3g}" for text, amount in given if text != least)
        full = label if len(values) == 1 else ", ".join(part for part in (label, said) if part)
        found.append(Line(full, amounts[order, place], order))
    return found


def is_outside_of_data(front: Frontier | Allocation) -> tuple[F64, str | None]:
    """1 where the plan is outside of the data in a variable or in the product or ratio of two, NaN without data.

    Also the product or ratio that is farthest outside, in words: a plan may keep to the range of every variable and
    still be far from each run, as a small model with many tokens is.
    """
    plan = front.plan if isinstance(front, Frontier) else front
    variables = tuple(plan.ranges)
    if not variables:
        return np.full(plan.sweep.n_points, math.nan), None
    rows = front.draws.fit.rows if isinstance(front, Frontier) else None
    # Without the rows, their ranges: all corners of the box.
    x = rows.x if rows is not None and rows.summary is None else np.array(list(product(*plan.ranges.values()))).T
    if not np.all(x > 0.0):
        factors = np.stack([np.ravel(factor) for factor in plan.beyond.values()])
        return np.where(np.isnan(factors).any(axis=0), math.nan, (factors != 1.0).any(axis=0)), None
    at = np.log(np.stack([np.ravel(plan[name]) for name in variables]))
    farthest, said = ROUNDING, None
    is_outside = np.zeros(plan.sweep.n_points, dtype=np.bool_)
    for direction, text in _directions(variables):
        beyond = direction @ at - (direction @ np.log(x)).max()
        is_outside |= beyond > ROUNDING
        most = float(np.max(beyond, initial=0.0, where=np.isfinite(beyond)))
        if text is not None and most > farthest:
            farthest, said = most, text.format(math.exp(most), math.exp(-most))
    return np.where(np.isnan(at).any(axis=0), math.nan, is_outside), said


def _directions(variables: Sequence[str]) -> list[tuple[F64, str | None]]:
    """Signs of a variable or of two, and what is said if two lead outside."""
    each = np.eye(len(variables))
    found: list[tuple[F64, str | None]] = [(sign * unit, None) for unit in each for sign in (1.0, -1.0)]
    for i, j in combinations(range(len(variables)), 2):
        a, b = variables[i], variables[j]
        found.append((each[i] + each[j], f"{a}*{b} is up to {{0:.3g}} times the largest in the data"))
        found.append((-each[i] - each[j], f"{a}*{b} is down to {{1:.3g}} times the smallest in the data"))
        found.append((each[i] - each[j], f"{a}/{b} is up to {{0:.3g}} times the largest in the data"))
        found.append((each[j] - each[i], f"{b}/{a} is up to {{0:.3g}} times the largest in the data"))
    return found
