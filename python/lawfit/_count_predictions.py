"""Probabilities that a fit to counts predicts, of one success and of any in k attempts, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _engine
from lawfit._count_fit import CountFit
from lawfit._count_law import unused
from lawfit._derived import delta
from lawfit._draws import Draws, check_level
from lawfit._engine import F64
from lawfit._law import Law
from lawfit._predictions import Predicted, Prediction
from lawfit._quantity import Quantity
from lawfit._wording import describe
from lawfit.errors import DataError


def predict(
    fit: CountFit,
    points: Mapping[str, ArrayLike] | None = None,
    /,
    *,
    interval: float | None = None,
    draws: Draws | None = None,
    **variables: ArrayLike,
) -> F64 | Prediction:
    """Probability of a success at points of the law's variables.

    Parameters
    ----------
    fit : CountFit
        The fit.
    points : mapping of str to array, optional
        Values by name, for variables that are not Python identifiers or have the name of an argument.
    interval : float, optional
        Coverage that the interval aims at, such as 0.95, at each point by itself.
    draws : Draws, optional
        A bootstrap of this fit, whose draws the interval then comes from.
    **variables : array-like
        Values by name; scalars and arrays are broadcast together.

    Returns
    -------
    numpy.ndarray or Prediction
        float64, of the shape that the variables have together; with ``interval=`` a `Prediction`.

    Raises
    ------
    LawError
        A variable is missing or unknown.
    DataError
        The level is not between 0 and 1, or the draws are of another fit.

    Notes
    -----
    When to use: for the mean over problems. The interval is for the law, not for the count of one evaluation: by the
    delta method on the logit, ln(p / (1 - p)), so that it stays between 0 and 1, or from the draws.

    Examples
    --------
    >>> import lawfit as lf
    >>> cells = {"N": [1e8, 3e8, 1e9, 3e9, 1e10], "right": [0, 9, 88, 260, 466], "asked": [1000] * 5}
    >>> fit = lf.fit_counts("exp(-A*N**-alpha)", cells, n_correct="right", n_samples="asked", bounds={"A": (0, None)})
    >>> band = fit.predict(N=3e10, interval=0.95)
    >>> bool(0.0 < band.lower < band.value < band.upper < 1.0)
    True
    """
    return _probability(fit, fit.law, points, interval, draws, variables)


def pass_at_k(
    fit: CountFit,
    n_attempts: ArrayLike,
    points: Mapping[str, ArrayLike] | None = None,
    /,
    *,
    interval: float | None = None,
    draws: Draws | None = None,
    **variables: ArrayLike,
) -> F64 | Prediction:
    """Probability of at least one success in some attempts at one problem, averaged over problems.

    Parameters
    ----------
    fit : CountFit
        The fit.
    n_attempts : array-like
        How many attempts, k; broadcast with the variables.
    points, interval, draws, **variables
        As in `predict`; the variables of the size are wanted too.

    Returns
    -------
    numpy.ndarray or Prediction
        1 - (1 - p)**k for the binomial, 1 - B(a, b + k) / B(a, b) with a = p size, b = (1 - p) size with a size.

    Raises
    ------
    LawError
        A variable is missing or unknown.
    DataError
        The level is not between 0 and 1, or the draws are of another fit.

    Notes
    -----
    When to use: for pass@k beyond the samples at hand. Without a size it takes all problems as equally hard, which
    promises too much at large k.

    References
    ----------
    Roberts et al. 2026, arXiv:2604.01411, section 3.2.

    Examples
    --------
    >>> import lawfit as lf
    >>> cells = {"N": [1e8, 3e8, 1e9, 3e9, 1e10], "right": [0, 9, 88, 260, 466], "asked": [1000] * 5}
    >>> fit = lf.fit_counts("exp(-A*N**-alpha)", cells, n_correct="right", n_samples="asked", bounds={"A": (0, None)})
    >>> bool(abs(fit.pass_at_k(2, N=1e9) - (1 - (1 - fit.predict(N=1e9)) ** 2)) < 1e-12)
    True
    """
    attempts = unused("k", {*fit.inner.law.names, *variables, *(points or {})})
    law = fit.model.pass_at(attempts)
    return _probability(fit, law, points, interval, draws, {**variables, attempts: n_attempts})


def _probability(
    fit: CountFit,
    law: Law,
    points: Mapping[str, ArrayLike] | None,
    level: float | None,
    draws: Draws | None,
    variables: Mapping[str, ArrayLike],
) -> F64 | Prediction:
    """Values of a probability that is a law of the fit's parameters, with an interval if one is asked for."""
    if level is None:
        if draws is not None:
            raise DataError("draws: they are for an interval; give interval=0.95 too")
        params = {name: fit.params[name] for name in law.parameters}
        return law.evaluate(points, params=params, **variables)
    check_level(level)
    located, x, shape = law.located(points, variables)
    places = tuple(fit.parameters.index(name) for name in located.parameters)
    quantity = Quantity(located.text, located.variables or (), x, located.parameters, places)
    if draws is not None:
        return _from_draws(fit, quantity, shape, level, draws)
    value, stderr, reason = delta(fit.inner, quantity)
    dof = fit.dof
    reach = float(_engine.t_quantile(0.5 + 0.5 * level, dof)) if not math.isnan(dof) else math.nan
    with np.errstate(all="ignore"):
        logit, spread = np.log(value) - np.log1p(-value), stderr / (value * (1.0 - value))
        lower, upper = (1.0 / (1.0 + np.exp(-(logit + sign * reach * spread))) for sign in (-1.0, 1.0))
    lower, upper, value = (np.asarray(ends.reshape(shape)) for ends in (lower, upper, value))
    return Prediction(value, lower, upper, level, "mean", reason)


def _from_draws(fit: CountFit, quantity: Quantity, shape: tuple[int, ...], level: float, draws: Draws) -> Prediction:
    if not isinstance(draws, Draws):
        raise DataError(f"draws: give what fit.bootstrap() returns, not {describe(draws)}")
    if draws.fit is not fit.inner:
        raise DataError("draws: these are draws of another fit; give those of fit.bootstrap()")
    values = np.where(draws.ok[:, np.newaxis], quantity.values(draws.params), np.nan)
    estimate = quantity.values(np.array([list(fit.params.values())]))[0].reshape(shape)
    return Predicted("mean", values.reshape(len(draws), *shape), np.asarray(estimate), draws, quantity).interval(level)
