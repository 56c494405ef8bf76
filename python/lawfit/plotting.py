"""Figures: each is called to be drawn by matplotlib, and has its numbers beside it.

``lf.plotting.residuals(fit, ax=None)`` draws and returns the axes; ``lf.plotting.residuals.data(fit)`` returns the
arrays, for whoever draws with something else. matplotlib comes with ``pip install 'lawfit[plot]'`` and is loaded when
something is drawn.
"""

from __future__ import annotations

from lawfit._contour_figures import contours
from lawfit._figure import Axes, Figure, FigureData, Panels
from lawfit._fit_figures import law, predicted, quantiles, residuals, starts
from lawfit._frontier_figures import frontiers, near_optimal
from lawfit._pass_figures import pass_curve
from lawfit._plan_figures import compared, distribution, frontier, isoflop, pair
from lawfit._public_models import MODEL_SOURCES, PUBLIC_MODELS
from lawfit._sampling_figures import train_to_test
from lawfit._wording import suggest
from lawfit.errors import LawError

FIGURES = {
    figure.__name__: figure
    for figure in (
        law,
        residuals,
        quantiles,
        predicted,
        starts,
        contours,
        frontier,
        pair,
        distribution,
        compared,
        isoflop,
        frontiers,
        near_optimal,
        train_to_test,
        pass_curve,
    )
}

# What `plot()` of a result draws.
FIRST = {
    "Fit": "law", "Fits": "compared", "Draws": "distribution", "Validation": "predicted", "Allocation": "frontier",
    "Frontier": "frontier", "IsoFlop": "isoflop", "Mixture": "pass_curve",
}  # fmt: skip


def plot(result: object, kind: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the figure that a result has first, or another one by name, with its defaults.

    Parameters
    ----------
    result : Fit, Fits, Draws, Validation, Allocation, Frontier, IsoFlop or Mixture
        What to draw.
    kind : str, optional
        Name of a figure; ``lawfit.plotting.FIGURES`` has them all.
    ax : matplotlib Axes, optional
        Where to draw, one for each panel of a figure that has several; new ones by default.

    Returns
    -------
    matplotlib Axes
        Those that were drawn into; a tuple if there are several panels.

    Raises
    ------
    LawError
        There is no such figure.
    LawfitError
        matplotlib is not there.

    Notes
    -----
    When to use: for a look. Figures with arguments, such as ``lf.plotting.contours(fit, "6*N*D")``, are called
    themselves.

    Examples
    --------
    >>> import lawfit as lf
    >>> runs = {"x": [1e7, 3e7, 1e8, 3e8, 1e9], "loss": [3.4, 2.8, 2.5, 2.2, 2.05]}
    >>> fit = lf.fit(lf.laws.power_floor, runs, response="loss")
    >>> lf.plotting.plot(fit, "residuals").get_xlabel()
    'predicted loss'
    """
    word = FIRST.get(type(result).__name__) if kind is None else kind
    if word is None or word not in FIGURES:
        raise LawError(f"kind={kind!r}: {suggest(kind, FIGURES)}")
    return FIGURES[word](result, ax=ax)


__all__ = [
    "FIGURES",
    "MODEL_SOURCES",
    "PUBLIC_MODELS",
    "Axes",
    "Figure",
    "FigureData",
    "Panels",
    "compared",
    "contours",
    "distribution",
    "frontier",
    "frontiers",
    "isoflop",
    "law",
    "near_optimal",
    "pair",
    "pass_curve",
    "plot",
    "predicted",
    "quantiles",
    "residuals",
    "starts",
    "train_to_test",
]
