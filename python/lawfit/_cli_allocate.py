"""``lawfit allocate``: what a budget should buy, `lawfit.Fit.allocate` and `lawfit.Draws.allocate`."""

from __future__ import annotations

import argparse
import math
import sys
from typing import Any

import numpy as np

from lawfit import _cli_arguments as arguments
from lawfit._allocation import RESPONSE, Allocation
from lawfit._cli_output import Output, add_output, choose_format, json_text, write
from lawfit._cli_source import add_source, read_source
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit._draws import Draws
from lawfit._engine import F64
from lawfit._export import FORMAT_VERSION, plain
from lawfit._frontier import Frontier
from lawfit.errors import DataError
from lawfit.results import Fit

# Of a sweep that does not say: four a factor of ten over seven of them.
N_POINTS = 29


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    group = parser.add_argument_group("plan")
    add = group.add_argument
    add("--budget", dest="budgets", action="append", default=[], metavar="FORMULA=AMOUNT", required=True,
        help='what may be spent, such as "6*N*D=1e24"; LOW..HIGH or LOW..HIGH:COUNT is a sweep')  # fmt: skip
    add("--limit", action="append", default=[], metavar="NAME=LOW:HIGH", help="bounds of a variable, such as D=:1e12")
    add("--target", metavar="RESPONSE", help="reach it with as little as can be of the budget that has no =AMOUNT")
    add("--menu", action="append", default=[], metavar="NAME=A,B,...", help="what a variable may be, such as N=1e9,3e9")
    add("--integer", action="append", default=[], metavar="NAME", help="a variable that is a whole number, such as k")
    add("--hold", dest="at", action="append", default=[], metavar="NAME=VALUE", help="hold a variable, such as k=1")
    add("--maximize", action="store_true", help="a large response is good, such as an accuracy")
    add("--level", type=arguments.real, default=0.95, metavar="SHARE", help="coverage of the intervals (0.95)")
    add_source(parser)
    arguments.add_quiet(add_output(parser))


def run(chosen: argparse.Namespace) -> int:
    """Allocate with the draws of the fit, if there are any, and write the plan."""
    form = choose_format(chosen)
    source = read_source(chosen)
    if isinstance(source, Fit) and source.draws is not None:
        source = source.draws
    if not isinstance(source, Fit | Draws):
        raise DataError("FIT: a plan needs one fit of a law, not fits by group or counts")
    options: dict[str, Any] = {
        "bounds": {name: limit(ends) for name, ends in arguments.pairs("--limit", chosen.limit).items()},
        "at": {name: arguments.size("--hold", value) for name, value in arguments.pairs("--hold", chosen.at).items()},
        "menus": {name: values_of(name, values) for name, values in arguments.pairs("--menu", chosen.menu).items()},
        "integer": chosen.integer,
        "target": None if chosen.target is None else _amounts("--target", chosen.target),
        "maximize": chosen.maximize,
    }
    found = source.allocate(read_budgets(chosen.budgets, chosen.target is not None), **options)
    plan = found.plan if isinstance(found, Frontier) else found
    columns = _columns(found, chosen.level)
    output = Output(
        table=lambda: found.to_text(chosen.level) if isinstance(found, Frontier) else repr(found),
        json=lambda: json_text(_document(plan, columns)),
        columns=lambda: columns,
    )
    write(output.content(form), chosen.output)
    if not chosen.quiet and (form != "table" or chosen.output):
        for note in plan.notes:
            print(f"lawfit: {note}", file=sys.stderr)
    return DONE if bool(np.all(plan.success)) else SOME_FAILED


def read_budgets(texts: list[str], has_target: bool) -> dict[str, F64 | None]:
    """Read FORMULA=AMOUNT; a formula may hold == itself, so the amount is what follows the last =."""
    found: dict[str, F64 | None] = {}
    sweeps = 0
    for text in texts:
        formula, equals, amount = (part.strip() for part in text.rpartition("="))
        # Arguments of a cost by name have = too, inside of parentheses.
        is_open = not equals or ")" in amount
        if is_open and has_target:
            formula, amount = text.strip(), "least"
        elif is_open:
            formula = ""
        if not formula or not amount:
            raise DataError(f'--budget {text}: write FORMULA=AMOUNT, such as "6*N*D=1e24"')
        if formula in found:
            raise DataError(f"--budget: {formula} is given twice")
        amounts = None if is_open else _amounts(f"--budget {text}", amount)
        found[formula] = amounts
        sweeps += amounts is not None and amounts.size > 1
    if sweeps > 1:
        raise DataError("--budget: one budget can be a sweep; give the others one amount each")
    return found


def _amounts(option: str, amount: str) -> F64:
    low, dots, rest = amount.partition("..")
    if not dots:
        return np.array(arguments.size(option, amount))
    high, colon, count = rest.partition(":")
    ends = arguments.size(option, low), arguments.size(option, high)
    if not 0.0 < ends[0] < ends[1] < math.inf:
        raise DataError(f"{option}: a sweep goes from a number above 0 up to a larger one")
    n_points = arguments.number(option, count) if colon else float(N_POINTS)
    if n_points != int(n_points) or not 2 <= n_points <= 100_000:
        raise DataError(f"{option}: a sweep has a whole number of points, at least 2")
    return np.geomspace(*ends, int(n_points))


def values_of(name: str, values: str) -> list[float]:
    """Read A,B,..."""
    return [arguments.size(f"--menu {name}", value) for value in values.split(",") if value.strip()]


def limit(ends: str) -> tuple[float | None, float | None]:
    """Read LOW:HIGH."""
    low, colon, high = (part.strip() for part in ends.partition(":"))
    if not colon:
        raise DataError(f"--limit {ends}: write NAME=LOW:HIGH; leave an end empty where there is none")
    lower, upper = (arguments.size("--limit", end) if end else None for end in (low, high))
    return lower, upper


def _columns(found: Allocation | Frontier, level: float) -> dict[str, list[Any]]:
    """One row a point; with draws, the ends of an interval beside each figure."""
    plan = found.plan if isinstance(found, Frontier) else found
    columns = plan.columns()
    if isinstance(found, Allocation):
        return columns
    least = "" if plan.sweep.least is None else plan.sweep.budgets[plan.sweep.least]
    uncertain = {f"budget {least}": least} if least else {RESPONSE: RESPONSE}
    uncertain.update((name, name) for name in plan.law.variables or ())
    out: dict[str, list[Any]] = {}
    for name, values in columns.items():
        out[name] = values
        if name in uncertain:
            band = found.interval(uncertain[name], level)
            out[f"{name} lower"], out[f"{name} upper"] = (
                list(np.ravel(end).tolist()) for end in (band.lower, band.upper)
            )
    return out


def _document(plan: Allocation, columns: dict[str, list[Any]]) -> dict[str, object]:
    n_points = plan.sweep.n_points
    return {
        "format": "lawfit.allocation",
        "version": FORMAT_VERSION,
        "law": plan.law.text,
        "params": dict(plan.params),
        "maximize": plan.maximize,
        "notes": list(plan.notes),
        "points": [
            {
                name: value if isinstance(value := values[point], str) else plain(value)
                for name, values in columns.items()
            }
            for point in range(n_points)
        ],
    }


VERB = Verb(
    name="allocate",
    purpose="say what a budget should buy, with an interval where the fit has draws",
    usage="FIT|DATA --budget FORMULA=AMOUNT [options]",
    example="""lawfit allocate fit.json --budget "6*N*D=5.88e23"
lawfit allocate fit.json --budget "6*N*D=1e18..1e25" --budget "2*N*k=1.4e11" \\
    --limit D=:15T --format csv""",
    add_arguments=add_arguments,
    run=run,
)
