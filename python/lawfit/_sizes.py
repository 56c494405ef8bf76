"""Numbers written as people write sizes: "2.8B", "150M", "1.4 T", "1e9", "7 billion"."""

from __future__ import annotations

import re

# Powers of ten; case does not matter. B is a billion and T a trillion, as in the names of models.
POWERS = {"k": 3, "m": 6, "b": 9, "g": 9, "t": 12, "p": 15, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
RULE = 'a number with or without one of K, M, B (or G), T, P, as in "150M", "2.8B" or "1.4 trillion"'
_SIZE = re.compile(
    r"([+-]?)(\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*)?(\.\d*)?(?:e([+-]?\d+))?\s*([a-z]+)?", re.IGNORECASE | re.ASCII
)


def parse_size(text: str) -> float | None:
    """Return the number that a text stands for; None where it stands for none."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        return None
    sign, whole, fraction, exponent, suffix = found.groups()
    digits = (whole or "").replace(",", "").replace("_", "") + (fraction or "")
    if not any(digit.isdigit() for digit in digits):
        return None
    if suffix is not None and suffix.lower() not in POWERS:
        return None
    # One conversion of the whole decimal, so that "2.8B" is 2.8e9 to the last bit.
    power = int(exponent or 0) + (POWERS[suffix.lower()] if suffix else 0)
    return float(f"{sign}{digits}e{power}")
