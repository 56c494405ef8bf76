"""What a fixed choice loses, draw by draw, as a part of the budget."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine, _export
from lawfit._allocation import NEAR, TIE, Allocation, solved
from lawfit._budgets import Sweep
from lawfit._engine import F64
from lawfit._frontier import Frontier
from lawfit._named import Named
from lawfit._text import fields, number, table
from lawfit._wording import describe, listed, suggest
from lawfit.averages import OnAverage
from lawfit.errors import DataError

# A choice that was printed with seven digits and read again keeps to its budget.
ROUNDING = 1e-6
MOST_POINTS = 30


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Regret:
    """What a choice loses under every draw, as `Frontier.regret` gives it.

    Attributes
    ----------
    front : Frontier
        The draws and their optima.
    choice : Named of numpy.ndarray
        Variables, each of the shape of the amounts; NaN where there is no choice.
    budgets : tuple of str
        Budgets that shrink together until the best that they buy is as good as the choice.
    values : numpy.ndarray
        (n_replicates, *shape of the amounts) the regret: how much more is spent than would do for the same response,
        0.05 for 5 %; NaN where the draw has no optimum.
    excess : numpy.ndarray
        (n_replicates, *shape of the amounts) how much worse the response is than the best of the draw, above 0.
    """

    front: Frontier
    choice: Named[F64]
    budgets: tuple[str, ...]
    values: F64
    excess: F64

    def mean(self) -> F64:
        """Return the expected regret at each point: the mean over the draws that have one, NaN where none has."""
        return self._over(self.values, np.mean)

    def quantile(self, q: float) -> F64:
        """Return a quantile of the regret over the draws at each point."""
        if isinstance(q, bool) or not isinstance(q, numbers.Real) or not 0.0 <= float(q) <= 1.0:
            raise DataError(f"q={q!r}: give a number from 0 to 1, such as 0.95")
        return self._over(self.values, lambda values: np.quantile(values, float(q)))

    def probability(self, more_than: float = NEAR) -> F64:
        """Return the share of the draws whose regret is above a part of the budget, at each point."""
        is_number = isinstance(more_than, numbers.Real) and not isinstance(more_than, bool)
        if not is_number or not 0.0 <= float(more_than) < math.inf:
            raise DataError(f"more_than={more_than!r}: give a part of the budget, such as 0.05")
        return self._over(self.values, lambda values: np.mean(values > float(more_than)))

    @property
    def share(self) -> F64:
        """Share of the draws that have a regret, at each point."""
        found: F64 = np.isfinite(self.values[self.front.draws.ok]).mean(axis=0)
        return found

    def _over(self, values: F64, what: Any) -> F64:
        shape = values.shape[1:]
        columns = values.reshape(len(values), -1).T
        kept = [column[np.isfinite(column)] for column in columns]
        found: F64 = np.array([what(column) if column.size else math.nan for column in kept]).reshape(shape)[()]
        return found

    def columns(self) -> dict[str, list[object]]:
        """One row a point: amounts, the choice, the regret in figures, and what the response loses in the mean."""
        sweep = self.front.plan.sweep
        columns: dict[str, list[object]] = {}
        for j, text in enumerate(sweep.budgets):
            columns[f"budget {text}"] = list(sweep.amounts[:, j].tolist())
        for name, values in self.choice.items():
            columns[name] = list(np.ravel(values).tolist())
        figures = {
            "expected": self.mean(), "median": self.quantile(0.5), "95 %": self.quantile(0.95),
            "P(above 5 %)": self.probability(), "response": self._over(self.excess, np.mean), "draws": self.share,
        }  # fmt: skip
        return columns | {name: list(np.ravel(values).tolist()) for name, values in figures.items()}

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row a point, in a frame of a library."""
        return _export.frame(self.columns(), library, self.front.draws.fit.rows.library, "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        columns = self.columns()
        shares = ("expected", "median", "95 %", "P(above 5 %)", "draws")
        header = [name.removeprefix("budget ") for name in columns]
        header[-2:] = f"{self.front.plan.response} worse by", "draws with an optimum"
        written = [
            [
                f"{value:.2%}" if name in shares and math.isfinite(value) else number(value, 4)
                for value in map(_f, values)
            ]
            for name, values in columns.items()
        ]
        rows = [list(line) for line in zip(*written, strict=True)]
        lines = fields([("law", self.front.plan.law.text), ("regret", f"more of {listed(self.budgets)} than needed")])
        lines += ["", *table(header, rows[:MOST_POINTS], left=0)]
        if len(rows) > MOST_POINTS:
            lines.append(f"... {len(rows) - MOST_POINTS} more; to_frame() has them all")
        return "\n".join(lines)


def _f(value: object) -> float:
    return value if isinstance(value, float) else math.nan


def regret(
    front: Frontier,
    choice: Mapping[str, ArrayLike] | OnAverage | None = None,
    *,
    budgets: str | Sequence[str] | None = None,
    n_threads: int | None = None,
) -> Regret:
    """Regret of a choice if each of the draws is the truth, as a part of the budget.

    Parameters
    ----------
    front : Frontier
        Of `Draws.allocate`.
    choice : mapping of str to array-like, or OnAverage, optional
        Values of the variables, numbers or of the shape of the amounts; those that are not named are chosen as the fit
        finds them best beside the others. By default the plan of the fit.
    budgets : str or sequence of str, optional
        Budgets of which it is a part; all of them, together, by default.
    n_threads : int, optional
        As in `lawfit.fit`.

    Returns
    -------
    Regret
        By draw and point of the sweep, with expectation, quantiles and probabilities.

    Raises
    ------
    DataError
        The choice names what is no variable, breaks a budget or a bound, or a budget is none of the frontier's; the
        frontier looks for the least budget that reaches a target.

    Notes
    -----
    When to use: before a choice is made, and between choices. A draw's best response under budgets that are all
    multiplied by s < 1 is as good as the choice is under that draw; the regret is 1/s - 1, so a regret of 5 % is the
    price of 5 % of the budget. A difference of responses says little, since most of a response cannot be bought. A
    value between those of a menu may be given; where it is better than all of the menu its regret is below 0.

    It is of this choice against the best choice, and not of a wrong law: where all draws share what a law cannot say,
    `lawfit.plans` sets laws against each other. Draws without an optimum of their own have none; `Regret.share` says
    how many do.

    References
    ----------
    Savage 1951, The theory of statistical decision, J. Amer. Statist. Assoc. 46.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    >>> grid = {"N": [1e7, 1e8, 1e9, 1e10], "D": [1e9, 1e10, 1e11, 1e12]}
    >>> runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.01, seed=1)
    >>> front = lf.fit(lf.laws.chinchilla, runs, response="loss").bootstrap(500).allocate({"6*N*D": 1e24})
    >>> wanted = front.regret({"N": 2e10})
    >>> bool(front.regret().mean() < wanted.mean())
    True
    """
    plan = front.plan
    if plan.sweep.targets is not None:
        raise DataError("a regret is a part of a budget: allocate with amounts, without target=")
    scales = _scales(budgets, plan.sweep)
    x = _chosen(front, choice)
    law, draws = plan.law, front.draws
    names = law.variables or ()
    response = _engine.evaluate(law.text, names, law.parameters, np.ascontiguousarray(x.T), draws.params)
    raw = solved(
        law, draws.params, plan.maximize, plan.sweep, _arrays.resolve_threads(n_threads), targets=response,
        scales=scales,
    )  # fmt: skip
    ok = front.ok.reshape(len(draws), -1) & np.isfinite(response)
    with np.errstate(divide="ignore", over="ignore"):
        values = 1.0 / raw.scale - 1.0
    excess = (response - front.raw.value) * (-1.0 if plan.maximize else 1.0)
    shape = (len(draws), *plan.sweep.shape)
    values = np.where(np.abs(values) < TIE, 0.0, values)
    return Regret(
        front,
        Named({name: x[:, place].reshape(plan.sweep.shape) for place, name in enumerate(names)}),
        tuple(text for text, is_scaled in zip(plan.sweep.budgets, scales, strict=True) if is_scaled),
        np.where(ok, values, math.nan).reshape(shape),
        np.where(ok, excess, math.nan).reshape(shape),
    )


def _scales(budgets: str | Sequence[str] | None, sweep: Sweep) -> list[bool]:
    if not (budgets is None or isinstance(budgets, Sequence)):
        raise DataError(f"budgets: give one or several of the frontier's, not {describe(budgets)}")
    wanted = sweep.budgets if budgets is None else (budgets,) if isinstance(budgets, str) else tuple(budgets)
    if not sweep.budgets or not wanted:
        raise DataError("a regret is a part of a budget, and there is none")
    for text in wanted:
        if text not in sweep.budgets:
            raise DataError(f"budgets: {text!r} is none of the frontier; {suggest(str(text), sweep.budgets)}")
    return [text in wanted for text in sweep.budgets]


def _chosen(front: Frontier, choice: Mapping[str, ArrayLike] | OnAverage | None) -> F64:
    """Return (points, variables) of a choice that keeps to budgets and bounds; NaN where there is none."""
    plan = front.plan
    if choice is None:
        return np.where(np.ravel(plan.success)[:, np.newaxis], plan.raw.x[0], math.nan)
    if isinstance(choice, OnAverage):
        names, theirs = plan.law.variables or (), choice.front.plan.law.variables or ()
        if choice.front.plan.sweep.shape != plan.sweep.shape:
            raise DataError("choice: it is of another sweep than this frontier")
        if set(theirs) != set(names):
            raise DataError(f"choice: it is of a law over {listed(theirs)}, and this one is over {listed(names)}")
        own = choice.x[:, [theirs.index(name) for name in names]]
        x = np.where(np.ravel(choice.success)[:, np.newaxis], own, math.nan)
    else:
        x = completed(plan, choice)
    check_within(plan, x)
    return x


def completed(plan: Allocation, choice: Mapping[str, ArrayLike]) -> F64:
    """Return (points, variables) of a choice, what it does not name chosen by the law of a plan."""
    names, sweep = plan.law.variables or (), plan.sweep
    if not isinstance(choice, Mapping):
        raise DataError(f'choice: give values by variable, such as {{"N": 7e9}}, not {describe(choice)}')
    lower, upper = sweep.lower.copy(), sweep.upper.copy()
    menus, is_whole = list(sweep.menus), sweep.is_whole.copy()
    for name, given in choice.items():
        if name not in names:
            raise DataError(f"choice: {name!r} is no variable of the law; {suggest(str(name), names, 'those are')}")
        values = _arrays.as_float64(given, f"choice[{name!r}]")
        if not np.all(np.isfinite(values) & (values > 0.0)):
            raise DataError(f"choice: {name}: give finite numbers above 0")
        try:
            column = np.broadcast_to(values, sweep.shape).ravel()
        except ValueError:
            raise DataError(f"choice: {name} has shape {values.shape}, the amounts {sweep.shape}") from None
        place = names.index(name)
        outside = np.flatnonzero((column < lower[:, place]) | (column > upper[:, place]))
        if outside.size:
            raise DataError(_outside(name, column[outside[0]], lower[outside[0], place], upper[outside[0], place]))
        lower[:, place] = upper[:, place] = column
        menus[place], is_whole[place] = (), False
    if len(choice) == len(names):
        return lower
    held = replace(sweep, lower=lower, upper=upper, menus=tuple(menus), is_whole=is_whole)
    found = solved(plan.law, np.array([list(plan.params.values())]), plan.maximize, held)
    return np.where(np.isfinite(found.value[0])[:, np.newaxis], found.x[0], lower)


def _outside(name: str, value: float, low: float, high: float) -> str:
    return f"choice: {name}={value:g} is outside its bounds, {low:g} to {high:g}"


def check_within(plan: Allocation, x: F64) -> None:
    """Raise ``DataError`` where (points, variables) spend more than a budget or lie outside the bounds."""
    sweep = plan.sweep
    outside = np.argwhere((x < sweep.lower * (1.0 - ROUNDING)) | (x > sweep.upper * (1.0 + ROUNDING)))
    names = plan.law.variables or ()
    if len(outside):
        at = tuple(outside[0].tolist())
        raise DataError(_outside(names[at[1]], x[at], sweep.lower[at], sweep.upper[at]))
    inputs = [(name, np.ascontiguousarray(x[:, place]), "number", ()) for place, name in enumerate(names)]
    for j, (text, formula) in enumerate(zip(sweep.budgets, sweep.formulas, strict=True)):
        spent = _engine.evaluate_columns(formula, inputs, want="number", argument="budgets")
        amounts = sweep.amounts[:, j]
        over = np.flatnonzero(spent > amounts * (1.0 + ROUNDING))
        if over.size:
            raise DataError(
                f"choice: {text} is {spent[over[0]]:.7g} there, more than the {amounts[over[0]]:.7g} of the budget; "
                "give less, or name fewer variables, and the others are chosen within it"
            )
