"""Rows of sampled answers put together: one cell a checkpoint and benchmark, one row a problem in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lawfit._engine import I64
from lawfit._selection import group_rows, key_value, label_rows
from lawfit._table import Table
from lawfit._wording import describe
from lawfit.errors import DataError

Bools = NDArray[np.bool_]
# What columns are called that say which benchmark a problem is of, in lower case.
BENCHMARK_COLUMNS = frozenset({"benchmark", "task", "dataset", "suite", "eval", "evaluation"})


class Cells(NamedTuple):
    """Rows ``order[offsets[g]:offsets[g + 1]]`` of the table are cell ``g``, by problem.

    ``codes`` (n_rows,) are the problems of the ordered rows, positions in ``problems``; ``keys`` (n_cells,) hold the
    values of the columns ``by``.
    """

    by: tuple[str, ...]
    keys: tuple[tuple[object, ...], ...]
    order: I64
    offsets: I64
    codes: I64
    problems: tuple[object, ...]

    @property
    def cell_of(self) -> I64:
        """The cell of each ordered row."""
        return np.repeat(np.arange(len(self.keys)), np.diff(self.offsets))

    def name(self, cell: int) -> str:
        """Write a cell for a message."""
        return name_key(self.by, self.keys[cell])


def name_key(by: Sequence[str], key: Sequence[object]) -> str:
    """Write the values of some columns, with the names of these."""
    return ", ".join(f"{name}={value}" for name, value in zip(by, key, strict=True))


def column_names(given: object, argument: str, what: str) -> tuple[str, ...]:
    """One name, or several, as a tuple."""
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, Sequence) or not names or not all(isinstance(name, str) for name in names):
        shown = "nothing" if isinstance(names, Sequence) and not names else describe(given)
        raise DataError(f"{argument}: name the column, or columns, {what}; got {shown}")
    if len(set(names)) < len(names):
        raise DataError(f"{argument}: a column is named twice in {list(names)}")
    return tuple(names)


def read_cells(table: Table, by: object, problem: object, values: Sequence[str]) -> Cells:
    """Cells of a table; ``values`` are the columns of counts or probabilities, which tell no rows apart."""
    cell_columns = column_names(by, "by", "that tell checkpoints and benchmarks apart")
    problem_columns = column_names(problem, "problem", "that name the problem of a row")
    if set(problem_columns) <= set(cell_columns):
        raise DataError(
            f"by={list(cell_columns)} holds the problem: a mean over problems has several of them in a cell"
        )
    rows = np.arange(table.n_rows, dtype=np.int64)
    groups = group_rows(table, cell_columns, rows)
    codes, problems = _problem_codes(table, problem_columns, rows)
    cell_of = np.repeat(np.arange(len(groups.keys)), np.diff(groups.offsets))
    within = np.lexsort((codes[groups.order], cell_of))
    order = groups.order[within]
    cells = Cells(cell_columns, groups.keys, order, groups.offsets, codes[order], problems)
    others = [name for name in table.names if name not in {*cell_columns, *problem_columns, *values}]
    _check_repeats(table, cells, others)
    _check_benchmarks(table, cells, others)
    return cells


def _problem_codes(table: Table, names: Sequence[str], rows: I64) -> tuple[I64, tuple[object, ...]]:
    codes = np.zeros(table.n_rows, dtype=np.int64)
    first = rows[:1]
    for name in names:
        own, labels = label_rows(table, name, rows, "problem")
        _, first, codes = np.unique(codes * len(labels) + own, return_index=True, return_inverse=True)
        codes = codes.reshape(-1).astype(np.int64)
    keys = [tuple(key_value(table.column(name), int(row)) for name in names) for row in first]
    return codes, tuple(key[0] if len(names) == 1 else key for key in keys)


def _check_repeats(table: Table, cells: Cells, others: Sequence[str]) -> None:
    """Raise ``DataError`` if a problem stands twice in a cell, with the column that would tell the rows apart."""
    same = (np.diff(cells.codes) == 0) & (np.diff(cells.cell_of) == 0)
    if not same.any():
        return
    place = int(np.flatnonzero(same)[0])
    rows = sorted(int(row) for row in cells.order[place : place + 2])
    problem = cells.problems[int(cells.codes[place])]
    one_cell = cells.cell_of * len(cells.problems) + cells.codes
    telling = []
    for name in others:
        try:
            values = table.column(name).values[cells.order]
        except DataError:  # it holds what no column can, and so tells nothing apart
            continue
        levels, own = np.unique(values, return_inverse=True)
        if np.unique(one_cell * levels.size + own.reshape(-1)).size == one_cell.size:
            telling.append((levels.size, name))
    advice = (
        f"column {min(telling)[1]!r} tells them apart: add it to by="
        if telling
        else "no column tells such rows apart: add up the counts of repeated evaluations, or leave the copies out"
    )
    raise DataError(
        f"by={list(cells.by)}: problem {problem!r} stands in rows {rows[0]} and {rows[1]} (counted from 0) of one "
        f"cell, {cells.name(int(cells.cell_of[place]))}, one of {np.count_nonzero(same)} such pairs; {advice}"
    )


def _check_benchmarks(table: Table, cells: Cells, others: Sequence[str]) -> None:
    """Raise ``DataError`` if a cell mixes benchmarks, by the column that names them."""
    for name in others:
        if name.lower() not in BENCHMARK_COLUMNS:
            continue
        values = table.column(name).values[cells.order]
        mixed = (values[1:] != values[:-1]) & (np.diff(cells.cell_of) == 0)
        if mixed.any():
            cell = int(cells.cell_of[np.flatnonzero(mixed)[0]])
            raise DataError(
                f"by={list(cells.by)}: the cell {cells.name(cell)} mixes several values of column {name!r}; add it to "
                f"by=, or to problem= if a mean over all of them is meant"
            )


def families(cells: Cells) -> I64:
    """Which cells are over the same problems, more or less: (n_cells,) numbers of families.

    Two cells belong together if they share at least half of the problems of the smaller one. Labels that two
    benchmarks have in common by chance do not join them.
    """
    distinct: dict[bytes, int] = {}
    own = [cells.codes[start:stop] for start, stop in zip(cells.offsets[:-1], cells.offsets[1:], strict=True)]
    which = np.array([distinct.setdefault(codes.tobytes(), len(distinct)) for codes in own])
    sets = np.zeros((len(distinct), len(cells.problems)), dtype=np.float32)
    for number, codes in zip(which, own, strict=True):
        sets[number, codes] = 1.0
    sizes = sets.sum(axis=1)
    joined = (sets @ sets.T) * 2.0 >= np.minimum(sizes[:, None], sizes)
    family = np.arange(sets.shape[0])
    while True:
        # Each takes the lowest number among those it is joined with, until nothing changes.
        lowest = np.where(joined, family, sets.shape[0]).min(axis=1)
        if (lowest == family).all():
            return np.asarray(family[which], dtype=np.int64)
        family = lowest


def in_all_cells(cells: Cells, family: I64, usable: Bools) -> Bools:
    """Narrow ``usable`` (n_rows, n_k) down to the problems that every cell of the family has at that k.

    Cells without a usable problem at some k do not count there.
    """
    n_problems, cell_of = len(cells.problems), cells.cell_of
    group = family[cell_of] * n_problems + cells.codes
    kept = np.zeros_like(usable)
    for j in range(usable.shape[1]):
        has_any = np.bincount(cell_of[usable[:, j]], minlength=len(cells.keys)) > 0
        n_cells = np.bincount(family[has_any], minlength=len(cells.keys))
        found = np.bincount(group[usable[:, j]], minlength=len(cells.keys) * n_problems)
        kept[:, j] = usable[:, j] & (found[group] == n_cells[family[cell_of]])
    return kept
