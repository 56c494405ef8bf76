"""Words for messages: lists of names, the nearest name to a misspelt one, bounds in a few characters."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable


def bounded(name: str, pair: tuple[float, float]) -> str:
    """Write a parameter with its bounds, in a few characters."""
    lower, upper = pair
    if (lower, upper) == (-math.inf, math.inf):
        return name
    if upper == math.inf:
        return f"{name} >= {lower:g}"
    if lower == -math.inf:
        return f"{name} <= {upper:g}"
    return f"{lower:g} <= {name} <= {upper:g}"


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names joined by commas; a long list is cut, and says by how much."""
    every = [str(name) for name in names]
    cut = f", ... ({len(every) - most} more)" if len(every) > most else ""
    return ", ".join(every[:most]) + cut if every else "(none)"


def nearest(name: object, allowed: Iterable[str]) -> str | None:
    """Return the allowed name that is nearest to a misspelt one, if one is near."""
    folded = {other.lower(): other for other in allowed}
    near = difflib.get_close_matches(str(name).lower(), folded, n=1)
    return folded[near[0]] if near else None


def suggest(name: object, allowed: Iterable[str], introduction: str = "choose one of:") -> str:
    """End of an error message: the nearest allowed name, if one is near, and all of them."""
    every = list(allowed)
    near = nearest(name, every)
    hint = "" if near is None else f"did you mean {near!r}? "
    return f"{hint}{introduction} {listed(every)}"


def describe(value: object) -> str:
    """Say what a wrong argument is."""
    return f"a value of type {type(value).__name__}"
