"""What predictions with an interval come back as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lawfit._engine import F64
from lawfit._quantity import Quantity

if TYPE_CHECKING:
    from lawfit._draws import Draws


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Predictions of a fit with an interval.

    Attributes
    ----------
    value : numpy.ndarray
        The law at the points, float64, of their shape.
    lower, upper : numpy.ndarray
        Ends of the interval at each point; NaN where ``note`` says why.
    level : float
        Coverage that is aimed at, at each point by itself.
    kind : str
        ``"mean"``: the interval is for the law; ``"run"``: for one new run.
    note : str or None
        Why there is no interval, or what to know about it.
    """

    value: F64
    lower: F64
    upper: F64
    level: float
    kind: str
    note: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """Predictions on every draw.

    Attributes
    ----------
    kind : str
        ``"mean"``: values of the law; ``"run"``: of new runs, with noise of their own.
    values : numpy.ndarray
        (n_replicates, *shape of the points); NaN where the replicate is not usable.
    estimate : numpy.ndarray
        The law at the fit to all rows, of the shape of the points.
    draws : Draws
        What was predicted with.
    quantity : Quantity
        The law at the points.
    """

    kind: str
    values: F64
    estimate: F64
    draws: Draws
    quantity: Quantity

    def interval(self, level: float = 0.95, method: str = "auto") -> Prediction:
        """Interval at each point, by itself; see `lawfit.uncertainty.predicted_interval`."""
        from lawfit import uncertainty

        return uncertainty.predicted_interval(self, level, method)
