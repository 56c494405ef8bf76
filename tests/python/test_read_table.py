from __future__ import annotations

import importlib
import importlib.util
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf
from lawfit._sizes import parse_size

polars = importlib.import_module("polars")
pyarrow = importlib.import_module("pyarrow")
dataset = importlib.import_module("pyarrow.dataset")
parquet = importlib.import_module("pyarrow.parquet")

RUNS: dict[str, list[Any]] = {"N": [1.0, 2.0, 3.0], "loss": [4.0, 3.0, 2.5], "data": ["c4", "c4", "pile"]}


class Stream:
    """What another library hands over: nothing but an Arrow C stream, which can be read once."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        table, self._table = self._table, None
        assert table is not None, "the stream was read twice"
        return table.__arrow_c_stream__(requested_schema)


def same(table: lf.Table) -> None:
    """Assert that a table holds RUNS."""
    found = table.to_dict()
    assert {name: found[name].tolist() for name in RUNS} == RUNS


def hide(monkeypatch: pytest.MonkeyPatch, *libraries: str) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in libraries else found(name))


def test_a_list_of_dicts_is_a_table_and_what_a_dict_lacks_is_missing() -> None:
    same(lf.read_table([dict(zip(RUNS, row, strict=True)) for row in zip(*RUNS.values(), strict=True)]))
    table = lf.read_table([{"a": 1.0, "b": "x"}, {"a": 2.0}, {"b": "y"}])
    np.testing.assert_array_equal(table.column("a").values, [1.0, 2.0, np.nan])
    assert table.to_dict()["b"].tolist() == ["x", "", "y"]


@pytest.mark.parametrize("hidden", ["polars", "pyarrow"])
def test_any_arrow_stream_is_read_once_through_an_installed_library(
    hidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, hidden)
    same(lf.read_table(Stream(pyarrow.table(RUNS))))


def test_an_arrow_stream_without_a_library_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "pyarrow", "polars")
    with pytest.raises(lf.DataError, match="needs pyarrow or polars; install one"):
        lf.read_table(Stream(pyarrow.table(RUNS)))


def test_a_duckdb_relation_is_a_table_and_can_be_read_again() -> None:
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql("select * from (values (1.0, 4.0, 'c4'), (2, 3, 'c4'), (3, 2.5, 'pile')) t(N, loss, data)")
    same(lf.read_table(relation))
    same(lf.read_table(relation))


def test_pyarrow_data_sets_are_read(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table(RUNS), tmp_path / "runs.parquet")
    same(lf.read_table(dataset.dataset(tmp_path)))


def test_json_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    rows = [dict(zip(RUNS, row, strict=True)) for row in zip(*RUNS.values(), strict=True)]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    same(lf.read_table(path))


def test_files_of_a_pattern_are_stacked_with_their_stem(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("N,loss\n3,2.5\n", encoding="utf-8")
    (tmp_path / "a.csv").write_text("N,loss,seed\n1,4,7\n2,3,8\n", encoding="utf-8")
    by_pattern = lf.read_table(str(tmp_path / "*.csv"))
    assert by_pattern.names == ("N", "loss", "seed", "file")
    assert by_pattern.to_dict()["file"].tolist() == ["a", "a", "b"]
    np.testing.assert_array_equal(by_pattern.column("seed").values, [7.0, 8.0, np.nan])
    by_list = lf.read_table([tmp_path / "b.csv", str(tmp_path / "a.csv")])
    assert by_list.to_dict()["N"].tolist() == [3.0, 1.0, 2.0]


def test_a_column_called_file_is_left_as_it_is(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(f"N,file\n1,mine {name}\n", encoding="utf-8")
    assert lf.read_table(str(tmp_path / "?.csv")).to_dict()["file"].tolist() == ["mine a", "mine b"]


def test_sizes_of_one_file_in_words_join_numbers_of_another(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("N\n150M\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("N\n1e9\n", encoding="utf-8")
    assert lf.read_table(str(tmp_path / "*.csv")).column("N").values.tolist() == [150e6, 1e9]


def test_a_file_whose_name_has_brackets_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "runs[1].csv"
    path.write_text("N\n1\n", encoding="utf-8")
    assert lf.read_table(str(path)).names == ("N",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.8B", 2.8e9), ("150M", 150e6), ("1.4T", 1.4e12), ("7b", 7e9), ("30k", 3e4), ("1.4 trillion", 1.4e12),
        ("70 Billion", 70e9), ("12", 12.0), ("1e9", 1e9), ("-3.5E-2", -0.035), (" 6.9g ", 6.9e9),
        ("1,234,567", 1234567.0),        ("1_000", 1000.0), (".5B", 0.5e9), ("5.", 5.0), ("2P", 2e15),
        ("", None), ("B", None), ("1.2.3", None), ("7bn", None), ("190M-1xC", None), ("1,23", None), ("0x10", None),
        ("5 M B", None), ("e9", None), ("٣B", None), (".", None),
    ],
)  # fmt: skip
def test_sizes_in_words_follow_one_rule(text: str, value: float | None) -> None:
    assert parse_size(text) == value


def test_a_fit_takes_sizes_in_words_in_columns_and_formulas(power_runs: dict[str, Any]) -> None:
    words = [f"{float(size) / 1e6!r}M" for size in power_runs["x"]]
    plain = lf.fit(lf.laws.power_floor, power_runs, response="loss")
    worded = lf.fit(lf.laws.power_floor, {"x": words, "loss": power_runs["loss"]}, response="loss")
    assert worded.params["alpha"] == pytest.approx(plain.params["alpha"], rel=1e-9)
    table = lf.read_table({"size": ["150M", "1B", None], "data": ["c4", "c4", "pile"]})
    np.testing.assert_array_equal(table.evaluate("2*size", want="number", argument="columns"), [3e8, 2e9, np.nan])
    assert table.where("size > 2e8 and data == 'c4'").to_dict()["size"].tolist() == ["1B"]
    assert table.where("size == '150M'").n_rows == 1


def test_a_size_that_cannot_be_read_is_named_with_its_row() -> None:
    runs = {"N": ["150M", "1B", "190M-1xC", "huge"], "loss": [1.0, 2.0, 3.0, 4.0]}
    for column in ("N", "2*N"):
        with pytest.raises(lf.DataError, match=r"'190M-1xC' in row 2 \(counted from 0\), 2 such in all"):
            lf.read_table(runs).evaluate(column, want="number", argument="response")


CHART = (
    '"Step","big - eval/loss","big - eval/loss__MIN","big - eval/loss__MAX",'
    '"a - b - eval/loss","a - b - eval/loss__MIN","a - b - eval/loss__MAX","big - _step","big - acc"\n'
    '"0","4.0","3.9","4.1","5.0","4.9","5.1","0",""\n'
    '"10","3.0","2.9","3.1","","","","10","0.5"\n'
    '"20","","","","4.5","4.5","4.5","",""\n'
)


def test_a_chart_exported_by_wandb_comes_by_run_step_and_metric(tmp_path: Path) -> None:
    path = tmp_path / "chart.csv"
    path.write_text(CHART, encoding="utf-8")
    found = lf.read_table(path).to_dict()
    assert list(found) == ["run", "step", "eval/loss", "acc"]
    assert found["run"].tolist() == ["big", "big", "a - b", "a - b"]
    assert found["step"].tolist() == [0.0, 10.0, 0.0, 20.0]
    assert found["eval/loss"].tolist() == [4.0, 3.0, 5.0, 4.5]
    np.testing.assert_array_equal(found["acc"], [np.nan, 0.5, np.nan, np.nan])


def test_a_table_with_a_step_and_other_columns_is_no_chart(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("Step,a - loss,seed\n1,2,3\n", encoding="utf-8")
    assert lf.read_table(path).names == ("Step", "a - loss", "seed")


WIDE: dict[str, list[Any]] = {
    "run": ["a", "a", "b", "b", "b"],
    "step": [1, 2, 1, 4, 3],
    "c4_loss": [4.0, 3.0, 5.0, None, 4.5],
    "pile_loss": [2.0, 1.0, 3.0, 2.0, 2.5],
}


def test_melting_puts_metrics_below_each_other() -> None:
    melted = lf.read_table(WIDE).melt(["*_loss"], name="corpus", value="loss").to_dict()
    assert list(melted) == ["run", "step", "corpus", "loss"]
    assert melted["corpus"].tolist() == ["c4_loss"] * 5 + ["pile_loss"] * 5
    np.testing.assert_array_equal(melted["loss"], [4.0, 3.0, 5.0, np.nan, 4.5, 2.0, 1.0, 3.0, 2.0, 2.5])
    assert melted["step"].tolist() == WIDE["step"] * 2


def test_the_last_checkpoints_are_those_of_the_largest_order() -> None:
    table = lf.read_table(WIDE)
    assert table.last(by="run", order="step").to_dict()["step"].tolist() == [2.0, 4.0]
    assert table.last(by="run", order="step", share=0.75).to_dict()["step"].tolist() == [2.0, 4.0, 3.0]
    assert table.last(by="run", order="step", share=0.0).n_rows == 5
    assert table.last(by=["run"], order="-step").to_dict()["step"].tolist() == [1.0, 1.0]


def test_of_equal_checkpoints_the_later_row_is_the_last() -> None:
    table = lf.read_table({"run": ["a", "a"], "step": [1, 1], "loss": [2.0, 3.0]})
    assert table.last(by="run", order="step").to_dict()["loss"].tolist() == [3.0]


def test_selections_leave_the_table_as_it_was() -> None:
    table = lf.read_table(WIDE)
    assert table.select("run", "*_loss", "c4_loss").names == ("run", "c4_loss", "pile_loss")
    assert table.select("*", "!*_loss").names == ("run", "step")
    assert table.where("step > 2").n_rows == 2
    assert table.where(np.arange(5) < 1).n_rows == 1
    table.to_dict()["step"][:] = 0
    assert table.column("step").values.tolist() == WIDE["step"]
    assert len(table) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.melt(["*_acc"]), "metrics: no column is or fits '\\*_acc'"),
        (lambda t: t.melt(["run"]), "'run' holds text"),
        (lambda t: t.melt([]), "metrics: give names"),
        (lambda t: t.melt(["*_loss"], name="step"), "name='step': there is a column of that name"),
        (lambda t: t.melt(["*_loss"], name="x", value="x"), "value='x': there is a column"),
        (lambda t: t.select("los"), "select: no column is or fits 'los'"),
        (lambda t: t.select("!run"), "select: the patterns leave no column"),
        (lambda t: t.select(3), "select: give names"),
        (lambda t: t.where("step > 9"), "keeps none of the 5 rows"),
        (lambda t: t.last(by="rn", order="step"), "by: there is no column 'rn'; did you mean 'run'"),
        (lambda t: t.last(by=[], order="step"), "by: name the columns"),
        (lambda t: t.last(by="run", order="c4_loss"), "order='c4_loss' is missing or NaN in row 3"),
        (lambda t: t.last(by="run", order="step", share=90), "share=90: give a number from 0 to 1"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(change: Any, message: str) -> None:
    with pytest.raises(lf.DataError, match=message):
        change(lf.read_table(WIDE))


def test_a_table_prints_its_columns_with_kinds_and_missing_values() -> None:
    printed = str(lf.read_table({**WIDE, "when": np.array(["2026-01-01"] * 5, dtype="datetime64[D]")}))
    assert printed.splitlines() == [
        "Table of 5 rows, 5 columns",
        "column     kind        values                                            missing",
        "run        text        2 different: a, b                                       0",
        "step       number      1 to 4                                                  0",
        "c4_loss    number      3 to 5                                                  1",
        "pile_loss  number      1 to 3                                                  0",
        "when       unreadable  column 'when' holds values of type datetime64[D]        -",
    ]


def test_a_table_of_many_long_texts_and_columns_prints_short() -> None:
    long = [f"a very long name of a run with number {row}" for row in range(9)]
    printed = str(lf.read_table({"run": long, **{f"m{k}": np.arange(9.0) for k in range(50)}})).splitlines()
    assert printed[-1] == "... 11 more columns"
    assert max(map(len, printed)) < 160
    assert "9 different: a very long name of a..., " in printed[2]
    assert "(5 more)" in printed[2]


def test_tables_travel_between_processes() -> None:
    table = lf.read_table(WIDE).where("step > 1")
    assert str(pickle.loads(pickle.dumps(table))) == str(table)
