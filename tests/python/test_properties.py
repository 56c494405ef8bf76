"""What holds for any input: nothing crashes, and the laws of nature of fitting."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lawfit as lf
from lawfit._csv import parse_csv

# Two statements of one problem end at the same optimum; parameters agree to the tolerance of the stop.
OBJECTIVE = 1e-8
PARAMETERS = 1e-5
# A message shows the place in the text, not all of a huge text.
MOST_MESSAGE = 10_000
QUICK = settings(max_examples=200, deadline=None, derandomize=True)
FITTING = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

TOKENS = [
    "E", "A", "N", "D", "alpha", "x1", "pi", "lambda", "if", "1", "2.5", "1e400", "0x1F", "+", "-", "*", "/", "**",
    "%", "(", ")", "[", "]", ",", ";", "=", "==", "<", "and", "or", "not", "in", "where(", "exp(", "log(", "min(",
    "'text'", "`a b`", " ", "\n", "\x00", "\u00e9", "\U0001f600",
]  # fmt: skip


@QUICK
@given(st.text(max_size=60))
def test_any_text_is_a_law_or_a_law_error(text: str) -> None:
    with contextlib.suppress(lf.LawError):
        law = lf.Law(text)
        assert pickle.loads(pickle.dumps(law)) == law


@QUICK
@given(st.lists(st.sampled_from(TOKENS), max_size=25))
def test_any_sequence_of_tokens_is_a_law_or_a_law_error(tokens: list[str]) -> None:
    with contextlib.suppress(lf.LawError):
        lf.Law("".join(tokens)).bind(["N", "D"])


@pytest.mark.parametrize("unit", ["(", "-", "not ", "exp(", "1+", "x**", "a=1;", "E[", "where(x,", "'", "`"])
@pytest.mark.parametrize("count", [100, 10_000, 1_000_000])
def test_deep_and_huge_texts_are_answered_and_do_not_exhaust_the_engine(unit: str, count: int) -> None:
    for text in (unit * count, unit * count + "x", unit * count + "x" + ")" * count):
        message = ""
        try:
            lf.Law(text)
        except lf.LawError as error:
            message = str(error)
        assert len(message) < MOST_MESSAGE


@QUICK
@given(st.text(alphabet="ab,\"'\n\r 1.e-\t", max_size=80))
def test_any_csv_text_is_columns_or_a_data_error(text: str) -> None:
    with contextlib.suppress(lf.DataError):
        columns = parse_csv(text.splitlines(keepends=True), "text")
        assert len({len(values) for values in columns.values()}) == 1


def power_runs(seed: int, n_rows: int = 14) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    return lf.synthetic.runs(
        lf.laws.power_floor, POWER_TRUTH, {"x": np.logspace(6.5, 10.5, n_rows)}, noise=0.003, seed=seed
    )


@FITTING
@given(seed=st.integers(0, 10**6), exponent=st.integers(-6, 6))
def test_a_response_in_another_unit_leaves_exponents_and_scales_amplitudes(seed: int, exponent: int) -> None:
    runs, factor = power_runs(seed), 10.0**exponent
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", f_scale=2e-3)
    scaled = lf.fit(lf.laws.power_floor, runs | {"loss": factor * runs["loss"]}, response="loss", f_scale=2e-3)
    assert scaled.objective == pytest.approx(fit.objective, rel=OBJECTIVE)
    assert scaled.params["alpha"] == pytest.approx(fit.params["alpha"], rel=PARAMETERS)
    assert scaled.params["E"] == pytest.approx(factor * fit.params["E"], rel=PARAMETERS)


@FITTING
@given(seed=st.integers(0, 10**6), exponent=st.integers(-6, 6))
def test_a_variable_in_another_unit_leaves_exponents_and_floor(seed: int, exponent: int) -> None:
    runs, factor = power_runs(seed), 10.0**exponent
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", f_scale=2e-3)
    scaled = lf.fit(lf.laws.power_floor, runs | {"x": factor * runs["x"]}, response="loss", f_scale=2e-3)
    assert scaled.objective == pytest.approx(fit.objective, rel=OBJECTIVE)
    assert scaled.params["alpha"] == pytest.approx(fit.params["alpha"], rel=PARAMETERS)
    assert scaled.params["E"] == pytest.approx(fit.params["E"], rel=PARAMETERS)


@FITTING
@given(seed=st.integers(0, 10**6), data=st.data())
def test_the_order_of_rows_does_not_matter(seed: int, data: st.DataObject) -> None:
    runs = power_runs(seed)
    order = np.array(data.draw(st.permutations(range(14))))
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", f_scale=2e-3)
    shuffled = lf.fit(
        lf.laws.power_floor, {key: values[order] for key, values in runs.items()}, response="loss", f_scale=2e-3
    )
    assert shuffled.objective == pytest.approx(fit.objective, rel=OBJECTIVE)
    assert shuffled.params["alpha"] == pytest.approx(fit.params["alpha"], rel=PARAMETERS)


@FITTING
@given(seed=st.integers(0, 10**6), row=st.integers(0, 13))
def test_a_weight_of_two_is_the_row_twice(seed: int, row: int) -> None:
    runs = power_runs(seed)
    weights = np.ones(14)
    weights[row] = 2.0
    weighted = lf.fit(lf.laws.power_floor, runs, response="loss", f_scale=2e-3, weights=weights)
    repeated = {key: np.append(values, values[row]) for key, values in runs.items()}
    twice = lf.fit(lf.laws.power_floor, repeated, response="loss", f_scale=2e-3)
    assert weighted.objective == pytest.approx(twice.objective, rel=OBJECTIVE)
    assert weighted.params["alpha"] == pytest.approx(twice.params["alpha"], rel=PARAMETERS)


@FITTING
@given(seed=st.integers(0, 10**6), row=st.integers(0, 13))
def test_a_weight_of_zero_is_the_row_left_out(seed: int, row: int) -> None:
    runs = power_runs(seed)
    weights = np.ones(14)
    weights[row] = 0.0
    weighted = lf.fit(lf.laws.power_floor, runs, response="loss", f_scale=2e-3, weights=weights)
    without = lf.fit(
        lf.laws.power_floor,
        {key: np.delete(values, row) for key, values in runs.items()},
        response="loss",
        f_scale=2e-3,
    )
    assert weighted.objective == pytest.approx(without.objective, rel=OBJECTIVE)
    assert weighted.params["alpha"] == pytest.approx(without.params["alpha"], rel=PARAMETERS)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("how", [{}, {"f_scale": 1e-3}, {"loss": "squared"}])
def test_exponents_and_their_intervals_know_no_unit_of_the_response(
    factor: float, how: dict[str, Any], real_data: Callable[[str], Path]
) -> None:
    table = lf.tables.read_table(real_data("chinchilla_epoch.csv"))
    runs = {name: table.column(name).values[table.column("epoch_used").values == 1.0] for name in ("N", "D", "loss")}
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss", **how)
    scaled = lf.fit(lf.laws.chinchilla, runs | {"loss": factor * runs["loss"]}, response="loss", **how)
    for name in ("alpha", "beta"):
        assert scaled.params[name] == pytest.approx(fit.params[name], rel=1e-10)
        assert scaled.stderr[name] == pytest.approx(fit.stderr[name], rel=1e-8)
    draws, others = fit.bootstrap(300), scaled.bootstrap(300)
    # Refits end within the tolerance of the objective, a few more digits before the parameters are exact.
    assert others.interval("beta", method="percentile") == pytest.approx(
        draws.interval("beta", method="percentile"), rel=1e-6
    )
