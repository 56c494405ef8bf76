"""What `fit_counts` returns: a law of a probability, fitted to counts by likelihood. Frozen, slotted, picklable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from numpy.typing import ArrayLike

from lawfit import _count_report, _export
from lawfit._count_law import CountLaw
from lawfit._derived import Derived
from lawfit._draws import Draws, Interval
from lawfit._engine import F64
from lawfit._law import Law
from lawfit._named import Named
from lawfit._predictions import Prediction
from lawfit.results import Fit

if TYPE_CHECKING:
    from os import PathLike

    from lawfit._engine import Progress


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CountFit:
    """A law of a probability, fitted to counts of successes by maximum likelihood.

    Attributes
    ----------
    model : CountLaw
        The law, the size, and the deviance made of both.
    inner : Fit
        The fit of half the deviance as a law: what the results below are read from. Its rows are those of the table.
    n_correct, n_samples : str
        Columns, or formulas over columns, of the counts.
    total_correct, total_samples : float
        All successes, of all samples.
    n_distinct : int
        Rows that differ in a variable or a count; equal ones were searched as one with a weight.
    log_likelihood : float
        Logarithm of the probability of the counts, binomial coefficients included.
    aic : float
        Akaike's criterion, 2 (parameters that are not fixed) - 2 (log likelihood).
    dispersion : float
        Pearson's chi-squared over its degrees of freedom: about 1 where counts vary as the likelihood says. NaN
        without degrees of freedom.
    size_range : (float, float) or None
        Smallest and largest size of the Beta distribution over the rows; None for the binomial.
    """

    model: CountLaw
    inner: Fit
    n_correct: str
    n_samples: str
    total_correct: float
    total_samples: float
    n_distinct: int
    log_likelihood: float
    aic: float
    dispersion: float
    size_range: tuple[float, float] | None

    @property
    def law(self) -> Law:
        """The law of the probability, with its variables known."""
        return self.model.mean

    @property
    def size(self) -> str | None:
        """Formula of the size of the Beta distribution; None for the binomial."""
        return self.model.size

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters: those of the law, then those of the size."""
        return self.inner.law.parameters

    @property
    def params(self) -> Named[float]:
        """Estimates by parameter name."""
        return self.inner.params

    @property
    def stderr(self) -> Named[float]:
        """Standard errors, of the kind that ``covariance_type`` names; NaN where undefined."""
        return self.inner.stderr

    @property
    def stderr_reason(self) -> Named[str]:
        """Why a standard error is NaN, for each parameter where it is."""
        return self.inner.stderr_reason

    @property
    def covariance(self) -> F64:
        """(n_parameters, n_parameters) covariance of the estimates, in the order of ``parameters``."""
        return self.inner.covariance

    @property
    def covariance_type(self) -> str:
        """``"classical"``, the inverse of the curvature, or a sandwich: ``"HC0"``, ``"HC1"``, ``"CR1"``."""
        return self.inner.covariance_type

    @property
    def dof(self) -> float:
        """Degrees of freedom of intervals: infinite (normal) for ``"classical"``, clusters less one for ``"CR1"``."""
        return self.inner.dof

    @property
    def status(self) -> str:
        """How the fit ended, in a word."""
        return self.inner.status

    @property
    def message(self) -> str:
        """What the status means."""
        return self.inner.message

    @property
    def success(self) -> bool:
        """Whether it is a maximum that may be used."""
        return self.inner.success

    @property
    def objective(self) -> float:
        """Half the deviance: what the log likelihood lacks to that of a share of successes of its own in each row."""
        return self.inner.objective

    @property
    def start_agreement(self) -> float:
        """Share of the starts that ended at the best objective."""
        return self.inner.start_agreement

    @property
    def at_bound(self) -> tuple[str, ...]:
        """Parameters that the data hold at a bound."""
        return self.inner.at_bound

    @property
    def n_rows(self) -> int:
        """Rows that the fit used."""
        return self.inner.n_rows

    @property
    def n_clusters(self) -> int:
        """Clusters among them; 0 without ``cluster=``."""
        return self.inner.n_clusters

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a careful reader should know before using the numbers, one sentence each."""
        return _count_report.warnings_of(self)

    def derived(self, quantity: str) -> Derived:
        """Value and standard error of a formula over the parameters; see `lawfit.Fit.derived`."""
        return self.inner.derived(quantity)

    def interval(self, quantity: str, level: float = 0.95) -> Interval:
        """Wald interval of a parameter, or of a formula over the parameters; see `lawfit.uncertainty.interval`."""
        return self.inner.interval(quantity, level)

    @overload
    def predict(
        self,
        points: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        interval: None = None,
        draws: None = None,
        **variables: ArrayLike,
    ) -> F64: ...

    @overload
    def predict(
        self,
        points: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        interval: float,
        draws: Draws | None = None,
        **variables: ArrayLike,
    ) -> Prediction: ...

    def predict(
        self,
        points: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        interval: float | None = None,
        draws: Draws | None = None,
        **variables: ArrayLike,
    ) -> F64 | Prediction:
        """Probability of a success at points of the law's variables; see `lawfit._count_predictions.predict`."""
        from lawfit import _count_predictions

        return _count_predictions.predict(self, points, interval=interval, draws=draws, **variables)

    def pass_at_k(
        self,
        n_attempts: ArrayLike,
        points: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        interval: float | None = None,
        draws: Draws | None = None,
        **variables: ArrayLike,
    ) -> F64 | Prediction:
        """Probability of a success in so many attempts at a problem; see `lawfit._count_predictions.pass_at_k`."""
        from lawfit import _count_predictions

        return _count_predictions.pass_at_k(self, n_attempts, points, interval=interval, draws=draws, **variables)

    def bootstrap(
        self,
        n_replicates: int | None = None,
        *,
        seed: int = 0,
        n_checked: int = 2,
        n_threads: int | None = None,
        progress: bool | Progress | None = None,
    ) -> Draws:
        """Refit with Bayesian weights of clusters, or of rows; see `lawfit.counts.bootstrap`."""
        from lawfit import counts

        return counts.bootstrap(
            self, n_replicates, seed=seed, n_checked=n_checked, n_threads=n_threads, progress=progress
        )

    def save(self, path: str | PathLike[str], *, data: bool = False) -> None:
        """Write it to a JSON file from which `lawfit.load` makes the same one; see `lawfit.saving.save`."""
        from lawfit import saving

        return saving.save(self, path, data=data)

    def with_data(self, data: object, *, where: ArrayLike | None = None, cluster: ArrayLike | None = None) -> CountFit:
        """Attach the rows of a fit that was saved without them; see `lawfit._attach.with_data`."""
        from lawfit import _attach

        return _attach.counts_with_data(self, data, where=where, cluster=cluster)

    def to_dict(self) -> dict[str, object]:
        """Return everything but the rows, as values that JSON can hold; undefined numbers are ``None``."""
        return _export.count_fit_dict(self)

    def __repr__(self) -> str:
        """Return the form for people."""
        return _count_report.text_of(self)
