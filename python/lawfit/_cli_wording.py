"""Messages of public functions in the words of the command line: ``missing="drop"`` is ``--missing drop``."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections.abc import Mapping

_VALUE = r"\{[^}]*\}|\"[^\"]*\"|'[^']*'|[-+\w.]*\w"


def option_names(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Options of a verb by the name of the Python argument that they become."""
    return {action.dest: action.option_strings[-1] for action in parser._actions if action.option_strings}


def in_options(message: str, options: Mapping[str, str]) -> str:
    """Write the Python arguments that a message names as the options that they are here."""
    names = "|".join(sorted(map(re.escape, options), key=len, reverse=True))
    begun = re.sub(rf"^({names}):", lambda found: f"{options[found[1]]}:", message)
    return re.sub(rf"(?<![\w-])({names})=({_VALUE})?", lambda found: _as_option(found, options[found[1]]), begun)


def _as_option(found: re.Match[str], option: str) -> str:
    value = found[2]
    if value is None:
        return option
    if not value.startswith(("{", '"', "'")):
        return f"{option} {value}"
    if value == "{...}":
        return f"{option} NAME=..."
    try:
        given: object = ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return f"{option} {value}"
    if isinstance(given, dict):
        return " ".join(f"{option} {quoted(f'{name}={_plain(each)}')}" for name, each in given.items())
    return f"{option} {quoted(str(given))}"


def _plain(value: object) -> str:
    """Write the two ends of a bound, or the mean and standard deviation of a prior, with a colon between them."""
    if isinstance(value, tuple):
        return ":".join("" if end is None else f"{end}" for end in value)
    return f"{value}"


def quoted(text: str) -> str:
    """Quote a text for a shell where it needs that, in double quotes if they do."""
    if shlex.quote(text) == text:
        return text
    return shlex.quote(text) if any(mark in text for mark in '"$`\\!') else f'"{text}"'
