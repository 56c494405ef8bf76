"""Budgets and bounds of an allocation, checked and laid out as a sweep of points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine
from lawfit._engine import F64, Bool
from lawfit._law import Law
from lawfit._wording import describe, suggest
from lawfit.errors import DataError, LawError

# Where the search ends if nobody says where: nothing is smaller than one parameter, token or sample, and a budget ends
# it long before the other end.
SMALLEST, LARGEST = 1.0, 1e30
# Of variables whose data are below 1, such as sizes in billions: this far below the smallest and above the largest.
BELOW, ABOVE = 1e-6, 1e12
# One sample is the least that can be drawn, so to end there is an answer; to end at one parameter is none.
COUNTED = "k"

Bound = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Points to allocate at.

    Attributes
    ----------
    budgets : tuple of str
        Formulas of the variables.
    shape : tuple of int
        That the amounts have together.
    amounts : numpy.ndarray
        (n_points, n_budgets).
    lower, upper : numpy.ndarray
        (n_points, n_variables).
    is_given : numpy.ndarray
        (n_variables, 2) whether a bound is meant: one that was given, or that one sample is the least.
    """

    budgets: tuple[str, ...]
    shape: tuple[int, ...]
    amounts: F64
    lower: F64
    upper: F64
    is_given: Bool

    @property
    def n_points(self) -> int:
        """How many there are."""
        return len(self.amounts)


def sweep(
    law: Law,
    budgets: Mapping[str, ArrayLike],
    bounds: Mapping[str, Bound] | None,
    at: Mapping[str, float] | None,
    ranges: Mapping[str, tuple[float, float]],
) -> Sweep:
    """Check budgets and bounds; ``ranges`` are the smallest and largest values in the data, where there are any."""
    variables = law.variables or ()
    amounts, shape = _amounts(budgets, variables)
    lower, upper = np.empty(len(variables)), np.empty(len(variables))
    is_given = np.zeros((len(variables), 2), dtype=np.bool_)
    given = _bounds(bounds, at, variables)
    for place, name in enumerate(variables):
        least, most = ranges.get(name, (1.0, 1.0))
        low, high = given.get(name, (None, None))
        is_given[place] = (low is not None or name == COUNTED, high is not None)
        lower[place] = low if low is not None else (SMALLEST if least >= SMALLEST else BELOW * least)
        upper[place] = high if high is not None else max(LARGEST, ABOVE * most)
        if lower[place] > upper[place]:
            raise DataError(f"bounds: {name} is to be at least {lower[place]:g} and at most {upper[place]:g}")
    n = len(amounts)
    return Sweep(tuple(budgets), shape, amounts, np.tile(lower, (n, 1)), np.tile(upper, (n, 1)), is_given)


def _amounts(budgets: Mapping[str, ArrayLike], variables: Sequence[str]) -> tuple[F64, tuple[int, ...]]:
    if not isinstance(budgets, Mapping):
        raise DataError(
            f'budgets: give formulas with their amounts, such as {{"6*N*D": 1e21}}, not {describe(budgets)}'
        )
    arrays = []
    for text, amount in budgets.items():
        if not isinstance(text, str):
            raise DataError(f'budgets: {text!r} is no formula; give a text such as "6*N*D"')
        for name in _engine.names(text):
            if name not in variables:
                raise LawError(
                    f"budgets: {name!r} of {text!r} is no variable of the law; {suggest(name, variables, 'those are')}"
                )
        values = _arrays.as_float64(amount, f"budgets[{text!r}]")
        if not np.all((values > 0.0) & np.isfinite(values)):
            raise DataError(f"budgets: amounts of {text!r} must be finite and above 0")
        arrays.append(values)
    try:
        shape = np.broadcast_shapes(*(values.shape for values in arrays))
    except ValueError:
        sizes = ", ".join(f"{text} {values.shape}" for text, values in zip(budgets, arrays, strict=True))
        raise DataError(f"budgets: the amounts have shapes that do not go together: {sizes}") from None
    columns = [np.broadcast_to(values, shape).ravel() for values in arrays]
    n_points = int(np.prod(shape, dtype=np.int64))
    return np.ascontiguousarray(np.array(columns).reshape(len(columns), n_points).T), shape


def _bounds(
    bounds: Mapping[str, Bound] | None, at: Mapping[str, float] | None, variables: Sequence[str]
) -> dict[str, Bound]:
    for argument, given in (("bounds", bounds), ("at", at)):
        if given is not None and not isinstance(given, Mapping):
            raise DataError(f"{argument}: give a mapping by variable, not {describe(given)}")
        for name in given or ():
            if name not in variables:
                raise LawError(
                    f"{argument}: {name!r} is no variable of the law; {suggest(name, variables, 'those are')}"
                )
    found: dict[str, Bound] = {}
    for name, pair in (bounds or {}).items():
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise DataError(f"bounds: {name} needs a pair (lowest, highest), None where there is none, not {pair!r}")
        found[name] = (_end("bounds", name, pair[0]), _end("bounds", name, pair[1]))
    for name, value in (at or {}).items():
        if name in found:
            raise DataError(f"{name} is in bounds= and in at=; give it once")
        held = _end("at", name, value)
        found[name] = (held, held)
    return found


def _end(argument: str, name: str, value: object) -> float | None:
    if value is None:
        return None
    number = float(_arrays.as_float64(cast(ArrayLike, value), f"{argument}[{name!r}]"))
    if not 0.0 < number < math.inf:
        raise DataError(f"{argument}: {name}={value!r}: give a number above 0, since a plan moves in logarithms")
    return number
