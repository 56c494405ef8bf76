"""A fit to counts as a table that a person can read, with what to distrust in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lawfit import _engine, _report
from lawfit._count_law import MOST_SIZES
from lawfit._text import fields, table

if TYPE_CHECKING:
    from lawfit._count_fit import CountFit

# Pearson's chi-squared a degree of freedom: more than that is more than a detail, where chance does not explain it.
OVERDISPERSED = 1.5
BY_CHANCE = 1e-3
# A Beta distribution of this size has nearly all of its mass next to 0 and 1.
TINY_SIZE = 0.05


def warnings_of(fit: CountFit) -> tuple[str, ...]:
    """Return what a careful reader should know before using the numbers."""
    inner = fit.inner
    found = [] if fit.success else [f"not usable as it is: {fit.message}"]
    found += _of_counts(fit)
    found += _report.bound_warnings(inner)
    found += _report.identification_warnings(inner)
    found += _report.vague_warnings(inner)
    found += _dispersion_warnings(fit)
    found += _report.repeat_warnings(inner)
    found += [f"{sentence}; try another seed=" for sentence in _report.agreement_warnings(inner)]
    return tuple(found)


def _of_counts(fit: CountFit) -> list[str]:
    """Say that counts leave the probability open on one side."""
    if fit.total_correct == 0.0:
        return [
            "no row has a success: the likelihood rises as the law goes to 0, so the data bound it from above and "
            "determine no parameter"
        ]
    if fit.total_correct == fit.total_samples:
        return [
            "every sample is a success: the likelihood rises as the law goes to 1, so the data bound it from below and "
            "determine no parameter"
        ]
    return []


def _dispersion_warnings(fit: CountFit) -> list[str]:
    """Compare the spread of the counts with what the likelihood takes for granted."""
    if fit.size_range is None:
        freedom = fit.n_rows - _n_free(fit)
        if fit.success and fit.dispersion > OVERDISPERSED:
            if float(_engine.chi2_sf(fit.dispersion * freedom, freedom)) > BY_CHANCE:
                return []
            reach = "" if fit.covariance_type != "classical" else ", and the standard errors are too small"
            return [
                f"counts vary {fit.dispersion:.3g} times as much as the binomial says (Pearson's chi-squared a degree "
                f'of freedom){reach}: problems differ in difficulty, or the law misses something; say size="nu" for a '
                "beta-binomial"
            ]
        return []
    smallest, largest = fit.size_range
    rows = fit.inner.rows
    most = float(rows.y.max()) if rows.summary is None else rows.summary.response_range[1]
    if smallest > 0.1 * MOST_SIZES * most:
        return [
            f"the size is {smallest:.3g} or more, where counts are binomial: it cannot be told from infinity, and "
            "size=None says the same with fewer parameters"
        ]
    if largest < TINY_SIZE:
        return [
            f"the size is {largest:.3g} or less: nearly every problem is solved either never or always, so a problem "
            "counts as one sample, however many were drawn"
        ]
    return []


def _n_free(fit: CountFit) -> int:
    return len(fit.parameters) - len(fit.inner.options.fixed)


def text_of(fit: CountFit) -> str:
    """Return the printed form."""
    inner, law = fit.inner, fit.law
    heading = f"P({fit.n_correct}) = {law.text}"
    lines = [f"{law.name}: {heading}" if law.name else heading]
    lines += [_report.names_line(fit.model.variables, fit.parameters), ""]
    header, body = _report.parameter_rows(inner)
    lines += [*table(header, body), "", *fields(_facts(fit))]
    warnings = warnings_of(fit)
    if warnings:
        lines += ["", "warnings", *(f"  - {warning}" for warning in warnings)]
    return "\n".join(lines)


def _facts(fit: CountFit) -> list[tuple[str, str]]:
    inner, rows = fit.inner, fit.inner.rows
    kind = "binomial"
    if fit.size_range is not None:
        smallest, largest = fit.size_range
        over = "" if smallest == largest else f", {smallest:.4g} to {largest:.4g} over the rows"
        kind = f"beta-binomial, size = {fit.size}{over}"
    spread = "" if math.isnan(fit.dispersion) else f"; Pearson's chi-squared a degree of freedom {fit.dispersion:.3g}"
    facts = [
        ("status", f"{fit.status}: {fit.message}"),
        ("likelihood", f"{kind}{spread}"),
        (
            "objective",
            f"{fit.objective:.12g} (half the deviance), log likelihood {fit.log_likelihood:.10g}, AIC {fit.aic:.10g}",
        ),
        ("counts", f"{fit.total_correct:.0f} of {fit.total_samples:.0f} ({fit.n_correct} of {fit.n_samples})"),
        ("stderr", _report.stderr_line(inner)),
        ("rows", f"{_report.rows_line(inner)}, {fit.n_distinct} of them distinct"),
    ]
    if rows.columns:
        facts.append(("columns", ", ".join(f"{name} = {text}" for name, text in rows.columns)))
    facts += _report.start_facts(inner)
    return facts
