"""Differences on paired draws: against the draws themselves, hand-made pairs and published runs."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Columns

import lawfit as lf

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
GRID = {"N": np.logspace(7.7, 9.7, 6), "D": np.logspace(9, 12, 5)}


@pytest.fixture(scope="module")
def recipes() -> Columns:
    """Two recipes whose runs share most of their noise."""
    shared = np.exp(0.004 * np.random.default_rng(1).standard_normal(30))
    first = lf.synthetic.runs(lf.laws.chinchilla, TRUTH, GRID, noise=0.001, seed=1)
    second = lf.synthetic.runs(lf.laws.chinchilla, TRUTH | {"E": 1.7}, GRID, noise=0.001, seed=2)
    return first | {"loss": first["loss"] * shared, "other": second["loss"] * shared}


@pytest.fixture(scope="module")
def draws(recipes: Columns) -> tuple[lf.Draws, lf.Draws]:
    one, two = (
        lf.fit(lf.laws.chinchilla, recipes, response=name).bootstrap(1600, n_checked=0) for name in ("loss", "other")
    )
    return one, two


def test_a_difference_is_that_of_each_replicate(draws: tuple[lf.Draws, lf.Draws]) -> None:
    one, two = draws
    contrast = one.minus(two)
    found = contrast.quantity("alpha")
    ok = one.ok & two.ok
    apart = (one["alpha"] - two["alpha"])[ok]
    np.testing.assert_array_equal(found.draws[ok], apart)
    assert found.value == one.estimate["alpha"] - two.estimate["alpha"]
    assert found.stderr == pytest.approx(apart.std(ddof=1), rel=1e-12)
    assert found.unpaired_stderr == pytest.approx(
        math.hypot(one["alpha"][ok].std(ddof=1), two["alpha"][ok].std(ddof=1)), rel=1e-12
    )
    assert found.interval.lower < found.value < found.interval.upper
    backwards = two.minus(one).quantity("alpha").interval
    assert backwards.lower == pytest.approx(-found.interval.upper)
    assert backwards.upper == pytest.approx(-found.interval.lower)


def test_shared_noise_drops_out_of_paired_differences(draws: tuple[lf.Draws, lf.Draws]) -> None:
    contrast = lf.contrast(*draws)
    for found in (
        contrast.quantity("alpha"), contrast.quantity("beta / (alpha + beta)"), contrast.predict(N=1e11, D=2e12),
        contrast.optimum("6*N*D", 1e24)[0],
    ):  # fmt: skip
        # Noise of .001 beside .004 that is shared: sqrt(17) = 4.1 in the limit.
        assert 2.5 < found.unpaired_stderr / found.stderr < 6.0
    level = contrast.quantity("E")
    assert level.interval.lower < 0.1 < level.interval.upper
    assert level.interval.lower > 0.0


def test_predictions_and_optima_are_differences_of_those_of_the_laws(draws: tuple[lf.Draws, lf.Draws]) -> None:
    one, two = draws
    contrast = one.minus(two)
    predicted = contrast.predict(N=1e10, D=1e11)
    assert predicted.first == pytest.approx(float(one.fit.predict(N=1e10, D=1e11)), rel=1e-12)
    assert predicted.second == pytest.approx(float(two.fit.predict(N=1e10, D=1e11)), rel=1e-12)
    size = contrast.optimum("6*N*D", 1e24)[0]
    p = one.params
    names = one.law.parameters
    a, b, alpha, beta = (p[:, names.index(name)] for name in ("A", "B", "alpha", "beta"))
    first = (np.log(alpha * a / (beta * b)) + beta * math.log(1e24 / 6)) / (alpha + beta)
    p = two.params
    a, b, alpha, beta = (p[:, names.index(name)] for name in ("A", "B", "alpha", "beta"))
    second = (np.log(alpha * a / (beta * b)) + beta * math.log(1e24 / 6)) / (alpha + beta)
    usable = np.isfinite(size.draws)
    np.testing.assert_allclose(size.draws[usable], (first - second)[usable], atol=2e-5)


def test_draws_that_do_not_pair_are_refused(recipes: Columns, draws: tuple[lf.Draws, lf.Draws]) -> None:
    one, two = draws
    fit = two.fit
    for other, message in (
        (fit.bootstrap(1600, seed=1, n_checked=0), "seed"),
        (fit.bootstrap(1600, resample="pairs", n_checked=0), "resample"),
        (fit.bootstrap(50, n_checked=0), "replicates"),
        (lf.fit(lf.laws.chinchilla, recipes, response="loss", cluster="N").bootstrap(1600, n_checked=0), "cluster"),
        (fit, "no draws"),
        ("alpha", "str"),
    ):
        with pytest.raises(lf.DataError, match=message):
            one.minus(other)  # type: ignore[arg-type]
    left, right = (
        lf.fit(lf.laws.chinchilla, recipes, response="loss", where=where).bootstrap(30, n_checked=0)
        for where in (np.arange(30) < 15, np.arange(30) >= 15)
    )
    with pytest.raises(lf.DataError, match="in common"):
        left.minus(right)
    left, right = (
        lf.fit(lf.laws.chinchilla, recipes, response="loss", where=where).bootstrap(30, resample="pairs", n_checked=0)
        for where in (np.arange(30) < 25, np.arange(30) >= 5)
    )
    with pytest.raises(lf.DataError, match="share 20 of 25 and 25"):
        left.minus(right)


def test_it_prints_pickles_and_becomes_a_frame(draws: tuple[lf.Draws, lf.Draws]) -> None:
    contrast = lf.contrast(*draws)
    assert "30 rows that both have" in repr(contrast)
    assert repr(pickle.loads(pickle.dumps(contrast))) == repr(contrast)
    frame = contrast.to_frame("pandas")
    assert frame["parameter"].tolist() == list(lf.laws.chinchilla.parameters)
    assert frame["stderr"][2] == contrast.quantity("alpha").stderr
    found = contrast.to_dict()
    assert found["n_shared"] == 30


def test_recipes_of_published_runs_pair_by_the_group_of_a_batch(real_data: Callable[[str], Path]) -> None:
    fits = lf.fit_many(
        lf.laws.chinchilla, real_data("loss_to_loss_runs.csv"), response="val_loss",
        columns={"N": "params", "D": "tokens"}, by="data", bootstrap=400,
    )  # fmt: skip
    contrast = lf.contrast(fits["fineweb-edu-100b"], fits["fineweb-100b"])
    assert contrast.n_shared == 90
    assert "differ in N, D" in contrast.message
    assert contrast.quantity("E").value < 0.0
    assert contrast.quantity("E").stderr < contrast.quantity("E").unpaired_stderr


def test_recipes_of_published_runs_pair_by_configuration(real_data: Callable[[str], Path]) -> None:
    fits = lf.fit_many(
        lf.laws.chinchilla, real_data("gadre_runs.csv"), response="loss_00000001", by="dataset", cluster="model",
        bootstrap=100,
    )  # fmt: skip
    contrast = lf.contrast(fits["c4_original"], fits["rpj"])
    assert (contrast.n_shared, contrast.noun) == (6, "cluster")
    # Six clusters tell too little of five parameters.
    assert math.isnan(contrast.quantity("alpha").interval.lower)
    assert contrast.quantity("alpha").interval.note
