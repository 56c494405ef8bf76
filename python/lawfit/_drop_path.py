"""The few runs whose leaving together moves a quantity most: a search, made exact where tables are small."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from lawfit import _engine
from lawfit._derived import derive
from lawfit._engine import F64, Bool
from lawfit._influence import Influence, Refits
from lawfit._leverage import Units
from lawfit._quantity import names_in
from lawfit._tangent import Tangent
from lawfit.results import Fit

# All sets of a size are refitted where there are no more than that.
MOST_SUBSETS = 3000
# Units that may join a set at each step, and those that may take the place of a member afterwards.
MOST_CANDIDATES = 120
MOST_EXCHANGED = 30
# Of sets that are found to move a quantity equally far, but for this share, the one whose members matter by themselves:
# under a narrow robust scale which of two rows comes fifth is decided in the fifth digit.
SAME_REACH = 0.01
Set = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DropStep:
    """What a quantity becomes without the most influential set of one size.

    Attributes
    ----------
    n_left_out : int
        Size of the set: rows, or clusters.
    names : tuple
        Numbers of the rows in the user's table, or labels of the clusters.
    value, change : float
        The quantity without them, and that less the quantity of the fit.
    in_stderr : float
        The change in standard errors of the fit; NaN where the quantity has none.
    is_exact : bool
        Whether every set of that size was refitted; otherwise there may be one that moves the quantity farther.
    """

    n_left_out: int
    names: tuple[object, ...]
    value: float
    change: float
    in_stderr: float
    is_exact: bool


@dataclass(frozen=True, slots=True)
class DropPath:
    """How far a quantity moves as the most influential runs leave together.

    Attributes
    ----------
    quantity : str
        A parameter, or a formula over parameters.
    value, stderr : float
        Of the fit to all rows.
    unit : str
        ``"row"``, or the column of the clusters.
    steps : tuple of DropStep
        For each size the set that moves the quantity farther, up or down.
    lowest, highest : tuple of DropStep
        For each size the set that lowers, and that raises it most.
    n_refits : int
        How many sets were refitted.
    """

    quantity: str
    value: float
    stderr: float
    unit: str
    steps: tuple[DropStep, ...]
    lowest: tuple[DropStep, ...]
    highest: tuple[DropStep, ...]
    n_refits: int


def most_moved(influence: Influence, most: int) -> str | None:
    """Return the parameter that the ``most`` units with the largest changes of one sign move farthest, by their sum."""
    changes = np.sort(np.nan_to_num(influence.in_stderr), axis=0)
    reach = np.maximum(-changes[:most].clip(max=0.0).sum(axis=0), changes[-most:].clip(min=0.0).sum(axis=0))
    return influence.parameters[int(np.argmax(reach))] if reach.size and reach.max() > 0.0 else None


def drop_path(
    fit: Fit, tangent: Tangent, units: Units, influence: Influence, refits: Refits, quantity: str, most: int
) -> DropPath:
    """Search the sets of 1 to ``most`` units that move a quantity farthest, in both directions.

    Each size tries the best set of the size before with every further unit (Kuschnig, Zens & Crespo Cuaresma 2021: a
    unit may be masked until another has gone), and the units whose changes by the first-order approximation add up to
    the most (Broderick, Giordano & Meager 2020); the better is improved by exchanging members. Refits judge all.
    """
    whole = derive(fit, quantity)
    search = _Search(fit, refits, quantity, whole.value)
    before = refits.count
    alone = search.alone()
    first_order = _first_order(fit, tangent, units, quantity, alone)
    ends: dict[float, list[DropStep]] = {}
    for sign in (-1.0, 1.0):
        found = search.path(sign, alone, first_order, most)
        ends[sign] = [
            DropStep(
                n_left_out=len(members),
                names=tuple(units.names[i] for i in sorted(members)),
                value=whole.value + change,
                change=change,
                in_stderr=change / whole.stderr if whole.stderr > 0.0 else math.nan,
                is_exact=is_exact,
            )
            for members, change, is_exact in found
        ]
    by_size: dict[int, DropStep] = {}
    for step in [*ends[-1.0], *ends[1.0]]:
        if step.n_left_out not in by_size or abs(step.change) > abs(by_size[step.n_left_out].change):
            by_size[step.n_left_out] = step
    return DropPath(
        quantity=quantity,
        value=whole.value,
        stderr=whole.stderr,
        unit=influence.unit,
        steps=tuple(by_size[size] for size in sorted(by_size)),
        lowest=tuple(ends[-1.0]),
        highest=tuple(ends[1.0]),
        n_refits=refits.count - before,
    )


class _Search:
    """Changes of one quantity without sets of units, each refitted once."""

    def __init__(self, fit: Fit, refits: Refits, quantity: str, value: float) -> None:
        self._fit, self._refits, self._quantity, self._value = fit, refits, quantity, value
        self._known: dict[Set, float] = {}

    def changes(self, sets: list[Set]) -> F64:
        """Change of the quantity without each set; NaN where the others leave no minimum."""
        keys = [tuple(sorted(members)) for members in sets]
        missing = list(dict.fromkeys(key for key in keys if key not in self._known))
        if missing:
            moved = self._moved(*self._refits.params(missing))
            self._known.update(zip(missing, moved.tolist(), strict=True))
        return np.array([self._known[key] for key in keys])

    def alone(self) -> F64:
        """(n_units,) change of the quantity without each unit."""
        moved = self._moved(*self._refits.singles())
        self._known.update(((i,), change) for i, change in enumerate(moved.tolist()))
        return moved

    def _moved(self, params: F64, is_minimum: Bool) -> F64:
        columns: list[_engine.EngineColumn] = [
            (name, np.ascontiguousarray(params[:, k]), "number", ()) for k, name in enumerate(self._fit.law.parameters)
        ]
        values = _engine.evaluate_columns(self._quantity, columns, want="number", argument="quantity")
        moved: F64 = np.where(is_minimum & np.isfinite(values), values - self._value, np.nan)
        return moved

    def path(self, sign: float, alone: F64, first_order: F64, most: int) -> list[tuple[Set, float, bool]]:
        """Return the best set of each size that was found in one direction, its change, and whether it is exact."""
        n_units = alone.size
        found: list[tuple[Set, float, bool]] = []
        best: Set = ()
        by_sum = np.argsort(-sign * first_order, kind="stable")
        for size in range(1, min(most, n_units - 1) + 1):
            is_exact = math.comb(n_units, size) <= MOST_SUBSETS
            if is_exact:
                sets = list(itertools.combinations(range(n_units), size))
            else:
                # The most promising by the first-order approximation, in either direction: leaving may unmask.
                likely = np.argsort(-np.abs(first_order), kind="stable")[:MOST_CANDIDATES].tolist()
                sets = [(*best, i) for i in likely if i not in best]
                sets.append(tuple(by_sum[:size].tolist()))
                sets.append(tuple(np.argsort(-sign * np.nan_to_num(alone), kind="stable")[:size].tolist()))
            changes = np.nan_to_num(sign * self.changes(sets), nan=-np.inf)
            chosen = int(np.argmax(changes))
            best, reach = tuple(sorted(sets[chosen])), float(changes[chosen])
            if not math.isfinite(reach):
                break
            if not is_exact:
                good = [sets[i][-1] for i in np.argsort(-changes[:-2], kind="stable")[:MOST_EXCHANGED]]
                best, reach = self._exchanged(sign, best, reach, good)
                best, reach = self._plainest(sign, alone, size, best, reach)
            if reach > 0.0:
                found.append((best, sign * reach, is_exact))
        return found

    def _exchanged(self, sign: float, best: Set, reach: float, good: list[int]) -> tuple[Set, float]:
        """Put other units in the place of members for as long as that moves the quantity farther."""
        while True:
            sets = [(*best[:i], *best[i + 1 :], other) for i in range(len(best)) for other in good if other not in best]
            changes = np.nan_to_num(sign * self.changes(sets), nan=-np.inf) if sets else np.empty(0)
            if not changes.size or changes.max() <= reach:
                return best, reach
            chosen = int(np.argmax(changes))
            best, reach = tuple(sorted(sets[chosen])), float(changes[chosen])

    def _plainest(self, sign: float, alone: F64, size: int, best: Set, reach: float) -> tuple[Set, float]:
        """Among the sets of this size that are as good as the best, the one with the largest sum of single changes."""
        for members, change in self._known.items():
            is_as_good = len(members) == size and sign * change >= (1.0 - SAME_REACH) * reach > 0.0
            if is_as_good and sign * np.sum(alone[list(members)]) > sign * np.sum(alone[list(best)]):
                best = members
        return best, sign * self._known[best]


def _first_order(fit: Fit, tangent: Tangent, units: Units, quantity: str, alone: F64) -> F64:
    """Change of a quantity when a unit leaves, to first order in its weight; the refits where there is no curvature."""
    if tangent.bread is None:
        return np.nan_to_num(alone)
    used = names_in(quantity, fit.law.parameters)
    at = np.array([[fit.params[name] for name in used]])
    slopes = np.zeros(len(tangent.moving))
    wrt = [name for name in used if name in tangent.moving]
    if wrt:
        by_used = _engine.evaluate(quantity, (), used, np.empty((0, 1)), at, wrt=wrt, order=1)[0, :, 0]
        slopes[[tangent.moving.index(name) for name in wrt]] = by_used
    weighted = (tangent.root_weights * tangent.pulls)[:, np.newaxis] * tangent.z
    first: F64 = units.total(weighted) @ (tangent.bread @ (tangent.to_params.T @ slopes))
    return np.nan_to_num(first)
