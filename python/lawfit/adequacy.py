"""Whether a law meets the runs as well as their noise allows: tests of lack of fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lawfit import _engine
from lawfit._engine import F64
from lawfit._options import check_word
from lawfit._residuals import residuals_of
from lawfit._tangent import moving_parameters
from lawfit._wording import listed
from lawfit.results import Fit

KINDS = ("chi2", "F", "chi2_means")
# A p value below this, or for sigma above one less this, is called a contradiction in words.
DOUBTFUL = 0.05


@dataclass(frozen=True, slots=True)
class LackOfFit:
    """A test of whether a law misses runs by more than their noise.

    Attributes
    ----------
    kind : str
        ``"chi2"``, ``"F"``, ``"chi2_means"``, or ``"none"`` where there is nothing to test with.
    statistic : float
        The sum of squares, or the ratio of mean squares; NaN where the test cannot be made.
    df : tuple of int
        Degrees of freedom, one number for chi-squared and two for F; empty where the test cannot be made.
    p_value : float
        Probability of a statistic at least as large under a law that is right; NaN where the test cannot be made.
    n_groups : int
        Distinct points of the variables among the rows that the fit used.
    pure_error : float
        Standard deviation of a row of weight 1 on the residual's scale (in units of ``sigma`` where that is known), as
        runs at the same point show it; NaN where none repeat.
    message : str
        What it means in words, or why the test cannot be made and what to do.
    """

    kind: str
    statistic: float
    df: tuple[int, ...]
    p_value: float
    n_groups: int
    pure_error: float
    message: str


@dataclass(frozen=True, slots=True)
class _Sums:
    """What all tests are made of; a prior counts as one observation."""

    n_rows: int
    n_groups: int
    n_fitted: int  # parameters that the rows move, less those that are borrowed
    of_means: float  # weighted squares of the means of repeated runs about the law, and of priors
    of_repeats: float  # weighted squares of repeated runs about their means


def lack_of_fit(fit: Fit, kind: str = "auto") -> LackOfFit:
    """Test whether a law misses the runs of a fit by more than their noise.

    Parameters
    ----------
    fit : Fit
        The fit; its residuals are tested as they are.
    kind : {"auto", "chi2", "F", "chi2_means"}
        ``"chi2"``: the squares of all residuals in units of ``sigma``, against n - p. ``"F"``: how far the law misses
        the means of runs at the same point, against how far those runs lie from their means (pure error).
        ``"chi2_means"``: the first of these two in units of ``sigma``. ``"auto"`` is ``"chi2"`` for a fit with
        ``sigma=``, ``"F"`` for one with repeated runs.

    Returns
    -------
    LackOfFit
        Statistic, degrees of freedom, p value and what they mean in words. Where there is neither known noise nor a
        repeated run, the kind is ``"none"`` and the message says what to do; it does not raise.

    Raises
    ------
    LawError
        ``kind`` is none of these words.

    Notes
    -----
    When to use: before a law is trusted beyond its runs. A small p value says that the law, or ``sigma``, is wrong; a
    large one only that these runs do not show it. Rows repeat where all variables of the law are equal, such as other
    seeds. The tests are those of least squares: exact where the law is linear in its parameters and the noise normal,
    good where noise is small. They take the residuals of ``loss="squared"`` for granted; after a robust loss, which
    leaves larger squares, p comes out too small, and the message says so. Priors count as observations.

    References
    ----------
    Draper and Smith 1998, Applied Regression Analysis, section 2.1; Weisberg 2005, Applied Linear Regression,
    section 5.3.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> sizes = [1e7, 3e7, 1e8, 3e8, 1e9, 3e9, 1e10, 3e10]
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": sizes}, noise=0.004, seed=2)
    >>> fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss="squared", sigma="0.004*loss")
    >>> test = fit.lack_of_fit()
    >>> test.kind, test.df, test.p_value > 0.05
    ('chi2', (5,), True)
    """
    check_word("kind", kind, ("auto", *KINDS))
    if not fit.success:
        return LackOfFit("none", math.nan, (), math.nan, 0, math.nan, f"the fit is not usable as it is: {fit.message}")
    sums = _sums(fit)
    has_repeats = sums.n_rows > sums.n_groups
    if kind == "auto":
        kind = "chi2" if fit.rows.sigma is not None else "F" if has_repeats else "none"
    reason = _why_not(fit, kind, sums)
    df: tuple[int, ...] = ()
    statistic = p_value = math.nan
    if reason is None:
        df, statistic, p_value = _test(kind, sums)
        reason = _meaning(fit, kind, sums, df, statistic, p_value) + _reservations(fit)
    freedom = sums.n_rows - sums.n_groups
    pure_error = math.sqrt(sums.of_repeats / freedom) if has_repeats else math.nan
    return LackOfFit(kind, statistic, df, p_value, sums.n_groups, pure_error, reason)


def _sums(fit: Fit) -> _Sums:
    options, found = fit.options, residuals_of(fit)
    residuals, weights = found.plain, found.weights * found.noise**-2.0
    _, groups = np.unique(found.x, axis=1, return_inverse=True)
    groups = groups.reshape(-1)
    totals = np.bincount(groups, weights)
    means: F64 = np.bincount(groups, weights * residuals) / totals
    free = moving_parameters(fit)
    borrowed = [name for name in free if name in options.prior]
    pulls = [(fit.params[name] - options.prior[name][0]) / options.prior[name][1] for name in borrowed]
    of_priors = fit.prior_variance * sum(pull**2 for pull in pulls) if borrowed else 0.0
    return _Sums(
        n_rows=residuals.size,
        n_groups=totals.size,
        n_fitted=len(free) - len(borrowed),
        of_means=float(np.sum(totals * means**2)) + of_priors,
        of_repeats=float(np.sum(weights * (residuals - means[groups]) ** 2)),
    )


def _why_not(fit: Fit, kind: str, sums: _Sums) -> str | None:
    """Say why a test cannot be made, and what would help; ``None`` where it can."""
    variables = listed(fit.rows.variables)
    advice = "fit with sigma=, the standard deviation of each row"
    if kind == "none" and fit.rows.sampled is not None:
        return (
            "there is nothing to test with: averages over the same problems are off together, so that their standard "
            "errors are no sigma=; see how the law predicts other checkpoints with validate or compare_t2"
        )
    if kind == "none":
        return (
            f"there is nothing to test with: neither known noise nor two runs with the same {variables}; {advice}, or "
            "add runs that repeat a point, such as other seeds"
        )
    if kind != "F" and fit.rows.sigma is None:
        return f"kind={kind!r} needs known noise: {advice}"
    if kind == "F" and sums.n_rows == sums.n_groups:
        return f'kind="F" needs runs that repeat a point: no two rows have the same {variables}'
    if kind == "F" and sums.of_repeats == 0.0:
        return "runs at the same point are equal to the last digit: copies of one run say nothing about noise"
    if (sums.n_rows if kind == "chi2" else sums.n_groups) <= sums.n_fitted:
        what = "rows" if kind == "chi2" else f"distinct points of {variables}"
        return (
            f"the law has as many parameters as there are {what}, and meets them whatever it is: add some, or fix some"
        )
    return None


def _test(kind: str, sums: _Sums) -> tuple[tuple[int, ...], float, float]:
    """Degrees of freedom, statistic and p value."""
    above = sums.n_groups - sums.n_fitted
    if kind == "F":
        below = sums.n_rows - sums.n_groups
        ratio = (sums.of_means / above) / (sums.of_repeats / below)
        return (above, below), ratio, float(_engine.f_sf(ratio, above, below))
    if kind == "chi2":
        above = sums.n_rows - sums.n_fitted
    statistic = sums.of_means + (sums.of_repeats if kind == "chi2" else 0.0)
    return (above,), statistic, float(_engine.chi2_sf(statistic, above))


def _meaning(fit: Fit, kind: str, sums: _Sums, df: tuple[int, ...], statistic: float, p_value: float) -> str:
    if kind == "F":
        figures = f"F = {statistic:.3g} on {df[0]} and {df[1]} degrees of freedom, p = {p_value:.2g}"
        if p_value < DOUBTFUL:
            return f"the law misses the means of repeated runs by more than these differ among themselves ({figures})"
        return f"the law misses the means of repeated runs by no more than these differ among themselves ({figures})"
    what = "residuals" if kind == "chi2" else "means of repeated runs about the law"
    figures = (
        f"chi2 = {statistic:.4g} on {df[0]} degrees of freedom, {statistic / df[0]:.2g} each where 1 is expected, "
        f"p = {p_value:.2g}"
    )
    if p_value < DOUBTFUL:
        repeats = '; kind="F" tells which, from the repeats' if sums.n_rows > sums.n_groups else ""
        return (
            f"{what} are larger than sigma says ({figures}): the law misses something, or sigma is too small{repeats}"
        )
    if p_value > 1.0 - DOUBTFUL:
        return f"{what} are smaller than sigma says ({figures}): sigma is too large, or rows are not independent"
    return f"{what} are as large as sigma says ({figures})"


def _reservations(fit: Fit) -> str:
    """Name what the test takes for granted and the fit does not give."""
    found = ""
    if fit.options.loss != "squared":
        found += (
            f"; the fit minimised loss={fit.options.loss!r}, not the squares that the test is made of, so p comes out "
            'too small: for the test itself refit with loss="squared"'
        )
    if fit.options.prior:
        found += "; priors count as observations"
    return found
