"""A law for counts: the law of a probability, the size of its Beta distribution, and the deviance made of both."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lawfit import _engine
from lawfit._law import Law, Range
from lawfit._wording import describe
from lawfit.errors import LawError

# A size of a Beta distribution below which every problem is either always or never solved.
LEAST_SIZE = 1e-6
# Sizes beyond so many times the largest number of samples raise the variance of no count by more than a thousandth.
MOST_SIZES = 1000.0
QUOTES = "\"'`"


@dataclass(frozen=True, slots=True)
class CountLaw:
    """What is fitted to counts.

    Attributes
    ----------
    mean : Law
        The law of the probability, with its variables known.
    size : str or None
        Formula of the size of the Beta distribution; None for the binomial.
    limited : str or None
        The same, kept to where rounding leaves something of the likelihood.
    law : Law
        Half the deviance of a row: of the variables, the counts and all parameters, those of the mean first.
    correct, samples : str
        What the counts are called in ``law``.
    """

    mean: Law
    size: str | None
    limited: str | None
    law: Law
    correct: str
    samples: str

    @property
    def of_size(self) -> tuple[str, ...]:
        """Parameters that only the size has."""
        return tuple(name for name in self.law.parameters if name not in self.mean.parameters)

    @property
    def is_plain_size(self) -> bool:
        """Whether the size is a parameter by itself."""
        return self.size is not None and self.of_size == (self.size,)

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables of the mean and of the size."""
        return tuple(name for name in self.law.variables or () if name not in (self.correct, self.samples))

    def size_law(self) -> Law:
        """Return the size as a law of the same variables; its parameters may be fewer."""
        return self._made("({size})")

    def pass_at(self, attempts: str) -> Law:
        """Return the law of a success in so many attempts, with their number as a variable of that name."""
        call = "pass_at_k(({mean}), {k})" if self.size is None else "beta_pass_at_k(({mean}), ({size}), {k})"
        return self._made(call.replace("{k}", attempts), (attempts,))

    def _made(self, call: str, more: tuple[str, ...] = ()) -> Law:
        text = compose(self.mean.text, call, self.limited)
        names = _engine.names(text)
        return Law(text, [name for name in (*self.variables, *more) if name in names])


def count_law(
    mean: Law, size: object, *, columns: Iterable[str], mapped: Collection[str], most_samples: float
) -> CountLaw:
    """Compose the law of half the deviance from a law with known variables and a formula of the size, or None."""
    formula = _as_formula(size)
    taken = set(re.findall(r"\w+", f"{mean.text} {formula}"))
    correct, samples = unused("n_correct", taken), unused("n_samples", taken)
    counts = f"{correct}, {samples}, "
    call = f"binomial_deviance({counts}({{mean}}))"
    if formula is not None:
        call = f"beta_binomial_deviance({counts}({{mean}}), ({{size}}))"
    most = MOST_SIZES * most_samples
    text = compose(mean.text, call, formula)
    present = {*columns, *mapped}
    known = mean.variables or ()
    own = (*mean.names, correct, samples)
    beside = [name for name in _engine.names(text) if name not in own and name in present]
    bounds: dict[str, Range] = dict(mean.declared_bounds)
    positive = list(mean.positive)
    limited = formula
    if formula is not None and formula in _engine.names(text) and formula not in (*own, *beside):
        bounds[formula] = (LEAST_SIZE, most)
        positive.append(formula)
    elif formula is not None:
        # Beyond, differences of logarithms of gamma functions are rounding, which a search would follow.
        limited = f"min({formula}, {most!r})"
        text = compose(mean.text, call, limited)
    law = Law(text, [*known, *beside, correct, samples], positive=positive, bounds=bounds, starts=mean.starts)
    return CountLaw(mean, formula, limited, law, correct, samples)


def compose(text: str, call: str, size: str | None) -> str:
    """Put the last expression of a law and the size into a call, after the bindings of the law."""
    place = _last_expression(text)
    return text[:place] + call.replace("{mean}", text[place:].strip()).replace("{size}", size or "")


def unused(name: str, taken: Collection[str]) -> str:
    """Return a name like this one that is not taken."""
    while name in taken:
        name += "_"
    return name


def _last_expression(text: str) -> int:
    """Where the last expression begins: after the last semicolon that stands in no quotes."""
    quote, place = "", 0
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES:
            quote = letter
        elif letter == ";":
            place = at + 1
    return place


def _as_formula(size: object) -> str | None:
    if size is None:
        return None
    if not isinstance(size, str):
        shown = f"{size:g}" if isinstance(size, int | float) and math.isfinite(size) else describe(size)
        raise LawError(f'size: give a parameter such as "nu", or a formula, as text, not {shown}; "50" holds it at 50')
    if ";" in size:
        raise LawError(f"size={size!r}: give one formula; bindings belong to the law")
    _engine.names(size)
    return size.strip()
