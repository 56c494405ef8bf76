"""The allocation that is best on average over the draws of a fit, beside the one that is best for the fit itself."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lawfit import _engine, _export
from lawfit._allocation import RESPONSE, STATUSES, USABLE, Words, quantity_of, solved, statuses_of
from lawfit._budgets import Sweep
from lawfit._engine import F64, Bool, RawAllocations
from lawfit._frontier import Frontier
from lawfit._law import Law
from lawfit._text import fields, number, table
from lawfit.errors import DataError

# Optima of draws that are tried as they are; they lie all along what the budgets leave free.
N_CANDIDATES = 200
# In logarithms: how far the first step may go, the largest that any may, and the smallest that is worth one.
FIRST, LARGEST, SMALLEST = 0.5, 2.0, 1e-7
MOST_STEPS = 60
# Entries of a menu, or whole numbers, that are tried of each variable.
MOST_CHOICES = 30
# A bound is reached where what is left to it is rounding.
REACHED = 1e-6
MOST_POINTS = 30


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OnAverage:
    """Where the mean of a law over draws is best under budgets, as `Frontier.best_on_average` gives it.

    ``found["N"]``, ``found["D/N"]`` and ``found["response"]`` have the shape of the budgets' amounts, and are NaN where
    ``status`` says why.

    Attributes
    ----------
    front : Frontier
        The draws, their optima and the plan of the fit.
    n_draws : int
        Draws that the mean is over: all that ended in a minimum, whether or not they have an optimum of their own.
    x : numpy.ndarray
        (n_points, n_variables).
    mean : numpy.ndarray
        (n_points,) the mean response there.
    mean_at_plan : numpy.ndarray
        (n_points,) the mean response at the plan of the fit; NaN where the fit has none.
    words : numpy.ndarray
        (n_points,) how each point ended.
    """

    front: Frontier
    n_draws: int
    x: F64
    mean: F64
    mean_at_plan: F64
    words: Words

    @property
    def status(self) -> Words:
        """Words of how each point ended, of the shape of the amounts, as `Allocation.status`."""
        words: Words = self.words.reshape(self.front.plan.sweep.shape)
        return words

    @property
    def success(self) -> Bool:
        """Whether each point has an optimum."""
        return np.isin(self.status, USABLE)

    def __getitem__(self, quantity: str) -> F64:
        """Return a variable, the mean response or a formula of these at each point."""
        names = self.front.plan.law.variables or ()
        columns = {name: np.ascontiguousarray(self.x[:, place]) for place, name in enumerate(names)}
        columns.setdefault(RESPONSE, self.mean)
        values = quantity_of(quantity, columns).reshape(self.front.plan.sweep.shape)
        shaped: F64 = np.where(self.success, values, math.nan)[()]
        return shaped

    def columns(self) -> dict[str, list[object]]:
        """One row a point: amounts, variables here and in the plan, mean responses of both and status."""
        plan = self.front.plan
        columns: dict[str, list[object]] = {}
        for j, text in enumerate(plan.sweep.budgets):
            columns[f"budget {text}"] = list(plan.sweep.amounts[:, j].tolist())
        for name in plan.law.variables or ():
            columns[name] = list(np.ravel(self[name]).tolist())
            columns[f"{name} of the plan"] = list(np.ravel(plan[name]).tolist())
        columns["mean"] = list(np.ravel(self[RESPONSE]).tolist())
        columns["mean of the plan"] = list(self.mean_at_plan.tolist())
        columns["status"] = list(self.words.tolist())
        return columns

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row a point, in a frame of a library."""
        return _export.frame(self.columns(), library, self.front.draws.fit.rows.library, "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        plan, columns = self.front.plan, self.columns()
        wants = "largest" if plan.maximize else "smallest"
        header = [name.removeprefix("budget ") for name in columns]
        rows = [
            [number(value, 5) if isinstance(value, float) else str(value) for value in line]
            for line in zip(*columns.values(), strict=True)
        ]
        heading = [("law", plan.law.text), ("wanted", f"the {wants} mean {plan.response} of {self.n_draws} draws")]
        lines = [*fields(heading), "", *table(header, rows[:MOST_POINTS], left=0)]
        if len(rows) > MOST_POINTS:
            lines.append(f"... {len(rows) - MOST_POINTS} more; to_frame() has them all")
        words = {str(word) for word in self.words if word not in USABLE}
        return "\n".join([*lines, *(f"note: {word}: {STATUSES[word]}" for word in sorted(words))])


def best_on_average(front: Frontier) -> OnAverage:
    """Where the mean over draws is best, under the budgets and bounds of a frontier.

    Parameters
    ----------
    front : Frontier
        Of `Draws.allocate`.

    Returns
    -------
    OnAverage
        Variables and mean response at every point of the sweep, beside the plan of the fit.

    Raises
    ------
    DataError
        The frontier looks for the least budget that reaches a target.

    Notes
    -----
    When to use: where one choice is made and any of the draws may be the truth. The optimum of a mean is not the mean
    of optima: draws that lose much by a choice count more than those to which it is all the same. It differs little
    from the plan while draws are symmetric and near each other; where it differs, the fit is far from certain.

    The mean is of the response as it is, over all draws that ended in a minimum; a few draws whose law goes astray far
    outside the data can carry it, which `Frontier.regret` of both choices shows by its quantiles.

    It is evaluated at the optima of 200 draws, and at the plan; from the best of these, steps minimise its quadratic
    form in logarithms under the budgets and bounds, within a distance that shrinks where a step does not improve. That
    is a local method from a global grid; where laws are smooth the variables hold to 1e-5, the mean to 1e-9. Of menus
    and whole numbers the 30 nearest to the best of the draws are tried, the other variables chosen anew for each.

    References
    ----------
    Savage 1954, The Foundations of Statistics (expected loss); Conn, Gould and Toint 2000, Trust-Region Methods.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    >>> grid = {"N": [1e7, 1e8, 1e9, 1e10], "D": [1e9, 1e10, 1e11, 1e12]}
    >>> runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.01, seed=1)
    >>> front = lf.fit(lf.laws.chinchilla, runs, response="loss").bootstrap(500).allocate({"6*N*D": 1e24})
    >>> found = front.best_on_average()
    >>> bool(found.mean <= found.mean_at_plan), found.status.item()
    (True, 'inside')
    """
    plan, law = front.plan, front.plan.law
    if plan.sweep.targets is not None:
        raise DataError("a mean over draws has no least budget for a target: allocate with amounts, without target=")
    params = front.draws.params[front.draws.ok]
    sweep, sign = plan.sweep, -1.0 if plan.maximize else 1.0
    x = np.full((sweep.n_points, len(law.variables or ())), math.nan)
    mean, mean_at_plan = np.full(sweep.n_points, math.nan), np.full(sweep.n_points, math.nan)
    words = np.full(sweep.n_points, "not_finite", dtype="<U11")
    status, ok = front.status.reshape(-1, sweep.n_points), front.ok.reshape(-1, sweep.n_points)
    for point, has_plan in enumerate(np.ravel(plan.success)):
        kept = np.flatnonzero(ok[:, point])
        tried = kept[np.linspace(0, kept.size - 1, min(kept.size, N_CANDIDATES)).astype(np.int64)]
        candidates = front.raw.x[tried, point]
        if has_plan:
            candidates = np.vstack([plan.raw.x[0, point], candidates])
        if not len(params) or not len(candidates):
            # No draw has an optimum: what most of them end in.
            ends, counts = np.unique(status[:, point], return_counts=True)
            words[point] = ends[np.argmax(counts)]
            continue
        values = sign * _mean(law, params, candidates)
        if has_plan:
            mean_at_plan[point] = sign * values[0]
        best = int(np.argmin(values))
        if not math.isfinite(values[best]):
            continue
        at, value = candidates[best], float(values[best])
        for one in _held(_at(sweep, point), at, candidates):
            start = np.clip(at, one.lower[0], one.upper[0])
            if not np.array_equal(start, at):
                start = solved(law, np.array([list(plan.params.values())]), plan.maximize, one).x[0, 0]
                # A whole number that is held comes back from its logarithm a unit in the last place off.
                start = np.clip(start, one.lower[0], one.upper[0])
            there, found = _refined(law, params, start, sign, one)
            if found <= value:
                at, value = there, found
        x[point], mean[point] = at, sign * value
        words[point] = _word(at, _at(sweep, point), plan.raw)
    return OnAverage(front, len(params), x, mean, mean_at_plan, words)


def _at(sweep: Sweep, point: int) -> Sweep:
    """Return one point of a sweep."""
    part = slice(point, point + 1)
    return replace(sweep, shape=(), amounts=sweep.amounts[part], lower=sweep.lower[part], upper=sweep.upper[part])


def _held(one: Sweep, at: F64, candidates: F64) -> Iterator[Sweep]:
    """Go through what cannot be divided: one point with menus and whole numbers held, near those of the draws."""
    places = [i for i, menu in enumerate(one.menus) if menu or one.is_whole[i]]
    choices = []
    for place in places:
        seen = candidates[:, place]
        low, high = float(seen.min()), float(seen.max())
        every = np.array(one.menus[place]) if one.menus[place] else np.arange(low - 1.0, high + 1.5)
        within = every[(every >= one.lower[0, place]) & (every <= one.upper[0, place])]
        # Nearest to the best of the draws first.
        order = np.argsort(np.abs(np.log(within / at[place])), kind="stable")
        choices.append(within[order][:MOST_CHOICES])
    freed = replace(one, menus=((),) * len(one.menus), is_whole=np.zeros_like(one.is_whole))
    for values in itertools.product(*choices):
        lower, upper = one.lower.copy(), one.upper.copy()
        lower[0, places] = upper[0, places] = values
        yield replace(freed, lower=lower, upper=upper)


def _mean(law: Law, params: F64, x: F64) -> F64:
    """Return the mean over draws at each of (rows, variables); infinite where a draw has no value."""
    columns = np.ascontiguousarray(x.T)
    values = _engine.evaluate(law.text, law.variables or (), law.parameters, columns, params).mean(axis=0)
    return np.where(np.isfinite(values), values, math.inf)


def _refined(law: Law, params: F64, x: F64, sign: float, sweep: Sweep) -> tuple[F64, float]:
    """Return where the mean is lowest near x, and its value; both carry the sign that makes small ones good."""
    if not np.isfinite(x).all():
        return x, math.inf
    model = _model(law.variables or ())
    radius, value = FIRST, float(sign * _mean(law, params, x[np.newaxis])[0])
    slope, bend = _derivatives(law, params, x, sign)
    for _ in range(MOST_STEPS):
        if radius < SMALLEST or not (np.isfinite(slope).all() and np.isfinite(bend).all()):
            break
        near = replace(
            sweep,
            lower=np.maximum(sweep.lower, x * math.exp(-radius)),
            upper=np.minimum(sweep.upper, x * math.exp(radius)),
        )
        values = {f"centre_{i}": math.log(at) for i, at in enumerate(x.tolist())}
        values |= {f"slope_{i}": at for i, at in enumerate(slope.tolist())}
        values |= {f"bend_{i}_{j}": at for i, row in enumerate(bend.tolist()) for j, at in enumerate(row)}
        raw = solved(model, np.array([[values[name] for name in model.parameters]]), False, near)
        step = np.clip(raw.x[0, 0], near.lower[0], near.upper[0])
        if not np.isfinite(step).all():
            radius *= 0.25
            continue
        length = float(np.max(np.abs(np.log(step / x))))
        there = float(sign * _mean(law, params, step[np.newaxis])[0])
        if length < SMALLEST:
            break
        if there < value:
            x, value = step, there
            slope, bend = _derivatives(law, params, x, sign)
            radius = min(2.0 * radius, LARGEST)
        else:
            radius = 0.25 * min(radius, length)
    return x, value


def _model(names: Sequence[str]) -> Law:
    """Return a quadratic form of the logarithms of variables, as a law that the engine optimises under budgets."""
    n = range(len(names))
    away = [f"(log({name}) - centre_{i})" for i, name in enumerate(names)]
    terms = [f"slope_{i}*{away[i]}" for i in n] + [f"0.5*bend_{i}_{j}*{away[i]}*{away[j]}" for i in n for j in n]
    return Law(" + ".join(terms), variables=list(names))


def _derivatives(law: Law, params: F64, x: F64, sign: float) -> tuple[F64, F64]:
    """Return slopes and second derivatives of the mean by the logarithms of the variables."""
    names, columns = law.variables or (), np.ascontiguousarray(x[:, np.newaxis])
    first, second = (
        sign * _engine.evaluate(law.text, names, law.parameters, columns, params, wrt=names, order=order).mean(axis=0)
        for order in (1, 2)
    )
    slope = first[:, 0] * x
    return slope, second[:, :, 0] * np.outer(x, x) + np.diag(slope)


def _word(x: F64, one: Sweep, raw: RawAllocations) -> str:
    is_free = (one.lower[0] < one.upper[0]) & ~one.is_whole & np.array([not menu for menu in one.menus])
    low, high = x <= one.lower[0] * (1.0 + REACHED), x >= one.upper[0] * (1.0 - REACHED)
    side = (np.where(high, 1, np.where(low, -1, 0)) * is_free).astype(np.int8)
    ended = np.full((1, 1), _engine.registries().endings.index("optimum"), dtype=np.uint8)
    return str(statuses_of(raw._replace(x=x[None, None], side=side[None, None], ending=ended), one)[0, 0])
