"""A table of runs: columns by name, read when asked for, never changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lawfit import _engine
from lawfit._columns import Column, as_column, as_numbers, n_missing, reads_as_numbers, shown_values
from lawfit._engine import F64
from lawfit._sampled import Sampled
from lawfit._text import table as text_table
from lawfit._wording import suggest
from lawfit.errors import DataError, LawError

# Columns that a printed table lists.
MOST_SHOWN = 40


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Table:
    """Runs in rows and columns, as `lawfit.read_table` gives them; `fit` and `fit_many` take it like any other table.

    A table never changes: its methods return others. Columns are read when something asks for them.

    Attributes
    ----------
    names : tuple of str
        Names of the columns.
    n_rows : int
        Number of rows.
    library : str
        Where the table came from: "pandas", "polars", "pyarrow", "csv" or "dict".
    sampled : Sampled or None
        Of a table that `lawfit.pass_at_k` made, the problems behind its rows; other rows of it keep theirs.
    notes : tuple of str
        What was left out when the table was made, and what to know of it; printed below it.
    """

    names: tuple[str, ...]
    n_rows: int
    library: str
    _get: Callable[[str], Any]
    _read: dict[str, Column] = field(default_factory=dict)
    sampled: Sampled | None = None
    notes: tuple[str, ...] = ()
    _is_borrowed: bool = False  # columns may be the caller's arrays: of a table that no one sees after the call

    def column(self, name: str) -> Column:
        """Read one column; a second look costs nothing."""
        if name not in self._read:
            if name not in self.names:
                raise DataError(f"there is no column {name!r}; {suggest(name, self.names, 'the columns are')}")
            self._read[name] = as_column(name, self._get(name), is_borrowed=self._is_borrowed)
        return self._read[name]

    def evaluate(self, text: str, *, want: str, argument: str) -> F64:
        """Evaluate a column name or a formula over the columns, row by row; ``want`` is "number" or "condition"."""
        if text in self.names:
            return self._plain(text, want, argument)
        try:
            used = _engine.names(text)
        except LawError as error:
            raise DataError(f"{argument}: {error}") from None
        for name in used:
            if name not in self.names:
                raise DataError(
                    f"{argument}={text!r}: there is no column {name!r}; {suggest(name, self.names, 'the columns are')}"
                )
        columns = list(map(self.column, used))
        try:
            return self._run(text, columns, want, argument)
        except (DataError, LawError):
            sizes = [reads_as_numbers(column) for column in columns]
            if not any(sizes):
                raise
        # A column of sizes in words ("150M") is compared as text where the formula does that, else it is numbers.
        numbers = [
            as_numbers(column, f"{argument}={text!r}") if is_size else column
            for column, is_size in zip(columns, sizes, strict=True)
        ]
        return self._run(text, numbers, want, argument)

    def _run(self, text: str, columns: Sequence[Column], want: str, argument: str) -> F64:
        given: list[_engine.EngineColumn] = [(each.name, each.values, each.kind, each.levels) for each in columns]
        # A constant says how many rows there are by no column of its own.
        given = given or [("row", np.zeros(self.n_rows), "number", ())]
        return _engine.evaluate_columns(text, given, want=want, argument=argument)

    def _plain(self, name: str, want: str, argument: str) -> F64:
        """Return one column as it is, provided that it holds what is wanted."""
        column = self.column(name)
        if column.kind == want or (want == "number" and column.kind == "condition"):
            return column.values
        if column.kind == "text":
            if want == "number":
                return as_numbers(column, f"{argument}={name!r}").values
            raise DataError(
                f"{argument}={name!r}: the column holds text, not conditions; compare it with a text: "
                "where=\"column == 'value'\""
            )
        example = f"{name} > 0"
        raise DataError(f"{argument}={name!r}: the column holds numbers; compare it with one: {argument}={example!r}")

    def where(self, condition: str | ArrayLike) -> Table:
        """Return the rows that meet a condition: text as in ``fit(…, where=)``, or one truth value per row."""
        from lawfit import _reshape

        return _reshape.where(self, condition)

    def select(self, *names: str) -> Table:
        """Return some of the columns, by name or by patterns such as ``"eval/*"``; ``"!*_acc"`` takes away again."""
        from lawfit import _reshape

        return _reshape.select(self, names)

    def melt(self, metrics: Sequence[str], *, name: str = "metric", value: str = "value") -> Table:
        """Return one row per row and metric, for ``fit_many(…, by="metric", response="value")``.

        Parameters
        ----------
        metrics : sequence of str
            Columns to put below each other, by name or by patterns such as ``"eval/*"``; one that begins with ``!``
            takes away from those before.
        name, value : str
            Columns of the result that hold the name of the metric and its value.

        Returns
        -------
        Table
            All rows with the first metric, then all with the second, ...; missing values stay, so ``missing="drop"``
            in `fit_many` leaves them out and counts them.

        Raises
        ------
        DataError
            A pattern fits no column, or a column is called like one that is to be made.
        """
        from lawfit import _reshape

        return _reshape.melt(self, metrics, name, value)

    def last(self, *, by: str | Sequence[str], order: str, share: float | None = None) -> Table:
        """Return the last checkpoint of each run, or those past a share of its training.

        Parameters
        ----------
        by : str or sequence of str
            Columns that name a run.
        order : str
            Column, or formula over columns, that grows during training, such as ``"step"`` or ``"tokens"``.
        share : float, optional
            From 0 to 1: keep every row with ``order`` of at least this share of the run's largest; without it the row
            with the largest alone, of equal ones the later in the table.

        Returns
        -------
        Table
            The rows kept, in their order.

        Raises
        ------
        DataError
            A column is missing, a used value is, or ``share`` is no number from 0 to 1.
        """
        from lawfit import _reshape

        return _reshape.last(self, by, order, share)

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """Return the columns as arrays, (n_rows,) each: float64 with NaN, bool where all are there, or text."""
        from lawfit import _reshape

        return _reshape.to_dict(self)

    def __repr__(self) -> str:
        """Return the number of rows, and of each column its kind, how many values are missing and what is in it."""
        body = []
        for name in self.names[:MOST_SHOWN]:
            try:
                column = self.column(name)
            except DataError as error:
                body.append([name, "unreadable", str(error).partition("; ")[0], "-"])
                continue
            body.append([name, column.kind, shown_values(column), str(n_missing(column))])
        rows, columns = (
            f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((self.n_rows, "row"), (len(self.names), "column"))
        )
        lines = [f"Table of {rows}, {columns}", *text_table(["column", "kind", "values", "missing"], body, left=3)]
        if len(self.names) > MOST_SHOWN:
            lines.append(f"... {len(self.names) - MOST_SHOWN} more columns")
        lines.extend(f"note: {note}" for note in self.notes)
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what can be read of the columns, not the library object behind them."""
        columns = {}
        for name in self.names:
            try:
                columns[name] = self.column(name)
            except DataError:
                continue
        return table_of, (columns, self.library, self.sampled, self.notes)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.n_rows


def table_of(
    columns: dict[str, Column], library: str, sampled: Sampled | None = None, notes: tuple[str, ...] = ()
) -> Table:
    """Table of columns that have been read."""
    n_rows = next(iter(columns.values())).values.size
    return Table(tuple(columns), n_rows, library, columns.__getitem__, sampled=sampled, notes=notes)
