"""From a table to rows of counts: checked, equal rows put together, shares of success by the variables of a law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lawfit import _engine
from lawfit._batch import Rows
from lawfit._binomial import check_counts, check_pairs
from lawfit._count_law import CountLaw
from lawfit._engine import F64, I64
from lawfit._repeats import repeated_runs
from lawfit._rows import table_rows
from lawfit._selection import select_rows
from lawfit._wording import describe
from lawfit.errors import DataError
from lawfit.tables import Table


class Counts(NamedTuple):
    """Successes and samples of the rows that a condition keeps, (n_rows,) each."""

    correct: F64
    samples: F64


def counts_of(table: Table, n_correct: str, n_samples: str, where: object) -> Counts:
    """Read the counts: whole numbers, a sample in every row, no more successes than samples."""
    rows = select_rows(table, where)
    found = []
    for argument, text in (("n_correct", n_correct), ("n_samples", n_samples)):
        if not isinstance(text, str):
            raise DataError(f"{argument}: give the name of a column, or a formula over columns, not {describe(text)}")
        values = table.evaluate(text, want="number", argument=argument)[rows]
        found.append(check_counts(values, argument, rows))
    counts = Counts(*found)
    check_pairs(counts.correct, counts.samples, rows)
    return counts


def count_rows(
    model: CountLaw,
    table: Table,
    *,
    n_correct: str,
    n_samples: str,
    columns: Mapping[str, str],
    where: object,
    cluster: object,
) -> Rows:
    """Rows of the law of half the deviance; the response is the number of samples, by which it rounds."""
    mapped = {**columns, model.correct: n_correct, model.samples: n_samples}
    rows, _ = table_rows(
        model.law, table, response=n_samples, columns=mapped, where=where, weights=None, sigma=None,
        residual=_engine.DEVIANCE, cluster=cluster,
    )  # fmt: skip
    repeated = rows.repeated
    if cluster is None:
        known = {*model.law.names, n_correct, n_samples}
        repeated = repeated_runs(table, rows.chosen, rows.offsets, None, known, "problem") or repeated
    return replace(rows, columns=tuple(columns.items()), repeated=repeated)


class Distinct(NamedTuple):
    """Rows of equal variables and counts put together, weighted by how many they are: the likelihood is the same."""

    rows: Rows
    codes: I64  # (n_rows,) the distinct row of each row


def distinct_of(rows: Rows) -> Distinct:
    """Put equal rows together."""
    x, first, codes, n_alike = np.unique(rows.x, axis=1, return_index=True, return_inverse=True, return_counts=True)
    found = replace(
        rows,
        x=np.ascontiguousarray(x),
        y=rows.y[first],
        weights=n_alike.astype(np.float64),
        chosen=rows.positions[first],
        numbers=rows.units[first],
        offsets=np.array([0, first.size], dtype=np.int64),
        clusters=None,
        cluster_labels=(),
        clustered_by=None,
    )
    return Distinct(found, codes.reshape(-1))


class Cells(NamedTuple):
    """Shares of success by the variables of the mean, (n_cells,) each.

    Half a success in one more sample is added, which keeps the logarithm of cells without a success finite.
    """

    variables: dict[str, F64]
    shares: F64
    precisions: F64  # of the logarithm of a share, as the binomial has it


def cells_of(model: CountLaw, rows: Rows, counts: Counts) -> Cells:
    """Add up the counts of rows with equal variables of the mean."""
    names = model.mean.variables or ()
    x = np.stack([rows.x[rows.variables.index(name)] for name in names])
    values, codes = np.unique(x, axis=1, return_inverse=True)
    correct, samples = (np.bincount(codes.reshape(-1), each) for each in counts)
    shares = (correct + 0.5) / (samples + 1.0)
    return Cells(dict(zip(names, values, strict=True)), shares, samples * shares / (1.0 - shares))
