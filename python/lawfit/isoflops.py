"""IsoFLOP curves: runs of equal compute, the size at which each curve is lowest, and how it grows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _engine
from lawfit._engine import F64, I64
from lawfit._isoflop import IsoFlop, Optimum, PowerLaw, interval_of, power_law
from lawfit._law import Law
from lawfit._parabola import FEWEST, Curve, lowest_of_akima, parabola
from lawfit._run_curves import compute_of, positive_columns
from lawfit._selection import group_rows, select_rows
from lawfit._wording import suggest
from lawfit.errors import DataError
from lawfit.fitting import fit as fit_law
from lawfit.laws import CATALOGUE
from lawfit.results import Fit
from lawfit.tables import read_table

METHODS = ("parabola", "interpolation")
TOLERANCE = 0.1
BIASED = 0.02
BIAS_NOTE = (
    "a parabola through a curve whose sides differ, or over a wide range of sizes, is lowest elsewhere: the last "
    "column says by how much where both see a fitted law without noise (arXiv:2603.22339 finds 0.3 % to 4 %, and wrong "
    "exponents where the centre of the sizes drifts)"
)


def isoflop(
    data: object,
    *,
    response: str,
    columns: Mapping[str, str] | None = None,
    where: str | ArrayLike | None = None,
    missing: str = "error",
    by: str | Sequence[str] = (),
    compute: str = "6*N*D",
    budget: str | None = None,
    tolerance: float = TOLERANCE,
    method: str = "parabola",
    law: Law | str | None = "chinchilla",
    noise: float | None = None,
    n_replicates: int = 1000,
    seed: int = 0,
) -> IsoFlop:
    """Find the best size at each of several budgets, and the power law that they follow.

    Parameters
    ----------
    data : table
        Runs, as `lawfit.fit` takes them.
    response : str
        Column that is low at an optimum, such as a loss.
    columns : mapping of str to str, optional
        Columns or formulas of N and D: ``{"N": "params", "D": "tokens"}``.
    where : str or array-like, optional
        Runs to use.
    missing : str
        ``"error"``, or ``"drop"`` to leave out runs where N, D or the response is missing.
    by : str or sequence of str
        Columns of groups that have curves of their own.
    compute : str
        A formula of N and D, or a cost by its name such as ``"training"``, in FLOP.
    budget : str, optional
        Column, or formula of columns, that says which runs belong to one curve, and is its budget. By default runs are
        put together whose compute, in order, differs by less than ``tolerance`` from the next.
    tolerance : float
        That share.
    method : str
        ``"parabola"`` in ln N through the runs (Approach 2), or ``"interpolation"``: Akima's curve through them.
    law : Law or str or None
        Law over N and D that is fitted to the same runs, to say how far a curve's optimum is from a law's; None for
        none.
    noise : float, optional
        For ``"interpolation"``: standard deviation of the logarithm of the response from seed to seed. A curve through
        every run has no residuals that could tell it.
    n_replicates : int
        Draws: Bayesian weights of the runs of a curve, or noise on them.
    seed : int
        Of the draws.

    Returns
    -------
    IsoFlop
        Optima with intervals, power laws, and what to distrust.

    Raises
    ------
    DataError
        A column is missing or not positive, no two runs have the same compute, or an argument cannot be used.
    LawError
        A formula cannot be read.

    Notes
    -----
    When to use: beside a law, as a check that assumes less, and for runs that were designed as isoFLOP curves.
    Exponents are those of a regression of ln N on ln C, all budgets of the same weight. An optimum outside the
    sizes that were trained is none. Intervals are Student's t times the spread of the draws, which is widened by the
    degrees of freedom that Bayesian weights do not know.

    References
    ----------
    Hoffmann et al. 2022, arXiv:2203.15556, section 3.2; Porian et al. 2024, arXiv:2406.19146 (interpolation); Akima
    1970.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    >>> C, N = (grid.ravel() for grid in np.meshgrid([1e19, 1e20, 1e21], np.logspace(8, 10, 9), indexing="ij"))
    >>> N = N * (C / 1e20) ** 0.5
    >>> loss = lf.laws.chinchilla.evaluate(N=N, D=C / 6 / N, params=truth)
    >>> found = lf.isoflop({"N": N, "D": C / 6 / N, "loss": loss}, response="loss", n_replicates=0)
    >>> round(found.exponent("N").exponent, 2), [one.status for one in found.optima]
    (0.51, ['inside', 'inside', 'inside'])
    """
    if method not in METHODS:
        raise DataError(f"method={method!r}: {suggest(method, METHODS)}")
    _check_numbers(tolerance, noise, n_replicates)
    runs = read_table(data)
    names = [by] if isinstance(by, str) else list(by)
    if missing not in ("error", "drop"):
        raise DataError(f"missing={missing!r}: say error or drop")
    rows, (size, tokens, value) = positive_columns(
        runs, select_rows(runs, where), response, dict(columns or {}), missing == "drop"
    )
    spent = compute_of(compute, size, tokens)
    budgets = None if budget is None else runs.evaluate(budget, want="number", argument="budget")[rows]
    if budgets is not None and not np.all(np.isfinite(budgets) & (budgets > 0.0)):
        row = int(rows[np.flatnonzero(~(np.isfinite(budgets) & (budgets > 0.0)))[0]])
        raise DataError(f"budget={budget!r}: row {row} (counted from 0) has none; finite numbers above 0 are needed")
    groups = group_rows(runs, names, rows)
    place = np.empty(runs.n_rows, dtype=np.int64)
    place[rows] = np.arange(rows.size)
    optima: list[Optimum] = []
    power_laws: list[PowerLaw] = []
    for g, key in enumerate(groups.keys):
        members = place[groups.order[groups.offsets[g] : groups.offsets[g + 1]]]
        fitted = _fitted(law, size[members], tokens[members], value[members], seed)
        curves = _curves(spent[members], None if budgets is None else budgets[members], tolerance)
        own: list[Optimum] = []
        for amount, inside in curves:
            chosen = members[inside]
            chosen = chosen[np.argsort(size[chosen], kind="stable")]
            own.append(
                _optimum(key, amount, rows[chosen], size[chosen], tokens[chosen], value[chosen], method, noise, compute,
                         fitted, n_replicates, seed)
            )  # fmt: skip
        optima += own
        power_laws += [power_law(key, of, own) for of in ("N", "D")]
    if all(one.n_runs == 1 for one in optima):
        raise DataError(
            f"compute={compute!r}: no two runs have the same compute within {tolerance:.0%}; say budget=, or a larger "
            "tolerance="
        )
    return IsoFlop(tuple(optima), tuple(power_laws), tuple(names), compute, response, method, _notes(optima, method))


def _check_numbers(tolerance: float, noise: float | None, n_replicates: int) -> None:
    if not 0.0 < tolerance < 1.0:
        raise DataError(f"tolerance={tolerance!r}: give a share between 0 and 1, such as 0.1")
    if noise is not None and not 0.0 < noise < math.inf:
        raise DataError(f"noise={noise!r}: give a standard deviation above 0")
    if isinstance(n_replicates, bool) or not isinstance(n_replicates, int | np.integer) or n_replicates < 0:
        raise DataError(f"n_replicates={n_replicates!r}: give a whole number, 0 for no intervals")


def _curves(spent: F64, budgets: F64 | None, tolerance: float) -> list[tuple[float, I64]]:
    """Return the budget and the members of each curve, in order of budgets."""
    if budgets is not None:
        levels, code = np.unique(budgets, return_inverse=True)
        return [(float(level), np.flatnonzero(code == i)) for i, level in enumerate(levels)]
    order = np.argsort(spent, kind="stable")
    breaks = np.flatnonzero(np.diff(np.log(spent[order])) > math.log1p(tolerance)) + 1
    parts = np.split(order, breaks)
    return [(float(np.exp(np.mean(np.log(spent[part])))), part) for part in parts]


def _fitted(law: Law | str | None, size: F64, tokens: F64, value: F64, seed: int) -> Fit | None:
    """Return a law through all runs of a group, where one can be fitted."""
    if law is None:
        return None
    chosen = CATALOGUE[law] if isinstance(law, str) else law
    if size.size < 2 * len(chosen.parameters):
        return None
    found = fit_law(chosen, {"N": size, "D": tokens, "response": value}, response="response", seed=seed)
    return found if found.success else None


def _optimum(
    key: tuple[object, ...],
    amount: float,
    rows: I64,
    size: F64,
    tokens: F64,
    value: F64,
    method: str,
    noise: float | None,
    compute: str,
    fitted: Fit | None,
    n_replicates: int,
    seed: int,
) -> Optimum:
    x = np.log(size)
    n_runs = size.size
    few = n_runs < FEWEST or np.unique(x).size < FEWEST
    nothing = np.full(n_replicates if method == "parabola" or noise is not None else 0, math.nan)
    if few:
        said = interval_of(math.nan, nothing, n_runs, 3.0)
        return Optimum(key, amount, math.nan, math.nan, math.nan, said, "too few runs", n_runs, rows, size, value,
                       np.full(3, math.nan), nothing, math.nan)  # fmt: skip
    whole = _lowest(x, value, method, np.ones((1, n_runs)))
    draws = nothing
    if method == "parabola" and n_replicates:
        weights = _engine.bayesian_weights(_engine.row_keys(rows), seed, n_replicates)
        draws = parabola(x, value, weights).at
    elif noise is not None and n_replicates:
        stream = np.random.default_rng([seed, int(rows[0])])
        draws = _lowest(x, value * np.exp(noise * stream.standard_normal((n_replicates, n_runs))), method, None).at
    best = float(whole.at[0])
    status = "inside" if math.isfinite(best) else ("edge" if whole.opens_up[0] else "opens downwards")
    found = interval_of(best, draws, n_runs, 3.0 if method == "parabola" else 0.0, is_log=True)
    at_best = math.exp(best) if math.isfinite(best) else math.nan
    # Along one budget ln D falls as ln N grows.
    tokens_there = math.exp(float(np.interp(best, x, np.log(tokens)))) if math.isfinite(best) else math.nan
    lowest = float(whole.value[0]) if math.isfinite(best) else math.nan
    bias = _bias(x, size, tokens, amount, compute, method, fitted) if math.isfinite(best) else math.nan
    return Optimum(key, amount, at_best, tokens_there, lowest, found, status, n_runs, rows, size, value,
                   whole.coefficients[0], draws, bias)  # fmt: skip


def _lowest(x: F64, y: F64, method: str, weights: F64 | None) -> Curve:
    """Return lowest points by a method; equal sizes are averaged before interpolation."""
    if method == "parabola":
        return parabola(x, y, np.ones((1, x.size)) if weights is None else weights)
    levels, code = np.unique(x, return_inverse=True)
    counts = np.bincount(code)
    means = np.array([np.bincount(code, row) / counts for row in np.atleast_2d(y)])
    return lowest_of_akima(levels, means)


def _bias(x: F64, size: F64, tokens: F64, amount: float, compute: str, method: str, fitted: Fit | None) -> float:
    """Return the curve's N over the law's, where the runs lie on the law."""
    if fitted is None:
        return math.nan
    clean = np.asarray(fitted.predict(N=size, D=tokens))
    found = float(_lowest(x, clean, method, None).at[0])
    own = float(fitted.allocate({compute: amount})["N"])
    return math.exp(found) / own if math.isfinite(found) else math.nan


def _notes(optima: Sequence[Optimum], method: str) -> tuple[str, ...]:
    notes = []
    outside = [one for one in optima if one.status != "inside"]
    if outside:
        kinds = {one.status: sum(other.status == one.status for other in outside) for one in outside}
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        notes.append(
            f"{len(outside)} of {len(optima)} curves have no optimum inside the sizes that were trained: {told}"
        )
    biases = np.array([one.bias for one in optima if math.isfinite(one.bias)])
    if method == "parabola" and biases.size:
        notes.append(BIAS_NOTE)
    worst = float(np.max(np.abs(biases - 1.0))) if biases.size else 0.0
    if worst > BIASED:
        notes.append(f"on the fitted law this design is off by up to {worst:.1%} in N")
    return tuple(notes)
