"""Robust losses of a residual, as the engine defines them: value, derivative and slope, for what is made of a fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lawfit._engine import F64


class Point(NamedTuple):
    """A loss at residuals r, (n,) each: rho(r), its derivative psi(r) and the slope of that."""

    rho: F64
    psi: F64
    slope: F64


def _squared(r: F64, _scale: float) -> Point:
    return Point(0.5 * r * r, r, np.ones_like(r))


def _huber(r: F64, scale: float) -> Point:
    inside = np.abs(r) <= scale
    rho = np.where(inside, 0.5 * r * r, scale * (np.abs(r) - 0.5 * scale))
    return Point(rho, np.clip(r, -scale, scale), inside.astype(np.float64))


def _soft_l1(r: F64, scale: float) -> Point:
    root = np.sqrt(1.0 + (r / scale) ** 2)
    # scale² (root - 1), written so that nothing cancels where r is small.
    return Point(r * r / (root + 1.0), r / root, root**-3.0)


def _cauchy(r: F64, scale: float) -> Point:
    z = (r / scale) ** 2
    return Point(0.5 * scale**2 * np.log1p(z), r / (1.0 + z), (1.0 - z) / (1.0 + z) ** 2)


LOSSES: dict[str, Callable[[F64, float], Point]] = {
    "squared": _squared,
    "huber": _huber,
    "soft_l1": _soft_l1,
    "cauchy": _cauchy,
}
