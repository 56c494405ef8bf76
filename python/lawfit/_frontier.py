"""What a budget should buy, with the uncertainty of the fit: every draw is allocated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lawfit import _intervals
from lawfit._allocation import RESPONSE, STATUSES, USABLE, Allocation, Words, columns_of, quantity_of, statuses_of
from lawfit._draws import Draws, check_level
from lawfit._engine import F64, Bool, RawAllocations
from lawfit._named import Named
from lawfit._predictions import Prediction
from lawfit._refits import determined
from lawfit._text import fields, number, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from lawfit.averages import OnAverage
    from lawfit.front_contrasts import FrontContrast
    from lawfit.regrets import Regret

MOST_POINTS = 30


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Frontier:
    """Allocations under every draw of a bootstrap, as `Draws.allocate` gives them.

    ``front["N"]`` and ``front["D/N"]`` are (n_replicates, *shape of the amounts), NaN where a draw has no optimum.

    Attributes
    ----------
    plan : Allocation
        That of the fit to all rows.
    draws : Draws
        What was allocated.
    raw : RawAllocations
        Everything that the engine found.
    """

    plan: Allocation
    draws: Draws
    raw: RawAllocations

    @property
    def status(self) -> Words:
        """(n_replicates, *shape of the amounts) how each ended, as `Allocation.status`."""
        words = statuses_of(self.raw, self.plan.sweep)
        return words.reshape(len(words), *self.plan.sweep.shape)

    @property
    def ok(self) -> Bool:
        """(n_replicates, *shape of the amounts) which have an optimum."""
        usable = self.draws.ok.reshape(-1, *(1 for _ in self.plan.sweep.shape))
        return np.isin(self.status, USABLE) & usable

    def __getitem__(self, quantity: str) -> F64:
        """Return a variable, the response or a formula of these, for every draw and point."""
        values = quantity_of(quantity, columns_of(self.raw, self.plan.law.variables or ()))
        return np.where(self.ok, values.reshape(self.ok.shape), math.nan)

    def share(self) -> Named[F64]:
        """Return the share of the usable draws that end in each way, by status, of the shape of the amounts."""
        status = self.status[self.draws.ok]
        found = {word: np.mean(status == word, axis=0)[()] for word in STATUSES}
        return Named({word: share for word, share in found.items() if np.any(share > 0.0)})

    def interval(self, quantity: str = "N", level: float = 0.95) -> Prediction:
        """Interval of a variable, the response or a formula of these, at each point by itself.

        Parameters
        ----------
        quantity : str
            Such as ``"N"``, ``"D/N"`` or ``"response"``.
        level : float
            Coverage that is aimed at.

        Returns
        -------
        Prediction
            ``value`` under the fit, ``lower`` and ``upper``; NaN where ``note`` says why.

        Raises
        ------
        DataError
            The level is not between 0 and 1, or the quantity names something else.

        Notes
        -----
        When to use: before money is spent. The ends are quantiles of the draws' own optima, expanded as those of
        `Draws.interval`, on the logarithm where the quantity is positive. There is none where more draws are without an
        optimum than lie beyond both ends, nor where the fit itself has none.
        """
        check_level(level)
        estimate = np.asarray(self.plan[quantity])
        values = self[quantity].reshape(len(self.draws), -1)
        ends = np.full((2, estimate.size), math.nan)
        notes: dict[str, int] = {}
        for point, middle in enumerate(estimate.ravel()):
            found = self._ends(float(middle), values[:, point], level, point)
            ends[:, point] = found.lower, found.upper
            for note in found.notes:
                notes[note] = notes.get(note, 0) + 1
        told = [
            note if count == estimate.size else f"{note} (at {count} of {estimate.size})"
            for note, count in notes.items()
        ]
        lower, upper = (end.reshape(estimate.shape)[()] for end in ends)
        return Prediction(estimate[()], lower, upper, level, "allocation", "; ".join(told) or None)

    def _ends(self, estimate: float, values: F64, level: float, point: int) -> _intervals.Ends:
        fit = self.draws.fit
        usable = np.isfinite(values)
        if not math.isfinite(estimate):
            return _intervals.none("expanded", f"the fit has no optimum: {self.plan.reason(point)}")
        lost = float(np.mean(~usable))
        if lost > 1.0 - level:
            return _intervals.none(
                "expanded", f"{lost:.0%} of the draws have no optimum, more than lie beyond both ends"
            )
        is_positive = estimate > 0.0 and bool(np.all(values[usable] > 0.0))
        sample = _intervals.Sample(
            estimate=math.log(estimate) if is_positive else estimate,
            values=np.log(values[usable]) if is_positive else values[usable],
            level=level,
            resample=self.draws.resample,
            share=self.draws.share,
            n_units=self.draws.n_units,
            n_determined=determined(fit),
            over_clusters=fit.rows.clustered_by is not None,
            is_widened=False,
            left_out=lambda: np.empty(0),
            studentized=lambda: None,
            n_lost=int(np.count_nonzero(~usable)),
        )
        found = _intervals.expanded(sample)
        if not is_positive:
            return found
        return found._replace(lower=math.exp(found.lower), upper=math.exp(found.upper))

    def best_on_average(self) -> OnAverage:
        """Where the mean over the draws is best, beside the plan; see `lawfit.averages.best_on_average`."""
        from lawfit import averages

        return averages.best_on_average(self)

    def regret(
        self,
        choice: Mapping[str, ArrayLike] | OnAverage | None = None,
        *,
        budgets: str | Sequence[str] | None = None,
        n_threads: int | None = None,
    ) -> Regret:
        """Regret of a choice, by default the plan, under each draw; see `lawfit.regrets.regret`."""
        from lawfit import regrets

        return regrets.regret(self, choice, budgets=budgets, n_threads=n_threads)

    def minus(self, other: Frontier, *, level: float = 0.95, paired: bool = True) -> FrontContrast:
        """Differences to the optima of another frontier; see `lawfit.front_contrasts.front_contrast`."""
        from lawfit import front_contrasts

        return front_contrasts.front_contrast(self, other, level=level, paired=paired)

    def plot(self, kind: str | None = None, ax: Any = None) -> Any:
        """Draw the sweep with its intervals, or another figure of `lawfit.plotting` by name, and return the axes."""
        from lawfit import plotting

        return plotting.plot(self, kind, ax)

    def __repr__(self) -> str:
        """Return the form for people."""
        return self.to_text()

    def to_text(self, level: float = 0.95) -> str:
        """Return the form for people, with intervals of a level."""
        plan, sweep = self.plan, self.plan.sweep
        given = [place for place in range(len(sweep.budgets)) if place != sweep.least]
        # What is asked for comes last: the response of the budgets, or the least of one for the target.
        names = [*(plan.law.variables or ()), RESPONSE if sweep.least is None else sweep.budgets[sweep.least]]
        if {"N", "D"} <= set(plan.law.variables or ()):
            names.insert(-1, "D/N")
        bands = {name: self.interval(name, level) for name in names}
        tail = 50.0 * (1.0 - level)
        header = [*([] if sweep.targets is None else ["target"]), *(sweep.budgets[place] for place in given)]
        for name in names:
            header += [plan.response if name == RESPONSE else name, f"{tail:.4g} %", f"{100.0 - tail:.4g} %"]
        header.append("draws with an optimum")
        kept = np.mean(self.ok[self.draws.ok], axis=0).ravel()
        rows = []
        for point in range(min(plan.sweep.n_points, MOST_POINTS)):
            cells = [number(float(amount), 4) for amount in sweep.amounts[point, given]]
            if sweep.targets is not None:
                cells.insert(0, number(float(sweep.targets[point]), 5))
            for band in bands.values():
                ends = (np.ravel(part)[point] for part in (band.value, band.lower, band.upper))
                cells += [number(float(end), 4) for end in ends]
            rows.append([*cells, f"{kept[point]:.1%}"])
        lines = [*fields([("law", plan.law.text), ("draws", f"{len(self.draws)} ({self.draws.resample})")]), ""]
        lines += table(header, rows, left=0)
        if plan.sweep.n_points > MOST_POINTS:
            lines.append(f"... {plan.sweep.n_points - MOST_POINTS} more")
        notes = {f"{name}: {band.note}" for name, band in bands.items() if band.note is not None}
        return "\n".join([*lines, *(f"note: {note}" for note in (*sorted(notes), *plan.notes))])
