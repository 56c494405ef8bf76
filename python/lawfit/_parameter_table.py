"""Parameters with their intervals as a table of a page, and how the intervals were made."""

from __future__ import annotations

import math

from lawfit import _report
from lawfit._draws import Draws
from lawfit._text import number
from lawfit.results import Fit


def parameter_rows(fit: Fit, draws: Draws | None, level: float) -> tuple[list[str], list[list[str]], list[str]]:
    """Return a table of the parameters, and what to know of its numbers, once for all that it is about."""
    stderr = fit.stderr if draws is None else draws.stderr
    header = ["parameter", "estimate", "standard error", f"{50 * (1 - level):.4g} %", f"{50 * (1 + level):.4g} %"]
    reasons = fit.stderr_reason
    body: list[list[str]] = []
    about: dict[str, list[str]] = {}
    for name, value in fit.params.items():
        interval = fit.interval(name, level) if draws is None else draws.interval(name, level)
        spread = math.nan if name in reasons else stderr[name]
        note = reasons.get(name) or interval.note
        if note is not None:
            about.setdefault(note, []).append(name)
        body.append([name, number(value, 8), number(spread, 4), *map(number, interval), _report.note_of(fit, name)])
    if any(row[-1] for row in body):
        header.append("note")
    else:
        body = [row[:-1] for row in body]
    return header, body, [f"{', '.join(names)}: {note}" for note, names in about.items()]


def how_made(fit: Fit, draws: Draws | None, level: float) -> str:
    """Say how the intervals were made."""
    if draws is None:
        return f"{100 * level:.4g} %, Wald's: {_report.stderr_line(fit)}"
    methods = dict.fromkeys(draws.interval(name, level).method for name in fit.params)
    return (
        f"{100 * level:.4g} %, from {len(draws)} replicates (resample={draws.resample}, {draws.n_units} units, seed "
        f"{draws.seed}; {draws.counts}); method {', '.join(methods)}"
    )
