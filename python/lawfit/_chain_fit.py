"""What `fit_chain` returns: two fits, one through the other, and the whole as one law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import overload

from numpy.typing import ArrayLike

from lawfit import _chain_draws, _chain_report, uncertainty
from lawfit._chain_rows import Units
from lawfit._derived import Derived, derive
from lawfit._draws import Draws, Interval
from lawfit._engine import F64, Progress
from lawfit._law import Law
from lawfit._named import Named
from lawfit._predictions import Prediction
from lawfit.results import Fit


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ChainFit:
    """A law fitted through another.

    Attributes
    ----------
    first, second : Fit
        The stages, each fitted by itself. ``stderr`` of ``second`` takes the first law's predictions as known: look at
        that of the chain.
    fit : Fit
        The whole: one law over the variables of both, with the parameters of both, whose ``covariance`` is that of
        both stages together. It is what draws rest on.
    joint : Fit or None
        With ``how="joint"``, the one fit to both responses.
    how : str
        ``"staged"`` or ``"joint"``.
    through : str
        The variable of the second law that the first law stands for.
    responses : tuple of str
        The two columns or formulas that were fitted.
    units : Units
        What is drawn together in a bootstrap: keys of the random streams of the rows of either stage, and a name.
    grid : tuple of Fit
        First stages with ``E`` held at each value that was tried, where the protocol tries values.
    notes : tuple of str
        What the chain did with the rows, one sentence each.
    cautions : tuple of str
        What a careful reader should know of the chain itself.
    """

    first: Fit
    second: Fit
    fit: Fit
    joint: Fit | None
    how: str
    through: str
    responses: tuple[str, str]
    units: Units
    grid: tuple[Fit, ...]
    notes: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def law(self) -> Law:
        """The whole as one law, over the variables of both."""
        return self.fit.law

    @property
    def params(self) -> Named[float]:
        """Estimates of both laws by parameter name."""
        return self.fit.params

    @property
    def covariance(self) -> F64:
        """(n_parameters, n_parameters) of both stages together; NaN as in `Fit.covariance`."""
        return self.fit.covariance

    @property
    def stderr(self) -> Named[float]:
        """Standard errors that know the errors of both stages; NaN where undefined."""
        return self.fit.stderr

    @property
    def stderr_reason(self) -> Named[str]:
        """Why a standard error is NaN, for each parameter where it is."""
        return self.fit.stderr_reason

    @property
    def success(self) -> bool:
        """Whether both stages ended in minima that may be used."""
        return self.fit.success

    @property
    def status(self) -> str:
        """How the chain ended: as the stage that ended worse."""
        return self.fit.status

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a careful reader should know before using the numbers: of the chain, then of either stage."""
        return _chain_report.warnings_of(self)

    def derived(self, quantity: str) -> Derived:
        """Value and standard error of a formula over the parameters of both laws; see `lawfit.Fit.derived`."""
        return derive(self.fit, quantity)

    def interval(self, quantity: str, level: float = 0.95) -> Interval:
        """Wald interval of a parameter or formula, with the errors of both stages; see `lawfit.Fit.interval`."""
        return uncertainty.interval(self.fit, quantity, level)

    @overload
    def predict(
        self,
        points: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        interval: None = None,
        kind: str = "mean",
        sigma: None = None,
        **variables: ArrayLike,
    ) -> F64: ...

    @overload
    def predict(
        self,
        points: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        interval: float,
        kind: str = "mean",
        sigma: ArrayLike | None = None,
        **variables: ArrayLike,
    ) -> Prediction: ...

    def predict(
        self,
        points: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        interval: float | None = None,
        kind: str = "mean",
        sigma: ArrayLike | None = None,
        **variables: ArrayLike,
    ) -> F64 | Prediction:
        """Values of the second response by the variables of both laws; see `lawfit.Fit.predict`."""
        return uncertainty.predict(self.fit, points, interval=interval, kind=kind, sigma=sigma, **variables)

    def bootstrap(
        self,
        n_replicates: int = _chain_draws.DEFAULT_REPLICATES,
        *,
        seed: int = 0,
        n_threads: int | None = None,
        progress: bool | Progress | None = None,
    ) -> Draws:
        """Both stages refitted to the same resampled units, again and again.

        Parameters
        ----------
        n_replicates : int
            How many replicates.
        seed : int
            Seed of the weights. Units, named by their rows or labels, have the weights that `lawfit.bootstrap` gives
            them, up to a factor of each replicate.
        n_threads : int, optional
            As in `lawfit.fit`.
        progress : bool or callable, optional
            As in `lawfit.fit`, of the second stage.

        Returns
        -------
        Draws
            Over the parameters of both laws: intervals, formulas and predictions as of any draws. A replicate in which
            a stage fails counts as failed.

        Raises
        ------
        DataError
            A stage has no estimate to start from.
        LawError
            An option cannot mean anything, or the second stage combines ``sigma=`` with a robust loss.

        Notes
        -----
        When to use: for every interval that matters. The weights are exponential (Rubin 1981). In a replicate all rows
        of a unit weigh the same, in both stages: a checkpoint that counts twice moves the loss law, the predictions
        that it gives, and the link. Robust scales stay at the numbers that the stages found, and so do weights.

        References
        ----------
        Rubin 1981, The Bayesian bootstrap, Ann. Statist. 9; Newey and McFadden 1994, Handbook of Econometrics 4,
        section 6, on estimates in two steps.

        Examples
        --------
        >>> import numpy as np
        >>> import lawfit as lf
        >>> N = np.logspace(7, 10, 12)
        >>> rng = np.random.default_rng(0)
        >>> loss = 1.7 + 400 * N**-0.34 * np.exp(rng.normal(0, 0.02, 12))
        >>> runs = {"N": N, "nll": loss, "error": 0.9 - 2.5 * np.exp(-0.7 * loss) + rng.normal(0, 0.003, 12)}
        >>> first = lf.Law("E + A*N**-alpha", ["N"], positive=["E", "A"])
        >>> chain = lf.fit_chain(first, lf.laws.gadre_error, runs, responses=["nll", "error"], through="L")
        >>> draws = chain.bootstrap(200, seed=1)
        >>> draws.params.shape
        (200, 6)
        """
        return _chain_draws.bootstrap(self, n_replicates, seed=seed, n_threads=n_threads, progress=progress)

    def save(self, path: str | PathLike[str], *, data: bool = False) -> None:
        """Write it to a JSON file from which `lawfit.load` makes the same one; see `lawfit.saving.save`."""
        from lawfit import saving

        return saving.save(self, path, data=data)

    def __repr__(self) -> str:
        """Return the form for people."""
        return _chain_report.chain_text(self)
