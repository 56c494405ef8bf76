"""A fit as a table that a person can read, with the warnings that matter."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from lawfit import _engine, _leverage, _reasons, _sanity
from lawfit._batch import dropped_words
from lawfit._protocols import Followed, shown
from lawfit._residuals import met_exactly
from lawfit._text import fields, number, table
from lawfit._wording import listed

if TYPE_CHECKING:
    from lawfit._evidence import Certificate
    from lawfit._fits import Fits
    from lawfit.results import Fit

# Below this share of residuals inside the robust scale the fit is nearly one of least absolute deviations, and the
# sandwich standard errors rest on few rows (docs/how-to-choose.md).
FEW_INSIDE = 0.3
# Fewer than half of the starts at the best objective: the next better optimum may not have been found.
POOR_AGREEMENT = 0.5
# The curvature is scaled by the terms of the law: a design that varies N and D separately has 10 to 300, one with all
# runs at the same tokens per parameter 1e7.
ILL_CONDITIONED = 1e5
# A prior and data that agree are rarely this far apart.
FAR_FROM_PRIOR = 3.0
MOST_OPTIMA = 4
MOST_FITS = 30


def warnings_of(fit: Fit) -> tuple[str, ...]:
    """Return what a careful reader should know before using the numbers."""
    if fit.rows.summary is not None:
        return fit.rows.summary.warnings
    found = []
    if not fit.success:
        found.append(f"not usable as it is: {fit.message}")
    found += bound_warnings(fit)
    for term in fit.dead_terms:
        found.append(f"the term {term} contributes nothing at any row: the law without it fits as well")
    found += identification_warnings(fit)
    found += [*_contradicted(fit), *(fit.law.broken_checks(fit.params) if fit.success else ())]
    exact = met_exactly(fit)
    if exact is not None:
        found.append(exact)
    found += vague_warnings(fit)
    if fit.options.loss != "squared" and fit.success and fit.inside_scale < FEW_INSIDE:
        rough = ", and its standard errors are rough" if fit.covariance_reason is None else ""
        found.append(
            f"only {fit.inside_scale:.0%} of the residuals lie inside f_scale={fit.f_scale:.3g}: the fit is nearly one "
            f'of least absolute deviations{rough}; bootstrap, or use f_scale="mad"'
        )
    found += repeat_warnings(fit)
    found += _sanity.warnings_of(fit)
    found += _leverage.warnings_of(fit)
    if fit.success and fit.draws is not None and fit.draws.caution is not None:
        found.append(f"bootstrap: {fit.draws.caution}")
    more = [f"{sentence}; raise starts=" for sentence in agreement_warnings(fit)]
    return (*found, *more)


def vague_warnings(fit: Fit) -> list[str]:
    """Name the parameters that the data hardly determine."""
    vague = [name for name, spread in fit.stderr.items() if spread > abs(fit.params[name])]
    return (
        [f"{listed(vague)}: the standard error exceeds the estimate, so the data hardly determine it"] if vague else []
    )


def repeat_warnings(fit: Fit) -> list[str]:
    """Say that rows belong together although the call does not say so."""
    return [
        f"{repeat.kind} {repeat.label!r} stands in {repeat.n_rows} rows (column {repeat.column!r}): rows of one "
        f"{repeat.kind} are not independent; say cluster={repeat.column!r}"
        for repeat in fit.rows.repeated
        if repeat is not None
    ]


def agreement_warnings(fit: Fit) -> list[str]:
    """Say that few starts found the best objective."""
    n_starts = 0 if fit.starts is None else len(fit.starts.objective)
    if n_starts > 1 and math.isfinite(fit.objective) and fit.start_agreement < POOR_AGREEMENT:
        return [
            f"only {fit.start_agreement:.0%} of the {n_starts} starts ended at the best objective: "
            "a better optimum may exist"
        ]
    return []


def _contradicted(fit: Fit) -> list[str]:
    """Say which priors the data contradict."""
    pulls = {name: (fit.params[name] - mean) / sd for name, (mean, sd) in fit.options.prior.items()}
    return [
        f"{name} is {abs(pull):.1f} standard deviations of its prior {'above' if pull > 0 else 'below'} its mean: data "
        "and prior contradict each other, and the estimate lies between the two"
        for name, pull in pulls.items()
        if abs(pull) > FAR_FROM_PRIOR
    ]


def bound_warnings(fit: Fit) -> list[str]:
    """Return what is wrong with the standard errors of parameters that the data determine."""
    found = []
    for name in fit.at_bound:
        nearest = _reasons.bound(fit, name)
        found.append(f"{name} is at its bound {nearest:g}: it has no standard error, and those of the others assume it")
    n_estimated = len(fit.params) - len(fit.options.fixed) - len(fit.at_bound)
    if fit.success and fit.covariance_reason is not None and n_estimated:
        found.append(f"no standard errors ({fit.covariance_type}): {fit.covariance_reason}")
    if _uses_clusters(fit) and 2 <= fit.n_clusters < n_estimated + 2:
        found.append(
            f"only {fit.n_clusters} clusters for {n_estimated} parameters: the standard errors rest on too few "
            "independent units to be trusted; fix parameters, or add runs"
        )
    return found


def identification_warnings(fit: Fit) -> list[str]:
    """Return what the data leave open."""
    number_of = f"condition number {fit.condition:.1e}"
    if fit.unidentified:
        kept = [name for name, spread in fit.stderr.items() if not math.isnan(spread)]
        others = f"; the standard errors of {listed(kept)} do not depend on it" if kept else ""
        return [f"{_reasons.direction(fit)} ({number_of}){others}"]
    if fit.condition > ILL_CONDITIONED or fit.status == "unidentified":
        return [
            f"the data hardly identify all parameters ({number_of}): {_reasons.direction(fit)}; "
            "fix one of them, or add runs that vary the variables separately"
        ]
    return []


def _uses_clusters(fit: Fit) -> bool:
    return fit.covariance_type in _engine.registries().cluster_covariances


def names_line(variables: tuple[str, ...], parameters: tuple[str, ...]) -> str:
    """Return the line that always says which names are which."""
    return f"variables: {', '.join(variables)}; parameters: {', '.join(parameters)}"


def fit_text(fit: Fit) -> str:
    """Return the printed form of a fit."""
    heading = f"{fit.rows.response} = {fit.law.text}"
    lines = [f"{fit.law.name}: {heading}" if fit.law.name else heading]
    if fit.key:
        lines.append(", ".join(f"{name} = {value}" for name, value in zip(fit.by, fit.key, strict=True)))
    lines += [names_line(fit.rows.variables, fit.law.parameters), ""]
    header, body = parameter_rows(fit)
    lines += [*table(header, body), "", *fields(facts_of(fit))]
    warnings = warnings_of(fit)
    if warnings:
        lines += ["", "warnings", *(f"  - {warning}" for warning in warnings)]
    return "\n".join(lines)


def parameter_rows(fit: Fit) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table of parameters; columns that say nothing are left out."""
    stderr = fit.stderr
    header = ["parameter", "estimate", "stderr"]
    body = [[name, number(value, 8), number(stderr[name], 4)] for name, value in fit.params.items()]
    if fit.draws is not None or not math.isnan(fit.dof):
        interval = fit.interval if fit.draws is None else fit.draws.interval
        header += ["2.5 %", "97.5 %"]
        for row in body:
            row += [number(end) for end in interval(row[0])]
    notes = [note_of(fit, name) for name in fit.params]
    if any(notes):
        header.append("note")
        for row, note in zip(body, notes, strict=True):
            row.append(note)
    return header, body


def note_of(fit: Fit, name: str) -> str:
    """Say in a few words how a parameter was held."""
    if name in fit.options.fixed:
        return "fixed"
    notes = ["at bound"] if name in fit.at_bound else []
    if name in fit.options.prior:
        mean, sd = fit.options.prior[name]
        notes.append(f"prior {mean:g} +- {sd:g}")
    return ", ".join(notes)


def facts_of(fit: Fit) -> list[tuple[str, str]]:
    """Return what a fit did, and with what, by name."""
    options, rows = fit.options, fit.rows
    scale = "" if options.loss == "squared" else f", f_scale={fit.f_scale:.6g}"
    rule = f" ({options.scale_rule})" if scale and options.f_scale is None else ""
    facts = [
        ("status", f"{fit.status}: {fit.message}"),
        ("objective", f"{fit.objective:.12g} (loss={options.loss}{scale}{rule}, residual={options.residual})"),
        ("stderr", stderr_line(fit)),
        ("rows", rows_line(fit)),
    ]
    if options.protocol is not None:
        facts.insert(1, ("protocol", _protocol_line(options.protocol)))
    facts += start_facts(fit)
    if fit.draws is not None:
        kind = f"{len(fit.draws)} replicates ({fit.draws.resample}, seed={fit.draws.seed})"
        methods = dict.fromkeys(fit.draws.interval(name).method for name in fit.params)
        facts.append(("bootstrap", f"{kind}: {fit.draws.counts}; intervals: {', '.join(methods)}"))
    if rows.weighted_by is not None:
        facts.insert(3, ("weights", f"{rows.weighted_by}, as precisions"))
    if rows.noise_by is not None:
        facts.insert(3, ("noise", f"known, sigma={rows.noise_by}: residuals are in its units"))
    if options.prior:
        names = listed(f"{name} = {mean:g} +- {sd:g}" for name, (mean, sd) in options.prior.items())
        facts.insert(3, ("prior", f"{names}, against a noise variance of {fit.prior_variance:.4g}"))
    if rows.columns:
        facts.insert(3, ("columns", ", ".join(f"{name} = {text}" for name, text in rows.columns)))
    return facts


def start_facts(fit: Fit) -> list[tuple[str, str]]:
    """Say what the starts found, and at what price."""
    facts = []
    if fit.starts is not None and fit.nfev > 0:
        n = len(fit.starts.objective)
        short = n - sum(optimum.count for optimum in fit.optima)
        rest = f", {short} ended short of a minimum" if short else ""
        facts.append(("starts", f"{round(fit.start_agreement * n)} of {n} agree{rest} ({_start_rule(fit)})"))
        optima = [f"{optimum.objective:.8g} ({optimum.count})" for optimum in fit.optima]
        more = f", and {len(optima) - MOST_OPTIMA} more" if len(optima) > MOST_OPTIMA else ""
        if optima:
            facts.append(("optima", ", ".join(optima[:MOST_OPTIMA]) + more))
    facts.append(("certificate", _certificate_line(fit.certificate)))
    facts.append(("work", f"{fit.nfev} evaluations, {fit.nit} iterations, kernels={fit.kernels}"))
    return facts


def _certificate_line(certificate: Certificate) -> str:
    """Say whether the objective is known to be the best, and why not."""
    if not certificate.certified:
        return "not certified: " + "; ".join(certificate.reasons)
    if math.isinf(certificate.gap):
        return "certified: a minimum, and the only one found"
    return f"certified: a minimum, {certificate.gap:.2g} below the next, relatively"


def _protocol_line(followed: Followed) -> str:
    """Say which protocol was followed, what it set, and what the call changed."""
    changed = f", changed here: {shown(followed.changed)}" if followed.changed else ""
    return f"{followed.name} ({shown(followed.sets)}){changed}"


def stderr_line(fit: Fit) -> str:
    """Return what the standard errors, and the intervals without a bootstrap, are made of."""
    if fit.covariance_reason is not None:
        return f"none ({fit.covariance_type}): {fit.covariance_reason}"
    by, clusters = fit.rows.clustered_by, ""
    if _uses_clusters(fit):
        clusters = f" over {fit.n_clusters} clusters ({by})"
    elif by is not None:
        clusters = f", as if rows were independent: the clusters ({by}) are not used"
    if math.isinf(fit.dof):
        return f"{fit.covariance_type}{clusters}; normal quantiles"
    degrees = "degree" if fit.dof == 1.0 else "degrees"
    return f"{fit.covariance_type}{clusters}; Student's t with {fit.dof:g} {degrees} of freedom"


def _start_rule(fit: Fit) -> str:
    """Return where the starts came from; given ones have no seed."""
    rule = fit.options.start_rule
    return f"rule={rule}" if rule == "given" else f"rule={rule}, seed={fit.options.seed}"


def rows_line(fit: Fit) -> str:
    """Say how many rows were used, and why others were not."""
    rows = fit.rows
    where = f" (where {rows.where})" if rows.where else ""
    words = dropped_words(rows.dropped)
    left_out = f" ({words})" if words else ""
    return f"{fit.n_rows} used of {rows.n_table_rows}{where}{left_out}"


def fits_text(fits: Fits) -> str:
    """Return the printed form of a batch."""
    n_ok = int(fits.ok.sum())
    lines = [
        f"{fits.rows.response} = {fits.law.text}",
        names_line(fits.rows.variables, fits.law.parameters),
        f"{len(fits)} fits by {', '.join(fits.by) or 'nothing'}: {n_ok} ok, {len(fits) - n_ok} failed",
    ]
    words = dropped_words(fits.rows.dropped)
    if words:
        lines.append(f"rows: {fits.rows.offsets[-1]} used of {fits.rows.n_table_rows} ({words})")
    if fits.options.protocol is not None:
        lines.append(f"protocol: {_protocol_line(fits.options.protocol)}")
    failures = Counter(fits.status[fits.failed].tolist())
    if failures:
        lines.append("failed: " + listed(f"{name} {count}" for name, count in failures.most_common()))
    header = [*fits.by, *fits.law.parameters, "objective", "status"]
    body = []
    for i, key in enumerate(fits.keys[:MOST_FITS]):
        estimates = [number(float(value)) for value in fits.raw.params[i]]
        body.append([*map(str, key), *estimates, number(float(fits.objective[i]), 8), str(fits.status[i])])
    lines += ["", *table(header, body)]
    if len(fits) > MOST_FITS:
        lines.append(f"... {len(fits) - MOST_FITS} more; fits.to_frame(), or --format csv, has them all")
    return "\n".join(lines)
