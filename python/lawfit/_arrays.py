"""Array-likes become float64, C-contiguous and checked; thread counts come from the argument or the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lawfit import _engine
from lawfit._engine import F64
from lawfit.errors import DataError

THREAD_VARIABLES = ("LAWFIT_NUM_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS")
# More threads than any machine has processors is a slip of the keyboard.
MOST_THREADS = 4096


def as_float64(values: ArrayLike, argument: str) -> F64:
    """Array-like as float64 of the same shape; text, dates and complex numbers are refused."""
    try:
        given = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(f"{argument}: cannot be read as an array of numbers ({error})") from None
    if given.dtype.kind == "O":
        try:
            given = given.astype(np.float64)
        except (ValueError, TypeError) as error:
            raise DataError(f"{argument}: cannot be read as numbers ({error})") from None
    if given.dtype.kind not in "biuf":
        what = "text" if given.dtype.kind in "US" else f"an array of type {given.dtype}"
        raise DataError(f"{argument}: needs numbers, got {what}")
    return given.astype(np.float64, order="C")


def row_number(rows: NDArray[np.int64] | None, place: int | np.intp) -> int:
    """Return the number in the user's table of a row by its place among the chosen ones; None are all rows."""
    return int(place if rows is None else rows[place])


def check_finite(
    values: F64, argument: str, advice: str, rows: NDArray[np.int64] | None = None, *, if_missing: str | None = None
) -> None:
    """Raise ``DataError`` naming the first row whose value is NaN or infinite, and how many there are.

    ``if_missing`` is the advice where any value is NaN, if it is another.
    """
    is_finite = np.isfinite(values)
    if np.count_nonzero(is_finite) == values.size:
        return
    if if_missing is not None and np.isnan(values).any():
        advice = if_missing
    bad = np.flatnonzero(~is_finite)
    first = int(bad[0])
    row = row_number(rows, first)
    value = "missing or NaN" if np.isnan(values[first]) else "infinite"
    among = "the only such row" if bad.size == 1 else f"one of {bad.size} such rows"
    raise DataError(f"{argument} is {value} in row {row} (counted from 0), {among}; {advice}")


def broadcast_points(variables: tuple[str, ...], points: Mapping[str, ArrayLike]) -> tuple[F64, tuple[int, ...]]:
    """Values of the variables as (n_variables, n_points) and the shape that the caller's arrays have together."""
    arrays = []
    for name in variables:
        values = as_float64(points[name], name)
        check_finite(values.ravel(), name, "give finite values")
        arrays.append(values)
    try:
        shape = np.broadcast_shapes(*(values.shape for values in arrays))
    except ValueError:
        sizes = ", ".join(f"{name} {values.shape}" for name, values in zip(variables, arrays, strict=True))
        raise DataError(f"the variables have shapes that do not go together: {sizes}") from None
    stacked = np.empty((len(arrays), int(np.prod(shape, dtype=np.int64))))
    for row, values in zip(stacked, arrays, strict=True):
        row[:] = np.broadcast_to(values, shape).ravel()
    return stacked, shape


def resolve_threads(n_threads: int | None) -> int:
    """Thread count: the argument, or else the first of ``THREAD_VARIABLES`` that is set, or else the cores."""
    if n_threads is not None:
        whole = isinstance(n_threads, int | np.integer) and not isinstance(n_threads, bool)
        if not whole or not 1 <= n_threads <= MOST_THREADS:
            raise DataError(
                f"n_threads={n_threads!r}: give a whole number from 1 to {MOST_THREADS}, or None for all cores"
            )
        return int(n_threads)
    for name in THREAD_VARIABLES:
        text = os.environ.get(name, "").strip()
        if text:
            # OpenMP allows a list by nesting level ("4,2"); the outermost is the one that counts here.
            outermost = text.split(",")[0].strip()
            if not outermost.isascii() or not outermost.isdigit() or not 1 <= int(outermost) <= MOST_THREADS:
                raise DataError(
                    f"the environment variable {name}={text!r} is no whole number from 1 to {MOST_THREADS}; unset it"
                )
            return int(outermost)
    return _engine.default_threads()
