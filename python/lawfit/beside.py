"""What the runs say without a law, beside a plan: the isoFLOP curve nearest to each budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lawfit import _engine, _export
from lawfit._allocation import RESPONSE, USABLE, Allocation, solved, statuses_of
from lawfit._isoflop import IsoFlop, Optimum, PowerLaw
from lawfit._text import fields, number, table
from lawfit._wording import describe, listed
from lawfit.errors import DataError
from lawfit.isoflops import isoflop
from lawfit.results import Fit

MOST_POINTS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Neighbour:
    """The isoFLOP curve nearest to one budget, and the law at the curve's own budget.

    Attributes
    ----------
    amount : float
        The budget that is planned for.
    curve : Optimum or None
        The nearest curve with an optimum inside the sizes that were trained; None where ``reason`` says why.
    factor : float
        ``amount`` over the curve's budget: how far the plan goes beyond what was tried.
    N, D, response : float
        Where the law is best at the curve's budget; NaN where it has no optimum.
    is_inside : bool or None
        Whether that N is within the interval of the curve; None where there is no interval.
    power_law : tuple of float
        N at ``amount`` by the power law through all curves, and the ends of its interval.
    reason : str or None
        Why there is no curve, or why the law has no optimum.
    """

    amount: float
    curve: Optimum | None
    factor: float
    N: float
    D: float
    response: float
    is_inside: bool | None
    power_law: tuple[float, float, float]
    reason: str | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Beside:
    """Model-free optima beside a plan, as `Allocation.beside` gives them.

    Attributes
    ----------
    plan : Allocation
        The plan.
    budget : str
        The budget that the curves share with it.
    neighbours : tuple of Neighbour
        One for each point of the sweep.
    notes : tuple of str
        What to know besides.
    """

    plan: Allocation
    budget: str
    neighbours: tuple[Neighbour, ...]
    notes: tuple[str, ...]

    def columns(self) -> dict[str, list[object]]:
        """One row a point: the budget, the plan, the nearest curve, the law there, and the power law of the curves."""
        planned = np.ravel(self.plan["N"]).tolist()
        nothing = math.nan
        rows = [
            {
                f"budget {self.budget}": one.amount,
                "N": size,
                "curve at": nothing if one.curve is None else one.curve.budget,
                "factor": one.factor,
                "N of curve": nothing if one.curve is None else one.curve.N,
                "lower": nothing if one.curve is None else one.curve.interval.lower,
                "upper": nothing if one.curve is None else one.curve.interval.upper,
                "N of law there": one.N,
                "within": "-" if one.is_inside is None else "yes" if one.is_inside else "no",
                "N by power law": one.power_law[0],
                "its lower": one.power_law[1],
                "its upper": one.power_law[2],
            }
            for one, size in zip(self.neighbours, planned, strict=True)
        ]
        return {name: [row[name] for row in rows] for name in rows[0]}

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row a point, in a frame of a library."""
        return _export.frame(self.columns(), library, "dict", "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        columns = self.columns()
        header = [name.removeprefix("budget ").removeprefix("its ") for name in columns]
        rows = [
            [number(value, 4) if isinstance(value, float) else str(value) for value in line]
            for line in zip(*columns.values(), strict=True)
        ]
        lines = [*fields([("law", self.plan.law.text), ("beside", "the nearest isoFLOP curve")]), ""]
        lines += table(header, rows[:MOST_POINTS], left=0)
        if len(rows) > MOST_POINTS:
            lines.append(f"... {len(rows) - MOST_POINTS} more; to_frame() has them all")
        reasons = dict.fromkeys(one.reason for one in self.neighbours if one.reason is not None)
        return "\n".join([*lines, *(f"note: {note}" for note in (*reasons, *self.notes))])


def beside(plan: Allocation, runs: IsoFlop | Fit, *key: object) -> Beside:
    """Model-free optima nearest to the budgets of a plan, beside what the law says at the same budgets.

    Parameters
    ----------
    plan : Allocation
        Of a law over N and D, with a budget that the curves are of, such as ``"6*N*D"``.
    runs : IsoFlop or Fit
        Curves of `lawfit.isoflop`; or a fit, whose runs are put together to curves as that does by default.
    *key : object
        The group of the curves; the only one by default.

    Returns
    -------
    Beside
        For each point the nearest curve in the logarithm of the budget, its distance, and the law there.

    Raises
    ------
    DataError
        The plan has no N or D or no budget of the curves, is made for a large response, or the fit has no rows.

    Notes
    -----
    When to use: before a plan is believed. The lowest point of a curve needs no law of the whole surface; where the law
    is off at the largest budget that was tried, it is no better beyond. Whether the N of the law lies within the
    interval of the curve is a check of the law, to be read with the bias of parabolas that `lawfit.isoflop` reports.
    The factor is what no curve can check: how far the plan lies beyond.

    The law's optimum at a curve's budget keeps to the other budgets and the bounds of the plan, not to its menus.

    References
    ----------
    Hoffmann et al. 2022, arXiv:2203.15556, section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    >>> C, N = (grid.ravel() for grid in np.meshgrid([1e19, 1e20, 1e21], np.logspace(-1, 1, 9), indexing="ij"))
    >>> N = N * 4e8 * (C / 1e19) ** 0.51
    >>> runs = {"N": N, "D": C / 6 / N, "loss": lf.laws.chinchilla.evaluate(N=N, D=C / 6 / N, params=truth)}
    >>> fit = lf.fit(lf.laws.chinchilla, runs, response="loss")
    >>> found = fit.allocate({"6*N*D": 1e23}).beside(lf.isoflop(runs, response="loss"))
    >>> nearest = found.neighbours[0]
    >>> round(nearest.factor), f"{nearest.curve.N / nearest.N:.2f}"
    (100, '0.98')
    """
    variables = plan.law.variables or ()
    if not {"N", "D"} <= set(variables):
        raise DataError(f"beside: curves are over N and D, and the law is over {listed(variables)}")
    if plan.maximize:
        raise DataError("beside: a curve is lowest at its optimum, and this plan asks for a large response")
    if isinstance(runs, Fit):
        curves, missing = _of_rows(runs, plan)
    elif isinstance(runs, IsoFlop):
        curves, missing = runs, None
    else:
        raise DataError(f"runs: give curves of lawfit.isoflop(...), or a fit, not {describe(runs)}")
    budget = _shared(plan) if curves is None else curves.compute
    if budget not in plan.sweep.budgets:
        raise DataError(
            f"beside: the curves are of {budget}, and the plan has the budgets {listed(plan.sweep.budgets)}; give both "
            "the same formula"
        )
    place = plan.sweep.budgets.index(budget)
    inside: list[Optimum] = []
    if curves is not None:
        law = _group(curves, key)
        own = [one for one in curves.optima if one.key == law.key]
        inside = [one for one in own if one.status == "inside"]
        missing = None if inside else f"none of {len(own)} curves has an optimum inside the sizes that were trained"
    amounts = plan.amounts[:, place]
    nearest = [
        min(inside, key=lambda one: abs(math.log(one.budget / amount)), default=None) if math.isfinite(amount) else None
        for amount in amounts.tolist()
    ]
    beyond = (math.nan, math.nan, math.nan)
    found = [
        Neighbour(amount, None, math.nan, math.nan, math.nan, math.nan, None, beyond,
                  missing or "the plan has no amount there") if curve is None
        else _neighbour(plan, point, place, amount, curve, tuple(float(end) for end in law.at(amount)))
        for point, (amount, curve) in enumerate(zip(amounts.tolist(), nearest, strict=True))
    ]  # fmt: skip
    others = [text for text in plan.sweep.budgets if text != budget]
    notes = (f"the law keeps to {listed(others)} as well, of which the curves know nothing",) if others else ()
    return Beside(plan, budget, tuple(found), notes)


def _neighbour(
    plan: Allocation, point: int, place: int, amount: float, curve: Optimum, power_law: tuple[float, ...]
) -> Neighbour:
    """Put the law at the budget of a curve beside it."""
    sweep, part = plan.sweep, slice(point, point + 1)
    amounts = plan.amounts[part].copy()
    amounts[0, place] = curve.budget
    n = len(sweep.menus)
    there = replace(
        sweep, shape=(), amounts=amounts, lower=sweep.lower[part], upper=sweep.upper[part], menus=((),) * n,
        is_whole=np.zeros(n, dtype=np.bool_), targets=None, least=None,
    )  # fmt: skip
    raw = solved(plan.law, np.array([list(plan.params.values())]), plan.maximize, there)
    at = replace(plan, sweep=there, raw=raw)
    size = float(at["N"])
    lower, upper = curve.interval
    is_usable = str(statuses_of(raw, there)[0, 0]) in USABLE
    is_known = is_usable and math.isfinite(lower) and math.isfinite(upper)
    return Neighbour(
        amount, curve, amount / curve.budget, size, float(at["D"]), float(at[RESPONSE]),
        lower <= size <= upper if is_known else None, (power_law[0], power_law[1], power_law[2]),
        None if is_usable else f"the law at the budget of the curve: {at.reason()}",
    )  # fmt: skip


def _group(curves: IsoFlop, key: tuple[object, ...]) -> PowerLaw:
    """Return the power law of N of one group."""
    try:
        return curves.exponent("N", *key)
    except KeyError:
        groups = [law.key for law in curves.power_laws if law.of == "N"]
        written = [", ".join(map(repr, group)) for group in groups]
        advice = f"write beside(curves, {written[0]}), or one of {listed(written)}" if curves.by else "leave it out"
        told = f"{', '.join(map(repr, key))} is none of the groups of the curves" if key else "the curves have groups"
        raise DataError(f"key: {told}; {advice}") from None


def _shared(plan: Allocation) -> str:
    """Return the budget of N and D alone."""
    for text, formula in zip(plan.sweep.budgets, plan.sweep.formulas, strict=True):
        if set(_engine.names(formula)) == {"N", "D"}:
            return text
    raise DataError(f"beside: no budget of the plan is of N and D; it has {listed(plan.sweep.budgets)}")


def _of_rows(fit: Fit, plan: Allocation) -> tuple[IsoFlop | None, str | None]:
    """Return the curves in the rows of a fit, or why there are none."""
    if fit.rows.summary is not None:
        raise DataError("runs: the fit was saved without its rows; give lawfit.isoflop(...) of the runs")
    if not {"N", "D"} <= set(fit.rows.variables):
        raise DataError(f"runs: curves are over N and D, and the fit is over {listed(fit.rows.variables)}")
    columns = dict(zip(fit.rows.variables, fit.rows.x, strict=True))
    used = np.ones(fit.rows.y.size, dtype=np.bool_) if fit.rows.weights is None else fit.rows.weights > 0.0
    data = {"N": columns["N"][used], "D": columns["D"][used], RESPONSE: fit.rows.y[used]}
    try:
        return isoflop(data, response=RESPONSE, compute=_shared(plan), law=None), None
    except DataError as error:
        return None, f"there are no isoFLOP curves among the runs: {error}"
