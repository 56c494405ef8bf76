"""Which runs to make next: against direct algebra, all subsets, and refits of simulated runs."""

from __future__ import annotations

import itertools
import math
import pickle
import re
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH, Columns

import lawfit as lf
from lawfit._information import updated

CHINCHILLA = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
GRID = {"N": np.logspace(7.7, 9.7, 6), "D": np.logspace(9, 11.5, 6)}
EXPONENT = "beta / (alpha + beta)"
# Two ways to the same number through matrices with condition numbers of a few hundred, squared.
SAME = 1e-7


def candidate_grid(n: int = 5) -> Columns:
    sizes, tokens = np.meshgrid(np.logspace(7, 11, n), np.logspace(8.5, 12.5, n))
    return {"N": sizes.ravel(), "D": tokens.ravel()}


@pytest.fixture(scope="module")
def fit() -> lf.Fit:
    runs = lf.synthetic.runs(lf.laws.chinchilla, CHINCHILLA, GRID, noise=0.005, seed=2)
    return lf.fit(lf.laws.chinchilla, runs, response="loss", loss="squared", covariance="classical")


def covariance_with(fit: lf.Fit, points: Columns, chosen: tuple[int, ...]) -> Any:
    """s² (JᵀJ)⁻¹ of the rows and the chosen candidates, from differences of the law."""

    def jacobian(at: Columns) -> Any:
        columns = []
        for name, value in fit.params.items():
            step = 1e-5 * value
            up, down = (dict(fit.params) | {name: value + sign * step} for sign in (1, -1))
            columns.append(
                (np.log(fit.law.evaluate(at, params=up)) - np.log(fit.law.evaluate(at, params=down))) / (2 * step)
            )
        return np.stack(columns, axis=1)

    rows = jacobian(dict(zip(fit.rows.variables, fit.rows.x, strict=True)))
    new = jacobian({name: values[list(chosen)] for name, values in points.items()})
    both = np.concatenate([rows, new])
    scale = np.linalg.norm(both, axis=0)
    return fit.sse / (fit.n_rows - 5) * np.linalg.inv((both / scale).T @ (both / scale)) / np.outer(scale, scale)


def test_what_is_expected_now_is_the_classical_standard_error(fit: lf.Fit) -> None:
    plan = lf.next_runs(fit, candidate_grid(), quantity=EXPONENT, n_runs=2)
    assert plan.stderr[0] == pytest.approx(fit.derived(EXPONENT).stderr, rel=SAME)
    for name, spread in fit.stderr.items():
        assert plan.parameter_stderr[name][0] == pytest.approx(spread, rel=SAME)
    assert plan.interval[0] == pytest.approx(fit.interval(EXPONENT), rel=SAME)
    assert plan.value == pytest.approx(fit.derived(EXPONENT).value, rel=1e-12)
    assert plan.noise == pytest.approx(math.sqrt(fit.sse / 31), rel=SAME)


def test_what_is_expected_later_is_that_of_all_rows_together(fit: lf.Fit) -> None:
    points = candidate_grid()
    plan = lf.next_runs(fit, points, quantity="alpha", n_runs=4)
    for k in range(5):
        covariance = covariance_with(fit, points, plan.chosen[:k])
        spreads = np.sqrt(np.diagonal(covariance))
        assert plan.stderr[k] == pytest.approx(spreads[2], rel=1e-5)
        for j, name in enumerate(fit.law.parameters):
            assert plan.parameter_stderr[name][k] == pytest.approx(spreads[j], rel=1e-5)
        whole = covariance_with(fit, points, ())
        assert plan.volume[k] == pytest.approx(
            math.sqrt(
                np.linalg.det(covariance / np.outer(spreads, spreads))
                / np.linalg.det(whole / np.outer(spreads, spreads))
            ),
            rel=1e-4,
        )
    assert np.all(np.diff(plan.stderr) < 0.0)


def test_sherman_and_morrison_give_the_inverse_of_the_sum() -> None:
    random = np.random.default_rng(0)
    a = random.standard_normal((9, 5))
    row = random.standard_normal(5)
    found = updated(np.linalg.inv(a.T @ a).astype(np.float64), row)
    np.testing.assert_allclose(found, np.linalg.inv(a.T @ a + np.outer(row, row)), rtol=1e-9)


@pytest.mark.parametrize("criterion", ["c", "D"])
def test_the_choice_is_near_the_best_of_all_subsets(fit: lf.Fit, criterion: str) -> None:
    random = np.random.default_rng(7)
    ratios = []
    for _ in range(6):
        points = {"N": 10 ** random.uniform(7, 11, 9), "D": 10 ** random.uniform(8.5, 12.5, 9)}
        cost = 6 * points["N"] * points["D"]
        budget = 1.01 * float(np.sort(cost)[:6].sum())
        held: dict[str, Any] = {"quantity": EXPONENT} if criterion == "c" else {}
        plan = lf.next_runs(fit, points, budget=budget, **held)
        assert plan.costs.sum() <= budget * (1 + 1e-9)
        assert len(set(plan.chosen)) == len(plan.chosen)
        reached = plan.stderr[-1] if criterion == "c" else plan.volume[-1]
        best = math.inf
        for size in range(1, 10):
            for chosen in itertools.combinations(range(9), size):
                if cost[list(chosen)].sum() <= budget:
                    only = {name: values[list(chosen)] for name, values in points.items()}
                    every = lf.next_runs(fit, only, n_runs=size, **held)
                    best = min(best, every.stderr[-1] if criterion == "c" else every.volume[-1])
        ratios.append(reached / best)
    # Nothing is below the best; the search is within 2 % of it, and mostly there.
    assert min(ratios) > 1.0 - 1e-9
    assert max(ratios) < 1.02
    assert np.median(ratios) < 1.0 + 1e-6


def test_the_expected_shrinkage_is_that_of_refits_to_simulated_runs() -> None:
    points = candidate_grid(4)
    design = lf.synthetic.runs(lf.laws.chinchilla, CHINCHILLA, GRID, noise=0.005, seed=0)
    first = lf.fit(lf.laws.chinchilla, design, response="loss", loss="squared")
    plan = lf.next_runs(first, points, quantity=EXPONENT, n_runs=4)
    extra = {name: values[list(plan.chosen)] for name, values in points.items()}
    spreads = []
    for more in (False, True):
        tables = []
        for seed in range(300):
            random = np.random.default_rng(seed)
            at = {name: np.concatenate([design[name], extra[name]]) if more else design[name] for name in ("N", "D")}
            noise = 0.005 * random.standard_normal(at["N"].size)
            tables.append(at | {"loss": lf.laws.chinchilla.evaluate(at, params=CHINCHILLA) * np.exp(noise)})
        fits = lf.fit_many(lf.laws.chinchilla, tables, response="loss", loss="squared", starts=4)
        values = fits.params["beta"] / (fits.params["alpha"] + fits.params["beta"])
        spreads.append(values[fits.ok].std())
    # The Monte-Carlo error of a ratio of two standard deviations of 300 is 6 %.
    assert plan.stderr[-1] / plan.stderr[0] == pytest.approx(spreads[1] / spreads[0], rel=0.12)
    assert plan.stderr[-1] < 0.75 * plan.stderr[0]


def test_a_fit_with_an_open_direction_is_given_the_run_that_closes_it() -> None:
    sizes = np.logspace(8, 10, 14)
    runs: dict[str, Any] = {"N": sizes, "D": 20.0 * sizes}
    runs["loss"] = lf.laws.chinchilla.evaluate(runs, params=CHINCHILLA)
    runs["loss"] = runs["loss"] * np.exp(0.003 * np.random.default_rng(1).standard_normal(14))
    law = lf.Law("E + A*N**-alpha + B*D**-beta", variables=["N", "D"])
    fit = lf.fit(law, runs, response="loss", loss="squared", fixed={"alpha": 0.35, "beta": 0.35})
    assert fit.unidentified == ("A", "B")
    points = {"N": [1e9, 2e9, 1e9, 5e9], "D": [2e10, 4e10, 2e11, 1e11]}  # the first two and the last on the old line
    along = lf.next_runs(fit, points, n_runs=2)
    assert along.chosen[0] == 2
    assert "the fit leaves 1 of 3 directions open; run 1 of these closes the last" in along.message
    assert math.isnan(along.volume[0])
    assert math.isinf(along.parameter_stderr["A"][0])
    assert math.isfinite(along.parameter_stderr["A"][1])
    wanted = lf.next_runs(fit, points, quantity="A", n_runs=1)
    assert wanted.chosen == (2,)
    assert math.isinf(wanted.stderr[0])
    assert math.isfinite(wanted.stderr[1])
    assert "A is not identified now; after 1 run" in wanted.message
    repr(wanted)
    # What does not lean on the open direction has a standard error all along.
    assert math.isfinite(lf.next_runs(fit, points, quantity="E", n_runs=1).stderr[0])
    same = {"N": [1e9, 2e9], "D": [2e10, 4e10]}
    with pytest.raises(lf.DataError, match="'A' stays unidentified whichever candidates are run"):
        lf.next_runs(fit, same, quantity="A", n_runs=1)
    assert "1 directions stay open whichever candidates are run" in lf.next_runs(fit, same, n_runs=1).message


def test_runs_can_be_judged_at_other_values_than_the_estimates(fit: lf.Fit) -> None:
    points = candidate_grid()
    here = lf.next_runs(fit, points, quantity="alpha", n_runs=3)
    same = lf.next_runs(fit, points, quantity="alpha", n_runs=3, at=dict(fit.params))
    np.testing.assert_array_equal(here.stderr, same.stderr)
    other = lf.next_runs(fit, points, quantity="alpha", n_runs=3, at=CHINCHILLA | {"alpha": 0.5})
    assert other.stderr[0] != here.stderr[0]
    assert other.noise == here.noise


def test_repeats_are_made_only_where_that_is_said(power_fit: lf.Fit) -> None:
    points = {"x": [1e6, 1e12]}
    once = lf.next_runs(power_fit, points, quantity="E", n_runs=5)
    assert sorted(once.chosen) == [0, 1]
    twice = lf.next_runs(power_fit, points, quantity="E", n_runs=5, repeat=True)
    assert len(twice.chosen) == 5
    assert set(twice.chosen) <= {0, 1}
    # A law without N and D counts runs; a budget does so too then.
    assert once.cost == "1"
    assert len(lf.next_runs(power_fit, points, quantity="E", budget=3, repeat=True).chosen) == 3


def test_variables_come_from_the_formulas_of_the_fit(fit: lf.Fit) -> None:
    runs = {"params": fit.rows.x[0], "C": 6 * fit.rows.x[0] * fit.rows.x[1], "loss": fit.rows.y}
    mapped = lf.fit(lf.laws.chinchilla, runs, response="loss", columns={"N": "params", "D": "C/(6*params)"})
    points = candidate_grid()
    given = {"params": points["N"], "C": 6 * points["N"] * points["D"], "price": np.arange(25.0)}
    plan = lf.next_runs(mapped, given, quantity="alpha", budget=1e22)
    np.testing.assert_allclose(plan.costs, given["C"][list(plan.chosen)])
    by_price = lf.next_runs(mapped, given, quantity="alpha", budget=40.0, cost="price")
    assert by_price.costs.sum() <= 40.0


def test_known_noise_is_that_of_the_median_row(fit: lf.Fit) -> None:
    runs = {"N": fit.rows.x[0], "D": fit.rows.x[1], "loss": fit.rows.y}
    plain = lf.next_runs(fit, candidate_grid(), quantity="alpha", n_runs=2)
    even = lf.fit(lf.laws.chinchilla, runs, response="loss", loss="squared", sigma="0.02*loss")
    known = lf.next_runs(even, candidate_grid(), quantity="alpha", n_runs=2)
    assert known.chosen == plain.chosen
    np.testing.assert_allclose(known.stderr, plain.stderr, rtol=1e-5)
    heavy = lf.fit(lf.laws.chinchilla, runs, response="loss", loss="squared", weights=np.full(36, 4.0))
    np.testing.assert_allclose(
        lf.next_runs(heavy, candidate_grid(), quantity="alpha", n_runs=2).stderr, plain.stderr, rtol=1e-5
    )


def test_wrong_arguments_are_named(fit: lf.Fit) -> None:
    points = candidate_grid()
    for candidates, wrong, message in (
        (points, {}, "say budget="),
        (points, {"n_runs": 0}, "n_runs=0"),
        (points, {"n_runs": 1, "criterion": "A"}, "criterion='A'"),
        (points, {"n_runs": 1, "criterion": "c"}, "say which"),
        (points, {"n_runs": 1, "quantity": "gamma"}, "'gamma' is not a parameter"),
        (points, {"n_runs": 1, "quantity": "1"}, "names no parameter that could move"),
        (points, {"budget": 1.0}, "costs 1.89737e+16 (6*N*D); raise it"),
        (points, {"budget": -1.0}, "budget=-1.0: give a positive number"),
        (points, {"n_runs": 1, "quantity": ""}, "quantity: the formula is empty"),
        (points, {"n_runs": 1, "cost": " "}, "cost: the formula is empty"),
        (points, {"n_runs": 1, "cost": "6*N*tokens"}, "'tokens' is neither a variable nor a column"),
        (points, {"n_runs": 1, "cost": "N - 1e9"}, "in row 0 (counted from 0); costs are at least 0"),
        ({"N": [1e9]}, {"n_runs": 1}, "there is no column for the variable 'D'"),
        ({"N": [], "D": []}, {"n_runs": 1}, "the table has no rows"),
        ({"N": [1e9, -1e9], "D": [1e9, 1e9]}, {"n_runs": 1, "cost": "1"}, "the law has no value in row 1"),
        ({"N": [1e9, np.nan], "D": [1e9, 1e9]}, {"n_runs": 1}, "N is missing or not finite in row 1"),
    ):
        with pytest.raises((lf.DataError, lf.LawError), match=re.escape(message)):
            lf.next_runs(fit, candidates, **wrong)
    with pytest.raises(lf.DataError, match=r"choose one of: N, D$"):
        lf.next_runs(fit, points, n_runs=1, cost="tokens")
    with pytest.raises(lf.DataError, match="give a Fit"):
        lf.next_runs(points, points, n_runs=1)  # type: ignore[arg-type]
    exact = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": [1e7, 1e8, 1e9]})
    with pytest.raises(lf.DataError, match="too few rows"):
        lf.next_runs(lf.fit(lf.laws.power_floor, exact, response="loss"), {"x": [1e10]}, n_runs=1)


def test_a_design_prints_pickles_and_becomes_a_frame(fit: lf.Fit) -> None:
    plan = lf.next_runs(fit, candidate_grid(), quantity=EXPONENT, budget=1e23)
    assert isinstance(plan, lf.Design)
    text = repr(plan)
    for words in ("next runs for loss =", "candidate", "now", "should be"):
        assert words in text
    assert repr(pickle.loads(pickle.dumps(plan))) == text
    frame = plan.to_frame("pandas")
    assert frame["candidate"].tolist() == list(plan.chosen)
    assert frame["cost"].sum() <= 1e23
    runs = {"N": fit.rows.x[0], "D": fit.rows.x[1], "loss": fit.rows.y, "run": np.repeat(np.arange(12), 3)}
    clustered = lf.fit(lf.laws.chinchilla, runs, response="loss", cluster="run")
    assert "although the fit has clusters" in lf.next_runs(clustered, candidate_grid(), n_runs=1).message
