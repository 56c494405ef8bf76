"""Draws from what the engine gives back of replicates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lawfit._batch import Resampling
from lawfit._crossed import SCHEMES as CROSSED
from lawfit._draws import Draws
from lawfit._engine import RawReplicates

if TYPE_CHECKING:
    from lawfit.results import Fit

# Schemes that know nothing of clusters: the rows of one get errors, or the caller's weights, of their own.
ROWWISE = ("parametric", "weights")
# Draws within strata of m units have (m - 1) / m of the variance or less.
FEW_IN_STRATUM = 10


def draws_of(fit: Fit, raw: RawReplicates, i: int, resampling: Resampling, seed: int) -> Draws:
    """Return the draws of fit ``i`` of a batch."""
    return Draws(
        fit=fit,
        params=raw.params[i],
        objective=raw.objective[i],
        status_codes=raw.status[i],
        resample=resampling.scheme,
        seed=seed,
        n_units=_n_units(fit, raw, i, resampling),
        lost_term=raw.lost_term[i],
        covariances=None if raw.covariance is None else raw.covariance[i],
        n_checked=int(raw.n_checked[i]),
        n_disagreed=int(raw.n_disagreed[i]),
        share=_share(resampling, int(raw.n_units[i])),
        caution=_caution(fit, resampling, int(raw.n_checked[i]), int(raw.n_disagreed[i])),
    )


def _n_units(fit: Fit, raw: RawReplicates, i: int, resampling: Resampling) -> int:
    """Return how many independent things were drawn from; of two kinds that are crossed, the checkpoints."""
    if fit.rows.summary is not None:
        return fit.rows.summary.draws_units
    if resampling.scheme == "problems":
        assert fit.rows.sampled is not None, "there are problems to draw"
        return fit.rows.sampled.n_problems(fit.rows.positions)
    return int(raw.n_units[i])


def _share(resampling: Resampling, n_units: int) -> float | None:
    """Return the share of the units that a subsample keeps: a whole number of them, and not all."""
    if resampling.scheme != "subsample" or n_units == 0:
        return None
    return min(max(math.floor(resampling.share * n_units + 0.5), 1), max(n_units - 1, 1)) / n_units


def _caution(fit: Fit, resampling: Resampling, n_checked: int, n_disagreed: int) -> str | None:
    """Why the replicates of a fit should not be used as they are."""
    if fit.rows.summary is not None:
        return fit.rows.summary.draws_caution
    found = [] if fit.success else [f"the fit that was resampled is not usable as it is: {fit.message}"]
    if fit.rows.clusters is not None and resampling.scheme in ROWWISE:
        found.append(
            f"rows were resampled as if independent, although cluster={fit.rows.clustered_by} was given: intervals may "
            "be far too narrow"
        )
    if resampling.scheme == "problems":
        found.append(
            "only problems were drawn again: how far checkpoints lie from the law, mostly the larger part, is not in "
            'these draws, so intervals are too narrow; resample="crossed" has both'
        )
    if fit.rows.sampled is not None and resampling.scheme not in CROSSED:
        found.append(
            "problems were not drawn again: the checkpoints share them, so what this set of problems adds is not in "
            'these draws; resample="crossed" has both'
        )
    if resampling.strata is not None:
        labels = np.arange(fit.rows.y.size) if fit.rows.clusters is None else fit.rows.clusters
        n_units, n_strata = np.unique(labels).size, np.unique(resampling.strata).size
        if n_units < FEW_IN_STRATUM * n_strata:
            found.append(
                f"strata have {n_units / n_strata:.3g} rows or clusters in the mean: draws within them lack a share of "
                "the noise, and intervals are too narrow"
            )
    if n_disagreed and resampling.search == "warm":
        found.append(
            f"a search from many starts found a lower minimum in {n_disagreed} of the {n_checked} replicates that were "
            'checked: use search="global"'
        )
    return "; ".join(found) or None
