"""Points of a law's variables on the command line: ``--at N=70B,D=1.4T``, or a table of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from lawfit import _cli_arguments as arguments
from lawfit._engine import F64
from lawfit._wording import listed
from lawfit.errors import DataError
from lawfit.tables import Table, read_table


def add_points(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Declare the points; return their group."""
    group = parser.add_argument_group("points")
    group.add_argument(
        "--at", action="append", default=[], metavar="NAME=VALUE,...", help="a point, such as N=70B,D=1.4e12; repeat"
    )
    group.add_argument("--points", metavar="FILE", help="a table of points: a column per variable, or --column")
    return group


def read_points(chosen: argparse.Namespace, variables: Sequence[str]) -> tuple[dict[str, F64], F64 | None]:
    """Return the points, (n_points,) values by variable, and what ``--noise`` gives there."""
    columns = arguments.pairs("--column", chosen.columns)
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
    if chosen.noise is None:
        return points, None
    noise = [source.evaluate(chosen.noise, want="number", argument="noise") for source in sources]
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
