"""What `fit_chain` was asked for, checked: two responses, the arguments of either stage, laws with known variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict, cast

from numpy.typing import ArrayLike

from lawfit._batch import Prior
from lawfit._chain_protocol import ROBERTS
from lawfit._law import Law, RangeLike
from lawfit._options import StartsLike
from lawfit._rows import bind_to_table
from lawfit._table import Table
from lawfit._wording import describe, suggest
from lawfit.errors import DataError, LawError

HOW = ("staged", "joint")


class StageOptions(TypedDict, total=False):
    """Arguments of `lawfit.fit` that each stage may have of its own."""

    protocol: str | None
    loss: str | None
    f_scale: float | str | None
    residual: str | None
    weights: str | ArrayLike | None
    sigma: str | ArrayLike | None
    bounds: Mapping[str, RangeLike] | None
    fixed: Mapping[str, float] | None
    prior: Mapping[str, Prior] | None
    starts: StartsLike | None
    solver: str
    covariance: str
    max_iterations: int
    kernels: str


def bound_laws(
    first: Law, second: Law, table: Table, mapping: Mapping[str, str], responses: tuple[str, str], through: str
) -> tuple[Law, Law, str]:
    """Laws whose variables are known, and the name of the column of predictions."""
    if not isinstance(through, str):
        raise LawError(f"through: give the name of a variable of the second law, not {describe(through)}")
    if through in mapping:
        raise LawError(f"columns: {through!r} is what the first law predicts; leave it out")
    for name in mapping:
        if name not in (*first.names, *second.names):
            raise LawError(
                f"columns: {name!r} is not a name of either law; {suggest(name, (*first.names, *second.names))}"
            )
    if through not in second.names:
        known = second.variables or second.names
        raise LawError(
            f"through={through!r} does not occur in the second law {second.text!r}; {suggest(through, known)}"
        )
    predicted = f"predicted {through}"
    while predicted in table.names:
        predicted += "_"
    one = bind_to_table(first, table, {k: v for k, v in mapping.items() if k in first.names}, responses[0])
    columns = {**{k: v for k, v in mapping.items() if k in second.names}, through: predicted}
    if second.variables is not None and through not in second.variables:
        raise LawError(
            f"through={through!r} is a parameter of the second law {second.text!r}; "
            f"{suggest(through, second.variables, 'its variables are')}"
        )
    return one, bind_to_table(second, table, columns, responses[1]), predicted


def split(mapping: Mapping[str, str], law: Law) -> dict[str, str]:
    """Return the mapped variables that are names of a law."""
    return {name: text for name, text in mapping.items() if name in law.names}


def as_responses(responses: object) -> tuple[str, str]:
    """Return the two responses."""
    is_pair = isinstance(responses, Sequence) and not isinstance(responses, str) and len(responses) == 2
    if not is_pair or not all(isinstance(each, str) for each in cast("Sequence[object]", responses)):
        raise DataError(
            f"responses={responses!r}: give two columns, that of the first law and that of the second, such as "
            "['nll', 'accuracy']"
        )
    one, other = cast("Sequence[str]", responses)
    if one == other:
        raise DataError(f"responses: both are {one!r}; the second law has a response of its own")
    return one, other


def as_options(argument: str, given: Mapping[str, object] | None) -> StageOptions:
    """Return the arguments of one stage, each of which `fit` knows."""
    if given is not None and not isinstance(given, Mapping):
        raise LawError(f"{argument}: give a mapping of arguments of fit, such as {{'loss': 'squared'}}")
    known = tuple(StageOptions.__annotations__)
    for name in given or {}:
        if name not in known:
            raise LawError(f"{argument}: {name!r} is not an argument of a stage; {suggest(name, known)}")
    return cast("StageOptions", dict(given or {}))


def check_protocol(protocol: object, isoflop: object, how: str) -> None:
    """Raise ``LawError`` unless protocol and budget go together."""
    if protocol is None:
        if isoflop is not None:
            raise LawError(f"isoflop: it goes with protocol={ROBERTS!r}")
        return
    if protocol != ROBERTS:
        raise LawError(
            f"protocol={protocol!r}: a chain follows {ROBERTS!r} alone; that of one stage goes into first= or second="
        )
    if not isinstance(isoflop, str):
        raise LawError(f"protocol={ROBERTS!r}: give isoflop=, the column or formula of the compute budget, such as 'C'")
    if how == "joint":
        raise LawError(f"protocol={ROBERTS!r} is fitted in stages; leave how= out")
