"""``lawfit predict``: what a fit says of runs not made yet, `lawfit.Fit.predict`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from lawfit import _cli_arguments as arguments
from lawfit._cli_output import Output, add_output, choose_format, write
from lawfit._cli_source import add_source, read_fit
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit._cli_wording import in_options
from lawfit._engine import F64
from lawfit._export import key_names, plain
from lawfit._predictions import Prediction
from lawfit._text import number, table
from lawfit._wording import listed
from lawfit.errors import DataError
from lawfit.results import Fit
from lawfit.tables import Table, read_table

FIGURES = ("predicted", "lower", "upper")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument_group("points").add_argument
    add("--at", action="append", default=[], metavar="NAME=VALUE,...", help="a point, such as N=70B,D=1.4e12; repeat")
    add("--points", metavar="FILE", help="a table of points: a column per variable, or --column")
    add("--level", type=arguments.real, default=0.95, metavar="SHARE", help="coverage of the intervals (0.95)")
    add("--kind", default="mean", metavar="mean|run", help="interval of the law, or of one new run (mean)")
    add("--noise", dest="new_sigma", metavar="FORMULA",
        help="noise of the new runs, where the fit knows that of its rows")  # fmt: skip
    add_source(parser)
    arguments.add_quiet(add_output(parser))


def run(chosen: argparse.Namespace) -> int:
    """Predict at every point and write value and interval."""
    form = choose_format(chosen)
    fit = read_fit(chosen)
    variables = fit.law.variables or ()
    columns = arguments.pairs("--column", chosen.columns)
    points, noise = _points(chosen, variables, columns)
    try:
        found = fit.predict(points, interval=chosen.level, kind=chosen.kind, sigma=noise)
    except DataError as error:
        # Here it is the noise of new runs; --sigma is that of the rows of the fit.
        raise DataError(in_options(str(error), {"sigma": "--noise"})) from None
    rows = _columns(fit, points, found)
    output = Output(
        table=lambda: _text(rows, found),
        document=lambda: _document(fit, points, found),
        columns=lambda: rows,
    )
    write(output.content(form), chosen.output)
    if not chosen.quiet:
        for note in _notes(points, found):
            print(f"lawfit: {note}", file=sys.stderr)
    return DONE if fit.success else SOME_FAILED


def _notes(points: dict[str, F64], found: Prediction) -> list[str]:
    """Say why numbers are missing."""
    without = np.flatnonzero(np.isnan(found.value))
    notes = [] if found.note is None else [found.note]
    if without.size:
        first = ", ".join(f"{name}={values[without[0]]:g}" for name, values in points.items())
        notes.append(f"the law has no value at {without.size} of {found.value.size} points, first at {first}")
    return notes


def _points(
    chosen: argparse.Namespace, variables: Sequence[str], columns: dict[str, str]
) -> tuple[dict[str, F64], F64 | None]:
    """Return the points, (n_points,) values by variable, and the noise of runs there if it is given."""
    sources = []
    if chosen.at:
        every = [_point(text, variables) for text in chosen.at]
        sources.append(read_table({name: [point[name] for point in every] for name in variables}, "--at"))
    if chosen.points is not None:
        sources.append(arguments.read_data([chosen.points]))
    if not sources:
        raise DataError(
            f"nothing to predict: give --at {','.join(f'{name}=...' for name in variables)} or --points FILE"
        )
    parts = [{name: _values(source, name, columns) for name in variables} for source in sources]
    points = {name: np.concatenate([part[name] for part in parts]) for name in variables}
    if chosen.new_sigma is None:
        return points, None
    noise = [source.evaluate(chosen.new_sigma, want="number", argument="--noise") for source in sources]
    return points, np.concatenate(noise)


def _point(text: str, variables: Sequence[str]) -> dict[str, float]:
    """Read one point."""
    given = {
        name: arguments.size(f"--at {text}", value)
        for name, value in arguments.pairs("--at", [part for part in text.split(",") if part.strip()]).items()
    }
    for name in variables:
        if name not in given:
            raise DataError(f"--at {text}: {name} is missing; the law needs {listed(variables)}")
    for name in given:
        if name not in variables:
            raise DataError(f"--at {text}: {name!r} is not a variable of the law; it needs {listed(variables)}")
    return given


def _values(source: Table, variable: str, columns: dict[str, str]) -> F64:
    """Return a variable at points: the column of its name, or what ``--column`` says of the runs as well."""
    text = variable if variable in source.names else columns.get(variable, variable)
    return source.evaluate(text, want="number", argument=f"points, {variable}")


def _columns(fit: Fit, points: dict[str, F64], found: Prediction) -> dict[str, list[Any]]:
    names = key_names(points, FIGURES)
    figures = zip(FIGURES, (found.value, found.lower, found.upper), strict=True)
    return {name: values.tolist() for name, values in [*zip(names, points.values(), strict=True), *figures]}


def _text(rows: dict[str, list[Any]], found: Prediction) -> str:
    header = [f"{name} {found.level:.4g}" if name in FIGURES[1:] else name for name in rows]
    body = [[number(value) for value in row] for row in zip(*rows.values(), strict=True)]
    return "\n".join(table(header, body, left=0))


def _document(fit: Fit, points: dict[str, F64], found: Prediction) -> dict[str, object]:
    return {
        "format": "lawfit.prediction",
        "version": 1,
        "law": fit.law.text,
        "response": fit.rows.response,
        "level": found.level,
        "kind": found.kind,
        "note": found.note,
        "points": {name: [plain(value) for value in values] for name, values in points.items()},
        "predicted": [plain(value) for value in found.value],
        "lower": [plain(value) for value in found.lower],
        "upper": [plain(value) for value in found.upper],
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
