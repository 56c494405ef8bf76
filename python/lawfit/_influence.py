"""What the estimates would be without a row or a cluster: exact, by a refit for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lawfit import resampling
from lawfit._engine import F64, I64, Bool
from lawfit._leverage import Units
from lawfit._residuals import met_exactly
from lawfit._tangent import Tangent
from lawfit.results import Fit

# Weights of one call of the engine: 32 MB.
MOST_WEIGHTS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Influence:
    """Leverage of the rows, and what the estimates would be without each row or cluster.

    Attributes
    ----------
    unit : str
        ``"row"``, or the column of the clusters.
    names : tuple
        (n_units,) numbers of the rows in the user's table, from 0, or labels of the clusters.
    parameters : tuple of str
        Those that are neither fixed nor at a bound.
    leverage : numpy.ndarray
        (n_units,) share of the curvature of the objective that is the unit's: of a row w psi' J (sum w psi' J J')⁻¹ J',
        of a cluster the sum over its rows. It sums to the number of parameters (less the part that priors determine);
        NaN where the loss is curved nowhere.
    design_leverage : numpy.ndarray
        (n_units,) the same as if the loss was curved alike at every row: what the place of the run among the others
        says, whatever its response.
    changes : numpy.ndarray
        (n_units, n_parameters) estimate without the unit, less the estimate; NaN where no minimum is left.
    in_stderr : numpy.ndarray
        (n_units, n_parameters) the same in standard errors of the fit; NaN where there are none, or the law meets
        every row exactly.
    """

    unit: str
    names: tuple[object, ...]
    parameters: tuple[str, ...]
    leverage: F64
    design_leverage: F64
    changes: F64
    in_stderr: F64

    @property
    def order(self) -> I64:
        """(n_units,) places of the units by their largest change in standard errors, the most influential first."""
        order: I64 = np.argsort(-self._largest(), kind="stable")
        return order

    def _largest(self) -> F64:
        """Largest change of each unit; infinite where the others leave no minimum."""
        sizes = np.abs(self.in_stderr)
        lost = np.isnan(self.changes).any(axis=1)
        largest: F64 = np.where(lost, np.inf, np.nan_to_num(sizes).max(axis=1, initial=0.0))
        return largest

    @property
    def lost(self) -> tuple[object, ...]:
        """Units without which the others do not determine the parameters."""
        return tuple(self.names[i] for i in np.flatnonzero(np.isnan(self.changes).any(axis=1)))


class Refits:
    """Refits of one fit without sets of its units, each a warm-started minimum of the objective that is left."""

    def __init__(self, fit: Fit, tangent: Tangent, units: Units, n_threads: int | None) -> None:
        self._fit, self._units, self._n_threads = fit, units, n_threads
        self._codes = np.full(fit.rows.y.size, len(units), dtype=np.int64)  # rows without weight belong to none
        self._codes[tangent.places] = units.codes
        self._singles: tuple[F64, Bool] | None = None
        self.count = 0

    def singles(self) -> tuple[F64, Bool]:
        """Return `params` without each unit alone; a second look costs nothing."""
        if self._singles is None:
            self._singles = self.params([[i] for i in range(len(self._units))])
        return self._singles

    def params(self, sets: Sequence[Sequence[int]]) -> tuple[F64, Bool]:
        """(n_sets, n_parameters) estimates without the units of each set, and whether they are a minimum."""
        values, is_minimum = [np.empty((0, len(self._fit.params)))], [np.empty(0, dtype=np.bool_)]
        step = max(1, MOST_WEIGHTS // self._codes.size)
        for start in range(0, len(sets), step):
            part = sets[start : start + step]
            stays = np.ones((len(part), len(self._units) + 1))
            for line, left_out in zip(stays, part, strict=True):
                line[list(left_out)] = 0.0
            draws = resampling.bootstrap(self._fit, weights=stays[:, self._codes], n_threads=self._n_threads)
            values.append(draws.params)
            is_minimum.append(draws.ok)
        self.count += len(sets)
        return np.concatenate(values), np.concatenate(is_minimum)


def influence_of(fit: Fit, tangent: Tangent, units: Units, refits: Refits) -> Influence:
    """Leverage of every unit, and the change of every estimate when it leaves."""
    params, is_minimum = refits.singles()
    places = [fit.law.parameters.index(name) for name in tangent.moving]
    changes = params[:, places] - np.array([fit.params[name] for name in tangent.moving])
    changes[~is_minimum] = np.nan
    stderr = np.array([fit.stderr[name] for name in tangent.moving])
    stderr[(stderr == 0.0) | (met_exactly(fit) is not None)] = np.nan  # roundings measure nothing
    leverage = tangent.leverage()
    return Influence(
        unit=units.noun,
        names=units.names,
        parameters=tangent.moving,
        leverage=np.full(len(units), np.nan) if leverage is None else units.total(leverage),
        design_leverage=units.total(tangent.design_leverage()),
        changes=changes,
        in_stderr=changes / stderr,
    )
