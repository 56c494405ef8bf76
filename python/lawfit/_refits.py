"""Refits that an interval asks for: at the estimate, without each unit in turn, with a parameter held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lawfit import _batch, _engine
from lawfit._draws import Draws
from lawfit._engine import F64, RawFits
from lawfit._fits import Fits
from lawfit._named import Named
from lawfit._options import check_word
from lawfit._tangent import moving_parameters
from lawfit.resampling import bootstrap
from lawfit.results import Fit


def refit(fit: Fit, options: _batch.Options, starts: F64 | None = None, at: F64 | None = None) -> RawFits:
    """Fit the rows again with the noise and scale that the fit found.

    From ``starts``, (n_starts, P), or cold, or next to known estimates ``at``, (1, P).
    """
    return _batch.run(
        fit.law,
        fit.rows,
        options,
        starts=starts,
        at=at,
        f_scale=np.array([fit.f_scale]),
        prior_variance=np.array([fit.prior_variance]),
        keep_starts=False,
        n_threads=1,
        progress=None,
    )


def covariance_of(fit: Fit, kind: str) -> Fit:
    """Return the fit with another covariance of its estimates.

    Raises
    ------
    LawError
        No covariance has that name.
    DataError
        It sums over clusters, and the fit has none.
    """
    check_word("covariance", kind, _engine.registries().covariances)
    options = replace(fit.options, covariance=kind)
    raw = refit(fit, options, at=np.array([list(fit.params.values())]))
    again = Fits(law=fit.law, by=(), keys=((),), options=options, rows=fit.rows, raw=raw, resampling=None)[0]
    return replace(
        fit,
        covariance=again.covariance,
        covariance_type=again.covariance_type,
        covariance_reason=again.covariance_reason,
        dof=again.dof,
    )


def determined(fit: Fit) -> float:
    """Return how many parameters the rows determine: those that move, of one with a prior the share of the rows."""
    if fit.rows.summary is not None:
        return fit.rows.summary.n_determined
    free, dof = moving_parameters(fit), fit.dof
    if fit.covariance_type in _engine.registries().cluster_covariances:
        # Degrees of freedom over clusters are of another kind, and a refit is not free.
        is_plain = not fit.unidentified and not any(name in fit.options.prior for name in free)
        is_plain = is_plain or fit.options.is_chained
        dof = np.nan if is_plain else covariance_of(fit, "classical").dof
    return fit.n_rows - dof if np.isfinite(dof) else float(len(free))


def leave_one_out(fit: Fit) -> Draws:
    """Refit without each unit in turn: rows, or clusters where the fit has them."""
    return bootstrap(fit, resample="jackknife", n_checked=0)


def held(fit: Fit, name: str, value: float) -> _batch.Options:
    """Options of the fit with a parameter held, and default starts; a prior on it is for the caller to add."""
    options = fit.options
    prior = Named({known: pair for known, pair in options.prior.items() if known != name})
    return replace(options, fixed=Named({**options.fixed, name: value}), prior=prior, start_rule="auto", n_starts=0)
