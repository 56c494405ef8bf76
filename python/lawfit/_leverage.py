"""Which rows, or clusters, a fit leans on: what may be said without a refit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lawfit._engine import F64, I64
from lawfit._tangent import Tangent, design_leverage_of, tangent_of

if TYPE_CHECKING:
    from lawfit.results import Fit

# A row's share of the parameters is p / n in the mean. One with this many times as much, by which alone ...
MANY_TIMES = 5.0
# ... this share of a parameter's variance comes about, or which has this leverage, is worth a look.
SHARE_OF_VARIANCE = 0.25
HIGH = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """What leaves a fit together: single rows, or whole clusters."""

    noun: str  # "row", or the column of the clusters
    names: tuple[object, ...]  # (n_units) row numbers of the user's table, or labels of clusters
    codes: I64  # (n,) unit of each row that carries weight

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.names)

    def say(self, i: int) -> str:
        """Name one of them in a sentence."""
        return f"row {self.names[i]}" if self.noun == "row" else f"{self.noun} {self.names[i]!r}"

    def total(self, values: F64) -> F64:
        """Add up the rows of each unit: (n,) becomes (n_units,), (n, m) becomes (n_units, m)."""
        if self.noun == "row":
            return values
        out = np.zeros((len(self), *values.shape[1:]))
        np.add.at(out, self.codes, values)
        return out


def units_of(fit: Fit, places: I64) -> Units:
    """Clusters of a fit, or else the rows themselves; ``places`` are those of its rows that carry weight."""
    rows = fit.rows
    if rows.clusters is None:
        return Units("row", tuple(rows.positions[places].tolist()), np.arange(places.size))
    found, codes = np.unique(rows.clusters[places], return_inverse=True)
    noun = "cluster" if rows.clustered_by in (None, "given") else str(rows.clustered_by)
    return Units(noun, tuple(rows.cluster_labels[code] for code in found.tolist()), codes.reshape(-1).astype(np.int64))


def unit_steps(tangent: Tangent, units: Units) -> F64 | None:
    """(n_units, m): one Newton step of the parameters when a unit leaves, its rows one by one within a cluster."""
    steps = tangent.steps()
    return None if steps is None else units.total(steps)


def warnings_of(fit: Fit) -> list[str]:
    """Return what to say of a row or cluster that the fit leans on; costs less than printing the fit."""
    if fit.covariance_reason is not None or not fit.success:
        return []
    leverage, places, rank = design_leverage_of(fit)
    units = units_of(fit, places)
    leverage = units.total(leverage)
    most = int(np.argmax(leverage))
    if leverage[most] <= MANY_TIMES * rank / len(units):
        return []
    tangent = tangent_of(fit)
    steps = unit_steps(tangent, units)
    if steps is None:
        return []
    squares = np.nan_to_num(steps**2)
    shares = squares[most] / np.maximum(squares.sum(axis=0), np.finfo(np.float64).tiny)
    who, mean = units.say(most), tangent.rank / len(units)
    if shares.max() > SHARE_OF_VARIANCE:
        name = tangent.moving[int(np.argmax(shares))]
        return [
            f"{who} alone makes {shares.max():.0%} of the variance of {name} (leverage {leverage[most]:.2f} where "
            f"{mean:.2g} is the mean): see fit.diagnose()"
        ]
    if leverage[most] > HIGH:
        return [
            f"{who} has a leverage of {leverage[most]:.2f} where {mean:.2g} is the mean: the fit follows it; see "
            "fit.diagnose()"
        ]
    return []
