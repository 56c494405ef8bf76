"""What a fit returns: `Fit` for one, `Fits` for a batch. Frozen, slotted, picklable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lawfit import _derived, _engine, _export, _reasons, _report
from lawfit._batch import Options, Rows
from lawfit._derived import Derived
from lawfit._draws import Draws, Interval, caution_of
from lawfit._engine import F64, Bool, RawFits
from lawfit._evidence import Certificate, Optimum, Starts, certificate_of, distinct_optima
from lawfit._law import Law
from lawfit._named import Named
from lawfit._wording import listed

if TYPE_CHECKING:
    from lawfit._engine import Progress
    from lawfit.adequacy import LackOfFit

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

    def interval(self, quantity: str, level: float = 0.95) -> Interval:
        """Wald interval of a parameter, or of a formula over the parameters.

        Parameters
        ----------
        quantity : str
            As in `derived`.
        level : float
            Coverage that is aimed at, between 0 and 1.

        Returns
        -------
        Interval
            (lower, upper): the estimate plus and minus Student's t, with ``dof`` degrees of freedom, times the standard
            error; NaN where there is none, and ``derived(quantity).reason`` says why.

        Raises
        ------
        DataError
            The level is not between 0 and 1, or the formula names something that is no parameter.

        Notes
        -----
        When to use: always at hand and nearly free. With a robust loss at a narrow ``f_scale``, or with few rows,
        `bootstrap` is the better guide.

        Examples
        --------
        >>> import lawfit as lf
        >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
        >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 3e7, 1e8, 3e8, 1e9, 3e9]}, noise=0.001)
        >>> lower, upper = lf.fit(lf.laws.power_floor, runs, response="loss").interval("alpha")
        >>> bool(lower < 0.34 < upper)
        True
        """
        return _derived.derive(self, quantity).interval(level)

    def predict(self, points: Mapping[str, ArrayLike] | None = None, /, **variables: ArrayLike) -> F64:
        """Values of the fitted law at points of its variables.

        Parameters
        ----------
        points : mapping of str to array, optional
            Values by name, for variables that are not Python identifiers.
        **variables : array-like
            Values by name; scalars and arrays are broadcast together.

        Returns
        -------
        numpy.ndarray
            float64, of the shape that the variables have together.

        Raises
        ------
        LawError
            A variable is missing or unknown.

        Notes
        -----
        When to use: for the response at runs not made yet. Far outside the rows of the fit the law's form matters
        more than its parameters.

        Examples
        --------
        >>> import lawfit as lf
        >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
        >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 1e8, 1e9, 1e10]}, noise=0.0)
        >>> fit = lf.fit(lf.laws.power_floor, runs, response="loss")
        >>> bool(abs(fit.predict(x=1e9) - runs["loss"][2]) < 1e-6)
        True
        """
        return self.law.evaluate(points, params=self.params, **variables)

    def bootstrap(
        self,
        n_replicates: int | None = None,
        *,
        resample: str = "bayesian",
        seed: int = 0,
        weights: ArrayLike | None = None,
        indices: ArrayLike | None = None,
        n_threads: int | None = None,
        progress: bool | Progress | None = None,
    ) -> Draws:
        """Refit the law to resampled rows; see `lawfit.bootstrap`."""
        from lawfit import resampling

        return resampling.bootstrap(
            self, n_replicates, resample=resample, seed=seed, weights=weights, indices=indices,
            n_threads=n_threads, progress=progress,
        )  # fmt: skip

    def lack_of_fit(self, kind: str = "auto") -> LackOfFit:
        """Test whether the law misses the runs by more than their noise; see `lawfit.adequacy.lack_of_fit`."""
        from lawfit import adequacy

        return adequacy.lack_of_fit(self, kind)

    def to_dict(self) -> dict[str, object]:
        """Return everything but the rows, as values that JSON can hold; undefined numbers are ``None``."""
        return _export.fit_dict(self)

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row per parameter in a frame of the library that the data came in, or of ``library``."""
        return _export.frame(_export.param_columns([self]), library, self.rows.library, "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        return _report.fit_text(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fits:
    """One law fitted to many groups of rows, in one call.

    ``fits["arc_easy", "dclm"]`` is the `Fit` of that key, ``fits[3]`` the one at a position (a key that is itself a
    number goes in as a tuple: ``fits[(70,)]``). Arrays have one element per fit, in the order of ``keys``.

    Attributes
    ----------
    law : Law
        The law, with its variables known.
    by : tuple of str
        Columns that made the groups.
    keys : tuple of tuples
        Key of each fit: one value for each column of ``by``.
    options : Options
        Everything that was asked for, defaults filled in.
    rows : Rows
        The rows of all fits.
    raw : RawFits
        Arrays of the engine.
    resample : str or None
        Scheme of the bootstrap, if one was asked for.
    """

    law: Law
    by: tuple[str, ...]
    keys: tuple[tuple[object, ...], ...]
    options: Options
    rows: Rows
    raw: RawFits
    resample: str | None

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.keys)

    def __iter__(self) -> Iterator[Fit]:
        """Go through them in order."""
        return (self._at(i) for i in range(len(self)))

    def __getitem__(self, key: object) -> Fit:
        """Look one up."""
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            if not -len(self) <= key < len(self):
                raise IndexError(f"there are {len(self)} fits; {key} is not a position among them")
            return self._at(int(key) % len(self))
        wanted = key if isinstance(key, tuple) else (key,)
        try:
            return self._at(self.keys.index(wanted))
        except ValueError:
            shown = listed((repr(known if len(known) > 1 else known[0]) for known in self.keys), most=8)
            raise KeyError(f"no fit has the key {key!r} for {', '.join(self.by)}; the keys are {shown}") from None

    @property
    def params(self) -> Named[F64]:
        """Estimates by parameter name, each (n_fits,)."""
        return Named(zip(self.law.parameters, self.raw.params.T, strict=True))

    @property
    def stderr(self) -> Named[F64]:
        """Standard errors by parameter name, each (n_fits,); NaN where undefined."""
        variance = np.diagonal(self.raw.covariance, axis1=1, axis2=2)
        return Named(zip(self.law.parameters, np.sqrt(np.where(variance >= 0.0, variance, np.nan)).T, strict=True))

    @property
    def objective(self) -> F64:
        """Objective of each fit."""
        return self.raw.objective

    @property
    def start_agreement(self) -> F64:
        """Share of each fit's starts that ended at its best objective."""
        return self.raw.start_agreement

    @property
    def certified(self) -> Bool:
        """Which fits are certified; `Fit.certificate` says why one is not."""
        return self.raw.is_certified

    @property
    def status(self) -> NDArray[np.str_]:
        """How each fit ended, in a word."""
        return np.array([status.name for status in _engine.registries().statuses])[self.raw.status]

    @property
    def ok(self) -> Bool:
        """Which fits ended in a minimum that may be used."""
        return np.array([status.success for status in _engine.registries().statuses])[self.raw.status]

    @property
    def failed(self) -> Bool:
        """Which fits did not."""
        return ~self.ok

    def to_frame(self, what: str = "params", library: str | None = None) -> Any:
        """Return a frame: one row per fit and parameter (``"params"``) or one row per fit (``"fits"``)."""
        return _export.frame(_export.columns_of(self, what), library, self.rows.library, "to_frame")

    def to_dict(self) -> dict[str, object]:
        """Return everything but the rows, as values that JSON can hold; undefined numbers are ``None``."""
        return _export.fits_dict(self)

    def __repr__(self) -> str:
        """Return the form for people."""
        return _report.fits_text(self)

    def _at(self, i: int) -> Fit:
        raw, names = self.raw, self.law.parameters
        status = _engine.registries().statuses[int(raw.status[i])]
        terms = _engine.compile_law(self.law.text, self.rows.variables, self.law.positive).terms
        params: Named[float] = Named(zip(names, raw.params[i].tolist(), strict=True))
        starts = draws = None
        if raw.starts is not None:
            params_at, ends, objective, codes = (array[i] for array in raw.starts)
            starts = Starts(params_at, ends, objective, codes, float(raw.rounding[i]))
        if raw.replicates is not None and self.resample is not None:
            draws = Draws(
                law=self.law,
                estimate=params,
                params=raw.replicates.params[i],
                objective=raw.replicates.objective[i],
                status_codes=raw.replicates.status[i],
                resample=self.resample,
                seed=self.options.seed,
                caution=caution_of(status.success, status.message, self.rows),
            )
        return Fit(
            law=self.law,
            params=params,
            covariance=raw.covariance[i],
            covariance_type=raw.covariance_type,
            covariance_reason=self._gap(i),
            dof=float(raw.dof[i]),
            n_clusters=int(raw.n_clusters[i]),
            unidentified=tuple(name for name, is_loose in zip(names, raw.loose[i], strict=True) if is_loose),
            objective=float(raw.objective[i]),
            sse=float(raw.sse[i]),
            f_scale=float(raw.f_scale[i]),
            prior_variance=float(raw.prior_variance[i]),
            status=status.name,
            message=status.message,
            success=status.success,
            nfev=int(raw.n_evaluations[i]),
            nit=int(raw.n_iterations[i]),
            start_agreement=float(raw.start_agreement[i]),
            certificate=certificate_of(raw, i, status.success, names),
            starts=starts,
            gradient=Named(zip(names, raw.gradient[i].tolist(), strict=True)),
            flat_direction=Named(zip(names, raw.flat_direction[i].tolist(), strict=True)),
            condition=float(raw.condition[i]),
            term_share=Named(zip(terms, raw.term_share[i].tolist(), strict=True)),
            inside_scale=float(raw.inside_scale[i]),
            at_bound=tuple(name for name, is_at in zip(names, raw.at_bound[i], strict=True) if is_at),
            n_rows=int(raw.n_rows_used[i]),
            kernels=raw.kernels,
            options=self.options,
            rows=self.rows.of(i),
            by=self.by,
            key=self.keys[i],
            draws=draws,
        )

    def _gap(self, i: int) -> str | None:
        """Why a fit has no covariance, with the row or cluster by name."""
        raw, rows = self.raw, self.rows.of(i)
        place = ""
        if raw.gap_row[i] >= 0:
            used = rows.positions if rows.weights is None else rows.positions[rows.weights > 0.0]
            place = f"row {used[raw.gap_row[i]]} (counted from 0)"
        elif raw.gap_cluster[i] >= 0:
            place = f"cluster {rows.cluster_labels[int(raw.gap_cluster[i])]!r}"
        return raw.gap[i].format(place) or None
