"""What the starts of a fit say about its being the best there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import NamedTuple

import numpy as np

from lawfit import _engine
from lawfit._engine import F64, U8, RawFits
from lawfit._law import Law
from lawfit._named import Named
from lawfit._wording import listed

# Two starts that end within this of each other, relatively, are at the same optimum.
SAME_OPTIMUM = 1e-6


class Starts(NamedTuple):
    """Where each of S starts began and how it ended."""

    params: F64  # (S, P) where it began
    ends: F64  # (S, P) where it ended
    objective: F64  # (S,)
    status_codes: U8  # (S,)
    rounding: float  # objectives that differ by less are the same


@dataclass(frozen=True, slots=True)
class Certificate:
    """Evidence that a fit is the best there is, as far as starts can give it.

    Attributes
    ----------
    certified : bool
        Nothing below speaks against it: the gradient is at its tolerance, the curvature positive definite, the best
        objective was reached repeatedly, no start was left unfinished near it, and no exponent, rate or the like
        has a standard error that exceeds it. The scale of a robust loss is taken as given.
    n_best, n_starts : int
        Starts that ended at the best objective, of how many. Those of a scan are its local minima.
    n_optima : int
        Distinct minima that starts ended in.
    gap : float
        How far the second-best minimum lies above the best, relatively; infinite without one.
    n_unfinished : int
        Starts that stopped short of a minimum, within 1 % of the best.
    reasons : tuple of str
        Why it is not certified, one sentence each; empty if it is.
    """

    certified: bool
    n_best: int
    n_starts: int
    n_optima: int
    gap: float
    n_unfinished: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Optimum:
    """A local minimum that at least one start found."""

    objective: float
    count: int
    params: Named[float]


def certificate_of(raw: RawFits, i: int, success: bool, names: Sequence[str]) -> Certificate:
    """Return what the starts of one fit of a batch say about its being the best there is."""
    n_best, n_unfinished, certified = raw.n_best.item(i), raw.n_unfinished.item(i), raw.is_certified.item(i)
    share = raw.start_agreement.item(i)
    n_starts = round(n_best / share) if share > 0.0 else 0
    reasons = []
    if not success:
        reasons.append("it ended in no minimum that may be used")
    if n_unfinished:
        reasons.append(f"{n_unfinished} starts stopped near it, short of a minimum, and might have gone below")
    vague = list(compress(names, raw.vague[i].tolist()))
    if vague:
        words = "their standard errors exceed them" if len(vague) > 1 else "its standard error exceeds it"
        reasons.append(f"the data hardly determine {listed(vague)}: {words}, and a lower minimum may lie far off")
    if not certified and not reasons:
        reasons.append(f"only {n_best} of {n_starts} starts found it: a better one may have been missed; raise starts=")
    return Certificate(
        certified=certified,
        n_best=n_best,
        n_starts=n_starts,
        n_optima=raw.n_optima.item(i),
        gap=raw.next_gap.item(i),
        n_unfinished=n_unfinished,
        reasons=tuple(reasons),
    )


def distinct_optima(law: Law, starts: Starts | None) -> tuple[Optimum, ...]:
    """Group the ends of the starts that reached a minimum by their objective."""
    if starts is None:
        return ()
    success = np.array([status.success for status in _engine.registries().statuses])
    found: list[Optimum] = []
    usable = np.flatnonzero(success[starts.status_codes] & np.isfinite(starts.objective))
    for i in usable[np.argsort(starts.objective[usable], kind="stable")]:
        objective = float(starts.objective[i])
        if found and objective <= found[-1].objective + SAME_OPTIMUM * abs(found[-1].objective) + starts.rounding:
            found[-1] = replace(found[-1], count=found[-1].count + 1)
        else:
            params: Named[float] = Named(zip(law.parameters, starts.ends[i].tolist(), strict=True))
            found.append(Optimum(objective, 1, params))
    return tuple(found)
