"""Two recipes or two laws under the same budgets: how far apart what they would decide is, with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lawfit import _export
from lawfit._allocation import RESPONSE
from lawfit._draws import LEAVING_OUT, check_level
from lawfit._engine import F64
from lawfit._frontier import Frontier
from lawfit._text import number, table
from lawfit._wording import describe
from lawfit.contrasts import Difference, contrast, difference
from lawfit.errors import DataError

MOST_POINTS = 30


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FrontContrast:
    """Optima of a first frontier less those of a second, replicate by replicate, as `Frontier.minus` gives it.

    Attributes
    ----------
    first, second : Frontier
        Under the same budgets.
    is_paired : bool
        Whether a replicate of both has the same weights of what they share; otherwise they are independent.
    over_clusters : bool
        Whether clusters were drawn, not rows.
    level : float
        Coverage that intervals aim at.
    message : str
        What is paired, in words.
    """

    first: Frontier
    second: Frontier
    is_paired: bool
    over_clusters: bool
    level: float
    message: str

    @property
    def quantities(self) -> tuple[str, ...]:
        """Variables that both laws have, and the response; under a target the budget that reaches it."""
        others, sweep = self.second.plan.law.variables or (), self.first.plan.sweep
        last = RESPONSE if sweep.least is None else sweep.budgets[sweep.least]
        return (*(name for name in self.first.plan.law.variables or () if name in others), last)

    def quantity(self, text: str = "N") -> tuple[Difference, ...]:
        """Return the difference at each point of the sweep, in the order of its amounts.

        Parameters
        ----------
        text : str
            A variable, or a formula of variables such as ``"D/N"``: its logarithms are subtracted, so that 0.69 is a
            factor of two; or ``"response"``, which is subtracted as it is.

        Returns
        -------
        tuple of Difference
            First less second, with interval, its standard error, and that which they would have if nothing was paired.

        Raises
        ------
        DataError
            It names what is no variable of both.
        """
        name = text if text == RESPONSE else f"ln {text}"
        n_points = self.first.plan.sweep.n_points
        sides = [self._side(front, text) for front in (self.first, self.second)]
        first, second = self._order()
        ok = self.first.draws.ok[first] & self.second.draws.ok[second]
        found = []
        for point in range(n_points):
            (one, ones), (two, twos) = sides
            reasons = (
                f"the {word} fit has no optimum: {front.plan.reason(point)}"
                if front.plan.reason(point) is not None
                else f"{text} of the {word} fit is not above 0, and logarithms are subtracted"
                for word, front, value in (("first", self.first, one[point]), ("second", self.second, two[point]))
                if math.isnan(value)
            )
            found.append(
                difference(
                    name, (self.first.draws, self.second.draws),
                    (float(one[point]), ones[first, point]), (float(two[point]), twos[second, point]),
                    ok, self.over_clusters, self.level, next(reasons, None),
                )
            )  # fmt: skip
        return tuple(found)

    def _side(self, front: Frontier, text: str) -> tuple[F64, F64]:
        estimate, values = np.ravel(front.plan[text]), front[text].reshape(len(front.draws), -1)
        if text == RESPONSE:
            return estimate, values
        return _log(estimate), _log(values)

    def _order(self) -> tuple[Any, Any]:
        """Replicates of the first and of the second that stand beside each other."""
        n = min(len(self.first.draws), len(self.second.draws))
        if self.is_paired:
            return slice(None), slice(None)
        # With one seed the weights of rows of the same number are the same: no replicate may meet its own.
        return np.arange(n), np.random.default_rng(0).permutation(len(self.second.draws))[:n]

    def columns(self) -> dict[str, list[object]]:
        """One row for each point and quantity."""
        sweep = self.first.plan.sweep
        given = [place for place in range(len(sweep.budgets)) if place != sweep.least]
        names = [f"budget {sweep.budgets[place]}" for place in given]
        names = [*names, *([] if sweep.targets is None else ["target"])]
        names += ["quantity", "first", "second", "difference", "stderr"]
        columns: dict[str, list[object]] = {name: [] for name in (*names, "unpaired_stderr", "lower", "upper", "note")}
        every = [self.quantity(text) for text in self.quantities]
        for point in range(sweep.n_points):
            for one in (of[point] for of in every):
                figures = [one.first, one.second, one.value, one.stderr, one.unpaired_stderr, *one.interval]
                at = sweep.amounts[point, given].tolist() + ([] if sweep.targets is None else [sweep.targets[point]])
                line = [*at, one.name, *figures, one.interval.note]
                for column, value in zip(columns.values(), line, strict=True):
                    column.append(value)
        return columns

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row for each point and quantity, in a frame of a library."""
        return _export.frame(self.columns(), library, self.first.draws.fit.rows.library, "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        columns = self.columns()
        notes = list(dict.fromkeys(str(note) for note in columns.pop("note") if note is not None))
        header = [name.removeprefix("budget ").removesuffix("_stderr") for name in columns]
        rows = [
            [number(value, 4) if isinstance(value, float) else str(value) for value in line]
            for line in zip(*columns.values(), strict=True)
        ]
        kind = "paired" if self.is_paired else "independent"
        lines = [f"optima of the first less those of the second, {kind} draws, level {self.level:g}", ""]
        most = MOST_POINTS * len(self.quantities)
        lines += table(header, rows[:most], left=0)
        if len(rows) > most:
            lines.append(f"... {len(rows) - most} more; to_frame() has them all")
        return "\n".join([*lines, "", self.message, *(f"note: {note}" for note in notes)])


def _log(values: F64) -> F64:
    """Return logarithms, NaN of what has none."""
    found: F64 = np.log(values, out=np.full(np.shape(values), math.nan), where=values > 0.0)
    return found


def front_contrast(first: Frontier, second: Frontier, *, level: float = 0.95, paired: bool = True) -> FrontContrast:
    """Compare what two recipes, or two laws, would decide under the same budgets, replicate by replicate.

    Parameters
    ----------
    first, second : Frontier
        Of `Draws.allocate`, with the same budgets and amounts.
    level : float
        Coverage that intervals aim at.
    paired : bool
        False to take the draws as independent, for fits that share no run, whose draws need not go together.

    Returns
    -------
    FrontContrast
        Differences of ln N, of other variables and formulas, and of the response, first less second.

    Raises
    ------
    DataError
        Budgets or amounts differ, or the draws do not pair as `lawfit.contrast` says.

    Notes
    -----
    When to use: whenever the question is whether two recipes want another size, or two laws of the same runs another
    plan. Whether two intervals overlap says nothing about it: what both share, such as seeds and evaluation, or the
    runs themselves, drops out of differences within a replicate. Draws pair by the rules of `lawfit.contrast`.

    Two laws of the same runs differ by what the runs say of each; that neither may be right is no part of it.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 8.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    >>> grid = {"N": [1e7, 1e8, 1e9, 1e10], "D": [1e9, 1e10, 1e11, 1e12]}
    >>> runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.004, seed=1)
    >>> runs["other"] = 1.01 * runs["loss"]
    >>> fronts = [
    ...     lf.fit(lf.laws.chinchilla, runs, response=name).bootstrap(500, n_checked=0).allocate({"6*N*D": 1e24})
    ...     for name in ("loss", "other")
    ... ]
    >>> size = fronts[0].minus(fronts[1]).quantity("N")[0]
    >>> bool(abs(size.value) < 0.01 and size.stderr < 0.05 * size.unpaired_stderr)
    True
    """
    check_level(level)
    if not isinstance(second, Frontier):
        raise DataError(f"minus: give another frontier, of draws.allocate(...), not {describe(second)}")
    one, two = first.plan.sweep, second.plan.sweep
    of_one, of_two = (math.nan if sweep.targets is None else sweep.targets for sweep in (one, two))
    if (
        (one.budgets, one.shape) != (two.budgets, two.shape)
        or not np.array_equal(one.amounts, two.amounts)
        or not np.array_equal(of_one, of_two, equal_nan=True)
    ):
        raise DataError("minus: the frontiers have other budgets, amounts or targets; allocate both with the same")
    if paired:
        pairing = contrast(first.draws, second.draws, level=level)
        return FrontContrast(first, second, True, pairing.noun != "row", level, pairing.message)
    for front in (first, second):
        if front.draws.resample in LEAVING_OUT:
            raise DataError(
                f"minus: replicates of resample={front.draws.resample!r} leave units out and have another scale; use "
                'resample="bayesian"'
            )
    message = "independent: the draws are taken to have nothing in common"
    clusters = any(front.draws.fit.rows.clusters is not None for front in (first, second))
    return FrontContrast(first, second, False, clusters, level, message)
