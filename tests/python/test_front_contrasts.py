"""Differences of optima: against the draws, the contrast of one budget, hand-made pairs and published runs."""

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
BUDGETS = {"6*N*D": [1e21, 1e24]}


@pytest.fixture(scope="module")
def recipes() -> Columns:
    """Two recipes whose runs share most of their noise; the second wants larger models."""
    shared = np.exp(0.004 * np.random.default_rng(1).standard_normal(30))
    first = lf.synthetic.runs(lf.laws.chinchilla, TRUTH, GRID, noise=0.001, seed=1)
    second = lf.synthetic.runs(lf.laws.chinchilla, TRUTH | {"A": 600.0}, GRID, noise=0.001, seed=2)
    return first | {"loss": first["loss"] * shared, "other": second["loss"] * shared}


@pytest.fixture(scope="module")
def fronts(recipes: Columns) -> tuple[lf.Frontier, lf.Frontier]:
    one, two = (
        lf.fit(lf.laws.chinchilla, recipes, response=name).bootstrap(1600, n_checked=0).allocate(BUDGETS)
        for name in ("loss", "other")
    )
    return one, two


def test_a_difference_is_that_of_each_replicate(fronts: tuple[lf.Frontier, lf.Frontier]) -> None:
    one, two = fronts
    apart = one.minus(two)
    assert apart.is_paired
    for text, of in (("N", np.log), ("D/N", np.log), ("response", np.asarray)):
        for point, found in enumerate(apart.quantity(text)):
            expected = of(one[text][:, point]) - of(two[text][:, point])
            np.testing.assert_allclose(found.draws, expected, atol=1e-12)
            assert found.value == pytest.approx(of(one.plan[text][point]) - of(two.plan[text][point]), rel=1e-12)
            assert found.stderr == pytest.approx(np.std(expected[np.isfinite(expected)], ddof=1), rel=1e-12)
    assert [found.name for found in apart.quantity("D")] == ["ln D", "ln D"]


def test_it_is_the_contrast_of_draws_at_each_budget(fronts: tuple[lf.Frontier, lf.Frontier]) -> None:
    apart = fronts[0].minus(fronts[1])
    beside = fronts[0].draws.minus(fronts[1].draws)
    for point, budget in enumerate(BUDGETS["6*N*D"]):
        for name, one in zip(("N", "D", "response"), beside.optimum("6*N*D", budget), strict=True):
            found = apart.quantity(name)[point]
            assert found.name == one.name
            np.testing.assert_allclose([found.value, found.stderr], [one.value, one.stderr], rtol=1e-9)
            np.testing.assert_allclose(found.interval, one.interval, rtol=1e-9)
    assert apart.message == beside.message


def test_noise_that_is_shared_drops_out(fronts: tuple[lf.Frontier, lf.Frontier]) -> None:
    # alpha A rises by a quarter, so that ln N falls by ln 1.25 / (alpha + beta) in the first against the second.
    truth = -math.log(600 / 480) / (TRUTH["alpha"] + TRUTH["beta"])
    for found in fronts[0].minus(fronts[1]).quantity("N"):
        assert 2.5 < found.unpaired_stderr / found.stderr < 6.0
        assert found.interval.lower < truth < found.interval.upper < 0.0


def test_independent_draws_have_the_standard_errors_of_both_together(fronts: tuple[lf.Frontier, lf.Frontier]) -> None:
    """Of the same seed and rows as well: no replicate meets its own."""
    apart = fronts[0].minus(fronts[1], paired=False)
    assert "independent" in repr(apart)
    assert "nothing in common" in apart.message
    for found in apart.quantity("N"):
        # 1,600 pairs: a correlation of 0.025 by chance.
        assert found.stderr == pytest.approx(found.unpaired_stderr, rel=0.05)


def test_fronts_of_other_draws_can_be_independent_only(
    recipes: Columns, fronts: tuple[lf.Frontier, lf.Frontier]
) -> None:
    fit = fronts[1].draws.fit
    other = fit.bootstrap(900, seed=7, n_checked=0).allocate(BUDGETS)
    with pytest.raises(lf.DataError, match="contrast: seed is 0 and 7; paired draws need the same"):
        fronts[0].minus(other)
    apart = fronts[0].minus(other, paired=False)
    found = apart.quantity("N")[0]
    assert found.draws.shape == (900,)
    assert found.stderr == pytest.approx(found.unpaired_stderr, rel=0.1)
    left_out = fit.bootstrap(resample="jackknife").allocate(BUDGETS)
    with pytest.raises(lf.DataError, match="leave units out"):
        fronts[0].minus(left_out, paired=False)


def test_other_budgets_and_other_things_are_refused(fronts: tuple[lf.Frontier, lf.Frontier]) -> None:
    one, two = fronts
    draws = two.draws
    for other in (
        draws.allocate({"6*N*D": [1e21, 2e24]}),
        draws.allocate({"6*N*D": 1e21}),
        draws.allocate({"6*D*N": [1e21, 1e24]}),
        draws.allocate({"6*N*D": None}, target=[2.1, 2.0]),
    ):
        with pytest.raises(lf.DataError, match="other budgets, amounts or targets"):
            one.minus(other)
    with pytest.raises(lf.DataError, match="give another frontier"):
        one.minus(draws)  # type: ignore[arg-type]
    with pytest.raises(lf.DataError, match="'M' of 'M/N' is not known"):
        one.minus(two).quantity("M/N")


def test_where_a_fit_has_no_optimum_the_reason_is_said(fronts: tuple[lf.Frontier, lf.Frontier]) -> None:
    bounds = {"N": (1e9, 1e9)}
    one, two = (front.draws.allocate({}, bounds=bounds) for front in fronts)
    found = one.minus(two).quantity("D")[0]
    assert math.isnan(found.value)
    assert "the first fit has no optimum: the law improves on" in str(found.interval.note)
    assert "note: the first fit" in repr(one.minus(two))


def test_costs_of_a_target_can_be_compared(fronts: tuple[lf.Frontier, lf.Frontier]) -> None:
    one, two = (front.draws.allocate({"6*N*D": None}, target=2.2) for front in fronts)
    apart = one.minus(two)
    found = apart.quantity("6*N*D")[0]
    assert found.value == pytest.approx(math.log(one.plan["6*N*D"] / two.plan["6*N*D"]), rel=1e-12)
    assert found.interval.upper < 0.0
    columns = apart.columns()
    assert columns["quantity"] == ["ln N", "ln D", "ln 6*N*D"]
    assert columns["target"] == [2.2] * 3
    assert "budget 6*N*D" not in columns


def test_what_has_no_logarithm_has_no_difference(fronts: tuple[lf.Frontier, lf.Frontier]) -> None:
    for text in ("N - D", "N - N"):
        found = fronts[0].minus(fronts[1]).quantity(text)[0]
        assert math.isnan(found.value)
        assert found.interval.note == f"{text} of the first fit is not above 0, and logarithms are subtracted"


def test_the_table_has_one_row_for_each_point_and_quantity(fronts: tuple[lf.Frontier, lf.Frontier]) -> None:
    apart = fronts[0].minus(fronts[1])
    frame = apart.to_frame("pandas")
    assert list(frame["quantity"]) == ["ln N", "ln D", "response"] * 2
    np.testing.assert_array_equal(frame["difference"][::3], [found.value for found in apart.quantity("N")])
    assert repr(apart).startswith("optima of the first less those of the second, paired draws, level 0.95")
    again = pickle.loads(pickle.dumps(apart))
    assert repr(again) == repr(apart)


def test_two_laws_of_the_same_runs_pair(real_data: Callable[[str], Path]) -> None:
    """RefinedWeb of Porian et al.: two exponents ask for larger models than one does, by more than the runs leave open.

    Intervals of the losses at 1e21 FLOP overlap; the error of their difference is half of what it would be unpaired.
    """
    runs = lf.read_table(real_data("porian_rw_88.csv"))
    one, two = (
        lf.fit(law, runs, response="loss").bootstrap(600, n_checked=0).allocate({"6*N*D": 1e21})
        for law in (lf.laws.chinchilla, lf.laws.chinchilla_tied)
    )
    apart = one.minus(two)
    assert apart.message.startswith("paired: 88 rows that both have")
    size, response = apart.quantity("N")[0], apart.quantity("response")[0]
    assert 0.0 < size.interval.lower < size.value == pytest.approx(math.log(one.plan["N"] / two.plan["N"]))
    assert response.stderr < 0.5 * response.unpaired_stderr
    assert one.interval("response").lower < two.interval("response").upper
    assert two.interval("response").lower < one.interval("response").upper
