"""A figure: numbers first, drawn by matplotlib only when asked."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from lawfit._engine import F64
from lawfit._named import Named
from lawfit._wording import describe
from lawfit.errors import DataError, LawfitError

# Of matplotlib, which is loaded when something is drawn and gives no types here.
Axes: TypeAlias = Any

# Okabe and Ito 2008: told apart with any colour vision, and in grey.
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#777777"
BLACK = "#000000"
BAND = 0.18
POINT = 18.0
# A logarithmic axis over less than this has ticks in plain numbers.
PLAIN = 300.0
# Variables of the field, and what they count.
WORDS = {"N": "parameters N", "D": "training tokens D", "k": "samples k", "C": "training FLOP C = 6ND"}


@dataclass(frozen=True, slots=True, eq=False)
class FigureData:
    """What a figure shows.

    Attributes
    ----------
    arrays : Named of numpy.ndarray
        By name; ``data["observed"]`` is short for ``data.arrays["observed"]``.
    labels : Named of str
        Of the axes and the title, by ``"x"``, ``"y"``, ``"colour"`` and ``"title"``.
    notes : tuple of str
        What the figure says in words.
    names : Named of tuple of str
        What rows of arrays are called, such as ``"lines"``, and which ``"panels"`` there are if several.
    """

    arrays: Named[F64]
    labels: Named[str]
    notes: tuple[str, ...] = ()
    names: Named[tuple[str, ...]] = field(default_factory=Named)

    def __getitem__(self, name: str) -> F64:
        """Look an array up."""
        return self.arrays[name]


def figure_data(
    arrays: Mapping[str, F64],
    labels: Mapping[str, str],
    notes: tuple[str, ...] = (),
    names: Mapping[str, tuple[str, ...]] | None = None,
) -> FigureData:
    """Put arrays and labels together."""
    made = Named({name: np.asarray(values) for name, values in arrays.items()})
    return FigureData(made, Named(labels), notes, Named(names or {}))


class Figure:
    """A figure: called to be drawn, ``figure(result, ax=None, ...)``, its numbers are ``figure.data(result, ...)``.

    Drawing returns the axes: those given as ``ax=``, or new ones, whose figure is ``ax.figure`` and is saved by
    ``ax.figure.savefig(path)``.

    Parameters
    ----------
    data : callable
        From a result to the numbers.
    draw : callable
        Draws the numbers into axes.
    """

    def __init__(self, data: Callable[..., FigureData], draw: Callable[[Axes, FigureData], None]) -> None:
        self._data, self._draw = data, draw
        self.__doc__ = data.__doc__
        self.__name__ = data.__name__.removesuffix("_data")

    def data(self, *arguments: Any, **options: Any) -> FigureData:
        """Return the numbers that would be drawn."""
        return self._data(*arguments, **options)

    def __call__(self, *arguments: Any, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw into axes, new ones by default, and return them."""
        found = self._data(*arguments, **options)
        ax = new_axes() if ax is None else ax
        self._draw(ax, found)
        frame(ax, found.labels["x"], found.labels["y"], found.labels["title"])
        return ax

    def __repr__(self) -> str:
        """Return the form for people."""
        return f"<figure {self.__name__}>"


class Panels:
    """A figure of several panels: called as a `Figure` is, but ``ax=`` takes one axes for each panel, and gives them.

    Parameters
    ----------
    data : callable
        From a result to the numbers, whose ``names["panels"]`` are the panels. Labels ``x``, ``y`` and ``title`` of a
        panel are those of its name before them, such as ``"N y"``, or else common to all.
    draw : callable
        Draws one panel, by its place, into axes.
    """

    def __init__(self, data: Callable[..., FigureData], draw: Callable[[Axes, FigureData, int], None]) -> None:
        self._data, self._draw = data, draw
        self.__doc__ = data.__doc__
        self.__name__ = data.__name__.removesuffix("_data")

    def data(self, *arguments: Any, **options: Any) -> FigureData:
        """Return the numbers that would be drawn."""
        return self._data(*arguments, **options)

    def __call__(self, *arguments: Any, ax: Sequence[Axes] | None = None, **options: Any) -> tuple[Axes, ...]:
        """Draw into axes, one a panel, new ones by default, and return them."""
        found = self._data(*arguments, **options)
        panels = found.names["panels"]
        axes = new_panels(len(panels)) if ax is None else tuple(np.ravel(np.asarray(ax, dtype=object)))
        if len(axes) != len(panels):
            raise DataError(f"ax: give one axes for each panel ({', '.join(panels)}), not {len(axes)}")
        for place, (panel, one) in enumerate(zip(panels, axes, strict=True)):
            self._draw(one, found, place)
            x, y, title = (found.labels.get(f"{panel} {name}", found.labels[name]) for name in ("x", "y", "title"))
            frame(one, x, y, title)
        return axes

    def __repr__(self) -> str:
        """Return the form for people."""
        return f"<figure {self.__name__}>"


def frame(ax: Axes, x: str, y: str, title: str) -> None:
    """Write labels and take away the lines that enclose nothing."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if title:
        ax.set_title(title, fontsize="medium", loc="left")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def as_mapping(argument: str, value: object, example: str) -> dict[str, Any]:
    """Return a mapping from names as a dict, empty for None."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise DataError(f"{argument}: give a mapping such as {example}, not {describe(value)}")
    return dict(value)


def as_list(argument: str, value: object, example: str) -> list[Any]:
    """Return the members of a list, tuple or array that has some."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, list | tuple) or not value:
        raise DataError(f"{argument}: give a list such as {example}, not {describe(value)}")
    return list(value)


def new_axes() -> Axes:
    """Return axes of a figure of their own, which no window manager knows."""
    return new_panels(1)[0]


def new_panels(n_panels: int) -> tuple[Axes, ...]:
    """Return axes side by side in a figure of their own."""
    try:
        figure = importlib.import_module("matplotlib.figure")
    except ImportError:
        raise LawfitError(
            "figures need matplotlib: pip install 'lawfit[plot]'; the numbers are there without it: .data(...)"
        ) from None
    size = (5.2, 3.6) if n_panels == 1 else (3.4 * n_panels, 3.4)
    found = figure.Figure(figsize=size, layout="constrained").subplots(1, n_panels, squeeze=False)
    return tuple(found[0])


def is_wide(values: F64) -> bool:
    """Tell whether positive values span so much that a logarithmic axis reads better."""
    finite = values[np.isfinite(values)]
    return finite.size > 0 and bool(finite.min() > 0.0) and bool(finite.max() > 5.0 * finite.min())


def scale(ax: Axes, x: F64 | None = None, y: F64 | None = None) -> None:
    """Make axes logarithmic whose values span much."""
    for end, values in (("x", x), ("y", y)):
        if values is not None and is_wide(np.ravel(values)):
            make_logarithmic(ax, end, values[np.isfinite(values)])


def make_logarithmic(ax: Axes, end: str, values: F64) -> None:
    """Make an axis logarithmic, with ticks for the span of values."""
    getattr(ax, f"set_{end}scale")("log")
    if values.max() < PLAIN * values.min():
        # Powers of ten alone would leave one or two ticks.
        ticker = importlib.import_module("matplotlib.ticker")
        axis = getattr(ax, f"{end}axis")
        axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: short(value)))
        axis.set_minor_formatter(ticker.NullFormatter())


def short(value: float) -> str:
    """Write a number for a tick: large ones in thousands, millions, billions or trillions."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "K")):
        if size <= value < 1e15:
            return f"{value / (1e3 if letter == 'K' else size):g}{letter}"
    return f"{value:g}"


def word(name: str, units: Mapping[str, str] | None = None) -> str:
    """Return a variable with what it counts."""
    if name in WORDS:
        return WORDS[name]
    unit = (units or {}).get(name)
    return f"{name} ({unit})" if unit else name


def say(ax: Axes, text: str) -> None:
    """Write words into the middle of axes that have nothing to show."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", wrap=True, color=GREY)


def shades(colour: F64, levels: F64) -> tuple[list[object], object]:
    """Return the colours of levels on the scale of many values, and that scale."""
    colours = importlib.import_module("matplotlib.colors")
    maps = importlib.import_module("matplotlib")
    kind = colours.LogNorm if is_wide(colour) else colours.Normalize
    norm = kind(float(colour.min()), float(colour.max()) if colour.max() > colour.min() else float(colour.min()) + 1.0)
    table = maps.colormaps["viridis"]
    return [table(norm(value)) for value in levels], norm


def mixed(colour: str, share: float) -> tuple[float, ...]:
    """Mix a colour with white, of which it has a share."""
    return tuple(1.0 - share * (1.0 - int(colour[place : place + 2], 16) / 255.0) for place in (1, 3, 5))
