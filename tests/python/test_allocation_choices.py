"""Allocations of what cannot be divided, and the least that reaches a response, against brute force."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lawfit as lf
from lawfit.cli import main

HOFFMANN = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
T2 = {**HOFFMANN, "G": 2.0, "gamma": 0.3}
SIZES = [3e7, 4e7, 5e7, 7e7, 3e8]


@pytest.fixture(scope="module")
def draws() -> lf.Draws:
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    grid = {"N": np.logspace(7, 10, 6), "D": np.logspace(9, 12, 6)}
    runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.002, seed=0)
    return lf.fit(lf.laws.chinchilla, runs, response="loss").bootstrap(500, seed=0)


def t2(n: float, d: float, k: float) -> float:
    p = T2
    return float(p["E"] + p["A"] * n ** -p["alpha"] + p["B"] * d ** -p["beta"] + p["G"] * k ** -p["gamma"])


def test_the_least_budget_for_a_response_is_the_budget_that_gives_it() -> None:
    amounts = np.logspace(18, 25, 15)
    plan = lf.allocate("t2_loss", {"6*N*D": amounts, "2*N*k": 1.4e11}, params=T2)
    back = lf.allocate("t2_loss", {"6*N*D": None, "2*N*k": 1.4e11}, params=T2, target=plan["response"])
    # A response is known to 1e-15, and at 1e25 a unit of ln C is worth a few thousandths of it.
    np.testing.assert_allclose(back["6*N*D"], amounts, rtol=1e-10)
    np.testing.assert_allclose(back.amounts[:, 0], amounts, rtol=1e-10)
    np.testing.assert_allclose(back["N"], plan["N"], rtol=1e-6)
    np.testing.assert_allclose(back.price["6*N*D"], plan.price["6*N*D"], rtol=1e-6)


def test_the_cheapest_to_serve_at_the_compute_of_its_training_is_found() -> None:
    """Which of the sizes that are as good is the smallest; all that there is of the other budget is no bound."""
    law, training, serving = lf.laws.chinchilla, 5.88e23, "inference(tokens=1e13)"
    sizes = np.array([1e9, 3e9, 1e10])
    quality = law.evaluate(N=sizes, D=training / 6 / sizes, params=HOFFMANN)
    plan = lf.allocate(law, {"training": training, serving: None}, params=HOFFMANN, target=quality)
    np.testing.assert_allclose(plan["N"], sizes, rtol=1e-9)
    np.testing.assert_allclose(plan[serving], 2e13 * sizes, rtol=1e-9)
    most = lf.allocate(law, {"training": training, serving: 1e40}, params=HOFFMANN)
    alone = lf.allocate(law, {"training": training}, params=HOFFMANN)
    assert most["N"] == pytest.approx(alone["N"], rel=1e-9)
    assert most.price[serving] == 0.0


def test_the_least_budget_for_an_accuracy_is_the_budget_that_gives_it() -> None:
    law = lf.Law("1/(1 + A*N**-alpha + B*D**-beta)", variables=["N", "D"])
    params = {name: HOFFMANN[name] for name in law.parameters}
    plan = lf.allocate(law, {"6*N*D": 1e22}, params=params, maximize=True)
    back = lf.allocate(law, {"6*N*D": None}, params=params, target=plan["response"], maximize=True)
    assert back["6*N*D"] == pytest.approx(1e22, rel=1e-11)
    unreachable = lf.allocate(law, {"6*N*D": None}, params=params, target=1.01, maximize=True)
    assert unreachable.status == "unreachable"


def test_the_cost_of_a_lifetime_is_least_where_sardana_says() -> None:
    """A model as good as a Chinchilla-optimal one of 30B, for 1e13 tokens of answers: 13.6B, 2.84 times the tokens."""
    params = {**HOFFMANN, "alpha": 0.336, "beta": 0.283}
    budgets = np.logspace(23, 25, 2001)
    optimal = lf.allocate("chinchilla", {"6*N*D": budgets}, params=params)
    place = int(np.argmin(np.abs(optimal["N"] - 30e9)))
    plain = budgets[place] + 2.0 * optimal["N"][place] * 1e13
    cost = "6*N*D + 2*N*1e13"
    served = lf.allocate("chinchilla", {cost: None}, params=params, target=optimal["response"][place])
    assert served["N"] == pytest.approx(13.6e9, rel=5e-3)
    assert served["D"] / optimal["D"][place] == pytest.approx(2.84, rel=5e-3)
    assert 1.0 - served[cost] / plain == pytest.approx(0.280, abs=1e-3)


def test_nothing_reaches_a_response_below_the_floor_and_the_plan_says_so() -> None:
    plan = lf.allocate("chinchilla", {"6*N*D": None}, params=HOFFMANN, target=[1.6, 2.0])
    assert plan.status.tolist() == ["unreachable", "inside"]
    assert np.isnan(plan["N"][0])
    assert np.isnan(plan.amounts[0, 0])
    assert "better than the best" in (plan.reason(0) or "")


def test_a_sweep_of_one_budget_with_the_least_of_another_is_a_pareto_front() -> None:
    serving = np.geomspace(1e9, 1e12, 25)
    plan = lf.allocate("t2_loss", {"6*N*D": None, "2*N*k": serving}, params=T2, target=4.0)
    assert plan.pareto.all()
    assert np.all(np.diff(plan["6*N*D"]) < 0.0)
    # More serving than the least that is useful buys nothing once k is held.
    held = lf.allocate("t2_loss", {"6*N*D": None, "2*N*k": serving}, params=T2, target=4.5, at={"k": 3})
    assert held.pareto.sum() < held.pareto.size


def test_what_is_near_a_target_is_reached_with_a_twentieth_more_of_the_least() -> None:
    plan = lf.allocate("chinchilla", {"6*N*D": None}, params=HOFFMANN, target=2.0)
    low, high = plan.near()["N"]
    for end in (low, high):
        dearer = lf.allocate("chinchilla", {"6*N*D": None}, params=HOFFMANN, target=2.0, at={"N": float(end)})
        assert dearer["6*N*D"] == pytest.approx(1.05 * plan["6*N*D"], rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    training=st.floats(18.0, 25.0),
    serving=st.floats(8.0, 12.0),
    sizes=st.lists(st.floats(6.0, 11.0), min_size=1, max_size=6),
)
def test_the_best_of_a_menu_is_the_best_of_its_entries(training: float, serving: float, sizes: list[float]) -> None:
    budgets = {"6*N*D": 10.0**training, "2*N*k": 10.0**serving}
    menu = [10.0**size for size in sizes]
    plan = lf.allocate("t2_loss", budgets, params=T2, menus={"N": menu})
    entries = [lf.allocate("t2_loss", budgets, params=T2, at={"N": size}) for size in menu]
    responses = [float(entry["response"]) for entry in entries if entry.success]
    if responses:
        assert float(plan["response"]) == pytest.approx(min(responses), rel=1e-13)
        assert float(plan["N"]) in menu
    else:
        assert plan.status == "infeasible"


@settings(max_examples=25, deadline=None)
@given(training=st.floats(18.0, 25.0), serving=st.floats(7.5, 9.5))
def test_the_best_whole_number_of_samples_is_the_best_of_all(training: float, serving: float) -> None:
    budgets = {"6*N*D": 10.0**training, "2*N*k": 10.0**serving}
    plan = lf.allocate("t2_loss", budgets, params=T2, integer=["k"])
    samples = np.arange(1.0, 200.0)
    # With k held the law falls with N until 2 N k is spent, or has its optimum before.
    responses = [float(lf.allocate("t2_loss", budgets, params=T2, at={"k": k})["response"]) for k in samples]
    assert plan["response"] == pytest.approx(np.nanmin(responses), rel=1e-13)
    assert plan["k"] == samples[int(np.nanargmin(responses))]
    assert plan["6*N*D"] <= budgets["6*N*D"] * (1.0 + 1e-12)


def test_two_whole_numbers_are_the_best_of_all_pairs() -> None:
    law = lf.Law("A/x + B/y + G/(x*y)", variables=["x", "y"])
    params = {"A": 3.0, "B": 5.0, "G": 7.0}
    for amount in (20.0, 33.3, 71.0):
        plan = lf.allocate(law, {"2*x + 3*y": amount}, params=params, integer=["x", "y"])
        pairs = [(x, y) for x, y in itertools.product(range(1, 40), repeat=2) if 2 * x + 3 * y <= amount]
        best = min(3.0 / x + 5.0 / y + 7.0 / (x * y) for x, y in pairs)
        assert plan["response"] == pytest.approx(best, rel=1e-13)
        assert (int(plan["x"]), int(plan["y"])) in pairs


def test_samples_are_not_rounded_but_chosen_with_the_rest() -> None:
    budgets = {"6*N*D": 2.56e19, "2*N*k": 3e8}
    whole = lf.allocate("t2_loss", budgets, params=T2, integer=["k"])
    free = lf.allocate("t2_loss", budgets, params=T2)
    assert whole["k"] == 6.0
    assert whole["N"] == pytest.approx(2.5e7, rel=1e-12)
    assert free["response"] < whole["response"] < t2(float(free["N"]), float(free["D"]), float(np.floor(free["k"])))
    assert whole.status == "inside"


def test_the_ends_of_a_menu_are_told() -> None:
    menu = [1e8, 2e8, 3e8]
    plan = lf.allocate("t2_loss", {"6*N*D": [2.56e19, 1e25], "2*N*k": 1.4e11}, params=T2, menus={"N": menu})
    assert plan.status.tolist() == ["inside", "at_edge"]
    assert plan.success.all()


def test_a_menu_keeps_to_the_bounds() -> None:
    plan = lf.allocate("chinchilla", {"6*N*D": 1e25}, params=HOFFMANN, menus={"N": SIZES}, bounds={"N": (None, 1e8)})
    assert plan["N"] == 7e7


def test_draws_choose_from_menus_and_reach_targets_each(draws: lf.Draws) -> None:
    menu = np.geomspace(1e8, 1e11, 13)
    front = draws.allocate({"6*N*D": [1e20, 1e22]}, menus={"N": menu})
    assert np.isin(front["N"][front.ok], menu).all()
    back = draws.allocate({"6*N*D": None}, target=float(front.plan["response"][1]), menus={"N": menu})
    assert back.plan["6*N*D"] == pytest.approx(1e22, rel=1e-9)
    one = int(np.flatnonzero(back.ok)[3])
    params = dict(zip(draws.law.parameters, draws.params[one].tolist(), strict=True))
    alone = lf.allocate(draws.law, {"6*N*D": float(back["6*N*D"][one])}, params=params, menus={"N": menu})
    assert alone["response"] == pytest.approx(front.plan["response"][1], rel=1e-12)
    band = back.interval("6*N*D")
    assert band.lower < back.plan["6*N*D"] < band.upper
    header = " ".join(back.to_text().splitlines()[3].split())
    assert "target" in header
    assert "6*N*D 2.5 % 97.5 % draws" in header


def test_threads_change_nothing_of_a_target(draws: lf.Draws) -> None:
    found = [draws.allocate({"6*N*D": None}, target=[2.0, 2.5], integer=["N"], n_threads=n) for n in (1, 2)]
    for one, two in zip(found[0].raw, found[1].raw, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("budgets", "options", "message"),
    [
        ({"6*N*D": None}, {}, r"'6\*N\*D' has no amount; give one, or say with target="),
        ({"6*N*D": 1e20}, {"target": 2.0}, r"target: say which budget .* none of the budgets has none"),
        ({"6*N*D": None, "2*N": None}, {"target": 2.0}, "target: say which budget .* 2 of the budgets have none"),
        ({"6*N*D": None}, {"target": float("nan")}, "target: responses to be reached must be finite"),
        ({"6*N*D": None, "2*N": [1, 2, 3]}, {"target": [2, 3]}, r"shapes that do not go together: .*target \(2,\)"),
        ({"6*N*D": 1e20}, {"integer": ["k"]}, "integer: 'k' is no variable of the law; those are N, D"),
        ({"6*N*D": 1e20}, {"integer": 3}, "integer: give names of variables"),
        ({"6*N*D": 1e20}, {"integer": ["N"], "bounds": {"N": (1.2, 1.8)}}, "no whole N lies between 1.2 and 1.8"),
        ({"6*N*D": 1e20}, {"menus": {"N": []}}, "menus: N needs at least one value"),
        ({"6*N*D": 1e20}, {"menus": {"N": [-1.0]}}, "menus: N needs at least one value, all of them finite and above"),
        ({"6*N*D": 1e20}, {"menus": {"M": [1.0]}}, "menus: 'M' is no variable of the law"),
        ({"6*N*D": 1e20}, {"menus": [1.0]}, "menus: give values by variable"),
        ({"6*N*D": 1e20}, {"menus": {"N": [1e9]}, "integer": "N"}, r"N is in menus= and in integer="),
        ({"6*N*D": 1e20}, {"menus": {"N": [1e9]}, "at": {"N": 1e9}}, r"N is in menus= and in at="),
        ({"6*N*D": 1e20}, {"menus": {"N": [1e9]}, "bounds": {"N": (1e10, None)}}, "no value of N lies within its"),
    ],
)
def test_a_wrong_choice_says_what_to_change(
    budgets: dict[str, object], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        lf.allocate(lf.laws.chinchilla, budgets, params=HOFFMANN, **options)  # type: ignore[arg-type]


def test_the_command_reaches_targets_from_menus(
    draws: lf.Draws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fit.json"
    draws.fit.save(path)
    wanted = ["allocate", str(path), "--budget", "6*N*D", "--target", "2.1", "--menu", "N=1B,3B,10B", "--format", "csv"]
    assert main(wanted) == 0
    plan = draws.fit.allocate({"6*N*D": None}, target=2.1, menus={"N": [1e9, 3e9, 1e10]})
    header, row = capsys.readouterr().out.splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert float(cells["budget 6*N*D"]) == float(plan.amounts[0, 0])
    assert float(cells["N"]) == float(plan["N"])
    assert main(["allocate", str(path), "--budget", "6*N*D"]) == 2
    assert "write FORMULA=AMOUNT" in capsys.readouterr().err
    assert main(["allocate", str(path), "--budget", "6*N*D=1e20", "--integer", "k"]) == 2
    assert "'k' is no variable" in capsys.readouterr().err
