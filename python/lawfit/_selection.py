"""Which rows of a table count, and which belong together: conditions, labels, groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lawfit import _arrays
from lawfit._columns import Column
from lawfit._engine import I64
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
    codes = np.zeros(rows.size, dtype=np.int64)
    for name in by:
        levels, inverse = np.unique(table.column(name).values[rows], return_inverse=True)
        # Codes are made dense again after each column, so that many columns cannot overflow them.
        _, codes = np.unique(codes * levels.size + inverse.reshape(-1), return_inverse=True)
        codes = codes.reshape(-1).astype(np.int64)
    return codes


def numbers_within_groups(table: Table, by: Sequence[str]) -> I64:
    """Return the number of each row within its group, from 0, in the order of the table."""
    if not by:
        return np.arange(table.n_rows, dtype=np.int64)
    codes = _group_codes(table, by, np.arange(table.n_rows, dtype=np.int64))
    within = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))])
    numbers = np.empty(table.n_rows, dtype=np.int64)
    numbers[within] = np.arange(table.n_rows) - np.repeat(starts[:-1], np.diff(starts))
    return numbers


# Whole numbers up to here are exact in 64-bit floats.
EXACT = 2.0**53
LEAVE_EMPTY_OUT = "give it a value, or drop such rows with where="


def _check_labels(table: Table, name: str, rows: I64, argument: str) -> None:
    """Raise ``DataError`` unless the values of a column tell rows apart: present, and exact."""
    if name not in table.names:
        raise DataError(f"{argument}: there is no column {name!r}; {suggest(name, table.names, 'the columns are')}")
    column = table.column(name)
    values = column.values[rows]
    _arrays.check_finite(values, f"{argument}: column {name!r}", "drop those rows with where=", rows)
    if column.kind == "number" and np.any(np.abs(values) >= EXACT):
        raise DataError(
            f"{argument}: column {name!r} holds numbers beyond 2**53, which 64-bit floats cannot tell apart; "
            "make it text"
        )
    if "" in column.levels and np.any(values == column.levels.index("")):
        row = rows[np.flatnonzero(values == column.levels.index(""))[0]]
        raise DataError(
            f"{argument}: column {name!r} is missing or empty in row {row} (counted from 0); {LEAVE_EMPTY_OUT}"
        )


def label_rows(table: Table, name: str, rows: I64, argument: str) -> tuple[I64, tuple[object, ...]]:
    """Give each of the rows the position of its value of a column among the distinct ones, which come second."""
    _check_labels(table, name, rows, argument)
    column = table.column(name)
    _, first, codes = np.unique(column.values[rows], return_index=True, return_inverse=True)
    labels = tuple(key_value(column, int(row)) for row in rows[first])
    return codes.reshape(-1).astype(np.int64), labels


def group_rows(table: Table, by: Sequence[str], rows: I64) -> Groups:
    """Group ``rows`` of a table by the values of its columns ``by``, groups in order of first appearance."""
    for name in by:
        _check_labels(table, name, rows, "by")
    codes = _group_codes(table, by, rows)
    _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(first.size)
    groups = rank[codes.reshape(-1)]
    within = np.argsort(groups, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=first.size))]).astype(np.int64)
    heads = rows[within[offsets[:-1]]]
    keys = tuple(tuple(key_value(table.column(name), int(row)) for name in by) for row in heads)
    return Groups(keys, rows[within], offsets)


def key_value(column: Column, row: int) -> object:
    """Return one value of a column as a reader would write it: text, a truth value, a whole number or another."""
    value = float(column.values[row])
    if column.kind == "text":
        return column.levels[int(value)]
    if column.kind == "condition":
        return bool(value)
    return int(value) if value.is_integer() else value


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
