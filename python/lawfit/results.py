"""What a fit returns: `Fit` for one, `Fits` for a batch. Frozen, slotted, picklable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _derived, _export, _reasons, _report
from lawfit._batch import N_CHECKED, Options, Rows
from lawfit._derived import Derived
from lawfit._draws import Draws, Interval
from lawfit._engine import F64
from lawfit._evidence import Certificate, Optimum, Starts, distinct_optima
from lawfit._law import Law
from lawfit._named import Named
from lawfit._predictions import Prediction

if TYPE_CHECKING:
    from os import PathLike

    from lawfit._allocation import Allocation
    from lawfit._engine import Progress
    from lawfit.adequacy import LackOfFit
    from lawfit.diagnosis import Diagnosis
    from lawfit.validation import Validation

# A term whose share of the prediction is below this in every row moves no digit that the data can show.
DEAD_SHARE = 1e-9


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fit:
    """One law fitted to one set of rows.

    Attributes
    ----------
    law : Law
        The law, with its variables known.
    params : Named
        Estimates by parameter name.
    covariance : numpy.ndarray
        (n_parameters, n_parameters); NaN for parameters that are fixed, at a bound or not identified.
    covariance_type : str
        Which covariance that is, such as ``"HC3"``.
    covariance_reason : str or None
        Why there is none at all.
    dof : float
        Degrees of freedom of its Student's t: rows less parameters that move, of those with a prior the share that the
        rows determine; or clusters less one. NaN without covariance.
    n_clusters : int
        Clusters among the rows that the fit used; 0 without ``cluster=``.
    unidentified : tuple of str
        Parameters that move along directions that the data leave open.
    objective : float
        Sum over rows of weight times robust loss of the residual, in units of ``sigma`` where it was given, and the
        penalty of priors.
    sse : float
        Sum of squared residuals, each counted once: without weights, ``sigma`` or priors.
    f_scale : float
        Scale of the robust loss, as a number; in units of ``sigma`` where it was given.
    prior_variance : float
        Noise variance of a row of weight 1 that priors were weighed against; NaN without a prior.
    status, message, success : str, str, bool
        How the fit ended, what that means, and whether it is a minimum that may be used.
    nfev, nit : int
        Evaluations and iterations, summed over starts.
    start_agreement : float
        Share of the starts that ended within 1e-6, relatively, of the best objective.
    certificate : Certificate
        Evidence that this is the best objective there is.
    starts : Starts or None
        Where each start began and ended.
    gradient, flat_direction : Named
        Gradient at the end, and the direction along which the objective is flattest: how the parameters change along
        it, the part with the largest effect changing residuals by 1, in root mean square, by itself.
    condition : float
        Condition number of the scaled Jacobian at the end.
    term_share : Named
        Largest share of each additive term in the prediction, over the rows.
    inside_scale : float
        Share of the residuals that lie within ``f_scale``.
    at_bound : tuple of str
        Parameters that the data hold at a bound.
    n_rows : int
        Rows that the fit used.
    kernels : str
        Level of the vector kernels; the same level gives the same bits.
    options : Options
        Everything that was asked for, defaults filled in.
    rows : Rows
        The rows of the fit.
    key : tuple
        Key of the group in a batch; empty for a single fit.
    draws : Draws or None
        The bootstrap that was asked for together with the fit.
    """

    law: Law
    params: Named[float]
    covariance: F64
    covariance_type: str
    covariance_reason: str | None
    dof: float
    n_clusters: int
    unidentified: tuple[str, ...]
    objective: float
    sse: float
    f_scale: float
    prior_variance: float
    status: str
    message: str
    success: bool
    nfev: int
    nit: int
    start_agreement: float
    certificate: Certificate
    starts: Starts | None
    gradient: Named[float]
    flat_direction: Named[float]
    condition: float
    term_share: Named[float]
    inside_scale: float
    at_bound: tuple[str, ...]
    n_rows: int
    kernels: str
    options: Options
    rows: Rows
    by: tuple[str, ...]
    key: tuple[object, ...]
    draws: Draws | None

    @property
    def stderr(self) -> Named[float]:
        """Standard errors, of the kind that ``covariance_type`` names; NaN where undefined."""
        variance = np.diagonal(self.covariance)
        spread = np.sqrt(np.where(variance >= 0.0, variance, np.nan))
        return Named(zip(self.law.parameters, spread.tolist(), strict=True))

    @property
    def stderr_reason(self) -> Named[str]:
        """Why a standard error is NaN, for each parameter where it is."""
        return _reasons.missing(self)

    @property
    def optima(self) -> tuple[Optimum, ...]:
        """Distinct local minima that the starts found, best first, with how many starts ended in each."""
        return distinct_optima(self.law, self.starts)

    @property
    def dead_terms(self) -> tuple[str, ...]:
        """Additive terms of the law that contribute nothing at any row."""
        return tuple(term for term, share in self.term_share.items() if share < DEAD_SHARE)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a careful reader should know before using the numbers, one sentence each."""
        return _report.warnings_of(self)

    def derived(self, quantity: str) -> Derived:
        """Value and standard error of a formula over the parameters.

        Parameters
        ----------
        quantity : str
            A parameter, or a formula over the parameters in the law language, such as ``"beta / (alpha + beta)"``.

        Returns
        -------
        Derived
            ``value``, ``stderr`` by the delta method with exact derivatives, and ``dof``. Fixed parameters add no
            variance. Where a parameter has no standard error the quantity has none either, and ``reason`` says why.

        Raises
        ------
        DataError
            The formula names something that is no parameter, or nothing.

        Notes
        -----
        When to use: for exponents of optimal allocation, ratios, values at a point. Where the quantity is far from
        linear over an interval's width, bootstrap instead: ``fit.bootstrap().interval(quantity)``.

        Examples
        --------
        >>> import lawfit as lf
        >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
        >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 3e7, 1e8, 3e8, 1e9, 3e9]}, noise=0.001)
        >>> fit = lf.fit(lf.laws.power_floor, runs, response="loss")
        >>> half = fit.derived("0.5 * alpha")
        >>> bool(abs(half.stderr - 0.5 * fit.stderr["alpha"]) < 1e-12), half.dof
        (True, 3.0)
        """
        return _derived.derive(self, quantity)

    def interval(
        self, quantity: str, level: float = 0.95, method: str = "wald", covariance: str | None = None
    ) -> Interval:
        """Interval of a parameter, or of a formula over the parameters; see `lawfit.uncertainty.interval`."""
        from lawfit import uncertainty

        return uncertainty.interval(self, quantity, level, method, covariance)

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
        """Values of the fitted law at points of its variables, with an interval if one is asked for.

        Parameters
        ----------
        points : mapping of str to array, optional
            Values by name, for variables that are not Python identifiers or have the name of an argument.
        interval : float, optional
            Coverage that the interval aims at, such as 0.95, at each point by itself.
        kind : {"mean", "run"}
            Whether the interval is for the law, or for one new run, which has noise of its own.
        sigma : array-like, optional
            Standard deviation of the new runs in units of the response, for ``kind="run"`` if the fit has ``sigma=``.
        **variables : array-like
            Values by name; scalars and arrays are broadcast together.

        Returns
        -------
        numpy.ndarray or Prediction
            float64, of the shape that the variables have together; with ``interval=`` a `Prediction` of ``value``,
            ``lower`` and ``upper``.

        Raises
        ------
        LawError
            A variable is missing or unknown, or ``kind`` is neither word.
        DataError
            The level is not between 0 and 1, or ``sigma`` is missing or not wanted.

        Notes
        -----
        When to use: for the response at runs not made yet. Far outside the rows of the fit the law's form matters
        more than its parameters. The interval is Wald's: Student's t with ``dof`` degrees of freedom and the delta
        method, on the scale of the residuals (of logarithms, or linear); a new run adds the mean square of the
        residuals, for a row of weight 1 or in units of ``sigma``. With a narrow ``f_scale`` or few rows prefer
        ``fit.bootstrap().predict(...)``.

        Examples
        --------
        >>> import lawfit as lf
        >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
        >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 1e8, 1e9, 1e10, 1e11]}, noise=0.001)
        >>> fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss="squared")
        >>> bool(abs(fit.predict(x=1e9) - runs["loss"][2]) < 0.01)
        True
        >>> law, run = (fit.predict(x=1e12, interval=0.95, kind=kind) for kind in ("mean", "run"))
        >>> bool(run.lower < law.lower < law.value < law.upper < run.upper)
        True
        """
        from lawfit import uncertainty

        return uncertainty.predict(self, points, interval=interval, kind=kind, sigma=sigma, **variables)

    def bootstrap(
        self,
        n_replicates: int | None = None,
        *,
        resample: str | None = None,
        seed: int = 0,
        search: str = "warm",
        strata: str | ArrayLike | None = None,
        share: float | None = None,
        noise: float | ArrayLike | None = None,
        studentize: bool = False,
        weights: ArrayLike | None = None,
        indices: ArrayLike | None = None,
        n_checked: int = N_CHECKED,
        n_threads: int | None = None,
        progress: bool | Progress | None = None,
        data: object = None,
    ) -> Draws:
        """Refit the law to resampled rows; see `lawfit.bootstrap`. ``data`` are those of a fit saved without rows."""
        from lawfit import resampling

        return resampling.bootstrap(
            self if data is None else self.with_data(data), n_replicates, resample=resample, seed=seed, search=search,
            strata=strata, share=share, noise=noise, studentize=studentize, weights=weights, indices=indices,
            n_checked=n_checked, n_threads=n_threads, progress=progress,
        )  # fmt: skip

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
    ) -> Allocation:
        """Where the law is best under budgets; see `lawfit.allocate`."""
        from lawfit import allocation

        return allocation.of_fit(
            self, budgets, bounds=bounds, at=at, menus=menus, integer=integer, target=target, maximize=maximize,
            n_threads=n_threads,
        )  # fmt: skip

    def lack_of_fit(self, kind: str = "auto") -> LackOfFit:
        """Test whether the law misses the runs by more than their noise; see `lawfit.adequacy.lack_of_fit`."""
        from lawfit import adequacy

        return adequacy.lack_of_fit(self, kind)

    def diagnose(
        self,
        *,
        quantity: str | None = None,
        most: int = 5,
        draws: Draws | None = None,
        n_threads: int | None = None,
        data: object = None,
    ) -> Diagnosis:
        """Say what the fit rests on: rows, directions, terms; see `lawfit.diagnosis.diagnose`."""
        from lawfit import diagnosis

        return diagnosis.diagnose(
            self if data is None else self.with_data(data),
            quantity=quantity,
            most=most,
            draws=draws,
            n_threads=n_threads,
        )

    def validate(
        self,
        *,
        by: str | None = None,
        kind: str = "ordered",
        holdout: float | None = None,
        n_splits: int | None = None,
        level: float = 0.95,
        seed: int = 0,
        n_threads: int | None = None,
        progress: bool | Progress | None = None,
        data: object = None,
    ) -> Validation:
        """Refit to a part of the runs and predict the others; see `lawfit.validation.validate`."""
        from lawfit import validation

        return validation.validate(
            self if data is None else self.with_data(data), by=by, kind=kind, holdout=holdout, n_splits=n_splits,
            level=level, seed=seed, n_threads=n_threads, progress=progress,
        )  # fmt: skip

    def plot(self, kind: str | None = None, ax: Any = None) -> Any:
        """Draw the law through the runs, or another figure of `lawfit.plotting` by name, and return the axes."""
        from lawfit import plotting

        return plotting.plot(self, kind, ax)

    def save(self, path: str | PathLike[str], *, data: bool = False) -> None:
        """Write it to a JSON file from which `lawfit.load` makes the same one; see `lawfit.saving.save`."""
        from lawfit import saving

        return saving.save(self, path, data=data)

    def with_data(
        self,
        data: object,
        *,
        where: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        sigma: ArrayLike | None = None,
        cluster: ArrayLike | None = None,
    ) -> Fit:
        """Attach the rows of a fit that was saved without them; see `lawfit._attach.with_data`."""
        from lawfit import _attach

        return _attach.with_data(self, data, where=where, weights=weights, sigma=sigma, cluster=cluster)

    def to_dict(self) -> dict[str, object]:
        """Return everything but the rows, as values that JSON can hold; undefined numbers are ``None``."""
        return _export.fit_dict(self)

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row per parameter in a frame of the library that the data came in, or of ``library``."""
        return _export.frame(_export.param_columns([self]), library, self.rows.library, "to_frame")

    def report(
        self,
        path: str | PathLike[str],
        *,
        title: str | None = None,
        notes: Mapping[str, str] | None = None,
        draws: Draws | None = None,
        level: float = 0.95,
        validate: bool | str = True,
        data: object = None,
    ) -> None:
        """Write it as one static HTML page with the checklist of a fit; see `lawfit.reporting.report`."""
        from lawfit import reporting

        return reporting.report(
            self, path, title=title, notes=notes, draws=draws, level=level, validate=validate, data=data
        )

    def to_latex(self, level: float = 0.95) -> str:
        """Return a LaTeX table of the parameters (booktabs); see `lawfit._latex_tables.of_fit`."""
        from lawfit import _latex_tables

        return _latex_tables.of_fit(self, level)

    def _repr_html_(self) -> str:
        """Return the form for notebooks."""
        from lawfit import _notebook

        return _notebook.of_fit(self)

    def __repr__(self) -> str:
        """Return the form for people."""
        return _report.fit_text(self)
