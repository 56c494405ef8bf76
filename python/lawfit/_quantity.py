"""What an interval is for: a formula over the parameters, or the law at points of its variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lawfit import _engine
from lawfit._engine import F64
from lawfit._wording import describe, suggest
from lawfit.errors import DataError, LawError


def names_of(text: str, argument: str) -> tuple[str, ...]:
    """Names in a formula; ``LawError``, with the name of the argument, where it is none."""
    try:
        return _engine.names(text)
    except LawError as error:
        raise LawError(f"{argument}: {error}") from None


def names_in(quantity: object, parameters: Sequence[str]) -> tuple[str, ...]:
    """Names in a formula over the parameters; ``DataError`` if one is no parameter."""
    if not isinstance(quantity, str):
        raise DataError(f"quantity: give a parameter or a formula over parameters, not {describe(quantity)}")
    names = names_of(quantity, "quantity")
    for name in names:
        if name not in parameters:
            near = suggest(name, parameters, "the parameters are")
            raise DataError(f"{quantity!r}: {name!r} is not a parameter; {near}")
    return names


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """One formula at K points of its variables; a formula over parameters alone has one point.

    Attributes
    ----------
    text : str
        The formula.
    variables : tuple of str
        Its variables.
    x : numpy.ndarray
        (n_variables, K) their values.
    names : tuple of str
        The parameters that it names, U of them.
    places : tuple of int
        Where these stand among all parameters.
    """

    text: str
    variables: tuple[str, ...]
    x: F64
    names: tuple[str, ...]
    places: tuple[int, ...]

    def values(self, params: F64) -> F64:
        """Return (R, K) values at R sets of all parameters, (R, P)."""
        if self.text.strip() == self.names[0] and not self.variables:
            return self._own(params)
        return _engine.evaluate(self.text, self.variables, self.names, self.x, self._own(params))

    def slopes(self, params: F64) -> F64:
        """Return (R, U, K) exact derivatives with respect to ``names``."""
        return _engine.evaluate(
            self.text, self.variables, self.names, self.x, self._own(params), wrt=self.names, order=1
        )

    def _own(self, params: F64) -> F64:
        return np.ascontiguousarray(params[:, self.places])


def formula(text: object, parameters: Sequence[str]) -> Quantity:
    """Return the formula over parameters that a text means; ``DataError`` where it means none."""
    names = names_in(text, parameters)
    if not names:
        raise DataError(f"{text!r} names no parameter; the parameters are {', '.join(parameters)}")
    places = tuple(parameters.index(name) for name in names)
    return Quantity(str(text), (), np.empty((0, 1)), names, places)
