"""Tables made of tables: rows and columns chosen, metrics melted, files stacked, W&B charts unpivoted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lawfit import _arrays
from lawfit._columns import Column, join, missing_values, repeat_text, take
from lawfit._engine import I64
from lawfit._selection import group_rows, select_rows
from lawfit._table import Table, table_of
from lawfit._wording import describe, suggest
from lawfit.errors import DataError


def where(table: Table, condition: object) -> Table:
    """Return the rows that meet a condition."""
    return _rows_of(table, select_rows(table, condition))


def _rows_of(table: Table, rows: I64) -> Table:
    sampled = None if table.sampled is None else table.sampled.take(rows)
    return replace(table, n_rows=rows.size, _get=lambda name: take(table.column(name), rows), _read={}, sampled=sampled)


def select(table: Table, patterns: Sequence[str]) -> Table:
    """Return some of the columns."""
    return replace(table, names=_matching(table, patterns, "select"), _get=table.column, _read={})


def _matching(table: Table, patterns: object, argument: str) -> tuple[str, ...]:
    """Names of the columns that patterns mean, each once, in the order of the patterns."""
    if isinstance(patterns, str):
        patterns = (patterns,)
    if not isinstance(patterns, Sequence) or not patterns or not all(isinstance(each, str) for each in patterns):
        raise DataError(f'{argument}: give names of columns or patterns such as "eval/*", not {describe(patterns)}')
    found: dict[str, None] = {}
    for given in patterns:
        pattern = given.removeprefix("!")
        fitting = [pattern] if pattern in table.names else [n for n in table.names if fnmatchcase(n, pattern)]
        if not fitting:
            hint = suggest(pattern, table.names, "the columns are")
            raise DataError(f"{argument}: no column is or fits {pattern!r}; {hint}")
        if given == pattern or given in table.names:
            found.update(dict.fromkeys(fitting))
        else:
            found = {name: None for name in found if name not in fitting}
    if not found:
        raise DataError(
            f"{argument}: the patterns leave no column; one that begins with ! takes away from those before"
        )
    return tuple(found)


def melt(table: Table, metrics: Sequence[str], name: str, value: str) -> Table:
    """Return one row per row and metric, the rows of a metric together."""
    melted = _matching(table, metrics, "metrics")
    kept = tuple(other for other in table.names if other not in melted)
    for argument, made in (("name", name), ("value", value)):
        if made in kept or (argument == "value" and made == name):
            raise DataError(f"{argument}={made!r}: there is a column of that name; choose another")
    for metric in melted:
        if table.column(metric).kind == "text" and not missing_values(table.column(metric)).all():
            raise DataError(f"metrics: column {metric!r} holds text, where metrics are numbers")

    def read(wanted: str) -> Column:
        if wanted == name:
            return repeat_text(name, melted, table.n_rows)
        if wanted == value:
            return join(value, [table.column(metric) for metric in melted], [table.n_rows] * len(melted))
        column = table.column(wanted)
        return column._replace(values=np.tile(column.values, len(melted)))

    rows = np.tile(np.arange(table.n_rows, dtype=np.int64), len(melted))
    sampled = None if table.sampled is None else table.sampled.take(rows)
    return Table((*kept, name, value), rows.size, table.library, read, sampled=sampled, notes=table.notes)


def last(table: Table, by: str | Sequence[str], order: str, share: float | None) -> Table:
    """Return the last row of each run, or those past a share of its training."""
    names = (by,) if isinstance(by, str) else tuple(by)
    if not names:
        raise DataError("by: name the columns that tell runs apart")
    if share is not None and not (isinstance(share, float | int) and 0.0 <= share <= 1.0):
        raise DataError(f"share={share!r}: give a number from 0 to 1, the share of a run's training")
    progress = table.evaluate(order, want="number", argument="order")
    _arrays.check_finite(progress, f"order={order!r}", "leave such rows out with .where()")
    groups = group_rows(table, names, np.arange(table.n_rows, dtype=np.int64))
    kept: list[I64] = []
    for start, stop in zip(groups.offsets[:-1], groups.offsets[1:], strict=True):
        rows = groups.order[start:stop]
        steps = progress[rows]
        if share is None:
            kept.append(rows[np.flatnonzero(steps == steps.max())[-1:]])
        else:
            kept.append(rows[steps >= share * steps.max()])
    return _rows_of(table, np.sort(np.concatenate(kept)))


def to_dict(table: Table) -> dict[str, NDArray[Any]]:
    """Return the columns as arrays."""
    return {name: _as_array(table.column(name)) for name in table.names}


def _as_array(column: Column) -> NDArray[Any]:
    if column.kind == "text":
        return np.array(column.levels)[column.values.astype(np.int64)]
    if column.kind == "condition" and not np.isnan(column.values).any():
        return column.values.astype(np.bool_)
    return column.values.copy()


def stack(tables: Sequence[Table], labels: Sequence[str], label: str) -> Table:
    """Put tables below each other, with a column of their labels if none of them has one of that name.

    A column that some of them do not have is missing there.
    """
    names = dict.fromkeys(name for table in tables for name in table.names)
    is_new = label not in names
    sizes = [table.n_rows for table in tables]

    def read(name: str) -> Column:
        if is_new and name == label:
            parts = [repeat_text(label, [text], size) for text, size in zip(labels, sizes, strict=True)]
            return join(label, parts, sizes)
        return join(name, [table.column(name) if name in table.names else None for table in tables], sizes)

    return Table((*names, *([label] if is_new else [])), sum(sizes), tables[0].library, read)


# How the horizontal axis of an exported chart is called, where nobody chose another.
_STEPS = ("Step", "_step")
_RANGE_ENDS = ("__MIN", "__MAX")


def is_wandb_chart(table: Table) -> bool:
    """Whether a table is a chart that W&B exported: a step, then columns "run - metric"."""
    others = table.names[1:]
    return table.names[0] in _STEPS and bool(others) and all(" - " in name for name in others)


def unpivot_wandb(table: Table) -> Table:
    """Return the columns run, step and one per metric of an exported chart; steps at which a run has none are left out.

    The columns ``__MIN`` and ``__MAX``, the ends of what the chart averages, are dropped.
    """
    cells = {
        tuple(name.rsplit(" - ", 1)): table.column(name) for name in table.names[1:] if not name.endswith(_RANGE_ENDS)
    }
    if not cells:
        raise DataError("data: an exported chart with nothing but __MIN and __MAX columns; export its means")
    runs = list(dict.fromkeys(run for run, _ in cells))
    metrics = list(dict.fromkeys(metric for _, metric in cells))
    sizes = [table.n_rows] * len(runs)
    columns = {"run": repeat_text("run", runs, table.n_rows)}
    columns["step"] = join("step", [table.column(table.names[0])] * len(runs), sizes)
    for metric in metrics:
        # The step of the axis is there already.
        if metric not in ("_step", "step"):
            columns[metric] = join(metric, [cells.get((run, metric)) for run in runs], sizes)
    measured = [~missing_values(column) for name, column in columns.items() if name not in ("run", "step")]
    rows = np.flatnonzero(np.any(measured, axis=0)).astype(np.int64)
    if rows.size == 0:
        raise DataError("data: an exported chart without a value")
    return table_of({name: take(column, rows) for name, column in columns.items()}, table.library)
