"""A law put into another: the text of the whole, with the declarations of both."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lawfit._law import Law
from lawfit._wording import listed, suggest
from lawfit.errors import LawError

# A binding of the law language; the last expression has none.
_BINDING = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)")


def chained_law(first: Law, second: Law, through: str) -> Law:
    """Return one law over the variables of both but ``through``, which the first law stands for.

    Raises
    ------
    LawError
        ``through`` is no variable of the second law, or a name would mean two things.
    """
    check_link(first, second, through)
    *bindings, last = first.text.rsplit(";", 1)
    head = "".join(f"{part.strip()}; " for part in bindings)
    return Law(
        f"{head}{through} = {last.strip()}; {second.text}",
        chained_variables(first, second, through),
        positive=[*first.positive, *second.positive],
        bounds={**first.declared_bounds, **second.declared_bounds},
        starts={**first.starts, **second.starts},
        units={**second.units, **first.units},
        checks={**first.checks, **second.checks},
    )


def chained_variables(first: Law, second: Law, through: str) -> tuple[str, ...]:
    """Return the variables of the whole: those of the first law, then what the second has besides."""
    mine = first.variables or ()
    return (*mine, *(name for name in second.variables or () if name != through and name not in mine))


def check_link(first: Law, second: Law, through: str) -> None:
    """Raise ``LawError`` unless the second law can take the first one's value, each name with one meaning."""
    if through in second.parameters or through not in second.names:
        known = second.variables or ()
        what = "is a parameter" if through in second.parameters else "does not occur"
        raise LawError(
            f"through={through!r} {what} in the second law {second.text!r}; "
            f"{suggest(through, known, 'its variables are')}"
        )
    if through in first.names or through in bound_names(first):
        raise LawError(
            f"through={through!r} is a name of the first law {first.text!r} too: there it would mean something else; "
            "write one of the laws as text with another name"
        )
    _refuse("parameters of both laws", set(first.parameters) & set(second.parameters))
    for one, other, which in ((first, second, "first"), (second, first, "second")):
        taken = set(other.variables or ()) - {through}
        _refuse(f"parameters of the {which} law and variables of the other", set(one.parameters) & taken)
        everything = {*other.names, *bound_names(other)}
        _refuse(f"bindings of the {which} law and names of the other", set(bound_names(one)) & everything)


def _refuse(what: str, names: Iterable[str]) -> None:
    clashes = sorted(names)
    if clashes:
        raise LawError(
            f"{listed(clashes)}: {what}; in a chain every name means one thing: write one of the laws as text with "
            "other names"
        )


def bound_names(law: Law) -> tuple[str, ...]:
    """Return the names that a law binds before its last expression."""
    found = (_BINDING.match(part) for part in law.text.split(";")[:-1])
    return tuple(match.group(1) for match in found if match)
