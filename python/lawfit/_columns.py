"""One column, whatever library it comes from, as the engine takes it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lawfit import _arrays
from lawfit._engine import F64
from lawfit.errors import DataError


class Column(NamedTuple):
    """One column as the engine takes it: numbers, conditions (0 or 1), or positions in ``levels``; missing is NaN."""

    name: str
    values: F64
    kind: str
    levels: tuple[str, ...]


def as_column(name: str, given: object) -> Column:
    """Values of one column, whatever library they come from."""
    masked = np.ma.getmaskarray(given) if isinstance(given, np.ma.MaskedArray) else None
    try:
        values: NDArray[Any] = np.asarray(given)
    except (ValueError, TypeError) as error:
        raise DataError(f"column {name!r} cannot be read as an array ({error})") from None
    if masked is not None and masked.any():
        values = values.astype(object)
        values[masked] = None
    if values.ndim != 1:
        raise DataError(f"column {name!r} has {values.ndim} dimensions; give one value per row")
    kind = values.dtype.kind
    if kind in "iuf":
        return Column(name, _arrays.as_float64(values, name), "number", ())
    if kind == "b":
        return Column(name, _arrays.as_float64(values, name), "condition", ())
    if kind in "UST":
        return _text_column(name, values.astype(np.str_))
    if kind == "O":
        return _object_column(name, values)
    raise DataError(f"column {name!r} holds values of type {values.dtype}; numbers, conditions or text are needed")


def _is_missing(value: object) -> bool:
    is_nan = isinstance(value, float) and value != value
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def _object_column(name: str, values: NDArray[Any]) -> Column:
    """Column of Python objects: all conditions, all numbers or all text, with missing values among them."""
    missing = np.array([_is_missing(value) for value in values], dtype=bool)
    present = values[~missing]
    if all(isinstance(value, bool | np.bool_) for value in present) and present.size:
        return Column(name, _with_missing(missing, present), "condition", ())
    if all(isinstance(value, str) for value in present) and present.size:
        return _text_column(name, np.where(missing, "", values).astype(np.str_))
    odd = [
        (row, value)
        for row, value in zip(np.flatnonzero(~missing), present, strict=True)
        if isinstance(value, str | bytes | bool) or not hasattr(value, "__float__")
    ]
    if odd:
        row, value = odd[0]
        raise DataError(
            f"column {name!r} mixes types: row {row} (counted from 0) holds {value!r}; make it all numbers or all text"
        )
    return Column(name, _with_missing(missing, present), "number", ())


def _with_missing(missing: NDArray[np.bool_], present: NDArray[Any]) -> F64:
    out = np.full(missing.size, np.nan)
    out[~missing] = present.astype(np.float64)
    return out


def _text_column(name: str, values: NDArray[np.str_]) -> Column:
    levels, codes = np.unique(values, return_inverse=True)
    return Column(name, codes.reshape(-1).astype(np.float64), "text", tuple(str(level) for level in levels))
