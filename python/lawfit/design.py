"""Which runs to make next: those that narrow a quantity, or all parameters, most for their cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lawfit import _engine, _export
from lawfit._engine import F64
from lawfit._information import Information, Search, information
from lawfit._named import Named
from lawfit._options import check_count, check_word
from lawfit._quantity import names_in, names_of
from lawfit._tangent import moving_parameters, row_units, slopes_at, tangent_of, weighted_rows
from lawfit._text import number, table
from lawfit._wording import describe, listed, suggest
from lawfit.errors import DataError
from lawfit.results import Fit
from lawfit.tables import Table, read_table

CRITERIA = ("c", "D")
LEVEL = 0.95
DEFAULT_COST = "6*N*D"
LARGEST = 1e140
MOST_SHOWN = 30


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Design:
    """Runs to make next, in the order in which they help, and how far each narrows what is asked for.

    Attributes
    ----------
    fit : Fit
        The fit that they add to.
    criterion : str
        ``"c"``: the variance of ``quantity`` is made small. ``"D"``: the volume of the parameters' confidence region.
    quantity : str or None
        The parameter or formula that the standard errors are of.
    chosen : tuple of int
        Rows of the candidates, from 0, best first.
    points : Named of numpy.ndarray
        (n_chosen,) values of each variable.
    costs : numpy.ndarray
        (n_chosen,) cost of each.
    cost : str
        Formula of the cost; ``"1"`` where runs are counted.
    value : float
        The quantity at the estimates; NaN without one.
    stderr : numpy.ndarray
        (n_chosen + 1,) expected standard error of the quantity: now, after one run, after two, ... Infinite where it is
        not identified; NaN without a quantity.
    interval : numpy.ndarray
        (n_chosen + 1, 2) expected 95 % interval, the value being what it is now.
    parameter_stderr : Named of numpy.ndarray
        (n_chosen + 1,) expected standard error of each moving parameter.
    volume : numpy.ndarray
        (n_chosen + 1,) volume of the confidence region of the moving parameters, where now is 1; NaN while a direction
        is open.
    noise : float
        Standard deviation of a run that all of this supposes, on the residual's scale.
    message : str
        What it means in words.
    """

    fit: Fit
    criterion: str
    quantity: str | None
    chosen: tuple[int, ...]
    points: Named[F64]
    costs: F64
    cost: str
    value: float
    stderr: F64
    interval: F64
    parameter_stderr: Named[F64]
    volume: F64
    noise: float
    message: str

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row per chosen run: its variables, its cost and the standard error once it is made."""
        columns: dict[str, Any] = {"candidate": list(self.chosen)}
        columns |= {name: values.tolist() for name, values in self.points.items()}
        columns |= {"cost": self.costs.tolist(), "stderr": self.stderr[1:].tolist(), "volume": self.volume[1:].tolist()}
        return _export.frame(columns, library, self.fit.rows.library, "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        return _text_of(self)


def next_runs(
    fit: Fit,
    candidates: object,
    *,
    quantity: str | None = None,
    budget: float | None = None,
    cost: str | None = None,
    n_runs: int | None = None,
    criterion: str | None = None,
    repeat: bool = False,
    at: Mapping[str, float] | None = None,
) -> Design:
    """Choose the candidate runs that would narrow a quantity, or all parameters, most.

    Parameters
    ----------
    fit : Fit
        What is known. Candidates are judged by the law's exact derivatives at its estimates.
    candidates : table
        One row a run that could be made, with a column for each variable of the law: whatever `lawfit.fit` takes.
        Variables that the fit took from formulas over columns may come as these columns.
    quantity : str, optional
        A parameter, or a formula over parameters such as ``"beta / (alpha + beta)"``, whose standard error is to fall.
    budget : float, optional
        Most that the chosen runs may cost together.
    cost : str, optional
        Formula of a run's cost over the variables, or columns of the candidates; ``"6*N*D"`` for a law of N and D,
        otherwise each run costs 1.
    n_runs : int, optional
        Most runs to choose. At least one of ``budget`` and ``n_runs`` is needed.
    criterion : {"c", "D"}, optional
        ``"c"``, the default with a quantity: its variance. ``"D"``, the default without: the volume of the confidence
        region of all moving parameters.
    repeat : bool
        Whether a candidate may be chosen more than once, as other seeds.
    at : mapping of str to float, optional
        Values of all parameters to judge candidates at, instead of the estimates: for a fit that the data leave open,
        whose estimates are arbitrary, what is known from elsewhere.

    Returns
    -------
    Design
        The chosen runs, best first, and the standard errors that are to be expected after each.

    Raises
    ------
    LawError
        ``criterion`` is none of these words, or ``n_runs`` is no count.
    DataError
        Candidates lack a variable, none is within the budget, the fit has no estimates, or no candidate identifies the
        quantity.

    Notes
    -----
    When to use: before money is spent on runs. What is expected is of first order: it supposes that the law and the
    estimates are right, that new runs scatter as the bulk of the old ones do (a run has the median noise of the fit's
    rows where these differ), and that they are independent. ``stderr[0]`` is the classical standard error with the
    robust loss allowed for, which may differ from the sandwich of ``fit.stderr``. The choice is greedy, by gain and by
    gain for the cost, improved by exchanges: good, not proven best.

    Where the fit leaves a direction open, its variance is infinite until a run closes it. The search then gives every
    open direction a trace of information, so that runs that close one come first; nothing that is reported has it.

    References
    ----------
    Pukelsheim 2006, Optimal Design of Experiments; Atkinson, Donev and Tobias 2007, Optimum Experimental Designs, with
    SAS, chapters 10 and 12; Sherman and Morrison 1950, Ann. Math. Statist. 21.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 3e7, 1e8, 3e8, 1e9, 3e9]}, noise=0.004)
    >>> fit = lf.fit(lf.laws.power_floor, runs, response="loss")
    >>> plan = lf.next_runs(fit, {"x": [1e7, 1e8, 1e9, 1e11]}, quantity="E", n_runs=1)
    >>> plan.points["x"].tolist(), bool(plan.stderr[1] < 0.5 * plan.stderr[0])
    ([100000000000.0], True)
    """
    if not isinstance(fit, Fit):
        raise DataError(f"next_runs: give a Fit, not {describe(fit)}")
    criterion = check_word("criterion", criterion or ("D" if quantity is None else "c"), CRITERIA)
    if criterion == "c" and quantity is None:
        raise DataError('quantity: criterion="c" makes the variance of one quantity small: say which')
    if budget is None and n_runs is None:
        raise DataError("say budget=, the most that the runs may cost together, or n_runs=, how many to choose")
    place = fit if at is None else _moved(fit, at)
    moving = moving_parameters(place)
    if not moving or not np.isfinite(list(place.params.values())).all():
        raise DataError(f"next_runs: the fit has no estimates that could move ({fit.message})")
    value, target = _quantity(place, quantity, moving)
    given = read_table(candidates, "candidates")
    x = _points(fit, given)
    text, costs = _costs(fit, given, x, cost)
    most = given.n_rows if n_runs is None else check_count("n_runs", n_runs, least=1)
    limit = _budget(budget, costs, text)
    if n_runs is None and repeat:
        most = math.floor(min(limit / max(float(costs.min()), 1e-300), 1000.0))
    noise = _noise(fit)
    rows, new = _derivatives(place, given, x, moving)
    told = information(rows / noise, new / noise, target)
    if told is None:
        raise DataError(f"{quantity!r} stays unidentified whichever candidates are run: add others, or fix a parameter")
    search = Search(told, costs, limit, most, repeat=repeat, by_target=criterion == "c")
    chosen = search.best()
    found = _design(fit, criterion, quantity, value, told, chosen, x, costs, text, noise, moving)
    if not fit.success and at is None:
        caution = "the fit is not usable as it is, so its estimates are a guess: judge the runs at= what is known"
        found = replace(found, message=f"{found.message}; {caution}")
    return found


def _moved(fit: Fit, at: Mapping[str, float]) -> Fit:
    """Return the fit with other values of its parameters, none of them at a bound."""
    values = fit.law.parameter_vector("at", at).tolist()
    return replace(fit, params=Named(zip(fit.law.parameters, values, strict=True)), at_bound=())


def _quantity(fit: Fit, quantity: str | None, moving: tuple[str, ...]) -> tuple[float, F64 | None]:
    """Value of a quantity at the estimates, and its derivatives by the moving parameters."""
    if quantity is None:
        return math.nan, None
    used = names_in(quantity, fit.law.parameters)
    wrt = [name for name in used if name in moving]
    if not wrt:
        raise DataError(f"quantity={quantity!r} names no parameter that could move; those are {listed(moving)}")
    at = np.array([[fit.params[name] for name in used]])
    nowhere = np.empty((0, 1))
    value = float(_engine.evaluate(quantity, (), used, nowhere, at)[0, 0])
    slopes = np.zeros(len(moving))
    found = _engine.evaluate(quantity, (), used, nowhere, at, wrt=wrt, order=1)[0, :, 0]
    slopes[[moving.index(name) for name in wrt]] = found
    if not np.isfinite(slopes).all() or not slopes.any():
        raise DataError(f"quantity={quantity!r} does not change with the parameters at the estimates")
    return value, slopes


def _points(fit: Fit, given: Table) -> F64:
    """(n_variables, n_candidates) values of the law's variables."""
    mapped = dict(fit.rows.columns)
    lines = []
    for name in fit.rows.variables:
        if name not in given.names and name not in mapped:
            near = suggest(name, given.names, "the columns are")
            raise DataError(f"candidates: there is no column for the variable {name!r}; {near}")
        text = name if name in given.names else mapped[name]
        values = given.evaluate(text, want="number", argument=f"candidates: {name}")
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise DataError(f"candidates: {name} is missing or not finite in row {row} (counted from 0)")
        lines.append(values)
    return np.ascontiguousarray(np.stack(lines))


def _costs(fit: Fit, given: Table, x: F64, cost: str | None) -> tuple[str, F64]:
    """Return the formula of the cost, and its value for each candidate."""
    variables = fit.rows.variables
    if cost is None:
        cost = DEFAULT_COST if set(_engine.names(DEFAULT_COST)) <= set(variables) else "1"
    if not isinstance(cost, str):
        raise DataError(f"cost: give a formula over {listed(variables)}, not {describe(cost)}")
    columns: list[_engine.EngineColumn] = [
        (name, np.ascontiguousarray(line), "number", ()) for name, line in zip(variables, x, strict=True)
    ]
    for name in names_of(cost, "cost"):
        if name in variables:
            continue
        if name in given.names and given.column(name).kind == "number":
            columns.append((name, given.column(name).values, "number", ()))
        else:
            near = suggest(name, list(dict.fromkeys([*variables, *given.names])))
            raise DataError(f"cost={cost!r}: {name!r} is neither a variable nor a column of numbers; {near}")
    values = _engine.evaluate_columns(cost, columns, want="number", argument="cost")
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0.0)))
    if bad.size:
        raise DataError(f"cost={cost!r} is {values[bad[0]]:g} in row {bad[0]} (counted from 0); costs are at least 0")
    return cost, values


def _budget(budget: object, costs: F64, text: str) -> float:
    if budget is None:
        return math.inf
    if isinstance(budget, bool) or not isinstance(budget, int | float | np.number) or not float(budget) > 0.0:
        raise DataError(f"budget={budget!r}: give a positive number, in units of the cost {text!r}")
    if costs.min() > float(budget):
        raise DataError(
            f"budget={float(budget):g}: the cheapest candidate, row {int(np.argmin(costs))} (counted from 0), costs "
            f"{costs.min():g} ({text}); raise it, or add cheaper candidates"
        )
    return float(budget)


def _noise(fit: Fit) -> float:
    """Return the noise of a row of weight 1, as far as the estimates feel it under a robust loss."""
    tangent = tangent_of(fit)
    freedom = tangent.residuals.size - tangent.rank
    slope = float(tangent.slopes.mean())
    if freedom < 1 or slope <= 0.0:
        raise DataError("next_runs: too few rows beside the parameters tell how large the noise is; add runs first")
    pulls = tangent.root_weights * tangent.pulls
    # Huber 1981, section 7.6: E psi² / (E psi')² in place of the variance of a residual.
    noise = math.sqrt(float(pulls @ pulls) / freedom) / slope
    if not math.isfinite(noise):
        raise DataError(f"next_runs: the fit has no residuals that tell how large the noise is ({fit.message})")
    if noise <= 0.0:
        raise DataError("next_runs: the fit meets its rows to the last digit, so nothing tells how large the noise is")
    return noise


def _derivatives(fit: Fit, given: Table, x: F64, moving: tuple[str, ...]) -> tuple[F64, F64]:
    """(n, m) of the rows, in units of their noise, and (n_candidates, m), in units of the rows' median noise."""
    rows = weighted_rows(fit, moving)[0]
    predicted, jacobian = slopes_at(fit, x, moving)
    is_bad = ~np.isfinite(jacobian).all(axis=1)
    if fit.options.residual == "log":
        is_bad |= ~(predicted > 0.0)
    if is_bad.any():
        row = int(np.flatnonzero(is_bad)[0])
        raise DataError(f"candidates: the law has no value in row {row} (counted from 0); leave such rows out")
    # Squares of what is larger would overflow.
    if not np.abs(rows).max() < LARGEST or not np.abs(jacobian).max() < LARGEST:
        raise DataError("next_runs: at these values of the parameters the law has no finite slope; say at=")
    units = row_units(fit.rows, fit.options.residual)
    return rows, jacobian / float(np.median(units[np.isfinite(units)]))


def _design(
    fit: Fit,
    criterion: str,
    quantity: str | None,
    value: float,
    told: Information,
    chosen: list[int],
    x: F64,
    costs: F64,
    text: str,
    noise: float,
    moving: tuple[str, ...],
) -> Design:
    """Work out afresh what is expected after each of the chosen runs, and say it."""
    freedom = fit.n_rows - len(moving)
    matrices = [told.after(chosen[:k]) for k in range(len(chosen) + 1)]
    stderr = np.full(len(matrices), math.nan)
    if told.target is not None:
        stderr = np.array([math.sqrt(told.variance(matrix, told.target)) for matrix in matrices])
    reach = np.array([float(_engine.t_quantile(0.5 + 0.5 * LEVEL, freedom + k)) for k in range(len(matrices))]) * stderr
    own = {
        name: np.array([math.sqrt(told.variance(matrix, direction)) for matrix in matrices])
        for name, direction in zip(moving, told.to_params, strict=True)
    }
    levels = [told.log_det(matrix) for matrix in matrices]
    # Volumes of regions of fewer dimensions cannot be compared.
    volume = np.array(
        [
            math.exp(0.5 * (levels[0][0] - log)) if rank == levels[0][1] == told.size else math.nan
            for log, rank in levels
        ]
    )
    return Design(
        fit=fit,
        criterion=criterion,
        quantity=quantity,
        chosen=tuple(chosen),
        points=Named({name: line[chosen] for name, line in zip(fit.rows.variables, x, strict=True)}),
        costs=costs[chosen],
        cost=text,
        value=value,
        stderr=stderr,
        interval=np.stack([value - reach, value + reach], axis=1),
        parameter_stderr=Named(own),
        volume=volume,
        noise=noise,
        message=_meaning(fit, quantity, stderr, volume, [rank for _, rank in levels], told.size, len(moving)),
    )


def _meaning(
    fit: Fit, quantity: str | None, stderr: F64, volume: F64, ranks: list[int], size: int, n_moving: int
) -> str:
    n = len(ranks) - 1
    runs = f"{n} run{'s' if n != 1 else ''}"
    words = []
    if ranks[0] < size:
        closed = next((k for k, rank in enumerate(ranks) if rank == size), None)
        when = f"run {closed} of these closes the last" if closed else f"{size - ranks[-1]} stay open after {runs}"
        words.append(f"the fit leaves {size - ranks[0]} of {n_moving} directions open; {when}")
    if size < n_moving:
        words.append(f"{n_moving - size} directions stay open whichever candidates are run")
    if quantity is not None and math.isfinite(stderr[0]):
        fall = 1.0 - stderr[-1] / stderr[0]
        words.append(
            f"after {runs} the standard error of {quantity} should be {number(stderr[-1], 3)} instead of "
            f"{number(stderr[0], 3)}, {fall:.0%} less"
        )
    elif quantity is not None:
        last = f"{number(stderr[-1], 3)}" if math.isfinite(stderr[-1]) else "still infinite"
        words.append(f"{quantity} is not identified now; after {runs} its standard error should be {last}")
    elif not math.isnan(volume[-1]):
        words.append(
            f"after {runs} the volume of the confidence region should be {number(volume[-1], 3)} of what it is"
        )
    if fit.rows.clusters is not None:
        words.append("rows were counted as if independent, although the fit has clusters: what is known is overstated")
    return "; ".join(words)


def _text_of(found: Design) -> str:
    fit = found.fit
    aim = f"the variance of {found.quantity}" if found.criterion == "c" else "the volume of the confidence region"
    lines = [f"next runs for {fit.rows.response} = {fit.law.text}", f"chosen to lessen {aim}; cost {found.cost}", ""]
    header = ["run", "candidate", *found.points, "cost"]
    tail = ["stderr", "2.5 %", "97.5 %"] if found.quantity is not None else ["volume"]
    body = []
    for k in range(len(found.chosen) + 1):
        place = ["now", *[""] * (len(found.points) + 2)]
        if k:
            values = [number(float(line[k - 1]), 4) for line in found.points.values()]
            place = [str(k), str(found.chosen[k - 1]), *values, number(float(found.costs[k - 1]), 4)]
        figures = [found.stderr[k], *found.interval[k]] if found.quantity is not None else [found.volume[k]]
        body.append([*place, *(number(float(figure), 4) for figure in figures)])
    shown = body[: MOST_SHOWN + 1]
    if len(shown) < len(body):
        shown.append([f"... {len(body) - len(shown)} more", *[""] * (len(body[0]) - 1)])
    return "\n".join([*lines, *table([*header, *tail], shown), "", found.message])
