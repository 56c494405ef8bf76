"""Curves of runs: checkpoints of each, in order of compute, and their response between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _engine, costs
from lawfit._engine import F64, I64
from lawfit._selection import group_rows, select_rows
from lawfit._table import Table
from lawfit._wording import listed
from lawfit.errors import DataError
from lawfit.tables import read_table

# Sizes of one run that differ by more are not those of one model.
SAME_SIZE = 1e-6


class RunCurve(NamedTuple):
    """Checkpoints of one run, in order of compute."""

    name: object
    size: float
    log_compute: F64
    tokens: F64
    response: F64


def positive_columns(
    runs: Table, rows: I64, response: str, columns: Mapping[str, str], is_dropping: bool
) -> tuple[I64, tuple[F64, ...]]:
    """Return rows with their N, D and response, all positive."""
    for name in columns:
        if name not in ("N", "D"):
            raise DataError(f"columns: {name!r} is not used here; give N and D")
    texts = {"N": columns.get("N", "N"), "D": columns.get("D", "D"), "response": response}
    for name in ("N", "D"):
        if texts[name] == name and name not in runs.names:
            known = listed(runs.names)
            raise DataError(f"there is no column {name}; say which it is: columns={{{name!r}: ...}}; {known}")
    found = {
        name: runs.evaluate(text, want="number", argument=name if name == "response" else "columns")[rows]
        for name, text in texts.items()
    }
    if is_dropping:
        kept = np.all([~np.isnan(values) for values in found.values()], axis=0)
        rows, found = rows[kept], {name: values[kept] for name, values in found.items()}
        if not rows.size:
            raise DataError("missing='drop' leaves no run: N, D or the response is missing in every one")
    for name, values in found.items():
        wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0.0)))
        if wrong.size:
            raise DataError(
                f"{texts[name]} is {values[wrong[0]]:g} in row {int(rows[wrong[0]])} (counted from 0), one of "
                f"{wrong.size} such rows; finite numbers above 0 are needed: leave others out with where="
            )
    return rows, tuple(found.values())


def compute_of(text: str, size: F64, tokens: F64) -> F64:
    """Evaluate a formula of N and D, or a cost by name."""
    formula = costs.expand(text, ("N", "D"))
    for name in _engine.names(formula):
        if name not in ("N", "D"):
            raise DataError(f"compute={text!r}: {name!r} is not known; it is a formula of N and D")
    inputs = [("N", np.ascontiguousarray(size), "number", ()), ("D", np.ascontiguousarray(tokens), "number", ())]
    return _engine.evaluate_columns(formula, inputs, want="number", argument="compute")


def run_curves(
    data: object, response: str, run: str, columns: Mapping[str, str], where: str | ArrayLike | None, missing: str,
    compute: str,
) -> list[RunCurve]:  # fmt: skip
    """Read the checkpoints of every run."""
    if missing not in ("error", "drop"):
        raise DataError(f"missing={missing!r}: say error or drop")
    table = read_table(data)
    rows, (size, tokens, value) = positive_columns(
        table, select_rows(table, where), response, columns, missing == "drop"
    )
    spent = np.log(compute_of(compute, size, tokens))
    groups = group_rows(table, [run], rows)
    place = np.empty(table.n_rows, dtype=np.int64)
    place[rows] = np.arange(rows.size)
    curves = []
    for g, key in enumerate(groups.keys):
        members = place[groups.order[groups.offsets[g] : groups.offsets[g + 1]]]
        sizes = size[members]
        if np.ptp(sizes) > SAME_SIZE * sizes.max():
            raise DataError(
                f"run={run!r}: the run {key[0]} has sizes from {sizes.min():g} to {sizes.max():g}; one model has one N"
            )
        order = members[np.argsort(spent[members], kind="stable")]
        _, first = np.unique(spent[order], return_index=True)
        order = order[first]
        curves.append(RunCurve(key[0], float(sizes[0]), spent[order], tokens[order], value[order]))
    return curves


def between(curve: RunCurve, log_compute: F64, width: float) -> tuple[F64, F64]:
    """Return the response and the tokens of a run at compute within its range, NaN elsewhere, straight in logarithms.

    With a ``width`` the logarithm of the response is first averaged under a Gaussian of that standard deviation.
    """
    x, y = curve.log_compute, np.log(curve.response)
    if width > 0.0:
        weights = np.exp(-0.5 * ((x[:, np.newaxis] - x) / width) ** 2)
        y = weights @ y / weights.sum(axis=1)
    inside = (log_compute >= x[0]) & (log_compute <= x[-1])
    response = np.where(inside, np.exp(np.interp(log_compute, x, y)), np.nan)
    tokens = np.where(inside, np.exp(np.interp(log_compute, x, np.log(curve.tokens))), np.nan)
    return response, tokens
