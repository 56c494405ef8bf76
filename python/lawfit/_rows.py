"""From a law and a table to the rows of a batch: columns found, conditions applied, every used value checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays
from lawfit._batch import Dropped, Rows, dropped_words
from lawfit._columns import at_rows
from lawfit._engine import F64, I64
from lawfit._law import Law
from lawfit._repeats import repeated_runs
from lawfit._sanity import flop_ratio
from lawfit._selection import group_rows, label_rows, numbers_within_groups, select_rows
from lawfit._wording import describe, suggest
from lawfit.errors import DataError, LawError
from lawfit.tables import Table, borrow_table

Keys = tuple[tuple[object, ...], ...]
LEAVE_OUT = "fill it, or leave such rows out with where="
DROP_OUT = 'fill it, leave such rows out with missing="drop", or choose rows with where='


def bind_to_table(law: Law, table: Table, columns: Mapping[str, str], response: str) -> Law:
    """Law whose variables are columns of the table, or are mapped to formulas over them."""
    if not isinstance(response, str):
        raise DataError(
            f"response: give the name of the column to fit, or a formula over columns, not {describe(response)}"
        )
    for name in columns:
        if name not in law.names:
            raise LawError(f"columns: {name!r} is not a name of the law {law.text!r}; {suggest(name, law.names)}")
    bound = law.bind(table.names, mapped=columns)
    for name in columns:
        if name not in (bound.variables or ()):
            raise LawError(f"columns: {name!r} is a parameter of the law, not a variable")
    if response in (bound.variables or ()) and response not in columns:
        raise LawError(
            f"response={response!r} is also a variable of the law {law.text!r}; a law cannot contain its response"
        )
    return bound


def table_rows(
    law: Law,
    table: Table,
    *,
    response: str,
    columns: Mapping[str, str],
    where: object,
    weights: object,
    sigma: object,
    residual: str,
    cluster: object = None,
    by: Sequence[str] = (),
    missing: str = "error",
) -> tuple[Rows, Keys]:
    """Rows of one table, put together by the columns ``by``; one group with an empty key without them."""
    keys, order, offsets = _choose(table, by, where)
    variables = law.variables or ()
    dropped: tuple[Dropped, ...] = ()
    if missing == "drop":
        used = [response, *(columns.get(name, name) for name in variables)]
        order, offsets, dropped = _drop_missing(table, order, offsets, used, {"weights": weights, "sigma": sigma})
    # The one copy of the rows: the fit keeps it, the engine reads it, and the caller may change what was given.
    stack = np.empty((len(variables) + 1, int(offsets[-1])))
    x, y = stack[:-1], stack[-1]
    for line, name in zip(x, variables, strict=True):
        line[:] = _column(table, columns.get(name, name), order, f"columns: {name}" if name in columns else "column")
    y[:] = _column(table, response, order, "response")
    if residual == "log":
        _check_positive(y, order, response)
    if weights is not None and sigma is not None:
        raise LawError(
            "sigma: the noise of a row is known (sigma=) or relative (weights=), not both; for relative precisions put "
            '1/sigma**2, or (response/sigma)**2 with residual="log", into weights='
        )
    row_weights = None if weights is None else _weights(table, weights, order)
    clusters, labels, clustered_by = _clusters_of(table, cluster, order)
    rows = Rows(
        variables=variables,
        x=x,
        y=y,
        weights=row_weights,
        sigma=None if sigma is None else _sigma(table, sigma, order),
        chosen=order,
        numbers=None if order is None or not by else numbers_within_groups(table, by, order, offsets),
        offsets=offsets,
        n_table_rows=table.n_rows,
        response=response,
        where=where if isinstance(where, str) else None if where is None else "given",
        library=table.library,
        columns=tuple(columns.items()),
        weighted_by=weights if isinstance(weights, str) else None if weights is None else "given",
        noise_by=sigma if isinstance(sigma, str) else None if sigma is None else "given",
        clusters=clusters,
        cluster_labels=labels,
        clustered_by=clustered_by,
        repeated=()
        if clusters is not None
        else repeated_runs(table, order, offsets, row_weights, {*by, *variables, response}),
        dropped=dropped,
        flops=flop_ratio(table, variables, dict(columns), x, order),
        sampled=table.sampled,
    )
    return rows, keys


def join_rows(parts: Sequence[Rows]) -> Rows:
    """Put rows of several tables, one fit each, into one batch."""
    sizes = [part.y.size for part in parts]
    given = [part.weights for part in parts if part.weights is not None]
    noise = [part.sigma for part in parts if part.sigma is not None]
    first = parts[0]
    # Clusters of different tables stay apart: their codes are positions in the labels of all tables.
    shifts = np.cumsum([0, *(len(part.cluster_labels) for part in parts)])
    clusters = [part.clusters + shift for part, shift in zip(parts, shifts, strict=False) if part.clusters is not None]
    return Rows(
        variables=first.variables,
        x=np.ascontiguousarray(np.concatenate([part.x for part in parts], axis=1)),
        y=np.concatenate([part.y for part in parts]),
        weights=np.concatenate(given) if given else None,
        sigma=np.concatenate(noise) if noise else None,
        chosen=None
        if all(part.chosen is None for part in parts)
        else np.concatenate([part.positions for part in parts]),
        numbers=None,  # a table is one group, whose rows have the numbers that they have in it
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        n_table_rows=sum(part.n_table_rows for part in parts),
        response=first.response,
        where=first.where,
        library=first.library,
        columns=first.columns,
        weighted_by=first.weighted_by,
        noise_by=first.noise_by,
        clusters=np.concatenate(clusters) if clusters else None,
        cluster_labels=tuple(label for part in parts for label in part.cluster_labels),
        clustered_by=first.clustered_by,
        repeated=tuple(part.repeated[0] if part.repeated else None for part in parts),
        dropped=tuple(each for part in parts for each in part.dropped),
        flops=first.flops,
    )


def _choose(table: Table, by: Sequence[str], where: object) -> tuple[Keys, I64 | None, I64]:
    """Keys of the groups, their rows put together (None where these are all rows in turn), and their offsets."""
    if by:
        return group_rows(table, by, select_rows(table, where))
    rows = None if where is None else select_rows(table, where)
    n_rows = table.n_rows if rows is None else rows.size
    return ((),), None if n_rows == table.n_rows else rows, np.array([0, n_rows], dtype=np.int64)


def _column(table: Table, text: str, rows: I64 | None, argument: str) -> F64:
    """Finite numbers of a column or a column formula in the given rows; they may be the column itself."""
    if not isinstance(text, str):
        raise DataError(f"{argument}: give a column name or a formula over the columns, not {describe(text)}")
    values = at_rows(table.evaluate(text, want="number", argument=argument), rows)
    _arrays.check_finite(values, f"{argument}={text!r}", LEAVE_OUT, rows, if_missing=DROP_OUT)
    return values


def _drop_missing(
    table: Table, order: I64 | None, offsets: I64, used: Sequence[str], given: Mapping[str, object]
) -> tuple[I64 | None, I64, tuple[Dropped, ...]]:
    """Leave out the rows of each group in which a used value is missing; a row counts for the first such column.

    ``used`` are columns or formulas; ``given`` are arguments, each a column, a formula, an array or None.
    """
    values: dict[str, F64] = {}
    for text in used:
        values[text] = table.evaluate(text, want="number", argument="column")
    for argument, what in given.items():
        if isinstance(what, str):
            values[what] = table.evaluate(what, want="number", argument=argument)
        elif what is not None:
            array = cast(ArrayLike, what)
            if np.shape(array) == (table.n_rows,):
                values[argument] = _arrays.as_float64(array, argument)
    left_out = np.zeros(int(offsets[-1]), dtype=np.bool_)
    sizes = np.diff(offsets)
    counts: list[list[tuple[str, int]]] = [[] for _ in sizes]
    for text, column in values.items():
        newly = np.isnan(at_rows(column, order)) & ~left_out
        left_out |= newly
        group = np.searchsorted(offsets, np.flatnonzero(newly), side="right") - 1
        found = np.bincount(group, minlength=sizes.size)
        sizes -= found
        for place in np.flatnonzero(found).tolist():
            counts[place].append((text, int(found[place])))
    dropped = tuple(map(tuple, counts))
    if left_out.all():
        raise DataError(f'missing="drop" leaves none of the {left_out.size} rows: {dropped_words(dropped)}')
    if not left_out.any():
        return order, offsets, dropped
    kept = np.flatnonzero(~left_out)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return kept if order is None else order[kept], offsets, dropped


def _check_positive(y: F64, rows: I64 | None, response: str) -> None:
    is_bad = y <= 0.0
    if np.count_nonzero(is_bad):
        bad = np.flatnonzero(is_bad)
        row = _arrays.row_number(rows, bad[0])
        raise DataError(
            f"response={response!r} is {y[bad[0]]:g} in row {row} (counted from 0), {bad.size} in all are not "
            'positive; residual="log" needs positive values: use residual="linear", or leave such rows out with where='
        )


def _clusters_of(table: Table, cluster: object, rows: I64 | None) -> tuple[I64 | None, tuple[object, ...], str | None]:
    """Clusters, their labels, and what made them: the caller's, else the checkpoints of a table of sampled answers."""
    if cluster is not None:
        return *cluster_codes(table, cluster, rows), cluster if isinstance(cluster, str) else "given"
    if table.sampled is None:
        return None, (), None
    # Rows of one checkpoint at several k share every sample that was drawn.
    return *cluster_codes(table, np.array(table.sampled.cluster), rows), "checkpoint"


def cluster_codes(table: Table, cluster: object, rows: I64 | None) -> tuple[I64, tuple[object, ...]]:
    """Cluster of each row, as a position among the labels: a column, or one value of any kind per row of the table."""
    if isinstance(cluster, str):
        return label_rows(table, cluster, rows, "cluster")
    values = cast(ArrayLike, cluster)
    shape = np.shape(values)
    if shape != (table.n_rows,):
        raise DataError(
            f"cluster: got shape {shape} for a table of {table.n_rows} rows; give a column, or one value per row"
        )
    given = borrow_table({"given": values}, "cluster")
    if given.column("given").kind == "number":
        _arrays.check_finite(at_rows(given.column("given").values, rows), "cluster", LEAVE_OUT, rows)
    return label_rows(given, "given", rows, "cluster")


def _weights(table: Table, weights: object, rows: I64 | None) -> F64:
    """Precision weights (1 / variance) of the rows: a column, a column formula, or one number per row of the table."""
    values = _row_values(table, weights, rows, "weights", "give finite values of at least 0")
    negative = np.flatnonzero(values < 0.0)
    if negative.size:
        raise DataError(
            f"weights: row {_arrays.row_number(rows, negative[0])} (counted from 0) has {values[negative[0]]:g}; "
            "they are at least 0"
        )
    if not np.any(values > 0.0):
        raise DataError("weights: every one is 0, so no row counts")
    return values


def _sigma(table: Table, sigma: object, rows: I64 | None) -> F64:
    """Known standard deviations of the rows, in the units of the response; the same forms as weights."""
    values = _row_values(table, sigma, rows, "sigma", "give positive standard deviations")
    bad = np.flatnonzero(values <= 0.0)
    if bad.size:
        raise DataError(
            f"sigma: row {_arrays.row_number(rows, bad[0])} (counted from 0) has {values[bad[0]]:g}, {bad.size} in all "
            "are not positive; give standard deviations in the units of the response, and leave rows out with where="
        )
    return values


def _row_values(table: Table, given: object, rows: I64 | None, argument: str, advice: str) -> F64:
    """Finite numbers for the rows, for the fit to keep: a column, a column formula, or one per row of the table."""
    if isinstance(given, str):
        return _column(table, given, rows, argument).copy()
    array = cast(ArrayLike, given)
    values = _arrays.as_float64(array, argument)
    if values.shape != (table.n_rows,):
        raise DataError(
            f"{argument}: got shape {values.shape} for a table of {table.n_rows} rows; give one number per row"
        )
    values = at_rows(values, rows)
    _arrays.check_finite(values, argument, advice, rows)
    return values
