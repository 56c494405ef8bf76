"""Intervals whose width the errors on held-out runs give: split conformal prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine
from lawfit._band import noise_variance
from lawfit._draws import check_level
from lawfit._engine import F64, I64
from lawfit._new_runs import law_stderr
from lawfit._residuals import met_exactly
from lawfit.errors import DataError, LawError
from lawfit.results import Fit


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Conformal:
    """Intervals of further runs, as wide as held-out runs needed them.

    Attributes
    ----------
    fit : Fit
        The fit to all rows, which predicts.
    level : float
        Coverage that is aimed at.
    reach : float
        Half the width of an interval in standard deviations of a run's prediction: the ceil((n + 1) level)-th smallest
        of the held-out errors in theirs. Of a cluster the largest error counts.
    widening : float
        ``reach`` divided by Student's t of the fit: above 1 where runs needed wider intervals than the fit says.
    n_units : int
        Held-out rows, or clusters.

    Notes
    -----
    When to use: for predictions of runs about as far beyond the fitted ones as the held-out were beyond theirs. The
    coverage holds if a further error is exchangeable with the held-out ones, whatever the law's form.

    References
    ----------
    Lei, G'Sell, Rinaldo, Tibshirani and Wasserman 2018, Distribution-free predictive inference for regression,
    JASA 113.
    """

    fit: Fit
    level: float
    reach: float
    widening: float
    n_units: int

    def __repr__(self) -> str:
        """Return the form for people."""
        return (
            f"conformal {self.level:.0%} intervals of {self.fit.rows.response} = {self.fit.law.text}: "
            f"{self.reach:.3g} standard deviations of a run's prediction, {self.widening:.3g} times what the fit says, "
            f"from {self.n_units} held-out {'rows' if self.fit.rows.clusters is None else 'clusters'}"
        )

    def interval(
        self,
        points: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        sigma: ArrayLike | None = None,
        **variables: ArrayLike,
    ) -> tuple[F64, F64]:
        """Lower and upper ends for runs at points of the variables, each of the shape that they have together.

        ``sigma`` is the known noise of those runs, in units of the response, for a fit that was given it. Without
        ``sigma`` a run has the noise of one of weight 1.

        Raises
        ------
        LawError
            A variable is missing or unknown.
        DataError
            ``sigma`` is missing, is not positive, or the fit knows none.
        """
        given = {**(points or {}), **variables}
        names = self.fit.rows.variables
        if set(given) != set(names):
            raise LawError(f"give values of the variables {', '.join(names)}")
        x, shape = _arrays.broadcast_points(names, given)
        predicted, slopes = law_stderr(self.fit, x)
        is_log = self.fit.options.residual == "log"
        unit = self._units(sigma, shape) / (predicted if is_log and sigma is not None else 1.0)
        noise = math.sqrt(noise_variance(self.fit)) * unit
        reach = self.reach * np.hypot(np.linalg.norm(slopes, axis=1), noise)
        if is_log:
            lower, upper = predicted * np.exp(-reach), predicted * np.exp(reach)
        else:
            lower, upper = predicted - reach, predicted + reach
        return lower.reshape(shape)[()], upper.reshape(shape)[()]

    def _units(self, sigma: ArrayLike | None, shape: tuple[int, ...]) -> F64:
        if (sigma is None) != (self.fit.rows.sigma is None):
            wanted = "say sigma=, the noise of these runs" if sigma is None else "leave sigma= out"
            raise DataError(f"sigma: the fit was made {'with' if sigma is None else 'without'} sigma=; {wanted}")
        values = np.broadcast_to(_arrays.as_float64(1.0 if sigma is None else sigma, "sigma"), shape).ravel()
        if not np.all(values > 0.0):
            raise DataError("sigma: give positive standard deviations")
        return values


def conformal(fit: Fit, error: F64, stderr: F64, unit: I64, level: float) -> Conformal:
    """Split conformal intervals from held-out errors (n,) and the standard deviations that were predicted for them."""
    check_level(level)
    if not np.all(stderr > 0.0):
        raise DataError("conformal: a training fit has no standard errors, or only zeros, to measure its errors in")
    exact = met_exactly(fit)
    if exact is not None:
        raise DataError(f"conformal: {exact}")
    sizes = np.abs(error) / stderr
    slopes = law_stderr(fit, fit.rows.x[:, :1])[1]
    if not (np.isfinite(slopes).all() and math.isfinite(noise_variance(fit))):
        raise DataError(f"conformal: the fit to all rows has no standard errors to scale ({fit.message})")
    _, codes = np.unique(unit, return_inverse=True)
    largest = np.zeros(int(codes.max()) + 1)
    np.maximum.at(largest, codes.reshape(-1), sizes)
    rank = math.ceil((largest.size + 1) * level - 1e-9)
    if rank > largest.size:
        raise DataError(
            f"level={level:g} needs at least {math.ceil(level / (1.0 - level) - 1e-9)} held-out runs; there are "
            f"{largest.size}: hold out more, or lower the level"
        )
    reach = float(np.sort(largest)[rank - 1])
    nominal = float(_engine.t_quantile(0.5 + 0.5 * level, fit.dof)) if fit.dof > 0.0 else math.nan
    return Conformal(fit, level, reach, reach / nominal, largest.size)
