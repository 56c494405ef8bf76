"""The lowest point of a curve through a few runs of one budget: a parabola, or Akima's interpolation, in ln N."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lawfit._engine import F64

# A parabola has three coefficients, and one run more tells how far it is from them.
FEWEST = 4
# Points between two runs at which an interpolating curve is looked at; the best is then refined by a parabola.
BETWEEN = 64


class Curve(NamedTuple):
    """Lowest points of W curves through the same runs."""

    at: F64  # (W,) ln N, NaN where the curve opens downwards or is lowest at a run at the end
    value: F64  # (W,) the response there
    opens_up: F64  # (W,) 1 where it opens upwards, 0 elsewhere
    coefficients: F64  # (W, 3) of the parabola in ln N - centre


def parabola(x: F64, y: F64, weights: F64) -> Curve:
    """Fit parabolas in ``x`` (n,) to ``y`` (n,) by least squares with each row of ``weights`` (W, n).

    Sums of powers are those of x from its middle in units of its half range: the equations are well conditioned.
    """
    middle, half = 0.5 * (x.min() + x.max()), 0.5 * (x.max() - x.min())
    z = (x - middle) / half
    powers = z[:, np.newaxis] ** np.arange(5)
    moments = weights @ powers
    right = weights @ (y[:, np.newaxis] * powers[:, :3])
    left = moments[:, np.add.outer(np.arange(3), np.arange(3))]
    found = np.full(right.shape, math.nan)
    # Weights may leave fewer than three sizes.
    solvable = np.linalg.cond(left) < 1e12
    found[solvable] = np.linalg.solve(left[solvable], right[solvable][..., np.newaxis])[..., 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        vertex = -0.5 * found[:, 1] / found[:, 2]
        value = found[:, 0] - 0.25 * found[:, 1] ** 2 / found[:, 2]
        opens_up = (found[:, 2] > 0.0).astype(np.float64)
        at = np.where((opens_up > 0.0) & (np.abs(vertex) <= 1.0), middle + half * vertex, math.nan)
    scaled = found / half ** np.arange(3)
    return Curve(at, value, opens_up, scaled)


def akima(x: F64, y: F64, at: F64) -> F64:
    """Interpolate curves ``y`` (W, n) over sorted ``x`` (n,) at points ``at`` (m,). Akima 1970, J. ACM 17."""
    slope = np.diff(y, axis=1) / np.diff(x)
    # Two slopes more at either end, as if the curve went on as a parabola.
    first = 2.0 * slope[:, :1] - slope[:, 1:2]
    last = 2.0 * slope[:, -1:] - slope[:, -2:-1]
    wide = np.concatenate([2.0 * first - slope[:, :1], first, slope, last, 2.0 * last - slope[:, -1:]], axis=1)
    bend = np.abs(np.diff(wide, axis=1))
    before, after = bend[:, 2:], bend[:, :-2]
    total = before + after
    # Where neither side bends, the mean of the two slopes.
    flat = total <= 1e-9 * total.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        tangent = (before * wide[:, 1:-2] + after * wide[:, 2:-1]) / total
    tangent = np.where(flat, 0.5 * (wide[:, 1:-2] + wide[:, 2:-1]), tangent)
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, x.size - 2)
    length = (x[piece + 1] - x[piece])[np.newaxis]
    t = (at - x[piece])[np.newaxis]
    left, right, between = tangent[:, piece], tangent[:, piece + 1], slope[:, piece]
    square = (3.0 * between - 2.0 * left - right) / length
    cube = (left + right - 2.0 * between) / length**2
    return np.asarray(y[:, piece] + t * (left + t * (square + t * cube)))


def lowest_of_akima(x: F64, y: F64) -> Curve:
    """Return the lowest points of Akima's curves through ``y`` (W, n) over sorted ``x`` (n,)."""
    steps = np.linspace(0.0, 1.0, BETWEEN, endpoint=False)
    grid = np.append((x[:-1, np.newaxis] + np.diff(x)[:, np.newaxis] * steps).ravel(), x[-1])
    values = akima(x, y, grid)
    best = values.argmin(axis=1)
    rows = np.arange(len(y))
    inside = (best > 0) & (best < grid.size - 1)
    near = np.clip(best, 1, grid.size - 2)
    # The vertex of the parabola through the best point and its neighbours, which may be unequally far.
    h0, h1 = grid[near] - grid[near - 1], grid[near + 1] - grid[near]
    d0 = (values[rows, near] - values[rows, near - 1]) / h0
    d1 = (values[rows, near + 1] - values[rows, near]) / h1
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = -0.5 * (d0 * h1 + d1 * h0) / (d1 - d0)
    shift = np.where(np.isfinite(shift), np.clip(shift, -h0, h1), 0.0)
    at = np.where(inside, grid[near] + shift, math.nan)
    nothing = np.full((len(y), 3), math.nan)
    return Curve(at, values[rows, best], np.ones(len(y)), nothing)
