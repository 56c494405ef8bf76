"""Which rows of a table count, and which belong together: conditions, labels, groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lawfit import _arrays
from lawfit._columns import Column, at_rows, distinct
from lawfit._engine import F64, I64
from lawfit._table import Table
from lawfit._wording import suggest
from lawfit.errors import DataError


class Groups(NamedTuple):
    """Rows put together by key: rows ``order[offsets[g]:offsets[g + 1]]`` of the table belong to group ``g``."""

    keys: tuple[tuple[object, ...], ...]
    order: I64
    offsets: I64


def _group_codes(table: Table, by: Sequence[str], rows: I64) -> I64:
    """Give rows with equal values in the columns ``by`` equal numbers; missing values are equal to each other."""
    _, codes = distinct(table.column(by[0]).values[rows])
    for name in by[1:]:
        levels, inverse = distinct(table.column(name).values[rows])
        # Codes are made dense again after each column, so that many columns cannot overflow them.
        _, codes = distinct(codes * levels.size + inverse)
    return codes


def _put_together(codes: I64) -> tuple[I64, I64]:
    """Return the rows of each code in turn, and where each code's rows begin and the last one's end."""
    order = np.arange(codes.size, dtype=np.int64)
    if np.any(codes[1:] < codes[:-1]):
        # With the row in the key the fast sort, which is not stable, keeps rows of one code in order.
        order = np.sort(codes * codes.size + order) % codes.size
    return order, np.concatenate([[0], np.cumsum(np.bincount(codes))])


def numbers_within_groups(table: Table, by: Sequence[str], order: I64, offsets: I64) -> I64:
    """Return the number of each of the rows of groups within its group, from 0, rows of the table left out counted."""
    if not by:
        return order
    places = np.arange(order.size, dtype=np.int64) - np.repeat(offsets[:-1], np.diff(offsets))
    if order.size == table.n_rows:  # none is left out
        return places
    every = np.arange(table.n_rows, dtype=np.int64)
    numbers = np.empty(table.n_rows, dtype=np.int64)
    within, starts = _put_together(_group_codes(table, by, every))
    numbers[within] = every - np.repeat(starts[:-1], np.diff(starts))
    return numbers[order]


# Whole numbers up to here are exact in 64-bit floats.
EXACT = 2.0**53
LEAVE_EMPTY_OUT = "give it a value, or drop such rows with where="


def _check_labels(table: Table, name: str, rows: I64 | None, argument: str) -> None:
    """Raise ``DataError`` unless the values of a column tell rows apart: present, and exact."""
    if name not in table.names:
        raise DataError(f"{argument}: there is no column {name!r}; {suggest(name, table.names, 'the columns are')}")
    column = table.column(name)
    values = at_rows(column.values, rows)
    _arrays.check_finite(values, f"{argument}: column {name!r}", "drop those rows with where=", rows)
    if column.kind == "number" and np.any(np.abs(values) >= EXACT):
        raise DataError(
            f"{argument}: column {name!r} holds numbers beyond 2**53, which 64-bit floats cannot tell apart; "
            "make it text"
        )
    if "" in column.levels and np.any(values == column.levels.index("")):
        row = _arrays.row_number(rows, np.flatnonzero(values == column.levels.index(""))[0])
        raise DataError(
            f"{argument}: column {name!r} is missing or empty in row {row} (counted from 0); {LEAVE_EMPTY_OUT}"
        )


def label_rows(table: Table, name: str, rows: I64 | None, argument: str) -> tuple[I64, tuple[object, ...]]:
    """Give each of the rows the position of its value of a column among the distinct ones, which come second."""
    _check_labels(table, name, rows, argument)
    column = table.column(name)
    levels, codes = distinct(at_rows(column.values, rows))
    return codes, tuple(as_keys(column, levels))


def group_rows(table: Table, by: Sequence[str], rows: I64) -> Groups:
    """Group ``rows`` of a table by the values of its columns ``by``, groups in order of first appearance."""
    for name in by:
        _check_labels(table, name, rows, "by")
    if not by:
        return Groups(((),), rows, np.array([0, rows.size], dtype=np.int64))
    within, starts = _put_together(_group_codes(table, by, rows))
    turn = np.argsort(within[starts[:-1]])
    sizes = np.diff(starts)[turn]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    order = rows[within[np.repeat(starts[turn] - offsets[:-1], sizes) + np.arange(rows.size)]]
    heads = order[offsets[:-1]]
    parts = [as_keys(column, column.values[heads]) for column in map(table.column, by)]
    return Groups(tuple(zip(*parts, strict=True)), order, offsets)


def as_keys(column: Column, values: F64) -> list[object]:
    """Return values of a column as a reader would write them: texts, truth values, whole numbers or others."""
    given = values.tolist()
    if column.kind == "text":
        return [column.levels[int(value)] for value in given]
    if column.kind == "condition":
        return [bool(value) for value in given]
    return [int(value) if value.is_integer() else value for value in given]


def key_value(column: Column, row: int) -> object:
    """Return one value of a column as a reader would write it."""
    return as_keys(column, column.values[[row]])[0]


def select_rows(table: Table, where: object) -> I64:
    """Positions of the rows that a condition keeps: text in the law language, or one truth value per row."""
    if where is None:
        return np.arange(table.n_rows, dtype=np.int64)
    if isinstance(where, str):
        kept = table.evaluate(where, want="condition", argument="where")
        label = f"where={where!r}"
    else:
        given = np.asarray(where)
        if given.dtype.kind != "b" or given.shape != (table.n_rows,):
            raise DataError(
                f"where: give a condition as text, or {table.n_rows} truth values, one per row; "
                f"got {given.dtype} of shape {given.shape}"
            )
        kept, label = given.astype(np.float64), "where"
    _arrays.check_finite(kept, label, "a condition needs a value in every row")
    rows = np.flatnonzero(kept != 0.0).astype(np.int64)
    if rows.size == 0:
        raise DataError(f"{label} keeps none of the {table.n_rows} rows")
    return rows
