"""Draws: the same law fitted to resampled rows, many times over."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _engine
from lawfit._engine import F64, U8, Bool
from lawfit._law import Law
from lawfit._named import Named
from lawfit._quantity import formula
from lawfit._text import number, table
from lawfit._wording import suggest
from lawfit.errors import DataError

if TYPE_CHECKING:
    from os import PathLike

    from lawfit._engine import Progress
    from lawfit._frontier import Frontier
    from lawfit._predictions import Predicted
    from lawfit.contrasts import Contrast
    from lawfit.results import Fit

# Replicates that leave units out move less than the estimate does: from their standard deviation (divisor R) to a
# standard error, given how many there are and which share of the units each keeps. Efron and Tibshirani 1993, section
# 11; Shao and Wu 1989, Ann. Statist. 17, for more than one unit at a time.
LEAVING_OUT: dict[str, Callable[[int, float], float]] = {
    "jackknife": lambda n, _share: math.sqrt(n - 1.0),
    "subsample": lambda _n, share: math.sqrt(share / (1.0 - share)),
}


class Interval(tuple[float, float]):
    """Two ends of an interval, (lower, upper), and how they came about.

    Attributes
    ----------
    lower, upper : float
        The ends; NaN where there is no interval, infinite where the data set no limit.
    level : float
        Coverage that is aimed at.
    method : str
        The method that made it; where one fell back to another, the other.
    mc_error : tuple of float, or None
        Monte-Carlo standard error of either end: how far it would move with other random draws. None for methods that
        draw nothing.
    note : str or None
        Why there is no interval, or what to know: a side that a bound closes, replicates left out, another method.
    """

    level: float
    method: str
    mc_error: tuple[float, float] | None
    note: str | None

    def __new__(
        cls,
        lower: float,
        upper: float,
        *,
        level: float,
        method: str,
        mc_error: tuple[float, float] | None = None,
        note: str | None = None,
    ) -> Interval:
        """Put the ends and their story together."""
        self = super().__new__(cls, (float(lower), float(upper)))
        self.__dict__.update(level=level, method=method, mc_error=mc_error, note=note)
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[float, float], dict[str, object]]:
        """Return what makes an equal one: a pickle holds that."""
        return (self[0], self[1]), dict(self.__dict__)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: results do not change."""
        raise AttributeError(f"an Interval cannot be changed ({name}={value!r})")

    @property
    def lower(self) -> float:
        """The lower end."""
        return self[0]

    @property
    def upper(self) -> float:
        """The upper end."""
        return self[1]

    def _repr_html_(self) -> str:
        """Return the form for notebooks."""
        from lawfit import _notebook

        return _notebook.of_interval(self)

    def __repr__(self) -> str:
        """Return the form for people."""
        ends = f"{self[0]:.6g}, {self[1]:.6g}, level={self.level:g}, method={self.method!r}"
        error = "" if self.mc_error is None else f", mc_error=({self.mc_error[0]:.2g}, {self.mc_error[1]:.2g})"
        return f"Interval({ends}{error}{'' if self.note is None else f', note={self.note!r}'})"


def check_level(level: object) -> None:
    """Raise ``DataError`` unless a level is between 0 and 1."""
    if isinstance(level, bool) or not isinstance(level, numbers.Real) or not 0.0 < float(level) < 1.0:
        raise DataError(f"level={level!r}: give a number between 0 and 1, such as 0.95")


def spread(values: F64, resample: str, share: float | None) -> F64:
    """Return standard errors that replicates, (R,) or (R, P) and all usable, give: NaN with fewer than two."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    if resample not in LEAVING_OUT:
        return np.asarray(values.std(axis=0, ddof=1))
    return np.asarray(LEAVING_OUT[resample](len(values), math.nan if share is None else share) * values.std(axis=0))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Draws:
    """Parameters of every replicate of a bootstrap.

    Attributes
    ----------
    fit : Fit
        What was resampled.
    params : numpy.ndarray
        (n_replicates, n_parameters), in the order of ``law.parameters``.
    objective : numpy.ndarray
        (n_replicates,) the objective of each replicate at its optimum.
    status_codes : numpy.ndarray
        (n_replicates,) how each replicate ended, as the engine numbers it.
    resample : str
        The scheme, a word of `lawfit.bootstrap`, or ``"weights"`` where weights or indices were given.
    seed : int
        The seed of the random weights.
    n_units : int
        Rows, or clusters, that were drawn from.
    lost_term : numpy.ndarray
        (n_replicates,) whether an additive term that contributes to the fit contributes nothing to the replicate.
    covariances : numpy.ndarray or None
        (n_replicates, n_parameters, n_parameters) of each replicate, of the kind of the fit; only if asked for.
    n_checked, n_disagreed : int
        Replicates that were searched from many starts as well, and those where that found a lower objective.
    caution : str or None
        Why the replicates should not be used, where the fit itself is not usable.
    share : float or None
        Share of the units that each subsample keeps; None for other schemes.
    """

    fit: Fit
    params: F64
    objective: F64
    status_codes: U8
    resample: str
    seed: int
    n_units: int
    lost_term: Bool
    covariances: F64 | None = None
    n_checked: int = 0
    n_disagreed: int = 0
    caution: str | None = None
    share: float | None = None

    @property
    def law(self) -> Law:
        """The law that was fitted."""
        return self.fit.law

    @property
    def estimate(self) -> Named[float]:
        """The fit to all rows, by parameter."""
        return self.fit.params

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.params)

    def __getitem__(self, name: str) -> F64:
        """All replicates of one parameter, (n_replicates,)."""
        if not isinstance(name, str) or name not in self.law.parameters:
            raise KeyError(f"{name!r} is not a parameter; {suggest(name, self.law.parameters)}")
        return self.params[:, self.law.parameters.index(name)]

    @property
    def ok(self) -> Bool:
        """(n_replicates,) which replicates ended in a minimum that may be used; intervals are made of these."""
        success = np.array([status.success for status in _engine.registries().statuses])
        return success[self.status_codes] & np.isfinite(self.params).all(axis=1)

    @property
    def n_failed(self) -> int:
        """Return how many replicates did not end in a minimum."""
        return int(np.count_nonzero(~self.ok))

    @property
    def n_at_bound(self) -> int:
        """Return how many replicates ended with a parameter at its bound."""
        names = [status.name for status in _engine.registries().statuses]
        return int(np.count_nonzero(self.status_codes == names.index("converged_at_bound")))

    @property
    def stderr(self) -> Named[float]:
        """Standard error of each parameter.

        The standard deviation over the replicates that ended in a minimum; for replicates that leave units out, scaled
        as the jackknife's formula says.
        """
        found = spread(self.params[self.ok], self.resample, self.share)
        return Named(zip(self.law.parameters, found.tolist(), strict=True))

    def values(self, quantity: str) -> F64:
        """Replicates of a parameter, or of a formula over the parameters such as ``"beta / (alpha + beta)"``."""
        return formula(quantity, self.law.parameters).values(self.params)[:, 0]

    def interval(self, quantity: str, level: float = 0.95, method: str = "auto") -> Interval:
        """Interval of a parameter or of a formula over the parameters; see `lawfit.uncertainty.draws_interval`."""
        from lawfit import uncertainty

        return uncertainty.draws_interval(self, quantity, level, method)

    def predict(
        self,
        points: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        kind: str = "mean",
        sigma: ArrayLike | None = None,
        **variables: ArrayLike,
    ) -> Predicted:
        """Values of the law, or of new runs, on every draw; see `lawfit.uncertainty.draws_predict`."""
        from lawfit import uncertainty

        return uncertainty.draws_predict(self, points, kind=kind, sigma=sigma, **variables)

    def allocate(
        self,
        budgets: Mapping[str, ArrayLike | None],
        *,
        bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
        at: Mapping[str, float] | None = None,
        menus: Mapping[str, ArrayLike] | None = None,
        integer: Sequence[str] = (),
        target: ArrayLike | None = None,
        maximize: bool = False,
        n_threads: int | None = None,
        progress: bool | Progress | None = None,
    ) -> Frontier:
        """Where each draw of the law is best under budgets; see `lawfit.allocate`."""
        from lawfit import allocation

        return allocation.of_draws(
            self, budgets, bounds=bounds, at=at, menus=menus, integer=integer, target=target, maximize=maximize,
            n_threads=n_threads, progress=progress,
        )  # fmt: skip

    def save(self, path: str | PathLike[str], *, data: bool = False) -> None:
        """Write it to a JSON file from which `lawfit.load` makes the same one; see `lawfit.saving.save`."""
        from lawfit import saving

        return saving.save(self, path, data=data)

    def minus(self, other: Draws | Fit, *, level: float = 0.95) -> Contrast:
        """Differences to other draws, replicate by replicate; see `lawfit.contrast`."""
        from lawfit import contrasts

        return contrasts.contrast(self, other, level=level)

    @property
    def counts(self) -> str:
        """Return what went otherwise in how many replicates."""
        lost = int(np.count_nonzero(self.lost_term))
        counts = f"{self.n_failed} failed, {self.n_at_bound} at a bound, {lost} lost a term"
        if self.n_checked:
            counts += f", {self.n_disagreed} of {self.n_checked} searched from many starts have a lower minimum"
        return counts

    def plot(self, kind: str | None = None, ax: Any = None) -> Any:
        """Draw how the first parameter spreads, or another figure by name (`lawfit.plotting`), and return axes."""
        from lawfit import plotting

        return plotting.plot(self, kind, ax)

    def _repr_html_(self) -> str:
        """Return the form for notebooks."""
        from lawfit import _notebook

        return _notebook.of_draws(self)

    def __repr__(self) -> str:
        """Return the form for people."""
        stderr, rows, notes = self.stderr, [], []
        for name in self.law.parameters:
            interval = self.interval(name)
            is_there = not math.isnan(interval.lower)
            errors = interval.mc_error or (math.nan, math.nan)
            ends = [figure for pair in zip(interval, errors, strict=True) for figure in pair]
            # What is not identified spreads as far as the search went, not as far as the data leave open.
            spread = math.nan if name in self.fit.unidentified else stderr[name]
            figures = [number(self.estimate[name]), number(spread, 4)]
            figures += [*map(number, ends[:1]), number(ends[1], 2), number(ends[2]), number(ends[3], 2)]
            rows.append([name, *figures, interval.method if is_there else "-"])
            if interval.note is not None:
                notes.append((name, interval.note))
        lines = [f"{len(self)} replicates ({self.resample}, seed {self.seed}): {self.counts}"]
        lines += ["", *table(["parameter", "estimate", "stderr", "2.5 %", "+-", "97.5 %", "+-", "interval"], rows)]
        if notes:
            lines += ["", *_together(notes)]
        if self.caution is not None:
            lines += ["", f"caution: {self.caution}"]
        return "\n".join(lines)


def _together(notes: list[tuple[str, str]]) -> list[str]:
    """One line a note, with the names of all parameters that it is about."""
    by_note: dict[str, list[str]] = {}
    for name, note in notes:
        by_note.setdefault(note, []).append(name)
    return [f"{', '.join(names)}: {note}" for note, names in by_note.items()]
