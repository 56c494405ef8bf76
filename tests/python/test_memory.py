"""What Python holds of the rows: while the engine works one copy of them, and nothing of the caller's afterwards."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest

import lawfit as lf
from lawfit import _core

N_ROWS = 200_000
FLOAT = 8
# Python's own objects, such as the law: bytes that do not grow with the rows.
SMALL = 0.5
# Flags of rows, such as which are finite, that live as long as a check: one byte a row each, two at a time.
FLAGS = 2.0


class Entered(Exception):
    """The engine was called; what it would do does not matter here."""


def many_runs(n_rows: int = N_ROWS) -> dict[str, Any]:
    random = np.random.default_rng(0)
    N, D = 10 ** random.uniform(7, 10, n_rows), 10 ** random.uniform(9, 12, n_rows)
    return {"N": N, "D": D, "loss": 1.7 + 400 * N**-0.34 + 1200 * D**-0.33}


def bytes_a_row(monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]) -> tuple[float, float]:
    """Bytes a row that Python holds when the engine is entered, and the most that it held before."""
    found: list[tuple[int, int]] = []

    def enter(*_: object, **__: object) -> NoReturn:
        found.append(tracemalloc.get_traced_memory())
        raise Entered

    monkeypatch.setattr(_core, "fit_batch", enter)
    # The first call imports what every later one has.
    with pytest.raises(Entered):
        call()
    tracemalloc.start()
    try:
        with pytest.raises(Entered):
            call()
    finally:
        tracemalloc.stop()
    held, most = found[-1]
    return held / N_ROWS, most / N_ROWS


ALL = np.ones(N_ROWS, dtype=np.bool_)
HALF = np.arange(N_ROWS) % 2 == 0
ROWS = 3 * FLOAT  # two variables and the response

# Arguments; numbers of 8 bytes a row that are held; those that are made and gone before, beside the flags.
CASES: dict[str, tuple[dict[str, Any], float, float]] = {
    "nothing else": ({}, ROWS, 0),
    "a formula for a column": ({"columns": {"N": "2*N"}}, ROWS, 0),
    "rows without a missing value": ({"missing": "drop"}, ROWS, 0),
    "a condition that all rows meet": ({"where": "N > 0"}, ROWS, 0),
    "weights from a column": ({"weights": "D"}, ROWS + FLOAT, 0),
    "an array of weights": ({"weights": np.ones(N_ROWS)}, ROWS + FLOAT, 0),
    "an array of noise": ({"sigma": np.ones(N_ROWS)}, ROWS + FLOAT, 0),
    # Half the rows with their numbers; the condition is a column of numbers until they are known.
    "half the rows": ({"where": HALF}, ROWS / 2 + FLOAT / 2, FLOAT),
}


@pytest.mark.parametrize("case", list(CASES))
def test_the_rows_are_held_once_while_the_engine_works(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    how, held, made = CASES[case]
    data = many_runs()
    at_entry, most = bytes_a_row(monkeypatch, lambda: lf.fit(lf.laws.chinchilla, data, response="loss", **how))
    assert at_entry <= held + SMALL
    assert most <= held + made + FLAGS + SMALL


def test_columns_that_were_converted_are_gone_when_the_engine_is_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    data = {name: values.astype(np.float32) for name, values in many_runs().items()}
    at_entry, most = bytes_a_row(monkeypatch, lambda: lf.fit(lf.laws.chinchilla, data, response="loss"))
    assert at_entry <= ROWS + SMALL
    assert most <= 2 * ROWS + FLAGS + SMALL


def test_tables_are_gone_when_their_rows_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    data = [many_runs(N_ROWS // 2), many_runs(N_ROWS // 2)]
    at_entry, _ = bytes_a_row(monkeypatch, lambda: lf.fit_many(lf.laws.chinchilla, data, response="loss"))
    assert at_entry <= ROWS + SMALL


@pytest.mark.parametrize("how", ["weights", "sigma", "cluster"])
@pytest.mark.parametrize("is_column", [False, True], ids=["array", "column"])
def test_a_fit_does_not_see_what_the_caller_changes_after_it(how: str, is_column: bool) -> None:
    data = many_runs(60)
    extra = np.repeat(np.arange(1.0, 13.0), 5)
    given = {**data, "extra": extra} if is_column else data
    argument: dict[str, Any] = {how: "extra" if is_column else extra}
    fit = lf.fit(lf.laws.chinchilla, given, response="loss", **argument)
    before = fit.bootstrap(20, seed=1).params
    for values in (*data.values(), extra):
        assert not any(np.shares_memory(values, kept) for kept in (fit.rows.x, fit.rows.y))
        values[:] = 1.0
    np.testing.assert_array_equal(fit.bootstrap(20, seed=1).params, before)


def test_a_table_that_was_read_keeps_its_columns() -> None:
    data = many_runs(60)
    table = lf.read_table(data)
    fit = lf.fit(lf.laws.chinchilla, table, response="loss")
    loss = data["loss"].copy()
    data["loss"][:] = 1.0
    np.testing.assert_array_equal(table.column("loss").values, loss)
    assert lf.fit(lf.laws.chinchilla, table, response="loss").params == fit.params


def unaligned(values: Any) -> Any:
    return np.frombuffer(b"\0" + values.tobytes(), dtype=np.float64, offset=1)


def strided(values: Any) -> Any:
    return np.repeat(values, 2)[::2]


def frozen(values: Any) -> Any:
    values.flags.writeable = False
    return values


@pytest.mark.parametrize(
    "change",
    [unaligned, strided, frozen, lambda values: values.astype(">f8")],
    ids=["unaligned", "strided", "frozen", "swapped"],
)
@pytest.mark.parametrize("columns", [{}, {"N": "1.0*N"}], ids=["columns", "formulas"])
def test_an_array_is_read_however_it_lies_in_memory(change: Callable[[Any], Any], columns: dict[str, str]) -> None:
    plain = lf.fit(lf.laws.chinchilla, many_runs(60), response="loss")
    data = {name: change(values) for name, values in many_runs(60).items()}
    assert lf.fit(lf.laws.chinchilla, data, response="loss", columns=columns).params == plain.params


def test_rows_say_their_numbers_whether_they_are_all_rows_or_some() -> None:
    data = {**many_runs(60), "task": np.tile(["a", "b"], 30)}
    every = lf.fit(lf.laws.chinchilla, data, response="loss").rows
    assert every.chosen is None
    assert every.positions.tolist() == every.units.tolist() == list(range(60))
    some = lf.fit(lf.laws.chinchilla, data, response="loss", where=np.arange(60) >= 10).rows
    assert some.positions.tolist() == some.units.tolist() == list(range(10, 60))
    second = lf.fit_many(lf.laws.chinchilla, [data, data], response="loss")[1].rows
    assert second.positions.tolist() == second.units.tolist() == list(range(60))
    group = lf.fit_many(lf.laws.chinchilla, data, by="task", response="loss")["b"].rows
    assert group.positions.tolist() == list(range(1, 60, 2))
    assert group.units.tolist() == list(range(30))
