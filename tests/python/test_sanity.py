"""Warnings about units and directions: each on its table, none on a table in order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lawfit as lf
from lawfit._sanity import _rank_correlation

stats = pytest.importorskip("scipy.stats")

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
GRID = {"N": np.logspace(8, 10, 5), "D": np.logspace(9.5, 11.5, 4)}
RUNS = dict(lf.synthetic.runs(lf.laws.chinchilla, TRUTH, GRID, noise=0.003, seed=2))
SUSPICIONS = ("in millions?", "times 6*N*D", "rises with")


def suspicions(data: dict[str, Any], law: Any = lf.laws.chinchilla, **how: Any) -> list[str]:
    fit = lf.fit(law, data, response="loss", starts=2, n_threads=1, **how)
    return [warning for warning in fit.warnings if any(words in warning for words in SUSPICIONS)]


def test_a_table_in_order_raises_no_suspicion() -> None:
    assert suspicions({**RUNS, "C": 6 * RUNS["N"] * RUNS["D"]}) == []


@pytest.mark.parametrize("column", ["N", "params", "Model Size"])
def test_sizes_in_millions_are_seen_by_the_name_of_variable_or_column(column: str) -> None:
    runs = {"loss": RUNS["loss"], "D": RUNS["D"], column: RUNS["N"] / 1e6}
    mapped = {} if column == "N" else {"columns": {"N": f"`{column}`"}}
    (warning,) = suspicions(runs, **mapped)
    assert warning.startswith("N is at most 10000: in millions?")


def test_other_small_variables_raise_no_suspicion() -> None:
    assert suspicions({"x": RUNS["N"] / 1e6, "loss": RUNS["loss"]}, lf.laws.power_floor) == []


@pytest.mark.parametrize(("factor", "n_warnings"), [(1e-18, 1), (1 / 6, 1), (1.2, 0), (0.9, 0)])
def test_a_flop_column_is_compared_with_six_times_sizes_and_tokens(factor: float, n_warnings: int) -> None:
    found = suspicions({**RUNS, "FLOPs": factor * 6 * RUNS["N"] * RUNS["D"]})
    assert len(found) == n_warnings
    if n_warnings:
        assert f"column 'FLOPs' is {factor:.3g} times 6*N*D (median)" in found[0]


def test_a_flop_column_that_holds_text_is_passed_over() -> None:
    assert suspicions({**RUNS, "compute": np.full(20, "H100")}) == []


def test_an_accuracy_in_place_of_a_loss_is_seen() -> None:
    (warning,) = suspicions({**RUNS, "loss": 1 / RUNS["loss"]})
    assert warning.startswith("loss rises with N, D (rank correlation")


def test_one_budget_in_which_tokens_are_traded_for_size_raises_no_suspicion() -> None:
    # All larger than the best of the budget, so that the loss rises with N.
    sizes = np.logspace(9.5, 11, 12)
    tokens = 1e20 / (6 * sizes)
    loss = lf.laws.chinchilla.evaluate(N=sizes, D=tokens, params=TRUTH)
    assert suspicions({"N": sizes, "D": tokens, "loss": loss}) == []


def test_a_law_that_rises_raises_no_suspicion_on_rising_data() -> None:
    assert suspicions({"N": RUNS["N"], "loss": 1 / RUNS["loss"]}, "a - b*N**-alpha") == []


def test_rank_correlations_are_those_of_scipy() -> None:
    random = np.random.default_rng(3)
    a, b = random.integers(0, 6, 40).astype(float), random.normal(size=40)
    assert _rank_correlation(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, rel=1e-12)
    assert _rank_correlation(np.ones(4), np.arange(4.0)) == 0.0
