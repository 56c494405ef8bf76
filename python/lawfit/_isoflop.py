"""Optima of isoFLOP curves, and the power laws through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _export
from lawfit._draws import Interval
from lawfit._engine import F64, I64
from lawfit._intervals import Sample, missing_spread, none, student, too_few_units
from lawfit._text import fields, number, table
from lawfit.results import Fit

LEVEL = 0.95
MOST_ROWS = 60
# An exponent from two budgets has no budget left that could speak against it.
FEWEST_BUDGETS = 3
# Scatter around a power law, beyond that within curves, that is worth a word.
MUCH = 1.2
NOT_YET = Interval(math.nan, math.nan, level=LEVEL, method="t")
NO_DRAWS = "there are no draws: n_replicates=0, or noise= is not said"


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The lowest point of one isoFLOP curve.

    Attributes
    ----------
    key : tuple
        Values of the columns ``by``.
    budget : float
        Compute of the curve.
    N, D, response : float
        Where it is lowest; NaN where ``status`` is not ``"inside"``.
    interval : Interval
        Of N; NaN where its note says why.
    status : str
        ``"inside"``; ``"edge"`` where it is lowest outside the sizes that were trained, ``"opens downwards"``,
        ``"too few runs"``.
    n_runs : int
        Runs of the curve.
    rows : numpy.ndarray
        (n_runs,) their rows of the table, from 0, by size.
    sizes, responses : numpy.ndarray
        (n_runs,) the runs.
    coefficients : numpy.ndarray
        (3,) of the parabola in ln N - centre of the range; NaN for an interpolation.
    draws : numpy.ndarray
        (n_replicates,) ln N of every draw, NaN where it has no lowest point inside.
    bias : float
        N of the curve over that of a law, where both see the law alone without noise; NaN where no law could be
        fitted.
    """

    key: tuple[object, ...]
    budget: float
    N: float
    D: float
    response: float
    interval: Interval
    status: str
    n_runs: int
    rows: I64
    sizes: F64
    responses: F64
    coefficients: F64
    draws: F64
    bias: float


@dataclass(frozen=True, slots=True, eq=False)
class PowerLaw:
    """How optima grow with compute: N = K C**a.

    Attributes
    ----------
    key : tuple
        Values of the columns ``by``.
    of : str
        ``"N"`` or ``"D"``.
    exponent, K : float
        Of the power law; NaN where ``note`` says why.
    interval : Interval
        Of the exponent.
    n_budgets : int
        Optima inside that it goes through.
    draws : numpy.ndarray
        (n_replicates, 2) of ln K and the exponent.
    n_units : int
        Runs that were drawn from.
    n_determined : float
        Coefficients of the curves that the runs determine.
    """

    key: tuple[object, ...]
    of: str
    exponent: float
    K: float
    interval: Interval
    n_budgets: int
    draws: F64
    n_units: int
    n_determined: float

    def at(self, C: ArrayLike) -> tuple[F64, F64, F64]:
        """Return the optimum at compute ``C`` and the ends of its 95 % interval, each of the shape of ``C``."""
        log_c = np.log(np.asarray(C, dtype=np.float64))
        value = self.K * np.exp(self.exponent * log_c)
        ends = np.full((2, log_c.size), math.nan)
        if math.isfinite(self.interval.lower):
            for place, (x, middle) in enumerate(zip(log_c.ravel(), np.log(value).ravel(), strict=True)):
                line = self.draws[:, 0] + self.draws[:, 1] * x
                ends[:, place] = interval_of(float(middle), line, self.n_units, self.n_determined, is_log=True)
        lower, upper = (end.reshape(log_c.shape)[()] for end in ends)
        return value[()], lower, upper


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IsoFlop:
    """Optima of isoFLOP curves, as `lawfit.isoflop` gives them.

    Attributes
    ----------
    optima : tuple of Optimum
        One for each group and budget.
    power_laws : tuple of PowerLaw
        Of N and of D, for each group.
    by : tuple of str
        Columns of the groups.
    compute : str
        The formula of compute.
    response : str
        What is low at an optimum.
    method : str
        ``"parabola"`` or ``"interpolation"``.
    notes : tuple of str
        What to distrust.
    """

    optima: tuple[Optimum, ...]
    power_laws: tuple[PowerLaw, ...]
    by: tuple[str, ...]
    compute: str
    response: str
    method: str
    notes: tuple[str, ...]

    def exponent(self, of: str = "N", *key: object) -> PowerLaw:
        """Return the power law of N or D of a group, the only one by default."""
        found = [law for law in self.power_laws if law.of == of and (not key or law.key == key)]
        if len(found) != 1:
            raise KeyError(f"{of!r}, {key!r}: the groups are {[law.key for law in self.power_laws if law.of == 'N']}")
        return found[0]

    def predict(self, C: ArrayLike, *key: object, of: str = "N") -> tuple[F64, F64, F64]:
        """Return the optimal N, or D, of a group at compute ``C`` by its power law, and the ends of its 95 % interval.

        Parameters
        ----------
        C : array-like
            Compute.
        *key : object
            The group; the only one by default.
        of : str
            ``"N"`` or ``"D"``.

        Returns
        -------
        tuple of numpy.ndarray
            Value, lower and upper, of the shape of ``C``; ends are NaN where the exponent has no interval.
        """
        return self.exponent(of, *key).at(C)

    def compare(self, fit: Fit) -> tuple[tuple[float, float, float], ...]:
        """Return (budget, N of the curve, N of a fitted law) for every optimum inside.

        Parameters
        ----------
        fit : Fit
            A law over N and D, whose optimum under the same compute stands beside each.

        Returns
        -------
        tuple of tuples
            Budgets with both sizes; the law's is NaN where it has no optimum.
        """
        inside = [optimum for optimum in self.optima if optimum.status == "inside"]
        plan = fit.allocate({self.compute: np.array([optimum.budget for optimum in inside])})
        sizes = np.atleast_1d(plan["N"]).tolist()
        return tuple((optimum.budget, optimum.N, size) for optimum, size in zip(inside, sizes, strict=True))

    def plot(self, kind: str | None = None, ax: Any = None) -> Any:
        """Draw the curves with their lowest points, and return the axes; for one group."""
        from lawfit import plotting

        return plotting.plot(self, kind, ax)

    def columns(self) -> dict[str, list[object]]:
        """One row an optimum."""
        out: dict[str, list[object]] = {name: [one.key[i] for one in self.optima] for i, name in enumerate(self.by)}
        for name in ("budget", "N", "D", "response"):
            out[name] = [getattr(one, name) for one in self.optima]
        out["lower"] = [one.interval.lower for one in self.optima]
        out["upper"] = [one.interval.upper for one in self.optima]
        for name in ("n_runs", "status", "bias"):
            out[name] = [getattr(one, name) for one in self.optima]
        return out

    def to_dict(self) -> dict[str, object]:
        """Return plain values: optima, power laws and notes."""
        columns = self.columns()
        return {
            "compute": self.compute,
            "response": self.response,
            "method": self.method,
            "optima": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
            "power_laws": [
                {
                    "key": list(law.key), "of": law.of, "exponent": law.exponent, "K": law.K,
                    "lower": law.interval.lower, "upper": law.interval.upper, "n_budgets": law.n_budgets,
                    "note": law.interval.note,
                }
                for law in self.power_laws
            ],
            "notes": list(self.notes),
        }  # fmt: skip

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row an optimum, in a frame of a library."""
        return _export.frame(self.columns(), library, "dict", "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        header = [*self.by, self.compute, "N", "2.5 %", "97.5 %", "D/N", self.response, "runs", "status", "N by method"]
        rows = []
        for one in self.optima[:MOST_ROWS]:
            figures = [one.budget, one.N, one.interval.lower, one.interval.upper, one.D / one.N, one.response]
            bias = "-" if math.isnan(one.bias) else f"{one.bias - 1.0:+.1%}"
            rows.append([*map(str, one.key), *(number(x, 4) for x in figures), str(one.n_runs), one.status, bias])
        groups = [
            [*map(str, law.key), f"{law.of} = K C**a", number(law.exponent, 4), number(law.interval.lower, 4),
             number(law.interval.upper, 4), number(law.K, 4), str(law.n_budgets)]
            for law in self.power_laws
        ]  # fmt: skip
        more = len(self.optima) - MOST_ROWS
        lines = [*fields([("method", self.method), ("compute", self.compute)]), ""]
        lines += table(header, rows, left=len(self.by))
        lines += [f"... {more} more; to_frame() has them all"] if more > 0 else []
        header = [*self.by, "power law", "a", "2.5 %", "97.5 %", "K", "budgets"]
        lines += ["", *table(header, groups, left=len(self.by) + 1)]
        notes = [one.interval.note for one in self.optima] + [law.interval.note for law in self.power_laws]
        said = [note for note in notes if note is not None]
        counted = {note: said.count(note) for note in said}
        told = [f"{note} ({count} times)" if count > 1 else note for note, count in counted.items()]
        return "\n".join([*lines, "", *(f"note: {note}" for note in (*self.notes, *told))])


def interval_of(estimate: float, draws: F64, n_units: int, n_determined: float, *, is_log: bool = False) -> Interval:
    """Return Student's t times the spread of the draws, widened for few runs; words where there is none.

    Curves of ten runs have too few for the far quantiles that they ask for.
    """
    usable = np.isfinite(draws)
    if not math.isfinite(estimate):
        found = none("t", "there is no optimum inside")
    elif draws.size == 0:
        found = none("t", NO_DRAWS)
    elif float(np.mean(~usable)) > 1.0 - LEVEL:
        found = none("t", "more draws have no lowest point inside than lie beyond both ends")
    else:
        sample = Sample(
            estimate=estimate, values=draws[usable], level=LEVEL, resample="bayesian", share=None, n_units=n_units,
            n_determined=n_determined, over_clusters=False, is_widened=False, left_out=lambda: np.empty(0),
            studentized=lambda: None,
        )  # fmt: skip
        if n_units < n_determined + 2.0:
            found = none("t", too_few_units(sample))
        else:
            found = student(sample, missing_spread(n_units, n_determined))
    ends = (math.exp(found.lower), math.exp(found.upper)) if is_log else (found.lower, found.upper)
    return Interval(*ends, level=LEVEL, method=found.method, note="; ".join(found.notes) or None)


def power_law(key: tuple[object, ...], of: str, optima: Sequence[Optimum]) -> PowerLaw:
    """Put a power law through optima that are inside, all of the same weight."""
    inside = [one for one in optima if one.status == "inside"]
    n_draws = min((one.draws.size for one in inside), default=0)
    said = none_interval("fewer than 2 budgets have an optimum inside")
    nothing = PowerLaw(key, of, math.nan, math.nan, said, len(inside), np.full((n_draws, 2), math.nan), 0, 0.0)
    if len(inside) < 2:
        return nothing
    log_c = np.log([one.budget for one in inside])
    # D falls as N grows along one budget; where compute is proportional to N D, ln D is a constant less ln N.
    sign = 1.0 if of == "N" else -1.0
    shift = 0.0 if of == "N" else np.array([math.log(one.N) + math.log(one.D) for one in inside])
    values = sign * np.log([one.N for one in inside]) + shift
    draws = sign * np.array([one.draws[:n_draws] for one in inside]).T + shift
    # All alike, as papers do it: the spread of a curve of a few runs is small by chance.
    weights = np.ones(len(inside))

    def line(y: F64) -> F64:
        """Return ln K and the exponent for each row of optima; those that are missing have no weight."""
        there = np.isfinite(y)
        share, y = weights * there, np.where(there, y, 0.0)
        total = share.sum(axis=-1)
        centre = (share @ log_c / total)[..., np.newaxis]
        lever = share * (log_c - centre)
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = (lever * y).sum(axis=-1) / (lever * (log_c - centre)).sum(axis=-1)
            return np.stack([(share * y).sum(axis=-1) / total - slope * centre[..., 0], slope], axis=-1)

    log_k, slope = line(values)
    lines = line(draws) if n_draws else np.empty((0, 2))
    n_units, n_determined = sum(one.n_runs for one in inside), 3.0 * len(inside)
    law = PowerLaw(key, of, float(slope), math.exp(log_k), NOT_YET, len(inside), lines, n_units, n_determined)
    if len(inside) < FEWEST_BUDGETS:
        return replace(
            law, interval=none_interval("two budgets give an exponent, and nothing that could speak against it")
        )
    factor = _scatter(values - log_k - slope * log_c, draws, weights, [one.n_runs for one in inside])
    lines = np.array([log_k, slope]) + factor * (lines - np.array([log_k, slope]))
    found = interval_of(float(slope), lines[:, 1], n_units, n_determined)
    if factor > MUCH and found.note is None:
        words = (
            f"optima scatter {factor:.2g} times as much around the power law as within their curves: widened by that"
        )
        found = Interval(found.lower, found.upper, level=LEVEL, method=found.method, note=words)
    return replace(law, interval=found, draws=lines)


def _scatter(residual: F64, draws: F64, weights: F64, n_runs: Sequence[int]) -> float:
    """Return how many times the scatter around a line is that which the draws of each curve say, at least 1.

    Curves may be tuned apart, or bent otherwise than the line; what is expected is the spread of the draws, widened as
    an interval is, less the part that two coefficients take.
    """
    if len(draws) < 2:
        return 1.0
    with np.errstate(invalid="ignore"):
        spread = np.nanstd(draws, axis=0)
    wide = np.array([missing_spread(n, 3.0) if n > 3 else math.nan for n in n_runs])
    share = weights / weights.sum()
    expected = float(np.nansum(share * (spread * wide) ** 2)) * (len(residual) - 2) / len(residual)
    return math.sqrt(max(1.0, float(share @ residual**2) / expected)) if expected > 0.0 else 1.0


def none_interval(reason: str) -> Interval:
    """Return no interval, and why."""
    return Interval(math.nan, math.nan, level=LEVEL, method="t", note=reason)
