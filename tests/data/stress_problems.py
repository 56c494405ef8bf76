"""The stress set: 10,000 fitting problems by number, the same on every machine up to rounding.

A problem is a law, rows, and options of `lawfit.fit`, drawn from a stream of its own: Philox keyed by the problem's
number, of which only the raw words are used. NumPy promises those words for ever; it does not promise what its
distributions make of them, so uniform and normal numbers are made here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stress_laws import F64, FAMILIES, Columns, Family, Source
from stress_objective import evaluate

N_PROBLEMS = 10_000
KEY = 0x5EED
LARGEST_OUTLIER = 1.5
LEAST_DRAWN_OUTLIER = 1.05
# Residuals of so many units in the last place are rounding: of powers and logarithms of numbers like 1e11.
ROUNDING_UNITS = 64


class Stream:
    """Uniform and normal numbers of one problem."""

    def __init__(self, number: int) -> None:
        self._words = np.random.Philox(key=[KEY, number])

    def uniforms(self, count: int) -> F64:
        words = np.atleast_1d(self._words.random_raw(count))
        return np.asarray((words >> np.uint64(11)) * 2.0**-53)

    def normals(self, count: int) -> F64:
        radius = np.sqrt(-2.0 * np.log1p(-self.uniforms(count)))
        return np.asarray(radius * np.cos(2.0 * np.pi * self.uniforms(count)))


@dataclass(frozen=True)
class Traits:
    """What makes a problem easy or hard; the words are rows of the tables."""

    noise: float
    n_outliers: int
    weights: str  # none, mild, wild
    design: str
    loss: str  # squared, huber, mad
    is_bounded: bool
    nothing: str | None  # parameter whose truth is nothing


@dataclass(frozen=True, eq=False)
class Problem:
    """One call of `lawfit.fit`."""

    number: int
    family: Family
    columns: Columns
    y: F64
    weights: F64  # ones where there are none
    is_log: bool
    f_scale: float | str
    bounds: Mapping[str, tuple[float, float]]
    truth: Mapping[str, float]
    traits: Traits

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Bounds of every parameter."""
        usual = {name: (0.0 if name in self.family.positive else -math.inf, math.inf) for name in self.truth}
        return usual | dict(self.bounds)

    @property
    def data(self) -> dict[str, F64]:
        """Return the table that the user has."""
        return {**self.columns, "y": self.y}

    @property
    def options(self) -> dict[str, Any]:
        """Return what the user asks for beside the defaults."""
        options: dict[str, Any] = {"response": "y", "residual": "log" if self.is_log else "linear"}
        if self.traits.loss == "squared":
            options["loss"] = "squared"
        elif self.traits.loss == "huber":
            options["f_scale"] = self.f_scale
        if self.traits.weights != "none":
            options["weights"] = self.weights
        if self.bounds:
            options["bounds"] = dict(self.bounds)
        return options

    @property
    def rounding(self) -> float:
        """Objective that rounding alone may leave on exact data."""
        sizes = 1.0 + np.abs(np.log(self.y)) if self.is_log else self.y
        unit = ROUNDING_UNITS * np.finfo(np.float64).eps
        return float(0.5 * unit * unit * np.sum(self.weights * sizes * sizes))

    @property
    def fingerprint(self) -> float:
        """A number that differs when data or options do, and hardly by rounding."""
        mixed = np.cos(np.arange(1, self.y.size + 1)) * (2.0 + np.log(self.y)) * (1.0 + np.log1p(self.weights))
        logs = sum(np.log(values).sum() for values in self.columns.values())
        given = self.f_scale if isinstance(self.f_scale, float) and math.isfinite(self.f_scale) else 0.5
        bound = sum(min(high, 9.0) for _, high in self.bounds.values())
        return float(mixed.sum() + 1e-3 * logs + given + self.is_log + bound)


def problems(numbers: Iterable[int] = range(N_PROBLEMS)) -> Iterator[Problem]:
    """Yield problems by number."""
    return map(problem, numbers)


def problem(number: int) -> Problem:
    """Make one problem."""
    family = FAMILIES[number % len(FAMILIES)]
    stream = Stream(number)
    draws = iter(stream.uniforms(16).tolist())
    n_parameters = len(family.draw(Source(stream.uniforms, 1), {name: np.ones(2) for name in family.variables}))
    n_rows = max(int(10 * 50.0 ** next(draws)), n_parameters + 4)
    noise = _noise(next(draws), next(draws))
    design, columns = _design(family, n_rows, next(draws), stream)
    truth = {name: float(value[0]) for name, value in family.draw(Source(stream.uniforms, 1), columns).items()}
    which = next(draws)
    nothing = family.zeros[int(which / 0.15 * len(family.zeros))] if which < 0.15 else None
    if nothing is not None:
        truth[nothing] = family.nothing
    y = np.broadcast_to(_values(family, columns, truth), (n_rows,)) * np.exp(noise * stream.normals(n_rows))
    n_outliers = _add_outliers(y, next(draws), next(draws), stream)
    kind, weights = _weights(n_rows, next(draws), stream)
    is_log = next(draws) < (0.3 if family.name == "sigmoid" else 0.7)
    loss, f_scale = _loss(next(draws), next(draws), 1.0 if is_log else float(np.median(y)))
    is_bounded = next(draws) < 0.35 and bool(family.bounded)
    bounds = {name: (0.0, 3.0 if name != "r" else math.inf) for name in family.bounded} if is_bounded else {}
    if is_bounded and family.name == "sigmoid":
        bounds = {"slope": (0.0, 30.0)}
    traits = Traits(noise, n_outliers, kind, design, loss, is_bounded, nothing)
    return Problem(number, family, columns, y, weights, is_log, f_scale, bounds, truth, traits)


def _values(family: Family, columns: Columns, truth: Mapping[str, float]) -> F64:
    return np.asarray(evaluate(family.text, {**columns, **truth}), np.float64)


def _noise(u: float, v: float) -> float:
    """Nothing in a fifth, else a standard deviation of the logarithm from 1e-4 to .1."""
    return 0.0 if u < 0.2 else 10.0 ** (-4.0 + 3.0 * v)


def _add_outliers(y: F64, u: float, v: float, stream: Stream) -> int:
    """In half of the problems up to a tenth of the rows is off by a factor of up to 1.5."""
    if u < 0.5:
        return 0
    count = max(1, int(0.1 * v * y.size))
    rows = np.argsort(stream.uniforms(y.size), kind="stable")[:count]
    low, high = math.log(LEAST_DRAWN_OUTLIER), math.log(LARGEST_OUTLIER)
    size = low + (high - low) * stream.uniforms(count)
    y[rows] *= np.exp(np.where(stream.uniforms(count) < 0.5, size, -size))
    return count


def _weights(n_rows: int, u: float, stream: Stream) -> tuple[str, F64]:
    if u < 0.65:
        return "none", np.ones(n_rows)
    decades = 2.0 if u < 0.75 else 6.0
    return "mild" if u < 0.75 else "wild", np.asarray(10.0 ** (decades * (stream.uniforms(n_rows) - 0.5)))


def _loss(u: float, v: float, size: float) -> tuple[str, float | str]:
    if u < 0.25:
        return "squared", math.inf
    if u < 0.55:
        return "huber", size * 10.0 ** (-3.5 + 2.0 * v)
    return "mad", "mad"


# Ranges of the variables: powers of ten of the lower end, and how many decades from there.
SIZES = {"N": (7.0, 8.5, 0.8, 2.5), "D": (8.3, 10.0, 0.8, 2.5), "C": (17.0, 20.0, 2.0, 5.0), "x": (5.0, 9.0, 1.5, 4.0)}


def _design(family: Family, n_rows: int, u: float, stream: Stream) -> tuple[str, Columns]:
    """Where the runs are: a grid, scattered, isoFLOP curves, or (nearly) one ratio of tokens to parameters."""
    ends = {name: _ends(name, stream) for name in family.variables if name in SIZES}
    if family.name == "saturating":
        ends["x"] = (ends["x"][1] - 4.0, ends["x"][1])
    if len(ends) == 1:
        (name, (low, high)) = next(iter(ends.items()))
        kind = "even" if u < 0.4 else "scattered" if u < 0.8 else "narrow"
        high = low + 0.5 if kind == "narrow" else high
        place = np.linspace(0.0, 1.0, n_rows) if kind == "even" else stream.uniforms(n_rows)
        place = place if family.name != "saturating" else np.log10(1e-4 + place) / 4.0 + 1.0
        columns = {name: np.asarray(10.0 ** (low + (high - low) * place))}
    else:
        kind, columns = _two_sizes(ends["N"], ends["D"], n_rows, u, stream)
    if "P" in family.variables:
        columns["P"] = 2.0 ** np.floor(4.0 * stream.uniforms(n_rows))
    if "k" in family.variables:
        most = 4.0 + np.floor(7.0 * stream.uniforms(1)[0])
        columns["k"] = 2.0 ** np.floor(most * stream.uniforms(n_rows))
    return kind, columns


def _ends(name: str, stream: Stream) -> tuple[float, float]:
    lowest, highest, least, most = SIZES[name]
    u, v = stream.uniforms(2)
    low = lowest + (highest - lowest) * u
    return low, low + least + (most - least) * v


def _two_sizes(
    n_ends: tuple[float, float], d_ends: tuple[float, float], n_rows: int, u: float, stream: Stream
) -> tuple[str, dict[str, F64]]:
    first, second = stream.uniforms(n_rows), stream.uniforms(n_rows)
    size = n_ends[0] + (n_ends[1] - n_ends[0]) * first
    if u < 0.3:
        side = max(2, round(math.sqrt(n_rows)))
        rows = np.arange(n_rows)
        size = n_ends[0] + (n_ends[1] - n_ends[0]) * (rows % side) / (side - 1)
        data = d_ends[0] + (d_ends[1] - d_ends[0]) * (rows // side) / max(1, (n_rows - 1) // side)
        return "grid", {"N": 10.0**size, "D": 10.0**data}
    if u < 0.6:
        data = d_ends[0] + (d_ends[1] - d_ends[0]) * second
        return "scattered", {"N": 10.0**size, "D": 10.0**data}
    if u < 0.8:
        # About twenty tokens a parameter at each of some budgets, half a decade to either side.
        budget = 2.0 * n_ends[0] + 2.1 + 2.0 * (n_ends[1] - n_ends[0]) * np.floor(6.0 * first) / 5.0
        size = 0.5 * (budget - 2.1) + (second - 0.5)
        return "isoflop", {"N": 10.0**size, "D": 10.0 ** (budget - size) / 6.0}
    exact = stream.uniforms(1)[0] < 0.1
    spread = 0.0 if exact else 10.0 ** (-2.0 + 1.5 * stream.uniforms(1)[0])
    ratio = 20.0 * np.exp(spread * stream.normals(n_rows))
    return "one ratio" if exact else "collinear", {"N": 10.0**size, "D": ratio * 10.0**size}
