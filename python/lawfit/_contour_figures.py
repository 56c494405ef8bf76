"""The response over two variables, lines of equal budget, and the best path across them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays
from lawfit._allocation import USABLE, quantity_of, solved, statuses_of
from lawfit._engine import F64
from lawfit._figure import POINT, RED, Axes, Figure, FigureData, as_list, as_mapping, figure_data, word
from lawfit._wording import describe, suggest
from lawfit.errors import DataError

if TYPE_CHECKING:
    from lawfit.results import Fit

N_CELLS = 90
N_BUDGETS = 5
# How far around the runs contours are drawn.
AROUND = 3.0
# How much farther if the path leads there.
FARTHEST = 30.0
NOTHING = "nothing is drawn where other budgets leave nothing"


def contours_data(
    fit: Fit,
    budget: str = "6*N*D",
    variables: Sequence[str] = ("N", "D"),
    at: Mapping[str, float] | None = None,
    *,
    also: Mapping[str, float] | None = None,
    maximize: bool = False,
) -> FigureData:
    """Show the response over two variables, with lines of equal budget and the best path across them.

    Parameters
    ----------
    fit : Fit
        What to show.
    budget : str
        A formula of the two variables.
    variables : pair of str
        Of the two axes.
    at : mapping of str to float, optional
        Others of the law, which are held.
    also : mapping of str to float, optional
        Other budgets with their amounts, such as ``{"2*N*k": 2e11}``: what is left of the law is chosen anew under them
        in each cell, as the path is.
    maximize : bool
        Whether a large response is good.

    Returns
    -------
    FigureData
        ``x``, ``y`` (n_cells,) and ``response`` (n_cells, n_cells), a row for each y, NaN where the other budgets leave
        nothing; ``spent`` of the same shape; ``run_x``, ``run_y`` of the runs; ``budgets`` (5,); ``path_x``, ``path_y``
        where the response is best under budgets between.

    Raises
    ------
    DataError
        The law has no such variables, or one that is neither held nor in a budget.

    Notes
    -----
    When to use: to see where the runs lie beside the plan. With ``also=`` the path is that of the whole plan:
    ``fit.allocate({budget: ..., **also})``.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    >>> grid = {"N": [1e7, 1e8, 1e9, 1e10], "D": [1e9, 1e10, 1e11, 1e12]}
    >>> runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.002)
    >>> data = lf.plotting.contours.data(lf.fit(lf.laws.chinchilla, runs, response="loss"))
    >>> data["response"].shape
    (90, 90)
    """
    names = fit.rows.variables
    variables = as_list("variables", variables, '("N", "D")')
    if len(variables) != 2 or any(name not in names for name in variables):
        wrong = next((name for name in variables if name not in names), "")
        raise DataError(f"variables={tuple(variables)!r}: two of the law are needed; {suggest(wrong, names)}")
    held, others = as_mapping("at", at, '{"k": 1}'), as_mapping("also", also, '{"2*N*k": 2e11}')
    for text, amount in others.items():
        if _arrays.as_float64(amount, f"also[{text!r}]").ndim:
            raise DataError(f"also: {text} needs one amount, not {describe(amount)}")
    free = [name for name in names if name not in variables and name not in held]
    if free and not others:
        raise DataError(
            f"at: the law also has the variable {free[0]}; say at={{{free[0]!r}: ...}}, or a budget of it by also="
        )
    across, up = (fit.rows.x[names.index(name)] for name in variables)
    corners = dict(zip(variables, map(np.ravel, np.meshgrid(_around(across), _around(up))), strict=True))
    least, low, high, most = (float(end) for end in np.quantile(quantity_of(budget, corners), (0.02, 0.1, 0.9, 0.98)))
    amounts: dict[str, ArrayLike] = {budget: np.geomspace(least, most, 40), **others}
    plan = fit.allocate(amounts, at=held or None, maximize=maximize)
    x, y = (_around(runs, plan[name]) for runs, name in zip((across, up), variables, strict=True))
    cells = dict(zip(variables, map(np.ravel, np.meshgrid(x, y)), strict=True))
    if free:
        response = _best_in_cells(fit, cells, held, others, maximize)
    else:
        response = fit.law.evaluate({**cells, **held}, params=fit.params)
    spent = quantity_of(budget, cells)
    shape = (N_CELLS, N_CELLS)
    return figure_data(
        {
            "x": x, "y": y, "response": response.reshape(shape), "spent": spent.reshape(shape), "run_x": across,
            "run_y": up, "budgets": np.geomspace(low, high, N_BUDGETS),
            "path_x": plan[variables[0]], "path_y": plan[variables[1]],
        },
        {
            "x": word(variables[0], fit.law.units), "y": word(variables[1], fit.law.units),
            "title": ", ".join(f"{text} = {amount:.3g}" for text, amount in others.items()),
            "colour": fit.rows.response, "budget": budget,
        },
        plan.notes if np.isfinite(response).all() else (*plan.notes, NOTHING),
    )  # fmt: skip


def _around(runs: F64, path: F64 | None = None) -> F64:
    """(N_CELLS,) values around the runs, and as far as `FARTHEST` allows around a path too."""
    low, high = runs.min() / AROUND, runs.max() * AROUND
    if path is not None and np.isfinite(path).any():
        low = min(low, max(np.nanmin(path), low / FARTHEST))
        high = max(high, min(np.nanmax(path), high * FARTHEST))
    return np.geomspace(low, high, N_CELLS)


def _best_in_cells(
    fit: Fit, cells: Mapping[str, F64], held: Mapping[str, float], also: Mapping[str, float], maximize: bool
) -> F64:
    """(n,) best response at cells of two variables, the others chosen under budgets; NaN where nothing is left."""
    # Of one point, for its bounds.
    base = fit.allocate(also, at=dict(held) or None, maximize=maximize).sweep
    n = next(iter(cells.values())).size
    lower, upper = np.tile(base.lower[0], (n, 1)), np.tile(base.upper[0], (n, 1))
    is_given = base.is_given.copy()
    for name, values in cells.items():
        place = fit.rows.variables.index(name)
        lower[:, place] = upper[:, place] = values
        is_given[place] = True
    amounts = np.tile(base.amounts[0], (n, 1))
    part = replace(base, shape=(n,), amounts=amounts, lower=lower, upper=upper, is_given=is_given)
    raw = solved(fit.law, np.array([list(fit.params.values())]), maximize, part)
    return np.where(np.isin(statuses_of(raw, part)[0], USABLE), raw.value[0], math.nan)


def _draw_contours(ax: Axes, data: FigureData) -> None:
    # Before labels are turned to run along their lines.
    ax.set_xscale("log")
    ax.set_yscale("log")
    response = data["response"]
    shown = np.where(np.isfinite(response), response, np.nan)
    levels = np.unique(np.nanquantile(shown, np.linspace(0.0, 1.0, 14)))
    filled = ax.contourf(data["x"], data["y"], shown, levels=levels, cmap="viridis_r")
    ax.figure.colorbar(filled, ax=ax, label=data.labels["colour"], format="%.3g")
    lines = ax.contour(
        data["x"], data["y"], np.log10(data["spent"]), levels=np.log10(data["budgets"]), colors="black", linewidths=0.7,
        linestyles="--",
    )  # fmt: skip
    ax.clabel(lines, fmt=lambda power: f"{data.labels['budget']} = {10.0**power:.1g}", fontsize=6)
    ax.scatter(data["run_x"], data["run_y"], s=0.5 * POINT, color="black", linewidths=0, label="runs")
    ax.plot(data["path_x"], data["path_y"], color=RED, linewidth=1.8, label="best under the budget")
    ax.set_xlim(data["x"][0], data["x"][-1])
    ax.set_ylim(data["y"][0], data["y"][-1])
    # Above the axes, where it hides no line's label.
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize="x-small", frameon=False)


contours = Figure(contours_data, _draw_contours)
