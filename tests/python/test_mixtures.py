"""Mixing distributions: against SciPy on real counts, exact identities, counts that identify nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import lawfit as lf
from lawfit import _engine

integrate = pytest.importorskip("scipy.integrate")
optimize = pytest.importorskip("scipy.optimize")
special = pytest.importorskip("scipy.special")
stats = pytest.importorskip("scipy.stats")

F64 = NDArray[np.float64]
# Log-likelihoods by log-gammas carry the rounding of terms of the order of n ln n; ours are no lower than that.
LIKELIHOOD_TOLERANCE = 1e-9
# Nelder and Mead's polish ends where the likelihood, flat to second order, changes by its rounding.
PARAMETER_TOLERANCE = 1e-5
KINDS = tuple(kind for kind, _, _ in _engine.registries().mixtures)


def beta_log_likelihood(at: F64, n: F64, s: F64) -> float:
    """Beta-binomial log-likelihood without the coefficients, by SciPy."""
    a, b = np.exp(at)
    return float(np.sum(special.betaln(a + s, b + n - s) - special.betaln(a, b)))


def drawn(a: float, b: float, n_problems: int, n_samples: int, seed: int) -> dict[str, F64]:
    """Counts of problems whose probabilities are Beta(a, b)."""
    rng = np.random.default_rng(seed)
    correct = rng.binomial(n_samples, rng.beta(a, b, n_problems))
    return {"n_samples": np.full(n_problems, float(n_samples)), "n_correct": correct.astype(float)}


@pytest.fixture(scope="module")
def pythia(real_data: Callable[[str], Path]) -> lf.Mixtures:
    """Plain Betas of all benchmarks and models of the published counts."""
    table = lf.read_table(real_data("t2_pythia_pass_counts.csv"))
    mixes = lf.fit_mixture(table, by=["benchmark", "model"], problem="problem", n_threads=1)
    return mixes


def test_no_optimiser_of_scipy_finds_a_higher_likelihood(pythia: lf.Mixtures) -> None:
    assert np.count_nonzero(~pythia.failed) > 90
    for mix in list(pythia)[::4]:
        n, s = mix.n_samples, mix.n_correct
        if not mix.success:
            continue
        found = [
            optimize.minimize(lambda at, n=n, s=s: -beta_log_likelihood(at, n, s), start, method="L-BFGS-B")
            for start in ([-0.7, 1.25], [-1.5, 3.0])
        ]
        best = max(-each.fun for each in found)
        assert mix.log_likelihood >= best - LIKELIHOOD_TOLERANCE * abs(best), mix.key


def test_parameters_solve_the_likelihood_equations_of_scipy(pythia: lf.Mixtures) -> None:
    def scores(at: F64, n: F64, s: F64) -> list[float]:
        a, b = np.exp(at)
        both = special.digamma(a + b) - special.digamma(a + b + n)
        by_a = special.digamma(a + s) - special.digamma(a) + both
        by_b = special.digamma(b + n - s) - special.digamma(b) + both
        return [float(np.sum(by_a)), float(np.sum(by_b))]

    for mix in [mix for mix in pythia if mix.success][::4]:
        root = optimize.root(scores, mix.at + 1e-3, args=(mix.n_samples, mix.n_correct), tol=1e-12)
        if root.success and mix.params["b"] < 1e4:  # beyond, SciPy's differences of digammas have lost the digits
            assert np.exp(root.x) == pytest.approx(list(mix.params.values()), rel=PARAMETER_TOLERANCE), mix.key


def test_results_have_the_same_bits_for_any_number_of_threads() -> None:
    counts = drawn(0.4, 3.0, 400, 200, seed=5) | {"group": np.repeat(np.arange(8.0), 50)}
    for kind in KINDS:
        one, two = (lf.fit_mixture(counts, kind=kind, by="group", n_threads=n) for n in (1, 2))
        for x, y in zip(one, two, strict=True):
            assert np.array_equal(x.at, y.at, equal_nan=True)
            assert np.array_equal(x.log_likelihood, y.log_likelihood, equal_nan=True)


def test_beta_intervals_cover_the_truth() -> None:
    n_tables, truth = 300, {"a": 0.4, "b": 3.0}
    tables = [drawn(0.4, 3.0, 80, 100, seed) for seed in range(n_tables)]
    counts = {name: np.concatenate([table[name] for table in tables]) for name in ("n_samples", "n_correct")}
    mixes = lf.fit_mixture(counts | {"table": np.repeat(np.arange(float(n_tables)), 80)}, by="table")
    for name, value in truth.items():
        held = [interval[0] <= value <= interval[1] for interval in (mix.interval(name) for mix in mixes)]
        # 95 % of 300 with a binomial error of 1.3 points: three of them either way.
        assert 0.91 <= np.mean(held) <= 0.99, (name, np.mean(held))


def test_a_scale_of_one_is_the_plain_beta() -> None:
    counts = drawn(0.5, 2.0, 60, 50, seed=2)
    plain, scaled = lf.fit_mixture(counts), lf.fit_mixture(counts, kind="scaled_beta", scale=1.0)
    assert scaled.params == plain.params
    assert scaled.log_likelihood == plain.log_likelihood


def test_without_excess_zeros_the_share_is_zero_and_the_rest_the_plain_beta() -> None:
    counts = drawn(3.0, 3.0, 60, 50, seed=3)
    plain, inflated = lf.fit_mixture(counts), lf.fit_mixture(counts, kind="zero_inflated_beta")
    assert inflated.status == "converged_at_bound"
    assert inflated.params["share"] == 0.0
    for name in ("a", "b"):
        assert inflated.params[name] == pytest.approx(plain.params[name], rel=1e-9)
        assert inflated.stderr[name] == pytest.approx(plain.stderr[name], rel=1e-6)
    test = inflated.zero_share_test()
    assert (test.statistic, test.p_value) == (0.0, 1.0)
    assert test.aic == pytest.approx(test.aic_without + 2.0)


def test_a_share_of_impossible_problems_is_found_and_tested() -> None:
    counts = drawn(2.0, 4.0, 400, 100, seed=4)
    counts["n_correct"][:120] = 0.0
    mix = lf.fit_mixture(counts, kind="zero_inflated_beta")
    low, high = mix.interval("share")
    assert low < 0.3 < high
    test = mix.zero_share_test()
    assert test.p_value == pytest.approx(0.5 * stats.chi2.sf(test.statistic, 1))
    assert test.p_value < 1e-6
    assert mix.pass_at_k(1e9).value[0] == pytest.approx(1.0 - mix.params["share"], abs=1e-3)


def test_moments_are_integrals_of_the_density() -> None:
    a, b, c = 0.6, 2.5, 0.4
    cases = [(10.0, 0.0), (10.0, 3.0), (200.0, 40.0)]
    n, s = (np.array(column) for column in zip(*cases, strict=True))
    at = np.log([a, b])

    def beta_density(u: float) -> float:
        return float(stats.beta.pdf(u, a, b))

    def kumaraswamy_density(u: float) -> float:
        return float(a * b * u ** (a - 1.0) * (1.0 - u**a) ** (b - 1.0))

    for kind, density in (("scaled_beta", beta_density), ("kumaraswamy", kumaraswamy_density)):
        ours, _ = _engine.mixture_log_moments(kind, at, c, n, s)
        for value, (m, r) in zip(ours, cases, strict=True):
            whole = integral(partial(integrand, density, c, m, r))
            assert value == pytest.approx(np.log(whole), rel=1e-9), (kind, m, r)


def integrand(density: Callable[[float], float], c: float, n: float, s: float, v: float) -> float:
    """p^s (1 - p)^(n - s) times the density, with p = c v^4, which takes the pole at 0 away."""
    p = c * v**4
    return float(4.0 * v**3 * density(v**4) * p**s * (1.0 - p) ** (n - s))


def integral(function: Callable[[float], float]) -> float:
    """Integrate from 0 to 1, to 1e-12 of the result."""
    return float(integrate.quad(function, 0.0, 1.0, epsabs=0.0, epsrel=1e-12, limit=500)[0])


def test_a_kumaraswamy_of_ones_is_uniform() -> None:
    n, s = np.array([10.0, 1e4, 3.7e6]), np.array([0.0, 17.0, 3.0])
    ours, _ = _engine.mixture_log_moments("kumaraswamy", np.zeros(2), 1.0, n, s)
    assert ours == pytest.approx(special.betaln(s + 1.0, n - s + 1.0), rel=1e-9)


def test_pass_at_k_and_posteriors_are_those_of_the_beta() -> None:
    mix = lf.fit_mixture(drawn(0.4, 3.0, 100, 100, seed=6))
    a, b = mix.params["a"], mix.params["b"]
    k = np.array([1.0, 10.0, 1000.0])
    found = mix.pass_at_k(k)
    expected = -np.expm1(special.betaln(a, b + k) - special.betaln(a, b))
    assert found.value == pytest.approx(expected, rel=1e-10)
    assert ((found.lower < found.value) & (found.value < found.upper)).all()
    assert found.is_extrapolated.tolist() == [False, False, True]
    assert found.note is not None
    assert "extrapolation" in found.note
    posterior = mix.posterior([100, 20], [0, 3])
    exact = stats.beta(a + np.array([0, 3]), b + np.array([100, 17]))
    assert posterior.mean == pytest.approx(exact.mean(), rel=1e-9)
    assert posterior.sd == pytest.approx(exact.std(), rel=1e-6)


def test_bootstrap_spreads_as_the_standard_errors_say() -> None:
    mix = lf.fit_mixture(drawn(0.5, 2.0, 300, 100, seed=7))
    draws = mix.bootstrap(400, seed=1)
    assert draws.success.all()
    for name in ("a", "b"):
        # A standard deviation of 400 draws is known to 3.5 %, the sandwich differs from the information by a few more.
        assert draws.params[name].std() == pytest.approx(mix.stderr[name], rel=0.25)
    assert np.array_equal(mix.bootstrap(5, seed=1, n_threads=2).params["a"], draws.params["a"][:5])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("n", "s", "words"),
    [
        ([10] * 5, [0] * 5, "never|no problem was ever solved"),
        ([10] * 5, [10] * 5, "every sample was right"),
        ([10] * 5, [5] * 5, ""),
        ([1] * 5, [0, 1, 1, 0, 1], ""),
        ([10] * 5, [0, 10, 10, 0, 10], ""),
        ([10], [3], "fewer than"),
    ],
)
def test_counts_that_identify_nothing_end_in_words(kind: str, n: list[int], s: list[int], words: str) -> None:
    mix = lf.fit_mixture({"n_samples": n, "n_correct": s}, kind=kind)
    # A share leaves problems that are alike, or one probability of the others, at a bound or open.
    assert mix.status != "converged"
    assert re.search(words, mix.message)
    assert len(mix.message) > 20
    assert "mixture" in repr(mix)
    if not mix.success:
        assert all(np.isnan(value) for value in mix.params.values())
        assert mix.pass_at_k(3).note == mix.message


@pytest.mark.parametrize(
    ("counts", "arguments", "words"),
    [
        ({"n_samples": [3, 3], "n_correct": [1, 4]}, {}, "more right answers than samples"),
        ({"n_samples": [3, 3], "n_correct": [1, 0.5]}, {}, "whole numbers"),
        ({"n_samples": [3, 3], "n_correct": [1, 2]}, {"scale": 0.5}, "has no scale"),
        ({"n_samples": [3, 3], "n_correct": [1, 2]}, {"kind": "scaled_beta", "scale": 0.5}, "larger share"),
        ({"n_samples": [3, 3], "n_correct": [1, 2], "p": ["x", "x"]}, {"problem": "p"}, "stands in several rows"),
        ({"n_samples": [3, 3], "n_correct": [1, 2]}, {"by": "model"}, "no column 'model'"),
        ({"n_samples": [3, 3], "n_correct": [1, 2]}, {"kind": "normal"}, "not known"),
    ],
)
def test_bad_calls_say_what_to_do(counts: dict[str, list[float]], arguments: dict[str, object], words: str) -> None:
    with pytest.raises(lf.LawfitError, match=words):
        lf.fit_mixture(counts, **arguments)  # type: ignore[call-overload]
