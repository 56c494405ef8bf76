"""``lawfit predict``: what a fit says of runs not made yet, `lawfit.Fit.predict`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from lawfit import _cli_arguments as arguments
from lawfit._cli_output import Output, add_output, choose_format, json_text, write
from lawfit._cli_points import add_points, read_points
from lawfit._cli_source import about_source, add_source, read_source
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit._count_fit import CountFit
from lawfit._draws import Draws
from lawfit._engine import F64
from lawfit._export import FORMAT_VERSION, key_names, plain
from lawfit._fits import Fits
from lawfit._predictions import Prediction
from lawfit._text import number, table
from lawfit.errors import DataError
from lawfit.results import Fit

FIGURES = ("predicted", "lower", "upper")


class Group(NamedTuple):
    """What one fit says at the points."""

    key: dict[str, object]
    success: bool
    found: Prediction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    group = add_points(parser)
    add = group.add_argument
    add("--level", type=arguments.real, default=0.95, metavar="SHARE", help="coverage of the intervals (0.95)")
    add("--kind", default="mean", metavar="mean|run", help="interval of the law, or of one new run (mean)")
    add("--noise", metavar="FORMULA", help="noise of the new runs, where the fit knows that of its rows")
    add_source(parser)
    arguments.add_quiet(add_output(parser))


def run(chosen: argparse.Namespace) -> int:
    """Predict at every point and write value and interval."""
    form = choose_format(chosen)
    source = read_source(chosen)
    law = source.fit.law if isinstance(source, Draws) else source.law
    points, noise = read_points(chosen, law.variables or ())
    groups = list(_predictions(source, points, chosen, noise))
    rows = _columns(groups, points)
    output = Output(
        table=lambda: _text(rows, chosen.level),
        json=lambda: json_text(_document(law.text, groups, points)),
        columns=lambda: rows,
    )
    write(output.content(form), chosen.output)
    if not chosen.quiet:
        for note in dict.fromkeys(note for group in groups for note in _notes(points, group.found)):
            print(f"lawfit: {note}", file=sys.stderr)
    return DONE if all(group.success for group in groups) else SOME_FAILED


def _predictions(
    source: Fit | Fits | CountFit | Draws, points: dict[str, F64], chosen: argparse.Namespace, noise: F64 | None
) -> Iterator[Group]:
    """Predict with each fit of the source."""
    try:
        if isinstance(source, CountFit):
            if chosen.kind != "mean" or noise is not None:
                raise DataError("--kind run and --noise are for fits to a response; this is a fit to counts")
            yield Group({}, source.success, source.predict(points, interval=chosen.level))
            return
        if isinstance(source, Draws):
            yield Group({}, source.fit.success, _of_draws(source, points, chosen, noise))
            return
        for fit in [source] if isinstance(source, Fit) else source:
            yield Group(dict(zip(fit.by, fit.key, strict=True)), fit.success, _of_fit(fit, points, chosen, noise))
    except DataError as error:
        # Here it is the noise of new runs; --sigma is that of the rows of the fit.
        raise about_source(error, {"sigma": "--noise"}) from None


def _of_fit(fit: Fit, points: dict[str, F64], chosen: argparse.Namespace, noise: F64 | None) -> Prediction:
    """Predict from the draws that were made with the fit, if there are any."""
    if fit.draws is not None:
        return _of_draws(fit.draws, points, chosen, noise)
    return fit.predict(points, interval=chosen.level, kind=chosen.kind, sigma=noise)


def _of_draws(draws: Draws, points: dict[str, F64], chosen: argparse.Namespace, noise: F64 | None) -> Prediction:
    return draws.predict(points, kind=chosen.kind, sigma=noise).interval(chosen.level)


def _notes(points: dict[str, F64], found: Prediction) -> list[str]:
    """Say why numbers are missing."""
    without = np.flatnonzero(np.isnan(found.value))
    notes = [] if found.note is None else [found.note]
    if without.size:
        first = ", ".join(f"{name}={values[without[0]]:g}" for name, values in points.items())
        notes.append(f"the law has no value at {without.size} of {found.value.size} points, first at {first}")
    return notes


def _columns(groups: list[Group], points: dict[str, F64]) -> dict[str, list[Any]]:
    """One row per group and point."""
    taken = (*points, *FIGURES)
    columns: dict[str, list[Any]] = {}
    for key, _, found in groups:
        figures = dict(zip(FIGURES, (found.value, found.lower, found.upper), strict=True))
        part = dict(zip(key_names(key, taken), ([value] * found.value.size for value in key.values()), strict=True))
        part |= {name: values.tolist() for name, values in (points | figures).items()}
        for name, values in part.items():
            columns.setdefault(name, []).extend(values)
    return columns


def _text(rows: dict[str, list[Any]], level: float) -> str:
    header = [f"{name} {level:.4g}" if name in FIGURES[1:] else name for name in rows]
    cells = (
        [number(cell) if isinstance(cell, float) else str(cell) for cell in row]
        for row in zip(*rows.values(), strict=True)
    )
    return "\n".join(table(header, list(cells), left=len(rows) - len(FIGURES)))


def _document(law: str, groups: list[Group], points: dict[str, F64]) -> dict[str, object]:
    first = groups[0].found
    return {
        "format": "lawfit.prediction",
        "version": FORMAT_VERSION,
        "law": law,
        "level": first.level,
        "kind": first.kind,
        "points": {name: [plain(value) for value in values] for name, values in points.items()},
        "predictions": [
            {
                "key": group.key,
                "success": group.success,
                "note": group.found.note,
                "predicted": [plain(value) for value in group.found.value],
                "lower": [plain(value) for value in group.found.lower],
                "upper": [plain(value) for value in group.found.upper],
            }
            for group in groups
        ],
    }


VERB = Verb(
    name="predict",
    purpose="say what a fit expects of runs not made yet, with an interval",
    usage="FIT|DATA --at NAME=VALUE,... [options]",
    example="""lawfit predict fit.json --at N=70B,D=1.4T --at N=70B,D=15T
lawfit predict runs.csv --law chinchilla --response loss --points new.csv \\
    --kind run --level 0.8 --format csv""",
    add_arguments=add_arguments,
    run=run,
)
