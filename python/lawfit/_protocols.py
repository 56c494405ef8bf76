"""Protocols: what a paper minimised, and from where, set by one word.

A protocol sets the objective and the starts of a fit; the solver stays lawfit's own, since a paper's optimum does not
depend on how it is found.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lawfit._law import Law
from lawfit._named import Named
from lawfit._text import fields, table
from lawfit._wording import describe, suggest
from lawfit.errors import LawError

# What a fit does where neither the call nor a protocol says.
DEFAULTS: Named[object] = Named({"loss": "huber", "f_scale": "mad", "residual": "log", "starts": "auto"})


@dataclass(frozen=True, slots=True, repr=False)
class Protocol:
    """How one paper fitted its law.

    Attributes
    ----------
    name, title, reference : str
        What it is called, what it does in one line, and where that is described.
    sets : Named
        Arguments of `lawfit.fit` and the values that they get.
    parameters : tuple of str
        Parameters of the laws that it is for.
    traps : tuple of str
        What to know before the numbers are compared with the paper's.
    """

    name: str
    title: str
    reference: str
    sets: Named[object]
    parameters: tuple[str, ...]
    traps: tuple[str, ...]

    def __repr__(self) -> str:
        """Return the form for people."""
        facts = [
            ("sets", shown(self.sets)),
            ("for", f"laws with the parameters {', '.join(self.parameters)}"),
            ("reference", self.reference),
            *((("traps" if i == 0 else ""), trap) for i, trap in enumerate(self.traps)),
        ]
        return "\n".join([f"Protocol {self.name}: {self.title}", *(f"  {line}" for line in fields(facts))])


@dataclass(frozen=True, slots=True)
class Followed:
    """A protocol as one fit followed it.

    Attributes
    ----------
    name : str
        Which one.
    sets : Named
        Arguments that it set.
    changed : Named
        Those for which the call said something else, with what it said.
    """

    name: str
    sets: Named[object]
    changed: Named[object]


def _grid(**values: tuple[float, ...]) -> Named[tuple[float, ...]]:
    """Put starts on the points of a grid: one tuple a parameter."""
    points = itertools.product(*values.values())
    return Named(zip(values, zip(*points, strict=True), strict=True))


_PORIAN_STARTS = _grid(
    alpha=(0.0, 0.1, 0.2, 0.3),
    E=tuple(math.exp(e) for e in (-1.0, -0.5, 0.0, 0.5, 1.0)),
    A=tuple(math.exp(a) for a in (0.0, 5.0, 10.0, 15.0, 20.0, 25.0)),
)

_ENTRIES = (
    Protocol(
        name="hoffmann2022",
        title="Huber's loss at 1e-3 on log residuals, from a grid of 4,500 starts",
        reference="Hoffmann et al. 2022, arXiv:2203.15556, section 3.3 and appendix D.3",
        sets=Named({"loss": "huber", "f_scale": 1e-3, "residual": "log", "starts": "hoffmann2022"}),
        parameters=("E", "A", "alpha", "B", "beta"),
        traps=(
            "the published coefficients are not at the minimum of this objective: their search stopped early",
            "which rows are fitted matters more: with the five runs of highest loss beta is .45, without them .37",
        ),
    ),
    Protocol(
        name="besiroglu2024",
        title="likelihood of a Huber density with a fitted scale: in effect least absolute deviations of log residuals",
        reference="Besiroglu et al. 2024, arXiv:2404.10102, and its notebook data_analysis.ipynb",
        sets=Named({"loss": "huber", "f_scale": "fitted", "residual": "log", "starts": "hoffmann2022"}),
        parameters=("E", "A", "alpha", "B", "beta"),
        traps=(
            "their intervals are of another fit, Huber's loss at 1e-3: give f_scale=1e-3, and bootstrap by pairs",
            "they leave out the five runs of highest loss",
        ),
    ),
    Protocol(
        name="porian2024",
        title="least squares of log residuals for the lowest loss by compute, from a grid of 120 starts",
        reference="Porian et al. 2024, arXiv:2406.19146, and fit_loss_with_saturation in its code",
        sets=Named({"loss": "squared", "residual": "log", "starts": _PORIAN_STARTS}),
        parameters=("E", "A", "alpha"),
        traps=(
            "it is no law of parameters and tokens: rows are interpolated minima of isoFLOP curves, x is in FLOP",
            "they use budgets between 1e16 and 5e17 FLOP, and compare the ends of starts by Huber's loss at 1e-3",
        ),
    ),
    Protocol(
        name="roberts2026",
        title="least squares of the task loss, mean -log pass@k, from 500 starts (T2, Approach 1)",
        reference="Roberts et al. 2026, arXiv:2604.01411, section 3.1 and appendix F",
        sets=Named({"loss": "squared", "residual": "linear", "starts": 500}),
        parameters=("E", "A", "alpha", "B", "beta", "G", "gamma"),
        traps=(
            "the paper does not say how its restarts are drawn: these are lawfit's own, from the data",
            "pass@2 <= 2*pass@1 needs gamma*G <= 1, which free fits to real counts break",
            "its response is the mean over problems of -log pass@k, not -log of the mean",
        ),
    ),
)


class Protocols(Mapping[str, Protocol]):
    """Protocols by name; an unknown name is answered with the names that there are."""

    __slots__ = ("_protocols",)

    def __init__(self, entries: tuple[Protocol, ...]) -> None:
        self._protocols = {protocol.name: protocol for protocol in entries}

    def __getitem__(self, name: str) -> Protocol:
        """Look one up."""
        if name not in self._protocols:
            raise KeyError(f"there is no protocol {name!r}; {suggest(name, self._protocols)}")
        return self._protocols[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a name."""
        return name in self._protocols

    def __iter__(self) -> Iterator[str]:
        """Go through them in order."""
        return iter(self._protocols)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._protocols)

    def __repr__(self) -> str:
        """Return the form for people."""
        rows = [[name, shown(protocol.sets), protocol.title] for name, protocol in self._protocols.items()]
        return "\n".join(table(["protocol", "sets", "what it is"], rows, left=3))


protocols = Protocols(_ENTRIES)


def follow(name: str | None, law: Law, given: Mapping[str, object | None]) -> tuple[dict[str, object], Followed | None]:
    """Fill in what a call leaves open: from its protocol, then from the defaults.

    ``given`` holds the arguments of the call, None where it says nothing. What it says holds, and the second value
    tells what of the protocol it changed.
    """
    said = {key: value for key, value in given.items() if value is not None}
    if name is None:
        return {**DEFAULTS, **said}, None
    protocol = _lookup(name)
    _check_law(protocol, law)
    sets = protocol.sets
    # Starts as arrays are the caller's own, and have no single truth value.
    changed = [key for key in sets if key in said and (isinstance(said[key], Mapping) or said[key] != sets[key])]
    followed = Followed(protocol.name, sets, Named({key: _said(said[key]) for key in changed}))
    return {**DEFAULTS, **sets, **said}, followed


def shown(sets: Mapping[str, object]) -> str:
    """Arguments and their values in a few characters."""
    return ", ".join(f"{key}={_short(value)}" for key, value in sets.items())


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return f"a grid of {len(next(iter(value.values())))}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def plain_sets(sets: Mapping[str, object]) -> dict[str, object]:
    """Arguments and their values as JSON can hold them."""
    return {key: _short(value) if isinstance(value, Mapping) else value for key, value in sets.items()}


def _said(value: object) -> object:
    """Return what the call said, as a number or a word."""
    return value if isinstance(value, str | int | float) else "given"


def _lookup(name: object) -> Protocol:
    if not isinstance(name, str):
        raise LawError(f"protocol: give one of {', '.join(protocols)}, not {describe(name)}")
    if name not in protocols:
        raise LawError(f"protocol={name!r} is not known; {suggest(name, protocols)}")
    return protocols[name]


def _check_law(protocol: Protocol, law: Law) -> None:
    if set(law.parameters) != set(protocol.parameters):
        raise LawError(
            f"protocol={protocol.name!r} is for laws with the parameters {', '.join(protocol.parameters)}; this law "
            f"has {', '.join(law.parameters)}: leave protocol= out and give what you want of "
            f"{shown(protocol.sets)}, or fit the law of the paper"
        )
