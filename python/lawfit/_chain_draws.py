"""A bootstrap of both stages of a chain with the same weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lawfit import _arrays, _batch, _engine
from lawfit._batch import N_CHECKED, Rows
from lawfit._chain_rows import unit_weights
from lawfit._draws import Draws
from lawfit._engine import F64, U8, Bool, Progress
from lawfit._options import check_count
from lawfit._progress import as_progress
from lawfit.errors import DataError, LawError
from lawfit.resampling import DEFAULT_REPLICATES as DEFAULT_REPLICATES
from lawfit.results import DEAD_SHARE, Fit

if TYPE_CHECKING:
    from lawfit._chain_fit import ChainFit

# Rows of one engine call: replicates beyond go into the next one, so that memory stays bounded.
MOST_ROWS = 1_000_000
# Other minima of the second stage from which each replicate starts too.
MOST_OPTIMA = 3


class Refits(NamedTuple):
    """Replicates of one stage."""

    params: F64  # (R, P)
    objective: F64  # (R,)
    status: U8  # (R,)
    lost_term: Bool  # (R,)
    n_checked: int = 0
    n_disagreed: int = 0


def bootstrap(
    chain: ChainFit, n_replicates: int, *, seed: int, n_threads: int | None, progress: bool | Progress | None
) -> Draws:
    """Refit both stages to the same resampled units; see `lawfit.ChainFit.bootstrap`."""
    seed = check_count("seed", seed, least=0)
    n_replicates = check_count("n_replicates", n_replicates, least=1)
    for fit in (chain.first, chain.second):
        if not np.isfinite(list(fit.params.values())).all():
            raise DataError(f"bootstrap: the fit to {fit.rows.response!r} has no estimate to start from: {fit.message}")
    weights = unit_weights(chain.units, seed, n_replicates)
    threads = _arrays.resolve_threads(n_threads)
    if chain.joint is not None:
        found = first_replicates((chain.joint,), np.concatenate(weights, axis=1), threads)
    else:
        found = _staged(chain, weights, threads, as_progress(progress))
    return Draws(
        fit=chain.fit,
        params=found.params,
        objective=found.objective,
        status_codes=found.status,
        resample="bayesian",
        seed=seed,
        n_units=chain.units.distinct.size,
        lost_term=found.lost_term,
        n_checked=found.n_checked,
        n_disagreed=found.n_disagreed,
        caution=_caution(chain, found),
    )


def _caution(chain: ChainFit, found: Refits) -> str | None:
    said = [] if chain.success else [f"the chain that was resampled is not usable as it is: {chain.fit.message}"]
    if found.n_disagreed:
        said.append(
            f"a search from many starts found a lower minimum in {found.n_disagreed} of the {found.n_checked} "
            "replicates of the first stage that were checked"
        )
    return "; ".join(said) or None


def _staged(chain: ChainFit, weights: tuple[F64, F64], n_threads: int, progress: Progress | None) -> Refits:
    first = first_replicates(chain.grid or (chain.first,), weights[0], n_threads)
    is_usable = _is_usable(first)
    values = predictions(chain, first.params)
    # A replicate without a first stage has no second: it is fitted as the estimate is, and counted as failed.
    is_usable &= np.isfinite(values).all(axis=1)
    values[~is_usable] = predictions(chain, np.array([list(chain.first.params.values())]))
    second = second_replicates(
        chain.second, chain.through, values, weights[1], None, n_threads=n_threads, progress=progress
    )
    names = [status.name for status in _engine.registries().statuses]
    broken = np.where(_is_usable(first), names.index("not_finite"), first.status).astype(np.uint8)
    at_bound = names.index("converged_at_bound")
    ends = np.where(_is_usable(second) & (first.status == at_bound), first.status, second.status)
    own = {name: first.params[:, i] for i, name in enumerate(chain.first.law.parameters)}
    own |= {name: second.params[:, i] for i, name in enumerate(chain.second.law.parameters)}
    params = np.stack([own[name] for name in chain.law.parameters], axis=1)
    params[~is_usable] = np.nan
    return Refits(
        params=params,
        objective=second.objective,
        status=np.where(is_usable, ends, broken).astype(np.uint8),
        lost_term=first.lost_term | second.lost_term,
        n_checked=first.n_checked,
        n_disagreed=first.n_disagreed,
    )


def _is_usable(found: Refits) -> Bool:
    success: Bool = np.array([status.success for status in _engine.registries().statuses], dtype=np.bool_)
    return np.asarray(success[found.status] & np.isfinite(found.params).all(axis=1))


def predictions(chain: ChainFit, params: F64) -> F64:
    """(R, n_second) values of the first law at the rows of the second stage."""
    law, rows = chain.first.law, chain.fit.rows
    x = np.stack([rows.x[rows.variables.index(name)] for name in chain.first.rows.variables])
    is_known = np.isfinite(params).all(axis=1, keepdims=True)
    safe = np.where(is_known, params, list(chain.first.params.values()))
    return _engine.evaluate(law.text, chain.first.rows.variables, law.parameters, x, np.ascontiguousarray(safe))


def first_replicates(fits: tuple[Fit, ...], weights: F64, n_threads: int) -> Refits:
    """Refit to weighted rows; of several fits, which hold a parameter at several values, the best each time."""
    n_checked = N_CHECKED if len(fits) == 1 else 0
    draws = [fit.bootstrap(weights=weights, n_checked=n_checked, n_threads=n_threads) for fit in fits]
    objective = np.stack([np.where(each.ok, each.objective, np.inf) for each in draws])
    best, every = objective.argmin(axis=0), np.arange(len(weights))
    return Refits(
        params=np.stack([each.params for each in draws])[best, every],
        objective=np.stack([each.objective for each in draws])[best, every],
        status=np.stack([each.status_codes for each in draws])[best, every],
        lost_term=np.stack([each.lost_term for each in draws])[best, every],
        n_checked=draws[0].n_checked,
        n_disagreed=draws[0].n_disagreed,
    )


def second_replicates(
    second: Fit,
    through: str,
    values: F64,
    weights: F64,
    responses: F64 | None,
    *,
    n_threads: int,
    progress: Progress | None,
) -> Refits:
    """Refit the second stage to R sets of predictions, weights and, where given, responses, each (R, n_rows)."""
    if second.rows.sigma is not None and second.options.loss != "squared":
        raise LawError(
            f"bootstrap: the second stage has sigma= and loss={second.options.loss!r}, whose scale changes by row; fit "
            'it with loss="squared", or give weights= in place of sigma='
        )
    starts = np.array([list(second.params.values()), *(list(o.params.values()) for o in second.optima[1:MOST_OPTIMA])])
    options = replace(second.options, covariance="classical")
    n_replicates, n_rows = values.shape
    at_once = max(MOST_ROWS // n_rows, 1)
    found = []
    for start in range(0, n_replicates, at_once):
        part = slice(start, start + at_once)
        rows = _copies(second, through, values[part], weights[part], None if responses is None else responses[part])
        raw = _batch.run(
            second.law,
            rows,
            options,
            starts=starts,
            f_scale=np.full(rows.n_fits, second.f_scale),
            prior_variance=np.full(rows.n_fits, second.prior_variance) if second.options.prior else None,
            keep_starts=False,
            n_threads=n_threads,
            progress=progress,
        )
        alive = np.array(list(second.term_share.values())) >= DEAD_SHARE
        lost = (alive & (raw.term_share < DEAD_SHARE)).any(axis=1)
        found.append((raw.params, raw.objective, raw.status, lost))
    params, objective, status, lost = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Refits(params, objective, status, lost)


def _copies(second: Fit, through: str, values: F64, weights: F64, responses: F64 | None) -> Rows:
    """Rows of the second stage once for each replicate, one fit each."""
    rows, (n_replicates, n_rows) = second.rows, values.shape
    x = np.tile(rows.x, (1, n_replicates))
    x[rows.variables.index(through)] = values.ravel()
    own = 1.0 if rows.weights is None else rows.weights
    if rows.sigma is not None:
        own = (1.0 / rows.sigma if second.options.residual == "linear" else rows.y / rows.sigma) ** 2
    return replace(
        rows,
        x=x,
        y=np.tile(rows.y, n_replicates) if responses is None else np.ascontiguousarray(responses.ravel()),
        weights=np.ascontiguousarray((own * weights).ravel()),
        sigma=None,
        chosen=np.tile(rows.positions, n_replicates),
        numbers=np.tile(rows.units, n_replicates),
        offsets=np.arange(n_replicates + 1, dtype=np.int64) * n_rows,
        clusters=None,
        cluster_labels=(),
    )
