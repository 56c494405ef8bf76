"""Model-free optima beside a plan: the nearest curve, the law at its budget, the power law, and where there is none."""

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
BUDGETS = np.logspace(18, 21, 7)
AMOUNTS = [1.5e18, 1e20, 1e24]


def designed() -> Columns:
    """Curves around the optimum of the law, a factor of ten to either side."""
    size = (best(BUDGETS)[:, np.newaxis] * np.logspace(-1, 1, 9)).ravel()
    compute = np.repeat(BUDGETS, 9)
    loss = lf.laws.chinchilla.evaluate(N=size, D=compute / 6 / size, params=TRUTH)
    return {"N": size, "D": compute / 6 / size, "loss": loss * np.exp(np.random.default_rng(3).normal(0, 0.002, 63))}


def best(budget: np.ndarray) -> np.ndarray:
    a, b = TRUTH["alpha"], TRUTH["beta"]
    ratio = (a * TRUTH["A"] / (b * TRUTH["B"])) ** (1 / (a + b))
    return np.asarray(ratio * (budget / 6) ** (b / (a + b)))


@pytest.fixture(scope="module")
def curves() -> lf.IsoFlop:
    return lf.isoflop(designed(), response="loss")


@pytest.fixture(scope="module")
def fit() -> lf.Fit:
    return lf.fit(lf.laws.chinchilla, designed(), response="loss")


def test_the_nearest_curve_stands_beside_each_budget(fit: lf.Fit, curves: lf.IsoFlop) -> None:
    found = fit.allocate({"6*N*D": AMOUNTS}).beside(curves)
    assert found.budget == "6*N*D"
    for one, amount, nearest in zip(found.neighbours, AMOUNTS, [0, 4, 6], strict=True):
        assert one.curve is not None
        # 1.5e18 is between 1e18 and 3.2e18, nearer to the first in logarithms.
        assert one.curve.budget == pytest.approx(BUDGETS[nearest], rel=1e-9)
        assert one.factor == pytest.approx(amount / BUDGETS[nearest], rel=1e-9)
        there = fit.allocate({"6*N*D": one.curve.budget})
        assert [one.N, one.D, one.response] == [float(there[name]) for name in ("N", "D", "response")]
        assert pytest.approx(float(best(np.array(one.curve.budget))), rel=0.1) == one.N
        assert one.is_inside is (one.curve.interval.lower <= one.N <= one.curve.interval.upper)
        np.testing.assert_allclose(one.power_law, curves.predict(amount), rtol=1e-12)
        assert one.reason is None
    assert sum(one.is_inside is True for one in found.neighbours) >= 2


def test_a_fit_brings_the_curves_of_its_own_runs(fit: lf.Fit, curves: lf.IsoFlop) -> None:
    plan = fit.allocate({"6*N*D": AMOUNTS})
    theirs, own = plan.beside(curves), plan.beside(fit)
    assert repr(own) == repr(theirs)


def test_runs_without_curves_say_so(fit: lf.Fit) -> None:
    grid = {"N": [1e8, 3e8, 1e9], "D": [1e9, 2e10, 7e11]}
    scattered = lf.fit(
        lf.laws.chinchilla, lf.synthetic.runs(lf.laws.chinchilla, TRUTH, grid, noise=0.0), response="loss"
    )
    found = fit.allocate({"6*N*D": 1e22}).beside(scattered)
    assert found.neighbours[0].curve is None
    assert "no isoFLOP curves among the runs: compute='6*N*D': no two runs have the same compute" in repr(found)
    # Of sizes that are all too large the lowest point is beyond the smallest.
    runs = designed()
    large = {name: values[runs["N"] > 2.0 * best(6 * runs["N"] * runs["D"])] for name, values in runs.items()}
    edge = fit.allocate({"6*N*D": 1e22}).beside(lf.isoflop(large, response="loss", law=None))
    assert edge.neighbours[0].reason == "none of 7 curves has an optimum inside the sizes that were trained"
    assert edge.neighbours[0].is_inside is None


def test_other_budgets_and_menus_of_a_plan(fit: lf.Fit, curves: lf.IsoFlop) -> None:
    """A menu would hide what the law says; another budget belongs to the plan, and is said."""
    menu = fit.allocate({"6*N*D": 1e22}, menus={"N": [1e9, 1e10]}).beside(curves).neighbours[0]
    assert pytest.approx(float(fit.allocate({"6*N*D": 1e21})["N"]), rel=1e-9) == menu.N
    both = fit.allocate({"6*N*D": 1e22, "2*N*1e12": 1e21}).beside(curves)
    assert pytest.approx(5e8, rel=1e-9) == both.neighbours[0].N
    assert both.notes == ("the law keeps to 2*N*1e12 as well, of which the curves know nothing",)
    reached = fit.allocate({"6*N*D": None}, target=2.3)
    one = reached.beside(curves).neighbours[0]
    assert one.amount == pytest.approx(float(reached["6*N*D"]), rel=1e-12)
    unreachable = fit.allocate({"6*N*D": None}, target=0.1).beside(curves).neighbours[0]
    assert (unreachable.curve, unreachable.reason) == (None, "the plan has no amount there")


def test_a_law_without_an_optimum_there_says_why(curves: lf.IsoFlop) -> None:
    law = lf.Law("E + A*N**-alpha + 0*D", variables=["N", "D"])
    plan = lf.allocate(law, {"6*N*D": 1e22}, params={"E": 1.8, "A": 480.0, "alpha": 0.35})
    one = plan.beside(curves).neighbours[0]
    assert math.isnan(one.N)
    assert str(one.reason).startswith("the law at the budget of the curve: the law improves on")


def test_what_has_no_curves_is_refused(fit: lf.Fit, curves: lf.IsoFlop, tmp_path: Path) -> None:
    plan = fit.allocate({"6*N*D": 1e22})
    with pytest.raises(lf.DataError, match=r"the curves are of 6\*N\*D, and the plan has the budgets 6\*D\*N"):
        fit.allocate({"6*D*N": 1e22}).beside(curves)
    with pytest.raises(lf.DataError, match="no budget of the plan is of N and D"):
        fit.allocate({"N": 1e9, "D": 1e11}).beside(fit)
    with pytest.raises(lf.DataError, match="asks for a large response"):
        fit.allocate({"6*N*D": 1e22}, maximize=True).beside(curves)
    with pytest.raises(lf.DataError, match="the law is over x"):
        lf.allocate("power_floor", {"x": 1e9}, params={"E": 1.0, "A": 1.0, "alpha": 0.3}).beside(curves)
    with pytest.raises(lf.DataError, match="give curves of lawfit"):
        plan.beside(designed())  # type: ignore[arg-type]
    with pytest.raises(lf.DataError, match="key: 'a' is none of the groups of the curves; leave it out"):
        plan.beside(curves, "a")
    fit.save(tmp_path / "fit.json")
    with pytest.raises(lf.DataError, match="saved without its rows"):
        plan.beside(lf.load(tmp_path / "fit.json"))  # type: ignore[arg-type]
    small = lf.fit("E + A*N**-alpha", designed(), response="loss")
    with pytest.raises(lf.DataError, match="the fit is over N"):
        plan.beside(small)


def test_a_group_that_is_not_said_is_asked_for(fit: lf.Fit) -> None:
    one = designed()
    runs = {name: np.tile(values, 2) for name, values in one.items()} | {"web": np.repeat(["a", "b"], 63)}
    curves = lf.isoflop(runs, response="loss", by="web", law=None, n_replicates=0)
    plan = fit.allocate({"6*N*D": 1e22})
    assert plan.beside(curves, "b").neighbours[0].curve is not None
    with pytest.raises(
        lf.DataError, match=r"key: the curves have groups; write beside\(curves, 'a'\), or one of 'a', 'b'"
    ):
        plan.beside(curves)
    with pytest.raises(
        lf.DataError, match=r"key: \('a',\) is none of the groups of the curves; write beside\(curves, 'a'"
    ):
        plan.beside(curves, ("a",))


def test_budgets_and_curves_of_a_cost_by_name_meet(fit: lf.Fit, curves: lf.IsoFlop) -> None:
    plain = fit.allocate({"6*N*D": 1e22}).beside(curves).neighbours[0]
    named = lf.isoflop(designed(), response="loss", compute="training")
    plan = fit.allocate({"training": 1e22})
    for one in (plan.beside(named).neighbours[0], plan.beside(fit).neighbours[0]):
        assert one.curve is not None
        assert plain.curve is not None
        assert [one.factor, one.curve.N, one.N] == pytest.approx([plain.factor, plain.curve.N, plain.N], rel=1e-9)


def test_the_table_has_what_the_result_has(fit: lf.Fit, curves: lf.IsoFlop) -> None:
    found = fit.allocate({"6*N*D": AMOUNTS}).beside(curves)
    frame = found.to_frame("pandas")
    np.testing.assert_array_equal(frame["N of law there"], [one.N for one in found.neighbours])
    np.testing.assert_array_equal(frame["factor"], [one.factor for one in found.neighbours])
    assert repr(pickle.loads(pickle.dumps(found))) == repr(found)


def test_on_the_runs_of_porian_the_law_is_below_the_curve_of_the_largest_budget(
    real_data: Callable[[str], Path],
) -> None:
    """The law's 5.0e8 at 2.56e19 FLOP, by five runs 5.1e8 to 6.5e8: the law is off where it is asked to go on."""
    runs = lf.read_table(real_data("porian_rw_88.csv"))
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss")
    one = fit.allocate({"6*N*D": 1e22}).beside(fit).neighbours[0]
    assert one.curve is not None
    assert one.curve.budget == pytest.approx(2.56e19, rel=1e-6)
    assert one.factor == pytest.approx(390.6, rel=1e-3)
    assert one.is_inside is False
    assert one.N < one.curve.interval.lower < one.curve.N
    # The exponents differ too: the law asks for 1.38e10 parameters, and the power law of the curves has more.
    assert one.power_law[0] > float(fit.allocate({"6*N*D": 1e22})["N"])


def test_groups_of_curves_are_told_by_their_key(real_data: Callable[[str], Path]) -> None:
    path, columns = real_data("isoflop_experiments.csv"), {"N": "params", "D": "tokens"}
    curves = lf.isoflop(
        path, response="loss", columns=columns, by="experiment", budget="budget", n_replicates=200, law=None
    )
    group = "llama_3__raw_loss"
    fit = lf.fit(lf.laws.chinchilla, path, response="loss", columns=columns, where=f"experiment == '{group}'")
    plan = fit.allocate({"6*N*D": 3.8e25})
    one = plan.beside(curves, group).neighbours[0]
    assert one.curve is not None
    assert one.curve.key == (group,)
    assert one.curve.budget == max(
        curve.budget for curve in curves.optima if curve.key == (group,) and curve.status == "inside"
    )
    with pytest.raises(lf.DataError, match="key: the curves have groups"):
        plan.beside(curves)
