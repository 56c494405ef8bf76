"""What a budget should buy: an allocation under one set of parameters."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lawfit import _engine, _export, costs
from lawfit._budgets import Sweep
from lawfit._engine import F64, Bool, RawAllocations
from lawfit._law import Law
from lawfit._named import Named
from lawfit._text import fields, number, table
from lawfit._wording import listed, suggest
from lawfit.errors import DataError

if TYPE_CHECKING:
    from lawfit._isoflop import IsoFlop
    from lawfit.beside import Beside
    from lawfit.results import Fit

Words: TypeAlias = NDArray[np.str_]

RESPONSE = "response"
MOST_POINTS = 30
# Decision-making quantities are flat at their optimum: a budget this much larger is the unit of what is near it.
NEAR = 0.05
# Responses and amounts that differ by rounding are the same.
TIE = 1e-9
# Halvings of a range of 70 in logarithms, to a part in 1e9 of a variable.
HALVINGS = 36

STATUSES = {
    "inside": "budgets alone hold it",
    "at_bound": "a bound holds it as well",
    "at_edge": "the first or last of a menu is the best of it",
    "corner": "the law has a corner there",
    "no_optimum": "the law improves on to the end of the search: it has no optimum inside",
    "flat": "the law is flat there: other allocations are as good",
    "infeasible": "nothing within the bounds keeps to the budgets",
    "unreachable": "better than the best that the law has within the bounds",
    "stalled": "the search came to no end",
    "not_finite": "the law or its parameters are not finite",
}
USABLE = ("inside", "at_bound", "at_edge", "corner")


def solved(
    law: Law,
    params: F64,
    maximize: bool,
    sweep: Sweep,
    n_threads: int = 1,
    progress: _engine.Progress | None = None,
    *,
    targets: F64 | None = None,
    scales: Sequence[bool] = (),
) -> RawAllocations:
    """Find the optimum of every draw of parameters, (draws, parameters), at every point of a sweep.

    ``targets`` (draws, points) are responses to reach in place of the sweep's own, by multiplying the budgets that
    ``scales`` marks.
    """
    if not isinstance(maximize, bool | np.bool_):
        raise DataError(f"maximize={maximize!r}: say True or False")
    if targets is None and sweep.targets is not None:
        targets = np.tile(sweep.targets, (len(params), 1))
        scales = [place == sweep.least for place in range(len(sweep.budgets))]
    return _engine.allocate(
        law.text,
        law.variables or (),
        law.parameters,
        sweep.formulas,
        np.ascontiguousarray(params),
        sweep.amounts,
        sweep.lower,
        sweep.upper,
        maximize=bool(maximize),
        menus=sweep.menus if any(sweep.menus) else (),
        whole=sweep.is_whole.tolist() if sweep.is_whole.any() else (),
        targets=targets,
        scales=scales,
        n_threads=n_threads,
        progress=progress,
    )


def statuses_of(raw: RawAllocations, sweep: Sweep) -> Words:
    """(draws, points) words of `STATUSES`."""
    endings = np.array(_engine.registries().endings)[raw.ending]
    words = np.where(endings == "optimum", "inside", endings).astype("<U11")
    held = np.stack([raw.side < 0, raw.side > 0], axis=-1)
    is_usable = np.isin(words, ("inside", "corner"))
    for place, menu in enumerate(sweep.menus):
        if len(menu) > 1:
            words[is_usable & np.isin(raw.x[..., place], (menu[0], menu[-1]))] = "at_edge"
    words[is_usable & (held & sweep.is_given).any(axis=(-2, -1))] = "at_bound"
    words[is_usable & (held & ~sweep.is_given).any(axis=(-2, -1))] = "no_optimum"
    return words


def columns_of(raw: RawAllocations, variables: tuple[str, ...]) -> dict[str, F64]:
    """Variables and the response, (draws, points) each."""
    columns = {name: np.ascontiguousarray(raw.x[..., place]) for place, name in enumerate(variables)}
    columns.setdefault(RESPONSE, raw.value)
    return columns


def quantity_of(text: str, columns: Mapping[str, F64]) -> F64:
    """Evaluate a formula over columns of one shape."""
    if not isinstance(text, str):
        raise DataError(f'{text!r}: give a variable, {RESPONSE!r}, or a formula of these such as "D/N"')
    if text in columns:
        return columns[text]
    formula = costs.expand(text, columns)
    for name in _engine.names(formula):
        if name not in columns:
            raise DataError(f"{name!r} of {text!r} is not known here; {suggest(name, columns)}")
    shape = next(iter(columns.values())).shape
    inputs = [(name, np.ascontiguousarray(values.ravel()), "number", ()) for name, values in columns.items()]
    return _engine.evaluate_columns(formula, inputs, want="number", argument="quantity").reshape(shape)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Allocation:
    """Where a law is best under budgets, as `lawfit.allocate` and `Fit.allocate` give it.

    ``plan["N"]``, ``plan["D/N"]`` and ``plan["response"]`` have the shape of the budgets' amounts, and are NaN where
    ``status`` says why.

    Attributes
    ----------
    law : Law
        What was optimised.
    params : Named of float
        Its parameters.
    sweep : Sweep
        Budgets, amounts and bounds.
    raw : RawAllocations
        Everything that the engine found, with a leading axis of 1.
    ranges : Named of pairs
        Smallest and largest value of each variable in the data behind the fit; empty without a fit.
    maximize : bool
        Whether a large response is good.
    response : str
        What the law predicts.
    """

    law: Law
    params: Named[float]
    sweep: Sweep
    raw: RawAllocations
    ranges: Named[tuple[float, float]]
    maximize: bool
    response: str

    @property
    def status(self) -> Words:
        """Words of how each point ended, of the shape of the amounts: a key of ``lawfit.allocation.STATUSES``."""
        words: Words = statuses_of(self.raw, self.sweep)[0].reshape(self.sweep.shape)
        return words

    @property
    def success(self) -> Bool:
        """Whether each point has an optimum: inside, at a bound that was meant, or in a corner of the law."""
        return np.isin(self.status, USABLE)

    def __getitem__(self, quantity: str) -> F64:
        """Return a variable, the response or a formula of these at each point."""
        columns = columns_of(self.raw, self.law.variables or ())
        values = quantity_of(quantity, {name: column[0] for name, column in columns.items()})
        shaped: F64 = np.where(self.success, values.reshape(self.sweep.shape), math.nan)[()]
        return shaped

    @property
    def price(self) -> Named[F64]:
        """By budget, how much the response gains for each unit of the logarithm of its amount."""
        places = enumerate(self.sweep.budgets)
        values = {text: self.raw.price[0, :, j].reshape(self.sweep.shape) for j, text in places}
        return Named({text: np.where(self.success, value, math.nan)[()] for text, value in values.items()})

    @property
    def amounts(self) -> F64:
        """(n_points, n_budgets) the budgets, with the least that reaches a target where one is to be reached."""
        amounts = self.sweep.amounts.copy()
        if self.sweep.least is not None:
            amounts[:, self.sweep.least] = np.where(self.success.ravel(), self.raw.scale[0], math.nan)
        return amounts

    @property
    def pareto(self) -> Bool:
        """Whether no other point of the sweep is as good with as little of every budget, and better in one of them."""
        sign = -1.0 if self.maximize else 1.0
        goods = np.column_stack([self.amounts, sign * np.ravel(self[RESPONSE])])
        found = np.zeros(len(goods), dtype=np.bool_)
        for point, good in enumerate(goods):
            no_worse = (goods <= good * (1.0 + TIE * np.sign(good))).all(axis=1)
            found[point] = (
                np.isfinite(good).all()
                and not (no_worse & (goods < good * (1.0 - TIE * np.sign(good))).any(axis=1)).any()
            )
        return found.reshape(self.sweep.shape)

    @property
    def active(self) -> Named[Bool]:
        """By budget, whether all of it is spent."""
        return Named({text: np.asarray(price) > 0.0 for text, price in self.price.items()})

    @property
    def beyond(self) -> Named[F64]:
        """How many times each is above the largest value in the data, or below the smallest (a share).

        Where the fit has its rows, products and ratios of two variables are there too, such as ``"D/N"``: a plan may
        keep to the range of each variable by itself and still lie beyond every run.
        """
        found = {}
        for name, (least, most) in self.ranges.items():
            value = self[name]
            found[name] = np.where(value > most, value / most, np.where(value < least, value / least, value / value))[
                ()
            ]
        return Named(found)

    def near(self, share: float = NEAR) -> Named[tuple[F64, F64]]:
        """Return the range of each variable that reaches the same response with at most ``share`` more of each budget.

        Parameters
        ----------
        share : float
            How much larger every budget may be.

        Returns
        -------
        Named of pairs
            By variable, the smallest and the largest value; the others are chosen anew. NaN where there is no optimum.

        Notes
        -----
        When to use: to see how sharp a decision is. Responses are flat at their optimum: 5 % of the budget often leave
        the model size open to a factor of 2. A part of the response says nothing, since most of it cannot be bought.
        """
        if isinstance(share, bool) or not isinstance(share, numbers.Real) or not 0.0 < float(share) < math.inf:
            raise DataError(f"share={share!r}: give a number above 0, such as 0.05")
        sign = -1.0 if self.maximize else 1.0
        n, variables = self.sweep.n_points, self.law.variables or ()
        amounts = self.amounts * (1.0 + share)
        amounts[~np.isfinite(amounts)] = 1.0
        params = np.array([list(self.params.values())])
        ends: dict[str, tuple[F64, F64]] = {}
        for place, name in enumerate(variables):
            best = np.log(self.raw.x[0, :, place])
            bounds = np.log(np.stack([self.sweep.lower[:, place], self.sweep.upper[:, place]]))
            # (2, points): inside the range, and outside it.
            inner, outer = np.stack([best, best]), bounds.copy()
            for _ in range(HALVINGS):
                middle = 0.5 * (inner + outer)
                held = np.exp(middle).ravel()
                lower, upper = np.tile(self.sweep.lower, (2, 1)), np.tile(self.sweep.upper, (2, 1))
                lower[:, place] = upper[:, place] = np.where(np.isfinite(held), held, self.sweep.lower[0, place])
                again = solved(
                    self.law,
                    params,
                    self.maximize,
                    replace(
                        self.sweep,
                        amounts=np.tile(amounts, (2, 1)),
                        lower=lower,
                        upper=upper,
                        targets=None,
                        least=None,
                    ),
                )
                is_near = (sign * again.value[0] <= np.tile(sign * self.raw.value[0], 2)).reshape(2, n)
                inner, outer = np.where(is_near, middle, inner), np.where(is_near, outer, middle)
            low, high = (np.where(self.success, np.exp(end).reshape(self.sweep.shape), math.nan)[()] for end in inner)
            ends[name] = (low, high)
        return Named(ends)

    def reason(self, point: int = 0) -> str | None:
        """Say in words why a point, counted through the amounts in order, has no optimum; None where it has one."""
        word = str(self.status.ravel()[point])
        if word in USABLE:
            return None
        said = STATUSES[word]
        if word == "no_optimum":
            ends = []
            for place, name in enumerate(self.law.variables or ()):
                side = int(self.raw.side[0, point, place])
                if side and not self.sweep.is_given[place, (side + 1) // 2]:
                    ends.append(f"{name} {'rises' if side > 0 else 'falls'} to {self.raw.x[0, point, place]:.3g}")
            said += (
                f" ({listed(ends)}); bound it with bounds=, or ask for maximize={not self.maximize} if that is meant"
            )
        return said

    def beside(self, runs: IsoFlop | Fit, *key: object) -> Beside:
        """Model-free optima of the nearest isoFLOP curves beside the plan; see `lawfit.beside.beside`."""
        from lawfit import beside

        return beside.beside(self, runs, *key)

    def plot(self, kind: str | None = None, ax: Any = None) -> Any:
        """Draw the sweep, or another figure of `lawfit.plotting` by name, and return the axes."""
        from lawfit import plotting

        return plotting.plot(self, kind, ax)

    def to_dict(self) -> dict[str, object]:
        """Return plain values: every point with its amounts, variables, response, prices and status."""
        return {
            "law": self.law.text,
            "params": dict(self.params),
            "maximize": self.maximize,
            "points": [
                {name: values[point] for name, values in self.columns().items()} for point in range(self.sweep.n_points)
            ],
        }

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row a point, in a frame of a library."""
        return _export.frame(self.columns(), library, "dict", "to_frame")

    def columns(self) -> dict[str, list[object]]:
        """One row a point: amounts, variables, response, prices and status."""
        columns: dict[str, list[object]] = {}
        for j, text in enumerate(self.sweep.budgets):
            columns[f"budget {text}"] = list(self.amounts[:, j].tolist())
        for name in (*(self.law.variables or ()), RESPONSE):
            columns[name] = list(np.ravel(self[name]).tolist())
        for text, price in self.price.items():
            columns[f"price {text}"] = list(np.ravel(price).tolist())
        columns["status"] = list(self.status.ravel().tolist())
        return columns

    def __repr__(self) -> str:
        """Return the form for people."""
        variables = self.law.variables or ()
        wants = "largest" if self.maximize else "smallest"
        heading = [("law", self.law.text), ("wanted", f"the {wants} {self.response}")]
        if self.sweep.least is not None:
            least = self.sweep.budgets[self.sweep.least]
            heading[1] = ("wanted", f"the least {least} that reaches the target")
        shown = range(min(self.sweep.n_points, MOST_POINTS))
        extra = ["D/N"] if {"N", "D"} <= set(variables) else []
        header = [*self.sweep.budgets, *variables, *extra, self.response]
        header += [f"10 % more {text}" for text in self.sweep.budgets] + ["status"]
        values = [np.ravel(self[name]) for name in (*variables, *extra, RESPONSE)]
        prices = [np.ravel(price) * math.log(1.1) * (1 if self.maximize else -1) for price in self.price.values()]
        rows = []
        for point in shown:
            amounts = [number(float(amount), 4) for amount in self.amounts[point]]
            figures = [number(float(column[point]), 5) for column in values]
            gains = [f"{float(price[point]):+.3g}" if math.isfinite(price[point]) else "-" for price in prices]
            rows.append([*amounts, *figures, *gains, str(self.status.ravel()[point])])
        lines = [*fields(heading), "", *table(header, rows, left=0)]
        if self.sweep.n_points > MOST_POINTS:
            lines.append(f"... {self.sweep.n_points - MOST_POINTS} more; to_frame() has them all")
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to distrust: points without an optimum, and how far the others lie outside the data."""
        found = []
        reasons: dict[str, int] = {}
        for point in range(self.sweep.n_points):
            said = self.reason(point)
            if said is not None:
                key = said.partition(" (")[0]
                reasons[key] = reasons.get(key, 0) + 1
                if reasons[key] == 1:
                    found.append(f"{self._point(point)}: {said}")
        more = sum(reasons.values()) - len(reasons)
        if more > 0:
            found.append(f"{more} more {'points have' if more > 1 else 'point has'} no optimum")
        found += self._outside()
        for text, price in self.price.items():
            if np.any(np.ravel(price) == 0.0):
                found.append(f"{text} is not all spent at {int(np.sum(np.ravel(price) == 0.0))} points")
        return tuple(found)

    def _outside(self) -> list[str]:
        """Say how far the plan lies outside the data; a product or ratio where neither variable does by itself."""
        found: list[str] = []
        alone: set[str] = set()
        variables = self.law.variables or ()
        for name, factor in self.beyond.items():
            factors = np.ravel(factor)[np.isfinite(np.ravel(factor))]
            if (
                not factors.size
                or np.all(factors == 1.0)
                or (name not in variables and alone & set(_engine.names(name)))
            ):
                continue
            if name in variables:
                alone.add(name)
            if factors.max() > 1.0:
                found.append(f"{name} is up to {factors.max():.3g} times the largest in the data")
            if factors.min() < 1.0:
                found.append(f"{name} is down to {factors.min():.3g} times the smallest in the data")
        return found

    def _point(self, point: int) -> str:
        pairs = zip(self.sweep.budgets, self.sweep.amounts[point], strict=True)
        words = [f"{text}={amount:.4g}" for j, (text, amount) in enumerate(pairs) if j != self.sweep.least]
        if self.sweep.targets is not None:
            words.append(f"target {self.sweep.targets[point]:.5g}")
        return ", ".join(words) or "without budgets"
