"""``lawfit costs``: the costs that a budget can name, and what one takes."""

from __future__ import annotations

import argparse

from lawfit import costs
from lawfit._cli_output import Output, add_output, choose_format, json_text, write
from lawfit._cli_verb import DONE, Verb
from lawfit._cost_catalogue import Cost
from lawfit._text import table
from lawfit._wording import suggest
from lawfit.errors import LawError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", nargs="?", help="show the cost of this name")
    add_output(parser)


def run(chosen: argparse.Namespace) -> int:
    """Show one cost, or list all."""
    form = choose_format(chosen)
    if chosen.name is not None and chosen.name not in costs.CATALOGUE:
        raise LawError(f"no cost is called {chosen.name!r}; {suggest(chosen.name, costs.CATALOGUE)}")
    found = list(costs.CATALOGUE.values()) if chosen.name is None else [costs.CATALOGUE[chosen.name]]
    output = Output(
        table=lambda: repr(found[0]) if chosen.name is not None else _listing(found),
        json=lambda: json_text([_document(cost) for cost in found]),
        columns=lambda: {
            "name": [cost.name for cost in found],
            "formula": [cost.text for cost in found],
            "unit": [cost.unit for cost in found],
            "meaning": [cost.meaning for cost in found],
            "reference": [cost.reference for cost in found],
        },
    )
    write(output.content(form), chosen.output)
    return DONE


def _listing(found: list[Cost]) -> str:
    rows = [[cost.name, cost.unit, ", ".join(cost.arguments), cost.meaning.partition(";")[0]] for cost in found]
    return "\n".join(table(["name", "unit", "takes", "meaning"], rows, left=4))


def _document(cost: Cost) -> dict[str, object]:
    return {
        "name": cost.name,
        "formula": cost.text,
        "unit": cost.unit,
        "meaning": cost.meaning,
        "reference": cost.reference,
        "arguments": {
            name: {"meaning": argument.meaning, "default": argument.default}
            for name, argument in cost.arguments.items()
        },
    }


VERB = Verb(
    name="costs",
    purpose="list the costs that a budget can name, or show one with its arguments",
    usage="[NAME] [options]",
    example="lawfit costs kaplan_training",
    add_arguments=add_arguments,
    run=run,
)
