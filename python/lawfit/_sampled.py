"""What averages over problems are made of, so that they can be made again from other problems."""

from __future__ import annotations

from typing import Protocol

from lawfit._engine import F64, I64


class Sampled(Protocol):
    """The answers behind a table of averages."""

    @property
    def problems(self) -> tuple[object, ...]:
        """Labels of the problems."""

    def columns(self, weights: F64, rows: I64) -> dict[str, F64]:
        """Columns of the table, (R, n) each, where problems weigh ``weights``, (R, n_problems), in the given rows."""
