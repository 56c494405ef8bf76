"""pass@k of one problem: against exact fractions, all subsets, and 60 digits."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

import lawfit as lf
from lawfit import _estimators

# Sums of log1p are right to a few units in the last place of the sum.
DIGITS = 1e-13


def exact(n: int, c: int, k: int) -> Fraction:
    """1 - C(n - c, k) / C(n, k), as a product of min(c, k) whole numbers over others."""
    most, least = max(c, k), min(c, k)
    fail = Fraction(1)
    if n - c < k:
        return Fraction(1)
    top = math.prod(n - most - t for t in range(least))
    bottom = math.prod(n - t for t in range(least))
    fail = Fraction(top, bottom)
    return 1 - fail


def test_every_small_case_is_the_exact_fraction() -> None:
    cases = [(n, c, k) for n in range(1, 13) for c in range(n + 1) for k in range(1, n + 1)]
    n, c, k = np.array(cases).T
    expected = [float(1 - Fraction(math.comb(n - c, k), math.comb(n, k))) for n, c, k in cases]
    np.testing.assert_allclose(lf.estimate_pass_at_k(c, n, k=k), expected, rtol=DIGITS, atol=0.0)


@pytest.mark.parametrize("n", [59_648, 1_000_000, 3_720_320])
@pytest.mark.parametrize("c", [1, 2, 43, 1733, 20_000])
@pytest.mark.parametrize("k", [1, 2, 10, 128, 1000, 20_000])
def test_millions_of_samples_cost_no_digits(n: int, c: int, k: int) -> None:
    assert float(lf.estimate_pass_at_k(c, n, k=k)) == pytest.approx(float(exact(n, c, k)), rel=DIGITS, abs=0.0)


def test_it_is_the_share_of_subsets_with_a_right_answer() -> None:
    for n, c, k in [(6, 2, 3), (7, 1, 4), (8, 3, 2), (8, 5, 4)]:
        subsets = list(itertools.combinations([True] * c + [False] * (n - c), k))
        share = sum(any(subset) for subset in subsets) / len(subsets)
        assert float(lf.estimate_pass_at_k(c, n, k=k)) == pytest.approx(share, rel=DIGITS)


@pytest.mark.parametrize("p", [1e-6, 0.03, 0.5, 0.97])
@pytest.mark.parametrize("k", [1, 3, 20])
def test_its_mean_over_draws_of_samples_is_pass_at_k(p: float, k: int) -> None:
    n = 20
    c = np.arange(n + 1)
    chance = np.array([math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(n + 1)])
    mean = chance @ lf.estimate_pass_at_k(c, n, k=k)
    assert mean == pytest.approx(-math.expm1(k * math.log1p(-p)), rel=1e-12)


def test_between_whole_k_it_is_the_continuation_by_gamma_functions() -> None:
    n, c, k = 40, 7, 5.37
    fail = math.lgamma(n - c + 1) + math.lgamma(n - k + 1) - math.lgamma(n + 1) - math.lgamma(n - c - k + 1)
    assert float(lf.estimate_pass_at_k(c, n, k=k)) == pytest.approx(-math.expm1(fail), rel=1e-12)
    curve = lf.estimate_pass_at_k(c, n, k=np.linspace(1, n, 2000))
    assert (np.diff(curve) >= 0).all()
    np.testing.assert_array_equal(lf.estimate_pass_at_k(c, n, k=[34, 34.5, 39.9, 40]), 1.0)


@pytest.mark.parametrize("k", [1.5, 2.71, 6.3])
def test_between_whole_k_its_bias_is_below_the_chance_of_many_right_answers(k: float) -> None:
    n = 10
    for p in (0.05, 0.3, 0.7):
        chance = np.array([math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(n + 1)])
        bias = chance @ lf.estimate_pass_at_k(np.arange(n + 1), n, k=k) + math.expm1(k * math.log1p(-p))
        assert abs(bias) <= chance[np.arange(n + 1) > n - k].sum()


def test_sums_cut_in_pieces_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    n = rng.integers(1, 3000, 300)
    c, k = rng.integers(0, n + 1), rng.integers(1, n + 1)
    whole = lf.estimate_pass_at_k(c, n, k=k)
    monkeypatch.setattr(_estimators, "MOST_TERMS", 50)
    np.testing.assert_array_equal(lf.estimate_pass_at_k(c, n, k=k), whole)
    expected = np.array([float(exact(*map(int, each))) for each in zip(n, c, k, strict=True)])
    np.testing.assert_allclose(whole, expected, rtol=DIGITS)


def test_what_fails_less_often_than_the_smallest_float_is_not_summed() -> None:
    """Up to there the logarithm is that of a sum, which is compared with gamma functions."""
    n, k = 10**6, 1000
    c = np.array([100_000, 500_000, 526_000, 527_500, 600_000])
    log_fail = _estimators.log_fail_of_counts(c.astype(float), np.full(5, float(n)), np.full(5, float(k)))
    exact_log = np.array([math.lgamma(n - i + 1) - math.lgamma(n - i - k + 1) for i in c.tolist()])
    exact_log -= math.lgamma(n + 1) - math.lgamma(n - k + 1)
    assert (exact_log[log_fail == -np.inf] < -_estimators.NEVER).all()
    is_summed = np.isfinite(log_fail)
    assert is_summed.tolist() == [True] * 5
    np.testing.assert_allclose(log_fail, exact_log, rtol=1e-7)
    assert _estimators.log_fail_of_counts(np.array([8e5]), np.array([1e6]), np.array([1e3]))[0] == -np.inf
    assert float(lf.estimate_pass_at_k(8e5, 1e6, k=1e3)) == 1.0


def test_a_curve_for_each_problem_comes_by_broadcasting() -> None:
    curves = lf.estimate_pass_at_k(np.array([0, 3, 10])[:, None], 10, k=[1, 5])
    np.testing.assert_allclose(curves, np.array([[0.0, 0.0], [0.3, 11 / 12], [1.0, 1.0]]), rtol=DIGITS)
    assert lf.estimate_pass_at_k(1, 2, k=1).shape == ()


def decimal_neglog(nll: str, k: str) -> float:
    """-log(1 - (1 - exp(-nll))**k) in 400 digits, so that 1 - exp(-800) is not 1."""
    with localcontext() as context:
        context.prec = 400
        context.Emin, context.Emax = -(10**6), 10**6
        fail = (Decimal(k) * (1 - (-Decimal(nll)).exp()).ln()).exp()
        return float(-(1 - fail).ln())


@pytest.mark.parametrize("nll", ["0.001", "0.5", "0.75", "3", "17.5", "40", "300", "800"])
@pytest.mark.parametrize("k", ["1", "2.5", "10", "1000000"])
def test_log_likelihoods_give_neglog_pass_at_any_size(nll: str, k: str) -> None:
    found = float(_estimators.neglog_pass_of_nll(np.array([float(nll)]), np.array([float(k)]))[0])
    # exp(-nll) of a float nll is known to nll units in the last place.
    assert found == pytest.approx(decimal_neglog(nll, k), rel=2e-14, abs=0.0)


@pytest.mark.parametrize("p", [1e-300, 1e-17, 1e-12, 0.01, 0.5, 0.999])
@pytest.mark.parametrize("k", [1.0, 7.5, 1e6])
def test_probabilities_give_pass_at_k_however_small(p: float, k: float) -> None:
    with localcontext() as context:
        context.prec = 400
        fail = (Decimal(k) * (1 - Decimal(p)).ln()).exp()
        expected, neglog = float(1 - fail), float(-(1 - fail).ln())
    log_fail = _estimators.log_fail_of_probability(np.array([p]), np.array([k]))
    assert float(_estimators.pass_of(log_fail)[0]) == pytest.approx(expected, rel=DIGITS, abs=0.0)
    # Where a failure is less likely than e**-700 nothing is left of it in a float.
    assert float(_estimators.neglog_pass(log_fail)[0]) == pytest.approx(neglog, rel=1e-11, abs=1e-300)


@pytest.mark.parametrize(
    ("correct", "samples", "k", "message"),
    [
        (1, 10, 0, "k=0: give finite numbers of tries of at least 1"),
        (1, 10, 0.5, "k=0.5"),
        (1, 10, math.inf, "k=inf"),
        (1, 10, math.nan, "k=nan"),
        (1, 10, [], "k: give at least one"),
        (1, 10, "two", "k: needs numbers"),
        (1, 10, 11, "k=11 with n_samples=10: no unbiased estimate"),
        (11, 10, 1, "n_correct is 11 of n_samples=10 in row 0"),
        (0, 0, 1, "without a sample"),
        (-1, 10, 1, "n_correct is -1 in row 0"),
        (0.5, 10, 1, "n_correct is 0.5 in row 0"),
        ([1, math.nan], 10, 1, "n_correct is missing or NaN in row 1"),
        (1, math.inf, 1, "n_samples is inf in row 0"),
        ([1, 2, 3], [10, 10], 1, "the shapes do not go together"),
    ],
)
def test_what_is_no_count_is_refused(correct: object, samples: object, k: object, message: str) -> None:
    with pytest.raises(lf.DataError, match=message.replace("(", r"\(")):
        lf.estimate_pass_at_k(correct, samples, k=k)  # type: ignore[arg-type]
