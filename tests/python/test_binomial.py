"""The noise of counts: its formula, its size in simulations, and its edges."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import lawfit as lf

scipy_stats = pytest.importorskip("scipy.stats")
pandas = importlib.import_module("pandas")


def test_it_is_the_binomial_formula_at_jeffreys_mean() -> None:
    correct, samples = np.array([0, 3, 50, 100]), 100
    share = scipy_stats.beta(correct + 0.5, samples - correct + 0.5).mean()
    np.testing.assert_allclose(
        lf.binomial_sigma(correct, samples), scipy_stats.binom(samples, share).std() / samples, rtol=1e-14
    )


@pytest.mark.parametrize("share", [0.03, 0.3, 0.5])
def test_on_average_it_is_the_spread_of_accuracies(share: float) -> None:
    correct = np.random.default_rng(0).binomial(200, share, 20_000)
    assert lf.binomial_sigma(correct, 200).mean() == pytest.approx((correct / 200).std(), rel=0.03)


def test_no_count_has_no_noise_and_symmetry_holds() -> None:
    counts = np.arange(21)
    sigma = lf.binomial_sigma(counts, 20)
    assert (sigma > 0).all()
    np.testing.assert_allclose(sigma, sigma[::-1], rtol=1e-14)
    assert lf.binomial_sigma(0, 1) > lf.binomial_sigma(0, 10) > 0.0


def test_shapes_go_together_and_columns_of_a_frame_are_counts() -> None:
    assert lf.binomial_sigma([[1], [2]], [10, 20, 30]).shape == (2, 3)
    assert lf.binomial_sigma(1, 10).shape == ()
    frame = pandas.DataFrame({"right": [3.0, 4.0], "asked": [10, 20]})
    np.testing.assert_array_equal(
        lf.binomial_sigma(frame["right"], frame["asked"]), lf.binomial_sigma([3, 4], [10, 20])
    )


def test_it_serves_as_sigma() -> None:
    rng, size = np.random.default_rng(0), np.geomspace(1e7, 1e10, 40)
    correct = rng.binomial(500, 1 / (1 + np.exp(-(np.log10(size) - 8.5))))
    runs = {"x": size, "accuracy": correct / 500, "noise": lf.binomial_sigma(correct, 500)}
    fit = lf.fit("sigmoid(a + b*log10(x))", runs, response="accuracy", residual="linear", loss="squared", sigma="noise")
    test = fit.lack_of_fit()
    assert test.kind == "chi2"
    assert 0.01 < test.p_value < 0.99


@pytest.mark.parametrize(
    ("correct", "samples", "message"),
    [
        ([1, 11], 10, "n_correct is 11 of 10 in row 1"),
        ([0.5], 10, "n_correct is 0.5 in row 0 .*an accuracy times the number of samples is one"),
        ([1, -1], 10, "n_correct is -1 in row 1"),
        ([1, np.nan], 10, "n_correct is nan in row 1"),
        ([1], [0], "n_samples: every one must be at least 1"),
        ([1, 2], [10, 10, 10], r"n_correct has the shape \(2,\) and n_samples \(3,\)"),
        (["a"], 10, "n_correct: needs numbers"),
    ],
)
def test_counts_that_are_none_are_refused(correct: Any, samples: Any, message: str) -> None:
    with pytest.raises(lf.DataError, match=message):
        lf.binomial_sigma(correct, samples)
