"""Results as plain values: dictionaries for JSON, columns for frames and CSV."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lawfit._engine import F64
from lawfit._protocols import Followed, plain_sets
from lawfit._wording import describe, suggest
from lawfit.errors import DataError
from lawfit.tables import FRAME_LIBRARIES, make_frame

if TYPE_CHECKING:
    from lawfit._count_fit import CountFit
    from lawfit._draws import Draws
    from lawfit._fits import Fits
    from lawfit.results import Fit

# Raised when a field changes its meaning or goes away; new fields do not raise it.
FORMAT_VERSION = 1
LEVEL = 0.95


def plain(value: float) -> float | None:
    """Return a number that JSON can hold; NaN and infinities have no place there."""
    return float(value) if math.isfinite(value) else None


def plain_by_name(values: Mapping[str, float]) -> dict[str, float | None]:
    """Numbers by name that JSON can hold."""
    return {name: plain(value) for name, value in values.items()}


def plain_rows(matrix: F64) -> list[list[float | None]]:
    """Rows of a matrix that JSON can hold."""
    return [[plain(value) for value in row] for row in matrix.tolist()]


def fit_dict(fit: Fit) -> dict[str, object]:
    """Everything about a fit but its rows."""
    options = fit.options
    found: dict[str, object] = {
        "format": "lawfit.fit",
        "version": FORMAT_VERSION,
        "law": {
            "text": fit.law.text,
            "name": fit.law.name,
            "variables": list(fit.rows.variables),
            "parameters": list(fit.law.parameters),
            "positive": list(fit.law.positive),
        },
        "key": dict(zip(fit.by, fit.key, strict=True)),
        "params": plain_by_name(fit.params),
        "stderr": plain_by_name(fit.stderr),
        "covariance": plain_rows(fit.covariance),
        "covariance_type": fit.covariance_type,
        "dof": plain(fit.dof),
        "stderr_reason": dict(fit.stderr_reason),
        "objective": plain(fit.objective),
        "sse": plain(fit.sse),
        "f_scale": plain(fit.f_scale),
        "prior_variance": plain(fit.prior_variance),
        "inside_scale": plain(fit.inside_scale),
        "status": fit.status,
        "message": fit.message,
        "success": fit.success,
        "nfev": fit.nfev,
        "nit": fit.nit,
        "start_agreement": plain(fit.start_agreement),
        "certificate": {
            "certified": fit.certificate.certified,
            "n_best": fit.certificate.n_best,
            "n_starts": fit.certificate.n_starts,
            "n_optima": fit.certificate.n_optima,
            "gap": plain(fit.certificate.gap),
            "n_unfinished": fit.certificate.n_unfinished,
            "reasons": list(fit.certificate.reasons),
        },
        "n_starts": None if fit.starts is None else len(fit.starts.objective),
        "optima": [
            {"objective": plain(best.objective), "count": best.count, "params": plain_by_name(best.params)}
            for best in fit.optima
        ],
        "dead_terms": list(fit.dead_terms),
        "at_bound": list(fit.at_bound),
        "condition": plain(fit.condition),
        "gradient": plain_by_name(fit.gradient),
        "warnings": list(fit.warnings),
        "response": fit.rows.response,
        "columns": dict(fit.rows.columns),
        "where": fit.rows.where,
        "weights": fit.rows.weighted_by,
        "sigma": fit.rows.noise_by,
        "cluster": fit.rows.clustered_by,
        "n_clusters": fit.n_clusters,
        "n_rows": fit.n_rows,
        "n_table_rows": fit.rows.n_table_rows,
        "dropped": {column: count for each in fit.rows.dropped for column, count in each},
        "kernels": fit.kernels,
        "protocol": None if options.protocol is None else _protocol_dict(options.protocol),
        "options": {
            "loss": options.loss,
            "f_scale": options.scale_rule if options.f_scale is None else options.f_scale,
            "residual": options.residual,
            "start_rule": options.start_rule,
            "seed": options.seed,
            "solver": options.solver,
            "covariance": options.covariance,
            "max_iterations": options.max_iterations,
            "bounds": {name: [plain(lower), plain(upper)] for name, (lower, upper) in options.bounds.items()},
            "fixed": dict(options.fixed),
            "prior": {name: list(pair) for name, pair in options.prior.items()},
        },
    }
    if fit.draws is not None:
        found["bootstrap"] = draws_dict(fit.draws)
    return found


def _protocol_dict(followed: Followed) -> dict[str, object]:
    """Return the protocol of a fit: what it sets, and what of that the call changed."""
    return {"name": followed.name, "sets": plain_sets(followed.sets), "changed": plain_sets(followed.changed)}


def draws_dict(draws: Draws) -> dict[str, object]:
    """Return a summary of a bootstrap."""
    intervals = {name: draws.interval(name, LEVEL) for name in draws.law.parameters}
    return {
        "resample": draws.resample,
        "seed": draws.seed,
        "n_replicates": len(draws),
        "n_failed": draws.n_failed,
        "n_at_bound": draws.n_at_bound,
        "n_lost_term": int(draws.lost_term.sum()),
        "n_checked": draws.n_checked,
        "n_disagreed": draws.n_disagreed,
        "n_units": draws.n_units,
        "stderr": plain_by_name(draws.stderr),
        "level": LEVEL,
        "intervals": {name: [plain(end) for end in interval] for name, interval in intervals.items()},
        "mc_errors": {
            name: None if interval.mc_error is None else [plain(error) for error in interval.mc_error]
            for name, interval in intervals.items()
        },
        "methods": {name: interval.method for name, interval in intervals.items()},
        "notes": {name: interval.note for name, interval in intervals.items() if interval.note is not None},
    }


def count_fit_dict(fit: CountFit) -> dict[str, object]:
    """Everything about a fit to counts but its rows."""
    inner = fit.inner
    names = (
        "params stderr covariance covariance_type dof stderr_reason status message success objective nfev nit "
        "start_agreement certificate n_starts optima at_bound condition columns where cluster n_clusters n_rows "
        "n_table_rows kernels"
    )
    plain_fit = fit_dict(inner)
    return {
        "format": "lawfit.count_fit",
        "version": FORMAT_VERSION,
        "law": {
            "text": fit.law.text,
            "name": fit.law.name,
            "variables": list(fit.law.variables or ()),
            "parameters": list(fit.law.parameters),
            "positive": list(fit.law.positive),
        },
        "size": fit.size,
        "size_range": None if fit.size_range is None else [plain(size) for size in fit.size_range],
        "n_correct": fit.n_correct,
        "n_samples": fit.n_samples,
        "total_correct": fit.total_correct,
        "total_samples": fit.total_samples,
        "n_distinct": fit.n_distinct,
        "log_likelihood": plain(fit.log_likelihood),
        "aic": plain(fit.aic),
        "dispersion": plain(fit.dispersion),
        **{name: plain_fit[name] for name in names.split()},
        "warnings": list(fit.warnings),
        "options": {
            "seed": inner.options.seed,
            "covariance": inner.options.covariance,
            "max_iterations": inner.options.max_iterations,
            "bounds": {name: [plain(lower), plain(upper)] for name, (lower, upper) in inner.options.bounds.items()},
            "fixed": dict(inner.options.fixed),
        },
    }


def fits_dict(fits: Fits) -> dict[str, object]:
    """Everything about a batch but its rows."""
    return {
        "format": "lawfit.fits",
        "version": FORMAT_VERSION,
        "by": list(fits.by),
        "n_fits": len(fits),
        "n_failed": int(fits.failed.sum()),
        "fits": [fit_dict(fit) for fit in fits],
    }


PARAM_FIGURES = ("parameter", "estimate", "stderr", "lower", "upper", "at_bound", "status")


def key_names(by: Iterable[str], figures: Iterable[str]) -> list[str]:
    """Name the columns of group keys; one that a figure's name would overwrite gets ``by_`` in front."""
    return [f"by_{name}" if name in figures else name for name in by]


def param_columns(fits: Iterable[Fit]) -> dict[str, list[Any]]:
    """One row per fit and parameter; intervals where a bootstrap was made with the fits."""
    columns: dict[str, list[Any]] = {}
    for fit in fits:
        stderr = fit.stderr
        for name, estimate in fit.params.items():
            row: dict[str, object] = dict(zip(key_names(fit.by, PARAM_FIGURES), fit.key, strict=True))
            row |= {"parameter": name, "estimate": estimate, "stderr": stderr[name]}
            if fit.draws is not None:
                row["lower"], row["upper"] = fit.draws.interval(name, LEVEL)
            row |= {"at_bound": name in fit.at_bound, "status": fit.status}
            for column, value in row.items():
                columns.setdefault(column, []).append(value)
    return columns


def columns_of(fits: Fits, what: str) -> dict[str, list[Any]]:
    """Columns of one of the two tables of a batch."""
    if what == "params":
        return param_columns(fits)
    if what != "fits":
        raise DataError(f"to_frame({what!r}): {suggest(what, ('params', 'fits'))}")
    raw = fits.raw
    figures = {
        "objective": raw.objective.tolist(),
        "sse": raw.sse.tolist(),
        "f_scale": raw.f_scale.tolist(),
        "n_rows": raw.n_rows_used.tolist(),
        "start_agreement": raw.start_agreement.tolist(),
        "condition": raw.condition.tolist(),
        "dof": raw.dof.tolist(),
        "n_clusters": raw.n_clusters.tolist(),
        "nfev": raw.n_evaluations.tolist(),
        "nit": raw.n_iterations.tolist(),
        "status": fits.status.tolist(),
        "success": fits.ok.tolist(),
    }
    keys = {name: [key[i] for key in fits.keys] for i, name in enumerate(key_names(fits.by, figures))}
    return keys | figures


def frame(columns: Mapping[str, Any], library: str | None, came_in: str, what: str) -> Any:
    """Put columns in a frame of a library; data that came in no frame leave the choice to the caller."""
    library = came_in if library is None else library
    if not isinstance(library, str):
        raise DataError(f"library: give one of {', '.join(FRAME_LIBRARIES)}, not {describe(library)}")
    if library in ("dict", "csv"):
        choices = ", ".join(repr(name) for name in FRAME_LIBRARIES)
        raise DataError(f"{what}: the data were not in a frame, so say which you want: library= one of {choices}")
    return make_frame(columns, library)
