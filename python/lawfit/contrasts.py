"""Two recipes, or two losses, on paired draws: differences of parameters, predictions and optima with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _engine, _export
from lawfit._decision import check_budgets, optima
from lawfit._draws import Draws, Interval, check_level, spread
from lawfit._engine import F64, Bool
from lawfit._from_draws import method_for
from lawfit._intervals import METHODS, Sample, none
from lawfit._quantity import formula
from lawfit._refits import determined
from lawfit._text import number, table
from lawfit._wording import describe, listed
from lawfit.errors import DataError
from lawfit.results import Fit

# Schemes whose draws of a unit do not hang on which other units there are, and those for which they do.
BY_UNIT, BY_ALL = ("bayesian",), ("pairs", "wild")


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """One number on paired draws: first less second.

    Attributes
    ----------
    name : str
        What it is of.
    first, second : float
        Estimates.
    value : float
        Their difference.
    stderr : float
        Standard error of the difference.
    unpaired_stderr : float
        What it would be if the two had nothing to do with each other: the root of the sum of squares of both.
    interval : Interval
        Of the difference.
    draws : numpy.ndarray
        (n_replicates,) differences, NaN where either has none.
    """

    name: str
    first: float
    second: float
    value: float
    stderr: float
    unpaired_stderr: float
    interval: Interval
    draws: F64 = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Contrast:
    """First draws less second, replicate by replicate.

    Attributes
    ----------
    first, second : Draws
        The draws.
    n_shared : int
        Rows or clusters that both have: their weights are the same in both.
    noun : str
        What these are: ``"row"`` or ``"cluster"``.
    level : float
        Coverage that intervals aim at.
    message : str
        What is paired, in words.
    """

    first: Draws
    second: Draws
    n_shared: int
    noun: str
    level: float
    message: str

    @property
    def ok(self) -> Bool:
        """(n_replicates,) which replicates both have."""
        return self.first.ok & self.second.ok

    def quantity(self, text: str) -> Difference:
        """Return the difference of a parameter, or of a formula over parameters such as ``"beta / (alpha + beta)"``.

        Raises
        ------
        DataError
            It names what is no parameter of both.
        """
        values: list[tuple[float, F64]] = []
        for draws in (self.first, self.second):
            found = formula(text, draws.law.parameters)
            estimate = found.values(np.array([list(draws.fit.params.values())]))[0, 0]
            values.append((float(estimate), found.values(draws.params)[:, 0]))
        reason = next(
            (
                f"{name} is not identified"
                for draws in (self.first, self.second)
                for name in formula(text, draws.law.parameters).names
                if name in draws.fit.unidentified
            ),
            None,
        )
        return self._difference(text, values[0], values[1], reason)

    def predict(self, points: Mapping[str, ArrayLike] | None = None, /, **variables: float) -> Difference:
        """Return the difference of what both laws predict at one point of their variables.

        Raises
        ------
        DataError
            A variable is missing, or is more than one number.
        """
        at = {**(points or {}), **variables}
        values: list[tuple[float, F64]] = []
        for draws in (self.first, self.second):
            names = draws.fit.rows.variables
            unknown = [name for name in (*at, *names) if name not in names or name not in at]
            if unknown or any(np.ndim(at[name]) for name in names):
                raise DataError(f"predict: give one number for each of {listed(names)}")
            x = np.array([[float(np.asarray(at[name]))] for name in names])
            estimate = float(draws.law.evaluate(at, params=draws.fit.params))
            drawn = _engine.evaluate(draws.law.text, names, draws.law.parameters, x, draws.params)[:, 0]
            values.append((estimate, drawn))
        where = ", ".join(f"{name} = {float(np.asarray(value)):g}" for name, value in at.items())
        return self._difference(f"prediction at {where}", values[0], values[1], None)

    def optimum(self, cost: str, budget: float) -> tuple[Difference, Difference, Difference]:
        """Return differences of ln N, of ln D and of the response, where each law is lowest at a budget.

        For laws with the variables N and D; the cost is a formula of their variables, such as ``"6*N*D"``.

        Raises
        ------
        DataError
            The cost is no formula, or the budget not positive.
        """
        check_budgets({cost: budget})
        found = []
        for draws in (self.first, self.second):
            params = np.concatenate([np.array([list(draws.fit.params.values())]), draws.params])
            found.append(optima(draws.law, draws.fit.rows.variables, params, cost, budget))
        reason = next((one.reason for one in found if one.reason is not None), None)

        def of(name: str, one: F64, other: F64) -> Difference:
            return self._difference(name, (float(one[0]), one[1:]), (float(other[0]), other[1:]), reason)

        first, second = found
        return (
            of("ln N", np.log(first.N), np.log(second.N)),
            of("ln D", np.log(first.D), np.log(second.D)),
            of("response", first.response, second.response),
        )

    def _difference(
        self, name: str, of_first: tuple[float, F64], of_second: tuple[float, F64], reason: str | None
    ) -> Difference:
        pair = (self.first, self.second)
        return difference(name, pair, of_first, of_second, self.ok, self.noun != "row", self.level, reason)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameters of both laws."""
        return tuple(name for name in self.first.law.parameters if name in self.second.law.parameters)

    def to_dict(self) -> dict[str, object]:
        """Return the differences of all parameters, as values that JSON can hold; undefined numbers are ``None``."""
        columns = self._columns()
        names = columns.pop("parameter")
        return {
            "format": "lawfit.contrast",
            "version": _export.FORMAT_VERSION,
            "level": self.level,
            "n_shared": self.n_shared,
            "message": self.message,
            "differences": {
                name: {key: _export.plain(values[i]) for key, values in columns.items()} for i, name in enumerate(names)
            },
        }

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row per parameter that both laws have."""
        return _export.frame(self._columns(), library, self.first.fit.rows.library, "to_frame")

    def _columns(self) -> dict[str, list[Any]]:
        found = [self.quantity(name) for name in self.parameters]
        return {
            "parameter": [one.name for one in found],
            "first": [one.first for one in found],
            "second": [one.second for one in found],
            "difference": [one.value for one in found],
            "stderr": [one.stderr for one in found],
            "unpaired_stderr": [one.unpaired_stderr for one in found],
            "lower": [one.interval.lower for one in found],
            "upper": [one.interval.upper for one in found],
        }

    def __repr__(self) -> str:
        """Return the form for people."""
        header = ["parameter", "first", "second", "difference", "stderr", "unpaired", "lower", "upper"]
        columns = self._columns()
        rows = [
            [str(line[0]), *(number(value, 4) for value in line[1:])] for line in zip(*columns.values(), strict=True)
        ]
        lines = [
            f"first less second on {len(self.first)} paired replicates ({self.first.resample}), level {self.level:g}"
        ]
        notes = list(dict.fromkeys(one.interval.note for one in map(self.quantity, self.parameters)))
        said = [f"note: {note}" for note in notes if note is not None]
        return "\n".join([*lines, "", *table(header, rows), "", self.message, *said])


def contrast(first: Draws | Fit, second: Draws | Fit, *, level: float = 0.95) -> Contrast:
    """Compare two fits replicate by replicate: two recipes, two losses, or two laws of the same runs.

    Parameters
    ----------
    first, second : Draws or Fit
        Draws with the same scheme, seed and number of replicates; of a `Fit` those that came with it, as those of
        ``fit_many(..., bootstrap=1000)`` do.
    level : float
        Coverage that intervals aim at.

    Returns
    -------
    Contrast
        Differences of parameters, formulas, predictions and optima, first less second, with intervals.

    Raises
    ------
    DataError
        The draws do not pair: seed, scheme, number or kind of units differ, or they share no unit.

    Notes
    -----
    When to use: whenever a difference is what counts. Two fits whose runs share noise, such as two losses of the same
    models, or two recipes at the same sizes and seeds, err together; the errors drop out of differences that are taken
    within each replicate, in which a run, or cluster, has the same weight on both sides. Overlapping intervals of the
    two say nothing about it. Runs with nothing in common lose nothing by being paired.

    A run is known by its number in the table or group, a cluster by its label: give ``cluster=`` a column that says
    which runs of two recipes belong together, such as the configuration. With ``"bayesian"`` weights either side may
    have units that the other lacks; draws of ``"pairs"`` and ``"wild"`` pair where the units are the same.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 8; Rubin 1981, Ann. Statist. 9.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> sizes = [1e7, 2e7, 4e7, 8e7, 2e8, 4e8, 8e8, 2e9, 4e9, 8e9, 2e10, 4e10]
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": sizes}, noise=0.004, seed=1)
    >>> runs["other"] = 1.01 * runs["loss"]
    >>> one, two = (
    ...     lf.fit(lf.laws.power_floor, runs, response=name).bootstrap(500, n_checked=0) for name in ("loss", "other")
    ... )
    >>> difference = one.minus(two).quantity("alpha")
    >>> bool(difference.stderr < 0.01 * difference.unpaired_stderr)
    True
    """
    check_level(level)
    pair = (_draws_of(first, "first"), _draws_of(second, "second"))
    one, two = pair
    for what in ("resample", "seed", "share"):
        if getattr(one, what) != getattr(two, what):
            raise DataError(
                f"contrast: {what} is {getattr(one, what)!r} and {getattr(two, what)!r}; paired draws need the same"
            )
    if len(one) != len(two):
        raise DataError(f"contrast: {len(one)} and {len(two)} replicates; draw as many of both")
    if one.resample not in (*BY_UNIT, *BY_ALL):
        allowed = listed(repr(word) for word in (*BY_UNIT, *BY_ALL))
        raise DataError(f"contrast: draws of resample={one.resample!r} do not pair; use one of {allowed}")
    kinds = [draws.fit.rows.clusters is not None for draws in pair]
    if kinds[0] != kinds[1]:
        raise DataError("contrast: one side draws rows and the other clusters; fit both with the same cluster=")
    noun = "cluster" if kinds[0] else "row"
    units = [_units(draws) for draws in pair]
    shared = units[0].keys() & units[1].keys()
    if not shared:
        raise DataError(
            f"contrast: the draws have no {noun} in common, so nothing is paired; give both fits a cluster= column "
            "whose labels say what belongs together"
        )
    if one.resample in BY_ALL and units[0].keys() != units[1].keys():
        raise DataError(
            f"contrast: draws of resample={one.resample!r} pair where both have the same {noun}s, and here they share "
            f'{len(shared)} of {len(units[0])} and {len(units[1])}; resample="bayesian" pairs what is shared'
        )
    message = f"paired: {len(shared)} {noun}s that both have, of {len(units[0])} and {len(units[1])}"
    if noun == "row":
        message += ", by their number in the table or group"
        differ = sum(units[0][key] != units[1][key] for key in shared)
        if differ and one.fit.rows.variables == two.fit.rows.variables:
            message += (
                f"; {differ} of them differ in {listed(one.fit.rows.variables)}: if these are other runs, pair by "
                "cluster="
            )
    return Contrast(one, two, len(shared), noun, level, message)


def difference(
    name: str,
    pair: tuple[Draws, Draws],
    of_first: tuple[float, F64],
    of_second: tuple[float, F64],
    ok: Bool,
    over_clusters: bool,
    level: float,
    reason: str | None,
) -> Difference:
    """Return first less second of an estimate and its draws each, and why there is no interval if that is known."""
    (first, firsts), (second, seconds) = of_first, of_second
    usable = ok & np.isfinite(firsts) & np.isfinite(seconds)
    apart = np.where(usable, firsts - seconds, np.nan)
    resample, share = pair[0].resample, pair[0].share
    fits = [draws.fit for draws in pair]
    reason = reason or next((f"a fit is not usable: {fit.message}" for fit in fits if not fit.success), None)
    sample = Sample(
        estimate=first - second,
        values=apart[usable],
        level=level,
        resample=resample,
        share=share,
        n_units=min(draws.n_units for draws in pair),
        n_determined=max(determined(fit) for fit in fits),
        over_clusters=over_clusters,
        is_widened=False,
        left_out=lambda: np.empty(0),
        studentized=lambda: None,
        n_lost=int(np.count_nonzero(~usable)),
    )
    word = method_for(pair[0], "auto")
    tail_lost = sample.n_lost > (1.0 - level) * len(apart)
    if reason is None and sample.values.size < 2:
        reason = "fewer than two replicates are usable in both"
    if reason is None and tail_lost:
        reason = f"{sample.n_lost} of {len(apart)} replicates have no value in both: the ends are unknown"
    ends = none(word, reason) if reason is not None else METHODS[word](sample)
    interval = Interval(
        ends.lower, ends.upper, level=level, method=ends.method, mc_error=ends.mc_error,
        note="; ".join(ends.notes) or None,
    )  # fmt: skip
    alone = [float(spread(values[usable], resample, share)) for values in (firsts, seconds)]
    stderr = float(spread(apart[usable], resample, share))
    return Difference(name, first, second, first - second, stderr, math.hypot(*alone), interval, apart)


def _draws_of(given: object, argument: str) -> Draws:
    if isinstance(given, Fit) and given.draws is not None:
        return given.draws
    if isinstance(given, Fit):
        raise DataError(f"{argument}: this fit has no draws; give fit.bootstrap(), or fit_many(..., bootstrap=1000)")
    if not isinstance(given, Draws):
        raise DataError(f"{argument}: give Draws, or a Fit that has some, not {describe(given)}")
    return given


def _units(draws: Draws) -> dict[object, tuple[float, ...]]:
    """Units that carry weight, by what their streams hang on; of rows the variables too."""
    rows = draws.fit.rows
    used = np.flatnonzero(np.ones(rows.y.size) if rows.weights is None else rows.weights)
    if rows.clusters is not None:
        return {rows.cluster_labels[code]: () for code in np.unique(rows.clusters[used]).tolist()}
    return {int(rows.units[place]): tuple(rows.x[:, place].tolist()) for place in used.tolist()}
