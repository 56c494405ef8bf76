"""Values by name that cannot be changed: what a result holds where a dict would invite an assignment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Named(Mapping[str, T]):
    """A read-only, hashable, picklable mapping from names to values, in a fixed order."""

    __slots__ = ("_values",)

    def __init__(self, items: Mapping[str, T] | Iterable[tuple[str, T]] = ()) -> None:
        self._values: dict[str, T] = dict(items)

    def __getitem__(self, name: str) -> T:
        """Look one up."""
        try:
            return self._values[name]
        except KeyError:
            raise KeyError(f"{name!r} is not among: {', '.join(self._values) or '(nothing)'}") from None

    def __iter__(self) -> Iterator[str]:
        """Go through them in order."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._values)

    def __hash__(self) -> int:
        """Hash by content."""
        return hash(tuple(self._values.items()))

    def __repr__(self) -> str:
        """Return the form for people."""
        return repr(self._values)
