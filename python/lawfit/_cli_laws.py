"""``lawfit laws``: the catalogue listed and searched, and all that is known of one law."""

from __future__ import annotations

import argparse
import math
from typing import Any

from lawfit import laws
from lawfit._cli_output import Output, add_output, choose_format, json_text, write
from lawfit._cli_verb import DONE, Verb
from lawfit._law import Law
from lawfit._published import Published, published
from lawfit._text import table
from lawfit._wording import suggest
from lawfit.errors import LawError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "words", nargs="*", metavar="NAME|WORDS", help="show the law of this name, or list those that speak of these"
    )
    add_output(parser)


def run(chosen: argparse.Namespace) -> int:
    """Show one law, or list those in whose name, meaning, formula and reference all the words occur."""
    form = choose_format(chosen)
    law = laws.CATALOGUE.get(" ".join(chosen.words))
    output = _list(chosen.words) if law is None else _one(law)
    write(output.content(form), chosen.output)
    return DONE


def _list(words: list[str]) -> Output:
    found = [
        law
        for name, law in laws.CATALOGUE.items()
        if all(word.lower() in f"{name}\n{law.title}\n{law.text}\n{law.reference}".lower() for word in words)
    ]
    if not found:
        sought = " ".join(words)
        raise LawError(f"no law of the catalogue speaks of {sought!r}; {suggest(sought, laws.CATALOGUE)}")
    return Output(
        table=lambda: _listing(found),
        json=lambda: json_text([_law_document(law) for law in found]),
        columns=lambda: {
            "name": [law.name for law in found],
            "formula": [law.text for law in found],
            "meaning": [law.title for law in found],
            "reference": [law.reference for law in found],
        },
    )


def _listing(found: list[Law]) -> str:
    """Names and meanings, each with its formula below: formulas are too long for a column of a terminal."""
    lines = table(["name", "meaning"], [[law.name or "", law.title or ""] for law in found], left=2)
    indent = " " * (max(len(law.name or "") for law in found) + 2)
    pairs = ([line, f"{indent}{law.text}"] for line, law in zip(lines[1:], found, strict=True))
    return "\n".join(line for pair in pairs for line in pair)


def _one(law: Law) -> Output:
    known = list(published.of(law).values())
    return Output(
        table=lambda: "\n\n".join([f"{law!r}\n  latex       {law.to_latex()}", *map(repr, known)]),
        json=lambda: json_text(_law_document(law)),
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
        "units": dict(law.units),
        "positive": list(law.positive),
        "bounds": {name: [_end(lower), _end(upper)] for name, (lower, upper) in law.bounds.items()},
        "starts": {name: list(ends) for name, ends in law.starts.items()},
        "reference": law.reference,
        "traps": list(law.traps),
        "checks": dict(law.checks),
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
