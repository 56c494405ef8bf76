from __future__ import annotations

import importlib
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf
from lawfit import tables
from lawfit._columns import as_column
from lawfit._csv import parse_csv
from lawfit._selection import group_rows, numbers_within_groups, select_rows

pandas = importlib.import_module("pandas")
polars = importlib.import_module("polars")
pyarrow = importlib.import_module("pyarrow")
parquet = importlib.import_module("pyarrow.parquet")

COLUMNS: dict[str, list[Any]] = {
    "params": [1, 2, 3, 4],
    "loss": [4.0, 3.0, 2.5, 2.25],
    "done": [True, True, False, True],
    "data": ["c4", "c4", "pile", "pile"],
}


def structured() -> Any:
    kinds = [("params", "i4"), ("loss", "f4"), ("done", "?"), ("data", "U8")]
    return np.array(list(zip(*COLUMNS.values(), strict=True)), dtype=kinds)


MAKERS: dict[str, Callable[[], Any]] = {
    "dict of lists": lambda: dict(COLUMNS),
    "dict of arrays": lambda: {name: np.array(values) for name, values in COLUMNS.items()},
    "structured array": structured,
    "pandas": lambda: pandas.DataFrame(COLUMNS),
    "pandas with missing-aware types": lambda: pandas.DataFrame(COLUMNS).convert_dtypes(),
    "pandas with categories": lambda: pandas.DataFrame(COLUMNS).astype({"data": "category"}),
    "pandas backed by arrow": lambda: pandas.DataFrame(COLUMNS).convert_dtypes(dtype_backend="pyarrow"),
    "pandas with an odd index": lambda: pandas.DataFrame(COLUMNS, index=[7, 7, 3, 1]),
    "polars": lambda: polars.DataFrame(COLUMNS),
    "polars lazy": lambda: polars.DataFrame(COLUMNS).lazy(),
    "pyarrow table": lambda: pyarrow.table(COLUMNS),
    "pyarrow chunked table": lambda: pyarrow.concat_tables(
        [pyarrow.table(COLUMNS).slice(0, 1), pyarrow.table(COLUMNS).slice(1)]
    ),
    "pyarrow record batch": lambda: pyarrow.RecordBatch.from_pydict(COLUMNS),
    "pyarrow reader": lambda: pyarrow.table(COLUMNS).to_reader(),
}


@pytest.mark.parametrize("kind", list(MAKERS))
def test_every_kind_of_table_gives_the_same_columns(kind: str) -> None:
    table = tables.read_table(MAKERS[kind]())
    assert set(table.names) == set(COLUMNS)
    assert table.n_rows == 4
    assert table.column("params").values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert table.column("params").kind == "number"
    assert table.column("loss").values.dtype == np.float64
    assert table.column("done").kind == "condition"
    text = table.column("data")
    assert text.kind == "text"
    assert [text.levels[int(code)] for code in text.values] == COLUMNS["data"]


def test_csv_columns_become_numbers_conditions_and_text(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("\ufeffparams,loss,done,data\n1,4.0,True,c4\n2,,false,c4\n3,2.5e0,TRUE,pile\n", encoding="utf-8")
    table = tables.read_table(path)
    assert table.names == ("params", "loss", "done", "data")
    np.testing.assert_array_equal(table.column("loss").values, [4.0, np.nan, 2.5])
    assert table.column("done").values.tolist() == [1.0, 0.0, 1.0]
    assert table.column("done").kind == "condition"
    assert table.column("data").levels == ("c4", "pile")


def test_a_csv_path_may_be_text(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("a\n1\n", encoding="utf-8")
    assert tables.read_table(str(path)).column("a").values.tolist() == [1.0]


def test_parquet_is_read_through_an_installed_library(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    parquet.write_table(pyarrow.table(COLUMNS), path)
    assert tables.read_table(path).column("loss").values.tolist() == COLUMNS["loss"]


def test_parquet_without_a_library_says_which_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(lf.DataError, match="needs one of pyarrow, polars, duckdb, pandas; install one"):
        tables.read_table(path)


def test_quoted_csv_fields_keep_their_commas() -> None:
    columns = parse_csv(io.StringIO('name,v\n"a, b",1\n'), "text")
    assert columns["name"].tolist() == ["a, b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "a header and no rows"),
        ("a,a\n1,2\n", "two columns are called 'a'"),
        ("a,b\n1,2\n3\n", "line 3: 1 fields where the header has 2"),
    ],
)
def test_a_broken_csv_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(lf.DataError, match=message):
        parse_csv(io.StringIO(text), "runs.csv")


def test_a_csv_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(b"a\n\xff\xfe\n")
    with pytest.raises(lf.DataError, match="not UTF-8"):
        tables.read_table(path)


MISSING: dict[str, Callable[[], Any]] = {
    "None in a list": lambda: {"a": [1.0, None]},
    "masked array": lambda: {"a": np.ma.masked_array([1.0, 2.0], mask=[False, True])},
    "pandas NA": lambda: pandas.DataFrame({"a": [1, None]}).convert_dtypes(),
    "polars null": lambda: polars.DataFrame({"a": [1, None]}),
    "pyarrow null": lambda: pyarrow.table({"a": [1, None]}),
}


@pytest.mark.parametrize("kind", list(MISSING))
def test_missing_numbers_become_nan(kind: str) -> None:
    np.testing.assert_array_equal(tables.read_table(MISSING[kind]()).column("a").values, [1.0, np.nan])


def test_missing_text_is_the_empty_text() -> None:
    column = tables.read_table(polars.DataFrame({"a": ["x", None]})).column("a")
    assert [column.levels[int(code)] for code in column.values] == ["x", ""]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, "x"], "row 1 .* holds 'x'|mixes types|text"),
        (np.array(["2026-01-01"], dtype="datetime64[D]"), "datetime64"),
        ([1j], "complex"),
        (np.ones((2, 2)), "2 dimensions"),
        ([object()], "row 0"),
    ],
)
def test_columns_of_other_types_are_refused(values: Any, message: str) -> None:
    given = (
        np.array(values, dtype=object) if isinstance(values, list) and not isinstance(values[0], complex) else values
    )
    with pytest.raises(lf.DataError, match=message):
        as_column("a", given)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, "cannot read a value of type int"),
        (np.ones(3), "without named fields"),
        ({}, "no columns"),
        ({"a": []}, "no rows"),
        ({"a": 1.0}, "'a' is a value of type float"),
        ({"a": [1.0], "b": [1.0, 2.0]}, "'b' has 2 rows where column 'a' has 1"),
        ("runs.xlsx", "must end in .csv, .parquet or .jsonl"),
        ("no_such_file.csv", "no file no_such_file.csv"),
        ("no_such_file.parquet", "no file no_such_file.parquet"),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "two columns are called 'a'"),
        (pandas.DataFrame({"a": []}), "no rows"),
        (pandas.DataFrame([[1, 2]]), "no columns with text names"),
    ],
    ids=lambda value: None if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_table_is_refused(data: Any, message: str) -> None:
    with pytest.raises(lf.DataError, match=message):
        tables.read_table(data)


def test_column_formulas_are_computed_in_float64() -> None:
    table = tables.read_table({"N": np.array([70_000_000_000]), "D": np.array([1_400_000_000_000])})
    assert table.evaluate("6*N*D", want="number", argument="columns").tolist() == [6 * 70e9 * 1.4e12]


def test_conditions_select_rows() -> None:
    table = tables.read_table(COLUMNS)
    assert select_rows(table, "done").tolist() == [0, 1, 3]
    assert select_rows(table, "loss < 3 and data == 'pile'").tolist() == [2, 3]
    assert select_rows(table, np.array([True, False, False, True])).tolist() == [0, 3]
    assert select_rows(table, None).tolist() == [0, 1, 2, 3]


def test_columns_with_odd_names_are_written_in_back_quotes() -> None:
    table = tables.read_table({"eval/c4 loss": [4.0, 2.0], "done": [1.0, 2.0]})
    assert table.evaluate("eval/c4 loss", want="number", argument="response").tolist() == [4.0, 2.0]
    assert table.evaluate("`eval/c4 loss` / 2", want="number", argument="response").tolist() == [2.0, 1.0]
    assert select_rows(table, "`eval/c4 loss` > 3").tolist() == [0]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("loss > 100", "keeps none of the 4 rows"),
        ("lss > 1", "there is no column 'lss'; did you mean 'loss'"),
        ("loss", "the column holds numbers"),
        ("data", "holds text"),
        ([True, False], "4 truth values"),
        ([1.0, 0.0, 1.0, 1.0], "4 truth values"),
    ],
)
def test_a_condition_that_cannot_be_applied_is_refused(where: Any, message: str) -> None:
    with pytest.raises(lf.DataError, match=message):
        select_rows(tables.read_table(COLUMNS), where)


def test_groups_come_in_order_of_first_appearance_with_their_rows() -> None:
    table = tables.read_table({"task": ["b", "a", "b", "a"], "size": [1, 1, 2, 1]})
    groups = group_rows(table, ["task", "size"], np.arange(4))
    assert groups.keys == (("b", 1), ("a", 1), ("b", 2))
    assert groups.order.tolist() == [0, 1, 3, 2]
    assert groups.offsets.tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("by", [(), ("task",), ("size",), ("task", "size", "is_last")])
@pytest.mark.parametrize("is_sorted", [False, True])
def test_groups_are_those_that_a_loop_over_the_rows_makes(by: tuple[str, ...], is_sorted: bool) -> None:
    random = np.random.default_rng(3)
    codes = random.integers(0, 6, 200)
    columns: dict[str, Any] = {
        "task": np.array(["b", "a", "c"])[(np.sort(codes) if is_sorted else codes) % 3],
        "size": codes // 2 + 0.5,
        "is_last": random.random(200) < 0.5,
    }
    table = tables.read_table(columns)
    kept = np.flatnonzero(random.random(200) < 0.7)
    rows_of: dict[tuple[object, ...], list[int]] = {}
    number_of: dict[int, int] = {}
    seen: Counter[tuple[object, ...]] = Counter()
    for row in range(200):
        key = tuple(columns[name][row].item() for name in by)
        number_of[row] = seen[key]
        seen[key] += 1
        if row in kept:
            rows_of.setdefault(key, []).append(row)
    groups = group_rows(table, by, kept)
    assert groups.keys == tuple(rows_of)
    parts = np.split(groups.order, groups.offsets[1:-1])
    assert [part.tolist() for part in parts] == list(rows_of.values())
    numbers = numbers_within_groups(table, by, groups.order, groups.offsets)
    assert numbers.tolist() == [number_of[row] for row in groups.order.tolist()]


def test_a_missing_group_key_is_refused_with_its_row() -> None:
    table = tables.read_table({"size": [1.0, None]})
    with pytest.raises(lf.DataError, match=r"by: column 'size' is missing or NaN in row 1"):
        group_rows(table, ["size"], np.arange(2))


def test_a_constant_formula_holds_for_every_row() -> None:
    runs = {"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.1, 2.9, 4.2]}
    how: dict[str, Any] = {"response": "y", "residual": "linear"}
    plain = lf.fit("a + b*x", runs, **how)
    assert lf.fit("a + b*x", runs, weights="1", where="1 > 0", **how).params == plain.params
    given, formula = (lf.fit("a + b*x", runs, sigma=sigma, **how) for sigma in (np.full(4, 0.1), "0.1"))
    assert given.params == formula.params
