"""pass@k of single problems: unbiased from counts, exact from probabilities and from log-likelihoods."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays
from lawfit._engine import F64
from lawfit.errors import DataError

# Terms that are summed at once, and in one piece: short pieces keep rounding at a few units in the last place.
MOST_TERMS = 2**20
PIECE = 512
# exp(-NEVER) is 0.
NEVER = 750.0
# Below this k*p, pass@k is k*p (1 - (k - 1)*p/2) to the last bit.
SMALL = 1e-8


def estimate_pass_at_k(n_correct: ArrayLike, n_samples: ArrayLike, *, k: ArrayLike) -> F64:
    """Return the unbiased estimate of pass@k, the probability that at least one of k answers is right.

    Parameters
    ----------
    n_correct : array-like
        Right answers of each problem, whole numbers from 0 to ``n_samples``.
    n_samples : array-like
        Answers sampled, whole numbers of at least 1.
    k : array-like
        Answers that may be tried, real numbers from 1 to ``n_samples``; the three are broadcast together, so
        ``n_correct[:, None]`` and a vector of k give a curve for each problem.

    Returns
    -------
    numpy.ndarray
        float64, of their shape together: 1 - C(n - c, k) / C(n, k), good to 1e-13 of itself, also at millions.

    Raises
    ------
    DataError
        A count is missing, not whole or negative, more are right than were sampled, or k is below 1 or above
        ``n_samples``, where no unbiased estimate exists.

    Notes
    -----
    When to use: for single problems; `lawfit.pass_at_k` makes the table over problems that a law is fitted to. The
    plug-in 1 - (1 - c/n)**k is biased, which this estimate is not. Its logarithm is a sum of log1p(-k/j), or of as many
    with k and c exchanged, whichever is shorter. Between whole k binomials are continued by gamma functions, up to
    k = n - c + 1, from where on the estimate is 1; there it is not exactly unbiased, by no more than the probability
    that over n - k answers are right.

    References
    ----------
    Chen et al. 2021, Evaluating large language models trained on code, arXiv:2107.03374.

    Examples
    --------
    >>> import lawfit as lf
    >>> lf.estimate_pass_at_k([0, 1, 5], 10, k=2).round(4).tolist()
    [0.0, 0.2, 0.7778]
    """
    correct, samples = as_counts(n_correct, "n_correct"), as_counts(n_samples, "n_samples")
    tries = as_tries(k)
    try:
        correct, samples, tries = np.broadcast_arrays(correct, samples, tries)
    except ValueError:
        shapes = f"n_correct {correct.shape}, n_samples {samples.shape}, k {tries.shape}"
        raise DataError(f"the shapes do not go together: {shapes}") from None
    check_counts(correct.ravel(), samples.ravel())
    if (tries > samples).any():
        place = int(np.flatnonzero(tries > samples)[0])
        raise DataError(
            f"k={tries.flat[place]:g} with n_samples={samples.flat[place]:g}: no unbiased estimate exists for more "
            "tries than samples; leave such k out, or draw more"
        )
    fail = log_fail_of_counts(correct.ravel(), samples.ravel(), tries.ravel())
    return pass_of(fail).reshape(correct.shape)


def as_counts(values: ArrayLike, argument: str) -> F64:
    """Whole numbers of at least 0."""
    counts = _arrays.as_float64(values, argument)
    wrong = np.flatnonzero(~(np.isfinite(counts) & (counts >= 0.0) & (counts == np.floor(counts))))
    if wrong.size:
        row = int(wrong[0])
        value = "missing or NaN" if math.isnan(counts.flat[row]) else f"{counts.flat[row]:g}"
        raise DataError(
            f"{argument} is {value} in row {row} (counted from 0): give counts, whole numbers of at least 0"
        )
    return counts


def as_tries(k: ArrayLike) -> F64:
    """Numbers of tries: finite, at least 1."""
    tries = _arrays.as_float64(k, "k")
    if tries.size == 0:
        raise DataError("k: give at least one number of tries")
    wrong = tries[~(np.isfinite(tries) & (tries >= 1.0))]
    if wrong.size:
        raise DataError(f"k={wrong[0]:g}: give finite numbers of tries of at least 1")
    return tries


def check_counts(correct: F64, samples: F64) -> None:
    """Raise ``DataError`` naming the first row with no sample, or with more right answers than samples."""
    for wrong, words in (
        (samples < 1.0, "a problem without a sample says nothing: leave it out"),
        (correct > samples, "there cannot be more right answers than samples"),
    ):
        rows = np.flatnonzero(wrong)
        if rows.size:
            row = int(rows[0])
            raise DataError(f"n_correct is {correct[row]:g} of n_samples={samples[row]:g} in row {row}: {words}")


def log_fail_of_counts(correct: F64, samples: F64, tries: F64) -> F64:
    """Return log C(n - c, k) - log C(n, k), (n,) for (n,) counts; equal triples are worked out once."""
    triples, place = np.unique(np.stack([samples, correct, tries]), axis=1, return_inverse=True)
    n, c, k = triples
    # With whole k both sums are the same number: the shorter one is taken.
    swap = (k == np.floor(k)) & (k < c)
    length = np.where(swap, k, c).astype(np.int64)
    factor = np.where(swap, c, k)
    length[c == 0.0] = 0
    # Each term is below -k/n: what is certain here fails less often than the smallest float.
    certain = (c > 0.0) & ((k >= n - c + 1.0) | (c * k > NEVER * n))
    length[certain] = 0
    out = np.where(certain, -np.inf, 0.0)
    ends = np.cumsum(length)
    first = 0
    while first < n.size:
        # As many as fit, and at least one.
        before = ends[first - 1] if first else 0
        stop = max(int(np.searchsorted(ends, before + MOST_TERMS, side="right")), first + 1)
        some = slice(first, stop)
        out[some] += _sums_of_log1p(n[some], factor[some], length[some])
        first = stop
    return np.asarray(out[place.reshape(-1)])


def _sums_of_log1p(n: F64, factor: F64, length: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> F64:
    """For each i the sum over t < length of log1p(-factor / (n - t))."""
    out = np.zeros(n.size)
    busy = np.flatnonzero(length)
    if busy.size == 0:
        return out
    sizes = length[busy]
    heads = np.cumsum(sizes) - sizes
    t = np.arange(int(sizes.sum())) - np.repeat(heads, sizes)
    terms = np.log1p(-np.repeat(factor[busy], sizes) / (np.repeat(n[busy], sizes) - t))
    pieces = np.flatnonzero(t % PIECE == 0)
    out[busy] = np.add.reduceat(np.add.reduceat(terms, pieces), np.searchsorted(pieces, heads))
    return out


def log_fail_of_probability(probability: F64, tries: F64) -> F64:
    """Return k log(1 - p): exact to rounding however small p is."""
    with np.errstate(divide="ignore"):
        return np.asarray(tries * np.log1p(-probability))


def log_fail_of_nll(nll: F64, tries: F64) -> F64:
    """Return k log(1 - exp(-nll)); 0 where exp(-nll) is below the range of floats."""
    with np.errstate(divide="ignore", under="ignore"):
        return np.asarray(tries * np.where(nll < math.log(2.0), np.log(-np.expm1(-nll)), np.log1p(-np.exp(-nll))))


def pass_of(log_fail: F64) -> F64:
    """1 - exp(x), with a zero that has no sign."""
    return np.asarray(0.0 - np.expm1(log_fail))


def neglog_pass(log_fail: F64) -> F64:
    """-log(1 - exp(x)) without loss of digits at either end."""
    with np.errstate(divide="ignore"):
        near_certain = -np.log1p(-np.exp(np.minimum(log_fail, -math.log(2.0))))
        return np.asarray(np.where(log_fail < -math.log(2.0), near_certain, -np.log(-np.expm1(log_fail))))


def neglog_pass_of_nll(nll: F64, tries: F64) -> F64:
    """-log pass@k from a log-likelihood, also where the probability underflows."""
    small = nll > np.log(tries) - math.log(SMALL)
    with np.errstate(under="ignore"):
        tiny = nll - np.log(tries) + 0.5 * (tries - 1.0) * np.exp(-nll)
    return np.asarray(np.where(small, tiny, neglog_pass(log_fail_of_nll(nll, tries))))
