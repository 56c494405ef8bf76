"""Values as JSON that comes back bit for bit: arrays, tuples, numbers that JSON has no word for, known records."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from lawfit._named import Named
from lawfit._wording import describe
from lawfit.errors import DataError

# A record's class by the name it is written under; nothing else is ever made from a file.
Known = Mapping[str, type]
# How to take a record apart whose fields are not the arguments that make it.
Parts = Mapping[type, Callable[[Any], dict[str, object]]]


def encode(value: object, known: Known, parts: Parts) -> object:
    """Return a value as JSON holds it; `decode` gives it back.

    Raises
    ------
    DataError
        There is something in it that a file cannot hold, such as a date as the key of a group.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str | float):
        return {"float": repr(value)} if isinstance(value, float) and not math.isfinite(value) else value
    if isinstance(value, np.ndarray):
        return _of_array(value)
    if known.get(type(value).__name__) is type(value):
        fields_of = _taken_apart(value, parts)
        return {"type": type(value).__name__, **{name: encode(each, known, parts) for name, each in fields_of.items()}}
    if isinstance(value, Mapping):
        pairs = [[encode(each, known, parts) for each in pair] for pair in value.items()]
        return {"named" if isinstance(value, Named) else "dict": pairs}
    if isinstance(value, tuple | list):
        found = [encode(each, known, parts) for each in value]
        return {"tuple": found} if isinstance(value, tuple) else found
    raise DataError(f"save: a file cannot hold {describe(value)}: {value!r}")


def _of_array(array: np.ndarray[Any, np.dtype[Any]]) -> object:
    flat = array.ravel().tolist()
    if array.dtype.kind == "f":
        flat = [number if math.isfinite(number) else repr(number) for number in flat]
    return {"array": array.dtype.name, "shape": list(array.shape), "values": flat}


def _taken_apart(value: Any, parts: Parts) -> dict[str, object]:
    if type(value) in parts:
        return parts[type(value)](value)
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    named: dict[str, object] = value._asdict()
    return named


def decode(value: object, known: Known) -> Any:
    """Return what `encode` was given.

    Raises
    ------
    KeyError, TypeError, ValueError
        It was not written by `encode`, or names a class that is not known.
    """
    if isinstance(value, list):
        return [decode(each, known) for each in value]
    if not isinstance(value, dict):
        return value
    if "float" in value:
        return float(value["float"])
    if "array" in value:
        return np.array(value["values"], dtype=value["array"]).reshape(value["shape"])
    if "named" in value:
        return Named([(name, decode(each, known)) for name, each in value["named"]])
    if "dict" in value:
        return {decode(name, known): decode(each, known) for name, each in value["dict"]}
    if "tuple" in value:
        return tuple(decode(each, known) for each in value["tuple"])
    kind = known[value["type"]]
    return kind(**{name: decode(each, known) for name, each in value.items() if name != "type"})
