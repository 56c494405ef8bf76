"""Intervals of what a fit determines: of parameters, of formulas over them, of predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _band, _profile
from lawfit._derived import derive
from lawfit._draws import Draws, Interval, check_level
from lawfit._engine import DEVIANCE, F64
from lawfit._from_draws import ends_of, method_for, samples_of, why_none
from lawfit._intervals import FOR_RUNS, METHODS, OF_RUNS, none
from lawfit._options import check_word
from lawfit._predictions import Predicted, Prediction
from lawfit._quantity import Quantity, formula
from lawfit._refits import covariance_of
from lawfit._residuals import met_exactly
from lawfit._wording import listed
from lawfit.errors import DataError, LawError
from lawfit.results import Fit


def interval(
    fit: Fit, quantity: str, level: float = 0.95, method: str = "wald", covariance: str | None = None
) -> Interval:
    """Interval of a parameter, or of a formula over the parameters, without resampling.

    Parameters
    ----------
    fit : Fit
        The fit.
    quantity : str
        A parameter, or a formula over the parameters in the law language, such as ``"beta / (alpha + beta)"``.
    level : float
        Coverage that is aimed at, between 0 and 1.
    method : {"wald", "profile"}
        ``"wald"``: the estimate plus and minus Student's t times its standard error. ``"profile"``, for a parameter:
        the values at which the others can be refitted without raising the objective by more than noise explains.
    covariance : str, optional
        Covariance of the Wald interval, such as ``"HC1"``; that of the fit unless given.

    Returns
    -------
    Interval
        (lower, upper). NaN where there is none, and ``note`` says why. A profile that never rises far enough has an
        infinite end; one that meets a bound first ends there, and ``note`` says so.

    Raises
    ------
    LawError
        The method or the covariance is not known, or the two do not go together.
    DataError
        The level is not between 0 and 1, the formula names something that is no parameter, a profile is asked for of a
        formula or of clustered rows, or a covariance over clusters of a fit without any.

    Notes
    -----
    When to use: Wald is always at hand and nearly free; with a narrow ``f_scale`` or few rows `bootstrap` is the better
    guide. Profiles follow the curvature of the law, so they are lopsided where it is, know no negative amplitude, and
    say where the data set no limit; they take rows as independent with one variance (or known ones up to a factor).

    The profile's statistic is the quasi-likelihood ratio 2 (S(theta) - S) m / v, of the profiled objective S(theta) and
    its least value S, with m the mean slope of psi and v = sum w psi² / (n - p), compared with the square of Student's
    t at n - p; under squared loss it is the F test of Bates and Watts. For a parameter at its bound the level is
    one-sided, that of ½ chi²₀ + ½ chi²₁. A prior adds its penalty to the objective; ``f_scale`` and the noise that the
    prior is weighed against stay what the fit found.

    References
    ----------
    Bates and Watts 1988, Nonlinear Regression Analysis and Its Applications, section 6.1; Self and Liang 1987,
    J. Amer. Statist. Assoc. 82; Gleser and Hwang 1987, Ann. Statist. 15, on intervals without end.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> sizes = [1e7, 3e7, 1e8, 3e8, 1e9, 3e9]
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": sizes}, noise=0.001)
    >>> fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss="squared")
    >>> lower, upper = fit.interval("alpha", method="profile")
    >>> bool(lower < 0.34 < upper), fit.interval("alpha", 0.8, covariance="HC1").method
    (True, 'wald')
    """
    check_level(level)
    check_word("method", method, tuple(FIT_METHODS))
    return FIT_METHODS[method](fit, quantity, level, covariance)


def _wald(fit: Fit, quantity: str, level: float, covariance: str | None) -> Interval:
    return derive(fit if covariance is None else covariance_of(fit, covariance), quantity).interval(level)


def _profiled(fit: Fit, quantity: str, level: float, covariance: str | None) -> Interval:
    if covariance is not None:
        raise LawError('covariance: it belongs to method="wald"; a profile rests on the objective alone')
    if fit.options.residual == DEVIANCE:
        raise LawError('method="profile" is not there for fits to counts; take the Wald interval or a bootstrap')
    name = formula(quantity, fit.law.parameters).text.strip()
    if name not in fit.law.parameters:
        raise DataError(
            f'method="profile" is for one parameter, and {quantity!r} is a formula: write the law with it as a '
            "parameter in place of another, or take the Wald interval or a bootstrap"
        )
    return _profile.profile(fit, name, level)


FIT_METHODS: dict[str, Callable[[Fit, str, float, str | None], Interval]] = {"wald": _wald, "profile": _profiled}


def predict(
    fit: Fit,
    points: Mapping[str, ArrayLike] | None = None,
    /,
    *,
    interval: float | None = None,
    kind: str = "mean",
    sigma: ArrayLike | None = None,
    **variables: ArrayLike,
) -> F64 | Prediction:
    """Values of a fitted law, with an interval if one is asked for; see `lawfit.Fit.predict`."""
    if interval is None:
        if kind != _band.KINDS[0] or sigma is not None:
            raise DataError("predict: kind= and sigma= say what an interval is for; give interval=0.95 too")
        return fit.law.evaluate(points, params=fit.params, **variables)
    return _band.predict_with_interval(fit, points, interval, kind, sigma, variables)


def draws_interval(draws: Draws, quantity: str, level: float = 0.95, method: str = "auto") -> Interval:
    """Interval of a parameter, or of a formula over the parameters, from draws.

    Parameters
    ----------
    draws : Draws
        The draws; those that did not end in a minimum are left out, those at a bound stay.
    quantity : str
        A parameter, or a formula over the parameters in the law language.
    level : float
        Coverage that is aimed at, between 0 and 1.
    method : {"auto", "expanded", "percentile", "basic", "bca", "studentized", "t"}
        ``"expanded"``: quantiles at the probability that Student's t and the number of units ask for.
        ``"percentile"``: quantiles. ``"basic"``: quantiles mirrored at the estimate. ``"bca"``: corrected for bias and
        acceleration. ``"studentized"``: bootstrap-t, for draws with covariances. ``"t"``: the estimate plus and minus
        Student's t times the standard error that the draws give. ``"auto"`` is ``"expanded"`` for
        ``resample="bayesian"``, ``"t"`` for draws that leave units out, and ``"percentile"`` for all others; for a
        parameter that the fit of independent rows holds at its bound it is the profile likelihood of `interval`.

    Returns
    -------
    Interval
        (lower, upper) with the Monte-Carlo error of each end; NaN where there is none, and ``note`` says why.
        ``method`` names what was used, and ``note`` says so where one method stands in for another.

    Raises
    ------
    LawError
        The method is not known.
    DataError
        The level is not between 0 and 1, the formula names something that is no parameter, or the draws are not of the
        kind that the method needs.

    Notes
    -----
    When to use: as the statement of uncertainty that needs the fewest assumptions. With n units and p parameters that
    the data determine, the expanded percentile reads the quantiles at Phi(-t sqrt(n / (n - p))), t being Student's at
    n - p: Bayesian weights alone held 89 to 91 % of 95 at 20 rows, expanded 95 to 97 %. It needs ten draws beyond
    either end; with fewer, bootstrap-t or ``"t"`` stand in, and with fewer than p + 2 units there is no interval.
    Where an end meets a bound of the parameter the interval is one-sided, and says so.

    The Monte-Carlo error of a quantile is that of Maritz and Jarrett, the exact standard deviation of resampled order
    statistics; at 1,000 replicates it is about 4 % of an interval's half-width.

    References
    ----------
    Hesterberg 2015, Amer. Statist. 69 (expanded); Davison and Hinkley 1997, Bootstrap Methods and their Application,
    chapter 5; Efron 1987, J. Amer. Statist. Assoc. 82 (BCa); Maritz and Jarrett 1978, J. Amer. Statist. Assoc. 73.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> sizes = [1e7, 2e7, 4e7, 8e7, 2e8, 4e8, 8e8, 2e9, 4e9, 8e9, 2e10, 4e10]
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": sizes}, noise=0.001)
    >>> draws = lf.fit(lf.laws.power_floor, runs, response="loss").bootstrap(3000)
    >>> found = draws.interval("alpha")
    >>> bool(found.lower < found.upper), found.method
    (True, 'expanded')
    """
    check_level(level)
    word = method_for(draws, method)
    asked = formula(quantity, draws.law.parameters)
    if method not in METHODS:
        instead = _at_bound(draws.fit, asked, level)
        if instead is not None:
            return instead
    reason = why_none(draws.fit, asked)
    if reason is None:
        ((sample, notes),) = samples_of(draws, asked, asked.values(draws.params), level)
        ends = ends_of(draws.fit, asked, sample, word)
        ends = ends._replace(notes=(*_exact(draws.fit), *ends.notes, *notes))
    else:
        ends = none(word, reason)
    note = "; ".join(ends.notes) or None
    return Interval(ends.lower, ends.upper, level=level, method=ends.method, mc_error=ends.mc_error, note=note)


def _exact(fit: Fit) -> tuple[str, ...]:
    words = met_exactly(fit)
    return () if words is None else (words,)


def _at_bound(fit: Fit, quantity: Quantity, level: float) -> Interval | None:
    """Profile of a parameter that the fit holds at its bound, where nearly all draws are at the bound too."""
    name = quantity.text.strip()
    if name not in fit.at_bound or fit.rows.clustered_by is not None or fit.options.residual == DEVIANCE:
        return None
    kept = None if fit.rows.summary is None else fit.rows.summary.profiles.get(name)
    found = kept if kept is not None and kept.level == level else _profile.profile(fit, name, level)
    if not math.isfinite(found.lower + found.upper):
        return None
    note = f"draws say little of a parameter that the fit holds at its bound: profile likelihood instead; {found.note}"
    return Interval(found.lower, found.upper, level=level, method=found.method, note=note)


def draws_predict(
    draws: Draws,
    points: Mapping[str, ArrayLike] | None = None,
    /,
    *,
    kind: str = "mean",
    sigma: ArrayLike | None = None,
    **variables: ArrayLike,
) -> Predicted:
    """Values of the law, or of new runs, at points of its variables, on every draw.

    Parameters
    ----------
    draws : Draws
        The draws.
    points : mapping of str to array, optional
        Values by name, for variables that are not Python identifiers or have the name of an argument.
    kind : {"mean", "run"}
        ``"mean"``: the law. ``"run"``: one new run, which has noise of its own.
    sigma : array-like, optional
        Standard deviation of the new runs, in units of the response, for ``kind="run"`` after a fit with ``sigma=``.
    **variables : array-like
        Values by name; scalars and arrays are broadcast together.

    Returns
    -------
    Predicted
        ``values`` (n_replicates, *shape), ``estimate``, and ``interval(level=, method=)``.

    Raises
    ------
    LawError
        A variable is missing or unknown, or ``kind`` is neither word.
    DataError
        ``sigma`` is missing or not wanted, or the draws leave units out and new runs are asked for.

    Notes
    -----
    When to use: ``"mean"`` for how well the law is known, ``"run"`` for what to expect of the next run, and to judge
    whether one that was made is a surprise. A new run is a draw of the law and a residual, drawn from those of the fit
    on the scale that it compares (of logarithms, or linear), each divided by sqrt(1 - leverage), and in units of
    ``sigma`` or of a row of weight 1. Draws with Bayesian weights, which spread too little, are first spread by
    sqrt(n / (n - p)) about the estimate. The residuals come from NumPy's generator, seeded with ``draws.seed``; each
    point has its own. Neither interval knows how wrong the law may be far outside the rows.

    References
    ----------
    Davison and Hinkley 1997, Bootstrap Methods and their Application, sections 6.2.3 and 6.3.3.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> sizes = [1e7, 2e7, 4e7, 8e7, 2e8, 4e8, 8e8, 2e9, 4e9, 8e9, 2e10, 4e10]
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": sizes}, noise=0.001)
    >>> draws = lf.fit(lf.laws.power_floor, runs, response="loss").bootstrap(3000)
    >>> law, run = (draws.predict(x=[1e9, 1e11], kind=kind).interval() for kind in ("mean", "run"))
    >>> bool((run.upper - run.lower > law.upper - law.lower).all())
    True
    """
    return _band.predict(draws, points, kind, sigma, variables)


def predicted_interval(predicted: Predicted, level: float = 0.95, method: str = "auto") -> Prediction:
    """Interval of predictions, at each point by itself.

    Parameters
    ----------
    predicted : Predicted
        Predictions on every draw.
    level : float
        Coverage that is aimed at, between 0 and 1.
    method : str
        As in `draws_interval`. New runs take ``"expanded"`` (``"auto"``), ``"percentile"`` and ``"t"``; their draws of
        the law are widened beforehand, so that ``"expanded"`` goes out to Phi(-t) alone.

    Returns
    -------
    Prediction
        ``value``, ``lower`` and ``upper`` of the shape of the points, labelled with ``kind``.

    Raises
    ------
    LawError
        The method is not known.
    DataError
        The level is not between 0 and 1, or the draws are not of the kind that the method needs.

    Notes
    -----
    When to use: for bands. They hold at each point, not for the whole curve at once.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> sizes = [1e7, 2e7, 4e7, 8e7, 2e8, 4e8, 8e8, 2e9, 4e9, 8e9, 2e10, 4e10]
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": sizes}, noise=0.001)
    >>> draws = lf.fit(lf.laws.power_floor, runs, response="loss").bootstrap(3000)
    >>> band = draws.predict(x=[1e9, 1e11]).interval(level=0.8)
    >>> band.kind, band.lower.shape
    ('mean', (2,))
    """
    check_level(level)
    draws, shape = predicted.draws, predicted.estimate.shape
    word = method_for(draws, method)
    is_run = predicted.kind != _band.KINDS[0]
    if is_run:
        word = word if method in METHODS else FOR_RUNS
        if word not in OF_RUNS:
            raise DataError(f"method={method!r} is not for new runs; take one of {listed(OF_RUNS)}")
    reason = why_none(draws.fit, predicted.quantity)
    lower: F64 = np.full(predicted.estimate.size, math.nan)
    upper, said = lower.copy(), [] if reason is None else [reason]
    if reason is None:
        said += _exact(draws.fit)
        values = predicted.values.reshape(len(draws), -1)
        for k, (sample, notes) in enumerate(samples_of(draws, predicted.quantity, values, level, is_widened=is_run)):
            ends = ends_of(draws.fit, predicted.quantity, sample, word)
            lower[k], upper[k] = ends.lower, ends.upper
            said += [*ends.notes, *notes]
    note = "; ".join(dict.fromkeys(said)) or None
    return Prediction(
        predicted.estimate, np.reshape(lower, shape), np.reshape(upper, shape), level, predicted.kind, note
    )
