"""Figures of what a law is used for: frontiers with their bands, draws in pairs, many fits."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from lawfit._allocation import Allocation
from lawfit._draws import Draws
from lawfit._figure import (
    BAND,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    POINT,
    RED,
    Axes,
    Figure,
    FigureData,
    figure_data,
    scale,
    shades,
    word,
)
from lawfit._fits import Fits
from lawfit._frontier import Frontier
from lawfit._isoflop import IsoFlop
from lawfit._wording import listed, suggest
from lawfit.errors import DataError

N_CELLS = 90
# Where chi-squared of two degrees of freedom has 95 %.
ELLIPSE = math.sqrt(-2.0 * math.log(0.05))


def frontier_data(
    front: Frontier | Allocation,
    quantity: str = "N",
    *,
    level: float = 0.95,
    models: Mapping[str, tuple[float, float]] | None = None,
) -> FigureData:
    """Show what to buy against the first budget, with its interval where there are draws.

    Parameters
    ----------
    front : Frontier or Allocation
        Of a sweep.
    quantity : str
        A variable, ``"response"`` or a formula of these, such as ``"D/N"``.
    level : float
        Of the interval.
    models : mapping of str to pair, optional
        Known models by name: amount of the budget, and the quantity.

    Returns
    -------
    FigureData
        ``budget``, ``value``, ``lower`` and ``upper`` (n_points,); ``data_range`` (2,) of the quantity if it is a
        variable of the fit; ``model_x`` and ``model_y`` of the models, whose names are the notes.
    """
    plan = front.plan if isinstance(front, Frontier) else front
    if not plan.sweep.budgets:
        raise DataError("there is no budget to draw the frontier against")
    value = np.ravel(plan[quantity])
    lower = upper = np.full(value.size, math.nan)
    if isinstance(front, Frontier):
        band = front.interval(quantity, level)
        lower, upper = np.ravel(band.lower), np.ravel(band.upper)
    known = dict(models or {})
    label = {"response": plan.response}.get(quantity, word(quantity, plan.law.units))
    ends = plan.ranges.get(quantity, (math.nan, math.nan))
    return figure_data(
        {
            "budget": plan.amounts[:, 0], "value": value, "lower": lower, "upper": upper,
            "data_range": np.array(ends), "model_x": np.array([x for x, _ in known.values()]),
            "model_y": np.array([y for _, y in known.values()]),
        },
        {"x": f"budget {plan.sweep.budgets[0]}", "y": f"best {label}", "title": ""},
        tuple(known),
    )  # fmt: skip


def _draw_frontier(ax: Axes, data: FigureData) -> None:
    order = np.argsort(data["budget"])
    x = data["budget"][order]
    ax.fill_between(x, data["lower"][order], data["upper"][order], color=BLUE, alpha=BAND, linewidth=0)
    ax.plot(x, data["value"][order], color=BLUE, marker="o" if x.size < 12 else None, markersize=3)
    every = np.concatenate([data["value"], data["lower"], data["upper"]])
    scale(ax, x, every)
    for end in data["data_range"]:
        if math.isfinite(end):
            ax.axhline(end, color=GREY, linewidth=0.8, linestyle=":")
    if np.isfinite(data["data_range"]).all():
        ax.annotate(
            "range of the runs", (x[0], data["data_range"][1]), xytext=(2, 2), textcoords="offset points",
            fontsize="x-small", color=GREY,
        )  # fmt: skip
    for name, model_x, model_y in zip(data.notes, data["model_x"], data["model_y"], strict=True):
        ax.scatter([model_x], [model_y], marker="D", s=POINT, color=RED, zorder=4)
        ax.annotate(name, (model_x, model_y), xytext=(4, 3), textcoords="offset points", fontsize="x-small", color=RED)


def pair_data(draws: Draws, x: str, y: str) -> FigureData:
    """Show two parameters of every draw, with the ellipse that their covariance in the fit says.

    Parameters
    ----------
    draws : Draws
        Of a bootstrap.
    x, y : str
        Parameters, or formulas over them.

    Returns
    -------
    FigureData
        ``x`` and ``y`` (n_usable,); ``estimate`` (2,); ``ellipse_x`` and ``ellipse_y``, 95 % if draws were normal,
        empty where the fit has no covariance of the two.
    """
    ok = draws.ok
    first, second = draws.values(x)[ok], draws.values(y)[ok]
    names = draws.law.parameters
    estimate = np.array([draws.fit.params[name] if name in names else math.nan for name in (x, y)])
    turn = np.linspace(0.0, 2.0 * math.pi, 181)
    ellipse = np.empty((2, 0))
    places = [names.index(name) for name in (x, y) if name in names]
    block = draws.fit.covariance[np.ix_(places, places)]
    if len(places) == 2 and np.isfinite(block).all():
        values, vectors = np.linalg.eigh(block)
        unit = np.stack([np.cos(turn), np.sin(turn)])
        ellipse = estimate[:, np.newaxis] + ELLIPSE * vectors @ (np.sqrt(np.maximum(values, 0.0))[:, np.newaxis] * unit)
    return figure_data(
        {"x": first, "y": second, "estimate": estimate, "ellipse_x": ellipse[0], "ellipse_y": ellipse[1]},
        {"x": x, "y": y, "title": ""},
    )


def _draw_pair(ax: Axes, data: FigureData) -> None:
    ax.scatter(data["x"], data["y"], s=4.0, color=BLUE, alpha=0.25, linewidths=0, rasterized=True)
    ax.plot(data["ellipse_x"], data["ellipse_y"], color=ORANGE, linewidth=1.0)
    ax.scatter(*data["estimate"][:, np.newaxis], marker="+", color=RED, s=60.0, zorder=3)
    for end, values in (("x", data["x"]), ("y", data["y"])):
        low, high = np.nanquantile(values, (0.002, 0.998))
        room = 0.15 * (high - low) or 1.0
        getattr(ax, f"set_{end}lim")(low - room, high + room)


def distribution_data(draws: Draws, quantity: str | None = None, level: float = 0.95) -> FigureData:
    """Show the distribution of a parameter, or a formula over them, over the draws.

    Parameters
    ----------
    draws : Draws
        Of a bootstrap.
    quantity : str, optional
        What to count; the first parameter by default.
    level : float
        Of the interval that is marked.

    Returns
    -------
    FigureData
        ``edges`` (n_bins + 1,), ``counts`` (n_bins,), ``estimate`` (1,), ``interval`` (2,).
    """
    quantity = draws.law.parameters[0] if quantity is None else quantity
    values = draws.values(quantity)
    values = values[draws.ok & np.isfinite(values)]
    counts, edges = np.histogram(values, bins=min(40, max(5, values.size // 25)))
    estimate = draws.fit.derived(quantity).value
    found = draws.interval(quantity, level)
    return figure_data(
        {
            "edges": edges,
            "counts": counts.astype(np.float64),
            "estimate": np.array([estimate]),
            "interval": np.array(found),
        },
        {"x": quantity, "y": "draws", "title": ""},
    )


def _draw_distribution(ax: Axes, data: FigureData) -> None:
    ax.stairs(data["counts"], data["edges"], fill=True, color=BLUE, alpha=0.5)
    ax.axvline(data["estimate"][0], color=RED, linewidth=1.0)
    for end in data["interval"]:
        if math.isfinite(end):
            ax.axvline(end, color=ORANGE, linewidth=1.0, linestyle="--")


def compared_data(fits: Fits, parameter: str | None = None) -> FigureData:
    """Show one parameter over many fits, with its intervals.

    Parameters
    ----------
    fits : Fits
        Of `lawfit.fit_many`.
    parameter : str, optional
        Of the law; the first by default.

    Returns
    -------
    FigureData
        ``value``, ``lower`` and ``upper`` (n_usable,), sorted; the notes are the groups.

    Raises
    ------
    DataError
        The law has no such parameter, or no fit is usable.
    """
    parameter = fits.law.parameters[0] if parameter is None else parameter
    if parameter not in fits.law.parameters:
        raise DataError(f"parameter={parameter!r}: {suggest(parameter, fits.law.parameters)}")
    usable = [i for i in range(len(fits)) if fits.ok[i]]
    if not usable:
        raise DataError("no fit is usable; fits.failed says which failed and fits.status how")
    found = [(fits[i].params[parameter], *fits[i].interval(parameter), listed(map(str, fits.keys[i]))) for i in usable]
    found.sort(key=lambda row: row[0])
    value, lower, upper = (np.array([row[k] for row in found], dtype=np.float64) for k in range(3))
    return figure_data(
        {"value": value, "lower": lower, "upper": upper},
        {"x": parameter, "y": ", ".join(fits.by), "title": ""},
        tuple(str(row[3]) for row in found),
    )


def _draw_compared(ax: Axes, data: FigureData) -> None:
    place = np.arange(data["value"].size)
    with np.errstate(invalid="ignore"):
        ends = np.stack([data["value"] - data["lower"], data["upper"] - data["value"]])
    ax.errorbar(
        data["value"],
        place,
        xerr=np.maximum(np.nan_to_num(ends), 0.0),
        fmt="o",
        color=BLUE,
        markersize=3,
        linewidth=0.8,
    )
    if place.size <= 40:
        ax.set_yticks(place, data.notes, fontsize="x-small")
    ax.axvline(float(np.median(data["value"])), color=GREEN, linewidth=0.8)


def isoflop_data(found: IsoFlop, *key: object) -> FigureData:
    """Show isoFLOP curves with their lowest points.

    Parameters
    ----------
    found : IsoFlop
        Of `lawfit.isoflop`.
    *key : object
        The group; the only one by default.

    Returns
    -------
    FigureData
        ``sizes``, ``responses`` and ``budgets`` (n_runs,) of all runs; ``curve_x`` and ``curve_y`` (n_curves, n_grid)
        of parabolas, NaN for interpolations; ``best_x`` and ``best_y`` (n_curves,) of the optima that are inside.

    Raises
    ------
    DataError
        There are several groups and none is named, or none of that name.
    """
    keys = list(dict.fromkeys(one.key for one in found.optima))
    chosen = key or (keys[0] if len(keys) == 1 else None)
    if chosen not in keys:
        raise DataError(f"key: say which group: {listed(map(str, keys))}")
    optima = [one for one in found.optima if one.key == chosen]
    steps = np.linspace(0.0, 1.0, N_CELLS)
    curve_x, curve_y = np.full((2, len(optima), N_CELLS), math.nan)
    for row, one in enumerate(optima):
        low, high = math.log(one.sizes.min()), math.log(one.sizes.max())
        x = low + steps * (high - low)
        curve_x[row] = np.exp(x)
        curve_y[row] = np.polynomial.polynomial.polyval(x - 0.5 * (low + high), one.coefficients)
    return figure_data(
        {
            "sizes": np.concatenate([one.sizes for one in optima]),
            "responses": np.concatenate([one.responses for one in optima]),
            "budgets": np.concatenate([np.full(one.n_runs, one.budget) for one in optima]),
            "curve_x": curve_x, "curve_y": curve_y, "curve_budget": np.array([one.budget for one in optima]),
            "best_x": np.array([one.N for one in optima]), "best_y": np.array([one.response for one in optima]),
        },
        {"x": word("N"), "y": found.response, "title": ", ".join(map(str, chosen)), "colour": found.compute},
    )  # fmt: skip


def _draw_isoflop(ax: Axes, data: FigureData) -> None:
    colours, norm = shades(data["budgets"], data["curve_budget"])
    shown = ax.scatter(
        data["sizes"], data["responses"], c=data["budgets"], cmap="viridis", norm=norm, s=POINT, linewidths=0
    )
    ax.figure.colorbar(shown, ax=ax, label=data.labels["colour"])
    for x, y, colour in zip(data["curve_x"], data["curve_y"], colours, strict=True):
        ax.plot(x, y, color=colour, linewidth=1.0)
    ax.scatter(data["best_x"], data["best_y"], marker="D", s=POINT, color=RED, zorder=3)
    scale(ax, data["sizes"])


frontier = Figure(frontier_data, _draw_frontier)
pair = Figure(pair_data, _draw_pair)
distribution = Figure(distribution_data, _draw_distribution)
compared = Figure(compared_data, _draw_compared)
isoflop = Figure(isoflop_data, _draw_isoflop)
