"""From counts as they come to the table of pass@k that laws in (N, D, k) are fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lawfit._cells import BENCHMARK_COLUMNS, column_names
from lawfit._columns import Column
from lawfit._engine import F64
from lawfit._table import Table, table_of
from lawfit._wording import describe, listed
from lawfit.errors import DataError
from lawfit.sampling import pass_at_k
from lawfit.tables import read_table

# The grid of k ends here unless it is given: beyond, most tables have too few samples.
MOST_TRIES = 128


def cells_of(
    data: object,
    k: ArrayLike | None,
    by: str | Sequence[str],
    problem: str | Sequence[str],
    columns: Mapping[str, str] | None,
    where: str | None,
    probability: str | None,
    nll: str | None,
    few_samples: str,
    problems: str,
    bias: str | None,
) -> Table:
    """Return the table of pass@k over checkpoints, checked before anything is fitted."""
    counts = _with_columns(read_table(data), columns)
    counts = counts if where is None else counts.where(where)
    cells = column_names(by, "by", "that tell checkpoints apart")
    if not {"N", "D"} <= set(cells):
        raise DataError(f"by={list(cells)}: N and D must be among them; columns= makes them of others")
    names = column_names(problem, "problem", "that name the problem of a row")
    chances = [name for name in (probability, nll) if name is not None]
    lacking = [name for name in (*cells, *names, *(chances or ("n_samples", "n_correct"))) if name not in counts.names]
    if lacking:
        raise DataError(
            f"data: no column is called {listed(map(repr, lacking))}; the columns are {listed(counts.names)}, and a "
            f"formula of them becomes another by columns={{{lacking[0]!r}: '...'}}"
        )
    _check_benchmarks(counts, names)
    tries = _grid(counts, not chances) if k is None else k
    found = pass_at_k(
        counts, k=tries, by=cells, problem=names, probability=probability, nll=nll, few_samples=few_samples,
        problems=problems, bias=bias,
    )  # fmt: skip
    n_cells = np.unique(np.stack([found.column(name).values for name in ("N", "D")]), axis=1).shape[1]
    if n_cells < 4:
        raise DataError(f"{n_cells} checkpoints with a success are too few for a law in N, D and k, none held out")
    return found


def _with_columns(counts: Table, columns: Mapping[str, str] | None) -> Table:
    if not columns:
        return counts
    if not isinstance(columns, Mapping):
        raise DataError(f"columns: give a mapping from names to formulas, not {describe(columns)}")
    made = {}
    for name, text in columns.items():
        if text in counts.names:
            made[name] = counts.column(text)._replace(name=name)
        else:
            made[name] = Column(name, counts.evaluate(text, want="number", argument=f"columns[{name!r}]"), "number", ())
    kept = {name: counts.column(name) for name in counts.names if name not in made}
    return table_of({**kept, **made}, counts.library)


def _check_benchmarks(counts: Table, problem: Sequence[str]) -> None:
    """Refuse several benchmarks in one law, unless the problems of all of them are meant."""
    for name in counts.names:
        if name.lower() not in BENCHMARK_COLUMNS or name in problem:
            continue
        labels = list(dict.fromkeys(map(str, counts.select(name).to_dict()[name].tolist())))
        if len(labels) > 1:
            raise DataError(
                f"column {name!r} holds {len(labels)} benchmarks ({listed(labels)}), and a law is of one: say "
                f"where=\"{name} == '{labels[0]}'\", or name the column in problem= too where all of them are meant"
            )


def _grid(counts: Table, is_counted: bool) -> F64:
    """Powers of two as far as every problem has samples."""
    most = float(MOST_TRIES)
    if is_counted:
        samples = counts.evaluate("n_samples", want="number", argument="n_samples")
        most = min(most, float(samples.min()))
    if not most >= 1.0:
        raise DataError("n_samples is below 1 or missing in some row; leave such rows out with where=")
    return np.array([2.0**power for power in range(int(np.log2(most)) + 1)])
