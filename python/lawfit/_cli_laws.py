"""``lawfit laws``: the catalogue listed and searched, and all that is known of one law."""

from __future__ import annotations

import argparse
import math
from typing import Any

from lawfit import laws
from lawfit._cli_output import Output, add_output, choose_format, write
from lawfit._cli_verb import DONE, Verb
from lawfit._law import Law
from lawfit._published import Published, published
from lawfit._text import table
from lawfit._wording import suggest
from lawfit.errors import LawError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME|WORDS", help="show this law, or list those that speak of this")
    add_output(parser)


def run(chosen: argparse.Namespace) -> int:
    """Show one law, or list those whose name, meaning, formula or reference holds the words."""
    form = choose_format(chosen)
    law = laws.CATALOGUE.get(chosen.name)
    output = _list(chosen.name) if law is None else _one(law)
    write(output.content(form), chosen.output)
    return DONE


def _list(words: str | None) -> Output:
    sought = (words or "").lower()
    found = [
        law
        for name, law in laws.CATALOGUE.items()
        if any(sought in (part or "").lower() for part in (name, law.title, law.text, law.reference))
    ]
    if not found:
        raise LawError(f"no law of the catalogue speaks of {words!r}; {suggest(words, laws.CATALOGUE)}")
    rows = [[law.name or "", law.text, law.title or ""] for law in found]
    columns = dict(zip(("name", "formula", "meaning"), map(list, zip(*rows, strict=True)), strict=True))
    return Output(
        table=lambda: "\n".join(table(list(columns), rows, left=3)),
        document=lambda: [_law_document(law) for law in found],
        columns=lambda: columns | {"reference": [law.reference or "" for law in found]},
    )


def _one(law: Law) -> Output:
    known = list(published.of(law).values())
    return Output(
        table=lambda: "\n\n".join([f"{law!r}\n  latex       {law.to_latex()}", *map(repr, known)]),
        document=lambda: _law_document(law),
        columns=lambda: _coefficient_columns(law, known),
    )


def _law_document(law: Law) -> dict[str, object]:
    """All that the catalogue holds of a law, as values for JSON."""
    return {
        "name": law.name,
        "meaning": law.title,
        "formula": law.text,
        "latex": law.to_latex(),
        "variables": list(law.variables or ()),
        "parameters": list(law.parameters),
        "positive": list(law.positive),
        "bounds": {name: [_end(lower), _end(upper)] for name, (lower, upper) in law.bounds.items()},
        "reference": law.reference,
        "traps": law.traps,
        "published": {name: _published_document(entry) for name, entry in published.of(law).items()},
    }


def _published_document(entry: Published) -> dict[str, object]:
    return {
        "params": dict(entry.params),
        "source": entry.source,
        "provenance": entry.provenance,
        "data": entry.data,
        "units": entry.units,
        "notes": entry.notes,
    }


def _coefficient_columns(law: Law, known: list[Published]) -> dict[str, list[Any]]:
    """One row per parameter: its bounds, and its value in every published set."""
    columns: dict[str, list[Any]] = {"parameter": list(law.parameters)}
    columns["lower"] = [law.bounds[name][0] for name in law.parameters]
    columns["upper"] = [law.bounds[name][1] for name in law.parameters]
    for entry in known:
        columns[entry.name] = [entry.params[name] for name in law.parameters]
    return columns


def _end(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None


VERB = Verb(
    name="laws",
    purpose="list or search the laws of the catalogue, or show all that is known of one",
    usage="[NAME|WORDS] [options]",
    example="""lawfit laws moe
lawfit laws chinchilla --format json""",
    add_arguments=add_arguments,
    run=run,
)
