"""Results as a notebook shows them: a compact table, the status and the warnings in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from lawfit import _html, _report
from lawfit._draws import Draws, Interval
from lawfit._fits import Fits
from lawfit._law import Law
from lawfit._text import number
from lawfit._wording import bounded, listed
from lawfit.results import Fit

LEFT = ("note", "status", "method", "interval")


def of_law(law: Law) -> str:
    """Show the formula, what its names are, and where it comes from."""
    pairs = [("formula", law.text)]
    if law.variables is None:
        pairs.append(("names", f"{', '.join(law.names)} (those that are columns of the data become variables)"))
    else:
        units = (f"{name} ({law.units[name]})" if name in law.units else name for name in law.variables)
        pairs.append(("variables", ", ".join(units)))
        pairs.append(("parameters", ", ".join(bounded(name, pair) for name, pair in law.bounds.items())))
    unused = [] if law.variables is not None else [bounded(*pair) for pair in law.declared_bounds.items()]
    pairs += [("bounds", ", ".join(unused))] if unused else []
    pairs += [("reference", law.reference)] if law.reference else []
    heading = f"Law {law.name or ''}{': ' + law.title if law.title else ''}"
    return _html.element("div", _html.text("p", heading) + _html.facts(pairs) + _sentences("traps", law.traps))


def of_fit(fit: Fit) -> str:
    """Show the parameters, how the fit ended, and what to distrust."""
    header, body = _report.parameter_rows(fit)
    key = "".join(f", {name} = {value}" for name, value in zip(fit.by, fit.key, strict=True))
    heading = f"{fit.law.name + ': ' if fit.law.name else ''}{fit.rows.response} = {fit.law.text}{key}"
    state = f"{fit.status}: {fit.message}. {_report.rows_line(fit)} rows. Standard errors: {_report.stderr_line(fit)}."
    parts = (
        _html.text("p", heading),
        _html.table(header, body, left=LEFT),
        _html.text("p", state),
        _sentences("warnings", fit.warnings),
    )
    return _html.element("div", "".join(parts))


def of_fits(fits: Fits) -> str:
    """Show one row for each fit, as many as print() shows."""
    header = [*fits.by, *fits.law.parameters, "objective", "status"]
    body = []
    for i, key in enumerate(fits.keys[: _report.MOST_FITS]):
        estimates = [number(float(value)) for value in fits.raw.params[i]]
        body.append([*map(str, key), *estimates, number(float(fits.objective[i]), 8), str(fits.status[i])])
    n_ok = int(fits.ok.sum())
    heading = f"{fits.rows.response} = {fits.law.text}: {len(fits)} fits, {n_ok} ok, {len(fits) - n_ok} failed"
    failures = Counter(fits.status[fits.failed].tolist())
    words = [f"failed: {listed(f'{name} {count}' for name, count in failures.most_common())}"] if failures else []
    if len(fits) > len(body):
        words.append(f"{len(fits) - len(body)} more: fits.to_frame() has them all")
    said = "".join(_html.text("p", sentence) for sentence in words)
    table = _html.table(header, body, left=(*fits.by, *LEFT))
    return _html.element("div", _html.text("p", heading) + table + said)


def of_draws(draws: Draws) -> str:
    """Show an interval of each parameter, and what went otherwise in which replicates."""
    found = {name: draws.interval(name) for name in draws.law.parameters}
    stderr = draws.stderr
    body = [
        [
            name,
            number(draws.estimate[name]),
            number(math.nan if name in draws.fit.unidentified else stderr[name], 4),
            *map(number, interval),
            interval.method if math.isfinite(interval.lower) else "-",
        ]
        for name, interval in found.items()
    ]
    heading = f"{len(draws)} replicates ({draws.resample}, seed {draws.seed}): {draws.counts}"
    notes = dict.fromkeys(interval.note for interval in found.values() if interval.note is not None)
    said = [*([] if draws.caution is None else [draws.caution]), *notes]
    table = _html.table(["parameter", "estimate", "stderr", "2.5 %", "97.5 %", "interval"], body, left=LEFT)
    return _html.element("div", _html.text("p", heading) + table + _sentences("notes", said))


def of_interval(interval: Interval) -> str:
    """Show two ends, and how they came about."""
    ends = f"{number(interval.lower)} to {number(interval.upper)} ({interval.level:.4g} {interval.method})"
    error = ""
    if interval.mc_error is not None:
        error = f"; Monte-Carlo error of the ends {number(interval.mc_error[0], 2)}, {number(interval.mc_error[1], 2)}"
    note = "" if interval.note is None else f"; {interval.note}"
    return _html.text("p", ends + error + note)


def _sentences(name: str, sentences: Iterable[str]) -> str:
    every = tuple(sentences)
    return _html.text("p", name) + _html.items(every) if every else ""
