"""Values by name that cannot be changed: what a result holds where a dict would invite an assignment."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import TypeVar, overload

T = TypeVar("T")
D = TypeVar("D")


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

    # What follows is as a mapping has it by itself, which looks every name up by the method above.

    @overload
    def get(self, name: str, /) -> T | None: ...

    @overload
    def get(self, name: str, /, default: T | D) -> T | D: ...

    def get(self, name: str, /, default: T | D | None = None) -> T | D | None:
        """Look one up, or return the default."""
        return self._values.get(name, default)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a name."""
        return name in self._values

    def keys(self) -> KeysView[str]:
        """Return the names in order."""
        return self._values.keys()

    def values(self) -> ValuesView[T]:
        """Return the values in order."""
        return self._values.values()

    def items(self) -> ItemsView[str, T]:
        """Return pairs of name and value in order."""
        return self._values.items()

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
