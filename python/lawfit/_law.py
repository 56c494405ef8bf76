"""A law: a formula with the declarations that make it one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, SupportsFloat, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine, _latex
from lawfit._engine import F64
from lawfit._named import Named
from lawfit._wording import bounded, describe, listed, suggest
from lawfit.errors import LawError

Range: TypeAlias = tuple[float, float]
RangeLike: TypeAlias = Sequence[float | None]

UNBOUNDED: Range = (-math.inf, math.inf)


class Settled(NamedTuple):
    """What follows from the declarations of a law whose variables are known."""

    parameters: tuple[str, ...]
    bounds: Named[Range]  # of every parameter
    terms: tuple[str, ...]  # additive ones, as the engine splits the formula


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Law:
    """A parametric curve or surface, written as text.

    Its text with its declarations is its whole identity: laws compare, hash, print and pickle by them.

    Parameters
    ----------
    text : str
        The formula in the law language, such as ``"E + A*N**-alpha + B*D**-beta"``.
    variables : sequence of str, optional
        Names that vary in the data; every other name is a parameter. Without them the law is a template: the names
        that are columns of the data become its variables when it meets data.
    positive : sequence of str
        Parameters that are at least 0. The engine may then rewrite the logarithm of the law exactly.
    bounds : mapping of str to (lower, upper)
        Bounds of parameters; ``None`` or an infinity where there is none.
    starts : mapping of str to (lower, upper)
        Ranges from which starting values are drawn, instead of those that the engine derives from the formula.
    name, title, reference : str, optional
        What the law is called, what it means in one line, and where it comes from. Not part of its identity.
    units : mapping of str to str
        Units of the variables. Not part of its identity.
    traps : sequence of str
        Sentences on what goes wrong with it. Not part of its identity.
    checks : mapping of str to str
        Conditions over the parameters that a sensible fit meets, such as ``"gamma*G <= 1"``, each with what it means
        that one does not: a fit that breaks one says so. Not part of its identity.

    Raises
    ------
    LawError
        The formula or a declaration is wrong; the message points at the place.

    Notes
    -----
    When to use: for any law that `lawfit.laws` does not hold. Positive amplitudes make the fit both faster and safer,
    so declare them.

    Examples
    --------
    >>> import lawfit as lf
    >>> law = lf.Law("E + A*N**-alpha", variables=["N"], positive=["E", "A"], bounds={"alpha": (0, 3)})
    >>> law.parameters
    ('E', 'A', 'alpha')
    >>> float(law.evaluate(N=100.0, params={"E": 1.0, "A": 5.0, "alpha": 0.5}))
    1.5
    """

    text: str
    variables: tuple[str, ...] | None
    positive: tuple[str, ...]
    declared_bounds: Named[Range]
    starts: Named[Range]
    names: tuple[str, ...] = field(compare=False)
    name: str | None = field(compare=False)
    title: str | None = field(compare=False)
    units: Named[str] = field(compare=False)
    reference: str | None = field(compare=False)
    traps: tuple[str, ...] = field(compare=False)
    checks: Named[str] = field(compare=False)
    _settled: Settled | None = field(compare=False)  # None: a template

    def __init__(
        self,
        text: str,
        variables: Sequence[str] | None = None,
        *,
        positive: Sequence[str] = (),
        bounds: Mapping[str, RangeLike] | None = None,
        starts: Mapping[str, RangeLike] | None = None,
        name: str | None = None,
        title: str | None = None,
        units: Mapping[str, str] | None = None,
        reference: str | None = None,
        traps: Sequence[str] = (),
        checks: Mapping[str, str] | None = None,
    ) -> None:
        if not isinstance(text, str):
            raise LawError(f"a law is a text such as 'E + A*N**-alpha', not {describe(text)}")
        names = _engine.names(text)
        for argument, given in (("name", name), ("title", title), ("reference", reference)):
            if given is not None and not isinstance(given, str):
                raise LawError(f"{argument}: give a text, not {describe(given)}")
        if units is not None and not isinstance(units, Mapping):
            raise LawError(f"units: give a mapping from variables to units, not {describe(units)}")
        if checks is not None and not isinstance(checks, Mapping):
            raise LawError(f"checks: give a mapping from conditions to sentences, not {describe(checks)}")
        declared = None if variables is None else names_list("variables", variables)
        positives = names_list("positive", positive)
        values = {
            "text": text.strip(),
            "variables": declared,
            "positive": positives,
            "declared_bounds": as_ranges("bounds", bounds),
            "starts": as_ranges("starts", starts),
            "names": names,
            "name": name,
            "title": title,
            "units": Named({} if units is None else units),
            "reference": reference,
            "traps": names_list("traps", traps),
            "checks": Named({} if checks is None else checks),
        }
        for key, value in values.items():
            object.__setattr__(self, key, value)
        object.__setattr__(self, "_settled", self._checked())

    def _checked(self) -> Settled | None:
        """Check the declarations against the names of the formula, then the formula as the engine sees it."""
        for variable in self.variables or ():
            if variable not in self.names:
                raise LawError(f"variables: {variable!r} does not occur in the law {self.text!r}")
        checked = [name for condition in self.checks for name in _engine.names(condition)]
        named = {"positive": self.positive, "bounds": self.declared_bounds, "starts": self.starts, "checks": checked}
        parameters = tuple(name for name in self.names if name not in (self.variables or ()))
        for argument, key in ((argument, key) for argument, given in named.items() for key in given):
            self._check_among(parameters, argument, key)
        for key in self.positive:
            lower, upper = self.declared_bounds.get(key, (0.0, math.inf))
            if lower < 0.0 or upper < 0.0:
                raise LawError(f"bounds: {key}=({lower:g}, {upper:g}) contradicts positive=, which means at least 0")
        for key, (lower, upper) in self.starts.items():
            if not (math.isfinite(lower) and math.isfinite(upper)):
                raise LawError(f"starts: the range of {key} needs two finite ends, got ({lower:g}, {upper:g})")
        if self.variables is None:
            return None
        bounds = {}
        for name in parameters:
            lower, upper = self.declared_bounds.get(name, UNBOUNDED)
            bounds[name] = (max(lower, 0.0), upper) if name in self.positive else (lower, upper)
        return Settled(parameters, Named(bounds), _engine.compile_law(self.text, self.variables, self.positive).terms)

    @property
    def is_template(self) -> bool:
        """Whether the variables are still to be found among the columns of the data."""
        return self.variables is None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the formula.

        Raises
        ------
        LawError
            The law is a template: which names are parameters is known only once it meets data (`bind`).
        """
        return self.settled.parameters

    @property
    def bounds(self) -> Named[Range]:
        """Bounds of every parameter; a positive one has the lower bound 0."""
        return self.settled.bounds

    @property
    def settled(self) -> Settled:
        """What follows from the declarations once the variables are known."""
        if self._settled is None:
            raise LawError(
                f"the law {self.text!r} has no variables yet: give variables=[...], or bind it to the columns of a "
                f"table; its names are {', '.join(self.names)}"
            )
        return self._settled

    def check_parameter(self, argument: str, key: str) -> None:
        """Raise ``LawError`` unless ``key`` is a parameter of this law; ``argument`` is what the user wrote it in."""
        self._check_among(self.names if self._settled is None else self._settled.parameters, argument, key)

    def _check_among(self, allowed: tuple[str, ...], argument: str, key: str) -> None:
        if key in allowed:
            return
        if key in (self.variables or ()):
            raise LawError(f"{argument}: {key!r} is a variable of the law {self.text!r}, not a parameter")
        raise LawError(f"{argument}: {key!r} is not a parameter of the law {self.text!r}; {suggest(key, allowed)}")

    def bind(self, columns: Iterable[str], *, mapped: Iterable[str] = ()) -> Law:
        """Law whose variables are known: those declared, or else its names that are among ``columns`` or ``mapped``.

        Raises
        ------
        LawError
            No name is a column, a declared variable is missing, or a parameter could be mistaken for a column.
        """
        known = list(columns)
        present = {*known, *mapped}
        if self.variables is None:
            variables = tuple(name for name in self.names if name in present)
            self._refuse_look_alikes(variables, known)
            if not variables:
                raise LawError(
                    f"no name of the law {self.text!r} is a column, so it has no variable; its names are "
                    f"{', '.join(self.names)}; the columns are {listed(known)}; map them with columns={{...}} "
                    "(--column NAME=... on the command line)"
                )
            return self.rewritten(self.text, variables)
        for variable in self.variables:
            if variable not in present:
                near = suggest(variable, known, "the columns are")
                raise LawError(
                    f"the variable {variable!r} of the law is not a column; {near}; say which it is with "
                    f'columns={{"{variable}": "..."}} (--column {variable}=... on the command line)'
                )
        if self.name is not None:
            for parameter in self.parameters:
                if parameter in known:
                    raise LawError(
                        f"{parameter!r} is a parameter of the law {self.name} and also a column; rename the column, or "
                        f"write the law as text: Law({self.text!r}, variables={list(self.variables)})"
                    )
        return self

    def _refuse_look_alikes(self, variables: tuple[str, ...], columns: list[str]) -> None:
        """Refuse a parameter that equals a column up to case: most likely a variable that was misspelt."""
        for name in self.names:
            if name in variables:
                continue
            for column in columns:
                if column.lower() == name.lower():
                    raise LawError(
                        f"{name!r} in the law {self.text!r} would be a parameter, but {column!r} is a column; write "
                        f"{column!r} if it is that variable, or give variables=[...] if it is not"
                    )

    def rewritten(self, text: str, variables: Sequence[str]) -> Law:
        """Return another formula over the same parameters, with what is declared of them and said of this one."""
        return Law(
            text,
            variables,
            positive=self.positive,
            bounds=self.declared_bounds,
            starts=self.starts,
            name=self.name,
            title=self.title,
            units=self.units,
            reference=self.reference,
            traps=self.traps,
            checks=self.checks,
        )

    def evaluate(
        self, points: Mapping[str, ArrayLike] | None = None, /, *, params: Mapping[str, float], **variables: ArrayLike
    ) -> F64:
        """Values of the law.

        Parameters
        ----------
        points : mapping of str to array, optional
            Values of the variables by name, for names that are not Python identifiers.
        params : mapping of str to float
            One value for each parameter.
        **variables : array-like
            Values of the variables by name; scalars and arrays are broadcast together.

        Returns
        -------
        numpy.ndarray
            float64, of the shape that the variables have together.

        Raises
        ------
        LawError
            A variable or a parameter is missing or unknown.

        Notes
        -----
        When to use: for a law with published coefficients, without a fit. After a fit, `Fit.predict` knows them.

        Examples
        --------
        >>> import lawfit as lf
        >>> hoffmann = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
        >>> lf.laws.chinchilla.evaluate(N=70e9, D=1.4e12, params=hoffmann).round(4)
        np.float64(1.9366)
        """
        law, x, shape = self.located(points, variables)
        values = law.parameter_vector("params", params)
        out = _engine.evaluate(law.text, law.variables or (), law.parameters, x, values[np.newaxis, :])[0]
        shaped: F64 = out.reshape(shape)[()]
        return shaped

    def located(
        self, points: Mapping[str, ArrayLike] | None, variables: Mapping[str, ArrayLike]
    ) -> tuple[Law, F64, tuple[int, ...]]:
        """Bind the law to points of its variables, as (n_variables, n_points) and the shape that they have together."""
        if points is not None and not isinstance(points, Mapping):
            raise LawError(f"give the values of variables by name, not {describe(points)}")
        given = {**(points or {}), **variables}
        law = self.bind(given) if self.variables is None else self
        declared = law.variables or ()
        for name in declared:
            if name not in given:
                raise LawError(f"a value of the variable {name!r} is missing; the law needs {', '.join(declared)}")
        for name in given:
            if name not in declared:
                raise LawError(f"{name!r} is not a variable of the law; {suggest(name, declared, 'its variables are')}")
        return law, *_arrays.broadcast_points(declared, given)

    def parameter_vector(self, argument: str, values: Mapping[str, float]) -> F64:
        """Values by name as an array in the order of the parameters; every parameter once, nothing else."""
        if not isinstance(values, Mapping):
            raise LawError(f"{argument}: give a mapping from the parameters {', '.join(self.parameters)} to numbers")
        for key in values:
            self.check_parameter(argument, key)
        missing = [name for name in self.parameters if name not in values]
        if missing:
            raise LawError(f"{argument}: no value for {', '.join(missing)}")
        return np.array([as_number(argument, name, values[name]) for name in self.parameters], dtype=np.float64)

    def broken_checks(self, params: Mapping[str, float]) -> tuple[str, ...]:
        """Sentences of the checks that these parameters break; none where a parameter is missing or not finite."""
        values = {name: float(value) for name, value in params.items()}
        if not self.checks or not all(math.isfinite(value) for value in values.values()):
            return ()
        columns: list[_engine.EngineColumn] = [
            (name, np.array([value]), "number", ()) for name, value in values.items()
        ]
        met = {
            condition: _engine.evaluate_columns(condition, columns, want="condition", argument="checks")[0]
            for condition in self.checks
        }
        return tuple(self.checks[condition] for condition, value in met.items() if not value)

    def to_latex(self) -> str:
        r"""Return the formula as LaTeX for mathematics mode; the lines of its bindings end in two backslashes.

        Returns
        -------
        str
            Without dollar signs.

        Notes
        -----
        When to use: for a paper or a slide. The text stays the law; this is a picture of it.

        Examples
        --------
        >>> import lawfit as lf
        >>> print(lf.laws.chinchilla.to_latex())
        E + A \, N^{-\alpha} + B \, D^{-\beta}
        """
        return _latex.formula(self.text)

    def _repr_html_(self) -> str:
        """Return the form for notebooks."""
        from lawfit import _notebook

        return _notebook.of_law(self)

    def __repr__(self) -> str:
        """Return the form for people."""
        heading = f"Law {self.name}" if self.name else "Law"
        lines = [f"{heading}: {self.title}" if self.title else heading, f"  formula     {self.text}"]
        if self.variables is None:
            lines.append(f"  names       {', '.join(self.names)} (those that are columns of the data become variables)")
            shown = {key: self.declared_bounds.get(key, UNBOUNDED) for key in self.names}
            shown = {key: pair for key, pair in shown.items() if pair != UNBOUNDED or key in self.positive}
            for key in self.positive:
                shown[key] = (max(shown[key][0], 0.0), shown[key][1])
        else:
            described = (f"{key} ({self.units[key]})" if key in self.units else key for key in self.variables)
            lines.append(f"  variables   {', '.join(described)}")
            shown = dict(self.bounds)
        if shown:
            described = (bounded(key, pair) for key, pair in shown.items())
            lines.append(f"  parameters  {', '.join(described)}")
        if self.reference:
            lines.append(f"  reference   {self.reference}")
        lines.extend(f"  check       {check}" for check in self.checks)
        lines.extend(f"  trap        {trap}" for trap in self.traps)
        return "\n".join(lines)


def as_ranges(argument: str, given: Mapping[str, RangeLike] | None) -> Named[Range]:
    """Return what the user wrote as bounds or as ranges of starts, each a pair of floats in order."""
    if given is not None and not isinstance(given, Mapping):
        raise LawError(f"{argument}: give a mapping from parameters to (lower, upper), not {describe(given)}")
    return Named({key: as_range(argument, key, pair) for key, pair in (given or {}).items()})


def as_range(argument: str, key: str, pair: RangeLike) -> Range:
    """(lower, upper) as two floats in order; ``None`` is an infinity."""
    if isinstance(pair, str) or not isinstance(pair, Sequence | np.ndarray) or len(pair) != 2:
        raise LawError(f"{argument}: {key} needs a pair (lower, upper), got {pair!r}")
    lower = -math.inf if pair[0] is None else as_number(argument, key, pair[0])
    upper = math.inf if pair[1] is None else as_number(argument, key, pair[1])
    if lower > upper:
        raise LawError(f"{argument}: {key} has its lower end {lower:g} above its upper end {upper:g}")
    if lower == upper and math.isinf(lower):
        raise LawError(f"{argument}: {key} cannot be infinite")
    return lower, upper


def as_number(argument: str, key: str, value: object) -> float:
    """One real number that is not NaN."""
    try:
        number = float(cast(SupportsFloat, value))
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, str) or math.isnan(number):
        raise LawError(f"{argument}: {key} needs a number, got {value!r}")
    return number


def names_list(argument: str, given: Sequence[str]) -> tuple[str, ...]:
    """Names as a tuple without repetition; a single text is refused, since it would be read letter by letter."""
    if isinstance(given, str):
        raise LawError(f"{argument}={given!r}: give a list of names, such as [{given!r}]")
    if not isinstance(given, Iterable) or not all(isinstance(name, str) for name in given):
        raise LawError(f"{argument}: give a list of names, not {describe(given)}")
    found = tuple(given)
    for position, name in enumerate(found):
        if name in found[:position]:
            raise LawError(f"{argument}: {name!r} is given twice")
    return found
