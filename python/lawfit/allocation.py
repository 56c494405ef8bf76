"""Allocation: which variables a budget should buy, from published coefficients, a fit or its draws."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays
from lawfit._allocation import STATUSES as STATUSES
from lawfit._allocation import Allocation, solved
from lawfit._budgets import Bound, sweep
from lawfit._draws import Draws
from lawfit._engine import Progress
from lawfit._frontier import Frontier
from lawfit._law import Law
from lawfit._named import Named
from lawfit._progress import as_progress
from lawfit._wording import describe, nearest
from lawfit.errors import DataError, LawError
from lawfit.laws import CATALOGUE
from lawfit.results import Fit


def allocate(
    law: Law | str,
    budgets: Mapping[str, ArrayLike | None],
    *,
    params: Mapping[str, float],
    bounds: Mapping[str, Bound] | None = None,
    at: Mapping[str, float] | None = None,
    menus: Mapping[str, ArrayLike] | None = None,
    integer: Sequence[str] = (),
    target: ArrayLike | None = None,
    maximize: bool = False,
    n_threads: int | None = None,
) -> Allocation:
    """Where a law with known parameters is best under budgets.

    Parameters
    ----------
    law : Law or str
        What to optimise: a law with variables, or the name of one in the catalogue.
    budgets : mapping of str to array-like
        Formulas of the variables with the amounts that they must not pass, such as ``{"6*N*D": 1e21}``. Arrays make a
        sweep; the amounts of several budgets, and of targets, are broadcast together.
    params : mapping of str to float
        A value for each parameter.
    bounds : mapping of str to pair, optional
        Smallest and largest value of a variable, None where there is none: ``{"D": (None, 1e12)}`` where no more tokens
        exist. By default variables are at least 1, and k = 1 counts as an answer.
    at : mapping of str to float, optional
        Variables that are held.
    menus : mapping of str to array-like, optional
        Values that a variable may have, such as the sizes that can be built; the others are chosen anew for each.
    integer : sequence of str
        Variables that are to be whole numbers, such as ``["k"]``; the others are chosen anew, nothing is rounded.
    target : array-like, optional
        Responses to be reached with as little as can be of the budget that has no amount: ``{"6*N*D": None}``.
    maximize : bool
        Whether the law is to be large, as an accuracy is, not small, as a loss is.
    n_threads : int, optional
        As in `lawfit.fit`.

    Returns
    -------
    Allocation
        Variables, response, prices of the budgets and status at every point of the sweep.

    Raises
    ------
    LawError
        A formula cannot be read, or mentions what is no variable of the law.
    DataError
        An amount, a bound, a menu or a target cannot be used.

    Notes
    -----
    When to use: with published coefficients; after a fit `Fit.allocate` knows them, and `Draws.allocate` their
    uncertainty. Budgets should grow with each of their variables. With one variable more than budgets the search is
    global, from a grid with a point each factor of two; with more the best of a coarser grid are followed. First-order
    conditions hold to 1e-10 of the largest slope.

    References
    ----------
    Hoffmann et al. 2022, arXiv:2203.15556, section 3.3; Roberts et al. 2026, arXiv:2604.01411, for k.

    Examples
    --------
    >>> import lawfit as lf
    >>> hoffmann = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
    >>> plan = lf.allocate(lf.laws.chinchilla, {"6*N*D": 5.88e23}, params=hoffmann)
    >>> f"{plan['N']:.3g} parameters, {plan['D']:.3g} tokens, {plan['D/N']:.0f} a parameter"
    '3.25e+10 parameters, 3.02e+12 tokens, 93 a parameter'
    >>> served = lf.allocate(lf.laws.chinchilla, {"6*N*D + 2*N*1e13": None}, params=hoffmann, target=plan["response"])
    >>> f"for 1e13 tokens of answers as well: {served['N']:.3g} parameters, {served['D/N']:.0f} tokens a parameter"
    'for 1e13 tokens of answers as well: 1.76e+10 parameters, 363 tokens a parameter'
    """
    if isinstance(law, str):
        law = CATALOGUE[law] if law in CATALOGUE else Law(law)
    if not isinstance(law, Law):
        raise LawError(f"law: give a law or the name of one, not {describe(law)}")
    if not law.variables:
        near = nearest(law.text, CATALOGUE)
        hint = "" if near is None else f"did you mean {near!r}? "
        raise LawError(f"law: the variables of {law.text!r} are not known; {hint}write Law(text, variables=[...])")
    values = law.parameter_vector("params", params)
    plan = sweep(law, budgets, {}, bounds=bounds, at=at, menus=menus, integer=integer, target=target)
    raw = solved(law, values[np.newaxis], maximize, plan, _arrays.resolve_threads(n_threads))
    named = Named(zip(law.parameters, values.tolist(), strict=True))
    return Allocation(law, named, plan, raw, Named(), maximize, "response")


def of_fit(
    fit: Fit,
    budgets: Mapping[str, ArrayLike | None],
    *,
    bounds: Mapping[str, Bound] | None = None,
    at: Mapping[str, float] | None = None,
    menus: Mapping[str, ArrayLike] | None = None,
    integer: Sequence[str] = (),
    target: ArrayLike | None = None,
    maximize: bool = False,
    n_threads: int | None = None,
) -> Allocation:
    """Where a fitted law is best under budgets; `allocate` says what the arguments are.

    Parameters
    ----------
    fit : Fit
        What to allocate with; its data tell how far a plan lies outside them.
    budgets, bounds, at, menus, integer, target, maximize, n_threads
        As in `allocate`.

    Returns
    -------
    Allocation
        At every point of the sweep.

    Raises
    ------
    LawError, DataError
        As in `allocate`; also for a fit that did not end in a minimum.

    Notes
    -----
    When to use: for a plan and how far it lies outside the data; `Draws.allocate` says how sure it is.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    >>> grid = {"N": [1e7, 1e8, 1e9, 1e10], "D": [1e9, 1e10, 1e11, 1e12]}
    >>> runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.002)
    >>> plan = lf.fit(lf.laws.chinchilla, runs, response="loss").allocate({"6*N*D": 1e25})
    >>> bool(plan.beyond["N"] > 1.0)
    True
    """
    if not fit.success:
        raise DataError(f"the fit cannot be allocated with as it is: {fit.message}")
    ranges = _ranges(fit)
    plan = sweep(fit.law, budgets, ranges, bounds=bounds, at=at, menus=menus, integer=integer, target=target)
    params = np.array([list(fit.params.values())])
    raw = solved(fit.law, params, maximize, plan, _arrays.resolve_threads(n_threads))
    return Allocation(fit.law, fit.params, plan, raw, ranges, maximize, fit.rows.response)


def of_draws(
    draws: Draws,
    budgets: Mapping[str, ArrayLike | None],
    *,
    bounds: Mapping[str, Bound] | None = None,
    at: Mapping[str, float] | None = None,
    menus: Mapping[str, ArrayLike] | None = None,
    integer: Sequence[str] = (),
    target: ArrayLike | None = None,
    maximize: bool = False,
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> Frontier:
    """Where each draw of a fitted law is best under budgets; `allocate` says what the arguments are.

    Parameters
    ----------
    draws : Draws
        Of `lawfit.bootstrap`.
    budgets, bounds, at, menus, integer, target, maximize, n_threads
        As in `allocate`.
    progress : bool or callable, optional
        As in `lawfit.fit`.

    Returns
    -------
    Frontier
        Allocations of all draws, with intervals.

    Raises
    ------
    LawError, DataError
        As in `allocate`; also for a fit that did not end in a minimum.

    Notes
    -----
    When to use: before money is spent. The decision itself is bootstrapped, with all that moves together in the draws.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    >>> grid = {"N": [1e7, 1e8, 1e9, 1e10], "D": [1e9, 1e10, 1e11, 1e12]}
    >>> runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.002)
    >>> front = lf.fit(lf.laws.chinchilla, runs, response="loss").bootstrap(1000).allocate({"6*N*D": 1e22})
    >>> band = front.interval("N")
    >>> bool(band.lower < front.plan["N"] < band.upper)
    True
    """
    plan = of_fit(
        draws.fit, budgets, bounds=bounds, at=at, menus=menus, integer=integer, target=target, maximize=maximize,
        n_threads=n_threads,
    )  # fmt: skip
    raw = solved(
        draws.law, draws.params, maximize, plan.sweep, _arrays.resolve_threads(n_threads), as_progress(progress)
    )
    return Frontier(plan, draws, raw)


def _ranges(fit: Fit) -> Named[tuple[float, float]]:
    """Ranges of the variables and, where there are rows, of products and ratios of two: the corners of a design."""
    rows, summary = fit.rows, fit.rows.summary
    if summary is not None:
        return Named(summary.ranges)
    columns = dict(zip(rows.variables, rows.x, strict=True))
    for one, other in itertools.combinations(rows.variables, 2):
        if columns[one].min() > 0.0 and columns[other].min() > 0.0:
            columns[f"{one}*{other}"] = columns[one] * columns[other]
            columns[f"{other}/{one}"] = columns[other] / columns[one]
    return Named({name: (float(x.min()), float(x.max())) for name, x in columns.items()})
