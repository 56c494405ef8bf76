"""Plans of several laws: each by itself, regrets by bisection and closed form, the least worst, and what has none."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import lawfit as lf

TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.30}
GRID = {"N": np.logspace(7.5, 10, 5), "D": np.logspace(9, 12, 5)}
FORMS: dict[str, lf.Law] = {"free": lf.laws.chinchilla, "tied": lf.laws.chinchilla_tied, "kaplan": lf.laws.kaplan_nd}
AMOUNTS = [1e22, 1e25]


@pytest.fixture(scope="module")
def runs() -> dict[str, np.ndarray]:
    return lf.synthetic.runs(lf.laws.chinchilla, TRUTH, GRID, noise=0.01, seed=5)


@pytest.fixture(scope="module")
def fits(runs: dict[str, np.ndarray]) -> dict[str, lf.Fit]:
    return {name: lf.fit(law, runs, response="loss") for name, law in FORMS.items()}


@pytest.fixture(scope="module")
def found(fits: dict[str, lf.Fit]) -> lf.Plans:
    return lf.plans(fits, {"6*N*D": AMOUNTS})


def test_each_law_has_its_own_plan(fits: dict[str, lf.Fit], found: lf.Plans) -> None:
    assert found.names == tuple(FORMS)
    for name, fit in fits.items():
        np.testing.assert_array_equal(found[name]["N"], fit.allocate({"6*N*D": AMOUNTS})["N"])
    with pytest.raises(KeyError, match="'fre' has no plan here; did you mean 'free'"):
        found["fre"]


def test_a_regret_is_what_a_smaller_budget_would_have_saved(fits: dict[str, lf.Fit], found: lf.Plans) -> None:
    """By bisection over repeated allocations, for every pair."""
    for i, plan in enumerate(found.allocations.values()):
        for j, fit in enumerate(fits.values()):
            for point, amount in enumerate(AMOUNTS):
                at = {"N": float(plan["N"][point]), "D": float(plan["D"][point])}
                wanted = float(fit.law.evaluate(params=fit.params, **at))
                low, high = -3.0, 0.0
                while high - low > 1e-11:
                    middle = 0.5 * (low + high)
                    worse = float(fit.allocate({"6*N*D": amount * math.exp(middle)})["response"]) > wanted
                    low, high = (middle, high) if worse else (low, middle)
                assert found.regret[i, j, point] == pytest.approx(math.expm1(-high), rel=1e-7, abs=1e-9)


def test_the_choice_has_the_least_worst_regret(found: lf.Plans) -> None:
    assert np.all(found.regret >= 0.0)
    np.testing.assert_array_equal(np.diagonal(found.regret), 0.0)
    np.testing.assert_array_equal(found.worst, found.regret.max(axis=1))
    for point in range(2):
        assert found.choice[point] == found.names[int(np.argmin(found.regret.max(axis=1)[:, point]))]


def test_a_law_without_a_variable_of_the_budget_has_no_plan(
    runs: dict[str, np.ndarray], fits: dict[str, lf.Fit]
) -> None:
    small = lf.fit("E + A*N**-alpha", runs, response="loss")
    found = lf.plans({"small": small, "free": fits["free"]}, {"6*N*D": 1e24})
    assert found.names == ("free",)
    assert found.left_out["small"] == "no plan: the law has no variable D"
    assert "small: no plan" in repr(found)
    assert found.choice.item() == "free"
    with pytest.raises(lf.LawError, match="budgets: 'D' of '6\\*N\\*D' is no variable of any law; those are N"):
        lf.plans({"small": small}, {"6*N*D": 1e24})


def test_a_plan_that_says_nothing_of_a_variable_has_no_regret_under_its_law(fits: dict[str, lf.Fit]) -> None:
    params = {**TRUTH, "G": 2.0, "gamma": 0.3}
    design = {"N": [1e7, 1e8, 1e9], "D": [1e9, 1e10, 1e11], "k": [1.0, 10.0, 100.0]}
    sampled = lf.fit(
        lf.laws.t2_loss, lf.synthetic.runs(lf.laws.t2_loss, params, design, noise=0.002, seed=0), response="loss"
    )
    found = lf.plans({"free": fits["free"], "t2": sampled}, {"6*N*D": 1e24}, at={"k": 1})
    assert found.regret[0, 0] == found.regret[1, 1] == 0.0
    assert np.isnan(found.regret[0, 1])
    assert np.isfinite(found.regret[1, 0])
    assert any("free says nothing of k" in note for note in found.notes)
    # The worst of the first is not known.
    assert found.choice.item() == "t2"


def test_a_law_without_an_optimum_says_why(runs: dict[str, np.ndarray], fits: dict[str, lf.Fit]) -> None:
    endless = lf.fit("E + A*N**-alpha + 0*D", runs, response="loss")
    found = lf.plans({"endless": endless, "free": fits["free"]}, {"6*N*D": AMOUNTS})
    assert np.isnan(found.regret[0]).all()
    assert np.isnan(found.regret[:, 0]).all()
    assert list(found.choice) == ["", ""]
    assert any(note.startswith("endless has no optimum") and "1 more point" in note for note in found.notes)
    assert "no plan has one" in repr(found)


def test_a_budget_by_name_plans_as_its_formula_does(fits: dict[str, lf.Fit], found: lf.Plans) -> None:
    named = lf.plans(fits, {"training": AMOUNTS})
    assert named.names == found.names
    np.testing.assert_allclose(named.regret, found.regret, atol=1e-9)
    both = lf.plans(fits, {"training + inference(tokens=1e13)": 1e25})
    assert not both.left_out
    assert both["free"]["N"] == fits["free"].allocate({"6*N*D + 2*N*1e13": 1e25})["N"]


def test_fits_that_cannot_be_used_are_named(runs: dict[str, np.ndarray], fits: dict[str, lf.Fit]) -> None:
    budgets = {"6*N*D": 1e24}
    draws = fits["free"].bootstrap(2, n_checked=0)
    for given, message in [
        (list(fits.values()), "fits: give fits by name, .* not a value of type list"),
        ({}, "fits: give fits by name, .* not an empty mapping"),
        ({**fits, "draws": draws}, "fits: 'draws' is a value of type Draws; give fits"),
        ({1: fits["free"]}, "fits: give names as text, such as 'free', not 1"),
    ]:
        with pytest.raises(lf.DataError, match=message):
            lf.plans(given, budgets)  # type: ignore[arg-type]
    few = lf.fit(lf.laws.chinchilla, {name: values[:5] for name, values in runs.items()}, response="loss")
    with pytest.raises(lf.DataError, match="fits: none has a plan; few: no plan: "):
        lf.plans({"few": few}, budgets)


@pytest.mark.parametrize(
    ("budgets", "options", "message"),
    [
        ({"6*N*D": -1.0}, {}, r"amounts of '6\*N\*D' must be finite and above 0"),
        ({"6*N*D": None}, {}, r"budgets: '6\*N\*D' has no amount; give one, since regrets are parts of it"),
        ({}, {}, "budgets: give formulas with their amounts, .* not an empty mapping"),
        (1e24, {}, "budgets: give formulas with their amounts, .* not a value of type float"),
        ({6: 1e24}, {}, "budgets: 6 is no formula"),
        ({"6*n*d": 1e24}, {}, "budgets: 'n' of '6\\*n\\*d' is no variable of any law; did you mean 'N'"),
        ({"inference": 1e24}, {}, "budgets: inference: say tokens="),
        ({"6*N*D": 1e24}, {"at": {"K": 1}}, "at: 'K' is no variable of any law"),
        ({"6*N*D": 1e24}, {"bounds": "N"}, "bounds: give a mapping by variable, not a value of type str"),
        ({"6*N*D": 1e24}, {"menus": [1e9]}, "menus: give a mapping by variable, not a value of type list"),
        ({"6*N*D": 1e24}, {"integer": 5}, "integer: give names of variables"),
        ({"6*N*D": 1e24}, {"integer": "k"}, "integer: 'k' is no variable of any law"),
        ({"6*N*D": 1e24}, {"maximize": "yes"}, "maximize='yes': say True or False"),
    ],
)
def test_what_cannot_be_used_is_refused(
    fits: dict[str, lf.Fit], budgets: object, options: dict[str, object], message: str
) -> None:
    with pytest.raises((lf.DataError, lf.LawError), match=message):
        lf.plans(fits, budgets, **options)  # type: ignore[arg-type]


def test_the_table_has_every_pair(found: lf.Plans) -> None:
    frame = found.to_frame("pandas")
    assert len(frame) == 3 * 3 * 2
    row = frame[(frame["plan of"] == "tied") & (frame["under"] == "kaplan")].iloc[1]
    assert row["regret"] == found.regret[1, 2, 1]
    assert row["N"] == found["tied"]["N"][1]
    assert repr(pickle.loads(pickle.dumps(found))) == repr(found)


def test_a_comparison_plans_with_the_laws_that_survive(runs: dict[str, np.ndarray]) -> None:
    laws: dict[str, lf.Law | str] = {
        "free": lf.laws.chinchilla,
        "tied": lf.laws.chinchilla_tied,
        "no D": "E + A*N**-alpha",
    }
    compared = lf.compare(laws, runs, response="loss", by=["6*N*D", "folds"], n_replicates=50)
    for by in (None, "folds"):
        names = compared.survivors(by)
        found = compared.plans({"6*N*D": 1e24}, by=by)
        assert found.names == names
        assert "no D" not in names
        for name in names:
            assert found[name]["N"] == compared[name].fit.allocate({"6*N*D": 1e24})["N"]
    with pytest.raises(lf.DataError, match="by='D'"):
        compared.plans({"6*N*D": 1e24}, by="D")


def test_on_the_chinchilla_points_one_exponent_or_two_costs_a_percent(real_data: Callable[[str], Path]) -> None:
    """At Gopher's budget plans differ by a fifth in N, and by a percent of the budget; Kaplan's form costs more."""
    table = lf.read_table(real_data("chinchilla_epoch.csv"))
    fits = {name: lf.fit(law, table, response="loss", where="epoch_used") for name, law in FORMS.items()}
    found = lf.plans(fits, {"6*N*D": 5.88e23})
    assert found["free"]["N"] / found["tied"]["N"] == pytest.approx(1.2, abs=0.05)
    assert 0.005 < found.regret[0, 1] < 0.02
    assert 0.005 < found.regret[1, 0] < 0.02
    assert found.regret[1, 2] > 0.1

    # One exponent: the loss above E is a power of the budget, so regrets have a closed form.
    p, plan = fits["tied"].params, found["free"]
    own = found["tied"]

    def reducible(of: lf.Allocation) -> float:
        return float(p["A"] * of["N"] ** -p["alpha"] + p["B"] * of["D"] ** -p["alpha"])

    expected = (reducible(plan) / reducible(own)) ** (2.0 / p["alpha"]) - 1.0
    assert found.regret[0, 1] == pytest.approx(expected, rel=1e-7)
