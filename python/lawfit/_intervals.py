"""From draws of one number to the ends of an interval: one function and one word a method."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from lawfit import _engine
from lawfit._draws import LEAVING_OUT, spread
from lawfit._engine import F64
from lawfit.errors import DataError

# A quantile that fewer draws than this lie beyond is the luck of the seed.
LEAST_BEYOND = 10.0
# More replicates than that are no advice.
MOST_ASKED = 1e7


class Studentized(NamedTuple):
    """Standard errors: of the estimate, and (R,) of each draw at its own optimum, NaN where it has none."""

    stderr: float
    each: F64
    reason: str | None  # why the estimate has none


class Ends(NamedTuple):
    """Ends of an interval, the method that made them and what to know about it."""

    lower: float
    upper: float
    method: str
    mc_error: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Draws of one number, and what the methods may ask.

    Attributes
    ----------
    estimate : float
        At the fit to all rows.
    values : numpy.ndarray
        (R,) usable draws.
    level : float
        Coverage that is aimed at.
    resample : str
        Scheme of the draws.
    share : float or None
        Share of the units that each subsample keeps.
    n_units : int
        Rows or clusters that were drawn from.
    n_determined : float
        Parameters that the rows determine.
    over_clusters : bool
        Whether the units are clusters.
    is_widened : bool
        Whether the draws have the share of the variance already that few units miss, as those of new runs.
    left_out : callable
        (n_units,) the number without each unit in turn, NaN where that refit failed.
    studentized : callable
        Standard errors, or None where the draws have no covariances.
    n_lost : int
        Replicates that failed or have no finite number.
    """

    estimate: float
    values: F64
    level: float
    resample: str
    share: float | None
    n_units: int
    n_determined: float
    over_clusters: bool
    is_widened: bool
    left_out: Callable[[], F64]
    studentized: Callable[[], Studentized | None]
    n_lost: int = 0

    @property
    def tail(self) -> float:
        """Probability beyond either end."""
        return 0.5 * (1.0 - self.level)

    @property
    def dof(self) -> float:
        """Degrees of freedom of Student's t: those of CR3 where whole clusters were left out."""
        if self.over_clusters and self.resample in LEAVING_OUT:
            return self.n_units - 1.0
        return self.n_units - self.n_determined


def none(method: str, reason: str) -> Ends:
    """Return no interval, and why."""
    return Ends(math.nan, math.nan, method, None, (reason,))


def percentile(sample: Sample) -> Ends:
    """Quantiles of the draws, interpolated linearly. Efron 1979."""
    return _quantiles(sample, "percentile", sample.tail, 1.0 - sample.tail)


def expanded(sample: Sample) -> Ends:
    """Quantiles further out, as Student's t and the missing share of the variance ask. Hesterberg 2015, section 4.6."""
    n, p = sample.n_units, sample.n_determined
    if n < p + 2.0:
        return none("expanded", too_few_units(sample))
    widening = 1.0 if sample.is_widened else missing_spread(n, p)
    reach = float(_engine.t_quantile(1.0 - sample.tail, n - p)) * widening
    tail = float(_engine.t_sf(reach, math.inf))
    if tail * sample.values.size >= LEAST_BEYOND:
        return _quantiles(sample, "expanded", tail, 1.0 - tail)
    is_possible = tail * MOST_ASKED >= LEAST_BEYOND
    enough = f"n_replicates={math.ceil(LEAST_BEYOND / tail)} would do" if is_possible else "no number would do"
    note = (
        f"with {_units(sample)} the expanded percentile reaches out to a probability of {tail:.2g}, for which "
        f"{sample.values.size} usable replicates are too few: {enough}; "
    )
    if sample.studentized() is not None:
        instead, what = studentized(sample), "bootstrap-t"
    else:
        # What the quantiles would be if the draws were normal.
        instead, what = student(sample, widening), "Student's t times the widened standard deviation of the draws"
    return instead._replace(notes=(f"{note}{what} instead", *instead.notes))


def missing_spread(n_units: int, n_determined: float) -> float:
    """Return the factor by which draws with Bayesian weights spread too little: they know no degrees of freedom."""
    return math.sqrt(n_units / (n_units - n_determined))


def basic(sample: Sample) -> Ends:
    """Quantiles mirrored at the estimate. Davison and Hinkley 1997, section 5.2."""
    lower, upper, _, error, notes = percentile(sample)
    assert error is not None, "quantiles of draws have an error"
    return Ends(2.0 * sample.estimate - upper, 2.0 * sample.estimate - lower, "basic", (error[1], error[0]), notes)


def student(sample: Sample, widening: float = 1.0) -> Ends:
    """Estimate and Student's t times the standard error that the draws give."""
    if sample.dof < 1.0 or sample.n_units < sample.n_determined + 2.0:
        return none("t", too_few_units(sample))
    factor = float(_engine.t_quantile(1.0 - sample.tail, sample.dof))
    if sample.resample == "jackknife":
        if sample.values.size < sample.n_units:
            missing = sample.n_units - sample.values.size
            return none("t", f"without some units, {missing} of {sample.n_units}, the fit does not end in a minimum")
        error = None
    else:
        # The variance of a standard deviation, relatively, from the fourth moment.
        away = np.abs(sample.values - sample.values.mean())
        # In units of the largest, since fourth powers of amplitudes have no place in a float.
        squares = (away / away.max()) ** 2 if away.any() else away
        of_variance = float(squares.var()) / sample.values.size
        error = 0.5 * math.sqrt(of_variance) / float(squares.mean()) if squares.any() else 0.0
    reach = factor * widening * float(spread(sample.values, sample.resample, sample.share))
    ends = Ends(sample.estimate - reach, sample.estimate + reach, "t")
    return ends if error is None else ends._replace(mc_error=(error * reach, error * reach))


def bca(sample: Sample) -> Ends:
    """Quantiles corrected for bias and for a standard error that changes with the parameter. Efron 1987."""
    values, estimate = sample.values, sample.estimate
    # Draws that are equal to the estimate count half.
    below = float(np.mean(values < estimate) + np.mean(values <= estimate)) / 2.0
    if not 0.0 < below < 1.0:
        return percentile_since(sample, "all draws lie on one side of the estimate, so BCa has no bias correction")
    left_out = sample.left_out()
    if not np.isfinite(left_out).all():
        failed = int(np.count_nonzero(~np.isfinite(left_out)))
        return percentile_since(sample, f"without some units, {failed} of {left_out.size}, the fit fails: no BCa")
    centred = left_out.mean() - left_out
    squares = float(np.sum(centred**2))
    acceleration = float(np.sum(centred**3)) / (6.0 * squares**1.5) if squares > 0.0 else 0.0
    bias = _normal_quantile(below)
    ends = []
    for tail in (sample.tail, 1.0 - sample.tail):
        z = bias + _normal_quantile(tail)
        if acceleration * z >= 1.0:
            return percentile_since(sample, f"the acceleration {acceleration:.2g} is too large for BCa")
        shifted = bias + z / (1.0 - acceleration * z)
        # How the level moves with the bias correction, whose own Monte-Carlo error counts too.
        gain = _normal_density(shifted) * (1.0 + (1.0 - acceleration * z) ** -2.0) / _normal_density(bias)
        ends.append(_corrected(values, estimate, _normal_below(shifted), gain))
    (lower, lower_error), (upper, upper_error) = ends
    return Ends(lower, upper, "bca", (lower_error, upper_error))


def studentized(sample: Sample) -> Ends:
    """Bootstrap-t: quantiles of (draw - estimate) / its standard error, times that of the estimate. Hall 1992."""
    found = sample.studentized()
    if found is None:
        raise DataError(
            'method="studentized" needs the covariance of each replicate: make the draws with '
            "bootstrap(..., studentize=True)"
        )
    if found.reason is not None:
        return none("studentized", found.reason)
    with np.errstate(all="ignore"):
        ratios = (sample.values - sample.estimate) / found.each
    usable = ratios[np.isfinite(ratios)]
    if usable.size < 2:
        return none("studentized", f"{usable.size} of {ratios.size} replicates have a standard error of their own")
    of_ratios = _quantiles(replace(sample, values=usable), "studentized", sample.tail, 1.0 - sample.tail)
    assert of_ratios.mc_error is not None, "quantiles of draws have an error"
    lower, upper = (sample.estimate - found.stderr * end for end in (of_ratios.upper, of_ratios.lower))
    error = (found.stderr * of_ratios.mc_error[1], found.stderr * of_ratios.mc_error[0])
    lost = ratios.size - usable.size
    notes = (f"{lost} of {ratios.size} replicates have no standard error of their own and are left out",)
    return Ends(lower, upper, "studentized", error, notes if lost else ())


Method = Callable[[Sample], Ends]
METHODS: dict[str, Method] = {
    "expanded": expanded,
    "percentile": percentile,
    "basic": basic,
    "bca": bca,
    "studentized": studentized,
    "t": student,
}
# Those that hold for a sum of an estimate's spread and the noise of a new run.
OF_RUNS = ("expanded", "percentile", "t")
# Those that need draws on either side of the estimate, which there are not where it is at a bound.
TWO_SIDED = ("basic", "bca", "studentized")
# What "auto" stands for, by scheme of the draws. Weights that a caller gives are the caller's design: quantiles as they
# are, whatever they imitate.
AUTO = {"bayesian": "expanded", "crossed": "expanded", "jackknife": "t", "subsample": "t"}
OTHERWISE = "percentile"
# ... and for new runs, whose noise is estimated too, whatever the scheme.
FOR_RUNS = "expanded"


def is_too_narrow(resample: str) -> bool:
    """Whether draws of a scheme spread too little, by `missing_spread`."""
    return METHODS[AUTO.get(resample, OTHERWISE)] is expanded


def _quantiles(sample: Sample, method: str, below: float, above: float) -> Ends:
    lower, upper = np.quantile(sample.values, [below, above])
    return Ends(
        float(lower), float(upper), method, (quantile_error(sample.values, below), quantile_error(sample.values, above))
    )


def quantile_error(values: F64, p: float) -> float:
    """Monte-Carlo standard error of a quantile: what resampling the draws again and again would give.

    Maritz and Jarrett 1978, J. Amer. Statist. Assoc. 73: the order statistic of rank k of a resample is the i-th of the
    draws with the probability that a Beta(k, R - k + 1) variable lies in ((i - 1) / R, i / R). Here k may be broken.
    """
    ordered = np.sort(values)
    chances = _rank_chances(values.size, p)
    # About one end of the draws, lest squares of a large common part cancel.
    centred = ordered - ordered[int(p * (values.size - 1))]
    mean = float(chances @ centred)
    return math.sqrt(max(float(chances @ centred**2) - mean**2, 0.0))


@lru_cache(maxsize=64)
def _rank_chances(n: int, p: float) -> F64:
    rank = 1.0 + p * (n - 1.0)
    a, b = rank, n - rank + 1.0
    x = np.arange(1, n) / n
    # P(Beta(a, b) > x) as a tail of F, (b / a) x / (1 - x) being F with 2a and 2b degrees of freedom.
    above = _engine.f_sf(b / a * x / (1.0 - x), 2.0 * a, 2.0 * b)
    return np.asarray(-np.diff(np.concatenate([[1.0], above, [0.0]])))


def _corrected(values: F64, estimate: float, below: float, gain: float) -> tuple[float, float]:
    """Quantile at a level that itself rests on the draws, and the Monte-Carlo error of both together."""
    end = float(np.quantile(values, below))
    of_level = math.sqrt(below * (1.0 - below))
    if of_level == 0.0:
        return end, math.nan
    # To first order a quantile errs by (share below it - level) / density, which is what its own error is made of.
    influence = gain * (values < estimate) - (values <= end)
    return end, quantile_error(values, below) / of_level * float(influence.std())


def percentile_since(sample: Sample, reason: str) -> Ends:
    instead = percentile(sample)
    return instead._replace(notes=(f"{reason}: percentiles instead", *instead.notes))


def _units(sample: Sample) -> str:
    word = "problems" if sample.resample == "problems" else "clusters" if sample.over_clusters else "rows"
    return f"{sample.n_units} {word}"


def too_few_units(sample: Sample) -> str:
    return (
        f"{_units(sample)} are too few for {sample.n_determined:g} parameters: at least two more are needed; "
        "fix parameters, or add runs"
    )


def _normal_quantile(p: float) -> float:
    return float(_engine.t_quantile(p, math.inf))


def _normal_below(z: float) -> float:
    return float(_engine.t_sf(-z, math.inf))


def _normal_density(z: float) -> float:
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
