"""Plans of several laws for the same budgets, and what each plan loses where another law is right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine, _export, costs
from lawfit._allocation import RESPONSE, TIE, Allocation, Words, solved
from lawfit._budgets import Bound
from lawfit._cost_catalogue import meant
from lawfit._engine import F64
from lawfit._named import Named
from lawfit._text import number, table
from lawfit._wording import describe, listed, suggest
from lawfit.allocation import of_fit
from lawfit.errors import DataError, LawError
from lawfit.results import Fit

MOST_POINTS = 10


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Plans:
    """Plans of several laws and their regrets under each other, as `lawfit.plans` and `Comparison.plans` give them.

    Attributes
    ----------
    allocations : Named of Allocation
        The plan of each law, by its name.
    regret : numpy.ndarray
        (n_laws, n_laws, *shape of the amounts): how much more of the budgets the plan of the first spends than would
        do, if the second is right; 0.05 for 5 %. NaN where ``notes`` say why.
    left_out : Named of str
        Laws without a plan, with the reason.
    notes : tuple of str
        What to know besides.
    """

    allocations: Named[Allocation]
    regret: F64
    left_out: Named[str]
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> Allocation:
        """Return the plan of a law."""
        if name not in self.allocations:
            raise KeyError(f"{name!r} has no plan here; {suggest(str(name), self.allocations)}")
        return self.allocations[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Laws that have a plan, in the order of the rows and columns of ``regret``."""
        return tuple(self.allocations)

    @property
    def worst(self) -> F64:
        """(n_laws, *shape of the amounts) the largest regret of each plan under any law; NaN where one is unknown."""
        return np.asarray(self.regret.max(axis=1))

    @property
    def choice(self) -> Words:
        """Law whose plan has the least worst regret, of the shape of the amounts; empty where no plan has one."""
        worst = np.where(np.isnan(self.worst), math.inf, self.worst)
        found: Words = np.where(np.isfinite(worst).any(axis=0), np.array(self.names)[np.argmin(worst, axis=0)], "")
        return found

    def columns(self) -> dict[str, list[object]]:
        """One row for each point, plan and law that may be right."""
        sweep = next(iter(self.allocations.values())).sweep
        variables = list(dict.fromkeys(name for plan in self.allocations.values() for name in plan.law.variables or ()))
        names = [*(f"budget {text}" for text in sweep.budgets), "plan of", "under", *variables, "regret"]
        columns: dict[str, list[object]] = {name: [] for name in names}
        flat = self.regret.reshape(len(self.names), len(self.names), -1)
        for point in range(sweep.n_points):
            for i, (name, plan) in enumerate(self.allocations.items()):
                own = plan.law.variables or ()
                at = [float(np.ravel(plan[one])[point]) if one in own else math.nan for one in variables]
                for j, under in enumerate(self.names):
                    line = [*sweep.amounts[point].tolist(), name, under, *at, float(flat[i, j, point])]
                    for column, value in zip(columns.values(), line, strict=True):
                        column.append(value)
        return columns

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row for each point, plan and law that may be right, in a frame of a library."""
        return _export.frame(self.columns(), library, "dict", "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        sweep = next(iter(self.allocations.values())).sweep
        flat, worst = (
            part.reshape(*part.shape[: part.ndim - len(sweep.shape)], -1) for part in (self.regret, self.worst)
        )
        choice = self.choice.ravel()
        variables = list(dict.fromkeys(name for plan in self.allocations.values() for name in plan.law.variables or ()))
        header = ["plan of", *variables, RESPONSE, *(f"if {name}" for name in self.names), "worst"]
        lines = [
            f"plans of {len(self.names)} laws, and how much more of the budget they spend than needed if a law is right"
        ]
        for point in range(min(sweep.n_points, MOST_POINTS)):
            pairs = zip(sweep.budgets, sweep.amounts[point], strict=True)
            rows = []
            for i, (name, plan) in enumerate(self.allocations.items()):
                at = {one: float(np.ravel(plan[one])[point]) for one in (*(plan.law.variables or ()), RESPONSE)}
                shares = [*flat[i, :, point].tolist(), float(worst[i, point])]
                rows.append([name, *(number(at.get(one, math.nan), 4) for one in (*variables, RESPONSE)),
                             *("-" if math.isnan(share) else f"{share:.1%}" for share in shares)])  # fmt: skip
            lines += ["", ", ".join(f"{text} = {amount:.4g}" for text, amount in pairs), "", *table(header, rows)]
            lines.append(f"least worst regret: {choice[point] or 'no plan has one'}")
        if sweep.n_points > MOST_POINTS:
            lines += ["", f"... {sweep.n_points - MOST_POINTS} more points; to_frame() has them all"]
        lines += [f"{name}: {reason}" for name, reason in self.left_out.items()]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def plans(
    fits: Mapping[str, Fit],
    budgets: Mapping[str, ArrayLike],
    *,
    bounds: Mapping[str, Bound] | None = None,
    at: Mapping[str, float] | None = None,
    menus: Mapping[str, ArrayLike] | None = None,
    integer: Sequence[str] = (),
    maximize: bool = False,
    n_threads: int | None = None,
) -> Plans:
    """Plan for the same budgets with several fitted laws, and judge each plan under each law.

    Parameters
    ----------
    fits : mapping of str to Fit
        Fitted laws by what they are called; such as several forms of the same runs.
    budgets, bounds, at, menus, integer, maximize, n_threads
        As in `lawfit.allocate`; what a law has no variable for is not for it.

    Returns
    -------
    Plans
        A plan of each, a square table of regrets, and the law whose plan has the least worst regret.

    Raises
    ------
    LawError
        A formula cannot be read, or mentions what is no variable of any law.
    DataError
        No fit has a plan, or an amount, a bound or a menu cannot be used.

    Notes
    -----
    When to use: after a comparison leaves several laws standing; `Comparison.plans` takes those. A bootstrap says how
    far a decision is open if the law is right; this says how much hangs on which law is. The regret of a plan under a
    law is 1/s - 1, where the best that the law knows for s times all budgets is as good as the plan, by that law. The
    plan with the least worst regret is the safest of those that the laws propose, not of all that could be chosen.

    A law that lacks a variable of a budget has no plan; a plan that says nothing of a variable of another law has no
    regret under it.

    References
    ----------
    Savage 1951, The theory of statistical decision, J. Amer. Statist. Assoc. 46 (minimax regret).

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.26}
    >>> grid = {"N": [1e7, 1e8, 1e9, 1e10], "D": [1e9, 1e10, 1e11, 1e12]}
    >>> runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.003, seed=0)
    >>> forms = {"free": lf.laws.chinchilla, "tied": lf.laws.chinchilla_tied}
    >>> fits = {name: lf.fit(law, runs, response="loss") for name, law in forms.items()}
    >>> found = lf.plans(fits, {"6*N*D": 1e25})
    >>> found.regret.shape, bool(found.regret[0, 1] > 0.05), float(found.regret[1, 1])
    ((2, 2), True, 0.0)
    """
    _check_fits(fits)
    threads = _arrays.resolve_threads(n_threads)
    known = sorted({name for fit in fits.values() for name in fit.law.variables or ()})
    _check_budgets(budgets, known)
    whole = (integer,) if isinstance(integer, str) else integer
    if not isinstance(whole, Sequence):
        raise DataError(f'integer: give names of variables, such as ["k"], not {describe(whole)}')
    _check_names({"bounds": bounds, "at": at, "menus": menus}, whole, known)
    left_out = {name: reason for name, fit in fits.items() if (reason := _lacks(fit, budgets)) is not None}
    found: dict[str, Allocation] = {}
    for name, fit in fits.items():
        if name not in left_out:
            own = fit.law.variables or ()
            found[name] = of_fit(
                fit, budgets, bounds=_of(bounds, own), at=_of(at, own), menus=_of(menus, own),
                integer=[one for one in whole if one in own], maximize=maximize, n_threads=threads,
            )  # fmt: skip
    if not found:
        raise DataError(f"fits: none has a plan; {next(iter(left_out))}: {next(iter(left_out.values()))}")
    notes: list[str] = []
    columns = [_regrets(found, under, judge, threads, notes) for under, judge in found.items()]
    regret = np.stack(columns, axis=1).reshape(len(found), len(found), *next(iter(found.values())).sweep.shape)
    for name, plan in found.items():
        bad = np.flatnonzero(~np.ravel(plan.success))
        if bad.size:
            many = "" if bad.size == 1 else f" (and at {bad.size - 1} more points)"
            notes.append(f"{name} has no optimum: {plan.reason(int(bad[0]))}{many}")
    return Plans(Named(found), regret, Named(left_out), tuple(notes))


def _check_fits(fits: Mapping[str, Fit]) -> None:
    if not isinstance(fits, Mapping) or not fits:
        what = "an empty mapping" if isinstance(fits, Mapping) else describe(fits)
        raise DataError(f"fits: give fits by name, such as {{'free': fit, 'tied': other}}, not {what}")
    for name, fit in fits.items():
        if not isinstance(name, str):
            raise DataError(f"fits: give names as text, such as 'free', not {name!r}")
        if not isinstance(fit, Fit):
            raise DataError(f"fits: {name!r} is {describe(fit)}; give fits, as lawfit.fit gives them")


def _check_budgets(budgets: Mapping[str, ArrayLike], known: Sequence[str]) -> None:
    """Raise where no law could plan for the budgets; what a law lacks for them is said of each."""
    if not isinstance(budgets, Mapping) or not budgets:
        what = "an empty mapping" if isinstance(budgets, Mapping) else describe(budgets)
        raise DataError(f'budgets: give formulas with their amounts, such as {{"6*N*D": 1e24}}, not {what}')
    for text, amount in budgets.items():
        if not isinstance(text, str):
            raise DataError(f'budgets: {text!r} is no formula; give a text such as "6*N*D"')
        if amount is None:
            raise DataError(f"budgets: {text!r} has no amount; give one, since regrets are parts of it")
        try:
            names = _engine.names(costs.expand(text, known))
        except LawError as error:
            raise LawError(f"budgets: {error}") from None
        for name in names:
            if name not in known:
                told = meant(name, known, "those are")
                raise LawError(f"budgets: {name!r} of {text!r} is no variable of any law; {told}")


def _check_names(given: Mapping[str, object], whole: Sequence[str], known: Sequence[str]) -> None:
    named: list[tuple[str, object]] = [("integer", name) for name in whole]
    for argument, names in given.items():
        if names is not None and not isinstance(names, Mapping):
            raise DataError(f"{argument}: give a mapping by variable, not {describe(names)}")
        named += [(argument, name) for name in names or ()]
    for argument, name in named:
        if name not in known:
            raise LawError(f"{argument}: {name!r} is no variable of any law; {suggest(str(name), known)}")


def _lacks(fit: Fit, budgets: Mapping[str, ArrayLike]) -> str | None:
    """Return why a fit has no plan, where that is known beforehand."""
    if not fit.success:
        return f"no plan: {fit.message}"
    own = fit.law.variables or ()
    missing = [one for text in budgets for one in _engine.names(costs.expand(text, own)) if one not in own]
    return f"no plan: the law has no variable {missing[0]}" if missing else None


def _of(given: Mapping[str, Any] | None, own: Sequence[str]) -> dict[str, Any] | None:
    return None if given is None else {name: value for name, value in given.items() if name in own}


def _regrets(found: Mapping[str, Allocation], under: str, judge: Allocation, n_threads: int, notes: list[str]) -> F64:
    """Return regrets, (plans, points), of all plans if one law is right."""
    own, sweep, law = judge.law.variables or (), judge.sweep, judge.law
    params = np.array([list(judge.params.values())])
    targets = np.full((len(found), sweep.n_points), math.nan)
    for i, (name, plan) in enumerate(found.items()):
        unsaid = [one for one in own if one not in (plan.law.variables or ())]
        if unsaid:
            notes.append(f"{name} says nothing of {listed(unsaid)}, so its plan has no regret if {under} is right")
            continue
        x = np.array([np.ravel(plan[one]) for one in own])
        targets[i] = _engine.evaluate(law.text, own, law.parameters, x, params)[0]
    n = len(found)
    repeated = replace(
        sweep, amounts=np.tile(sweep.amounts, (n, 1)), lower=np.tile(sweep.lower, (n, 1)),
        upper=np.tile(sweep.upper, (n, 1)),
    )  # fmt: skip
    raw = solved(
        law, params, judge.maximize, repeated, n_threads, targets=targets.reshape(1, -1),
        scales=[True] * len(sweep.budgets),
    )  # fmt: skip
    values = (1.0 / raw.scale - 1.0).reshape(n, -1)
    usable = np.isfinite(targets) & np.ravel(judge.success)
    return np.where(usable, np.where(np.abs(values) < TIE, 0.0, values), math.nan)
