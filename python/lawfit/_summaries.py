"""What a fit says of its rows, taken down before they are left behind."""

from __future__ import annotations

from lawfit import _reasons
from lawfit._absent import Summary, without_rows
from lawfit._band import noise_variance
from lawfit._batch import Rows
from lawfit._engine import DEVIANCE, F64
from lawfit._fingerprint import fingerprint_of
from lawfit._law import Range
from lawfit._named import Named
from lawfit._profile import profile
from lawfit._refits import determined
from lawfit._residuals import met_exactly
from lawfit.results import Fit

LEVEL = 0.95


def summary_of(fit: Fit) -> Summary:
    """Take down what a fit says of its rows."""
    rows, draws = fit.rows, fit.draws
    if rows.summary is not None:
        return rows.summary
    held = fit.at_bound if draws is not None and rows.clusters is None and fit.options.residual != DEVIANCE else ()
    return Summary(
        warnings=fit.warnings,
        direction=_reasons.direction(fit),
        exact=met_exactly(fit),
        noise_variance=noise_variance(fit),
        n_determined=determined(fit),
        gap=fit.covariance_reason,
        ranges=Named(zip(rows.variables, map(_range, rows.x), strict=True)),
        response_range=_range(rows.y),
        profiles=Named({name: profile(fit, name, LEVEL) for name in held}),
        draws_units=0 if draws is None else draws.n_units,
        draws_caution=None if draws is None else draws.caution,
        fingerprint=fingerprint_of(rows),
    )


def absent(fit: Fit) -> Rows:
    """Return the rows of a fit as they are saved without values."""
    return fit.rows if fit.rows.summary is not None else without_rows(fit.rows, (summary_of(fit),))


def _range(values: F64) -> Range:
    return float(values.min()), float(values.max())
