"""The rows of a fit that was saved without them: what is known of them, and an error where they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from lawfit._batch import Rows
from lawfit._draws import Interval
from lawfit._named import Named
from lawfit.errors import DataError

if TYPE_CHECKING:
    from lawfit._law import Range

# What is said of the rows as a whole; the rest is one value a row.
OF_THE_WHOLE = (
    "variables",
    "offsets",
    "n_table_rows",
    "response",
    "where",
    "library",
    "columns",
    "weighted_by",
    "noise_by",
    "clustered_by",
    "repeated",
    "dropped",
    "flops",
)
OF_EACH = ("x", "y", "weights", "sigma", "chosen", "numbers", "clusters", "cluster_labels", "sampled")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a fit says of its rows when they are gone, as it was when it was saved.

    Attributes
    ----------
    warnings : tuple of str
        What a careful reader should know.
    direction : str
        The flattest direction in words.
    exact : str or None
        Whether the law meets every row exactly.
    noise_variance : float
        Variance of a row of weight 1.
    n_determined : float
        Parameters that the rows determine.
    gap : str or None
        Why there is no covariance.
    ranges : Named of (float, float)
        Smallest and largest value of each variable.
    response_range : (float, float)
        The same of the response.
    profiles : Named of Interval
        Profile likelihood of parameters that the fit holds at a bound, where it has draws.
    draws_units : int
        Units that the draws were drawn from.
    draws_caution : str or None
        Why the draws should not be used as they are.
    fingerprint : Named of str
        A hash of each column, and the number of rows.
    """

    warnings: tuple[str, ...]
    direction: str
    exact: str | None
    noise_variance: float
    n_determined: float
    gap: str | None
    ranges: Named[Range]
    response_range: Range
    profiles: Named[Interval]
    draws_units: int
    draws_caution: str | None
    fingerprint: Named[str]


class AbsentRows(Rows):
    """Rows that were not saved: what is said of the whole stays, and one value a row is answered with an error."""

    __slots__ = ("summaries",)

    summaries: tuple[Summary, ...]

    def __init__(self, **parts: object) -> None:
        for name in (*OF_THE_WHOLE, "summaries"):
            object.__setattr__(self, name, parts[name])

    def __getattr__(self, name: str) -> NoReturn:
        """Answer for what is not there."""
        if name not in OF_EACH:
            raise AttributeError(name)
        raise DataError(
            "data: this was saved without its rows, and they are needed here: pass data=, or attach them with "
            "with_data(data); a chain has them only from save(path, data=True)"
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Return what makes an equal one: a pickle holds that."""
        return partial(AbsentRows, **self.parts()), ()

    @property
    def summary(self) -> Summary:
        """What is known of the rows of a single fit."""
        return self.summaries[0]

    def of(self, fit: int) -> AbsentRows:
        """Return what is known of the rows of one fit."""
        own = {
            "offsets": np.array([0, self.offsets[fit + 1] - self.offsets[fit]], dtype=np.int64),
            "summaries": self.summaries[fit : fit + 1],
            "repeated": self.repeated[fit : fit + 1],
            "dropped": self.dropped[fit : fit + 1],
        }
        return AbsentRows(**{**self.parts(), **own})

    def parts(self) -> dict[str, object]:
        """Return all that it is made of, by name."""
        return {name: getattr(self, name) for name in (*OF_THE_WHOLE, "summaries")}


def without_rows(rows: Rows, summaries: tuple[Summary, ...]) -> AbsentRows:
    """Keep of some rows what is said of the whole."""
    return AbsentRows(summaries=summaries, **{name: getattr(rows, name) for name in OF_THE_WHOLE})
