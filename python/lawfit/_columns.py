"""One column, whatever library it comes from, as the engine takes it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lawfit._engine import F64, I64
from lawfit._sizes import RULE, parse_size
from lawfit._wording import listed
from lawfit.errors import DataError

_LEFT_OUT = str.maketrans("", "", " -_`")


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return a column's name without case, spaces, dashes, underscores and backticks: what it is recognised by."""
    return name.lower().translate(_LEFT_OUT)


class Column(NamedTuple):
    """One column as the engine takes it: numbers, conditions (0 or 1), or positions in ``levels``; missing is NaN."""

    name: str
    values: F64
    kind: str
    levels: tuple[str, ...]


def as_column(name: str, given: object, *, is_borrowed: bool = False) -> Column:
    """Values of one column, whatever library they come from.

    They are a copy, unless ``is_borrowed`` and the engine can read what is given as it is.
    """
    if isinstance(given, Column):
        return given
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
    if kind in "iufb":
        is_ready = values.dtype == np.float64 and values.flags.c_contiguous and values.flags.aligned
        numbers = values if is_borrowed and is_ready else values.astype(np.float64)
        return Column(name, numbers, "condition" if kind == "b" else "number", ())
    if kind in "UST":
        return _text_column(name, values.astype(np.str_, copy=False))
    if kind == "O":
        return _object_column(name, values)
    raise DataError(f"column {name!r} holds values of type {values.dtype}; numbers, conditions or text are needed")


def _is_missing(value: object) -> bool:
    is_nan = isinstance(value, float) and value != value
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def _object_column(name: str, values: NDArray[Any]) -> Column:
    """Column of Python objects: all conditions, all numbers or all text, with missing values among them."""
    if set(map(type, values.tolist())) == {str}:
        return _text_column(name, values)
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


def _text_column(name: str, values: NDArray[Any]) -> Column:
    levels, codes = distinct(values)
    return Column(name, codes.astype(np.float64), "text", tuple(levels.tolist()))


def distinct(values: NDArray[Any]) -> tuple[NDArray[Any], I64]:
    """Return the distinct values in their order, and of each value its position among them."""
    # Equal values mostly stand together, and then only the first of them has to be sorted.
    is_head = np.ones(values.size, dtype=np.bool_)
    is_head[1:] = values[1:] != values[:-1]
    heads = np.flatnonzero(is_head)
    levels, codes = np.unique(values[heads], return_inverse=True)
    return levels, np.repeat(codes.reshape(-1), np.diff(heads, append=values.size)).astype(np.int64, copy=False)


# Levels of a text column that its line in a printed table shows, and characters of each.
MOST_LEVELS = 4
MOST_CHARACTERS = 24


def missing_values(column: Column) -> NDArray[np.bool_]:
    """Whether each value is missing: NaN, or the empty text."""
    missing = np.isnan(column.values)
    if column.kind == "text":
        blank = [code for code, level in enumerate(column.levels) if not level.strip()]
        missing |= np.isin(column.values, blank)
    return missing


def n_missing(column: Column) -> int:
    """Return how many values are missing."""
    return int(np.count_nonzero(missing_values(column)))


def shown_values(column: Column) -> str:
    """Say in a few words what a column holds."""
    present = column.values[~missing_values(column)]
    if present.size == 0:
        return "none"
    if column.kind == "number":
        return f"{present.min():g} to {present.max():g}"
    if column.kind == "condition":
        return f"{np.count_nonzero(present)} true"
    levels = [column.levels[int(code)] for code in np.unique(present)]
    short = [level if len(level) <= MOST_CHARACTERS else level[: MOST_CHARACTERS - 3] + "..." for level in levels]
    return f"{len(levels)} different: {listed(short, MOST_LEVELS)}"


def reads_as_numbers(column: Column) -> bool:
    """Whether a text column is one of numbers or sizes in words: at least half of its texts can be read as such."""
    texts = [level for level in column.levels if level.strip()]
    return bool(texts) and 2 * sum(parse_size(text) is not None for text in texts) >= len(texts)


def as_numbers(column: Column, argument: str) -> Column:
    """Numbers of a text column of numbers or sizes in words, such as "2.8B"; empty texts are missing."""
    if column.kind != "text":
        return column
    read = [parse_size(level) for level in column.levels]
    is_odd = np.array([size is None and bool(level.strip()) for size, level in zip(read, column.levels, strict=True)])
    codes = column.values.astype(np.int64)
    odd_rows = np.flatnonzero(is_odd[codes])
    if odd_rows.size:
        row = int(odd_rows[0])
        raise DataError(
            f"{argument}: the column holds text, {column.levels[codes[row]]!r} in row {row} (counted from 0), "
            f"{odd_rows.size} such in all, where a number is needed: {RULE}; convert it, or compare it with a text: "
            "where=\"column == 'value'\""
        )
    sizes = np.array([np.nan if size is None else size for size in read])
    return Column(column.name, sizes[codes], "number", ())


def at_rows(values: F64, rows: I64 | None) -> F64:
    """Return the values of some rows; without ``rows`` those of all, as they are."""
    return values if rows is None else values[rows]


def take(column: Column, rows: I64) -> Column:
    """Return some rows of a column."""
    return column._replace(values=column.values[rows])


def repeat_text(name: str, texts: Sequence[str], count: int) -> Column:
    """Return a column of texts, each ``count`` times in turn."""
    return _text_column(name, np.repeat(np.array(texts, dtype=np.str_), count))


def join(name: str, parts: Sequence[Column | None], sizes: Sequence[int]) -> Column:
    """Put parts of a column below each other; None stands for so many missing values."""
    filled = [part for part in parts if part is not None and n_missing(part) < part.values.size]
    kinds = {part.kind for part in filled}
    if "text" in kinds and kinds != {"text"}:
        filled = [as_numbers(part, f"column {name!r}") for part in filled]
        parts = [None if part is None else as_numbers(part, f"column {name!r}") for part in parts]
        kinds = {"number"}
    if kinds == {"text"}:
        blocks = [
            np.full(size, "") if part is None or part.kind != "text" else np.array(part.levels)[part.values.astype(int)]
            for part, size in zip(parts, sizes, strict=True)
        ]
        return _text_column(name, np.concatenate(blocks))
    values = [np.full(size, np.nan) if part is None else part.values for part, size in zip(parts, sizes, strict=True)]
    return Column(name, np.concatenate(values), "condition" if kinds == {"condition"} else "number", ())
