"""Means over problems: the rows of a table of sampled answers, and what is kept behind them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lawfit._cells import Bools, Cells
from lawfit._engine import F64, I64
from lawfit._sampled import RESPONSES, Block, Sampled

# Columns that are made, besides those of `by` and k.
MADE = ("k", "n_problems", *RESPONSES, "pass_at_k_stderr", "neglog_stderr", "neglog_bias", "largest_share")
COUNTED = ("n_zero_problems", "n_samples")
# Beyond this -log pass@k of the easiest problem a row is held in units of that problem's pass@k.
FAR = 600.0


class Answers(NamedTuple):
    """Of the ordered rows and each k: pass@k and its -log, (n_rows, n_k), and the samples (n_rows,), if counted."""

    pass_at_k: F64
    neglog: F64
    samples: F64 | None


class RowSet(NamedTuple):
    """Rows of the table that is made: their cells, the columns, what is behind them."""

    cells: I64
    columns: dict[str, F64]
    sampled: Sampled


def sampled_rows(
    cells: Cells, answers: Answers, kept: Bools, k: F64, cluster: tuple[str, ...], bias: str | None
) -> RowSet:
    """Rows for each cell and k with a problem that is kept, cell by cell."""
    at: list[tuple[int, int]] = []
    # Rows over the same problems share a block.
    blocks: dict[bytes, list[int]] = {}
    members = []
    for cell, (start, stop) in enumerate(zip(cells.offsets[:-1], cells.offsets[1:], strict=True)):
        for j in range(k.size):
            chosen = start + np.flatnonzero(kept[start:stop, j])
            if chosen.size:
                blocks.setdefault(cells.codes[chosen].tobytes(), []).append(len(at))
                members.append(chosen)
                at.append((cell, j))
    where = np.array(at, dtype=np.int64).reshape(-1, 2)
    columns = {name: np.empty(len(at)) for name in MADE}
    columns["k"] = k[where[:, 1]]
    made, places = [], np.empty((len(at), 2), dtype=np.int64)
    for number, lines in enumerate(blocks.values()):
        chosen = np.stack([members[line] for line in lines])
        steps = where[lines, 1][:, None]
        block, statistics = _block(
            cells.codes[chosen[0]], answers.pass_at_k[chosen, steps], answers.neglog[chosen, steps], bias
        )
        for name, values in statistics.items():
            columns[name][lines] = values
        made.append(block)
        places[lines] = np.stack([np.full(len(lines), number), np.arange(len(lines))], axis=1)
    columns["n_zero_problems"] = np.array(
        [float(np.isinf(answers.neglog[m, j]).sum()) for m, (_, j) in zip(members, at, strict=True)]
    )
    if answers.samples is not None:
        columns["n_samples"] = np.array([answers.samples[m].min() for m in members])
    sampled = Sampled(tuple(cluster[cell] for cell in where[:, 0]), cells.problems, tuple(made), places)
    return RowSet(where[:, 0], columns, sampled)


def _block(problems: I64, pass_at_k: F64, neglog: F64, bias: str | None) -> tuple[Block, dict[str, F64]]:
    """Rows over the same problems and what stands in the table for them."""
    peak = neglog.min(axis=1)
    log_scale = np.where(np.isfinite(peak) & (peak > FAR), -peak, 0.0)
    with np.errstate(under="ignore"):
        far = (log_scale < 0.0)[:, None]
        share = np.where(far, np.exp(-(neglog + log_scale[:, None])), pass_at_k)
    size = problems.size
    total = share.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = share / total[:, None]
        relative = np.full(total.size, np.nan)
        biases = {"delta": relative, "jackknife": relative}
        if size > 1:
            # Standard error of the mean over problems, as a share of the mean.
            relative = part.std(axis=1, ddof=1) * np.sqrt(size)
            jackknife = (size - 1) * (np.mean(-np.log1p(-part), axis=1) + np.log1p(-1.0 / size))
            biases = {"delta": 0.5 * relative**2, "jackknife": jackknife}
        chosen = biases[bias or "delta"]
        stderr = relative * total / size * np.exp(log_scale)
    # Where there is no success there is nothing to correct: -log 0 stays infinite.
    unknown = np.where(np.isfinite(chosen), chosen, np.nan)
    correction = np.zeros(total.size) if bias is None else np.where(total > 0.0, unknown, 0.0)
    with np.errstate(divide="ignore"):
        # The sign: -log 1 is 0, not -0.
        neglog_mean = np.abs(np.log(np.minimum(total / size, 1.0))) - log_scale - correction
    statistics = {
        "pass_at_k": total / size * np.exp(log_scale),
        "neglog_mean_pass": neglog_mean,
        "mean_neglog_pass": neglog.mean(axis=1),
        "n_problems": np.full(total.size, float(size)),
        "pass_at_k_stderr": stderr,
        "neglog_stderr": relative,
        "neglog_bias": chosen,
        "largest_share": part.max(axis=1),
    }
    return Block(problems, share, log_scale, neglog, correction), statistics
