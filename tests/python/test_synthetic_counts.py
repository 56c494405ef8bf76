"""Synthetic answers: Beta quantiles against SciPy, means against the closed form, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lawfit as lf
from lawfit import synthetic

scipy_special = pytest.importorskip("scipy.special")
scipy_stats = pytest.importorskip("scipy.stats")

TRUTH = {"E": 0.5, "A": 400.0, "alpha": 0.3}
SIZES = [1e8, 1e9, 1e10]


def answers(**given: Any) -> dict[str, Any]:
    return lf.synthetic.counts(lf.laws.power_floor, TRUTH, {"x": SIZES}, **given)


@pytest.mark.parametrize("mean", [1e-4, 0.01, 0.3, 0.9])
@pytest.mark.parametrize("size", [0.1, 2.0, 50.0])
def test_quantiles_are_those_of_the_beta_distribution(mean: float, size: float) -> None:
    rank = np.random.default_rng(0).random(100)
    found = synthetic._beta_quantile(rank, np.array([[mean]]), size)[0]
    expected = scipy_stats.beta.ppf(rank, mean * size, (1 - mean) * size)
    # What is below a float's range on SciPy's way is not compared.
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-100)


def test_pass_at_k_of_many_problems_is_the_closed_form() -> None:
    counts = answers(n_problems=20_000, n_samples=200, size=3.0)
    table = lf.pass_at_k(counts, k=[1, 10], by="x", problem="problem").to_dict()
    mean = np.exp(-lf.laws.power_floor.evaluate({"x": table["x"]}, params=TRUTH))
    a, b = 3.0 * mean, 3.0 * (1.0 - mean)
    expected = 1.0 - np.exp(scipy_special.betaln(a, b + table["k"]) - scipy_special.betaln(a, b))
    assert (np.abs(table["pass_at_k"] - expected) < 4.0 * table["pass_at_k_stderr"]).all()
    assert (table["pass_at_k_stderr"] < 0.02 * expected).all()


def test_a_hard_problem_is_hard_at_every_checkpoint() -> None:
    right = answers(n_samples=10**6)["n_correct"].reshape(3, -1)
    # Drawn by themselves, 128 problems of two checkpoints would correlate by a tenth or so.
    assert scipy_stats.spearmanr(right[0], right[2]).statistic > 0.95


def test_a_seed_gives_the_same_answers_and_another_gives_others() -> None:
    one, same, other = answers(seed=1), answers(seed=1), answers(seed=2)
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["n_correct"], other["n_correct"])
    assert [values.size for values in one.values()] == [3 * 128] * 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_problems": 0}, "n_problems=0: give a whole number of at least 1"),
        ({"n_samples": 2.5}, "n_samples=2.5"),
        ({"size": 0.0}, "size=0.0: give a positive number"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_wrong_arguments_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(lf.DataError, match=message):
        answers(**given)


def test_a_law_without_a_probability_and_a_taken_name_are_refused() -> None:
    with pytest.raises(lf.DataError, match="the law is -1 on the grid: as -log of a probability"):
        lf.synthetic.counts(lf.Law("a*x", variables=["x"]), {"a": -1.0}, {"x": [1.0]})
    with pytest.raises(lf.DataError, match="grid: 'problem' is called like a column that is made"):
        lf.synthetic.counts(lf.Law("a*problem", variables=["problem"]), {"a": 1.0}, {"problem": [1.0]})
