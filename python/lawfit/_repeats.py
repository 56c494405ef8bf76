"""Runs, or problems, that stand in several rows of a table, seen by the column that names them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from lawfit._batch import Repeat
from lawfit._engine import F64, I64
from lawfit._selection import key_value
from lawfit._table import Table
from lawfit.errors import DataError

# What columns of runs are called, without case, spaces, dashes and underscores.
RUN_COLUMNS = frozenset({"run", "runid", "runname", "experimentid", "wandbid"})
PROBLEM_COLUMNS = frozenset(
    {"problem", "problemid", "problemidx", "question", "questionid", "item", "itemid", "taskid", "promptid", "docid"}
)
WITHOUT = str.maketrans("", "", " -_")
KINDS = {"run": RUN_COLUMNS, "problem": PROBLEM_COLUMNS}


def repeated_runs(
    table: Table, order: I64, offsets: I64, weights: F64 | None, others: Collection[str], kind: str = "run"
) -> tuple[Repeat | None, ...]:
    """For each group of rows the run that stands in most of them, if in more than one; empty without such a column.

    Rows of weight 0 do not count. ``kind`` is a key of ``KINDS``; ``others`` are columns with another meaning in the
    call, such as those of ``by=``.
    """
    for name in table.names:
        plain = name.lower().translate(WITHOUT)
        if plain in KINDS[kind] and name not in others:
            try:
                column = table.column(name)
            except DataError:  # it holds what no column can; nothing else asked for it
                continue
            values = column.values[order]
            if "" in column.levels:
                values = np.where(values == column.levels.index(""), np.nan, values)
            if weights is not None:
                values = np.where(weights > 0.0, values, np.nan)
            found = _most_repeated(values, offsets)
            return tuple(
                None if row < 0 else Repeat(name, key_value(column, int(order[row])), count, kind)
                for row, count in found
            )
    return ()


def _most_repeated(values: F64, offsets: I64) -> list[tuple[int, int]]:
    """For each group a row of its most frequent value, and how many have it; row -1 where none has two."""
    found = [(-1, 0)] * (offsets.size - 1)
    present = np.flatnonzero(~np.isnan(values))
    group = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))[present]
    levels, codes = np.unique(values[present], return_inverse=True)
    keys, first, counts = np.unique(
        group * max(levels.size, 1) + codes.reshape(-1), return_index=True, return_counts=True
    )
    several = np.flatnonzero(counts > 1)
    # Of equally frequent ones the first in the table; assigned last, so that it stays.
    for i in several[np.lexsort((-first[several], counts[several]))].tolist():
        found[int(keys[i]) // levels.size] = (int(present[first[i]]), int(counts[i]))
    return found
