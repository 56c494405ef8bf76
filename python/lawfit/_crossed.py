"""Replicates of responses that are averages over problems: checkpoints and problems drawn again, alone or crossed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lawfit import _engine
from lawfit._batch import Resampling, Rows, cluster_keys, unit_bytes
from lawfit._engine import F64
from lawfit.errors import DataError, LawError

# Schemes of fits to averages over problems, and what each of them draws.
SCHEMES = ("crossed", "problems")


def scheme_of(rows: Rows, asked: str | None) -> str:
    """Return the scheme that a call means; averages over problems are crossed unless it says otherwise."""
    if asked is None:
        return "bayesian" if rows.sampled is None else "crossed"
    if isinstance(asked, str) and asked in SCHEMES and rows.sampled is None:
        raise LawError(f"resample={asked!r}: the table has no problems to draw again; make it with lawfit.pass_at_k")
    return asked


def with_problems(rows: Rows, resampling: Resampling, seed: int) -> Resampling:
    """Return the resampling with weights and responses filled in, where problems are drawn."""
    if resampling.scheme not in SCHEMES:
        return resampling
    weights, responses = _replicates(rows, resampling.scheme, resampling.n_replicates, seed)
    return replace(resampling, weights=weights, responses=responses)


def _replicates(rows: Rows, scheme: str, n_replicates: int, seed: int) -> tuple[F64, F64]:
    """Return weights of the rows and responses of each replicate, (n_replicates, n_rows) each.

    A problem's weight is the same in every row of a replicate, since all checkpoints answer the same problems. Weights
    of clusters are those that a bootstrap over clusters alone has for the same seed.
    """
    sampled = rows.sampled
    assert sampled is not None, "asked of fits to averages over problems alone"
    # A problem and a checkpoint of the same label are different units.
    keys = _engine.hash_keys([b"q" + unit_bytes(label) for label in sampled.problems])
    of_problems = _engine.bayesian_weights(keys, seed, n_replicates)
    columns = sampled.columns(of_problems, rows.positions)
    responses = _responses(rows, columns)
    if scheme == "problems":
        return np.ones_like(responses), responses
    of_rows = cluster_keys(rows)
    assert of_rows is not None, "rows of one checkpoint are a cluster"
    known, of_row = np.unique(of_rows, return_inverse=True)
    weights = _engine.bayesian_weights(known, seed, n_replicates)
    return np.ascontiguousarray(weights[:, of_row.reshape(-1)]), responses


def _responses(rows: Rows, columns: dict[str, F64]) -> F64:
    """Return the response of the fit, a column or a formula, made of the columns of each replicate."""
    if rows.response in columns:
        return np.ascontiguousarray(columns[rows.response])
    names = _engine.names(rows.response)
    for name in names:
        if name not in columns:
            raise DataError(
                f"bootstrap: the response {rows.response!r} uses the column {name!r}, no average over problems, which "
                f"cannot be made again from others; use {', '.join(columns)} alone, or draw "
                'checkpoints only: resample="bayesian"'
            )
    shape = columns[names[0]].shape
    flat: list[_engine.EngineColumn] = [
        (name, np.ascontiguousarray(columns[name].ravel()), "number", ()) for name in names
    ]
    return _engine.evaluate_columns(rows.response, flat, want="number", argument="response").reshape(shape)
