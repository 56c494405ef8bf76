"""Figures of the report on sampled answers: the frontier in three panels, the forms beside each other, pass@k."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lawfit import plotting
from lawfit._figure import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, Axes, scale, shades
from lawfit._frontier import Frontier
from lawfit._inline_svg import inline
from lawfit._t2_study import Study
from lawfit._t2_verdict import swept

# Curves of pass@k that can still be told apart.
MOST_CURVES = 12
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, GREY)
PANELS = {
    "D/N": "Tokens per parameter",
    "N": "Model size",
    "D": "Training tokens",
    "k": "Samples for each answer",
}


def are_possible() -> bool:
    """Tell whether there is anything to draw with."""
    return importlib.util.find_spec("matplotlib") is not None


def frontier_figures(found: Study, level: float) -> list[str]:
    """Draw the sweep, where there is one, with bands of the draws; then N under each form."""
    front = found.chosen.sweep
    if front is None or front.plan.sweep.n_points < 2 or not np.any(front.plan.success) or not are_possible():
        return []
    drawn = [
        _drawn(
            f"frontier{place}-",
            f"{caption}, {found.chosen.form}; the band holds {100 * level:.4g} % of what the draws would choose.",
            partial(_panel, front=front, quantity=quantity, level=level),
        )
        for place, (quantity, caption) in enumerate(PANELS.items())
    ]
    if sum(plan.sweep is not None for plan in found.plans) > 1:
        drawn.append(_drawn("forms-", "Model size by each form that was fitted.", lambda ax: _forms(ax, found)))
    return drawn


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


def _panel(ax: Axes, front: Frontier, quantity: str, level: float) -> None:
    plotting.frontier(front, quantity, level=level, ax=ax)


def _forms(ax: Axes, found: Study) -> None:
    every = []
    for plan, colour in zip(found.plans, COLOURS * len(found.plans), strict=False):
        if plan.sweep is None:
            continue
        amounts, sizes = plan.sweep.plan.sweep.amounts, np.ravel(plan.sweep.plan["N"])
        column = swept(amounts)
        ax.plot(
            amounts[:, column], sizes, color=colour, linewidth=2.0 if plan is found.chosen else 1.0, label=plan.form
        )
        every.append(sizes)
        ax.set_xlabel(f"budget {plan.sweep.plan.sweep.budgets[column]}")
        scale(ax, amounts[:, column])
    scale(ax, None, np.concatenate(every))
    ax.set_ylabel("best parameters N")
    ax.legend(fontsize="small", frameon=False)
    _bare(ax)


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
