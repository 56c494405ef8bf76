"""Figures of plans along a budget: frontiers of several laws beside each other, and how sharp their optima are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays
from lawfit._allocation import Allocation, quantity_of
from lawfit._draws import check_level
from lawfit._engine import F64, names
from lawfit._figure import (
    BAND,
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    POINT,
    PURPLE,
    RED,
    Axes,
    Figure,
    FigureData,
    Panels,
    as_list,
    as_mapping,
    figure_data,
    mixed,
    scale,
    word,
)
from lawfit._frontier import Frontier
from lawfit._sweep_lines import is_outside_of_data, lines_of, swept
from lawfit._wording import describe, suggest
from lawfit.errors import DataError

MARKERS = "Ds^vPX*o"
COLOURS = (BLACK, BLUE, RED, GREEN, PURPLE, ORANGE)
# Tokens per parameter that Chinchilla made a rule: Hoffmann et al. 2022, table 3.
RULE = 20.0
RATIO = "D/N"
# Lines of at most so many points show them.
FEW_POINTS = 12
# Of what is bought when every budget is so much larger.
SHARES = (0.01, 0.05, 0.2)


def frontiers_data(
    fronts: Frontier | Allocation | Mapping[str, Frontier | Allocation],
    quantities: Sequence[str] = (RATIO, "N", "D"),
    *,
    level: float = 0.95,
    models: Mapping[str, Mapping[str, float]] | None = None,
) -> FigureData:
    """Show what to buy against the budget that is swept, of several laws beside each other: a panel for each quantity.

    Parameters
    ----------
    fronts : Frontier, Allocation, or mapping of str to these
        Sweeps of one budget, by the label of their line. One of a grid of budgets gives a line for each amount of the
        others.
    quantities : sequence of str
        Of the panels: variables, ``"response"`` or formulas of these. The panel of D/N has a line at 20.
    level : float
        Of the intervals, which are drawn where there are draws.
    models : mapping of str to mapping, optional
        Known models by name with their variables, ``{"Chinchilla-70B": {"N": 70e9, "D": 1.4e12}}``;
        ``lawfit.plotting.PUBLIC_MODELS`` are some. They stand where the formula of the budget puts them.

    Returns
    -------
    FigureData
        ``budget``, and for every quantity such as ``"N"`` the arrays ``"N"``, ``"N lower"`` and ``"N upper"``, all
        (n_lines, n_points), NaN where there is no optimum or no interval, and beyond the end of shorter lines;
        ``is_outside`` (n_lines, n_points), 1 where a variable, or the product or ratio of two, is outside its range in
        the data, NaN without data (a plan of a fit knows the ranges of variables alone, draws know the runs);
        ``model_x`` and ``"model N"`` (n_models,). ``names`` are those of lines, models and panels; the notes say why
        there are gaps and how far plans lie outside the data.

    Raises
    ------
    DataError
        A line has another budget than the first, a quantity is not known, or a model lacks a variable of the budget.

    Notes
    -----
    When to use: to compare recipes before choosing one. A line is solid inside its data and dashed outside of it;
    grey marks the budgets at which all lines with data are outside.

    References
    ----------
    Roberts et al. 2026, arXiv:2604.01411, figure 2.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> params = {"E": 1.69, "A": 406.4, "B": 410.7, "G": 2.0, "alpha": 0.34, "beta": 0.28, "gamma": 0.3}
    >>> budgets = {"6*N*D": np.logspace(18, 25, 15), "2*N*k": 2e9}
    >>> one = lf.allocate(lf.laws.t2_loss, {"6*N*D": budgets["6*N*D"]}, params=params, at={"k": 1})
    >>> many = lf.allocate(lf.laws.t2_loss, budgets, params=params)
    >>> data = lf.plotting.frontiers.data({"one sample": one, "2 GFLOP a token": many})
    >>> data["D/N"].shape, bool(np.all(data["N"][1] < 8.2e7))
    ((2, 15), True)
    """
    check_level(level)
    given = as_mapping("fronts", fronts, '{"T²": plan}') if isinstance(fronts, Mapping) else {"": fronts}
    quantities = as_list("quantities", quantities, '["D/N", "N"]')
    known = as_mapping("models", models, '{"Chinchilla-70B": {"N": 70e9, "D": 1.4e12}}')
    plans = {label: _plan_of(label, front) for label, front in given.items()}
    if not plans:
        raise DataError("fronts: there is nothing to draw")
    budgets = {label: plan.sweep.budgets[swept(plan)] for label, plan in plans.items()}
    budget = next(iter(budgets.values()))
    for label, text in budgets.items():
        if text != budget:
            raise DataError(
                f"fronts: {label!r} is a sweep of {text}, not of {budget}; draw them in figures of their own"
            )
    lines = [(label, line) for label, plan in plans.items() for line in lines_of(plan, label)]
    n_points = max(line.x.size for _, line in lines)
    shape = (len(lines), n_points)
    arrays = {"budget": np.full(shape, math.nan), "is_outside": np.full(shape, math.nan)}
    bands = {
        (label, quantity): _band(front, quantity, level) for label, front in given.items() for quantity in quantities
    }
    outside = {label: is_outside_of_data(front) for label, front in given.items()}
    for row, (label, line) in enumerate(lines):
        arrays["budget"][row, : line.x.size] = line.x
        arrays["is_outside"][row, : line.x.size] = outside[label][0][line.places]
    for quantity in quantities:
        for name, part in (("", 0), (" lower", 1), (" upper", 2)):
            arrays[quantity + name] = np.full(shape, math.nan)
            for row, (label, line) in enumerate(lines):
                arrays[quantity + name][row, : line.x.size] = bands[label, quantity][0][part][line.places]
    arrays |= _overlaid(known, budget, quantities)
    labels = {"x": word("C") if budget == "6*N*D" else f"budget {budget}", "y": "", "title": ""}
    first = next(iter(plans.values()))
    for quantity in quantities:
        labels[f"{quantity} y"] = f"best {_words(quantity, first)}"
    return figure_data(
        arrays,
        labels,
        _notes(
            plans, {label: said for label, (_, said) in outside.items()}, {of: note for of, (_, note) in bands.items()}
        ),
        {"lines": tuple(line.label for _, line in lines), "models": tuple(known), "panels": tuple(quantities)},
    )


def _plan_of(label: str, front: object) -> Allocation:
    if isinstance(front, Frontier):
        return front.plan
    if isinstance(front, Allocation):
        return front
    of = f"{label!r} is" if label else "give"
    raise DataError(f"fronts: {of} a plan of allocate(...) or a mapping of these by label, not {describe(front)}")


def _band(front: Frontier | Allocation, quantity: str, level: float) -> tuple[F64, str | None]:
    """(3, n_points) value and ends of the interval of a quantity, and why there is none."""
    plan = front.plan if isinstance(front, Frontier) else front
    value = np.ravel(plan[quantity])
    if not isinstance(front, Frontier):
        return np.stack([value, np.full_like(value, math.nan), np.full_like(value, math.nan)]), None
    band = front.interval(quantity, level)
    return np.stack([value, np.ravel(band.lower), np.ravel(band.upper)]), band.note


def _overlaid(models: Mapping[str, Mapping[str, float]], budget: str, quantities: Sequence[str]) -> dict[str, F64]:
    """Amounts of the budget and quantities of known models."""
    found: dict[str, list[float]] = {"model_x": [], **{f"model {quantity}": [] for quantity in quantities}}
    for name, given in models.items():
        if not isinstance(given, Mapping):
            raise DataError(
                f'models: {name} needs its variables, such as {{"N": 70e9, "D": 1.4e12}}, not {describe(given)}'
            )
        columns = {variable: _known(value, f"models[{name!r}][{variable!r}]") for variable, value in given.items()}
        lacking = [variable for variable in names(budget) if variable not in columns]
        if lacking:
            raise DataError(f"models: {name} has no {lacking[0]}, which {budget} needs; {suggest(lacking[0], columns)}")
        found["model_x"].append(float(quantity_of(budget, columns)[0]))
        for quantity in quantities:
            is_known = all(variable in columns for variable in names(quantity))
            found[f"model {quantity}"].append(float(quantity_of(quantity, columns)[0]) if is_known else math.nan)
    return {name: np.array(values, dtype=np.float64) for name, values in found.items()}


def _known(value: ArrayLike, argument: str) -> F64:
    found = _arrays.as_float64(value, argument)
    if found.ndim or not 0.0 < float(found) < math.inf:
        raise DataError(f"{argument}: give a number above 0")
    return found.reshape(1)


def _words(quantity: str, plan: Allocation) -> str:
    if quantity == RATIO:
        return "tokens per parameter D/N"
    return plan.response if quantity == "response" else word(quantity, plan.law.units)


def _notes(
    plans: Mapping[str, Allocation],
    outside: Mapping[str, str | None],
    bands: Mapping[tuple[str, str], str | None],
) -> tuple[str, ...]:
    """Say what to know of the lines: where they lie outside the data, and why something is missing."""
    found = []
    for label, plan in plans.items():
        head = f"{label}: " if label else ""
        found += [head + note for note in (*plan.notes, outside[label]) if note is not None]
        said: dict[str, list[str]] = {}
        for (of, quantity), note in bands.items():
            if of == label and note is not None:
                said.setdefault(note, []).append(quantity)
        found += [f"{head}{', '.join(quantities)}: {note}" for note, quantities in said.items()]
    return tuple(found)


def _draw_frontiers(ax: Axes, data: FigureData, panel: int) -> None:
    quantity = data.names["panels"][panel]
    many = data["budget"].shape[1] > FEW_POINTS
    values = [data["budget"], data[quantity], data[f"{quantity} lower"], data[f"{quantity} upper"]]
    scale(
        ax,
        np.concatenate([values[0].ravel(), data["model_x"]]),
        np.concatenate([*(part.ravel() for part in values[1:]), data[f"model {quantity}"]]),
    )
    _shade_outside(ax, data)
    for row, label in enumerate(data.names["lines"]):
        x, value, lower, upper = (part[row] for part in values)
        colour = COLOURS[row % len(COLOURS)]
        is_outside = data["is_outside"][row] == 1.0
        ax.fill_between(x, lower, upper, color=colour, alpha=BAND, linewidth=0)
        ax.plot(
            x, np.where(is_outside, math.nan, value), color=colour, linewidth=1.6, label=label,
            marker=None if many else "o", markersize=3,
        )  # fmt: skip
        # With the points beside, so that dashes begin where the line ends.
        reached = is_outside.copy()
        reached[1:] |= is_outside[:-1]
        reached[:-1] |= is_outside[1:]
        ax.plot(x, np.where(reached, value, math.nan), color=colour, linewidth=1.2, linestyle=(0, (4, 2)))
    if quantity == RATIO:
        ax.axhline(RULE, color=GREY, linewidth=0.8)
        ax.annotate(
            f"{RULE:g}", (1.0, RULE), xycoords=("axes fraction", "data"), xytext=(-2, 2), textcoords="offset points",
            fontsize="x-small", color=GREY, ha="right",
        )  # fmt: skip
    points = [
        ax.scatter([x], [y], marker=MARKERS[i % len(MARKERS)], s=POINT, color=GREY, zorder=4, label=name)
        for i, (name, x, y) in enumerate(
            zip(data.names["models"], data["model_x"], data[f"model {quantity}"], strict=True)
        )
    ]
    # Lines are told in the first panel, models in the last.
    first, last = panel == 0, panel == len(data.names["panels"]) - 1
    told = [one for one in ax.get_legend_handles_labels()[0] if (last if one in points else first)]
    told = [one for one in told if one.get_label() and not one.get_label().startswith("_")]
    if told:
        ax.legend(handles=told, fontsize="x-small", frameon=False)


def _shade_outside(ax: Axes, data: FigureData) -> None:
    """Grey behind the budgets at which all lines with data are outside of it."""
    known = ~np.isnan(data["is_outside"]).all(axis=1)
    label = "outside the data"
    for low, high in _outside_of_all(data["budget"][known], data["is_outside"][known]):
        ax.axvspan(low, high, color=GREY, alpha=0.12, linewidth=0, zorder=0, label=label)
        label = ""


def _outside_of_all(budget: F64, is_outside: F64) -> list[tuple[float, float]]:
    """Stretches of the budget in which every line that is there is outside at the points around."""
    found: list[tuple[float, float]] = []
    for low, high in pairwise(np.unique(budget[np.isfinite(budget)]).tolist()):
        claims = []
        for x, outside in zip(budget, is_outside, strict=True):
            is_known = np.isfinite(x) & np.isfinite(outside)
            at, claim = x[is_known], outside[is_known]
            if at.size and at[0] <= low and high <= at[-1]:
                first, last = np.searchsorted(at, low, "right") - 1, np.searchsorted(at, high, "left")
                claims.append(bool(claim[first] and claim[last]))
        if claims and all(claims):
            if found and found[-1][1] == low:
                found[-1] = (found[-1][0], high)
            else:
                found.append((low, high))
    return found


def near_optimal_data(plan: Allocation | Frontier, quantity: str = "N", shares: Sequence[float] = SHARES) -> FigureData:
    """Show the range of a variable that does as well as the best with a little more of every budget.

    Parameters
    ----------
    plan : Allocation or Frontier
        Of a sweep.
    quantity : str
        A variable of the law.
    shares : sequence of float
        How much larger every budget may be, for one band each.

    Returns
    -------
    FigureData
        ``budget`` and ``value`` (n_points,), ascending; ``shares`` (n_shares,), ascending; ``lower`` and ``upper``
        (n_shares, n_points), NaN where there is no optimum, which the notes explain.

    Raises
    ------
    DataError
        The law has no such variable, a share is not above 0, or the sweep is a grid of several budgets.

    Notes
    -----
    When to use: to see how much of a decision is free. `Allocation.near` has the numbers; the bands say nothing of how
    well the law is known, for which `lawfit.plotting.frontiers` has intervals.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> hoffmann = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
    >>> plan = lf.allocate(lf.laws.chinchilla, {"6*N*D": np.logspace(20, 24, 5)}, params=hoffmann)
    >>> data = lf.plotting.near_optimal.data(plan, "N", shares=[0.05])
    >>> f"{data['lower'][0, 0] / data['value'][0]:.2f} to {data['upper'][0, 0] / data['value'][0]:.2f}"
    '0.69 to 1.52'
    """
    plan = _plan_of("", plan)
    variables = plan.law.variables or ()
    if not isinstance(quantity, str) or quantity not in variables:
        raise DataError(f"quantity={quantity!r}: give a variable of the law; {suggest(quantity, variables)}")
    wanted = as_list("shares", shares, "[0.05, 0.2]")
    if not all(isinstance(share, int | float | np.number) for share in wanted):
        raise DataError(f"shares={wanted!r}: give numbers above 0, such as [0.05, 0.2]")
    lines = lines_of(plan, "")
    if len(lines) > 1:
        raise DataError("the sweep is a grid of several budgets; allocate along one of them")
    wanted, places = sorted(wanted), lines[0].places
    ends = [plan.near(share)[quantity] for share in wanted]
    lower, upper = (np.stack([np.ravel(pair[side])[places] for pair in ends]) for side in (0, 1))
    budget = plan.sweep.budgets[swept(plan)]
    return figure_data(
        {
            "budget": lines[0].x, "value": np.ravel(plan[quantity])[places], "shares": np.array(wanted),
            "lower": lower, "upper": upper,
        },
        {
            "x": word("C") if budget == "6*N*D" else f"budget {budget}", "title": "",
            "y": f"best {word(quantity, plan.law.units)}",
        },
        plan.notes,
    )  # fmt: skip


def _draw_near_optimal(ax: Axes, data: FigureData) -> None:
    x = data["budget"]
    scale(ax, x, np.concatenate([data["lower"].ravel(), data["upper"].ravel()]))
    # Widest first, so that narrower ones lie on it.
    for place in reversed(range(data["shares"].size)):
        label = f"as good with {100.0 * data['shares'][place]:.3g} % more"
        paler = mixed(BLUE, 0.6 * 0.55**place)
        ax.fill_between(x, data["lower"][place], data["upper"][place], color=paler, linewidth=0, label=label)
    ax.plot(x, data["value"], color=BLUE, label="best", marker="o" if x.size < FEW_POINTS else None, markersize=3)
    ax.legend(fontsize="x-small", frameon=False)


frontiers = Panels(frontiers_data, _draw_frontiers)
near_optimal = Figure(near_optimal_data, _draw_near_optimal)
