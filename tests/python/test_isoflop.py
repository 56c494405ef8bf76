"""IsoFLOP curves: vertices against NumPy and SciPy, power laws of known laws, real runs, words where nothing is."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import Akima1DInterpolator

import lawfit as lf
from lawfit._parabola import akima, lowest_of_akima, parabola

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
BUDGETS = np.logspace(18, 22, 9)
Columns = dict[str, np.ndarray]


def designed(noise: float = 0.0, seed: int = 0, reach: float = 1.0, n_sizes: int = 9) -> Columns:
    """Curves whose sizes lie around the optimum of the law, a factor of ten to the ``reach`` to either side."""
    plan = lf.allocate("chinchilla", {"6*N*D": BUDGETS}, params=TRUTH)
    size = (plan["N"][:, np.newaxis] * np.logspace(-reach, reach, n_sizes)).ravel()
    compute = np.repeat(BUDGETS, n_sizes)
    loss = lf.laws.chinchilla.evaluate(N=size, D=compute / 6 / size, params=TRUTH)
    loss = loss * np.exp(noise * np.random.default_rng(seed).standard_normal(loss.size))
    return {"N": size, "D": compute / 6 / size, "loss": loss, "C": compute}


@pytest.fixture(scope="module")
def noisy() -> lf.IsoFlop:
    return lf.isoflop(designed(0.002), response="loss")


def test_an_exact_parabola_has_its_vertex() -> None:
    x = np.linspace(16.0, 20.0, 7)
    found = parabola(x, 2.0 + 0.05 * (x - 18.3) ** 2, np.ones((1, 7)))
    assert found.at[0] == pytest.approx(18.3, abs=1e-12)
    assert found.value[0] == pytest.approx(2.0, abs=1e-13)


def test_weighted_parabolas_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(16.0, 20.0, 12))
    y = 2.0 + 0.05 * (x - 18.0) ** 2 + rng.normal(0.0, 0.02, 12)
    weights = rng.exponential(1.0, (50, 12))
    found = parabola(x, y, weights)
    for at, row in zip(found.at, weights, strict=True):
        c2, c1, _ = np.polyfit(x - 18.0, y, 2, w=np.sqrt(row))
        assert at == pytest.approx(18.0 - 0.5 * c1 / c2, abs=1e-9)


def test_akima_is_that_of_scipy() -> None:
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(0.0, 10.0, 9))
    y = rng.normal(size=(20, 9))
    at = np.linspace(x[0], x[-1], 301)
    theirs = np.array([Akima1DInterpolator(x, row)(at) for row in y])
    np.testing.assert_allclose(akima(x, y, at), theirs, rtol=0, atol=1e-12)


def test_the_lowest_point_of_akima_is_that_of_a_fine_grid() -> None:
    x = np.linspace(16.0, 20.0, 9)
    y = 2.0 + 0.05 * (x - 18.3) ** 2 + 0.01 * (x - 18.3) ** 3
    found = lowest_of_akima(x, y[np.newaxis])
    fine = np.linspace(16.0, 20.0, 400_001)
    assert found.at[0] == pytest.approx(fine[Akima1DInterpolator(x, y)(fine).argmin()], abs=1e-4)


@pytest.mark.parametrize("method", ["parabola", "interpolation"])
def test_narrow_curves_of_a_law_have_its_optima_and_exponents(method: str) -> None:
    found = lf.isoflop(designed(reach=0.2), response="loss", method=method, n_replicates=0)
    plan = lf.allocate("chinchilla", {"6*N*D": BUDGETS}, params=TRUTH)
    np.testing.assert_allclose([one.N for one in found.optima], plan["N"], rtol=0.02)
    np.testing.assert_allclose([one.D for one in found.optima], plan["D"], rtol=0.02)
    wanted = TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"])
    assert found.exponent("N").exponent == pytest.approx(wanted, abs=2e-3)
    assert found.exponent("D").exponent == pytest.approx(1.0 - wanted, abs=2e-3)


def test_the_bias_of_wide_curves_is_told_and_is_what_it_is() -> None:
    found = lf.isoflop(designed(reach=1.6), response="loss", n_replicates=0)
    plan = lf.allocate("chinchilla", {"6*N*D": BUDGETS}, params=TRUTH)
    for one, best in zip(found.optima, plan["N"], strict=True):
        assert one.bias == pytest.approx(one.N / best, rel=1e-3)
        assert abs(one.bias - 1.0) > 0.02
    assert any("on the fitted law this design is off" in note for note in found.notes)


def test_intervals_are_about_the_optima_and_shrink_with_the_noise(noisy: lf.IsoFlop) -> None:
    loud_runs, soft_runs = (designed(noise, reach=0.5) for noise in (0.002, 0.0005))
    both = (lf.isoflop(runs, response="loss").optima for runs in (loud_runs, soft_runs))
    for loud, soft in zip(*both, strict=True):
        assert soft.interval.lower < soft.N < soft.interval.upper
        wide, narrow = (math.log(one.interval.upper / one.interval.lower) for one in (loud, soft))
        assert narrow < wide
    law = noisy.exponent("N")
    assert law.interval.lower < TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"]) < law.interval.upper


def test_curves_are_found_by_their_compute_or_named(noisy: lf.IsoFlop) -> None:
    named = lf.isoflop(designed(0.002), response="loss", budget="C")
    assert [one.budget for one in named.optima] == BUDGETS.tolist()
    np.testing.assert_allclose([one.budget for one in noisy.optima], BUDGETS, rtol=1e-12)
    np.testing.assert_array_equal([one.N for one in named.optima], [one.N for one in noisy.optima])


def test_an_optimum_outside_the_sizes_is_none() -> None:
    runs = designed(0.0, reach=0.5)
    small = runs["N"] < 0.8 * np.repeat([one.N for one in lf.isoflop(runs, response="loss", n_replicates=0).optima], 9)
    found = lf.isoflop({name: values[small] for name, values in runs.items()}, response="loss", n_replicates=100)
    assert {one.status for one in found.optima} <= {"edge", "too few runs"}
    assert all(math.isnan(one.N) and math.isnan(one.interval.lower) for one in found.optima)
    assert math.isnan(found.exponent("N").exponent)
    assert any("no optimum inside" in note for note in found.notes)


def test_an_interpolation_has_an_interval_only_where_the_noise_is_said() -> None:
    silent = lf.isoflop(designed(0.002), response="loss", method="interpolation")
    assert silent.optima[4].interval.note is not None
    assert "noise=" in silent.optima[4].interval.note
    told = lf.isoflop(designed(0.002), response="loss", method="interpolation", noise=0.002, n_replicates=400)
    inside = [one for one in told.optima if math.isfinite(one.interval.lower)]
    assert inside
    assert all(one.interval.lower < one.N < one.interval.upper for one in inside)


def test_a_fitted_law_stands_beside_the_curves(noisy: lf.IsoFlop) -> None:
    fit = lf.fit(lf.laws.chinchilla, designed(0.002), response="loss")
    for budget, ours, theirs in noisy.compare(fit):
        assert theirs == pytest.approx(float(fit.allocate({"6*N*D": budget})["N"]), rel=1e-12)
        assert ours == pytest.approx(theirs, rel=0.5)


def test_predictions_are_on_the_power_law(noisy: lf.IsoFlop) -> None:
    law = noisy.exponent("N")
    value, lower, upper = noisy.predict([1e20, 1e24])
    np.testing.assert_allclose(value, law.K * np.array([1e20, 1e24]) ** law.exponent)
    assert np.all((lower < value) & (value < upper))
    assert upper[1] / lower[1] > upper[0] / lower[0]


def test_results_pickle_print_and_become_frames(noisy: lf.IsoFlop) -> None:
    again = pickle.loads(pickle.dumps(noisy))
    assert repr(again) == repr(noisy)
    assert noisy.to_frame("pandas").shape[0] == 9
    assert noisy.to_dict()["method"] == "parabola"
    assert "power law" in repr(noisy)


def test_eight_experiments_go_in_one_call(real_data: Callable[[str], Path]) -> None:
    found = lf.isoflop(
        real_data("isoflop_experiments.csv"), response="loss", columns={"N": "params", "D": "tokens"}, by="experiment",
        budget="budget", n_replicates=200,
    )  # fmt: skip
    assert len({one.key for one in found.optima}) == 8
    # The Llama 3 herd's own law, 0.299 C**0.537 tokens before rounding, and their 16.55e12 at 3.8e25 FLOP.
    tokens = found.exponent("D", "llama_3__raw_loss")
    assert tokens.exponent == pytest.approx(0.537, abs=6e-4)
    assert pytest.approx(0.29, abs=0.05) == tokens.K
    assert tokens.at(3.8e25)[0] == pytest.approx(16.55e12, rel=0.05)
    outside = [one for one in found.optima if one.status != "inside"]
    assert 0 < len(outside) < 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "spline"}, "method='spline'"),
        ({"columns": {"M": "N"}}, "'M' is not used here"),
        ({"compute": "6*N*Q"}, "'Q' is not known"),
        ({"tolerance": 2.0}, "tolerance=2.0"),
        ({"noise": -1.0}, "noise=-1.0"),
        ({"n_replicates": -1}, "n_replicates=-1"),
        ({"response": "los"}, "los"),
        ({"where": "N < 0"}, "where"),
    ],
)
def test_a_wrong_call_says_what_to_change(options: dict[str, object], message: str) -> None:
    with pytest.raises(lf.LawfitError, match=message):
        lf.isoflop(designed(), **{"response": "loss", **options})  # type: ignore[arg-type]


def test_runs_that_share_no_compute_are_refused() -> None:
    runs = {"N": [1e8, 1e9, 1e10], "D": [1e9, 1e10, 1e12], "loss": [3.0, 2.5, 2.2]}
    with pytest.raises(lf.DataError, match="no two runs have the same compute"):
        lf.isoflop(runs, response="loss")
    with pytest.raises(lf.DataError, match="is nan in row 1"):
        lf.isoflop({**runs, "loss": [3.0, math.nan, 2.2]}, response="loss")
    with pytest.raises(lf.DataError, match="there is no column D"):
        lf.isoflop({"N": [1e8], "loss": [3.0]}, response="loss")


def test_runs_without_a_loss_can_be_left_out() -> None:
    runs = designed(0.002)
    holes = {**runs, "loss": np.where(np.arange(runs["loss"].size) % 10 == 3, np.nan, runs["loss"])}
    kept = np.isfinite(holes["loss"])
    found = lf.isoflop(holes, response="loss", missing="drop", n_replicates=0)
    same = lf.isoflop({name: values[kept] for name, values in runs.items()}, response="loss", n_replicates=0)
    assert [one.N for one in found.optima] == [one.N for one in same.optima]
    with pytest.raises(lf.DataError, match="missing='dorp'"):
        lf.isoflop(runs, response="loss", missing="dorp")


def test_a_run_without_a_budget_is_refused() -> None:
    runs = designed(0.002)
    for bad in (0.0, math.nan):
        budgets = np.where(np.arange(runs["C"].size) == 4, bad, runs["C"])
        with pytest.raises(lf.DataError, match=r"budget='C': row 4 \(counted from 0\)"):
            lf.isoflop({**runs, "C": budgets}, response="loss", budget="C")
