"""Envelopes of training curves, and runs between their checkpoints."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import lawfit as lf

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
EXPONENT = TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"])
Columns = dict[str, np.ndarray]


def trained(n_sizes: int = 25, noise: float = 0.0) -> Columns:
    size, tokens = (
        grid.ravel() for grid in np.meshgrid(np.logspace(8, 10.5, n_sizes), np.logspace(8.5, 12.5, 120), indexing="ij")
    )
    loss = lf.laws.chinchilla.evaluate(N=size, D=tokens, params=TRUTH)
    loss = loss * np.exp(noise * np.random.default_rng(0).standard_normal(loss.size))
    return {"N": size, "D": tokens, "loss": loss, "run": np.array([f"{one:.4g}" for one in size])}


@pytest.fixture(scope="module")
def found() -> lf.Envelope:
    return lf.envelope(trained(), response="loss", run="run", n_replicates=300)


def test_the_envelope_of_many_sizes_has_the_exponents_of_the_law(found: lf.Envelope) -> None:
    assert found.exponent("N").exponent == pytest.approx(EXPONENT, abs=0.03)
    assert found.exponent("D").exponent == pytest.approx(1.0 - EXPONENT, abs=0.03)
    law = found.exponent("N")
    assert law.interval.lower < EXPONENT < law.interval.upper


def test_the_best_run_is_the_lowest_at_each_place(found: lf.Envelope) -> None:
    sizes = np.unique(trained()["N"])
    for compute, size, response in list(zip(found.compute, found.N, found.response, strict=True))[20:-20:20]:
        tokens = compute / 6 / sizes
        every = lf.laws.chinchilla.evaluate(N=sizes, D=tokens, params=TRUTH)
        there = (tokens >= 10**8.5) & (tokens <= 10**12.5)
        assert response == pytest.approx(every[there].min(), rel=1e-4)
        assert size == pytest.approx(sizes[there][every[there].argmin()], rel=0.3)


def test_places_where_no_smaller_or_larger_run_is_are_outside(found: lf.Envelope) -> None:
    assert not found.is_inside[0]
    assert not found.is_inside[-1]
    assert found.is_inside.any()


def test_smoothing_takes_the_noise_off_a_curve() -> None:
    plain, smooth = (
        lf.envelope(trained(noise=0.01), response="loss", run="run", smooth=width, n_replicates=0)
        for width in (0.0, 0.5)
    )
    exact = lf.envelope(trained(), response="loss", run="run", n_replicates=0)
    off = [np.abs(np.log(one.response / exact.response))[20:-20].mean() for one in (plain, smooth)]
    assert off[1] < 0.7 * off[0]


def test_the_same_seed_gives_the_same_draws_and_results_travel(found: lf.Envelope) -> None:
    again = lf.envelope(trained(), response="loss", run="run", n_replicates=300)
    assert again.exponent("N").interval == found.exponent("N").interval
    copy = pickle.loads(pickle.dumps(found))
    assert repr(copy) == repr(found)
    assert found.to_frame("pandas").shape == (200, 6)


def test_between_checkpoints_curves_are_straight_in_logarithms() -> None:
    runs = {"N": [1e8] * 3, "D": [1e9, 4e9, 1.6e10], "loss": [4.0, 3.0, 2.5], "run": ["a"] * 3}
    found = lf.at_compute(runs, [6e8 * 2e9, 6e8 * 8e9, 1e30], response="loss", run="run")
    np.testing.assert_allclose(found["D"], [2e9, 8e9])
    np.testing.assert_allclose(found["loss"], [math.sqrt(12.0), math.sqrt(7.5)])
    assert found["budget"].size == 2


def test_runs_between_checkpoints_make_isoflop_curves() -> None:
    budgets = np.logspace(19.5, 21.5, 5)
    runs = lf.at_compute(trained(), budgets, response="loss", run="run")
    found = lf.isoflop(runs, response="loss", budget="budget", method="interpolation", n_replicates=0)
    plan = lf.allocate("chinchilla", {"6*N*D": budgets}, params=TRUTH)
    np.testing.assert_allclose([one.N for one in found.optima], plan["N"], rtol=0.03)
    assert found.exponent("N").exponent == pytest.approx(EXPONENT, abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"run": "model"}, "model"),
        ({"smooth": -1.0}, "smooth=-1.0"),
        ({"n_points": 3}, "n_points=3"),
        ({"missing": "dorp"}, "missing='dorp'"),
        ({"where": "N < 2e8"}, "runs have two checkpoints or more"),
    ],
)
def test_a_wrong_call_says_what_to_change(options: dict[str, object], message: str) -> None:
    with pytest.raises(lf.LawfitError, match=message):
        lf.envelope(trained(), **{"response": "loss", "run": "run", **options})  # type: ignore[arg-type]


def test_a_run_of_two_sizes_and_budgets_out_of_reach_are_refused() -> None:
    runs = {"N": [1e8, 2e8], "D": [1e9, 2e9], "loss": [3.0, 2.9], "run": ["a", "a"]}
    with pytest.raises(lf.DataError, match="one model has one N"):
        lf.at_compute(runs, 1e18, response="loss", run="run")
    runs["N"] = [1e8, 1e8]
    with pytest.raises(lf.DataError, match="runs reach from"):
        lf.at_compute(runs, 1e30, response="loss", run="run")
