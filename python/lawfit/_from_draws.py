"""From draws to samples of one number each, and to ends that know of failures and bounds."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from lawfit import _reasons
from lawfit._derived import delta, reason_of
from lawfit._draws import LEAVING_OUT, Draws
from lawfit._engine import F64
from lawfit._intervals import (
    AUTO,
    METHODS,
    OTHERWISE,
    TWO_SIDED,
    Ends,
    Sample,
    Studentized,
    expanded,
    none,
    percentile_since,
    student,
    too_few_units,
)
from lawfit._options import check_word
from lawfit._quantity import Quantity
from lawfit._refits import determined, leave_one_out
from lawfit.errors import DataError
from lawfit.results import Fit

# A larger share of failed replicates is worth a word at each interval.
FEW_FAILED = 0.01


def method_for(draws: Draws, method: object) -> str:
    """Return the method that a word means for these draws."""
    asked = check_word("method", method, ("auto", *METHODS))
    word = asked if asked in METHODS else AUTO.get(draws.resample, OTHERWISE)
    if draws.resample in LEAVING_OUT and METHODS[word] is not student:
        raise DataError(
            f"method={method!r}: draws of resample={draws.resample!r} leave units out, so their quantiles are no "
            'interval; take method="t", which scales their spread'
        )
    return word


def why_none(fit: Fit, quantity: Quantity) -> str | None:
    """Say why draws of a fit give no interval."""
    if not fit.success and not fit.unidentified:
        return f"the fit is not usable as it is: {fit.message}"
    if all(name in fit.options.fixed for name in quantity.names) or any(
        name in fit.unidentified for name in quantity.names
    ):
        return reason_of(fit, quantity)
    return None


def ends_of(fit: Fit, quantity: Quantity, sample: Sample, word: str) -> Ends:
    """Return ends by a method, with the bounds of parameters in mind."""
    # First, since it holds whatever the draws are, and since no draws can mend it.
    if sample.n_units < sample.n_determined + 2.0:
        return none(word, too_few_units(sample))
    if sample.values.size < 2:
        few = sample.values.size
        return none(word, f"{few} usable replicate{'' if few == 1 else 's'} are too few for an interval")
    if sample.resample != "jackknife" and sample.n_lost > (1.0 - sample.level) * (sample.n_lost + sample.values.size):
        # What fails is rarely a random part: searches without end fail on one side.
        return none(word, "more replicates are without a value than lie beyond both ends, so the ends are unknown")
    if METHODS[word] not in (student, expanded) and sample.tail * sample.values.size < 1.0:
        least = math.ceil(1.0 / sample.tail)
        return none(word, f"{sample.values.size} usable replicates are too few for these ends: {least} are the least")
    name = quantity.text.strip()
    if name in fit.at_bound and word in TWO_SIDED:
        ends = percentile_since(sample, f"the fit has {name} at a bound, where {word} does not hold")
    else:
        ends = METHODS[word](sample)
    if not math.isfinite(ends.lower) and not ends.notes:
        ends = none(ends.method, "the draws have no finite spread")
    if name in fit.options.bounds:
        ends = _within(ends, name, fit.options.bounds[name])
    # Draws rarely leave a bound, and what goes with that parameter moves too little: Andrews 2000, Econometrica 68.
    about = tuple(
        f"{other} is at its bound {_reasons.bound(fit, other):g} in the fit and in most draws, which makes them "
        'narrow: compare with fit.interval(..., method="profile")'
        for other in fit.at_bound
        if other != name
    )
    return ends._replace(notes=(*ends.notes, *about))


def _within(ends: Ends, name: str, bounds: tuple[float, float]) -> Ends:
    """Let no end pass a bound of the parameter, and say which sides are closed by one."""
    lower, upper = max(ends.lower, bounds[0]), min(ends.upper, bounds[1])
    met = [
        (side, bound)
        for side, end, bound in zip(("below", "above"), (lower, upper), bounds, strict=True)
        if end == bound
    ]
    if not met:
        return ends
    notes = tuple(f"one-sided: closed {side} by the bound {bound:g} of {name}" for side, bound in met)
    if lower == upper:
        notes += (f"hardly any draw leaves it, which is no measure of how far {name} may be from it",)
    error = ends.mc_error
    if error is not None:
        error = (0.0 if lower == bounds[0] else error[0], 0.0 if upper == bounds[1] else error[1])
    return ends._replace(lower=lower, upper=upper, mc_error=error, notes=(*ends.notes, *notes))


def samples_of(
    draws: Draws, quantity: Quantity, values: F64, level: float, *, is_widened: bool = False
) -> list[tuple[Sample, tuple[str, ...]]]:
    """Usable draws of each of K numbers, (R, K), with what to say about those that are not."""
    fit = draws.fit
    estimate = quantity.values(np.array([list(fit.params.values())]))[0]
    n_determined, ok = determined(fit), draws.ok

    @cache
    def left_out() -> F64:
        jackknife = leave_one_out(fit)
        return np.where(jackknife.ok[:, np.newaxis], quantity.values(jackknife.params), math.nan)

    @cache
    def spreads() -> tuple[F64, F64, str | None]:
        assert draws.covariances is not None, "asked for only where there are some"
        free = [k for k, name in enumerate(quantity.names) if name not in fit.options.fixed]
        places = [quantity.places[k] for k in free]
        slopes = quantity.slopes(draws.params)[:, free]
        own = draws.covariances[:, places][:, :, places]
        with np.errstate(invalid="ignore"):
            each = np.sqrt(np.einsum("ruk,ruv,rvk->rk", slopes, own, slopes))
        _, stderr, reason = delta(fit, quantity)
        return stderr, each, reason

    def sample(k: int) -> tuple[Sample, tuple[str, ...]]:
        usable = ok & np.isfinite(values[:, k])

        def studentized() -> Studentized | None:
            if draws.covariances is None:
                return None
            stderr, each, reason = spreads()
            return Studentized(float(stderr[k]), each[usable, k], reason)

        found = Sample(
            estimate=float(estimate[k]),
            values=values[usable, k],
            level=level,
            resample=draws.resample,
            share=draws.share,
            n_units=draws.n_units,
            n_determined=n_determined,
            over_clusters=fit.rows.clustered_by is not None and draws.n_units != fit.n_rows,
            is_widened=is_widened,
            left_out=lambda: left_out()[:, k],
            studentized=studentized,
            n_lost=len(draws) - int(np.count_nonzero(usable)),
        )
        failed, undefined = int(np.count_nonzero(~ok)), int(np.count_nonzero(ok & ~usable))
        notes = []
        if failed > FEW_FAILED * len(draws):
            notes.append(
                f"{failed / len(draws):.1%} of the {len(draws)} replicates did not end in a usable minimum and are "
                "left out"
            )
        if undefined:
            notes.append(f"in {undefined / len(draws):.1%} of the {len(draws)} replicates it has no finite value")
        return found, tuple(notes)

    return [sample(k) for k in range(values.shape[1])]
