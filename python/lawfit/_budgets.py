"""Budgets and bounds of an allocation, checked and laid out as a sweep of points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine, costs
from lawfit._cost_catalogue import meant
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
        Budgets as they were written.
    formulas : tuple of str
        The same as formulas of the variables: costs by name are written out.
    shape : tuple of int
        That the amounts have together.
    amounts : numpy.ndarray
        (n_points, n_budgets).
    lower, upper : numpy.ndarray
        (n_points, n_variables).
    is_given : numpy.ndarray
        (n_variables, 2) whether a bound is meant: one that was given, or that one sample is the least.
    menus : tuple of tuple of float
        What each variable may be, in rising order; empty where anything within the bounds will do.
    is_whole : numpy.ndarray
        (n_variables,) whether a variable is to be a whole number.
    targets : numpy.ndarray or None
        (n_points,) responses to be reached.
    least : int or None
        The budget of which as little as can be is to be spent, where there are targets; its amounts are 1.
    """

    budgets: tuple[str, ...]
    formulas: tuple[str, ...]
    shape: tuple[int, ...]
    amounts: F64
    lower: F64
    upper: F64
    is_given: Bool
    menus: tuple[tuple[float, ...], ...]
    is_whole: Bool
    targets: F64 | None
    least: int | None

    @property
    def n_points(self) -> int:
        """How many there are."""
        return len(self.amounts)


def sweep(
    law: Law,
    budgets: Mapping[str, ArrayLike | None],
    ranges: Mapping[str, tuple[float, float]],
    *,
    bounds: Mapping[str, Bound] | None = None,
    at: Mapping[str, float] | None = None,
    menus: Mapping[str, ArrayLike] | None = None,
    integer: Sequence[str] = (),
    target: ArrayLike | None = None,
) -> Sweep:
    """Check budgets and bounds; ``ranges`` are the smallest and largest values in the data, where there are any."""
    variables = law.variables or ()
    least = _least(budgets, target)
    amounts, targets, shape = _amounts(budgets, target, variables)
    lower, upper = np.empty(len(variables)), np.empty(len(variables))
    is_given = np.zeros((len(variables), 2), dtype=np.bool_)
    given = _bounds(bounds, at, variables)
    entries = _menus(menus, given, at or {}, variables)
    for place, name in enumerate(variables):
        least_seen, most_seen = ranges.get(name, (1.0, 1.0))
        low, high = given.get(name, (None, None))
        is_given[place] = (low is not None or name == COUNTED, high is not None)
        lower[place] = low if low is not None else (SMALLEST if least_seen >= SMALLEST else BELOW * least_seen)
        upper[place] = high if high is not None else max(LARGEST, ABOVE * most_seen)
        if entries[place]:
            lower[place], upper[place] = entries[place][0], entries[place][-1]
        if lower[place] > upper[place]:
            raise DataError(f"bounds: {name} is to be at least {lower[place]:g} and at most {upper[place]:g}")
    is_whole = _whole(integer, entries, lower, upper, variables)
    n = len(amounts)
    formulas = tuple(costs.expand(text, variables) for text in budgets)
    return Sweep(
        tuple(budgets), formulas, shape, amounts, np.tile(lower, (n, 1)), np.tile(upper, (n, 1)), is_given,
        entries, is_whole, targets, least,
    )  # fmt: skip


def _least(budgets: Mapping[str, ArrayLike | None], target: ArrayLike | None) -> int | None:
    if not isinstance(budgets, Mapping):
        raise DataError(
            f'budgets: give formulas with their amounts, such as {{"6*N*D": 1e21}}, not {describe(budgets)}'
        )
    open_ended = [place for place, amount in enumerate(budgets.values()) if amount is None]
    if target is None and open_ended:
        text = list(budgets)[open_ended[0]]
        raise DataError(
            f"budgets: {text!r} has no amount; give one, or say with target= what response is to be reached"
        )
    if target is not None and len(open_ended) != 1:
        raise DataError(
            "target: say which budget is to be as small as can be by giving it no amount, such as "
            f'{{"6*N*D": None}}; {len(open_ended) or "none"} of the budgets {"have" if open_ended else "has"} none'
        )
    return open_ended[0] if open_ended else None


def _amounts(
    budgets: Mapping[str, ArrayLike | None], target: ArrayLike | None, variables: Sequence[str]
) -> tuple[F64, F64 | None, tuple[int, ...]]:
    arrays: dict[str, F64] = {}
    for text, amount in budgets.items():
        if not isinstance(text, str):
            raise DataError(f'budgets: {text!r} is no formula; give a text such as "6*N*D"')
        for name in _engine.names(_formula(text, variables)):
            if name not in variables:
                raise LawError(
                    f"budgets: {name!r} of {text!r} is no variable of the law; {meant(name, variables, 'those are')}"
                )
        arrays[text] = _arrays.as_float64(1.0 if amount is None else amount, f"budgets[{text!r}]")
        if not arrays[text].size:
            raise DataError(f"budgets: {text!r} has no amounts; give at least one")
        if not np.all((arrays[text] > 0.0) & np.isfinite(arrays[text])):
            raise DataError(f"budgets: amounts of {text!r} must be finite and above 0")
    if target is not None:
        arrays["target"] = _arrays.as_float64(target, "target")
        if not np.all(np.isfinite(arrays["target"])):
            raise DataError("target: responses to be reached must be finite")
    try:
        shape = np.broadcast_shapes(*(values.shape for values in arrays.values()))
    except ValueError:
        sizes = ", ".join(f"{text} {values.shape}" for text, values in arrays.items())
        raise DataError(f"budgets: the amounts have shapes that do not go together: {sizes}") from None
    columns = [np.broadcast_to(values, shape).ravel() for values in arrays.values()]
    targets = np.ascontiguousarray(columns.pop()) if target is not None else None
    n_points = int(np.prod(shape, dtype=np.int64))
    return np.ascontiguousarray(np.array(columns).reshape(len(columns), n_points).T), targets, shape


def _formula(text: str, variables: Sequence[str]) -> str:
    try:
        return costs.expand(text, variables)
    except LawError as error:
        raise LawError(f"budgets: {error}") from None


def _menus(
    menus: Mapping[str, ArrayLike] | None,
    given: Mapping[str, Bound],
    at: Mapping[str, float],
    variables: Sequence[str],
) -> tuple[tuple[float, ...], ...]:
    if menus is not None and not isinstance(menus, Mapping):
        raise DataError(f'menus: give values by variable, such as {{"N": [1e9, 3e9]}}, not {describe(menus)}')
    found: dict[str, tuple[float, ...]] = {}
    for name, listed in (menus or {}).items():
        if name not in variables:
            raise LawError(f"menus: {name!r} is no variable of the law; {suggest(name, variables, 'those are')}")
        if name in at:
            raise DataError(f"{name} is in menus= and in at=; give it once")
        values = np.unique(_arrays.as_float64(listed, f"menus[{name!r}]"))
        if not values.size or not np.all((values > 0.0) & np.isfinite(values)):
            raise DataError(f"menus: {name} needs at least one value, all of them finite and above 0")
        low, high = given.get(name, (None, None))
        within = values[(values >= (low or 0.0)) & (values <= (high or math.inf))]
        if not within.size:
            raise DataError(f"menus: no value of {name} lies within its bounds, {low} to {high}")
        found[name] = tuple(within.tolist())
    return tuple(found.get(name, ()) for name in variables)


def _whole(
    integer: Sequence[str], menus: tuple[tuple[float, ...], ...], lower: F64, upper: F64, variables: Sequence[str]
) -> Bool:
    if isinstance(integer, str):
        integer = (integer,)
    if not isinstance(integer, Sequence):
        raise DataError(f'integer: give names of variables, such as ["k"], not {describe(integer)}')
    is_whole = np.zeros(len(variables), dtype=np.bool_)
    for name in integer:
        if name not in variables:
            raise LawError(f"integer: {name!r} is no variable of the law; {suggest(name, variables, 'those are')}")
        place = variables.index(name)
        if menus[place]:
            raise DataError(f"{name} is in menus= and in integer=; a menu says already what it may be")
        if math.ceil(lower[place]) > upper[place]:
            raise DataError(f"integer: no whole {name} lies between {lower[place]:g} and {upper[place]:g}")
        is_whole[place] = True
    return is_whole


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
    given = _arrays.as_float64(cast(ArrayLike, value), f"{argument}[{name!r}]")
    if given.ndim:
        raise DataError(f"{argument}: {name}={value!r}: give one number; a sweep goes over amounts of budgets")
    if not 0.0 < given < math.inf:
        none = ", or None for no bound" if argument == "bounds" else ""
        raise DataError(
            f"{argument}: {name}={value!r}: give a number above 0 and finite{none}, since a plan moves in logarithms"
        )
    return float(given)
