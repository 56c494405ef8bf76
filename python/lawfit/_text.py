"""Tables of text for people: aligned columns, numbers of a sensible length."""

from __future__ import annotations

import math
from collections.abc import Sequence


def number(value: float, digits: int = 6) -> str:
    """Write a number with so many significant digits; an undefined one is a dash."""
    if math.isnan(value):
        return "-"
    return f"{value:.{digits}g}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Lines of a table: the first ``left`` columns to the left, the others to the right."""
    every = [header, *rows]
    widths = [max(len(line[i]) for line in every) for i in range(len(header))]
    return ["  ".join(_aligned(line, widths, left)).rstrip() for line in every]


def _aligned(line: Sequence[str], widths: Sequence[int], left: int) -> list[str]:
    pairs = enumerate(zip(line, widths, strict=True))
    return [cell.ljust(width) if i < left else cell.rjust(width) for i, (cell, width) in pairs]


def fields(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Lines of names and what they are, the latter in one column."""
    width = max(len(name) for name, _ in pairs) + 2
    return [f"{name.ljust(width)}{text}" for name, text in pairs]
