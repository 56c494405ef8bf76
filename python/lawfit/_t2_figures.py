"""Figures of the report on sampled answers: the frontier in three panels, the forms beside each other, pass@k."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from lawfit import plotting
from lawfit._allocation import Allocation
from lawfit._figure import Axes, scale, shades
from lawfit._frontier import Frontier
from lawfit._inline_svg import inline
from lawfit._t2_study import Study

# Curves of pass@k that can still be told apart.
MOST_CURVES = 12
# Bands of the form that speaks alone: those of several hide each other.
PANELS = ("D/N", "N", "D", "k")


def are_possible() -> bool:
    """Tell whether there is anything to draw with."""
    return importlib.util.find_spec("matplotlib") is not None


def frontier_figures(found: Study, level: float) -> list[str]:
    """Draw the sweep, where there is one: each quantity with the band of the draws, and the lines of other forms."""
    front = found.chosen.sweep
    if front is None or front.plan.sweep.n_points < 2 or not np.any(front.plan.success) or not are_possible():
        return []
    fronts: dict[str, Frontier | Allocation] = {found.chosen.form: front}
    fronts |= {
        plan.form: plan.sweep.plan for plan in found.plans if plan.sweep is not None and plan is not found.chosen
    }
    caption = (
        f"Best {{}} by each form; the band holds {100 * level:.4g} % of what the draws of {found.chosen.form} would "
        "choose, and a line is dashed outside of the runs."
    )
    return [
        _drawn(
            f"frontier{place}-",
            caption.format(quantity),
            partial(_panel, fronts=fronts, quantity=quantity, level=level),
        )
        for place, quantity in enumerate(PANELS)
    ]


def pass_figure(found: Study) -> list[str]:
    """Draw pass@k of the checkpoints and the law through them."""
    if not are_possible():
        return []
    caption = f"pass@k: points are observed, lines are {found.chosen.form}; coloured by 6ND."
    return [_drawn("pass-", caption, lambda ax: _curves(ax, found))]


def _drawn(prefix: str, caption: str, draw: Callable[[Axes], Any]) -> str:
    figure = importlib.import_module("matplotlib.figure").Figure(figsize=(5.0, 3.6), layout="constrained")
    draw(figure.subplots())
    return inline(figure, prefix, caption)


def _panel(ax: Axes, fronts: Mapping[str, Frontier | Allocation], quantity: str, level: float) -> None:
    plotting.frontiers(fronts, [quantity], level=level, ax=[ax])


def _curves(ax: Axes, found: Study) -> None:
    fit, table = found.chosen.result.fit, found.table
    size, tokens, tries, observed = (table.column(name).values for name in ("N", "D", "k", "pass_at_k"))
    cells = sorted(set(zip(size.tolist(), tokens.tolist(), strict=True)), key=lambda pair: pair[0] * pair[1])
    chosen = [cells[i] for i in np.unique(np.linspace(0, len(cells) - 1, MOST_CURVES).round().astype(int))]
    compute = np.array([6.0 * n * d for n, d in chosen])
    colours, norm = shades(compute, compute)
    grid = np.geomspace(tries.min(), tries.max(), 60)
    for (n, d), colour in zip(chosen, colours, strict=True):
        own = (size == n) & (tokens == d)
        ax.scatter(tries[own], observed[own], s=12.0, color=colour, linewidths=0)
        at = {"N": np.full(grid.size, n), "D": np.full(grid.size, d), "k": grid}
        if fit.success:
            ax.plot(grid, np.exp(-fit.law.evaluate(at, params=fit.params)), color=colour, linewidth=1.0)
    maps = importlib.import_module("matplotlib.cm")
    ax.figure.colorbar(maps.ScalarMappable(norm=norm, cmap="viridis"), ax=ax, label="training FLOP 6ND")
    scale(ax, tries, observed[observed > 0.0])
    ax.set_xlabel("samples k")
    ax.set_ylabel("pass@k")
    _bare(ax)


def _bare(ax: Axes) -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
