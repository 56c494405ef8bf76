"""The compiled engine: arrays, numbers and text in; arrays out. Only ``lawfit._engine`` imports it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypedDict, type_check_only

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "allocate",
    "bayesian_weights",
    "chi2_quantile",
    "chi2_sf",
    "compile_law",
    "default_threads",
    "evaluate",
    "evaluate_columns",
    "f_quantile",
    "f_sf",
    "fail_on_purpose",
    "fit_batch",
    "fit_mixtures",
    "hash_keys",
    "mixture_log_moments",
    "names",
    "registries",
    "row_keys",
    "t_quantile",
    "t_sf",
    "undefined_row",
]

_F64: TypeAlias = NDArray[np.float64]

@type_check_only
class Names(TypedDict):
    names: list[str]
    positions: list[int]

@type_check_only
class CompiledLaw(TypedDict):
    parameters: list[str]
    linear: list[bool]
    roles: list[str]
    terms: list[str]

@type_check_only
class Allocations(TypedDict):
    x: _F64
    value: _F64
    price: _F64
    residual: _F64
    ending: NDArray[np.uint8]
    side: NDArray[np.int8]
    runner_up: _F64
    scale: _F64

@type_check_only
class Registries(TypedDict):
    losses: list[str]
    scale_rules: list[str]
    residuals: list[str]
    covariances: list[str]
    cluster_covariances: list[str]
    resamplers: list[str]
    solvers: list[str]
    start_rules: list[str]
    mixtures: list[tuple[str, list[str], bool]]
    endings: list[str]
    kernels: list[str]
    kernels_auto: str
    functions: list[tuple[str, int, int]]
    reserved: list[str]
    statuses: list[tuple[str, str, bool]]
    stream_version: int

def names(text: str) -> Names:
    """Names that a formula mentions, in order of first appearance, with the column (from 0) of each first mention.

    Function names, ``pi`` and ``let`` bindings are not among them. Raises ``LawError`` with a caret under the place.
    """

def compile_law(text: str, variables: Sequence[str], positive: Sequence[str]) -> CompiledLaw:
    """Check a law and say what the engine sees in it.

    Parameters in order of appearance, which of them are linear, the role that default starts give each, and the text
    of its additive terms.
    """

def evaluate(
    text: str,
    variables: Sequence[str],
    parameters: Sequence[str],
    x: _F64,
    params: _F64,
    *,
    wrt: Sequence[str] = ...,
    order: int = 0,
    kernels: str = "auto",
) -> _F64:
    """Values of a law or of its exact derivatives.

    ``x`` (n_variables, n_rows), ``params`` (n_draws, n_parameters). Order 0: (n_draws, n_rows); order 1:
    (n_draws, len(wrt), n_rows); order 2: (n_draws, len(wrt), len(wrt), n_rows). ``wrt`` names parameters or variables.
    """

def evaluate_columns(
    text: str,
    columns: Sequence[tuple[str, _F64, str, Sequence[str]]],
    *,
    want: str,
    argument: str,
) -> _F64:
    """Evaluate a formula over the columns of a table, row by row.

    Each column is (name, values, kind, levels): kind ``"number"``, ``"condition"`` (0 or 1) or ``"text"`` (values are
    positions in ``levels``). ``want="number"`` or ``"condition"`` says what the formula must be; ``argument`` names the
    user's argument in errors. Returns (n_rows,), conditions as 0.0 and 1.0.
    """

def undefined_row(text: str, variables: Sequence[str], parameters: Sequence[str], x: _F64, residual: str) -> int | None:
    """Find the first row in which a law has no value whatever its parameters, such as where it takes log(0).

    ``x`` (n_variables, n_rows).
    """

def hash_keys(keys: Sequence[bytes]) -> NDArray[np.uint64]:
    """Stable 64-bit keys of resampling units from their canonical bytes."""

def row_keys(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Stable 64-bit keys of rows from their numbers, the ones that ``fit_batch`` makes of row numbers by itself."""

def bayesian_weights(keys: NDArray[np.uint64], seed: int, n_replicates: int) -> _F64:
    """(n_replicates, n_units) weights of the Bayesian bootstrap for units that are no rows, of mean 1 in each."""

def fit_batch(
    text: str,
    variables: Sequence[str],
    parameters: Sequence[str],
    x: _F64,
    y: _F64,
    offsets: NDArray[np.int64],
    *,
    lower: _F64,
    upper: _F64,
    fixed: _F64,
    weights: _F64 | None = None,
    sigma: _F64 | None = None,
    loss: str = "huber",
    f_scale: _F64 | None = None,
    scale_rule: str = "mad",
    residual: str = "log",
    start_rule: str = "auto",
    starts: _F64 | None = None,
    n_starts: int = 0,
    start_lower: _F64 | None = None,
    start_upper: _F64 | None = None,
    seed: int = 0,
    resample: str | None = None,
    n_replicates: int = 0,
    replicate_weights: _F64 | None = None,
    keys: NDArray[np.uint64] | None = None,
    solver: str = "auto",
    covariance: str = "auto",
    clusters: NDArray[np.int64] | None = None,
    keep_starts: bool = True,
    max_iterations: int = 1000,
    kernels: str = "auto",
    n_threads: int = 1,
    progress: Callable[[int, int], object] | None = None,
    prior_mean: _F64 | None = None,
    prior_sd: _F64 | None = None,
    prior_variance: _F64 | None = None,
    at: _F64 | None = None,
    cluster_keys: NDArray[np.uint64] | None = None,
    strata: NDArray[np.int64] | None = None,
    share: float = 0.5,
    noise: _F64 | None = None,
    is_global: bool = False,
    n_checked: int = 0,
    studentize: bool = False,
    replicate_responses: _F64 | None = None,
) -> dict[str, Any]:
    """Fit one law to many data sets, from many starts, with many resamples, in one call.

    In: ``x`` (n_variables, n_rows), ``y``, ``weights`` and ``sigma`` (n_rows,), ``sigma`` in the units of ``y`` and
    not together with ``weights``, rows of fit ``f`` are ``offsets[f]:offsets[f + 1]``; ``lower``, ``upper``
    (n_params,) with infinities; ``fixed`` (n_params,) NaN where free; ``f_scale`` (n_fits,) with NaN or None for the
    scale that the data give, as ``scale_rule`` says; ``starts`` (n_starts, n_params) or (n_fits, n_starts, n_params)
    with ``start_rule="given"``; ``n_starts`` 0 for as many as the law needs; ``start_lower`` and ``start_upper``
    (n_params,) NaN where the rule decides; ``keys`` (n_rows,) of the resampling units, None for row numbers within
    each fit; ``replicate_weights`` (n_replicates, n_rows) with ``resample="weights"``, and ``replicate_responses`` of
    that shape where responses change too (a row whose new response cannot be fitted is left out); ``clusters``
    (n_rows,) codes, equal for rows of one fit that are not independent; ``prior_mean`` and ``prior_sd`` (n_params,) NaN
    where nothing is known, ``prior_variance`` (n_fits,) with NaN or None for the noise variance that the fit finds.

    Of replicates: ``at`` (n_fits, n_params) estimates that are known, in place of a search; ``cluster_keys`` (n_rows,)
    where clusters are drawn, not rows; ``strata`` (n_rows,) codes within which units are drawn; ``share`` of the units
    that ``resample="subsample"`` keeps; ``noise`` (n_rows,) on the residual's scale for ``"parametric"``;
    ``is_global`` searches every replicate from many starts, ``n_checked`` that many of them, to compare;
    ``studentize`` gives each replicate a covariance.

    Out, F fits, S starts, R replicates, P parameters, T additive terms: ``params`` (F, P), ``objective`` (F,),
    ``sse`` (F,), ``f_scale`` (F,), ``prior_variance`` (F,) NaN without a prior, ``status`` (F,) uint8,
    ``n_iterations`` (F,) int64, ``n_evaluations`` (F,) int64 (both summed over starts), ``gradient`` (F, P),
    ``at_bound`` (F, P) bool, ``condition`` (F,), ``flat_direction`` (F, P) in the units of the parameters, the part
    with the largest effect changing residuals by 1 in root mean square by itself, ``loose`` (F, P) bool, parameters
    that move along directions that the data leave open, ``vague`` (F, P) bool, exponents, rates and the like whose
    standard error exceeds them, ``rounding`` (F,), differences of the objective that mean nothing,
    ``covariance`` (F, P, P) NaN where undefined,
    ``covariance_type`` str, ``dof`` (F,) NaN without a covariance, ``n_clusters`` (F,) int64, ``gap`` F texts, why
    there is no covariance, ``gap_row`` and ``gap_cluster`` (F,) int64, the row that carries weight or the code that
    its ``{}`` stands for, otherwise -1, ``term_share`` (F, T) largest share of each term over the rows,
    ``inside_scale`` (F,) share of residuals within the loss's scale, ``n_rows_used`` (F,) int64,
    ``start_agreement`` (F,), ``best_start`` (F,) int64, ``kernels`` str, and with ``keep_starts``: ``start_params``
    (F, S, P) where each start began, ``start_ends`` (F, S, P) where it ended, ``start_objective`` (F, S),
    ``start_status`` (F, S) uint8, 255 and NaN beyond the starts of a fit; with replicates: ``replicate_params``
    (F, R, P), ``replicate_objective`` (F, R), ``replicate_status`` (F, R) uint8, ``replicate_lost_term`` (F, R) bool,
    ``n_units``, ``n_checked`` and ``n_disagreed`` (F,) int64, and with ``studentize`` ``replicate_covariance`` (F, R,
    P, P).
    """

def allocate(
    law: str,
    variables: Sequence[str],
    parameters: Sequence[str],
    budgets: Sequence[str],
    params: _F64,
    amounts: _F64,
    lower: _F64,
    upper: _F64,
    *,
    maximize: bool = False,
    menus: list[list[float]] = ...,
    whole: list[bool] = ...,
    targets: _F64 | None = None,
    scales: list[bool] = ...,
    kernels: str = "auto",
    n_threads: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> Allocations:
    """Where a law is best under budgets, for every draw of parameters and every point of a sweep.

    ``params`` (n_draws, n_parameters), ``amounts`` (n_points, n_budgets), ``lower`` and ``upper`` (n_points,
    n_variables): above 0, equal where a variable is held. ``budgets`` are formulas of the variables that must not pass
    their amounts. ``menus`` and ``whole`` have one entry a variable, or none: what it may be, and whether it is whole.
    With ``targets`` (n_draws, n_points) the budgets that ``scales`` marks are multiplied by the least ``scale`` whose
    best answer reaches the target.

    Raises
    ------
    LawError
        A formula cannot be read.
    """

def fit_mixtures(
    kind: str,
    n_samples: _F64,
    n_correct: _F64,
    offsets: NDArray[np.int64],
    *,
    scale: _F64,
    keys: NDArray[np.uint64],
    n_replicates: int = 0,
    seed: int = 0,
    n_threads: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, Any]:
    """Fit a mixing distribution to the counts of each group of problems.

    ``n_samples``, ``n_correct`` and ``keys`` (n_problems,); group i has the problems from ``offsets[i]`` to
    ``offsets[i + 1]``; ``scale`` (F,) is the upper end of each, NaN for the authors' rule. Problems of one key have one
    Bayesian weight in a replicate. Out, F groups, P parameters, R replicates: ``at`` (F, P) coordinates, the logit of a
    share and logarithms of shapes, ``covariance`` (F, P, P) of these, NaN where there is none, ``log_likelihood`` (F,)
    without binomial coefficients, ``slope`` (F,) the largest by a coordinate, ``scale`` (F,), ``status`` (F,) uint8,
    ``n_iterations`` (F,) int64, ``replicates`` (F, R, P), ``replicate_status`` (F, R) uint8.
    """

def mixture_log_moments(kind: str, at: _F64, scale: float, n_samples: _F64, n_correct: _F64) -> tuple[_F64, _F64]:
    """Logarithms of E[p^s (1 - p)^(n - s)], (m,), and their slopes by the coordinates ``at``, (m * P,)."""

def t_sf(t: _F64, df: _F64) -> _F64:
    """P(T > t) of Student's t. All arrays are (n,), here and below; ``df`` may be infinite.

    Degrees of freedom that are not above 0, above 1e8 where they must be finite, and probabilities outside 0 to 1
    raise; a NaN for the point gives NaN.
    """

def t_quantile(p: _F64, df: _F64) -> _F64:
    """Return the t with probability ``p`` below it."""

def f_sf(f: _F64, dfn: _F64, dfd: _F64) -> _F64:
    """P(F > f) of Fisher's F; ``dfd`` may be infinite."""

def f_quantile(p: _F64, dfn: _F64, dfd: _F64) -> _F64:
    """Return the F with probability ``p`` below it."""

def chi2_sf(x: _F64, df: _F64) -> _F64:
    """P(X > x) of the chi-squared distribution."""

def chi2_quantile(p: _F64, df: _F64) -> _F64:
    """Return the chi-squared value with probability ``p`` below it."""

def fail_on_purpose(is_tiny: bool) -> None:
    """Panic in the engine, on this thread or on another: what the tests of the door need, and nothing else."""

def default_threads() -> int:
    """Return the number of processors that this process may use."""

def registries() -> Registries:
    """Every word that the engine knows, so that nothing is listed twice."""
