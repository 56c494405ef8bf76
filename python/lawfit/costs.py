"""Costs by name, beside formulas: ``training + inference(tokens=1e13)`` is text that any budget takes.

A name of the catalogue stands for its formula. Its arguments are written in parentheses, numbers or formulas, and may
hold other costs: ``dollars(flops=training, price=2, peak=1e15, utilization=0.4)``. Costs add, as all formulas do. Where
a law has a variable of that name, the variable is meant.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine
from lawfit._cost_catalogue import CATALOGUE as CATALOGUE
from lawfit._cost_catalogue import LAYERS, SHAPE, WIDTH, Cost, meant, shape_of
from lawfit._engine import F64
from lawfit._wording import describe, listed, suggest
from lawfit.errors import DataError, LawError

_WORD = re.compile(r"[A-Za-z_]\w*")
# What follows a cost and nothing else of the language: an argument by its name.
_CALL = re.compile(r"\s*\(\s*[A-Za-z_]\w*\s*=(?!=)")
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
# Costs inside of costs; more are a mistake.
_MOST_NESTED = 20


def expand(text: str, variables: Collection[str] = ()) -> str:
    """Return a formula with every cost that it names written out.

    Parameters
    ----------
    text : str
        A formula that may name costs, such as ``"training + inference(tokens=1e13)"``.
    variables : collection of str
        Names that are variables, even if a cost has the same name.

    Returns
    -------
    str
        The formula, in the language of laws; the same text where it names no cost.

    Raises
    ------
    LawError
        An argument is unknown, missing or given twice, or parentheses do not close.

    Notes
    -----
    When to use: to see what a budget means. Plans and `evaluate` call it by themselves.

    Examples
    --------
    >>> import lawfit as lf
    >>> lf.costs.expand("training + inference(tokens=1e13)")
    '(6*N*D) + (2*N*1e13)'
    """
    if not isinstance(text, str):
        raise LawError(f'a cost is a text such as "training", not {describe(text)}')
    return _expanded(text, variables, 0)


def evaluate(text: str, **values: ArrayLike) -> F64:
    """Evaluate a cost, or a formula that names costs, at values of its variables.

    Parameters
    ----------
    text : str
        Such as ``"kaplan_training(context=4096, n_layers=n_layers, d_model=d_model)"``.
    **values : array-like
        Variables by name; arrays are broadcast.

    Returns
    -------
    numpy.ndarray
        Of the shape of the values together.

    Raises
    ------
    LawError
        The text cannot be read, or names what has no value.
    DataError
        Shapes do not go together, or a value is no number.

    Notes
    -----
    When to use: to price runs of a table, whose shapes may be columns, or a plan under another accounting.

    Examples
    --------
    >>> import lawfit as lf
    >>> hours = lf.costs.evaluate("gpu_hours(peak=1e15, utilization=0.4)", N=70e9, D=1.4e12)
    >>> f"{hours:.3g}"
    '4.08e+05'
    """
    formula = expand(text, values)
    arrays = {name: _arrays.as_float64(value, name) for name, value in values.items()}
    for name in _engine.names(formula):
        if name not in arrays:
            raise LawError(f"{text!r}: {name!r} has no value; {meant(name, arrays, 'given are')}")
    if not arrays:
        raise DataError(f"{text!r}: give values of its variables by name, such as N=7e9")
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        sizes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise DataError(f"the values have shapes that do not go together: {sizes}") from None
    columns = [
        (name, np.ascontiguousarray(np.broadcast_to(array, shape).ravel()), "number", ())
        for name, array in arrays.items()
    ]
    found: F64 = _engine.evaluate_columns(formula, columns, want="number", argument="cost").reshape(shape)
    return found[()]


def _expanded(text: str, variables: Collection[str], depth: int) -> str:
    if depth > _MOST_NESTED:
        raise LawError(f"costs stand inside of each other more than {_MOST_NESTED} deep")
    out, at = [], 0
    for word in _WORD.finditer(text):
        name = word.group()
        if word.start() < at or name in variables or _is_quoted(text, word.start()):
            continue
        if name not in CATALOGUE:
            if _CALL.match(text, word.end()) is not None:
                known = suggest(name, CATALOGUE, "costs are")
                raise LawError(f"{name}: only costs take name=value, and this is none; {known}")
            continue
        out.append(text[at : word.start()])
        end = word.end()
        inside = re.match(r"\s*\(", text[end:])
        given: dict[str, str] = {}
        if inside is not None:
            parts, end = _arguments(text, end + inside.end(), name)
            given = _named(parts, CATALOGUE[name], variables, depth)
        out.append(f"({_filled(CATALOGUE[name], given)})")
        at = end
    return "".join([*out, text[at:]])


def _is_quoted(text: str, place: int) -> bool:
    return any(text[:place].count(quote) % 2 == 1 for quote in "`'\"")


def _arguments(text: str, place: int, name: str) -> tuple[list[str], int]:
    """Parts between the parentheses, cut at the commas that stand in no others, and where they end."""
    parts, depth, begin = [], 0, place
    for at in range(place, len(text)):
        letter = text[at]
        if letter == "," and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
        elif letter == "(":
            depth += 1
        elif letter == ")" and depth == 0:
            parts.append(text[begin:at])
            return [part.strip() for part in parts if part.strip()], at + 1
        elif letter == ")":
            depth -= 1
    raise LawError(f"{text!r}: the parenthesis after {name} is not closed")


def _named(parts: list[str], cost: Cost, variables: Collection[str], depth: int) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in parts:
        match = re.fullmatch(r"([A-Za-z_]\w*)\s*=(?!=)\s*(.+)", part, flags=re.DOTALL)
        if match is None:
            if not cost.arguments:
                raise LawError(
                    f"{cost.name}({part}): {cost.name} takes no arguments; for a product write {cost.name}*({part})"
                )
            raise LawError(f"{cost.name}({part}): write name=value; {cost.name} takes {listed(cost.arguments)}")
        argument, value = match.groups()
        if argument not in cost.arguments:
            known = suggest(argument, cost.arguments, "it takes") if cost.arguments else "it takes none"
            raise LawError(f"{cost.name}: {argument!r} is not one of its arguments; {known}")
        if argument in given:
            raise LawError(f"{cost.name}: {argument} is given twice")
        if cost.arguments[argument].is_share and _NUMBER.fullmatch(value) and not 0.0 < float(value) <= 1.0:
            raise LawError(
                f"{cost.name}: {argument}={value} is no share; give a number above 0 and at most 1, such as 0.4"
            )
        given[argument] = _expanded(value.strip(), variables, depth + 1)
    return given


def _filled(cost: Cost, given: Mapping[str, str]) -> str:
    """Put the arguments into the formula; those that are left out by their defaults, which may name others."""
    values: dict[str, str] = {}
    for name, argument in cost.arguments.items():
        if name in given:
            values[name] = given[name]
        elif argument.default is None:
            raise LawError(f"{cost.name}: say {name}=, {argument.meaning}")
        elif name not in SHAPE:
            values[name] = argument.default
    if LAYERS in cost.arguments:
        if LAYERS in given and WIDTH in given and "aspect" in given:
            raise LawError(f"{cost.name}: {LAYERS} and {WIDTH} say the shape; leave out aspect=")
        values.update(shape_of(given))
    # What a default names is filled in as well; what was given is the caller's own text.
    own = {name: value for name, value in values.items() if name not in given}
    for name, value in own.items():
        if name not in (LAYERS, WIDTH):
            values[name] = _put(value, {key: each for key, each in values.items() if key != name})
    return _put(cost.text, values)


def _put(text: str, values: Mapping[str, str]) -> str:
    def value(word: re.Match[str]) -> str:
        found = values.get(word.group())
        if found is None:
            return word.group()
        is_plain = re.fullmatch(r"[\w.]+|\d[\d.]*[eE]\+?\d+", found) is not None
        return found if is_plain else f"({found})"

    return _WORD.sub(value, text)
