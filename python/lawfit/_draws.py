"""Draws: the same law fitted to resampled rows, many times over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lawfit import _engine
from lawfit._engine import F64, U8, Bool
from lawfit._law import Law
from lawfit._named import Named
from lawfit._text import number, table
from lawfit._wording import describe, suggest
from lawfit.errors import DataError

if TYPE_CHECKING:
    from lawfit.results import Fit


class Interval(NamedTuple):
    """Two ends of an interval."""

    lower: float
    upper: float


def check_level(level: object) -> None:
    """Raise ``DataError`` unless a level is between 0 and 1."""
    if not isinstance(level, float | int) or not 0.0 < level < 1.0:
        raise DataError(f"level={level!r}: give a number between 0 and 1, such as 0.95")


def names_in(quantity: object, parameters: Sequence[str]) -> tuple[str, ...]:
    """Names in a formula over the parameters; ``DataError`` if one is no parameter."""
    if not isinstance(quantity, str):
        raise DataError(f"quantity: give a parameter or a formula over parameters, not {describe(quantity)}")
    names = _engine.names(quantity)
    for name in names:
        if name not in parameters:
            near = suggest(name, parameters, "the parameters are")
            raise DataError(f"{quantity!r}: {name!r} is not a parameter; {near}")
    return names


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
        The scheme: ``"bayesian"``, ``"pairs"`` or ``"weights"``.
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
        """Return the standard deviation of each parameter over the replicates that ended in a minimum."""
        values = self.params[self.ok]
        spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(values.shape[1], np.nan)
        return Named(zip(self.law.parameters, spread.tolist(), strict=True))

    def values(self, quantity: str) -> F64:
        """Replicates of a parameter, or of a formula over the parameters such as ``"beta / (alpha + beta)"``."""
        if isinstance(quantity, str) and quantity in self.law.parameters:
            return self[quantity]
        names_in(quantity, self.law.parameters)
        columns: list[_engine.EngineColumn] = [
            (name, np.ascontiguousarray(self[name]), "number", ()) for name in self.law.parameters
        ]
        return _engine.evaluate_columns(quantity, columns, want="number", argument="quantity")

    def interval(self, quantity: str, level: float = 0.95) -> Interval:
        """Percentile interval of a parameter or of a formula over the parameters.

        Parameters
        ----------
        quantity : str
            A parameter, or a formula over the parameters in the law language.
        level : float
            Coverage that is aimed at, between 0 and 1.

        Returns
        -------
        Interval
            (lower, upper): quantiles of the replicates that ended in a minimum, interpolated linearly.

        Raises
        ------
        DataError
            The level is not between 0 and 1, or the formula names something that is no parameter.

        Notes
        -----
        When to use: as the default statement of uncertainty of a parameter. With fewer than about 20 rows, or
        with several rows from one run, percentile intervals are too narrow.

        Examples
        --------
        >>> import lawfit as lf
        >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
        >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 3e7, 1e8, 3e8, 1e9, 3e9]}, noise=0.001)
        >>> draws = lf.fit(lf.laws.power_floor, runs, response="loss").bootstrap(200)
        >>> lower, upper = draws.interval("alpha")
        >>> bool(lower < upper)
        True
        """
        check_level(level)
        values = self.values(quantity)[self.ok]
        values = values[np.isfinite(values)]
        if values.size < 2:
            return Interval(np.nan, np.nan)
        tail = (1.0 - level) / 2.0
        lower, upper = np.quantile(values, [tail, 1.0 - tail])
        return Interval(float(lower), float(upper))

    def __repr__(self) -> str:
        """Return the form for people."""
        stderr = self.stderr
        rows = [
            [name, number(self.estimate[name]), number(stderr[name]), *map(number, self.interval(name))]
            for name in self.law.parameters
        ]
        lines = [
            f"{len(self)} replicates ({self.resample}, seed {self.seed}): {self.n_failed} failed, "
            f"{self.n_at_bound} at a bound",
            "",
            *table(["parameter", "estimate", "stderr", "2.5 %", "97.5 %"], rows),
        ]
        if self.caution is not None:
            lines += ["", f"caution: {self.caution}"]
        return "\n".join(lines)
