"""The noise that counting leaves in an accuracy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays
from lawfit._engine import F64, I64
from lawfit.errors import DataError


def binomial_sigma(n_correct: ArrayLike, n_samples: ArrayLike) -> F64:
    """Return the standard deviation of an accuracy, from the counts behind it.

    Parameters
    ----------
    n_correct : array-like
        Right answers, whole numbers from 0 to ``n_samples``.
    n_samples : array-like
        Questions, or samples, whole numbers of at least 1; the two are broadcast together.

    Returns
    -------
    numpy.ndarray
        float64, of their shape together: sqrt(p (1 - p) / n_samples) at p = (n_correct + 1/2) / (n_samples + 1). For
        error rates it is the same, for a sum or a percentage multiply as the response does.

    Raises
    ------
    DataError
        A count is missing, not whole, below 0, or above ``n_samples``.

    Notes
    -----
    When to use: as ``sigma=`` of a fit to accuracies, where the evaluation set is what limits them; check with
    ``fit.lack_of_fit()`` whether it is. Questions are taken as independent, and other noise, such as that of seeds, is
    not in it. The probability is the mean of Jeffreys' posterior, half a right answer more of one question more, so
    that 0 and ``n_samples`` right answers keep a standard deviation: the plain formula has 0 there, an infinite weight.

    References
    ----------
    Brown, Cai and DasGupta 2001, Interval estimation for a binomial proportion, Statist. Sci. 16.

    Examples
    --------
    >>> import lawfit as lf
    >>> lf.binomial_sigma([0, 50, 100], 100).round(4).tolist()
    [0.007, 0.05, 0.007]
    """
    correct, samples = check_counts(n_correct, "n_correct"), check_counts(n_samples, "n_samples")
    try:
        correct, samples = np.broadcast_arrays(correct, samples)
    except ValueError:
        raise DataError(
            f"n_correct has the shape {correct.shape} and n_samples {samples.shape}: give one of each a row"
        ) from None
    check_pairs(correct, samples)
    share = (correct + 0.5) / (samples + 1.0)
    return np.asarray(np.sqrt(share * (1.0 - share) / samples))


def check_counts(values: ArrayLike, argument: str, rows: I64 | None = None) -> F64:
    """Return counts, whole numbers of at least 0; ``rows`` are the numbers that an error calls them by."""
    counts = _arrays.as_float64(values, argument)
    wrong = np.flatnonzero(~(np.isfinite(counts) & (counts >= 0.0) & (counts == np.floor(counts))))
    if wrong.size:
        raise DataError(
            f"{argument} is {counts.flat[wrong[0]]:g} in row {_called(wrong, rows)} (counted from 0): give counts, "
            "whole numbers of at least 0; an accuracy times the number of samples is one"
        )
    return counts


def check_pairs(correct: F64, samples: F64, rows: I64 | None = None) -> None:
    """Raise ``DataError`` unless every row has a sample, and no more right answers than samples."""
    empty = np.flatnonzero(samples < 1.0)
    if empty.size:
        raise DataError(
            f"n_samples: every one must be at least 1, and row {_called(empty, rows)} (counted from 0) has none, one "
            f"of {empty.size}; such rows say nothing: leave them out"
        )
    wrong = np.flatnonzero(correct > samples)
    if wrong.size:
        raise DataError(
            f"n_correct is {correct.flat[wrong[0]]:g} of {samples.flat[wrong[0]]:g} in row {_called(wrong, rows)} "
            "(counted from 0): there cannot be more right answers than samples"
        )


def _called(places: I64, rows: I64 | None) -> int:
    """Return the number of the first row in question."""
    return int(places[0] if rows is None else rows[places[0]])
