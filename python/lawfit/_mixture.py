"""What `fit_mixture` returns: distributions of success probabilities. Frozen, slotted, picklable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lawfit import _engine
from lawfit._draws import Interval, check_level
from lawfit._engine import F64, U64
from lawfit._estimators import as_counts, as_tries, check_counts
from lawfit._named import Named
from lawfit._text import fields, number, table
from lawfit._wording import listed, suggest
from lawfit.errors import DataError
from lawfit.tables import make_frame

Strings = NDArray[np.str_]
# Replicates below which quantiles say nothing.
FEWEST_DRAWS = 40


@dataclass(frozen=True, slots=True)
class PassAtK:
    """Chance that at least one of k samples of a problem drawn at random is right; arrays (n_k,).

    Attributes
    ----------
    k : numpy.ndarray
        Numbers of samples.
    value, lower, upper : numpy.ndarray
        The chance and the ends of its interval; NaN where there is none.
    is_extrapolated : numpy.ndarray
        Whether k is beyond the samples that were drawn of any problem.
    note : str or None
        What to know of it.
    """

    k: F64
    value: F64
    lower: F64
    upper: F64
    is_extrapolated: NDArray[np.bool_]
    note: str | None


@dataclass(frozen=True, slots=True)
class Posterior:
    """Mean and standard deviation of success probabilities given counts; arrays of the shape of the counts."""

    mean: F64
    sd: F64


@dataclass(frozen=True, slots=True)
class ZeroShareTest:
    """Likelihood ratio of a share of impossible problems against none; its null distribution is half chi-squared.

    Attributes
    ----------
    statistic : float
        Twice the difference of log-likelihoods; NaN where one of the fits failed.
    p_value : float
        Half the tail of chi-squared with one degree of freedom, since a share of 0 lies on the boundary; 1 at 0.
    aic, aic_without : float
        Akaike's criterion with the share and without it.
    """

    statistic: float
    p_value: float
    aic: float
    aic_without: float


@dataclass(frozen=True, slots=True, eq=False)
class MixtureDraws:
    """Refits with Bayesian weights over problems.

    Attributes
    ----------
    params : Named of (n_replicates,) arrays
        Estimates of each replicate.
    success : (n_replicates,) bool
        Which replicates ended in a maximum.
    """

    params: Named[F64]
    success: NDArray[np.bool_]

    def interval(self, name: str, *, level: float = 0.95) -> Interval:
        """Percentile interval of a parameter over the replicates that ended in a maximum."""
        check_level(level)
        values = self.params[name][self.success]
        values = values[np.isfinite(values)]
        n_lost = self.success.size - values.size
        note = f"{n_lost} of {self.success.size} replicates have no maximum and are left out" if n_lost else None
        if values.size < FEWEST_DRAWS or n_lost > 0.1 * self.success.size:
            reason = f"{values.size} of {self.success.size} replicates are usable: too few for an interval"
            return Interval(np.nan, np.nan, level=level, method="percentile", note=reason)
        low, high = np.quantile(values, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
        return Interval(low, high, level=level, method="percentile", note=note)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mixture:
    """A mixing distribution fitted to the counts of one group of problems.

    Attributes
    ----------
    kind : str
        The distribution.
    by, key : tuples
        Columns that made the group, and its values.
    params : Named of float
        Estimates: ``a`` and ``b``, before them the ``share`` of impossible problems if the kind has one. NaN where
        ``status`` says why.
    scale : float
        Upper end c of the distribution.
    log_likelihood : float
        Without the binomial coefficients, which no parameter changes.
    covariance : (P, P) numpy.ndarray
        From the observed information, of the logit of the share and the logarithms of a and b.
    status, message : str
        How the fit ended, and what it means for these counts.
    success : bool
        Whether the parameters are a maximum.
    slope : float
        Largest derivative of the log-likelihood by a coordinate.
    n_samples, n_correct : (n_problems,) numpy.ndarray
        The counts.
    """

    kind: str
    by: tuple[str, ...]
    key: tuple[object, ...]
    params: Named[float]
    scale: float
    log_likelihood: float
    covariance: F64
    status: str
    message: str
    success: bool
    slope: float
    n_samples: F64
    n_correct: F64
    unit_keys: U64
    at: F64

    @property
    def n_problems(self) -> int:
        """Number of problems."""
        return self.n_samples.size

    @property
    def aic(self) -> float:
        """Akaike's criterion, to compare kinds on the same counts; a scale taken from the counts is one parameter."""
        n_params = len(self.params) + (_has_scale(self.kind) and self.scale < 1.0)
        return 2.0 * n_params - 2.0 * self.log_likelihood

    @property
    def stderr(self) -> Named[float]:
        """Standard errors by the delta method; NaN where the fit failed or a parameter is at its bound."""
        errors = np.sqrt(np.diagonal(self.covariance)) * _jacobian(self.params)
        return Named(zip(self.params, errors.tolist(), strict=True))

    def interval(self, name: str, *, level: float = 0.95) -> Interval:
        """Interval of a parameter, symmetric in its logarithm, or in the logit of a share."""
        check_level(level)
        if name not in self.params:
            raise DataError(f"{name!r} is no parameter of {self.kind}; {suggest(name, tuple(self.params))}")
        i = list(self.params).index(name)
        error = float(np.sqrt(self.covariance[i, i]))
        if not np.isfinite(error):
            return Interval(np.nan, np.nan, level=level, method="information", note=self.message)
        reach = NormalDist().inv_cdf((1.0 + level) / 2.0) * error
        ends = np.array([self.at[i] - reach, self.at[i] + reach])
        low, high = 1.0 / (1.0 + np.exp(-ends)) if name == "share" else np.exp(ends)
        return Interval(low, high, level=level, method="information")

    def pass_at_k(self, k: ArrayLike, *, interval: float = 0.95) -> PassAtK:
        """Return the chance that one of k samples is right, for a problem drawn from the distribution.

        Parameters
        ----------
        k : array-like
            Numbers of samples, of at least 1.
        interval : float
            Level of the interval, by the delta method for the logarithm of -log(1 - pass@k).

        Returns
        -------
        PassAtK
            With what is beyond the samples drawn marked as extrapolated.
        """
        check_level(interval)
        tries = np.atleast_1d(as_tries(k)).ravel()
        beyond = tries > self.n_samples.max(initial=0.0)
        nothing = np.full(tries.size, np.nan)
        if not self.success:
            return PassAtK(tries, nothing, nothing, nothing, beyond, self.message)
        log_fail, slopes = _engine.mixture_log_moments(self.kind, self.at, self.scale, tries, np.zeros(tries.size))
        free = np.isfinite(np.diagonal(self.covariance))
        inner = self.covariance[np.ix_(free, free)]
        variance = np.einsum("ki,ij,kj->k", slopes[:, free], inner, slopes[:, free])
        reach = NormalDist().inv_cdf((1.0 + interval) / 2.0) * np.sqrt(variance) / -log_fail
        ends = -np.expm1(log_fail * np.exp(np.stack([-reach, reach])))
        note = None
        if beyond.any():
            note = f"beyond {self.n_samples.max():g} samples of a problem this is an extrapolation; {TRUST[self.kind]}"
        return PassAtK(tries, -np.expm1(log_fail), ends[0], ends[1], beyond, note)

    def posterior(self, n_samples: ArrayLike, n_correct: ArrayLike) -> Posterior:
        """Mean and standard deviation of the success probability of problems with these counts."""
        samples, correct = np.broadcast_arrays(as_counts(n_samples, "n_samples"), as_counts(n_correct, "n_correct"))
        check_counts(correct, samples)
        if not self.success:
            nothing = np.full(samples.shape, np.nan)
            return Posterior(nothing, nothing)
        n, s = (np.ascontiguousarray(each.ravel(), dtype=np.float64) for each in (samples, correct))
        logs = [_engine.mixture_log_moments(self.kind, self.at, self.scale, n + i, s + i)[0] for i in range(3)]
        mean, following = np.exp(logs[1] - logs[0]), np.exp(logs[2] - logs[1])
        sd = np.sqrt(np.maximum(mean * (following - mean), 0.0))
        return Posterior(mean.reshape(samples.shape), sd.reshape(samples.shape))

    def bootstrap(self, n: int = 1000, *, seed: int = 0, n_threads: int | None = None) -> MixtureDraws:
        """Refit ``n`` times with Bayesian weights over problems; a problem has the same weight in every group."""
        from lawfit import mixtures

        return mixtures.bootstrap(self, n, seed=seed, n_threads=n_threads)

    def zero_share_test(self) -> ZeroShareTest:
        """Compare a fit with a share of impossible problems to the plain Beta on the same counts."""
        from lawfit import mixtures

        return mixtures.zero_share_test(self)

    def plot(self, kind: str | None = None, ax: Any = None) -> Any:
        """Draw pass@k of the counts and of the fit, or another figure of `lawfit.plotting`, and return the axes."""
        from lawfit import plotting

        return plotting.plot(self, kind, ax)

    def __repr__(self) -> str:
        """Return the form for people."""
        of = ", ".join(f"{name}={value}" for name, value in zip(self.by, self.key, strict=True))
        n_unsolved = int(np.count_nonzero(self.n_correct == 0.0))
        samples = f"{self.n_samples.min():g} to {self.n_samples.max():g} samples each"
        head = [
            ("mixture", self.kind + (f" of {of}" if of else "")),
            ("status", f"{self.status}: {self.message}"),
            ("problems", f"{self.n_problems}, {n_unsolved} never solved, {samples}"),
            ("log-likelihood", f"{number(self.log_likelihood)} (AIC {number(self.aic)})"),
        ]
        if _has_scale(self.kind):
            head.append(("scale", f"{number(self.scale)}, the upper end c"))
        errors = self.stderr
        body = []
        for name, value in self.params.items():
            low, high = self.interval(name)
            body.append([name, number(value), number(errors[name], 3), number(low), number(high)])
        lines = [*fields(head), "", *table(["parameter", "estimate", "stderr", "lower 95%", "upper 95%"], body)]
        return "\n".join([*lines, "", f"distrust: {TRUST[self.kind]}"])


# What to distrust of each kind.
TRUST = {
    "beta": "a plain Beta has no mass at p = 0, so impossible problems bias extrapolation upward; "
    "see zero_inflated_beta",
    "zero_inflated_beta": "an impossible problem and a very hard one give the same counts: the share is known only as "
    "far as the Beta holds below 1 / n_samples",
    "scaled_beta": "c is taken from the largest s / n and not fitted: standard errors do not know of its error",
    "kumaraswamy": "c is taken from the largest s / n and not fitted, and there is no mass at p = 0",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mixtures:
    """Mixing distributions of many groups: ``mixes[key]``, or ``mixes[i]`` by position.

    Attributes
    ----------
    kind : str
        The distribution.
    by : tuple of str
        Columns that made the groups.
    each : tuple of Mixture
        The fits, in order of first appearance of their keys.
    """

    kind: str
    by: tuple[str, ...]
    each: tuple[Mixture, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.each)

    def __iter__(self) -> Iterator[Mixture]:
        """Go through them in order."""
        return iter(self.each)

    def __getitem__(self, key: object) -> Mixture:
        """Look one up."""
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            return self.each[int(key)]
        wanted = key if isinstance(key, tuple) else (key,)
        for mixture in self.each:
            if mixture.key == wanted:
                return mixture
        shown = listed((repr(known if len(known) > 1 else known[0]) for known in self.keys), most=8)
        raise KeyError(f"no fit has the key {key!r} for {', '.join(self.by)}; the keys are {shown}")

    @property
    def keys(self) -> tuple[tuple[object, ...], ...]:
        """Key of each fit."""
        return tuple(mixture.key for mixture in self.each)

    @property
    def params(self) -> Named[F64]:
        """Estimates by name, each (n_fits,)."""
        names = parameters_of(self.kind)
        return Named((name, np.array([mixture.params[name] for mixture in self.each])) for name in names)

    @property
    def status(self) -> Strings:
        """How each fit ended, in a word."""
        return np.array([mixture.status for mixture in self.each])

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Which fits have no maximum."""
        return np.array([not mixture.success for mixture in self.each])

    def to_frame(self, library: str = "pandas") -> Any:
        """Return a frame, one row per fit: key, parameters with standard errors, log-likelihood, AIC, status."""
        columns: dict[str, Any] = {name: [key[i] for key in self.keys] for i, name in enumerate(self.by)}
        for name, values in self.params.items():
            columns[name] = values
            columns[f"{name}_stderr"] = np.array([mixture.stderr[name] for mixture in self.each])
        for name in ("scale", "log_likelihood", "aic", "n_problems", "status", "message"):
            columns[name] = [getattr(mixture, name) for mixture in self.each]
        return make_frame(columns, library)

    def __repr__(self) -> str:
        """Return the form for people."""
        names = parameters_of(self.kind)
        body = [
            [*map(str, fit.key), *(number(fit.params[name]) for name in names), str(fit.n_problems), fit.status]
            for fit in self.each[:20]
        ]
        lines = [f"{len(self)} mixtures of kind {self.kind}, {np.count_nonzero(self.failed)} without a maximum"]
        lines += table([*self.by, *names, "problems", "status"], body, left=len(self.by))
        if len(self) > len(body):
            lines.append(f"... {len(self) - len(body)} more")
        return "\n".join([*lines, f"distrust: {TRUST[self.kind]}"])


def parameters_of(kind: str) -> tuple[str, ...]:
    """Names of a kind's parameters."""
    return next(names for known, names, _ in _engine.registries().mixtures if known == kind)


def _has_scale(kind: str) -> bool:
    return next(has_scale for known, _, has_scale in _engine.registries().mixtures if known == kind)


def _jacobian(params: Named[float]) -> F64:
    """Return derivatives of the parameters by the engine's coordinates."""
    return np.array([value * (1.0 - value) if name == "share" else value for name, value in params.items()])
