"""Runs, or problems, that stand in several rows of a table, seen by the column that names them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from lawfit._batch import Repeat
from lawfit._columns import at_rows, distinct, plain_name
from lawfit._engine import F64, I64
from lawfit._selection import as_keys
from lawfit._table import Table
from lawfit.errors import DataError

# What columns of runs are called, as `plain_name` gives it.
RUN_COLUMNS = frozenset({"run", "runid", "runname", "experimentid", "wandbid"})
PROBLEM_COLUMNS = frozenset(
    {"problem", "problemid", "problemidx", "question", "questionid", "item", "itemid", "taskid", "promptid", "docid"}
)
KINDS = {"run": RUN_COLUMNS, "problem": PROBLEM_COLUMNS}


def repeated_runs(
    table: Table, order: I64 | None, offsets: I64, weights: F64 | None, others: Collection[str], kind: str = "run"
) -> tuple[Repeat | None, ...]:
    """For each group of rows the run that stands in most of them, if in more than one; empty without such a column.

    Rows of weight 0 do not count. ``kind`` is a key of ``KINDS``; ``others`` are columns with another meaning in the
    call, such as those of ``by=``.
    """
    for name in table.names:
        if plain_name(name) in KINDS[kind] and name not in others:
            try:
                column = table.column(name)
            except DataError:  # it holds what no column can; nothing else asked for it
                continue
            values = at_rows(column.values, order)
            if "" in column.levels:
                values = np.where(values == column.levels.index(""), np.nan, values)
            if weights is not None:
                values = np.where(weights > 0.0, values, np.nan)
            groups, rows, counts = _most_repeated(values, offsets)
            labels = as_keys(column, column.values[rows if order is None else order[rows]])
            found: list[Repeat | None] = [None] * (offsets.size - 1)
            for group, label, count in zip(groups.tolist(), labels, counts.tolist(), strict=True):
                found[group] = Repeat(name, label, count, kind)
            return tuple(found)
    return ()


def _most_repeated(values: F64, offsets: I64) -> tuple[I64, I64, I64]:
    """Find groups in which a value stands in several rows, a row of the most frequent in each, and how many have it."""
    present = np.flatnonzero(~np.isnan(values))
    group = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))[present]
    levels, codes = distinct(values[present])
    keys, first, counts = np.unique(group * max(levels.size, 1) + codes, return_index=True, return_counts=True)
    several = counts > 1
    groups, first, counts = keys[several] // max(levels.size, 1), first[several], counts[several]
    # Of equally frequent ones the first in the table.
    ranked = np.lexsort((first, -counts, groups))
    groups, best = np.unique(groups[ranked], return_index=True)
    return groups, present[first[ranked[best]]], counts[ranked[best]]
