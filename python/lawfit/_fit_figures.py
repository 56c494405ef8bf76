"""Figures of one fit: the law through the runs, what it leaves, how its starts ended."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _engine
from lawfit._engine import F64
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
    is_wide,
    say,
    scale,
    shades,
    word,
)
from lawfit._residuals import residuals_of
from lawfit._text import number
from lawfit._wording import suggest
from lawfit.errors import DataError
from lawfit.results import Fit
from lawfit.validation import Validation

N_GRID = 160
N_LINES = 5
# Beyond the data by this factor: far enough to see where the law goes.
BEYOND = 8.0
MOST_NAMED = 3


def law_data(fit: Fit, variable: str | None = None, level: float = 0.95) -> FigureData:
    """Show the law through the runs, against one variable.

    Parameters
    ----------
    fit : Fit
        What to show.
    variable : str, optional
        Of the horizontal axis; the first of the law by default. Another one gives the colours: its lines are at five
        of its values among the runs.
    level : float
        Of the band, which is that of the middle line.

    Returns
    -------
    FigureData
        ``x``, ``observed``, ``colour`` (n_rows,); ``grid`` (n_grid,); ``lines`` (n_lines, n_grid) at ``levels``
        (n_lines,); ``lower`` and ``upper`` (n_grid,) of the middle line; ``data_range`` (2,).

    Raises
    ------
    DataError
        The law has no such variable.
    """
    rows = fit.rows
    name = rows.variables[0] if variable is None else _known(variable, rows.variables)
    place = rows.variables.index(name)
    x = rows.x[place]
    is_log = is_wide(x)
    ends = (x.min(), x.max())
    if is_log:
        grid = np.geomspace(ends[0] / BEYOND**0.25, ends[1] * BEYOND, N_GRID)
    else:
        grid = np.linspace(ends[0], ends[1] + 0.25 * (ends[1] - ends[0]), N_GRID)
    others = [other for other in rows.variables if other != name]
    middle = {other: float(np.median(rows.x[rows.variables.index(other)])) for other in others}
    colour, levels = np.zeros_like(x), np.zeros(1)
    if others:
        colour = rows.x[rows.variables.index(others[0])]
        levels = np.unique(np.quantile(colour, np.linspace(0.0, 1.0, N_LINES), method="nearest"))
    lines = np.full((levels.size, N_GRID), math.nan)
    lower = upper = np.full(N_GRID, math.nan)

    def points(level_of_colour: float) -> dict[str, ArrayLike]:
        return {**middle, **({others[0]: level_of_colour} if others else {}), name: grid}

    if fit.success:
        for row, value in enumerate(levels):
            lines[row] = fit.law.evaluate(points(float(value)), params=fit.params)
        band = fit.predict(points(float(levels[levels.size // 2])), interval=level)
        lower, upper = band.lower, band.upper
    labels = {
        "x": word(name, fit.law.units), "y": rows.response, "title": "",
        "colour": word(others[0], fit.law.units) if others else "",
    }  # fmt: skip
    notes = () if fit.success else (f"no law: {fit.message}",)
    return figure_data(
        {
            "x": x, "observed": rows.y, "colour": colour, "grid": grid, "levels": levels, "lines": lines,
            "lower": lower, "upper": upper, "data_range": np.array(ends),
        },
        labels,
        notes,
    )  # fmt: skip


def _known(name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        raise DataError(f"variable={name!r}: the law has no such variable; {suggest(name, known, 'its variables are')}")
    return name


def _draw_law(ax: Axes, data: FigureData) -> None:
    levels, has_colours = data["levels"], bool(data.labels["colour"])
    colours, norm = shades(data["colour"], levels)
    if has_colours:
        shown = ax.scatter(
            data["x"], data["observed"], c=data["colour"], s=POINT, cmap="viridis", norm=norm, zorder=3,
            alpha=0.85, linewidths=0,
        )  # fmt: skip
        ax.figure.colorbar(shown, ax=ax, label=data.labels["colour"])
    else:
        ax.scatter(data["x"], data["observed"], s=POINT, color=BLUE, zorder=3, linewidths=0)
    for row, line in enumerate(data["lines"]):
        ax.plot(data["grid"], line, color=colours[row] if has_colours else BLUE, linewidth=1.2)
    ax.fill_between(data["grid"], data["lower"], data["upper"], color=GREY, alpha=BAND, linewidth=0)
    scale(ax, data["grid"], data["observed"])
    ax.axvspan(data["data_range"][1], data["grid"][-1], color=GREY, alpha=0.07, linewidth=0)
    ax.set_xlim(data["grid"][0], data["grid"][-1])
    _frame_observed(ax, data["observed"])
    for note in data.notes:
        say(ax, note)


def _frame_observed(ax: Axes, observed: F64) -> None:
    """Leave the law room below the runs; far above them it says nothing."""
    least, most = float(observed.min()), float(observed.max())
    if ax.get_yscale() == "log":
        ax.set_ylim(least * (least / most) ** 0.35, most * (most / least) ** 0.08)
    else:
        room = most - least or abs(most) or 1.0
        ax.set_ylim(least - 0.35 * room, most + 0.08 * room)


def residuals_data(fit: Fit, against: str = "predicted") -> FigureData:
    """Show what the law leaves, against a variable or the prediction.

    Parameters
    ----------
    fit : Fit
        What to show.
    against : str
        A variable of the law, or ``"predicted"``.

    Returns
    -------
    FigureData
        ``x`` and ``residual`` (n_rows,), prediction less response on the scale that is fitted; ``f_scale`` (1,) of the
        robust loss; ``named`` (at most 3,) the rows, counted from 0 in the table, that are missed most, with
        ``named_x`` and ``named_residual``.
    """
    rows = fit.rows
    found = residuals_of(fit)
    if against == "predicted":
        x, label = found.predicted, f"predicted {rows.response}"
    else:
        x, label = found.x[rows.variables.index(_known(against, rows.variables))], word(against, fit.law.units)
    used = np.arange(rows.y.size) if rows.weights is None else np.flatnonzero(rows.weights > 0.0)
    worst = np.argsort(-np.abs(found.scaled), kind="stable")[:MOST_NAMED]
    is_log = fit.options.residual == "log"
    y = f"ln(predicted / observed) {rows.response}" if is_log else f"predicted - observed {rows.response}"
    return figure_data(
        {
            "x": x, "residual": found.plain, "f_scale": np.array([fit.f_scale]),
            "named": rows.positions[used][worst].astype(np.float64), "named_x": x[worst],
            "named_residual": found.plain[worst],
        },
        {"x": label, "y": y, "title": ""},
    )  # fmt: skip


def _draw_residuals(ax: Axes, data: FigureData) -> None:
    ax.axhline(0.0, color=GREY, linewidth=0.8)
    reach = float(data["f_scale"][0])
    largest = float(np.nanmax(np.abs(data["residual"]), initial=0.0))
    if math.isfinite(reach) and reach <= 3.0 * largest:
        for side in (-reach, reach):
            ax.axhline(side, color=ORANGE, linewidth=0.8, linestyle="--")
    ax.scatter(data["x"], data["residual"], s=POINT, color=BLUE, alpha=0.8, linewidths=0)
    for row, x, y in zip(data["named"], data["named_x"], data["named_residual"], strict=True):
        ax.annotate(f"row {row:.0f}", (x, y), xytext=(4, 2), textcoords="offset points", fontsize="x-small", color=RED)
    scale(ax, data["x"])


def quantiles_data(fit: Fit) -> FigureData:
    """Show residuals beside those that normal noise would have.

    Parameters
    ----------
    fit : Fit
        What to show.

    Returns
    -------
    FigureData
        ``expected`` and ``residual`` (n_rows,), sorted; residuals are in units of 1.4826 times their median size, the
        standard deviation if they were normal.
    """
    found = np.sort(residuals_of(fit).scaled)
    size = 1.4826 * float(np.median(np.abs(found)))
    shares = (np.arange(found.size) + 0.5) / found.size
    expected = np.asarray(_engine.t_quantile(shares, math.inf))
    return figure_data(
        {"expected": expected, "residual": found / size if size > 0.0 else found},
        {"x": "if noise were normal", "y": "residual, in robust standard deviations", "title": ""},
    )


def _draw_quantiles(ax: Axes, data: FigureData) -> None:
    ends = np.array([data["expected"].min(), data["expected"].max()])
    ax.plot(ends, ends, color=GREY, linewidth=0.8)
    ax.scatter(data["expected"], data["residual"], s=POINT, color=BLUE, linewidths=0)


def predicted_data(result: Fit | Validation) -> FigureData:
    """Show predicted against observed; of a validation also the runs that were held out.

    Parameters
    ----------
    result : Fit or Validation
        What to show.

    Returns
    -------
    FigureData
        ``observed`` and ``predicted`` (n_rows,) of the fit to all rows; ``held_observed`` and ``held_predicted`` of
        runs that the law had not seen, empty for a fit.
    """
    fit = result.fit if isinstance(result, Validation) else result
    used = slice(None) if fit.rows.weights is None else fit.rows.weights > 0.0
    observed, predicted = fit.rows.y[used], residuals_of(fit).predicted
    held_observed = held_predicted = np.empty(0)
    title = f"{fit.rows.response}: median error {_median_error(observed, predicted)} fitted"
    if isinstance(result, Validation):
        held_observed, held_predicted = result.rows.actual, result.rows.predicted
        title += f", {_median_error(held_observed, held_predicted)} held out ({result.kind})"
    return figure_data(
        {
            "observed": observed, "predicted": predicted, "held_observed": held_observed,
            "held_predicted": held_predicted,
        },
        {"x": f"observed {fit.rows.response}", "y": "predicted", "title": title},
    )  # fmt: skip


def _median_error(observed: F64, predicted: F64) -> str:
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(predicted / observed - 1.0)
    return f"{np.nanmedian(error):.2%}" if np.isfinite(error).any() else "-"


def _draw_predicted(ax: Axes, data: FigureData) -> None:
    every = np.concatenate([data["observed"], data["held_observed"]])
    ends = [float(every.min()), float(every.max())]
    ax.plot(ends, ends, color=GREY, linewidth=0.8)
    ax.scatter(data["observed"], data["predicted"], s=POINT, color=GREY, alpha=0.7, linewidths=0, label="fitted")
    if data["held_observed"].size:
        ax.scatter(
            data["held_observed"],
            data["held_predicted"],
            s=POINT,
            color=GREEN,
            linewidths=0,
            label="held out",
            zorder=3,
        )
        ax.legend(frameon=False, loc="upper left")
    scale(ax, every, every)


def starts_data(fit: Fit) -> FigureData:
    """Show how far above the best objective each start ended.

    Parameters
    ----------
    fit : Fit
        What to show; it keeps its starts unless they were left out.

    Returns
    -------
    FigureData
        ``excess`` (n_starts,) sorted: the objective less the best one, as a part of the best; ``optima`` (n_optima,)
        the same of each distinct minimum and ``counts`` (n_optima,) how many starts ended there.
    """
    if fit.starts is None or not np.isfinite(fit.objective):
        return figure_data(
            {"excess": np.empty(0), "optima": np.empty(0), "counts": np.empty(0)},
            {"x": "start, best first", "y": "objective above the best", "title": ""},
            ("no starts were kept",),
        )
    unit = fit.objective if fit.objective > 0.0 else 1.0
    above = np.sort(np.where(np.isfinite(fit.starts.objective), fit.starts.objective, np.inf)) - fit.objective
    title = f"{fit.start_agreement:.1%} of {above.size} starts end at the best objective"
    return figure_data(
        {
            "excess": np.maximum(above, 0.0) / unit,
            "optima": np.array([max(optimum.objective - fit.objective, 0.0) / unit for optimum in fit.optima]),
            "counts": np.array([float(optimum.count) for optimum in fit.optima]),
        },
        {"x": "start, best first", "y": "objective above the best, relatively", "title": title},
    )


def _draw_starts(ax: Axes, data: FigureData) -> None:
    for note in data.notes:
        say(ax, note)
    if not data["excess"].size:
        return
    # What differs by rounding is at the best objective.
    floor = 1e-12
    ax.plot(np.arange(1, data["excess"].size + 1), np.maximum(data["excess"], floor), color=BLUE, drawstyle="steps-mid")
    ax.set_yscale("log")
    ax.set_ylim(floor / 3.0, max(1.0, 3.0 * float(data["excess"][np.isfinite(data["excess"])].max(initial=floor))))
    for optimum, count in list(zip(data["optima"], data["counts"], strict=True))[:4]:
        if optimum > floor:
            ax.axhline(optimum, color=ORANGE, linewidth=0.8, linestyle="--")
            ax.annotate(
                f"{count:.0f} at +{number(float(optimum), 2)}", (1.0, optimum), xytext=(2, 2),
                textcoords="offset points", fontsize="x-small", color=ORANGE,
            )  # fmt: skip


law = Figure(law_data, _draw_law)
residuals = Figure(residuals_data, _draw_residuals)
quantiles = Figure(quantiles_data, _draw_quantiles)
predicted = Figure(predicted_data, _draw_predicted)
starts = Figure(starts_data, _draw_starts)
