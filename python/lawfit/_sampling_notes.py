"""What a table of sampled answers says about itself: what was left out, and what to know of the rest."""

from __future__ import annotations

import numpy as np

from lawfit._cells import Bools, Cells
from lawfit._engine import F64, I64
from lawfit._table import Table
from lawfit.errors import DataError

# One problem with more than this share of a mean makes it one of few.
LARGE_SHARE = 0.25
# A cell with less than this share of its family's problems is told apart from one that lacks a few.
MOST_OF_THEM = 0.9


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def few_samples_note(cells: Cells, few: Bools, usable: Bools, tries: F64, policy: str) -> str:
    """Say which problems or cells were left out because k is above their samples."""
    at = ", ".join(f"{k:g}" for k in tries[few.any(axis=0)])
    if policy == "drop_problem":
        return (
            f"at k = {at} some problems have fewer samples than k, where no unbiased estimate exists: "
            f"{np.count_nonzero(few)} of {few.size} estimates left out, so means are over other problems at other k"
        )
    lost = np.zeros((len(cells.keys), tries.size), dtype=np.bool_)
    lost[cells.cell_of] = ~usable
    return (
        f"at k = {at} some problems have fewer samples than k, where no unbiased estimate exists: "
        f"{np.count_nonzero(lost)} of {lost.size} rows left out, each with all of its cell's problems at that k"
    )


def set_notes(cells: Cells, family: I64, problems: str) -> list[str]:
    """Say which cells are over other problems than the rest, and which labels may be shared by chance."""
    notes = []
    sizes = np.diff(cells.offsets)
    within = family[cells.cell_of] * len(cells.problems) + cells.codes
    found = np.unique(within)
    whole = np.bincount(found // len(cells.problems), minlength=len(cells.keys))[family]
    if (sizes < whole).any():
        smallest = int(np.argmin(sizes / whole))
        n_small = int(np.count_nonzero(sizes < MOST_OF_THEM * whole))
        words = (
            "means are over the problems that all of them have"
            if problems == "common"
            else 'means over problems are not over the same ones; problems="common" takes those that all cells have'
        )
        notes.append(
            f"{np.count_nonzero(sizes < whole)} of {len(cells.keys)} cells lack problems that others have, {n_small} "
            f"of them over a tenth: fewest in {cells.name(smallest)} with {sizes[smallest]} of {whole[smallest]}; "
            f"{words}, so leave small cells out first"
        )
    n_shared = found.size - len(cells.problems)
    if n_shared:
        notes.append(
            f"{_several(n_shared, 'label')} of problems stand in cells that have few in common otherwise: taken as the "
            "same problems when these are resampled, unless problem= also names the column that tells them apart"
        )
    return notes


def empty_cells_note(cells: Cells, usable: Bools) -> list[str]:
    """Say how many rows are missing since none of the cell's problems is left at that k."""
    left = np.zeros((len(cells.keys), usable.shape[1]), dtype=np.bool_)
    np.logical_or.at(left, cells.cell_of, usable)
    if left.all():
        return []
    cell = int(np.flatnonzero(~left.all(axis=1))[0])
    return [
        f"{np.count_nonzero(~left)} of {left.size} rows have no problem left and are missing, as in {cells.name(cell)}"
    ]


def zero_cells_note(cells: Cells, lost: I64, k: F64, n_rows: int, policy: str) -> list[str]:
    """Say how many rows have no success, or raise."""
    if lost.size == 0:
        return []
    what = f"{lost.size} of {n_rows} rows have no success at all, where -log pass@k is infinite"
    if policy == "error":
        raise DataError(
            f'{what}: the first is {cells.name(int(lost[0]))}, k={k[0]:g}; zero_cells="drop" leaves them out, '
            '"keep" keeps them'
        )
    if policy == "keep":
        return [f'{what}; leave them out with .where("n_zero_problems < n_problems") where a -log is fitted']
    return [f'{what}: left out, which selects on the outcome; zero_cells="keep" keeps them, for response="pass_at_k"']


def notes_of(table: Table, bias: str | None) -> list[str]:
    """Say what to know of the finished rows: infinite means, bias, cells that lean on one problem."""
    notes = []
    column = {name: table.column(name).values for name in ("mean_neglog_pass", "neglog_bias", "largest_share")}
    n_infinite = int(np.count_nonzero(np.isinf(column["mean_neglog_pass"])))
    if n_infinite:
        notes.append(
            f"mean_neglog_pass is infinite in {n_infinite} of {table.n_rows} rows, where a problem has no success; "
            "neglog_mean_pass is not, and probabilities or log-likelihoods have both"
        )
    known = column["neglog_bias"][np.isfinite(column["neglog_bias"])]
    if known.size:
        done = 'not corrected (bias="jackknife")' if bias is None else f"corrected by bias={bias!r}"
        notes.append(
            f"neglog_mean_pass is biased upwards by about {np.median(known):.2g} in the median row, {known.max():.2g} "
            f"at most, since -log bends; {done}"
        )
    single = int(np.count_nonzero(table.column("n_problems").values == 1.0))
    if single:
        notes.append(
            f"{_several(single, 'row')} of one problem: no standard error and no bias can be told, both are NaN"
        )
    open_ = int(np.count_nonzero(np.isnan(table.column("neglog_mean_pass").values)))
    if open_:
        notes.append(
            f"{_several(open_, 'row')} could not be corrected, one problem being all of the mean: neglog_mean_pass is "
            'NaN there; leave them out with missing="drop", or do without bias='
        )
    n_large = int(np.count_nonzero(column["largest_share"] > LARGE_SHARE))
    if n_large:
        notes.append(
            f"one problem makes over a quarter of pass_at_k in {n_large} of {table.n_rows} rows (largest_share)"
        )
    return notes
