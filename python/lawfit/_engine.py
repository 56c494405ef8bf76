"""The seam: text and arrays in, one call of the compiled engine, named tuples of arrays out.

Nothing else imports ``_core``. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lawfit import _core

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
U8: TypeAlias = NDArray[np.uint8]
U64: TypeAlias = NDArray[np.uint64]
Bool: TypeAlias = NDArray[np.bool_]
Progress: TypeAlias = Callable[[int, int], object]
EngineColumn: TypeAlias = tuple[str, F64, str, Sequence[str]]

# The residual of laws that are half a deviance themselves: for likelihoods, not for a response.
DEVIANCE = "deviance"


class CompiledLaw(NamedTuple):
    """What the engine sees in a law."""

    parameters: tuple[str, ...]
    linear: tuple[bool, ...]
    roles: tuple[str, ...]
    terms: tuple[str, ...]


class Status(NamedTuple):
    """One way in which a fit can end."""

    name: str
    message: str
    success: bool


class Registries(NamedTuple):
    """Every word that the engine knows."""

    losses: tuple[str, ...]
    scale_rules: tuple[str, ...]
    residuals: tuple[str, ...]  # between a law and its response
    covariances: tuple[str, ...]
    cluster_covariances: tuple[str, ...]  # those that sum over clusters
    resamplers: tuple[str, ...]
    solvers: tuple[str, ...]
    start_rules: tuple[str, ...]
    mixtures: tuple[tuple[str, tuple[str, ...], bool], ...]  # kind, parameters, whether it has a scale
    endings: tuple[str, ...]  # of allocations
    kernels: tuple[str, ...]  # "auto" and every level of this processor
    kernels_auto: str
    functions: tuple[str, ...]
    reserved: tuple[str, ...]
    statuses: tuple[Status, ...]
    stream_version: int


# The status of a start that a fit did not need, where others needed it.
NOT_MADE = 255


class RawStarts(NamedTuple):
    """Where every start of F fits began and ended; S starts, P parameters; NaN and `NOT_MADE` beyond those of a fit."""

    params: F64  # (F, S, P)
    ends: F64  # (F, S, P)
    objective: F64  # (F, S)
    status: U8  # (F, S)


class RawReplicates(NamedTuple):
    """Refits of resampled rows; R replicates."""

    params: F64  # (F, R, P)
    objective: F64  # (F, R)
    status: U8  # (F, R)
    lost_term: Bool  # (F, R)
    n_units: I64  # (F,)
    n_checked: I64  # (F,)
    n_disagreed: I64  # (F,)
    covariance: F64 | None  # (F, R, P, P) if asked for


class RawFits(NamedTuple):
    """A batch of F fits with P parameters and T additive terms, as the engine returned it."""

    params: F64  # (F, P)
    objective: F64  # (F,)
    sse: F64  # (F,)
    f_scale: F64  # (F,)
    prior_variance: F64  # (F,) NaN without a prior
    status: U8  # (F,)
    n_iterations: I64  # (F,)
    n_evaluations: I64  # (F,)
    gradient: F64  # (F, P)
    at_bound: Bool  # (F, P)
    condition: F64  # (F,)
    flat_direction: F64  # (F, P)
    loose: Bool  # (F, P)
    vague: Bool  # (F, P)
    rounding: F64  # (F,)
    covariance: F64  # (F, P, P)
    covariance_type: str
    dof: F64  # (F,)
    n_clusters: I64  # (F,)
    gap: list[str]  # F texts
    gap_row: I64  # (F,)
    gap_cluster: I64  # (F,)
    term_share: F64  # (F, T)
    inside_scale: F64  # (F,)
    n_rows_used: I64  # (F,)
    start_agreement: F64  # (F,)
    is_certified: Bool  # (F,)
    n_best: I64  # (F,)
    n_optima: I64  # (F,)
    n_unfinished: I64  # (F,)
    next_gap: F64  # (F,)
    best_start: I64  # (F,)
    kernels: str
    starts: RawStarts | None
    replicates: RawReplicates | None


# All but the last two, which are put together here.
_of_fits = itemgetter(*RawFits._fields[:-2])


@lru_cache(maxsize=1)
def registries() -> Registries:
    """Every word that the engine knows, in its order."""
    known = _core.registries()
    return Registries(
        losses=tuple(known["losses"]),
        scale_rules=tuple(known["scale_rules"]),
        residuals=tuple(known["residuals"]),
        covariances=tuple(known["covariances"]),
        cluster_covariances=tuple(known["cluster_covariances"]),
        resamplers=tuple(known["resamplers"]),
        solvers=tuple(known["solvers"]),
        start_rules=tuple(known["start_rules"]),
        mixtures=tuple((kind, tuple(names), has_scale) for kind, names, has_scale in known["mixtures"]),
        endings=tuple(known["endings"]),
        kernels=("auto", *known["kernels"]),
        kernels_auto=known["kernels_auto"],
        functions=tuple(name for name, _, _ in known["functions"]),
        reserved=tuple(known["reserved"]),
        statuses=tuple(Status(*status) for status in known["statuses"]),
        stream_version=known["stream_version"],
    )


def default_threads() -> int:
    """Return how many processors this process may use."""
    return _core.default_threads()


def undefined_row(text: str, variables: Sequence[str], parameters: Sequence[str], x: F64, residual: str) -> int | None:
    """Find the first row in which a law has no value whatever its parameters."""
    return _core.undefined_row(text, list(variables), list(parameters), x, residual)


def row_keys(numbers: I64) -> U64:
    """Keys of the resampling streams of rows, from their numbers."""
    return _core.row_keys(numbers)


def hash_keys(units: Sequence[bytes]) -> U64:
    """Return stable keys of resampling units from their canonical bytes."""
    return _core.hash_keys(list(units))


def names(text: str) -> tuple[str, ...]:
    """Names that a formula mentions, in order of first appearance."""
    return tuple(_core.names(text)["names"])


def bayesian_weights(keys: U64, seed: int, n_replicates: int) -> F64:
    """(n_replicates, n_units) weights of the Bayesian bootstrap, of mean 1 in each replicate."""
    return _core.bayesian_weights(keys, seed, n_replicates)


def compile_law(text: str, variables: Sequence[str], positive: Sequence[str]) -> CompiledLaw:
    """Check a law and say what the engine sees in it."""
    seen = _core.compile_law(text, list(variables), list(positive))
    return CompiledLaw(tuple(seen["parameters"]), tuple(seen["linear"]), tuple(seen["roles"]), tuple(seen["terms"]))


def evaluate(
    text: str,
    variables: Sequence[str],
    parameters: Sequence[str],
    x: F64,
    params: F64,
    *,
    wrt: Sequence[str] = (),
    order: int = 0,
    kernels: str = "auto",
) -> F64:
    """Values of a law, (n_draws, n_rows), or its derivatives with respect to ``wrt`` in the axes between."""
    return _core.evaluate(
        text, list(variables), list(parameters), x, params, wrt=list(wrt), order=order, kernels=kernels
    )


def evaluate_columns(text: str, columns: Sequence[EngineColumn], *, want: str, argument: str) -> F64:
    """Evaluate a formula over columns, row by row; conditions come as 0.0 and 1.0."""
    return _core.evaluate_columns(text, list(columns), want=want, argument=argument)


class RawMixtures(NamedTuple):
    """Mixing distributions of F groups with P parameters, and R replicates of each, in the engine's coordinates."""

    at: F64  # (F, P)
    covariance: F64  # (F, P, P)
    log_likelihood: F64  # (F,)
    slope: F64  # (F,)
    scale: F64  # (F,)
    status: U8  # (F,)
    n_iterations: I64  # (F,)
    replicates: F64  # (F, R, P)
    replicate_status: U8  # (F, R)


class RawAllocations(NamedTuple):
    """Optima of a law under budgets, over (draws, points)."""

    x: F64  # (draws, points, variables)
    value: F64
    price: F64  # (draws, points, budgets): the law's gain for a unit of ln(amount)
    residual: F64
    ending: NDArray[np.uint8]
    side: NDArray[np.int8]  # (draws, points, variables): -1 at the lower bound, 1 at the upper one
    runner_up: F64
    scale: F64  # (draws, points): what the budgets that a target scales are multiplied by


def allocate(
    law: str,
    variables: Sequence[str],
    parameters: Sequence[str],
    budgets: Sequence[str],
    params: F64,
    amounts: F64,
    lower: F64,
    upper: F64,
    *,
    maximize: bool = False,
    menus: Sequence[Sequence[float]] = (),
    whole: Sequence[bool] = (),
    targets: F64 | None = None,
    scales: Sequence[bool] = (),
    kernels: str = "auto",
    n_threads: int = 1,
    progress: Progress | None = None,
) -> RawAllocations:
    """Find where a law is best under budgets, for every draw of parameters and every point of a sweep."""
    out = _core.allocate(
        law,
        list(variables),
        list(parameters),
        list(budgets),
        params,
        amounts,
        lower,
        upper,
        maximize=maximize,
        menus=[list(menu) for menu in menus],
        whole=list(whole),
        targets=targets,
        scales=list(scales),
        kernels=kernels,
        n_threads=n_threads,
        progress=progress,
    )
    return RawAllocations(**out)


def fit_mixtures(
    kind: str,
    n_samples: F64,
    n_correct: F64,
    offsets: I64,
    *,
    scale: F64,
    keys: U64,
    n_replicates: int = 0,
    seed: int = 0,
    n_threads: int = 1,
    progress: Progress | None = None,
) -> RawMixtures:
    """Fit a mixing distribution to the counts of each group of problems."""
    out = _core.fit_mixtures(
        kind,
        n_samples,
        n_correct,
        offsets,
        scale=scale,
        keys=keys,
        n_replicates=n_replicates,
        seed=seed,
        n_threads=n_threads,
        progress=progress,
    )
    return RawMixtures(**out)


def mixture_log_moments(kind: str, at: F64, scale: float, n: F64, s: F64) -> tuple[F64, F64]:
    """Logarithms of E[p^s (1 - p)^(n - s)], (m,), and their slopes by the coordinates, (m, P)."""
    values, slopes = _core.mixture_log_moments(kind, at, scale, n, s)
    return values, slopes.reshape(n.size, at.size)


def t_sf(t: ArrayLike, df: ArrayLike) -> F64:
    """P(T > t) of Student's t; arguments are broadcast together, here and below, and scalars give a 0-d array."""
    return _elementwise(_core.t_sf, t, df)


def t_quantile(p: ArrayLike, df: ArrayLike) -> F64:
    """Return the t with probability ``p`` below it."""
    return _elementwise(_core.t_quantile, p, df)


def f_sf(f: ArrayLike, dfn: ArrayLike, dfd: ArrayLike) -> F64:
    """P(F > f) of Fisher's F."""
    return _elementwise(_core.f_sf, f, dfn, dfd)


def f_quantile(p: ArrayLike, dfn: ArrayLike, dfd: ArrayLike) -> F64:
    """Return the F with probability ``p`` below it."""
    return _elementwise(_core.f_quantile, p, dfn, dfd)


def chi2_sf(x: ArrayLike, df: ArrayLike) -> F64:
    """P(X > x) of the chi-squared distribution."""
    return _elementwise(_core.chi2_sf, x, df)


def chi2_quantile(p: ArrayLike, df: ArrayLike) -> F64:
    """Return the chi-squared value with probability ``p`` below it."""
    return _elementwise(_core.chi2_quantile, p, df)


def _elementwise(function: Callable[..., F64], *arguments: ArrayLike) -> F64:
    arrays = np.broadcast_arrays(*(np.asarray(argument, dtype=np.float64) for argument in arguments))
    return function(*(np.ravel(array) for array in arrays)).reshape(arrays[0].shape)


def fit_batch(
    text: str,
    variables: Sequence[str],
    parameters: Sequence[str],
    x: F64,
    y: F64,
    offsets: I64,
    *,
    lower: F64,
    upper: F64,
    fixed: F64,
    weights: F64 | None = None,
    sigma: F64 | None = None,
    loss: str = "huber",
    f_scale: F64 | None = None,
    scale_rule: str = "mad",
    residual: str = "log",
    start_rule: str = "auto",
    starts: F64 | None = None,
    n_starts: int = 0,
    start_lower: F64 | None = None,
    start_upper: F64 | None = None,
    seed: int = 0,
    resample: str | None = None,
    n_replicates: int = 0,
    replicate_weights: F64 | None = None,
    keys: U64 | None = None,
    solver: str = "auto",
    covariance: str = "auto",
    clusters: I64 | None = None,
    keep_starts: bool = True,
    max_iterations: int = 1000,
    kernels: str = "auto",
    n_threads: int = 1,
    progress: Progress | None = None,
    prior_mean: F64 | None = None,
    prior_sd: F64 | None = None,
    prior_variance: F64 | None = None,
    at: F64 | None = None,
    cluster_keys: U64 | None = None,
    strata: I64 | None = None,
    share: float = 0.5,
    noise: F64 | None = None,
    is_global: bool = False,
    n_checked: int = 0,
    studentize: bool = False,
    replicate_responses: F64 | None = None,
) -> RawFits:
    """Fit one law to F data sets, from many starts, with many resamples, in one call."""
    out = _core.fit_batch(
        text,
        list(variables),
        list(parameters),
        x,
        y,
        offsets,
        lower=lower,
        upper=upper,
        fixed=fixed,
        weights=weights,
        sigma=sigma,
        loss=loss,
        f_scale=f_scale,
        scale_rule=scale_rule,
        residual=residual,
        start_rule=start_rule,
        starts=starts,
        n_starts=n_starts,
        start_lower=start_lower,
        start_upper=start_upper,
        seed=seed,
        resample=resample,
        n_replicates=n_replicates,
        replicate_weights=replicate_weights,
        keys=keys,
        solver=solver,
        covariance=covariance,
        clusters=clusters,
        keep_starts=keep_starts,
        max_iterations=max_iterations,
        kernels=kernels,
        n_threads=n_threads,
        progress=progress,
        prior_mean=prior_mean,
        prior_sd=prior_sd,
        prior_variance=prior_variance,
        at=at,
        cluster_keys=cluster_keys,
        strata=strata,
        share=share,
        noise=noise,
        is_global=is_global,
        n_checked=n_checked,
        studentize=studentize,
        replicate_responses=replicate_responses,
    )
    starts_out = replicates = None
    if keep_starts:
        starts_out = RawStarts(out["start_params"], out["start_ends"], out["start_objective"], out["start_status"])
    if n_replicates:
        replicates = RawReplicates(
            params=out["replicate_params"],
            objective=out["replicate_objective"],
            status=out["replicate_status"],
            lost_term=out["replicate_lost_term"],
            n_units=out["n_units"],
            n_checked=out["n_checked"],
            n_disagreed=out["n_disagreed"],
            covariance=out["replicate_covariance"] if studentize else None,
        )
    return RawFits._make((*_of_fits(out), starts_out, replicates))
