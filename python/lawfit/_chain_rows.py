"""The rows of either stage of a chain: copies of one run counted once, and what is drawn together in a bootstrap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lawfit import _batch, _engine
from lawfit._engine import F64, I64, U64, Bool
from lawfit._law import Law
from lawfit._rows import cluster_codes
from lawfit._selection import select_rows
from lawfit._table import Table
from lawfit.errors import DataError
from lawfit.results import Fit


class Units(NamedTuple):
    """What is drawn together: keys of the random streams, one for each row of either stage."""

    first: U64  # (n_first,)
    second: U64  # (n_second,)
    name: str  # what they are: "rows", "checkpoints (N, D)", "clusters (run)"

    @property
    def distinct(self) -> U64:
        """(n_units,) the keys of both stages, each once."""
        return np.unique(np.concatenate([self.first, self.second]))

    def codes(self) -> tuple[I64, I64, int]:
        """Return the positions of both stages' rows among the distinct units, and how many there are."""
        known = self.distinct
        return np.searchsorted(known, self.first), np.searchsorted(known, self.second), int(known.size)


class StageRows(NamedTuple):
    """Which rows of the table either stage takes."""

    first: Bool  # (n_table_rows,) copies left out
    second: Bool  # (n_table_rows,)
    checkpoints: NDArray[np.str_] | None  # (n_table_rows,) labels, where several rows are of one checkpoint
    n_copies: int  # rows of the first stage that were copies


def stage_rows(
    first: Law, table: Table, columns: Mapping[str, str], response: str, where: object, cluster: object
) -> StageRows:
    """Find the rows of either stage.

    Raises
    ------
    DataError
        One checkpoint has two different responses.
    """
    kept = select_rows(table, where)
    chosen = np.zeros(table.n_rows, dtype=np.bool_)
    chosen[kept] = True
    names = first.variables or ()
    x = np.stack([table.evaluate(columns.get(name, name), want="number", argument="column") for name in names])
    y = table.evaluate(response, want="number", argument="response")
    # What is missing is for the fit to refuse, or to drop.
    known = kept[np.isfinite(x[:, kept]).all(axis=0)]
    full = known[np.isfinite(y[known])]
    identity = x if cluster is None else np.concatenate([x, _codes(table, cluster, full)[np.newaxis, :]])
    _, leader, group = np.unique(identity[:, full], axis=1, return_index=True, return_inverse=True)
    leaders = full[leader][group.reshape(-1)]
    different = np.flatnonzero(y[full] != y[leaders])
    if different.size:
        one, other = int(leaders[different[0]]), int(full[different[0]])
        values = ", ".join(f"{name} = {x[i, one]:g}" for i, name in enumerate(names))
        raise DataError(
            f"response={response!r} is {y[one]:.9g} in row {one} and {y[other]:.9g} in row {other} (counted from 0), "
            f"both of one checkpoint: {values}; a chain takes one value a checkpoint: choose rows with where=, or name "
            "the runs with cluster= where these are two"
        )
    first_rows = chosen.copy()
    first_rows[full[full != leaders]] = False
    n_copies = int(chosen.sum() - first_rows.sum())
    labels = None
    if cluster is None and np.unique(x[:, known], axis=1).shape[1] < known.size:
        labels = np.full(table.n_rows, "-", dtype=object)
        labels[known] = [", ".join(f"{n}={v!r}" for n, v in zip(names, x[:, i].tolist(), strict=True)) for i in known]
        labels = labels.astype(np.str_)
    return StageRows(first_rows, chosen, labels, n_copies)


def _codes(table: Table, cluster: object, rows: I64) -> F64:
    codes = np.full(table.n_rows, np.nan)
    codes[rows] = cluster_codes(table, cluster, rows)[0]
    return codes


def units_of(first: Fit, second: Fit, checkpoints: NDArray[np.str_] | None) -> Units:
    """Return the keys of what is drawn together."""
    if checkpoints is not None:
        keys = _engine.hash_keys([_batch.unit_bytes(str(label)) for label in checkpoints])
        return Units(
            keys[first.rows.positions], keys[second.rows.positions], f"checkpoints ({', '.join(first.rows.variables)})"
        )
    clusters = _batch.cluster_keys(first.rows), _batch.cluster_keys(second.rows)
    if clusters[0] is not None and clusters[1] is not None:
        return Units(clusters[0], clusters[1], f"clusters ({first.rows.clustered_by})")
    return Units(_engine.row_keys(first.rows.units), _engine.row_keys(second.rows.units), "rows")


def unit_weights(units: Units, seed: int, n_replicates: int) -> tuple[F64, F64]:
    """Draw weights of the rows of both stages, (R, n_first) and (R, n_second): rows of one unit weigh the same."""
    one, other, _ = units.codes()
    drawn = _engine.bayesian_weights(units.distinct, seed, n_replicates)
    return np.ascontiguousarray(drawn[:, one]), np.ascontiguousarray(drawn[:, other])


def with_predictions(table: Table, name: str, values: F64) -> Table:
    """Return the table with one column more."""

    def get(column: str) -> object:
        return values if column == name else table.column(column)

    return Table((*table.names, name), table.n_rows, table.library, get)
