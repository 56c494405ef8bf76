"""The first stage as Roberts et al. 2026 fit it: E on a grid, checkpoints weighted by the spread of their budget.

The paper does not state the spacing of the grid (equal steps here), nor the formula of the weights (1 / variance of the
losses of a group here, so that each group counts about equally).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lawfit._engine import F64
from lawfit._law import Law
from lawfit.errors import DataError, LawError

ROBERTS = "roberts2026"
N_VALUES = 40
# Shares of the smallest loss between which E is tried.
LEAST_SHARE, MOST_SHARE = 0.01, 0.95
# Budgets that differ by less, relatively, are one: sizes and tokens are rounded.
SAME_BUDGET = 0.01


class GroupWeights(NamedTuple):
    """Weights of the rows, and groups whose own variance gave none."""

    weights: F64  # (n_rows,)
    n_groups: int
    n_without: int


def isoflop_weights(budgets: F64, losses: F64) -> GroupWeights:
    """1 / variance of the losses at equal compute; a group of one row, or of equal losses, has the mean variance."""
    if not np.all(np.isfinite(budgets) & (budgets > 0.0)):
        raise DataError("isoflop: budgets must be finite and above 0 in every row that the first stage uses")
    order = np.argsort(budgets, kind="stable")
    groups = np.empty(budgets.size, dtype=np.int64)
    groups[order] = np.concatenate([[0], np.cumsum(np.diff(np.log(budgets[order])) > SAME_BUDGET)])
    sizes = np.bincount(groups)
    means = np.bincount(groups, losses) / sizes
    squares = np.bincount(groups, (losses - means[groups]) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        variances = np.where(sizes > 1, squares / (sizes - 1), 0.0)
    known = variances > 0.0
    if not known.any():
        raise DataError(
            "isoflop: no budget has two checkpoints of different loss, so there is no variance to weigh by; name the "
            "column of the compute budget, or leave protocol= out"
        )
    variances[~known] = variances[known].mean()
    return GroupWeights(1.0 / variances[groups], int(sizes.size), int(np.count_nonzero(~known)))


def grid_of(law: Law, losses: F64) -> F64:
    """(40,) values at which E is held."""
    if "E" not in law.parameters:
        raise LawError(
            f"protocol={ROBERTS!r} holds E at {N_VALUES} values, and the first law {law.text!r} has no parameter E"
        )
    smallest = float(losses.min())
    if smallest <= 0.0:
        raise DataError(f"protocol={ROBERTS!r}: the smallest loss is {smallest:g}; it must be above 0")
    return np.linspace(LEAST_SHARE * smallest, MOST_SHARE * smallest, N_VALUES)
