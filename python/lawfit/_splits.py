"""Which rows train and which are held out: cuts along an order of the runs, or folds between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lawfit import _engine
from lawfit._engine import F64, I64
from lawfit._leverage import Units
from lawfit._quantity import names_of
from lawfit._wording import describe, listed, suggest
from lawfit.errors import DataError
from lawfit.results import Fit


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Places among the fit's rows that train, and those that are held out."""

    train: I64
    test: I64
    above: float  # of the ordering, the largest value that trains; NaN for folds


def ordering(fit: Fit, by: object) -> tuple[str, F64]:
    """Return the formula that orders the runs, and its value at each row of the fit."""
    variables = fit.rows.variables
    if by is None:
        if len(variables) > 1:
            raise DataError(
                f"by: say what orders the runs, a formula over {listed(variables)} such as "
                f"{'*'.join(variables)!r}; what is largest is held out"
            )
        by = variables[0]
    if not isinstance(by, str):
        raise DataError(f"by: give a formula over {listed(variables)}, not {describe(by)}")
    for name in names_of(by, "by"):
        if name not in variables:
            near = suggest(name, variables, "its variables are")
            raise DataError(f"by={by!r}: {name!r} is not a variable of the law; {near}")
    columns: list[_engine.EngineColumn] = [
        (name, np.ascontiguousarray(line), "number", ()) for name, line in zip(variables, fit.rows.x, strict=True)
    ]
    values = _engine.evaluate_columns(by, columns, want="number", argument="by")
    if not np.isfinite(values).all():
        row = fit.rows.positions[np.flatnonzero(~np.isfinite(values))[0]]
        raise DataError(f"by={by!r} has no finite value in row {row} (counted from 0)")
    return by, values


def ordered_splits(units: Units, places: I64, by: str, values: F64, holdout: float, n_blocks: int) -> list[Split]:
    """Blocks of the rows that come last in an order, each predicted from all that comes before it.

    Units stand where their last row stands, and equal values stay together: a block ends at the next larger value.
    """
    last = np.full(len(units), -np.inf)
    np.maximum.at(last, units.codes, values[places])
    levels = np.unique(last)
    if levels.size < 2:
        raise DataError(f"by={by!r} is {levels[0]:g} at every {units.noun}: there is nothing to order by")
    of_rows = last[units.codes]
    counts = np.array([np.count_nonzero(of_rows <= level) for level in levels])
    wanted = places.size * (1.0 - holdout * np.arange(n_blocks, 0, -1) / n_blocks)
    # The cut next to each wanted one, at least one level on either side.
    cuts = sorted({int(np.argmin(np.abs(counts[:-1] - share))) for share in wanted})
    ends = [*cuts[1:], levels.size - 1]
    return [
        Split(
            places[of_rows <= levels[cut]],
            places[(of_rows > levels[cut]) & (of_rows <= levels[end])],
            float(levels[cut]),
        )
        for cut, end in zip(cuts, ends, strict=True)
    ]


def fold_splits(units: Units, places: I64, n_folds: int, seed: int) -> list[Split]:
    """Folds between units, as equal in units as can be, drawn by the seed."""
    if n_folds > len(units):
        raise DataError(f"n_splits={n_folds} folds of {len(units)} {units.noun}s: give no more folds than there are")
    fold = np.empty(len(units), dtype=np.int64)
    fold[np.random.default_rng(seed).permutation(len(units))] = np.arange(len(units)) % n_folds
    of_rows = fold[units.codes]
    return [Split(places[of_rows != k], places[of_rows == k], np.nan) for k in range(n_folds)]
