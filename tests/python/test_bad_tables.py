"""Tables that are wrong in one of many ways: each gets an error that says what is wrong, none crashes."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf

pandas = importlib.import_module("pandas")
polars = importlib.import_module("polars")
pyarrow = importlib.import_module("pyarrow")

N = [1e8, 3e8, 1e9, 3e9, 1e10]
LOSS = [3.4, 3.0, 2.7, 2.5, 2.4]


def good(**changes: Any) -> dict[str, Any]:
    """Five runs, with columns in place of good ones; None takes a column away."""
    return {name: values for name, values in {"N": N, "loss": LOSS, **changes}.items() if values is not None}


def with_cell(values: list[Any], row: int, cell: Any) -> list[Any]:
    return [*values[:row], cell, *values[row + 1 :]]


# What a table is, and what the message must say of it.
TABLES: dict[str, tuple[Callable[[], Any], str]] = {
    "nothing": (lambda: None, "data: cannot read a value of type NoneType; give a dict of arrays"),
    "a number": (lambda: 3.0, "cannot read a value of type float"),
    "bytes": (lambda: b"N,loss", "cannot read a value of type bytes"),
    "an empty text": (lambda: "", "an empty text is no path"),
    "an empty list": (lambda: [], "cannot read a value of type list"),
    "a list of rows without names": (lambda: [[1.0, 2.0]], "cannot read a value of type list"),
    "a plain matrix": (lambda: np.ones((5, 2)), "an array without named fields"),
    "a pandas series": (lambda: pandas.Series(LOSS), "cannot read a value of type Series"),
    "a polars series": (lambda: polars.Series(LOSS), "cannot read a value of type Series"),
    "a generator": (lambda: (row for row in N), "cannot read a value of type generator"),
    "an empty dict": (dict, "the table has no columns"),
    "no rows": (lambda: good(N=[], loss=[]), "the table has no rows"),
    "a frame without rows": (lambda: pandas.DataFrame({"N": [], "loss": []}), "the table has no rows"),
    "a polars frame without rows": (lambda: polars.DataFrame({"N": [], "loss": []}), "the table has no rows"),
    "a pyarrow table without rows": (lambda: pyarrow.table({"N": [], "loss": []}), "the table has no rows"),
    "a frame without columns": (pandas.DataFrame, "the table has no columns with text names"),
    "numbered columns": (lambda: pandas.DataFrame([[1, 2]]), "no columns with text names"),
    "columns of several levels": (lambda: pandas.DataFrame([[1]], columns=[["a"], ["b"]]), "no columns|cannot read"),
    "two columns of one name": (lambda: pandas.DataFrame([[1, 2]], columns=["N", "N"]), "two columns are called 'N'"),
    "columns of two lengths": (lambda: good(loss=LOSS[:4]), "'loss' has 4 rows where column 'N' has 5"),
    "a column that is one number": (lambda: good(N=1e9), "column 'N' is a value of type float; give one value per row"),
    "a column that is one text": (lambda: good(N="1e9"), "column 'N' is a value of type str"),
    "a column of pairs": (lambda: good(N=np.ones((5, 2))), "column 'N' has 2 dimensions"),
    "a column of lists of several lengths": (lambda: good(N=[[1], [1, 2], [3], [4], [5]]), "column 'N' cannot be read"),
    "a column of dates": (lambda: good(N=np.array(["2026-01-01"] * 5, dtype="M8[D]")), "'N' holds values of type dat"),
    "a column of complex numbers": (lambda: good(N=np.array(N) + 1j), "'N' holds values of type complex"),
    "a column of dicts": (lambda: good(N=[{}] * 5), "column 'N' mixes types: row 0"),
    "numbers and texts in one column": (
        lambda: good(N=np.array(with_cell(N, 2, "1B"), dtype=object)),
        r"column 'N' mixes types: row 2 \(counted from 0\) holds '1B'",
    ),
    "a text that is no number": (
        lambda: good(N=["100M", "300M", "big", "3B", "10B"]),
        r"'big' in row 2 \(counted from 0\), 1 such in all, where a number is needed",
    ),
    "no response": (lambda: good(loss=None, val_loss=LOSS), "there is no column 'loss'; did you mean 'val_loss'"),
    "no variable": (
        lambda: good(N=None, M=N),
        "no name of the law .* is a column, .* the columns are loss, M; map them with columns=",
    ),
    "a response that is missing once": (lambda: good(loss=with_cell(LOSS, 3, None)), 'row 3 .* only such .*missing="d'),
    "a response that is all missing": (lambda: good(loss=[None] * 5), "row 0 .*, one of 5 such rows"),
    "a variable that is missing": (lambda: good(N=with_cell(N, 1, float("nan"))), "'N' is missing or NaN in row 1"),
    "a pandas column with NA": (
        lambda: pandas.DataFrame(good(N=[1, None, 3, 4, 5])).convert_dtypes(),
        "'N' is missing or NaN in row 1",
    ),
    "an infinite response": (lambda: good(loss=with_cell(LOSS, 4, np.inf)), "'loss' is infinite in row 4"),
    "an infinite variable": (lambda: good(N=with_cell(N, 0, -np.inf)), "'N' is infinite in row 0"),
    "a response of zero": (lambda: good(loss=with_cell(LOSS, 2, 0.0)), "'loss' is 0 in row 2 .*residual=\"linear\""),
    "a negative response": (lambda: good(loss=with_cell(LOSS, 2, -1.0)), "'loss' is -1 in row 2"),
    "a variable of zero": (lambda: good(N=with_cell(N, 2, 0.0)), "in row 2 .* the law .* has no value"),
    "a negative variable": (lambda: good(N=with_cell(N, 2, -1e9)), "in row 2 .* the law .* has no value"),
    "a list of dicts and others": (lambda: [{"N": 1.0, "loss": 2.0}, 3], "cannot read a value of type list"),
    "a list of dicts without a response": (lambda: [{"N": size} for size in N], "there is no column 'loss'"),
    "a path and a frame in one list": (lambda: ["runs.csv", good()], "cannot read a value of type list"),
}

# Files by their name, with what is in them.
FILES: dict[str, tuple[str, bytes, str]] = {
    "a file of another kind": ("runs.xlsx", b"PK", "a path must end in .csv, .parquet or .jsonl"),
    "a name without an ending": ("runs", b"N,loss\n1,2\n", "a path must end in"),
    "an empty csv": ("runs.csv", b"", "is empty; the first line must name the columns"),
    "a csv with a header alone": ("runs.csv", b"N,loss\n", "has a header and no rows"),
    "a csv with two equal names": ("runs.csv", b"N,N\n1,2\n", "two columns are called 'N'"),
    "a csv with a short line": ("runs.csv", b"N,loss\n1,2\n3\n", "line 3: 1 fields where the header has 2"),
    "a csv with a long line": ("runs.csv", b"N,loss\n1,2,3\n", "line 2: 3 fields where the header has 2"),
    "a csv with semicolons": (
        "runs.csv",
        b"N;loss\n1;2\n",
        "the columns are separated by ';'; save the table with commas",
    ),
    "a csv that is not UTF-8": ("runs.csv", b"N,loss\n1,\xff\xfe\n", "is not UTF-8 text"),
    "a csv with NUL bytes": ("runs.csv", b"N,loss\n1,\x00\x00\n", "line 2: a NUL character"),
    "a csv with words for numbers": ("runs.csv", b"N,loss\n1e9,low\n2e9,high\n", "'low' in row 0"),
    "a csv with empty cells": ("runs.csv", b"N,loss\n1e9,\n2e9,3\n", "'loss' is missing or NaN in row 0"),
    "a damaged parquet file": ("runs.parquet", b"PAR1 and no more", "cannot be read as Parquet by"),
    "json lines that are no json": ("runs.jsonl", b'{"N": 1}\n{"N": \n', "line 2: no JSON"),
    "json lines that are no objects": ("runs.jsonl", b"[1, 2]\n", "row 0 .* where a mapping is needed"),
    "an empty json file": ("runs.jsonl", b"\n", "is empty; each line must be one JSON object"),
    "json lines with objects inside": ("runs.jsonl", b'{"N": {"a": 1}, "loss": 2}\n', "column 'N' mixes types"),
    "a chart of nothing but ranges": ("w.csv", b"Step,a - loss__MIN\n1,2\n", "nothing but __MIN and __MAX"),
    "a chart without values": ("w.csv", b"Step,a - loss\n1,\n", "an exported chart without a value"),
}


def refusal(data: Any) -> str:
    """Return what the error says that fitting a table raises."""
    with pytest.raises((lf.DataError, lf.LawError)) as caught:
        lf.fit("E + A*N**-alpha", data, response="loss", n_threads=1)
    return str(caught.value)


@pytest.mark.parametrize("kind", list(TABLES))
def test_a_bad_table_gets_an_error_that_says_what_is_wrong(kind: str) -> None:
    make, message = TABLES[kind]
    said = refusal(make())
    assert re.search(message, said), said


@pytest.mark.parametrize("kind", list(FILES))
def test_a_bad_file_gets_an_error_that_says_what_is_wrong(kind: str, tmp_path: Path) -> None:
    name, content, message = FILES[kind]
    (tmp_path / name).write_bytes(content)
    said = refusal(tmp_path / name)
    assert re.search(message, said), said


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_such.csv", "no file .*no_such.csv; the working directory is"),
        ("*.csv", r"no file fits the pattern"),
        ("", "is a folder; give a file, or a pattern such as"),
        ("x" * 300 + ".csv", "no file"),
    ],
    ids=["missing", "pattern", "folder", "long"],
)
def test_a_path_to_nothing_gets_an_error_that_says_where_it_looked(path: str, message: str, tmp_path: Path) -> None:
    said = refusal(str(tmp_path / path))
    assert re.search(message, said), said


def test_the_good_table_of_these_tests_is_fitted() -> None:
    assert lf.fit("E + A*N**-alpha", good(), response="loss", n_threads=1).n_rows == 5
